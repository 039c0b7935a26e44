"""Terms of the image itself: analytic pictures, and gradients against finite differences."""

import numpy as np
import pytest

from neural_style.find_mxnet import mx
from neural_style.objective import image_terms
from neural_style.objective.arrays import Arrays

TERMS = {**image_terms.TV_LOSSES, "amplitude": image_terms.amplitude}


def laplacian(image, weight=1.0):
    """The reference's gradient, through its executor."""
    executor = image_terms.get_tv_grad_executor(mx.nd.array(np.asarray(image, "float32")), mx.cpu(), weight)
    executor.forward()
    return executor.outputs[0].asnumpy()


def test_laplacian_of_analytic_pictures():
    flat = laplacian(np.full((1, 3, 6, 7), 8.0))
    assert not flat[..., 1:-1, 1:-1].any()
    assert (flat[..., 0, 1:-1] == 1).all() and (flat[..., 1:-1, 0] == 1).all() and (flat[..., 0, 0] == 2).all()

    ramp = np.broadcast_to(np.arange(7.0), (1, 3, 6, 7)) + np.arange(6.0)[:, None] * 3
    assert np.abs(laplacian(ramp)[..., 1:-1, 1:-1]).max() < 1e-6

    point = np.zeros((1, 3, 5, 5))
    point[0, 1, 2, 2] = 16
    answer = laplacian(point, weight=0.25)
    assert answer[0, 1, 2, 2] == 2 and answer[0, 1, 2, 1] == answer[0, 1, 1, 2] == -0.5
    assert np.abs(answer).sum() == 4  # nothing elsewhere, nothing in the other channels

    board = np.indices((6, 6)).sum(0) % 2 * 2.0 - 1
    assert np.allclose(laplacian(board[None, None].repeat(3, 1))[0, :, 1:-1, 1:-1], board[1:-1, 1:-1])


@pytest.mark.parametrize("weight", [0, 0.0, -1])
def test_no_laplacian_without_a_weight(weight):
    assert image_terms.get_tv_grad_executor(mx.nd.zeros((1, 3, 4, 4)), mx.cpu(), weight) is None
    assert image_terms.image_terms(Arrays(mx.cpu()), (1, 3, 4, 4), tv_weight=weight) == []


def test_values_of_analytic_pictures():
    board = (np.indices((5, 6)).sum(0) % 2 * 2.0 - 1)[None, None].repeat(3, 1)  # every difference is ±2
    assert image_terms.anisotropic(board)[0] == 3 * 2 * (4 * 6 + 5 * 5)
    assert image_terms.squared(board)[0] == 4 + 4
    # away from the last row and column both differences count: √8 each; in them only one: 2
    assert image_terms.isotropic(board)[0] == pytest.approx(3 * (4 * 5 * np.sqrt(8) + (4 + 5) * 2))
    edge = np.zeros((1, 1, 4, 4))
    edge[..., 2:] = 10
    assert image_terms.anisotropic(edge)[0] == image_terms.isotropic(edge)[0] == 40
    assert image_terms.amplitude(np.full((1, 3, 2, 2), 160.0))[0] == 64


@pytest.mark.parametrize("name", sorted(TERMS))
def test_gradients_are_those_of_the_values(name):
    x = np.random.RandomState(0).uniform(-90, 90, (1, 3, 5, 4))
    value, gradient = TERMS[name](x)
    for index in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[index] += 1e-4
        down[index] -= 1e-4
        slope = (TERMS[name](up)[0] - TERMS[name](down)[0]) / 2e-4
        assert gradient[index] == pytest.approx(slope, rel=1e-5, abs=1e-8)
    assert value > 0


@pytest.mark.parametrize("shape", [(1, 3, 1, 1), (1, 3, 1, 5)])
@pytest.mark.parametrize("name", sorted(image_terms.TV_LOSSES))
def test_pictures_of_one_row_or_pixel(name, shape):
    value, gradient = TERMS[name](np.arange(np.prod(shape), dtype=float).reshape(shape))
    assert np.isfinite(value) and gradient.shape == shape and np.isfinite(gradient).all()


def test_terms_follow_the_image_and_their_weights():
    image = mx.nd.array(np.random.RandomState(1).uniform(-90, 90, (1, 3, 5, 4)))
    (name, term), (other, amplitude) = image_terms.image_terms(Arrays(mx.cpu()), image.shape, "squared", 3.0, 2.0)
    assert (name, other) == ("tv", "amplitude")
    value, gradient = term(image)
    expected = image_terms.squared(image.asnumpy().astype(float))
    assert value == pytest.approx(3 * expected[0]) and np.allclose(gradient.asnumpy(), 3 * expected[1])
    assert amplitude(image)[0] == pytest.approx(2 * image_terms.amplitude(image.asnumpy().astype(float))[0], rel=1e-5)
    image[:] = 0
    assert term(image)[0] == 0
