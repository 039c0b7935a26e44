"""The terms on one layer's features, shown at once or in strips, against NumPy."""

import numpy as np
import pytest
from oracle import content_term, gram, style_term

from neural_style.find_mxnet import mx
from neural_style.layers.arena import Arena
from neural_style.layers.losses import Copy, FeatureLoss, Gram, GramLoss
from neural_style.layers.segments import windows

RANDOM = np.random.RandomState(6)
FEATURES = RANDOM.standard_normal((1, 5, 23, 7)).astype("float32")


def EVERYWHERE(size):
    """The field of no region."""


def shown(observer, features, rows):
    """Show the features in strips of some rows, with a row around each; what is left is what has been shown."""
    parts, empty = windows(features.shape[2], rows, 1), Arena(2**20).empty
    parts = [(mx.nd.array(features[:, :, part.first : part.last]), part, empty) for part in parts]
    for part in parts:
        observer.observe(*part)
    return parts


def gradient(loss, parts):
    """The gradient of the cores, put together."""
    return np.concatenate([loss.gradient(*part).asnumpy()[:, :, slice(*part[1].core())] for part in parts], 2)


def assert_near(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5 * np.abs(theirs).max())


@pytest.mark.parametrize("rows", [23, 6])
@pytest.mark.parametrize("shares", [[1.0], [0.5, 0.3, 0.2]])
def test_style_of_blended_examples_of_their_own_sizes(shares, rows):
    pictures, examples = [RANDOM.standard_normal((1, 5, 9 + 4 * i, 11)) for i in range(len(shares))], []
    for picture in pictures:
        observer = Gram(EVERYWHERE)
        shown(observer, picture, rows)
        examples.append(observer.value())
    examples = [(share, [(example, EVERYWHERE)]) for share, example in zip(shares, examples)]
    loss, ratio = GramLoss(None, examples, EVERYWHERE, 0.01), 23 * 7 / 11
    for _ in range(2):  # the second time as if the first had been broken off
        loss.begin()
        parts = shown(loss, FEATURES, rows)
    value = loss.loss()
    terms = [
        style_term(FEATURES[0].astype(float), gram(picture[0]) * (ratio / picture.shape[2]), 0.01 * share)
        for picture, share in zip(pictures, shares)
    ]
    assert value * 0.01 == pytest.approx(sum(part for part, _ in terms), rel=1e-5)
    assert_near(gradient(loss, parts)[0], sum(slope for _, slope in terms))


@pytest.mark.parametrize("rows", [23, 6])
def test_content(rows):
    observer, example = Copy(EVERYWHERE), RANDOM.standard_normal(FEATURES.shape).astype("float32")
    shown(observer, example, rows)
    np.testing.assert_array_equal(observer.value(), example)
    loss = FeatureLoss(None, [(1.0, [(observer.value(), EVERYWHERE)])], EVERYWHERE, 3.0)
    for _ in range(2):
        loss.begin()
        parts = shown(loss, FEATURES, rows)
    value, slope = content_term(FEATURES.astype(float), example, 3.0)
    assert loss.loss() * 3 == pytest.approx(value, rel=1e-5)
    assert_near(gradient(loss, parts), slope)
