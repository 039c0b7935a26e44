"""Download one file over HTTP, such that the target is always complete and verified.

The bytes are collected in `<target>.part`, where a later call continues; only once they are verified do they replace
the target, in one step.
"""

import contextlib
import functools
import hashlib
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Iterator, Optional, Tuple

from ..system.errors import NeuralStyleError, say
from ..system.files import digest_of, sha256_of
from ..system.types import PathLike

CHUNK = 1 << 14  # the most that a broken connection loses
LIMIT = 1800  # seconds that a download may take
TRANSIENT = {408, 429, 500, 502, 503, 504}


class Unreachable(NeuralStyleError):
    """No server answered at all, or not in time, so there is no point in trying other files from it."""


class _Interrupted(Exception):
    """The transfer was interrupted, perhaps temporarily: worth another attempt."""


class _TooLate(Exception):
    """The time that within() gives is over."""


def fetch(
    url: str,
    target: PathLike,
    *,
    git_blob: Optional[str] = None,
    sha256: Optional[str] = None,
    size: Optional[int] = None,
    largest: int = 10**9,
    attempts: int = 4,
    timeout: Tuple[float, float] = (10, 30),
    limit: float = LIMIT,
    pause: float = 0.5,
    progress: bool = True,
) -> Path:
    """Download url to the file target and return its Path; a target that is already verified is left alone.

    git_blob is the SHA-1 that git gives the file, size its length in bytes; if that is unknown, it has at most largest.
    The download is given up after so many attempts without new bytes, with pauses of pause, 2·pause, … seconds, or
    after limit seconds in all. timeout is (for connecting, between two reads). progress shows it on standard error.
    """
    target, most = Path(target), largest if size is None else size
    part, verifiable = target.with_name(target.name + ".part"), bool(git_blob or sha256)
    complaint = functools.partial(_complaint, git_blob=git_blob, sha256=sha256, size=size, most=most)
    if verifiable and target.is_file() and not complaint(target):
        return target
    if not verifiable:  # a part left by the download of another file would go unnoticed
        part.unlink(missing_ok=True)
    continued = part.exists()
    with within(limit, url):
        arrived = _transfer(url, part, most, attempts, timeout, pause, progress)
        if continued and complaint(part):
            part.unlink()
            arrived = _transfer(url, part, most, attempts, timeout, pause, progress)
    wrong = complaint(part)
    if wrong:
        part.unlink()
        remedy = "Nothing was changed; try again later, or use another source"
        raise NeuralStyleError(f"{url} is not the expected {target.name}: {wrong}; {arrived} arrived. {remedy}")
    os.replace(part, target)
    return target


@contextlib.contextmanager
def within(seconds: float, what: str) -> Iterator[None]:
    """Stop the block after so many seconds; works only in the main thread, because it uses a signal."""

    def give_up(*_):
        raise _TooLate

    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return
    handler, timer = signal.signal(signal.SIGALRM, give_up), signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except _TooLate:
        raise Unreachable(f"{what} was given up after {seconds:g} seconds") from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, handler)


def git_blob_of(path: PathLike) -> str:
    """The name that git gives to a file's content: the SHA-1 of a header and the bytes, in hex."""
    return digest_of(path, hashlib.sha1(b"blob %d\0" % os.path.getsize(path)))


def _complaint(path, git_blob, sha256, size, most):
    """What is wrong with the file, or None if nothing is."""
    length = path.stat().st_size
    if length > most or size not in (None, length):
        return f"it has {length} bytes instead of {size}" if size else f"it has more than {most} bytes"
    for name, expected, digest in (("SHA-1 (git blob)", git_blob, git_blob_of), ("SHA-256", sha256, sha256_of)):
        if expected and digest(path) != expected:
            return f"its {name} is {digest(path)} instead of {expected}"
    return None


