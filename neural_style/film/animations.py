"""Animated GIF, WebP and PNG pictures read as films, by Pillow."""

import contextlib
import itertools
from fractions import Fraction

from ..pictures import read
from ..system.errors import UsageError
from .about import Film, Frame, demand_size

MILLISECOND = Fraction(1, 1000)
SHORTEST = 20  # milliseconds: viewers show anything shorter for a tenth of a second
UNSPECIFIED = 100  # ... and so they do where a file does not say how long


def open_animation(path: str) -> Film:
    """The Film of an animated picture. A GIF is one even if it has a single frame; other pictures must move."""
    with _opened(path) as picture:
        demand_size(path, *picture.size[::-1])
    count, is_whole = _count(path)
    with _opened(path) as picture:
        if count == 1 and picture.format != "GIF":
            raise UsageError(f"{path} is a still picture; python -m neural_style paints pictures")
        durations = [duration for duration, _ in _steps(picture, count)]
        end, missing = sum(durations), int(not is_whole)
        about = (MILLISECOND, end, Fraction(1000 * count, end), _frames, max(durations))
        return Film(path, picture.size[::-1], count, missing, *about, loops=_loops(picture))


@contextlib.contextmanager
def _opened(path):
    """A context with Pillow's picture; anything that goes wrong in it becomes one line."""
    with read.errors_of(path, path), read.opened(path, path) as file, read.recognised(file, path) as picture:
        yield picture


def _count(path):
    """The number of frames up to the end or the first damage, and whether it is the end."""
    with _opened(path) as picture:
        for number in itertools.count(1):
            try:
                picture.seek(number)
            except EOFError:
                return number, True
            except Exception:  # of any kind, on damaged files
                return number, False


def _loops(picture):
    """How often an animation is shown, 0 for ever. A GIF counts its repetitions, and without a count is shown once."""
    asked = picture.info.get("loop")
    if picture.format != "GIF":
        return asked or 0
    return 1 if asked is None else asked and asked + 1


def _steps(picture, count):
    """Go to each frame in turn, and yield its milliseconds and the exception where it cannot be decoded."""
    for number in range(count):
        duration, error = 0, None
        try:
            picture.seek(number)
            duration = int(picture.info.get("duration") or 0)
            picture.load()
            duration = int(picture.info.get("duration") or duration)  # of a WebP it is known only now
        except MemoryError:
            raise
        except Exception as damage:  # of any kind
            error = damage
        yield duration if duration >= SHORTEST else UNSPECIFIED, error


def _frames(film, lost):
    """The Frames of an animation, on white where it is transparent."""
    at = 0
    with _opened(film.path) as picture:
        for duration, error in _steps(picture, film.count):
            if error:
                lost.append(error)
            else:
                yield Frame(read.decoded(picture, film.path)[0], at)
            at += duration
