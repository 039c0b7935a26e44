"""What surrounds the algorithm of a run: its flags and its resuming, plans and warnings, progress, pictures, Ctrl-C."""

import argparse
import contextlib
import functools
import logging
from typing import Any, Callable, Dict, Iterator, List, Optional

from ..find_mxnet import context
from ..network.model import Model
from ..objective import edges
from ..objective.examples import Pictures
from ..objective.objective import Objective
from ..objective.terms import Term
from ..options.check import complete, refuse_changes
from ..pictures import images
from ..system.errors import UsageError
from . import interrupt, optimize, plan, pyramid, state
from .progress import of_epochs, show_epoch
from .saving import Saving

log = logging.getLogger("neural_style")


class Run(contextlib.ExitStack):
    """One run, a context: args are as train_nstyle takes them, and then complete; read(path) gives a picture.

    is_over says that the run that is resumed had ended by itself, so that nothing is left to do.
    """

    def __init__(self, args: Any, callback: Optional[Callable] = None, on_epoch: Optional[Callable] = None) -> None:
        super().__init__()
        self._saved = state.resume(args.resume, vars(args)) if getattr(args, "resume", None) else None
        self.args = args = self._completed(args)
        pyramid.levels(args)  # raises where there are more levels than pixels
        plan.check_pictures(args)
        self.read = functools.lru_cache(None)(images.read_picture)  # standard input can be read only once
        self.device = context(args.gpu)
        self._callback, self._on_epoch = callback, on_epoch
        self._last: Optional[optimize.Step] = None
        history = self._saved.history if self._saved and self._saved.finished else []
        self.is_over = bool(history) and history[-1].eps < args.stop_eps

    def _completed(self, args):
        """The arguments with their defaults, or those of the run that is resumed."""
        if not self._saved:
            return complete(args)
        args, epoch = complete(argparse.Namespace(**{**self._saved.args, **vars(args)})), self._saved.state.epoch
        refuse_changes(args, self._saved.args)
        if args.max_num_epochs < epoch:
            raise UsageError(f"--max-num-epochs {args.max_num_epochs}: the run is already at epoch {epoch}")
        return args

    def prepare(self, pictures: Pictures) -> None:
        """Make sure that these Pictures are those of the run that is resumed, and that all can be saved."""
        args, saved = self.args, self._saved
        whole = edges.canvas(args.edges, pictures.sizes[0]).whole
        if saved and (saved.pictures != state.digest(pictures) or saved.state.image.shape != (1, 3, *whole)):
            raise UsageError(
                f"--resume {args.resume}: the content, a style picture, the mask or the regions have changed "
                "since the run began"
            )
        self._saving = Saving(args, self.read(args.content_image), pictures, saved)
        self.enter_context(self._saving.prepared())

    def plan(self, model: Model, terms: List[Term], pictures: Pictures) -> None:
        """Say what the run will do, and decide whether it is evaluated in strips."""
        tile = plan.tile_for(self.args, model, terms, pictures.sizes)
        plan.announce(self.args, model, terms, pictures.sizes, tile)
        self.args.tile = tile

    def start(self, pictures: Pictures) -> state.State:
        """The State to begin from: the start image, or where the run stopped that is resumed."""
        if not self._saved:
            return pyramid.start_of(self.args, pictures.content.shape, self.device, self.read)
        rebuilds = "; L-BFGS has to rebuild its model of the objective" if self.args.optimizer == "lbfgs" else ""
        log.info("resuming after epoch %d%s", self._saved.state.epoch, rebuilds)
        return self._saved.state

    @contextlib.contextmanager
    def attended(self, objective: Objective, start: state.State) -> Iterator[None]:
        """Show the run's progress; whether it ends, fails, or stops after an epoch because it was asked to, say so."""
        self._saving.begin(objective.arrays.where, self.read)
        self.read.cache_clear()  # large pictures need not stay in memory
        self._objective, self._start = objective, start
        with of_epochs(self.args, start.epoch) as self._progress, interrupt.waiting() as self._asked:
            with self._saving.telling_of_failure():
                yield
        if self._last and self._last.finished:
            log.info("eps fell below --stop-eps %g in epoch %d", self.args.stop_eps, self._last.epoch)
        log.info("the picture is %s", self._saving.final)
        if self._asked:
            raise interrupt.Interrupted("the run had already finished when it was asked to stop", self._asked[0])

    def on_step(self, step: optimize.Step) -> None:
        """Report an epoch, save its picture if it is time for that, and stop if asked to."""
        self._last, saving, by_kind = step, self._saving, self._objective.by_kind(step.losses)
        show_epoch(self._progress, self._objective, self.args.print_iterations, step)
        saving.history.append(state.EpochRecord(step.epoch, step.eps, step.total, step.seconds, by_kind))
        if self._on_epoch:
            self._on_epoch(saving.history[-1])
        if step.finished:
            return
        data: Dict[str, Any] = {"eps": step.eps, "epoch": step.epoch}
        if step.epoch % self.args.save_epochs == 0:
            data["filename"], data["img"] = saving.checkpoint(
                step, self._objective.arrays.on_gpu and not self._callback
            )
        else:
            saving.preview(step)
        if self._callback:
            self._callback(data)
        if self._asked:
            saving.end(step.image(), step.state(), step.epoch)
            so_far = f"stopped after epoch {step.epoch}; the picture so far is {saving.final}"
            raise interrupt.Interrupted(f"{so_far}; to continue: {saving.to_resume}", self._asked[0])

    def end(self, image: Any) -> None:
        """Save the final picture, (1, 3, H, W)."""
        self._saving.end(image, self._last.state() if self._last else self._start)