def _transfer(url, part, most, attempts, timeout, pause, progress):
    """Download until part is complete, over as many connections as it takes; returns what arrived, in words."""
    failures, longest = 0, 0
    part.parent.mkdir(parents=True, exist_ok=True)
    while True:
        try:
            return _request(url, part, most, timeout, progress)
        except (_Interrupted, Unreachable) as error:
            # A server that never answered will not do so in a second; one that did may come back.
            if isinstance(error, Unreachable) and longest == 0:
                raise
            length = part.stat().st_size if part.exists() else 0
            failures = 1 if length > longest else failures + 1
            longest = max(longest, length)
            if failures >= attempts:
                kept = f"; the {length} bytes so far are kept in {part} for the next attempt" if length else ""
                raise NeuralStyleError(f"{url} could not be downloaded: {error}{kept}") from error
            time.sleep(pause * 2 ** (failures - 1))


def _request(url, part, most, timeout, progress):
    """One connection: continue part where it ends, or start over if the server does not support that."""
    import requests

    start = part.stat().st_size if part.exists() else 0
    # The length of a compressed response would not be the file's.
    headers = {"Accept-Encoding": "identity", "Range": f"bytes={start}-" if start else None}
    try:
        how = dict(headers=headers, stream=True, timeout=timeout, hooks={"response": _without_body})
        with requests.get(url, **how) as response:
            if response.status_code == 416 and start:
                return "a part that is as long as the file or longer"
            answer = f"the server answers {response.status_code} {response.reason}"
            if response.status_code in TRANSIENT:
                raise _Interrupted(answer)
            if response.status_code not in (200, 206):
                raise NeuralStyleError(f"{url} cannot be fetched: {answer}")
            partial = response.status_code == 206
            if partial and not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
                if start:
                    part.unlink()
                raise _Interrupted("the server continued at another position than it was asked to")
            _receive(response, part, start if partial else 0, most, progress)
            kind = response.headers.get("Content-Type", "").split(";")[0] or "data of no stated type"
            return f"{part.stat().st_size} bytes of {kind}"
    except requests.ConnectTimeout as error:
        raise Unreachable(f"{url} cannot be reached: no connection within {timeout[0]} seconds") from error
    except (requests.RequestException, ValueError) as error:
        raise _meaning(error, url, timeout) from error


def _meaning(error, url, timeout):
    """Translate an exception of requests, which does not distinguish broken, refused and silent connections."""
    import requests

    cause = error.args[0] if error.args else None
    if isinstance(error, requests.Timeout) or "timed out" in str(cause).lower():
        return _Interrupted(f"nothing arrived for {timeout[1]} seconds")
    # Only a connection that was never made carries a reason.
    reason = getattr(cause, "reason", None)
    if isinstance(error, requests.ConnectionError) and reason is not None:
        return Unreachable(f"{url} cannot be reached: {str(reason).split(': ', 1)[-1]}")
    if isinstance(error, (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        return _Interrupted("the connection broke")
    return NeuralStyleError(f"{url} cannot be fetched: {error}")


def _without_body(response, **_):
    """Close a redirection; otherwise requests would read everything that the server sends."""
    if response.is_redirect:
        response.close()


def _receive(response, part, start, most, progress):
    """Write the response to part, starting at byte start; it must be as long as announced."""
    announced = response.headers.get("Content-Length", "")
    end = start + int(announced) if announced.isdecimal() and len(announced) < 20 else None
    with open(part, "r+b" if start else "wb") as file, _shown(response.url, part.stem, start, end, progress) as show:
        file.seek(start)
        for chunk in response.iter_content(CHUNK):
            file.write(chunk)
            show(len(chunk))
            # It cannot be right any more, so there is no need for the rest.
            if file.tell() > most:
                return
        length = file.tell()
    if end is not None and length < end:
        raise _Interrupted(f"it ended after {length} of {end} bytes")


@contextlib.contextmanager
def _shown(url, name, start, end, progress):
    """Show one connection's progress on standard error; yields a function to call with each chunk's length."""
    if progress and sys.stderr is not None and sys.stderr.isatty():
        from tqdm import tqdm

        with tqdm(desc=name, initial=start, total=end, unit="B", unit_scale=True, file=sys.stderr) as bar:
            yield bar.update
        return
    if progress:
        amount = f" ({end / 1e6:.1f} MB)" if end else ""
        begin = f" from byte {start} on" if start else ""
        say(f"fetching {name}{amount}{begin}: {url}")
    yield lambda count: None
