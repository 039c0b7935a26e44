"""Read any picture the way people see it: turned upright, in sRGB, with its transparency kept separately."""

import contextlib
import importlib
import io
import logging
import os
import stat
import sys
import warnings
from typing import BinaryIO, Iterator, NamedTuple, Optional, Tuple, Union

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from ..system.errors import UsageError
from ..system.types import PathLike

MAX_PIXELS = 150_000_000  # resizing takes about 30 bytes per pixel
WIDTH, HEIGHT = 256, 257  # tags of TIFF
ORIENTATION = 0x0112  # the EXIF tag; values from 5 on swap width and height
STANDARD_INPUT = "-"
SIXTEEN_BIT = ("I", "I;16", "I;16B", "I;16L", "I;16N")
NOT_ANIMATED = ("MPO", "PSD")  # the first frame is the picture itself; the others are previews and layers
PROFILES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}  # Pillow's mode for a profile's colour space
MODES = {"RGB": ("RGB", "RGBX", "P", "L", "1", "YCbCr", "HSV"), "L": ("L", "1"), "CMYK": ("CMYK",)}
PLUGINS = {"HEIC": "pillow_heif", "AVIF": "pillow_avif"}  # packages for formats that Pillow itself may not read
BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"), "HEIC"),
}
FILMS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".wmv", ".flv", ".3gp")
RAW = (".cr2", ".cr3", ".nef", ".arw", ".dng", ".orf", ".rw2", ".raf", ".pef", ".srw", ".raw")
DOCUMENTS = (".pdf", ".svg", ".ai", ".indd", ".afphoto", ".xcf", ".kra", ".clip")
ENDINGS = {".heic": "HEIC", ".heif": "HEIC", ".avif": "AVIF"}


class Picture(NamedTuple):
    """A picture as it was read."""

    name: str
    pixels: np.ndarray  # (H, W, 3) uint8, or uint16 for 16-bit greyscale, with transparent areas white
    alpha: Optional[np.ndarray]  # (H, W) uint8


PathOrPicture = Union[PathLike, Picture]

log = logging.getLogger("neural_style")


def read_image(path: PathOrPicture) -> np.ndarray:
    """Read any picture as an (H, W, 3) RGB array: uint8, or uint16 for 16-bit greyscale.

    Its EXIF orientation is applied, and transparent areas become white. The path - is standard input.
    """
    return read_picture(path).pixels


def read_picture(path: PathOrPicture, edge: int = 0) -> Picture:
    """Read any picture as a Picture; a Picture is returned as it is.

    With `edge`, a JPEG may come smaller, but with no edge below that; so a large one takes a fraction of the time.
    """
    if isinstance(path, Picture):
        return path
    name = "standard input" if path == STANDARD_INPUT else str(path)
    with errors_of(name, path), opened(path, name) as file, recognised(file, name) as picture:
        if picture.width * picture.height > MAX_PIXELS:
            raise _too_large(name, picture.size)
        with _silent(picture.format == "TIFF"):
            if edge:
                picture.draft(None, (edge, edge))
            picture.load()
        result = Picture(name, *decoded(_upright(picture), name))
        if picture.format not in NOT_ANIMATED and _has_frames(picture):
            log.info("%s has several frames; using the first one", name)
        return result


def size_of(path: PathLike) -> Optional[Tuple[int, int]]:
    """A picture's (width, height) when turned upright, from its header; None if that cannot be read."""
    try:
        with errors_of(str(path), path), open(path, "rb") as file, recognised(file, str(path)) as picture:
            size = picture.size
            if picture.format == "TIFF":  # some versions of Pillow tell the size of one turned already
                size = picture.tag_v2[WIDTH], picture.tag_v2[HEIGHT]
            return size[::-1] if picture.getexif().get(ORIENTATION, 1) >= 5 else size
    except (UsageError, MemoryError):
        return None


