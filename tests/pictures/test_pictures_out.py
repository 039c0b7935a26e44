"""Pictures out: formats, 16 bits, alpha, size, the text of how they were made, and disks that are full."""

import io
import os
import subprocess
import zlib
from argparse import Namespace

import numpy as np
import pytest
import skimage.data
from forks import command, finished
from PIL import Image, features
from skimage.restoration import denoise_tv_chambolle

from neural_style import nstyle
from neural_style.options.check import complete
from neural_style.pictures import images
from neural_style.pictures import write as pictures_out
from neural_style.system.errors import NeuralStyleError, UsageError

RANDOM = np.random.RandomState(0)
PHOTO = skimage.data.chelsea()[:60, :80]
DEEP = (PHOTO.astype(np.uint16) << 8) + RANDOM.randint(0, 256, PHOTO.shape).astype(np.uint16)
RAMP = np.linspace(0, 255, 80).round().astype(np.uint8)[None].repeat(60, 0)
TEXT = '{"content": "Grüße 猫 🐈 \\\\ \\"quoted\\".jpg", "lr": 0.001,\n "style": ["é.png"]}'
AVIF = pytest.param(
    "a.avif",
    marks=pytest.mark.skipif(
        not features.modules.get("avif") or not features.check("avif"), reason="this Pillow has no AVIF"
    ),
)


def read_png(path):
    """A PNG of 16 bits as an array; no Pillow in between."""
    data, chunks, at = path.read_bytes(), {}, 8
    while at < len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        chunks[kind] = data[at + 8 : at + 8 + length]
        assert zlib.crc32(data[at + 4 : at + 8 + length]) == int.from_bytes(
            data[at + 8 + length : at + 12 + length], "big"
        )
        at += 12 + length
    width, height = np.frombuffer(chunks[b"IHDR"][:8], ">u4")
    depth, colour = chunks[b"IHDR"][8:10]
    assert depth == 16
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, -1)
    assert set(rows[:, 0]) == {2}  # each row less the one above
    rows = np.add.accumulate(rows[:, 1:], 0, dtype=np.uint8)
    return rows.copy().view(">u2").reshape(height, width, {2: 3, 6: 4}[colour]).astype(np.uint16)


def read_tiff(path):
    import tifffile

    return tifffile.imread(str(path))


@pytest.mark.parametrize(
    "name, off",
    [
        ("a.png", 0),
        ("a.tif", 0),
        ("a.tiff", 0),
        ("a.bmp", 0),
        ("a.ppm", 0),
        ("a.tga", 0),
        ("a.jp2", 0),
        ("a.jpg", 12),
        ("a.JPEG", 12),
        ("a.webp", 30),
        ("a.gif", 60),
    ],
)
def test_colours_go_out_and_come_back(tmp_path, name, off):
    images.save_picture(PHOTO, tmp_path / name)
    assert np.abs(images.read_image(tmp_path / name).astype(int) - PHOTO).max() <= off
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp", "deep.png", "deep.tif", AVIF])
@pytest.mark.parametrize("text", [TEXT, '"' + "längere " * 2200 + '"', "\udcff"], ids=["short", "20 kB", "undecodable"])
def test_the_text_and_the_profile_come_back(tmp_path, name, text):
    opaque, alpha = (DEEP, DEEP[:, :, 0]) if name.startswith("deep") else (PHOTO, RAMP)
    for picture in (opaque, np.dstack([opaque, alpha])):
        images.save_picture(picture, tmp_path / name, text)
        assert images.read_recipe(tmp_path / name) == text.replace("\udcff", "?")
        with Image.open(tmp_path / name) as saved:
            saved.load()
            assert saved.info["icc_profile"] == pictures_out.srgb() and saved.getexif().get(0x0112, 1) == 1
            assert saved.size == (80, 60)


def test_pictures_without_a_text(tmp_path):
    for name in ("a.jpg", "a.png", "a.tif", "a.webp", "a.gif", "a.bmp"):
        images.save_picture(PHOTO, tmp_path / name, TEXT if name in ("a.gif", "a.bmp") else None)
        assert images.read_recipe(tmp_path / name) is None
    Image.fromarray(PHOTO).save(tmp_path / "a.jpg", comment=b"neural_style is nice")
    Image.fromarray(PHOTO).save(tmp_path / "a.tif", tiffinfo={270: "a cat"})
    assert images.read_recipe(tmp_path / "a.jpg") is images.read_recipe(tmp_path / "a.tif") is None


