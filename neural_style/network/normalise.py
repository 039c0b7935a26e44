"""The normalised network of Gatys, Ecker and Bethge: every filter's mean activation over pictures is 1.

Dividing a filter's weights and bias by a positive number m divides its output by m, through the ReLU and through
average and maximum pools alike; multiplying the next layer's weights on that channel by m takes it back. So all
features change scale, and what the network computes from them does not.

Filters that hardly ever fire are an exception: their mean stays below 1. The means are taken with average pools.
"""

import logging
from pathlib import Path
from typing import Iterable, Iterator, Optional

import numpy as np

from .. import find_mxnet
from ..pictures import images
from ..system.errors import NeuralStyleError
from ..system.files import sha256_of
from ..system.types import Arrays, PathLike
from ..weights import pretrained, sources
from .architecture import NETWORKS, layer_shapes

log = logging.getLogger("neural_style")

PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket")  # of skimage.data
LONG_EDGE = 256


def photographs() -> Iterator[np.ndarray]:
    """The pictures to take the mean over by default: (1, 3, H, W) arrays."""
    import skimage.data

    for name in PHOTOGRAPHS:
        picture = getattr(skimage.data, name)()
        factor = LONG_EDGE / max(picture.shape[:2])
        yield images.to_network(picture, tuple(int(side * factor) for side in picture.shape[:2]))


def mean_activations(arrays: Arrays, pictures: Iterable[np.ndarray], network: str = "vgg19") -> Arrays:
    """{"conv1_1": (filters,), …}: each filter's mean output after the ReLU over the pictures and their positions."""
    from .. import model_vgg19  # loads MXNet, which finding the weights does without

    mx = find_mxnet.mx
    names = [name for name in layer_shapes(NETWORKS[network]) if f"{name}_weight" in arrays]
    layers = model_vgg19.get_layers(network=network)
    outputs = [layers[name.replace("conv", "relu")] for name in names]
    loaded = {name: mx.nd.array(array) for name, array in arrays.items()}
    sums, positions = [np.zeros(())] * len(names), [0] * len(names)
    for picture in pictures:
        bound = model_vgg19.get_executor(
            mx.sym.Group(outputs[:-1]), outputs[-1], picture.shape[2:], mx.cpu(), loaded, network
        )
        bound.data[:] = picture
        for i, output in enumerate(bound.executor.forward()):
            sums[i] = sums[i] + output.asnumpy()[0].sum((1, 2), dtype="float64")
            positions[i] += output.shape[2] * output.shape[3]
    return {name: total / count for name, total, count in zip(names, sums, positions)}


def scaled(arrays: Arrays, means: Arrays) -> Arrays:
    """The arrays with the filters of the layers in means divided by their means, which the next layer undoes."""
    result, below = dict(arrays), None
    for name in (name[: -len("_weight")] for name in arrays if name.endswith("_weight")):
        weight, bias = (arrays[f"{name}_{part}"].astype("float64") for part in ("weight", "bias"))
        # VGG19 has a filter that hardly ever fires; made to average 1, it would drown all others where it does.
        divisors = np.maximum(means[name], np.median(means[name]) / 100) if name in means else np.ones(len(bias))
        divisors = np.where(divisors > 0, divisors, 1.0)
        if below is not None:
            weight = weight * below.reshape(1, -1, 1, 1)
        result[f"{name}_weight"] = (weight / divisors.reshape(-1, 1, 1, 1)).astype("float32")
        result[f"{name}_bias"] = (bias / divisors).astype("float32")
        below = divisors
    return result


def write_normalised(
    path: PathLike, output: Path, pictures: Optional[Iterable[np.ndarray]] = None, network: str = "vgg19"
) -> Path:
    """Write the normalised weights of the file path to output, with a record."""
    arrays = pretrained.load(path)
    order = [name for name in layer_shapes(NETWORKS[network]) if f"{name}_weight" in arrays]
    arrays = {f"{name}_{part}": arrays[f"{name}_{part}"] for name in order for part in ("weight", "bias")}
    means = mean_activations(arrays, photographs() if pictures is None else pictures, network)
    precision = sources.read_record(path).get("precision", "unknown")
    sources.save(output, scaled(arrays, means), _origin(path), precision)
    return output


def _origin(path):
    """The source that a normalised file's record names."""
    return f"the weights file with SHA-256 {sha256_of(path)}, normalised"


def ensure(network: str = "vgg19", explicit: Optional[PathLike] = None) -> Path:
    """The normalised weights file: made beside the weights that are found, or in the user's cache."""
    path = pretrained.ensure(network, explicit)
    name = f"{path.stem}-normalised.params"
    candidates = [path.with_name(name), pretrained.places(network)[-1].with_name(name)]
    origin = _origin(path)
    for target in candidates:
        if target.is_file() and sources.read_record(target).get("source") == origin:
            return target
    log.info("normalising the network, once")
    for target in candidates:
        try:
            return write_normalised(path, target, network=network)
        except NeuralStyleError as error:
            problem = error
    raise problem
