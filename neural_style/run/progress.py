"""Progress while a run goes on: a bar on a terminal, a line per epoch in the log elsewhere."""
import logging
import sys
from collections import deque

log = logging.getLogger("neural_style")

RECENT = 20     # epochs whose pace tells the time left


class Progress:
    """Shows one Step after the other, its losses weighted as the objective weights them; lines every n epochs.

    A run that goes on has some epochs done already.
    """

    def __init__(self, epochs, objective, every=1, done=0):
        self._epochs, self._objective, self._every = epochs, objective, every
        self._bar = self.last = None
        self._recent = deque(maxlen=RECENT)
        if sys.stderr is not None and sys.stderr.isatty() and log.isEnabledFor(logging.INFO) and not log.isEnabledFor(logging.DEBUG):
            from tqdm import tqdm
            self._bar = tqdm(total=epochs, initial=done, unit="epoch", dynamic_ncols=True,
                             bar_format="{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}{postfix}]")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self._bar is not None:
            self._bar.close()

    def show(self, step):
        self.last = step
        self._recent.append((step.epoch, step.seconds))
        kinds = self._objective.by_kind(step.losses)
        if self._bar is not None:
            self._bar.set_postfix_str(f"eps {step.eps:.5f}, " + _listed(kinds, "{:.3g}"), refresh=False)
            self._bar.update()
        elif step.epoch % self._every == 0 or step.epoch in (1, self._epochs) or step.finished:
            log.info("epoch %d/%d, eps %.6f, %s, %s, at most %s left", step.epoch, self._epochs, step.eps,
                     _listed(kinds, "{:.4g}"), duration(step.seconds), duration(self._left(step)))
            log.debug("  %s", _listed(dict(zip(self._objective.names, step.losses * self._objective.weights)), "{:.4g}"))


    def _left(self, step):
        """Seconds until the last epoch, at the pace of the recent ones: the first is slower than the rest."""
        epoch, seconds = self._recent[0] if len(self._recent) > 1 else (0, 0)
        return (step.seconds - seconds) / (step.epoch - epoch) * (self._epochs - step.epoch)


def duration(seconds):
    """Seconds as a person says them: 42 s, 3 min 5 s, 2 h 10 min."""
    minutes, left = divmod(round(seconds), 60)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours else f"{minutes} min {left} s" if minutes else f"{left} s"


def _listed(numbers, form):
    return ", ".join(f"{name} {form.format(number)}" for name, number in numbers.items())
