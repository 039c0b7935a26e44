"""What L-BFGS moves: the values of the pixels, or the frequencies of brightness and colours.

The scale of each coordinate decides which directions L-BFGS follows first. Frequencies are the coefficients of a cosine
transform, and coarse ones have larger factors than fine ones, so that the run needs fewer epochs. Colours have no
frequencies above FINEST_COLOR: the network hardly sees them, and they would stay in the picture as coloured grain.
"""

from typing import Any, Callable, NamedTuple, Tuple

import numpy as np

from ..system import machine

FINEST_COLOR = 0.2  # cycles per pixel
EXPONENT, OFFSET = -0.35, 0.05  # of the factors, (f + OFFSET) ** EXPONENT, f = 1 at half the sampling rate
OPPONENTS = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]]) / np.sqrt([[3], [2], [6]])  # brightness, and two of colours


class Coordinates(NamedTuple):
    """Flat float64 coordinates of images (1, 3, H, W), in which a step of length 1 moves each value by about 1."""

    of: Callable[[Any], Any]  # the image's coordinates
    image: Callable[[Any], Any]  # from its coordinates
    slope: Callable[[Any], Any]  # in these coordinates, from the gradient
    pairs: int  # of steps and slopes to remember


def _flat(values):
    return values.ravel().astype("float64")


def pixels(shape: Tuple[int, ...], flat: Callable = _flat) -> Coordinates:
    """Coordinates that are the values themselves, as flat(image) gives them."""
    unit = np.prod(shape) ** 0.5
    return Coordinates(
        lambda image: flat(image) / unit,
        lambda coordinates: (coordinates * unit).reshape(shape),
        lambda gradient: flat(gradient) * unit,
        pairs=10,
    )


def spectrum(shape: Tuple[int, ...]) -> Tuple[np.ndarray, np.ndarray]:
    """Which coefficients of the cosine transforms are coordinates, (3, H, W), and the unit of each of those."""
    _, _, height, width = shape
    frequency = np.hypot(np.arange(height)[:, np.newaxis] / height, np.arange(width) / width)
    factors = (frequency + OFFSET) ** EXPONENT
    factors /= np.sqrt(np.square(factors).mean())
    kept = np.stack([frequency >= 0, frequency < 2 * FINEST_COLOR, frequency < 2 * FINEST_COLOR])
    return kept, (np.prod(shape) ** 0.5 * np.broadcast_to(factors, kept.shape))[kept]


def frequencies(shape: Tuple[int, ...]) -> Coordinates:
    """Coordinates that are the frequencies of brightness and colours."""
    from scipy.fft import dctn, idctn

    kept, units = spectrum(shape)
    how = {"axes": (1, 2), "norm": "ortho", "workers": machine.threads()}

    def forward(values):
        return dctn(np.tensordot(OPPONENTS, values[0], 1), **how)[kept]

    def image(flat):
        whole = np.zeros(kept.shape)
        whole[kept] = flat * units
        return np.tensordot(OPPONENTS.T, idctn(whole, **how), 1)[np.newaxis]

    return Coordinates(
        lambda image: forward(image) / units, image, lambda gradient: forward(gradient) * units, pairs=30
    )


COORDINATES = {"pixels": pixels, "frequencies": frequencies}
