"""Pictures as people have them: read right, brought to the network's range and back, saved whole or not at all."""

import io

import numpy as np
import pytest
import skimage.data
from PIL import Image
from skimage.transform import resize

from neural_style.pictures import images
from neural_style.pictures import read as pictures_in
from neural_style.system.errors import NeuralStyleError, UsageError

RANDOM = np.random.RandomState(0)
COLOURS = np.array(
    [[[200, 30, 40], [10, 220, 60], [20, 40, 250]], [[250, 240, 20], [128, 128, 128], [255, 255, 255]]], np.uint8
)  # 2 × 3


def big(array, times=8):
    """Each pixel as a block, so that lossy formats keep its colour."""
    return array.repeat(times, 0).repeat(times, 1)


def stored(tmp_path, picture, name, **options):
    picture.save(tmp_path / name, **options)
    return tmp_path / name


@pytest.mark.parametrize(
    "mode, extension",
    [
        ("RGB", "png"),
        ("RGBA", "png"),
        ("P", "png"),
        ("P", "gif"),
        ("RGB", "tif"),
        ("RGB", "webp"),
        ("RGB", "bmp"),
        ("CMYK", "tif"),
    ],
)
def test_colours_come_through(tmp_path, mode, extension):
    picture = Image.fromarray(COLOURS)
    picture = picture.quantize(8) if mode == "P" else picture.convert(mode)
    options = {"lossless": True} if extension == "webp" else {}
    read = images.read_image(stored(tmp_path, picture, "picture." + extension, **options))
    assert read.dtype == np.uint8 and read.shape == COLOURS.shape
    assert np.abs(read.astype(int) - COLOURS).max() <= (1 if mode == "P" else 0)


@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
def test_jpeg_colours(tmp_path, mode):
    picture = Image.fromarray(big(COLOURS, 16)).convert(mode)
    read = images.read_image(stored(tmp_path, picture, "picture.jpg", quality=95, subsampling=0))
    assert np.abs(read.astype(int) - big(COLOURS, 16)).mean() < 3


def test_grey_becomes_three_equal_channels(tmp_path):
    grey = RANDOM.randint(0, 256, (5, 7)).astype(np.uint8)
    for mode in ("L", "LA"):
        read = images.read_image(stored(tmp_path, Image.fromarray(grey).convert(mode), mode + ".png"))
        assert np.array_equal(read, grey[:, :, None].repeat(3, 2))
    read = images.read_image(stored(tmp_path, Image.fromarray(grey > 100), "bits.png"))
    assert np.array_equal(read, (grey > 100)[:, :, None].repeat(3, 2) * 255)


def test_sixteen_bit_grey_keeps_its_range(tmp_path):
    grey = RANDOM.randint(0, 65536, (20, 30)).astype(np.uint16)
    read = images.read_image(stored(tmp_path, Image.fromarray(grey), "deep.png"))
    assert read.dtype == np.uint16 and np.array_equal(read, grey[:, :, None].repeat(3, 2))
    network = images.to_network(read, (20, 30))
    np.testing.assert_allclose(network[0, 0] + 123.68, grey / 65535 * 256, atol=1e-9)


def test_floating_point_grey_from_0_to_1(tmp_path):
    grey = RANDOM.uniform(0, 1, (20, 30)).astype(np.float32)
    grey[0, 0] = np.nan
    read = images.read_image(stored(tmp_path, Image.fromarray(grey), "float.tif"))
    assert np.abs(read[1:, :, 0] - grey[1:] * 255).max() < 1.01 and read[0, 0, 0] == 0
    read = images.read_image(stored(tmp_path, Image.fromarray(grey * 255), "float255.tif"))
    assert np.abs(read[1:, :, 0] - grey[1:] * 255).max() < 1.01


def test_grey_of_more_than_sixteen_bits_is_refused(tmp_path):
    path = stored(tmp_path, Image.fromarray(np.full((4, 4), 100000, np.int32)), "deep.tif")
    with pytest.raises(UsageError, match="100000.*8 or 16 bits"):
        images.read_image(path)


def test_transparent_parts_show_white(tmp_path):
    alpha = np.array([[0, 255, 128], [255, 0, 255]], np.uint8)
    read = images.read_image(stored(tmp_path, Image.fromarray(np.dstack([COLOURS, alpha])), "alpha.png"))
    share = alpha[:, :, None] / 255
    assert np.abs(read - (COLOURS * share + 255 * (1 - share))).max() <= 1
    palette = Image.fromarray(COLOURS).quantize(8)
    hidden = palette.getpixel((0, 0))
    read = images.read_image(stored(tmp_path, palette, "palette.png", transparency=hidden))
    assert read[0, 0].tolist() == [255, 255, 255] and np.abs(read[0, 1].astype(int) - COLOURS[0, 1]).max() <= 1


def test_exif_orientation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # taken with the camera turned: show it rotated by 90° clockwise
    read = images.read_image(stored(tmp_path, Image.fromarray(COLOURS), "turned.png", exif=exif))
    assert np.array_equal(read, np.rot90(COLOURS, -1))


