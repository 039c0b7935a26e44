"""Paint a film frame by frame."""

import os
import time
from types import ModuleType
from typing import Callable, List, Optional, Tuple

import numpy as np
from PIL import Image

from ..pictures.read import MAX_PIXELS
from ..run.progress import Progress, duration
from ..system.errors import UsageError, say
from ..system.types import Size
from .about import Film
from .kept import Kept
from .read import containers

PAUSE = 10  # seconds between two lines about the progress
ANIMATIONS, FILMS = (".gif", ".webp"), (".mp4", ".m4v", ".mov", ".mkv", ".webm")


def writer(path: str) -> ModuleType:
    """The module that writes a film to path, by its ending."""
    ending = os.path.splitext(path)[1].lower()
    if ending in ANIMATIONS:
        from . import animate

        return animate
    if ending not in FILMS:
        raise UsageError(f"--output {path}: films are written as {', '.join(FILMS)}, {' and '.join(ANIMATIONS)}")
    containers()
    from . import encode

    return encode


def scaled_size(film: Film, path: str, long_edge: Optional[int] = None, width: Optional[int] = None) -> Size:
    """The (H, W) to paint a film at: its own, or with this longer edge or width.

    A size chosen here has even sides for FILMS, because only those play everywhere.
    """
    height, own_width = film.size
    if not (long_edge or width):
        return film.size
    factor = width / own_width if width else (long_edge or 0) / max(film.size)
    size: Size = int(height * factor), int(own_width * factor)
    if os.path.splitext(path)[1].lower() in FILMS:
        size = tuple(side // 2 * 2 for side in size)
    if not 0 < size[0] * size[1] <= MAX_PIXELS:
        flag = f"--width {width}" if width else f"--size {long_edge}"
        raise UsageError(
            f"{flag}: the frames of {film.path}, {own_width}x{height}, would have {size[1]}x{size[0]} pixels"
        )
    return size


def paint(film: Film, painter: Callable, kept: Kept, done: int, quiet: bool = False) -> Tuple[List[int], list]:
    """Paint all frames but the first `done`; returns when each frame appears, and what was damaged."""
    times: List[int] = []
    lost: list = []
    before = None
    with Progress(film.count, "frame", bar=not quiet) as progress:
        start = said = time.monotonic()
        for number, frame in enumerate(film.frames(lost), 1):
            times.append(frame.at)
            if number <= done:
                progress.skip()
            if number < done:
                continue
            pixels = _scaled(frame.pixels, film.size)
            if number > done:
                painter(number, pixels, before)
                kept.raw(number - 1).unlink(missing_ok=True)  # which only this frame needed
                progress.step(time.monotonic() - start)
                if progress.bar is None and not quiet and (time.monotonic() - said >= PAUSE or number == done + 1):
                    said = time.monotonic()
                    say(f"frame {number} of {film.count}, about {duration(max(0, progress.left()))} left")
            before = pixels
    return times, lost


def _scaled(pixels, size):
    """The (H, W, 3) pixels at this size."""
    if pixels.shape[:2] == tuple(size):
        return pixels
    return np.asarray(Image.fromarray(pixels).resize(size[::-1], Image.Resampling.LANCZOS))
