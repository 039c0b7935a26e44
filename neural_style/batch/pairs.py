"""The pairs of a batch, and the names of their results."""

import re
from pathlib import Path
from typing import Any, Iterable, List, NamedTuple, Tuple

from ..pictures.find import Taken
from ..pictures.read import size_of
from ..system.errors import UsageError


class Pair(NamedTuple):
    """A content in a style."""

    content: str  # absolute paths
    style: str
    output: str  # the name of the result in the batch's folder


def name_outputs(sides: List[Tuple[str, str]], folder: Path, ending: str, known: Iterable[Any]) -> List[Pair]:
    """A Pair for each (content, style), with a unique output CONTENT-STYLE.ending.

    known are the entries of batch.json: a pair keeps the name that it had.
    """
    names = {(entry.content, entry.style): entry.output for entry in known}
    inputs = {Path(path) for side in sides for path in side}
    taken = Taken([*names.values(), *(path.name for path in inputs if path.parent == Path(folder))])
    pairs: List[Pair] = []
    for content, style in sides:
        stem = re.sub(r"[%\\]", "_", "-".join(Path(path).stem for path in (content, style)))
        name = names.get((content, style), "")
        if not re.fullmatch(rf"{re.escape(stem)}(-\d+)?\.{re.escape(ending)}", name):  # batch.json may come from anyone
            name = taken.free(stem, ending)
        pairs.append(Pair(content, style, name))
    return pairs


def demand_one_size(frames: List[str]) -> None:
    """Raise UsageError if the frames of a sequence differ in size."""
    known = [("{}x{}".format(*size), path) for size, path in ((size_of(path), path) for path in frames) if size]
    for size, path in known:
        if size != known[0][0]:
            first = " ".join(reversed(known[0]))
            raise UsageError(f"--sequence: {path} is {size} and {first}; all frames must have one size")