@contextlib.contextmanager
def errors_of(name: str, path: PathLike) -> Iterator[None]:
    """Turn any exception raised while reading a picture into a one-line UsageError."""
    pillow = logging.getLogger("PIL")
    quiet, before, pillow.propagate = logging.NullHandler(), pillow.propagate, False
    pillow.addHandler(quiet)  # what Pillow logs about damaged files is in the error anyway
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # and so are its warnings
            yield
    except FileNotFoundError:
        hint = "; sh download.sh fetches the original's pair" if name.startswith("input/") else ""
        raise UsageError(f"{name}: there is no such picture{hint}") from None
    except IsADirectoryError:
        raise UsageError(f"{name} is a folder; name a picture file") from None
    except UnidentifiedImageError:
        if name.lower().endswith(FILMS):
            raise UsageError(f"{name} is a film: python -m neural_style.film paints films") from None
        if name.lower().endswith((*RAW, *DOCUMENTS)):
            kind = "a raw photograph" if name.lower().endswith(RAW) else "a document"
            raise UsageError(f"{name} is {kind}, which cannot be read: export it as JPEG or TIFF") from None
        raise UsageError(f"{name} is not a picture in a format that can be read") from None
    except PermissionError:
        raise UsageError(f"{name} cannot be read: permission denied") from None
    except (UsageError, MemoryError):
        raise
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror or error}") from error
    except Exception as error:  # on damaged files, Pillow's decoders raise exceptions of any kind
        raise UsageError(f"{name} is damaged and cannot be read: {error or type(error).__name__}") from error
    finally:
        pillow.removeHandler(quiet)
        pillow.propagate = before


@contextlib.contextmanager
def opened(path: PathLike, name: str) -> Iterator[BinaryIO]:
    """Open a file, a pipe or standard input as a binary file that can be rewound."""
    if str(path).startswith(("http://", "https://")):
        film = name.lower().split("?")[0].endswith(FILMS)
        how = " for python -m neural_style.film" if film else ""
        raise UsageError(f"{name} is an address: download it first and name the file{how}")
    if path == STANDARD_INPUT:
        source = getattr(sys.stdin, "buffer", None)
        if source is None or source.isatty():
            raise UsageError("there is no picture on standard input; add < photo.jpg, for example")
        file: BinaryIO = io.BytesIO(source.read())
    else:
        kind = os.stat(path).st_mode
        if not (stat.S_ISREG(kind) or stat.S_ISFIFO(kind) or stat.S_ISDIR(kind)):
            raise UsageError(f"{name} is a device; name a picture file")
        file = open(path, "rb")  # noqa: SIM115 (closed below)
        if stat.S_ISFIFO(kind):
            with file:
                file = io.BytesIO(file.read())
    with file:
        if not file.read(1):
            raise UsageError(f"{name} is empty")
        file.seek(0)
        yield file


def recognised(file: BinaryIO, name: str) -> Image.Image:
    """Pillow's picture, of which only the header has been read."""
    try:
        picture = Image.open(file)
        if name.lower().endswith(RAW) and picture.format == "TIFF":  # a small preview of it
            raise UnidentifiedImageError
        return picture
    except Image.DecompressionBombError:
        raise _too_large(name, _size_of(file)) from None
    except UnidentifiedImageError:
        file.seek(0)
        kind = BRANDS.get(file.read(12)[8:]) or ENDINGS.get(os.path.splitext(name)[1].lower())
        file.seek(0)
        if not kind:
            raise
        if plug_in(kind):
            return Image.open(file)
        package = {"HEIC": "pillow-heif", "AVIF": "pillow-avif-plugin"}[kind]
        raise UsageError(f"{name}: {kind} pictures need another package: pip install {package}") from None


def plug_in(kind: str) -> bool:
    """Load the package for a kind of picture into Pillow; whether it is installed."""
    try:
        package = importlib.import_module(PLUGINS[kind])
    except ImportError:
        return False
    if kind == "HEIC":
        package.register_heif_opener()
    return True


@contextlib.contextmanager
def _silent(wanted):
    """If wanted, hide what libtiff prints on standard error, which it also raises as an error."""
    try:
        kept = os.dup(2) if wanted else None
    except OSError:  # there is no standard error
        kept = None
    if kept is None:
        yield
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


def _too_large(name, size):
    limit = f"the limit is {MAX_PIXELS // 10**6} million"
    return UsageError(f"{name} has {'{}x{}'.format(*size)} pixels; {limit}: scale it down first")


def _size_of(file):
    """The width and height of a picture so large that Pillow refuses it and reports only their product."""
    for factory, accepts in [Image.OPEN[format] for format in Image.ID]:
        with contextlib.suppress(Exception):
            file.seek(0)
            start = file.read(16)
            file.seek(0)
            if accepts is None or accepts(start) is True:
                return factory(file, "").size
    return "?", "?"


