"""Convolutions of 3×3 by Winograd's method: for 16 values of a channel 36 multiplications instead of 144.

This is F(4×4, 3×3) of Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2016). Features are cut
into tiles of 6×6 that overlap by two. Tiles and filters are read as polynomials and evaluated at six points in each
direction, 36 in all; at each of these the convolution is one product of matrices, channels by positions.
"""

from typing import Callable

import numpy as np

from ..system.types import NDArray
from .last import Last, compiled, empty_last, in_threads, scratch, to_last

# p/q, the last one is infinity; with these, rounding errs a third as much as with the usual 0, ±1, 2, 1/2
POINTS = [(0, 1), (2, 3), (-2, 3), (3, 2), (-3, 2), (1, 0)]


def _values(count):
    """The matrix that takes count coefficients to the polynomial's value at each point."""
    return np.array([[p**i * q ** (count - 1 - i) for i in range(count)] for p, q in POINTS], "float64")


OF_FILTER = np.kron(_values(3), _values(3))
FROM_TILE, TO_SQUARE = (matrix.astype("float32") for matrix in (np.linalg.inv(_values(6)).T, _values(4).T))
# 1/p for each p: there the reversed filter has the filter's values, and the backward pass needs reversed filters.
INVERSE = [POINTS.index(point) for point in ((1, 0), (3, 2), (-3, 2), (2, 3), (-2, 3), (0, 1))]
VALUES = 2**17  # at each point, which one thread works on at a time


def _at_points(weight):
    """The filters (K, C, 3, 3), an NDArray, at all points: (36, K, C)."""
    filters = OF_FILTER @ weight.asnumpy().reshape(-1, 9).T
    return filters.reshape((36,) + weight.shape[:2]).astype("float32")


class Winograd:
    """A convolution of 3×3 that keeps the size, on features with channels last, in compiled loops.

    weight (K, C, 3, 3) and bias (K,) are NDArrays; rectified, the ReLU behind it is applied, too.
    """

    def __init__(self, weight: NDArray, bias: NDArray, rectified: bool) -> None:
        self._filters = _at_points(weight)
        self._bias, self._rectified = bias.asnumpy(), rectified

    def forward(self, features: NDArray, empty: Callable) -> Last:
        filters = self._filters.transpose(0, 2, 1)
        return self._run(features, empty, FROM_TILE, filters, TO_SQUARE, self._bias, self._rectified)

    def backward(self, gradient: NDArray, empty: Callable) -> Last:
        zeros = np.zeros(self._filters.shape[2], "float32")
        return self._run(gradient, empty, FROM_TILE[INVERSE], self._filters, TO_SQUARE[:, INVERSE], zeros, False)

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
