"""Many pictures: every content in every style, several at a time, or the frames of a video in order.

python -m neural_style.batch --content photos/ --style paintings/*.jpg --output results
"""

import sys

from ..options import parse as command_line
from ..options.flags import BY_ATTRIBUTE, STANDARD_INPUT
from ..system import errors
from ..system.errors import Parser, say

NAME = "neural_style.batch"
INSTEAD = {  # flags of a single run, and what to do instead
    "content_image": "use --content PATTERN",
    "style_image": "use --style PATTERN",
    "output_dir": "use --output DIR",
    "checkpoint_output": "use --save-epochs N to save checkpoints",
    "report": "every batch has a contact sheet, index.html, which --show opens",
    "resume": "run the same command again to continue a batch",
    **dict.fromkeys(("save_recipe", "list_layers", "doctor"), "use it with python -m neural_style.nstyle"),
}


def parser():
    parser = Parser(
        prog=f"python -m {NAME}",
        allow_abbrev=False,
        description="Paint many pictures. Besides the flags "
        "below, every flag of neural-style is accepted and applies to every pair.",
    )
    add = parser.add_argument
    add("--content", nargs="+", required=True, metavar="PATTERN", help="pictures, folders of pictures, or patterns")
    add("--style", nargs="+", required=True, metavar="PATTERN", help="style pictures, folders of pictures, or patterns")
    add(
        "--output",
        required=True,
        metavar="DIR",
        help="the folder for the results CONTENT-STYLE.jpg, batch.json and the contact sheet index.html",
    )
    add(
        "--zip",
        action="store_true",
        help="pair the first content with the first style, the second with the second, "
        "instead of every content with every style",
    )
    add(
        "--sequence",
        action="store_true",
        help="the contents are the frames of a video: each one starts from the previous result",
    )
    add(
        "--first-epochs",
        type=int,
        metavar="N",
        help="with --sequence: the epochs of the first frame of each scene (seven times --max-num-epochs)",
    )
    add("--format", default="jpg", metavar="ENDING", help="the format of the results: jpg, png, … (jpg)")
    add("--jobs", type=int, metavar="N", help="how many pairs to paint at once; they share the processors")
    add("--dask", metavar="ADDRESS", help="paint on the workers of this Dask scheduler, such as tcp://host:8786")
    return parser


def parse(arglist=None):
    """The batch's own arguments, the arguments of every pair, and which of those are on the command line."""
    own, words = parser().parse_known_args(arglist)
    args, given = command_line.parse(words, parser().prog)
    for attribute in filter(given.__contains__, INSTEAD):
        flag = BY_ATTRIBUTE[attribute].name if attribute in BY_ATTRIBUTE else f"--{attribute.replace('_', '-')}"
        parser().error(f"{flag} is not for a batch: {INSTEAD[attribute]}")
    if own.jobs is not None and own.jobs < 1:
        parser().error(f"--jobs {own.jobs}: must be 1 or greater")
    if args.start == STANDARD_INPUT:
        parser().error("--start -: a batch cannot read a picture from standard input; save it to a file first")
    if own.sequence and own.zip:
        parser().error("--zip has no effect with --sequence, which paints every frame in every style; leave it out")
    if own.first_epochs is not None and not own.sequence:
        parser().error("--first-epochs has no effect without --sequence; leave it out")
    if own.first_epochs is not None and own.first_epochs < 1:
        parser().error(f"--first-epochs {own.first_epochs}: must be 1 or greater")
    if own.dask == "":
        parser().error("--dask: must be given the address of a scheduler, such as tcp://host:8786")
    if own.dask and own.jobs:
        parser().error("--jobs has no effect with --dask, where the cluster's workers decide; leave it out")
    return own, args, given


def command(own, args, given):
    """Paint the batch and report what failed; returns the exit code."""
    from ..report.contact_sheet import SHEET
    from ..report.show import show
    from .paint import paint  # loads NumPy, which --help can do without
    from .plan import Batch

    shown, args.show = args.show, False  # the sheet, not every pair's page
    batch = Batch(own, args, given)
    batch.prepare()
    failed = paint(batch)
    for entry in failed:
        say(f"failed: {entry.output}: {entry.error}")
    if failed or not args.quiet:
        say(
            f"{len(batch.pairs) - len(failed)} of {len(batch.pairs)} pairs are done; contact sheet: "
            f"{batch.folder / SHEET}"
        )
    if shown:
        show(batch.folder / SHEET)
    return 1 if failed else 0


def main(arglist=None):
    """The command; returns its exit code."""
    own, args, given = parse(arglist)
    return errors.run(lambda: command(own, args, given), NAME, args.debug)


if __name__ == "__main__":
    sys.exit(main())
