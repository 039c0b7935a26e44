"""Pictures in and out: read any picture, bring it to the network's range and back, save it whole.

The network sees arrays of shape (1, 3, H, W), channels R, G, B, on the scale [0, 1] × 256 minus MEANS.
"""
import logging
import os
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from .errors import NeuralStyleError, UsageError
from .files import atomic

MEANS = np.array([123.68, 116.779, 103.939])    # R, G, B averages of the pictures that VGG was trained on
SIXTEEN_BIT = ("I", "I;16", "I;16B", "I;16L", "I;16N")

log = logging.getLogger("neural_style")


def read_image(path):
    """Read any picture as an (H, W, 3) RGB array: uint8, or uint16 where the file has 16 bits of grey.

    It is turned as its EXIF orientation says; what is transparent shows white.
    """
    try:
        with Image.open(path) as picture:
            picture = ImageOps.exif_transpose(picture)
            if picture.mode in SIXTEEN_BIT:
                return _grey_of_many_bits(np.asarray(picture), picture.info.get("transparency"), path)
            if picture.mode == "F":
                grey = np.nan_to_num(np.asarray(picture))
                scale = 255 if grey.max() <= 1 else 1       # floating-point pictures go from 0 to 1, as a rule
                picture = Image.fromarray(np.clip(grey * scale, 0, 255).astype(np.uint8))
            if "A" in picture.mode or "transparency" in picture.info:
                picture = picture.convert("RGBA")
                white = Image.new("RGBA", picture.size, "white")
                picture = Image.alpha_composite(white, picture)
            return np.asarray(picture.convert("RGB"))
    except FileNotFoundError:
        hint = "; sh download.sh fetches the original's pair" if str(path).startswith("input/") else ""
        raise UsageError(f"{path}: there is no such picture{hint}") from None
    except IsADirectoryError:
        raise UsageError(f"{path} is a folder; name a picture file") from None
    except UnidentifiedImageError:
        what = "is empty" if os.path.getsize(path) == 0 else "is not a picture in a format that can be read"
        raise UsageError(f"{path} {what}") from None
    except Image.DecompressionBombError:
        raise UsageError(f"{path} is larger than {2 * Image.MAX_IMAGE_PIXELS:,} pixels; scale it down first") from None
    except PermissionError:
        raise UsageError(f"{path} may not be read (permission denied)") from None
    except UsageError:
        raise
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    except Exception as error:      # Pillow's decoders raise all sorts on damaged files
        raise UsageError(f"{path} is damaged and cannot be read: {error}") from error


def _grey_of_many_bits(grey, transparent, path):
    """A grey picture of 16 bits as (H, W, 3) uint16; where it has the value transparent, white."""
    if grey.min() < 0 or grey.max() > 65535:
        raise UsageError(f"{path} has grey values from {grey.min()} to {grey.max()}; save it with 8 or 16 bits")
    grey = grey.astype(np.uint16)
    if isinstance(transparent, int):
        grey[grey == transparent] = 65535
    return np.repeat(grey[:, :, None], 3, axis=2)


def to_network(picture, size):
    """Resize an (H, W, 3) picture to size (H, W) and bring it to the network's range, (1, 3, H, W) float64."""
    from skimage.transform import resize
    try:
        scaled = resize(picture, size) * 256
    except (MemoryError, ValueError) as error:
        raise NeuralStyleError(f"a picture of {size[1]}x{size[0]} does not fit in memory; take a smaller "
                               "--max-long-edge") from error
    return np.ascontiguousarray((scaled - MEANS).transpose(2, 0, 1)[None])


def content_size(picture, long_edge=None, width=None):
    """The (H, W) that a picture gets: by its longer edge, both sides truncated to whole pixels, or by its width."""
    height, own_width = picture.shape[:2]
    if width:
        return int(height / own_width * width), width
    factor = float(long_edge) / max(height, own_width)
    return int(height * factor), int(own_width * factor)


