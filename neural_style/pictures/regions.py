"""Masks, and pictures whose flat colours assign parts of a style to parts of the content.

A map is (h, w) uint8, from 0 to 255: how far each pixel belongs to something.
"""

import logging
import math
from typing import List, NamedTuple, Optional, Tuple

import numpy as np
from PIL import Image

from ..network.architecture import MEANS
from ..system.errors import UsageError
from ..system.types import Size
from .colors import LUMA
from .images import FITS
from .read import Picture

NEAR = 48  # colours that are not as far apart, in R, G and B from 0 to 255, are one: JPEG changes them a little
SMALLEST = 0.005  # the share of a picture that a region has at least; what has less is an edge between two others
ENOUGH = 4_000_000  # pixels of a picture of regions; of larger ones, only every second or third is taken each way
PAINTED = 13  # of 255: what is darker in a mask is not painted, but black that JPEG has changed a little
MOST, FEW = 32, 16  # regions that there can be; colours of which each is one, however alike they are
FLAT = 0.9  # the share of a picture that is near the colours of its regions
ASPECT = 0.02  # how far the aspect ratio may be from that of the picture beneath

log = logging.getLogger("neural_style")


def mask_of(picture: Picture, beneath: Picture) -> np.ndarray:
    """The map of a mask, at its own size: white where it is painted; nothing is where the mask is transparent."""
    shade = np.rint(_bytes(picture) @ LUMA)
    if picture.alpha is not None:  # it is read as if on white, and the white that shows through does not count
        shade = np.maximum(shade - 255 + picture.alpha, 0)
    _demand_shape("--mask", shade, picture, beneath)
    return shade.astype(np.uint8)


class Labels(NamedTuple):
    """A picture of regions: where each has which colour."""

    name: str
    colors: np.ndarray  # (R, 3)
    numbers: np.ndarray  # (h, w), the region of each pixel; -1 of none

    def find(self, color: np.ndarray) -> Optional[int]:
        """The number of the region of this colour, or None."""
        distances = np.linalg.norm(self.colors - color, axis=1)
        return int(distances.argmin()) if distances.min() < NEAR else None


def paired(
    content: Tuple[Picture, Picture], styles: List[Tuple[Picture, Picture]]
) -> Tuple[List[np.ndarray], List[List[np.ndarray]]]:
    """The regions' maps: [map of the content], and for each style [its map of the same colour, empty if it has none].

    content is (labels, picture beneath), styles a list of such pairs, all of them Pictures.
    """
    own, others = _labels(content[0]), [_labels(picture) for picture, _ in styles]
    for labels in others:
        if all(labels.find(color) is None for color in own.colors):
            raise UsageError(
                f"--style-regions {labels.name}: none of its colours, {_names(labels)}, is in --regions, which has "
                f"{_names(own)}"
            )
    maps, shares = [], []
    maps_of_styles: List[List[np.ndarray]] = [[] for _ in styles]
    for number, color in enumerate(own.colors):
        partners = [labels.find(color) for labels in others]
        shares.append(f"{_name(color)} {np.mean(own.numbers == number):.0%}")
        if all(partner is None for partner in partners):
            raise UsageError(
                f"--regions {own.name}: its colour {shares[-1]} is in none of --style-regions, which have "
                f"{_names(*others)}; every region needs a style"
            )
        maps.append(_fitted(_map(own, number), "--regions", *content))
        for found, labels, partner, pictures in zip(maps_of_styles, others, partners, styles):
            found.append(_fitted(_map(labels, partner), "--style-regions", *pictures))
    log.info("regions: %s", ", ".join(shares))
    return maps, maps_of_styles


def scaled(
    part: np.ndarray, size: Size, shape: Optional[Size] = None, fit: str = "stretch", scale: float = 1.0
) -> np.ndarray:
    """A map at the size (H, W) that the network sees, or as a style picture is fitted to it, in its shape; 0 to 1."""
    from skimage.transform import resize

    share = np.round((FITS[fit](np.dstack([part] * 3), size, scale)[0, 0] + MEANS[0]) / 256, 6)
    return share if share.shape == (shape or size) else resize(share, shape, order=1)


