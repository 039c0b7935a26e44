"""A process that stays and answers questions, so that pictures are read, and networks paint, outside of the server."""

import json
import os
import select
import subprocess
import threading
import time
from typing import Any, Dict

from ..batch.children import environment
from ..system.errors import NeuralStyleError
from .child import COMMAND

PATIENCE = 120  # seconds for an answer


class Helper:
    """One such process, started when it is first asked and again where it ended: at a damaged picture, say.

    role is a key of ROLES in child.py.
    """

    def __init__(self, role: str) -> None:
        self._role, self._lock = role, threading.Lock()
        self._process: Any = None  # a Popen

    def ask(self, what: str, **how: Any) -> Dict[str, Any]:
        """The answer of one of the role's functions to these arguments; an error there is a NeuralStyleError here."""
        with self._lock:
            process = self._started()
            try:
                os.write(process.stdin.fileno(), json.dumps({"what": what, "how": how}).encode() + b"\n")
                answer = json.loads(_line(process.stdout.fileno()))
            except (OSError, ValueError) as error:
                self._end()
                raise NeuralStyleError(
                    f"{how.get('name', 'this')} could not be read: the process that tried it took too long or ended"
                ) from error
        if answer.get("error"):
            raise NeuralStyleError(answer["error"])
        return answer

    def close(self) -> None:
        """End the process."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()  # it writes files completely or not at all

    def _started(self) -> Any:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [*COMMAND, self._role],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**environment(), "OMP_WAIT_POLICY": "passive"},  # or threads that wait keep others waiting
                start_new_session=True,
            )
        return self._process

    def _end(self) -> None:
        self.close()
        if self._process is not None:
            self._process.wait()
            self._process = None


def _line(pipe: int) -> bytes:
    """The next line from a pipe; OSError where none comes in time."""
    read, until = b"", time.monotonic() + PATIENCE
    while not read.endswith(b"\n"):
        if not select.select([pipe], [], [], max(0, until - time.monotonic()))[0]:
            raise OSError("no answer")
        part = os.read(pipe, 65536)
        if not part:
            raise OSError("it ended")
        read += part
    return read
