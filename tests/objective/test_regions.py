"""Regions: Gram matrices of parts of the image against those of parts of styles, by a formula of its own in float64."""

import numpy as np
import pytest
from formulas import COFFEE, ROCKET, image_near, network_range, stretched, weights_of
from networks import SMALL
from objectives import objective_of
from oracle import Vgg, patch_term
from PIL import Image
from skimage.transform import resize, resize_local_mean

from neural_style.find_mxnet import mx

LAYERS = ["relu1_1", "relu3_1"]
ENGINES = [("", 1e-4), ("--tile 16", 1e-4), ("--precision fast32", 1e-4), ("--precision fast32 --tile 16", 1e-4)]
NORMS = ["gatys", "gluon", "mean"]
RED, BLUE, GREEN = (255, 0, 0), (0, 0, 255), (0, 160, 0)


def labels(path, *columns, size=(75, 113)):
    """A picture of upright stripes, [(colour, width as a share)], at path; returns its name."""
    picture, start = np.zeros(size + (3,), np.uint8), 0
    for color, share in columns:
        stop = start + round(share * size[1])
        picture[:, start:stop], start = color, stop
    picture[:, start:] = columns[-1][0]
    Image.fromarray(picture).save(path)
    return str(path)


@pytest.fixture
def evaluate(small, thumbnails, monkeypatch):
    """evaluate(flags): the Evaluation near the content, the Objective, and the content."""
    monkeypatch.chdir(thumbnails)

    def run(flags, regions=None):
        objective, content = objective_of(
            f"--content-image chelsea.png --model-params {small} --max-long-edge 80 --style-layers {' '.join(LAYERS)} "
            f"--content-weight 0 --tv-weight 0 --clip-gradient 0 {flags}",
            regions,
        )
        return objective(mx.nd.array(image_near(content))), objective, content

    return run


def at(share, shape):
    return resize_local_mean(share, shape[1:])


def guided(features, share, target, divisor):
    """Σ (Gram of the region − target · its positions)² / divisor(N, M), and its slope."""
    matrix, share = features.reshape(len(features), -1), share.reshape(1, -1)
    positions = share.sum()
    difference = (matrix * share) @ matrix.T - positions * target
    weight = 1 / divisor(len(features), positions)
    return weight * np.square(difference).sum(), 4 * weight * ((difference @ matrix) * share).reshape(features.shape)


def mean_gram(features, share):
    matrix = features.reshape(len(features), -1)
    return (matrix * share.reshape(1, -1)) @ matrix.T / share.sum()


def near(ours, value, gradient, bound):
    assert ours.total == pytest.approx(value, rel=bound)
    assert np.linalg.norm(ours.gradient.asnumpy() - gradient) < bound * np.linalg.norm(gradient)


@pytest.mark.parametrize("flags, bound", ENGINES)
def test_two_regions_of_two_styles(evaluate, small, tmp_path, flags, bound):
    """Red takes after the left of the coffee and, at a third, the whole rocket; blue after the right of the coffee."""
    own = labels(tmp_path / "own.png", (RED, 0.4), (BLUE, 0.6))
    of_coffee = labels(tmp_path / "coffee-regions.png", (RED, 0.5), (BLUE, 0.5), size=(100, 150))
    of_rocket = labels(tmp_path / "rocket-regions.png", (RED, 1), size=(7, 7))  # any size: it is one colour
    ours, objective, content = evaluate(
        f"--style-image coffee.png rocket.png --style-blend-weights 2 1 --regions {own} "
        f"--style-regions {of_coffee} {of_rocket} {flags}"
    )
    weights = weights_of(small)

    def vgg(picture):
        return Vgg(weights, SMALL["vgg19"], picture)

    def share_of(path, color):
        inside = (np.asarray(Image.open(path)) == color).all(2)
        return resize(inside.astype(np.uint8) * 255, content.shape[2:])

    image, coffee, rocket = vgg(image_near(content)), vgg(stretched(COFFEE)), vgg(stretched(ROCKET))
    value, slopes = 0.0, {}
    for layer in LAYERS:
        for color in (RED, BLUE):
            features, here = image.layers[layer], at(share_of(own, color), image.layers[layer].shape)
            targets = [(1.0, mean_gram(coffee.layers[layer], at(share_of(of_coffee, color), features.shape)))]
            if color == RED:
                targets = [
                    (2 / 3, targets[0][1]),
                    (1 / 3, mean_gram(rocket.layers[layer], np.ones(features.shape[1:]))),
                ]
            for share, target in targets:
                part, slope = guided(features, here, target, lambda n, m: n * m * n)
                value, slopes[layer] = value + share * part, slopes.get(layer, 0) + share * slope
    near(ours, value, image.gradient(slopes), bound)
    assert len(objective.weights) == 4


