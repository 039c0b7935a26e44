"""Convolutions of 3×3 by Winograd's method: for 16 values of a channel 36 multiplications instead of 144.

This is F(4×4, 3×3) of Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2016). A picture is cut into
tiles of 6×6 that overlap by two. Tiles and filters are taken for polynomials and brought to their values at six points
in each direction, 36 in all; at each of these the convolution is one product of matrices, channels by positions.
"""
import math

import numpy as np

from .arena import placed
from .find_mxnet import mx

POINTS = [(0, 1), (1, 1), (-1, 1), (2, 1), (1, 2), (1, 0)]      # p/q, the last one is infinity


def _values(count):
    """The matrix that takes count coefficients to the polynomial's value at each point."""
    return np.array([[p ** i * q ** (count - 1 - i) for i in range(count)] for p, q in POINTS], "float64")


def _both(matrix):
    """A matrix for both directions of a tile, from one for a single direction."""
    return np.kron(matrix, matrix).astype("float32")


OF_FILTER, OF_TILE, TO_RESULT = np.kron(_values(3), _values(3)), _both(np.linalg.inv(_values(6)).T), _both(_values(4).T)
# 1/p for each p: there the reversed filter has the filter's values, and reversed filters are what the way down needs.
INVERSE = [POINTS.index(point) for point in ((1, 0), (1, 1), (-1, 1), (1, 2), (2, 1), (0, 1))]
INVERSES = np.add.outer(6 * np.array(INVERSE), INVERSE).ravel()
MOST = 2 ** 24      # values in the tiles that are worked on at a time


class Scratch:
    """Memory by purpose, for one convolution at a time; it grows to what the largest needs."""

    def __init__(self):
        self._flat = {}

    def __call__(self, purpose, *shape):
        size = math.prod(shape)
        if purpose not in self._flat or self._flat[purpose].size < size:
            self._flat.pop(purpose, None)
            self._flat[purpose] = np.empty(size, "float32")
        return self._flat[purpose][:size].reshape(shape)


class Winograd:
    """A convolution of 3×3 that keeps the size; weight (K, C, 3, 3) and bias (K,) are NDArrays."""

    def __init__(self, weight, bias, scratch):
        filters = OF_FILTER @ weight.asnumpy().reshape(-1, 9).T
        self._filters = filters.reshape((36,) + weight.shape[:2]).astype("float32")
        self._bias, self._scratch = bias.asnumpy()[:, np.newaxis, np.newaxis], scratch

    def forward(self, features, empty):
        return self._run(features, empty, OF_TILE, self._filters, TO_RESULT, self._bias)

    def backward(self, gradient, empty):
        return self._run(gradient, empty, OF_TILE[INVERSES], self._filters.transpose(0, 2, 1), TO_RESULT[:, INVERSES], 0)

    def _run(self, features, empty, of_tile, filters, to_result, bias):
        _, _, height, width = features.shape
        tiles, channels = self._tiles(features), filters.shape[1]
        _, _, rows, columns, below = tiles.shape
        result = empty((1, channels, height, width), "float32")
        values = result.memory.reshape(channels, height, width)
        step = max(1, MOST // (36 * columns * max(channels, below)))
        for first in range(0, rows, step):
            part = tiles[:, :, first:first + step]
            count = part.shape[2] * columns
            a = self._scratch("a", 36, count * below)
            a.reshape(part.shape)[:] = part
            b = np.matmul(of_tile, a, out=self._scratch("b", 36, count * below)).reshape(36, count, below)
            a = np.matmul(filters, b.transpose(0, 2, 1), out=self._scratch("a", 36, channels, count))
            b = np.matmul(to_result, a.reshape(36, -1), out=self._scratch("b", 16, channels * count))
            b = b.reshape(4, 4, channels, -1, columns)
            for i, j in np.ndindex(4, 4):
                own = values[:, 4 * first + i:4 * (first + step):4, j::4]
                np.add(b[i, j, :, :own.shape[1], :own.shape[2]], bias, out=own)
        return result

    def _tiles(self, array):
        """The tiles of an array (1, C, H, W), as a view (6, 6, rows, columns, C); zeros are around it."""
        _, channels, height, width = array.shape
        plain = self._scratch("plain", 1, height, width, channels)
        mx.nd.transpose(array, axes=(0, 2, 3, 1), out=placed(plain.reshape(-1), plain.shape)).wait_to_read()
        rows, columns = (-(-side // 4) for side in (height, width))
        framed = self._scratch("framed", 4 * rows + 2, 4 * columns + 2, channels)
        framed[:] = 0
        framed[1:height + 1, 1:width + 1] = plain[0]
        down, right, one = framed.strides
        return np.lib.stride_tricks.as_strided(framed, (6, 6, rows, columns, channels),
                                               (down, right, 4 * down, 4 * right, one))
