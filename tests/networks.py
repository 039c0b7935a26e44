"""Networks with random weights."""

import numpy as np

from neural_style.network import architecture
from neural_style.weights import params

VGG19 = [
    ("1_1", 3, 64),
    ("1_2", 64, 64),
    ("2_1", 64, 128),
    ("2_2", 128, 128),
    ("3_1", 128, 256),
    ("3_2", 256, 256),
    ("3_3", 256, 256),
    ("3_4", 256, 256),
    ("4_1", 256, 512),
    ("4_2", 512, 512),
    ("4_3", 512, 512),
    ("4_4", 512, 512),
    ("5_1", 512, 512),
]
SMALL = {"vgg19": ((3, 2), (4, 2), (5, 4), (6, 4), (7, 4)), "vgg16": ((3, 2), (4, 2), (5, 3), (6, 3), (7, 3))}


def random_weights():
    """The random VGG19 of the goldens (see golden/README.md), by name."""
    random, arrays = np.random.RandomState(42), {}
    for name, inputs, outputs in VGG19:
        kernels = random.standard_normal((outputs, inputs, 3, 3)) * np.sqrt(2 / (9 * inputs))
        arrays[f"conv{name}_weight"] = kernels.astype("float32")
        arrays[f"conv{name}_bias"] = np.zeros(outputs, "float32")
    return arrays


def small_weights(network):
    """A VGG with a few filters in each layer, by name."""
    random, arrays = np.random.RandomState(1), {}
    for name, shape in architecture.array_shapes(SMALL[network]).items():
        scale = np.sqrt(2 / np.prod(shape[1:])) if len(shape) > 1 else 0.5
        arrays[name] = (random.standard_normal(shape) * scale).astype("float32")
    return arrays


def write(path, arrays):
    """Write a weights file, and return its path."""
    params.write(path, {"arg:" + name: array for name, array in arrays.items()})
    return path
