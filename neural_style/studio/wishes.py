"""From what the page asks for to the words of a command: pictures by their ids, flags by their names in the table."""

import shlex
from argparse import Namespace
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

from ..options.check import complete, refuse_what_has_no_effect
from ..options.flags import BY_ATTRIBUTE, NETWORK, NOISES, Flag, is_foreign, listed
from ..recipes import flag_words
from ..system.errors import UsageError
from .folder import ANIMATION, Folder
from .looks import may_be_set, networks, values_of

MOST_STYLES, MOST_VALUES, MOST_PICTURES, LONGEST = 8, 32, 1000, 100
SIZES = 64, 20000  # pixels of a longer edge
EVERY = 3  # epochs between two pictures on the way


class Wish(NamedTuple):
    """A command, without the place for its result."""

    module: str
    words: List[str]
    name: str  # of the result, without a number and an ending
    ending: str
    total: int  # epochs, pairs or frames; 0 where that shows later
    every: int = 0  # epochs between two pictures on the way

    def shown(self, output: str) -> str:
        """The command as one would type it in the studio's folder."""
        return " ".join(["python -m", self.module, *map(shlex.quote, self.words), "--output", shlex.quote(output)])

    def typed(self, output: str, checkpoints: str) -> List[str]:
        """The words that the job's process gets: they also say where the pictures on the way go.

        What was there is its own, from a process that was killed.
        """
        on_the_way = ["--checkpoint-output", checkpoints, "--save-epochs", str(self.every)] if self.every else []
        return [*self.words, "--output", output, *on_the_way, *["--overwrite"] * bool(self.ending)]


def wish(folder: Folder, kind: str, asked: Any) -> Wish:
    """The Wish for what the page sends; UsageError says in a line what cannot be."""
    if not isinstance(asked, dict) or kind not in KINDS:
        raise UsageError("the request is not understood")
    return KINDS[kind](folder, asked)


def _run(folder: Folder, asked: Dict[str, Any]) -> Wish:
    content = folder.item(asked.get("content"))
    flags, args, styles = _flags(folder, asked, {"content_image": content.path})
    parts = [Path(path).stem for path in (content.path, *styles[:1])]
    name = "-".join(parts if styles else [*parts, asked.get("recipe") or "painted"])
    words = [*map(_plain, [content.path, *styles]), *flags]
    return Wish("neural_style", words, name, ".png", args.max_num_epochs, EVERY)


def _network(folder: Folder, asked: Dict[str, Any]) -> Wish:
    content, network = folder.item(asked.get("content")), _known(asked)
    words = ["paint", _plain(content.path), "--network", network, "--size", str(_size(asked))]
    return Wish("neural_style.end_to_end", words, f"{Path(content.path).stem}-{network}", ".png", 1)


def _film(folder: Folder, asked: Dict[str, Any]) -> Wish:
    film = folder.item(asked.get("content"))
    if not film.is_film:
        raise UsageError(f"{film.path} is no film")
    if asked.get("network"):
        words, last = ["--network", _known(asked), "--size", str(_size(asked))], asked["network"]
    else:
        flags, _, styles = _flags(folder, {**asked, "mask": None, "regions": None}, {})
        words, last = ["--style", *map(_plain, styles), *flags], Path(styles[0]).stem if styles else ""
    ending = ANIMATION if film.path.endswith(ANIMATION) else Path(film.path).suffix
    name = f"{Path(film.path).name[: -len(ending)]}-{last}"
    return Wish("neural_style.film", [_plain(film.path), *words], name, ending, 0)


def _batch(folder: Folder, asked: Dict[str, Any]) -> Wish:
    ids = listed(asked.get("contents"))
    if not 1 <= len(ids) <= MOST_PICTURES:
        raise UsageError(f"choose photographs, up to {MOST_PICTURES}")
    contents = [folder.item(id).path for id in ids]
    shares = [{"id": row.get("id")} for row in listed(asked.get("styles")) if isinstance(row, dict)]
    flags, _, styles = _flags(folder, {**asked, "styles": shares, "mask": None, "regions": None}, {})
    if not styles:
        raise UsageError("choose a painting, or several")
    words = ["--content", *map(_plain, contents), "--style", *map(_plain, styles), *flags]
    return Wish("neural_style.batch", words, "batch", "", len(contents) * len(styles))


