"""Files that are written completely or not at all."""

import contextlib
import hashlib
import os
import secrets
from pathlib import Path
from typing import Any, Iterator, Union

from .errors import NeuralStyleError, UsageError
from .types import PathLike


@contextlib.contextmanager
def writing(path: PathLike, *kinds: Any) -> Iterator[None]:
    """Turn an OSError, or an exception of these kinds, into a line that says what could not be written, and why."""
    try:
        yield
    except NeuralStyleError:
        raise
    except (OSError, MemoryError, *kinds) as error:
        reason = getattr(error, "strerror", None) or str(error) or "not enough memory"
        raise NeuralStyleError(f"{path} could not be written: {reason}") from error


def refuse_to_replace(path: PathLike, overwrite: Any, remedy: str = "name another file") -> None:
    """Raise UsageError where something is at the path, unless it is to be overwritten."""
    if os.path.lexists(path) and not overwrite:
        raise UsageError(f"{path} already exists; {remedy}, or replace it with --overwrite")


@contextlib.contextmanager
def atomic(path: PathLike, *kinds: Any) -> Iterator[Path]:
    """Yield a temporary path to write to; the file gets the name `path` if the block succeeds.

    A file that already has that name is left alone until then, and for good if the block fails. On Linux the temporary
    file has no name in its folder, so nothing of it is left behind even if the process is killed. The temporary path
    has no extension, so the writer must know the format. OSErrors and exceptions of these kinds become one line.
    """
    with writing(path, *kinds), _replacing(Path(path)) as temporary:
        yield temporary


def write(path: PathLike, content: Union[bytes, memoryview]) -> None:
    """Write a file, completely or not at all."""
    with atomic(path) as temporary:
        temporary.write_bytes(content)


@contextlib.contextmanager
def _replacing(path):
    """Yield the temporary path of atomic()."""
    temporary = path.with_name(f".{secrets.token_hex(8)}{path.suffix}")
    unnamed = _unnamed_file(path.parent)
    try:
        if unnamed is None:
            os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
            yield temporary
            _to_disk(temporary)
        else:
            source = f"/proc/self/fd/{unnamed}"
            yield Path(source)
            os.fsync(unnamed)
            with contextlib.suppress(FileExistsError):
                os.link(source, path, src_dir_fd=unnamed)  # Python follows the link only with a src_dir_fd
                return
            os.link(source, temporary, src_dir_fd=unnamed)  # complete, even if the process is killed here
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    finally:
        if unnamed is not None:
            os.close(unnamed)


def _to_disk(path):
    """Wait until the file's content is on the disk, so that a power cut cannot leave its name without its content."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _unnamed_file(folder):
    """The descriptor of an open file in the folder that has no name yet; None if the system does not support that."""
    try:
        number = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o666)
    except (AttributeError, OSError):
        return None
    if os.path.exists(f"/proc/self/fd/{number}"):
        return number
    os.close(number)
    return None


def sha256_of(path: PathLike) -> str:
    """The SHA-256 of a file, in hex."""
    return digest_of(path, hashlib.sha256())


def digest_of(path: PathLike, begun: Any) -> str:
    """One of hashlib's digests of a file, in hex, after what it has begun with."""
    with open(path, "rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            begun.update(chunk)
    return begun.hexdigest()
