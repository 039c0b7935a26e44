"""Check the arguments of a run, whether they come from a command line, a recipe, a saved run or Python."""

import argparse
import difflib
import logging
import math
import os
from argparse import Namespace
from typing import Any, Iterable, List, Mapping, Tuple

from ..objective.terms import STYLE_TERMS
from ..system.errors import UsageError
from . import optimizers
from .flags import (
    BY_ATTRIBUTE,
    ENDING,
    FILE,
    FLAGS,
    NETWORK,
    PICTURE,
    RUN,
    SESSION,
    STANDARD_INPUT,
    Flag,
    is_foreign,
    listed,
    paths,
)

log = logging.getLogger("neural_style")

LARGEST = 1e30  # float32 ends a little above

# Flags that have no effect next to others: (attributes, when, why).
OF_STYLE = "style_layers style_layer_weights style_term style_blend_weights fit style_scales regions style_regions"
WITHOUT_EFFECT = (
    *((row.flags, lambda args: args.style_weight == 0, "with --style-weight 0") for row in STYLE_TERMS.values()),
    (OF_STYLE, lambda args: args.style_weight == 0, "with --style-weight 0"),
    ("style_image", lambda args: args.style_weight == 0 and args.start != "style", "with --style-weight 0"),
    (
        "preserve_colors",
        lambda args: (args.style_weight, args.preserve_colors) == (0, "match"),
        "with --style-weight 0",
    ),
    ("content_layers content_norm", lambda args: args.content_weight == 0, "with --content-weight 0"),
    ("tv_loss", lambda args: args.tv_weight <= 0, "without --tv-weight"),
    ("style_scales", lambda args: args.fit not in ("scale", "edge"), "without --fit scale or edge"),
    ("style_blend_weights", lambda args: len(listed(args.style_image)) == 1, "with a single --style-image"),
    *(
        (row.flags, lambda args, name=name: name not in listed(args.style_term), f"without --style-term {name}")
        for name, row in STYLE_TERMS.items()
    ),
    ("style_regions", lambda args: not args.regions, "without --regions"),
    ("coordinates", lambda args: args.optimizer != "lbfgs", "without --optimizer lbfgs"),
    ("pyramid_epochs pyramid_step pyramid_memory", lambda args: not args.pyramid, "without --pyramid"),
    ("average", lambda args: args.keep_best, "with --keep-best"),
    ("max_long_edge", lambda args: args.width is not None, "with --width"),
    ("output_dir", lambda args: args.output and args.checkpoint_output, "with --output and --checkpoint-output"),
)
FORMER_NAMES = {"max_size": "max_long_edge"}  # in notebooks older than the reference
ONE_PER_STYLE = ("style_blend_weights", "style_scales", "style_regions")  # as many values as style images


def refuse_what_has_no_effect(args: Namespace, given: Mapping[str, Any]) -> None:
    """Raise UsageError for a flag on the command line that has no effect; a recipe may contain such flags."""
    reasons = [(name, why) for names, when, why in WITHOUT_EFFECT if when(args) for name in names.split()]
    if args.optimizer in optimizers.OPTIMIZERS:
        reasons += optimizers.without_effect(args).items()
    for name, why in reasons:
        if name in given:
            source = " in this recipe" if "recipe" in given else ""
            raise UsageError(f"{BY_ATTRIBUTE[name].name} has no effect {why}{source}; leave it out")


def refuse_foreign(where: str, flag: Flag, value: Any, given: Iterable[str] = ()) -> None:
    """Refuse a saved value that names weights, a network or a model, code that is, from outside this package.

    It is taken where the command line has it as well; given are the names of what that has.
    """
    if flag.attribute not in given and _is_somebodys(flag, value):
        raise UsageError(
            f"{where}: {flag.name} {value} is not part of this package; if you trust it, repeat it on the command line"
        )


def _is_somebodys(flag: Flag, value: Any) -> bool:
    if flag.attribute == "start":
        return value.startswith(NETWORK) and not value[len(NETWORK) :].isidentifier()
    if flag.attribute == "network":
        return not value.isidentifier()
    return flag.path == FILE or flag.attribute == "model" and is_foreign(value)