def files_that_are_no_pictures(tmp_path):
    png = io.BytesIO()
    Image.fromarray(big(RANDOM.randint(0, 256, (40, 40, 3)).astype(np.uint8))).save(png, "png")
    contents = {
        "missing.png": None,
        "empty.jpg": b"",
        "text.jpg": b"hello, I am not a picture",
        "cut.png": png.getvalue()[:2000],
        "noise.png": png.getvalue()[:60] + bytes(500),
    }
    for name, content in contents.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
    return [tmp_path / name for name in contents] + [tmp_path]


def test_what_is_no_picture_is_named_in_one_line(tmp_path):
    for path in files_that_are_no_pictures(tmp_path):
        with pytest.raises(UsageError) as caught:
            images.read_image(path)
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_decompression_bomb_is_refused_with_its_size(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures_in, "MAX_PIXELS", 5)
    with pytest.raises(UsageError, match="bomb.png has 3x2 pixels"):
        images.read_image(stored(tmp_path, Image.fromarray(COLOURS), "bomb.png"))


def test_content_is_resized_and_centred_as_the_contract_says(pictures):
    picture = skimage.data.coffee()
    network = images.PreprocessContentImage(str(pictures / "coffee.png"), 95)
    height, width = int(400 * (95 / 600)), int(600 * (95 / 600))
    assert network.shape == (1, 3, height, width) == (1, 3, 63, 95)
    expected = resize(picture, (height, width)) * 256
    for channel, mean in enumerate((123.68, 116.779, 103.939)):
        np.testing.assert_allclose(network[0, channel], expected[:, :, channel] - mean, atol=1e-9)
    style = images.PreprocessStyleImage(str(pictures / "chelsea.png"), network.shape)
    expected = resize(skimage.data.chelsea(), (height, width)) * 256
    assert style.shape == network.shape
    np.testing.assert_allclose(style[0, 2], expected[:, :, 2] - 103.939, atol=1e-9)


def test_a_picture_of_one_pixel_is_a_flat_content(tmp_path):
    path = stored(tmp_path, Image.fromarray(COLOURS[:1, :1]), "one.png")
    network = images.PreprocessContentImage(path, 40)
    assert network.shape == (1, 3, 40, 40)
    assert np.allclose(network[0, :, 0, 0] + images.MEANS, COLOURS[0, 0] / 255 * 256) and np.ptp(network[0, 0]) < 1e-9


def test_a_picture_too_narrow_for_its_size_is_refused(tmp_path):
    path = stored(tmp_path, Image.new("RGB", (2000, 3)), "strip.png")
    with pytest.raises(UsageError, match="2000x3.*600x0.*--max-long-edge 600"):
        images.PreprocessContentImage(path, 600)


def test_postprocessing_clips_and_truncates():
    raw = np.zeros((1, 3, 2, 2), "float32")
    raw[0, :, 0, 0] = 1000
    raw[0, :, 0, 1] = -1000
    raw[0, :, 1, 0] = [10.9 - 123.68, 20.5 - 116.779, 30.01 - 103.939]
    before = raw.copy()
    picture = images.PostprocessImage(raw)
    assert picture.shape == (2, 2, 3) and picture.dtype == np.uint8 and np.array_equal(raw, before)
    assert picture[0, 0].tolist() == [255] * 3 and picture[0, 1].tolist() == [0] * 3
    assert picture[1, 0].tolist() == [10, 20, 30] and picture[1, 1].tolist() == [123, 116, 103]


def test_saving_denoises_only_when_asked(tmp_path):
    noise = RANDOM.uniform(-100, 100, (1, 3, 40, 50)).astype("float32")
    images.SaveImage(noise, tmp_path / "raw.png")
    images.SaveImage(noise, tmp_path / "smooth.png", 0.1)
    raw, smooth = (np.asarray(Image.open(tmp_path / name)) for name in ("raw.png", "smooth.png"))
    assert np.array_equal(raw, images.PostprocessImage(noise))
    assert smooth.std() < 0.8 * raw.std() and abs(smooth.mean() - raw.mean()) < 2


def test_jpeg_keeps_colour_at_full_resolution(tmp_path):
    images.save_picture(big(COLOURS), tmp_path / "picture.jpg")
    with Image.open(tmp_path / "picture.jpg") as picture:
        assert max(picture.quantization[0]) < 20  # quality 95; at 75 it is 61
        assert (tmp_path / "picture.jpg").stat().st_mode & 0o044  # an ordinary file, not a private one
        assert picture.format == "JPEG" and [layer[1:3] for layer in picture.layer] == [(1, 1)] * 3


def test_a_save_that_fails_leaves_the_old_picture(tmp_path, monkeypatch):
    path = tmp_path / "final.jpg"
    images.save_picture(big(COLOURS), path)
    before = path.read_bytes()

    def disk_full(self, file, form, **options):
        file.write(b"half a pict")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", disk_full)
    with pytest.raises(NeuralStyleError, match="final.jpg could not be written: No space left"):
        images.save_picture(COLOURS, path)
    assert path.read_bytes() == before and [entry.name for entry in tmp_path.iterdir()] == ["final.jpg"]


