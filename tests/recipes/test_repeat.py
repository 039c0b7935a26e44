"""A run's pictures carry its recipe, from which the same pixels come again."""

import os

import numpy as np
import pytest
from commands import code_of, refused
from PIL import Image

from neural_style import nstyle
from neural_style.pictures import images


@pytest.fixture
def words(small, thumbnails, tmp_path, monkeypatch):
    """A run in tmp_path, where the pictures have names that need quoting."""
    monkeypatch.chdir(tmp_path)
    for name, odd in (("chelsea", "a photo's ‹cat› #1.png"), ("coffee", '$style "x".png')):
        os.symlink(str(thumbnails / f"{name}.png"), odd)
    os.mkdir("model")
    os.symlink(str(small), "model/vgg19.params")
    look = "--size 64 --max-num-epochs 5 --save-epochs 2 --gpu -1 --quiet".split()
    return ["--content-image", "a photo's ‹cat› #1.png", "--style-image", '$style "x".png', *look]


def pixels(path):
    return np.asarray(Image.open(str(path)))


@pytest.mark.parametrize(
    "name, flags",
    [
        ("result.png", ["--seed", "7"]),
        ("result.jpg", []),
        ("result.webp", ["--tv-weight=-1e-05"]),
        ("result.tif", ["--recipe", "athalye"]),
        ("deep.png", ["--bit-depth", "16", "--output-size", "same", "--preserve-colors", "luma"]),
    ],
    ids=str,
)
def test_a_picture_repeats_its_run(words, name, flags):
    assert nstyle.main(words + flags + ["--output", name]) == 0
    again = "again" + os.path.splitext(name)[1]
    assert nstyle.main(["--recipe", name, "--output", again, "--quiet"]) == 0
    assert np.array_equal(pixels(name), pixels(again)) and images.read_recipe(name) == images.read_recipe(again)


def test_a_checkpoint_repeats_the_run_up_to_it(words):
    assert nstyle.main(words + ["--checkpoint-output", "at%s.png", "--output", "end.png"]) == 0
    assert nstyle.main(["--recipe", "at4.png", "--output", "again.png", "--quiet"]) == 0
    assert np.array_equal(pixels("at4.png"), pixels("again.png"))
    assert not np.array_equal(pixels("end.png"), pixels("again.png"))


def test_flags_by_hand_win_over_a_pictures(words):
    assert nstyle.main(words) == 0
    args = nstyle.get_args(["--recipe", "output/final.jpg", "--size", "70"])
    assert args.max_long_edge == 70 and args.max_num_epochs == 5 and args.seed == 0
    assert args.content_image == words[1] and args.style_image == words[3]


def test_what_a_picture_says_is_read_by_people_too(words, capsys):
    assert nstyle.main(words) == 0
    assert code_of(nstyle.main, "--show-recipe", "output/final.jpg") == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("# neural_style 1.") and "Python 3." in said[0] and "MXNet 1.9.1" in said[0]
    assert "--max-long-edge=64" in said and "--output" not in "".join(said) and "--quiet" not in said


def test_it_is_said_if_a_picture_was_made_with_another_number_of_threads(words, monkeypatch, caplog):
    def said(threads):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        caplog.clear()
        nstyle.get_args(["--recipe", "end.png", "--output", "again.png"])
        return caplog.messages

    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert nstyle.main([*words, "--max-num-epochs", "1", "--output", "end.png"]) == 0
    assert images.read_recipe("end.png").splitlines()[0].endswith(", 3 threads")
    assert said("3") == []
    (message,) = said("1")
    assert "made with 3 threads, and this run uses 1 thread," in message and "OMP_NUM_THREADS=3 " in message


def test_sixteen_bits_and_another_size_are_the_final_pictures(words):
    words += ["--bit-depth", "16", "--output-size", "90", "--checkpoint-output", "at%s.jpg", "--output", "end.png"]
    assert nstyle.main(words) == 0
    assert nstyle.main(["--recipe", "at4.jpg", "--output", "again.jpg", "--quiet"]) == 0
    assert np.array_equal(pixels("at4.jpg"), pixels("again.jpg")) and Image.open("end.png").size[0] == 90


