"""The paintings of our own: their sizes and colours, strokes and lead lines, and the command that saves them."""

import colorsys
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from neural_style import painting
from neural_style.painting import __main__ as command
from neural_style.system.errors import UsageError

SMALL = ["--size", "96x64"]


@pytest.fixture(scope="module")
def picture():
    return painting.paint(320, 512)


@pytest.fixture(scope="module")
def glass():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(painting.glass, "FINE", 450)
        return painting.paint(300, 450, subject="glass")


def hsv(picture):
    return np.asarray(Image.fromarray(picture).convert("HSV")).astype(int).transpose(2, 0, 1)


@pytest.fixture
def no_wait(monkeypatch):
    """The command without the painter: a plain picture of the asked size."""
    monkeypatch.setattr(command, "paint", lambda height, width, seed, _: np.full((height, width, 3), seed, np.uint8))


def coherence(grey, grain=1.5, window=6):
    """How much one direction rules around each pixel, 0..1, from the structure tensor."""
    down, right = ndimage.gaussian_filter(grey, grain, (1, 0)), ndimage.gaussian_filter(grey, grain, (0, 1))
    dd, rr, dr = (ndimage.gaussian_filter(part, window) for part in (down * down, right * right, down * right))
    return np.hypot(rr - dd, 2 * dr) / (rr + dd + 1e-9)


@pytest.mark.parametrize("subject", painting.SUBJECTS)
@pytest.mark.parametrize("height, width", [(64, 64), (201, 77)])
def test_any_size_from_64_pixels(height, width, subject, monkeypatch):
    for each in (painting.glass, painting.mosaic, painting.woodcut):
        monkeypatch.setattr(each, "FINE", 200)
    picture = painting.paint(height, width, subject=subject)
    assert picture.shape == (height, width, 3) and picture.dtype == np.uint8
    assert picture.std() > 25


@pytest.mark.parametrize("sizes", [(63, 100), (100, 63), (0, 0)])
def test_a_smaller_one_is_refused(sizes):
    with pytest.raises(UsageError, match="64"):
        painting.paint(*sizes)


def test_blue_rules_and_yellow_glows(picture):
    red, green, blue = picture.astype(int).transpose(2, 0, 1)
    assert blue.mean() > red.mean() + 20
    assert np.mean(blue > np.maximum(red, green) + 20) > 0.4
    assert 0.02 < np.mean((np.minimum(red, green) > blue + 60) & (red > 150)) < 0.25
    hues = [colorsys.rgb_to_hsv(*pixel)[0] for pixel in picture[::4, ::4].reshape(-1, 3) / 255.0]
    assert np.sum(np.histogram(hues, 12, (0, 1))[0] > 10) >= 6


def test_dark_and_light_are_both_there_and_no_place_is_flat(picture):
    grey = picture.mean(2)
    assert np.percentile(grey, 2) < 25 and np.percentile(grey, 98) > 170
    blocks = grey.reshape(20, 16, 32, 16).std((1, 3))
    assert blocks.min() > 6


def test_strokes_run_along_and_turn(picture):
    grey = picture.mean(2)
    noise = np.random.RandomState(0).permutation(grey.ravel()).reshape(grey.shape)
    assert coherence(grey).mean() > 0.55 > 0.35 > coherence(noise).mean()
    down, right = np.gradient(ndimage.gaussian_filter(grey[:200], 1.5))
    turns = np.histogram(np.arctan2(down, right) % np.pi, 8, (0, np.pi), weights=np.hypot(down, right))[0]
    assert turns.min() > 0.03 * turns.sum()  # every direction of the wind is in the sky


def test_an_unknown_subject_is_refused():
    with pytest.raises(UsageError, match="'day'.*night, glass"):
        painting.paint(64, 64, subject="day")


def test_glass_has_many_rich_colours_and_no_grey(glass):
    hue, saturation, value = hsv(glass)
    assert np.mean((saturation < 50) & (value > 70) & (value < 200)) < 0.005
    assert 0.002 < np.mean(glass.min(2) > 190) < 0.05  # a little white
    shares = np.histogram(hue[(value > 90) & (saturation > 90)], 12, (0, 256))[0] / hue.size
    assert np.sum(shares > 0.03) >= 7 and shares.max() < 0.25


def test_lead_is_dark_and_everywhere(glass):
    dark = hsv(glass)[2] < 60
    assert 0.15 < dark.mean() < 0.4
    assert (dark.reshape(6, 50, 9, 50).mean((1, 3)) > 0.03).all()
    assert ndimage.label(dark)[1] < 60  # the lines hold together


def test_the_light_is_in_the_middle_of_the_pieces(glass):
    value = glass.max(2)
    inside = ndimage.distance_transform_edt(value > 60)
    assert value[inside > 8].mean() > value[(inside > 2) & (inside < 4)].mean() + 10


