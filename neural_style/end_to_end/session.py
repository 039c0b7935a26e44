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
from ..system.files import refuse_to_replace, sha256_of
from . import network, training
from .photographs import Photographs
from .state import Settings
from .state import save as save_state

log = logging.getLogger("neural_style")

LINES_EVERY = 50  # steps, where there is no bar
FLAG_OF = {"begin_with": "--from", "rate": "--lr"}  # of settings that are not called like their flags


def run(settings: Settings, args: Namespace, saved: Any = None, on_step: Optional[Callable] = None) -> Optional[int]:
    """Train, or continue from what state.resumed() returns; on_step gets every TrainingStep. Returns the exit code."""
    settings, args = settings.complete(), complete(args)
    _prepare(Path(settings.output), replaces=saved or args.overwrite)
    with locked(settings.output, f"training {settings.output}", "name another --output"):
        _Session(settings, args, saved, on_step).run()
    return 0


class _Session:
    """One training at work: what it learns from, what it saves and shows, and whether it was asked to stop."""

    def __init__(self, settings: Settings, args: Namespace, saved: Any, tell: Optional[Callable]) -> None:
        self.settings, self.args, self.tell, self.output = settings, args, tell, Path(settings.output)
        self.photographs = Photographs(settings.photos, args.max_long_edge, settings.crop)
        self.digest = _digest(args, self.photographs)
        self.since, self.history, digest = saved or (None, [], self.digest)  # type: Any, Any, Any
        if digest != self.digest:
            raise UsageError(f"--resume {settings.output}: the style or the photographs have changed since it began")
        self.device, self.shown = context(args.gpu), [picture.pixels for picture in self.photographs.shown]
        done = self.since.step if self.since else 0
        steps = [
            (step, _numbered(self.output, step)) for step in range(settings.save_every, done + 1, settings.save_every)
        ]
        self.pictures = [(step, path) for step, path in steps if path.exists()]

    def run(self):
        """Train to the end."""
        settings, args, photographs = self.settings, self.args, self.photographs
        begin_with = self._begin_with()
        known = begin_with or (network.load(self.output) if self.since else None)
        self.seed = known.about.seed if known else args.seed or 0
        others = f"; {len(self.shown)} others show the progress" if photographs.are_apart else ""
        where = in_words(self.device, args.gpu)
        log.info("learning from %d photographs on %s%s", len(photographs), where, others)
        objective = training.objective_for(args, settings.crop, self.device)
        self.parts = training.start(settings, args, begin_with, self.device)
        name = "held-out photographs" if photographs.are_apart else "photographs"
        self.page = _page(settings, args, self.shown, name, self.device)
        done, bar = self.since.step if self.since else 0, log.getEffectiveLevel() == logging.INFO
        with Progress(settings.steps, "step", done, bar=bar) as self.progress, interrupt.waiting("step") as self.asked:
            training.train(self.parts, objective, photographs, settings, args, self.on_step, self.since)
        how = f"python -m neural_style.end_to_end paint --network {self.output} PHOTO"
        log.info("the network is %s: paint with `%s`", self.output, how)

    def _begin_with(self):
        """The Network that a new training starts from, or None."""
        name, kind = self.settings.begin_with, self.settings.generator
        begin_with = network.load(name, "--from ") if name and not self.since else None
        other = begin_with.about.generator if begin_with else kind
        if other != kind:
            raise UsageError(f"--from {name} is a {other} network; add --generator {other}")
        return begin_with

    def on_step(self, step):
        """Report a step, save if it is time for that, and stop if asked to."""
        settings, last = self.settings, step.step == self.settings.steps
        self.progress.step(step.seconds, [f"{name} {value:.3g}" for name, value in step.losses.items()])
        self.history.append(EpochRecord(step.step, math.nan, sum(step.losses.values()), step.seconds, step.losses))
        if self.progress.bar is None and step.step % LINES_EVERY == 0:
            losses = ", ".join(f"{name} {value:.4g}" for name, value in step.losses.items())
            times = f"{duration(step.seconds)}, {duration(self.progress.left())} left"
            log.info("step %d/%d, %s, %s", step.step, settings.steps, losses, times)
        if self.tell:
            self.tell(step)
        if last or self.asked or step.step % settings.save_every == 0:
            state = training.state_of(self.parts, step.step, step.seconds)
            self.save(state, "finished" if last else "stopped" if self.asked else "running")
        if self.asked and not last:
            to_resume = terminal.command("neural_style.end_to_end", "train", "--resume", settings.output)
            so_far = f"stopped after step {step.step}; the network so far is {self.output}"
            raise interrupt.Interrupted(f"{so_far}; to continue: {to_resume}", self.asked[0])

    def save(self, state, status):
        """Save the network of a TrainingState, the state, and the held-out photographs painted by it."""
        settings, size = self.settings, self.args.max_long_edge
        about = network.About(
            settings.generator, size, _described(settings, self.args, self.photographs, state), seed=self.seed
        )
        trained = network.Network(about, state.arrays)
        painted = _painted(trained, self.shown, size)  # raises, before a good network is replaced
        network.save(self.output, trained)
        save_state(settings, self.args, self.digest, self.history, state)
        if painted:
            path = _numbered(self.output, state.step)
            images.save_picture(_row(painted), path)
            self.pictures = [known for known in self.pictures if known[1] != path] + [(state.step, path)]
        if self.page:
            self.page.write(self.history, self.pictures, status, state.seconds, settings.steps)


