"""Masks, and pictures whose flat colours say which part of the content takes after which part of a style.

A map is (h, w) uint8, from 0 to 255: how far each pixel belongs to something.
"""
import logging

import numpy as np
from PIL import Image

from ..network.architecture import MEANS
from ..system.errors import UsageError
from .colors import LUMA
from .images import FITS

NEAR = 48               # colours that are not as far apart, in R, G and B from 0 to 255, are one: JPEG changes them a little
SMALLEST = 0.005        # the share of a picture that a region has at least; what has less is an edge between two others
FLAT = 0.9              # the share of a picture that is near the colours of its regions
ASPECT = 0.02           # how far the aspect ratio may be from that of the picture beneath

log = logging.getLogger("neural_style")


def mask_of(picture, beneath):
    """The map of a mask: white where it is painted; nothing is where the mask is transparent."""
    shade = np.rint(_bytes(picture) @ LUMA)
    if picture.alpha is not None:
        shade = np.rint(shade * (picture.alpha / 255.0))
    return _fitted(shade.astype(np.uint8), picture, beneath)


def paired(content, styles):
    """The regions' maps: [map of the content], and for each style [its map of the same colour, or None].

    content is (labels, picture beneath), styles a list of such pairs, all of them Pictures.
    """
    found, of_styles = _colors(content[0]), [_colors(labels) for labels, _ in styles]
    maps, maps_of_styles = [], [[] for _ in styles]
    for (labels, _), others in zip(styles, of_styles):
        if not any(_nearest(color, [other for other, _ in others]) is not None for color, _ in found):
            raise UsageError(f"--style-regions {labels.name}: none of its colours, {_names(others)}, is in --regions, which has "
                             f"{_names(found)}")
    for color, share in found:
        partners = [_nearest(color, [other for other, _ in others]) for others in of_styles]
        if all(partner is None for partner in partners):
            raise UsageError(f"--regions {content[0].name}: its colour {_name(color)}, {share:.1%} of the picture, is in none of "
                             f"--style-regions, which have {_names(sum(of_styles, []))}; every region needs a style")
        maps.append(_map(*content, found, color))
        for own, style, others, partner in zip(maps_of_styles, styles, of_styles, partners):
            own.append(None if partner is None else _map(*style, others, partner))
    log.info("%d regions: %s", len(found), ", ".join(f"{_name(color)} {share:.0%}" for color, share in found))
    return maps, maps_of_styles


def scaled(part, size, fit="stretch", scale=1.0):
    """A map at the size (H, W) as the network sees it, or as a style picture is fitted to it: (h, w), from 0 to 1."""
    return np.round((FITS[fit](np.dstack([part] * 3), size, scale)[0, 0] + MEANS[0]) / 256, 6)


def _colors(picture):
    """[(colour, share)] of a picture's regions, the largest first; transparent pixels belong to none."""
    pixels = _bytes(picture)
    pixels = pixels.reshape(-1, 3) if picture.alpha is None else pixels[picture.alpha >= 128]
    packed, counts = np.unique(pixels.astype(np.int64) @ (65536, 256, 1), return_counts=True)
    colors, shares = np.stack([packed >> 16, packed >> 8 & 255, packed & 255], 1), counts / max(1, counts.sum())
    kept, near = [], np.zeros(len(colors), bool)
    for index in np.argsort(-shares, kind="stable"):
        if not near[index] and (shares[index] >= SMALLEST or not kept):
            own = ~near & (np.linalg.norm(colors - colors[index], axis=1) < NEAR)
            kept.append((colors[index], float(shares[own].sum())))
            near |= own
        elif shares[index] < SMALLEST:
            break
    if not kept or shares[near].sum() < FLAT:
        raise UsageError(f"{picture.name} has {len(colors)} colours; a picture of regions is painted in a few flat ones, one "
                         "for each region")
    return kept


def _nearest(color, others):
    """The one of the others that is the same colour, or None."""
    distances = [np.linalg.norm(color - other) for other in others]
    return others[int(np.argmin(distances))] if distances and min(distances) < NEAR else None


def _map(labels, beneath, colors, color):
    """Where the labels have a colour, or one that is nearer to it than to the others."""
    pixels = _bytes(labels).astype(np.float32)
    distances = [np.square(pixels - other).sum(2) for other, _ in colors]
    here = np.argmin(distances, 0) == [other is color for other, _ in colors].index(True)
    if labels.alpha is not None:
        here &= labels.alpha >= 128
    return _fitted(here.astype(np.uint8) * 255, labels, beneath)


def _fitted(part, picture, beneath):
    """A map at the size of the picture beneath; one of a single value has no size."""
    (height, width), (goal, across) = part.shape, beneath.pixels.shape[:2]
    if abs(width * goal / (height * across) - 1) > ASPECT and part.min() != part.max():
        raise UsageError(f"{picture.name} is {width}x{height} and {beneath.name} {across}x{goal}: the one is to lie on the "
                         "other, so bring it to the same shape")
    return np.asarray(Image.fromarray(part).resize((across, goal), Image.NEAREST))


def _bytes(picture):
    return picture.pixels if picture.pixels.dtype == np.uint8 else (picture.pixels >> 8).astype(np.uint8)


def _name(color):
    return "#%02x%02x%02x" % tuple(color)


def _names(colors):
    return ", ".join(dict.fromkeys(_name(color) for color, _ in colors))
