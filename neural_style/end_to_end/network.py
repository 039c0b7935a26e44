"""A trained network: its file, and painting with it.

A file is one of MXNet's .params: the arrays `arg:NAME` and `aux:NAME` of all parts, and `about`, bytes of JSON that say
which generator it is and how it was trained. The original's trained models, a folder or a zip of 0/*.params to
3/*.params, are read as well.
"""

import functools
import hashlib
import json
import re
import tempfile
import zipfile
from pathlib import Path
from typing import List, NamedTuple, Optional

import numpy as np

from ..find_mxnet import mx
from ..layers.segments import windows
from ..saved import checks, records
from ..system import memory
from ..system.errors import NeuralStyleError, UsageError
from ..system.types import Arrays, Context, PathLike, Size
from ..weights import params
from . import generators
from .generators import FAST, GENERATORS, INPUT, LAST, RANGE, enlarged

STYLES = Path(__file__).parent / "styles"  # the networks that come with the package
STRIP = 2**18  # pixels of a picture that are painted at a time
BYTES = 280  # of memory for each pixel that is painted
LARGEST = 200_000_000  # bytes of a network's file
SMALLEST = 16  # pixels of a side
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # of a zip: what others inflate to has no bound


class About(NamedTuple):
    """What a network's file says of itself."""

    generator: str
    size: int  # the longer edge of the pictures that it was trained for
    description: str  # in words: the style, the photographs, how long
    smooth: bool = True  # whether `fast` smooths what it enlarges; older files, without this field, did not
    seed: int = 0  # of the arrays that the first training began with


ABOUT = {
    "generator": checks.one_of(*GENERATORS),
    "size": checks.at_least(1, 10**6 - 1),
    "description": checks.is_text,
    "smooth": checks.is_flag,
    "seed": checks.is_count,
}


