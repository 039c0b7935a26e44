"""The terms on a layer's features: each sees them on the way up, and gives their gradient for the way down."""
import contextlib

import numpy as np

from . import operators
from .arena import ChannelsLast, Placed, alias
from .find_mxnet import mx


# How many products oneDNN's matrix product adds up before it begins a new sum; its convolutions of 1×1 never do.
ONE_SUM = 256


class Rows:
    """Features as the matrix that has a row of C values for each position.

    Its products are FullyConnected's, whose gradient of the weights is rowsᵀ·rows, the Gram matrix, where both its data
    and the gradient from above are the rows. product is an array like rows, whose values are lost, and whose memory is
    touched here only.
    """

    def __init__(self, rows, product):
        channels = rows.shape[1]
        self._rows, self._product = rows, product       # never read: of the layer only the way down is wanted
        self._factor = mx.nd.zeros((channels, channels))
        self._factor.attach_grad()
        with mx.autograd.record():
            self._layer(out=product)

    def _layer(self, **out):
        return mx.nd.FullyConnected(self._rows, self._factor, no_bias=True, num_hidden=self._factor.shape[0], **out)

    def gram(self):
        self._product.backward(self._rows, retain_graph=True)
        return self._factor.grad.copy()

    def times(self, factor):
        """The rows times a symmetric factor."""
        self._factor[:] = factor
        return self._layer()


class Products:
    """A layer's Gram matrix, and the product of its features with a symmetric factor.

    Where the features are an Arena's, as Rows of them: with AVX-512 oneDNN has the channels last already, and to bring
    them to the front would take longer than the product.
    """

    def __init__(self):
        self._rows, self._channels_last = {}, ChannelsLast()       # the former by their place and size in memory

    def gram(self, features, first, last, empty):
        """That of the rows of positions from first to last."""
        if isinstance(features, Placed):
            with self._rows_of(features, first, last, empty) as rows:
                return rows.gram()
        plain = features.slice_axis(2, first, last).reshape((features.shape[1], -1))
        return mx.nd.FullyConnected(plain, plain, no_bias=True, num_hidden=plain.shape[0])

    def times(self, features, factor, empty):
        """It adds in the order of the matrix product, whose numbers are the reference's."""
        _, channels, height, width = features.shape
        if channels <= ONE_SUM or not isinstance(features, Placed) or operators.dtype_of(features) != "float32":
            weight = operators.cast(factor.reshape((channels, channels, 1, 1)).copy(), operators.dtype_of(features))
            return operators.convolution(features, weight, empty=empty)
        with self._rows_of(features, 0, height, empty) as rows:
            return rows.times(factor).reshape((1, height, width, channels)).transpose((0, 3, 1, 2))

    @contextlib.contextmanager
    def _rows_of(self, features, first, last, empty):
        """For the time being; what comes after has to wait for it."""
        owner, place = self._channels_last(features, first, last, empty)
        key = place.ctypes.data, place.size
        if key not in self._rows:
            product = empty((place.size // place.shape[2], place.shape[2]), "float32")
            self._rows[key] = Rows(*(alias(memory, product.shape) for memory in (place, product.memory)))
        yield self._rows[key]
        mx.nd.waitall()
        del owner       # whose place it was


class StyleTap:
    """scale·‖G − target‖², G the Gram matrix of the features; that of strips is the sum of theirs."""

    def __init__(self, target=None, scale=1.0):
        self._products, self._target, self._scale, self._sum = Products(), target, scale, None

    def begin(self):
        """Forget what an evaluation that was broken off had seen."""
        self._sum = None

    def see(self, features, window, empty):
        gram = self._products.gram(operators.cast(features, "float32", empty), *window.core(), empty)
        self._sum = gram if self._sum is None else self._sum + gram

    def gram(self):
        gram, self._sum = self._sum, None
        return gram

    def loss(self):
        """The sum of squares, without the scale."""
        difference = self.gram() - self._target
        self._factor = difference * (4 * self._scale)
        return squares(difference.asnumpy())

    def head(self, features, window, empty):
        """2·scale·(G − target)·features, twice, for they are both factors of G."""
        return self._products.times(features, self._factor, empty)


class ContentTap:
    """scale·‖features − target‖²."""

    def __init__(self, target, scale):
        self._target, self._scale, self._sum, self._seen = target, scale, 0.0, None

    def begin(self):
        self._sum, self._seen = 0.0, None

    def see(self, features, window, empty):
        first, last = window.core()
        difference = self._difference(features, window)
        self._sum += squares(difference[:, :, first:last])
        self._seen = difference if difference.shape == self._target.shape else None     # of a strip there are others

    def loss(self):
        total, self._sum = self._sum, 0.0
        return total

    def head(self, features, window, empty):
        difference = self._difference(features, window) if self._seen is None else self._seen
        self._seen = None
        difference *= 2 * self._scale
        return operators.cast(mx.nd.array(difference, features.context), operators.dtype_of(features), empty)

    def _difference(self, features, window):
        """To the target, in NumPy, which subtracts faster than MXNet."""
        return operators.cast(features, "float32").asnumpy() - self._target[:, :, window.first:window.last]


class Copy:
    """The features themselves: the target of a content term."""

    features = None

    def see(self, features, window, empty):
        if self.features is None:
            self.features = mx.nd.empty(features.shape[:2] + (window.height, features.shape[3]), features.context)
        self.features[:, :, window.core_first:window.core_last] = operators.cast(features, "float32").slice_axis(
            2, *window.core())


def squares(array):
    """The sum of an array's squares."""
    flat = array.ravel()
    return float(np.dot(flat, flat))
