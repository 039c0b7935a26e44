"""batch.json: the outcome of every pair ever asked for in a folder."""

import os
from pathlib import Path
from typing import List, NamedTuple, Optional, Union

from ..saved import checks, records
from .pairs import Pair

RECORD = "batch.json"
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


FIELDS = {
    "content": checks.is_absolute,
    "style": checks.is_absolute,
    "output": checks.is_name,
    "outcome": checks.one_of(*OUTCOMES),
    **dict.fromkeys(("fingerprint", "error", "host"), checks.optional(checks.is_text)),
    "epochs": checks.optional(checks.is_count),
    **dict.fromkeys(("eps", "seconds"), checks.optional(checks.is_number)),
}


class Record:
    """The entries of a folder by output, in step with the file, which is always complete."""

    def __init__(self, folder: Path) -> None:
        self._folder = Path(folder)
        self.path = self._folder / RECORD
        self.entries = self._read()

    def _read(self):
        """The entries in the file; none if it is not there."""
        if not os.path.lexists(self.path):
            return {}
        remedy = "delete it to paint all pairs again, or choose another --output"
        with records.distrusting(self.path, "the record of a batch", remedy):
            rows = records.read(self.path)
            if not isinstance(rows, dict) or not isinstance(rows.get("pairs"), list):
                raise ValueError("no list of pairs")
            for number, row in enumerate(rows["pairs"], 1):
                checks.demand(FIELDS, row, f"pair {number}")
            entries = [Entry(**{name: row.get(name) for name in FIELDS}) for row in rows["pairs"]]
            return {entry.output: entry for entry in entries}

    def expect(self, pairs: List[Pair]) -> None:
        """Add the pairs of a run, and drop others that have no picture."""
        self.entries = self._read()  # another batch may have ended meanwhile
        expected = {pair.output: self.entries.get(pair.output) or Entry(*pair, WAITING) for pair in pairs}
        others = {name: entry for name, entry in self.entries.items() if name not in expected}
        done = {name: entry for name, entry in others.items() if entry.outcome == DONE and self._has(name)}
        self.entries = {**done, **expected}
        self._write()

    def is_done(self, pair: Pair, fingerprint: str) -> bool:
        """Whether the pair's picture is there and made from what the fingerprint stands for."""
        entry = self.entries[pair.output]
        return (entry.outcome, entry.fingerprint) == (DONE, fingerprint) and self._has(pair.output)

    def put(self, entry: Entry) -> None:
        """Record an entry, and write the file."""
        self.entries[entry.output] = entry
        self._write()

    def _has(self, name):
        return os.path.isfile(self._folder / name)

    def _write(self):
        records.write(self.path, {"pairs": [entry._asdict() for entry in self.entries.values()]})
