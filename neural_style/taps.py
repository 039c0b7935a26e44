"""The terms on a layer's features: each sees them on the way up, and gives their gradient for the way down."""
import numpy as np

from . import operators
from .find_mxnet import mx


# How many products oneDNN's matrix product adds up before it begins a new sum; its convolutions of 1×1 never do.
ONE_SUM = 256


class Rows:
    """Features of one shape as the matrix that has a row of C values for each position.

    oneDNN keeps features with the channels last, so that this costs next to nothing; bringing the channels to the
    front would take longer than the products. These are FullyConnected's: its gradient of the weights is the Gram
    matrix, rowsᵀ·rows, where both its data and the gradient from above are the rows.

    memory is an array of that size at least, which other Rows may use in between.
    """

    def __init__(self, shape, memory):
        _, height, width, channels = shape
        flat = memory[:height * width * channels]
        self._features, self._rows = flat.reshape(shape), flat.reshape((height * width, channels))
        self._factor = mx.nd.zeros((channels, channels), memory.context)
        self._factor.attach_grad()
        self._product = flat.reshape((height * width, channels))     # never read: of the layer only the way down is wanted
        with mx.autograd.record():
            self._layer(out=self._product)

    def _layer(self, **out):
        return mx.nd.FullyConnected(self._rows, self._factor, no_bias=True, num_hidden=self._factor.shape[0], **out)

    def gram(self, features, first, last):
        """The Gram matrix of the features (1, C, H, W) from row first to last."""
        if last - first == features.shape[2]:
            mx.nd.transpose(features, axes=(0, 2, 3, 1), out=self._features)
        else:
            self._features[:] = mx.nd.transpose(features, axes=(0, 2, 3, 1)).slice_axis(1, first, last)
        self._product.backward(self._rows, retain_graph=True)
        return self._factor.grad

    def times(self, features, factor):
        """The features times a symmetric factor."""
        mx.nd.transpose(features, axes=(0, 2, 3, 1), out=self._features)
        self._factor[:] = factor
        return mx.nd.transpose(self._layer().reshape(self._features.shape), axes=(0, 3, 1, 2))


class Workshop:
    """Rows by shape, made when they are first asked for, all in one memory that grows."""

    def __init__(self):
        self._rows, self._memory = {}, None

    def rows(self, height, width, channels, device):
        shape = (1, height, width, channels)
        if shape not in self._rows:
            size = height * width * channels
            if self._memory is None or self._memory.size < size:
                self._rows, self._memory = {}, None     # what is outgrown goes first
                self._memory = mx.nd.empty((size,), device)
            self._rows[shape] = Rows(shape, self._memory)
        return self._rows[shape]


class StyleTap:
    """scale·‖G − target‖², G the Gram matrix of the features; that of strips is the sum of theirs."""

    def __init__(self, workshop, target=None, scale=1.0):
        self._workshop, self._target, self._scale, self._sum = workshop, target, scale, None

    def see(self, features, window):
        features = operators.cast(features, "float32")
        rows = self._rows(features, window.core_last - window.core_first)
        gram = rows.gram(features, *window.core())
        self._sum = gram.copy() if self._sum is None else self._sum + gram

    def gram(self):
        gram, self._sum = self._sum, None
        return gram

    def loss(self):
        """The sum of squares, without the scale."""
        difference = self.gram() - self._target
        self._factor = difference * (4 * self._scale)
        return squares(difference.asnumpy())

    def head(self, features, window, empty):
        """2·scale·(G − target)·features, twice, for they are both factors of G: a convolution of 1×1.

        It adds in the order of the matrix product, whose numbers are the reference's.
        """
        channels, dtype = features.shape[1], operators.dtype_of(features)
        if channels > ONE_SUM and dtype == "float32":
            return self._rows(features, features.shape[2]).times(features, self._factor)
        factor = self._factor.reshape((channels, channels, 1, 1)).copy()
        return operators.convolution(features, operators.cast(factor, dtype), empty=empty)

    def _rows(self, features, height):
        return self._workshop.rows(height, features.shape[3], features.shape[1], features.context)


class ContentTap:
    """scale·‖features − target‖²."""

    def __init__(self, target, scale):
        self._target, self._scale, self._sum = target, scale, 0.0

    def see(self, features, window):
        first, last = window.core()
        self._sum += squares(self._difference(features, window)[:, :, first:last])

    def loss(self):
        total, self._sum = self._sum, 0.0
        return total

    def head(self, features, window, empty):
        difference = self._difference(features, window)
        difference *= 2 * self._scale
        return operators.cast(mx.nd.array(difference, features.context), operators.dtype_of(features))

    def _difference(self, features, window):
        """To the target, in NumPy, which subtracts faster than MXNet."""
        return operators.cast(features, "float32").asnumpy() - self._target[:, :, window.first:window.last]


class Copy:
    """The features themselves: the target of a content term."""

    features = None

    def see(self, features, window):
        if self.features is None:
            self.features = mx.nd.empty(features.shape[:2] + (window.height, features.shape[3]), features.context)
        self.features[:, :, window.core_first:window.core_last] = operators.cast(features, "float32").slice_axis(
            2, *window.core())


def squares(array):
    """The sum of an array's squares."""
    flat = array.ravel()
    return float(np.dot(flat, flat))
