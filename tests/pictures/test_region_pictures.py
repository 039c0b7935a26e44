"""Masks and pictures of regions as people make them: blurred edges, JPEG, palettes, transparency, sizes, mistakes."""

import numpy as np
import pytest
import skimage.data
from PIL import Image

from neural_style.pictures import regions
from neural_style.pictures.read import Picture, read_picture
from neural_style.system.errors import UsageError

RED, GREEN, BLUE = (220, 30, 30), (30, 160, 40), (30, 40, 200)
PHOTO = Picture("photo.png", np.zeros((60, 90, 3), np.uint8), None)


def stripes(*colors, size=(60, 90)):
    picture = np.zeros(size + (3,), np.uint8)
    for part, color in zip(np.array_split(np.arange(size[1]), len(colors)), colors):
        picture[:, part] = color
    return picture


def saved(path, pixels, **how):
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(path, **how)
    return read_picture(path)


def test_regions_pair_by_colour(tmp_path):
    own = saved(tmp_path / "own.png", stripes(RED, GREEN, BLUE))
    one, two = (
        saved(tmp_path / "one.png", stripes(GREEN, RED)),
        saved(tmp_path / "two.png", stripes(BLUE, (90, 90, 90))),
    )
    maps, (of_one, of_two) = regions.paired((own, PHOTO), [(one, PHOTO), (two, PHOTO)])
    found = {
        int(part[0].argmax()): (part, one, two) for part, one, two in zip(maps, of_one, of_two)
    }  # by where it begins
    assert sorted(found) == [0, 30, 60] and all((part.sum() == 255 * 30 * 60) for part in maps)
    assert [start for start in (0, 30, 60) if found[start][1].any()] == [0, 30]
    assert [start for start in (0, 30, 60) if found[start][2].any()] == [60]
    assert found[0][1][0, 89] == 255 and found[0][1][0, 0] == 0 and found[30][1][0, 0] == 255


@pytest.mark.parametrize("how", ["jpeg", "blurred", "palette", "larger"])
def test_edges_belong_to_the_nearer_region(tmp_path, how):
    picture = Image.fromarray(stripes(RED, BLUE, size=(600, 900)))
    if how == "jpeg":
        own = saved(tmp_path / "own.jpg", picture, quality=60)
    elif how == "blurred":
        own = saved(tmp_path / "own.png", picture.resize((90, 60), Image.LANCZOS).resize((180, 120), Image.BICUBIC))
    elif how == "palette":
        own = saved(tmp_path / "own.gif", picture.quantize(8))
    else:
        own = saved(tmp_path / "own.png", picture)
    maps, _ = regions.paired((own, PHOTO), [(own, PHOTO)])
    assert len(maps) == 2
    for part, expected in zip(
        sorted(maps, key=lambda part: part[0, 0], reverse=True),
        (stripes((255,) * 3, (0,) * 3), stripes((0,) * 3, (255,) * 3)),
    ):
        assert part.shape == (60, 90) and np.abs(part.astype(int) - expected[..., 0])[:, :42].max() == 0
        assert set(np.unique(part)) == {0, 255} and (part != expected[..., 0]).mean() < 0.02
    assert (maps[0] + maps[1] == 255).all()


def test_what_is_transparent_belongs_to_no_region(tmp_path):
    pixels = np.dstack(
        [stripes(RED, BLUE), np.where(np.arange(60) < 20, 0, 255).astype(np.uint8)[:, None].repeat(90, 1)]
    )
    own = saved(tmp_path / "own.png", pixels)
    maps, _ = regions.paired((own, PHOTO), [(own, PHOTO)])
    assert not (maps[0] | maps[1])[:20].any() and (maps[0] | maps[1])[20:].all()


def test_specks_belong_to_what_is_around_them(tmp_path):
    pixels = stripes(RED, BLUE)
    pixels[5, 5] = GREEN
    own = saved(tmp_path / "own.png", pixels)
    maps, _ = regions.paired((own, PHOTO), [(own, PHOTO)])
    assert len(maps) == 2


