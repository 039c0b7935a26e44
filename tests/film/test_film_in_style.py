"""Films painted by runs: where each frame starts, and for how long it is painted."""

from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
from films import animation, durations_of, moving
from PIL import Image

from neural_style.batch import child, children
from neural_style.film.__main__ import main


@pytest.fixture
def painted(monkeypatch):
    """Paint in this process, as a child does; gives (start, epochs) of each frame."""
    seen = []

    def paint(self, task, threads):
        args, epochs = Namespace(**task.args), []
        child._paint(args, children.Task(**task._asdict()), lambda row: epochs.append(row.epoch))
        seen.append((Path(args.start).name, len(epochs)))
        return children.Outcome(None)

    monkeypatch.setattr(children.Children, "paint", paint)
    return seen


def test_frames_start_from_the_one_before(small, thumbnails, tmp_path, monkeypatch, painted, capsys):
    monkeypatch.chdir(tmp_path)
    other = np.random.RandomState(0).randint(0, 255, (32, 40, 3)).astype(np.uint8)
    animation("film.gif", [*moving(2, 32, 40), other], 40, loop=0)
    words = (
        f"film.gif --style {thumbnails}/coffee.png --output painted.webp --model-params {small} "
        "--max-num-epochs 2 --stop-eps 0 --gpu -1 --start content"
    ).split()
    assert main(words) == 0
    assert painted == [("content", 14), ("000002.npy", 2), ("content", 14)] and durations_of("painted.webp") == [40] * 3
    with Image.open("painted.webp") as film:
        assert film.size == (40, 32)
    assert main([*words, "--overwrite", "--first-epochs", "1", "--size", "34"]) == 0
    assert [epochs for _, epochs in painted[3:]] == [1, 2, 1] and sorted(path.name for path in tmp_path.iterdir()) == [
        "film.gif",
        "painted.webp",
    ]
    capsys.readouterr()
    assert main([*words, "--overwrite", "--mask", "none.png"]) == 2
    assert capsys.readouterr().err.endswith("none.png: there is no such picture\n")
