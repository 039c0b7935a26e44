"""The command `python -m neural_style.painting`: paint a picture and save it."""

import functools
import re
import sys
from argparse import Namespace
from typing import Any, Dict

from ..options import parse
from ..options.command import Command
from ..options.flags import RUN, Check, Flag
from ..system.errors import UsageError
from ..system.files import refuse_to_replace
from . import SUBJECTS, paint

SIZE = Check(lambda value: bool(re.fullmatch("[0-9]{1,6}x[0-9]{1,6}", value)), "width x height, such as 1024x640")
# fmt: off
FLAGS = (
    Flag("--output --file", str, None, "the picture to write", scope=RUN, shown="FILE.png"),
    Flag("--subject", str, "night", "a windy night in brush strokes, a stained-glass window, a mosaic, or a "
         "colour woodcut", choices=tuple(SUBJECTS)),
    Flag("--size", str, "1024x640", "width x height in pixels", SIZE, shown="WxH"),
    Flag("--seed", int, 0, "each seed gives another picture"),
    Flag("--overwrite --force", bool, False, "replace the file if it exists", scope=RUN),
)
# fmt: on


def work(own: Namespace, args: Namespace, given: Dict[str, Any]) -> None:
    """Paint a picture and save it as a PNG file."""
    from ..pictures import images  # loads NumPy, which --help can do without

    if not own.output.lower().endswith(".png"):
        raise UsageError(f"{own.output}: the painting is saved as PNG; use a name that ends in .png")
    refuse_to_replace(own.output, own.overwrite)
    width, height = map(int, own.size.split("x"))
    images.save_picture(paint(height, width, own.seed, own.subject), own.output)


COMMAND = Command(
    "neural_style.painting",
    "Paint a picture to learn a style from.",
    work,
    FLAGS,
    of_run=("debug",),
    first=("output",),
    needs=("output",),
)
main = functools.partial(parse.run, COMMAND)  # of a list of words; returns the exit code

if __name__ == "__main__":
    sys.exit(main())
