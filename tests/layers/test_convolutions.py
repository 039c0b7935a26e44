"""Convolutions, forward and backward, by oneDNN and by Winograd's method, against NumPy."""

import numpy as np
import pytest

from neural_style.find_mxnet import mx
from neural_style.layers import convolutions, last, winograd
from neural_style.layers.arena import Arena

RANDOM = np.random.RandomState(3)


def has_numba(numba, monkeypatch):
    """Go on as with Numba, or without."""
    if not numba:
        monkeypatch.setattr(convolutions, "compiled", lambda: None)
    elif not last.compiled():
        pytest.skip("Numba is not installed")


def close(ours, theirs):
    return np.linalg.norm(ours - theirs) <= 1e-5 * np.linalg.norm(theirs)


ASKED = {"float32": ("float32",), "fast32": ("float32", True), "bf16": ("bfloat16",)}  # dtype, winograd


@pytest.mark.parametrize(
    "numba, precision, channels, below, kind",
    [
        (False, "float32", 256, 256, convolutions.Direct),
        (False, "bf16", 256, 256, convolutions.Direct),
        (False, "fast32", 512, 512, convolutions.Direct),
        (True, "fast32", 128, 64, winograd.Winograd),
        (True, "fast32", 128, 63, convolutions.Direct),
        (True, "bf16", 256, 256, convolutions.Direct),
    ],
)
def test_winograds_method_where_it_is_faster(numba, precision, channels, below, kind, monkeypatch):
    has_numba(numba, monkeypatch)
    assert (
        type(convolutions.convolution(mx.nd.zeros((channels, below, 3, 3)), mx.nd.zeros(channels), *ASKED[precision]))
        is kind
    )


@pytest.mark.parametrize(
    "numba, precision, below, kind",
    [
        (False, "float32", 3, convolutions.Direct),
        (False, "float32", 32, convolutions.Direct),
        (True, "fast32", 32, winograd.Winograd),
    ],
)
@pytest.mark.parametrize("height, width", [(1, 1), (3, 9), (16, 20), (13, 22)])
def test_a_convolution_forward_and_backward(numba, precision, below, kind, height, width, monkeypatch):
    has_numba(numba, monkeypatch)
    monkeypatch.setattr(convolutions, "FROM", 1)
    monkeypatch.setattr(winograd, "VALUES", 5 * 48)
    weight, bias = RANDOM.standard_normal((48, below, 3, 3)), RANDOM.standard_normal(48)
    features, gradient = (RANDOM.standard_normal((1, channels, height, width)) for channels in (below, 48))
    ours = convolutions.convolution(mx.nd.array(weight), mx.nd.array(bias), *ASKED[precision])
    assert type(ours) is kind
    padded = np.pad(features[0], ((0, 0), (1, 1), (1, 1)))
    expected, slope = np.zeros((48, height, width)) + bias[:, None, None], np.zeros(padded.shape)
    for i, j in np.ndindex(3, 3):
        window = np.s_[:, i : i + height, j : j + width]
        expected += np.tensordot(weight[:, :, i, j], padded[window], 1)
        slope[window] += np.tensordot(weight[:, :, i, j].T, gradient[0], 1)
    empty = Arena(2**24).empty
    assert close(ours.forward(mx.nd.array(features), empty).asnumpy()[0], expected)
    result = ours.backward(mx.nd.array(gradient), empty)
    ours.backward(mx.nd.array(gradient * 2), empty)  # in memory of its own
    assert close(result.asnumpy()[0], slope[:, 1:-1, 1:-1])
