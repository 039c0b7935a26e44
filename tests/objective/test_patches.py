"""Patches against brute force in float64, with ties, regions, blended styles; finite differences with kept matches."""

import numpy as np
import pytest
from objectives import objective_of
from oracle import patch_term
from PIL import Image
from scipy.ndimage import rotate

from neural_style.find_mxnet import mx
from neural_style.objective import patches
from neural_style.objective.patches import Patches
from neural_style.objective.terms import PatchShape
from neural_style.pictures import images

RANDOM = np.random.RandomState(11)


def everywhere(size):
    """The field of no region."""


def maps(*shape):
    """Features as a layer has them after a ReLU."""
    return np.maximum(RANDOM.standard_normal((1,) + shape), 0).astype("float32")


def field(inside):
    return everywhere if inside is None else lambda size: inside.astype("float32")


def found(features, styles, side, stride, inside=None):
    ours = Patches(
        [(share, [(other, field(where)) for other, where in shown]) for share, shown in styles],
        field(inside),
        PatchShape(side, stride),
    )
    ours.choose(features)
    difference = (features - ours.target) * ours.root
    return np.square(difference).sum() + ours.rest, 2 * difference * ours.root, ours.matches


LEFT, TOP = np.zeros((7, 9), bool), np.zeros((6, 8), bool)
LEFT[:, :5], TOP[:3] = True, True
ALIKE = np.tile(maps(4, 3, 3), (1, 1, 2, 3))  # every patch of it comes again


@pytest.mark.parametrize("side, stride", [(3, 1), (3, 2), (2, 1), (1, 3), (5, 1)])
@pytest.mark.parametrize(
    "styles, inside",
    [
        ([(1.0, [(maps(4, 6, 8), None)])], None),
        ([(0.3, [(maps(4, 6, 8), None)]), (0.7, [(maps(4, 5, 5), None), (maps(4, 8, 6), None)])], None),
        ([(1.0, [(maps(4, 6, 8), TOP)])], LEFT),
        ([(1.0, [(ALIKE, None)])], None),
        ([(1.0, [(np.zeros((1, 4, 6, 6), "float32"), None), (maps(4, 6, 6), None)])], None),
    ],
    ids=["one", "blended", "region", "ties", "zeros"],
)
def test_against_brute_force(styles, inside, side, stride, monkeypatch):
    monkeypatch.setattr(patches, "QUERIES", 7)  # several blocks of each
    monkeypatch.setattr(patches, "ANSWERS", 5)
    features = maps(4, 7, 9)
    energy, slope, matches = patch_term(
        features[0],
        [(share, [(other[0], where) for other, where in shown]) for share, shown in styles],
        side,
        stride,
        inside,
    )
    ours = found(features, styles, side, stride, inside)
    assert [list(numbers) for numbers in ours[2]] == matches
    assert ours[0] == pytest.approx(energy, rel=1e-5)
    np.testing.assert_allclose(ours[1][0], slope, atol=1e-4)


