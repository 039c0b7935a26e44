"""A training as the command runs it: its files, its page, its progress."""

import hashlib
import logging
import math
import os
from argparse import Namespace
from pathlib import Path
from typing import Any, Callable, List, Optional

import numpy as np

from .. import recipes
from ..find_mxnet import context, in_words
from ..options.check import changed, complete
from ..options.flags import style_pictures
from ..pictures import images
from ..pictures.read import Picture
from ..report.page import Report
from ..run import interrupt
from ..run.progress import Progress, duration
from ..run.state import EpochRecord
from ..saved.locks import locked
from ..system import machine, terminal
from ..system.errors import NeuralStyleError, UsageError
from ..system.files import sha256_of
from . import network, training
from .photographs import Photographs
from .state import Settings
from .state import save as save_state

log = logging.getLogger("neural_style")

LINES_EVERY = 50  # steps, where there is no bar


def run(settings: Settings, args: Namespace, saved: Any = None, on_step: Optional[Callable] = None) -> Optional[int]:
    """Train, or continue from what state.resumed() returns; on_step gets every TrainingStep. Returns the exit code."""
    own, args = settings.complete(), complete(args)
    _prepare(Path(own.output), replaces=saved or args.overwrite)
    with locked(own.output, f"training {own.output}", "name another --output"):
        return _run(own, args, saved, on_step)


def _run(own, args, saved, tell):
    output = Path(own.output)
    photographs = Photographs(own.photos, args.max_long_edge, own.crop)
    digest = _digest(own, args, photographs)
    if saved and saved[2] != digest:
        raise UsageError(f"--resume {own.output}: the style or the photographs have changed since the training began")
    begin_with = network.load(own.begin_with, "--from ") if own.begin_with and not saved else None
    seed = begin_with.about.seed if begin_with else network.load(output).about.seed if saved else args.seed or 0
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
            network.About(own.generator, args.max_long_edge, _described(own, args, photographs, state), seed=seed),
            state.arrays,
        )
        painted = _painted(trained, shown, args.max_long_edge)  # raises, before a good network is replaced
        network.save(output, trained)
        save_state(own, args, digest, history, state)
        if painted:
            path = _numbered(output, state.step)
            images.save_picture(_row(painted), path)
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
    """The held-out photographs, painted; NeuralStyleError if they are not finite, or all of one colour."""
    painted = [trained.paint(images.to_network(pixels, images.content_size(pixels, size))) for pixels in shown]
    if painted and max(np.ptp(picture, (2, 3)).max() for picture in painted) < 1:
        raise NeuralStyleError(training.SATURATED)
    return [images.PostprocessImage(picture) for picture in painted]


def _page(own, args, shown, name, device):
    if not shown:
        return None
    pixels = _row([pixels if pixels.dtype == "uint8" else (pixels // 256).astype("uint8") for pixels in shown])
    pictures: List[Any] = [
        ("photographs", Picture(name, pixels, None)),
        *(("style", path) for path in style_pictures(args)),
    ]
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
