"""Progress: a bar on a terminal, log lines elsewhere, and the time left at the recent pace."""

import logging
import math
import sys
from argparse import Namespace
from collections import deque
from typing import Any, Iterable

log = logging.getLogger("neural_style")

RECENT = 20  # steps whose pace tells the time left
NARROWEST = 10  # columns of the bar itself; notes that would leave less are dropped
WIDE = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}<LEFT{postfix}]"
NARROW = "{bar}| {n_fmt}/{total_fmt} [<LEFT{postfix}]"


class Progress:
    """Counts the steps of something up to a total. Without a terminal bar is None, and the caller prints lines.

    done: the number of steps done earlier. at_once: how many steps are in progress at the same time.
    """

    def __init__(self, total: int, unit: str, done: int = 0, at_once: int = 1, bar: bool = True) -> None:
        self.total, self.done, self._stepped = total, done, 0
        self.bar: Any = None
        self._recent = deque([(-done, 0.0)], RECENT * at_once)
        self._first_is_slow = at_once == 1  # steps that run together end together, so the start counts
        if bar and sys.stderr is not None and sys.stderr.isatty():
            from tqdm import tqdm  # not needed elsewhere

            form = WIDE.replace("LEFT", "?")
            self.bar = tqdm(total=total, initial=done, unit=unit, dynamic_ncols=True, bar_format=form)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *error: Any) -> None:
        if self.bar is not None:
            self.bar.close()

    def skip(self) -> None:
        """Count a step that took no time."""
        self.done += 1
        if self.bar is not None:
            self.bar.update()

    def step(self, seconds: float, notes: Iterable[str] = ()) -> None:
        """Count a step that ended that many seconds after the start; the bar shows the notes that fit."""
        self.done, self._stepped = self.done + 1, self._stepped + 1
        self._recent.append((self._stepped, seconds))
        if self._first_is_slow and self._stepped == 2:
            self._recent.popleft()
        if self.bar is not None:
            self.bar.bar_format, shown = self._fitting(notes)
            self.bar.set_postfix_str(", ".join(shown), refresh=False)
            self.bar.update()

    def left(self) -> float:
        """The seconds until the last step, at the pace of the recent ones."""
        (first, start), (last, end) = self._recent[0], self._recent[-1]
        return (end - start) / (last - first) * (self.total - self.done)

    def _fitting(self, notes):
        """The form, and the first notes, as many as leave the bar its narrowest width: in the narrow form only one."""
        now, left = self.bar.format_dict, self.bar.format_interval(self.left())
        form = WIDE.replace("LEFT", left)
        without = {"n": self.done, "bar_format": form.replace("{bar}", ""), "ncols": None, "postfix": None}
        bare = self.bar.format_meter(**{**now, **without})
        room = (now["ncols"] or math.inf) - len(bare) - NARROWEST
        fitting = [count for count in range(len(notes) + 1) if len(", ".join(["", *notes[:count]])) <= room]
        if not fitting or notes and fitting == [0]:
            return NARROW.replace("LEFT", left), notes[:1]
        return form, notes[: fitting[-1]]


def of_epochs(args: Namespace, done: int = 0) -> Progress:
    """The Progress of a run, which has no bar with --quiet or --verbose."""
    return Progress(args.max_num_epochs, "epoch", done, bar=log.getEffectiveLevel() == logging.INFO)


def show_epoch(progress: Progress, objective: Any, every: int, step: Any) -> None:
    """Show one Step with its weighted losses; without a bar, as a line every `every` epochs."""
    losses = objective.by_kind(step.losses)
    progress.step(step.seconds, [f"eps {step.eps:.5f}", *_listed(losses, ".3g")])
    if progress.bar is None and (step.epoch % every == 0 or step.epoch in (1, progress.total) or step.finished):
        shown = *_listed(losses, ".4g"), duration(step.seconds), f"at most {duration(progress.left())} left"
        log.info("epoch %d/%d, eps %.6f, %s", step.epoch, progress.total, step.eps, ", ".join(shown))
        layers = dict(zip(objective.names, step.losses * objective.weights))
        log.debug("  %s", ", ".join(_listed(layers, ".4g")))


def duration(seconds: float) -> str:
    """Seconds as people write them: 42 s, 3 min 5 s, 2 h 10 min."""
    minutes, left = divmod(round(seconds), 60)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{minutes} min {left} s" if minutes else f"{left} s"


def _listed(numbers, form):
    return [f"{name} {number:{form}}" for name, number in numbers.items()]
