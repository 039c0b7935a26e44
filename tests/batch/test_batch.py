"""Many pictures by one command: what is painted, how, and what is said of it."""

import os
import re
import shutil
import subprocess
import sys
import time
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
from commands import refused
from PIL import Image
from stubs import entries, told, words

from neural_style import nstyle
from neural_style.batch import child, children, record
from neural_style.batch.__main__ import main
from neural_style.saved.locks import locked
from neural_style.system.errors import describe


@pytest.fixture
def flags(small, forked_children):
    """Flags of a short run."""
    return (
        f"--model-params {small} --max-long-edge 32 --max-num-epochs 3 --seed 1 --gpu -1 --optimizer adam --lr 9"
    ).split()


def pixels(path):
    return np.asarray(Image.open(path))


def of_a_single_run(folder, *flags):
    """The pixels of the first pair."""
    pair = f"--content-image {folder}/in/chelsea.png --style-image {folder}/style/coffee.png"
    assert nstyle.main([*pair.split(), "--output", f"{folder}/single.png", *flags]) == 0
    return pixels(folder / "single.png")


def test_pairs_are_those_of_single_runs_and_one_bad_picture_costs_its_own(folder, flags, capfd):
    (folder / "in/rocket.png").write_bytes((folder / "in/rocket.png").read_bytes()[:2000])
    assert main(words(folder) + flags) == 1
    said = capfd.readouterr().err.splitlines()
    assert any(re.match(r"[12]/2 chelsea-coffee.png done in \d+ s", line) for line in said)
    assert said[-2].startswith("failed: rocket-coffee.png: ") and "truncated" in said[-2] and "1 of 2 pairs" in said[-1]
    assert sorted(os.listdir(folder / "out")) == ["batch.json", "chelsea-coffee.png", "index.html"]
    done, failed = (entries(folder)[f"{name}-coffee.png"] for name in ("chelsea", "rocket"))
    assert (done["outcome"], done["epochs"], failed["outcome"]) == ("done", 3, "failed") and 0 < done["eps"] < 2
    assert np.array_equal(pixels(folder / "out/chelsea-coffee.png"), of_a_single_run(folder, *flags))


def test_a_rerun_paints_what_is_missing_or_has_changed(folder, stub, capfd):
    def painted(*more, code=0):
        before = len(told(folder))
        assert main(words(folder, "--jobs", "1", *stub, *more)) == code
        return [task["name"] for task in told(folder)[before:]]

    assert painted() == ["chelsea.png", "rocket.png"]
    capfd.readouterr()
    assert painted("--save-epochs", "2", "--quiet") == painted("--remove-noise", "1", "--quiet") == []
    assert capfd.readouterr().err == ""
    (folder / "out/rocket-coffee.png").unlink()
    assert painted() == ["rocket.png"]
    assert re.match(r"2/2 rocket-coffee.png done in 0 s\n2 of 2 pairs are done; contact sheet", capfd.readouterr().err)
    (folder / "out/rocket-coffee.png").unlink()
    painted("--verbose")
    assert capfd.readouterr().err.startswith("painting rocket.png\n2/2 rocket-coffee.png done in 0 s\n")
    assert painted("--tv-weight", "5") == ["chelsea.png", "rocket.png"]
    assert painted("--tv-weight", "5", "--start", "style") == ["chelsea.png", "rocket.png"]
    os.utime(folder / "in/chelsea.png", (1, 1))
    assert painted("--tv-weight", "5", "--start", "style") == []
    for text, expected in (
        (b"other", ["chelsea.png", "rocket.png"]),
        (b"other", []),
        (b"again", ["chelsea.png", "rocket.png"]),
    ):
        (folder / "start.npy").write_bytes(text)
        assert painted("--start", str(folder / "start.npy")) == expected
    shutil.copy(folder / "style/coffee.png", folder / "in/chelsea.png")
    (folder / "in/chelsea.png.fails").touch()
    assert painted(code=1) == ["chelsea.png", "rocket.png"] and painted(code=1) == ["chelsea.png"]
    # results of an earlier style stay on record
    (folder / "in/chelsea.png.fails").unlink()
    (folder / "style/coffee.png").rename(folder / "style/cup.png")
    assert painted() == ["chelsea.png", "rocket.png"]
    assert {name: entry["outcome"] for name, entry in entries(folder).items()} == dict.fromkeys(
        ["rocket-coffee.png", "chelsea-cup.png", "rocket-cup.png"], "done"
    )
    first = told(folder)[0]["args"]
    assert first["save_epochs"] > first["max_num_epochs"] and first["output"] == str(folder / "out/chelsea-coffee.png")


