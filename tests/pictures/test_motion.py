"""Paint follows what moves from frame to frame."""

import numpy as np

from neural_style.pictures import motion


def test_paint_follows_what_moves():
    rows, columns = np.mgrid[:64, :80]
    before = np.tile(100 * np.sin(rows / 5) * np.cos(columns / 7), (1, 3, 1, 1))
    image = np.random.RandomState(0).uniform(-100, 100, (1, 3, 64, 80)).astype("float32")
    moved = motion.between(before, np.roll(before, (2, -3), (2, 3))).moved(image)
    middle = np.s_[:, :, 12:-12, 12:-12]
    assert moved.dtype == np.float32 and moved.shape == image.shape
    assert np.abs(moved - np.roll(image, (2, -3), (2, 3)))[middle].mean() < 0.1 * np.abs(image).mean()
    assert np.abs(motion.between(before, before).moved(image) - image).max() < 1e-2


def scene(left, height=96, width=128):
    """A dark square at this column before a smooth, still background, (1, 3, H, W), and where the square is."""
    rows, columns = np.mgrid[:height, :width]
    picture = np.tile(60 * np.sin(rows / 4) * np.cos(columns / 5), (1, 3, 1, 1))
    square = (abs(rows - 48) < 16) & (abs(columns - left - 16) < 16)
    return np.where(square, -100 + 20 * np.sin((columns - left) / 3) * np.cos(rows / 3), picture), square


def test_what_was_hidden_is_not_taken_from_before():
    (before, old), (now, new) = scene(40), scene(46)
    move = motion.between(before, now)
    uncovered, far = old & ~new, ~(old | new)
    assert move.weight[uncovered].mean() < 0.2 and move.weight[far].mean() > 0.85 and not move.is_cut
    red = np.where(old, 100, 0) * np.ones((1, 3, 1, 1))
    trail = move.blended(red, np.zeros_like(red))[0, 0]
    assert trail[uncovered].mean() < 10 and trail[new][trail[new] > 50].size > 0.5 * new.sum()


def test_what_comes_in_from_outside_is_not_taken_from_before():
    rows, columns = np.mgrid[:64, :90]
    whole = np.tile(100 * np.sin(rows / 5) * np.cos(columns / 7), (1, 3, 1, 1))
    move = motion.between(whole[..., :80], whole[..., 6:86])
    assert move.outside[:, -5:].all() and not move.outside[:, :-8].any()
    red, grey = np.full((1, 3, 64, 80), 100), np.zeros((1, 3, 64, 80))
    assert (
        np.abs(move.started(red, grey)[..., -5:] - 50).max() < 1
        and np.abs(move.blended(red, grey)[..., -5:]).max() < 10
    )
    assert move.weight[:, -5:].max() < 0.1 and move.weight[8:-8, 8:-16].mean() > 0.9


def test_another_scene_is_a_cut():
    random = np.random.RandomState(0)
    one, other = (np.kron(random.uniform(-100, 100, (1, 3, 12, 16)), np.ones((1, 1, 8, 8))) for _ in range(2))
    assert motion.between(one, other).is_cut and not motion.between(one, one).is_cut
    assert motion.between(one, one).weight.min() > 0.99


def test_large_pictures_are_compared_at_half_the_size():
    rows, columns = np.mgrid[:181, :363]
    before = np.tile(100 * np.sin(rows / 9) * np.cos(columns / 11), (1, 3, 1, 1))
    now = np.roll(before, (2, -4), (2, 3))
    move = motion.between(before, now)
    assert (
        np.abs(move.moved(before) - now)[:, :, 16:-16, 16:-16].mean() < 2 and move.weight[16:-16, 16:-16].mean() > 0.95
    )
