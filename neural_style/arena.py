"""One memory for the arrays that come and go while features are made: malloc would leave gaps between such large ones."""
import math
import mmap
import sys
import weakref

import numpy as np

from .find_mxnet import mx

FLAGS = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | (0x4000 if sys.platform == "linux" else 0)      # MAP_NORESERVE
ALIGNMENT = 4096
NUMPY = {"float32": "float32", "bfloat16": "uint16"}        # what has their size
mx.nd.ndarray.DLDataType.TYPE_MAP.setdefault("uint16", (4, 16, 1))      # MXNet's own bfloat16, which lacks there


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
        """An NDArray in the lowest place that is free, or elsewhere where there is none.

        Its place is free again when MXNet is done with it.
        """
        count = math.prod(shape)
        size = -(-count * np.dtype(NUMPY[dtype]).itemsize // ALIGNMENT) * ALIGNMENT
        mx.nd.waitall()
        start = self._lowest(size)
        if start + size > self._size:
            return mx.nd.empty(shape, dtype=dtype)
        array = np.frombuffer(self._memory, NUMPY[dtype], count, start).reshape(shape)
        self._taken[start] = start + size
        weakref.finalize(array, self._taken.pop, start).atexit = False
        return mx.nd.from_numpy(array)

    def _lowest(self, size):
        """The lowest place with that many bytes."""
        end = 0
        for start, stop in sorted(self._taken.copy().items()):      # a copy, for the engine's thread gives places back
            if start - end >= size:
                break
            end = stop
        return end