def _prepare(output, replaces):
    """Make sure, before a long training, that its files can be written and replace no others without being asked to."""
    for path in (output, output.with_suffix(".html"), _numbered(output, 0).parent):
        refuse_to_replace(path, replaces, "name another file, continue with --resume")
    if output.is_dir():
        raise UsageError(f"--output {output} is a folder; name a file in it")
    images.prepare_folder(_numbered(output, 0).parent)


def _numbered(output, step):
    """The picture of the held-out photographs, painted after a step."""
    return output.with_name(f"{output.stem}_steps") / f"{step}.jpg"


def _row(pictures, height=300):
    """(H, W, 3) pictures side by side at one height."""
    widths = [round(pixels.shape[1] * height / pixels.shape[0]) for pixels in pictures]
    return np.hstack([images.resized(pixels, (height, width)) for pixels, width in zip(pictures, widths)])


def _painted(trained, shown, size):
    """The held-out photographs, painted; NeuralStyleError if they are not finite, or all of one colour."""
    painted = [trained.paint(images.to_network(pixels, images.content_size(pixels, size))) for pixels in shown]
    if painted and max(np.ptp(picture, (2, 3)).max() for picture in painted) < 1:
        raise NeuralStyleError(training.SATURATED)
    return [images.PostprocessImage(picture) for picture in painted]


def _page(settings, args, shown, name, device):
    if not shown:
        return None
    pixels = _row([pixels if pixels.dtype == "uint8" else (pixels // 256).astype("uint8") for pixels in shown])
    pictures: List[Any] = [("photographs", Picture(name, pixels, None))]
    pictures += [("style", path) for path in style_pictures(args)]
    facts = {
        "generator": settings.generator,
        "crop": f"{settings.crop}x{settings.crop}",
        "seed": args.seed,
        "on": in_words(device),
    }
    facts.update({**machine.versions(), **machine.describe()})
    flags = [
        (FLAG_OF.get(name, "--" + name.replace("_", "-")), value) for name, value in settings._asdict().items() if value
    ]
    flags += [one for one in changed(args) if one[0] != "--style-image"]
    command = " ".join(["python -m neural_style.end_to_end train", *recipes.flag_words(flags)])
    return Report(str(Path(settings.output).with_suffix(".html")), pictures, command, facts, unit="step")


def _described(settings, args, photographs, state):
    """How a network was trained, in words."""
    return (
        f"{', '.join(map(os.path.basename, settings.style))}: {state.step} steps of {settings.steps} in "
        f"{duration(state.seconds)} on {machine.processor() or 'a processor'}, {len(photographs)} photographs, "
        f"crops of {settings.crop} pixels"
    )


def _digest(args, photographs):
    """A digest of the pictures, which shows whether a training is resumed with the same ones."""
    styles = (sha256_of(path) if os.path.isfile(path) else "none" for path in style_pictures(args))
    return hashlib.sha256("".join([*styles, *map(sha256_of, photographs.paths)]).encode()).hexdigest()
