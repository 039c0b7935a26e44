"""The loop: an optimiser moves the image down the objective and reports every move to on_step as a Step."""

import logging
import time
from argparse import Namespace
from typing import Any, Callable, NamedTuple, Optional

import numpy as np

from ..network.architecture import MEANS
from ..objective.coordinates import COORDINATES
from ..objective.objective import Objective
from ..options.optimizers import OPTIMIZERS, setting
from ..system.errors import NeuralStyleError, UsageError
from .state import State

log = logging.getLogger("neural_style")
RANGE = [np.reshape(limit - MEANS, (1, 3, 1, 1)).astype("float32") for limit in (0, 256)]  # of a picture's values


class Step(NamedTuple):
    """One epoch of the loop."""

    epoch: int  # from 1
    eps: float  # the relative change of the image
    losses: np.ndarray  # these three are of the last evaluation: before the update, with L-BFGS after it
    total: float
    gradient_norm: float  # before clipping
    seconds: float  # since the start
    image: Callable[[], np.ndarray]  # gives the image (1, 3, H, W) as it is now, or the best so far if that is kept
    finished: bool  # eps fell below the bound
    state: Callable[[], State]  # gives what is needed to resume from here


def start_state(image: Any) -> State:
    """The State of a run that starts from image, a NumPy array."""
    return State(0, 0.0, image, [], None, np.inf)


class Diverged(NeuralStyleError):
    """The numbers are no longer finite; image is the last good one, from epoch, or None."""

    def __init__(self, message: str, image: Optional[np.ndarray], epoch: int) -> None:
        super().__init__(f"{message}; lower --lr or the weights")
        self.image, self.epoch = image, epoch


class _Finished(Exception):
    """The image hardly changes any longer."""


def minimise(objective: Objective, since: State, args: Namespace, on_step: Callable[[Step], Any]) -> Any:
    """Move the image of a State until epoch args.max_num_epochs or its relative change is below args.stop_eps.

    The State is a start, or what a resumed run goes on from. Calls on_step with every Step; returns the resulting
    image, an array (1, 3, H, W).
    """
    if objective.patches and since.epoch % args.match_every and not since.matches:
        raise UsageError("the saved state lacks the matches of patches; start the run again without --resume")
    objective.matches = since.matches
    image = objective.arrays.of(since.image)
    track = _Track(objective, image, since, args, on_step)
    try:
        if OPTIMIZERS[args.optimizer].mxnet is None:
            _lbfgs(track, image, objective, args)
        else:
            _first_order(track, image, objective, since, args)
    except _Finished:
        pass
    return track.result()


def _first_order(track, image, objective, since, args):
    row, schedule = OPTIMIZERS[args.optimizer], (args.lr, args.lr_sched_delay, args.lr_sched_factor)
    settings = {row.renamed.get(name, name): setting(args, name) for name in row.defaults}
    move, track.memory = objective.arrays.mover(image, row.mxnet, settings, schedule, since.epoch)
    for array, value in zip(track.memory, since.memory):
        objective.arrays.put(array, value)
    for _ in range(since.epoch, args.max_num_epochs):
        track.choose_matches()
        move(track.slope())
        if args.clamp:
            objective.arrays.clamp(image, *RANGE)
        track.moved()


def _lbfgs(track, image, objective, args):
    """L-BFGS; with patches, restarted at each choice of matches, because each choice changes the objective."""
    while track.epoch < args.max_num_epochs:
        epochs = args.max_num_epochs - track.epoch
        if objective.patches:
            epochs = min(epochs, args.match_every - track.epoch % args.match_every)
        track.choose_matches()
        lbfgs = getattr(objective.arrays, "lbfgs", _by_scipy)  # a device's own
        moves = lbfgs(track, image, objective, epochs, args)
        if moves < epochs and not (objective.patches and moves):
            log.info("L-BFGS finds no better image after epoch %d", track.epoch)
            return
        if moves < epochs:
            objective.matches = ()


