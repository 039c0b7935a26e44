"""Files are written whole or not at all."""
import contextlib
import os
import secrets
from pathlib import Path


@contextlib.contextmanager
def atomic(path):
    """Give a path to write to; what is written there takes the name `path` when the block ends well.

    Whatever stood there before stays as it was until that moment, and stays for good if the block fails. On Linux
    the path given is that of a file without a name, of which nothing is left even when the process is killed; its
    name says nothing, so that the writer must know the format.
    """
    path = Path(path)
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
                os.link(source, path, src_dir_fd=unnamed)       # only with a src_dir_fd does Python follow the link
                return
            os.link(source, temporary, src_dir_fd=unnamed)      # whole already, if the process is killed here
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    finally:
        if unnamed is not None:
            os.close(unnamed)


def _to_disk(path):
    """Wait until the file's content is on the disk, so that no power cut leaves its name without it."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _unnamed_file(folder):
    """The number of an open file in the folder that has no name yet; None where the system knows no such thing."""
    try:
        number = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o666)
    except (AttributeError, OSError):
        return None
    if os.path.exists(f"/proc/self/fd/{number}"):
        return number
    os.close(number)
    return None
