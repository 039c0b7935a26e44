"""Colours from palettes, and the last step of a painting."""

import numpy as np
from PIL import Image


def ramp(palette: str, tone: np.ndarray) -> np.ndarray:
    """The colours (..., 3), 0..255, at the tones (...), clipped to 0..1, of a palette, dark to light in hexadecimal."""
    stops = np.array([list(bytes.fromhex(code)) for code in palette.split()], float)
    place = np.clip(tone, 0, 1) * (len(stops) - 1)
    return np.stack([np.interp(place, np.arange(len(stops)), channel) for channel in stops.T], -1)


def shrunk(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """A picture that was painted larger, uint8 RGB (height, width, 3)."""
    fine = Image.fromarray(picture.clip(0, 255).astype(np.uint8))
    return np.asarray(fine.resize((width, height), Image.Resampling.BOX))
