"""Paint a film: each frame is consistent with the previous one; sound, timing and size stay the same.

python -m neural_style.film clip.mp4 --style painting.jpg --output painted.mp4
"""

import argparse
import sys

from ..end_to_end.__main__ import add_list
from ..options import parse as command_line
from ..options.flags import BY_ATTRIBUTE, PICTURE, STANDARD_INPUT, listed, paths
from ..system import errors

NAME = "neural_style.film"
INSTEAD = {  # flags of a single run, and what to do instead
    "content_image": "give the film as the first argument",
    "style_image": "use --style PAINTING",
    "output_dir": "use --output FILM",
    "checkpoint_output": "each painted frame is kept until the film is complete",
    "save_epochs": "each painted frame is kept until the film is complete",
    "remove_noise": "use --remove-noise-final",
    "output_size": "use --size or --width",
    "bit_depth": "films have 8 bits",
    "flatten": "films are not transparent",
    **dict.fromkeys(("report", "show"), "films have no report page"),
    "resume": "run the same command again to continue",
    "print_iterations": "progress is reported in frames",
    **dict.fromkeys(("save_recipe", "list_layers", "doctor"), "use it with python -m neural_style.nstyle"),
}
OF_NETWORKS = {"max_long_edge", "width", "preserve_colors", "overwrite", "seed", "quiet", "verbose", "debug"}


class _Keep(argparse.Action):
    """Keeps a flag of a run and its values as they were typed."""

    def __call__(self, parser, namespace, values, option_string=None):
        namespace.words = [*namespace.words, option_string, *map(str, listed(values))]


def parser():
    """The parser of the film's own flags, which knows how many values those of a run take."""
    made = command_line.RunParser(
        prog=f"python -m {NAME}",
        description="Paint a film. With --style, every flag of "
        "neural-style is accepted as well and applies to every frame; with --network, --size, --width and "
        "--preserve-colors luma.",
    )
    add = made.add_argument
    add("film", help="the film: MP4, MOV, MKV, WebM, AVI, …, or an animated GIF, WebP or PNG")
    add("--style", nargs="+", metavar="PAINTING", help="the picture that gives the style, or several")
    add(
        "--network",
        metavar="NAME",
        help="instead of --style, a network that paints each frame in one pass: a name from --list-networks, or a file",
    )
    add_list(made)
    add("--output", required=True, metavar="FILM", help="the painted film: .mp4, .mov, .mkv, .webm, .gif or .webp")
    add(
        "--first-epochs",
        type=int,
        metavar="N",
        help="with --style: the epochs of the first frame of each scene (seven times --max-num-epochs)",
    )
    made.set_defaults(words=[])
    for action in command_line.parser()._actions:
        names = [name for name in action.option_strings if name not in ("-h", "--help", "--output", "--version")]
        if names:
            add(*names, action=_Keep, nargs=action.nargs, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    return made


def parse(arglist=None):
    """The film's own arguments, the arguments of every frame, and which of those are on the command line."""
    made = parser()
    own, unknown = made.parse_known_args(arglist)
    args, given = command_line.parse(own.words + unknown, made.prog)
    if (own.style is None) == (own.network is None):
        made.error("give either --style PAINTING or --network NAME")
    for attribute in filter(given.__contains__, INSTEAD):
        made.error(f"{_flag(attribute)} is not for a film: {INSTEAD[attribute]}")
    if own.network is not None:
        for attribute in sorted(set(given) - OF_NETWORKS):
            made.error(f"{_flag(attribute)} has no effect with --network; leave it out")
        if args.preserve_colors == "match":
            made.error("--preserve-colors match has no effect with --network, whose colours are fixed; use luma")
        if own.first_epochs is not None:
            made.error("--first-epochs has no effect with --network; leave it out")
    if own.first_epochs is not None and own.first_epochs < 1:
        made.error(f"--first-epochs {own.first_epochs}: must be 1 or greater")
    args.style_image = own.style if own.style and len(own.style) > 1 else (own.style or [args.style_image])[0]
    if STANDARD_INPUT in (own.film, *paths(args, PICTURE)):
        made.error("- (standard input): films are painted from files only; save it to a file first")
    return own, args, given


def _flag(attribute):
    return BY_ATTRIBUTE[attribute].name if attribute in BY_ATTRIBUTE else f"--{attribute.replace('_', '-')}"


def command(own, args, given):
    """Paint the film."""
    from . import make  # loads NumPy, which --help can do without

    asked = "max_long_edge" in given or args.max_long_edge != BY_ATTRIBUTE["max_long_edge"].default  # by a recipe
    make.film(own, args, args.max_long_edge if asked and not args.width else None, args.width)


def main(arglist=None):
    """The command; returns its exit code."""
    own, args, given = parse(arglist)
    return errors.run(lambda: command(own, args, given), NAME, args.debug)


if __name__ == "__main__":
    sys.exit(main())