def _by_scipy(track, image, objective, epochs, args):
    """Run this many epochs; an epoch is an accepted step, which takes little more than one evaluation on average."""
    from scipy.optimize import minimize

    coordinates = COORDINATES[args.coordinates](image.shape)
    last, place = None, None  # type: Any, Any

    def move(flat):
        nonlocal place
        if not np.array_equal(flat, place):  # most steps are accepted where they were evaluated last
            image[:], place = coordinates.image(flat), flat.copy()

    def evaluate(flat):
        nonlocal last
        move(flat)
        try:
            evaluation = track.evaluate()
        except Diverged:
            if last is None:
                raise
            return 10 * abs(last[0]) + 1, last[1]  # a trial step too far meets a wall and is shortened
        last = evaluation.total, coordinates.slope(objective.arrays.values(evaluation.gradient))
        return last

    def accepted(flat):
        move(flat)
        track.moved()

    start = coordinates.of(objective.arrays.values(image))
    options = {"maxiter": epochs, "maxfun": 20 * epochs, "maxcor": coordinates.pairs, "ftol": 0, "gtol": 0}
    answer = minimize(evaluate, start, jac=True, method="L-BFGS-B", callback=accepted, options=options)
    move(answer.x)  # the last trial need not be the last accepted
    return answer.nit


class _Track:
    """Follows the image: checks that the numbers are finite, measures its change, keeps the best, makes the Steps."""

    def __init__(self, objective, image, since, args, on_step):
        self._objective, self._image, self._stop_eps, self._on_step = objective, image, args.stop_eps, on_step
        self._keeps_best, self._best_total, self._match_every = args.keep_best, since.best_total, args.match_every
        self._arrays, self._decay = objective.arrays, args.average
        self._average = image if since.average is None else self._arrays.of(since.average)
        self._average = self._arrays.copy(self._average) if args.average else None
        self._best = None if since.best is None else self._arrays.of(since.best)
        self.epoch, self._start = since.epoch, time.monotonic() - since.seconds
        self.memory = []  # the optimiser's own arrays
        self._before = self._arrays.copy(image)  # where the image stood after the last move
        self._good = self._before if since.epoch else None
        self._evaluation: Any = None
        self._unread: Any = None

    def choose_matches(self):
        """Let the next evaluation choose the matches of patches again, if it is time for that."""
        if self.epoch % self._match_every == 0:
            self._objective.matches = ()

    def slope(self):
        """The gradient at the image as it is now; the other results of this evaluation are read when it has moved."""
        self._unread = self._objective.unread(self._image)
        return self._unread[1]

    def evaluate(self):
        """The Evaluation at the image as it is now."""
        self._take(self._objective(self._image), self._arrays.copy(self._image) if self._keeps_best else None)
        return self._evaluation

    def _take(self, evaluation, image):
        """Take the Evaluation of an image, which may be the best so far."""
        if not np.isfinite([*evaluation.losses, evaluation.gradient_norm]).all():
            raise self._diverged(f"the loss is no longer finite in epoch {self.epoch + 1}", self._good)
        self._evaluation = evaluation
        if self._keeps_best and evaluation.total < self._best_total:
            self._best, self._best_total = image, evaluation.total

    def moved(self):
        """Report that the image has moved, and end the run if it hardly did."""
        eps = self._arrays.change(self._before, self._image)
        if self._unread:
            scalars, gradient = self._unread
            *scalars, eps = self._arrays.numbers([*scalars, eps])
            self._take(self._objective.evaluation(scalars, gradient), self._before)
        (eps,), self._unread = self._arrays.numbers([eps]), None
        self.epoch += 1
        if not np.isfinite(eps):
            raise self._diverged(f"the image is no longer finite after epoch {self.epoch}", self._before_it())
        self._good, self._before = self._before_it(), self._arrays.copy(self._image)
        if self._decay:  # with the correction for its start that Adam has
            self._average += (self._image - self._average) * (1 - self._decay) / (1 - self._decay ** (self.epoch + 1))
        finished, seconds = eps < self._stop_eps, time.monotonic() - self._start
        losses, total, _, norm = self._evaluation
        self._on_step(Step(self.epoch, eps, losses, total, norm, seconds, self._shown, finished, self._state))
        if finished:
            raise _Finished

    def _diverged(self, message, good):
        return Diverged(message, None if good is None else self._arrays.values(good), self.epoch - 1)

    def _shown(self):
        return self._arrays.values(next(a for a in (self._best, self._average, self._image) if a is not None))

    def _before_it(self):
        """The image before the last move; None if that was the start."""
        return self._before if self.epoch > 1 else None

    def _state(self):
        values, seconds = self._arrays.values, time.monotonic() - self._start
        best, average = (None if array is None else values(array) for array in (self._best, self._average))
        image, memory, matches = values(self._image), list(map(values, self.memory)), self._objective.matches
        return State(self.epoch, seconds, image, memory, best, self._best_total, matches, average)

    def result(self):
        """The image at the end: as it is, or the best one."""
        if self._keeps_best:
            self.choose_matches()
            self.evaluate()
        return self._shown()
