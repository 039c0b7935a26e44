"""The coordinates that L-BFGS moves: there and back, slopes by definition, and which frequencies there are."""

import numpy as np
import pytest
from scipy.fft import dctn

from neural_style.objective import coordinates

RANDOM = np.random.RandomState(4)
SHAPES = [(1, 3, 1, 1), (1, 3, 7, 10), (1, 3, 16, 24)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", sorted(coordinates.COORDINATES))
def test_there_and_back_and_slopes(kind, shape):
    own = coordinates.COORDINATES[kind](shape)
    flat = RANDOM.standard_normal(own.of(np.zeros(shape)).shape)
    image, gradient = own.image(flat), RANDOM.standard_normal(shape)
    assert image.shape == shape and flat.dtype == own.slope(gradient).dtype == np.float64
    np.testing.assert_allclose(own.of(image), flat, atol=1e-10)
    # the image is linear in its coordinates, so its product with the gradient is that of the coordinates with the slope
    assert np.vdot(gradient, image) == pytest.approx(flat @ own.slope(gradient), rel=1e-9)


def test_pixels_are_the_values():
    values = RANDOM.standard_normal((1, 3, 4, 5))
    own = coordinates.pixels(values.shape)
    np.testing.assert_allclose(own.of(values) * 60**0.5, values.ravel())


def test_frequencies_keep_brightness_and_coarse_colors():
    values = RANDOM.standard_normal((1, 3, 20, 30))
    own = coordinates.frequencies(values.shape)
    image = own.image(own.of(values))
    np.testing.assert_allclose(image.mean(1), values.mean(1), atol=1e-12)
    finer = np.hypot(np.arange(20)[:, None] / 40, np.arange(30) / 60) >= coordinates.FINEST_COLOR  # cycles per pixel
    for one, other in (0, 1), (0, 2), (1, 2):
        before, after = (dctn(array[0, one] - array[0, other], norm="ortho") for array in (values, image))
        np.testing.assert_allclose(after, np.where(finer, 0, before), atol=1e-10)


@pytest.mark.parametrize("kind", sorted(coordinates.COORDINATES))
def test_a_step_of_length_1_moves_each_value_by_about_1(kind):
    own = coordinates.COORDINATES[kind]((1, 3, 40, 60))
    step = RANDOM.standard_normal(own.of(np.zeros((1, 3, 40, 60))).shape)
    assert 0.5 < np.sqrt(np.mean(own.image(step / np.linalg.norm(step)) ** 2)) < 2
