"""Paint a film: each frame is consistent with the previous one; sound, timing and size stay the same.

python -m neural_style.film clip.mp4 --style painting.jpg --output painted.mp4
"""

import functools
import sys
from argparse import Namespace
from typing import Any, Dict

from ..batch.frames import FIRST_EPOCHS
from ..end_to_end.flags import LIST_NETWORKS, NETWORK, STRENGTH
from ..options import parse
from ..options.command import Command
from ..options.flags import BY_ATTRIBUTE, ENDING, PICTURE, RUN, STANDARD_INPUT, Flag, paths
from ..system.errors import UsageError

# fmt: off
FLAGS = (
    Flag("--film --content --content-image", str, None, "the film: MP4, MOV, MKV, WebM, AVI, …, or an animated GIF, "
         "WebP or PNG", scope=ENDING, shown="FILM"),
    Flag("--style --style-image", str, None, "the picture that gives the style, or several", many=True, scope=ENDING,
         shown="PAINTING"),
    NETWORK._replace(help=f"instead of --style, {NETWORK.help}"),
    STRENGTH,
    LIST_NETWORKS,
    Flag("--output", str, None, "the painted film: .mp4, .mov, .mkv, .webm, .gif or .webp", scope=RUN, shown="FILM"),
    FIRST_EPOCHS,
)
# fmt: on
INSTEAD = {
    "output_dir": "use --output FILM",
    **dict.fromkeys(("checkpoint_output", "save_epochs"), "each painted frame is kept until the film is complete"),
    "remove_noise": "use --remove-noise-final",
    "output_size": "use --size or --width",
    "bit_depth": "films have 8 bits",
    "flatten": "films are not transparent",
    **dict.fromkeys(("report", "show"), "films have no report page"),
    "resume": "run the same command again to continue",
    "print_iterations": "progress is reported in frames",
}
OF_NETWORKS = {"output", "max_long_edge", "width", "preserve_colors", "overwrite", "seed", "quiet", "verbose", "debug"}


def work(own: Namespace, args: Namespace, given: Dict[str, Any]) -> None:
    """Paint the film."""
    if (own.style is None) == (own.network is None):
        raise UsageError("give either --style PAINTING or --network NAME")
    if own.network and args.preserve_colors == "match":
        raise UsageError("--preserve-colors match has no effect with --network, whose colours are fixed; use luma")
    if STANDARD_INPUT in (own.film, *paths(args, PICTURE)):
        raise UsageError("- (standard input): films are painted from files only; save it to a file first")
    from . import make  # loads NumPy, which --help can do without

    asked = "max_long_edge" in given or args.max_long_edge != BY_ATTRIBUTE["max_long_edge"].default  # by a recipe
    make.film(own, args, args.max_long_edge if asked and not args.width else None, args.width)


COMMAND = Command(
    "neural_style.film",
    "Paint a film. With --style, every flag of neural-style is accepted as well and applies to every frame; with "
    "--network, --size, --width and --preserve-colors luma.",
    work,
    FLAGS,
    of_run={*BY_ATTRIBUTE, "recipe"} - INSTEAD.keys(),
    first=("film", "style"),
    needs=("film", "output"),
    what="a film",
    same={"style": "style_image"},
    instead=INSTEAD,
    without_effect=(
        ("strength", lambda own: own.style, "with --style"),
        (" ".join(["first_epochs", *BY_ATTRIBUTE.keys() - OF_NETWORKS]), lambda own: own.network, "with --network"),
    ),
)
main = functools.partial(parse.run, COMMAND)  # of a list of words; returns the exit code

if __name__ == "__main__":
    sys.exit(main())
