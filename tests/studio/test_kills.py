"""Server and painting process are killed at random moments: nothing is lost but the epochs since the last save.

STUDIO_KILLS=20 kills more often than the suite does.
"""

import contextlib
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest
from conftest import Served, wish_of
from test_studio import result, typed

KILLS = int(os.environ.get("STUDIO_KILLS", "3"))
EVERY = 3  # epochs between two saves
pytestmark = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs /proc to find the processes")


def painting(server):
    """The process id of the server's child that paints, or None."""
    for task in Path(f"/proc/{server}/task").iterdir():
        for child in (task / "children").read_text().split():
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{child}/fd/2").endswith("/log"):
                    return int(child)
    return None


def painted(folder):
    """How many epochs have been painted in a studio's folder, some perhaps several times."""
    return sum(path.read_bytes().count(b"epoch") for path in folder.glob("runs/*/events"))


def finished(served, id):
    """The job once it is done; one that was killed twice before it got anywhere says so, and goes on when asked to."""
    while True:
        job = served.until(id, lambda job: job["status"] in ("done", "failed"))
        if job["status"] == "done":
            return job
        assert "ended twice by SIGKILL" in job["error"]
        served.api(f"jobs/{id}/continue", {})


def test_nothing_is_lost(own, thumbnails):
    chance, served, killed = random.Random(0), own, []
    wish = wish_of(own, thumbnails, max_num_epochs=10 + 6 * KILLS)
    jobs = [own.begin({**wish, "values": {**wish["values"], "seed": seed}}) for seed in range(2)]

    def going_on():
        return any(served.job(id)["status"] in ("queued", "running") for id in jobs)

    try:
        while len(killed) < KILLS and going_on():
            goal = painted(own.folder) + chance.randrange(6)  # epochs; at 0, what has just begun is killed
            while painted(own.folder) < goal and going_on():
                time.sleep(0.02)
            child = painting(served.process.pid)
            kind = "child" if child and chance.random() < 0.5 else "server"
            if kind == "child":
                os.kill(child, signal.SIGKILL)
            else:
                served.process.kill()
                served.stop()
                served = Served(served.folder)
            killed.append(kind)
        again = [0]
        for id in jobs:
            job = finished(served, id)
            assert result(served, job) == typed(served, job)
            rows = served.api(f"jobs/{id}/history")["rows"]
            assert [row["epoch"] for row in rows] == list(range(1, job["total"] + 1))
            lines = (served.folder / "runs" / f"{id:04}" / "events").read_text().splitlines()
            epochs = [json.loads(line)["epoch"] for line in lines if line]
            again += [earlier - later + 1 for earlier, later in zip(epochs, epochs[1:]) if later <= earlier]
        print(f"killed {killed}; painted again: {again}", file=sys.stderr)
        assert max(again) <= EVERY
    finally:
        served.stop()
