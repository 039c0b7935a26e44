"""A layer's convolution, forward and backward: by oneDNN, or by Winograd's method where that is faster."""

from typing import Any, Callable

from ..find_mxnet import mx
from ..system.types import NDArray
from . import operators
from .last import compiled, to_first
from .winograd import Winograd

FEW_IN, FEW_OUT = 4, 16  # channels; oneDNN's convolutions from or into fewer, such as a picture's three, take longer
FROM = 64 * 128  # pairs of channels from which Winograd's method is the faster one, where Numba compiles it


def convolution(weight: NDArray, bias: NDArray, dtype: str, winograd: bool = False, rectified: bool = False) -> Any:
    """What computes the convolution with weight (K, C, h, w) and bias (K,), and the gradient of its input.

    winograd is whether it may be by Winograd's method, which works on float32. rectified says that nobody needs the
    features before the ReLU; then they may come after it.
    """
    channels, below, *sides = weight.shape
    if winograd and sides == [3, 3] and channels * below >= FROM and compiled():
        return Winograd(weight, bias, rectified)
    return Direct(weight, bias, dtype)


class Direct:
    """By oneDNN, which keeps weights in the layout of their operator: forward and backward have copies of their own.

    The gradient is a convolution with reversed filters, whose layout is that of the forward pass.
    """

    def __init__(self, weight: NDArray, bias: NDArray, dtype: str) -> None:
        self._below = weight.shape[1]
        reversed_ = mx.nd.flip(weight, axis=(2, 3)).transpose((1, 0, 2, 3))
        self._weight, self._bias, self._backward = (
            operators.cast(array, dtype) for array in (_filled(weight, 1, FEW_IN), bias, _filled(reversed_, 0, FEW_OUT))
        )

    def forward(self, features: NDArray, empty: Callable) -> NDArray:
        features = _filled(to_first(features, empty), 1, FEW_IN)
        return operators.convolution(features, self._weight, self._bias, empty)

    def backward(self, gradient: NDArray, empty: Callable) -> NDArray:
        gradient = operators.convolution(to_first(gradient, empty), self._backward, None, empty)
        return gradient if self._below >= FEW_OUT else gradient.slice_axis(1, 0, self._below)


def _filled(array, axis, count):
    """The array, with zeros up to count along the axis."""
    missing = count - array.shape[axis]
    if missing <= 0:
        return array
    zeros = mx.nd.zeros(array.shape[:axis] + (missing,) + array.shape[axis + 1 :])
    return mx.nd.concat(array, operators.cast(zeros, operators.dtype_of(array)), dim=axis)