def test_the_style_is_cut_up_to_its_borders_and_the_image_drawn_alike_up_to_them():
    """As in CNN-MRF: 5 × 6 patches of a style of 10 × 12, 2 apart; slopes in a corner like those in the middle."""
    corners = patches.places(everywhere, (10, 12), 3, 2)
    assert len(corners) == 30 and set(corners // 12) == {0, 2, 4, 6, 7} and set(corners % 12) == {0, 2, 4, 6, 8, 9}
    assert list(patches.places(everywhere, (2, 12), 3, 2)) == []
    flat, other = (np.broadcast_to(values, (1, 12, 10, 2)).transpose(0, 3, 1, 2) for values in ([2.0, 1], [1.0, 3]))
    _, slope, _ = found(flat.astype("float32"), [(1.0, [(other.astype("float32"), None)])], 3, 2)
    np.testing.assert_allclose(slope, np.broadcast_to(2 * 9 * (flat - other), slope.shape), rtol=1e-6)


def test_an_image_of_zeros_is_similar_to_none(monkeypatch):
    ours = found(np.zeros((1, 4, 5, 5), "float32"), [(1.0, [(maps(4, 6, 6), None)])], 3, 1)
    assert not ours[2][0].any() and np.isfinite(ours[0])  # all are equally similar: the first one


def test_a_style_matches_itself():
    features = maps(8, 12, 10)
    energy, slope, (numbers,) = found(features, [(1.0, [(features, None)])], 3, 1)
    np.testing.assert_array_equal(numbers, np.arange(10 * 8))
    assert energy < 1e-4 and np.abs(slope).max() < 1e-4


@pytest.fixture
def evaluate(small, thumbnails, monkeypatch):
    """evaluate(flags): the Objective of patches with small filters, and its content."""
    monkeypatch.chdir(thumbnails)
    return lambda flags: objective_of(
        f"--content-image chelsea.png --style-image coffee.png --model-params {small} --max-long-edge 80 "
        f"--style-term patches --tv-weight 0 --clip-gradient 0 {flags}"
    )


FLAGS = [
    "--style-layers relu2_1 relu3_1",
    "--style-layers relu1_1 relu3_1 --style-term gram patches",
    "--style-layers relu2_1 --patch-size 4 --patch-stride 1",
    "--pooling max --content-weight 0",
    "--style-layers relu2_1 --patch-rotations -7.5 0 7.5 --patch-scales 0.95 1",
]


@pytest.mark.parametrize(
    "engine, bound", [("--tile 16", 1e-5), ("--precision fast32", 1e-4), ("--precision fast32 --tile 16", 1e-4)]
)
@pytest.mark.parametrize("flags", FLAGS)
def test_engines_agree(evaluate, flags, engine, bound):
    graph, content = evaluate(flags)
    image = mx.nd.array(content * 0.8 + 3)
    expected, (other, _) = graph(image), evaluate(f"{flags} {engine}")
    ours = other(image)
    assert ours.total == pytest.approx(expected.total, rel=bound)
    assert parted(ours.gradient, expected.gradient) < bound
    assert sum((one != two).sum() for one, two in zip(graph.matches, other.matches)) == 0


@pytest.mark.parametrize("engine", ["", "--precision fast32"])
def test_finite_differences_while_the_matches_are_kept(evaluate, engine):
    objective, content = evaluate(f"--style-layers relu2_1 relu3_1 --content-weight 0 {engine}")
    image = mx.nd.array(content * 0.8)
    evaluation, matches = objective(image), objective.matches
    direction = evaluation.gradient / mx.nd.norm(evaluation.gradient)
    above, below = (objective(image + sign * 0.05 * direction).total for sign in (1, -1))
    assert (above - below) / 0.1 == pytest.approx(evaluation.gradient_norm, rel=1e-2)
    for one, two in zip(matches, objective.matches):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("engine", ["", "--tile 16"])
def test_matches_are_kept_until_they_are_given_up(evaluate, engine):
    objective, content = evaluate(f"--style-layers relu2_1 relu3_1 {engine}")
    first, second = mx.nd.array(content), mx.nd.array(content[:, :, ::-1].copy())
    objective(first)
    kept = objective.matches
    stale = objective(second)
    objective.matches = ()
    fresh = objective(second)
    assert any((one != two).any() for one, two in zip(kept, objective.matches)) and fresh.total != stale.total
    objective.matches = kept  # as a run that is resumed has them
    again = objective(second)
    assert again.total == stale.total
    np.testing.assert_array_equal(again.gradient.asnumpy(), stale.gradient.asnumpy())


def parted(ours, theirs):
    return float((mx.nd.norm(ours - theirs) / mx.nd.norm(theirs)).asscalar())


def test_turned_copies_are_found(evaluate, tmp_path):
    """A style that is the content, turned: with a copy turned back, nearly every patch is its own match."""
    Image.open("chelsea.png").resize((80, 80)).save(tmp_path / "own.png")
    Image.open(tmp_path / "own.png").transpose(Image.ROTATE_90).save(tmp_path / "turned.png")
    pictures, totals = f"--content-image {tmp_path}/own.png --style-image {tmp_path}/turned.png", []
    for more in ("", "--patch-rotations -90", "--patch-rotations 90"):
        objective, content = evaluate(f"{pictures} --style-layers relu2_1 --patch-stride 1 --content-weight 0 {more}")
        totals.append(objective(mx.nd.array(content)).total)
    assert min(totals[1:]) < 1e-3 * totals[0]


@pytest.mark.parametrize("degrees", [-7.5, 7.5, 30, 45, 90, 135, 180])
@pytest.mark.parametrize("height, width", [(40, 60), (60, 20), (30, 30)])
def test_a_turned_picture_has_nothing_from_outside(height, width, degrees):
    """A plane stays one, as it would not where the edge was continued."""
    down, across = np.indices((height, width), dtype=float)
    for plane in (down, across):
        turned = images.turned(plane[None, None], degrees, 1.0)[0, 0]
        assert turned.size >= 0.14 * plane.size
        for axis in (0, 1):
            assert np.abs(np.diff(turned, 2, axis)).max(initial=0) < 1e-6


def test_a_scaled_copy():
    picture = RANDOM.standard_normal((1, 3, 20, 30))
    assert images.turned(picture, 0, 1.0) is not None and np.array_equal(images.turned(picture, 0, 1.0), picture)
    for degrees in (90, 180, -90):  # the way on which smaller angles are
        np.testing.assert_allclose(
            images.turned(picture, degrees, 1.0)[0], rotate(picture[0], degrees, (1, 2), order=1), atol=1e-9
        )
    assert images.turned(picture, 0, 0.5).shape == (1, 3, 10, 15) and images.turned(picture, 90, 1.0).shape == (
        1,
        3,
        30,
        20,
    )