@pytest.mark.parametrize(
    "own, theirs, message",
    [
        (stripes(RED, GREEN), stripes(RED, BLUE), r"own.png: its colour #1ea028 50% is in none of .* #1e28c8"),
        (stripes(RED), stripes(BLUE), r"--style-regions .*theirs.png: none of its colours, #1e28c8, is in --regions"),
        (
            skimage.data.coffee(),
            stripes(RED),
            r"own.png has \d+ colours; a picture of regions is painted in a few flat ones",
        ),
        (
            stripes(RED, BLUE, size=(60, 60)),
            stripes(RED, BLUE),
            r"--regions .*own.png is 60x60, and photo.png, on which it lies, 90x60: crop",
        ),
        (np.zeros((60, 90, 4), np.uint8), stripes(RED), "own.png is completely transparent"),
    ],
)
def test_mistakes_are_named(tmp_path, own, theirs, message):
    with pytest.raises(UsageError, match=message):
        regions.paired((saved(tmp_path / "own.png", own), PHOTO), [(saved(tmp_path / "theirs.png", theirs), PHOTO)])


def test_a_mask_is_grey(tmp_path):
    ramp = np.arange(90, dtype=np.uint8)[None].repeat(60, 0) * 2
    np.testing.assert_array_equal(regions.mask_of(saved(tmp_path / "m.png", ramp), PHOTO), ramp)
    deep = saved(tmp_path / "deep.png", Image.fromarray(ramp.astype(np.uint16) * 257))
    np.testing.assert_array_equal(regions.mask_of(deep, PHOTO), ramp)
    bits = saved(tmp_path / "bits.png", Image.fromarray(ramp).convert("1"))
    assert set(np.unique(regions.mask_of(bits, PHOTO))) == {0, 255}
    clear = saved(tmp_path / "clear.png", np.dstack([np.full((60, 90, 3), 255, np.uint8), ramp]))
    assert np.abs(regions.mask_of(clear, PHOTO).astype(int) - ramp).max() <= 1  # nothing where it is transparent
    with pytest.raises(UsageError, match="--mask .*m.png is 90x60, and tall.png, on which it lies, 60x90"):
        regions.mask_of(saved(tmp_path / "m.png", ramp), Picture("tall.png", np.zeros((90, 60, 3), np.uint8), None))


@pytest.mark.parametrize(
    "fit, scale, size", [("stretch", 1.0, (40, 40)), ("cover", 1.0, (40, 40)), ("scale", 0.5, (13, 20))]
)
def test_maps_are_fitted_like_their_picture(fit, scale, size):
    from neural_style.pictures.images import PreprocessStyleImage

    part = stripes((255,) * 3, (0,) * 3)
    picture = PreprocessStyleImage(
        Picture("p", part, None), (1, 3, 40, 40), **({} if fit == "stretch" else dict(fit=fit, scale=scale))
    )
    share = regions.scaled(part[..., 0], (40, 40), size, fit, scale)
    assert share.shape == picture.shape[2:] == size and share.min() == 0 and share.max() == 1
    np.testing.assert_allclose(share, (picture[0, 0] + 123.68) / 256, atol=1e-6)


def test_numbers_of_regions_as_programs_write_them(tmp_path):
    """0, 1, 2, 3 are hardly different shades of black, and four regions."""
    own = saved(tmp_path / "own.png", stripes(*((number,) * 3 for number in range(4)))[..., 0])
    maps, _ = regions.paired((own, PHOTO), [(own, PHOTO)])
    assert len(maps) == 4 and all((part > 0).mean() == pytest.approx(0.25, abs=0.01) for part in maps)


def test_there_can_be_only_so_many_regions(tmp_path):
    many = stripes(*((60 * (i // 16), 60 * (i // 4 % 4), 60 * (i % 4)) for i in range(48)), size=(480, 960))
    with pytest.raises(UsageError, match="own.png has 4[0-9] regions; there can be 32 at most"):
        regions.paired((saved(tmp_path / "own.png", many), PHOTO), [(saved(tmp_path / "one.png", stripes(RED)), PHOTO)])
