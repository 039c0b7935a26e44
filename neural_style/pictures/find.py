"""Pictures by files, folders and patterns."""

import functools
import glob
import os
import re
from typing import List

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
