"""The generators against plain NumPy, and `boost` against the original's structure."""

import numpy as np
import plain
import pytest

from neural_style.end_to_end import generators
from neural_style.end_to_end.generators import GENERATORS
from neural_style.find_mxnet import mx

# Each layer of the original's two kinds of networks: kernel, channels in and out, stride, bias (v4) ...
V4 = [(5, 3, 48), (5, 48, 32), (3, 32, 64), (5, 64, 32), (5, 32, 48), (5, 48, 32), (3, 32, 3)]
V3 = [(5, 3, 64), (3, 64, 48), (5, 48, 128), (3, 128, 96), (5, 96, 256), (3, 256, 192), (3, 128, 160), (3, 64, 96)]
V3_UP = [(7, 192, 128), (7, 160, 64), (8, 96, 3)]


def random_arrays(symbol, rng, size=(32, 32)):
    parameters, kept = (generators.of_kind(kind, generators.shapes(symbol, size)) for kind in ("arg", "aux"))
    arrays = {
        name: rng.normal(1 if name.endswith("gamma") else 0, 0.1, shape)
        if not name.endswith("weight")
        else rng.normal(0, (2 / np.prod(shape[1:])) ** 0.5, shape)
        for name, shape in parameters.items()
    }
    states = {
        name: rng.uniform(0.5, 2, shape) if name.endswith("var") else rng.normal(0, 0.3, shape)
        for name, shape in kept.items()
    }
    return tuple(
        {name: array.astype("float32").astype(float) for name, array in some.items()} for some in (arrays, states)
    )


def bound(symbol, arrays, states, picture, train):
    arguments = {name: mx.nd.array(array) for name, array in arrays.items()}
    arguments[generators.input_of(symbol)] = mx.nd.array(picture[None])
    gradients = {name: mx.nd.zeros(array.shape) for name, array in arguments.items()}
    executor = symbol.bind(
        mx.cpu(),
        arguments,
        args_grad=gradients,
        aux_states={name: mx.nd.array(array) for name, array in states.items()},
    )
    return executor.forward(is_train=train)[0].asnumpy()[0], executor, gradients


def oracle(name, number):
    if name == "fast":
        return lambda arrays, picture: plain.fast(arrays, picture)
    kind, numbers = plain.BOOST[number]
    return lambda arrays, picture: kind(arrays, picture, **numbers)


PARTS = [("fast", 0), ("boost", 0), ("boost", 1), ("boost", 2), ("boost", 3)]


@pytest.mark.parametrize("name, number", PARTS)
def test_forward_and_gradient(name, number):
    rng = np.random.default_rng(5)
    symbol, paint = GENERATORS[name].parts()[number], oracle(name, number)
    arrays, states = random_arrays(symbol, rng)
    picture = rng.uniform(-120, 120, (3, 16, 16)).astype("float32").astype(float)
    painted, executor, gradients = bound(symbol, arrays, states, picture, True)
    expected = paint(arrays, picture)
    assert painted.shape == picture.shape
    np.testing.assert_allclose(painted, expected, atol=2e-3)
    above = rng.normal(0, 1, picture.shape)
    executor.backward([mx.nd.array(above[None])])
    shown = {**arrays, generators.input_of(symbol): picture}
    for key in shown:  # along a random direction of every array
        direction = rng.normal(0, 1, shown[key].shape)
        direction *= (
            1e-5 * np.linalg.norm(shown[key] if key.endswith(("weight", "data")) else 1) / np.linalg.norm(direction)
        )
        sides = []
        for sign in (1, -1):
            moved = {**shown, key: shown[key] + sign * direction}
            own = moved.pop(generators.input_of(symbol))
            sides.append((paint(moved, own) * above).sum())
        slope = float((gradients[key].asnumpy().reshape(direction.shape) * direction).sum())
        scale = float(np.linalg.norm(gradients[key].asnumpy()) * np.linalg.norm(direction))
        assert slope == pytest.approx((sides[0] - sides[1]) / 2, abs=2e-3 * scale + 1e-7), key


@pytest.mark.parametrize("number", range(4))
def test_boost_paints_with_what_its_normalisations_kept(number):
    rng = np.random.default_rng(7)
    symbol, (kind, numbers) = GENERATORS["boost"].parts()[number], plain.BOOST[number]
    arrays, states = random_arrays(symbol, rng)
    picture = rng.uniform(-120, 120, (3, 16, 40)).astype("float32").astype(float)
    painted, _, _ = bound(symbol, arrays, states, picture, False)
    expected = kind(arrays, picture, states=states, **numbers)  # some values in it are very large
    assert np.linalg.norm(painted - expected) < 1e-4 * np.linalg.norm(expected)


def test_boost_has_the_originals_names_kernels_and_channels():
    found = {}
    for number, symbol in enumerate(GENERATORS["boost"].parts()):
        assert generators.input_of(symbol) == f"g{number}_data"
        found.update(generators.of_kind("arg", generators.shapes(symbol, (384, 384))))
    expected, convolution, deconvolution, norm = {}, 0, 0, 0
    for kind in (V4, V3, V3, V4):
        for i, (kernel, below, filters) in enumerate(kind):
            expected[f"convolution{convolution}_weight"] = (filters, below, kernel, kernel)
            if kind is V3 or i < 5:  # in v4 the last two have none
                expected[f"convolution{convolution}_bias"] = (filters,)
            convolution += 1
        for kernel, below, filters in V3_UP if kind is V3 else ():
            expected[f"deconvolution{deconvolution}_weight"] = (below, filters, kernel, kernel)
            deconvolution += 1
    for kind in ("v4", "v3", "v3", "v4"):
        order = [48, 32, 64, 32, 48, 32, 3] if kind == "v4" else [64, 48, 128, 96, 256, 192, 128, 160, 64, 96, 3]
        for count in order:
            expected.update({f"batchnorm{norm}_gamma": (count,), f"batchnorm{norm}_beta": (count,)})
            norm += 1
    assert found == expected


def test_every_picture_keeps_its_size():
    for generator in GENERATORS.values():
        for symbol in generator.parts():
            for size in ((24, 24), (40, 64), (8 * 13, 8 * 7)):
                assert symbol.infer_shape(**{generators.input_of(symbol): (1, 3) + size})[1] == [(1, 3) + size]