def test_show_opens_the_sheet_and_no_page(folder, stub, monkeypatch):
    script = folder / "browser"
    script.write_text(f"#!/bin/sh\necho $1 > {folder}/shown~ && mv {folder}/shown~ {folder}/shown\n")
    script.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{script} %s")
    assert main(words(folder, "--show", *stub)) == 0
    end = time.monotonic() + 20
    while not (folder / "shown").exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert (folder / "shown").read_text().strip() == (folder / "out/index.html").as_uri()
    assert not any(task["args"]["show"] or task["args"]["report"] for task in told(folder))


def test_a_bar_on_a_terminal_lets_failures_be_read(folder, stub, monkeypatch, capsys):
    (folder / "in/rocket.png.fails").touch()
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert main(words(folder, "--jobs", "1", *stub)) == 1
    said = re.split("[\r\n]+", capsys.readouterr().err)
    assert "rocket-coffee.png failed: no luck" in said and "chelsea-coffee.png done" not in " ".join(said)
    assert re.search(r"2/2 \[00:0\d<00:00\]", " ".join(said)) and "painting chelsea.png" not in said
    assert main(words(folder, "--jobs", "1", "--verbose", "--overwrite", *stub)) == 1
    said = capsys.readouterr().err
    assert (
        "painting rocket.png\nrocket-coffee.png failed: no luck\n" in said
        and "2/2" in said
        and "chelsea.png" not in said
    )


def test_results_among_the_contents_are_not_painted_again(folder, stub):
    command = [
        *(
            f"--content {folder}/in {folder}/in/rocket.png --style {folder}/style --output {folder}/in --format png"
        ).split(),
        *stub,
    ]
    assert main(command) == 0
    shutil.copy(folder / "in/chelsea-coffee.png", folder / "in/chelsea-coffee_e50.png")
    assert main(command) == 0 and len(told(folder)) == 2


@pytest.fixture
def frames(folder):
    """Twelve frames of a crop that moves over a photograph, in folder/in."""
    shutil.rmtree(folder / "in")
    (folder / "in").mkdir()
    photograph = Image.open(folder / "style/coffee.png").resize((80, 60))
    for number in range(1, 13):
        photograph.crop((number, number, number + 32, number + 32)).save(folder / f"in/{number}.png")
    return folder


def test_a_sequence_goes_from_frame_to_frame(frames, stub):
    command = words(frames, "--sequence", "--start", "style", *stub)
    (frames / "in/4.png.fails").touch()
    assert main(command) == 1
    assert [task["name"] for task in told(frames)] == [f"{number}.png" for number in range(1, 13)]
    starts = [Path(task["args"]["start"]).name for task in told(frames)]
    assert starts == ["style"] + [f".{number}-coffee.png.npy" for number in (1, 2, 3, 3, 5, 6, 7, 8, 9, 10, 11)]
    assert [task["before"] and Path(task["before"]).stem for task in told(frames)][:5] == [None, "1", "2", "3", "3"]
    assert all(task["args"]["save_epochs"] > task["fresh"]["max_num_epochs"] for task in told(frames))  # no checkpoints
    left = [name for name in os.listdir(frames / "out") if name.startswith(".")]
    assert left == [".12-coffee.png.npy"]  # one frame failed: it may go on

    # the fourth frame is painted again, and all that follow from it
    (frames / "in/4.png.fails").unlink()
    assert main(command) == 0
    again = told(frames)[12:]
    assert [task["name"] for task in again] == [f"{number}.png" for number in range(4, 13)]
    assert Path(again[0]["args"]["start"]).name == "3-coffee.png"  # where there is nothing better than the picture
    assert not [name for name in os.listdir(frames / "out") if name.startswith(".")]
    assert main(command) == 0 and len(told(frames)) == 21


def test_frames_of_different_size_are_refused(frames, stub, capsys):
    Image.new("RGB", (40, 30)).save(frames / "in/7.png")
    assert main(words(frames, "--sequence", *stub)) == 2
    assert "7.png is 40x30 and " in capsys.readouterr().err and not told(frames)


def test_a_rerun_of_a_sequence_paints_what_one_run_would(frames, flags, monkeypatch):
    def paint(self, task, threads):
        """As the child does, in this process."""
        args = Namespace(**task.args)
        try:
            child._paint(args, task, lambda row: None)
            starts.append(os.path.basename(args.start))
        except Exception as error:
            return children.Outcome(describe(error), seconds=1)
        return children.Outcome(None, seconds=1)

    starts = []
    monkeypatch.setattr(children.Children, "paint", paint)
    for number in range(4, 13):
        (frames / f"in/{number}.png").unlink()
    whole = words(frames, "--sequence") + flags
    assert main(whole) == 0
    assert starts == ["uniform", ".2-coffee.png.npy", ".3-coffee.png.npy"]  # moved to where their contents are
    once = pixels(frames / "out/3-coffee.png")
    shutil.rmtree(frames / "out")
    (frames / "in/3.png").rename(frames / "3.png")
    (frames / "in/3.png").write_bytes(b"")
    assert main(whole) == 1  # the first two frames, and the unrounded result of the second
    (frames / "3.png").rename(frames / "in/3.png")
    assert main(whole) == 0
    assert np.array_equal(pixels(frames / "out/3-coffee.png"), once)


