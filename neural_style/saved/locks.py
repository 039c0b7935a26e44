"""One process at a time: a lock on a name, which the system removes with the process, however that ends."""

import contextlib
import errno
import fcntl
import os
import stat
from pathlib import Path
from typing import Iterator

from ..system.errors import NeuralStyleError, UsageError
from ..system.types import PathLike

# What flock says on file systems without locks: there, work goes on without one.
NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}


class Taken(UsageError):
    """Another process holds the lock."""


@contextlib.contextmanager
def locked(path: PathLike, doing: str, remedy: str) -> Iterator[None]:
    """Hold the lock of a path in an existing folder; Taken if another process does: it is doing something there.

    The lock is on a hidden, empty file, which is removed at the end; one that a killed process leaves is taken over.
    """
    folder, name = os.path.split(path)
    lock = Path(folder, f".{name}.lock")
    file = _held(lock, f"another command is {doing}; wait for it, or {remedy}")
    try:
        yield
    finally:
        if os.fstat(file).st_size == 0:  # else it is not one of ours
            with contextlib.suppress(OSError):
                os.unlink(lock)
        os.close(file)


def _held(lock, taken):
    """The descriptor of the lock's file, locked."""
    while True:
        file = _opened(lock)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            raise Taken(taken) from None
        except OSError as error:
            if error.errno not in NO_LOCKS:
                os.close(file)
                raise NeuralStyleError(f"{lock} cannot be locked: {error.strerror or error}") from error
        with contextlib.suppress(OSError):
            if os.path.samestat(os.stat(lock), os.fstat(file)):
                return file
        os.close(file)  # removed by the process that held it: once more


def _opened(lock):
    """The descriptor of a file that is not a link, not emptied, and opened without waiting."""
    try:
        file = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    except OSError as error:
        reason = "it is a link" if error.errno == errno.ELOOP else error.strerror or error
        raise NeuralStyleError(f"{lock} cannot be opened: {reason}; remove it, or choose another folder") from None
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise NeuralStyleError(f"{lock} is not a file; remove it, or choose another folder")
    return file
