"""What can be chosen on the page, made from the table of flags and the recipes."""

import functools
from pathlib import Path
from typing import Any, Dict, List

from .. import recipes
from ..options import parse
from ..options.check import complete
from ..options.flags import BY_ATTRIBUTE, ENDING, GROUPS, LOOK, NETWORK, NOISES, Flag
from ..system.errors import UsageError

FIRST = ("fast", "best")  # looks before all others; the very first is chosen where nothing else is
TITLES = {
    "fastai": "fast.ai",
    "gluon-tv": "Gluon, smooth",
    "reference": "Classic",
    "reference-2016": "Classic, 2016",
    "mrf": "Patches",
    "mrf-synthesis": "Texture of patches",
    "content-only": "Photograph only",
    "style-only": "Painting only",
}  # of looks whose names say little
STYLES = Path(__file__).parents[1] / "end_to_end" / "styles"  # networks, which are named without loading them
TILES = Path(__file__).parent / "tiles"


def may_be_set(flag: Flag) -> bool:
    """Whether the page may set a flag: how a picture looks and how long it takes, but no file and nobody's code."""
    return flag.scope in (LOOK, ENDING) and (flag.path is None or flag.attribute == "start")


def networks() -> List[str]:
    """The networks that come with the package."""
    return sorted(path.stem for path in STYLES.glob("*.params"))


@functools.lru_cache(None)
def values_of(recipe: str) -> Dict[str, Any]:
    """The values of all flags in a recipe of the package; those of "" are the defaults."""
    if recipe not in ("", *recipes.names()):
        raise UsageError(f"there is no look {recipe[:100]!r}")
    return vars(complete(parse.get_args(["--recipe", recipe] if recipe else [])))


@functools.lru_cache(None)
def table() -> Dict[str, Any]:
    """Everything that the page builds its controls from."""
    looks = [
        {
            "name": name,
            "title": TITLES.get(name, name.capitalize().replace("-", " ")),
            "says": recipes.text(name).splitlines()[0].lstrip("# "),
            "tile": (TILES / f"{name}.jpg").is_file(),
            "values": {key: value for key, value in values_of(name).items() if may_be_set(BY_ATTRIBUTE[key])},
        }
        for name in recipes.names()
    ]
    groups = [
        {"title": title, "flags": [_described(BY_ATTRIBUTE[name]) for name in names.split() if _is_shown(name)]}
        for title, names in GROUPS
    ]
    return {
        "looks": sorted(looks, key=lambda look: _rank(look["name"], look["values"])),
        "groups": [group for group in groups if group["flags"]],
        "networks": networks(),
        "default": FIRST[0],
    }


def _rank(name: str, values: Dict[str, Any]) -> int:
    """Where a look stands; at the end, if it shows only the photograph or only the painting."""
    if name in FIRST:
        return FIRST.index(name)
    return len(FIRST) + (not values["content_weight"] or not values["style_weight"])


def _is_shown(name: str) -> bool:
    return may_be_set(BY_ATTRIBUTE[name]) and name != "style_blend_weights"  # the styles have their shares beside them


def _described(flag: Flag) -> Dict[str, Any]:
    kinds: Dict[Any, str] = {bool: "bool", int: "int", float: "float"}
    choices = ("vgg19", "vgg16") if flag.attribute == "model" else flag.choices
    if flag.attribute == "start":
        choices = (*NOISES, "content", "style", *(NETWORK + name for name in networks()))
    return {
        "name": flag.attribute,
        "flag": flag.name,
        "type": kinds.get(flag.type, "str"),
        "many": flag.many,
        "default": flag.default,
        "choices": choices,
        "help": flag.help,
        "check": flag.check.says if flag.check else None,
    }