def test_a_description_that_is_no_text(tmp_path):
    images.save_picture(PHOTO, tmp_path / "a.tif", TEXT)
    data = (tmp_path / "a.tif").read_bytes()
    at = data.index(b"\x0e\x01\x02\0")  # the entry: tag 270, text
    (tmp_path / "a.tif").write_bytes(data[:at] + b"\x0e\x01\x04\0\1\0\0\0" + data[at + 8 :])  # one number
    assert images.read_recipe(tmp_path / "a.tif") is None


def test_a_text_that_is_too_long_is_left_out(tmp_path, caplog):
    images.save_picture(PHOTO, tmp_path / "a.jpg", "x" * 70_000)
    assert images.read_recipe(tmp_path / "a.jpg") is None and "too long" in caplog.text


def test_no_text_in_what_is_no_picture(tmp_path):
    for name, content in (
        ("empty.png", b""),
        ("text.jpg", b"hello"),
        ("cut.png", b"\x89PNG\r\n\x1a\n"),
        ("none.png", None),
    ):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(UsageError, match=name):
            images.read_recipe(tmp_path / name)


def test_the_same_picture_gives_the_same_file(tmp_path):
    for name in ("a.jpg", "a.png", "a.tif", "a.webp"):
        images.save_picture(PHOTO, tmp_path / name, TEXT)
        first = (tmp_path / name).read_bytes()
        images.save_picture(PHOTO, tmp_path / name, TEXT)
        assert (tmp_path / name).read_bytes() == first


@pytest.mark.parametrize("name, read", [("a.png", read_png), ("a.tif", read_tiff)])
def test_sixteen_bits(tmp_path, name, read):
    for picture in (DEEP, np.dstack([DEEP, DEEP[:, :, 1]]), DEEP[:1, :1]):
        images.save_picture(picture, tmp_path / name)
        assert np.array_equal(read(tmp_path / name), picture)
    with pytest.raises(UsageError, match="PNG or TIFF"):
        images.save_picture(DEEP, tmp_path / "a.jpg")


@pytest.mark.parametrize("name, read", [("a.png", read_png), ("a.tif", read_tiff)])
@pytest.mark.parametrize("remove_noise", [0, 0.1])
def test_sixteen_bits_hold_the_unrounded_result(tmp_path, name, read, remove_noise):
    raw = RANDOM.uniform(-150, 160, (1, 3, 20, 30)).astype("float32")
    images.SaveImage(raw, tmp_path / name, remove_noise, bit_depth=16)
    exact = np.clip(raw[0].transpose(1, 2, 0) + images.MEANS, 0, 255)
    if remove_noise:
        exact = denoise_tv_chambolle(exact / 255, weight=remove_noise, channel_axis=-1) * 255
    assert np.abs(read(tmp_path / name) - exact * 257).max() < 0.6
    images.SaveImage(raw, tmp_path / "a.jpg", remove_noise)  # 8 bits stay the reference's


def test_colors_are_blurred_and_brightness_is_not():
    raw = RANDOM.uniform(-60, 60, (1, 3, 20, 30)).astype("float32")
    raw[:, :, :, 15:] += np.float32([40, 0, -40]).reshape(1, 3, 1, 1)  # an edge between two colours
    plain, smooth = (images.rendered(raw, bit_depth=16, smooth_colors=sigma) / 257 for sigma in (0, 1.5))
    np.testing.assert_allclose(smooth.mean(2), plain.mean(2), atol=0.01)
    fine = [np.diff(picture[:, :, 0] - picture[:, :, 2], axis=0).std() for picture in (plain, smooth)]
    assert fine[1] < 0.2 * fine[0] and smooth[:, 20:, 0].mean() - smooth[:, :10, 0].mean() == pytest.approx(40, abs=8)
    grey = np.repeat(raw[:, :1], 3, 1) - images.MEANS.reshape(1, 3, 1, 1) + 120
    for depth, most in (8, 1), (16, 2):
        both = [images.rendered(grey, bit_depth=depth, smooth_colors=sigma).astype(int) for sigma in (0, 1.5)]
        assert abs(both[0] - both[1]).max() <= most
    with_mask = [
        images.rendered(raw, mask=np.zeros((20, 30), np.uint8), photo=raw, smooth_colors=sigma) for sigma in (0, 1.5)
    ]
    np.testing.assert_array_equal(*with_mask)


