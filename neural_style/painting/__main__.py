"""The command `python -m neural_style.painting`: paint a picture and save it."""

import os
import sys

from ..pictures import images
from ..system.errors import Parser, UsageError, run
from . import SUBJECTS, paint


def size(text):
    width, height = text.split("x")
    return int(width), int(height)


def _paint_file(args):
    if not args.file.lower().endswith(".png"):
        raise UsageError(f"{args.file}: the painting is saved as PNG; use a name that ends in .png")
    if os.path.lexists(args.file) and not args.force:
        raise UsageError(f"{args.file} already exists; --force overwrites it")
    images.save_picture(paint(*args.size[::-1], args.seed, args.subject), args.file)


def parser():
    parser = Parser("neural_style.painting", description="Paint a picture to learn a style from.")
    parser.add_argument("file", metavar="FILE.png", help="the picture to write")
    parser.add_argument(
        "--subject",
        choices=SUBJECTS,
        default="night",
        help="a windy night in brush strokes, or a stained-glass window: %(choices)s (%(default)s)",
    )
    parser.add_argument("--size", type=size, default="1024x640", help="width x height in pixels (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="each seed gives another picture (%(default)s)")
    parser.add_argument("--force", action="store_true", help="overwrite the file if it exists")
    parser.add_argument("--debug", action="store_true", help="on an error, show the traceback")
    return parser


def main(arglist=None):
    """The command: paint a picture and save it as a PNG file; returns the exit code."""
    args = parser().parse_args(arglist)
    return run(lambda: _paint_file(args), "neural_style.painting", args.debug)


if __name__ == "__main__":
    sys.exit(main())
