"""A margin around the image, painted with it and cut off from what is shown, so that edges are painted like the rest.

Each pool leaves out what does not fill its last window, so where a side is no multiple of MULTIPLE, the outermost pixels take
no part in the deeper layers. An image that begins as noise keeps a grey fringe there, and paler edges all around, where
convolutions see zeros.
"""
from typing import NamedTuple, Tuple

import numpy as np

from ..find_mxnet import mx

MARGIN = 16         # pixels on each side, and as many more on the right and at the bottom as fill all windows; 8 are too few
MULTIPLE = 16       # pixels: four pools come before the deepest layer that is compared


class Canvas(NamedTuple):
    """What is painted for a picture of size (H, W): arrays (…, H, W) with margins around them."""
    size: Tuple[int, int]
    margins: Tuple[Tuple[int, int], Tuple[int, int]]        # rows above and below, columns to the left and to the right

    @property
    def whole(self):
        """(H, W) with the margins."""
        return tuple(side + sum(own) for side, own in zip(self.size, self.margins))

    def extended(self, array):
        """A NumPy array or an NDArray, with reflections for margins."""
        if self.whole == self.size:
            return array
        if isinstance(array, mx.nd.NDArray):
            return mx.nd.array(self.extended(array.asnumpy()), ctx=array.context)
        return np.pad(array, [(0, 0)] * (array.ndim - 2) + list(self.margins), mode="reflect")

    def shown(self, array):
        """A NumPy array or an NDArray without its margins."""
        if self.whole == self.size:
            return array
        rows, columns = (slice(before, before + side) for side, (before, _) in zip(self.size, self.margins))
        return array[:, :, rows, columns]


def canvas(edges, size):
    """The Canvas that --edges asks for."""
    wide = edges == "reflect"
    return Canvas(tuple(size), tuple((MARGIN, MARGIN + -side % MULTIPLE) if wide else (0, 0) for side in size))


def on_canvas(edges, pictures):
    """The Pictures whose content and its regions are on the Canvas."""
    own = canvas(edges, pictures.content.shape[2:])
    return pictures._replace(content=own.extended(pictures.content),
                             regions=None if pictures.regions is None else own.extended(pictures.regions))
