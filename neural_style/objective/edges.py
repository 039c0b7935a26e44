"""A margin on the right and at the bottom, painted with the image and cut off from what is shown.

Each pool leaves out what does not fill its last window, so where a side is no multiple of MULTIPLE, the outermost
pixels take no part in the deeper layers, and an image that begins as noise keeps a grey fringe there. On a canvas whose
sides are multiples, these pixels are like any others.
"""

from typing import Any, NamedTuple

import numpy as np

from ..system.types import Size
from .examples import Pictures

MULTIPLE = 16  # pixels: four pools come before the deepest layer that is compared


class Canvas(NamedTuple):
    """What is painted for a picture of size (H, W), which is its upper left part."""

    size: Size
    whole: Size

    def extended(self, array: Any) -> Any:
        """An array (…, H, W), with its reflection in the margin."""
        if self.whole == self.size:
            return array
        more = [(0, whole - side) for side, whole in zip(self.size, self.whole)]
        return np.pad(array, [(0, 0)] * (array.ndim - 2) + more, mode="reflect")

    def shown(self, array: Any) -> Any:
        """An array (1, 3, H, W) without its margin."""
        return array if self.whole == self.size else array[:, :, : self.size[0], : self.size[1]]


def canvas(edges: str, size: Size) -> Canvas:
    """The Canvas that --edges asks for."""
    return Canvas(tuple(size), tuple(side + (-side % MULTIPLE if edges == "reflect" else 0) for side in size))


def on_canvas(edges: str, pictures: Pictures) -> Pictures:
    """The Pictures whose content and its regions are on the Canvas."""
    own = canvas(edges, pictures.content.shape[2:])
    return pictures._replace(
        content=own.extended(pictures.content),
        regions=None if pictures.regions is None else own.extended(pictures.regions),
    )
