"""A training as the command runs it: its files, its page, its progress."""

import hashlib
import io
import json
import logging
import math
import os
import zipfile
import zlib
from pathlib import Path
from typing import List, NamedTuple

import numpy as np

from .. import __version__, recipes
from ..find_mxnet import context, in_words
from ..options.check import changed, complete
from ..options.flags import BY_ATTRIBUTE, style_pictures
from ..pictures import images
from ..pictures.read import Picture
from ..report.page import Report
from ..run import interrupt
from ..run.progress import Progress, duration
from ..run.state import EpochRecord
from ..system import machine, terminal
from ..system.errors import UsageError
from ..system.files import atomic, sha256_of
from . import network, training
from .generators import GENERATORS, shapes
from .photographs import Photographs

log = logging.getLogger("neural_style")

LINES_EVERY = 50  # steps, where there is no bar
MOST_BYTES = 500_000_000  # of a state's arrays
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

    def complete(self):
        """The settings, with missing values taken from the generator."""
        generator = GENERATORS[self.generator]
        if self.crop % generator.multiple:
            raise UsageError(f"--crop {self.crop}: must be a multiple of {generator.multiple}")
        return self._replace(crop=self.crop or generator.crop, rate=self.rate or generator.rates["learning_rate"])


def path_of_state(output):
    """The path of the training state for this network file."""
    folder, name = os.path.split(output)
    return Path(folder, f".{name}.state.npz")


def run(settings, args, saved=None, on_step=None):
    """Train, or continue from what resumed() returns; on_step gets every TrainingStep. Returns the exit code."""
    own, args, tell = settings.complete(), complete(args), on_step
    output = Path(own.output)
    _prepare(output, replaces=saved or args.overwrite)
    photographs = Photographs(own.photos, args.max_long_edge, own.crop)
    digest = _digest(own, args, photographs)
    if saved and saved[2] != digest:
        raise UsageError(f"--resume {own.output}: the style or the photographs have changed since the training began")
    begin_with = network.load(own.begin_with) if own.begin_with and not saved else None
    if begin_with and begin_with.about.generator != own.generator:
        raise UsageError(
            f"--from {own.begin_with} is a {begin_with.about.generator} network; add --generator "
            f"{begin_with.about.generator}"
        )
    device = context(args.gpu)
    log.info(
        "learning from %d photographs on %s%s",
        len(photographs),
        in_words(device, args.gpu),
        f"; {len(photographs.shown)} others show the progress" if photographs.are_apart else "",
    )
    objective = training.objective_for(args, own.crop, device)
    parts = training.start(own, args, begin_with, device)
    state, history = saved[:2] if saved else (None, [])
    shown = [pictures.pixels for pictures in photographs.shown]
    page = _page(own, args, shown, "held-out photographs" if photographs.are_apart else "photographs", device)
    pictures = [
        (step, _numbered(output, step))
        for step in range(own.save_every, (state.step if state else 0) + 1, own.save_every)
    ]
    pictures = [(step, path) for step, path in pictures if path.exists()]

    def save(state, status):
        trained = network.Network(
            network.About(own.generator, args.max_long_edge, _described(own, args, photographs, state)), state.arrays
        )
        network.save(output, trained)
        _save_state(path_of_state(own.output), own, args, digest, history, state)
        if shown:
            path = _numbered(output, state.step)
            images.save_picture(_painted(trained, shown, args.max_long_edge), path)
            pictures[:] = [known for known in pictures if known[1] != path] + [(state.step, path)]
        if page:
            page.write(history, pictures, status, state.seconds, own.steps)

    def on_step(step):
        progress.step(step.seconds, [f"{name} {value:.3g}" for name, value in step.losses.items()])
        history.append(EpochRecord(step.step, math.nan, sum(step.losses.values()), step.seconds, step.losses))
        if progress.bar is None and step.step % LINES_EVERY == 0:
            log.info(
                "step %d/%d, %s, %s, %s left",
                step.step,
                own.steps,
                ", ".join(f"{name} {value:.4g}" for name, value in step.losses.items()),
                duration(step.seconds),
                duration(progress.left()),
            )
        last = step.step == own.steps
        if tell:
            tell(step)
        if last or step.step % own.save_every == 0 or asked:
            save(
                training.state_of(parts, step.step, step.seconds),
                "finished" if last else "stopped" if asked else "running",
            )
        if asked and not last:
            to_resume = terminal.command("neural_style.end_to_end", "train", "--resume", own.output)
            raise interrupt.Interrupted(
                f"stopped after step {step.step}; the network so far is {output}; to continue: {to_resume}", asked[0]
            )

    since = state.step if state else 0
    with Progress(own.steps, "step", since, bar=log.getEffectiveLevel() == logging.INFO) as progress, interrupt.waiting(
        "step"
    ) as asked:
        training.train(parts, objective, photographs, own, args, on_step, state)
    log.info(
        "the network is %s: paint with `python -m neural_style.end_to_end paint --network %s PHOTO`", output, output
    )
    return 0


