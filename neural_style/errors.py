"""Errors for people: one line that says what is wrong and what to do, and the right exit code."""
import argparse
import sys


class NeuralStyleError(Exception):
    """The work could not be done; the message is one line for a person."""
    exit_code = 1


class UsageError(NeuralStyleError):
    """The command was asked for something it cannot mean or do: wrong flags, wrong input."""
    exit_code = 2


class Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line."""

    def error(self, message):
        self.exit(UsageError.exit_code, f"{self.prog}: error: {message}; --help lists the flags\n")


def run(command, program, debug=False):
    """Call command() and return its exit code; what goes wrong becomes one line on standard error.

    With debug the exception comes through with its traceback.
    """
    try:
        return command() or 0
    except KeyboardInterrupt:
        print(f"\n{program}: interrupted", file=sys.stderr)
        return 130
    except Exception as error:
        if debug:
            raise
        known = isinstance(error, (NeuralStyleError, OSError))
        lines = str(error).strip().splitlines() or [type(error).__name__]
        hint = "" if known else f" ({type(error).__name__}; --debug shows where)"
        print(f"{program}: error: {lines[0]}{hint}", file=sys.stderr)
        return getattr(error, "exit_code", 1)
