"""A layer's convolution, forward and backward: by oneDNN, or by Winograd's method where that is faster."""
from ..find_mxnet import mx
from . import operators
from .last import compiled, to_first
from .winograd import CompiledWinograd, Winograd

FEW = 16                # channels; oneDNN's convolutions into fewer, such as a picture's three, take longer
MANY = 256 * 256        # pairs of channels from which Winograd's method is the faster one
FROM = 64 * 128         # and in compiled form


def convolution(weight, bias, precision, rectified=False):
    """What computes the convolution with weight (K, C, h, w) and bias (K,), and the gradient of its input.

    rectified says that nobody needs the features before the ReLU; then they may come after it.
    """
    channels, below, *sides = weight.shape
    if precision == "fast32" and sides == [3, 3] and channels * below >= FROM and compiled():
        return CompiledWinograd(weight, bias, rectified)
    if precision == "fast32" and sides == [3, 3] and channels * below >= MANY:
        return Winograd(weight, bias)
    return Direct(weight, bias, operators.DTYPES[precision])


class Direct:
    """By oneDNN, which keeps weights in the layout of their operator: forward and backward have copies of their own.

    The gradient is a convolution with reversed filters, whose layout is that of the forward pass.
    """

    def __init__(self, weight, bias, dtype):
        self._below = weight.shape[1]
        reversed_ = mx.nd.flip(weight, axis=(2, 3)).transpose((1, 0, 2, 3))
        if self._below < FEW:
            reversed_ = mx.nd.concat(reversed_, mx.nd.zeros((FEW - self._below,) + reversed_.shape[1:]), dim=0)
        self._weight, self._bias, self._backward = (operators.cast(array, dtype) for array in (weight, bias, reversed_))

    def forward(self, features, empty):
        features = to_first(features, empty)
        return operators.convolution(features, self._weight, self._bias, empty)

    def backward(self, gradient, empty):
        gradient = operators.convolution(to_first(gradient, empty), self._backward, None, empty)
        return gradient if self._below >= FEW else gradient.slice_axis(1, 0, self._below)
