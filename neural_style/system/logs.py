"""The package's log, as a command shows it."""

import contextlib
import logging
from typing import Any, Iterator

from . import errors, terminal

log = logging.getLogger("neural_style")


class _Lines(logging.StreamHandler):
    def format(self, record):
        return errors.visible(super().format(record))

    def emit(self, record):
        with terminal.above_bar():
            super().emit(record)


@contextlib.contextmanager
def log_to_stderr(args: Any) -> Iterator[None]:
    """Show the package's log as plain lines while a command runs; a library never sets this up."""
    handler, level = _Lines(), log.level
    log.addHandler(handler)
    log.propagate = False  # MXNet gives the root logger a handler as soon as the learning rate changes
    log.setLevel(logging.WARNING if args.quiet else logging.DEBUG if args.verbose else logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.propagate = True
        log.setLevel(level)
