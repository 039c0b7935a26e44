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


PAINTED = {
    "main": by_main,
    "main, of several": lambda: by_main("--model", "vgg16,vgg19", "--start", "content"),
    "main, with the usual weights named": lambda: by_main("--model-params", "model/vgg19.params"),
    "main, not UTF-8": lambda: by_main(content=shutil.copy("cat.png", ODD)),
    "batch": by_batch,
    "batch, with a seed": lambda: by_batch("--seed", "3", "--preserve-colors", "luma"),
    "batch, the first of a sequence": lambda: by_batch("--sequence"),
}


@pytest.mark.parametrize("paint", PAINTED.values(), ids=PAINTED)
def test_its_recipe_repeats_a_picture(paint, here):
    painted = paint()
    assert nstyle.main(["--recipe", painted, "--output", "again.png", "--quiet"]) == 0
    assert np.array_equal(np.asarray(Image.open(painted)), np.asarray(Image.open("again.png")))
