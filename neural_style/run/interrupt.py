"""Ctrl-C and SIGTERM wait for the end of the epoch; a second one does not wait."""
import contextlib
import logging
import signal
import threading

from ..system.terminal import leave_line

log = logging.getLogger("neural_style")


class Interrupted(KeyboardInterrupt):
    """A run was asked to stop, and has: the exit code tells by which signal."""

    def __init__(self, message, number):
        super().__init__(message)
        self.exit_code = 128 + number


@contextlib.contextmanager
def waiting(unit="epoch"):
    """Gives a list that is empty until the run is asked to stop: then it holds the signal's number.

    Signals can be heard in a process's main thread only; elsewhere the list stays empty. What ignores a signal, as a job
    in the background does, goes on ignoring it.
    """
    asked, before = [], {}

    def hear(number, frame):
        asked.append(number)
        for other, handler in before.items():
            signal.signal(other, handler)
        leave_line()
        # in a thread of its own, for the signal may have come in the middle of a line of the log
        threading.Thread(target=log.warning, args=(f"stopping after this {unit}; once more to stop at once",)).start()

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                before[number] = signal.signal(number, hear)
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
