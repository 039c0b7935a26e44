"""The command and the reference's public names: flags → pictures → objective → optimiser → saved pictures.

python -m neural_style.nstyle --content-image photo.jpg --style-image painting.jpg
"""

import argparse
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
from neural_style import find_mxnet, recipes  # with find_mxnet, `import mxnet` works
from neural_style.options import parse
from neural_style.options.check import changed, complete
from neural_style.options.flags import BY_ATTRIBUTE
from neural_style.options.parse import get_args
from neural_style.system import errors

log = logging.getLogger("neural_style")

CallbackData = namedtuple("CallbackData", ["eps", "epoch", "img", "filename"])

# The modules that the reference's names live in now; imported on first use, since --help needs none of them.
_LIBRARIES = {"mx": "mxnet", "np": "numpy", "io": "skimage.io", "transform": "skimage.transform"}
# Assigning to such a name in this module replaces the function there, as it would in the reference.
_IMAGES = ("PreprocessContentImage", "PreprocessStyleImage", "PostprocessImage", "SaveImage")
_ELSEWHERE = {
    **dict.fromkeys(_IMAGES, "pictures.images"),
    **dict.fromkeys(("style_gram_symbol", "get_loss"), "objective.graph"),
    "get_tv_grad_executor": "objective.image_terms",
}

_replaced: Dict[str, Any] = {}
__all__ = ["CallbackData", "get_args", "main", "train_nstyle", *_ELSEWHERE]
__all__ += ["argparse", "find_mxnet", "importlib", "logging", "namedtuple", *_LIBRARIES]  # the original's import * too


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

    def __delattr__(self, name):  # which is how mock.patch and monkeypatch undo what they have set
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
    from .run import optimize, setup
    from .run.run import Run

    with Run(args, callback, on_epoch) as run:
        args = run.args  # complete and checked
        pictures = setup.pictures_of(args, run.read)  # content and styles, resized, with the means subtracted
        run.prepare(pictures)
        model, terms = setup.model_and_terms(args, run.device, pictures)  # VGG19, and what is compared on its layers
        run.plan(model, terms, pictures)
        start = run.start(pictures)  # noise
        objective = setup.make_objective(args, model, terms, pictures)  # the graph, and the Gram matrices of the style
        with run.attended(objective, start):
            # for each epoch: forward, backward, clip, total variation, NAG; until eps is small
            run.end(start.result if run.is_over else optimize.minimise(objective, start, args, run.on_step))


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
    usual = args.style_image == BY_ATTRIBUTE["style_image"].default
    if args.style_weight == 0 or not usual or os.path.exists(args.style_image):
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
