"""A run's state on disk, from which it can be resumed: one file next to its final picture."""

import contextlib
import hashlib
import math
import os
from argparse import Namespace
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence

import numpy as np

from .. import __version__
from ..objective.examples import Pictures
from ..options.check import complete, refuse_foreign
from ..options.flags import BY_ATTRIBUTE, FILE, OUTPUT, PICTURE, SESSION, STANDARD_INPUT, attributes, with_paths
from ..saved import checks, records
from ..system.errors import UsageError
from ..system.types import PathLike

NOT_KEPT = ["overwrite", *attributes(SESSION)]
SERIES = ("memory", "matches")  # fields of a State that are several arrays
OPTIONAL = ("best", "average")  # those that are an array or None
PROGRESS = {"epoch": checks.is_count, "finished": checks.is_flag, "max_num_epochs": checks.is_count}
FIELDS = {
    "args": checks.is_object,
    "folder": checks.is_text,
    "pictures": checks.is_text,
    "history": checks.every(checks.is_list),
    "finished": checks.is_flag,
    "epoch": checks.is_count,
    "seconds": checks.is_number,
    "best_total": lambda value: value == math.inf or checks.is_number(value),
}
ROW = {"eps": checks.is_number, "total": checks.is_number, "seconds": checks.is_number, "losses": checks.is_losses}


class State(NamedTuple):
    """Where the optimiser is. Everything else about a run follows from its arguments and the epoch."""

    epoch: int
    seconds: float
    image: np.ndarray
    memory: List[np.ndarray]  # what the optimiser remembers
    best: Optional[np.ndarray]  # the best image so far, where that is kept, and its loss
    best_total: float
    matches: Sequence[np.ndarray] = ()  # what patches are compared with, see Objective.matches
    average: Optional[np.ndarray] = None  # the image's average over the epochs, where that is asked for

    @property
    def result(self) -> np.ndarray:
        """What the run shows: its image, or the best one or the average where that is asked for."""
        return next(array for array in (self.best, self.average, self.image) if array is not None)


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


def path_beside(picture: PathLike) -> Path:
    """The path of the state of the run with this final picture: .final.jpg.state.npz next to final.jpg."""
    folder, name = os.path.split(picture)
    return Path(folder, f".{name}.state.npz")


def digest(pictures: Pictures) -> str:
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


def save(
    path: PathLike, args: Namespace, pictures: str, history: Sequence[EpochRecord], state: State, finished: bool = False
) -> None:
    """Write a State and what belongs to it; an existing file stays until the new one is complete."""
    about: Dict[str, Any] = {
        "neural_style": __version__,
        "args": vars(args),
        "folder": os.getcwd(),
        "pictures": pictures,
    }
    about.update({name: getattr(state, name) for name in ("epoch", "seconds", "best_total")})
    about.update(history=history, finished=finished)
    arrays = {f"{name}_{i}": array for name in SERIES for i, array in enumerate(getattr(state, name))}
    arrays.update((name, getattr(state, name)) for name in OPTIONAL if getattr(state, name) is not None)
    records.write_archive(path, about, {"image": state.image, **arrays})


def progress_of(path: PathLike) -> Any:
    """A state file's epoch and the number of epochs planned; (0, 0) if the file cannot be read."""
    try:
        with _opened(path) as (about, _):
            checks.demand(PROGRESS, {**about, **about["args"]})
            return about["epoch"], 0 if about["finished"] else about["args"]["max_num_epochs"]
    except UsageError:
        return 0, 0


def states_in(folder: PathLike) -> List[Path]:
    """The states of runs in a folder, without those of trainings, whose networks are .params."""
    paths = Path(folder).glob(".*.state.npz") if os.path.isdir(folder) else ()
    return sorted(path for path in paths if path.is_file() and not path.name.endswith(".params.state.npz"))


def find(where: PathLike) -> Optional[Path]:
    """The state file of a folder, or the file itself."""
    where = Path(where)
    if where.is_file():
        return where
    found = states_in(where)
    if len(found) == 1:
        return found[0]
    why = "there is no run to continue: a run saves its state with each picture"
    if found or not where.exists():
        several = f"there are several runs; name one of {', '.join(map(str, found))}"
        why = several if found else "there is no such folder or file"
    raise UsageError(f"--resume {where}: {why}")


def resume(where: PathLike, given: Mapping[str, Any]) -> Saved:
    """The Saved of a run to resume; a model from outside this package must be among the given arguments."""
    saved = load(where)
    refuse_foreign(f"--resume {where}", BY_ATTRIBUTE["model"], saved.args["model"], given)
    return saved


def load(where: PathLike) -> Saved:
    """The Saved of a folder or state file, with paths that work from the current folder."""
    path = find(where)
    with _opened(path) as (about, arrays):
        checks.demand(FIELDS, about)
        history = [EpochRecord(*row) for row in about["history"]]
        for number, row in enumerate(history, 1):
            checks.demand({**ROW, "epoch": checks.one_of(number)}, row._asdict(), f"epoch {number}")
        if len(history) != about["epoch"]:
            raise ValueError("its history is another run's")
        args = _reached(about["args"], about["folder"], path)
        return Saved(args, about["pictures"], history, _state(about, arrays), about["finished"])


def _state(about, arrays):
    """The State in a file."""
    shape = arrays["image"].shape
    if len(shape) != 4 or shape[:2] != (1, 3) or 0 in shape:
        raise ValueError("its image is none")
    counts = [sum(name.startswith(f"{series}_") for name in arrays.files) for series in SERIES]
    memory, matches = ([arrays[f"{series}_{i}"] for i in range(count)] for series, count in zip(SERIES, counts))
    best, average = (checks.of_shape(arrays[name], shape) if name in arrays.files else None for name in OPTIONAL)
    matches_fit = all(numbers.dtype == np.int32 and numbers.ndim == 1 for numbers in matches)
    if (best is None) != (about["best_total"] == math.inf) or not matches_fit:
        raise ValueError("its arrays do not go together")
    image, *memory = (checks.of_shape(array, shape) for array in (arrays["image"], *memory))
    return State(about["epoch"], about["seconds"], image, memory, best, about["best_total"], matches, average)


@contextlib.contextmanager
def _opened(path):
    """The dict about the run in a state file, and its arrays; any error becomes one line."""
    refusing = records.distrusting(f"--resume {path}: it", "the state of a run", "begin the run anew")
    with refusing, records.archive(path) as (about, arrays):
        yield about, arrays


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
