"""Write pictures completely or not at all, in the format of the name's extension, and read back how they were made."""

import contextlib
import io
import logging
import os
import struct
import tempfile
import zlib
from pathlib import Path
from typing import Any, Dict, Optional

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

from ..system import files
from ..system.errors import NeuralStyleError, UsageError
from ..system.types import PathLike
from .read import ENDINGS, errors_of, plug_in, recognised

WITH_ALPHA = ("PNG", "WEBP", "TIFF", "AVIF", "HEIF")
ICONS = ("ICO", "ICNS")  # Pillow would scale the picture to an icon's size
SIXTEEN_BITS = ("PNG", "TIFF")
KEY = "neural_style"  # the keyword of a PNG's text; in other formats, a prefix of the text
MARK = f"{KEY}: ".encode()
LONGEST = 60_000  # bytes of text; a JPEG comment holds 65533
DESCRIPTION, PROFILE = 270, 34675  # tags of TIFF and EXIF

log = logging.getLogger("neural_style")


def save_picture(picture: np.ndarray, filename: PathLike, recipe: Optional[str] = None) -> None:
    """Save an (H, W, 3 or 4) picture completely or not at all, in the format of the name's extension.

    It is uint8 or, for PNG and TIFF, uint16; a fourth channel is alpha, which is dropped if the format has none. The
    text recipe is embedded in the file if the format has a place for text; read_recipe reads it back.
    """
    form = format_of(filename)
    if form not in WITH_ALPHA:
        picture = picture[:, :, :3]
    if recipe and len(recipe.encode("utf-8", "replace")) > LONGEST:
        log.warning("%s: its recipe of %d characters is too long to be embedded", filename, len(recipe))
        recipe = None
    refuse_read_only(filename)
    with files.atomic(filename, Exception) as temporary, open(temporary, "w+b") as file:  # Pillow can raise anything
        _write(np.ascontiguousarray(picture), file, form, (recipe or "").encode("utf-8", "replace"))


def save_raw(image: np.ndarray, path: PathLike) -> None:
    """Save an array as it is, as NumPy does, completely or not at all."""
    packed = io.BytesIO()  # NumPy itself does not say that a disk is full
    np.save(packed, image)
    files.write(path, packed.getbuffer())


def format_of(path: PathLike) -> Optional[str]:
    """Pillow's name for the format of a picture saved as path."""
    ending = Path(path).suffix.lower()
    if ending in ENDINGS:
        plug_in(ENDINGS[ending])
    form = Image.registered_extensions().get(ending)
    if form not in Image.SAVE or form in ICONS:
        raise UsageError(f"{path}: pictures cannot be saved with this extension; use .jpg or .png, for example")
    return form


def is_picture_name(path: PathLike) -> bool:
    """Whether a path ends as pictures that can be saved do."""
    try:
        return bool(format_of(path))
    except UsageError:
        return False


def _write(picture, file, form, recipe):
    if form == "TIFF":
        _write_tiff(picture, file, recipe)
    elif picture.dtype == np.uint16 and form == "PNG":
        _write_png(picture, file, recipe)
    elif picture.dtype == np.uint16:
        raise UsageError(f"pictures with 16 bits are saved as PNG or TIFF, not as {form}")
    else:
        Image.fromarray(picture).save(file, form, icc_profile=srgb(), **_options(form, recipe))


def _options(form, recipe):
    """Pillow's options for the format: the quality, and the embedded text."""
    if form == "PNG":
        info = PngImagePlugin.PngInfo()
        if recipe:
            info.add_itxt(KEY, recipe.decode("utf-8"))
        return {"pnginfo": info}
    exif = Image.Exif()
    if recipe:
        exif[DESCRIPTION] = MARK + recipe
    if form in ("JPEG", "MPO"):
        comment = b"\xff\xfe" + struct.pack(">H", 2 + len(MARK + recipe)) + MARK + recipe if recipe else b""
        return {"quality": 95, "subsampling": 0, "extra": comment}
    options: Dict[str, Any] = {"quality": 95} if form in ("WEBP", "AVIF", "HEIF") else {}
    if form in ("AVIF", "HEIF"):
        options["subsampling"] = "4:4:4"
    if options and recipe:
        options["exif"] = exif.tobytes()
    return options


