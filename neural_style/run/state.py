"""A run's state on disk, so that it can go on: one file, beside its final picture."""
import hashlib
import io
import json
import os
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

import numpy as np

from .. import __version__
from ..options.flags import FILE, OUTPUT, PICTURE, SESSION, STANDARD_INPUT, attributes, with_paths
from ..system.errors import NeuralStyleError, UsageError
from ..system.files import atomic

NOT_KEPT = ["overwrite", *attributes(SESSION)]


class State(NamedTuple):
    """Where the optimiser is. Everything else about a run follows from its arguments and the epoch."""
    epoch: int
    seconds: float
    image: np.ndarray
    memory: List[np.ndarray]        # what the optimiser remembers
    best: Optional[np.ndarray]      # the best image so far, where that is kept, and its loss
    best_total: float

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
    args: Dict[str, Any]            # the arguments' values by name
    pictures: str                   # a digest of the content and styles
    history: List[EpochRecord]
    state: State
    finished: bool                  # whether the run came to its end by itself


def path_beside(picture):
    """Where the state of the run that makes this final picture lies: .final.jpg.state.npz beside final.jpg."""
    folder, name = os.path.split(picture)
    return Path(folder, f".{name}.state.npz")


def digest(pictures):
    """Tells pictures, arrays in the network's range, from others."""
    told = hashlib.sha256()
    for picture in pictures:
        told.update(repr(picture.shape).encode() + np.ascontiguousarray(picture).tobytes())
    return told.hexdigest()


def save(path, args, pictures, history, state, finished=False):
    """Write a State and what belongs to it; the file that was there before stays until this one is whole."""
    about = {"neural_style": __version__, "args": vars(args), "folder": os.getcwd(), "pictures": pictures,
             "history": history, "finished": finished, "epoch": state.epoch, "seconds": state.seconds, "best_total": state.best_total}
    arrays = {f"memory_{i}": array for i, array in enumerate(state.memory)}
    if state.best is not None:
        arrays["best"] = state.best
    packed = io.BytesIO()       # a zip file that meets a full disk leaves a complaint of its own behind
    np.savez(packed, about=np.frombuffer(json.dumps(about).encode(), "uint8"), image=state.image, **arrays)
    try:
        with atomic(path) as temporary:
            temporary.write_bytes(packed.getbuffer())
    except OSError as error:
        raise NeuralStyleError(f"{path} could not be written: {error.strerror or error}; "
                               "the files that were there are whole") from error


def progress_of(path):
    """The epoch that a state file is of, and how many its run was to have; (0, 0) of a file that cannot be read."""
    try:
        saved = load(path)
    except UsageError:
        return 0, 0
    return saved.state.epoch, 0 if saved.finished else saved.args["max_num_epochs"]


def find(where):
    """The state file of a folder, or the file itself."""
    where = Path(where)
    if where.is_file():
        return where
    found = sorted(where.glob(".*.state.npz"))
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"--resume {where}: there are several runs; name one of {', '.join(map(str, found))}")
    raise UsageError(f"--resume {where}: " + ("there is no run to go on with: a run saves its state with each picture"
                                              if where.exists() else "there is no such folder or file"))


def load(where):
    """The Saved of a folder or state file. Its arguments name the pictures as they are reached from here."""
    path = find(where)
    try:
        with np.load(str(path), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        about = json.loads(arrays["about"].tobytes().decode())
        state = State(about["epoch"], about["seconds"], arrays["image"],
                      [arrays[f"memory_{i}"] for i in range(sum(name.startswith("memory_") for name in arrays))],
                      arrays.get("best"), about["best_total"])
        args, folder, pictures = about["args"], about["folder"], about["pictures"]
        history = [EpochRecord(*row) for row in about["history"]]
        return Saved(_reached(args, folder, path), pictures, history, state, about["finished"])
    except Exception as error:      # a damaged file can be wrong in any way
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not the state of a run"
        raise UsageError(f"--resume {path}: {reason}") from None


def _reached(args, folder, path):
    """args with their paths, which were named in folder, as they are reached now, and the outputs beside the state."""
    def reached(name):
        return name if name == STANDARD_INPUT or folder == os.getcwd() else os.path.join(folder, name)

    for kind in (PICTURE, FILE, OUTPUT):
        args = with_paths(args, kind, reached)
    for name in NOT_KEPT:
        args.pop(name, None)
    if args.get("output"):
        args["output"] = str(path.parent / os.path.basename(args["output"]))
    else:
        args["output_dir"] = str(path.parent)
    return args
