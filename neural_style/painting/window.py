"""The design of a stained-glass window: the sun, hills, waves and flowers, as panes of coloured glass.

It is a list of areas from back to front. Each has panes with coordinates of their own, along and across their shape, in
which they are cut into pieces.

Lengths are in units of the square root of the picture's area. Fields are arrays (rows, columns); x points right, y
points down.
"""

from collections import namedtuple
from typing import Iterator, List, Sequence, Tuple

import numpy as np

GLASS = {  # dark to light: beside the lead, in the body, where light falls through
    "ruby": "2e000c 6a0014 a8031c d80c22 f42a2c ff6a3c ffb070",
    "amber": "7c2600 c45000 ee8000 fb9f04 ffc02a ffe070 fff6c0",
    "rose": "46042a 860a48 c01460 e62c7a f85a90 ff94a8 ffd0c8",
    "violet": "16033a 340770 5a12a4 7c26d0 a04cf0 c888ff ecc8ff",
    "cobalt": "02063c 041470 062aa8 0c4cdc 2c80fa 74b8ff c8e8ff",
    "azure": "002c50 005488 0084b8 06b0dc 3cd4ec 90eef4 dcfcfa",
    "emerald": "002414 004c28 007840 04a456 30cc74 84f0a0 d4fcd0",
    "lime": "163a00 306800 5c9800 8cc40c bce434 e4f880 fafed0",
    "white": "d88a20 f6bc48 fddc88 fdeab4 fff6d8 fffcf0 ffffff",
}
RAYS = ("amber", "white"), ("ruby", "amber"), ("violet", "ruby"), ("cobalt", "violet"), ("azure", "cobalt")
LAND = (  # level, swell and rate of the top edge; thickness, rows and glass of the band along it; glass below
    (0.57, 0.055, 2.9, 0.10, 2, "emerald", "lime"),
    (0.67, 0.06, 4.2, 0.075, 2, "lime", "emerald"),
    (0.75, 0.03, 8, 0.032, 1, "white", "azure"),
    (0.79, 0.034, 7, 0.06, 1, "cobalt", "azure"),
    (0.855, 0.036, 6, 0.055, 1, "azure", "violet"),
    (0.92, 0.034, 5, 0.06, 1, "violet", "cobalt"),
)
FLOWERS = (  # place and size; glass of the outer petals, of the inner ones, and of the heart
    (0.36, 0.62, 0.12, ("violet", "rose"), ("white", "rose"), ("amber",)),
    (0.15, 0.35, 0.165, ("ruby", "rose"), ("amber", "white"), ("ruby",)),
    (0.87, 0.66, 0.135, ("amber", "ruby"), ("violet", "rose"), ("amber",)),
)

# where: bool; pane: numbers of its panes, which have these kinds of glass in turn; along, across: counted in pieces.
Area = namedtuple("Area", "where glass pane along columns across rows", defaults=(0, 1))
MANY = 1000


def parts(rng: np.random.RandomState, count: int, spread: float) -> np.ndarray:
    """The borders 0..1 of `count` parts of uneven widths."""
    widths = np.cumsum(np.append(0, rng.uniform(1 - spread, 1 + spread, count)))
    return widths / widths[-1]


