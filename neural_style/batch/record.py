"""batch.json: the outcome of every pair ever asked for in a folder, written whole each time.

Anyone may have made the file that is found there, so every field of it is checked before it is used.
"""
import json
import math
import os
from pathlib import Path
from typing import NamedTuple, Optional, Union, get_args, get_type_hints

from ..system.errors import UsageError
from ..system.files import atomic

RECORD = "batch.json"
LARGEST = 64_000_000        # bytes: more than a hundred thousand pairs take
DONE, FAILED, WAITING = OUTCOMES = "done", "failed", "waiting"


class Entry(NamedTuple):
    """What is known of a pair."""
    content: str
    style: str
    output: str
    outcome: str
    fingerprint: Optional[str] = None       # of all that the picture depends on
    error: Optional[str] = None
    epochs: Optional[int] = None
    eps: Union[int, float, None] = None
    seconds: Union[int, float, None] = None
    host: Optional[str] = None


TYPES = {name: get_args(hint) or (hint,) for name, hint in get_type_hints(Entry).items()}


class Record:
    """The entries of a folder, by the names of their outputs."""

    def __init__(self, folder):
        self._folder = Path(folder)
        self.path = self._folder / RECORD
        try:
            self.entries = {entry.output: entry for entry in self._read()} if self.path.exists() else {}
        except (OSError, ValueError, RecursionError) as error:
            reason = "too deeply nested" if isinstance(error, RecursionError) else error
            raise UsageError(f"{self.path} is not the record of a batch ({reason}); delete it to paint all pairs "
                             "again, or take another --output") from error

    def _read(self):
        if not self.path.is_file():
            raise ValueError("not a file")
        if self.path.stat().st_size > LARGEST:
            raise ValueError(f"larger than {LARGEST // 10 ** 6} MB")
        found = json.loads(self.path.read_text(encoding="utf-8"), parse_int=_number, parse_float=_number, parse_constant=_number)
        if not isinstance(found, dict) or not isinstance(found.get("pairs"), list):
            raise ValueError("no list of pairs")
        return [_checked(row, number) for number, row in enumerate(found["pairs"], 1)]

    def expect(self, pairs):
        """Make room for the pairs of a run, and forget what others have left no picture of."""
        own = {pair.output: self.entries.get(pair.output) or Entry(*pair, WAITING) for pair in pairs}
        others = {name: entry for name, entry in self.entries.items()
                  if name not in own and entry.outcome == DONE and self._has(name)}
        self.entries = {**others, **own}
        self._write()

    def is_done(self, pair, fingerprint):
        """Whether the picture of a pair is there and still what its fingerprint says."""
        entry = self.entries.get(pair.output)
        return entry is not None and (entry.outcome, entry.fingerprint) == (DONE, fingerprint) and self._has(pair.output)

    def put(self, entry):
        """Write down what has come of a pair."""
        self.entries[entry.output] = entry
        self._write()

    def _has(self, name):
        return os.path.isfile(self._folder / name)

    def _write(self):
        text = json.dumps({"pairs": [entry._asdict() for entry in self.entries.values()]}, indent=1)
        with atomic(self.path) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")


def _number(text):
    """A number of JSON: of few digits, since converting many takes long, and finite."""
    value = float(text) if len(text) < 100 else math.nan
    if not math.isfinite(value):
        raise ValueError("a number out of range")
    return value if not text.lstrip("-").isdigit() else int(text)


def _checked(row, number):
    """The Entry that a row of the file stands for."""
    if not isinstance(row, dict):
        raise ValueError(f"pair {number} is no object")
    entry = Entry(**{name: row.get(name) for name in TYPES})
    right = {name: type(value) in TYPES[name] for name, value in entry._asdict().items()}
    if all(right.values()):
        right = {"content": _is_path(entry.content), "style": _is_path(entry.style), "output": _is_name(entry.output),
                 "outcome": entry.outcome in OUTCOMES}
    for name in (name for name, fine in right.items() if not fine):
        raise ValueError(f"pair {number} has a wrong {name}")
    return entry


def _is_path(text):
    """Whether a text is the absolute path of a file as the system takes it."""
    try:
        return os.path.isabs(text) and b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def _is_name(text):
    """Whether a text is the plain name of a file."""
    return text not in ("", ".", "..") and not set(text) & set("/\\") and _is_path(f"/{text}")
