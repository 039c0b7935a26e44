"""Painted films are as long, as large and as loud as their sources."""

import os
import shutil
import signal
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from films import Nothing, animation, durations_of, make, moving, seen, turned
from forks import forked
from PIL import Image

from neural_style.film import painters
from neural_style.film.__main__ import main
from neural_style.film.kept import Kept
from neural_style.film.read import open_film
from neural_style.saved.locks import locked

pytest.importorskip("av")


def difference(one, other):
    return np.abs(np.asarray(one, float) - np.asarray(other, float)).mean()


def test_size_times_and_sound_stay(paint, tmp_path, capsys):
    make("film.mp4", moving(10), sounds=2)
    before = seen("film.mp4")
    assert paint("film.mp4", "painted.mp4") == 0
    after = seen("painted.mp4")
    assert (after.size, after.times, after.duration, after.length) == (
        before.size,
        before.times,
        before.duration,
        before.length,
    )
    assert after.sounds == before.sounds and [len(packets) > 10 for packets in after.sounds.values()] == [True, True]
    assert difference(after.pixels, before.pixels) < 4 and after.pix == "yuv420p"
    assert sorted(os.listdir()) == ["film.mp4", "painted.mp4"]
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "film.mp4: 64x48, 10 frames in 0 s, with sound" and said[-1] == "the film is painted.mp4"
    assert len(said) == 3 and said[1].startswith("frame 1 of 10, about ")


@pytest.mark.parametrize(
    "ending, pix", [("mp4", "yuv444p"), ("mkv", "yuv444p"), ("mov", "yuv444p"), ("webm", "yuv420p")]
)
def test_odd_sides_and_uneven_times_stay(paint, ending, pix):
    times = [0, 30, 40, 100, 110, 300]
    make("film.mkv", moving(6, 45, 63), times, Fraction(1, 1000), pix="yuv444p")
    assert paint("film.mkv", f"painted.{ending}") == 0
    after = seen(f"painted.{ending}")
    assert after.size == (45, 63) and after.times == [Fraction(time, 1000) for time in times] and after.pix == pix
    assert after.duration == 340_000


def test_a_film_of_one_frame(paint):
    make("film.mp4", moving(1))
    assert paint("film.mp4", "painted.mp4") == 0
    assert seen("painted.mp4").duration == seen("film.mp4").duration == 40_000


@pytest.mark.parametrize("flags, size", [(["--size", "33"], (24, 32)), (["--width", "128"], (96, 128))])
def test_sizes_asked_for_are_even(paint, flags, size):
    make("film.mp4", moving(2), sounds=1)
    assert paint("film.mp4", "painted.mp4", *flags) == 0 and seen("painted.mp4").size == size
    assert paint("film.mp4", "painted.gif", "--size", "33") == 0 and Image.open("painted.gif").size == (33, 24)


@pytest.mark.parametrize(
    "matrix, corners",
    [
        ((1, 0, 0, 1), "RBG."),
        ((0, 1, -1, 0), "GR.B"),
        ((-1, 0, 0, -1), ".GBR"),
        ((0, -1, 1, 0), "B.RG"),
        ((-1, 0, 0, 1), "BR.G"),
    ],
)
def test_a_turned_film_is_upright(paint, tmp_path, matrix, corners):
    picture = np.full((48, 64, 3), 60, np.uint8)
    picture[:16, :16], picture[:16, -16:], picture[-16:, :16] = (250, 0, 0), (0, 0, 250), (0, 250, 0)
    turned(make(tmp_path / "film.mp4", [picture] * 2), *matrix)
    assert paint("film.mp4", "painted.mp4") == 0
    shown = seen("painted.mp4").pixels[0]
    assert shown.shape[:2] == ((64, 48) if matrix[0] == 0 else (48, 64))
    places = [shown[8, 8], shown[8, -8], shown[-8, 8], shown[-8, -8]]
    assert "".join("RGB"[pixel.argmax()] if pixel.max() > 150 else "." for pixel in places) == corners


@pytest.mark.parametrize("colors", [(1, 1), (6, 1), (1, 2), (6, 2), None])
def test_colours_stay(paint, colors):
    for color in (250, 30, 20), (20, 240, 60), (90, 90, 90), (255, 255, 255):
        flat = np.full((48, 64, 3), color, np.uint8)
        make("film.mp4", [flat] * 2, colors=colors)
        assert paint("film.mp4", "painted.mp4", "--overwrite") == 0
        for path in "film.mp4", "painted.mp4":
            frame = next(open_film(path).frames([])).pixels
            assert np.abs(frame.astype(int) - flat).max() <= 3
        assert seen("painted.mp4").tags == (colors[0] if colors else 6, 1)