def _write_tiff(picture, file, recipe):
    """Write a TIFF by tifffile, since Pillow cannot write one with 3 × 16 bits."""
    import tifffile

    profile = srgb()
    more: Any = {"extratags": [(PROFILE, 7, len(profile), profile, True)] if profile else []}
    if picture.shape[2] == 4:
        more["extrasamples"] = ["unassalpha"]
    if recipe:
        more["description"] = MARK + recipe
    tifffile.imwrite(file, picture, photometric="rgb", metadata=None, software=False, **more)


def _write_png(picture, file, recipe):
    """Write a PNG with 3 or 4 × 16 bits, which Pillow cannot."""

    def chunk(kind, data):
        file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))

    height, width, channels = picture.shape
    file.write(b"\x89PNG\r\n\x1a\n")
    chunk(b"IHDR", struct.pack(">2I5B", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0))
    profile = srgb()
    if profile:
        chunk(b"iCCP", b"sRGB\0\0" + zlib.compress(profile))
    if recipe:
        chunk(b"iTXt", KEY.encode() + b"\0\0\0\0\0" + recipe)
    rows = picture.astype(">u2").view(np.uint8).reshape(height, -1)
    above = np.vstack([np.zeros_like(rows[:1]), rows[:-1]])
    lines = np.hstack([np.full((height, 1), 2, np.uint8), rows - above])  # filter 2: minus the byte above
    chunk(b"IDAT", zlib.compress(lines.tobytes()))
    chunk(b"IEND", b"")


def srgb() -> Optional[bytes]:
    """The sRGB profile, always the same bytes; None if this Pillow has no colour management."""
    try:
        profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    except ImportError:
        return None
    profile[24:36] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)  # the date of creation
    return bytes(profile)


def read_recipe(path: PathLike) -> Optional[str]:
    """The text that save_picture embedded in a picture, or None."""
    with errors_of(str(path), path), open(path, "rb") as file, recognised(file, str(path)) as picture:
        recipe = recipe_in(picture)
        return recipe.decode("utf-8", "replace") if recipe else None


def recipe_in(picture: Image.Image) -> Optional[bytes]:
    """The text that save_picture embedded in one of Pillow's pictures, in UTF-8, or None."""
    if picture.format == "PNG":  # its text may be at the end
        picture.load()
    if KEY in picture.info:
        return str(picture.info[KEY]).encode("utf-8", "replace")
    texts = [picture.info.get("comment")]
    with contextlib.suppress(Exception):  # damaged EXIF data, written by another program
        texts.append((getattr(picture, "tag_v2", None) or picture.getexif()).get(DESCRIPTION))
    for text in texts:
        text = text.encode("latin-1", "replace") if isinstance(text, str) else text
        if isinstance(text, bytes) and text.startswith(MARK):
            return text[len(MARK) :]
    return None


def prepare_outputs(*paths: PathLike, bit_depth: int = 8) -> None:
    """Make sure, before a long run, that pictures can be saved under these paths; create missing folders.

    The format of the last path must support the bit_depth.
    """
    for path in paths:
        form = format_of(path)
        try:
            _write(np.zeros((8, 8, 3), np.uint8), io.BytesIO(), form, b"")
        except Exception as error:
            raise UsageError(f"{path}: {form} pictures cannot be written ({error}); use .jpg or .png") from error
    if bit_depth == 16 and format_of(paths[-1]) not in SIXTEEN_BITS:
        raise UsageError(
            f"--bit-depth 16: {paths[-1]} would be a {format_of(paths[-1])} picture, which has only 8 bits; "
            "name a .png or .tif with --output"
        )
    for path in paths:
        prepare_folder(os.path.dirname(path) or ".")
        if os.path.isdir(path):
            raise UsageError(f"{path} is a folder; name a picture file")
        refuse_read_only(path)


def refuse_read_only(path: PathLike) -> None:
    """Refuse to replace a file that its owner has made read-only, although renaming could."""
    if os.path.exists(path) and not (os.access(path, os.W_OK) and os.stat(path).st_mode & 0o222):
        raise NeuralStyleError(f"{path} exists and is read-only; name another file")


def prepare_folder(folder: PathLike) -> Path:
    """Create the folder if it is missing, and make sure that files can be written to it."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=str(folder)):
            pass
    except OSError as error:
        raise NeuralStyleError(
            f"pictures cannot be saved in {folder}: {error.strerror or error}; choose another folder"
        ) from error
    return Path(folder)