def _prepare(output, replaces):
    """Make sure, before a long training, that its files can be written and replace no others without being asked to."""
    for path in (output, output.with_suffix(".html"), _numbered(output, 0).parent):
        if path.exists() and not replaces:
            raise UsageError(
                f"--output {output}: {path} already exists; name another file, continue with --resume, or replace "
                "it with --overwrite"
            )
    if output.is_dir():
        raise UsageError(f"--output {output} is a folder; name a file in it")
    images.prepare_folder(_numbered(output, 0).parent)


def _numbered(output, step):
    """The picture of the held-out photographs, painted after a step."""
    return output.with_name(f"{output.stem}_steps") / f"{step}.jpg"


def _row(pictures, height=300):
    """(H, W, 3) pictures side by side at one height."""
    return np.hstack(
        [images.resized(pixels, (height, round(pixels.shape[1] * height / pixels.shape[0]))) for pixels in pictures]
    )


def _painted(trained, shown, size):
    """The held-out photographs, painted, side by side."""
    return _row(
        [
            images.PostprocessImage(trained.paint(images.to_network(pixels, images.content_size(pixels, size))))
            for pixels in shown
        ]
    )


def _page(own, args, shown, name, device):
    if not shown:
        return None
    pixels = _row([pixels if pixels.dtype == "uint8" else (pixels // 256).astype("uint8") for pixels in shown])
    pictures = [("photographs", Picture(name, pixels, None)), *(("style", path) for path in style_pictures(args))]
    facts = {
        "generator": own.generator,
        "crop": f"{own.crop}x{own.crop}",
        "seed": args.seed,
        "on": in_words(device),
        **machine.versions(),
        **machine.describe(),
    }
    words = [
        "python -m neural_style.end_to_end train",
        *recipes.flag_words(_asked(own)),
        *recipes.flag_words([one for one in changed(args) if one[0] != "--style-image"]),
    ]
    return Report(str(Path(own.output).with_suffix(".html")), pictures, " ".join(words), facts, unit="step")


def _asked(own):
    """[(flag, value)] of the training's own arguments."""
    flags = {
        "--style": own.style,
        "--photos": own.photos,
        "--output": own.output,
        "--generator": own.generator,
        "--steps": own.steps,
        "--crop": own.crop,
        "--save-every": own.save_every,
        "--from": own.begin_with,
        "--lr": own.rate,
    }
    return [(flag, value) for flag, value in flags.items() if value]


def _described(own, args, photographs, state):
    """How a network was trained, in words."""
    return (
        f"{', '.join(map(os.path.basename, own.style))}: {state.step} steps of {own.steps} in "
        f"{duration(state.seconds)} on {machine.processor() or 'a processor'}, {len(photographs)} photographs, "
        f"crops of {own.crop} pixels"
    )


def _digest(own, args, photographs):
    """A digest of the pictures, which shows whether a training is resumed with the same ones."""
    found = hashlib.sha256()
    for path in style_pictures(args):
        found.update(sha256_of(path).encode() if os.path.isfile(path) else b"none")
    for path in photographs.paths:
        found.update(sha256_of(path).encode())
    return found.hexdigest()


def _save_state(path, own, args, digest, history, state):
    about = {
        "neural_style": __version__,
        "settings": own._asdict(),
        "args": vars(args),
        "digest": digest,
        "step": state.step,
        "seconds": state.seconds,
        "history": [[row.total, row.seconds, row.losses] for row in history],
    }
    arrays = {f"array:{name}": array for name, array in state.arrays.items()}
    arrays.update({f"memory:{i}:{name}": array for name, own in state.memory.items() for i, array in enumerate(own)})
    packed = io.BytesIO()
    np.savez(packed, about=np.frombuffer(json.dumps(about).encode(), "uint8"), **arrays)
    with atomic(path) as temporary:
        temporary.write_bytes(packed.getbuffer())


def resumed(output):
    """What a state file beside a network's file says: Settings, the arguments, and (TrainingState, history, digest)."""
    path = path_of_state(output)
    broken = UsageError(f"--resume {output}: {path} is missing or cannot be read; there is no training to continue")
    try:
        with zipfile.ZipFile(path) as packed:
            if sum(info.file_size for info in packed.infolist()) > MOST_BYTES:
                raise broken
        with np.load(path, allow_pickle=False) as file:
            about = json.loads(file["about"].tobytes().decode())
            own, args = _settings(about["settings"], output), complete(_Arguments(about["args"]))
            arrays = {name: file[name] for name in file.files if name != "about"}
        state = training.TrainingState(int(about["step"]), float(about["seconds"]), *_sorted(own, arrays))
        history = [
            EpochRecord(
                step, math.nan, float(total), float(seconds), {str(name): float(loss) for name, loss in losses.items()}
            )
            for step, (total, seconds, losses) in enumerate(about["history"], 1)
        ]
        digest = str(about["digest"])
        if (
            not 0 <= state.step <= own.steps
            or len(history) != state.step
            or len({tuple(row.losses) for row in history}) > 1
        ):
            raise ValueError("the history is another's")
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        EOFError,
        OverflowError,
        RecursionError,
        RuntimeError,
        NotImplementedError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise broken from error
    if state.step == own.steps:
        raise UsageError(
            f"--resume {output}: the training is complete; use --from {output} to start another one from it"
        )
    return own, args, (state, history, digest)


def _sorted(own, arrays):
    """The arrays of a state by name, and the optimiser's by parameter: all there, of their shapes, and finite."""
    found, memory, generator = {}, {}, GENERATORS[own.generator]
    for symbol in generator.parts():
        parameters, kept = shapes(symbol, (SMALLEST, SMALLEST))
        for kind, expected in (("arg", parameters), ("aux", kept)):
            for name, shape in expected.items():
                found[f"{kind}:{name}"] = _of_shape(arrays[f"array:{kind}:{name}"], shape)
        for name, shape in parameters.items():
            memory[name] = [_of_shape(arrays[f"memory:{i}:{name}"], shape) for i in range(generator.memories)]
    return found, memory


def _of_shape(array, shape):
    if array.shape != shape or array.dtype != np.float32 or not np.isfinite(array).all():
        raise ValueError("not an array of the training")
    return array


def _settings(values, output):
    """The Settings in a state file, with every type checked, for it may come from anywhere; its output is not used."""
    own = Settings(**{**values, "output": output})
    for value, default in zip(own, Settings([""], "")):
        if (
            type(value) is not type(default)
            or isinstance(value, list)
            and not all(isinstance(one, str) for one in value)
        ):
            raise ValueError(f"{value!r}")
    if (
        own.generator not in GENERATORS
        or own.save_every < 1
        or not 0 < own.rate < 1e30
        or not SMALLEST <= own.crop <= LARGEST
        or own.crop % GENERATORS[own.generator].multiple
    ):
        raise ValueError("settings of no training")
    return own


class _Arguments:
    """Arguments from a file, limited to those that are flags."""

    def __init__(self, values):
        self.__dict__.update({name: value for name, value in values.items() if name in BY_ATTRIBUTE})
