"""Errors as one line that says what is wrong and what to do about it, and exit codes."""

import argparse
import os
import re
import sys
from typing import Callable, NoReturn, Optional

from . import terminal

# Characters that a terminal interprets instead of showing: control characters, and those that change the text
# direction.
OBEYED = re.compile("\r(?!\n)|[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")

GPU = re.compile(r"out of memory|\b(CUDA|HIP|MPS|XPU)\b|cudnn|cublas", re.I)  # in messages of MXNet and PyTorch


class NeuralStyleError(Exception):
    """The work could not be done; the message is a single line for the user."""

    exit_code = 1


class UsageError(NeuralStyleError):
    """The request makes no sense or cannot be met: wrong flags, wrong input."""

    exit_code = 2


class Parser(argparse.ArgumentParser):
    """A parser that reports an error in one line."""

    def print(self, text: str) -> None:
        """Print a text that was asked for; the reader may stop early, like head."""
        self._print_message(text + "\n", sys.stdout)

    def _print_message(self, message, file=None):
        try:
            super()._print_message(visible(message), file)
            (file or sys.stderr).flush()
        except BrokenPipeError:
            self.exit(after_broken_pipe())

    def error(self, message: str) -> NoReturn:
        line = " ".join(message.splitlines())
        self.exit(UsageError.exit_code, f"{self.prog}: error: {line}; --help lists the flags\n")


def run(command: Callable[[], Optional[int]], program: str, debug: bool = False) -> int:
    """Call command() and return its exit code; an exception becomes one line on standard error.

    With debug, the exception is raised, with its traceback.
    """
    try:
        with terminal.leaving_line_on_ctrl_c():
            code = command() or 0
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except BrokenPipeError:
        return after_broken_pipe()
    except KeyboardInterrupt as error:
        say(f"{program}: {str(error) or 'interrupted'}")
        return getattr(error, "exit_code", 130)
    except Exception as error:
        if debug:
            raise
        say(f"{program}: error: {describe(error)}")
        return getattr(error, "exit_code", 1)


def after_broken_pipe() -> int:
    """Discard further output, since nobody reads it; returns the exit code of a program killed by SIGPIPE."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141


def of_gpu(error: BaseException) -> str:
    """What went wrong on a GPU, in a line; "" if the error is another one."""
    line = next((line for line in str(error).splitlines() if GPU.search(line)), "")
    if not line or isinstance(error, (NeuralStyleError, MemoryError, OSError)):
        return ""
    why = "it has too little free memory" if "out of memory" in str(error).lower() else visible(line.strip())
    return f"the GPU failed: {why}; choose a smaller size, or the CPU with --gpu -1"


def describe(error: BaseException) -> str:
    """An exception as one line for the user."""
    if of_gpu(error):
        return of_gpu(error)
    if isinstance(error, MemoryError):
        return f"not enough memory ({str(error) or 'MemoryError'}); choose a smaller size"
    if isinstance(error, (NeuralStyleError, OSError)):
        return visible(" ".join(str(error).splitlines()))
    lines = str(error).strip().splitlines() or ["unexpected"]  # MXNet's stack trace comes first, the reason last
    return f"{visible(lines[-1])} ({type(error).__name__}; --debug shows where)"


def visible(text: str) -> str:
    """text with escapes for the characters that a terminal would interpret, except tabs and line ends."""
    return OBEYED.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def say(line: str) -> None:
    """Print a line on standard error, if there is one."""
    if sys.stderr is not None:
        print(visible(line), file=sys.stderr, flush=True)