class Network:
    """A generator with its arrays, {"arg:NAME": array, "aux:NAME": array}."""

    def __init__(self, about: About, arrays: Arrays, name: str = "") -> None:
        self.about, self.name = about, name
        self.arrays = {key: np.ascontiguousarray(array, "float32") for key, array in arrays.items()}

    @property
    def digest(self) -> str:
        """A digest that identifies the network."""
        digest = hashlib.sha256((self.about.generator + " smooth" * self.about.smooth).encode())
        for key in sorted(self.arrays):
            digest.update(key.encode() + self.arrays[key].tobytes())
        return digest.hexdigest()[:16]

    def at(self, strength: float) -> "Network":
        """The network that is so far, 0 to 1, on the way from how its training began, where it changes little, to this.

        All that the layers compute is mixed, so that strokes become smaller or fewer, rather than transparent.
        """
        if strength == 1:
            return self
        if self.about.generator != "fast":
            raise UsageError(f"--strength: only networks of kind fast have it, and this one is {self.about.generator}")
        begin = generators.initial(self.about.generator, self.about.seed)
        arrays = {key: begin[key] + strength * (array - begin[key]) for key, array in self.arrays.items()}
        return Network(self.about, arrays, self.name)

    def demand_memory(self, size: Size, force: bool = False) -> None:
        """Refuse a picture of size (H, W) that would not fit in memory."""
        needed, free = BYTES * size[0] * size[1], memory.available()
        if free is not None and needed > free and not force:
            raise UsageError(
                f"a picture of {size[1]}x{size[0]} takes about {memory.gigabytes(needed)}, and "
                f"{memory.gigabytes(free)} of memory are free; use a smaller --size, or start anyway with --force"
            )

    def paint(self, image: np.ndarray, strip: int = STRIP, device: Optional[Context] = None) -> np.ndarray:
        """Paint an array (1, 3, H, W) in the network's range; returns a float32 array of the same shape.

        strip is the number of pixels painted at a time; it changes the result only by rounding.
        """
        generator, (height, width) = GENERATORS[self.about.generator], image.shape[2:]
        if min(height, width) < SMALLEST:
            raise UsageError(
                f"a picture of {width}x{height} is too small for a network: each side needs at least {SMALLEST} "
                "pixels; use a larger --size"
            )
        padding = [(0, -side % generator.multiple) for side in (height, width)]
        image = np.pad(np.asarray(image, "float32"), [(0, 0), (0, 0), *padding], mode="reflect")
        rows = max(generator.multiple, strip // image.shape[3] // generator.multiple * generator.multiple)
        memory.keep_freed(True)
        paint = _paint_fast if self.about.generator == "fast" else _paint_parts
        with device or mx.cpu():  # where the arrays of paint go
            painted = paint(self, image, rows)[:, :, :height, :width]
        if not np.isfinite(painted).all():
            raise NeuralStyleError("the network's picture is not finite: it is damaged, or its training diverged")
        return painted


def _paint_fast(network, image, rows):
    """Layer by layer, each in strips of so many of the picture's rows: a normalisation needs a layer's whole output."""
    arrays = {key[len("arg:") :]: mx.nd.array(array) for key, array in network.arrays.items()}
    shown, below, layers = {"data": mx.nd.array(image * np.float32(INPUT))}, "data", [*FAST, LAST]
    smooth = network.about.smooth
    for number, layer in enumerate(layers):
        height = shown[below].shape[2] * layer.enlarge // layer.stride
        at_once = max(1, rows * height // image.shape[2])
        strips = [(window.core_first, window.core_last) for window in windows(height, at_once, 0)]
        joined = shown.get(layer.joins)
        parts = (_convolved(layer, shown[below], joined, arrays, smooth, *strip) for strip in strips)
        output = _gathered(strips, parts)
        later = {name for other in layers[number + 1 :] for name in (other.adds, other.joins)} | {layer.adds}
        shown = {name: array for name, array in shown.items() if name in later}
        if layer is LAST:
            return (mx.nd.tanh(output) * RANGE).asnumpy()
        normalise, added = _normalisation(output, strips, arrays, f"{layer.name}_norm"), shown.get(layer.adds)
        parts = (_finished(layer, normalise(_rows(output, *strip)), added, strip) for strip in strips)
        output = _gathered(strips, parts, output)
        output.wait_to_read()  # or arrays that nobody needs any more wait with it
        shown[layer.name], below = output, layer.name


def _rows(array, first, last):
    return array if (first, last) == (0, array.shape[2]) else array.slice_axis(2, first, last)


def _gathered(strips, arrays, whole=None):
    """The strips' arrays joined into one; it is written to whole if given."""
    if len(strips) == 1:
        return next(arrays)
    for (first, last), array in zip(strips, arrays):
        whole = mx.nd.empty(array.shape[:2] + (strips[-1][1], array.shape[3])) if whole is None else whole
        whole[:, :, first:last] = array
        whole.wait_to_read()  # or strips pile up
    return whole


def _finished(layer, x, added, strip):
    x = mx.nd.Activation(x, act_type="relu") if layer.relu else x
    return x if added is None else x + _rows(added, *strip)


def _normalisation(output, strips, arrays, name):
    """A function that normalises a strip of a layer's output by the mean and variance of the whole."""
    gamma, beta = arrays[f"{name}_gamma"], arrays[f"{name}_beta"]
    ones, zeros = mx.nd.ones(gamma.shape), mx.nd.zeros(gamma.shape)
    if len(strips) == 1:
        with mx.autograd.train_mode():  # where it takes the mean and variance of what it is given
            normalised = mx.nd.BatchNorm(output, gamma, beta, zeros, ones, fix_gamma=False, eps=generators.EPS)
        return lambda strip: normalised
    moments = []
    for first, last in strips:
        rows, how = _rows(output, first, last), dict(output_mean_var=True, eps=generators.EPS)
        with mx.autograd.train_mode():
            _, mean, scale = mx.nd.BatchNorm(rows, ones, zeros, zeros, ones, **how)
        mean, scale = (array.asnumpy().astype("float64") for array in (mean, scale))
        moments.append((last - first, mean, scale**-2 - generators.EPS))  # MXNet gives 1 / √(variance + eps)
    mean, variance = map(mx.nd.array, _pooled(moments))
    known = dict(fix_gamma=False, use_global_stats=True, eps=generators.EPS)
    return lambda strip: mx.nd.BatchNorm(strip, gamma, beta, mean, variance, **known)


def _pooled(moments):
    """The mean and variance of strips taken together, from [(rows, mean, variance)]."""
    rows = sum(count for count, _, _ in moments)
    mean = sum(count * of_strip for count, of_strip, _ in moments) / rows
    return mean, sum(count * (variance + (of_strip - mean) ** 2) for count, of_strip, variance in moments) / rows


def _convolved(layer, below, joined, arrays, smooth, first, last):
    """The rows from first to last of a layer's convolution of what is below it, and of what joins that."""
    margin, height = layer.kernel // 2, below.shape[2] * layer.enlarge
    start, end = first * layer.stride - margin, (last - 1) * layer.stride + margin + 1
    top, bottom = max(0, -start), max(0, end - height)
    start, end = start + top, end - bottom
    around = layer.enlarge // 2  # rows beyond that smoothing looks at
    from_, to = max(0, start - around) // layer.enlarge, -(-min(height, end + around) // layer.enlarge)
    x = _rows(below, from_, to)
    if layer.enlarge > 1:
        x = enlarged(mx.nd, x, layer.enlarge, smooth)
        x = _rows(x, start - from_ * layer.enlarge, end - from_ * layer.enlarge)
    if joined is not None:
        x = mx.nd.concat(x, joined.slice_axis(2, start, end), dim=1)
    if margin:
        x = mx.nd.pad(x, mode="reflect", pad_width=(0, 0, 0, 0, top, bottom, margin, margin))
    bias = [arrays[f"{layer.name}_bias"]] if layer is LAST else []
    how = dict(num_filter=layer.filters, kernel=2 * (layer.kernel,), stride=2 * (layer.stride,), no_bias=not bias)
    return mx.nd.Convolution(x, arrays[f"{layer.name}_weight"], *bias, **how)


def _paint_parts(network, image, rows):
    """One part after another, each in strips with as many surrounding rows as the part needs."""
    generator = GENERATORS[network.about.generator]
    step = generator.multiple
    for symbol in generator.parts():
        shapes = generators.shapes(symbol, image.shape[2:])
        arrays = {key: mx.nd.array(network.arrays[key]) for key in shapes}
        arguments, states = (generators.of_kind(kind, arrays) for kind in ("arg", "aux"))
        height, output, least = image.shape[2], np.empty_like(image), max(rows, generator.halo)
        at_once, halo = (least, generator.halo) if height >= 1.5 * least else (height, 0)
        for window in windows(height // step, at_once // step, halo // step):
            first, last, core_first, core_last = (step * row for row in window[1:])
            arguments[generators.input_of(symbol)] = mx.nd.array(image[:, :, first:last])
            painted = symbol.bind(mx.context.current_context(), arguments, aux_states=states).forward()[0].asnumpy()
            output[:, :, core_first:core_last] = painted[:, :, core_first - first : core_last - first]
        image = output
    return image


def save(path: PathLike, network: Network) -> None:
    """Write a network's file, in 16 bits but for arrays with values that these cannot hold, such as variances."""
    arrays = {"about": np.frombuffer(json.dumps(network.about._asdict()).encode(), "uint8")}
    for key, array in network.arrays.items():
        fits = np.abs(array).max() < np.finfo("float16").max
        arrays[key] = array.astype("float16" if fits else "float32")
    params.write(path, arrays)


def names() -> List[str]:
    """The networks that come with the package."""
    return sorted(path.stem for path in STYLES.glob("*.params"))


def load(where: PathLike, flag: str = "--network ") -> Network:
    """The Network of a name in names(), of a file, or of the original's trained models; flag comes before it."""
    path = STYLES / f"{where}.params" if where in names() else Path(where)
    if not str(where) or not (path.is_file() or path.is_dir()):
        why = "there is no such file, and no network of that name" if where else "name a network"
        raise UsageError(f"{flag}{where}: {why}; there are {', '.join(names()) or 'none'}")
    try:
        if path.is_dir():
            inside = (found.relative_to(path) for depth in ("*", "*/*") for found in path.glob(f"{depth}/*.params"))
            return _of_the_original(where, map(str, inside), lambda name: _arrays(path / name))
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as packed:
                return _of_the_original(where, packed.namelist(), functools.partial(_inflated, where, packed))
        arrays = _arrays(path)
    except UsageError:
        raise
    except Exception as error:  # a damaged file can be wrong in any way
        raise UsageError(f"--network {where}: the file is damaged, or holds no network") from error
    about = _about(where, arrays.pop("about", None))
    return Network(about, _checked(where, about.generator, arrays), path.stem)


def _arrays(path):
    """The arrays of a file that is not too large to be that of a network."""
    if path.stat().st_size > LARGEST:
        raise UsageError(f"--network {path}: the file is larger than any network")
    return params.read(path)


def _about(where, packed):
    """The About in a network's file, checked: the file may come from anywhere."""
    try:
        about = {"smooth": False, "seed": 0, **records.parsed(packed.tobytes().decode("utf-8"))}
        checks.demand(ABOUT, about)
        return About(**{field: about[field] for field in About._fields})
    except (AttributeError, TypeError, ValueError, RecursionError):
        how = "`python -m neural_style.end_to_end train` makes one"
        raise UsageError(f"--network {where}: the file holds no network that paints; {how}") from None


def _checked(where, generator, arrays):
    """The arrays, if they are those that the generator has."""
    expected = {}
    for symbol in GENERATORS[generator].parts():
        shapes = generators.shapes(symbol, 2 * (8 * GENERATORS[generator].multiple,))
        expected.update({key: shape for key, shape in shapes.items() if generator != "fast" or key.startswith("arg")})
    for key, shape in expected.items():
        if key not in arrays or arrays[key].shape != shape or arrays[key].dtype.kind != "f":
            wrong = f"{key[4:]} is missing or not of shape {shape}"
            raise UsageError(f"--network {where}: {wrong}; the network is not one of kind {generator}")
        with np.errstate(over="ignore"):
            arrays[key] = arrays[key].astype("float32")
        if not np.isfinite(arrays[key]).all():
            raise UsageError(f"--network {where}: {key[4:]} has values that are not finite in 32 bits")
    return {key: arrays[key] for key in expected}


def _of_the_original(where, files, read):
    """The Network of the original's trained models: the last file in each of the folders 0 to 3; read gives arrays."""
    arrays, files = {}, sorted(files)
    for part in range(4):
        inside = [name for name in files if re.fullmatch(rf"(.*/)?{part}/[^/]+\.params", name)]
        if not inside:
            what = f"a folder {part} with a .params file is missing"
            raise UsageError(f"--network {where}: {what}; the original's trained models are folders 0 to 3")
        arrays.update(read(inside[-1]))
    about = About("boost", 480, "the original's trained model")
    return Network(about, _checked(where, "boost", arrays), Path(where).stem)


def _inflated(where, packed, name):
    """The arrays of a file in a zip."""
    info = packed.getinfo(name)
    if info.compress_type not in PACKINGS:
        raise UsageError(f"--network {where}: it is packed in another way than the original's; pack it anew")
    if info.file_size > LARGEST:
        raise UsageError(f"--network {where}: its files are larger than any network")
    with tempfile.NamedTemporaryFile() as file:
        file.write(packed.read(info))
        file.flush()
        return params.read(file.name)