@pytest.mark.parametrize("height, width, fine", [(100, 150, 300), (400, 600, 300)])
def test_every_size_shows_the_same_glass(glass, height, width, fine, monkeypatch):
    monkeypatch.setattr(painting.glass, "FINE", fine)
    other = Image.fromarray(painting.paint(height, width, subject="glass")).resize((30, 20), Image.BOX)
    here = Image.fromarray(glass).resize((30, 20), Image.BOX)
    assert np.abs(np.asarray(other, int) - np.asarray(here, int)).mean() < 6


def test_a_mosaic_is_stones_of_one_colour_and_size_between_light_joints():
    mosaic = painting.paint(640, 1024, subject="mosaic").astype(int)
    joints = ndimage.gaussian_filter(np.abs(mosaic - painting.mosaic.GROUT).max(2), 0.5) < 40
    stones, count = ndimage.label(ndimage.binary_erosion(~joints))
    sizes = np.bincount(stones.ravel())[1:]
    sizes = sizes[sizes > 60]
    assert 0.1 < joints.mean() < 0.4 and len(sizes) > 700
    assert np.percentile(sizes, 90) < 4 * np.percentile(sizes, 30)
    spread = [ndimage.standard_deviation(mosaic[..., 0], stones, range(1, count + 1)), mosaic[..., 0].std()]
    assert np.median(spread[0]) < 0.4 * spread[1]


def test_a_woodcut_is_black_lines_over_light_tints_that_run_along(monkeypatch):
    monkeypatch.setattr(painting.woodcut, "FINE", 320)
    grey = painting.paint(320, 512, subject="woodcut").mean(2)
    assert 0.25 < np.mean(grey < 60) < 0.65 and np.mean(grey > 120) > 0.25
    assert np.mean((grey > 70) & (grey < 110)) < 0.2
    assert coherence(grey).mean() > 0.6


def test_the_command_paints_glass_on_demand(glass, tmp_path, monkeypatch):
    painted = []
    monkeypatch.setattr(painting.glass, "FINE", 200)
    monkeypatch.setattr(
        command, "paint", lambda *asked: painted.append((asked, painting.paint(*asked))) or painted[0][1]
    )
    assert command.main([str(tmp_path / "glass.png"), "--subject", "glass", "--seed", "7"] + SMALL) == 0
    ((asked, picture),) = painted
    saved = Image.open(tmp_path / "glass.png")
    assert asked == (64, 96, 7, "glass") and (np.asarray(saved) == picture).all()
    assert np.abs(np.asarray(saved, int) - np.asarray(Image.fromarray(glass).resize(saved.size))).mean() > 10


def test_the_command_saves_what_paint_gives_and_another_seed_gives_another(tmp_path):
    picture = painting.paint(64, 96)
    np.random.seed(7)  # NumPy's own state has no say
    assert command.main([str(tmp_path / "night.png"), *SMALL]) == 0
    assert [each.name for each in tmp_path.iterdir()] == ["night.png"]
    assert (np.asarray(Image.open(tmp_path / "night.png")) == picture).all()
    assert np.abs(painting.paint(64, 96, 1).astype(int) - picture).mean() > 10


def test_a_file_is_overwritten_only_with_force(tmp_path, capsys, no_wait):
    path = tmp_path / "night.png"
    path.write_bytes(b"mine")
    assert command.main([str(path)] + SMALL) == 2
    assert path.read_bytes() == b"mine" and "--overwrite" in capsys.readouterr().err
    assert command.main([str(path), "--force"] + SMALL) == 0
    assert Image.open(path).size == (96, 64)


def test_a_failed_save_keeps_the_old_file(tmp_path, monkeypatch, capsys, no_wait):
    path = tmp_path / "night.png"
    path.write_bytes(b"mine")

    def fail(picture, where, *_, **__):
        with open(where, "wb") as file:
            file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(Image.Image, "save", fail)
    assert command.main([str(path), "--force"] + SMALL) == 1
    assert path.read_bytes() == b"mine" and len(list(tmp_path.iterdir())) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_missing_folder_is_a_failure(tmp_path, capsys, no_wait):
    assert command.main([str(tmp_path / "missing" / "night.png")] + SMALL) == 1
    assert "missing" in capsys.readouterr().err and not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", [["night.jpg"], ["night.png", "--size", "32x640"], ["night.png", "--seed", "-1"]])
def test_wrong_use_is_one_line(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert command.main(words) == 2
    error = capsys.readouterr().err
    assert error.startswith("neural_style.painting: error: ") and error.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "words",
    [[], ["night.png", "--size", "big"], ["a.png", "--subject", "day"], ["night.png", "--seed", "x"], ["--what"]],
)
def test_wrong_words_are_one_line(words, capsys):
    with pytest.raises(SystemExit) as stop:
        command.main(words)
    assert stop.value.code == 2 and capsys.readouterr().err.count("\n") == 1


def test_importing_does_nothing():
    quiet = subprocess.run([sys.executable, "-c", "import neural_style.painting"], stdout=-1, stderr=-2)
    assert (quiet.returncode, quiet.stdout) == (0, b"")
