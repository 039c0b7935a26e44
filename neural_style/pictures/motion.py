"""Move paint along with what moves in a film; pictures are (1, 3, H, W) arrays in the network's range."""

from typing import NamedTuple

import numpy as np

from . import colors

RADIUS = 9  # pixels around each one that are assumed to move with it
LARGE = 320  # pictures with a longer edge than this are compared at half the size
ASTRAY = 1.0  # pixels that going forth and back may miss where it began, ...
FASTER = 0.05  # ... and by how much more for each pixel of the way
UNLIKE = 12.0  # of 255: how much what was moved may differ from what is there now, averaged over a few pixels
NEAR = 5  # these few pixels, across and down
CUT = 0.3  # the mean weight below which two pictures have hardly anything in common


class Motion(NamedTuple):
    """How one picture has become the next."""

    source: np.ndarray  # (2, H, W): the row and column that each pixel comes from
    weight: np.ndarray  # (H, W), 0 to 1: how far that can be trusted; 0 where the pixel was hidden or outside before
    outside: np.ndarray  # (H, W): whether it was outside

    @property
    def is_cut(self) -> bool:
        """Whether the next picture is another scene."""
        return self.weight.mean() < CUT

    def moved(self, image: np.ndarray) -> np.ndarray:
        """image, (1, C, H, W), moved along; float32. What comes from outside is mirrored."""
        return np.stack([_taken(channel, self.source, order=3, mode="mirror") for channel in image[0]])[None]

    def blended(self, image: np.ndarray, fresh: np.ndarray, share: float = 1.0) -> np.ndarray:
        """The fresh picture blended with the moved image, which has at most this share; both (1, C, H, W)."""
        return (fresh + share * self.weight * (self.moved(image) - fresh)).astype(np.float32)

    def started(self, painted: np.ndarray, photograph: np.ndarray) -> np.ndarray:
        """The next frame's start: what was painted, moved along, and the photograph where something was hidden before.

        What comes in along the edges is half of what was painted, mirrored: the photograph alone would leave a margin
        that is never finished, and the mirror alone one of stripes.
        """
        weight = np.where(self.outside, 0.5, self.weight)
        return (photograph + weight * (self.moved(painted) - photograph)).astype(np.float32)


def between(before: np.ndarray, now: np.ndarray) -> Motion:
    """The Motion from the picture before to the picture now, by Lucas and Kanade's optical flow both ways.

    A pixel's weight falls to 0 where the way back leads elsewhere, where what arrives does not look like what is there,
    and outside of the picture.
    """
    before, now = (colors.luminance(picture)[0, 0].astype(np.float32) for picture in (before, now))
    factor = 2 if max(now.shape) > LARGE else 1
    small = [_halved(picture) if factor > 1 else picture for picture in (before, now)]
    back, forth = _flow(small[1], small[0]), _flow(small[0], small[1])
    weight = _consistent(back, forth)
    if factor > 1:
        back, weight = np.stack([_enlarged(part, now.shape) * factor for part in back]), _enlarged(weight, now.shape)
    source = _grid(now.shape) + back
    from scipy.ndimage import uniform_filter

    unlike = uniform_filter(np.abs(_taken(before, source) - now), NEAR)
    outside = np.any([(part < -0.5) | (part > side - 0.5) for part, side in zip(source, now.shape)], axis=0)
    return Motion(source, ~outside * weight * _falling(unlike / UNLIKE), outside)


def _flow(reference, other):
    """(2, H, W) float32: what to add to a pixel's row and column in reference to find it in other."""
    from skimage.registration import optical_flow_ilk

    return optical_flow_ilk(reference / 255, other / 255, radius=RADIUS, dtype=np.float32)


def _consistent(back, forth):
    """The weight of each pixel by how near to itself it comes when it goes back and forth again."""
    source = _grid(back.shape[1:]) + back
    missed = back + np.stack([_taken(part, source) for part in forth])
    way = np.hypot(*back)
    return _falling(np.hypot(*missed) / (ASTRAY + FASTER * way))


def _falling(ratio):
    """1 up to half of what is allowed, 0 from one and a half times that on, and a straight line in between."""
    return np.clip(1.5 - ratio, 0, 1)


def _taken(channel, source, order=1, mode="nearest"):
    """The (H, W) values of channel at the rows and columns of source."""
    from scipy.ndimage import map_coordinates

    return map_coordinates(channel.astype(np.float32), source, order=order, mode=mode)


def _grid(shape):
    return np.indices(shape, np.float32)


def _halved(picture):
    """The (H, W) picture at half the size; each pixel is the mean of four."""
    height, width = (side // 2 * 2 for side in picture.shape)
    return picture[:height, :width].reshape(height // 2, 2, width // 2, 2).mean((1, 3))


def _enlarged(picture, shape):
    """A picture that was halved, at its full size again, by linear interpolation."""
    return _taken(picture, (_grid(shape) - 0.5) / 2)
