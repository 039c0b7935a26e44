"""The state of a training on disk, from which it can be resumed: one file next to the network's."""

import math
import os
from argparse import Namespace
from pathlib import Path
from typing import Any, Collection, List, NamedTuple, Sequence

from .. import __version__
from ..options.check import complete, refuse_foreign
from ..options.flags import BY_ATTRIBUTE
from ..run.state import EpochRecord
from ..saved import checks, records
from ..system.errors import UsageError
from ..system.types import PathLike
from .generators import GENERATORS, shapes
from .training import TrainingState

SMALLEST, LARGEST = 64, 2048  # pixels of a side of a crop


class Settings(NamedTuple):
    """The arguments of a training, apart from those of its objective, which are the same as a run's."""

    style: List[str]
    output: str
    photos: List[str] = []  # none: those that installed packages bring
    generator: str = "fast"
    steps: int = 4000
    crop: int = 0  # 0 for both: the generator's own
    rate: float = 0.0  # of the first step
    save_every: int = 200
    begin_with: str = ""  # another network

    def complete(self) -> "Settings":
        """The settings, with missing values taken from the generator."""
        generator = GENERATORS[self.generator]
        if self.crop % generator.multiple:
            raise UsageError(f"--crop {self.crop}: must be a multiple of {generator.multiple}")
        return self._replace(crop=self.crop or generator.crop, rate=self.rate or generator.rates["learning_rate"])


FIELDS = {
    "settings": checks.is_object,
    "args": checks.is_object,
    "digest": checks.is_text,
    "step": checks.is_count,
    "seconds": checks.is_number,
    "history": checks.every(checks.is_list),
}
SETTINGS = {
    "style": checks.every(checks.is_text),
    "photos": checks.every(checks.is_text),
    "generator": checks.one_of(*GENERATORS),
    "steps": checks.at_least(1),
    "crop": checks.at_least(SMALLEST, LARGEST),
    "rate": lambda rate: checks.is_number(rate) and 0 < rate < 1e30,
    "save_every": checks.at_least(1),
    "begin_with": checks.is_text,
}
ROW = {"total": checks.is_number, "seconds": checks.is_number, "losses": checks.is_losses}


def path_of_state(output: PathLike) -> Path:
    """The path of the training state for this network file."""
    folder, name = os.path.split(output)
    return Path(folder, f".{name}.state.npz")


def save(settings: Settings, args: Namespace, digest: str, history: Sequence[Any], state: TrainingState) -> None:
    """Write a TrainingState and what belongs to it; an existing file stays until the new one is complete."""
    about: Any = {"neural_style": __version__, "settings": settings._asdict(), "args": vars(args), "digest": digest}
    about.update(
        step=state.step, seconds=state.seconds, history=[[one.total, one.seconds, one.losses] for one in history]
    )
    arrays = {f"array:{name}": array for name, array in state.arrays.items()}
    arrays.update({f"memory:{i}:{name}": array for name, kept in state.memory.items() for i, array in enumerate(kept)})
    records.write_archive(path_of_state(settings.output), about, arrays)


def resumed(output: PathLike, given: Collection[str] = ()) -> Any:
    """What a state file beside a network's says: Settings, the arguments, and (TrainingState, history, digest).

    A model from outside this package must be among the given arguments.
    """
    path = path_of_state(output)
    remedy = "there is no training to continue"
    refusing = records.distrusting(f"--resume {output}: {path}", "that of a training", remedy)
    with refusing, records.archive(path) as (about, arrays):
        checks.demand(FIELDS, about)
        settings = _settings(about["settings"], output)
        args = complete(Namespace(**{name: value for name, value in about["args"].items() if name in BY_ATTRIBUTE}))
        state = TrainingState(about["step"], about["seconds"], *_sorted(settings, arrays))
        history = [EpochRecord(number, math.nan, *row) for number, row in enumerate(about["history"], 1)]
        for row in history:
            checks.demand(ROW, row._asdict(), f"step {row.epoch}")
        if not len(history) == state.step <= settings.steps or len({tuple(row.losses) for row in history}) > 1:
            raise ValueError("its history is another training's")
    refuse_foreign(f"--resume {output}", BY_ATTRIBUTE["model"], args.model, given)
    if state.step == settings.steps:
        raise UsageError(f"--resume {output}: the training is complete; use --from {output} to start another from it")
    return settings, args, (state, history, about["digest"])


def _settings(values, output):
    """The Settings in a state file; its output is not used."""
    checks.demand(SETTINGS, values)
    settings = Settings(**{**values, "output": output})
    if settings.crop % GENERATORS[settings.generator].multiple:
        raise ValueError("it has a wrong crop")
    return settings


def _sorted(settings, arrays):
    """The arrays of a state by name, and the optimiser's by parameter: all there, of their shapes, and finite."""
    known, memory, generator = {}, {}, GENERATORS[settings.generator]
    for symbol in generator.parts():
        for key, shape in shapes(symbol, (SMALLEST, SMALLEST)).items():
            known[key] = checks.of_shape(arrays[f"array:{key}"], shape)
            if key.startswith("arg:"):
                kept = (arrays[f"memory:{i}:{key[4:]}"] for i in range(generator.memories))
                memory[key[4:]] = [checks.of_shape(array, shape) for array in kept]
    return known, memory
