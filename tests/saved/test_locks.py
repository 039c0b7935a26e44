"""One process at a time, whatever lies in the folder, and however the process before has ended."""

import errno
import fcntl
import os
import signal
import subprocess
import sys

import pytest

from neural_style.saved.locks import Taken, locked
from neural_style.system.errors import NeuralStyleError, UsageError

HOLDING = "import sys\nfrom neural_style.saved.locks import locked\n"
HOLDING += "with locked(sys.argv[1], 'at work', 'go away'):\n    print('held', flush=True)\n    sys.stdin.read()"


@pytest.fixture
def other(tmp_path):
    """Another process, which holds the lock of final.jpg."""
    words = [sys.executable, "-c", HOLDING, str(tmp_path / "final.jpg")]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def held(path):
    return locked(path, "painting it", "name another")


def test_the_second_process_is_refused_and_the_next_is_not(other, tmp_path):
    with pytest.raises(Taken, match="^another command is painting it; wait for it, or name another$"):
        held(tmp_path / "final.jpg").__enter__()
    with held(tmp_path / "other.jpg"):
        pass
    other.stdin.close()
    assert other.wait() == 0
    with held(tmp_path / "final.jpg"):
        assert os.listdir(tmp_path) == [".final.jpg.lock"]
    assert not os.listdir(tmp_path)


def test_what_a_killed_process_leaves_is_taken_over(other, tmp_path):
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert os.listdir(tmp_path) == [".final.jpg.lock"]
    with held(tmp_path / "final.jpg"):
        pass
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("put", [lambda path, mine: path.symlink_to(mine), lambda path, mine: os.mkfifo(path)])
def test_what_is_no_file_is_not_opened(put, tmp_path):
    (tmp_path / "mine").write_text("dear")
    put(tmp_path / ".final.jpg.lock", tmp_path / "mine")
    with pytest.raises(NeuralStyleError, match="final.jpg.lock (cannot be opened: it is a link|is not a file); remove"):
        held(tmp_path / "final.jpg").__enter__()
    assert (tmp_path / "mine").read_text() == "dear"


def test_somebodys_file_of_that_name_stays(tmp_path):
    (tmp_path / ".final.jpg.lock").write_text("dear")
    with held(tmp_path / "final.jpg"):
        pass
    assert (tmp_path / ".final.jpg.lock").read_text() == "dear"


def test_where_there_are_no_locks_it_goes_on(tmp_path, monkeypatch):
    def unsupported(file, how):
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    with held(tmp_path / "final.jpg"), held(tmp_path / "final.jpg"):
        pass
    assert not os.listdir(tmp_path)


def test_a_lock_that_is_removed_while_it_is_waited_for_is_made_anew(tmp_path, monkeypatch):
    real, seen = fcntl.flock, []

    def removed(file, how):
        real(file, how)
        seen.append(file)
        if len(seen) == 1:  # as the process that held it does at its end
            os.unlink(tmp_path / ".final.jpg.lock")

    monkeypatch.setattr(fcntl, "flock", removed)
    with held(tmp_path / "final.jpg"):
        assert len(seen) == 2 and (tmp_path / ".final.jpg.lock").exists()
        monkeypatch.setattr(fcntl, "flock", real)
        with pytest.raises(UsageError):
            held(tmp_path / "final.jpg").__enter__()
