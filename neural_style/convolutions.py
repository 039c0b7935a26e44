"""A layer's convolution with its way down: in the reference's order of sums, or in a faster one."""
from functools import cached_property

from . import operators
from .find_mxnet import mx
from .winograd import Winograd

FEW = 16                # channels of the picture's kind, for which oneDNN's convolution into so few is slow
MANY = 256 * 256        # pairs of channels from which Winograd's method is the faster one


def convolution(weight, bias, precision):
    """What computes the convolution with weight (K, C, h, w) and bias (K,), and the gradient of its input."""
    channels, below, *sides = weight.shape
    if precision == "float32" or below < FEW:
        return Direct(weight, bias, precision)
    if precision == "fast32" and sides == [3, 3] and channels * below >= MANY:
        return Winograd(weight, bias)
    return Turned(weight, bias, precision)


class Direct:
    """By oneDNN, with the numbers of the bound graph.

    oneDNN keeps weights in the layout of their operator: each way has its own.
    """

    def __init__(self, weight, bias, precision):
        self._arrays, self._dtype = (weight, bias), operators.DTYPES[precision]

    @cached_property
    def _up(self):
        return [operators.cast(array, self._dtype) for array in self._arrays]

    @cached_property
    def _down(self):
        return operators.cast(self._arrays[0].copy(), self._dtype)

    def forward(self, features, empty):
        return operators.convolution(features, *self._up, empty=empty)

    def backward(self, gradient, empty):
        return operators.convolution_backward(gradient, self._down, empty)


class Turned(Direct):
    """The way down as a convolution with reversed filters: it adds up in another order, and its layout is the way up's."""

    @cached_property
    def _down(self):
        return operators.cast(mx.nd.flip(self._arrays[0], axis=(2, 3)).transpose((1, 0, 2, 3)), self._dtype)

    def backward(self, gradient, empty):
        return operators.convolution(gradient, self._down, empty=empty)
