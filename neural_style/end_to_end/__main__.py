"""Pictures in one pass: train a network on a style, then paint any photograph with it at once.

python -m neural_style.end_to_end train --style painting.jpg --photos photos/ --output painting.params
python -m neural_style.end_to_end paint --network painting.params photo.jpg --output painted
"""

import argparse
import sys

from ..nstyle import log_to_stderr
from ..options import parse as command_line
from ..options.check import complete
from ..options.flags import BY_ATTRIBUTE, SESSION, attributes, listed
from ..system import errors
from ..system.errors import Parser, UsageError

NAME = "neural_style.end_to_end"
# The flags that each kind of network is trained with, unless others are given.
DEFAULTS = {
    "fast": ["--precision", "auto", "--fit", "scale"],
    "boost": ["--precision", "auto", "--fit", "scale", "--style-weight", "1.2"],
}
# The training's own flags, by attribute.
OWN = {
    "style": "--style",
    "photos": "--photos",
    "output": "--output",
    "generator": "--generator",
    "steps": "--steps",
    "crop": "--crop",
    "save_every": "--save-every",
    "begin_with": "--from",
}
LIMITS = ("steps", 1, 10**7), ("save_every", 1, 10**7), ("crop", 64, 2048)
# Flags of a run that also apply to painting in one pass.
OF_PAINTING = (
    "max_long_edge",
    "width",
    "preserve_colors",
    "mask",
    "output_size",
    "bit_depth",
    "flatten",
    "remove_noise_final",
    "smooth_colors",
    "overwrite",
    "force",
    "quiet",
    "debug",
)
# Flags of a run that do not apply to training, and why.
NOT_OF_TRAINING = {
    **dict.fromkeys(
        ("content_image", "mask", "regions", "style_regions"), "a network learns from all of --photos alike"
    ),
    "style_image": "use --style PICTURE",
    **dict.fromkeys(
        (
            "width",
            "output_size",
            "bit_depth",
            "flatten",
            "remove_noise",
            "remove_noise_final",
            "smooth_colors",
            "preserve_colors",
        ),
        "it is for `paint`",
    ),
    **dict.fromkeys(("output_dir", "checkpoint_output"), "use --output FILE.params"),
    **dict.fromkeys(("save_epochs",), "use --save-every N"),
    **dict.fromkeys(("max_num_epochs", "stop_eps"), "use --steps N"),
    **dict.fromkeys(
        (
            "optimizer",
            "coordinates",
            "momentum",
            "beta2",
            "weight_decay",
            "clip_gradient",
            "lr_sched_delay",
            "lr_sched_factor",
            "keep_best",
            "pyramid",
            "pyramid_epochs",
            "start",
            "edges",
            "fit",
            "tile",
            "report",
            "show",
        ),
        "it only applies to the optimisation of a single picture",
    ),
    **dict.fromkeys(("save_recipe", "list_layers", "doctor"), "use it with python -m neural_style"),
}


def parser():
    """The parser of both commands, and those of each."""
    made = Parser(prog=f"python -m {NAME}", description="Train a network that paints in one pass, or paint with one.")
    add_list(made)
    commands = made.add_subparsers(dest="command", metavar="train|paint", parser_class=Parser)
    train = commands.add_parser(
        "train",
        allow_abbrev=False,
        help="train a network on a style",
        description="Train a network that paints photographs in the style of a picture. Besides the "
        "flags below, those of neural-style that say what is minimised are accepted; --lr is the "
        "first learning rate, --size the longer edge of the pictures that it will paint.",
    )
    add = train.add_argument
    add("--style", nargs="+", metavar="PICTURE", help="the picture that gives the style, or several")
    add(
        "--photos",
        nargs="+",
        metavar="PATTERN",
        default=[],
        help="photographs to learn from: pictures, folders or patterns; "
        "by default, those that come with installed packages",
    )
    add("--output", metavar="FILE.params", help="the network's file")
    add(
        "--generator",
        choices=tuple(DEFAULTS),
        default="fast",
        help="the kind of network: fast is small; boost is MXNet's example, four networks in sequence (fast)",
    )
    add("--steps", type=int, default=4000, metavar="N", help="learn from N crops (4000)")
    add("--crop", type=int, default=0, metavar="N", help="the side of the crops, in pixels (fast: 192, boost: 384)")
    add("--save-every", type=int, default=200, metavar="N", help="save the network and pictures every N steps (200)")
    add(
        "--from",
        dest="begin_with",
        default="",
        metavar="NETWORK",
        help="start from another network, which learns a new style faster",
    )
    add("--resume", metavar="FILE.params", help="continue a training that was stopped, with its flags")
    paint = commands.add_parser(
        "paint",
        help="paint photographs with a network",
        argument_default=None,
        description="Paint photographs with a network.",
    )
    add = paint.add_argument
    add("photos", nargs="+", metavar="PHOTO", help="pictures, folders or patterns")
    add("--network", required=True, metavar="NETWORK", help="a name from --list-networks, or a file written by `train`")
    add("--output", required=True, metavar="DIR", help="the folder for the painted pictures")
    add("--format", default="jpg", metavar="ENDING", help="their format: jpg, png, … (jpg)")
    add_list(paint)
    command_line.add_flags(paint, True, OF_PAINTING)
    return made, train, paint