def complete(args: Any) -> Namespace:
    """A checked copy of args, in which missing attributes, as in code older than a flag, have their defaults."""
    for name in (name for name in getattr(args, "__dict__", ()) if name not in BY_ATTRIBUTE and name[0] != "_"):
        near = [FORMER_NAMES[name]] if name in FORMER_NAMES else difflib.get_close_matches(name, BY_ATTRIBUTE, 1)
        log.warning(
            "args.%s is not an option and has no effect%s", name, f"; did you mean args.{near[0]}?" if near else ""
        )
    values = {name: checked(flag, getattr(args, name, flag.default)) for name, flag in BY_ATTRIBUTE.items()}
    for flag in map(BY_ATTRIBUTE.__getitem__, ONE_PER_STYLE):
        count, styles = len(listed(values[flag.attribute])), len(listed(values["style_image"]))
        if count not in (0, styles):
            raise UsageError(
                f"{flag.name} has {count} values for {styles} in --style-image; there must be one for each"
            )
    if values["style_blend_weights"] is not None and not sum(listed(values["style_blend_weights"])):
        raise UsageError("--style-blend-weights are all 0; at least one must be greater than 0")
    values["report"] = values["report"] or values["show"]
    args = argparse.Namespace(**values)
    if args.regions and not args.style_regions:
        raise UsageError(f"--regions {args.regions}: --style-regions must say which part of the style each takes")
    if paths(args, PICTURE).count(STANDARD_INPUT) > 1:
        flags = [flag.name for flag in FLAGS if flag.path == PICTURE]
        raise UsageError(
            f"only one of {', '.join(flags[:-1])} and {flags[-1]} can be standard input (-); save the others to files"
        )
    return args


def refuse_changes(args: Namespace, first: Mapping[str, Any]) -> None:
    """Raise UsageError if the arguments would make the run a different one from what it was first."""
    for flag in FLAGS:
        before, now = first.get(flag.attribute, flag.default), getattr(args, flag.attribute)
        if flag.scope not in (ENDING, RUN, SESSION) and now != before:
            raise UsageError(
                f"{flag.name} cannot change when a run is resumed: the run began with {before}, not with {now}"
            )


def changed(args: Namespace, but: Iterable[str] = (SESSION,)) -> List[Tuple[str, Any]]:
    """[(flag, value or values)] of the arguments that differ from their defaults, without those of some scopes."""
    values = ((flag, getattr(args, flag.attribute)) for flag in FLAGS)
    return [(flag.name, value) for flag, value in values if value != flag.default and flag.scope not in but]


def checked(flag: Flag, value: Any) -> Any:
    """The value, or the list of values, converted to the flag's type; UsageError if the flag cannot take it."""
    if flag.many and isinstance(value, (list, tuple)):
        return [checked(flag, one) for one in value]
    if value is None and flag.default is None or flag.type is bool:
        return value if value is None else bool(value)
    asked = f"{flag.name} {value}"
    if flag.type is str:
        if value is None or value == "":
            raise UsageError(f"{flag.name} must be given a value")
        value = str(value) if isinstance(value, int) else os.fsdecode(value)
    else:
        try:
            value = flag.type(value)
        except (TypeError, ValueError):
            raise UsageError(f"{asked}: must be a {'whole number' if flag.type is int else 'number'}") from None
        except OverflowError:
            value = math.inf
        if flag.type is float and not math.isfinite(value):
            raise UsageError(f"{asked}: must be a finite number")
    if flag.choices and value not in flag.choices:
        raise UsageError(f"{asked}: must be one of {', '.join(flag.choices)}")
    if flag.check and not flag.check.holds(value):
        raise UsageError(f"{asked}: must be {flag.check.says}")
    if flag.type is not str and abs(value) >= LARGEST:
        raise UsageError(f"{asked}: must be less than {LARGEST:g}")
    return value
