"""Write animated GIF and WebP frame by frame: Pillow encodes each one as a picture, and this module joins them.

Pillow itself would keep every frame in memory.
"""

import io
import os
import struct
from typing import Iterable

from PIL import GifImagePlugin, Image, features

from ..run.progress import duration
from ..system.errors import UsageError, say
from ..system.files import atomic
from .about import Film

LONGEST = {"GIF": 65535, "WEBP": 2**24 - 1}  # ticks that a frame can last
KEEPS_SOUND = False
TICK = {"GIF": 10, "WEBP": 1}  # milliseconds
LARGEST_SIDE = {"GIF": 65535, "WEBP": 16383}
FORMATS = {".gif": "GIF", ".webp": "WEBP"}


def prepare(path: str, film: Film) -> None:
    """Make sure, before it is painted, that a film can be written to path."""
    form = _format(path)
    if form == "WEBP" and not features.check("webp"):
        raise UsageError(f"{path}: this Pillow cannot write WebP; use .gif")
    longest = LONGEST[form] * TICK[form] / 1000
    if film.pause > longest:
        say(
            f"{path}: {film.path} shows a frame for {duration(film.pause)}, and a {form} can do so for "
            f"{duration(longest)} at most; that is how long its pauses will be"
        )
    if max(film.size) > LARGEST_SIDE[form]:
        raise UsageError(
            f"{path}: a {form} can have at most {LARGEST_SIDE[form]} pixels along a side; use a smaller --size"
        )


def write(path: str, film: Film, frames: Iterable) -> None:
    """Write the film with these frames: tuples of pixels, start time and end time."""
    form, per_second = _format(path), 1000 // TICK[_format(path)]
    head, frame_of, tail = {"GIF": (_gif_head, _gif_frame, b";"), "WEBP": (_webp_head, _webp_frame, b"")}[form]
    loops = 0 if film.loops is None else film.loops
    with atomic(path, ValueError) as temporary, open(temporary, "wb") as file:
        file.write(head(film.size, loops))
        for pixels, at, until in frames:
            ticks = round(until * film.time_base * per_second) - round(at * film.time_base * per_second)
            file.write(frame_of(Image.fromarray(pixels), min(max(1, ticks), LONGEST[form])))
        file.write(tail)
        if form == "WEBP":
            _put_size(file)


def _format(path):
    return FORMATS[os.path.splitext(path)[1].lower()]


def _gif_head(size, loops):
    """The head of a GIF: no colours for all frames; shown once, or repeated, 0 times meaning for ever."""
    head = b"GIF89a" + struct.pack("<HH3B", size[1], size[0], 0x70, 0, 0)
    repeated = b"!\xff\x0bNETSCAPE2.0\3\1" + struct.pack("<HB", min(max(0, loops - 1), 65535), 0)
    return head if loops == 1 else head + repeated


def _gif_frame(picture, ticks):
    """A frame of a GIF with colours of its own."""
    indexed = picture.quantize(palette=picture.quantize(256), dither=Image.Dither.FLOYDSTEINBERG)
    return b"".join(GifImagePlugin.getdata(indexed, duration=ticks * TICK["GIF"], include_color_table=True))


def _webp_head(size, loops):
    """The head of an animated WebP without the size of the file; 0 loops are endless."""
    sides = struct.pack("<IB3x", 10, 2) + _three(size[1] - 1) + _three(size[0] - 1)
    return b"RIFF\0\0\0\0WEBPVP8X" + sides + b"ANIM" + struct.pack("<I4sH", 6, b"\xff" * 4, min(loops, 65535))


def _webp_frame(picture, ticks):
    """A frame of an animated WebP, from the WebP that Pillow makes of it."""
    packed = io.BytesIO()
    picture.save(packed, "WEBP", quality=90, method=4)
    data = packed.getvalue()[12:]
    about = bytes(6) + _three(picture.width - 1) + _three(picture.height - 1) + _three(ticks) + b"\2"  # not blended
    return b"ANMF" + struct.pack("<I", len(about) + len(data)) + about + data


def _three(number):
    return struct.pack("<I", number)[:3]


def _put_size(file):
    """Put the size of a RIFF file in its place."""
    size = file.tell() - 8
    if size >= 2**32:
        raise ValueError("a WebP of more than 4 GB")
    file.seek(4)
    file.write(struct.pack("<I", size))
