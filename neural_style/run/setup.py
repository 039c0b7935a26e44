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
    """What an image is compared with: arrays (1, 3, H, W) in the network's range, and the styles' blend weights."""
    content: np.ndarray
    styles: List[np.ndarray]
    shares: List[float]             # they sum to 1

    @property
    def sizes(self):
        """(H, W) of the content, and of each style."""
        return [picture.shape[2:] for picture in (self.content, *self.styles)]


def pictures_of(args, read=images.read_picture):
    """The Pictures that args name; read(path) reads one."""
    content = _preprocessed(images.PreprocessContentImage, args.content_image, read, args.max_long_edge,
                            **{"width": args.width} if args.width else {})
    paths = style_pictures(args)
    scales, shares = (listed(value) or [1.0] * len(paths) for value in (args.style_scales, args.style_blend_weights))
    styles = [_preprocessed(images.PreprocessStyleImage, path, read, content.shape,
                            **{} if (args.fit, scale) == ("stretch", 1.0) else {"fit": args.fit, "scale": scale})
              for path, scale in zip(paths, scales)]
    if args.preserve_colors == "match":
        styles = [colors.matched(style, content) for style in styles]
    return Pictures(content, styles, [share / sum(shares) for share in shares])


def _preprocessed(function, path, read, *asked, **more):
    """What a function of the reference makes of a picture; a replacement of somebody's own is given the path, as there."""
    return function(read(path) if function.__module__ == images.__name__ else path, *asked, **more)


def on_device(array, device):
    """An array as an NDArray on the device."""
    return mx.nd.array(array, ctx=device)


def model_and_terms(args, device, pictures):
    """The Model, and the Terms on its layers, the style's first; weights on one layer are added up.

    A picture that is too small for the layers is a UsageError.
    """
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
    for number, size in enumerate(pictures.sizes):
        model.demand_size([layer for kind, layer in terms if kind == STYLE or not number], size,
                          "style" if number else "content")
    model.keep(layer for _, layer in terms)
    return model, list(terms.values())


def precision_of(args, model, terms):
    """The precision that --precision comes to; auto is float32 where only the graph can evaluate the terms."""
    if args.precision == "auto" and not engine.supports(model, terms):
        return "float32"
    return machine.precision(args.precision)


def make_objective(args, model, terms, pictures):
    """The Objective of the terms for the Pictures, evaluated by the reference's graph or layer by layer."""
    memory.keep_freed(False)        # the targets are made only once
    precision, shapes = precision_of(args, model, terms), model.shapes([term.layer for term in terms], pictures.sizes[0])
    scales = [float(term.weight) / term.divisor(n, h * w) for term, (n, h, w) in
              ((term, shapes[term.layer]) for term in terms)]
    if precision == "float32" and not args.tile:
        evaluate = Graph(model, terms, scales, pictures)
    elif engine.supports(model, terms, bool(args.tile)):
        evaluate = engine.Layers(model, terms, scales, pictures, precision, args.tile)
    else:
        flag = f"--tile {args.tile}" if args.tile else f"--precision {args.precision}"
        why = ("some of the terms need the whole picture at once" if engine.supports(model, terms) else
               "only VGG19 and VGG16 can do that, on the CPU and with layers that are no pools")
        raise UsageError(f"{flag}: {why}; leave it out")
    clip = 1.0 if args.clip_gradient is None else args.clip_gradient
    if OPTIMIZERS[args.optimizer].mxnet is None:
        clip = 0        # L-BFGS needs the gradient of its value
    return Objective(evaluate, terms, scales,
                     image_terms(pictures.content.shape, model.device, args.tv_loss, args.tv_weight, args.amplitude_weight),
                     *([clip * pictures.content.size] if clip else []))
