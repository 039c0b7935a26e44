"""What happens around a run while it goes on: inputs, folders and clocks change, downloads are killed."""

import contextlib
import ctypes
import hashlib
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from argparse import Namespace

import numpy as np
import pytest

from neural_style import nstyle
from neural_style.pictures import images
from neural_style.system.errors import NeuralStyleError
from neural_style.weights import download


@pytest.fixture
def small(small, pictures, tmp_path):
    for name in ("chelsea", "coffee"):
        shutil.copy(pictures / f"{name}.png", tmp_path / f"{name}.png")
    return dict(
        content_image=str(tmp_path / "chelsea.png"),
        style_image=str(tmp_path / "coffee.png"),
        seed=1,
        save_epochs=1,
        max_long_edge=40,
        model_params=str(small),
        stop_eps=0,
        max_num_epochs=3,
    )


def paint(folder, callback=None, **flags):
    nstyle.train_nstyle(Namespace(output_dir=str(folder), **flags), callback)
    return images.read_image(str(folder / "final.jpg"))


def at_epoch(number, change):
    return lambda data: change() if data["epoch"] == number else None


def test_inputs_replaced_midway_change_nothing(small, pictures, tmp_path):
    def replace():
        shutil.copy(pictures / "rocket.png", small["content_image"])
        os.unlink(small["style_image"])

    expected = paint(tmp_path / "a", **small)
    np.testing.assert_array_equal(paint(tmp_path / "b", at_epoch(1, replace), **small), expected)
    with pytest.raises(NeuralStyleError, match="there is no such picture"):
        nstyle.train_nstyle(nstyle.get_args(["--resume", str(tmp_path / "b"), "--max-num-epochs", "4"]))
    shutil.copy(pictures / "coffee.png", small["style_image"])
    with pytest.raises(NeuralStyleError, match="have changed since the run began"):
        nstyle.train_nstyle(nstyle.get_args(["--resume", str(tmp_path / "b"), "--max-num-epochs", "4"]))


def test_a_folder_that_goes_midway_is_told_in_one_line(small, tmp_path):
    with pytest.raises(NeuralStyleError, match="could not be written: No such file or directory"):
        paint(tmp_path / "a", at_epoch(1, lambda: shutil.rmtree(tmp_path / "a")), **small)


CLOSING = """
import json, os, sys
from argparse import Namespace
from neural_style import nstyle
from neural_style.system import errors
args = Namespace(**json.loads(sys.argv[1]))
sys.exit(errors.run(lambda: nstyle.train_nstyle(args, lambda data: os.chmod(args.output_dir, 0o500)), "neural-style"))
"""


def without_privileges():
    """Before a program starts: even as root, it may then not write into read-only folders."""
    PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1
    ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="uses Linux's capabilities")
def test_a_folder_made_read_only_midway_is_told_and_keeps_its_files(small, shrinking, tmp_path):
    folder = tmp_path / "a"
    run = subprocess.run(
        [sys.executable, "-c", CLOSING, json.dumps(dict(small, output_dir=str(folder)))],
        env={**os.environ, **shrinking},
        preexec_fn=without_privileges,
        stderr=subprocess.PIPE,
        text=True,
    )
    folder.chmod(0o700)
    assert run.returncode == 1
    assert re.fullmatch(r"neural-style: error: \S+ could not be written: Permission denied\n", run.stderr)
    assert sorted(path.name for path in folder.iterdir() if path.suffix != ".lock") == [
        ".final.jpg.state.npz",
        "e_1.jpg",
    ]


def test_a_clock_that_jumps_changes_no_time(small, tmp_path, monkeypatch):
    now = iter(range(10**9, -(10**9), -(10**5)))
    monkeypatch.setattr(time, "time", lambda: float(next(now)))
    seconds = []
    nstyle.train_nstyle(
        Namespace(output_dir=str(tmp_path), report=True, **small),
        on_epoch=lambda record: seconds.append(record.seconds),
    )
    assert seconds == sorted(seconds) and 0 < seconds[-1] < 600


CONTENT = np.random.RandomState(1).bytes(400_000)


class Halting(http.server.BaseHTTPRequestHandler):
    """Sends CONTENT from where it is asked to; where the server halts it says so, and waits until it may go on."""

    def do_GET(self):
        start = int(self.headers.get("Range", "bytes=0-")[6:-1])
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.end_headers()
        with contextlib.suppress(OSError):
            for first in range(start, len(CONTENT), 20_000):
                if first >= self.server.halt:
                    self.server.halts.set()
                    self.server.goes_on.wait()
                self.wfile.write(CONTENT[first : first + 20_000])

    def log_message(self, *_):
        pass


def test_a_download_killed_at_any_point_leaves_nothing_half(tmp_path):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Halting)
    server.handle_error = lambda *_: None  # whoever is killed says nothing more
    threading.Thread(target=server.serve_forever, daemon=True).start()
    blob = hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT).hexdigest()
    target = tmp_path / "file"
    code = (
        f"from neural_style.weights import download; download.fetch('http://127.0.0.1:{server.server_port}/x', "
        f"{str(target)!r}, git_blob='{blob}')"
    )
    for server.halt in (0, 60_000, 200_000, 360_000):
        server.halts, server.goes_on = threading.Event(), threading.Event()
        child = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
        assert server.halts.wait(60)
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL and not target.exists()
        server.goes_on.set()
    server.halt = len(CONTENT)
    download.fetch(f"http://127.0.0.1:{server.server_port}/x", target, git_blob=blob)
    assert target.read_bytes() == CONTENT and [path.name for path in tmp_path.iterdir()] == ["file"]
    server.shutdown()
