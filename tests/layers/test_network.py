"""Layer by layer, as a whole and in strips: the same features and gradients as the bound graph."""

import numpy as np
import pytest

from neural_style.find_mxnet import mx
from neural_style.layers.network import Chain
from neural_style.layers.segments import chain
from neural_style.network.model import Model

LAYERS = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1", "relu4_2"]
RANDOM = np.random.RandomState(3)


def close(ours, theirs, tolerance=1e-5):
    return np.linalg.norm(ours - theirs) <= tolerance * np.linalg.norm(theirs)


def bound(model, layers, picture, slopes):
    """Features of the layers, and the picture's gradient for slopes at them, by MXNet's executor."""
    ours = model.bind([model.layers[layer] for layer in layers], picture.shape[2:])
    ours.data[:] = picture
    outputs = ours.executor.forward(is_train=True)
    slopes = [mx.nd.array(slope) for slope in slopes]
    ours.executor.backward(slopes + [mx.nd.zeros(output.shape) for output in outputs[len(slopes) :]])
    return [output.asnumpy() for output in outputs[: len(layers)]], ours.data_grad.asnumpy()


def walked(way, layers, picture, slopes):
    """The same by a Pass."""
    seen, slopes = {}, dict(zip(layers, slopes))

    def observe(layer, features, window, empty):
        seen.setdefault(layer, []).append(features.asnumpy()[:, :, slice(*window.core())])

    way.forward(mx.nd.array(picture), observe)
    gradient = way.backward(
        lambda layer, features, window, empty: mx.nd.array(slopes[layer][:, :, window.first : window.last])
    )
    return [np.concatenate(seen[layer], 2) for layer in layers], gradient.asnumpy()


@pytest.mark.parametrize(
    "name, size", [("vgg19", (64, 48)), ("vgg19", (131, 50)), ("vgg19", (96, 33)), ("vgg16", (131, 50))]
)
@pytest.mark.parametrize(
    "layers",
    [LAYERS, ["conv1_2", "conv3_3", "relu3_3"], ["relu4_last"], ["conv5_last", "relu1_2"], ["conv1_1", "conv3_1"]],
)
@pytest.mark.parametrize("pooling", ["avg", "max"])
def test_as_the_bound_graph(small, small_files, pooling, layers, name, size):
    model = Model(name, mx.cpu(), small_files[name], pooling)
    layers = [model.resolve(layer) for layer in layers]
    picture = RANDOM.uniform(-100, 100, (1, 3) + size)
    slopes = [RANDOM.standard_normal((1,) + shape) for shape in model.shapes(layers, size).values()]
    features, gradient = bound(model, layers, picture, slopes)
    network = Chain(model, chain(model, layers), layers, {}, "float32", False)
    for tile in (None, 16, 20, 32):
        way = network.at(size, tile)
        for _ in range(2):  # the second time with everything made
            seen, ours = walked(way, layers, picture, slopes)
            assert all(map(close, seen, features)) and close(ours, gradient), f"in strips of {tile} rows"
