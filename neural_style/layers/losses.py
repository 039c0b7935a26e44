"""The terms on a layer's features: each observes them forward, and gives their gradient backward.

Strips show features piece by piece: a term adds up over the cores of their windows, so that what it finds is the
whole picture's.
"""
import numpy as np

from ..find_mxnet import mx
from . import operators
from .arena import ChannelsLast


class Gram:
    """The Gram matrix of features as a matrix of C × (H·W)."""

    def __init__(self):
        self._channels_last, self._sum = ChannelsLast(), None

    def begin(self):
        """Forget what a pass that was broken off has left."""
        self._sum = None

    def observe(self, features, window, empty):
        features = operators.cast(features, "float32", empty)
        owner, place = self._channels_last(features, *window.core(), empty)       # the owner keeps the place
        rows = place.reshape(-1, place.shape[2])
        gram = rows.T @ rows
        self._sum = gram if self._sum is None else self._sum + gram

    def value(self):
        """The matrix, as NumPy has it; the next one starts from nothing."""
        gram, self._sum = self._sum, None
        return gram


class StyleLoss:
    """scale·‖G − target‖², G the Gram matrix of the features and target an NDArray."""

    def __init__(self, target, scale):
        self._gram, self._target, self._scale = Gram(), target.asnumpy(), scale
        self.begin, self.observe = self._gram.begin, self._gram.observe

    def loss(self):
        """The sum of squares, without the scale."""
        difference = self._gram.value() - self._target
        self._factor = mx.nd.array(difference * (4 * self._scale)).reshape(difference.shape + (1, 1))
        return squares(difference)

    def gradient(self, features, window, empty):
        """2·scale·(G − target)·features, twice, for they are both factors of G."""
        return operators.convolution(features, operators.cast(self._factor, operators.dtype_of(features)), None, empty)


class ContentLoss:
    """scale·‖features − target‖²; target is an array of the whole picture."""

    def __init__(self, target, scale):
        self._target, self._scale = target, scale
        self.begin()

    def begin(self):
        self._sum, self._whole = 0.0, None

    def observe(self, features, window, empty):
        first, last = window.core()
        difference = self._difference(features, window, empty)
        self._sum += squares(difference[:, :, first:last])
        self._whole = difference if difference.shape == self._target.shape else None     # of strips there are several

    def loss(self):
        """The sum of squares, without the scale."""
        return self._sum

    def gradient(self, features, window, empty):
        difference = self._difference(features, window, empty) if self._whole is None else self._whole
        self._whole = None
        difference *= 2 * self._scale
        return operators.cast(mx.nd.array(difference), operators.dtype_of(features), empty)

    def _difference(self, features, window, empty):
        """To the target, in NumPy, which subtracts faster than MXNet."""
        return operators.cast(features, "float32", empty).asnumpy() - self._target[:, :, window.first:window.last]


class Copy:
    """The features themselves, an array of the whole picture."""

    def __init__(self):
        self._parts = []

    def observe(self, features, window, empty):
        self._parts.append(operators.cast(features, "float32", empty).slice_axis(2, *window.core()).asnumpy())

    def value(self):
        return self._parts[0] if len(self._parts) == 1 else np.concatenate(self._parts, 2)


def squares(array):
    """The sum of an array's squares."""
    flat = array.ravel()
    return float(np.dot(flat, flat))
