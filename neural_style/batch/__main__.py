"""Many pictures: every content in every style, several at a time, or the frames of a video in order.

python -m neural_style.batch --content photos/ --style paintings/*.jpg --output results
"""

import functools
import sys
from argparse import Namespace
from typing import Any, Dict, Optional

from ..options import parse
from ..options.command import Command
from ..options.flags import AT_LEAST_ONE, BY_ATTRIBUTE, ENDING, RUN, SESSION, STANDARD_INPUT, Flag
from ..system.errors import UsageError, say
from .frames import FIRST_EPOCHS

# fmt: off
FLAGS = (
    Flag("--content --content-image", str, None, "pictures, folders of pictures, or patterns", many=True, scope=ENDING,
         shown="PATTERN"),
    Flag("--style --style-image", str, None, "style pictures, folders of pictures, or patterns", many=True,
         scope=ENDING, shown="PATTERN"),
    Flag("--output --output-dir --output_dir", str, None, "the folder for the results CONTENT-STYLE.jpg, batch.json "
         "and the contact sheet index.html", scope=RUN, shown="DIR"),
    Flag("--zip", bool, False, "pair the first content with the first style, the second with the second, instead of "
         "every content with every style", scope=RUN),
    Flag("--sequence", bool, False, "the contents are the frames of a video: each one starts from the previous result",
         scope=RUN),
    FIRST_EPOCHS,
    Flag("--format", str, "jpg", "the format of the results: jpg, png, …", scope=RUN, shown="ENDING"),
    Flag("--jobs", int, None, "how many pairs to paint at once; they share the processors", AT_LEAST_ONE,
         scope=SESSION),
    Flag("--dask", str, None, "paint on the workers of this Dask scheduler, such as tcp://host:8786", scope=SESSION,
         shown="ADDRESS"),
)
# fmt: on
INSTEAD = {
    "checkpoint_output": "use --save-epochs N to save checkpoints",
    "report": "every batch has a contact sheet, index.html, which --show opens",
    "resume": "run the same command again to continue a batch",
}


def work(own: Namespace, args: Namespace, given: Dict[str, Any]) -> Optional[int]:
    """Paint the batch and report what failed; returns the exit code."""
    from ..report.contact_sheet import SHEET
    from ..report.show import show
    from ..saved.locks import locked
    from .paint import paint  # loads NumPy, which --help can do without
    from .plan import Batch

    if args.start == STANDARD_INPUT:
        raise UsageError("--start -: a batch cannot read a picture from standard input; save it to a file first")
    shown, args.show = args.show, False  # the sheet, not every pair's page
    batch = Batch(own, args, given)
    batch.prepare()
    with locked(batch.record.path, f"painting a batch into {batch.folder}", "choose another --output"):
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


COMMAND = Command(
    "neural_style.batch",
    "Paint many pictures. Besides the flags below, every flag of neural-style is accepted and applies to every pair.",
    work,
    FLAGS,
    of_run={*BY_ATTRIBUTE, "recipe"} - INSTEAD.keys(),
    needs=("content", "style", "output"),
    what="a batch",
    instead=INSTEAD,
    without_effect=(
        ("zip", lambda own: own.sequence, "with --sequence, which paints every frame in every style"),
        ("first_epochs", lambda own: not own.sequence, "without --sequence"),
        ("jobs", lambda own: own.dask, "with --dask, where the cluster's workers decide"),
    ),
)
main = functools.partial(parse.run, COMMAND)  # of a list of words; returns the exit code

if __name__ == "__main__":
    sys.exit(main())
