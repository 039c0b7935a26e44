"""A child process for each pair: it returns its memory, and if it is killed, nothing else is affected."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any, Dict, NamedTuple, Optional, Sequence

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

    def __init__(self) -> None:
        self._input, self._held_open = os.pipe()
        self._stopped = False

    def __enter__(self) -> "Children":
        return self

    def __exit__(self, *error: Any) -> None:
        self.stop()
        os.close(self._input)

    def stop(self) -> None:
        """Tell all children to end, also those that are about to begin."""
        if not self._stopped:
            self._stopped = True
            os.close(self._held_open)

    def start(self, command: Sequence[str], threads: Optional[int] = None, **how: Any) -> subprocess.Popen:
        """Start a child, which is to call end_with_parent(), with this number of threads."""
        # in a session of its own: Ctrl-C reaches only the parent, which then stops its children
        own: Any = {"stdin": self._input, "env": environment(threads), "start_new_session": True}
        return subprocess.Popen(command, **own, **how)

    def paint(self, task: Task, threads: Optional[int] = None) -> Outcome:
        """Paint a pair in a child process with this number of threads. A child that is killed is started once more."""
        start = time.monotonic()
        for _ in range(2):
            if self._stopped:
                return Outcome("interrupted")
            folder = task.folder if task.folder and os.path.isdir(task.folder) else None
            pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "errors": "replace"}
            child = self.start([*CHILD, json.dumps(task._asdict())], threads, cwd=folder, **pipes)
            try:
                printed, said = child.communicate()
            except KeyboardInterrupt:
                self.stop()
                child.wait(GRACE + 2)
                raise
            if child.returncode >= 0:
                break
        return _outcome(child.returncode, printed, said)._replace(
            seconds=round(time.monotonic() - start, 1),
            host=os.uname().nodename,
            said=said if task.args["verbose"] or task.args["debug"] else "",
        )


def end_with_parent(grace: float = GRACE) -> None:
    """In a child: interrupt this process, as Ctrl-C does, when its parent is gone or asks it to stop."""

    def wait():
        os.read(0, 1)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(grace)
        os._exit(130)

    threading.Thread(target=wait, daemon=True).start()


def _outcome(code, printed, said):
    if code < 0:
        hint = "; is there enough memory? --jobs 1 or a smaller size takes less" if code == -signal.SIGKILL else ""
        return Outcome(f"its process was ended twice by {signal.Signals(-code).name}{hint}")
    try:
        return Outcome(**json.loads(printed.splitlines()[-1]))
    except (IndexError, TypeError, ValueError):
        last = (said.strip().splitlines() or ["no reason given"])[-1]
        return Outcome(f"its process ended with exit code {code}: {last}")
