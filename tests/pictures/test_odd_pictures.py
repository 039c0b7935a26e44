"""Odd pictures, made here: each gives the right picture or the right line."""

import io
import logging
import os
import struct
import subprocess
import sys
import threading
import zlib
from collections import namedtuple

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin, features

from neural_style.pictures import images
from neural_style.pictures import read as pictures_in
from neural_style.pictures import write as pictures_out
from neural_style.system.errors import UsageError

HEIGHT, WIDTH, BLOCK = 32, 48, 16
COLOURS = (
    np.array(
        [[[200, 30, 40], [10, 220, 60], [20, 40, 250]], [[250, 240, 20], [128, 128, 128], [255, 255, 255]]], np.uint8
    )
    .repeat(BLOCK, 0)
    .repeat(BLOCK, 1)
)
GREY = COLOURS[:, :, 0]
ALPHA = np.array([[255, 128, 0], [0, 255, 255]], np.uint8).repeat(BLOCK, 0).repeat(BLOCK, 1)
DEEP = (GREY.astype(np.uint16) * 257 - (GREY > 100) * 7).astype(np.uint16)
MADE = {
    "1": Image.fromarray(GREY > 100),
    "L": Image.fromarray(GREY),
    "P": Image.fromarray(COLOURS).quantize(8),
    "LA": Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(ALPHA)]),
    "RGBA": Image.fromarray(np.dstack([COLOURS, ALPHA])),
    "I;16": Image.fromarray(DEEP),
    "I": Image.fromarray(DEEP.astype(np.int32)),
    "F": Image.fromarray((GREY / 255).astype(np.float32)),
    "LAB": ImageCms.applyTransform(
        Image.fromarray(COLOURS),
        ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"),
    ),
}


def three(grey):
    return np.asarray(grey)[:, :, None].repeat(3, 2)


def on_white(colours, alpha=ALPHA):
    share = alpha[:, :, None] / 255
    return colours * share + 255 * (1 - share)


SHOWN = {
    "1": three((GREY > 100) * 255),
    "L": three(GREY),
    "LA": on_white(three(GREY)),
    "RGBA": on_white(COLOURS),
    "I;16": three(DEEP),
    "I": three(DEEP),
    "F": three(GREY),
}


def of(mode):
    return MADE.get(mode) or Image.fromarray(COLOURS).convert(mode)


# A picture: what it is called, its file's bytes (or a function of the path that makes it), what must be seen, how far
# a block's middle may be off, and what the log says.
Odd = namedtuple("Odd", "name content shown off says")
Odd.__new__.__defaults__ = (0, "")


def stored(picture, form, **options):
    """A picture file as bytes; None where this Pillow does not write such a one."""
    file = io.BytesIO()
    try:
        picture.save(file, form, **options)
        return file.getvalue()
    except (OSError, ValueError):
        return None


# Modes × formats: the extension, Pillow's name, the modes that it writes, how far colours may be off, options.
FORMATS = (
    ("png", "PNG", "1 L LA P RGB RGBA I I;16", 1, {}),
    ("tif", "TIFF", "1 L LA P RGB RGBA CMYK I I;16 F", 1, {}),
    ("tif", "TIFF", "LAB", 16, {}),
    ("tiff", "TIFF", "L RGB RGBA CMYK I;16", 1, {"compression": "tiff_lzw"}),
    ("jpg", "JPEG", "1 L RGB CMYK YCbCr", 4, {"quality": 95, "subsampling": 0}),
    ("webp", "WEBP", "L LA P RGB RGBA CMYK", 1, {"lossless": True}),
    ("jp2", "JPEG2000", "L LA RGB RGBA", 1, {}),
    ("gif", "GIF", "1 L P RGB RGBA", 2, {}),
    ("bmp", "BMP", "1 L P RGB", 1, {}),
    ("ppm", "PPM", "1 L RGB", 0, {}),
    ("tga", "TGA", "1 L LA P RGB RGBA", 1, {}),
    ("pcx", "PCX", "1 L P RGB", 1, {}),
    ("sgi", "SGI", "L RGB RGBA", 1, {}),
    ("ico", "ICO", "RGB RGBA", 1, {"sizes": [(WIDTH, HEIGHT)]}),
)


