"""The terminal that a command was called from, and how it was called."""

import contextlib
import os
import shlex
import shutil
import signal
import sys
import threading
from typing import Any, ContextManager, Iterator

SCRIPT = "neural-style"


def leave_line() -> None:
    """On a terminal, begin a new line: the cursor is behind a bar, or behind the ^C that Ctrl-C leaves there.

    This writes to the file itself, because a signal may come in the middle of a print.
    """
    if sys.stderr is not None and sys.stderr.isatty():
        with contextlib.suppress(OSError):
            os.write(sys.stderr.fileno(), b"\n")


@contextlib.contextmanager
def leaving_line_on_ctrl_c() -> Iterator[None]:
    """Within this context, Ctrl-C begins a new line before it interrupts. Other handlers of SIGINT stay as they are."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is not signal.default_int_handler:
        yield
        return

    def hear(number, frame):
        leave_line()
        before(number, frame)

    signal.signal(signal.SIGINT, hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def above_bar() -> ContextManager:
    """A context for printing a line: progress bars are cleared first, and shown again below it."""
    tqdm = sys.modules.get("tqdm")
    return tqdm.tqdm.external_write_mode(file=sys.stderr) if tqdm else contextlib.nullcontext()


def command(module: str, *words: Any) -> str:
    """A shell's command line: this program as it was called, or python -m module within another, and these words."""
    return " ".join([_program(module), *map(shlex.quote, map(str, words))])


def _program(module):
    if os.path.basename(sys.argv[0]) == SCRIPT:
        return shlex.quote(_shortest(sys.argv[0]))
    called = getattr(sys, "orig_argv", [])  # new in Python 3.10
    called = called[: len(called) - len(sys.argv[1:])]
    if called[-2:] in (["-m", "neural_style"], ["-m", "neural_style.nstyle"], ["-m", module]):
        return " ".join(map(shlex.quote, called))
    return f"{shlex.quote(_shortest(sys.executable or 'python'))} -m {module}"


def _shortest(program):
    """The name of a program that the shell finds by it, or else its path."""
    name = os.path.basename(program)
    return name if shutil.which(name) == os.path.abspath(program) else program
