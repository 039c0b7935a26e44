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
        source = _Source(file, path)
        if source.size == 0:
            raise source.broken("is empty")
        if source.size < 24 or source.take("Q") != LIST_MAGIC:
            raise NeuralStyleError(
                f"{path} is not an MXNet .params file; `python -m neural_style.weights convert FILE` "
                "reads other programs' files"
            )
        source.take("Q")
        arrays = [_read_array(source) for _ in range(source.take_count(least_bytes=4))]
        names = [_read_name(source) for _ in range(source.take_count(least_bytes=8))]
        if source.left():
            raise source.broken(f"has {source.left()} bytes too many at the end")
    if len(names) != len(arrays):
        raise source.broken(f"holds {len(arrays)} arrays but {len(names)} names")
    if len(set(names)) != len(names):
        raise source.broken("holds the same name twice")
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
    """An open file whose stated sizes are checked before they are used: it may be damaged."""

    def __init__(self, file, path):
        self.file, self.path = file, path
        self.size = os.fstat(file.fileno()).st_size

    def left(self):
        return self.size - self.file.tell()

    def broken(self, what):
        return NeuralStyleError(f"{self.path} {what}; fetch it again, or name another file with --model-params PATH")

    def demand(self, count):
        if count > self.left():
            raise self.broken(
                f"is truncated or damaged: {count} bytes should follow byte {self.file.tell()}, {self.left()} do"
            )

    def take(self, form):
        """The next number or, if form (as in struct) has several, a tuple of numbers."""
        form = "<" + form
        self.demand(struct.calcsize(form))
        numbers = struct.unpack(form, self.file.read(struct.calcsize(form)))
        return numbers[0] if len(numbers) == 1 else numbers

    def take_count(self, least_bytes):
        """The next uint64: a count of items that take at least least_bytes each."""
        count = self.take("Q")
        self.demand(count * least_bytes)
        return count


def _read_array(source):
    magic = source.take("I")
    if magic in (V2, V3) and source.take("i") != 0:
        raise source.broken("holds a sparse array, and only dense ones are supported")
    dimensions, each = (source.take("I"), "q") if magic in (V1, V2, V3) else (magic, "I")
    if dimensions > MAX_DIMENSIONS or (dimensions == 0 and magic != V3):
        raise source.broken(f"is damaged: an array of {dimensions} dimensions ends at byte {source.file.tell()}")
    shape = [source.take(each) for _ in range(dimensions)]
    _, _, kind = source.take("3i")
    if min(shape, default=1) <= 0 or not 0 <= kind < len(TYPES):
        raise source.broken(f"is damaged: shape {shape} of type {kind} at byte {source.file.tell()}")
    count = math.prod(shape)
    source.demand(count * TYPES[kind].itemsize)
    return np.fromfile(source.file, TYPES[kind], count).reshape(shape)


def _read_name(source):
    length = source.take("Q")
    source.demand(length)
    try:
        return source.file.read(length).decode("utf-8")
    except UnicodeDecodeError:
        raise source.broken(f"is damaged: a name that is not text ends at byte {source.file.tell()}") from None
