"""Colours from palettes."""

import numpy as np


def ramp(palette: str, tone: np.ndarray) -> np.ndarray:
    """The colours (..., 3), 0..255, at the tones (...), clipped to 0..1, of a palette, dark to light in hexadecimal."""
    stops = np.array([list(bytes.fromhex(code)) for code in palette.split()], float)
    place = np.clip(tone, 0, 1) * (len(stops) - 1)
    return np.stack([np.interp(place, np.arange(len(stops)), channel) for channel in stops.T], -1)