@pytest.mark.parametrize("flags, bound", ENGINES)
@pytest.mark.parametrize("term", ["gram", "patches"])
def test_one_region_of_everything_is_the_plain_term(evaluate, tmp_path, term, flags, bound):
    whole = labels(tmp_path / "whole.png", (GREEN, 1))
    words = f"--style-image coffee.png --style-term {term} {flags}"
    plain, _, _ = evaluate(words)
    ours, _, _ = evaluate(f"{words} --regions {whole} --style-regions {whole}")
    near(ours, plain.total, plain.gradient.asnumpy(), 1e-5)


@pytest.mark.parametrize("flags", [*(flags for flags, _ in ENGINES), *map("--style-norm {}".format, NORMS)])
def test_two_half_masks_with_one_style_are_the_plain_term(evaluate, flags):
    """Each position belongs to both regions by half."""
    plain, _, content = evaluate(f"--style-image coffee.png {flags}")
    halves, _, _ = evaluate(f"--style-image coffee.png {flags}", np.full((2, *content.shape[2:]), 0.5))
    near(halves, plain.total, plain.gradient.asnumpy(), 1e-5)


@pytest.mark.parametrize("flags, bound", ENGINES)
def test_patches_of_a_region_come_from_its_partner(evaluate, small, tmp_path, flags, bound):
    own = labels(tmp_path / "own.png", (RED, 0.5), (BLUE, 0.5))
    theirs = labels(tmp_path / "theirs.png", (BLUE, 0.5), (RED, 0.5), size=(107, 160))
    ours, _, content = evaluate(
        f"--style-image rocket.png --style-term patches --regions {own} --style-regions {theirs} "
        f"--patch-stride 1 {flags}"
    )
    weights = weights_of(small)
    image, style = (Vgg(weights, SMALL["vgg19"], picture) for picture in (image_near(content), stretched(ROCKET)))
    value, slopes = 0.0, {}
    for layer in LAYERS:
        for color in (RED, BLUE):
            inside, there = (
                at(
                    resize((np.asarray(Image.open(path)) == color).all(2).astype(np.uint8) * 255, content.shape[2:]),
                    image.layers[layer].shape,
                )
                >= 0.5
                for path in (own, theirs)
            )
            part, slope, _ = patch_term(image.layers[layer], [(1.0, [(style.layers[layer], there)])], 3, 1, inside)
            value, slopes[layer] = value + part, slopes.get(layer, 0) + slope
    near(ours, value, image.gradient(slopes), bound)


@pytest.mark.parametrize("flags, bound", ENGINES)
def test_a_mask_is_a_region_that_every_style_serves(evaluate, small, tmp_path, flags, bound):
    mask = labels(tmp_path / "mask.png", ((255,) * 3, 0.3), ((128,) * 3, 0.2), ((0,) * 3, 0.5))
    ours, _, content = evaluate(f"--style-image coffee.png --mask {mask} {flags}")
    weights = weights_of(small)
    image, style = (Vgg(weights, SMALL["vgg19"], picture) for picture in (image_near(content), stretched(COFFEE)))
    painted = (np.asarray(Image.open(mask))[..., 0] > 0).astype(np.uint8) * 255  # grey blends when it is saved
    share, value, slopes = resize(painted, content.shape[2:]), 0.0, {}
    for layer in LAYERS:
        features = style.layers[layer]
        target = mean_gram(features, np.ones(features.shape[1:]))
        part, slopes[layer] = guided(image.layers[layer], at(share, features.shape), target, lambda n, m: n * m * n)
        value += part
    near(ours, value, image.gradient(slopes), bound)


def test_the_formulas_agree_with_each_other():
    """guided() with everything inside is the plain style term."""
    from oracle import gram, style_term

    random = np.random.RandomState(0)
    features, other, ones = random.standard_normal((5, 6, 7)), random.standard_normal((5, 3, 4)), np.ones((6, 7))
    value, slope = guided(features, ones, mean_gram(other, np.ones((3, 4))), lambda n, m: n * m * n)
    expected, own = style_term(features, gram(other) * 42 / 12, 1 / (5 * 42 * 5))
    assert value == pytest.approx(expected)
    np.testing.assert_allclose(slope, own)
    assert network_range(np.zeros((2, 2, 3))).shape == (1, 3, 2, 2)


def test_a_mask_takes_its_part_of_each_region(evaluate, tmp_path):
    """Two regions under a mask are those of labels that are transparent where the mask is black."""
    mask = labels(tmp_path / "mask.png", ((255,) * 3, 0.8), ((0,) * 3, 0.2))
    own = labels(tmp_path / "own.png", (RED, 0.4), (BLUE, 0.6))
    both = labels(tmp_path / "both.png", (RED, 0.5), (BLUE, 0.5), size=(100, 150))
    Image.fromarray(np.dstack([np.asarray(Image.open(own)), np.asarray(Image.open(mask))[..., :1]])).save(
        tmp_path / "clear.png"
    )
    masked, alone, plain = (
        evaluate(f"--style-image coffee.png --style-regions {both} {more}")[0]
        for more in (f"--regions {own} --mask {mask}", f"--regions {tmp_path}/clear.png", f"--regions {own}")
    )
    near(masked, alone.total, alone.gradient.asnumpy(), 1e-5)
    assert abs(plain.total / masked.total - 1) > 1e-3
