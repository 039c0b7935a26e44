"""The command, and the reference's public names: flags → pictures → objective → optimiser → saved pictures.

    python -m neural_style.nstyle --content-image photo.jpg --style-image painting.jpg
"""
import contextlib
import importlib
import logging
import os
import sys
from collections import namedtuple

from . import errors, recipes
from .options import changed, complete, get_args, listed, parse

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


def train_nstyle(args, callback=None):
    """Paint args.content_image in the style of args.style_image; pictures land in args.output_dir.

    args is what get_args returns, or any object with such attributes; what it lacks has its default. After
    every epoch callback gets a dict with eps, epoch (from 1) and losses, {"style": …, "content": …, "image": …} as they
    are weighted, and with filename and img, the raw (1, 3, H, W) array, where a picture was saved.
    """
    args = complete(args)
    from . import colors, images
    checkpoint = args.checkpoint_output or os.path.join(args.output_dir, "e_%s.jpg")
    final = args.output or os.path.join(args.output_dir, "final.jpg")
    images.prepare_outputs(checkpoint, final)
    content = images.PreprocessContentImage(args.content_image, args.max_long_edge, args.width)
    styles = _styles(args, content)

    from . import optimize, start
    from .find_mxnet import context, mx
    from .progress import Progress, by_kind
    device = context(args.gpu)
    objective = make_objective(args, content, styles, device)
    if args.seed is not None:
        mx.random.seed(args.seed)
    image = start.start_image(args.start, content.shape, device,
                              {"content": args.content_image, "style": listed(args.style_image)[0]})

    def save(array, path, remove_noise):
        if args.preserve_colors == "luma":
            array = colors.with_colors_of(array, content)
        images.SaveImage(array, path, remove_noise)

    def on_step(step):
        progress.show(step)
        if step.finished:
            return
        data = {"eps": step.eps, "epoch": step.epoch, "losses": by_kind(objective, step.losses)}
        if step.epoch % args.save_epochs == 0:
            data["filename"], data["img"] = numbered(checkpoint, step.epoch), step.image.asnumpy()
            save(data["img"], data["filename"], args.remove_noise)
        if callback:
            callback(data)

    with Progress(args.max_num_epochs, objective, args.print_iterations) as progress:
        try:
            result = optimize.minimise(objective, image, args, on_step)
        except optimize.Diverged as error:
            if error.image is None:
                raise
            path = numbered(checkpoint, error.epoch)        # an earlier run's final picture stays
            save(error.image.asnumpy(), path, args.remove_noise)
            raise errors.NeuralStyleError(f"{error}; the last good image is {path}") from error
    if progress.last and progress.last.finished:
        log.info("eps fell below --stop-eps %g in epoch %d", args.stop_eps, progress.last.epoch)
    save(result.asnumpy(), final, args.remove_noise_final)
    log.info("the picture is %s", final)


def numbered(checkpoint, epoch):
    """The path of an epoch's checkpoint: its number in the place of %s in the file's name."""
    folder, name = os.path.split(checkpoint)
    return os.path.join(folder, name.replace("%s", str(epoch)))


def _styles(args, content):
    """The style pictures, (1, 3, H, W) each, fitted to the content; none where no style is asked for."""
    from . import colors, images
    if args.style_weight == 0:
        return []
    paths = listed(args.style_image)
    scales = listed(args.style_scales) or [1.0] * len(paths)
    styles = [images.PreprocessStyleImage(path, content.shape, args.fit, scale) for path, scale in zip(paths, scales)]
    return [colors.matched(style, content) for style in styles] if args.preserve_colors == "match" else styles


def make_objective(args, content, styles, device):
    """The Objective of args for the pictures, bound on the device."""
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
    shares = listed(args.style_blend_weights) or [1.0] * len(styles)
    clip = 1.0 if args.clip_gradient is None else args.clip_gradient
    clip = 0.0 if args.optimizer == "lbfgs" else clip       # its gradient must be that of its value
    return Objective(model, content.shape[2:], [term for term in terms if term.weight > 0], content, styles,
                     [share / sum(shares) for share in shares], clip, device,
                     lambda data: image_terms(data, device, args.tv_loss, args.tv_weight, args.amplitude_weight))


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
    if "list_layers" in given:
        from .find_model import find_model, first_with_weights, layers_of
        print("\n".join(layers_of(find_model(first_with_weights(args.model.split(","))))))
    elif "save_recipe" in given:
        recipes.save(given["save_recipe"], changed(complete(args)))
    else:
        train_nstyle(args)


if __name__ == "__main__":
    sys.exit(main())
