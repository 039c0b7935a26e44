"""A child process for each pair: it returns its memory, and if it is killed, nothing else is affected."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any, Dict, NamedTuple, Optional, Set

from ..system.machine import environment

CHILD = [sys.executable, "-m", "neural_style.batch.child"]  # takes a Task as JSON
GRACE = 10  # seconds that an interrupted child has to exit by itself


class Task(NamedTuple):
    """What a child needs to know to paint a pair."""

    args: Dict[str, Any]  # the run's arguments
    raw: Optional[str] = None  # in a sequence: where the result goes unrounded, as the network sees it ...
    before: Optional[str] = None  # ... and the content of the frame whose result is args["start"]
    fresh: Optional[Dict[str, Any]] = None  # ... and other arguments for a frame that no other leads to
    folder: Optional[str] = None  # to paint in, so that relative paths and the weights are found as by the command


class Outcome(NamedTuple):
    """How painting a pair went."""

    error: Optional[str]  # None if it is painted
    epochs: Optional[int] = None
    eps: Optional[float] = None
    seconds: Optional[float] = None
    host: Optional[str] = None
    said: str = ""  # on standard error, with --verbose or --debug


class Children:
    """Child processes that end with this process, however it ends: their input is a pipe that only it holds open."""

    def __enter__(self) -> "Children":
        self._input, self._held_open = os.pipe()
        self._running: Set[subprocess.Popen] = set()
        self._lock, self._ended = threading.Lock(), False
        return self

    def __exit__(self, *error: Any) -> None:
        with self._lock:
            self._ended = True
            os.close(self._input)
            os.close(self._held_open)
        for child in list(self._running):
            try:
                child.wait(GRACE + 2)
            except subprocess.TimeoutExpired:
                child.kill()

    def paint(self, task: Task, threads: Optional[int] = None) -> Outcome:
        """Paint a pair in a child process with this number of threads. A child that is killed is started once more."""
        command, env = [*CHILD, json.dumps(task._asdict())], environment(threads)
        start = time.monotonic()
        for _ in range(2):
            code, printed, said = self._run(command, env, task.folder)
            if code >= 0:
                break
        return _outcome(code, printed, said)._replace(
            seconds=round(time.monotonic() - start, 1),
            host=os.uname().nodename,
            said=said if task.args["verbose"] or task.args["debug"] else "",
        )

    def _run(self, command, env, folder=None):
        """The command's exit code, negative for a signal, its output and its errors."""
        with self._lock:
            if self._ended:
                return 130, "", "interrupted"
            # in a session of its own: Ctrl-C reaches only the parent, which then stops its children
            where: Any = {"env": env, "cwd": folder if folder and os.path.isdir(folder) else None}
            pipes: Any = {"stdin": self._input, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
            child = subprocess.Popen(command, **where, **pipes, text=True, errors="replace", start_new_session=True)
            self._running.add(child)
        try:
            printed, said = child.communicate()
        finally:
            self._running.discard(child)
        return child.returncode, printed, said


def _outcome(code, printed, said):
    if code < 0:
        hint = "; is there enough memory? --jobs 1 or a smaller size takes less" if code == -signal.SIGKILL else ""
        return Outcome(f"its process was ended twice by {signal.Signals(-code).name}{hint}")
    try:
        return Outcome(**json.loads(printed.splitlines()[-1]))
    except (IndexError, TypeError, ValueError):
        last = (said.strip().splitlines() or ["no reason given"])[-1]
        return Outcome(f"its process ended with exit code {code}: {last}")
