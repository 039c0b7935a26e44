"""The pairs of a batch, and the names of their results."""

import functools
import glob
import itertools
import os
import re
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from ..pictures.read import PLUGINS, plug_in, size_of
from ..system.errors import UsageError


class Pair(NamedTuple):
    """A content in a style."""

    content: str  # absolute paths
    style: str
    output: str  # the name of the result in the batch's folder


def find_pictures(patterns, flag):
    """The pictures that patterns stand for, each a file, a folder or a glob pattern; frame2 comes before frame10."""
    found = []
    for pattern in patterns:
        if os.path.isfile(pattern):
            paths = [pattern]
        else:
            folder = os.path.isdir(pattern)
            names = os.path.join(glob.escape(pattern), "*") if folder else pattern
            paths = [path for path in glob.glob(names, recursive=True) if _is_picture(path)]
            if not paths:
                raise UsageError(
                    f"{flag} {pattern}: there is no {'picture in this folder' if folder else 'such picture'}"
                )
        found += sorted(map(os.path.abspath, paths), key=_natural)
    return found


def _natural(path):
    """A key that sorts numbers in names by their value."""
    return [int(part) if i % 2 else part.lower() for i, part in enumerate(re.split(r"(\d+)", path))]


def _is_picture(path):
    return os.path.splitext(path)[1].lower() in _endings() and os.path.isfile(path)


@functools.lru_cache(None)
def _endings():
    """The endings of the pictures that can be read."""
    for kind in PLUGINS:
        plug_in(kind)
    return {ending for ending, form in Image.registered_extensions().items() if form in Image.OPEN}


def name_outputs(sides, folder, ending, known):
    """A Pair for each (content, style), with a unique output CONTENT-STYLE.ending.

    known are the entries of batch.json: a pair keeps the name that it had.
    """
    names = {(entry.content, entry.style): entry.output for entry in known}
    taken = {name.casefold() for name in names.values()}
    inputs = {Path(path) for side in sides for path in side}
    taken |= {path.name.casefold() for path in inputs if path.parent == Path(folder)}
    pairs, numbers = [], {}
    for content, style in sides:
        stem = re.sub(r"[%\\]", "_", "-".join(Path(path).stem for path in (content, style)))
        name = names.get((content, style), "")
        if not re.fullmatch(rf"{re.escape(stem)}(-\d+)?\.{re.escape(ending)}", name):  # batch.json may come from anyone
            candidates = (
                f"{stem}{'' if number == 1 else f'-{number}'}.{ending}"
                for number in numbers.setdefault(stem.casefold(), itertools.count(1))
            )
            name = next(name for name in candidates if name.casefold() not in taken)
        taken.add(name.casefold())
        pairs.append(Pair(content, style, name))
    return pairs


def demand_one_size(frames):
    """Raise UsageError if the frames of a sequence differ in size."""
    sizes = ((path, size_of(path)) for path in frames)
    sizes = {path: f"{size[0]}x{size[1]}" for path, size in sizes if size}
    first = next(iter(sizes), None)
    for path, size in sizes.items():
        if size != sizes[first]:
            raise UsageError(f"--sequence: {path} is {size} and {first} {sizes[first]}; all frames must have one size")
