"""Generated paintings to learn a style from: a night in brush strokes or as a woodcut, stained glass, and a mosaic."""

import numpy as np

from ..system.errors import UsageError
from . import glass, mosaic, night, woodcut

SUBJECTS = {"night": night.paint, "glass": glass.paint, "mosaic": mosaic.paint, "woodcut": woodcut.paint}
SMALLEST = 64  # pixels of either side


def paint(height: int = 640, width: int = 1024, seed: int = 0, subject: str = "night") -> np.ndarray:
    """A painting, uint8 RGB (height, width, 3); the same size, seed and subject give the same picture."""
    if min(height, width) < SMALLEST or not 0 <= seed < 2**32:
        raise UsageError(f"a painting needs sides of at least {SMALLEST} pixels and a seed from 0 to 2**32 - 1")
    if subject not in SUBJECTS:
        raise UsageError(f"no subject {subject!r}; there are {', '.join(SUBJECTS)}")
    return SUBJECTS[subject](height, width, seed)