def test_animations_in_and_out(paint, tmp_path):
    pictures, durations = moving(5, 33, 41), [40, 100, 70, 200, 40]
    animation("one.gif", pictures, durations, loop=2)
    animation("one.webp", pictures, durations, loop=3, lossless=True)
    for source in "one.gif", "one.webp":
        for output in "painted.gif", "painted.webp":
            assert paint(source, output, "--overwrite") == 0
            assert durations_of(output) == durations
            with Image.open(output) as after:
                assert after.info["loop"] == (2 if output.endswith("gif") else 3) and after.size == (41, 33)
            frames = list(open_film(output).frames([]))
            assert difference([frame.pixels for frame in frames], pictures) < 8
        assert paint(source, "painted.mp4", "--overwrite") == 0
        after = seen("painted.mp4")
        assert after.times == [Fraction(sum(durations[:i]), 1000) for i in range(5)] and after.duration == 450_000
    assert paint("painted.mp4", "again.gif") == 0 and durations_of("again.gif") == durations
    assert Image.open("again.gif").info["loop"] == 0


def test_transparency_becomes_white(paint):
    frames = [Image.new("RGBA", (20, 16), (0, 0, 0, 0)) for _ in range(2)]
    for number, frame in enumerate(frames):
        frame.paste((200, 0, 0, 255), (number, 0, 8, 16))
    frames[0].save("film.webp", save_all=True, append_images=frames[1:], duration=50, lossless=True)
    assert paint("film.webp", "painted.gif") == 0
    shown = [frame.pixels for frame in open_film("painted.gif").frames([])]
    assert (
        (shown[0][:, 10:] > 250).all() and (shown[1][:, 0] > 200).all() and shown[1][8, 4, 0] > 150 > shown[1][8, 4, 1]
    )


def test_without_pyav_animations_are_still_painted(paint, monkeypatch, capsys):
    animation("film.gif", moving(3), 40, loop=0)
    (Path("film.mp4")).write_bytes(b"film" * 20)
    monkeypatch.setitem(sys.modules, "av", None)
    assert paint("film.gif", "painted.webp") == 0
    capsys.readouterr()
    assert paint("film.mp4", "painted.gif") == paint("film.gif", "painted.mp4") == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2 and all('pip install "neural-style-mxnet[film]"' in line for line in said)


def test_the_colours_of_the_film_can_be_kept(paint):
    make("film.mp4", moving(2))
    assert paint("film.mp4", "painted.mp4", "--preserve-colors", "luma", network="texture") == 0
    film, painted = (seen(path).pixels[0].astype(float) for path in ("film.mp4", "painted.mp4"))
    assert np.abs((painted - film).std(2)).mean() < 8 < np.abs(painted - film).mean()


def test_frames_go_together(paint, networks):
    def flicker(frames):
        return np.mean([difference(one[1:, 2:], other[:-1, :-2]) for one, other in zip(frames, frames[1:])])

    pictures = moving(8, 96, 128)
    animation("film.webp", pictures, 40, lossless=True)
    assert paint("film.webp", "painted.mkv", network="texture") == 0
    each = [networks["texture"].paint(painters.as_seen(picture))[0].transpose(1, 2, 0) for picture in pictures]
    assert flicker(seen("painted.mkv").pixels) < 0.6 * flicker(each)


def test_a_cut_begins_anew(tmp_path):
    kept, network = Kept(tmp_path / "x.mp4", (48, 64)), Nothing()
    kept.begin("")
    painter = painters.by_network(network.paint, kept)
    one = moving(1)[0]
    other = np.random.RandomState(0).randint(0, 255, one.shape).astype(np.uint8)
    painter(1, one, None)
    painter(2, other, one)
    assert difference(np.asarray(Image.open(kept.picture(2))), other) < 1


def test_a_film_goes_on_where_it_was_broken_off(paint, networks, capsys, monkeypatch):
    make("film.mp4", moving(8), sounds=1)
    assert paint("film.mp4", "whole.mp4", network="texture") == 0
    network, original = networks["texture"], networks["texture"].paint
    for stop_at in 1, 2, 5, 8:
        network.painted = 0

        def paint_until(image, device=None, stop_at=stop_at):
            if network.painted == stop_at - 1:
                raise KeyboardInterrupt
            return original(image)

        network.paint = paint_until
        capsys.readouterr()
        assert paint("film.mp4", "painted.mp4", network="texture") == 130
        assert "run the same command again to continue" in capsys.readouterr().err.splitlines()[
            -1
        ] and not os.path.exists("painted.mp4")
        network.paint, network.painted = original, 0
        assert paint("film.mp4", "painted.mp4", network="texture") == 0 and network.painted == 9 - stop_at
        assert Path("painted.mp4").read_bytes() == Path("whole.mp4").read_bytes()
        os.unlink("painted.mp4")
    assert sorted(os.listdir()) == ["film.mp4", "whole.mp4"]


