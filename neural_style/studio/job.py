"""One job as it is kept: what was asked for and how far it is, in job.json, and a line of JSON for each epoch."""

import contextlib
import dataclasses
import json
from pathlib import Path
from typing import Any, Dict, List, Optional

from ..saved import checks, records
from .wishes import KINDS

QUEUED, RUNNING, PAUSED, STOPPED, DONE, FAILED = "queued", "running", "paused", "stopped", "done", "failed"
OPEN = (QUEUED, RUNNING, PAUSED)
LONGEST = 5_000_000  # bytes of a file of events that are read at a time


@dataclasses.dataclass
class Job:
    """One job: what was asked for, from which its command is made anew, and how far it is."""

    id: int
    kind: str  # a key of KINDS in wishes.py
    title: str
    command: str  # as the page shows it
    output: str  # the picture, film or folder, relative to the studio's folder
    asked: Dict[str, Any]  # what was chosen on the page
    total: int = 0  # epochs, frames or pairs
    status: str = QUEUED
    error: Optional[str] = None
    further: bool = False  # whether it got more epochs than it had
    begun: bool = False
    done: int = 0
    parent: Optional[Dict[str, Any]] = None  # {"job", "epoch"} of the one that it goes on from
    created: float = 0.0
    seconds: float = 0.0  # that it has been worked on
    version: int = 0  # counts the changes, of all jobs together

    @property
    def folder(self) -> str:
        return f"runs/{self.id:04}"

    @property
    def checkpoints(self) -> str:
        return f"{self.folder}/e_%s.jpg"


# What the fields of a job's file must be; its command is not among what is used, but made anew from what was asked for.
CHECKS = {
    "id": checks.is_count,
    "kind": checks.one_of(*KINDS),
    "title": checks.is_text,
    "command": checks.is_text,
    "output": lambda value: checks.is_name(value) and not value.startswith("."),
    "asked": checks.is_object,
    "total": checks.is_count,
    "status": checks.one_of(*OPEN, STOPPED, DONE, FAILED),
    "error": checks.optional(checks.is_text),
    "further": checks.is_flag,
    "begun": checks.is_flag,
    "done": checks.is_count,
    "parent": checks.optional(lambda value: checks.is_object(value) and checks.is_count(value.get("job"))),
    "created": checks.is_number,
    "seconds": checks.is_number,
    "version": checks.is_count,
}


def load(path: Path) -> Job:
    """The job in a file; ValueError or TypeError where it is not one."""
    values = records.read(path)
    checks.demand(CHECKS, values)
    if f"{values['id']:04}" != path.parent.name:
        raise ValueError("it belongs elsewhere")
    return Job(**values)


def new_rows(path: Path, begin: int) -> Any:
    """The complete lines of JSON in a file from a position on, and the position after them."""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        file.seek(begin)
        whole = file.read(LONGEST).rpartition(b"\n")[0]
        rows = []
        for line in whole.split(b"\n"):
            with contextlib.suppress(ValueError):
                rows.append(json.loads(line))
        rows = [row for row in rows if isinstance(row, dict) and type(row.get("epoch")) is int]
        return rows, begin + (len(whole) + 1 if whole else 0)
    return [], begin


def merged(history: List[Dict[str, Any]], new: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    """The history with new epochs; those that were painted a second time replace what was there."""
    for row in new:
        while history and history[-1]["epoch"] >= row["epoch"]:
            history.pop()
        history.append(row)
    return history
