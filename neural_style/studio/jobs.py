"""The queue: what is to be painted, one after the other, each in a process of its own.

A job is a folder in runs/ with job.json, which says all about it, a log, and a line of JSON for each epoch. So a server
that is killed loses nothing: the next one finds the jobs, and what was running goes on from the state that its process
saved last.
"""

import contextlib
import dataclasses
import fcntl
import json
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, Dict, List, Optional

from ..batch.children import Children
from ..saved import records
from ..system.errors import UsageError
from .child import COMMAND
from .folder import Folder
from .job import DONE, FAILED, OPEN, PAUSED, QUEUED, RUNNING, STOPPED, Job, load, merged, new_rows
from .wishes import start_of, wish

PACE = 0.25  # seconds between two looks at a child
MOST = 1000  # jobs that wait


class Jobs:
    """The jobs of a folder, and the thread that works on them; `version` counts all changes."""

    def __init__(self, folder: Folder) -> None:
        self._folder, self.lock, self.version = folder, threading.RLock(), 1
        self.jobs: Dict[int, Job] = {}
        self.history: Dict[int, List[Dict[str, Any]]] = {}  # of the job that is running
        self.preview: Dict[int, int] = {}  # the newest epoch with a picture
        self.removed: Dict[int, int] = {}  # id: version
        self._goal: Dict[int, str] = {}  # what a job that was interrupted becomes
        self._wake, self._ended = threading.Event(), False
        self._child: Optional[subprocess.Popen] = None
        for path in sorted(folder.runs.glob("*/job.json")):
            with contextlib.suppress(OSError, ValueError, TypeError):
                job = load(path)
                self.jobs[job.id] = job
                if job.status == RUNNING:  # the server was killed
                    job.status = QUEUED
        self._children = Children()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Interrupt what is running, which is saved and goes on with the next server, and wait for it."""
        self._ended = True
        self._interrupt()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    # ---- what the page asks for ----

    def next_id(self) -> int:
        there = [int(path.name) for path in self._folder.runs.iterdir() if path.name.isdigit()]
        return 1 + max([0, *self.jobs, *there])

    def add(self, first: bool = False, **fields: Any) -> Job:
        """Add a job to the end of the queue, or where it is to go on at once, to its beginning."""
        with self.lock:
            if sum(job.status == QUEUED for job in self.jobs.values()) >= MOST:
                raise UsageError(f"{MOST} jobs are waiting already")
            job = Job(created=time.time(), **fields)
            (self._folder.root / job.folder).mkdir()
            self.jobs[job.id] = job
            self.say(job)
        self._wake.set()
        return job

    def get(self, id: int) -> Job:
        job = self.jobs.get(id)
        if job is None:
            raise UsageError("this job is no longer there")
        return job

    def interrupt(self, job: Job, goal: str) -> None:
        """Pause or stop a job: it ends its epoch and saves its state."""
        with self.lock:
            if job.status == RUNNING and job.id not in self._goal:
                self._goal[job.id] = goal
                self._interrupt()
            elif job.status in OPEN:
                self._goal.pop(job.id, None) if job.status != RUNNING else self._goal.update({job.id: goal})
                job.status = job.status if job.status == RUNNING else goal
            self.say(job)

    def go_on(self, job: Job, more_epochs: int = 0) -> None:
        """Put a job back into the queue, with more epochs than it had."""
        with self.lock:
            if job.status in (QUEUED, RUNNING):
                raise UsageError("it is being painted already")
            if job.kind == "run" and more_epochs:
                job.total = max(job.done, 1) + more_epochs if job.status != PAUSED else job.total + more_epochs
                job.further = True
            job.status, job.error = QUEUED, None
            self.say(job)
        self._wake.set()

    def forget(self, job: Job) -> None:
        """Take a job out of the list, with its pictures on the way; its result stays, and the image it began with."""
        with self.lock:
            if job.status == RUNNING:
                raise UsageError("stop it first")
            del self.jobs[job.id]
            self.version += 1
            self.removed[job.id] = self.version
            folder = self._folder.root / job.folder
            for path in folder.iterdir():
                if path.name != Path(start_of(job.id)).name:
                    path.unlink()
            with contextlib.suppress(OSError):  # unless the image is there
                folder.rmdir()

    def since(self, version: int) -> List[Job]:
        """The jobs that have changed since a version."""
        with self.lock:
            return [job for job in self.jobs.values() if job.version > version]

    def records(self, job: Job) -> List[Dict[str, Any]]:
        """The epochs of a job: eps, total, seconds and losses of each."""
        if job.id in self.history:
            return self.history[job.id]
        return merged([], new_rows(self._folder.root / job.folder / "events", 0)[0])

    def pictures(self, job: Job) -> List[int]:
        """The epochs of which there are pictures."""
        names = (path.stem[2:] for path in (self._folder.root / job.folder).glob("e_*.jpg"))
        return sorted(int(name) for name in names if name.isdigit())

    def say(self, job: Job) -> None:
        """Note that a job has changed, in its file, too."""
        with self.lock:
            self.version += 1
            job.version = self.version
            path = self._folder.root / job.folder / "job.json"
            with contextlib.suppress(OSError):  # a full disk: the job itself will tell
                records.write(path, dataclasses.asdict(job))

    # ---- the thread ----

    def _work(self) -> None:
        while not self._ended:
            with self.lock:
                waiting = [job for job in self.jobs.values() if job.status == QUEUED]
                job = min(waiting, key=lambda job: (job.parent is None and not job.begun, job.id), default=None)
                if job:
                    job.status, job.error = RUNNING, None
            if job is None:
                self._wake.wait(1)
                self._wake.clear()
                continue
            try:
                self._paint(job)
            except Exception as error:  # the next job must not suffer for this one
                self._finish(job, FAILED, str(error) or type(error).__name__)

    def _paint(self, job: Job) -> None:
        """Work on a job until it is done, or interrupted, or has been killed twice without getting on."""
        killed = 0
        while True:
            before = job.done
            code = self._child_of(job)
            goal = self._goal.pop(job.id, None)
            if code == 0:
                return self._finish(job, DONE)
            if self._ended:
                return self._finish(job, QUEUED)
            if goal or code == 130:
                return self._finish(job, goal or STOPPED)
            killed = 0 if job.done > before else killed + 1
            if code > 0 or killed > 1:
                return self._finish(job, FAILED, self._reason(job, code))

    def _child_of(self, job: Job) -> int:
        """Run the job's process and follow what it writes; returns its exit code, negative for a signal."""
        root, began, worked = self._folder.root, time.monotonic(), job.seconds
        log_path, events = root / job.folder / "log", root / job.folder / "events"
        rows, position = new_rows(events, 0)
        self.history[job.id] = merged([], rows)
        resumed = job.begun
        job.begun = True
        self.say(job)
        with open(root / job.folder / "lock", "a") as lock, open(log_path, "ab") as log:
            self._wait_for(lock)
            child = self._started(job, resumed, lock, log)
            while True:
                code = child.poll()
                new, position = new_rows(events, position)
                if new:
                    self.history[job.id] = merged(self.history[job.id], new)
                self._progress(job, worked + time.monotonic() - began, bool(new))
                if code is not None:
                    self._child = None
                    return code
                time.sleep(PACE)

    def _wait_for(self, lock: Any) -> None:
        """Wait for a process that another server has left behind, which saves its state before it ends."""
        while not self._ended:
            with contextlib.suppress(OSError):
                return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            time.sleep(PACE)

    def _started(self, job: Job, resumed: bool, lock: Any, log: Any) -> subprocess.Popen:
        made = wish(self._folder, job.kind, job.asked)
        task = {
            "module": made.module,
            "words": made.typed(job.output, job.checkpoints),
            "output": job.output,
            "events": f"{job.folder}/events",
            "checkpoints": job.checkpoints,
            "resume": resumed,
            "more": [f"--max-num-epochs={job.total}", "--stop-eps=0"] if job.further else [],
            "begin": [self.get(job.parent["job"]).output, start_of(job.id)] if job.parent else None,
        }
        with self.lock:
            child = self._child = self._children.start(
                [*COMMAND, "job", json.dumps(task)],
                cwd=self._folder.root,
                stdout=log,
                stderr=log,
                pass_fds=[lock.fileno()],  # held as long as it lives, whatever becomes of the server
            )
            if self._ended or job.id in self._goal:
                self._interrupt()
        return child

    def _interrupt(self) -> None:
        with self.lock:
            if self._child is not None and self._child.poll() is None:
                self._child.send_signal(signal.SIGINT)

    def _progress(self, job: Job, seconds: float, news: bool) -> None:
        """Note how far a job is."""
        done, preview = job.done, None
        if job.kind == "run":
            done = self.history[job.id][-1]["epoch"] if self.history[job.id] else 0
            preview = max(self.pictures(job), default=None) if news else self.preview.get(job.id)
        elif job.kind == "batch":
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                rows = json.loads((self._folder.root / job.output / "batch.json").read_text("utf-8"))["pairs"]
                done = sum(row["outcome"] != "waiting" for row in rows)
        elif job.kind == "film":
            name = Path(job.output).name
            done = max(done, len(list((self._folder.root / f".{name}.frames").glob("[0-9]*.png"))))
        if done != job.done or preview != self.preview.get(job.id):
            job.done, job.seconds = done, round(seconds, 1)
            if preview is not None:
                self.preview[job.id] = preview
            self.say(job)

    def _finish(self, job: Job, status: str, error: Optional[str] = None) -> None:
        with self.lock:
            job.status, job.error = status, error
            job.done = max(job.done, job.total) if status == DONE and job.kind != "run" else job.done
            self.history.pop(job.id, None)
            self.preview.pop(job.id, None)
            self.say(job)

    def _reason(self, job: Job, code: int) -> str:
        """Why a job failed: the last line of its log."""
        if code < 0:
            return f"its process was ended twice by {signal.Signals(-code).name}; is there enough memory?"
        with contextlib.suppress(OSError):
            text = (self._folder.root / job.folder / "log").read_text("utf-8", "replace")[-4000:]
            lines = [line for line in text.splitlines() if line.strip()]
            if lines:
                return lines[-1].partition("error: ")[2] or lines[-1]
        return f"its process ended with exit code {code}"
