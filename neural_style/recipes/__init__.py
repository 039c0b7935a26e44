"""Recipes are plain files of flags, one for each system; a flag on the command line overrides its recipe's.

To add one, add a file NAME.args to this folder. Its first line is a comment that says what it is.
"""

import logging
import os
import re
import shlex
from argparse import Namespace
from pathlib import Path
from typing import Any, Iterable, List, Tuple
from urllib.parse import quote, unquote_to_bytes

from ..options.check import changed
from ..options.flags import FILE, PICTURE, RUN, SESSION, with_paths
from ..system import machine
from ..system.errors import UsageError
from ..system.files import write
from ..system.types import PathLike

log = logging.getLogger("neural_style")

FOLDER = Path(__file__).parent
FORMER = {"reference-2015": "reference-2016"}  # names that recipes have had
LARGEST = 200_000  # bytes of a file of flags
URI = "file:"


def names() -> List[str]:
    """The recipes that come with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.args"))


def read(name: str) -> Tuple[str, bool]:
    """(text, whether it was embedded in a picture) of a recipe: one of names(), a file of flags, or a picture.

    The content decides what a file is: pictures come from anywhere, and are trusted less than text files.
    """
    name = FORMER.get(name, name)
    if name in names():
        return (FOLDER / f"{name}.args").read_text(encoding="utf-8"), False
    from PIL import Image, UnidentifiedImageError

    from ..pictures.read import errors_of, opened, recognised
    from ..pictures.write import LONGEST, recipe_in

    if not os.path.exists(name):
        raise UsageError(
            f"--recipe {name}: No such file; the recipes are {', '.join(names())}, or name a file of flags"
        )
    with errors_of(name, name), opened(name, name) as file:
        try:
            content, embedded, most = recipe_in(recognised(file, name)), True, LONGEST
        except UnidentifiedImageError:
            if Path(name).suffix.lower() in Image.registered_extensions():
                raise
            file.seek(0)
            content, embedded, most = file.read(LARGEST + 1), False, LARGEST
    if content is None:
        raise UsageError(
            f"--recipe {name}: there is no recipe in this picture; either it was not made by this "
            "program, or another program has changed it since"
        )
    if len(content) > most:
        raise UsageError(f"--recipe {name}: it has more than {most} bytes; no recipe is that long")
    try:
        return content.decode("utf-8"), embedded
    except UnicodeDecodeError:
        raise UsageError(f"--recipe {name}: it is not a text file; name a file of flags") from None


def text(name: str) -> str:
    """The text of a recipe."""
    return read(name)[0]


def words(name: str) -> Tuple[List[str], bool]:
    """(command-line words, whether they were embedded in a picture) of a recipe."""
    text, embedded = read(name)
    made_with = re.match(r"#.*?, ((\d{1,4}) threads?)\b", text) if embedded else None
    if made_with and made_with[1] != of_threads():
        log.warning(
            "--recipe %s: that picture was made with %s, and this run uses %s, so its pixels can differ a little; with "
            "OMP_NUM_THREADS=%s they are the same",
            *(name, made_with[1], of_threads(), made_with[2]),
        )
    try:
        return [_from_utf8(word) for word in shlex.split(text, comments=True)], embedded
    except ValueError as error:
        raise UsageError(f"--recipe {name}: {error}") from None


def of_threads() -> str:
    """The number of threads that a run computes with, in words."""
    return f"{machine.threads()} thread{'s' * (machine.threads() > 1)}"


def listing() -> str:
    """All recipes, each with the first line of its file."""
    return "\n".join(f"{name:16}{text(name).splitlines()[0].lstrip('# ')}" for name in names())


def flag_words(flags: Iterable[Tuple[str, Any]]) -> List[str]:
    """One string for each of the flags, [(flag, value or values)], as it would be typed."""
    words = []
    for flag, value in flags:
        if isinstance(value, (list, tuple)):
            words.append(" ".join([flag] + [shlex.quote(str(one)) for one in value]))
        else:  # with =, because a word such as -1e-05 would be mistaken for a flag
            words.append(flag if value is True else f"{flag}={shlex.quote(str(value))}")
    return words


def written(flags: Iterable[Tuple[str, Any]], title: str) -> str:
    """The text of a recipe made of these flags, below a comment line with the title."""
    flags = [
        (flag, list(map(_in_utf8, value)) if isinstance(value, (list, tuple)) else _in_utf8(value))
        for flag, value in flags
    ]
    return "\n".join(["# " + title] + flag_words(flags)) + "\n"


def _in_utf8(value):
    """A value as a recipe has it: the name of a file that is not UTF-8 becomes a URI, file:caf%E9.jpg."""
    if isinstance(value, str) and (value.startswith(URI) or value != value.encode("utf-8", "replace").decode()):
        return URI + quote(os.fsencode(value))
    return value


def _from_utf8(word):
    """The way back, for a word of a recipe, which may be --flag=value."""
    found = re.match(f"(--[a-z_-]+=)?{URI}", word)
    return word if not found else (found[1] or "") + os.fsdecode(unquote_to_bytes(word[found.end() :]))


def of_picture(args: Namespace, notes: Iterable[str] = (), more: Iterable[Tuple[str, Any]] = ()) -> str:
    """The text of the recipe of a picture that was painted with args, and more flags, [(flag, value)], before them."""
    values = vars(args)
    for kind in (PICTURE, FILE):
        values = with_paths(values, kind, near)
    made_with = [f"{name} {version}" for name, version in machine.versions().items() if version]
    flags = [*more, *changed(Namespace(**values), but=(RUN, SESSION))]
    return written(flags, ", ".join([*made_with, of_threads(), *notes]))


def near(path: str) -> str:
    """The path relative to the working directory, if it is inside: pictures that are passed on need not tell more."""
    here = os.getcwd() + os.sep
    return path[len(here) :] if path.startswith(here) else path


def save(path: PathLike, flags: Iterable[Tuple[str, Any]]) -> None:
    """Write these flags to a recipe file."""
    title = f"Flags of a run; to use them: --recipe {path}".encode("utf-8", "replace").decode()
    write(path, written(flags, title).encode("utf-8"))
