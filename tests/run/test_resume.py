"""Runs that are stopped and go on: the same pictures, to the last bit, as those of runs that were left alone."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
from argparse import Namespace

import numpy as np
import pytest
from commands import a_run, code_of
from forks import command, forked
from PIL import Image

from neural_style import nstyle
from neural_style.find_mxnet import mx
from neural_style.run import interrupt, state
from neural_style.system import files as files_of
from neural_style.system.errors import UsageError


@pytest.fixture
def words(small, thumbnails):
    """A run of 6 epochs whose learning rate falls twice, as words of a command line."""
    return a_run(
        thumbnails,
        small,
        "--max-long-edge 40 --max-num-epochs 6 --stop-eps 0 --lr-sched-delay 2 --seed 3 "
        "--save-epochs 2 --gpu -1 --quiet",
    )


@pytest.fixture
def whole(words, tmp_path):
    """The files of that run, never stopped."""
    assert nstyle.main(words + ["--output_dir", str(tmp_path / "whole")]) == 0
    return files(tmp_path / "whole")


def files(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.jpg")}


def stop_after(epoch, number=signal.SIGINT):
    """A callback that asks the run to stop in an epoch."""
    return lambda data: os.kill(os.getpid(), number) if data["epoch"] == epoch else None


@pytest.mark.parametrize(
    "flags",
    [
        ["nag"],
        ["nag", "--momentum", "0"],
        ["sgd"],
        ["adam", "--lr", "5"],
        ["adam", "--lr", "50", "--keep-best"],
        ["adam", "--lr", "50", "--average", "0.9", "--clamp"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("epoch", [3, 4])
def test_a_run_that_goes_on_ends_as_if_never_stopped(words, flags, epoch, tmp_path):
    words += ["--optimizer", *flags]
    once, twice = tmp_path / "once", tmp_path / "twice"
    rows, again = [], []
    nstyle.train_nstyle(nstyle.get_args(words + ["--output_dir", str(once)]), on_epoch=rows.append)
    with pytest.raises(KeyboardInterrupt):
        nstyle.train_nstyle(nstyle.get_args(words + ["--output_dir", str(twice)]), stop_after(epoch), again.append)
    assert len(again) == epoch and "e_6.jpg" not in files(twice)
    nstyle.train_nstyle(nstyle.get_args(["--resume", str(twice)]), on_epoch=again.append)
    assert files(twice) == files(once) and len(files(once)) == 4
    assert [row._replace(seconds=0) for row in again] == [row._replace(seconds=0) for row in rows]
    one, two = state.load(once), state.load(twice)
    assert one.finished and two.finished and len(two.history) == 6
    for a, b in zip([one.state.image, *one.state.memory], [two.state.image, *two.state.memory]):
        assert np.array_equal(a, b)


def test_a_finished_run_goes_on_for_more_epochs(words, whole, tmp_path):
    folder = tmp_path / "longer"
    assert nstyle.main(words + ["--output_dir", str(folder), "--max-num-epochs", "4"]) == 0
    assert nstyle.main(["--resume", str(folder), "--max-num-epochs", "6"]) == 0
    assert files(folder) == whole
    assert nstyle.main(["--resume", str(folder)]) == 0  # nothing left to do
    assert files(folder) == whole


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_finish_the_epoch_and_save(words, number, code, tmp_path, capsys):
    folder = tmp_path / "stopped"
    words += ["--output_dir", str(folder), "--max-num-epochs", "1000000", "--save-epochs", "1000000"]
    words.remove("--quiet")
    run = forked(command("neural_style.nstyle", *words), text=True, stderr=subprocess.PIPE)
    try:
        next(line for line in run.stderr if line.startswith("epoch 3/"))
        run.send_signal(number)
        _, rest = run.communicate(timeout=60)
    finally:
        run.kill()
    assert run.returncode == code
    assert "stopping after this epoch" in rest and "Traceback" not in rest
    assert f"the picture so far is {folder / 'final.jpg'}; to continue: " in rest.splitlines()[-1]
    assert rest.splitlines()[-1].endswith(f" -m neural_style.nstyle --resume {folder}") and "" not in rest.splitlines()
    assert sorted(files(folder)) == ["final.jpg"]
    epoch = state.load(folder).state.epoch
    assert nstyle.main(["--resume", str(folder), "--max-num-epochs", str(epoch + 1)]) == 0
    assert f"resuming after epoch {epoch}" in capsys.readouterr().err
    assert nstyle.main(words + ["--max-num-epochs", str(epoch + 1), "--output_dir", str(tmp_path / "once")]) == 0
    assert files(folder) == files(tmp_path / "once")


def test_a_second_signal_does_not_wait():
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt), interrupt.waiting() as asked:
            os.kill(os.getpid(), signal.SIGINT)
            assert asked == [signal.SIGINT]
            os.kill(os.getpid(), signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) == signal.default_int_handler
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in a job in the background
        with interrupt.waiting() as asked:
            os.kill(os.getpid(), signal.SIGINT)
        assert asked == []
    finally:
        signal.signal(signal.SIGINT, before)


def test_lbfgs_goes_on_from_its_image_and_says_what_it_forgot(words, tmp_path, capsys):
    words = words + ["--optimizer", "lbfgs", "--output_dir", str(tmp_path / "out")]
    words.remove("--lr-sched-delay")
    words.remove("2")
    words.remove("--quiet")
    rows = []
    with pytest.raises(KeyboardInterrupt):
        nstyle.train_nstyle(nstyle.get_args(words), stop_after(3), rows.append)
    assert nstyle.main(["--resume", str(tmp_path / "out")]) == 0
    assert "resuming after epoch 3; L-BFGS has to rebuild its model of the objective" in capsys.readouterr().err
    history = state.load(tmp_path / "out").history
    assert [row.epoch for row in history] == [1, 2, 3, 4, 5, 6]
    assert all(after.total < before.total for before, after in zip(history, history[1:]))


def test_a_folder_that_has_moved_and_another_working_directory(words, whole, thumbnails, tmp_path, monkeypatch):
    monkeypatch.chdir(thumbnails)
    words[1], words[3] = "chelsea.png", "coffee.png"
    with pytest.raises(KeyboardInterrupt):
        nstyle.train_nstyle(nstyle.get_args(words + ["--output_dir", str(tmp_path / "here")]), stop_after(3))
    monkeypatch.chdir(tmp_path)
    shutil.move("here", "there")
    assert nstyle.main(["--resume", "there"]) == 0
    assert sorted(files(tmp_path / "there")) == sorted(whole) and not (tmp_path / "here").exists()
    for name in whole:  # their recipes name the pictures by other paths
        there = np.asarray(Image.open(str(tmp_path / "there" / name)))
        assert np.array_equal(there, np.asarray(Image.open(str(tmp_path / "whole" / name))))


def test_named_outputs_have_their_own_state(words, whole, tmp_path, capsys):
    for name in ("one", "two"):
        args = nstyle.get_args(
            words + ["--output", str(tmp_path / f"{name}.jpg"), "--output_dir", str(tmp_path / name)]
        )
        with pytest.raises(KeyboardInterrupt):
            nstyle.train_nstyle(args, stop_after(3))
    assert code_of(nstyle.main, "--resume", str(tmp_path)) == 2
    assert "there are several runs; name one of" in capsys.readouterr().err
    assert nstyle.main(["--resume", str(tmp_path / ".two.jpg.state.npz")]) == 0
    assert (tmp_path / "two.jpg").read_bytes() == whole["final.jpg"] != (tmp_path / "one.jpg").read_bytes()


@pytest.fixture
def stopped(words, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        nstyle.train_nstyle(nstyle.get_args(words + ["--output_dir", str(tmp_path / "out")]), stop_after(3))
    return tmp_path / "out"


@pytest.mark.parametrize(
    "change, says",
    [
        (["--lr", "5"], "--lr cannot change when a run is resumed: the run began with 0.001, not with 5.0"),
        (["--recipe", "gluon"], "cannot change when a run is resumed"),
        (
            ["--style-image", "{pictures}/rocket.png"],
            "a style picture, the mask or the regions have changed since the run began",
        ),
    ],
)
def test_what_would_make_it_another_run_is_refused(stopped, thumbnails, change, says, capsys):
    before = files(stopped)
    assert nstyle.main(["--resume", str(stopped), *(word.format(pictures=thumbnails) for word in change)]) == 2
    said = capsys.readouterr().err
    assert says in said.splitlines()[-1] and "Traceback" not in said and files(stopped) == before


@pytest.mark.parametrize(
    "spoil, says",
    [
        (lambda path: path.write_bytes(b""), "it is not the state of a run"),
        (lambda path: path.write_bytes(b"PK\3\4 and more"), "it is not the state of a run"),
        (lambda path: path.write_bytes(path.read_bytes()[:5000]), "it is not the state of a run"),
        (lambda path: np.savez(str(path), image=np.zeros(3)), "it is not the state of a run"),
        (
            lambda path: np.savez(str(path), about=np.frombuffer(json.dumps({"args": 3}).encode(), "uint8")),
            "it is not the state of a run",
        ),
        (lambda path: np.savez(str(path), about=np.array([{}], dtype=object)), "it is not the state of a run"),
        (lambda path: path.unlink(), "there is no run to continue"),
    ],
)
def test_a_state_that_cannot_be_read_is_one_line(stopped, spoil, says, capsys):
    capsys.readouterr()
    spoil(stopped / ".final.jpg.state.npz")
    assert code_of(nstyle.main, "--resume", str(stopped)) == 2
    said = capsys.readouterr().err
    assert says in said and len(said.splitlines()) == 1
    assert code_of(nstyle.main, "--resume", str(stopped / "nowhere")) == 2
    assert "there is no such folder" in capsys.readouterr().err


def test_a_trainings_state_in_the_folder_is_no_second_run(stopped, words):
    shutil.copy(stopped / ".final.jpg.state.npz", stopped / ".network.params.state.npz")
    assert state.find(stopped).name == ".final.jpg.state.npz"
    assert nstyle.main(["--resume", str(stopped), "--quiet"]) == 0


def test_a_state_that_cannot_be_written_stops_the_run(words, tmp_path, monkeypatch):
    def full(path, content):
        with files_of.writing(path):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(files_of, "write", full)
    with pytest.raises(Exception, match="state.npz could not be written: No space left on device") as caught:
        nstyle.train_nstyle(nstyle.get_args(words + ["--output_dir", str(tmp_path / "out")]))
    assert caught.value.exit_code == 1 and sorted(files(tmp_path / "out")) == ["e_2.jpg"]


def test_a_fresh_run_says_what_it_replaces(stopped, words, capsys):
    words.remove("--quiet")
    assert nstyle.main(words + ["--output_dir", str(stopped)]) == 0
    assert "an earlier run here stopped after epoch 3 of 6; this one starts over" in capsys.readouterr().err
    assert nstyle.main(words + ["--output_dir", str(stopped)]) == 0
    assert "earlier run" not in capsys.readouterr().err


def test_the_state_takes_what_it_needs(words, tmp_path):
    """Image and momentum, 4 bytes for each value, and a little besides."""
    nstyle.train_nstyle(nstyle.get_args(words + ["--output_dir", str(tmp_path)]))
    assert os.path.getsize(str(tmp_path / ".final.jpg.state.npz")) < 2 * 4 * 3 * 40 * 26 + 10000


def test_outputs_that_are_named_are_not_replaced_silently(words, tmp_path, capsys):
    mine = tmp_path / "mine.jpg"
    mine.write_bytes(b"mine")
    (tmp_path / "at7.jpg").write_bytes(b"at7")
    for flags in (["--output", str(mine)], ["--checkpoint-output", str(tmp_path / "at%s.jpg")]):
        assert nstyle.main(words + ["--output_dir", str(tmp_path / "out"), *flags]) == 2
        said = capsys.readouterr().err
        assert "already exists" in said and "--overwrite" in said and len(said.splitlines()) == 1
    assert mine.read_bytes() == b"mine" and not (tmp_path / "out").exists()
    assert nstyle.main(words + ["--output", str(mine), "--output_dir", str(tmp_path / "out"), "--overwrite"]) == 0
    assert mine.read_bytes() != b"mine"
    with pytest.raises(UsageError):
        nstyle.train_nstyle(nstyle.get_args(words + ["--output", str(mine)]))


def pictures_of(page):
    return re.findall(r'class="after[^"]*" alt="([^"]*)"', page)


def test_the_page_follows_a_run_that_stops_and_goes_on(words, tmp_path):
    words, page, seen = words + ["--report", "--output_dir", str(tmp_path)], tmp_path / "report.html", []
    with pytest.raises(KeyboardInterrupt):
        nstyle.train_nstyle(
            nstyle.get_args(words), lambda data: (seen.append(pictures_of(page.read_text())), stop_after(3)(data))
        )
    assert seen == [["epoch 1"], ["epoch 1", "epoch 2"], ["epoch 1", "epoch 2"]]
    assert "stopped after 3 epochs" in page.read_text() and pictures_of(page.read_text()) == [
        "epoch 1",
        "epoch 2",
        "final",
    ]
    assert nstyle.main(["--resume", str(tmp_path)]) == 0
    text = page.read_text()
    assert "finished after 6 epochs" in text and pictures_of(text) == [
        "epoch 2",
        "epoch 4",
        "epoch 5",
        "epoch 6",
        "final",
    ]
    assert "--lr-sched-delay=2" in text


def test_the_page_of_a_run_that_fails_says_so(words, tmp_path, monkeypatch):
    def breaks(data):
        raise ValueError("of the person's own")

    with pytest.raises(ValueError):
        nstyle.train_nstyle(nstyle.get_args(words + ["--report", "--output_dir", str(tmp_path)]), breaks)
    assert "failed after 1 epoch" in (tmp_path / "report.html").read_text()


def test_a_run_that_goes_on_replaces_nothing_but_its_own(stopped, tmp_path, capsys):
    mine = tmp_path / "mine.jpg"
    mine.write_bytes(b"mine")
    assert nstyle.main(["--resume", str(stopped), "--output", str(mine)]) == 2
    assert "already exists" in capsys.readouterr().err and mine.read_bytes() == b"mine"


@pytest.mark.parametrize(
    "flags, says",
    [
        (["--start", "content"], "--start cannot change when a run is resumed"),
        (["--max-num-epochs", "2"], "--max-num-epochs 2: the run is already at epoch 3"),
        (["--model-params", "other.params"], "--model-params cannot change when a run is resumed"),
    ],
)
def test_what_would_do_nothing_is_refused(stopped, flags, says, capsys):
    assert nstyle.main(["--resume", str(stopped), *flags]) == 2
    assert says in capsys.readouterr().err


def test_a_run_that_ended_by_eps_stays_ended(words, tmp_path):
    words = words + ["--stop-eps", "0.5", "--output_dir", str(tmp_path / "out")]
    assert nstyle.main(words) == 0
    before, epoch = files(tmp_path / "out"), state.load(tmp_path / "out").state.epoch
    assert epoch < 6
    for _ in range(2):
        assert nstyle.main(["--resume", str(tmp_path / "out")]) == 0
        assert files(tmp_path / "out") == before and state.load(tmp_path / "out").state.epoch == epoch
    assert nstyle.main(["--resume", str(tmp_path / "out"), "--stop-eps", "0"]) == 0
    assert state.load(tmp_path / "out").state.epoch == 6


def test_a_run_of_python_goes_on_by_the_command_and_the_other_way_round(words, whole, tmp_path):
    words = [word for word in words if word not in ("--seed", "3")]
    for folder in ("python", "command"):
        mx.random.seed(3)
        with pytest.raises(KeyboardInterrupt):
            nstyle.train_nstyle(nstyle.get_args(words + ["--output_dir", str(tmp_path / folder)]), stop_after(3))
    assert nstyle.main(["--resume", str(tmp_path / "python")]) == 0
    nstyle.train_nstyle(Namespace(resume=str(tmp_path / "command")))
    for name in whole:
        for folder in ("python", "command"):
            assert np.array_equal(
                np.asarray(Image.open(str(tmp_path / folder / name))),
                np.asarray(Image.open(str(tmp_path / "whole" / name))),
            )


def test_a_signal_in_the_last_epoch_is_told_by_the_exit_code(words, tmp_path, capsys):
    args = nstyle.get_args(words + ["--output_dir", str(tmp_path)])
    with pytest.raises(interrupt.Interrupted) as stopped:
        nstyle.train_nstyle(args, stop_after(6, signal.SIGTERM))
    assert stopped.value.exit_code == 143
    assert nstyle.main(["--resume", str(tmp_path)]) == 0 and state.load(tmp_path).finished


def test_a_damaged_state_does_not_stop_a_fresh_run(stopped, words):
    path = stopped / ".final.jpg.state.npz"
    data = bytearray(path.read_bytes())
    for place in range(0, len(data), 997):
        damaged = bytearray(data)
        damaged[place] ^= 255
        path.write_bytes(damaged)
        with contextlib.suppress(UsageError):
            state.load(path)
    assert nstyle.main(words + ["--output_dir", str(stopped)]) == 0


def test_the_final_picture_is_no_checkpoint(words, tmp_path, capsys):
    assert (
        nstyle.main(words + ["--output", str(tmp_path / "at2.png"), "--checkpoint-output", str(tmp_path / "at%s.png")])
        == 2
    )
    assert "is also the name of a checkpoint" in capsys.readouterr().err


def test_a_read_only_checkpoint_stays(words, tmp_path, capsys):
    path = tmp_path / "e_2.jpg"
    path.write_bytes(b"mine")
    path.chmod(0o444)
    assert nstyle.main(words + ["--output_dir", str(tmp_path)]) == 1
    assert "read-only" in capsys.readouterr().err and path.read_bytes() == b"mine"


def test_two_runs_do_not_mix_their_files(words, tmp_path, capsys):
    """A run that goes on, and one that is resumed while it does; others in the same folder share nothing."""
    out = tmp_path / "out"
    words += ["--output_dir", str(out)]
    codes = []

    def callback(data):
        if data["epoch"] == 3:
            codes.append(nstyle.main(words))
            codes.append(nstyle.main(["--resume", str(out)]))
            codes.append(nstyle.main([*words, "--output", str(out / "b.jpg")]))
            codes.append(nstyle.main([*words, "--output", str(out / "b.jpg"), "--save-epochs", "99"]))

    nstyle.train_nstyle(nstyle.get_args(words), callback)
    assert codes == [2, 2, 2, 0]
    said = [line for line in capsys.readouterr().err.splitlines() if "another command is" in line]
    assert [f"painting {out}" in line for line in said] == [True, True, False] and len(said) == 3
    assert "saving pictures as" in said[2] and all("wait for it, or name others with --output" in line for line in said)
    assert sorted(files(out)) == ["b.jpg", "e_2.jpg", "e_4.jpg", "e_6.jpg", "final.jpg"]
    assert not list(out.glob(".*.lock"))
