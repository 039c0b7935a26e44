"""The flags: each name, default and check stands once, in the table FLAGS."""
import argparse
import difflib
import logging
import math
import re
import sys
from collections import namedtuple
from pathlib import Path

from . import __version__
from .errors import Parser, UsageError

log = logging.getLogger("neural_style")

Flag = namedtuple("Flag", ["names", "type", "default", "check", "help"])
Check = namedtuple("Check", ["holds", "says"])

POSITIVE = Check(lambda value: value > 0, "greater than 0")
NOT_NEGATIVE = Check(lambda value: value >= 0, "0 or greater")
AT_LEAST_ONE = Check(lambda value: value >= 1, "1 or greater")
ANY_NUMBER = Check(lambda value: True, "a number")
FACTOR = Check(lambda value: 0 < value <= 1, "greater than 0 and at most 1")
DEVICE = Check(lambda value: value >= -1, "-1 or the number of a GPU")
SEED = Check(lambda value: 0 <= value < 2 ** 31, "from 0 to 2147483647")
NAME = Check(str.isidentifier, "a name such as vgg19")

FLAGS = (
    # the reference's, in its order
    Flag("--model", str, "vgg19", NAME, "the pretrained model to use: vgg19, or NAME of a module model_NAME of your own"),
    Flag("--content-image", str, "input/IMG_4343.jpg", None, "the content image"),
    Flag("--style-image", str, "input/starry_night.jpg", None, "the style image"),
    Flag("--stop-eps", float, .005, NOT_NEGATIVE, "stop if the relative change is less than eps"),
    Flag("--content-weight", float, 10, NOT_NEGATIVE, "the weight for the content image"),
    Flag("--style-weight", float, 1, NOT_NEGATIVE, "the weight for the style image"),
    Flag("--tv-weight", float, 1e-2, ANY_NUMBER, "the weight of the total variation; 0 or less: without"),
    Flag("--max-num-epochs", int, 1000, AT_LEAST_ONE, "the maximal number of training epochs"),
    Flag("--max-long-edge", int, 600, AT_LEAST_ONE, "the longer edge, in pixels, that the content image is resized to"),
    Flag("--lr", float, .001, POSITIVE, "the initial learning rate"),
    Flag("--gpu", int, 0, DEVICE, "which GPU to use, -1 for the CPU; without a GPU the CPU is used"),
    Flag("--output_dir --output-dir", str, "output/", None, "the folder for the output images"),
    Flag("--save-epochs", int, 50, AT_LEAST_ONE, "save the output every n epochs"),
    Flag("--remove-noise", float, .02, NOT_NEGATIVE, "how much noise to remove from the images saved every n epochs"),
    Flag("--lr-sched-delay", int, 75, AT_LEAST_ONE, "how many epochs between decreases of the learning rate"),
    Flag("--lr-sched-factor", float, 0.9, FACTOR, "factor to decrease the learning rate by on schedule"),
    # ours
    Flag("--seed", int, None, SEED, "seed of the random start image: the same seed gives the same picture"),
    Flag("--model-params", str, None, None, "the weights file, instead of where weights are usually kept"),
    Flag("--quiet", bool, False, None, "print warnings and errors only"),
    Flag("--verbose", bool, False, None, "print every epoch's losses, layer by layer"),
    Flag("--debug", bool, False, None, "on an error, show the traceback"),
)


def attribute(flag):
    """The name of the flag's attribute in the arguments: --max-num-epochs is args.max_num_epochs."""
    return flag.names.split()[0][2:].replace("-", "_")


def _parser():
    parser = Parser(prog="neural-style",
                    description="Paint the content image in the style of the style image.",
                    formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=28, width=110))
    for flag in FLAGS:
        if flag.type is bool:
            parser.add_argument(*flag.names.split(), action="store_true", help=flag.help)
        else:
            default = "" if flag.default is None else " (%(default)s)"
            metavar = {int: "N", float: "X"}.get(flag.type, "NAME" if flag.check is NAME else "PATH")
            parser.add_argument(*flag.names.split(), type=flag.type, default=flag.default, metavar=metavar,
                                help=flag.help + default)
    parser.add_argument("--version", action="version", version=f"neural_style {__version__}")
    return parser


def get_args(arglist=None):
    """Parse the command line, or a list of words, into the arguments that train_nstyle takes."""
    return _parser().parse_args(arglist)


def complete(args):
    """A checked copy of args in which what is missing has its default, as in code older than a flag."""
    known = {attribute(flag): flag for flag in FLAGS}
    values = {name: flag.default for name, flag in known.items()}
    for name, value in vars(args).items():
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            log.warning("args.%s is not an option and has no effect%s", name,
                        f"; is args.{near[0]} meant?" if near else "")
            continue
        values[name] = _checked(known[name], value)
    return argparse.Namespace(**values)


def _checked(flag, value):
    """value if it is one that the flag can take."""
    if value is None and flag.default is None or flag.type is bool:
        return value
    asked = f"{flag.names.split()[0]} {value}"
    try:
        value = flag.type(value)
    except (TypeError, ValueError):
        raise UsageError(f"{asked}: must be a number") from None
    if flag.type is float and not math.isfinite(value):
        raise UsageError(f"{asked}: must be a finite number")
    if flag.check and not flag.check.holds(value):
        raise UsageError(f"{asked}: must be {flag.check.says}")
    return value


def flag_table():
    """The flags as a Markdown table, for the README."""
    rows = ["| flag | default | what it does |", "| --- | --- | --- |"]
    for flag in FLAGS:
        names = ", ".join(f"`{name}`" for name in flag.names.split())
        default = "" if flag.default in (None, False) else f"`{flag.default}`"
        rows.append(f"| {names} | {default} | {flag.help} |")
    return "\n".join(rows)


def with_flag_table(text):
    """text with the flag table put between its two <!-- flags --> marks."""
    return re.sub(r"(<!-- flags -->\n).*?(<!-- /flags -->)",
                  lambda found: f"{found[1]}{flag_table()}\n{found[2]}", text, flags=re.S)


if __name__ == "__main__":      # python -m neural_style.options README.md: bring its table up to date
    for path in map(Path, sys.argv[1:]):
        path.write_text(with_flag_table(path.read_text(encoding="utf-8")), encoding="utf-8")
