"""A studio that is served for the tests, and one that talks to it as its page does."""

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason='the studio is not installed: pip install ".[studio]"')
pytest.importorskip("starlette", reason='the studio is not installed: pip install ".[studio]"')
import uvicorn.protocols.http.h11_impl  # noqa: F401 (for forks to have)
from forks import FORKING, forked
from networks import SMALL

from neural_style import nstyle
from neural_style.batch import children
from neural_style.network import architecture
from neural_style.studio import __main__, app, guard, helper, jobs, pictures  # noqa: F401

ROOT = Path(__file__).parents[2]
LONG = 240  # seconds, on a busy machine


def serve(folder, patience=__main__.PATIENCE):
    """Be a studio whose processes are forks, with small networks; it looks at them often.

    While there is a file `hold` in its folder, a run waits after its third epoch.
    """
    architecture.NETWORKS.update(SMALL)
    children.subprocess = helper.subprocess = jobs.subprocess = FORKING
    jobs.PACE = app.PACE = 0.02
    pictures.AT_ONCE.update(small=64, large=96)
    __main__.PATIENCE, paint = patience, nstyle.main

    def main(words, on_epoch):
        def wait(row):
            on_epoch(row)
            while row.epoch == 3 and os.path.exists("hold"):
                time.sleep(0.01)

        return paint(words, wait)

    nstyle.main = main
    return __main__.main([str(folder), "--no-browser"])


class Served:
    """A studio's process and its address."""

    def __init__(self, folder, start=forked, command=None, **how):
        self.folder = Path(folder)
        pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.process = start(command or (lambda: serve(folder)), **pipes, **how)
        self.address = self.process.stdout.readline().strip()
        self.host = self.address.split("/")[2] if self.address else ""

    def ask(self, path, body=None, **headers):
        """(status, bytes) of a request as the page sends it; body is JSON, or bytes."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        own = {} if body is None else {"Origin": f"http://{self.host}"}
        request = urllib.request.Request(self.address + path, data, {**own, **headers})
        try:
            with urllib.request.urlopen(request, timeout=LONG) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def api(self, path, body=None):
        """The JSON of an answer, which is no error."""
        status, answer = self.ask("api/" + path, body)
        assert status == 200, (path, status, answer)
        return json.loads(answer)

    def refused(self, path, body):
        """The line that says why something cannot be."""
        status, answer = self.ask("api/" + path, body)
        assert status == 400, (path, status, answer)
        return json.loads(answer)["error"]

    def begin(self, wish):
        """Add a job; returns its number."""
        return self.api("jobs", wish)["id"]

    def done(self, id):
        """The job, once it is done."""
        return self.until(id, lambda job: job["status"] == "done")

    def put(self, path, kind="photograph"):
        """Upload a file; returns its id."""
        return self.api(f"upload?kind={kind}&name={Path(path).name}", Path(path).read_bytes())["id"]

    def job(self, id):
        return next(job for job in self.api("state")["jobs"] if job["id"] == id)

    def until(self, id, holds, seconds=LONG):
        """The job as soon as that holds; it may take any time while the job gets on."""
        end, before = time.monotonic() + seconds, {}
        while time.monotonic() < end:
            job = self.job(id)
            if job != before:
                end, before = time.monotonic() + seconds, job
            if holds(job):
                return job
            assert job["status"] != "failed", job
            time.sleep(0.05)
        raise AssertionError(job)

    def stop(self, number=signal.SIGINT):
        """End the server; returns what it said."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.communicate(timeout=LONG)[1]


def folder_in(parent, params):
    """The folder of a studio whose runs find these weights."""
    folder = parent / "studio"
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "vgg19.params").symlink_to(params)
    return folder


@pytest.fixture(scope="module")
def studio(small_files, tmp_path_factory):
    """A studio for all tests of a module."""
    served = Served(folder_in(tmp_path_factory.mktemp("studio"), small_files["vgg19"]))
    yield served
    served.stop()


@pytest.fixture
def own(small_files, tmp_path):
    """A studio for one test, which may kill it."""
    served = Served(folder_in(tmp_path, small_files["vgg19"]))
    yield served
    served.stop()


@pytest.fixture
def wish(studio, thumbnails):
    """What the page would ask for: a small and short run that begins with noise."""
    return wish_of(studio, thumbnails)


def wish_of(studio, thumbnails, **values):
    content, style = studio.put(thumbnails / "chelsea.png"), studio.put(thumbnails / "coffee.png", "painting")
    values = {"max_long_edge": 48, "max_num_epochs": 8, "stop_eps": 0, **values}
    return {"kind": "run", "content": content, "styles": [{"id": style, "share": 1}], "recipe": None, "values": values}
