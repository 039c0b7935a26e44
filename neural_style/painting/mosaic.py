"""A mosaic to learn a style from: the design of the window, laid in small stones that follow the outlines.

The stones are the cells of a Voronoi diagram whose distance is the larger one along and across the nearest outline, so
that they are about square; moved to the middle of their cells again and again, they come to lie in rows (Hausner,
*Simulating Decorative Mosaics*, SIGGRAPH 2001).
"""

import numpy as np
from scipy import ndimage
from scipy.spatial import cKDTree

from .colours import ramp, shrunk
from .glass import from_border
from .window import GLASS, window

FINE = 640  # pixels per unit, at least, before the picture gets its size
STONE, JOINT, ROUNDS, NEAR = 0.029, 0.0028, 12, 6  # sides, in units; rounds of moving; stones that may own a pixel
GROUT = (226, 214, 190)
STONES = {  # what is laid in place of each kind of glass, dark to light
    "ruby": "7c1a16 a82a1e c8402a e0623e",
    "amber": "b87412 d8981c ecb838 f8d868",
    "rose": "b0504c d07866 e8a088 f4c4ac",
    "violet": "4c2c5c 6c4480 8c66a0 b090bc",
    "cobalt": "14306c 1c4890 2c66b4 5890d0",
    "azure": "146078 20849c 48a8b8 88ccd0",
    "emerald": "0c4c3c 1c6c50 3c9068 74b48c",
    "lime": "607820 84982c a8b848 ccd47c",
    "white": "d8c8a8 e8dcc0 f4ecd8 fcf8ec",
}


def lay(points: np.ndarray, turn: np.ndarray, pane: np.ndarray, spots: np.ndarray) -> np.ndarray:
    """The number of the stone that owns each of the spots (…, 2); a stone stays in its pane."""
    _, near = cKDTree(points).query(spots, NEAR)
    down, right = np.moveaxis(spots[..., None, :] - points[near], -1, 0)
    at = tuple(points.astype(int).T)
    sine, cosine = np.sin(turn[at])[near], np.cos(turn[at])[near]
    away = np.maximum(abs(right * cosine + down * sine), abs(down * cosine - right * sine))
    away = away + 1e6 * (pane[at][near] != pane[tuple(spots.astype(int).T)].T[..., None])
    return np.take_along_axis(near, away.argmin(-1)[..., None], -1)[..., 0]


def paint(height: int, width: int, seed: int) -> np.ndarray:
    """A mosaic, uint8 RGB (height, width, 3)."""
    rng, unit = np.random.RandomState(seed), np.sqrt(height * width)
    scale = max(FINE, unit)
    y, x = np.mgrid[: height / unit : 1 / scale, : width / unit : 1 / scale].astype(np.float32)
    pane, kind, *_ = window(rng, x, y, width / unit, height / unit)
    down, right = np.gradient(ndimage.gaussian_filter(from_border(pane), 0.5 * STONE * scale))
    turn = np.arctan2(down, right)

    spots = np.moveaxis(np.mgrid[: len(x), : x.shape[1]], 0, -1)
    points = spots[:: int(STONE * scale), :: int(STONE * scale)].reshape(-1, 2) + rng.uniform(0, 1, 2)
    sparse = spots[::2, ::2]
    for _ in range(ROUNDS):
        owner = lay(points, turn, pane, sparse).ravel()
        count = np.bincount(owner, minlength=len(points))
        sums = [np.bincount(owner, sparse[..., i].ravel(), len(points)) for i in range(2)]
        points = np.where(count[:, None] > 0, np.stack(sums, -1) / np.maximum(count, 1)[:, None], points)
    owner = lay(points, turn, pane, spots)

    # Each stone has its own colour, and its own tilt to the light.
    tilt, off = rng.normal(0, 1, (len(points), 2)), (spots - points[owner]) / (STONE * scale)
    tone = rng.uniform(0.1, 0.9, len(points))[owner] + 0.12 * (tilt[owner] * off).sum(-1)
    picture = np.zeros((*x.shape, 3))
    laid = kind[tuple(points.astype(int).T)][owner]
    for number, name in enumerate(GLASS):
        picture[laid == number] = ramp(STONES[name], tone[laid == number])
    edge = from_border(owner) / scale
    picture += 45 * (np.exp(-edge / 0.006) * np.sign(-off.sum(-1)) * (np.abs(off).max(-1) > 0.2))[..., None]
    joint = ndimage.gaussian_filter((edge < JOINT).astype(float), 0.0012 * scale)[..., None]
    picture += (np.array(GROUT) - picture) * joint
    grain = 6 * ndimage.gaussian_filter(rng.normal(0, 1, x.shape), 0.8)[..., None]
    return shrunk(picture + grain, height, width)
