"""Recipes that somebody else made: too large, too many words, not what their names say, and asking for too much."""

import argparse
import io
import os
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from neural_style import nstyle, recipes
from neural_style.options import parse
from neural_style.pictures import write

MEGABYTE = "--lr 1 " * 150_000
XBM = "#define im_width 8\n#define im_height 1\nstatic char im_bits[] = {\n0x00 };\n"


def png(text, kind="text"):
    """A PNG with a text: plain, deflated (zTXt, iTXt), or at its end."""
    info, out = PngImagePlugin.PngInfo(), io.BytesIO()
    if kind == "itxt":
        info.add_itxt(write.KEY, text, zip=True)
    elif kind != "end":
        info.add_text(write.KEY, text, zip=kind == "ztxt")
    Image.new("RGB", (9, 9)).save(out, "PNG", pnginfo=info)
    if kind != "end":
        return out.getvalue()
    data = b"tEXt" + write.KEY.encode() + b"\0" + text.encode("latin-1")
    chunk = (len(data) - 4).to_bytes(4, "big") + data + zlib.crc32(data).to_bytes(4, "big")
    return out.getvalue()[:-12] + chunk + out.getvalue()[-12:]


def tiff(text):
    out = io.BytesIO()
    Image.new("RGB", (9, 9)).save(out, "TIFF", tiffinfo={write.DESCRIPTION: write.MARK.decode() + text})
    return out.getvalue()


def webp(text):
    out, exif = io.BytesIO(), Image.Exif()
    exif[write.DESCRIPTION] = write.MARK.decode() + text
    Image.new("RGB", (9, 9)).save(out, "WEBP", exif=exif.tobytes())
    return out.getvalue()


def refused(path, content, capsys, *more):
    """The one line that a recipe file with this content is refused with."""
    path.write_bytes(content)
    with pytest.raises(SystemExit) as ended:
        nstyle.get_args(["--recipe", str(path), *more])
    said = capsys.readouterr().err
    assert ended.value.code == 2 and len(said.splitlines()) == 1 and str(path) in said
    return said


