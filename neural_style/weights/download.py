"""Download one file over HTTP, such that the target is always complete and verified.

The bytes are collected in `<target>.part`, where a later call continues; only once they are verified do they replace
the target, in one step.
"""

import contextlib
import hashlib
import os
import sys
import time
from pathlib import Path

from ..system.errors import NeuralStyleError, say
from ..system.files import digest_of
from ..system.types import PathLike

CHUNK = 1 << 14  # the most that a broken connection loses
LARGEST = 10**9  # bytes; what is longer is none of our files
TIMEOUT = 10, 30  # seconds for connecting, and between two reads
ATTEMPTS, PAUSE = 4, 0.5  # without new bytes, and the seconds before the second; each later pause is twice as long
TRANSIENT = {408, 429, 500, 502, 503, 504}


class Unreachable(NeuralStyleError):
    """No server answered at all, so there is no point in trying other files from it."""


class _Interrupted(Exception):
    """The transfer was interrupted, perhaps temporarily: worth another attempt."""


def fetch(url: str, target: PathLike, git_blob: str) -> Path:
    """Download url to the file target and return its Path; a target that is already verified is left alone.

    git_blob is the SHA-1 that git gives the file, which tells its length as well.
    """
    target = Path(target)
    part = target.with_name(target.name + ".part")
    if target.is_file() and git_blob_of(target) == git_blob:
        return target
    continued = part.exists()
    arrived = _transfer(url, part)
    if continued and git_blob_of(part) != git_blob:
        part.unlink()
        arrived = _transfer(url, part)
    found = git_blob_of(part)
    if found != git_blob:
        part.unlink()
        raise NeuralStyleError(
            f"{url} is not the expected {target.name}: its SHA-1 (git blob) is {found} instead of {git_blob}; "
            f"{arrived} arrived. Nothing was changed; try again later, or use another source"
        )
    os.replace(part, target)
    return target


def git_blob_of(path: PathLike) -> str:
    """The name that git gives to a file's content: the SHA-1 of a header and the bytes, in hex."""
    return digest_of(path, hashlib.sha1(b"blob %d\0" % os.path.getsize(path)))


def _transfer(url, part):
    """Download until part is complete, over as many connections as it takes; returns what arrived, in words."""
    failures, longest = 0, 0
    part.parent.mkdir(parents=True, exist_ok=True)
    while True:
        try:
            return _request(url, part)
        except _Interrupted as error:
            length = part.stat().st_size if part.exists() else 0
            failures = 1 if length > longest else failures + 1
            longest = max(longest, length)
            if failures >= ATTEMPTS:
                kept = f"; the {length} bytes so far are kept in {part} for the next attempt" if length else ""
                raise NeuralStyleError(f"{url} could not be downloaded: {error}{kept}") from error
            time.sleep(PAUSE * 2 ** (failures - 1))


def _request(url, part):
    """One connection: continue part where it ends, or start over if the server does not support that."""
    import requests

    start = part.stat().st_size if part.exists() else 0
    # The length of a compressed response would not be the file's.
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={start}-"} if start else {})}
    try:
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            if response.status_code == 416 and start:
                return "a part that is as long as the file or longer"
            answer = f"the server answers {response.status_code} {response.reason}"
            if response.status_code in TRANSIENT:
                raise _Interrupted(answer)
            if response.status_code not in (200, 206):
                raise NeuralStyleError(f"{url} cannot be fetched: {answer}")
            _receive(response, part, start if response.status_code == 206 else 0)
            kind = response.headers.get("Content-Type", "").split(";")[0] or "data of no stated type"
            return f"{part.stat().st_size} bytes of {kind}"
    except requests.ConnectTimeout as error:
        raise Unreachable(f"{url} cannot be reached: no connection within {TIMEOUT[0]} seconds") from error
    except (requests.RequestException, ValueError) as error:
        raise _meaning(error, url) from error


def _meaning(error, url):
    """Translate an exception of requests, which does not distinguish broken, refused and silent connections."""
    import requests

    cause = error.args[0] if error.args else None
    if isinstance(error, requests.Timeout) or "timed out" in str(cause).lower():
        return _Interrupted(f"nothing arrived for {TIMEOUT[1]} seconds")
    # Only a connection that was never made carries a reason.
    reason = getattr(cause, "reason", None)
    if isinstance(error, requests.ConnectionError) and reason is not None:
        return Unreachable(f"{url} cannot be reached: {str(reason).split(': ', 1)[-1]}")
    if isinstance(error, (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        return _Interrupted("the connection broke")
    return NeuralStyleError(f"{url} cannot be fetched: {error}")


def _receive(response, part, start):
    """Write the response to part, starting at byte start; it must be as long as announced."""
    announced = response.headers.get("Content-Length", "")
    end = start + int(announced) if announced.isdecimal() else None
    with open(part, "r+b" if start else "wb") as file, _shown(response.url, part.stem, start, end) as show:
        file.seek(start)
        for chunk in response.iter_content(CHUNK):
            file.write(chunk)
            show(len(chunk))
            if file.tell() > LARGEST:
                return
        length = file.tell()
    if end is not None and length < end:
        raise _Interrupted(f"it ended after {length} of {end} bytes")


@contextlib.contextmanager
def _shown(url, name, start, end):
    """Show one connection's progress on standard error; yields a function to call with each chunk's length."""
    if sys.stderr is not None and sys.stderr.isatty():
        from tqdm import tqdm

        with tqdm(desc=name, initial=start, total=end, unit="B", unit_scale=True, file=sys.stderr) as bar:
            yield bar.update
        return
    amount = f" ({end / 1e6:.1f} MB)" if end else ""
    begin = f" from byte {start} on" if start else ""
    say(f"fetching {name}{amount}{begin}: {url}")
    yield lambda count: None
