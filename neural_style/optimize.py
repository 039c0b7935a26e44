"""The loop: an optimiser moves the image down the objective, one Step record per epoch."""
import time
from collections import namedtuple

import numpy as np

from .errors import NeuralStyleError
from .find_mxnet import mx

# epoch counts from 1; eps is the relative change of the image; losses are the unweighted sums of squares before
# the update, gradient_norm the norm before clipping; seconds since the start; image is the live NDArray;
# finished is true where eps fell below the bound.
Step = namedtuple("Step", ["epoch", "eps", "losses", "gradient_norm", "seconds", "image", "finished"])


class Diverged(NeuralStyleError):
    """The numbers are no longer finite; image is the last one that was good, or None."""

    def __init__(self, message, image=None):
        super().__init__(message)
        self.image = image


def nag(lr, delay, factor):
    """Nesterov's accelerated gradient as the reference sets it; lr is multiplied by factor every delay epochs."""
    schedule = mx.lr_scheduler.FactorScheduler(step=delay, factor=factor, base_lr=lr)
    return mx.optimizer.NAG(learning_rate=lr, momentum=0.95, wd=0.0001, lr_scheduler=schedule)


def descend(objective, image, optimizer, max_epochs, stop_eps):
    """Yield a Step per epoch, until max_epochs or until the image's relative change falls below stop_eps.

    image, an NDArray, is changed in place.
    """
    state = optimizer.create_state(0, image)
    before, start = None, time.monotonic()
    for epoch in range(1, max_epochs + 1):
        losses, gradient, norm = objective(image)
        if not np.isfinite([*losses, norm]).all():
            raise Diverged(f"the loss is no longer finite in epoch {epoch}; lower --lr or the weights", before)
        before = image.copy()
        optimizer.update(0, image, gradient, state)
        eps = float((mx.nd.norm(before - image) / mx.nd.norm(image)).asscalar())
        if not np.isfinite(eps):
            raise Diverged(f"the image is no longer finite after epoch {epoch}; lower --lr", before)
        finished = eps < stop_eps
        yield Step(epoch, eps, losses, norm, time.monotonic() - start, image, finished)
        if finished:
            return
