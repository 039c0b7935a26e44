"""Set a run up: turn its arguments into pictures, a model, terms and the Objective."""

import itertools
import logging
from argparse import Namespace
from typing import Callable, Dict, List, Tuple

import numpy as np

from ..network.model import Model
from ..objective import edges, engines
from ..objective.examples import Pictures, Style
from ..objective.image_terms import image_terms
from ..objective.objective import Objective
from ..objective.patches import places
from ..objective.terms import COMPARED, CONTENT, FEATURES, PATCHES, STYLE, PatchShape, Term
from ..options.flags import listed, style_pictures
from ..options.optimizers import OPTIMIZERS
from ..pictures import colors, images, regions
from ..system import memory
from ..system.errors import UsageError
from ..system.types import Context

log = logging.getLogger("neural_style")


def pictures_of(args: Namespace, read: Callable = images.read_picture) -> Pictures:
    """The Pictures that args name; read(path) reads one."""
    width = {"width": args.width} if args.width else {}
    content = _preprocessed(images.PreprocessContentImage, args.content_image, read, args.max_long_edge, **width)
    paths = style_pictures(args)
    scales, shares = (listed(value) or [1.0] * len(paths) for value in (args.style_scales, args.style_blend_weights))
    fits = [{} if (args.fit, scale) == ("stretch", 1.0) else {"fit": args.fit, "scale": scale} for scale in scales]
    scaled = images.PreprocessStyleImage
    pixels = [_preprocessed(scaled, path, read, content.shape, **fit) for path, fit in zip(paths, fits)]
    if args.preserve_colors == "match":
        pixels = [colors.matched(style, content) for style in pixels]
    mask = regions.mask_of(read(args.mask), read(args.content_image)) if args.mask else None
    own, of_styles = _regions(args, read, content.shape[2:], fits, [picture.shape[2:] for picture in pixels], mask)
    styles = [Style(picture, share / sum(shares), parts) for picture, share, parts in zip(pixels, shares, of_styles)]
    if any(COMPARED[what].has_copies for what in listed(args.style_term)):
        styles = [style._replace(copies=copies_of(style, args)) for style in styles]
    return Pictures(content, styles, own, mask)


def _regions(args, read, size, fits, shapes, mask):
    """The regions of the image, (R, H, W), and for each style its own; None if everything is one region."""
    paths = style_pictures(args)
    own, of_styles = None, [None] * len(paths)
    if args.regions and paths:
        labels = [(read(label), read(path)) for label, path in zip(listed(args.style_regions), paths)]
        maps, maps_of_styles = regions.paired((read(args.regions), read(args.content_image)), labels)
        own = np.stack([regions.scaled(part, size) for part in maps])
        of_styles = [
            np.stack([regions.scaled(part, size, shape, **fit) for part in parts])
            for parts, shape, fit in zip(maps_of_styles, shapes, fits)
        ]
    if mask is not None and mask.min() < regions.PAINTED:
        share = regions.scaled(np.uint8(255) * (mask >= regions.PAINTED), size)
        own = share[None] if own is None else own * share
    return own, of_styles


def copies_of(style: Style, args: Namespace) -> tuple:
    """The turned and scaled copies of a Style that args ask for, without the style itself."""
    copies = []
    asked = itertools.product(listed(args.patch_rotations) or [0.0], listed(args.patch_scales) or [1.0])
    for how in asked:
        if how != (0.0, 1.0):
            parts = None if style.regions is None else images.turned(style.regions[None], *how)[0]
            copies.append(Style(images.turned(style.picture, *how), style.share, parts))
    return tuple(copies)


def _preprocessed(function, path, read, *asked, **more):
    """A picture preprocessed by a function of the reference; a user's replacement gets the path, as it would there."""
    return function(read(path) if function.__module__ == images.__name__ else path, *asked, **more)


def model_and_terms(
    args: Namespace, device: Context, pictures: Pictures, lenient: bool = False
) -> Tuple[Model, List[Term]]:
    """The Model, and the Terms on its layers, the style's first; weights on one layer are added up.

    A picture that is too small for the layers is a UsageError; if lenient, patches and regions that are too small are
    dropped.
    """
    model = Model(args.model, device, args.model_params, args.pooling, args.normalised)
    terms = _added_up(model, [*_style_terms(args, model, pictures), *_content_terms(args, model)])
    if not terms:
        raise UsageError(
            "there is nothing to do: --style-weight and --content-weight are both 0, or those of all layers are"
        )
    content_size, *style_sizes = pictures.sizes
    model.demand_size([term.layer for term in terms], content_size, "content")
    for size in style_sizes:
        model.demand_size([term.layer for term in terms if term.kind == STYLE], size, "style")
    terms = [term for term in terms if term.kind == CONTENT or _fits(model, term, pictures, lenient)]
    if not terms:
        raise UsageError(
            "there is nothing to do: the mask or the regions leave no room for the style, and --content-weight is 0"
        )
    model.keep(term.layer for term in terms)
    return model, terms


