"""A painting to learn a style from: a windy night over a bay, in thousands of brush strokes.

The scene is a list of areas from back to front, each with its shape, the direction of its brush strokes, and its
colours. Broad brushes are used first, fine ones last. A stroke follows the direction field. It is a bundle of bristles,
each with its own colour and its own thickness of paint; finally, a light from the upper left shines on the relief.

Lengths are in units of the square root of the picture's area, so that every size shows the same scene. Fields are
arrays (rows, columns) on a grid of GRID cells per unit; x points right, y points down.
"""

from collections import namedtuple
from typing import Any, List, Sequence

import numpy as np
from PIL import Image, ImageDraw

from .colours import ramp

GRID = 480  # cells per unit
POINTS = 13  # points along a stroke

PALETTES = {  # dark to light
    "sky": "0a0d2b 101c52 182f86 1c3fa8 2759c4 2a7fb8 4fa3b5 8cc4bd c5dcc6",
    "glow": "1d4c9c 2f86a6 7fb58a d9a62c f0b429 f7d24a fbe58a fff6cf",
    "far": "121a4a 1d2f6e 2b4a8c 3d6a9a 5a6fae 7d86b8",
    "near": "0b1a26 11323a 1a4a44 2c6350 4f7f4a 8a9a4c",
    "wall": "1b2440 2f3d66 51608c 8a86a0 c2ab8e",
    "roof": "2a1420 54202a 85352b b5552f d07c3c",
    "water": "090f2e 0f2258 163a82 1f5aa6 2c86a8 6bb3b0",
    "bank": "0a0f14 1a2018 2f3a1c 5a5a22 8f7a2c c08a38",
    "tree": "04070c 0a1512 14261a 23381c 3e4a1e 5e4a22 8a5a26",
}

# The coordinates of the cells, in units; the sides of the picture; how far down the shore is in each column.
View = namedtuple("View", "x y wide high shore")
# where: bool; along: unit vectors (rows, columns, 2); tone: 0..1 on the palette; glow: 0..1 on the palette "glow".
Area = namedtuple("Area", "where along palette tone brushes glow", defaults=(0,))
# The width and length of a stroke, the layers of paint, the spread of tone; tidy strokes stay inside their area.
Brush = namedtuple("Brush", "width length cover spread tidy", defaults=(False,))
BROAD, MIDDLE, LONG = Brush(0.026, 0.15, 1.6, 0.10), Brush(0.014, 0.085, 1.6, 0.13), Brush(0.0075, 0.08, 0.7, 0.2)
SMALL, DAB, DOT = Brush(0.0085, 0.05, 0.7, 0.2), Brush(0.005, 0.011, 5, 0.14, True), Brush(0.0055, 0.009, 4, 0.2)


def wander(
    rng: np.random.RandomState, field: np.ndarray, step: float, low: float = 0.0, high: float = 1.0
) -> np.ndarray:
    """A smooth random function of a field's values, low..high; a new random value every `step`, never repeating."""
    place = (field - field.min()) / step
    knots = rng.uniform(low, high, int(place.max()) + 2)
    cell = place.astype(int)
    part = place - cell
    return knots[cell] + (knots[cell + 1] - knots[cell]) * part * part * (3 - 2 * part)


def along(field: np.ndarray) -> np.ndarray:
    """Unit vectors (rows, columns, 2) along the contour lines of a field."""
    down, right = np.gradient(field)
    return np.stack([-down, right], -1) / (np.hypot(down, right) + 1e-9)[..., None]


def scatter(rng: np.random.RandomState, count: int, gap: float, box: Sequence[float], others: list) -> List[np.ndarray]:
    """Up to `count` points in box (left, top, right, bottom), at least `gap` from each other and from others."""
    points: List[np.ndarray] = []
    for point in rng.uniform(box[:2], box[2:], (80 * count, 2)):
        if len(points) < count and all(np.hypot(*(point - other[:2])) > gap for other in points + others):
            points.append(point)
    return points