def add_list(parser):
    """Add the flag that lists the networks in the package."""

    def listing(value):
        from . import network

        return "\n".join(f"{name:12} {network.load(name).about.description}" for name in network.names())

    parser.add_argument(
        "--list-networks",
        action=command_line.Print,
        nargs=0,
        const=listing,
        default=argparse.SUPPRESS,
        help="print the networks that come with the package and exit",
    )


def parse(arglist=None):
    """What the command line asks for: its own arguments, and those of the objective or of saving pictures."""
    made, train, paint = parser()
    own, words = made.parse_known_args(sys.argv[1:] if arglist is None else list(arglist))
    if own.command == "train":
        return own, _of_training(own, words, train)
    if own.command == "paint":
        if words:
            paint.error(f"unrecognized arguments: {' '.join(words)}")
        if own.preserve_colors == "match":
            paint.error("--preserve-colors match applies to the style picture of a run; use luma")
        return own, argparse.Namespace(**{name: getattr(own, name) for name in OF_PAINTING})
    made.error("choose a command: train or paint")


def _of_training(own, words, parser):
    """The arguments of the objective that words give; for a resumed training, only those on the command line."""
    given = vars(command_line.parser(False).parse_known_args(words)[0])
    if own.resume:
        for name, value in vars(own).items():
            if name != "resume" and name in OWN and value != parser.get_default(name):
                parser.error(
                    f"--resume {own.resume}: a resumed training keeps its pictures and flags; leave {OWN[name]} out"
                )
        for name in given:
            if name not in ("model", *attributes(SESSION)) or name in NOT_OF_TRAINING:
                parser.error(f"{BY_ATTRIBUTE[name].name} cannot change when a training is resumed; leave it out")
        command_line.parse(words, parser.prog)  # complains about words that are no flags
        return argparse.Namespace(**{"debug": False, **given})
    if not own.style or not own.output:
        parser.error(f"{'--output' if own.style else '--style'} must be given")
    for name in filter(NOT_OF_TRAINING.__contains__, given):
        flag = BY_ATTRIBUTE[name].name if name in BY_ATTRIBUTE else f"--{name.replace('_', '-')}"
        parser.error(f"{flag} is not for a training: {NOT_OF_TRAINING[name]}")
    if given.get("style_weight") == 0:
        parser.error("--style-weight 0: a network needs a style to learn")
    args, _ = command_line.parse([*DEFAULTS[own.generator], *words, "--style-image", *own.style], parser.prog)
    if "patches" in listed(args.style_term):
        parser.error(
            "--style-term patches is not for a training: the matches would have to be chosen for each photograph"
        )
    for name, least, most in LIMITS:
        value = getattr(own, name)
        if value != parser.get_default(name) and not least <= value <= most:
            parser.error(f"--{name.replace('_', '-')} {value}: must be from {least} to {most}")
    if not own.output.endswith(".params"):
        parser.error(f"--output {own.output}: a network's file ends in .params")
    own.rate = args.lr if "lr" in given else 0.0
    return args


def _train(own, args):
    from . import session, state

    if own.resume:
        settings, known, saved = state.resumed(own.resume, vars(args))
        if getattr(args, "model", known.model) != known.model:
            raise UsageError(f"--model cannot change when a training is resumed: it began with {known.model}")
        args = argparse.Namespace(**{**vars(known), **vars(args)})
    else:
        settings, saved = state.Settings(**{name: getattr(own, name) for name in state.Settings._fields}), None
    with log_to_stderr(args):
        return session.run(settings, args, saved)


def _paint(own, args):
    from . import painter

    args = complete(args)
    with log_to_stderr(args):
        return painter.run(own, args)


def main(arglist=None):
    """The command; returns its exit code."""
    own, args = parse(arglist)
    work = {"train": _train, "paint": _paint}[own.command]
    return errors.run(lambda: work(own, args), NAME, args.debug)


if __name__ == "__main__":
    sys.exit(main())