def PreprocessContentImage(path, long_edge, width=None):
    """Read the content picture; its longer edge becomes long_edge, or its width becomes width."""
    picture = read_image(path)
    size = content_size(picture, long_edge, width)
    shown = f"{picture.shape[1]}x{picture.shape[0]}"
    if min(size) < 1:
        flag = f"--width {width}" if width else f"--max-long-edge {long_edge}"
        raise UsageError(f"{path} ({shown}) has nothing left at {size[1]}x{size[0]}, the size that {flag} gives; "
                         "crop the picture or take a larger size")
    log.info("content %s: %s, resized to %dx%d", path, shown, size[1], size[0])
    return to_network(picture, size)


def _stretch(picture, size, scale):
    return to_network(picture, size)


def _cover(picture, size, scale):
    """Scaled to cover the size, then cropped to it at the right and at the bottom."""
    ratio = max(size[0] / picture.shape[0], size[1] / picture.shape[1])
    whole = tuple(max(goal, int(side * ratio)) for goal, side in zip(size, picture.shape))
    return to_network(picture, whole)[:, :, :size[0], :size[1]]


def _scale(picture, size, scale):
    """As wide as the content times scale, in its own aspect."""
    return to_network(picture, content_size(picture, width=max(1, int(size[1] * scale))))


FITS = {"stretch": _stretch, "cover": _cover, "scale": _scale}


def PreprocessStyleImage(path, shape, fit="stretch", scale=1.0):
    """Read a style picture and fit it to the (…, H, W) of shape, the content's: stretched, unless asked otherwise."""
    picture = read_image(path)
    result = FITS[fit](picture, tuple(shape[2:]), scale)
    log.info("style %s: %dx%d, fitted to %dx%d (%s)", path, picture.shape[1], picture.shape[0], result.shape[3],
             result.shape[2], fit)
    return result


def PostprocessImage(img):
    """The (1, 3, H, W) array as an (H, W, 3) uint8 picture: clipped to 0–255, truncated."""
    picture = np.asarray(img).reshape(img.shape[-3:]).transpose(1, 2, 0) + MEANS.astype("float32")
    return np.clip(picture, 0, 255).astype("uint8")


def SaveImage(img, filename, remove_noise=0., recipe=None):
    """Save the (1, 3, H, W) array as a picture; remove_noise is the weight of Chambolle's denoising."""
    picture = PostprocessImage(img)
    if remove_noise != 0.0:
        from skimage.restoration import denoise_tv_chambolle
        from skimage.util import img_as_ubyte
        picture = img_as_ubyte(denoise_tv_chambolle(picture, weight=remove_noise, channel_axis=-1))
    save_picture(picture, filename)
    log.debug("saved %s", filename)


def save_picture(picture, filename):
    """Save an (H, W, 3) uint8 picture whole or not at all, in the format of the name's extension."""
    try:
        with atomic(filename) as temporary:
            Image.fromarray(picture).save(temporary, quality=95, subsampling=0)
    except ValueError as error:
        raise UsageError(f"{filename}: {error}") from error
    except OSError as error:
        raise NeuralStyleError(f"{filename} could not be written: {error.strerror or error}") from error


def prepare_outputs(*paths):
    """Make sure, before a long run, that pictures can be saved as paths; missing folders are made."""
    for path in paths:
        if Path(path).suffix.lower() not in Image.registered_extensions():
            raise UsageError(f"{path}: its ending names no picture format; take .jpg or .png, for example")
    for path in paths:
        prepare_folder(os.path.dirname(path) or ".")


def prepare_folder(folder):
    """Make the folder if it is missing, and make sure that files can be written into it."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=str(folder)):
            pass
    except OSError as error:
        raise NeuralStyleError(f"pictures cannot be saved in {folder}: {error.strerror or error}; "
                               "choose another folder") from error
    return Path(folder)


def read_recipe(path):
    return None
