"""Every command's every picture is repeated by its recipe."""

import os
import shutil
from argparse import Namespace

import numpy as np
import pytest
from PIL import Image

from neural_style import nstyle
from neural_style.batch import __main__ as batch
from neural_style.batch import child, children
from neural_style.end_to_end import __main__ as end_to_end
from neural_style.end_to_end import network
from neural_style.film import __main__ as film
from neural_style.film import painters
from neural_style.pictures import images

LOOK = ["--size", "48", "--max-num-epochs", "3", "--stop-eps", "0", "--gpu", "-1", "--quiet"]
ODD = os.fsdecode(b"caf\xe9.png")  # a name that is not UTF-8


@pytest.fixture
def here(small, thumbnails, tmp_path, monkeypatch):
    """A folder with the weights in a usual place; children paint in this process."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(str(thumbnails / "chelsea.png"), "cat.png")
    shutil.copy(str(thumbnails / "coffee.png"), "cup.png")
    os.mkdir("model")
    os.symlink(str(small), "model/vgg19.params")

    def paint(self, task, threads=None):
        child._paint(Namespace(**task.args), children.Task(**task._asdict()), lambda row: None)
        return children.Outcome(None, seconds=0.0)

    monkeypatch.setattr(children.Children, "paint", paint)


def by_main(*more, content="cat.png"):
    assert nstyle.main([content, "cup.png", *LOOK, "--output", "out/p.png", "--save-epochs", "2", *more]) == 0
    return "out/p.png"


def by_batch(*more):
    words = ["--content", "cat.png", "--style", "cup.png", "--output", "out", "--format", "png", *LOOK, *more]
    assert batch.main(words) == 0
    return "out/cat-cup.png"


def by_film(*more):
    """The first frame as its film keeps it, before the film is complete."""
    Image.open("cat.png").save("film.gif", save_all=True, append_images=[Image.open("cat.png").rotate(1)])
    kept = []
    keep = painters.os.replace

    def replace(painted, path):
        shutil.copy(painted, f"{len(kept)}.png")
        kept.append(os.path.basename(path))
        shutil.copy(".painted.gif.frames/content.png", "content.png")
        keep(painted, path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(painters, "os", Namespace(replace=replace))
        words = ["film.gif", "cup.png", "--output", "painted.gif", "--first-epochs", "3", *LOOK, *more]
        assert film.main(words) == 0
    assert kept == ["000001.png", "000002.png"]
    return "0.png"


def in_one_pass(*more):
    assert end_to_end.main(["paint", "cat.png", "--output", "painted.png", "--size", "64", "--quiet", *more]) == 0
    return "painted.png"


def own_network():
    network.save("mine.params", network.load("night"))
    return "mine.params"


PAINTED = {
    "main": by_main,
    "main, of several": lambda: by_main("--model", "vgg16,vgg19", "--start", "content"),
    "main, with the usual weights named": lambda: by_main("--model-params", "model/vgg19.params"),
    "main, not UTF-8": lambda: by_main(content=shutil.copy("cat.png", ODD)),
    "batch": by_batch,
    "batch, with a seed": lambda: by_batch("--seed", "3", "--preserve-colors", "luma"),
    "batch, the first of a sequence": lambda: by_batch("--sequence"),
}


IN_ONE_PASS = {
    "shipped": lambda: in_one_pass("--network", "night"),
    "with the look of the photograph": lambda: in_one_pass("--network", "glass", "--preserve-colors", "luma"),
    "scaled": lambda: in_one_pass("--network", "night", "--output-size", "same", "--bit-depth", "16"),
}


@pytest.mark.parametrize("paint", PAINTED.values(), ids=PAINTED)
def test_its_recipe_repeats_a_picture(paint, here):
    painted = paint()
    assert nstyle.main(["--recipe", painted, "--output", "again.png", "--quiet"]) == 0
    assert np.array_equal(np.asarray(Image.open(painted)), np.asarray(Image.open("again.png")))


@pytest.mark.parametrize("paint", IN_ONE_PASS.values(), ids=IN_ONE_PASS)
def test_its_recipe_repeats_a_picture_painted_in_one_pass(paint, here):
    painted = paint()
    assert end_to_end.main(["paint", "--recipe", painted, "--output", "again.png", "--quiet"]) == 0
    assert (images.read_image(painted) == images.read_image("again.png")).all()
    assert images.read_recipe(painted) == images.read_recipe("again.png")


def test_a_network_of_ones_own_is_repeated_where_it_is_named_again(here, capsys):
    painted, again = in_one_pass("--network", own_network()), ["--output", "again.png", "--quiet"]
    with pytest.raises(SystemExit) as ended:  # a picture from anywhere names no file
        end_to_end.main(["paint", "--recipe", painted, *again])
    assert ended.value.code == 2 and "mine.params is not part of this package; if you" in capsys.readouterr().err
    assert end_to_end.main(["paint", "--recipe", painted, "--network", "mine.params", *again]) == 0
    assert (images.read_image(painted) == images.read_image("again.png")).all()


def test_the_frames_of_a_film_are_repeated_by_its_command(here):
    """The first of a scene also by its recipe and its content; others start from the one before, which is not kept."""
    assert nstyle.main(["--recipe", by_film("--seed", "2"), "--content", "content.png", "--output", "again.png"]) == 0
    assert (images.read_image("0.png") == images.read_image("again.png")).all()
    once = [images.read_image(f"{number}.png") for number in range(2)]
    by_film("--seed", "2", "--overwrite")
    assert all((frame == images.read_image(f"{number}.png")).all() for number, frame in enumerate(once))
    assert "it started from the frame before it, which only its batch or film has" in images.read_recipe("1.png")


def test_other_commands_say_whose_recipe_it_is(here, capsys):
    painted = in_one_pass("--network", "night")
    with pytest.raises(SystemExit) as ended:
        nstyle.main(["--recipe", painted])
    assert ended.value.code == 2 and "--network is not for a run: python -m neural_style.end_to_end paint" in (
        capsys.readouterr().err
    )