def test_zip(folder, stub, capsys):
    assert main(words(folder, "--zip", *stub)) == 2
    assert "2 contents and 1 styles" in capsys.readouterr().err and not told(folder)
    style = str(folder / "style/coffee.png")
    assert (
        main(
            [
                *f"--content {folder}/in --style {style} {folder}/in/rocket.png --zip --output {folder}/out".split(),
                *stub,
            ]
        )
        == 0
    )
    assert sorted(entries(folder)) == ["chelsea-coffee.jpg", "rocket-rocket.jpg"]


def test_what_is_in_the_way_is_not_replaced(folder, stub, capsys):
    (folder / "out").mkdir()
    (folder / "out/rocket-coffee.png").write_bytes(b"a treasure")
    assert main(words(folder, *stub)) == 2
    assert "rocket-coffee.png already exists; no batch made it: choose" in capsys.readouterr().err
    assert (folder / "out/rocket-coffee.png").read_bytes() == b"a treasure" and not told(folder)
    assert main(words(folder, "--overwrite", *stub)) == 0


@pytest.mark.parametrize(
    "more, said",
    [
        (["--doctor"], "--doctor is not for a batch"),
        (["--jobs", "0"], "1 or greater"),
        (["--start", "-"], "standard input"),
        (["--sequence", "--zip"], "--zip has no effect"),
        (["--no-such-flag"], "no-such-flag"),
        (["--lr", "-1"], "--lr"),
        (["--content", "nothing/*.jpg"], "no such picture"),
        (["--format", "xyz"], "xyz"),
        (["--recipe", "athalye", "--style-blend-weights", "1", "2"], "--style-blend-weights"),
    ],
)
def test_wrong_use_is_one_line(folder, stub, more, said, capsys):
    assert said in refused(capsys, main, *words(folder, *stub, *more)) and not list(folder.glob("out/*"))


def test_help_needs_no_numpy_and_a_batch_no_mxnet(folder, small):
    """Besides, MXNet would set OMP_NUM_THREADS for all children."""
    code = (
        "import sys; from neural_style.batch.__main__ import main\n"
        "try: main(['--help'])\nexcept SystemExit: assert not {'numpy', 'PIL', 'mxnet'} & set(sys.modules)\n"
        "from neural_style.batch import children; children.CHILD = ['false']\n"
        "assert main() == 1 and 'mxnet' not in sys.modules"
    )
    command = [sys.executable, "-c", code] + words(folder, "--model-params", str(small))
    done = subprocess.run(command, capture_output=True, text=True, cwd=str(Path(__file__).parents[2]))
    assert done.returncode == 0 and done.stderr.count("its process ended with exit code 1: no reason given") == 4


def test_masks_regions_and_patches_in_a_batch(folder, flags, capfd):
    """They are those of single runs, and another mask paints the pairs anew."""
    for name, (left, right) in {"mask": (0, 255), "whole": (9, 9)}.items():
        picture = np.full((40, 48, 3), left, np.uint8)
        picture[:, 24:] = right
        Image.fromarray(picture).save(folder / f"{name}.png")
    more = (
        f"--mask {folder}/mask.png --style-term patches --style-layers relu2_1 --regions {folder}/whole.png "
        f"--style-regions {folder}/whole.png"
    ).split()
    assert main(words(folder, "--jobs", "1") + flags + more) == 0
    assert np.array_equal(pixels(folder / "out/chelsea-coffee.png"), of_a_single_run(folder, *flags, *more))
    Image.fromarray(np.full((40, 48), 255, np.uint8)).save(folder / "mask.png")
    capfd.readouterr()
    assert main(words(folder, "--jobs", "1") + flags + more) == 0
    assert "chelsea-coffee.png done" in capfd.readouterr().err
    assert not np.array_equal(pixels(folder / "out/chelsea-coffee.png"), pixels(folder / "single.png"))


def test_a_batch_that_is_started_twice_paints_once(folder, stub, capfd):
    (folder / "out").mkdir()
    with locked(folder / "out/batch.json", "painting", "wait"):
        assert main(words(folder, *stub)) == 2 and not told(folder)
    assert "another command is painting a batch into" in capfd.readouterr().err
    assert main(words(folder, *stub)) == 0 and len(told(folder)) == 2


def test_what_another_batch_has_recorded_meanwhile_is_kept(folder, stub):
    early = record.Record(folder / "out")
    assert main(words(folder, *stub)) == 0
    before = entries(folder)
    early.expect([])
    assert entries(folder) == before
