"""Keeping the content's colours, and the images that runs start from."""

import numpy as np
import pytest

from neural_style.find_mxnet import mx
from neural_style.pictures import colors, images
from neural_style.run import start
from neural_style.system.errors import UsageError

SHAPE = (1, 3, 40, 50)
RANDOM = np.random.RandomState(0)


def test_luminance_of_the_result_with_the_colours_of_the_content():
    result, content = RANDOM.uniform(0, 255, (2,) + SHAPE)
    mixed = colors.with_colors_of(result, content)
    assert np.allclose(colors.luminance(mixed), colors.luminance(result))
    for a, b in ((0, 1), (1, 2)):  # the differences between channels are the colour
        assert np.allclose(mixed[:, a] - mixed[:, b], content[:, a] - content[:, b])


def test_matched_colours_have_the_contents_mean_and_covariance():
    content = RANDOM.uniform(-100, 100, SHAPE)
    content[:, 1] = content[:, 0] * 0.5 + content[:, 1] * 0.2
    style = RANDOM.normal(20, 30, (1, 3, 33, 21))
    flat, goal = colors.matched(style, content).reshape(3, -1), content.reshape(3, -1)
    np.testing.assert_allclose(flat.mean(1), goal.mean(1), atol=1e-8)
    np.testing.assert_allclose(np.cov(flat), np.cov(goal), rtol=1e-6, atol=1e-6)


def test_faint_colours_are_matched_too_and_flat_ones_hardly_change():
    content, faint = RANDOM.uniform(-100, 100, SHAPE), RANDOM.normal(20, 0.5, (1, 3, 33, 21))
    np.testing.assert_allclose(
        np.cov(colors.matched(faint, content).reshape(3, -1)), np.cov(content.reshape(3, -1)), rtol=1e-6, atol=1e-6
    )
    flat = colors.matched(20 + 1e-3 * RANDOM.normal(0, 1, (1, 3, 33, 21)), content)
    assert flat.std((2, 3)).max() < 0.02 * content.std()


def test_luminance_knows_red_from_blue():
    primaries = np.eye(3).reshape(1, 3, 1, 3)  # a red, a green and a blue pixel
    np.testing.assert_allclose(colors.luminance(primaries).ravel(), [0.299, 0.587, 0.114])


def test_a_style_of_one_colour_can_be_matched():
    matched = colors.matched(np.full((1, 3, 5, 5), 30.0), RANDOM.uniform(-100, 100, SHAPE))
    assert np.isfinite(matched).all()


@pytest.mark.parametrize(
    "name, low, high, spread",
    [("uniform", -0.1, 0.1, 0.2 / np.sqrt(12)), ("normal", -2, 2, 0.256), ("white", -124, 152.1, 256 / np.sqrt(12))],
)
def test_noise(name, low, high, spread):
    mx.random.seed(3)
    first = start.start_image(name, SHAPE, mx.cpu(), {})
    second = start.start_image(name, SHAPE, mx.cpu(), {})
    mx.random.seed(3)
    again = start.start_image(name, SHAPE, mx.cpu(), {})
    assert first.shape == SHAPE and first.min() >= low and first.max() <= high
    assert first[0, 0].std() == pytest.approx(spread, rel=0.1)
    assert np.array_equal(first, again) and not np.array_equal(first, second)


def test_median_noise_is_smooth_and_dark():
    picture = start.start_image("median", SHAPE, mx.cpu(), {})[0] + images.MEANS[:, None, None]
    assert picture.min() >= 0 and picture.max() <= 128 and picture.mean() == pytest.approx(64, abs=5)
    assert np.abs(np.diff(picture, axis=2)).mean() < 0.5 * picture.std()  # noise as it comes: about 1.15


def test_pictures_to_start_from(pictures):
    paths = {"content": str(pictures / "chelsea.png"), "style": str(pictures / "coffee.png")}
    for name, file in (("content", "chelsea"), ("style", "coffee"), (str(pictures / "rocket.png"), "rocket")):
        expected = images.to_network(images.read_image(pictures / f"{file}.png"), SHAPE[2:])
        picture = start.start_image(name, SHAPE, mx.cpu(), paths)
        np.testing.assert_allclose(picture, expected, rtol=1e-5, atol=1e-4)
    with pytest.raises(UsageError, match="nowhere.png"):
        start.start_image("nowhere.png", SHAPE, mx.cpu(), paths)


def test_a_raw_image_to_start_from(tmp_path):
    path, raw = str(tmp_path / "raw.npy"), np.random.RandomState(0).uniform(-300, 300, (1, 3, 4, 5)).astype("float32")
    np.save(path, raw)
    assert np.array_equal(start.start_image(path, (1, 3, 4, 5), mx.cpu(), {}), raw)
    for wrong in (raw[:, :, :3], raw.astype("float64"), raw * np.nan, np.array([{}])):
        np.save(path, wrong)
        with pytest.raises(UsageError, match="raw.npy"):
            start.start_image(path, (1, 3, 4, 5), mx.cpu(), {})
