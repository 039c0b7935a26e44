"""The Wasserstein-2 distance of features as Gaussians: by SciPy's square roots, and by finite differences."""

import numpy as np
import pytest
from formulas import COFFEE, ROCKET, image_near, stretched, weights_of
from networks import SMALL
from objectives import evaluated, objective_of
from oracle import Vgg, moments, wasserstein_term
from skimage.transform import resize_local_mean
from test_objective import ENGINES, assert_near
from test_regions import BLUE, RED, labels

from neural_style.nstyle import get_args
from neural_style.objective.gaussians import Distance
from neural_style.options.check import complete
from neural_style.run import setup

LAYERS = ["relu1_1", "relu3_1", "relu4_1"]
STYLES = {"coffee.png": COFFEE, "rocket.png": ROCKET}


@pytest.fixture
def expected(small):
    """expected(content, {style: its share}): value and gradient near the content.

    With pictures, those of a run with one style, each of their regions is a Gaussian of its own.
    """

    def run(content, shares, pictures=None):
        def layers(picture):
            return Vgg(weights_of(small), SMALL["vgg19"], picture)

        network, value, slopes = layers(image_near(content)), 0.0, dict.fromkeys(LAYERS, 0.0)
        for layer in LAYERS:
            features = network.layers[layer]
            styles = [(share, layers(stretched(STYLES[name])).layers[layer]) for name, share in shares.items()]
            regions = [(None, None)] if pictures is None else zip(pictures.regions, pictures.styles[0].regions)
            for of_image, of_style in regions:
                here, there = (
                    mask if mask is None else resize_local_mean(mask, features.shape[1:])
                    for mask in (of_image, of_style)
                )
                target = sum(share * moments(array, there) for share, array in styles)
                part, slope = wasserstein_term(features, moments(features, here), target, here)
                value, slopes[layer] = value + part, slopes[layer] + slope
        return value, network.gradient(slopes)

    return run


@pytest.fixture
def evaluate(small, thumbnails, monkeypatch):
    monkeypatch.chdir(thumbnails)

    def run(flags):
        words = (
            f"--content-image chelsea.png --model-params {small} --style-layers {' '.join(LAYERS)} --max-long-edge 80 "
            f"--style-term wasserstein --content-weight 0 --tv-weight 0 --clip-gradient 0 {flags}"
        )
        objective, content = objective_of(words)
        return evaluated(objective, image_near(content)), content, words

    return run


@pytest.mark.parametrize("kind, flags, of_value, of_gradient", ENGINES)
def test_the_distance_and_its_gradient(kind, flags, of_value, of_gradient, evaluate, expected):
    ours, content, _ = evaluate(f"--style-image coffee.png {flags}")
    assert_near(ours, *expected(content, {"coffee.png": 1.0}), of_value, of_gradient)


def test_strips_differ_from_the_whole_by_rounding(evaluate):
    whole, strips = (evaluate(f"--style-image coffee.png --engine layers {flags}")[0] for flags in ("", "--tile 16"))
    assert_near(strips, whole.total, whole.gradient, 1e-5, 1e-5)


@pytest.mark.parametrize("kind, flags, of_value, of_gradient", ENGINES[:3])
def test_styles_are_averaged_by_their_moments(kind, flags, of_value, of_gradient, evaluate, expected):
    ours, content, _ = evaluate(f"--style-image coffee.png rocket.png --style-blend-weights 3 1 {flags}")
    assert_near(ours, *expected(content, {"coffee.png": 0.75, "rocket.png": 0.25}), of_value, of_gradient)


@pytest.mark.parametrize("kind, flags, of_value, of_gradient", ENGINES[:3])
def test_a_region_is_a_gaussian_of_its_own(kind, flags, of_value, of_gradient, evaluate, expected, tmp_path):
    of_image = labels(tmp_path / "image.png", (RED, 0.4), (BLUE, 0.6))
    of_style = labels(tmp_path / "style.png", (BLUE, 0.5), (RED, 0.5), size=COFFEE.shape[:2])
    ours, content, words = evaluate(f"--style-image coffee.png {flags} --regions {of_image} --style-regions {of_style}")
    pictures = setup.pictures_of(complete(get_args(words.split())))
    assert_near(ours, *expected(content, {"coffee.png": 1.0}, pictures), of_value, of_gradient)


def test_the_slope_is_that_of_finite_differences():
    random = np.random.default_rng(3)
    features, other = (np.maximum(random.normal(size=(4, 30)), 0) for _ in range(2))
    distance = Distance(moments(other))
    value, slope = distance(moments(features))
    direction, step = random.normal(size=features.shape), 1e-6
    up, down = (distance(moments(features + sign * step * direction))[0] for sign in (1, -1))
    gradient = 2 * (slope[:-1, :-1] @ features + slope[:-1, -1:]) / features.shape[1]
    assert (up - down) / (2 * step) == pytest.approx(np.vdot(gradient, direction), rel=1e-6)
    assert value == pytest.approx(wasserstein_term(features, moments(features), moments(other))[0], rel=1e-9)


def test_nothing_is_between_equal_gaussians():
    same = moments(np.random.default_rng(0).normal(size=(3, 50)))
    value, slope = Distance(same)(same)
    assert abs(value) < 1e-12 and np.abs(slope).max() < 1e-6
