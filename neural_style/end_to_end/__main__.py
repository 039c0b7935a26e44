"""Pictures in one pass: train a network on a style, then paint any photograph with it at once.

    python -m neural_style.end_to_end train --style painting.jpg --photos photos/ --output painting.params
    python -m neural_style.end_to_end paint --network painting.params photo.jpg --output painted
"""
import argparse
import os
import sys

from ..nstyle import log_to_stderr
from ..options import parse as command_line
from ..options.check import complete
from ..options.flags import BY_ATTRIBUTE
from ..system import errors
from ..system.errors import Parser

NAME = "neural_style.end_to_end"
GENERATORS = ("fast", "boost")
# Flags of a run that also make sense when one paints in one pass.
OF_PAINTING = ("max_long_edge", "width", "preserve_colors", "mask", "output_size", "bit_depth", "flatten",
               "remove_noise_final", "overwrite", "quiet", "debug")
# Flags of a run that are none of a training, and why.
NOT_OF_TRAINING = {
    **dict.fromkeys(("content_image", "mask", "regions", "style_regions"), "a network learns from all of --photos alike"),
    "style_image": "use --style PICTURE",
    **dict.fromkeys(("width", "output_size", "bit_depth", "flatten", "remove_noise", "remove_noise_final",
                     "preserve_colors"), "it is for `paint`"),
    **dict.fromkeys(("output_dir", "checkpoint_output"), "use --output FILE.params"),
    **dict.fromkeys(("save_epochs",), "use --save-every N"),
    **dict.fromkeys(("max_num_epochs", "stop_eps"), "use --steps N"),
    **dict.fromkeys(("optimizer", "momentum", "beta2", "weight_decay", "clip_gradient", "lr_sched_delay",
                     "lr_sched_factor", "keep_best", "pyramid", "pyramid_epochs", "start", "fit", "tile", "report"),
                    "it is about the optimisation of a single picture"),
    **dict.fromkeys(("save_recipe", "list_layers", "doctor"), "use it with python -m neural_style"),
}


def parser():
    """The parser of both commands, and those of each."""
    made = Parser(prog=f"python -m {NAME}", description="Train a network that paints in one pass, or paint with one.")
    made.add_argument("--list-networks", action="store_true", help="print the networks that come with the package and exit")
    commands = made.add_subparsers(dest="command", metavar="train|paint", parser_class=Parser)
    train = commands.add_parser("train", allow_abbrev=False, help="train a network on a style",
                                description="Train a network that paints photographs in the style of a picture. Besides the "
                                "flags below, those of neural-style that say what is minimised are accepted; --lr is the "
                                "first learning rate, --size the longer edge of the pictures that it is to paint.")
    add = train.add_argument
    add("--style", nargs="+", metavar="PICTURE", help="the picture whose style it learns, or several")
    add("--photos", nargs="+", metavar="PATTERN", default=[], help="photographs to learn from: pictures, folders or patterns; "
        "without them, those that installed packages bring")
    add("--output", metavar="FILE.params", help="the network's file")
    add("--generator", choices=GENERATORS, default="fast", help="the kind of network: fast is small; boost is the four "
        "networks in a row of MXNet's example (fast)")
    add("--steps", type=int, default=4000, metavar="N", help="learn from N crops (4000)")
    add("--crop", type=int, metavar="N", help="the side of the crops, in pixels (fast: 192, boost: 384)")
    add("--save-every", type=int, default=200, metavar="N", help="save the network and pictures every N steps (200)")
    add("--from", dest="begin_with", metavar="NETWORK", help="begin with another network: it learns a new style sooner")
    add("--resume", metavar="FILE.params", help="continue a training that was stopped, with its flags")
    paint = commands.add_parser("paint", help="paint photographs with a network", argument_default=None,
                                description="Paint photographs with a network.")
    add = paint.add_argument
    add("photos", nargs="+", metavar="PHOTO", help="pictures, folders or patterns")
    add("--network", required=True, metavar="NETWORK", help="a name of --list-networks, or a file that `train` made")
    add("--output", required=True, metavar="DIR", help="the folder for the painted pictures")
    add("--format", default="jpg", metavar="ENDING", help="their format: jpg, png, … (jpg)")
    command_line.add_flags(paint, True, OF_PAINTING)
    return made, train, paint


