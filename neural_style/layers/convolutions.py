"""A layer's convolution, forward and backward: by oneDNN, or by Winograd's method where that is faster."""
from ..find_mxnet import mx
from . import operators
from .last import compiled, to_first
from .winograd import CompiledWinograd, Winograd

FEW = 16                # channels of the picture's kind, for which oneDNN's convolution into so few is slow
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

    The gradient is a convolution with reversed filters, whose layout is that of the forward pass, or into very few
    channels a transposed convolution.
    """

    def __init__(self, weight, bias, dtype):
        self._transposes = weight.shape[1] < FEW
        backward = weight.copy() if self._transposes else mx.nd.flip(weight, axis=(2, 3)).transpose((1, 0, 2, 3))
        self._weight, self._bias, self._backward = (
            operators.cast(array, dtype) for array in (weight, bias, backward))

    def forward(self, features, empty):
        features = to_first(features, empty)
        return operators.convolution(features, self._weight, self._bias, empty)

    def backward(self, gradient, empty):
        gradient = to_first(gradient, empty)
        if self._transposes:
            return operators.convolution_backward(gradient, self._backward, empty)
        return operators.convolution(gradient, self._backward, None, empty)
