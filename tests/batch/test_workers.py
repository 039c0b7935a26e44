"""The processes that paint: how many, that they end, and what happens when one is killed."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from stubs import STUB, entries, told, until, words

from neural_style.batch import child, children, workers
from neural_style.batch.__main__ import main
from neural_style.saved.locks import Taken, locked

linux = pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")


def test_memory_limits_the_jobs(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(workers.machine, "usable_cores", lambda: 8)
    monkeypatch.setattr(workers.memory, "available", lambda: 6e9)
    assert workers.jobs_for(None, 100, 100 * 100) == 8 and workers.jobs_for(None, 3, 100 * 100) == 3
    assert 1 <= workers.jobs_for(None, 100, 600 * 600) < 8 and workers.jobs_for(None, 100, 10**8) == 1
    assert workers.jobs_for(6, 100, 10**8) == 6
    assert [workers.threads_for(jobs) for jobs in (1, 3, 16)] == [8, 2, 1]
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    assert workers.threads_for(4) == 5


def test_processes_share_the_processors_and_are_recorded_as_they_end(folder, stub, monkeypatch, capfd):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(workers.machine, "usable_cores", lambda: 6)
    (folder / "in/chelsea.png").rename(folder / "in/a slow one.png")
    batch = threading.Thread(target=main, args=[words(folder, "--jobs", "2", *stub)])
    batch.start()
    until(lambda: (folder / "out/batch.json").exists() and entries(folder)["rocket-coffee.png"]["outcome"] == "done")
    batch.join()
    assert [task["threads"] for task in told(folder)] == ["3", "3"]
    assert [line[:8] for line in capfd.readouterr().err.splitlines()] == ["1/2 rock", "2/2 a sl", "2 of 2 p"]


def test_pairs_that_have_not_begun_are_cancelled(folder, stub):
    tasks = {
        name: children.Task(
            {
                "content_image": str(folder / "in/chelsea.png"),
                "output": str(folder / name),
                "verbose": False,
                "debug": False,
            }
        )
        for name in ("a.png", "b.png", "c.png")
    }
    with workers.here(1) as painter:
        painted = painter.paint(tasks)
        assert next(painted)[0] == "a.png"
        painted.close()
        time.sleep(0.5)
    assert not (folder / "c.png").exists()


@pytest.mark.parametrize("times, code", [(1, 0), (2, 1)])
def test_a_process_that_is_killed_gets_a_second_chance(folder, stub, times, code, capfd):
    (folder / "in/rocket.png").rename(folder / f"in/{times} times killed.png")
    assert main(words(folder, *stub)) == code
    assert capfd.readouterr().err.count("SIGKILL; is there enough memory?") == (2 if code else 0)
    assert (folder / f"out/{times} times killed-coffee.png").exists() == (not code)
    assert entries(folder)["chelsea-coffee.png"]["outcome"] == "done"


@linux
def test_ctrl_c_ends_what_runs_and_begins_nothing_more(folder):
    (folder / "in/chelsea.png").rename(folder / "in/an endless one.png")
    code = (
        "import sys; from neural_style.batch import __main__, children; "
        f"children.CHILD = {STUB}; sys.exit(__main__.main())"
    )
    running = start([sys.executable, "-c", code], folder)
    until(lambda: told(folder))
    sent = time.monotonic()
    running.send_signal(signal.SIGINT)
    assert running.communicate()[1] == "neural_style.batch: interrupted; run the same command again to continue\n"
    assert running.returncode == 130
    assert time.monotonic() - sent < children.GRACE  # the child was told, not killed
    assert len(told(folder)) == 1 and {entry["outcome"] for entry in entries(folder).values()} == {"waiting"}
    assert (folder / "out/index.html").exists() and not processes_of(folder)


@linux
def test_a_child_ends_with_its_parent(folder, small, shrinking):
    running = start(
        [sys.executable, "-m", "neural_style.batch"],
        folder,
        *(
            f"--max-num-epochs 100000 --stop-eps 0 --max-long-edge 32 --gpu -1 --save-epochs 1 --model-params {small}"
        ).split(),
        env={**os.environ, **shrinking},
    )
    until(lambda: list(folder.glob("out/*_e1.png")))
    assert processes_of(folder)
    running.kill()
    running.wait()
    until(lambda: not processes_of(folder))
    assert sorted(path.name for path in folder.glob("out/*-coffee.png")) == [
        "chelsea-coffee.png"
    ]  # interrupted, not killed


def start(command, folder, *more, env=None):
    return subprocess.Popen(
        command + words(folder, "--jobs", "1", *more),
        cwd=str(Path(__file__).parents[2]),
        stderr=subprocess.PIPE,
        text=True,
        env=env,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def processes_of(folder):
    """The processes that paint into the folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes()
        except OSError:
            continue
        if b"child" in command and str(folder).encode() in command and path.parent.name != str(os.getpid()):
            found.append(path.parent.name)
    return found


def test_a_child_waits_for_that_of_a_killed_command(tmp_path, monkeypatch):
    held, seen = locked(tmp_path / "a.png", "painting", "wait"), []
    held.__enter__()

    def train(args, on_epoch):
        seen.append(args)
        if len(seen) == 3:
            held.__exit__(None, None, None)
        with locked(tmp_path / "a.png", "painting", "wait"):
            pass

    monkeypatch.setattr(child.nstyle, "train_nstyle", train)
    child._train("arguments", None)
    assert seen == ["arguments"] * 3
    with locked(tmp_path / "a.png", "painting", "wait"):
        monkeypatch.setattr(child, "GRACE", -2)
        with pytest.raises(Taken):
            child._train("arguments", None)