@pytest.mark.parametrize(
    "content",
    [
        *(png(MEGABYTE[:1_000_000], kind) for kind in ("text", "ztxt", "itxt", "end")),
        tiff(MEGABYTE),
        webp(MEGABYTE),
        png("--lr 1 " * 8600),
        png(MEGABYTE * 3, "ztxt"),
    ],
    ids=["text", "ztxt", "itxt", "end", "tiff", "webp", "60kB", "3MB"],
)
def test_a_recipe_too_long_for_ours_is_refused_before_it_is_parsed(content, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(recipes.shlex, "split", lambda *_, **__: pytest.fail("parsed"))
    said = refused(tmp_path / "x.png", content, capsys)
    assert "more than 60000 bytes" in said or "too large" in said.lower()


@pytest.mark.parametrize("content", [MEGABYTE.encode(), b"#" * 2_000_000], ids=["flags", "comment"])
def test_a_file_of_flags_too_large_is_refused_before_it_is_parsed(content, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(recipes.shlex, "split", lambda *_, **__: pytest.fail("parsed"))
    assert "more than 200000 bytes" in refused(tmp_path / "x.args", content, capsys)


def test_an_endless_file_is_not_read(capsys):
    with pytest.raises(SystemExit):
        nstyle.get_args(["--recipe", "/dev/zero"])
    assert "/dev/zero is a device" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["--q ", "--lr 1 ", "--debug ", "-1 ", "-", "--style-image a b "])
def test_the_worst_words_are_counted_before_argparse_sees_them(word, tmp_path, capsys, monkeypatch):
    """argparse takes time proportional to the square of their number."""
    monkeypatch.setattr(argparse.ArgumentParser, "parse_known_args", None)
    recipe = tmp_path / "x.args"
    recipe.write_text(word * 50_000 if word == "-" else word * (60_000 // len(word)))
    if word == "-":  # a single word
        recipe.write_text("- " * 30_000)
    with pytest.raises(parse.UsageError, match="more than 1000 flags"):
        parse._of_recipe(str(recipe), parse.FlagParser(parse.MAIN), {"recipe": [str(recipe)]})


@pytest.mark.parametrize(
    "text",
    ["--style-image " + "a " * 29_000, "x" * 59_000, "\\a" * 29_000, "'' " * 19_000, "--lr 1 " * 999, "--q " * 999],
    ids=lambda text: text[:6],
)
def test_60000_bytes_of_any_words_are_quick(text, tmp_path):
    (tmp_path / "x.png").write_bytes(png(text))
    subprocess.run(
        [sys.executable, "-m", "neural_style", "--recipe", "x.png", "--max-num-epochs", "0"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        stderr=subprocess.DEVNULL,
        timeout=30,
    )


@pytest.mark.parametrize("name", ["x.gif", "x.xbm", "x.ps", "x.png", "x.tga"])
def test_a_text_with_the_name_of_a_picture_is_neither(name, tmp_path, capsys):
    assert "is not a picture" in refused(tmp_path / name, b"--model evil\n", capsys)


@pytest.mark.parametrize(
    "start",
    [
        XBM,
        "P1\n1 1\n0\n",
        '/* XPM */\nstatic char *x[] = {\n"1 1 1 1",\n"a c #000000",\n"a"};\n',
        "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n",
    ],
    ids=["xbm", "ppm", "xpm", "ps"],
)
@pytest.mark.parametrize("name", ["x.args", "x.txt", "x"])
def test_a_text_that_is_a_picture_has_no_flags(start, name, tmp_path, capsys):
    assert "no recipe in this picture" in refused(tmp_path / name, start.encode() + b"\n--model evil\n", capsys)


@pytest.mark.parametrize("name", ["x.txt", "x.args", "x", "x.gif"])
@pytest.mark.parametrize(
    "recipe, says",
    [
        ("--output=/etc/x.png", "cannot have --output"),
        ("--report", "cannot have --report"),
        ("--checkpoint-output=a%s.png", "cannot have --checkpoint-output"),
        ("--output_dir=/etc", "cannot have --output_dir"),
        ("--resume=x", "cannot have --resume"),
        ("--model=evil", "--model evil is not part of this package"),
        ("--model=vgg19,evil", "--model vgg19,evil is not part of this package"),
        ("--model-params=evil.params", "--model-params evil.params is not part of this package"),
    ],
)
def test_a_picture_of_any_name_has_no_say_in_files_and_code(name, recipe, says, tmp_path, capsys):
    assert says in refused(tmp_path / name, png(recipe), capsys)


def test_what_is_given_by_hand_is_trusted(tmp_path):
    (tmp_path / "x.txt").write_bytes(png("--model=mine --model-params=mine.params --lr=3"))
    args = nstyle.get_args(["--recipe", str(tmp_path / "x.txt"), "--model", "mine", "--model-params", "other.params"])
    assert (args.model, args.model_params, args.lr) == ("mine", "other.params", 3)


def test_a_persons_own_text_may_name_anything(tmp_path):
    for name in ("mine.args", "mine.txt", "mine", "gatys.recipe"):
        (tmp_path / name).write_text("# Mine\n--model mine --output=out/x.png --model-params=mine.params")
        assert nstyle.get_args(["--recipe", str(tmp_path / name)]).model == "mine"


def test_a_pipe_is_read_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["sh", "-c", "echo --lr 3 > pipe"], cwd=tmp_path):
        assert nstyle.get_args(["--recipe", str(tmp_path / "pipe")]).lr == 3


def test_pictures_that_we_wrote_keep_their_recipes(tmp_path):
    for name in ("a.png", "a.jpg", "a.tif", "a.webp"):
        write.save_picture(np.zeros((9, 9, 3), "uint8"), str(tmp_path / name), recipe="--lr=3 # " + "ü" * 29_000)
        assert recipes.read(str(tmp_path / name)) == ("--lr=3 # " + "ü" * 29_000, True)
