"""A colour woodcut to learn a style from: the night, cut in lines that follow its brush strokes, over flat tints.

The lines are noise, smoothed along the strokes and sharpened across them again and again, until it is stripes; they are
inked as wide as the scene is dark there.
"""

import numpy as np
from scipy import ndimage

from .colours import ramp, shrunk
from .night import PALETTES, scene

FINE = 640  # pixels per unit, at least, before the picture gets its size
LINE, LENGTH, ROUNDS = 0.0034, 0.05, 4  # a sixth of the distance between lines; how far they keep straight, in units
PAPER, INK = (246, 234, 206), (26, 22, 30)
TINTS = {  # what is printed below the lines
    "sky": "5c9cc0 8cc0cc d8dcc0",
    "glow": "f0a83c f6c860 faeab0",
    "far": "7c8cb4 9cb0c0",
    "near": "6c9c70 a8bc7c",
    "wall": "d8b890 ecd4ac",
    "roof": "c8442c dc6c40",
    "water": "3c84a8 78b4bc b8d4c4",
    "bank": "b08c3c d4b45c",
    "tree": "4c7c4c 7c9c54",
}


def streaks(rng: np.random.RandomState, turn: np.ndarray, scale: float) -> np.ndarray:
    """Stripes -1..1 along the directions `turn`, as noise that has been smoothed along them."""
    ahead, lines = np.stack([np.sin(turn), np.cos(turn)]), rng.normal(0, 1, turn.shape)
    steps = int(LENGTH * scale / 2)
    for _ in range(ROUNDS):
        wide, narrow = (ndimage.gaussian_filter(lines, LINE * scale * sigma) for sigma in (1.6, 1))
        lines = narrow - wide
        total = lines.copy()
        for sign in (1, -1):
            place, way = np.mgrid[: turn.shape[0], : turn.shape[1]].astype(float), sign * ahead
            for _ in range(steps):
                place += 2 * way
                row, column = (np.rint(at).astype(int).clip(0, side - 1) for at, side in zip(place, turn.shape))
                here = ahead[:, row, column]
                way = here * np.sign((here * way).sum(0))  # a stroke has no front
                total += ndimage.map_coordinates(lines, place, order=1, mode="nearest")
        lines = total / (np.sqrt(ndimage.gaussian_filter(total**2, 6 * LINE * scale)) + 1e-9)
    return lines / np.sqrt(2)


def paint(height: int, width: int, seed: int) -> np.ndarray:
    """A woodcut, uint8 RGB (height, width, 3)."""
    rng, unit = np.random.RandomState(seed), np.sqrt(height * width)
    scale = max(FINE, unit)
    areas = scene(rng, width / unit, height / unit)
    shape = areas[0].where.shape
    light, turn, tint = np.zeros(shape), np.zeros(shape), np.zeros((*shape, 3))
    outline = np.zeros(shape, bool)
    for area in areas:
        glow = area.glow + 0 * area.tone
        paint = np.where(glow[..., None] > 0.3, ramp(PALETTES["glow"], glow), ramp(PALETTES[area.palette], area.tone))
        flat = np.where(glow[..., None] > 0.3, ramp(TINTS["glow"], glow), ramp(TINTS[area.palette], area.tone))
        for field, own in (
            (light, paint.mean(-1) / 255),
            (turn, np.arctan2(area.along[..., 1], area.along[..., 0])),
            (tint, flat),
        ):
            field[area.where] = own[area.where]
        outline &= ~area.where
        outline |= area.where ^ ndimage.binary_erosion(area.where, iterations=2, border_value=1)
    size = int(height / unit * scale), int(width / unit * scale)
    rows, columns = (np.arange(n) * m // n for n, m in zip(size, shape))
    light, turn, tint, outline = (field[rows][:, columns] for field in (light, turn, tint, outline))
    outline = ndimage.gaussian_filter(outline.astype(float), 0.003 * scale) > 0.36
    dark = ndimage.gaussian_filter(1 - 1.5 * light, 0.002 * scale).clip(0.04, 0.74)
    ink = (0.5 + 3 * (np.sin(np.pi * (dark - 0.5)) - streaks(rng, turn, scale))).clip(0, 1)
    ink = ndimage.gaussian_filter(np.maximum(ink, outline), 0.0012 * scale)[..., None]
    worn = ndimage.gaussian_filter(rng.normal(0, 1, size), 1.2)[..., None]
    picture = tint + 0.25 * (PAPER - tint) + 10 * worn
    picture += (np.array(INK) - picture) * (ink * (1 - 0.12 * (worn > 0.28)))
    return shrunk(picture, height, width)