def scene(rng: np.random.RandomState, wide: float, high: float) -> List[Area]:
    """The areas of a picture of wide x high units, from back to front."""
    y, x = np.mgrid[0 : high : 1 / GRID, 0 : wide : 1 / GRID]
    view = View(x, y, wide, high, 0.70 * high + 0.01 * np.sin(5 * x + rng.uniform(6)))
    areas, moon = _sky(rng, view)
    areas += _hills(rng, view)
    houses, lights = _village(rng, view)
    return [*areas, *houses, _water(rng, view, [(moon, 0.055, 1.0), *lights]), _bank(rng, view), *_trees(rng, view)]


def _sky(rng, view):
    """The areas of the sky, and where the moon is from left to right.

    The wind follows the contour lines of a stream function; the moon, eddies and stars are bumps in it.
    """
    x, y, wide, high, shore = view
    box = 0.04, 0.04, wide - 0.04, 0.5 * high
    moon = wide * rng.uniform(0.22, 0.32), high * rng.uniform(0.2, 0.26), 0.062, True
    eddies = [(*at, rng.uniform(0.09, 0.14), False) for at in scatter(rng, 5, 0.25, box, [moon])]
    stars = [(*at, rng.uniform(0.018, 0.031), True) for at in scatter(rng, 10, 0.16, box, [moon] + eddies)]
    stream = y + 0.05 * np.sin(4 * x + rng.uniform(6)) + wander(rng, x + 0.6 * y, 0.3, -0.06, 0.06)
    glow, disc = 0 * x, x < 0
    for turn, (left, top, radius, shines) in enumerate([moon] + eddies + stars):
        away = np.hypot(x - left, y - top) / radius
        near = np.exp(-((away / (1.6 if shines else 1)) ** 2))
        middle = stream[int(top * GRID), int(left * GRID)] + (-1) ** turn * radius * (5 if shines else 2.1)
        stream += near * (middle - stream)
        if shines:
            rings = np.exp(-0.62 * away) * (1 + 0.3 * np.cos(6.5 * away)) * rng.uniform(0.85, 1)
            glow, disc = np.maximum(glow, rings), disc | (away < 0.55)
    tone, wind = 0.1 + 0.66 * wander(rng, stream, 0.03) ** 1.4 + 0.2 * (y / shore) ** 2, along(stream)
    areas = [
        Area(y < shore, wind, "sky", tone, (BROAD, MIDDLE, LONG, SMALL), glow),
        Area(glow > 0.3, wind, "glow", glow, (SMALL,)),
        Area(disc, wind, "glow", 0.96 + 0 * x, (SMALL, DOT)),
    ]
    return areas, moon[0]


def _hills(rng, view):
    x, y, _, _, shore = view
    for palette, lift, foot, step, tall in (("far", 0.25, 0.045, 0.16, 0.15), ("near", 0.05, 0.015, 0.3, 0.09)):
        below = y - shore + foot + wander(rng, x, step, 0, tall)
        folds = below + 0.02 * np.sin(9 * x + 20 * y)
        tone = lift + 0.8 * wander(rng, folds, 0.016) * np.exp(-below / 0.12)
        yield Area((below > 0) & (y < shore), along(folds), palette, tone, (MIDDLE, SMALL))


def _village(rng, view):
    """The areas of walls, roofs and lit windows along the shore, one house being a steeple; and the lights."""
    x, y, wide, _, shore = view
    wall, roof, window = x < 0, x < 0, x < 0
    lights = []
    houses = [
        (left + rng.uniform(-0.015, 0.015), rng.uniform(0.014, 0.02), rng.uniform(0.025, 0.036), 0.028)
        for left in np.arange(0.1 * wide, 0.7 * wide, 0.05)
    ]
    for left, half, tall, peak in [(wide * rng.uniform(0.4, 0.6), 0.011, 0.06, 0.075)] + houses:
        aside, rise = np.abs(x - left), shore - rng.uniform(0, 0.025) - y
        inside = (aside < half) & (rise > 0) & (rise < tall)
        cap = (rise >= tall) & (rise < tall + peak * (1 - aside / half / 1.25))
        wall, roof = (wall & ~cap) | inside, (roof & ~inside) | cap
        if rng.rand() < 0.8:
            window |= np.hypot(aside - rng.uniform(0, 0.5) * half, 0.8 * rise - 0.36 * tall) < 0.0045
            lights.append((left, 0.01, rng.uniform(0.7, 1)))
    areas = [
        Area(wall, along(x), "wall", wander(rng, x, 0.012), (DAB,)),
        Area(roof, along(y), "roof", wander(rng, x, 0.012), (DAB,)),
        Area(window, along(y), "glow", 0.65 + 0 * x, (DOT,)),
    ]
    return areas, lights