def test_another_film_begins_anew_if_that_is_meant(paint, networks, capsys):
    def stopped(*more):
        network.paint = lambda image, device=None: original(image) if network.painted < 3 else exit(9)
        network.painted = 0
        assert paint("film.mp4", "painted.mp4", *more, network="texture") == 9
        network.paint, network.painted = original, 0

    network, original = networks["texture"], networks["texture"].paint
    make("film.mp4", moving(6))
    stopped()
    capsys.readouterr()
    assert (
        paint("film.mp4", "painted.mp4", "--preserve-colors", "luma", network="texture") == 2 and network.painted == 0
    )
    assert (
        "holds 3 frames of another film, or painted with other flags; remove them with --overwrite"
        in capsys.readouterr().err
    )
    assert paint("film.mp4", "painted.mp4", "--preserve-colors", "luma", "--overwrite", network="texture") == 0
    assert network.painted == 6
    os.unlink("painted.mp4")
    stopped()
    make("film.mp4", moving(6, down=2))
    network.painted = 0
    assert paint("film.mp4", "painted.mp4", "--overwrite", network="texture") == 0 and network.painted == 6
    os.unlink("painted.mp4")
    stopped()
    Path(".painted.mp4.frames/000003.npy").write_bytes(b"damaged")
    assert paint("film.mp4", "painted.mp4", network="texture") == 0 and network.painted == 6


def test_a_killed_film_goes_on(networks, tmp_path):
    make(tmp_path / "film.mp4", moving(12, 96, 128), sounds=1)

    def started(output):
        return forked(lambda: main(["film.mp4", "--network", "texture", "--output", output, "--quiet"]), cwd=tmp_path)

    whole, broken = started("whole.mp4"), started("painted.mp4")
    end = time.monotonic() + 300
    while not (tmp_path / ".painted.mp4.frames/000004.png").exists():
        assert time.monotonic() < end and broken.poll() is None
        time.sleep(0.005)
    broken.send_signal(signal.SIGKILL)
    broken.wait()
    assert not (tmp_path / "painted.mp4").exists()
    again = started("painted.mp4")
    assert again.wait() == whole.wait() == 0
    assert (tmp_path / "painted.mp4").read_bytes() == (tmp_path / "whole.mp4").read_bytes()


def test_nothing_is_lost(paint, capsys):
    def refused(output, said, *more):
        assert paint("film.mp4", output, *more) in (1, 2)
        (line,) = capsys.readouterr().err.splitlines()
        assert said in line, line

    make("film.mp4", moving(2))
    source = Path("film.mp4").read_bytes()
    shutil.copy("film.mp4", "there.mp4")
    os.link("film.mp4", "link.mp4")
    os.mkdir("folder.mp4")
    os.mkdir(".taken.mp4.frames")
    Path(".taken.mp4.frames/letter.txt").write_text("mine")
    refused("there.mp4", "--overwrite")
    for name in "film.mp4", "link.mp4":
        refused(name, "one of the film's inputs", "--overwrite")
    refused("folder.mp4", "is a folder")
    refused("film.txt", "films are written as .mp4")
    refused("/proc/painted.mp4", "cannot be saved in /proc")
    assert Path("film.mp4").read_bytes() == source == Path("there.mp4").read_bytes()
    assert paint("film.mp4", "taken.mp4") == 0
    assert Path(".taken.mp4.frames/letter.txt").read_text() == "mine"
    assert paint("film.mp4", "there.mp4", "--overwrite") == 0 and Path("there.mp4").read_bytes() != source
    make("loud.mp4", moving(2), sounds=1)
    capsys.readouterr()
    assert paint("loud.mp4", "loud.webm") == 2
    assert "cannot hold the sound" in capsys.readouterr().err


def test_two_commands_do_not_mix_their_frames(paint, capsys):
    make("film.mp4", moving(2))
    with locked("painted.mp4", "painting painted.mp4", "wait"):
        assert paint("film.mp4", "painted.mp4", network="texture") == 2
        assert "another command is painting painted.mp4; wait for it, or name another --output" in (
            capsys.readouterr().err
        )
    assert paint("film.mp4", "painted.mp4", network="texture") == 0


