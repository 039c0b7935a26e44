"""batch.json: the outcome of every pair ever asked for in a folder.

The file may come from anyone, so every field is checked before it is used.
"""

import json
import math
import os
from pathlib import Path
from typing import NamedTuple, Optional, Union, get_args, get_type_hints

from ..system.errors import UsageError
from ..system.files import atomic

RECORD = "batch.json"
LARGEST = 64_000_000  # bytes, enough for a hundred thousand pairs
DONE, FAILED, WAITING = OUTCOMES = "done", "failed", "waiting"


class Entry(NamedTuple):
    """What is known about a pair."""

    content: str
    style: str
    output: str
    outcome: str
    fingerprint: Optional[str] = None  # of everything that the picture depends on
    error: Optional[str] = None
    epochs: Optional[int] = None
    eps: Union[int, float, None] = None
    seconds: Union[int, float, None] = None
    host: Optional[str] = None


TYPES = {name: get_args(hint) or (hint,) for name, hint in get_type_hints(Entry).items()}


class Record:
    """The entries of a folder by output, in step with the file, which is always complete."""

    def __init__(self, folder):
        self._folder = Path(folder)
        self.path = self._folder / RECORD
        try:
            self.entries = {entry.output: entry for entry in self._read()} if self.path.exists() else {}
        except (OSError, ValueError, RecursionError) as error:
            reason = "too deeply nested" if isinstance(error, RecursionError) else error
            raise UsageError(
                f"{self.path} is not the record of a batch ({reason}); delete it to paint all pairs again, or "
                "choose another --output"
            ) from error

    def _read(self):
        if not self.path.is_file():
            raise ValueError("not a file")
        if self.path.stat().st_size > LARGEST:
            raise ValueError(f"larger than {LARGEST // 10**6} MB")
        numbers = dict.fromkeys(("parse_int", "parse_float", "parse_constant"), _number)
        found = json.loads(self.path.read_text(encoding="utf-8"), **numbers)
        if not isinstance(found, dict) or not isinstance(found.get("pairs"), list):
            raise ValueError("no list of pairs")
        return [_checked(row, number) for number, row in enumerate(found["pairs"], 1)]

    def expect(self, pairs):
        """Add the pairs of a run, and drop others that have no picture."""
        own = {pair.output: self.entries.get(pair.output) or Entry(*pair, WAITING) for pair in pairs}
        others = {
            name: entry
            for name, entry in self.entries.items()
            if name not in own and entry.outcome == DONE and self._has(name)
        }
        self.entries = {**others, **own}
        self._write()

    def is_done(self, pair, fingerprint):
        """Whether the pair's picture is there and made from what the fingerprint stands for."""
        entry = self.entries[pair.output]
        return (entry.outcome, entry.fingerprint) == (DONE, fingerprint) and self._has(pair.output)

    def put(self, entry):
        """Record an entry, and write the file."""
        self.entries[entry.output] = entry
        self._write()

    def _has(self, name):
        return os.path.isfile(self._folder / name)

    def _write(self):
        text = json.dumps({"pairs": [entry._asdict() for entry in self.entries.values()]}, indent=1)
        with atomic(self.path) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")


def _number(text):
    """A number in JSON, which must be finite; an integer of very many digits would take long to convert."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number out of range")
    return int(text) if text.lstrip("-").isdigit() else value


def _checked(row, number):
    """The Entry in a row of the file."""
    if not isinstance(row, dict):
        raise ValueError(f"pair {number} is not an object")
    entry = Entry(**{name: row.get(name) for name in TYPES})
    for name, value in entry._asdict().items():
        if type(value) not in TYPES[name] or name in CHECKS and not CHECKS[name](value):
            raise ValueError(f"pair {number} has a wrong {name}")
    return entry


def _is_path(text):
    """Whether a text is an absolute path that the system can take."""
    try:
        return os.path.isabs(text) and b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


def _is_name(text):
    """Whether a text is a plain file name."""
    return text not in ("", ".", "..") and not set(text) & set("/\\") and _is_path(f"/{text}")


CHECKS = {"content": _is_path, "style": _is_path, "output": _is_name, "outcome": OUTCOMES.__contains__}
