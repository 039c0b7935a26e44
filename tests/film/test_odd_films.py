"""Files that are no films, or damaged ones."""

import io
import os
import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from films import animation, durations_of, hurt, make, moving, seen, sounds
from PIL import Image

av = pytest.importorskip("av")


def sound(path, codec):
    """Write a second of silence."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=44100)
        for start in range(0, 44100, 1152):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1152), np.int16), format="s16", layout="mono")
            frame.sample_rate, frame.pts = 44100, start
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return Path(path).read_bytes()


def cover(path):
    """Write a sound file with a picture of its cover."""
    packed = io.BytesIO()
    Image.new("RGB", (32, 32), "red").save(packed, "JPEG")
    body = b"\0image/jpeg\0\3\0" + packed.getvalue()
    frame = b"APIC" + struct.pack(">I", len(body)) + b"\0\0" + body
    size = bytes(len(frame) >> shift & 127 for shift in (21, 14, 7, 0))
    Path(path).write_bytes(b"ID3\3\0\0" + size + frame + sound("silence.mp3", "libmp3lame"))


@pytest.mark.parametrize(
    "name, write, said",
    [
        ("missing.mp4", lambda path: None, "there is no such film"),
        ("empty.mp4", lambda path: Path(path).write_bytes(b""), "is empty"),
        ("folder.mp4", os.mkdir, "is a folder"),
        ("pipe.mp4", os.mkfifo, "is not a file"),
        ("text.mp4", lambda path: Path(path).write_text("words\n" * 99), "is not a film"),
        ("letters.txt", lambda path: Path(path).write_text("words\n" * 99), "is not a film"),
        (
            "list.m3u8",
            lambda path: Path(path).write_text("#EXTM3U\n#EXTINF:5,\nother.ts\n#EXT-X-ENDLIST\n"),
            "is not a film",
        ),
        ("list.mp4", lambda path: Path(path).write_text("ffconcat version 1.0\nfile other.mp4\n"), "is not a film"),
        ("sound.wav", lambda path: sound(path, "pcm_s16le"), "has only sound; name"),
        ("sound.mp3", lambda path: sound(path, "libmp3lame"), "has only sound; name"),
        ("cover.mp3", cover, "has only sound and a cover"),
        ("photo.jpg", lambda path: Image.new("RGB", (9, 9)).save(path), "is a picture"),
        ("still.webp", lambda path: Image.new("RGB", (9, 9)).save(path), "is a still picture"),
        (
            "large.gif",
            lambda path: Path(path).write_bytes(
                b"GIF89a" + b"\xff" * 4 + b"\0\0\0,\0\0\0\0" + b"\xff" * 4 + b"\0\2\1\1\0;"
            ),
            "65535x65535",
        ),
        (
            "large.y4m",
            lambda path: Path(path).write_bytes(b"YUV4MPEG2 W30000 H30000 F25:1 Ip C420jpeg\nFRAME\n" + bytes(999)),
            "large",
        ),
        (
            "head.mp4",
            lambda path: Path(path).write_bytes(make("film.mp4", moving(3)) and Path("film.mp4").read_bytes()[:500]),
            "is not a film",
        ),
    ],
)
def test_what_is_no_film_is_one_line(paint, capsys, name, write, said):
    write(name)
    assert paint(name, "painted.mp4") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line and name in line, line
    assert not os.path.exists("painted.mp4") and not os.path.exists(".painted.mp4.frames")


@pytest.mark.parametrize("hurt_ones", [(7, 8), (0, 1), (22, 23)])
def test_damaged_frames_are_left_out(paint, tmp_path, capsys, hurt_ones):
    hurt(make(tmp_path / "film.mp4", moving(24), sounds=1), *hurt_ones)
    assert paint("film.mp4", "painted.mp4") == 0
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "damaged" in line]
    assert line.startswith("film.mp4 is damaged or ends early: about ")
    after = seen("painted.mp4")
    assert 10 < len(after.times) < 24 and set(after.times) <= {Fraction(number, 25) for number in range(24)}
    assert after.sounds == sounds("film.mp4")


@pytest.mark.parametrize("ending", ["mkv", "avi", "ts"])
def test_a_film_that_ends_early_is_painted_up_to_there(paint, tmp_path, capsys, ending):
    path = tmp_path / f"film.{ending}"
    make(path, list(np.random.RandomState(0).randint(0, 255, (24, 48, 64, 3), np.uint8)), codec="mpeg4")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    assert paint(path, "painted.mp4") == 0
    assert 5 < len(seen("painted.mp4").times) < 24
    assert "ends early" in capsys.readouterr().err or ending == "ts"


def test_a_damaged_animation(paint, capsys):
    animation("film.gif", moving(8), 40, loop=0)
    data = Path("film.gif").read_bytes()
    Path("film.gif").write_bytes(data[: len(data) // 2])
    assert paint("film.gif", "painted.gif") == 0
    assert "ends early" in capsys.readouterr().err
    Path("none.gif").write_bytes(data[:900])
    assert paint("none.gif", "none.mp4") == 2 and "no frame can be decoded" in capsys.readouterr().err


def test_a_film_among_pictures_is_told_where_it_belongs(tmp_path, capsys, monkeypatch):
    from neural_style import nstyle

    monkeypatch.chdir(tmp_path)
    make("film.mp4", moving(2))
    assert nstyle.main(["--content-image", "film.mp4", "--style-image", "film.mp4"]) == 2
    assert "film.mp4 is a film: python -m neural_style.film paints films" in capsys.readouterr().err


@pytest.mark.parametrize("ending, fits", [("mp4", False), ("mov", False), ("mkv", True), ("webm", True)])
def test_a_gap_of_years_is_refused_before_it_is_painted(paint, networks, capsys, ending, fits):
    times = [0, 40, 10**11]  # milliseconds: three years
    make("film.mkv", moving(3), times, Fraction(1, 1000))
    assert paint("film.mkv", f"painted.{ending}", network="texture") == (0 if fits else 2)
    assert networks["texture"].painted == (3 if fits else 0)
    if fits:
        assert seen(f"painted.{ending}").times == [Fraction(time, 1000) for time in times]
    else:
        (line,) = capsys.readouterr().err.splitlines()
        assert "shows a frame for 27777 h 46 min, which is longer than this format can hold; use .mkv" in line


def test_pauses_that_a_format_cuts_short_are_told(paint, capsys):
    animation("film.webp", moving(2), [40, 900_000], lossless=True)  # a quarter of an hour
    assert paint("film.webp", "painted.gif") == 0
    assert "shows a frame for 15 min 0 s, and a GIF can do so for 10 min 55 s at most" in capsys.readouterr().err
    assert durations_of("painted.gif") == [40, 655_350]
    assert paint("film.webp", "painted.webp") == 0 and "at most" not in capsys.readouterr().err
    assert durations_of("painted.webp") == [40, 900_000]
    assert paint("film.webp", "painted.mp4") == 0 and seen("painted.mp4").duration == 900_040_000


def test_the_shortest_pause_is_kept_and_shorter_ones_are_as_viewers_show_them(paint):
    animation("film.webp", moving(3), [20, 19, 40], lossless=True)
    assert paint("film.webp", "painted.webp") == 0 and durations_of("painted.webp") == [20, 100, 40]
