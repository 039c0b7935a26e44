"""A stained-glass window to learn a style from: pieces of coloured glass between lines of lead, and light behind them.

The pieces are the cells of a Voronoi diagram in the coordinates of the panes, so they follow the shapes of the design.
No random number depends on the count of pixels: every size shows the same window.
"""

from typing import Tuple

import numpy as np
from scipy import ndimage

from .colours import ramp, shrunk
from .window import GLASS, window

FINE = 1000  # pixels per unit, at least, before the picture gets its size
DICE = 64  # sides of a table of random numbers; every piece has its place there
LEAD, WIDE, NARROW, SOLDER = (12, 7, 24), 0.0078, 0.0054, 0.0022  # between panes and between pieces; rounds corners


def noise(table: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Smooth random values 0..1 at the places x, y; a table has those at whole ones."""
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, down = (part * part * (3 - 2 * part) for part in (x - left, y - top))
    upper, lower = (
        table[row % DICE, left % DICE] * (1 - right) + table[row % DICE, (left + 1) % DICE] * right
        for row in (top, top + 1)
    )
    return upper * (1 - down) + lower * down


def cut(
    dice: np.ndarray, pane: np.ndarray, along: np.ndarray, columns: np.ndarray, across: np.ndarray, rows: np.ndarray
) -> Tuple[np.ndarray, np.ndarray]:
    """The place of every pixel's piece in the tables, and the squared distance from the piece's heart."""
    row, column = np.floor(across).astype(int), np.floor(along).astype(int)
    nearest, piece = np.full(pane.shape, np.inf, np.float32), 0 * pane
    for down, right in np.ndindex(3, 3):
        i, j = row + down - 1, column + right - 1
        place = (i + 7 * pane) % DICE * DICE + (j + 23 * pane) % DICE
        away = (j + 0.12 + 0.76 * dice[0].take(place) - along) ** 2 + (
            i + 0.2 + 0.6 * dice[1].take(place) - across
        ) ** 2
        nearer = (away < nearest) & (i >= 0) & (i < rows) & (j >= 0) & (j < columns)
        nearest[nearer], piece[nearer] = away[nearer], place[nearer]
    return piece, nearest


def from_border(label: np.ndarray) -> np.ndarray:
    """How far, in pixels, every pixel is from where a label changes."""
    return ndimage.distance_transform_edt(ndimage.maximum_filter(label, 2) == ndimage.minimum_filter(label, 2))


def bubbles(dice: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Light inside of small bubbles, and dark around them; they keep together."""
    chance, size, left, top = dice[2:, np.floor(y).astype(int) % DICE, np.floor(x).astype(int) % DICE]
    away = np.hypot(x % 1 - 0.25 - 0.5 * left, y % 1 - 0.25 - 0.5 * top) / (0.06 + 0.14 * size**2)
    light = 0.3 * np.exp(-(away**2)) - 0.2 * np.exp(-(((away - 1.3) / 0.35) ** 2))
    return light * (chance < 0.4 * noise(dice[0], 0.11 * x, 0.11 * y) ** 2)


def paint(height: int, width: int, seed: int) -> np.ndarray:
    """A window, uint8 RGB (height, width, 3)."""
    rng, unit = np.random.RandomState(seed), np.sqrt(height * width)
    dice, scale = rng.rand(6, DICE, DICE).astype(np.float32), max(FINE, unit)
    y, x = np.mgrid[: height / unit : 1 / scale, : width / unit : 1 / scale].astype(np.float32)
    x, y = (each + 0.012 * noise(table, 9 * x, 9 * y) for each, table in zip((x, y), dice))  # no hand draws a line
    pane, kind, *place = window(rng, x, y, width / unit, height / unit)
    piece, from_heart = cut(dice, pane, *place)
    shade, turn, shift = (table.take(piece) for table in dice[2:5])

    edge = from_border(piece + DICE**2 * pane) / scale
    thick = 0.35 + 0.35 * noise(dice[2], 11 * x, 11 * y)
    lead = ((edge < NARROW * thick) | (from_border(pane) / scale < WIDE * thick)).astype(np.float32)
    lead = ((ndimage.gaussian_filter(lead, SOLDER * scale) - 0.5) * 3 * SOLDER * scale + 0.5).clip(0, 1)[..., None]

    # Light is strong in the middle of a piece; the glass was drawn in a direction, which makes streaks.
    sine, cosine = np.sin(2 * np.pi * turn), np.cos(2 * np.pi * turn)
    bend = 9 * noise(dice[0], 12 * x, 12 * y)
    streaks = noise(dice[4], 6 * (x * cosine + y * sine) + 40 * shift, 70 * (y * cosine - x * sine) + bend)
    tone = 0.34 * shade + 0.46 * (0.6 - 1.5 * from_heart).clip(-0.6, 1) - 0.3 * np.exp(-edge / 0.007)
    tone += 0.32 * streaks + 0.25 * noise(dice[5], 3 * x, 3 * y) + bubbles(dice, x / 0.014, y / 0.014) - 0.02
    picture = np.zeros((*x.shape, 3), np.float32)
    for number, palette in enumerate(GLASS.values()):
        picture[kind == number] = ramp(palette, tone[kind == number])
    picture += (LEAD - picture) * lead
    glare = ndimage.gaussian_filter(picture, (0.012 * scale, 0.012 * scale, 0)) / 255
    picture = 255 - (255 - picture) * (1 - 0.16 * glare)
    return shrunk(picture, height, width)
