"""Pictures by files, folders and patterns, and names for what is made of them."""

import collections
import functools
import glob
import itertools
import os
import re
from typing import Dict, Iterable, Iterator, List

from PIL import Image

from ..system.errors import UsageError
from .read import PLUGINS, plug_in


def find_pictures(patterns: List[str], flag: str) -> List[str]:
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


class Taken:
    """The names of files that cannot be used again, upper and lower case being one."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = {name.casefold() for name in names}
        self._numbers: Dict[str, Iterator[int]] = collections.defaultdict(functools.partial(itertools.count, 1))

    def free(self, stem: str, ending: str) -> str:
        """STEM.ENDING, or STEM-2.ENDING, …: the first name that is free, which is taken from now on."""
        numbered = (f"{stem}-{number}" if number > 1 else stem for number in self._numbers[stem.casefold()])
        name = next(f"{one}.{ending}" for one in numbered if f"{one}.{ending}".casefold() not in self._names)
        self._names.add(name.casefold())
        return name