def _style_terms(args, model, pictures):
    """A Term for each style layer and region."""
    compared = listed(args.style_term)
    usual = COMPARED[compared[0]].layers if len(compared) == 1 and model.is_own else ()
    layers = listed(args.style_layers) or usual or model.style_layers
    compared = compared * len(layers) if len(compared) == 1 else compared
    weights = listed(args.style_layer_weights) or [1.0] * len(layers)
    for flag, values in ("--style-layer-weights", weights), ("--style-term", compared):
        if args.style_weight > 0 and len(values) != len(layers):
            raise UsageError(
                f"{flag} has {len(values)} values for {len(layers)} style layers; there must be one for each"
            )
    shape = PatchShape(args.patch_size, args.patch_stride)
    return [
        Term(STYLE, layer, args.style_weight * weight, COMPARED[what].divisor(args), what, region, shape)
        for layer, weight, what in zip(layers, weights, compared)
        for region in ([None] if pictures.regions is None else range(len(pictures.regions)))
    ]


def _content_terms(args, model):
    divisor, layers = COMPARED[FEATURES].divisor(args), listed(args.content_layers) or model.content_layers
    return [Term(CONTENT, layer, args.content_weight, divisor) for layer in layers]


def _added_up(model, terms):
    """The terms with a weight; the weights of those that are the same otherwise are added up."""
    weights: Dict[Term, float] = {}
    for term in terms:
        if term.weight > 0:
            key = term._replace(layer=model.resolve(term.layer), weight=0)
            weights[key] = weights.get(key, 0) + term.weight
    return [term._replace(weight=weight) for term, weight in weights.items()]


def _fits(model, term, pictures, lenient):
    """Whether a style term has room; if lenient, it is dropped instead of raising a UsageError."""
    try:
        if _has_place(model, term, pictures):
            return True
        reason = "the mask or the region is too small for it"
    except UsageError as error:
        if not lenient:
            raise
        reason = str(error)
    log.info("%s is left out: %s", term.name, reason)
    return False


def _has_place(model, term, pictures):
    """Whether the image has room for a style term; UsageError if a style does not."""
    if not _places(model, term, pictures.content, pictures.field(term.region), 1):
        return False
    styles = pictures.styles_of(term.region)
    if not styles:
        raise UsageError("--style-blend-weights: all styles of a region have weight 0; give one of them a weight")
    stride = term.patch_shape.stride
    if not all(_places(model, term, style.picture, style.field(term.region), stride) for _, style in styles):
        raise UsageError(
            f"a region of --style-regions is too small for {term.layer}: paint it larger, or raise "
            "--max-long-edge, or use lower --style-layers"
        )
    return True


def _places(model, term, picture, field, stride):
    """How many patches or positions a picture has for a term."""
    _, height, width = model.shapes([term.layer], picture.shape[2:])[term.layer]
    if term.what == PATCHES:
        if min(height, width) < term.patch_shape.side:
            raise UsageError(
                f"--patch-size {term.patch_shape.side}: on {term.layer} a picture of {picture.shape[3]}x"
                f"{picture.shape[2]} has only {width}x{height} positions; raise --max-long-edge, or use lower "
                "--style-layers or smaller patches"
            )
        return len(places(field, (height, width), term.patch_shape.side, stride))
    share = field((height, width))
    return height * width if share is None else np.count_nonzero(share)


def _scale(term, field, channels, height, width):
    """What the term's sum of squares is multiplied by; a region counts by its share of the positions in every norm."""
    share, positions = field((height, width)), height * width
    of_region = positions / float(share.sum()) if share is not None and COMPARED[term.what].is_square else 1
    return float(term.weight) / term.divisor(channels, positions) * of_region


def make_objective(args: Namespace, model: Model, terms: List[Term], pictures: Pictures) -> Objective:
    """The Objective of the terms for the Pictures, evaluated by the engine that args choose.

    Its images are on the Canvas of args.edges, which has the pictures' own size by default.
    """
    memory.keep_freed(False)  # the targets are made only once
    pictures = edges.on_canvas(args.edges, pictures)
    shapes = model.shapes([term.layer for term in terms], pictures.sizes[0])
    scales = [_scale(term, pictures.field(term.region), *shapes[term.layer]) for term in terms]
    engine = engines.choose(args, model, terms, args.tile).make(args, model, terms, scales, pictures)
    clip = 1.0 if args.clip_gradient is None else args.clip_gradient
    if OPTIMIZERS[args.optimizer].mxnet is None:
        clip = 0  # L-BFGS needs the gradient of its value
    of_image = image_terms(engine.arrays, pictures.content.shape, args.tv_loss, args.tv_weight, args.amplitude_weight)
    return Objective(engine, terms, scales, of_image, *([clip * pictures.content.size] if clip else []))
