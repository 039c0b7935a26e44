"""Patches of features, each drawn towards the most similar one of the style: Li and Wand, CVPR 2016.

The energy is E = Σ_i ‖Ψ_i − Ψ_NN(i)‖² over all patches Ψ_i of an image's features, where NN(i) is the style's patch
with the largest normalised cross-correlation; but at a border, where fewer patches cover a position than its s² in the
middle, it counts as much as there, as in the authors' program. As long as the matches are kept, that is a quadratic in
the features F: with T_p the mean of what the matches of the patches over a position p have there,

    E = Σ_p s²·‖F_p − T_p‖² + a rest that no image can change,    ∂E/∂F_p = 2·s²·(F_p − T_p)

so an evaluation costs no more than that of a content term. Only choosing matches takes products of all patches.
"""

from typing import Any, Callable, List, NamedTuple, Tuple, Union

import numpy as np

from ..system.errors import UsageError
from ..system.types import Size
from .terms import PatchShape

EQUAL = 2e-6  # similarities that differ by less are equal except for rounding, and the first patch is used
QUERIES, ANSWERS = 4096, 1024  # patches whose similarities are in memory at once


class Source(NamedTuple):
    """Patches of one or several pictures' features, as places in them."""

    features: np.ndarray  # (positions, C)
    corners: np.ndarray  # the position of each patch's upper left corner,
    pitches: np.ndarray  # and how many positions on its next row is

    def take(self, which: Union[np.ndarray, slice], side: int) -> np.ndarray:
        """Some of the patches, (n, side, side, C)."""
        corners, pitches = self.corners[which], self.pitches[which]
        patches = np.empty((len(corners), side, side, self.features.shape[1]), self.features.dtype)
        for i, j in np.ndindex(side, side):
            patches[:, i, j] = self.features[corners + i * pitches + j]
        return patches


def source(shown: List[Tuple[np.ndarray, Callable]], side: int, stride: int = 1) -> Source:
    """The Source of the patches of shown, [(features (1, C, h, w), field)], in a region if the field is of one."""
    parts, start = [], 0
    for features, field in shown:
        _, channels, height, width = features.shape
        corners = places(field, (height, width), side, stride)
        parts.append((features[0].reshape(channels, -1).T, start + corners, np.full(corners.shape, width)))
        start += height * width
    return Source(*(np.ascontiguousarray(np.concatenate(part)) for part in zip(*parts)))


def places(field: Callable, size: Size, side: int, stride: int = 1) -> np.ndarray:
    """The positions of patches' upper left corners in a layer of size (h, w); each belongs where its centre does.

    Whatever the stride, there are patches at all borders.
    """
    lasts = [edge - side for edge in size]
    rows, columns = (np.union1d(np.arange(0, last + 1, stride), np.arange(max(last, 0), last + 1)) for last in lasts)
    corners, share = rows[:, None] * size[1] + columns, field(size)
    return corners.ravel() if share is None else corners[share[rows[:, None] + side // 2, columns + side // 2] >= 0.5]


def nearest(image: Source, style: Source, side: int) -> np.ndarray:
    """For each patch of one Source, the number of the most similar patch of another."""
    found = np.empty(len(image.corners), np.int32)
    for start in range(0, len(found), QUERIES):
        queries = _units(image.take(slice(start, start + QUERIES), side))
        best, number = np.full(len(queries), -np.inf, np.float32), np.zeros(len(queries), np.int32)
        for first in range(0, len(style.corners), ANSWERS):
            similarity = queries @ _units(style.take(slice(first, first + ANSWERS), side)).T
            most = similarity.max(1)
            here = (similarity >= most[:, None] - EQUAL).argmax(1)
            number = np.where(most > best + EQUAL, first + here, number)
            best = np.maximum(best, most)
        found[start : start + QUERIES] = number
    return found


def _units(patches):
    """The patches as rows of length 1; patches of zeros remain zero, and are similar to none."""
    rows = patches.reshape(len(patches), -1)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


class Patches:
    """The energy of an image's features, compared with the patches of styles.

    styles is [(share, shown)], for each style its share and what source() takes; field says where in the image. matches
    are the numbers of the style's patches for all of the image's, in an array for each style; None until they are
    chosen.
    """

    def __init__(self, styles: List[Tuple[float, list]], field: Callable, shape: PatchShape) -> None:
        self._shares, self._side, self._field = [share for share, _ in styles], shape.side, field
        self._styles = [source(shown, shape.side, shape.stride) for _, shown in styles]
        self.count, self.matches = len(styles), None

    @property
    def matches(self) -> Any:
        return self._matches

    @matches.setter
    def matches(self, matches: Any) -> None:
        self._matches, self.target = matches, None  # type: Any, Any

    def choose(self, features: np.ndarray) -> None:
        """Choose the matches for these features, (1, C, H, W)."""
        image = source([(features, self._field)], self._side)
        self.matches = [nearest(image, style, self._side) for style in self._styles]
        self.prepare(features.shape)

    def prepare(self, shape: Tuple[int, ...]) -> bool:
        """Make target, root and rest from the matches, for features of this shape; returns whether there are matches.

        The energy is ‖root·(features − target)‖² + rest; root is 0 where there are no patches.
        """
        if self.matches is None or self.target is not None:
            return self.matches is not None
        _, channels, height, width = shape
        corners = places(self._field, (height, width), self._side)
        if not self._fit(len(corners)):
            raise UsageError("the saved state's matches belong to other patches; start the run again without --resume")
        drawn, count = np.zeros((height * width, channels), np.float32), np.zeros((height * width, 1), np.float32)
        squares = np.zeros(height * width)
        for share, style, numbers in zip(self._shares, self._styles, self.matches):
            for start in range(0, len(numbers), QUERIES):
                part = slice(start, start + QUERIES)
                patches = style.take(numbers[part], self._side)
                for i, j in np.ndindex(self._side, self._side):  # no two patches have the same corner
                    at = corners[part] + i * width + j
                    drawn[at] += share * patches[:, i, j]
                    count[at] += share
                    squares[at] += share * _squares(patches[:, i, j])
        count = np.maximum(count, 1e-12)
        mean = drawn / count
        self.rest = self._side**2 * max(0.0, (squares / count[:, 0] - _squares(mean)).sum())
        self.target = np.ascontiguousarray(mean.T).reshape(shape)
        self.root = np.float32(self._side) * (count > 1e-12).reshape(1, 1, height, width)
        return True

    def _fit(self, count):
        """Whether the matches are such of an image with so many patches."""
        return len(self.matches) == len(self._styles) and all(
            numbers.shape == (count,) and (not count or 0 <= numbers.min() <= numbers.max() < len(style.corners))
            for numbers, style in zip(self.matches, self._styles)
        )


def _squares(array):
    """The sums of the squares of an array's (n, C) rows, precisely."""
    return np.einsum("nc,nc->n", array, array, dtype=np.float64)