def test_a_run_that_went_on_for_longer_or_shorter(words):
    words += ["--output", "end.png", "--stop-eps", "0"]
    assert nstyle.main(words) == 0
    assert nstyle.main(["--resume", ".end.png.state.npz", "--max-num-epochs", "9", "--stop-eps", "0.9", "--quiet"]) == 0
    assert nstyle.main(["--recipe", "end.png", "--output", "again.png", "--quiet"]) == 0
    assert np.array_equal(pixels("end.png"), pixels("again.png"))
    assert "--max-num-epochs=5" in images.read_recipe("end.png")  # the first that was below 0.9


def test_no_run_replaces_its_own_pictures(words, capsys):
    assert nstyle.main(words) == 0
    before = pixels("output/final.jpg")
    for flag in ("--content-image", "--style-image", "--start"):
        for path in ("output/final.jpg", "output/e_2.jpg"):
            assert nstyle.main(words + [flag, path]) == 2
            assert f"{path} would be replaced by a picture of this run" in capsys.readouterr().err
    assert np.array_equal(pixels("output/final.jpg"), before)
    assert nstyle.main(words + ["--content-image", "output/final.jpg", "--output_dir", "again"]) == 0


def test_names_of_outputs_are_taken_as_they_are(words, capsys):
    for name in ("a%s.jpg", "run2-holiday.jpg", "b5.jpg"):
        Image.new("RGB", (9, 9)).save(name)
    assert nstyle.main(words + ["--output", "a%s.jpg"]) == 2
    assert nstyle.main(words + ["--output", "b%s.jpg"]) == 0
    assert nstyle.main(words + ["--checkpoint-output", "run%s.jpg"]) == 0
    assert nstyle.main(words + ["--checkpoint-output", "b%s.jpg"]) == 2
    assert Image.open("run2-holiday.jpg").size == (9, 9)


def test_paths_below_the_working_directory_are_named_from_there(words, tmp_path):
    words[1] = str(tmp_path / words[1])
    assert nstyle.main(words) == 0
    assert str(tmp_path) + os.sep + "a photo" not in images.read_recipe("output/final.jpg")


def test_odd_names_in_a_recipe_file(words, capsys):
    assert nstyle.main(["--content-image", "a\r\n b.png", "--save-recipe", "mine.args"]) == 0
    assert nstyle.get_args(["--recipe", "mine.args"]).content_image == "a\r\n b.png"
    for odd in (os.fsdecode(b"caf\xe9 %.png"), "file:a.png"):
        assert nstyle.main(["--content-image", odd, "--style-image", "b.png", odd, "--save-recipe", "mine.args"]) == 0
        args = nstyle.get_args(["--recipe", "mine.args"])
        assert args.content_image == odd and args.style_image == ["b.png", odd]


@pytest.mark.parametrize(
    "recipe, says",
    {
        "--version": "cannot have --version",
        "--show-recipe=/etc/hostname": "cannot have --show-recipe",
        "--model evil": "--model evil is not part of this package",
        "--gpu 0": "a picture's recipe cannot have --gpu",
        "--output=/etc/x.png": "a picture's recipe cannot have --output",
        "--recipe x": "cannot have --recipe",
        "a 'poem": "No closing quotation",
        "a poem": "unrecognized argument",
    }.items(),
)
def test_recipes_that_no_run_wrote(recipe, says, tmp_path, capsys):
    images.save_picture(np.zeros((9, 9, 3), "uint8"), str(tmp_path / "x.png"), recipe=recipe)
    assert says in refused(capsys, nstyle.main, "--recipe", tmp_path / "x.png")


@pytest.mark.parametrize(
    "make, says",
    [
        (Image.new("RGB", (9, 9)).save, "there is no recipe in this picture"),
        (lambda path: path.touch(), "is empty"),
        (lambda path: None, "No such file"),
    ],
)
def test_pictures_without_a_recipe(make, says, tmp_path, capsys):
    make(tmp_path / "x.png")
    assert says in refused(capsys, nstyle.main, "--recipe", tmp_path / "x.png")
