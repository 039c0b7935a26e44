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
                grey = np.clip(np.asarray(picture), 0, 65535).astype(np.uint16)
                return np.repeat(grey[:, :, None], 3, axis=2)
            if picture.mode == "F":
                picture = Image.fromarray(np.clip(np.asarray(picture), 0, 255).astype(np.uint8))
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
    except Exception as error:      # Pillow's decoders raise all sorts on damaged files
        raise UsageError(f"{path} is damaged and cannot be read: {error}") from error


def to_network(picture, size):
    """Resize an (H, W, 3) picture to size (H, W) and bring it to the network's range, (1, 3, H, W) float64."""
    from skimage.transform import resize
    scaled = resize(picture, size) * 256
    return np.ascontiguousarray((scaled - MEANS).transpose(2, 0, 1)[None])


def PreprocessContentImage(path, long_edge):
    """Read the content picture; its longer edge becomes long_edge, both sides truncated to whole pixels."""
    picture = read_image(path)
    height, width = picture.shape[:2]
    factor = float(long_edge) / max(height, width)
    size = int(height * factor), int(width * factor)
    if min(size) < 1:
        raise UsageError(f"{path} ({width}x{height}) has nothing left at {size[1]}x{size[0]}, the size that "
                         f"--max-long-edge {long_edge} gives; crop the picture or raise --max-long-edge")
    log.info("content %s: %dx%d, resized to %dx%d", path, width, height, size[1], size[0])
    return to_network(picture, size)


def PreprocessStyleImage(path, shape):
    """Read the style picture and stretch it to the (…, H, W) of shape, the content's."""
    picture = read_image(path)
    log.info("style %s: %dx%d, stretched to %dx%d", path, *picture.shape[1::-1], shape[3], shape[2])
    return to_network(picture, tuple(shape[2:]))


def PostprocessImage(img):
    """The (1, 3, H, W) array as an (H, W, 3) uint8 picture: clipped to 0–255, truncated."""
    picture = np.asarray(img).reshape(img.shape[-3:]).transpose(1, 2, 0) + MEANS.astype("float32")
    return np.clip(picture, 0, 255).astype("uint8")


def SaveImage(img, filename, remove_noise=0.):
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


def prepare_folder(folder):
    """Make the folder if it is missing, and make sure that files can be written into it."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=str(folder)):
            pass
    except OSError as error:
        raise NeuralStyleError(f"pictures cannot be saved in {folder}: {error.strerror or error}; "
                               "choose another --output_dir") from error
    return Path(folder)
