"""Read and write what is saved: records, which are JSON, and archives, which are arrays with JSON about them.

What is read may come from anyone: it is a regular file, its size is bounded, and so are its numbers and its depth; an
archive's arrays are not compressed. What its fields must be is said in tables, see checks.py.
"""

import contextlib
import io
import json
import math
import os
import stat
import warnings
import zipfile
from typing import Any, BinaryIO, Dict, Iterator, Mapping, Tuple

import numpy as np

from ..system import files
from ..system.errors import UsageError
from ..system.types import Arrays, PathLike

LARGEST_RECORD = 64_000_000  # bytes: a hundred thousand pairs of a batch
LARGEST_ARCHIVE = 16_000_000_000  # the largest picture, with the memory of an optimiser
LARGEST_ARRAY = 2_000_000_000  # a little more than the largest picture


@contextlib.contextmanager
def distrusting(subject: PathLike, what: str, remedy: str) -> Iterator[None]:
    """Whatever goes wrong in the block is a UsageError of one line: subject is not what it should be; the remedy."""
    try:
        with warnings.catch_warnings():  # NumPy warns of odd headers
            warnings.simplefilter("ignore")
            yield
    except OSError as error:
        raise UsageError(f"{subject} cannot be read: {error.strerror or error}; {remedy}") from None
    except Exception as error:  # a damaged file can be wrong in any way
        raise UsageError(f"{subject} is not {what} ({_reason(error)}); {remedy}") from None


def _reason(error):
    if isinstance(error, RecursionError):
        return "too deeply nested"
    if isinstance(error, KeyError):
        return f"without {error}"
    return " ".join(str(error).split())[:200] or type(error).__name__


@contextlib.contextmanager
def opened(path: PathLike, largest: int = LARGEST_RECORD) -> Iterator[BinaryIO]:
    """A regular file, open for reading; ValueError if it is another kind, which might never end, or too large."""
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise ValueError("not a file")
        if about.st_size > largest:
            raise ValueError(f"larger than {largest // 10**6} MB")
        yield file


def parsed(text: str) -> Any:
    """The value of a text of JSON, with numbers that are neither huge nor NaN; infinity alone is a word of its own."""
    return json.loads(text, parse_int=_number, parse_float=_number, parse_constant=_constant)


def _number(text):
    """A finite number; an integer of very many digits would take long to convert."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number out of range")
    return int(text) if text.lstrip("-").isdigit() else value


def _constant(text):
    if text != "Infinity":
        raise ValueError("a number out of range")
    return math.inf


def read(path: PathLike) -> Any:
    """The value in a record."""
    with opened(path) as file:
        return parsed(file.read(LARGEST_RECORD + 1).decode("utf-8"))


@contextlib.contextmanager
def archive(path: PathLike) -> Iterator[Tuple[Dict[str, Any], Mapping[str, np.ndarray]]]:
    """(the dict about the arrays, a mapping that reads an array by its name) of an archive."""
    with opened(path, LARGEST_ARCHIVE) as source:
        with zipfile.ZipFile(source) as packed:
            members = packed.infolist()  # not compressed, so that together they take no more than the file
        if (
            any(member.compress_type or member.file_size > LARGEST_ARRAY for member in members)
            or sum(member.file_size for member in members) > os.fstat(source.fileno()).st_size
        ):
            raise ValueError("compressed arrays")
        source.seek(0)
        file = np.load(source, allow_pickle=False)
        yield parsed(file["about"].tobytes().decode("utf-8")), file


def array(path: PathLike) -> np.ndarray:
    """The array in a file of NumPy's."""
    with opened(path, LARGEST_ARRAY) as file:
        return np.load(file, allow_pickle=False)


def write(path: PathLike, value: Any) -> None:
    """Write a record."""
    files.write(path, json.dumps(value, indent=1).encode() + b"\n")


def write_archive(path: PathLike, about: Dict[str, Any], arrays: Arrays) -> None:
    """Write an archive."""
    packed = io.BytesIO()  # if the disk is full, a zip file prints a complaint of its own
    np.savez(packed, about=np.frombuffer(json.dumps(about).encode(), "uint8"), **arrays)
    files.write(path, packed.getbuffer())
