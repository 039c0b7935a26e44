"""Pictures in one pass: train a network on a style, then paint any photograph with it at once.

python -m neural_style.end_to_end train --style painting.jpg --photos photos/ --output painting.params
python -m neural_style.end_to_end paint --network painting.params photo.jpg --output painted
"""

import argparse
import functools
import sys
from argparse import Namespace
from typing import Any, Dict, Optional

from ..options import parse
from ..options.check import complete
from ..options.command import Command, Commands
from ..options.flags import BY_ATTRIBUTE, ENDING, RUN, SESSION, Check, Flag, attributes, listed
from ..system.errors import UsageError
from .flags import LIST_NETWORKS, NETWORK, STRENGTH

# What each kind of network is trained with, unless something else is given.
DEFAULTS = {"fast": {}, "boost": {"style_weight": 1.2}}
MANY = Check(lambda value: 1 <= value <= 10**7, "from 1 to 10000000")
CROP = Check(lambda value: value == 0 or 64 <= value <= 2048, "from 64 to 2048")
TRAINED = Check(lambda value: value.endswith(".params"), "a name that ends in .params, as a network's file does")
# fmt: off
OF_TRAINING = (
    Flag("--style --style-image", str, None, "the picture that gives the style, or several", many=True,
         shown="PAINTING"),
    Flag("--photos --content", str, [], "photographs to learn from: pictures, folders or patterns; by default, those "
         "that come with installed packages", many=True, shown="PATTERN"),
    Flag("--output", str, None, "the network's file", TRAINED, scope=RUN, shown="FILE.params"),
    Flag("--generator", str, "fast", "the kind of network: fast is small; boost is MXNet's example, four networks in "
         "sequence", choices=tuple(DEFAULTS)),
    Flag("--steps", int, 4000, "learn from N crops", MANY),
    Flag("--crop", int, 0, "the side of the crops, in pixels; 0 is the generator's own (fast: 192, boost: 384)", CROP),
    Flag("--save-every", int, 200, "save the network and pictures every N steps", MANY, scope=RUN),
    Flag("--from", str, None, "start from another network, which learns a new style faster", shown="NETWORK"),
    Flag("--resume", str, None, "continue a training that was stopped, with its flags", scope=SESSION,
         shown="FILE.params"),
)
OF_PAINTING = (
    Flag("--photos --content --content-image", str, None, "the photographs: pictures, folders or patterns", many=True,
         scope=ENDING, shown="PHOTO"),
    NETWORK,
    STRENGTH,
    Flag("--output --output-dir --output_dir", str, None, "the folder for the painted pictures, or the file for one",
         scope=RUN, shown="DIR"),
    Flag("--format", str, "jpg", "their format in a folder: jpg, png, …", scope=RUN, shown="ENDING"),
    LIST_NETWORKS,
)
# fmt: on
# Flags of a run that also apply to painting in one pass.
SAVED = (
    "max_long_edge width preserve_colors mask output_size bit_depth flatten remove_noise_final smooth_colors overwrite "
    "force quiet debug"
)
# Flags of a run that do not apply to training, and why.
NOT_OF_TRAINING = {
    name: why
    for names, why in (
        ("content_image mask regions style_regions", "a network learns from all of --photos alike"),
        (
            "width output_size bit_depth flatten remove_noise remove_noise_final smooth_colors preserve_colors",
            "it is for `paint`",
        ),
        ("output_dir checkpoint_output", "use --output FILE.params"),
        ("save_epochs", "use --save-every N"),
        ("max_num_epochs stop_eps", "use --steps N"),
        ("network", "use --from NETWORK"),
        (
            "optimizer coordinates momentum beta2 weight_decay clip_gradient lr_sched_delay lr_sched_factor keep_best "
            "average clamp pyramid pyramid_step pyramid_epochs pyramid_memory start edges fit tile report show",
            "it only applies to the optimisation of a single picture",
        ),
    )
    for name in names.split()
}


def train(own: Namespace, args: Namespace, given: Dict[str, Any]) -> Optional[int]:
    """Train a network, or go on training one."""
    from . import session, state

    if own.resume:
        _refuse_changes(own, given)
        settings, known, saved = state.resumed(own.resume, given)
        if given.get("model", known.model) != known.model:
            raise UsageError(f"--model cannot change when a training is resumed: it began with {known.model}")
        typed = {name: value for name, value in given.items() if name in BY_ATTRIBUTE and name != "resume"}
        return session.run(settings, argparse.Namespace(**{**vars(known), **typed}), saved)
    if args.style_weight == 0:
        raise UsageError("--style-weight 0: a network needs a style to learn")
    if "patches" in listed(args.style_term):
        raise UsageError(
            "--style-term patches is not for a training: the matches would have to be chosen for each photograph"
        )
    values = {**vars(own), "begin_with": getattr(own, "from") or "", "rate": args.lr if "lr" in given else 0.0}
    return session.run(state.Settings(**{name: values[name] for name in state.Settings._fields}), args)


def _refuse_changes(own, given):
    """Raise UsageError for flags beside --resume that would make it another training."""
    for name in given:
        flag = TRAIN.flag(name)
        if name in TRAIN.own and name != "resume":
            raise UsageError(
                f"--resume {own.resume}: a resumed training keeps its pictures and flags; leave {flag.name} out"
            )
        if name not in ("model", *attributes(SESSION)):
            raise UsageError(f"--{name.replace('_', '-')} cannot change when a training is resumed; leave it out")


def paint(own: Namespace, args: Namespace, given: Dict[str, Any]) -> Optional[int]:
    """Paint photographs with a network."""
    from . import painter

    if args.preserve_colors == "match":
        raise UsageError("--preserve-colors match applies to the style picture of a run; use luma")
    return painter.run(own, complete(args))


TRAIN = Command(
    "neural_style.end_to_end train",
    "Train a network that paints photographs in the style of a picture. Besides the flags below, those of neural-style "
    "that say what is minimised are accepted; --lr is the first learning rate, --size the longer edge of the pictures "
    "that it will paint.",
    train,
    OF_TRAINING,
    of_run={*BY_ATTRIBUTE, "recipe"} - NOT_OF_TRAINING.keys(),
    needs=("style", "output"),
    what="a training",
    same={"style": "style_image"},
    instead=NOT_OF_TRAINING,
    defaults=lambda given: {"precision": "auto", "fit": "scale", **DEFAULTS[given.get("generator", "fast")]},
)
PAINT = Command(
    "neural_style.end_to_end paint",
    "Paint photographs with a network.",
    paint,
    OF_PAINTING,
    of_run=(*SAVED.split(), "recipe"),
    groups=(("flags", "photos network strength output format list_networks recipe"), ("the painted pictures", SAVED)),
    first=("photos",),
    needs=("photos", "network", "output"),
    what="painting in one pass",
    instead={"style_image": "the network has its style; python -m neural_style paints in that of a picture"},
)
COMMANDS = Commands(
    "neural_style.end_to_end",
    "Train a network that paints in one pass, or paint with one.",
    {"train": TRAIN, "paint": PAINT},
    (LIST_NETWORKS,),
)
main = functools.partial(parse.run, COMMANDS)  # of a list of words; returns the exit code

if __name__ == "__main__":
    sys.exit(main())
