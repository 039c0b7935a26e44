"""How a frame is painted so that it is consistent with the previous one: by a network, or by a run in a style.

A painter is a function of a frame's number, its (H, W, 3) pixels and those of the previous frame (None for the first);
it stores the painted frame in the Kept frames.
"""

import contextlib
import os
from argparse import Namespace
from typing import Callable, Iterator

import numpy as np
from PIL import Image

from ..batch.children import Children, Task
from ..batch.frames import run_of
from ..batch.workers import threads_for
from ..pictures import colors, images, motion
from ..saved import records
from ..system.errors import NeuralStyleError, say
from ..system.files import writing
from .kept import Kept

# How much of a frame is the previous one, moved along the optical flow wherever that can be trusted. With 0.6 there is
# a fifth less flicker, but texture that differs from frame to frame averages out to grey.
SHARE = 0.5


def by_network(paint: Callable, kept: Kept, keep_luma: bool = False) -> Callable:
    """A painter with a function from a frame to the painted frame, both (1, 3, H, W) float32 as networks see them."""

    def painter(number, pixels, before):
        now = as_seen(pixels)
        result = np.asarray(paint(now), np.float32)
        if result.shape != now.shape or not np.isfinite(result).all():
            raise NeuralStyleError(
                f"frame {number}: the network did not give a picture of {now.shape[3]}x{now.shape[2]}"
            )
        if before is not None:
            move = motion.between(as_seen(before), now)
            if not move.is_cut:
                result = move.blended(records.array(kept.raw(number - 1)), result, SHARE)
        shown = colors.with_colors_of(result, now) if keep_luma else result
        kept.keep(number, result, images.PostprocessImage(shown))

    return painter


def as_seen(pixels: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 pixels as a network sees them."""
    return images.to_network(pixels, pixels.shape[:2]).astype(np.float32)


@contextlib.contextmanager
def in_style(args: Namespace, first_epochs: int, kept: Kept) -> Iterator[Callable]:
    """A painter by runs with these arguments, each in its own process; what begins a scene gets first_epochs."""
    folder, threads = kept.folder, threads_for(1)
    now, then, painted = (str(folder / f"{name}.png") for name in ("content", "before", "painting"))
    fresh = {"start": args.start, "max_num_epochs": first_epochs}
    fixed = run_of(args, first_epochs, painted, content_image=now)
    with Children() as children:

        def painter(number, pixels, before):
            _save(pixels, now)
            if before is not None:
                _save(before, then)
            start = args.start if before is None else str(kept.raw(number - 1))
            task = Task(dict(fixed, start=start), str(kept.raw(number)), None if before is None else then, fresh)
            outcome = children.paint(task, threads)
            if outcome.said:
                say(outcome.said.rstrip())
            if outcome.error:
                raise NeuralStyleError(f"frame {number}: {outcome.error}")
            os.replace(painted, kept.picture(number))

        yield painter


def _save(pixels, path):
    with writing(path):
        Image.fromarray(pixels).save(path, compress_level=1)
