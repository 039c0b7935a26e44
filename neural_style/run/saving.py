"""What a run saves: its checkpoints, its final picture, its state and its page."""

import argparse
import contextlib
import glob
import inspect
import logging
import os
from argparse import Namespace
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Optional, Tuple

import numpy as np

from .. import recipes
from ..network.find_model import full_name
from ..objective import edges
from ..options.check import changed
from ..options.flags import BY_ATTRIBUTE, NOISES, PICTURE, is_foreign, listed, paths, style_pictures
from ..pictures import colors, images
from ..pictures.read import Picture
from ..report.page import Report
from ..report.show import show
from ..saved.locks import locked
from ..system import machine, terminal
from ..system.errors import NeuralStyleError, UsageError, of_gpu
from ..weights import pretrained
from .interrupt import Interrupted
from .optimize import Diverged
from .state import digest, path_beside, progress_of, states_in
from .state import save as save_state

PREVIEWS = (1, 5, 10, 20)  # epochs that the page shows besides those whose pictures are saved

log = logging.getLogger("neural_style")


class Saving:
    """Saves for one run: photo is its content as it was read, pictures are its Pictures."""

    def __init__(self, args: Namespace, photo: Any, pictures: Any, saved: Any = None) -> None:
        self.args, self._content, self._digest, self._before = args, pictures.content, digest(pictures), saved
        self._canvas = edges.canvas(args.edges, pictures.sizes[0])
        self.history = list(saved.history) if saved else []  # the EpochRecords so far
        self.checkpoints = args.checkpoint_output or os.path.join(args.output_dir, "e_%s.jpg")
        self.final = args.output or os.path.join(args.output_dir, "final.jpg")
        self.folder, self._state_path = os.path.dirname(self.final) or ".", path_beside(self.final)
        earlier = ((row.epoch, numbered(self.checkpoints, row.epoch)) for row in self.history)
        # paths by epoch, or Pictures, for the page
        self.pictures: Dict[Any, Any] = {epoch: path for epoch, path in earlier if os.path.exists(path)}
        self._options, self._final_options = (
            images.save_options(args, photo, path, pictures.content, pictures.mask) for path in (None, self.final)
        )
        self._report: Optional[Report] = None
        self._background = ThreadPoolExecutor(1)  # a GPU goes on while the last checkpoint is saved
        self._saved: Future = Future()
        self._saved.set_result(None)

    @contextlib.contextmanager
    def prepared(self) -> Iterator[None]:
        """Make sure that everything can be saved and nothing else is lost; no other run interferes until the end."""
        self._prepare()
        remedy = "name others with --output and --checkpoint-output, or another --output_dir"
        with locked(self.final, f"painting {self.final}", remedy), contextlib.ExitStack() as stack:
            if self.args.save_epochs <= self.args.max_num_epochs:
                stack.enter_context(locked(self.checkpoints, f"saving pictures as {self.checkpoints}", remedy))
            self._tell_of_earlier()
            yield

    def _prepare(self):
        args = self.args
        if args.output and (os.path.isdir(args.output) or args.output.endswith(os.sep)):
            raise UsageError(f"--output {args.output} is a folder: use --output_dir for it, or name a picture in it")
        for path in (self.checkpoints, self.final):
            images.format_of(path)  # raises where the ending names no format
        before = self._before.args if self._before else {}  # a resumed run may replace its own files
        for name in ("output", "checkpoint_output"):
            flag, path = BY_ATTRIBUTE[name].name, getattr(args, name)
            if path and path != before.get(name) and not args.overwrite:
                pattern = numbered(glob.escape(path), "[0-9]*") if name == "checkpoint_output" else glob.escape(path)
                there = next(filter(self._is_own_name, sorted(glob.glob(pattern))), None)
                if there:
                    raise UsageError(
                        f"{flag}: {there} already exists; name another file, or replace it with --overwrite"
                    )
        if self._is_checkpoint(self.final):
            raise UsageError(f"--output {self.final} is also the name of a checkpoint; name another file")
        for path in filter(os.path.isfile, paths(args, PICTURE)):
            if self._is_checkpoint(os.path.abspath(path)) or _same(path, self.final):
                raise UsageError(
                    f"{path} would be replaced by a picture of this run; name another --output_dir or --output"
                )
        images.prepare_outputs(self.checkpoints, self.final, bit_depth=args.bit_depth)

    def _tell_of_earlier(self):
        """Say that an earlier run will be replaced, which could be continued."""
        if not self._before and self._state_path.is_file():
            epoch, epochs = progress_of(self._state_path)
            if epoch < epochs:
                earlier = f"an earlier run here stopped after epoch {epoch} of {epochs}"
                log.info("%s; this one starts over and replaces it (to continue it: %s)", earlier, self.to_resume)

    def _is_checkpoint(self, path):
        """Whether the path is that of some epoch's picture of this run."""
        stem, ending = os.path.abspath(self.checkpoints).rsplit("%s", 1)
        path = os.path.abspath(path)
        return path.startswith(stem) and path.endswith(ending) and path[len(stem) : len(path) - len(ending)].isdigit()

    def _is_own_name(self, path):
        return path == self.args.output or self._is_checkpoint(path)

    @property
    def to_resume(self) -> str:
        """The command that continues this run."""
        is_alone = not self.args.output and len(states_in(self.folder)) < 2
        model = ["--model", self.args.model] if is_foreign(self.args.model) else []
        return terminal.command("neural_style", "--resume", self.folder if is_alone else self._state_path, *model)

    def begin(self, where: str, read: Callable) -> None:
        """Write the run's page, if one is asked for: where it runs, in words; read(path) gives pictures."""
        args = self.args
        if not args.report:
            return
        height, width = self._content.shape[2:]
        pictures = [("content", args.content_image)] + [("style", path) for path in style_pictures(args)]
        pictures += [(caption, path) for caption, path in (("mask", args.mask), ("regions", args.regions)) if path]
        pictures += [("regions of the style", path) for path in listed(args.style_regions)]
        pictures = [(caption, read(path) if path == "-" else path) for caption, path in pictures]
        weights = {name: getattr(args, f"{name}_weight") for name in ("style", "content", "tv", "amplitude")}
        facts = {
            "weights": ", ".join(f"{name} {weight:g}" for name, weight in weights.items() if weight > 0),
            "seed": args.seed,
            "size": f"{width}x{height}",
            "on": where,
            **machine.versions(),
            **machine.describe(),
        }
        page = os.path.join(self.folder, "report.html" if not args.output else Path(self.final).stem + ".report.html")
        self._report = Report(page, pictures, self._command(), facts, args.stop_eps)
        self.page("running")
        if args.show:
            show(page)

    def page(self, status: str) -> None:
        """Write the page as things stand: status is running, finished, stopped or failed."""
        if self._report:
            seconds = self.history[-1].seconds if self.history else 0
            pictures = sorted(self.pictures.items(), key=lambda one: (one[0] == "final", one[0]))
            self._report.write(self.history, pictures, status, seconds, self.args.max_num_epochs)

    def _command(self):
        """The command that repeats the run, with all recipes resolved."""
        overwrites = bool((self.args.output or self.args.checkpoint_output) and not self.args.overwrite)
        words = [*recipes.flag_words(changed(self.args)), *["--overwrite"] * overwrites]
        return " ".join(["python -m neural_style", *words])

    @contextlib.contextmanager
    def telling_of_failure(self) -> Iterator[None]:
        """If the run fails or is interrupted, its page says so; if it diverges, the last good image is saved."""
        try:
            try:
                with self._background:  # whatever happens, what is being saved is saved
                    yield
            except Diverged as error:
                if error.image is None:
                    raise
                path = numbered(self.checkpoints, error.epoch)  # an earlier run's final picture stays
                self.picture(self._canvas.shown(error.image), path, self.args.remove_noise, error.epoch)
                self.pictures[error.epoch] = path
                raise NeuralStyleError(f"{error}; the last good image is {path}") from error
        except Interrupted:
            raise
        except KeyboardInterrupt:
            self.page("stopped")
            raise KeyboardInterrupt(
                f"interrupted; to continue from the last saved picture: {self.to_resume}" if self.pictures else ""
            ) from None
        except BaseException as error:
            self.page("failed" if isinstance(error, Exception) else "stopped")
            if of_gpu(error) and self.pictures:
                raise NeuralStyleError(
                    f"{of_gpu(error)}; to continue from the last saved picture: {self.to_resume}"
                ) from error
            raise

    def checkpoint(self, step: Any, in_background: bool) -> Tuple[str, np.ndarray]:
        """Save the step's picture and state; returns the picture's path and the array (1, 3, H, W) that it shows.

        In the background, they are saved while the run goes on; the next checkpoint or the end raises what goes wrong.
        """
        path, array, state = numbered(self.checkpoints, step.epoch), self._canvas.shown(step.image()), step.state()
        history = list(self.history)

        def save():
            self.picture(array, path, self.args.remove_noise, step.epoch)
            self._state(state, history, finished=False)
            self.pictures[step.epoch] = path
            self.page("running")

        self._saved.result()
        if in_background:
            self._saved = self._background.submit(save)
        else:
            save()
        return path, array

    def preview(self, step: Any) -> None:
        """Show the step's picture on the page, as a checkpoint would be, if the epoch is one of PREVIEWS."""
        if self._report and step.epoch in PREVIEWS:
            shown = {"mask", "photo", "smooth_colors"} & self._options.keys()
            array = self._in_colors(self._canvas.shown(step.image()))
            pixels = images.rendered(array, self.args.remove_noise, **{name: self._options[name] for name in shown})
            self.pictures[step.epoch] = Picture(numbered(self.checkpoints, step.epoch), pixels, None)
            self.page("running")

    def end(self, image: Any, at: Any, epoch: Optional[int] = None) -> None:
        """Save the final picture and its State; epoch is given where the run was stopped there."""
        self._saved.result()
        self.picture(self._canvas.shown(image), self.final, self.args.remove_noise_final, epoch)
        self._state(at, self.history, finished=epoch is None)
        self.pictures["final"] = self.final
        self.page("finished" if epoch is None else "stopped")

    def picture(self, array: np.ndarray, path: str, remove_noise: float, epoch: Optional[int] = None) -> None:
        """Save the array (1, 3, H, W) as the final picture, or as an epoch's."""
        options = self._final_options if path == self.final else self._options
        options = dict(options, recipe=self._recipe(path, remove_noise, epoch))
        images.SaveImage(self._in_colors(array), path, remove_noise, **_taken_by(images.SaveImage, options))

    def _in_colors(self, array):
        """The array, in the content's colours if they are to be kept."""
        return colors.with_colors_of(array, self._content) if self.args.preserve_colors == "luma" else array

    def _recipe(self, path, remove_noise, epoch):
        """The text of the recipe that repeats a picture of this run: the final one, or an epoch's."""
        args = argparse.Namespace(**vars(self.args))
        usual = pretrained.find(full_name(args.model))
        if args.model_params and usual and _same(usual, args.model_params):
            args.model_params = None  # it is found anyway
        if epoch is None and self._went_on():
            epoch = self.history[-1].epoch
        if epoch is not None:  # as if it had been asked for at once
            args.max_num_epochs, args.stop_eps, args.remove_noise_final = epoch, 0.0, remove_noise
        if path != self.final:
            args.output_size = None
        if images.format_of(path) not in images.SIXTEEN_BITS:
            args.bit_depth = 8
        return recipes.of_picture(args, self._caveats())

    def _went_on(self):
        """Whether the run was resumed to end at another epoch than it was first asked to."""
        then, now, ends = self._before.args if self._before else {}, vars(self.args), ("stop_eps", "max_num_epochs")
        return bool(self.history) and any(then.get(name, now[name]) != now[name] for name in ends)

    def _caveats(self):
        """Why a recipe may not repeat a picture exactly, in words."""
        if self.args.seed is None and self.args.start in NOISES:
            yield "the start was not seeded"
        if self.args.start.endswith(".npy") and any(part.startswith(".") for part in Path(self.args.start).parts):
            yield "it started from the frame before it, which only its batch or film has"
        if self._before and self.args.optimizer == "lbfgs":
            yield f"L-BFGS was restarted after epoch {self._before.state.epoch}"

    def _state(self, state, history, finished):
        save_state(self._state_path, self.args, self._digest, history, state, finished)


def numbered(checkpoint: str, epoch: Any) -> str:
    """The path of an epoch's checkpoint: its number replaces %s in the file's name."""
    folder, name = os.path.split(checkpoint)
    return os.path.join(folder, name.replace("%s", str(epoch)))


def _taken_by(function, options):
    """The options that a function accepts: a user may have replaced ours by one with the reference's parameters."""
    if "mask" in options and "mask" not in inspect.signature(function).parameters:
        log.warning("SaveImage was replaced by a function without a mask: --mask has no effect on saved pictures")
    return {name: value for name, value in options.items() if name in inspect.signature(function).parameters}


def _same(one, other):
    return os.path.exists(other) and os.path.samefile(one, other)
