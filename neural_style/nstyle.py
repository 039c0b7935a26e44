"""The command and the reference's public names: flags → pictures → objective → optimiser → saved pictures.

python -m neural_style.nstyle --content-image photo.jpg --style-image painting.jpg
"""

import argparse
import contextlib
import functools
import importlib
import logging
import os
import shlex
import sys
import types
from collections import namedtuple
from typing import Any, Callable, Dict, List, Optional

if __name__ == "__main__" and not __package__:  # python path/to/neural_style/nstyle.py
    import runpy

    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    runpy.run_module("neural_style.nstyle", run_name="__main__", alter_sys=True)
    sys.exit()

# not relative, so that `import nstyle` works inside this folder, too
from neural_style import find_mxnet, recipes  # noqa: F401 (with find_mxnet, `import mxnet` works)
from neural_style.options import parse
from neural_style.options.check import changed, complete, refuse_changes
from neural_style.options.flags import BY_ATTRIBUTE
from neural_style.options.parse import get_args
from neural_style.system import errors

log = logging.getLogger("neural_style")

CallbackData = namedtuple("CallbackData", ["eps", "epoch", "img", "filename"])

# The modules that the reference's names live in now; imported on first use, since --help needs none of them.
_LIBRARIES = {"mx": "mxnet", "np": "numpy", "io": "skimage.io", "transform": "skimage.transform"}
# Assigning to such a name in this module replaces the function there, as it would in the reference.
_ELSEWHERE = {
    "PreprocessContentImage": "pictures.images",
    "PreprocessStyleImage": "pictures.images",
    "PostprocessImage": "pictures.images",
    "SaveImage": "pictures.images",
    "style_gram_symbol": "objective.graph",
    "get_loss": "objective.graph",
    "get_tv_grad_executor": "objective.image_terms",
}

_replaced: Dict[str, Any] = {}
__all__ = ["CallbackData", "get_args", "main", "train_nstyle", *_ELSEWHERE]
__all__ += [
    "argparse",
    "find_mxnet",
    "importlib",
    "logging",
    "namedtuple",
    *_LIBRARIES,
]  # as the original's import * gave


class _Module(types.ModuleType):
    """This module, with the names that live elsewhere."""

    def __getattr__(self, name):
        if name in _ELSEWHERE:
            return getattr(self._home(name), name)
        if name in _LIBRARIES:
            return importlib.import_module(_LIBRARIES[name])
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __setattr__(self, name, value):
        if name in _ELSEWHERE:
            _replaced.setdefault(name, getattr(self, name))
            setattr(self._home(name), name, value)
        else:
            super().__setattr__(name, value)

    def __delattr__(self, name):
        if name in _replaced:
            setattr(self._home(name), name, _replaced.pop(name))
        else:
            super().__delattr__(name)

    def __dir__(self):
        return sorted({*super().__dir__(), *_ELSEWHERE, *_LIBRARIES})

    @staticmethod
    def _home(name):
        return importlib.import_module(f"neural_style.{_ELSEWHERE[name]}")


sys.modules[__name__].__class__ = _Module


def train_nstyle(args: Any, callback: Optional[Callable] = None, on_epoch: Optional[Callable] = None) -> None:
    """Paint args.content_image in the style of args.style_image; pictures land in args.output_dir.

    args is what get_args returns, or any object with such attributes; missing ones have their defaults. After every
    epoch callback gets a dict with eps and epoch (from 1), and with filename and img, the raw (1, 3, H, W) array, where
    a picture was saved. on_epoch gets an EpochRecord of every epoch, the last one too: epoch, eps, total, seconds and
    losses, a dict.
    """
    with contextlib.ExitStack() as until_the_end:
        _train(args, callback, on_epoch, until_the_end)


