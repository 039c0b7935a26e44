"""Progress while a run goes on: a bar on a terminal, a line per epoch in the log elsewhere."""
import logging
import sys

log = logging.getLogger("neural_style")


class Progress:
    """Shows one Step after the other; weights turn a step's sums of squares into the weighted losses.

    The last of layers is the content's, the others are the style's.
    """

    def __init__(self, epochs, layers, weights):
        self._epochs, self._layers, self._weights = epochs, layers, weights
        self._bar = None
        if sys.stderr.isatty() and log.isEnabledFor(logging.INFO) and not log.isEnabledFor(logging.DEBUG):
            from tqdm import tqdm
            self._bar = tqdm(total=epochs, unit="epoch", dynamic_ncols=True,
                             bar_format="{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}{postfix}]")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self._bar is not None:
            self._bar.close()

    def show(self, step):
        losses = step.losses * self._weights
        style, content = losses[:-1].sum(), losses[-1]
        if self._bar is not None:
            self._bar.set_postfix_str(f"eps {step.eps:.5f}, style {style:.3g}, content {content:.3g}", refresh=False)
            self._bar.update()
            return
        left = step.seconds / step.epoch * (self._epochs - step.epoch)
        log.info("epoch %d/%d, eps %.6f, style %.4g, content %.4g, %.0f s, at most %.0f s left",
                 step.epoch, self._epochs, step.eps, style, content, step.seconds, left)
        log.debug("  %s", ", ".join(f"{layer} {loss:.4g}" for layer, loss in zip(self._layers, losses)))
