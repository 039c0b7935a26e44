"""A reflection beyond the right and the bottom edge, so that the network sees those edges like any other part of a picture.

Each pool leaves out what does not fill its last window. Where a side is no multiple of MULTIPLE, the outermost pixels
therefore take no part in the deeper layers, and an image that begins as noise keeps a grey fringe there.
"""
import numpy as np

from ..find_mxnet import mx

MULTIPLE = 16       # pixels: four pools come before the deepest layer that is compared


def beyond(size):
    """The rows and columns that a picture of size (H, W) needs to fill all windows, or as many as it can reflect."""
    return tuple(min(-side % MULTIPLE, side - 1) for side in size)


def extended(pictures):
    """The Pictures with the content and its regions reflected beyond those edges."""
    below, right = beyond(pictures.content.shape[2:])

    def reflect(array):
        return np.pad(array, [(0, 0)] * (array.ndim - 2) + [(0, below), (0, right)], mode="reflect")
    return pictures._replace(content=reflect(pictures.content),
                             regions=None if pictures.regions is None else reflect(pictures.regions))


class Extended:
    """An engine for images of size (H, W), by one for the extended pictures."""

    def __init__(self, engine, size, device):
        self._engine, self._size = engine, size
        below, right = beyond(size)
        shape = (1, 3) + tuple(size)
        self._image, self._gradient = mx.nd.zeros(shape, device), mx.nd.zeros(shape, device)
        reflected = mx.sym.Pad(mx.sym.Variable("image"), mode="reflect", pad_width=(0, 0, 0, 0, 0, below, 0, right))
        self._bound = reflected.bind(device, [self._image], [self._gradient])

    def __call__(self, image):
        image.copyto(self._image)
        losses, gradient = self._engine(self._bound.forward(is_train=True)[0])
        self._bound.backward([gradient])
        return losses, self._gradient

    def compare_with(self, content):
        """Take another content, an array (1, 3, H, W), in place of the one before."""
        below, right = beyond(self._size)
        self._engine.compare_with(np.pad(content, [(0, 0), (0, 0), (0, below), (0, right)], mode="reflect"))

    @property
    def patches(self):
        """The Patches of terms that compare some."""
        return self._engine.patches