def test_alpha_is_resized_and_put_back(tmp_path):
    raw = np.zeros((1, 3, 30, 40), "float32")
    for name in ("a.png", "a.tif", "a.webp"):
        images.SaveImage(raw, tmp_path / name, alpha=RAMP)
        with Image.open(tmp_path / name) as saved:
            assert saved.mode == "RGBA" and saved.size == (40, 30)
            assert np.abs(np.asarray(saved)[:, :, 3].astype(int) - RAMP.reshape(60, 40, 2).mean(2)[::2]).max() <= 3
    images.SaveImage(raw, tmp_path / "deep.png", alpha=RAMP, bit_depth=16, size=(60, 80))
    assert np.array_equal(read_png(tmp_path / "deep.png")[:, :, 3], RAMP.astype(np.uint16) * 257)
    for name in ("a.jpg", "a.bmp"):
        images.SaveImage(raw, tmp_path / name, alpha=RAMP)
        assert Image.open(tmp_path / name).mode == "RGB"


def test_a_larger_picture(tmp_path):
    raw = np.ascontiguousarray(PHOTO.transpose(2, 0, 1)[None] - images.MEANS[:, None, None]).astype("float32")
    images.SaveImage(raw, tmp_path / "a.png", size=(90, 120))
    images.SaveImage(raw, tmp_path / "deep.png", size=(90, 120), bit_depth=16)
    expected = np.asarray(Image.fromarray(images.PostprocessImage(raw)).resize((120, 90), Image.LANCZOS)).astype(int)
    assert np.abs(images.read_image(tmp_path / "a.png") - expected).max() <= 1
    assert np.abs(read_png(tmp_path / "deep.png") / 257 - expected).max() <= 2


@pytest.mark.parametrize("asked, size", [("same", (451, 300)), ("902", (902, 600)), ("100", (100, 67)), ("1", (1, 1))])
def test_the_size_that_is_asked_for(asked, size):
    content = Namespace(pixels=np.zeros((300, 451, 3)), alpha=None)
    assert images.output_size(asked, content) == size[::-1]


def test_sizes_that_cannot_be():
    content = Namespace(pixels=np.zeros((300, 400, 3)), alpha=None)
    asked = Namespace(bit_depth=8, smooth_colors=0, flatten=False, output_size="20000")
    with pytest.raises(UsageError, match="20000x15000 pixels; the limit is 150 million"):
        images.save_options(asked, content, "a.png")
    content.pixels = np.zeros((30, 400, 3))
    with pytest.raises(UsageError, match="20000x1500 pixels, and a WEBP picture can have at most 16383"):
        images.save_options(asked, content, "a.webp")
    assert images.save_options(asked, content, "a.png") == {"size": (1500, 20000)}
    assert images.save_options(asked, content) == {}


@pytest.mark.parametrize(
    "paths, depth, says",
    [
        (("a.xyz",), 8, "cannot be saved with this extension"),
        (("noending",), 8, "cannot be saved with this extension"),
        (("a.psd",), 8, "cannot be saved with this extension"),
        (("a.ico",), 8, "cannot be saved with this extension"),
        (("a.xbm",), 8, "cannot be written"),
        (("e_%s.png", "final.jpg"), 16, "--bit-depth 16: final.jpg would be a JPEG"),
        (("a.webp",), 16, "16"),
    ],
)
def test_formats_are_refused_before_the_run(paths, depth, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=says):
        images.prepare_outputs(*paths, bit_depth=depth)
    assert not os.listdir(tmp_path)
    images.prepare_outputs("e_%s.jpg", "final.tif", bit_depth=16)


def test_places_are_refused_before_the_run(tmp_path):
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        images.prepare_outputs(str(tmp_path / "folder.png"))
    (tmp_path / "kept.png").write_bytes(b"mine")
    (tmp_path / "kept.png").chmod(0o444)
    with pytest.raises(NeuralStyleError, match="kept.png exists and is read-only"):
        images.prepare_outputs(str(tmp_path / "kept.png"))


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp", "deep.png", "deep.tif"])
def test_a_disk_that_is_full(tmp_path, name):
    if (
        os.name != "posix"
        or os.geteuid()
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=40k", "none", str(tmp_path)], stderr=subprocess.DEVNULL
        ).returncode
    ):
        pytest.skip("only root can make a small disk")
    try:
        (tmp_path / name).write_bytes(b"earlier")
        noise = RANDOM.randint(0, 65536, (200, 200, 3)).astype(np.uint16 if name.startswith("deep") else np.uint8)
        with pytest.raises(NeuralStyleError, match=f"{name} could not be written") as caught:
            images.save_picture(noise, tmp_path / name)
        assert caught.value.exit_code == 1 and "\n" not in str(caught.value)
        assert os.listdir(tmp_path) == [name] and (tmp_path / name).read_bytes() == b"earlier"
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp", "deep.png"])
def test_a_disk_that_fills_up_while_writing(tmp_path, monkeypatch, name):
    """The same without being root: the file that is written to takes no more than 100 bytes."""
    (tmp_path / name).write_bytes(b"earlier")

    class Full(io.FileIO):
        def fileno(self):  # so that everything goes through write
            raise io.UnsupportedOperation

        def write(self, data):
            if self.tell() + len(data) > 100:
                raise OSError(28, "No space left on device")
            return super().write(data)

    monkeypatch.setattr(pictures_out, "open", lambda path, mode: Full(str(path), "w+"), raising=False)
    with pytest.raises(NeuralStyleError, match=f"{name} could not be written: No space left"):
        images.save_picture(DEEP if name.startswith("deep") else PHOTO, tmp_path / name)
    assert os.listdir(tmp_path) == [name] and (tmp_path / name).read_bytes() == b"earlier"


