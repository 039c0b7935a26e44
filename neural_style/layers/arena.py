"""One block of memory for the temporary arrays of a pass: malloc would leave gaps between such large ones."""

import contextlib
import ctypes
import math
import mmap
import sys
import weakref
from typing import Any, Callable, Dict, List, Tuple

import numpy as np

from ..find_mxnet import mx
from ..system.types import NDArray
from .last import Last
from .operators import cast

FLAGS = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | (0x4000 if sys.platform == "linux" else 0)  # MAP_NORESERVE
ALIGNMENT = 4096
TYPES = {"float32": ("float32", 2), "bfloat16": ("uint16", 4)}  # in NumPy, or what has its size; in DLPack
SENTINELS = (np.linspace(1e30, 1e31, 10, dtype="float32").view("uint32") & 0xFFFF0000).view("float32")
# values that no features have, and bfloat16 has


class ArenaArray(mx.nd.NDArray):
    """An NDArray and its memory, a NumPy array that oneDNN may have filled in an order of its own.

    The memory has to stay as long as MXNet works with it. A view of an ArenaArray does not keep its place taken.
    """

    __slots__ = ["memory", "__weakref__"]

    def has_channels_last(self) -> bool:
        """Whether the order is that of (1, H, W, C): some values, changed in memory, show where they are."""
        _, channels, height, width = self.shape
        mx.nd.waitall()  # for those who read it, too
        places = np.linspace(0, self.memory.size - 1, 10, dtype=int)
        values = self.memory[places]
        self.memory[places] = SENTINELS if self.memory.dtype == np.float32 else SENTINELS.view(np.uint16)[1::2]
        rows, columns, layers = np.unravel_index(places, (height, width, channels))
        last = np.array_equal(cast(self, "float32").asnumpy()[0, layers, rows, columns], SENTINELS)
        self.memory[places] = values
        return last


class Rows:
    """One producer's features as rows of positions, channels last, without a copy where oneDNN has left them so."""

    def __init__(self) -> None:
        self._has: Dict[Any, bool] = {}  # by shape

    def __call__(self, features: NDArray, first: int, last: int, empty: Callable) -> Tuple[Any, np.ndarray]:
        """What keeps the memory, and rows first to last, (H, W, C), as an array: float32, or bfloat16's bits."""
        _, channels, _, width = features.shape
        if isinstance(features, Last):
            return features, features.values[first:last]
        if self._has_channels_last(features):
            rows, start = features, first
        else:
            rows, start = empty((1, last - first, width, channels), "float32"), 0
            mx.nd.transpose(cast(features, "float32", empty).slice_axis(2, first, last), axes=(0, 2, 3, 1), out=rows)
        rows.wait_to_read()
        return rows, rows.memory.reshape(-1, width, channels)[start : start + last - first]

    def _has_channels_last(self, features):
        if not isinstance(features, ArenaArray):
            return False
        if features.shape not in self._has:
            self._has[features.shape] = features.has_channels_last()
        return self._has[features.shape]


def in_float32(values: np.ndarray) -> np.ndarray:
    """A NumPy array of float32, or of bfloat16's bits, in float32."""
    return values if values.dtype == np.float32 else np.left_shift(values, 16, dtype=np.uint32).view(np.float32)


def placed(memory: np.ndarray, shape: Tuple[int, ...], dtype: str = "float32") -> NDArray:
    """An ArenaArray in a flat NumPy array.

    Unlike MXNet's from_numpy, this does not make an MXNet thread call Python when the array is freed, which is fatal at
    exit.
    """
    parts, tensor, handle = mx.nd.ndarray, mx.nd.ndarray.DLManagedTensor(), mx.base.NDArrayHandle()
    sides = (ctypes.c_int64 * len(shape))(*shape)
    tensor.dl_tensor.data, tensor.dl_tensor.ctx = memory.ctypes.data, parts.DLContext(1, 0)
    tensor.dl_tensor.dtype = parts.DLDataType(TYPES[dtype][1], 8 * memory.itemsize, 1)
    tensor.dl_tensor.ndim, tensor.dl_tensor.shape = len(shape), sides
    mx.base.check_call(mx.base._LIB.MXNDArrayFromDLPackEx(ctypes.byref(tensor), True, ctypes.byref(handle)))
    array = ArenaArray(handle)
    array.memory = memory
    return array


class _Memory(mmap.mmap):
    """Memory that the system provides only when it is touched, freed once MXNet is done with it."""

    def __new__(cls, size):
        return super().__new__(cls, -1, size, flags=FLAGS)

    def __del__(self, wait=mx.nd.waitall):
        wait()


class Arena:
    """A block of size bytes, handed out in pieces; arrays that do not fit into it have memory of their own."""

    def __init__(self, size: int) -> None:
        self._taken: Dict[int, int] = {}  # end of each array by its start
        self._gone: List[Any] = []  # memory that MXNet may still work with
        try:
            self._memory, self._size = _Memory(size), size
        except OSError:  # as much as that is not to be had, touched or not
            self._size = 0
        if self._size and hasattr(mmap, "MADV_HUGEPAGE"):
            with contextlib.suppress(OSError):  # a system without
                self._memory.madvise(mmap.MADV_HUGEPAGE)

    def empty(self, shape: Tuple[int, ...], dtype: str) -> NDArray:
        """An ArenaArray in the lowest free place; waits until MXNet has finished what it was asked to do before."""
        mx.nd.waitall()
        self._gone.clear()
        count, like = math.prod(shape), np.dtype(TYPES[dtype][0])
        size = -(-count * like.itemsize // ALIGNMENT) * ALIGNMENT
        start = self._lowest(size)
        if start + size > self._size:
            memory = _Memory(size)
            array = placed(np.frombuffer(memory, like, count), shape, dtype)
            weakref.finalize(array, self._gone.append, memory).atexit = False
            return array
        array = placed(np.frombuffer(self._memory, like, count, start), shape, dtype)
        self._taken[start] = start + size
        weakref.finalize(array, self._taken.pop, start).atexit = False
        return array

    def _lowest(self, size):
        """The lowest place with that many bytes."""
        end = 0
        for start, stop in sorted(self._taken.items()):
            if start - end >= size:
                break
            end = stop
        return end
