"""The terms on a layer's features: each observes them forward, and gives their gradient backward.

Strips show features piece by piece: a term adds up over the cores of their windows, so that what it finds is the whole
picture's. What an observer has seen of the pictures that are imitated, its value, is an example for a loss. A loss says how
far it reaches: how many rows of surroundings the gradient of a row needs, or None where it needs the whole picture.
"""
import numpy as np

from ..find_mxnet import mx
from ..objective.terms import CONTENT, STYLE
from . import operators
from .arena import ChannelsLast


class Gram:
    """Observes the Gram matrix of features, a matrix of C × (H·W); its value is the mean over the positions."""

    def __init__(self):
        self._channels_last = ChannelsLast()
        self.begin()

    def begin(self):
        """Forget what has been seen."""
        self.sum, self.positions = 0.0, 0

    def observe(self, features, window, empty):
        features = operators.cast(features, "float32", empty)
        owner, place = self._channels_last(features, *window.core(), empty)       # the owner keeps the place
        rows = place.reshape(-1, place.shape[2])
        self.sum, self.positions = self.sum + rows.T @ rows, self.positions + len(rows)

    def value(self):
        return self.sum / self.positions


class StyleLoss:
    """scale·Σ share·‖G − A‖², G the Gram matrix of the features, A the examples', brought to as many positions.

    For shares that sum to 1 this is scale·(‖G − mean of A‖² + a rest that no image can change).
    """
    observer, reach = Gram, 0

    def __init__(self, term, examples, pictures, scale):
        self._gram, self._scale = Gram(), scale
        self._target = sum(share * gram for share, gram in zip(pictures.shares, examples))
        self._rest = sum(share * _squares(gram - self._target) for share, gram in zip(pictures.shares, examples))
        self.begin, self.observe = self._gram.begin, self._gram.observe

    def loss(self):
        """The sum of squares, without the scale."""
        difference = self._gram.sum - self._gram.positions * self._target
        self._factor = mx.nd.array(difference * (4 * self._scale)).reshape(difference.shape + (1, 1))
        return _squares(difference) + self._gram.positions ** 2 * self._rest

    def gradient(self, features, window, empty):
        """2·scale·(G − target)·features, twice, for they are both factors of G."""
        return operators.convolution(features, operators.cast(self._factor, operators.dtype_of(features)), None, empty)


class Copy:
    """Observes the features themselves; its value is an array of the whole picture."""

    def __init__(self):
        self._parts = []

    def observe(self, features, window, empty):
        self._parts.append(operators.cast(features, "float32", empty).slice_axis(2, *window.core()).asnumpy())

    def value(self):
        return self._parts[0] if len(self._parts) == 1 else np.concatenate(self._parts, 2)


class ContentLoss:
    """scale·‖features − example‖²."""
    observer, reach = Copy, 0

    def __init__(self, term, examples, pictures, scale):
        (self._target,), self._scale = examples, scale
        self.begin()

    def begin(self):
        self._sum, self._whole = 0.0, None

    def observe(self, features, window, empty):
        first, last = window.core()
        difference = self._difference(features, window, empty)
        self._sum += _squares(difference[:, :, first:last])
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


LOSSES = {STYLE: StyleLoss, CONTENT: ContentLoss}       # by what a term compares


def loss_of(term):
    """The class that evaluates a term."""
    return LOSSES[term.compares or term.kind]


def _squares(array):
    """The sum of an array's squares."""
    flat = array.ravel()
    return float(np.dot(flat, flat))
