"""Reading and writing MXNet's `.params` files, with NumPy alone.

A file is a list of arrays followed by their names, everything little-endian:

    uint64 0x112, uint64 0, uint64 count, the arrays, uint64 count, for each name its uint64 length and its bytes

and an array is one of

    legacy (up to 2016)  uint32 ndim, uint32 × ndim,                             context, type, values
    V1                   uint32 0xF993FAC8, uint32 ndim, int64 × ndim,           context, type, values
    V2, V3               uint32 0xF993FAC9 or …CA, int32 storage, ndim, int64 ×, context, type, values

where the context (int32 device type, int32 device number) is ignored and type is an int32 index into TYPES. Only dense
storage (0) is supported.
"""

import math
import os
import struct

import numpy as np

from ..system import files
from ..system.errors import NeuralStyleError
from ..system.types import Arrays, PathLike

LIST_MAGIC = 0x112
V1, V2, V3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA
TYPES = tuple(np.dtype(name) for name in ("<f4", "<f8", "<f2", "u1", "<i4", "i1", "<i8"))
MAX_DIMENSIONS = 32
CPU = (1, 0)


def read(path: PathLike) -> Arrays:
    """The arrays of a .params file as {name: array}; names keep prefixes such as `arg:`."""
    with open(path, "rb") as file:
        source = _Source(file)
        try:
            if source.take("Q") != LIST_MAGIC:
                raise NeuralStyleError(
                    f"{path} is not an MXNet .params file; `python -m neural_style.weights convert FILE` "
                    "reads other programs' files"
                )
            source.take("Q")
            arrays = [_read_array(source) for _ in range(source.take("Q"))]
            names = [source.bytes(source.take("Q")).decode("utf-8") for _ in range(source.take("Q"))]
            if file.read(1) or len(set(names)) != len(arrays) or len(names) != len(arrays):
                raise ValueError(f"{len(arrays)} arrays and {len(names)} names do not fill it")
        except ValueError as error:  # also of a text that is not UTF-8
            raise NeuralStyleError(
                f"{path} is truncated or damaged at byte {file.tell()} ({error}); fetch it again, or name another file "
                "with --model-params PATH"
            ) from None
    return dict(zip(names, arrays))


def write(path: PathLike, arrays: Arrays) -> None:
    """Write {name: array} such that mx.nd.load and read return it; an old file is kept until the new one is complete.

    Arrays need at least one element and one dimension, because to MXNet anything less means "no array".
    """
    for name, array in arrays.items():
        if array.dtype.newbyteorder("<") not in TYPES or array.size == 0 or array.ndim == 0:
            raise NeuralStyleError(f"{path}: {name} cannot be saved: {array.dtype} of shape {array.shape}")
    with files.atomic(path) as temporary, open(temporary, "wb") as file:
        file.write(struct.pack("<3Q", LIST_MAGIC, 0, len(arrays)))
        for array in arrays.values():
            kind = TYPES.index(array.dtype.newbyteorder("<"))
            file.write(struct.pack(f"<IiI{array.ndim}q3i", V2, 0, array.ndim, *array.shape, *CPU, kind))
            file.write(np.ascontiguousarray(array, TYPES[kind]).data)
        file.write(struct.pack("<Q", len(arrays)))
        for name in arrays:
            encoded = name.encode("utf-8")
            file.write(struct.pack("<Q", len(encoded)) + encoded)


class _Source:
    """An open file, which may be damaged: no more is taken from it than it has."""

    def __init__(self, file):
        self._file = file
        self._size = os.fstat(file.fileno()).st_size

    def bytes(self, count):
        if count > self._size - self._file.tell():
            raise ValueError(f"{count} more bytes are missing")
        return self._file.read(count)

    def take(self, form):
        """The next number or, if form (as in struct) has several, a tuple of numbers."""
        numbers = struct.unpack("<" + form, self.bytes(struct.calcsize("<" + form)))
        return numbers[0] if len(numbers) == 1 else numbers


def _read_array(source):
    magic = source.take("I")
    if magic in (V2, V3) and source.take("i") != 0:
        raise ValueError("a sparse array, and only dense ones are supported")
    dimensions, each = (source.take("I"), "q") if magic in (V1, V2, V3) else (magic, "I")
    if dimensions > MAX_DIMENSIONS or (dimensions == 0 and magic != V3):
        raise ValueError(f"an array of {dimensions} dimensions")
    shape = [source.take(each) for _ in range(dimensions)]
    _, _, kind = source.take("3i")
    if min(shape, default=1) <= 0 or not 0 <= kind < len(TYPES):
        raise ValueError(f"an array of shape {shape} of type {kind}")
    values = source.bytes(math.prod(shape) * TYPES[kind].itemsize)
    return np.frombuffer(bytearray(values), TYPES[kind]).reshape(shape)
