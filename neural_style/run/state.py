"""A run's state on disk, from which it can be resumed: one file next to its final picture."""

import contextlib
import hashlib
import io
import json
import math
import os
from argparse import Namespace
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

import numpy as np

from .. import __version__
from ..options.check import complete
from ..options.flags import (
    BY_ATTRIBUTE,
    FILE,
    OUTPUT,
    PICTURE,
    SESSION,
    STANDARD_INPUT,
    attributes,
    is_foreign,
    with_paths,
)
from ..system.errors import NeuralStyleError, UsageError
from ..system.files import atomic

NOT_KEPT = ["overwrite", *attributes(SESSION)]
SERIES = ("memory", "matches")  # fields of a State that are several arrays
LARGEST = 2_000_000_000  # bytes of an array: a little more than those of the largest picture


class State(NamedTuple):
    """Where the optimiser is. Everything else about a run follows from its arguments and the epoch."""

    epoch: int
    seconds: float
    image: np.ndarray
    memory: List[np.ndarray]  # what the optimiser remembers
    best: Optional[np.ndarray]  # the best image so far, where that is kept, and its loss
    best_total: float
    matches: Sequence[np.ndarray] = ()  # what patches are compared with, see Objective.matches

    @property
    def result(self):
        """What the run shows: its image, or the best one where that is kept."""
        return self.image if self.best is None else self.best


class EpochRecord(NamedTuple):
    """One epoch of a run's history; losses are weighted: {"style": …, "content": …, "tv": …}."""

    epoch: int
    eps: float
    total: float
    seconds: float
    losses: Dict[str, float]


class Saved(NamedTuple):
    """What a state file holds."""

    args: Dict[str, Any]  # the arguments' values by name
    pictures: str  # a digest of the content and styles
    history: List[EpochRecord]
    state: State
    finished: bool  # whether the run finished by itself


def path_beside(picture):
    """The path of the state of the run with this final picture: .final.jpg.state.npz next to final.jpg."""
    folder, name = os.path.split(picture)
    return Path(folder, f".{name}.state.npz")


def digest(pictures):
    """A digest of every array in Pictures, which tells whether a run is resumed with those that it began with."""
    found = hashlib.sha256()

    def add(value):
        if isinstance(value, np.ndarray):
            found.update(repr(value.shape).encode() + np.ascontiguousarray(value).tobytes())
        elif isinstance(value, (list, tuple)):
            for one in value:
                add(one)

    add(pictures)
    return found.hexdigest()


def save(path, args, pictures, history, state, finished=False):
    """Write a State and what belongs to it; an existing file stays until the new one is complete."""
    about = {
        "neural_style": __version__,
        "args": vars(args),
        "folder": os.getcwd(),
        "pictures": pictures,
        "history": history,
        "finished": finished,
        "epoch": state.epoch,
        "seconds": state.seconds,
        "best_total": state.best_total,
    }
    arrays = {f"{name}_{i}": array for name in SERIES for i, array in enumerate(getattr(state, name))}
    if state.best is not None:
        arrays["best"] = state.best
    packed = io.BytesIO()  # if the disk is full, a zip file prints a complaint of its own
    np.savez(packed, about=np.frombuffer(json.dumps(about).encode(), "uint8"), image=state.image, **arrays)
    try:
        with atomic(path) as temporary:
            temporary.write_bytes(packed.getbuffer())
    except OSError as error:
        raise NeuralStyleError(
            f"{path} could not be written: {error.strerror or error}; the existing files are intact"
        ) from error


def progress_of(path):
    """A state file's epoch and the number of epochs planned; (0, 0) if the file cannot be read."""
    try:
        with _opened(path) as (_, about):
            return int(about["epoch"]), 0 if about["finished"] else int(about["args"]["max_num_epochs"])
    except UsageError:
        return 0, 0


