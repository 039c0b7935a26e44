"""The command, and the reference's public names: flags → pictures → objective → optimiser → saved pictures.

    python -m neural_style.nstyle --content-image photo.jpg --style-image painting.jpg
"""
import contextlib
import functools
import importlib
import inspect
import logging
import os
import sys
from collections import namedtuple

from . import errors
from .options import complete, get_args

log = logging.getLogger("neural_style")

CallbackData = namedtuple("CallbackData", field_names=["eps", "epoch", "img", "filename"])

# The reference's functions, where they live now; imported when they are first asked for.
_ELSEWHERE = {
    "PreprocessContentImage": "images", "PreprocessStyleImage": "images", "PostprocessImage": "images",
    "SaveImage": "images", "style_gram_symbol": "objective", "get_loss": "objective",
    "get_tv_grad_executor": "objective",
}


def __getattr__(name):
    if name in _ELSEWHERE:
        return getattr(importlib.import_module(f".{_ELSEWHERE[name]}", __package__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def train_nstyle(args, callback=None):
    """Paint args.content_image in the style of args.style_image; pictures land in args.output_dir.

    args is what get_args returns, or any object with such attributes; what it lacks has its default. After
    every epoch callback gets a dict with eps and epoch (from 1), and with filename and img, the raw
    (1, 3, H, W) array, where a picture was saved.
    """
    args = complete(args)
    from . import images
    folder = images.prepare_folder(args.output_dir)
    content = images.PreprocessContentImage(args.content_image, args.max_long_edge)
    style = images.PreprocessStyleImage(args.style_image, content.shape)

    from . import optimize
    from .find_mxnet import context, mx
    from .progress import Progress
    device = context(args.gpu)
    objective = _objective(args, content, style, device)
    if args.seed is not None:
        mx.random.seed(args.seed)
    image = mx.nd.random.uniform(-0.1, 0.1, content.shape, ctx=device)
    optimizer = optimize.nag(args.lr, args.lr_sched_delay, args.lr_sched_factor)
    steps = optimize.descend(objective, image, optimizer, args.max_num_epochs, args.stop_eps)
    final = os.path.join(folder, "final.jpg")

    with Progress(args.max_num_epochs, objective.layers, objective.weights) as progress:
        try:
            for step in steps:
                progress.show(step)
                if step.finished:
                    log.info("eps fell below --stop-eps %g in epoch %d", args.stop_eps, step.epoch)
                    break
                data = {"eps": step.eps, "epoch": step.epoch}
                if step.epoch % args.save_epochs == 0:
                    data["filename"] = os.path.join(folder, f"e_{step.epoch}.jpg")
                    data["img"] = step.image.asnumpy()
                    images.SaveImage(data["img"], data["filename"], args.remove_noise)
                if callback:
                    callback(data)
        except optimize.Diverged as error:
            if error.image is not None:
                images.SaveImage(error.image.asnumpy(), final)
                raise errors.NeuralStyleError(f"{error}; the last good image is {final}") from error
            raise
    images.SaveImage(image.asnumpy(), final)
    log.info("the picture is %s", final)


def _objective(args, content, style, device):
    """Bind the objective of args for the two pictures; the weights are read once and shared."""
    from .find_model import find_model
    from .objective import Objective
    model = find_model(args.model)
    bind = functools.partial(model.get_executor, input_size=content.shape[2:], ctx=device)
    if hasattr(model, "get_params") and "params" in inspect.signature(model.get_executor).parameters:
        bind = functools.partial(bind, params=model.get_params(args.model_params, device))
    elif args.model_params:
        raise errors.UsageError(f"--model-params: the model {args.model} brings its own weights")
    return Objective(model, bind, content, style, args.content_weight, args.style_weight, args.tv_weight, device)


@contextlib.contextmanager
def _log_to_stderr(args):
    """Show the package's log as plain lines while the command runs; a library never sets this up."""
    handler, level = logging.StreamHandler(), log.level
    log.addHandler(handler)
    log.propagate = False       # MXNet gives the root logger a handler as soon as the learning rate changes
    log.setLevel(logging.WARNING if args.quiet else logging.DEBUG if args.verbose else logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.propagate = True
        log.setLevel(level)


def main(arglist=None):
    """The console command; returns its exit code."""
    args = get_args(arglist)
    with _log_to_stderr(args):
        return errors.run(lambda: train_nstyle(args), "neural-style", args.debug)


if __name__ == "__main__":
    sys.exit(main())