KINDS = {"run": _run, "network": _network, "film": _film, "batch": _batch}


def _flags(folder: Folder, asked: Dict[str, Any], given: Dict[str, Any]) -> Any:
    """The words of all flags but those of the content and the styles; all arguments; and the paths of the styles."""
    recipe = asked.get("recipe") or ""
    base, values = values_of(str(recipe)), checked_values(asked.get("values") or {}, folder)
    args, styles = Namespace(**{**base, **values}), []
    if args.style_weight > 0 or args.start == "style":
        styles = _styles(folder, asked.get("styles"), values)
    for name in filter(asked.get, ("mask", "regions")):
        values[name] = folder.item(asked[name]).path
    if asked.get("regions"):
        values["style_regions"] = [folder.item(id).path for id in listed(asked.get("style_regions"))]
    given = {**values, **given, **({"style_image": styles} if styles else {})}
    args = complete(Namespace(**{**base, **given}))
    refuse_what_has_no_effect(args, given)
    words = ["--recipe", recipe] if recipe else []
    for word in flag_words([(BY_ATTRIBUTE[name].name, value) for name, value in values.items()]):
        words += shlex.split(word)
    return words, args, styles


def _styles(folder: Folder, asked: Any, values: Dict[str, Any]) -> List[str]:
    """The paths of the styles; their shares, where they differ, are added to the values."""
    rows = [row for row in listed(asked) if isinstance(row, dict)]
    if not 1 <= len(rows) <= MOST_STYLES:
        raise UsageError(f"choose a painting, or up to {MOST_STYLES}")
    shares = [row.get("share", 1) for row in rows]
    if not all(type(share) in (int, float) for share in shares):
        raise UsageError("the share of a painting is a number")
    if len(set(shares)) > 1:
        values["style_blend_weights"] = [float(share) for share in shares]
    return [folder.item(row.get("id")).path for row in rows]


def checked_values(values: Any, folder: Folder) -> Dict[str, Any]:
    """The flags' values that the page sends, each one that the page may set and of its type."""
    if not isinstance(values, dict):
        raise UsageError("the request is not understood")
    found: Dict[str, Any] = {}
    for name, value in values.items():
        flag = BY_ATTRIBUTE.get(name)
        if flag is None or not may_be_set(flag):
            raise UsageError(f"{str(name)[:LONGEST]!r} cannot be set here")
        if name == "start":
            found[name] = _start(value, folder)
            continue
        several = listed(value) if flag.many else [value]
        if not 1 <= len(several) <= MOST_VALUES or not all(_is_plain(flag, one) for one in several):
            raise UsageError(f"{flag.name}: the value is not understood")
        if name == "model" and is_foreign(value):
            raise UsageError(f"{flag.name}: must be one of this package")
        found[name] = several if flag.many and len(several) > 1 else several[0]
    return found


def _is_plain(flag: Flag, value: Any) -> bool:
    if flag.type is str:
        return isinstance(value, str) and len(value) <= LONGEST and value.isprintable() and not value.startswith("-")
    return type(value) is bool if flag.type is bool else type(value) in (int, float)


def _start(value: Any, folder: Folder) -> str:
    """A word, one of our networks, {"picture": id}, or {"job": number}: where that job's predecessor had stopped."""
    if isinstance(value, dict) and type(value.get("job")) is int:
        return start_of(value["job"])
    if isinstance(value, dict):
        return folder.item(value.get("picture")).path
    if value not in (*NOISES, "content", "style", *(NETWORK + name for name in networks())):
        raise UsageError("--start: must be a noise, a picture or a network of the package")
    return value


def start_of(job: int) -> str:
    """The path of the raw image that a job begins with."""
    return f"runs/{job:04}/start.npy"


def _known(asked: Dict[str, Any]) -> str:
    name: Optional[str] = asked.get("network")
    if name not in networks():
        raise UsageError("there is no such network")
    return name


def _size(asked: Dict[str, Any]) -> int:
    size = asked.get("size", 1200)
    if type(size) is not int or not SIZES[0] <= size <= SIZES[1]:
        raise UsageError(f"the size is from {SIZES[0]} to {SIZES[1]} pixels")
    return size


def _plain(path: str) -> str:
    """A path that is not mistaken for a flag."""
    return f"./{path}" if path.startswith("-") else path