def find(where):
    """The state file of a folder, or the file itself."""
    where = Path(where)
    if where.is_file():
        return where
    found = sorted(path for path in where.glob(".*.state.npz") if path.is_file()) if where.is_dir() else []
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"--resume {where}: there are several runs; name one of {', '.join(map(str, found))}")
    raise UsageError(
        f"--resume {where}: "
        + (
            "there is no run to continue: a run saves its state with each picture"
            if where.exists()
            else "there is no such folder or file"
        )
    )


def resume(where, given):
    """The Saved of a run to resume; a model from outside this package must be among the given arguments."""
    saved = load(where)
    if "model" not in given and is_foreign(saved.args["model"]):
        raise UsageError(
            f"--resume {where}: --model {saved.args['model']} is not part of this package; if you trust "
            "it, repeat it on the command line"
        )
    return saved


def load(where):
    """The Saved of a folder or state file, with paths that work from the current folder."""
    path = find(where)
    with _opened(path) as (file, about):
        memory, matches = (
            [file[f"{series}_{i}"] for i in range(sum(name.startswith(f"{series}_") for name in file.files))]
            for series in SERIES
        )
        state = State(
            about["epoch"],
            about["seconds"],
            file["image"],
            memory,
            file["best"] if "best" in file.files else None,
            about["best_total"],
            matches,
        )
        args = _reached(about["args"], about["folder"], path)
        saved = Saved(
            args, about["pictures"], [EpochRecord(*row) for row in about["history"]], state, about["finished"]
        )
        _check(saved)
        return saved


@contextlib.contextmanager
def _opened(path):
    """The members of a state file, and the dict about the run; any error becomes one line."""
    try:
        with open(path, "rb") as source, np.load(source, allow_pickle=False) as file:
            members = file.zip.infolist()  # not compressed, so that together they take no more than the file
            if (
                any(member.compress_type or member.file_size > LARGEST for member in members)
                or sum(member.file_size for member in members) > path.stat().st_size
            ):
                raise ValueError
            yield file, json.loads(file["about"].tobytes().decode())
    except Exception as error:  # a damaged file can be wrong in any way
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not the state of a run"
        raise UsageError(f"--resume {path}: {reason}") from None


def _check(saved):
    """Raise ValueError unless it is what a run saves."""
    state, rows = saved.state, saved.history
    shape, arrays = state.image.shape, [state.image, *state.memory, *([] if state.best is None else [state.best])]
    numbers = [number for row in rows for number in (row.eps, row.total, row.seconds, *row.losses.values())]
    numbers += [state.seconds] + [state.best_total] * (state.best is not None)
    if not (
        len(shape) == 4
        and shape[:2] == (1, 3)
        and state.image.size
        and all(array.dtype == np.float32 and array.shape == shape and np.isfinite(array).all() for array in arrays)
        and all(numbers.dtype == np.int32 and numbers.ndim == 1 for numbers in state.matches)
        and all(type(number) in (int, float) and math.isfinite(number) for number in numbers)
        and (state.best is None) == (state.best_total == math.inf)
        and {type(row.epoch) for row in rows} <= {int}
        and [row.epoch for row in rows] == list(range(1, state.epoch + 1))
        and type(saved.finished) is bool
        and type(saved.pictures) is str
    ):
        raise ValueError


def _reached(args, folder, path):
    """The checked args, with paths relative to folder made valid here, and outputs next to the state."""

    def reached(name):
        return name if name == STANDARD_INPUT or folder == os.getcwd() else os.path.join(folder, name)

    if not set(args) <= set(BY_ATTRIBUTE):
        raise ValueError
    args = vars(complete(Namespace(**args)))
    for kind in (PICTURE, FILE):
        args = with_paths(args, kind, reached)
    args = with_paths(args, OUTPUT, lambda name: str(path.parent / os.path.basename(os.path.abspath(name))))
    if not args["output"]:
        args["output_dir"] = str(path.parent)
    return {name: value for name, value in args.items() if name not in NOT_KEPT}