def _has_frames(picture):
    try:
        return getattr(picture, "is_animated", False)
    except Exception:  # a later frame is damaged, but the first one is not
        return False


def _upright(picture):
    """The picture with its EXIF orientation applied, if its EXIF data can be parsed."""
    try:
        return ImageOps.exif_transpose(picture) or picture
    except Exception:
        return picture


def decoded(picture: Image.Image, name: str) -> Tuple[np.ndarray, Optional[np.ndarray]]:
    """The pixels and the alpha of a Picture."""
    transparent = picture.info.get("transparency")
    if picture.mode in SIXTEEN_BIT:
        return _grey_of_many_bits(np.asarray(picture), transparent, picture.info.get("icc_profile"), name)
    if picture.mode == "F":
        grey = np.asarray(picture)
        grey = np.where(np.isfinite(grey), grey, 0)
        scale = 255 if grey.max() <= 1 else 1  # the usual range of floating-point pictures is 0 to 1
        picture = Image.fromarray(np.clip(grey * scale, 0, 255).astype(np.uint8))
    profile, alpha = picture.info.get("icc_profile"), None
    if picture.mode in ("La", "RGBa"):
        picture = picture.convert({"La": "LA", "RGBa": "RGBA"}[picture.mode])
    if picture.mode in ("LA", "PA", "RGBA") or transparent is not None and picture.mode in ("1", "L", "P", "RGB"):
        alpha = picture.convert("RGBA").getchannel("A")
        picture = picture.convert("L" if picture.mode in ("1", "L", "LA") else "RGB")
    picture = _in_srgb(picture, profile, name)
    if alpha is None:
        return np.asarray(picture), None
    white = Image.new("RGBA", picture.size, "white")
    picture.putalpha(alpha)
    return np.asarray(Image.alpha_composite(white, picture).convert("RGB")), np.asarray(alpha)


def _grey_of_many_bits(grey, transparent, profile, name):
    """The pixels, uint16, and the alpha of a 16-bit greyscale picture; pixels of the value transparent become white.

    A colour profile is evaluated at 256 grey values and interpolated linearly in between.
    """
    if grey.min() < 0 or grey.max() > 65535:
        raise UsageError(f"{name} has grey values from {grey.min()} to {grey.max()}; save it with 8 or 16 bits")
    grey, alpha = grey.astype(np.uint16), None
    if isinstance(transparent, int):
        alpha = np.where(grey == transparent, 0, 255).astype(np.uint8)
    pixels = np.repeat(grey[:, :, None], 3, axis=2)
    if profile:
        ramp = np.arange(256, dtype=np.uint8)
        meant = np.asarray(_in_srgb(Image.fromarray(ramp[None]), profile, name))[0]
        if (meant != ramp[:, None]).any():
            pixels = np.dstack([np.interp(grey, ramp * 257.0, meant[:, i] * 257.0) for i in range(3)])
            pixels = np.round(pixels).astype(np.uint16)
    if alpha is not None:
        pixels[alpha == 0] = 65535
    return pixels, alpha


def _in_srgb(picture, profile, name):
    """The picture in mode RGB, its colours converted from its profile to sRGB."""
    if picture.mode == "LAB":  # its colours need no profile
        return _transformed(picture, ImageCms.createProfile("LAB"))
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            mode = PROFILES.get(source.profile.xcolor_space.strip(), "")
            if picture.mode not in MODES.get(mode, ()):
                raise ValueError("it is for another kind of colours than the picture's")
            plain = picture.convert("RGB")
            meant = _transformed(picture.convert(mode), source)
            # A profile that changes next to nothing is some version of sRGB: keep the values as they are.
            change = np.abs(np.asarray(meant, np.int16) - np.asarray(plain, np.int16)).max()
            return plain if change <= 2 else meant
        except Exception as error:  # a damaged profile can raise anything
            reason = "it is damaged" if isinstance(error, (OSError, ImageCms.PyCMSError)) else error
            log.warning("%s: ignoring its colour profile (%s)", name, reason)
    return picture.convert("RGB")


def _transformed(picture, profile):
    change = ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), picture.mode, "RGB")
    return ImageCms.applyTransform(picture, change)
