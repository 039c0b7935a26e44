"""Ctrl-C and SIGTERM wait for the end of the epoch; a second one does not wait."""

import contextlib
import logging
import signal
import threading
from typing import Any, Dict, Iterator, List

from ..system.terminal import leave_line

log = logging.getLogger("neural_style")


class Interrupted(KeyboardInterrupt):
    """A run has stopped because it was asked to; the exit code shows which signal it got."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + number


@contextlib.contextmanager
def waiting(unit: str = "epoch") -> Iterator[List[int]]:
    """Yield a list that stays empty until the run is asked to stop, and then holds the signal's number.

    Only a process's main thread can handle signals; in other threads the list stays empty. A signal that is ignored, as
    Ctrl-C is by background jobs, remains ignored.
    """
    asked: List[int] = []
    before: Dict[int, Any] = {}

    def hear(number, frame):
        asked.append(number)
        for other, handler in before.items():
            signal.signal(other, handler)
        leave_line()
        # in a thread of its own, because the signal may have come in the middle of a log line
        message = f"stopping after this {unit}; press Ctrl-C again to stop immediately"
        threading.Thread(target=log.warning, args=(message,)).start()

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                before[number] = signal.signal(number, hear)
    try:
        yield asked
    finally:
        for caught, handler in before.items():
            signal.signal(caught, handler)
