"""Ctrl-C on a terminal: what follows its ^C begins a new line, and says how to continue."""

import re
import shlex
import sys

import pytest
from forks import command
from PIL import Image
from terminals import on_terminal

from neural_style import nstyle
from neural_style.system import terminal

PYTHON = [sys.executable, "-m"]


@pytest.fixture
def lines():
    """A function that types Ctrl-C after a pattern, and gives the lines from there on, as a person sees them.

    A bar is drawn ten times a second at most: no count but the first is sure to be shown.
    """

    def typed(words, pattern, code=130, pause=0):
        shown, ended = on_terminal(command(*words), 80, pattern, pause)
        before, after = shown.split("^C")
        assert ended == code and "Traceback" not in after
        assert all(len(part) < 80 for part in re.split("[\r\n]", before) if "%|" in part)
        return [line.rstrip("\r").split("\r")[-1] for line in after.split("\n")]

    return typed


@pytest.fixture
def animation(tmp_path):
    frames = [Image.new("RGB", (64, 48), (shade, 90, 40)) for shade in range(0, 200, 10)]
    frames[0].save(tmp_path / "clip.gif", save_all=True, append_images=frames[1:])
    return tmp_path / "clip.gif"


def to_continue(line):
    """The words of the command at the line's end."""
    return shlex.split(line.split("to continue: ")[1])


def test_a_run_says_how_to_continue_it(short_run, lines, tmp_path):
    words = [*short_run, "--max-num-epochs", "2000", "--stop-eps", "0", "--output_dir", tmp_path / "two words"]
    first, asked, *_, last, end = lines(["neural_style", *words], r"\| [1-9]\d*/2000")
    assert (first, end) == ("", "") and asked == "stopping after this epoch; press Ctrl-C again to stop immediately"
    assert last.startswith("neural-style: stopped after epoch ")
    assert to_continue(last) == [*PYTHON, "neural_style", "--resume", str(tmp_path / "two words")]
    assert nstyle.main([*to_continue(last)[3:], "--stop-eps", "1e9", "--quiet"]) == 0


def test_a_run_that_has_not_begun(short_run, lines):
    assert lines(["neural_style", *short_run, "--max-num-epochs", "2000"], "resized to") == [
        "",
        "neural-style: interrupted",
        "",
    ]


def test_a_training_says_how_to_continue_it(lines, pictures, small, tmp_path):
    words = (
        f"train --style {pictures}/coffee.png --output {tmp_path}/a.params --crop 64 --size 64 --model-params {small}"
    ).split()
    first, asked, *_, last, end = lines(["neural_style.end_to_end", *words], r"\| [1-9]\d*/4000")
    assert (first, end) == ("", "") and asked == "stopping after this step; press Ctrl-C again to stop immediately"
    assert to_continue(last) == [*PYTHON, "neural_style.end_to_end", "train", "--resume", str(tmp_path / "a.params")]


@pytest.mark.parametrize("program", ["neural_style.batch", "neural_style.film"])
def test_a_batch_and_a_film_continue_by_the_same_command(lines, animation, small, tmp_path, program):
    words = [animation, "--network", "night", "--output", tmp_path / "painted.gif"]
    if program == "neural_style.batch":
        words = (
            f"--content {animation} --style {animation} --output {tmp_path}/b --max-num-epochs 2000 --size 64 "
            f"--model-params {small}"
        ).split()
    # without a pause, a bar that is just being drawn would be drawn again below the message
    first, *_, last, end = lines([program, *words], r"\| 0/", pause=0.5)
    assert (first, last, end) == ("", f"{program}: interrupted; run the same command again to continue", "")


def test_the_program_as_it_was_called(monkeypatch, tmp_path):
    def called(*words):
        monkeypatch.setattr(sys, "argv", ["x/__main__.py", "a.jpg"])
        monkeypatch.setattr(sys, "orig_argv", [*words, "a.jpg"], raising=False)
        return terminal.command("neural_style", "--resume", "my output")

    assert called("./py thon", "-m", "neural_style.nstyle") == "'./py thon' -m neural_style.nstyle --resume 'my output'"
    assert called("python", "-X", "dev", "-m", "neural_style") == "python -X dev -m neural_style --resume 'my output'"
    own = called("python", "-m", "pytest")
    assert own.endswith("python -m neural_style --resume 'my output'") or sys.executable in own
    script = tmp_path / "neural-style"
    script.write_text("#!/bin/sh")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(script)])
    assert terminal.command("neural_style", "a") == f"{script} a"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert terminal.command("neural_style", "a") == "neural-style a"
