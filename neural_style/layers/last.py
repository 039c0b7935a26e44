"""Features with channels last, for compiled loops and products of matrices; in as many threads as MXNet has."""

import functools
import importlib.util
import itertools
import logging
import math
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, List, Optional, Tuple

import numpy as np

from ..find_mxnet import mx
from ..system import machine
from ..system.types import NDArray

log = logging.getLogger("neural_style")

PARTS = 8  # of the rows that a sum goes over, whatever the number of threads


@functools.lru_cache(None)
def compiled() -> Any:
    """The module of compiled loops; None if Numba is missing or does not load."""
    if not all(map(_is_installed, ("numba", "threadpoolctl"))):
        return None
    try:
        from numba.core import event

        class Announcement(event.Listener):
            """Logs once that loops are being compiled; the result is kept on disk."""

            def on_start(self, event):
                if not self.made:
                    log.info("compiling for this processor: about ten seconds, only once")
                self.made = True

            def on_end(self, event):
                pass

            made = False

        with event.install_listener("numba:compile", Announcement()):
            from . import compiled
    except Exception as error:  # of whatever kind: it is not this package's
        log.warning("Numba does not load, and fast32 is slower without it: %s", str(error).strip().split("\n")[0])
        return None
    return compiled


def _is_installed(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ValueError:  # somebody has put nothing in its place
        return False


class Last:
    """Features of shape (1, C, H, W) in float32, whose values lie as (H, W, C); owner keeps their place in memory."""

    dtype = np.dtype("float32")

    def __init__(self, owner: Any, values: Optional[np.ndarray] = None) -> None:
        _, channels, height, width = owner.shape
        self._owner = owner
        self.values = owner.memory[: owner.size].reshape(height, width, channels) if values is None else values

    @property
    def shape(self) -> Tuple[int, ...]:
        height, width, channels = self.values.shape
        return 1, channels, height, width

    def asnumpy(self) -> np.ndarray:
        """As (1, C, H, W)."""
        planes = np.empty(self.shape[1:], np.float32)
        in_threads(lambda first, last: compiled().to_planes(self.values, planes, first, last), len(self.values))
        return planes[None]

    def slice_axis(self, axis: int, first: int, last: int) -> "Last":
        """Some rows, as MXNet slices them."""
        return Last(self._owner, self.values[first:last])


def empty_last(shape: Tuple[int, ...], empty: Callable) -> Last:
    return Last(empty(shape, "float32"))


def to_last(array: NDArray, empty: Callable) -> Last:
    """An NDArray, or what is so already, with channels last."""
    if isinstance(array, Last):
        return array
    result, planes = empty_last(array.shape, empty), array.asnumpy()[0]
    in_threads(lambda first, last: compiled().from_planes(planes, result.values, first, last), len(result.values))
    return result


def to_first(features: NDArray, empty: Callable) -> NDArray:
    """The way back."""
    if not isinstance(features, Last):
        return features
    result = empty(features.shape, "float32")
    planes = result.memory[: result.size].reshape(features.shape[1:])
    in_threads(lambda first, last: compiled().to_planes(features.values, planes, first, last), len(features.values))
    return result


@functools.lru_cache(None)
def _threads():
    """The threads, and what keeps products of matrices in each of them to one."""
    from threadpoolctl import ThreadpoolController

    count = machine.threads()
    return count, ThreadPoolExecutor(count), ThreadpoolController()


def in_threads(function: Callable, count: int, parts: Optional[int] = None) -> None:
    """function(first, last) for all of count rows, in parts; the number of threads does not change the numbers."""
    threads, pool, libraries = _threads()
    parts = min(count, parts or threads)
    edges = [count * part // parts for part in range(parts + 1)]
    mx.nd.waitall()
    with libraries.limit(limits=1, user_api="blas"):
        for done in [pool.submit(function, first, last) for first, last in zip(edges, edges[1:])]:
            done.result()


def over_rows(loop: Callable, *features: Last, rows: Tuple[int, ...] = ()) -> None:
    """loop(values, …) for parts of the rows of several features; those that have more rows take several for one."""
    times = rows or [1] * len(features)

    def part(first, last):
        loop(*(one.values[first * count : last * count] for one, count in zip(features, times)))

    in_threads(part, len(features[0].values))


def sum_of_parts(function: Callable, count: int) -> np.ndarray:
    """The sum of function(first, last) over parts of count rows; in threads if each can have its own matrix product."""
    if not _is_installed("threadpoolctl"):
        return function(0, count)
    found = {}

    def one(first, last):
        found[first] = function(first, last)

    in_threads(one, count, PARTS)
    return sum(found[first] for first in sorted(found))


_own = threading.local()


def scratch(*shapes: Tuple[int, ...]) -> List[np.ndarray]:
    """An array for each shape in memory that a thread has for itself, until it asks again."""
    sizes = [math.prod(shape) for shape in shapes]
    if getattr(_own, "memory", np.empty(0)).size < sum(sizes):
        _own.memory = np.empty(sum(sizes), np.float32)
    ends = list(itertools.accumulate(sizes))
    return [_own.memory[end - size : end].reshape(shape) for end, size, shape in zip(ends, sizes, shapes)]


def product(features: Last, matrix: np.ndarray, empty: Callable) -> Last:
    """Each position's values times a matrix (C, K)."""
    _, channels, height, width = features.shape
    result = empty_last((1, matrix.shape[1], height, width), empty)
    over_rows(lambda values, out: np.matmul(values, matrix, out=out), features, result)
    return result