def _train(args, callback, on_epoch, until_the_end):
    from .find_mxnet import context
    from .objective import edges
    from .pictures import images
    from .run import interrupt, optimize, plan, pyramid, setup, state
    from .run.progress import of_epochs, show_epoch
    from .run.saving import Saving

    saved = state.resume(args.resume, vars(args)) if getattr(args, "resume", None) else None
    if saved:
        args = argparse.Namespace(**{**saved.args, **vars(args)})
    args = complete(args)
    if saved:
        refuse_changes(args, saved.args)
        if args.max_num_epochs < saved.state.epoch:
            raise errors.UsageError(
                f"--max-num-epochs {args.max_num_epochs}: the run is already at epoch {saved.state.epoch}"
            )
    pyramid.levels(args)  # raises where there are more levels than pixels
    plan.check_pictures(args)

    # the pictures
    read = functools.lru_cache(None)(images.read_picture)  # standard input can be read only once
    photo = read(args.content_image)
    pictures = setup.pictures_of(args, read)
    whole = edges.canvas(args.edges, pictures.sizes[0]).whole
    if saved and (saved.pictures != state.digest(pictures) or saved.state.image.shape != (1, 3, *whole)):
        raise errors.UsageError(
            f"--resume {args.resume}: the content, a style picture, the mask or the regions have changed "
            "since the run began"
        )
    saving = Saving(args, photo, pictures, saved)
    until_the_end.enter_context(saving.prepared())

    # the objective
    device = context(args.gpu)
    model, terms = setup.model_and_terms(args, device, pictures)
    tile = plan.tile_for(args, model, terms, pictures.sizes)
    plan.announce(args, model, terms, pictures.sizes, tile)
    args.tile = tile
    objective = setup.make_objective(args, model, terms, pictures)
    if saved:
        since = saved.state
        log.info(
            "resuming after epoch %d%s",
            since.epoch,
            "; L-BFGS has to rebuild its model of the objective" if args.optimizer == "lbfgs" else "",
        )
    else:
        since = optimize.start_state(pyramid.start_of(args, pictures.content.shape, device, read))

    # the loop
    last = None

    def on_step(step):
        nonlocal last
        last = step
        show_epoch(progress, objective, args.print_iterations, step)
        record = state.EpochRecord(step.epoch, step.eps, step.total, step.seconds, objective.by_kind(step.losses))
        saving.history.append(record)
        if on_epoch:
            on_epoch(record)
        if step.finished:
            return
        data = {"eps": step.eps, "epoch": step.epoch}
        if step.epoch % args.save_epochs == 0:
            data["filename"], data["img"] = saving.checkpoint(step)
        else:
            saving.preview(step)
        if callback:
            callback(data)
        if asked:
            saving.end(step.image(), step.state(), step.epoch)
            raise interrupt.Interrupted(
                f"stopped after epoch {step.epoch}; the picture so far is {saving.final}; "
                f"to continue: {saving.to_resume}",
                asked[0],
            )

    saving.begin(objective.arrays.where, read)
    del photo
    read.cache_clear()  # large pictures need not stay in memory
    with of_epochs(args, since.epoch) as progress, interrupt.waiting() as asked, saving.telling_of_failure():
        if saved and saved.finished and saved.history and saved.history[-1].eps < args.stop_eps:
            result = since.result  # it had finished by itself: nothing left to do
        else:
            result = optimize.minimise(objective, since, args, on_step)
        saving.end(result, last.state() if last else since)
    if last and last.finished:
        log.info("eps fell below --stop-eps %g in epoch %d", args.stop_eps, last.epoch)
    log.info("the picture is %s", saving.final)
    if asked:
        raise interrupt.Interrupted("the run had already finished when it was asked to stop", asked[0])


def main(arglist: Optional[List[str]] = None, on_epoch: Optional[Callable[[Any], None]] = None) -> int:
    """The console command; returns its exit code. on_epoch is train_nstyle's."""
    return parse.run(parse.MAIN._replace(work=functools.partial(_command, on_epoch=on_epoch)), arglist)


def _command(own, args, given, on_epoch=None):
    if own.doctor:
        from . import doctor

        return doctor.examine(complete(args))
    if own.list_layers:
        from .network.find_model import find_model, first_with_weights, layers_of

        print("\n".join(layers_of(find_model(first_with_weights(args.model.split(","))))))
    elif own.save_recipe:
        recipes.save(own.save_recipe, changed(complete(args)))
    else:
        if "content_image" in given and "style_image" not in given:
            _demand_painting(args)
        if args.seed is None and not args.resume:
            args.seed = 0  # which MXNet begins with; so the picture's recipe can name it
        train_nstyle(args, **({"on_epoch": on_epoch} if on_epoch else {}))


def _demand_painting(args):
    """Refuse a photograph without a painting, unless the original's is there."""
    if (
        args.style_weight == 0
        or args.style_image != BY_ATTRIBUTE["style_image"].default
        or os.path.exists(args.style_image)
    ):
        return
    from neural_style.end_to_end import network

    photo = shlex.quote(args.content_image)
    raise errors.UsageError(
        f"{args.content_image} needs a painting beside it; to try it without one, `python -m neural_style.painting "
        "night.png` paints one, and `python -m neural_style.end_to_end paint "
        f"{photo} --network night --output painted.jpg` has learnt a style (there are {', '.join(network.names())})"
    )


if __name__ == "__main__":
    sys.exit(main())
if not __package__:
    sys.modules[__name__] = importlib.import_module("neural_style.nstyle")
