"""Put a run together: what its arguments say as pictures, a model, terms, and the Objective."""
from typing import List, NamedTuple

import numpy as np

from ..find_mxnet import mx
from ..layers import engine
from ..network.find_model import Model
from ..objective.graph import Graph
from ..objective.image_terms import image_terms
from ..objective.objective import Objective
from ..objective.terms import CONTENT, CONTENT_NORMS, STYLE, STYLE_NORMS, Term
from ..options.flags import listed, style_pictures
from ..options.optimizers import OPTIMIZERS
from ..pictures import colors, images
from ..system import machine, memory
from ..system.errors import UsageError


class Pictures(NamedTuple):
    """What an image is held against: arrays (1, 3, H, W) in the network's range."""
    content: np.ndarray
    styles: List[np.ndarray]
    shares: List[float]         # the styles' blend weights, which sum to 1


def content_of(args, read=images.read_picture):
    """The content picture, (1, 3, H, W); read(path) gives pictures."""
    return _preprocessed(images.PreprocessContentImage, args.content_image, read, args.max_long_edge,
                         **{"width": args.width} if args.width else {})


def styles_of(args, content, read=images.read_picture):
    """The style pictures, (1, 3, H, W) each, fitted to the content."""
    paths = style_pictures(args)
    scales = listed(args.style_scales) or [1.0] * len(paths)
    styles = [_preprocessed(images.PreprocessStyleImage, path, read, content.shape,
                            **{} if (args.fit, scale) == ("stretch", 1.0) else {"fit": args.fit, "scale": scale})
              for path, scale in zip(paths, scales)]
    return [colors.matched(style, content) for style in styles] if args.preserve_colors == "match" else styles


def _preprocessed(function, path, read, *asked, **more):
    """What a function of the reference makes of a picture; one that somebody has put in our place expects a path."""
    return function(read(path) if function.__module__ == images.__name__ else path, *asked, **more)


def on_device(array, device):
    """An array as an NDArray on the device."""
    return mx.nd.array(array, ctx=device)


def model_and_terms(args, device):
    """The Model, and the Terms on its layers, the style's first; weights on one layer are added up."""
    model = Model(args.model, device, args.model_params, args.pooling, args.normalised)
    layers = listed(args.style_layers) or model.style_layers
    weights = listed(args.style_layer_weights) or [1.0] * len(layers)
    if args.style_weight > 0 and len(weights) != len(layers):
        raise UsageError(f"--style-layer-weights has {len(weights)} values for {len(layers)} style layers; "
                         "there must be one for each")
    asked = [(STYLE, layer, args.style_weight * weight, STYLE_NORMS[args.style_norm])
             for layer, weight in zip(layers, weights)]
    asked += [(CONTENT, layer, args.content_weight, CONTENT_NORMS[args.content_norm])
              for layer in listed(args.content_layers) or model.content_layers]
    terms = {}
    for kind, layer, weight, divisor in asked:
        if weight > 0:
            layer = model.resolve(layer)
            before = terms.get((kind, layer))
            terms[kind, layer] = Term(kind, layer, weight + (before.weight if before else 0), divisor)
    if not terms:
        raise UsageError("there is nothing to do: --style-weight and --content-weight are both 0, or those of every layer")
    model.keep(term.layer for term in terms.values())
    return model, list(terms.values())


def precision_of(args, model, terms):
    """The precision that --precision comes to; auto is float32 where only the graph can evaluate the terms."""
    if args.precision == "auto" and not engine.supports(model, terms):
        return "float32"
    return machine.precision(args.precision)


def demand_sizes(model, terms, size, style_sizes):
    """Raise UsageError where a picture is too small for the layers that the terms are on; sizes are (H, W)."""
    model.demand_size([term.layer for term in terms], size, "content")
    for style in style_sizes:
        model.demand_size([term.layer for term in terms if term.kind == STYLE], style, "style")


def make_objective(args, model, terms, content, styles):
    """The Objective of the terms for the pictures, evaluated by the reference's graph or layer by layer."""
    memory.keep_freed(False)        # the targets are made only once
    precision, shapes = precision_of(args, model, terms), model.shapes([term.layer for term in terms], content.shape[2:])
    scales = [float(term.weight) / term.divisor(n, h * w) for term, (n, h, w) in
              ((term, shapes[term.layer]) for term in terms)]
    shares = listed(args.style_blend_weights) or [1.0] * len(styles)
    pictures = Pictures(content, styles, [share / sum(shares) for share in shares])
    if precision == "float32" and not args.tile:
        evaluate = Graph(model, terms, scales, pictures)
    elif engine.supports(model, terms, bool(args.tile)):
        evaluate = engine.Layers(model, terms, scales, pictures, precision, args.tile)
    else:
        flag = f"--tile {args.tile}" if args.tile else f"--precision {args.precision}"
        raise UsageError(f"{flag}: only VGG19 and VGG16 can do that, on the CPU and with layers that are no pools; leave it "
                         "out")
    clip = 1.0 if args.clip_gradient is None else args.clip_gradient
    if OPTIMIZERS[args.optimizer].mxnet is None:
        clip = 0        # L-BFGS needs the gradient of its value
    return Objective(evaluate, terms, scales,
                     image_terms(content.shape, model.device, args.tv_loss, args.tv_weight, args.amplitude_weight),
                     *([clip * content.size] if clip else []))
