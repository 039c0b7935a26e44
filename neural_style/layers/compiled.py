"""Loops over features that Numba compiles; importing this fails where it is not installed.

Features lie as (H, W, C). The innermost loops are over channels, so that the compiler can use vector instructions.
"""

import numba
import numpy as np

ZERO = np.float32(0)


def _compiled(signature):
    """A decorator: compiled for float32 arrays, and cached on disk if Numba finds a place for it."""

    def decorate(function):
        try:
            return numba.njit(signature, nogil=True, fastmath=True, cache=True)(function)
        except RuntimeError:  # no folder can be written to
            return numba.njit(signature, nogil=True, fastmath=True)(function)

    return decorate


@numba.njit(nogil=True, fastmath=True, inline="always")
def _mixed(result, values, number, first, step, weights):
    """result = the weighted sum of the number-th of six vectors: values[first], values[first + step], …"""
    a, b, c = values[first, number], values[first + step, number], values[first + 2 * step, number]
    d, e, f = values[first + 3 * step, number], values[first + 4 * step, number], values[first + 5 * step, number]
    for i in range(len(result)):
        result[i] = (
            weights[0] * a[i]
            + weights[1] * b[i]
            + weights[2] * c[i]
            + weights[3] * d[i]
            + weights[4] * e[i]
            + weights[5] * f[i]
        )