def test_a_folder_that_vanished(tmp_path):
    with pytest.raises(NeuralStyleError, match="a.png could not be written: No such file or directory"):
        images.save_picture(PHOTO, tmp_path / "gone" / "a.png")


# From end to end


@pytest.fixture
def cut_out(tmp_path):
    """A photograph with a transparent left part, turned on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6
    alpha = np.where(np.arange(80) < 40, 0, 255)[None].repeat(60, 0).astype(np.uint8)
    Image.fromarray(np.dstack([PHOTO, alpha])).save(tmp_path / "cut.png", exif=exif)
    return str(tmp_path / "cut.png")


def test_a_run_with_alpha_16_bits_and_its_own_size(short_run, cut_out, tmp_path):
    words = short_run[:-2] + ["--content-image", cut_out, "--checkpoint-output", str(tmp_path / "out" / "e_%s.png")]
    deep = f"--output {tmp_path}/out/deep.png --bit-depth 16 --output-size same --preserve-colors luma".split()
    assert nstyle.main(words + deep) == 0
    picture = read_png(tmp_path / "out" / "deep.png")
    assert picture.shape == (80, 60, 4)  # as the photograph stands upright
    assert not picture[:36, :, 3].any() and (picture[44:, :, 3] == 65535).all()
    assert len(np.unique(picture[:, :, :3])) > 256
    checkpoint = read_png(tmp_path / "out" / "e_2.png")
    assert checkpoint.shape == (48, 36, 4)
    flat = ["--output", str(tmp_path / "out" / "flat.webp"), "--flatten", "--overwrite", "--output-size", "90"]
    assert nstyle.main(words + flat) == 0
    flat = Image.open(tmp_path / "out" / "flat.webp")
    assert flat.mode == "RGB" and flat.size == (68, 90) and Image.open(tmp_path / "out" / "e_2.png").mode == "RGB"


def test_a_run_from_standard_input(short_run, cut_out, tmp_path):
    run = command("neural_style.nstyle", *short_run, "--content-image", "-", "--start", "content", "--quiet")
    with open(cut_out, "rb") as file:
        assert finished(run, stdin=file) == (0, [])
    assert Image.open(tmp_path / "out" / "final.jpg").size == (36, 48)
    assert finished(run, stdin=subprocess.DEVNULL) == (2, ["neural-style: error: standard input is empty"])


def test_numbers_from_python_are_sizes_too():
    assert complete(Namespace(output_size=900)).output_size == "900"


def test_alpha_put_back_looks_on_white_as_the_network_saw_it(tmp_path):
    alpha = np.array([[0, 128, 255]], np.uint8)
    on_white = np.array([[[255, 255, 255], [227, 127, 127], [200, 0, 0]]], np.uint8)
    image = on_white.astype(np.float32).transpose(2, 0, 1)[None] - images.MEANS.reshape(1, 3, 1, 1)
    for bit_depth in (8, 16):
        images.SaveImage(image.astype(np.float32) + 0.01, str(tmp_path / "x.png"), bit_depth=bit_depth, alpha=alpha)
        picture = (
            np.asarray(Image.open(tmp_path / "x.png")).astype(float)
            if bit_depth == 8
            else read_png(tmp_path / "x.png") / 257
        )
        assert np.abs(picture[0, 1, :3] - [199, 0, 0]).max() <= 1.5 and list(picture[0, :, 3]) == [0, 128, 255]
        share = picture[:, :, 3:] / 255
        assert np.abs(picture[:, :, :3] * share + 255 * (1 - share) - on_white).max() <= 1
