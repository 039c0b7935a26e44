"""The command, and the reference's public names: flags → pictures → objective → optimiser → saved pictures.

    python -m neural_style.nstyle --content-image photo.jpg --style-image painting.jpg
"""
import contextlib
import functools
import importlib
import logging
import sys
from argparse import Namespace
from collections import namedtuple

from . import errors, recipes
from .options import changed, complete, get_args, listed, parse, refuse_changes

log = logging.getLogger("neural_style")

CallbackData = namedtuple("CallbackData", field_names=["eps", "epoch", "img", "filename"])

# The reference's functions, where they live now; imported when they are first asked for.
_ELSEWHERE = {
    "PreprocessContentImage": "images", "PreprocessStyleImage": "images", "PostprocessImage": "images",
    "SaveImage": "images", "style_gram_symbol": "objective", "get_loss": "objective",
    "get_tv_grad_executor": "image_terms",
}


def __getattr__(name):
    if name in _ELSEWHERE:
        return getattr(importlib.import_module(f".{_ELSEWHERE[name]}", __package__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def train_nstyle(args, callback=None, on_epoch=None):
    """Paint args.content_image in the style of args.style_image; pictures land in args.output_dir.

    args is what get_args returns, or any object with such attributes; what it lacks has its default. After
    every epoch callback gets a dict with eps and epoch (from 1), and with filename and img, the raw
    (1, 3, H, W) array, where a picture was saved. on_epoch gets every epoch's Row, the last one's too: epoch, eps,
    total, seconds and losses, a dict.
    """
    from . import images, plan, pyramid, state
    saved = state.load(args.resume) if getattr(args, "resume", None) else None
    if saved:
        args = Namespace(**{**saved.args, **vars(args)})
    args = complete(args)
    if saved:
        refuse_changes(args, saved.args)
        if args.max_num_epochs < saved.state.epoch:
            raise errors.UsageError(f"--max-num-epochs {args.max_num_epochs}: the run is at epoch {saved.state.epoch} "
                                    "already")
    pyramid.check(args)
    plan.check_pictures(args)
    read = functools.lru_cache(None)(images.read_picture)       # standard input can be read only once
    photo = read(args.content_image)
    content = images.PreprocessContentImage(photo, args.max_long_edge, args.width)
    styles = styles_of(args, content, read)
    if saved and saved.pictures != state.digest([content, *styles]):
        raise errors.UsageError(f"--resume {args.resume}: the content or a style picture is not the one that the run "
                                "began with")

    from . import interrupt, optimize
    from .find_mxnet import context, mx
    from .progress import Progress
    from .saving import Saving, numbered
    saving = Saving(args, photo, content, styles, saved)
    saving.prepare()
    device = context(args.gpu)
    sizes = [picture.shape[2:] for picture in (content, *styles)]
    objective = make_objective(args, content, styles, device,
                               lambda model, terms: plan.announce(args, model, terms, sizes, device))
    if saved:
        image, since = mx.nd.array(saved.state.image, ctx=device), saved.state
        log.info("going on after epoch %d%s", since.epoch,
                 "; L-BFGS learns the landscape anew" if args.optimizer == "lbfgs" else "")
    else:
        image = start_of(args, content.shape, device, read)
        since = optimize.start_state(image)

    def on_step(step):
        progress.show(step)
        row = state.Row(step.epoch, step.eps, step.total, step.seconds, objective.by_kind(step.losses))
        saving.history.append(row)
        if on_epoch:
            on_epoch(row)
        if step.finished:
            return
        data = {"eps": step.eps, "epoch": step.epoch}
        if step.epoch % args.save_epochs == 0:
            data["filename"], data["img"] = saving.checkpoint(step)
        if callback:
            callback(data)
        if asked:
            saving.end(step.image, step.state(), step.epoch)
            raise interrupt.Interrupted(f"stopped after epoch {step.epoch}; the picture so far is {saving.final}, and "
                                        f"--resume {saving.to_resume} goes on", asked[0])

    saving.begin(device, read)
    del photo
    read.cache_clear()      # large pictures need not stay in memory
    with Progress(args.max_num_epochs, objective, args.print_iterations, since.epoch) as progress, \
            interrupt.waiting() as asked, saving.telling_of_failure():
        try:
            if saved and saved.finished and saved.history[-1].eps < args.stop_eps:
                result = mx.nd.array(since.result, ctx=device)      # it came to its end by itself, and stays there
            else:
                result = optimize.minimise(objective, image, args, on_step, since)
        except optimize.Diverged as error:
            if error.image is None:
                raise
            path = numbered(saving.checkpoints, error.epoch)        # an earlier run's final picture stays
            saving.picture(error.image.asnumpy(), path, args.remove_noise, error.epoch)
            saving.pictures.append((error.epoch, path))
            raise errors.NeuralStyleError(f"{error}; the last good image is {path}") from error
        last = progress.last
        saving.end(result, last.state() if last else since)
    if last and last.finished:
        log.info("eps fell below --stop-eps %g in epoch %d", args.stop_eps, last.epoch)
    log.info("the picture is %s", saving.final)
    if asked:
        raise interrupt.Interrupted("the run was complete when it was to stop", asked[0])


def start_of(args, shape, device, read):
    """The image that a run starts from, an NDArray."""
    from . import pyramid, start
    from .find_mxnet import mx
    if args.pyramid:
        return mx.nd.array(pyramid.enlarged(pyramid.below(args, device, read), shape[2:]), ctx=device)
    if args.seed is not None:
        mx.random.seed(args.seed)
    return start.start_image(args.start, shape, device,
                             {"content": args.content_image, "style": listed(args.style_image)[0]}, read)


def styles_of(args, content, read=lambda path: path):
    """The style pictures, (1, 3, H, W) each, fitted to the content; none where no style is asked for."""
    from . import colors, images
    if args.style_weight == 0:
        return []
    paths = listed(args.style_image)
    scales = listed(args.style_scales) or [1.0] * len(paths)
    styles = [images.PreprocessStyleImage(read(path), content.shape, args.fit, scale)
              for path, scale in zip(paths, scales)]
    return [colors.matched(style, content) for style in styles] if args.preserve_colors == "match" else styles


def make_objective(args, content, styles, device, announce=lambda model, terms: None):
    """The Objective of args for the pictures, bound on the device; announce is told of what before that."""
    from . import plan
    from .find_model import Model
    from .image_terms import image_terms
    from .objective import CONTENT_NORMS, STYLE_NORMS, Objective, Term
    model = Model(args.model, device, args.model_params, args.pooling, args.normalised)
    if args.style_weight == args.content_weight == 0:
        raise errors.UsageError("there is nothing to do: --style-weight and --content-weight are both 0")
    terms = []
    if args.style_weight > 0:
        layers = listed(args.style_layers) or model.style_layers
        weights = listed(args.style_layer_weights) or [1.0] * len(layers)
        if len(weights) != len(layers):
            raise errors.UsageError(f"--style-layer-weights has {len(weights)} values for {len(layers)} style layers; "
                                    "there must be one for each")
        for layer, weight in zip(layers, weights):
            terms.append(Term("style", model.resolve(layer), args.style_weight * weight, STYLE_NORMS[args.style_norm]))
    if args.content_weight > 0:
        for layer in listed(args.content_layers) or model.content_layers:
            terms.append(Term("content", model.resolve(layer), args.content_weight, CONTENT_NORMS[args.content_norm]))
    terms = [term for term in terms if term.weight > 0]
    if terms:
        model.keep(term.layer for term in terms)
        announce(model, terms)
    shares = listed(args.style_blend_weights) or [1.0] * len(styles)
    clip = 1.0 if args.clip_gradient is None else args.clip_gradient
    clip = 0.0 if args.optimizer == "lbfgs" else clip       # its gradient must be that of its value
    return Objective(model, content.shape[2:], terms, content, styles,
                     [share / sum(shares) for share in shares], clip, device,
                     lambda data: image_terms(data, device, args.tv_loss, args.tv_weight, args.amplitude_weight),
                     plan.precision_of(args, model, terms), args.tile)


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
    args, given = parse(arglist)
    with _log_to_stderr(args):
        return errors.run(lambda: _command(args, given), "neural-style", args.debug)


def _command(args, given):
    if "doctor" in given:
        from . import doctor
        return doctor.examine(complete(args))
    if "list_layers" in given:
        from .find_model import find_model, first_with_weights, layers_of
        print("\n".join(layers_of(find_model(first_with_weights(args.model.split(","))))))
    elif "save_recipe" in given:
        recipes.save(given["save_recipe"], changed(complete(args)))
    else:
        if args.seed is None and not args.resume:
            args.seed = 0       # which MXNet begins with; so the picture's recipe can name it
        train_nstyle(args)


if __name__ == "__main__":
    sys.exit(main())