@_compiled("void(float32[:,:,::1], float32[:,:,::1], int64, float32[:,::1])")
def to_points(features: np.ndarray, values: np.ndarray, first: int, matrix: np.ndarray) -> None:
    """Evaluate the tiles of 6×6 of some rows of tiles, from the first on, at 36 points: values (36, tiles, C)."""
    height, width, channels = features.shape
    columns = (width + 3) // 4
    tile, half = np.empty((36, 1, channels), np.float32), np.empty((36, 1, channels), np.float32)
    for number in range(values.shape[1]):
        top, left = 4 * (first + number // columns) - 1, 4 * (number % columns) - 1
        for i in range(6):
            for j in range(6):
                if 0 <= top + i < height and 0 <= left + j < width:
                    tile[6 * i + j, 0] = features[top + i, left + j]
                else:
                    tile[6 * i + j, 0] = 0
        for i in range(6):
            for j in range(6):
                _mixed(half[6 * i + j, 0], tile, 0, j, 6, matrix[i])
        for i in range(6):
            for j in range(6):
                _mixed(values[6 * i + j, number], half, 0, 6 * i, 1, matrix[j])


@_compiled("void(float32[:,:,::1], float32[:,:,::1], int64, float32[:,::1], float32[::1], boolean)")
def from_points(
    values: np.ndarray, result: np.ndarray, first: int, matrix: np.ndarray, bias: np.ndarray, rectified: bool
) -> None:
    """The way back: values (36, tiles, C) become squares of 4×4, plus bias; rectified, none is below 0."""
    height, width, channels = result.shape
    columns = (width + 3) // 4
    half = np.empty((24, 1, channels), np.float32)
    for number in range(values.shape[1]):
        top, left = 4 * (first + number // columns), 4 * (number % columns)
        for i in range(4):
            for j in range(6):
                _mixed(half[6 * i + j, 0], values, number, j, 6, matrix[i])
        for i in range(min(4, height - top)):
            for j in range(min(4, width - left)):
                place = result[top + i, left + j]
                _mixed(place, half, 0, 6 * i, 1, matrix[j])
                for c in range(channels):
                    place[c] += bias[c]
                if rectified:
                    for c in range(channels):
                        place[c] = max(place[c], ZERO)


@_compiled("void(float32[:,:,::1], float32[:,:,::1])")
def keep_positive(gradient: np.ndarray, features: np.ndarray) -> None:
    """Set the gradient to 0 where the features are not above 0."""
    for y in range(gradient.shape[0]):
        for x in range(gradient.shape[1]):
            row, signs = gradient[y, x], features[y, x]
            for c in range(len(row)):
                row[c] = row[c] if signs[c] > ZERO else ZERO


@_compiled("void(float32[:,:,::1], float32[:,:,::1])")
def add(gradient: np.ndarray, other: np.ndarray) -> None:
    """gradient += other."""
    for y in range(gradient.shape[0]):
        for x in range(gradient.shape[1]):
            row, more = gradient[y, x], other[y, x]
            for c in range(len(row)):
                row[c] += more[c]


@_compiled("void(float32[:,:,::1], float32[:,:,::1])")
def pool_avg(result: np.ndarray, features: np.ndarray) -> None:
    """The means of squares of 2×2."""
    for y in range(result.shape[0]):
        for x in range(result.shape[1]):
            place, a, b = result[y, x], features[2 * y, 2 * x], features[2 * y, 2 * x + 1]
            c, d = features[2 * y + 1, 2 * x], features[2 * y + 1, 2 * x + 1]
            for i in range(len(place)):
                place[i] = np.float32(0.25) * (a[i] + b[i] + c[i] + d[i])


@_compiled("void(float32[:,:,::1], float32[:,:,::1], float32[:,:,::1])")
def pool_avg_backward(gradient: np.ndarray, features: np.ndarray, result: np.ndarray) -> None:
    """A quarter of the gradient to each of 2×2; the result may have a row and a column more, whose gradient is 0."""
    for y in range(result.shape[0]):
        for x in range(result.shape[1]):
            place = result[y, x]
            if y // 2 < gradient.shape[0] and x // 2 < gradient.shape[1]:
                own = gradient[y // 2, x // 2]
                for i in range(len(place)):
                    place[i] = np.float32(0.25) * own[i]
            else:
                for i in range(len(place)):
                    place[i] = ZERO


@_compiled("void(float32[:,:,::1], float32[:,:,::1])")
def pool_max(result: np.ndarray, features: np.ndarray) -> None:
    """The maxima of squares of 2×2."""
    for y in range(result.shape[0]):
        for x in range(result.shape[1]):
            place, a, b = result[y, x], features[2 * y, 2 * x], features[2 * y, 2 * x + 1]
            c, d = features[2 * y + 1, 2 * x], features[2 * y + 1, 2 * x + 1]
            for i in range(len(place)):
                place[i] = max(max(a[i], b[i]), max(c[i], d[i]))


@_compiled("void(float32[:,:,::1], float32[:,:,::1], float32[:,:,::1])")
def pool_max_backward(gradient: np.ndarray, features: np.ndarray, result: np.ndarray) -> None:
    """The gradient to the first maximum of each 2×2 of the features."""
    result[:] = ZERO
    for y in range(gradient.shape[0]):
        for x in range(gradient.shape[1]):
            own = gradient[y, x]
            for i in range(len(own)):
                row, column, most = 2 * y, 2 * x, features[2 * y, 2 * x, i]
                for j in range(1, 4):
                    if features[2 * y + j // 2, 2 * x + j % 2, i] > most:
                        row, column, most = 2 * y + j // 2, 2 * x + j % 2, features[2 * y + j // 2, 2 * x + j % 2, i]
                result[row, column, i] = own[i]


@_compiled("void(float32[:,:,::1], float32[:,:,::1], int64, int64)")
def to_planes(features: np.ndarray, planes: np.ndarray, first: int, last: int) -> None:
    """Rows of (H, W, C), from first to last, as those of (C, H, W), in blocks that fit the processor's cache."""
    _, width, channels = features.shape
    for y in range(first, last):
        for start in range(0, width, 16):
            for c in range(channels):
                for x in range(start, min(width, start + 16)):
                    planes[c, y, x] = features[y, x, c]


@_compiled("void(float32[:,:,::1], float32[:,:,::1], int64, int64)")
def from_planes(planes: np.ndarray, features: np.ndarray, first: int, last: int) -> None:
    """The way back."""
    _, width, channels = features.shape
    for y in range(first, last):
        for start in range(0, width, 16):
            for c in range(channels):
                for x in range(start, min(width, start + 16)):
                    features[y, x, c] = planes[c, y, x]
