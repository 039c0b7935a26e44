"""The painting of our own: its sizes, its colours, its brush strokes, and the command that saves it."""
import colorsys
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from neural_style import painting
from neural_style.system.errors import UsageError

SMALL = ["--size", "96x64"]


@pytest.fixture(scope="module")
def picture():
    return painting.paint(320, 512)


@pytest.fixture
def no_wait(monkeypatch):
    """The command without the painter: a plain picture of the asked size."""
    monkeypatch.setattr(painting, "paint", lambda height, width, seed: np.full((height, width, 3), seed, np.uint8))


def coherence(grey, grain=1.5, window=6):
    """How much one direction rules around each pixel, 0..1, from the structure tensor."""
    down, right = ndimage.gaussian_filter(grey, grain, (1, 0)), ndimage.gaussian_filter(grey, grain, (0, 1))
    dd, rr, dr = (ndimage.gaussian_filter(part, window) for part in (down * down, right * right, down * right))
    return np.hypot(rr - dd, 2 * dr) / (rr + dd + 1e-9)


@pytest.mark.parametrize("height, width", [(64, 64), (201, 77)])
def test_any_size_from_64_pixels(height, width):
    picture = painting.paint(height, width)
    assert picture.shape == (height, width, 3) and picture.dtype == np.uint8
    assert picture.std() > 25


@pytest.mark.parametrize("sizes", [(63, 100), (100, 63), (0, 0)])
def test_a_smaller_one_is_refused(sizes):
    with pytest.raises(UsageError, match="64"):
        painting.paint(*sizes)


def test_blue_rules_and_yellow_glows(picture):
    red, green, blue = picture.astype(int).transpose(2, 0, 1)
    assert blue.mean() > red.mean() + 20
    assert np.mean(blue > np.maximum(red, green) + 20) > .4
    assert .02 < np.mean((np.minimum(red, green) > blue + 60) & (red > 150)) < .25
    hues = [colorsys.rgb_to_hsv(*pixel)[0] for pixel in picture[::4, ::4].reshape(-1, 3) / 255.]
    assert np.sum(np.histogram(hues, 12, (0, 1))[0] > 10) >= 6


def test_dark_and_light_are_both_there_and_no_place_is_flat(picture):
    grey = picture.mean(2)
    assert np.percentile(grey, 2) < 25 and np.percentile(grey, 98) > 170
    blocks = grey.reshape(20, 16, 32, 16).std((1, 3))
    assert blocks.min() > 6


def test_strokes_run_along_and_turn(picture):
    grey = picture.mean(2)
    noise = np.random.RandomState(0).permutation(grey.ravel()).reshape(grey.shape)
    assert coherence(grey).mean() > .55 > .35 > coherence(noise).mean()
    down, right = np.gradient(ndimage.gaussian_filter(grey[:200], 1.5))
    turns = np.histogram(np.arctan2(down, right) % np.pi, 8, (0, np.pi), weights=np.hypot(down, right))[0]
    assert turns.min() > .03 * turns.sum()      # every direction of the wind is in the sky


def test_the_command_saves_what_paint_gives_and_another_seed_gives_another(picture, tmp_path):
    np.random.seed(7)       # NumPy's own state has no say
    assert painting.main([str(tmp_path / "night.png"), "--size", "512x320"]) == 0
    assert [each.name for each in tmp_path.iterdir()] == ["night.png"]
    assert (np.asarray(Image.open(tmp_path / "night.png")) == picture).all()
    assert np.abs(painting.paint(320, 512, 1).astype(int) - picture).mean() > 10


def test_a_file_is_overwritten_only_with_force(tmp_path, capsys, no_wait):
    path = tmp_path / "night.png"
    path.write_bytes(b"mine")
    assert painting.main([str(path)] + SMALL) == 2
    assert path.read_bytes() == b"mine" and "--force" in capsys.readouterr().err
    assert painting.main([str(path), "--force"] + SMALL) == 0
    assert Image.open(path).size == (96, 64)


def test_a_failed_save_keeps_the_old_file(tmp_path, monkeypatch, capsys, no_wait):
    path = tmp_path / "night.png"
    path.write_bytes(b"mine")

    def fail(picture, where, *_, **__):
        with open(where, "wb") as file:
            file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(Image.Image, "save", fail)
    assert painting.main([str(path), "--force"] + SMALL) == 1
    assert path.read_bytes() == b"mine" and len(list(tmp_path.iterdir())) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_missing_folder_is_a_failure(tmp_path, capsys, no_wait):
    assert painting.main([str(tmp_path / "missing" / "night.png")] + SMALL) == 1
    assert "missing" in capsys.readouterr().err and not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", [["night.jpg"], ["night.png", "--size", "32x640"], ["night.png", "--seed", "-1"]])
def test_wrong_use_is_one_line(words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert painting.main(words) == 2
    error = capsys.readouterr().err
    assert error.startswith("neural_style.painting: error: ") and error.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", [[], ["night.png", "--size", "big"], ["night.png", "--seed", "x"], ["--what"]])
def test_wrong_words_are_one_line(words, capsys):
    with pytest.raises(SystemExit) as stop:
        painting.main(words)
    assert stop.value.code == 2 and capsys.readouterr().err.count("\n") == 1


def test_importing_does_nothing_and_the_module_is_a_command(tmp_path):
    quiet = subprocess.run([sys.executable, "-c", "import neural_style.painting"], stdout=-1, stderr=-2)
    assert (quiet.returncode, quiet.stdout) == (0, b"")
    asked = subprocess.run([sys.executable, "-m", "neural_style.painting", str(tmp_path / "a.txt")], stderr=-1)
    assert asked.returncode == 2 and b".png" in asked.stderr