def test_an_unknown_extension_is_wrong_use(tmp_path):
    with pytest.raises(UsageError, match="picture.xyz"):
        images.save_picture(COLOURS, tmp_path / "picture.xyz")
    assert not list(tmp_path.iterdir())


def test_output_folder(tmp_path):
    folder = images.prepare_folder(tmp_path / "new" / "deep")
    assert folder.is_dir() and not list(folder.iterdir())
    (tmp_path / "file").write_text("precious")
    for bad in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(NeuralStyleError, match="choose another folder"):
            images.prepare_folder(bad)
    assert (tmp_path / "file").read_text() == "precious"


def test_style_pictures_are_fitted_by_name(pictures):
    shape, rocket = (1, 3, 60, 50), skimage.data.rocket()
    whole = images.to_network(rocket, (60, int(640 * 60 / 427)))
    covered = images.PreprocessStyleImage(str(pictures / "rocket.png"), shape, "cover")
    assert covered.shape == shape and np.array_equal(covered, whole[:, :, :60, :50])
    scaled = images.PreprocessStyleImage(str(pictures / "rocket.png"), shape, "scale", 1.5)
    assert np.array_equal(scaled, images.to_network(rocket, (int(427 / 640 * 75), 75)))


def test_a_width_for_the_content(pictures):
    assert images.PreprocessContentImage(str(pictures / "coffee.png"), 600, width=90).shape == (1, 3, 60, 90)


def test_a_profile_of_sixteen_bits_of_grey(tmp_path):
    """Linear grey is what its profile says, at 8 bits and at 16; nothing changes without a profile."""
    import struct

    from PIL import ImageCms

    ramp = np.linspace(0, 255, 64).astype(np.uint8)[None].repeat(4, 0)
    curve = b"curv" + bytes(4) + struct.pack(">I", 0)  # none: linear
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    text = b"text" + bytes(4) + b"x\0\0\0"
    tags, body, table = (
        [
            (b"wtpt", white),
            (b"kTRC", curve),
            (b"desc", b"desc" + bytes(4) + struct.pack(">I", 2) + b"x\0" + bytes(79)),
            (b"cprt", text),
        ],
        b"",
        b"",
    )
    for name, data in tags:
        data += bytes(-len(data) % 4)
        table += name + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(body), len(data))
        body += data
    size = 128 + 4 + len(table) + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"lcms", 0x02100000, b"mntr", b"GRAY", b"XYZ ") + bytes(12) + b"acsp"
    head += bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    profile = head + bytes(128 - len(head)) + struct.pack(">I", len(tags)) + table + body
    ImageCms.ImageCmsProfile(__import__("io").BytesIO(profile))
    Image.fromarray(ramp).save(tmp_path / "8.png", icc_profile=profile)
    Image.fromarray(ramp.astype(np.uint16) * 257).save(tmp_path / "16.png", icc_profile=profile)
    Image.fromarray(ramp.astype(np.uint16) * 257).save(tmp_path / "plain.png")
    eight, sixteen = (images.read_image(tmp_path / f"{bits}.png") for bits in (8, 16))
    assert np.abs(eight.astype(int) - ramp[:, :, None]).max() > 50
    assert sixteen.dtype == np.uint16 and np.abs(sixteen / 257 - eight).max() <= 1
    assert (images.read_image(tmp_path / "plain.png")[:, :, 0] == ramp.astype(np.uint16) * 257).all()


def test_pictures_that_shrink_by_far_are_brought_near_first():
    """Ordinary pictures are scikit-image's alone; a strip of 60000 pixels takes no minutes, and is itself."""
    from skimage.transform import resize

    random = np.random.RandomState(0)
    ordinary = random.randint(0, 256, (650, 700, 3)).astype(np.uint8)
    expected = resize(ordinary, (20, 20)) * 256 - images.MEANS
    assert np.array_equal(images.to_network(ordinary, (20, 20))[0], expected.transpose(2, 0, 1))
    for dtype, top in ((np.uint8, 255), (np.uint16, 65535)):
        strip = np.zeros((40, 60000, 3), dtype)
        strip[:, 30000:] = top
        seen = images.to_network(strip, (16, 24))[0] + images.MEANS.reshape(3, 1, 1)
        assert np.abs(seen[:, :, :11]).max() < 1 and np.abs(seen[:, :, 13:] - 256).max() < 1


def test_blocks_of_a_picture_far_too_large_are_averaged_and_rounded():
    corner = np.arange(2 * images.FAR) % 2
    picture = np.repeat((200 + (corner[:, None] | corner))[..., None], 3, axis=2).astype("uint8")  # 200, 201, 201, 201
    near = images._in_reach(picture, (1, 1))
    assert near.shape == (images.FAR, images.FAR, 3) and near.dtype == np.uint8 and (near == 201).all()
