"""Paint follows what moves from frame to frame."""
import numpy as np

from neural_style.pictures import motion


def test_paint_follows_what_moves():
    rows, columns = np.mgrid[:64, :80]
    before = np.tile(100 * np.sin(rows / 5) * np.cos(columns / 7), (1, 3, 1, 1))
    image = np.random.RandomState(0).uniform(-100, 100, (1, 3, 64, 80)).astype("float32")
    moved = motion.follow(image, before, np.roll(before, (2, -3), (2, 3)))
    middle = np.s_[:, :, 12:-12, 12:-12]
    assert moved.dtype == np.float32 and moved.shape == image.shape
    assert np.abs(moved - np.roll(image, (2, -3), (2, 3)))[middle].mean() < 0.1 * np.abs(image).mean()
    assert np.abs(motion.follow(image, before, before) - image).max() < 1e-2