def _water(rng, view, lights):
    """Horizontal strokes that reflect the lights above them."""
    x, y, _, high, shore = view
    deep, glow = (y - shore) / (high - shore), 0 * x
    ripple = y + 0.004 * np.sin(40 * x + 90 * y) + wander(rng, x, 0.1, -0.008, 0.008)
    tone = 0.08 + 0.75 * wander(rng, ripple, 0.01) * wander(rng, x, 0.07, 0.5, 1)
    for left, size, power in lights:
        glow += power * np.exp(-(((x - left) / size / (1 + deep)) ** 2)) * (1 - 0.6 * deep)
    glow = glow.clip(0, 1) * wander(rng, ripple, 0.008, 0.1, 1)
    return Area(y >= shore, along(ripple), "water", tone, (MIDDLE, SMALL, SMALL), glow)


def _bank(rng, view):
    x, y, wide, high, _ = view
    bank = high * 0.95 - 0.13 * (x / wide) ** 3 - wander(rng, x, 0.12, 0, 0.04)
    blades = x + 0.3 * y + wander(rng, x + 0.3 * y, 0.07, -0.03, 0.03) + 0.02 * np.sin(14 * y + 9 * x)
    return Area(y > bank, along(blades), "bank", 0.9 * wander(rng, blades, 0.02), (MIDDLE, MIDDLE, LONG))


def _trees(rng, view):
    """Cypresses: flames whose contour lines meet at the tip."""
    x, y, wide, high, _ = view
    for left, top, girth in ((0.87, 0.06, 0.085), (0.785, 0.4, 0.05), (0.95, 0.34, 0.055)):
        climb = np.clip((y / high - top) / (1 - top), 1e-3, 1)
        half = girth * climb**0.75 * (1.3 - 0.6 * climb) * wander(rng, y, 0.05, 0.85, 1.2)
        flame = (x - left * wide - 0.015 * np.sin(6 * climb + rng.uniform(6))) / half
        licks = flame + 0.12 * np.sin(17 * climb + 3 * flame + rng.uniform(6))
        tone = 0.82 * wander(rng, licks + 0.5 * climb, 0.13) ** 1.5
        yield Area((np.abs(flame) < 1) & (climb > 0.002), along(licks), "tree", tone, (MIDDLE, MIDDLE, LONG))


def lay(draw: Any, scale: float, rng: np.random.RandomState, area: Area, brush: Brush) -> None:
    """Cover an area with one brush; draw is for an RGBA canvas, `scale` pixels per unit, A the height of the paint."""
    spots, path = _strokes(rng, area, brush)
    count, bristles = len(spots), max(5, int(round(brush.width * 620)))
    across = np.linspace(-1, 1, bristles) + rng.uniform(-0.5, 0.5, (count, bristles)) / bristles
    lines, first, last = _bristles(rng, brush, path, across)
    inks = _inks(rng, area, brush, _cells(area, spots), across)
    thick = max(1, int(round(1.35 * brush.width / bristles * scale)))
    for stroke in zip((lines * scale).tolist(), inks.tolist(), first, last):
        for line, ink, start, stop in zip(*stroke):
            draw.line(line[2 * start : 2 * stop], tuple(ink), thick)


def _cells(area, points):
    """The cells of an area's fields, (rows, columns), that points (..., 2) are in."""
    rows, columns = area.where.shape
    right, down = np.moveaxis((points * GRID).astype(int), -1, 0)
    return down.clip(0, rows - 1), right.clip(0, columns - 1)