@pytest.fixture
def half(paint, networks):
    """A film of six frames, of which three are painted; gives the folder of those, and the network that counts."""
    network = networks["texture"]
    original = network.paint
    network.paint = lambda image, device=None: original(image) if network.painted < 3 else exit(9)
    make("film.mp4", moving(6))
    assert paint("film.mp4", "painted.mp4", network="texture") == 9
    network.paint, network.painted = original, 0
    return Path(".painted.mp4.frames"), network


@pytest.fixture(scope="module")
def whole():
    """The painted film, once there is one."""
    return []


def hurt_raw(folder, shape=(1, 3, 48, 64), factor=1):
    np.save(folder / "000003.npy", np.ones(shape, "float32") * factor)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: os.truncate(folder / "000002.png", 100),
        lambda folder: os.truncate(folder / "000003.png", 100),
        lambda folder: Image.new("RGB", (64, 50)).save(folder / "000001.png"),
        lambda folder: (folder / "000001.png").unlink() or os.mkfifo(folder / "000001.png"),
        lambda folder: hurt_raw(folder, (1, 3, 48, 65)),
        lambda folder: hurt_raw(folder, factor=np.nan),
        lambda folder: os.truncate(folder / "000003.npy", 200),
        lambda folder: (folder / "000003.npy").unlink() or os.mkfifo(folder / "000003.npy"),
    ],
)
def test_damaged_frames_are_painted_anew(spoil, half, paint, whole):
    folder, network = half
    if not whole:
        assert paint("film.mp4", "whole.mp4", network="texture") == 0
        whole.append(Path("whole.mp4").read_bytes())
        network.painted = 0
    spoil(folder)
    assert paint("film.mp4", "painted.mp4", network="texture") == 0 and network.painted == 6
    assert Path("painted.mp4").read_bytes() == whole[0] and not folder.exists()


@pytest.mark.parametrize(
    "spoil, said",
    [
        (lambda path: path.write_text("[" * 200_000), "too deeply nested"),
        (lambda path: path.unlink() or os.mkfifo(path), "not a file"),
        (lambda path: path.write_text('{"fingerprint": 3}'), "a wrong fingerprint"),
        (lambda path: path.write_text("[]"), "no object"),
    ],
)
def test_a_damaged_record_of_a_film_is_one_line(spoil, said, half, paint, capsys):
    folder, network = half
    spoil(folder / "film.json")
    capsys.readouterr()
    assert paint("film.mp4", "painted.mp4", network="texture") == 2 and network.painted == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert "film.json is not the record of a film (" in line and said in line and "start over with --overwrite" in line
    assert paint("film.mp4", "painted.mp4", "--overwrite", network="texture") == 0 and network.painted == 6


def test_what_is_not_the_films_is_neither_emptied_nor_deleted(half, paint, capsys, tmp_path):
    folder, network = half
    mine = tmp_path / "mine.txt"
    mine.write_text("dear")
    (folder / "letter.txt").write_text("mine")
    (folder / "lock").symlink_to(mine)  # of an earlier version
    lock = tmp_path / ".painted.mp4.lock"
    lock.symlink_to(mine)
    assert paint("film.mp4", "painted.mp4", network="texture") == 1
    assert ".painted.mp4.lock cannot be opened: it is a link; remove it" in capsys.readouterr().err
    lock.unlink()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "000001.npy").write_text("mine")
    folder.rename(tmp_path / "kept")
    folder.symlink_to("elsewhere")
    assert paint("film.mp4", "painted.mp4", network="texture") == 2
    assert "is a link and not the folder of a film" in capsys.readouterr().err
    assert (tmp_path / "elsewhere" / "000001.npy").read_text() == "mine"
    folder.unlink()
    (tmp_path / "kept").rename(folder)
    assert paint("film.mp4", "painted.mp4", network="texture") == 0
    assert mine.read_text() == "dear" and [path.name for path in folder.iterdir()] == ["letter.txt"]


def test_frames_without_a_record_are_not_deleted_unasked(half, paint, capsys):
    folder, network = half
    (folder / "film.json").unlink()
    assert paint("film.mp4", "painted.mp4", network="texture") == 2
    assert "holds 3 frames of another film" in capsys.readouterr().err and (folder / "000003.png").exists()
    assert paint("film.mp4", "painted.mp4", "--overwrite", network="texture") == 0
