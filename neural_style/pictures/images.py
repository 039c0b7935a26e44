"""Pictures to the network's range and back; read.py reads files, write.py writes them.

The network sees arrays of shape (1, 3, H, W), channels R, G, B, on the scale [0, 1] × 256 minus MEANS.
"""

import logging
import math
from argparse import Namespace
from typing import Any, Dict, Optional, Tuple

import numpy as np
from PIL import Image

from ..network.architecture import MEANS
from ..system.errors import NeuralStyleError, UsageError
from ..system.types import PathLike, Size
from .read import MAX_PIXELS, PathOrPicture, Picture, read_image, read_picture  # noqa: F401 (images.NAME is what callers say)
from .write import SIXTEEN_BITS, WITH_ALPHA, format_of, prepare_folder, prepare_outputs, read_recipe, save_picture  # noqa: F401

LARGEST_SIDE = {"JPEG": 65500, "WEBP": 16383, "GIF": 65535, "AVIF": 65536}  # what the formats allow

FAR = 32  # pictures that shrink by a larger factor are averaged over blocks first

log = logging.getLogger("neural_style")


def _in_reach(picture, size):
    """The (H, W, 3) picture, averaged over blocks along any side that is more than FAR times as long as in size.

    scikit-image smooths a picture before scaling it down, which takes time proportional to the square of the factor:
    many minutes for a panorama 60000 pixels wide.
    """
    down, right = (max(1, side // (FAR * goal)) for side, goal in zip(picture.shape, size))
    if down == right == 1:
        return picture
    height, width = picture.shape[0] // down, picture.shape[1] // right
    total = np.zeros((height, width, 3), np.float32)
    for i in range(down):
        for j in range(right):
            total += picture[i::down, j::right][:height, :width]
    return np.round(total / (down * right)).astype(picture.dtype)


def to_network(picture: np.ndarray, size: Size) -> np.ndarray:
    """Resize an (H, W, 3) picture to size (H, W) and convert it to the network's range: (1, 3, H, W), float64."""
    from skimage.transform import resize

    try:
        scaled = resize(_in_reach(picture, size), size) * 256
    except (MemoryError, ValueError) as error:
        raise NeuralStyleError(
            f"a picture of {size[1]}x{size[0]} does not fit in memory; use a smaller --max-long-edge"
        ) from error
    return np.ascontiguousarray((scaled - MEANS).transpose(2, 0, 1)[None])


def content_size(picture: np.ndarray, long_edge: int = 0, width: Optional[int] = None) -> Size:
    """The (H, W) of a picture resized to a longer edge, with both sides truncated to whole pixels, or to a width."""
    height, own_width = picture.shape[:2]
    if width:
        return int(height / own_width * width), width
    factor = float(long_edge) / max(height, own_width)
    return int(height * factor), int(own_width * factor)


def PreprocessContentImage(path: PathOrPicture, long_edge: int, width: Optional[int] = None) -> np.ndarray:
    """Read the content picture (a path or a Picture) and resize it to this longer edge, or to this width."""
    picture = read_picture(path)
    size = content_size(picture.pixels, long_edge, width)
    shown = "{1}x{0}".format(*picture.pixels.shape)
    if min(size) < 1:
        flag = f"--width {width}" if width else f"--max-long-edge {long_edge}"
        raise UsageError(
            f"{picture.name} ({shown}) would have no pixels left at {size[1]}x{size[0]}, the size that "
            f"{flag} gives; crop the picture or choose a larger size"
        )
    log.info("content %s: %s, resized to %dx%d", picture.name, shown, size[1], size[0])
    return to_network(picture.pixels, size)


def _stretch(picture, size, scale):
    return to_network(picture, size)


def _cover(picture, size, scale):
    """Scaled to cover the size, and cropped on the right and at the bottom."""
    ratio = max(size[0] / picture.shape[0], size[1] / picture.shape[1])
    whole = tuple(max(goal, int(side * ratio)) for goal, side in zip(size, picture.shape))
    return to_network(picture, whole)[:, :, : size[0], : size[1]]


def _scale(picture, size, scale):
    """As wide as the content times scale, with its own aspect ratio."""
    height, width = content_size(picture, width=max(1, int(size[1] * scale)))
    return to_network(picture, (max(1, height), width))


def _edge(picture, size, scale):
    """With a longer edge like the content's times scale and its own aspect ratio, but not larger than it is."""
    return to_network(picture, content_size(picture, min(max(1, round(max(size) * scale)), max(picture.shape[:2]))))


FITS = {"stretch": _stretch, "cover": _cover, "scale": _scale, "edge": _edge}


def PreprocessStyleImage(
    path: PathOrPicture, shape: Tuple[int, ...], fit: str = "stretch", scale: float = 1.0
) -> np.ndarray:
    """Read a style picture and fit it to the (…, H, W) in shape, the content's; by default it is stretched."""
    name, pixels, _ = read_picture(path)
    result = FITS[fit](pixels, tuple(shape[2:]), scale)
    sizes = (*pixels.shape[1::-1], *result.shape[:1:-1])
    log.info("style %s: %dx%d, fitted to %dx%d (%s)", name, *sizes, fit)
    return result


def turned(picture: np.ndarray, degrees: float, scale: float) -> np.ndarray:
    """A (1, C, h, w) array rotated by an angle, cropped to the largest upright rectangle inside, and scaled."""
    from skimage.transform import resize

    cut = np.rot90(picture[0], round(degrees / 90), (1, 2)) if degrees % 90 == 0 else _turned(picture[0], degrees)
    channels, *sides = cut.shape
    size = (channels, *(max(1, round(side * scale)) for side in sides))
    return cut[None] if size == cut.shape else resize(cut, size, order=1, mode="edge", anti_aliasing=scale < 1)[None]


def _turned(picture, degrees):
    from scipy.ndimage import rotate

    height, width = (side - 1 for side in picture.shape[1:])  # from the middle of the first pixel to that of the last
    sine, cosine = abs(math.sin(math.radians(degrees))), abs(math.cos(math.radians(degrees)))
    long, short = max(height, width), min(height, width)
    if short <= 2 * sine * cosine * long or abs(sine - cosine) < 1e-9:  # two corners touch the longer side
        sides = (0.5 * short / sine, 0.5 * short / cosine)[:: 1 if width >= height else -1]
    else:
        turn = cosine**2 - sine**2
        sides = (width * cosine - height * sine) / turn, (height * cosine - width * sine) / turn
    whole = rotate(picture, degrees, (1, 2), order=1, mode="nearest")
    across, down = (max(1, int(side)) for side in sides)
    top, left = (whole.shape[1] - down) // 2, (whole.shape[2] - across) // 2
    return whole[:, top : top + down, left : left + across]


def PostprocessImage(img: np.ndarray) -> np.ndarray:
    """The (1, 3, H, W) array as an (H, W, 3) uint8 picture: clipped to 0–255, truncated."""
    return _unrounded(img).astype("uint8")


def _unrounded(img):
    """The (1, 3, H, W) array as an (H, W, 3) float picture from 0 to 255."""
    picture = np.asarray(img).reshape(img.shape[-3:]).transpose(1, 2, 0)
    picture = picture + MEANS.astype(picture.dtype if picture.dtype.kind == "f" else "float32")
    return np.clip(picture, 0, 255)


def SaveImage(
    img: np.ndarray,
    filename: PathLike,
    remove_noise: float = 0.0,
    bit_depth: int = 8,
    alpha: Optional[np.ndarray] = None,
    size: Optional[Size] = None,
    recipe: Optional[str] = None,
    mask: Optional[np.ndarray] = None,
    photo: Optional[np.ndarray] = None,
    smooth_colors: float = 0.0,
) -> None:
    """Save the (1, 3, H, W) array as a picture; remove_noise is the weight of Chambolle's denoising.

    With bit_depth 16, in formats that have it, nothing is rounded to 8 bits on the way. alpha, (h, w) uint8, is
    restored in formats that have transparency. size is the (H, W) to resize the picture to, recipe a text to embed in
    the file. Where mask, (h, w) uint8, is black, it shows photo instead: an array like img, or (h, w, 3) pixels.
    smooth_colors is the standard deviation, in pixels, of the blur of the colours.
    """
    form = format_of(filename)
    bit_depth, alpha = bit_depth if form in SIXTEEN_BITS else 8, alpha if form in WITH_ALPHA else None
    picture = rendered(img, remove_noise, bit_depth, alpha, size, mask, photo, smooth_colors)
    save_picture(picture, filename, recipe)
    log.debug("saved %s", filename)


def rendered(
    img: np.ndarray,
    remove_noise: float = 0.0,
    bit_depth: int = 8,
    alpha: Optional[np.ndarray] = None,
    size: Optional[Size] = None,
    mask: Optional[np.ndarray] = None,
    photo: Optional[np.ndarray] = None,
    smooth_colors: float = 0.0,
) -> np.ndarray:
    """The pixels that SaveImage saves: (H, W, 3), or 4 with alpha, and uint8, or uint16 with bit_depth 16."""
    picture = PostprocessImage(img) if bit_depth == 8 else _unrounded(img)
    if remove_noise != 0.0:
        from skimage.restoration import denoise_tv_chambolle
        from skimage.util import img_as_ubyte

        scaled = picture if bit_depth == 8 else picture / 255  # scikit-image expects floats from 0 to 1
        scaled = denoise_tv_chambolle(scaled, weight=remove_noise, channel_axis=-1)
        picture = img_as_ubyte(scaled) if bit_depth == 8 else scaled * 255
    if smooth_colors:
        picture = _with_smooth_colors(picture, smooth_colors)
    if size:
        picture = resized(picture, size)
    if mask is not None and photo is not None:
        if photo.ndim == 4:
            photo = PostprocessImage(photo) if bit_depth == 8 else _unrounded(photo)
        photo = photo / 257.0 if photo.dtype == np.uint16 else photo
        share = resized(mask[:, :, None], picture.shape[:2], Image.Resampling.BILINEAR).astype(np.float32) / 255
        picture = _blended(picture, resized(photo, picture.shape[:2]), share)
    if alpha is not None:
        picture = _with_alpha(picture, resized(alpha[:, :, None], picture.shape[:2]))
    if picture.dtype != np.uint8:
        picture = np.round(np.clip(picture, 0, 255) * 257.0).astype(np.uint16)
    return picture


def _with_smooth_colors(picture, sigma):
    """The (H, W, 3) picture with each channel's difference to the mean of the channels blurred."""
    from scipy.ndimage import gaussian_filter

    brightness = picture.mean(axis=2, dtype="float32", keepdims=True)
    smooth = np.clip(brightness + gaussian_filter(picture - brightness, (sigma, sigma, 0)), 0, 255)
    return np.round(smooth).astype(np.uint8) if picture.dtype == np.uint8 else smooth


def _blended(picture, photo, share):
    """The picture where share is 1, the photo where it is 0; both (H, W, 3) and of the same type."""
    blended = photo + (picture.astype(np.float32) - photo) * share
    return np.round(blended).astype(np.uint8) if picture.dtype == np.uint8 else blended


def _with_alpha(picture, alpha):
    """The (H, W, 4) picture that looks like the given one when shown on white."""
    share = alpha / 255.0
    colors = np.clip((picture - 255 * (1 - share)) / np.maximum(share, 1 / 255), 0, 255)
    colors = np.where(alpha == 0, picture, colors)
    return np.dstack([np.round(colors).astype(np.uint8) if picture.dtype == np.uint8 else colors, alpha])


def resized(picture: np.ndarray, size: Size, method: int = Image.Resampling.LANCZOS) -> np.ndarray:
    """The (h, w, C) picture resized to (H, W), by one of Pillow's methods."""
    if tuple(size) == picture.shape[:2]:
        return picture
    channels = (Image.fromarray(channel.astype(np.float32)) for channel in np.moveaxis(picture, 2, 0))
    scaled = np.dstack([np.asarray(channel.resize((size[1], size[0]), method)) for channel in channels])
    result: np.ndarray = np.clip(scaled, 0, 255)
    return np.round(result).astype(np.uint8) if picture.dtype == np.uint8 else result


def save_options(
    args: Namespace,
    content: Picture,
    final: Optional[PathLike] = None,
    shown: Optional[np.ndarray] = None,
    mask: Optional[np.ndarray] = None,
) -> Dict[str, Any]:
    """SaveImage's options for the checkpoints of a run on a content Picture, or for its final picture at path final.

    shown is the content as the network sees it, mask the map of where it is painted.
    """
    asked = {"bit_depth": 8, "smooth_colors": 0.0}
    options = {name: getattr(args, name) for name, usual in asked.items() if getattr(args, name) != usual}
    if content.alpha is not None and not args.flatten:
        options["alpha"] = content.alpha
    if final and args.output_size:
        options["size"] = size = output_size(args.output_size, content)
        largest = LARGEST_SIDE.get(format_of(final) or "", math.inf)
        if max(size) > largest:
            raise UsageError(
                f"--output-size {args.output_size} gives {size[1]}x{size[0]} pixels, and a "
                f"{format_of(final)} picture can have at most {largest} along a side; choose a .png or .tif"
            )
    if mask is not None:
        options.update(mask=mask, photo=content.pixels if "size" in options else shown)
    return options


def output_size(asked: str, content: Picture) -> Size:
    """The (H, W) for --output-size: the content's own, or with the longer edge asked for."""
    own = content.pixels.shape[:2]
    size = own if asked == "same" else tuple(max(1, round(side * int(asked) / max(own))) for side in own)
    if size[0] * size[1] > MAX_PIXELS:
        raise UsageError(
            f"--output-size {asked} gives {size[1]}x{size[0]} pixels; the limit is {MAX_PIXELS // 10**6} million"
        )
    return size
