"""Convolutions of 3×3 by Winograd's method: for 16 values of a channel 36 multiplications instead of 144.

This is F(4×4, 3×3) of Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2016). Features are cut
into tiles of 6×6 that overlap by two. Tiles and filters are read as polynomials and evaluated at six points in each
direction, 36 in all; at each of these the convolution is one product of matrices, channels by positions.
"""

import math
from typing import Callable

import numpy as np

from ..system.types import NDArray
from .arena import Rows
from .last import Last, compiled, empty_last, in_threads, scratch, to_last

# p/q, the last one is infinity; with these, rounding errs a third as much as with the usual 0, ±1, 2, 1/2
POINTS = [(0, 1), (2, 3), (-2, 3), (3, 2), (-3, 2), (1, 0)]


def _values(count):
    """The matrix that takes count coefficients to the polynomial's value at each point."""
    return np.array([[p**i * q ** (count - 1 - i) for i in range(count)] for p, q in POINTS], "float64")


def _two_dimensional(matrix):
    """A matrix for both directions of a tile, from one for a single direction."""
    return np.kron(matrix, matrix).astype("float32")


OF_FILTER, OF_TILE, TO_RESULT = (
    np.kron(_values(3), _values(3)),
    _two_dimensional(np.linalg.inv(_values(6)).T),
    _two_dimensional(_values(4).T),
)
# 1/p for each p: there the reversed filter has the filter's values, and the backward pass needs reversed filters.
INVERSE = [POINTS.index(point) for point in ((1, 0), (3, 2), (-3, 2), (2, 3), (-2, 3), (0, 1))]
INVERSES = np.add.outer(6 * np.array(INVERSE), INVERSE).ravel()
FROM_TILE, TO_SQUARE = (matrix.astype("float32") for matrix in (np.linalg.inv(_values(6)).T, _values(4).T))
VALUES = 2**17  # at each point, which one thread works on at a time
MOST_VALUES = 2**24  # in the tiles that are worked on at a time


def _at_points(weight):
    """The filters (K, C, 3, 3), an NDArray, at all points: (36, K, C)."""
    filters = OF_FILTER @ weight.asnumpy().reshape(-1, 9).T
    return filters.reshape((36,) + weight.shape[:2]).astype("float32")


class Winograd:
    """A convolution of 3×3 that keeps the size; weight (K, C, 3, 3) and bias (K,) are NDArrays."""

    def __init__(self, weight: NDArray, bias: NDArray) -> None:
        self._filters = _at_points(weight)
        self._bias = bias.asnumpy()[:, np.newaxis, np.newaxis]
        self._features, self._gradient = Rows(), Rows()

    def forward(self, features: NDArray, empty: Callable) -> NDArray:
        return self._run(features, self._features, empty, OF_TILE, self._filters, TO_RESULT, self._bias)

    def backward(self, gradient: NDArray, empty: Callable) -> NDArray:
        return self._run(
            gradient,
            self._gradient,
            empty,
            OF_TILE[INVERSES],
            self._filters.transpose(0, 2, 1),
            TO_RESULT[:, INVERSES],
            0,
        )

    def _run(self, features, rows_of, empty, of_tile, filters, to_result, bias):
        _, below, height, width = features.shape
        rows, columns, channels = -(-height // 4), -(-width // 4), filters.shape[1]
        result = empty((1, channels, height, width), "float32")
        framed = empty((1, 4 * rows + 2, 4 * columns + 2, below), "float32")
        tiles = _tiles(framed, rows_of(features, 0, height, empty)[1])  # a copy, so the features may go
        step = min(rows, max(1, MOST_VALUES // (36 * columns * max(channels, below))))
        one, other = (empty((36, step * columns * max(channels, below)), "float32") for _ in range(2))
        for first in range(0, rows, step):
            part = tiles[:, :, first : first + step]
            count = part.shape[2] * columns
            a = _reshaped(one, 36, count * below)
            a.reshape(part.shape)[:] = part
            b = np.matmul(of_tile, a, out=_reshaped(other, 36, count * below)).reshape(36, count, below)
            a = np.matmul(filters, b.transpose(0, 2, 1), out=_reshaped(one, 36, channels, count))
            b = np.matmul(to_result, a.reshape(36, -1), out=_reshaped(other, 16, channels * count))
            b = b.reshape(4, 4, channels, -1, columns)
            values = _reshaped(result, channels, height, width)
            for i, j in np.ndindex(4, 4):
                own = values[:, 4 * first + i : 4 * (first + step) : 4, j::4]
                np.add(b[i, j, :, : own.shape[1], : own.shape[2]], bias, out=own)
        return result


class CompiledWinograd:
    """The same on features with channels last, in compiled loops; rectified, with the ReLU behind it."""

    def __init__(self, weight: NDArray, bias: NDArray, rectified: bool) -> None:
        self._filters = _at_points(weight)
        self._bias, self._rectified = bias.asnumpy(), rectified

    def forward(self, features: NDArray, empty: Callable) -> Last:
        return self._run(
            features, empty, FROM_TILE, self._filters.transpose(0, 2, 1), TO_SQUARE, self._bias, self._rectified
        )

    def backward(self, gradient: NDArray, empty: Callable) -> Last:
        return self._run(
            gradient,
            empty,
            FROM_TILE[INVERSE],
            self._filters,
            TO_SQUARE[:, INVERSE],
            np.zeros(self._filters.shape[2], "float32"),
            False,
        )

    def _run(self, features, empty, of_tile, filters, to_result, bias, rectified):
        features = to_last(features, empty)
        _, below, height, width = features.shape
        rows, columns, channels = -(-height // 4), -(-width // 4), filters.shape[2]
        result = empty_last((1, channels, height, width), empty)
        of_tile, to_result = np.ascontiguousarray(of_tile), np.ascontiguousarray(to_result)

        def multiply(first, last):
            tiles = (last - first) * columns
            values, products = scratch((36, tiles, below), (36, tiles, channels))
            compiled().to_points(features.values, values, first, of_tile)
            np.matmul(values, filters, out=products)
            compiled().from_points(products, result.values, first, to_result, bias, rectified)

        in_threads(multiply, rows, 2 * max(1, round(rows * columns * max(below, channels) / (2 * VALUES))))
        return result


def _reshaped(array, *shape):
    """The first of an array's values in memory, in another shape."""
    return array.memory[: math.prod(shape)].reshape(shape)


def _tiles(framed, features):
    """The tiles of features (H, W, C), as a view (6, 6, rows, columns, C) of framed, which holds them with padding."""
    _, height, width, channels = framed.shape
    values = _reshaped(framed, height, width, channels)
    values[:] = 0
    values[1 : features.shape[0] + 1, 1 : features.shape[1] + 1] = features
    down, right, one = values.strides
    return np.lib.stride_tricks.as_strided(
        values, (6, 6, height // 4, width // 4, channels), (down, right, 4 * down, 4 * right, one)
    )