def _strokes(rng, area, brush):
    """The middle of each stroke, (count, 2), and its path, (count, POINTS, 2), along the area's direction."""
    rows, columns = area.where.shape
    gap = np.sqrt(brush.width * brush.length / brush.cover)
    spots = np.mgrid[0 : columns / GRID : gap, 0 : rows / GRID : gap].reshape(2, -1).T
    spots = rng.permutation(spots + rng.uniform(0, gap, spots.shape))
    spots = spots[area.where[_cells(area, spots)]]
    stride = brush.length / POINTS * rng.uniform(0.6, 1.35, (len(spots), 1))
    ends = [spots], [spots]
    for end, step in zip(ends, (-stride, stride)):
        for _ in range(POINTS // 2):
            end.append(end[-1] + step * area.along[_cells(area, end[-1])])
    path = np.stack(ends[0][:0:-1] + ends[1], 1)
    if not brush.tidy:
        return spots, path
    inside = area.where[_cells(area, path[:, 0])] & area.where[_cells(area, path[:, -1])]
    return spots[inside], path[inside]


def _bristles(rng, brush, path, across):
    """The line of each bristle, (count, bristles, 2 * POINTS), and the numbers of its first and last point.

    They lie side by side; varying pressure and their ragged ends make the stroke taper.
    """
    press = np.interp(np.linspace(0, 1, POINTS), [0, 0.15, 0.6, 1], [0.6, 1, 0.85, 0.15]) * brush.width / 2
    offset = across[..., None] * press * rng.uniform(0.6, 1.25, (len(path), 1, 1))
    ahead = np.gradient(path, axis=1)
    normal = ahead[..., ::-1] * [-1, 1] / (np.hypot(ahead[..., 0], ahead[..., 1]) + 1e-9)[..., None]
    lines = (path[:, None] + normal[:, None] * offset[..., None]).reshape(*across.shape, 2 * POINTS)
    first = (rng.uniform(0, 1.6, across.shape) + 1.6 * across**2).astype(int)
    return lines, first, POINTS - (rng.exponential(1.6, across.shape) + 2 * across**2).astype(int).clip(0, POINTS - 4)


def _inks(rng, area, brush, cells, across):
    """The colour and the height of each bristle's paint, (count, bristles, 4).

    The brush carries two paints that mix unevenly; the bristles at its sides leave higher ridges.
    """
    count = len(across)
    tone, glow = area.tone[cells][:, None], (area.glow + 0 * area.tone)[cells][:, None]
    lit = rng.rand(count, 1, 1) < 2.6 * glow[..., None] - 0.3
    light = ramp(PALETTES["glow"], glow + 0.1 * rng.randn(count, 2))
    paints = np.where(lit, light, ramp(PALETTES[area.palette], tone + brush.spread * rng.randn(count, 2)))
    mix = 0.5 + 0.5 * across * rng.choice([-1, 1], (count, 1)) + 0.25 * rng.randn(*across.shape)
    mix = mix.clip(0, 1)[..., None]
    colour = (paints[:, :1] * (1 - mix) + paints[:, 1:] * mix) * rng.uniform(0.86, 1.12, (*across.shape, 1))
    relief = rng.uniform(60, 150, (count, 1)) + 55 * across**2 + rng.uniform(-45, 45, across.shape)
    return np.concatenate([colour + 5 * rng.randn(count, 1, 3), relief[..., None]], -1).clip(0, 255).astype(int)


def paint(height: int, width: int, seed: int) -> np.ndarray:
    """A night, uint8 RGB (height, width, 3)."""
    rng = np.random.RandomState(seed)
    unit = np.sqrt(height * width)
    zoom = max(2, 700 / unit)  # drawn larger than needed, for soft edges and to fit bristles into a small picture
    canvas = Image.new("RGBA", (int(width * zoom), int(height * zoom)), (20, 22, 60, 60))
    for area in scene(rng, width / unit, height / unit):
        for brush in area.brushes:
            lay(ImageDraw.Draw(canvas), unit * zoom, rng, area, brush)
    bands = (band.resize((width, height), Image.Resampling.BOX) for band in canvas.split())
    red, green, blue, relief = (np.asarray(band, np.float64) for band in bands)
    down, right = np.gradient(relief)
    slope = ((down + 1.2 * right) / 60).clip(-1, 1)[..., None]
    return (np.stack([red, green, blue], -1) * (1 + 0.38 * slope) + 16 * slope).clip(0, 255).astype(np.uint8)