def modes_and_formats():
    for extension, form, modes, off, options in FORMATS:
        for mode in modes.split():
            shown = SHOWN.get(mode, COLOURS)
            if (form, mode) == ("GIF", "RGBA"):  # a pixel of a GIF is there or it is not
                shown = np.where(ALPHA[:, :, None] == 0, 255, COLOURS)
            yield Odd(f"{mode}.{extension}", stored(of(mode), form, **options), shown, off)


# How a picture must be turned to stand upright, as EXIF numbers it.
TURNS = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a),
}


def orientations():
    for form, off in (("JPEG", 4), ("PNG", 0), ("TIFF", 0), ("WEBP", 12)):
        for number, turn in TURNS.items():
            exif = Image.Exif()
            exif[0x0112] = number
            options = {"quality": 95, "subsampling": 0} if form == "JPEG" else {}
            content = stored(of("RGB"), form, exif=exif, **options)
            yield Odd(f"turned{number}.{form.lower()}", content, turn(COLOURS), off)
    exif = Image.Exif()
    exif[0x0112] = 6
    yield Odd("turned-alpha.png", stored(of("RGBA"), "PNG", exif=exif), np.rot90(on_white(COLOURS), -1), 1)
    yield Odd("turned-deep.png", stored(of("I;16"), "PNG", exif=exif), np.rot90(three(DEEP), -1))
    broken, unknown = b"\xff\xff\xff\xff", b"\0\0\0\x08\0\x01\1\x12\0\3\0\0\0\1\0\x09\0\0"
    for name, data in (("broken-exif.jpg", broken), ("turned9.jpg", unknown)):
        content = stored(of("L"), "JPEG", quality=95, exif=b"Exif\0\0MM\0*" + data)
        yield Odd(name, content, three(GREY), 4)