def _training(own, words, complain):
    """The Settings of a training that words ask for, the arguments of its objective, and what it goes on from."""
    from . import session, generators
    if own.resume:
        if own.style or own.output or own.photos:
            complain(f"--resume {own.resume}: the training knows its pictures and its flags; leave the others out")
        own, args, saved = session.resumed(own.resume)
        _, given = command_line.parse(words, f"python -m {NAME} train")
        for name in given:
            if name not in ("quiet", "verbose", "debug", "force"):
                complain(f"{BY_ATTRIBUTE[name].name} cannot change when a training is resumed; leave it out")
            setattr(args, name, given[name])
        return own, args, saved
    if not own.style or not own.output:
        complain(f"{'--style' if not own.style else '--output'} must be given")
    generator = generators.GENERATORS[own.generator]
    args, given = command_line.parse(["--precision", "auto", *generator.flags.split(), *words, "--style-image", *own.style], f"python -m {NAME} train")
    _, given = command_line.parse(words, f"python -m {NAME} train")
    for name in filter(NOT_OF_TRAINING.__contains__, given):
        flag = BY_ATTRIBUTE[name].name if name in BY_ATTRIBUTE else f"--{name.replace('_', '-')}"
        complain(f"{flag} is not for a training: {NOT_OF_TRAINING[name]}")
    if "patches" in (args.style_term if isinstance(args.style_term, list) else [args.style_term]):
        complain("--style-term patches is not for a training: their matches would have to be chosen for each photograph")
    for name, least, most in ("steps", 1, 10 ** 7), ("save_every", 1, 10 ** 7), ("crop", session.SMALLEST, session.LARGEST):
        value = getattr(own, name)
        if value is not None and not least <= value <= most:
            complain(f"--{name.replace('_', '-')} {value}: must be from {least} to {most}")
    if own.crop and own.crop % generator.multiple:
        complain(f"--crop {own.crop}: must be a multiple of {generator.multiple}")
    if not own.output.endswith(".params"):
        complain(f"--output {own.output}: a network's file ends in .params")
    if os.path.exists(own.output) and not args.overwrite:
        complain(f"--output {own.output} is there already; name another file, continue with --resume, or replace it with "
                 "--overwrite")
    return session.Settings(own.style, own.output, own.photos, own.generator, own.steps, own.crop or 0,
                            args.lr if "lr" in given else 0.0, own.save_every, own.begin_with or ""), args, None


def _train(own, words, complain):
    from . import session
    from ..pictures.images import prepare_folder
    asked, args, saved = _training(own, words, complain)
    prepare_folder(os.path.dirname(asked.output) or ".")
    with log_to_stderr(args):
        return session.run(asked, args, saved)


def _paint(own, complain):
    from . import painter
    if own.preserve_colors == "match":
        complain("--preserve-colors match is about the style picture, before a run; use luma")
    args = complete(argparse.Namespace(**{name: getattr(own, name) for name in OF_PAINTING}))
    with log_to_stderr(args):
        return painter.run(own, args)


def _listed():
    from . import network
    for name in network.names():
        print(f"{name:12} {network.load(name).about.description}")


def main(arglist=None):
    """The command; returns its exit code."""
    made, train, paint = parser()
    words = sys.argv[1:] if arglist is None else list(arglist)
    own, rest = made.parse_known_args(words)
    complain = {"train": train, "paint": paint}.get(own.command, made).error
    if own.list_networks:
        return errors.run(_listed, NAME)
    if own.command is None:
        complain("say train or paint")
    if own.command == "paint" and rest:
        complain(f"unrecognized arguments: {' '.join(rest)}")
    work = (lambda: _train(own, rest, complain)) if own.command == "train" else (lambda: _paint(own, complain))
    return errors.run(work, NAME, "--debug" in words)


if __name__ == "__main__":
    sys.exit(main())
