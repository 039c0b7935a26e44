"""Progress while a run goes on: a bar on a terminal, a line per epoch in the log elsewhere."""
import logging
import sys

log = logging.getLogger("neural_style")


class Progress:
    """Shows one Step after the other, its losses weighted as the objective weights them; lines every n epochs."""

    def __init__(self, epochs, objective, every=1):
        self._epochs, self._objective, self._every = epochs, objective, every
        self._bar = self.last = None
        if sys.stderr is not None and sys.stderr.isatty() and log.isEnabledFor(logging.INFO) and not log.isEnabledFor(logging.DEBUG):
            from tqdm import tqdm
            self._bar = tqdm(total=epochs, unit="epoch", dynamic_ncols=True,
                             bar_format="{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}{postfix}]")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self._bar is not None:
            self._bar.close()

    def show(self, step):
        self.last = step
        kinds = by_kind(self._objective, step.losses)
        if self._bar is not None:
            self._bar.set_postfix_str(f"eps {step.eps:.5f}, " + _listed(kinds, "{:.3g}"), refresh=False)
            self._bar.update()
        elif step.epoch % self._every == 0 or step.epoch in (1, self._epochs) or step.finished:
            left = step.seconds / step.epoch * (self._epochs - step.epoch)
            log.info("epoch %d/%d, eps %.6f, %s, %.0f s, at most %.0f s left",
                     step.epoch, self._epochs, step.eps, _listed(kinds, "{:.4g}"), step.seconds, left)
            weighted = step.losses * self._objective.weights
            log.debug("  %s", _listed(dict(zip(self._objective.names, weighted)), "{:.4g}"))


def by_kind(objective, losses):
    """An evaluation's losses, weighted and summed by kind: {"style": …, "content": …, "image": …}."""
    sums = {}
    for kind, loss in zip(objective.kinds, losses * objective.weights):
        sums[kind] = sums.get(kind, 0.0) + float(loss)
    return sums


def _listed(numbers, form):
    return ", ".join(f"{name} {form.format(number)}" for name, number in numbers.items())
