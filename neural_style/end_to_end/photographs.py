"""The photographs that a network learns from: random crops of them, at random scales, mirrored, lighter and darker."""

import functools
import logging
import math
import os
from typing import List, Set

import numpy as np

from ..pictures import images
from ..pictures.find import find_pictures
from ..pictures.read import read_picture, size_of
from ..system.errors import NeuralStyleError, UsageError

log = logging.getLogger("neural_style")

SHOWN = 3  # photographs that are held out to show the progress
FEWEST = 2 * SHOWN  # from which some can be held out
SHORTEST = 100  # pixels of a side
SCALES = 0.7, 1.5  # of the size that the network is to paint
CONTRAST, BRIGHTNESS, TINT = (0.7, 1.2), 0.15, 0.1  # how the light changes, of a range from 0 to 1
KEPT = 200  # photographs in memory

# What comes with packages that are here in any case, or often: (module, folder in it, names); those shown come last.
OF_SKIMAGE = (
    "astronaut.png motorcycle_left.png retina.jpg hubble_deep_field.jpg ihc.png camera.png grass.png gravel.png "
    "brick.png coins.png moon.png"
)
PACKAGED = (
    ("skimage", "data", OF_SKIMAGE),
    ("matplotlib", "mpl-data/sample_data", "grace_hopper.jpg"),
    ("sklearn", "datasets/images", "china.jpg flower.jpg"),
    ("skimage", "data", "chelsea.png coffee.png rocket.jpg"),
)


def packaged() -> List[str]:
    """The paths of the photographs that come with installed packages."""
    from importlib.util import find_spec

    found: List[str] = []
    for module, folder, names in PACKAGED:
        spec = find_spec(module)
        root = os.path.dirname(str(spec.origin)) if spec else ""
        found += filter(os.path.isfile, (os.path.join(root, folder, name) for name in names.split() if root))
    return found


class Photographs:
    """The photographs to learn from, and `shown`, a few Pictures that are held out (`are_apart`) if there are enough.

    patterns are files, folders or glob patterns; without any, packaged() are taken. size is the longer edge of the
    pictures that the network will paint; crops are squares of crop pixels.
    """

    def __init__(self, patterns: List[str], size: int, crop: int) -> None:
        self._size, self._crop = size, crop
        self._bad: Set[str] = set()
        paths = packaged() if not patterns else find_pictures(patterns, "--photos")
        self._paths = list(dict.fromkeys(path for path in paths if self._is_large_enough(path)))
        self.are_apart = len(self._paths) >= FEWEST
        step = max(1, len(self._paths) // SHOWN)
        chosen = self._paths[-SHOWN:] if not patterns else self._paths[step - 1 :: step]
        self.shown = [picture for picture in map(self._read, chosen[:SHOWN]) if picture]
        self._paths = [path for path in self._paths if not self.are_apart or path not in chosen[:SHOWN]]
        self._scaled = functools.lru_cache(KEPT)(self._scaled_down)
        if not any(self._read(path) for path in self._paths):
            raise UsageError("--photos: there is no photograph to learn from")

    def __len__(self) -> int:
        return len(self._paths)

    @property
    def paths(self) -> List[str]:
        return list(self._paths)

    def sample(self, rng: np.random.Generator) -> np.ndarray:
        """A random crop as an array (1, 3, crop, crop) in the network's range; rng is NumPy's generator."""
        pixels = None
        while pixels is None:
            if len(self._bad) >= len(self._paths):
                raise NeuralStyleError("none of the photographs can be read any more")
            pixels = self._scaled(self._paths[rng.integers(len(self._paths))])
        height, width = pixels.shape[:2]
        scale = self._size * rng.uniform(*SCALES) / max(height, width)
        scale = max(scale, self._crop / min(height, width))
        cut = [min(side, math.ceil(self._crop / scale)) for side in (height, width)]
        top, left = (rng.integers(side - part + 1) for side, part in zip((height, width), cut))
        crop = images.resized(pixels[top : top + cut[0], left : left + cut[1]], (self._crop, self._crop)) / 255.0
        if rng.random() < 0.5:
            crop = crop[:, ::-1]
        light = 0.5 + rng.uniform(-BRIGHTNESS, BRIGHTNESS) + rng.uniform(-TINT, TINT, 3)
        crop = np.clip((crop - 0.5) * rng.uniform(*CONTRAST) + light, 0, 1)
        return np.ascontiguousarray((crop * 256 - images.MEANS).transpose(2, 0, 1)[None], "float32")

    def _is_large_enough(self, path):
        size = size_of(path)
        if size is None or min(size) >= SHORTEST:
            return True  # if it cannot be read, the reader says so
        log.warning("skipping %s: it is only %dx%d", path, *size)
        return False

    def _read(self, path):
        """The Picture, or None, once with a warning, where it cannot be read."""
        if path in self._bad:
            return None
        try:
            return read_picture(path)
        except UsageError as error:
            log.warning("skipping a photograph: %s", error)
            self._bad.add(path)
            return None

    def _scaled_down(self, path):
        """The photograph's pixels, uint8, no larger than crops are taken from; None if it cannot be read."""
        picture = self._read(path)
        if picture is None:
            return None
        pixels = picture.pixels if picture.pixels.dtype == "uint8" else (picture.pixels // 256).astype("uint8")
        height, width = pixels.shape[:2]
        scale = max(SCALES[1] * self._size / max(height, width), 2 * self._crop / min(height, width))
        return images.resized(pixels, (round(height * scale), round(width * scale))) if scale < 1 else pixels