def _labels(picture):
    """The Labels of a picture: its flat colours, and each pixel in the region whose colour is nearest.

    Edges between two regions, blurred or drawn, have colours, too, but no area.
    """
    step = math.ceil(math.sqrt(picture.pixels.size / 3 / ENOUGH))
    pixels = _bytes(picture)[::step, ::step]
    clear = None if picture.alpha is None else picture.alpha[::step, ::step] < 128
    packed, which = np.unique(pixels.astype(np.int64) @ (65536, 256, 1), return_inverse=True)
    which = which.reshape(pixels.shape[:2])
    colors = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], 1)
    counts = np.bincount((which if clear is None else which[~clear]).ravel(), minlength=len(colors))
    if not counts.any():
        raise UsageError(f"{picture.name} is completely transparent; paint each region in a flat colour")
    flat, near = _flat(colors, counts / counts.sum())
    if near < FLAT:
        raise UsageError(
            f"{picture.name} has {len(colors)} colours; a picture of regions is painted in a few flat ones, one "
            "for each region"
        )
    numbers = _nearest(colors, flat, which, clear)
    flat = [index for number, index in enumerate(flat) if _has_area(numbers == number)] or flat
    if len(flat) > MOST:
        raise UsageError(f"{picture.name} has {len(flat)} regions; there can be {MOST} at most")
    return Labels(picture.name, colors[flat], _nearest(colors, flat, which, clear))


def _flat(colors, shares):
    """The indices of the most frequent colours that are not near each other, and the share of what is near one."""
    kept, near, radius = [], np.zeros(len(colors), bool), 1 if len(colors) <= FEW else NEAR
    for index in np.argsort(-shares, kind="stable"):
        if shares[index] < SMALLEST:
            break
        if not near[index]:
            kept.append(index)
            near |= np.linalg.norm(colors - colors[index], axis=1) < radius
    return kept, shares[near].sum()


def _nearest(colors, flat, which, clear):
    """For each pixel the number of the flat colour nearest to its own, which is colors[which]; -1 where it is clear."""
    nearest = np.argmin([np.square(colors - colors[index]).sum(1) for index in flat], 0)[which]
    return nearest if clear is None else np.where(clear, -1, nearest)


def _has_area(there):
    """Whether a region, (h, w) bool, is anywhere wider than an edge."""
    from scipy.ndimage import binary_erosion

    return binary_erosion(there, np.ones((3, 3)), max(1, min(there.shape) // 100), border_value=1).any()


def _map(labels, number):
    return np.uint8(255) * (labels.numbers == number) if number is not None else np.zeros((1, 1), np.uint8)


def _demand_shape(flag, part, picture, beneath):
    """Raise UsageError if a map does not have the shape of the picture beneath; one of a single value has any."""
    (height, width), (goal, across) = picture.pixels.shape[:2], beneath.pixels.shape[:2]
    if abs(width * goal / (height * across) - 1) > ASPECT + 1 / min(height, width) and part.min() != part.max():
        raise UsageError(
            f"{flag} {picture.name} is {width}x{height}, and {beneath.name}, on which it lies, {across}x{goal}: "
            "crop or resize it to the same aspect ratio"
        )


def _fitted(part, flag, picture, beneath):
    """A map at the size of the picture beneath, or of a part of its pixels."""
    goal, across = beneath.pixels.shape[:2]
    _demand_shape(flag, part, picture, beneath)
    step = math.ceil(math.sqrt(goal * across / ENOUGH)) if part.size <= ENOUGH else 1
    size = (max(1, across // step), max(1, goal // step))
    return np.asarray(Image.fromarray(part).resize(size, Image.Resampling.NEAREST))


def _bytes(picture):
    return picture.pixels if picture.pixels.dtype == np.uint8 else (picture.pixels >> 8).astype(np.uint8)


def _name(color):
    return "#{:02x}{:02x}{:02x}".format(*color)


def _names(*all_labels):
    return ", ".join(dict.fromkeys(_name(color) for labels in all_labels for color in labels.colors))