def between(borders: np.ndarray, field: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """After which of the borders a field's values are, and how far on the way to the next one, 0..1."""
    number = np.clip(np.searchsorted(borders, field, "right") - 1, 0, len(borders) - 2)
    return number, ((field - borders[number]) / np.diff(borders)[number]).clip(0, 0.999)


def around(x: np.ndarray, y: np.ndarray, left: float, top: float, turn: float) -> Tuple[np.ndarray, np.ndarray]:
    """The distance from a point, and the angle at it, 0..1."""
    return np.hypot(x - left, y - top), (np.arctan2(y - top, x - left) / (2 * np.pi) + turn) % 1


def sun(rng: np.random.RandomState, x: np.ndarray, y: np.ndarray, wide: float, high: float) -> List[Area]:
    """The sky in rays that bend, and the disc in rings."""
    away, angle = around(x, y, wide * rng.uniform(0.6, 0.7), high * rng.uniform(0.3, 0.36), rng.rand())
    ray, across = between(parts(rng, 16, 0.3), (angle + 0.13 * away) % 1)
    ring, along = between(np.array([0.1, 0.25, 0.38, 0.58, 0.82, 1.3]), away + 0.045 * (ray % 2))
    columns, rows = np.array([1, 2, 2, 2, 4])[ring], 1 + (ring > 1)
    glass = [RAYS[each // 16][each % 2] for each in range(16 * len(RAYS))]
    sky = Area(away >= 0, glass, 16 * ring + ray, along * columns, columns, across * rows, rows)
    ring, across = between(np.array([0, 0.052, 0.094, 0.14, 9]), away * (1 + 0.04 * np.sin(14 * np.pi * angle)))
    return [sky, Area(ring < 3, ("white", "amber", "ruby"), ring, angle * (4 + 5 * ring), MANY, across)]


def land(rng: np.random.RandomState, x: np.ndarray, y: np.ndarray, wide: float, high: float) -> Iterator[Area]:
    """Hills and waves: bands along their upper edge."""
    for level, swell, rate, band, rows, *glass in LAND:
        phase = rate * x + rng.uniform(6)
        depth = y - level * high - swell * (np.sin(phase) + 0.3 * np.sin(2 * phase + 1))
        yield Area(depth > 0, glass, (depth > band) + 0, x / 0.07 + 3 * depth, MANY, depth / band % 1 * rows, rows)


def flower(
    rng: np.random.RandomState,
    x: np.ndarray,
    y: np.ndarray,
    left: float,
    top: float,
    size: float,
    outer: Sequence[str],
    inner: Sequence[str],
    heart: Sequence[str],
) -> Iterator[Area]:
    """A stem with leaves, two rings of petals, and a heart."""
    aside = x - left - 0.13 * np.sin(4 * (y - top) + rng.uniform(6)) * (y - top).clip(0)
    yield Area((np.abs(aside) < 0.011) & (y > top), ("lime",), 0, (y - top) / 0.06, MANY)
    for side, foot in ((1, 1.7), (-1, 2.1)):
        out = side * aside / (1.2 * size)
        half = 0.3 * size * np.sin(np.pi * out.clip(0, 1)).clip(0) ** 0.8 + 1e-6
        rise = (y - top - foot * size + 0.4 * size * out) / half
        yield Area((np.abs(rise) < 1) & (half > 0.001), ("emerald",), 0, 2 * out, 2, (rise + 1).clip(0, 1.99), 2)
    for count, share, rows, glass in ((8, 1, 2, outer), (6, 0.56, 1, inner)):
        away, angle = around(x, y, left, top, rng.rand())
        petal, across = between(parts(rng, count, 0.15), angle)
        reach = size * share * (0.55 + 0.45 * (1 - np.abs(2 * across - 1)) ** 0.7)
        yield Area(away < reach, glass, petal, 0 * away, 1, across * rows, rows)
    yield Area(away < 0.2 * size, heart, 0, 3 * angle, 3)


def window(
    rng: np.random.RandomState, x: np.ndarray, y: np.ndarray, wide: float, high: float
) -> Tuple[np.ndarray, ...]:
    """The fields of what is seen: the numbers of the pane and of its glass, and where in its pane a pixel is."""
    areas = [*sun(rng, x, y, wide, high), *land(rng, x, y, wide, high)]
    for left, top, size, *glass in FLOWERS:
        areas += flower(rng, x, y, left * wide, top * high, size, *glass)
    seen = np.zeros((6, *x.shape), np.float32)
    for number, (where, glass, pane, *place) in enumerate(areas):
        kind = np.array([list(GLASS).index(name) for name in glass])[pane % len(glass)]
        for field, part in zip(seen, (pane + 100 * number, kind, *place)):
            np.copyto(field, part, "unsafe", where)
    return (*seen[:2].astype(int), *seen[2:])
