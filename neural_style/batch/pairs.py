"""Which pictures a batch is of, and what its results are called."""
import glob
import os
import re
from collections import namedtuple
from pathlib import Path

from ..system.errors import UsageError

# content, style: absolute paths; output: the name of the result in the folder.
Pair = namedtuple("Pair", ["content", "style", "output"])


def find_pictures(patterns, flag):
    """The files that patterns stand for, frame2 before frame10: a file, a folder's pictures, or a pattern's."""
    found = []
    for pattern in patterns:
        if os.path.isfile(pattern):
            paths = [pattern]
        elif os.path.isdir(pattern):
            paths = [path for path in glob.glob(os.path.join(glob.escape(pattern), "*")) if _is_picture(path)]
        else:
            paths = [path for path in glob.glob(pattern, recursive=True) if _is_picture(path)]
        if not paths:
            raise UsageError(f"{flag} {pattern}: there is no such picture" if not os.path.isdir(pattern) else
                             f"{flag} {pattern}: there is no picture in this folder")
        found += sorted(map(os.path.abspath, paths), key=natural)
    return found


def natural(path):
    """A key that sorts numbers in names by their value."""
    return [int(part) if i % 2 else part.lower() for i, part in enumerate(re.split(r"(\d+)", str(path)))]


def _is_picture(path):
    from PIL import Image
    from ..pictures.read import PLUGINS, plug_in
    for kind in PLUGINS:
        plug_in(kind)
    readable = {ending for ending, name in Image.registered_extensions().items() if name in Image.OPEN}
    return os.path.isfile(path) and os.path.splitext(path)[1].lower() in readable


def name_outputs(sides, folder, ending, known):
    """A Pair for each (content, style), its output CONTENT-STYLE.ending unlike any other's.

    known are batch.json's entries, so that a pair keeps the name it had.
    """
    names = {(entry["content"], entry["style"]): entry["output"] for entry in known}
    taken = {name.casefold() for name in names.values()}
    inputs = {Path(path) for side in sides for path in side}
    taken |= {path.name.casefold() for path in inputs if path.parent == Path(folder)}
    pairs = []
    for content, style in sides:
        stem = "-".join(Path(path).stem for path in (content, style)).replace("%", "_")
        name, number = names.get((content, style)), 1
        if name is None or Path(name).suffix != f".{ending}":
            name = f"{stem}.{ending}"
            while name.casefold() in taken:
                number += 1
                name = f"{stem}-{number}.{ending}"
        taken.add(name.casefold())
        pairs.append(Pair(content, style, name))
    return pairs


def demand_one_size(frames):
    from ..pictures.read import size_of
    sizes = {path: size for path, size in ((path, size_of(path)) for path in frames) if size}
    first = next(iter(sizes.items()), None)
    for path, size in sizes.items():
        if size != first[1]:
            raise UsageError(f"--sequence: {path} is {size[0]}x{size[1]} and {first[0]} {first[1][0]}x{first[1][1]}; "
                             "all frames must have one size")
