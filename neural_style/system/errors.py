"""Errors for people: one line that says what is wrong and what to do, and the right exit code."""
import argparse
import os
import sys


class NeuralStyleError(Exception):
    """The work could not be done; the message is one line for a person."""
    exit_code = 1


class UsageError(NeuralStyleError):
    """The command was asked for something it cannot mean or do: wrong flags, wrong input."""
    exit_code = 2


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line."""

    def print(self, text):
        """Print a text for which the program was called; who reads it may leave early, as head does."""
        self._print_message(text + "\n", sys.stdout)

    def _print_message(self, message, file=None):
        try:
            super()._print_message(message, file)
            (file or sys.stderr).flush()
        except BrokenPipeError:
            self.exit(nobody_reads())

    def error(self, message):
        line = " ".join(message.splitlines())
        self.exit(UsageError.exit_code, f"{self.prog}: error: {line}; --help lists the flags\n")


def run(command, program, debug=False):
    """Call command() and return its exit code; what goes wrong becomes one line on standard error.

    With debug the exception comes through with its traceback.
    """
    try:
        code = command() or 0
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except BrokenPipeError:
        return nobody_reads()
    except KeyboardInterrupt as error:
        say(f"{program}: {str(error) or 'interrupted'}")
        return getattr(error, "exit_code", 130)
    except Exception as error:
        if debug:
            raise
        say(f"{program}: error: {describe(error)}")
        return getattr(error, "exit_code", 1)


def nobody_reads():
    """The exit code where the reader of standard output has gone, as programs have it that SIGPIPE ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141


def describe(error):
    """One line for a person that says what an exception is about."""
    if isinstance(error, MemoryError):
        return f"not enough memory ({str(error) or 'MemoryError'}); take a smaller size"
    if isinstance(error, (NeuralStyleError, OSError)):
        return " ".join(str(error).splitlines())
    lines = str(error).strip().splitlines() or ["unexpected"]       # MXNet puts its own stack first, the reason last
    return f"{lines[-1]} ({type(error).__name__}; --debug shows where)"


def say(line):
    """Tell the person at the terminal, if there is one."""
    if sys.stderr is not None:
        print(line, file=sys.stderr, flush=True)