def icc(space, connection, tags):
    """A colour profile as bytes."""
    tags = {
        "desc": b"desc" + bytes(4) + struct.pack(">I", 2) + b"x\0" + bytes(78),
        "cprt": b"text" + bytes(4) + b"x\0",
        "wtpt": b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061),
        **tags,
    }
    table, data, start = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, content in tags.items():
        table += name.encode() + struct.pack(">2I", start + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    head = (
        struct.pack(
            ">I4s4s4s4s4s12s4s",
            start + len(data),
            bytes(4),
            b"\2\x20\0\0",
            b"prtr",
            space,
            connection,
            bytes(12),
            b"acsp",
        )
        + bytes(28)
        + struct.pack(">3i", 63190, 65536, 54061)
    )
    return head.ljust(128, b"\0") + table + data


LINEAR_GREY = icc(b"GRAY", b"XYZ ", {"kTRC": b"curv" + bytes(4) + struct.pack(">IH", 1, 256)})
RED_FOR_GREEN = pictures_out.srgb().replace(b"rXYZ", b"tmp ").replace(b"gXYZ", b"rXYZ").replace(b"tmp ", b"gXYZ")
IDENTITY = bytes(range(256))
BLACK_INK_ALONE_SHOWS = icc(
    b"CMYK",
    b"Lab ",
    {
        "A2B0": (
            b"mft1"
            + bytes(4)
            + bytes([4, 3, 2, 0])
            + struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
            + IDENTITY * 4
            + bytes([255, 128, 128, 0, 128, 128] * 8)
            + IDENTITY * 3
        )
    },
)
INK = Image.merge("CMYK", [Image.new("L", (WIDTH, HEIGHT), value) for value in (255, 0, 0, 0)])
LINEAR = GREY / 255
ENCODED = np.where(LINEAR <= 0.0031308, 12.92 * LINEAR, 1.055 * np.maximum(LINEAR, 1e-9) ** (1 / 2.4) - 0.055) * 255
IGNORED = "ignoring its colour profile"


def profiles():
    swapped, white, cyan = COLOURS[:, :, [1, 0, 2]], np.full_like(COLOURS, 255), COLOURS * 0 + np.uint8([0, 255, 255])
    srgb = pictures_out.srgb()
    yield Odd("srgb.png", stored(of("RGB"), "PNG", icc_profile=srgb), COLOURS)
    yield Odd("red-for-green.png", stored(of("RGB"), "PNG", icc_profile=RED_FOR_GREEN), swapped, 2)
    yield Odd(
        "red-for-green.jpg", stored(of("RGB"), "JPEG", quality=95, subsampling=0, icc_profile=RED_FOR_GREEN), swapped, 5
    )
    yield Odd("red-for-green.tif", stored(of("RGB"), "TIFF", icc_profile=RED_FOR_GREEN), swapped, 2)
    yield Odd("red-for-green.webp", stored(of("RGB"), "WEBP", lossless=True, icc_profile=RED_FOR_GREEN), swapped, 2)
    yield Odd("red-for-green-palette.png", stored(of("P"), "PNG", icc_profile=RED_FOR_GREEN), swapped, 2)
    yield Odd("red-for-green-alpha.png", stored(of("RGBA"), "PNG", icc_profile=RED_FOR_GREEN), on_white(swapped), 2)
    yield Odd("linear.png", stored(of("L"), "PNG", icc_profile=LINEAR_GREY), three(ENCODED), 2)
    yield Odd("linear-alpha.png", stored(of("LA"), "PNG", icc_profile=LINEAR_GREY), on_white(three(ENCODED)), 2)
    yield Odd("grey-srgb.png", stored(of("L"), "PNG", icc_profile=srgb), three(GREY))
    yield Odd("inks.tif", stored(INK, "TIFF", icc_profile=BLACK_INK_ALONE_SHOWS), white, 2)
    yield Odd("inks.jpg", stored(INK, "JPEG", quality=95, icc_profile=BLACK_INK_ALONE_SHOWS), white, 5)
    yield Odd("inks-plain.tif", stored(INK, "TIFF"), cyan)
    yield Odd("broken-profile.png", stored(of("RGB"), "PNG", icc_profile=b"no profile"), COLOURS, 0, IGNORED)
    yield Odd("cut-profile.tif", stored(of("RGB"), "TIFF", icc_profile=srgb[:200]), COLOURS, 0, IGNORED)
    yield Odd("profile-of-inks.png", stored(of("RGB"), "PNG", icc_profile=BLACK_INK_ALONE_SHOWS), COLOURS, 0, IGNORED)
    yield Odd("profile-of-grey.png", stored(of("RGB"), "PNG", icc_profile=LINEAR_GREY), COLOURS, 0, IGNORED)
    yield Odd("inks-with-srgb.tif", stored(INK, "TIFF", icc_profile=srgb), cyan, 0, IGNORED)


def transparent():
    palette = of("P")
    first = palette.getpixel((0, 0))
    hidden = np.where(np.all(COLOURS[0, 0] == COLOURS, 2)[:, :, None], 255, COLOURS)
    yield Odd("index.png", stored(palette, "PNG", transparency=first), hidden, 1)
    levels = bytes(128 if entry == first else 255 for entry in range(8))
    half = np.where(np.all(COLOURS[0, 0] == COLOURS, 2)[:, :, None], COLOURS * 0.5 + 127, COLOURS)
    yield Odd("levels.png", stored(palette, "PNG", transparency=levels), half, 2)
    yield Odd("index.gif", stored(palette, "GIF", transparency=first), hidden, 1)
    yield Odd("colour.png", stored(of("RGB"), "PNG", transparency=(200, 30, 40)), hidden)
    yield Odd("grey.png", stored(of("L"), "PNG", transparency=200), three(np.where(GREY == 200, 255, GREY)))
    yield Odd("black.png", stored(of("1"), "PNG", transparency=0), np.full_like(COLOURS, 255))
    value = int(DEEP[0, 0])
    yield Odd("deep.png", stored(of("I;16"), "PNG", transparency=value), three(np.where(value == DEEP, 65535, DEEP)))
    yield Odd("nothing-to-see.png", stored(Image.new("RGBA", (WIDTH, HEIGHT)), "PNG"), np.full_like(COLOURS, 255))


def saved_by_us(array, name):
    return lambda path: images.save_picture(array, path)


def tifffile(array, **options):
    import tifffile

    file = io.BytesIO()
    tifffile.imwrite(file, array, **options)
    return file.getvalue()


def apng():
    """A PNG of two frames; Pillow 8 to 13 write it alike."""
    return stored(of("RGB"), "PNG", save_all=True, append_images=[Image.new("RGB", (WIDTH, HEIGHT), "red")])


def deep_and_animated():
    deep = COLOURS.astype(np.uint16) * 257
    alpha = np.dstack([deep, ALPHA.astype(np.uint16) * 257])
    for extension in ("png", "tif"):
        yield Odd(f"deep-colour.{extension}", saved_by_us(deep, extension), COLOURS, 1)
        yield Odd(f"deep-alpha.{extension}", saved_by_us(alpha, extension), on_white(COLOURS), 1)
    yield Odd("big-endian.tif", tifffile(DEEP, byteorder=">"), three(DEEP))
    yield Odd("big-endian-colour.tif", tifffile(deep, photometric="rgb", byteorder=">"), COLOURS, 1)
    yield Odd("light-from-0-to-255.tif", tifffile(GREY.astype(np.float32)), three(GREY), 1)
    holes = (GREY / 255).astype(np.float32)
    holes[0, 0], holes[0, 1] = np.nan, np.inf
    yield Odd("holes.tif", tifffile(holes), three(GREY), 1)
    second = [Image.new("RGB", (WIDTH, HEIGHT), "red")]
    for name, content, off in (
        ("frames.gif", stored(of("P"), "GIF", save_all=True, append_images=second), 2),
        ("frames.png", apng(), 0),
        ("frames.webp", stored(of("RGB"), "WEBP", lossless=True, save_all=True, append_images=second), 1),
        ("pages.tif", stored(of("RGB"), "TIFF", save_all=True, append_images=second), 0),
    ):
        yield Odd(name, content, COLOURS, off, "has several frames; using the first one")
    yield Odd("png-named.jpg", stored(of("RGB"), "PNG"), COLOURS)
    yield Odd("no-ending", stored(of("RGB"), "PNG"), COLOURS)
    yield Odd("a name, with ünusual 猫 letters.png", stored(of("RGB"), "PNG"), COLOURS)


ALL = [*modes_and_formats(), *orientations(), *profiles(), *transparent(), *deep_and_animated()]


@pytest.mark.parametrize("odd", ALL, ids=[odd.name for odd in ALL])
def test_what_is_seen(odd, tmp_path, caplog, recwarn):
    caplog.set_level(logging.INFO, "neural_style")
    if odd.content is None:
        pytest.skip("this Pillow does not write it")
    path = tmp_path / odd.name
    path.write_bytes(odd.content) if isinstance(odd.content, bytes) else odd.content(path)
    read = images.read_image(str(path))
    assert read.shape == odd.shown.shape and read.dtype == (np.uint16 if odd.shown.dtype == np.uint16 else np.uint8)
    middles = slice(BLOCK // 2, None, BLOCK)
    difference = read[middles, middles].astype(float) - odd.shown[middles, middles]
    assert np.abs(difference).max() <= odd.off
    assert not recwarn.list
    if odd.says:
        (message,) = caplog.messages
        assert odd.says in message and odd.name in message and "\n" not in message
    else:
        assert not caplog.messages


def test_the_table_is_large_enough():
    assert sum(odd.content is not None for odd in ALL) >= 100


def png(width, height):
    """The header of a PNG that says it is so large."""
    data = b"IHDR" + struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + data + struct.pack(">I", zlib.crc32(data)) + b"\0\0\1\0IDAT"


def bmp(width, height):
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 100, 0, 0, 54) + header


NOISE = np.random.RandomState(0).randint(0, 256, (200, 200, 3)).astype(np.uint8)
WHOLE = stored(Image.fromarray(NOISE[:40, :40]), "PNG")
LARGE_PHOTO = stored(Image.fromarray(NOISE), "JPEG")
REFUSED = {  # name: the bytes, and what the line says
    "empty.jpg": (b"", "is empty"),
    "empty.heic": (b"", "is empty"),
    "text.jpg": (b"hello, I am not a picture", "is not a picture"),
    "page.png": (b"<!DOCTYPE html><html>404 Not Found</html>", "is not a picture"),
    "zeros.png": (bytes(1000), "is not a picture"),
    "cut.png": (WHOLE[:2000], "truncated"),
    "cut.jpg": (LARGE_PHOTO[:-2000], "truncated"),
    "header.jpg": (LARGE_PHOTO[:20], "is not a picture"),
    "header.png": (WHOLE[:20], "cannot be read|is not a picture"),
    "cut.gif": (stored(of("P"), "GIF")[:-40], "cannot be read"),
    "cut.webp": (stored(of("RGB"), "WEBP")[:-40], "cannot be read|is not a picture"),
    "cut.tif": (stored(of("RGB"), "TIFF")[:60], "cannot be read|is not a picture"),
    "cut.bmp": (stored(of("RGB"), "BMP")[:-500], "truncated"),
    "noise.png": (WHOLE[:60] + bytes(500), "cannot be read"),
    "noise.tif": (b"II*\0" + bytes(range(1, 200)), "cannot be read|is not a picture"),
    "bomb.png": (png(20000, 10000), "has 20000x10000 pixels; the limit is 150 million"),
    "warned.png": (png(16000, 10000), "has 16000x10000 pixels"),  # Pillow only warns
    "huge.png": (png(2**31 - 1, 2**31 - 1), "has 2147483647x2147483647 pixels"),
    "bomb.bmp": (bmp(30000, 30000), "has 30000x30000 pixels"),
    "fake.heic": (b"\0\0\0\x18ftypheic" + bytes(40), "HEIC|cannot be read|is not a picture"),
    "bright.tif": (tifffile(np.full((4, 4), 100000, np.int32)), "grey values from 100000 to 100000"),
    "dark.tif": (tifffile(np.full((4, 4), -1, np.int32)), "grey values from -1 to -1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name, tmp_path, recwarn, capfd):
    content, says = REFUSED[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=says) as caught:
        images.read_image(str(tmp_path / name))
    assert str(tmp_path / name) in str(caught.value) and "\n" not in str(caught.value)
    assert not recwarn.list and capfd.readouterr() == ("", "")


def test_places_that_are_no_files(tmp_path):
    for path, says in (
        (tmp_path, "is a folder"),
        ("/dev/zero", "is a device"),
        (tmp_path / "no.png", "no such picture"),
        (tmp_path / "no.png" / "below.png", "no such picture"),
        ("input/no.jpg", "sh download.sh"),
        ("with\0zero.png", "cannot be read"),
    ):
        with pytest.raises(UsageError, match=says):
            images.read_image(path)
    (tmp_path / "loop.png").symlink_to("loop.png")
    with pytest.raises(UsageError, match="cannot be read"):
        images.read_image(tmp_path / "loop.png")


def test_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe.png").write_bytes(WHOLE))
    writer.start()
    assert images.read_image(tmp_path / "pipe.png").shape == (40, 40, 3)
    writer.join()


def test_phone_pictures_say_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures_in, "plug_in", lambda kind: False)
    for name, content, says in (
        ("a.heic", b"\0\0\0\x18ftypheic", "HEIC .* pip install pillow-heif"),
        ("a.jpg", b"\0\0\0\x18ftypmif1", "HEIC .* pip install pillow-heif"),
        ("a.heif", b"something", "HEIC .* pip install pillow-heif"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UsageError, match=says):
            images.read_image(tmp_path / name)

    def not_understood(file):
        raise pictures_in.UnidentifiedImageError

    monkeypatch.setattr(pictures_in.Image, "open", not_understood)
    (tmp_path / "a.avif").write_bytes(b"\0\0\0\x18ftypavif")
    with pytest.raises(UsageError, match="AVIF .* pip install pillow-avif-plugin"):
        images.read_image(tmp_path / "a.avif")


@pytest.mark.skipif(not features.modules.get("avif") or not features.check("avif"), reason="this Pillow has no AVIF")
def test_avif(tmp_path):
    (tmp_path / "a.avif").write_bytes(stored(of("RGB"), "AVIF", quality=95, subsampling="4:4:4"))
    middles = slice(BLOCK // 2, None, BLOCK)
    difference = images.read_image(tmp_path / "a.avif")[middles, middles].astype(int) - COLOURS[middles, middles]
    assert np.abs(difference).max() <= 6


def test_alpha_is_kept_apart(tmp_path):
    (tmp_path / "a.png").write_bytes(stored(of("RGBA"), "PNG"))
    (tmp_path / "b.png").write_bytes(stored(of("RGB"), "PNG"))
    assert np.array_equal(images.read_picture(str(tmp_path / "a.png")).alpha, ALPHA)
    assert images.read_picture(str(tmp_path / "b.png")).alpha is None


def test_premultiplied_colours(tmp_path, monkeypatch):
    """Modes that no file has but that a reader may give."""
    for mode, plain in (("RGBa", "RGBA"), ("La", "LA")):
        pixels, alpha = pictures_in.decoded(of(plain).convert(mode), "picture")
        assert np.abs(pixels - SHOWN[plain]).max() <= 2 and np.array_equal(alpha, ALPHA)
    for mode in ("PA", "RGBX", "HSV", "YCbCr"):
        pixels, alpha = pictures_in.decoded(of("P" if mode == "PA" else "RGB").convert(mode), "picture")
        assert np.abs(pixels.astype(int) - COLOURS).max() <= 6, mode


def standard_input(monkeypatch, content):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_standard_input(monkeypatch):
    standard_input(monkeypatch, stored(of("RGBA"), "PNG"))
    picture = images.read_picture("-")
    assert picture.name == "standard input" and np.abs(picture.pixels - on_white(COLOURS)).max() <= 1
    for content, says in ((b"", "standard input is empty"), (b"text", "standard input is not a picture")):
        standard_input(monkeypatch, content)
        with pytest.raises(UsageError, match=says):
            images.read_picture("-")
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(UsageError, match="no picture on standard input"):
        images.read_picture("-")


def test_png_text_of_others_is_no_recipe(tmp_path):
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "neural_style: mine")
    of("RGB").save(tmp_path / "a.png", pnginfo=info)
    assert images.read_recipe(tmp_path / "a.png") is None


def test_pillow_logs_nothing(tmp_path):
    """In a process of its own: pytest sees to it that everything is logged."""
    tiff = bytearray(stored(Image.fromarray(NOISE), "TIFF"))
    at = tiff.find(struct.pack("<HHI", 277, 3, 1))  # the samples in a pixel
    tiff[at + 8 : at + 10] = struct.pack("<H", 30000)
    (tmp_path / "a.tif").write_bytes(tiff)
    code = (
        "from neural_style.pictures import images\nfrom neural_style.system import errors\n"
        f"errors.run(lambda: images.read_image({str(tmp_path / 'a.tif')!r}), 'x')"
    )
    said = subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True).stderr
    assert said.startswith("x: error: ") and said.count("\n") == 1


def test_libtiff_says_nothing_of_its_own(tmp_path, capfd):
    content = bytearray(stored(Image.fromarray(NOISE), "TIFF", compression="tiff_lzw"))
    content[len(content) // 2 : len(content) // 2 + 3000] = b"\xff" * 3000
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(UsageError, match="cannot be read"):
        images.read_image(tmp_path / "a.tif")
    assert capfd.readouterr().err == ""


def test_what_pillow_logs_is_not_printed_beside_the_line(tmp_path):
    """Neither when the picture is read nor when its size is looked up; MXNet gives the root logger a handler."""
    Image.new("RGB", (20, 20)).save(tmp_path / "x.tif")
    data = bytearray((tmp_path / "x.tif").read_bytes())
    place = data.index(bytes([0x15, 0x01, 3, 0]))  # the tag SamplesPerPixel
    data[place + 8 : place + 10] = (32514).to_bytes(2, "little")
    (tmp_path / "x.tif").write_bytes(data)
    code = (
        "import logging, sys; logging.basicConfig(); from neural_style import nstyle; "
        "sys.exit(nstyle.main(['--quiet', '--content-image', sys.argv[1]]))"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(tmp_path / "x.tif")], capture_output=True, text=True)
    assert ran.returncode == 2 and len(ran.stderr.splitlines()) == 1, ran.stderr
