"""One memory for the arrays that come and go while features are made: malloc would leave gaps between such large ones."""
import ctypes
import math
import mmap
import sys
import weakref

import numpy as np

from .find_mxnet import mx

FLAGS = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | (0x4000 if sys.platform == "linux" else 0)      # MAP_NORESERVE
ALIGNMENT = 4096
MARKS = np.linspace(1e30, 1e31, 10, dtype="float32")       # what no features are
NUMPY = {"float32": "float32", "bfloat16": "uint16"}        # what has their size
mx.nd.ndarray.DLDataType.TYPE_MAP.setdefault("uint16", (4, 16, 1))      # MXNet's own bfloat16, which lacks there


class Placed(mx.nd.NDArray):
    """An NDArray and its memory, a NumPy array that oneDNN may have filled in an order of its own."""

    __slots__ = ["memory"]

    def has_channels_last(self):
        """Whether the order is that of (1, H, W, C): some values, changed in memory, show where they are."""
        _, channels, height, width = self.shape
        self.wait_to_read()
        places = np.linspace(0, self.memory.size - 1, 10, dtype=int)
        values = self.memory[places]
        self.memory[places] = MARKS
        rows, columns, layers = np.unravel_index(places, (height, width, channels))
        last = np.array_equal(self.asnumpy()[0, layers, rows, columns], MARKS)
        self.memory[places] = values
        return last


def shared(memory):
    """A Placed in a NumPy array's memory; MXNet locks its view, not the memory."""
    array = mx.nd.from_numpy(memory.view(), array_cls=Placed)
    array.memory = memory.reshape(-1)
    return array


def alias(memory, shape):
    """An NDArray in the memory of a NumPy array of float32 that has no claim on its place."""
    return shared(np.ctypeslib.as_array((ctypes.c_float * memory.size).from_address(memory.ctypes.data)).reshape(shape))


class Arena:
    """Of size bytes, of which the system gives only those that are touched."""

    def __init__(self, size):
        self._taken = {}        # end of each array by its start
        try:
            self._memory, self._size = mmap.mmap(-1, size, flags=FLAGS), size
        except OSError:         # as much as that is not to be had, touched or not
            self._size = 0
        else:
            if hasattr(mmap, "MADV_HUGEPAGE"):
                self._memory.madvise(mmap.MADV_HUGEPAGE)

    def empty(self, shape, dtype):
        """A Placed in the lowest place that is free, or elsewhere where there is none.

        Its place is free again when it is gone and MXNet is done with it. Until then all that was there is done.
        """
        mx.nd.waitall()
        dtype, count = NUMPY[dtype], math.prod(shape)
        size = -(-count * np.dtype(dtype).itemsize // ALIGNMENT) * ALIGNMENT
        start = self._lowest(size)
        if start + size > self._size:
            return shared(np.empty(shape, dtype))
        array = np.frombuffer(self._memory, dtype, count, start)
        self._taken[start] = start + size
        weakref.finalize(array, self._taken.pop, start).atexit = False
        return shared(array.reshape(shape))

    def _lowest(self, size):
        """The lowest place with that many bytes."""
        end = 0
        for start, stop in sorted(self._taken.copy().items()):      # a copy, for the engine's thread gives places back
            if start - end >= size:
                break
            end = stop
        return end
