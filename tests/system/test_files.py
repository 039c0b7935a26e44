"""Files whole or not at all, even when the process is killed."""

import os
import signal
import stat
import subprocess
import sys

import pytest

from neural_style.system import files
from neural_style.system.errors import NeuralStyleError

KILLED = """
import os, signal, sys
sys.path.insert(0, {root!r})
from neural_style.system.files import atomic
with atomic({path!r}) as temporary, open(temporary, "wb") as file:
    file.write(b"half of it")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def content_of(folder):
    return {entry.name: entry.read_bytes() for entry in folder.iterdir()}


@pytest.fixture(params=["unnamed", "named"])
def way(request, monkeypatch):
    """Both ways to write: a file without a name, and what is done where the system has no such thing."""
    if request.param == "named":
        monkeypatch.setattr(files, "_unnamed_file", lambda folder: None)
    return request.param


def test_a_file_appears_when_it_is_whole(tmp_path, way):
    path = tmp_path / "new.txt"
    for text in ("first", "second"):
        with files.atomic(path) as temporary:
            before = content_of(tmp_path).get("new.txt")
            temporary.write_text(text)
            assert content_of(tmp_path).get("new.txt") == before
        assert content_of(tmp_path) == {"new.txt": text.encode()}
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask


def test_a_block_that_fails_changes_nothing(tmp_path, way):
    (tmp_path / "kept.txt").write_text("earlier")
    for error, seen in ((OSError, NeuralStyleError), (KeyboardInterrupt, KeyboardInterrupt)):
        with pytest.raises(seen), files.atomic(tmp_path / "kept.txt") as temporary:
            temporary.write_text("half")
            raise error
    assert content_of(tmp_path) == {"kept.txt": b"earlier"}


@pytest.mark.parametrize("earlier", [{}, {"final.png": b"earlier", "other": b"mine"}])
def test_a_process_that_is_killed_leaves_the_folder_as_it_was(tmp_path, earlier):
    number = files._unnamed_file(tmp_path)
    if number is None:
        pytest.skip("this system has no unnamed files (O_TMPFILE)")
    os.close(number)
    for name, content in earlier.items():
        (tmp_path / name).write_bytes(content)
    code = KILLED.format(root=os.getcwd(), path=str(tmp_path / "final.png"))
    assert subprocess.run([sys.executable, "-c", code]).returncode == -signal.SIGKILL
    assert content_of(tmp_path) == earlier


def test_where_nothing_can_be_written(tmp_path, way):
    with pytest.raises(NeuralStyleError), files.atomic(tmp_path / "gone" / "a.txt"):
        pass
    (tmp_path / "folder").mkdir()
    with pytest.raises(NeuralStyleError), files.atomic(tmp_path / "folder") as temporary:
        temporary.write_text("x")
    assert content_of(tmp_path / "folder") == {} and os.listdir(tmp_path) == ["folder"]


def test_no_file_stays_open(tmp_path, way):
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("this system has no /proc")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        with files.atomic(tmp_path / "a.txt") as temporary:
            temporary.write_text("x")
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_name_as_long_as_the_file_system_allows(tmp_path, way):
    path = tmp_path / ("n" * 251 + ".png")
    with files.atomic(path) as temporary:
        temporary.write_text("x")
    assert path.read_text() == "x"
