"""Read tensors from `torch.save` files, without PyTorch and without executing what a pickle asks for.

There are two containers for the pickle of a state dict. Since PyTorch 1.6 it is a zip file (`…/data.pkl`, and a file
`…/data/<key>` for each storage). Before, it was five pickles in a row (magic, version, system, state dict, keys)
followed by each storage as an int64 count and its values. A pickle may name any function to be called; this reader maps
the few names that plain tensors need to substitutes of its own and refuses all others.
"""

import collections
import io
import math
import pickle
import struct
import zipfile
from typing import BinaryIO, Callable, Iterable

import numpy as np

from ..system.types import Arrays

MAGIC = 0x1950A86A20F9469CFC6C
MAGIC_BYTES = pickle.dumps(MAGIC, protocol=2)[:-1]
STORAGES = dict(DoubleStorage="<f8", FloatStorage="<f4", HalfStorage="<f2", LongStorage="<i8", ByteStorage="u1")

LARGEST = 200_000_000  # bytes; the convolutions of VGG19 take 160 million as float64

Storage = collections.namedtuple("Storage", "key dtype count")
Tensor = collections.namedtuple("Tensor", "storage offset shape strides")


def read(file: BinaryIO, wanted: Callable[[str], bool] = lambda name: True) -> Arrays:
    """The tensors of a state dict whose names are wanted, as {name: array}; the others are not even loaded.

    A file that is damaged, or asks for more than tensors, raises what pickle, zipfile or NumPy do, or a ValueError.
    """
    read_container = _read_zip if zipfile.is_zipfile(file) else _read_stream
    file.seek(0)
    return read_container(file, wanted)


def demand(sizes: Iterable[float]) -> None:
    """Raise ValueError if arrays of so many bytes are more than the convolutions of a VGG, before they are made."""
    if sum(sizes) > LARGEST:
        raise ValueError(f"its arrays would take more than {LARGEST} bytes; those of a VGG take less")


def demand_members(archive: zipfile.ZipFile, names: Iterable[str]) -> None:
    """The same for members of a zip; those compressed otherwise than PyTorch and NumPy do cannot be bounded."""
    usual, infos = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED), map(archive.getinfo, names)
    demand(info.file_size if info.compress_type in usual else math.inf for info in infos)


def inflated(archive: zipfile.ZipFile, name: str) -> bytes:
    """The content of a zip's member; read with its size, since without one there might be more."""
    demand_members(archive, [name])
    with archive.open(name) as file:
        return file.read(archive.getinfo(name).file_size)


def _read_zip(file, wanted):
    with zipfile.ZipFile(file) as archive:
        root = next(name for name in archive.namelist() if name.split("/")[1:] == ["data.pkl"]).split("/")[0]
        tensors = _tensors(_load(io.BytesIO(inflated(archive, f"{root}/data.pkl"))), wanted)
        members = {tensor.storage: f"{root}/data/{tensor.storage.key}" for tensor in tensors.values()}
        demand_members(archive, members.values())
        contents = {storage: np.frombuffer(inflated(archive, name), storage.dtype) for storage, name in members.items()}
    return _arrays(tensors, contents)


def _read_stream(file, wanted):
    _, _, _, state, keys = (_load(file) for _ in ("magic", "version", "system", "state", "keys"))
    tensors, contents = _tensors(state, wanted), {}
    needed = {tensor.storage for tensor in tensors.values()}
    storages = {tensor.storage.key: tensor.storage for tensor in _tensors(state).values()}
    for key in keys:
        (count,) = struct.unpack("<q", file.read(8))
        size = count * np.dtype(storages[key].dtype).itemsize
        if storages[key] in needed:
            contents[storages[key]] = np.frombuffer(file.read(size), storages[key].dtype)
        else:
            file.seek(size, io.SEEK_CUR)
    return _arrays(tensors, contents)


def _tensors(state, wanted=lambda name: True):
    """The named tensors of an unpickled state dict; some files keep it under the key `state_dict`."""
    state = state.get("state_dict", state) if isinstance(state, dict) else state
    if not isinstance(state, dict):
        raise ValueError(f"it holds a {type(state).__name__}, not a state dict; save model.state_dict() instead")
    return {name: value for name, value in state.items() if isinstance(value, Tensor) and wanted(name)}


def _arrays(tensors, contents):
    stored = [(tensor, contents[tensor.storage]) for tensor in tensors.values()]
    demand(min(abs(math.prod(tensor.shape)), values.size) * values.itemsize for tensor, values in stored)
    return {name: _array(name, tensor, contents[tensor.storage]) for name, tensor in tensors.items()}


def _array(name, tensor, values):
    """A copy of a tensor's values, which may be a strided part of a shared storage."""
    last = tensor.offset + sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.strides))
    whole = len(tensor.shape) == len(tensor.strides) and values.size == tensor.storage.count
    inside = min((tensor.offset, *tensor.shape, *tensor.strides)) >= 0 and last < values.size
    if not (whole and inside and math.prod(tensor.shape) <= values.size):
        raise ValueError(f"{name} reaches outside its {values.size} stored values")
    steps = [stride * values.itemsize for stride in tensor.strides]
    return np.lib.stride_tricks.as_strided(values[tensor.offset :], tensor.shape, steps).copy()


def _rebuild_tensor(storage, offset, shape, strides, *_):
    return Tensor(storage, offset, tuple(shape), tuple(strides))


def _rebuild_parameter(tensor, *_):
    return tensor


ALLOWED = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    **{("torch", name): dtype for name, dtype in STORAGES.items()},
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        if (module, name) not in ALLOWED:
            raise ValueError(f"it asks for {module}.{name}; only plain tensors are read")
        return ALLOWED[module, name]

    def persistent_load(self, saved):
        kind, dtype, key, _, count, *view = saved
        if kind != "storage" or any(view) or dtype not in STORAGES.values():
            raise ValueError("it holds something other than plain tensors")
        return Storage(key, dtype, count)


def _load(file):
    return _Unpickler(file, encoding="utf-8").load()
