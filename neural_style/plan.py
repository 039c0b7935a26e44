"""What a run will do and the memory that it will take, before it starts.

Memory is  max(libraries + photo, libraries + weights + max(gradient, target) + further styles + optimiser).  Each part
is a number of bytes that follows from shapes, times a factor. The factors were measured as peak resident memory of
whole runs on Linux x86-64 with AVX-512 (MXNet 1.9.1 with oneDNN, two threads, glibc), at 300, 600 and 1200 pixels.
"""
import functools
import logging
import operator
import os
from collections import namedtuple

from . import machine
from .errors import UsageError
from .memory import available, gigabytes, resident
from .options import listed

log = logging.getLogger("neural_style")

LIBRARIES = 180e6       # Python, MXNet, scikit-image and SciPy, loaded
# By how the network is gone through (see features.py), factors of bytes. weights: as read and as bound, and oneDNN's
# copies of them in its own layouts; layers: all that the layers make, forward and backward; style and content: of these
# layers besides, for Gram matrices, differences and gradients.
Factors = namedtuple("Factors", ["weights", "layers", "style", "content"])
FACTORS = {
    "float32": Factors(3.55, 0.555, 0.5, 1.0),
    "fast32": Factors(7.7, 0.555, 0.5, 1.0),      # the filters at all points of a tile are four times the weights
    "bf16": Factors(3.95, 0.555, 0.5, 1.0),
    "graph": Factors(3.2, 1.0, 3.1, 4.7),
}
TARGET = 0.37           # all that the layers make of a style picture, forward alone
FURTHER = 0.1           # what that leaves behind with each style after the first, measured with three
PHOTO = 48              # bytes per pixel of a photo while it is scaled: two copies in float64
IN_STRIPS = 200         # bytes per pixel that stay while the rest goes in strips: what is between the blocks, and pictures
STRIP, AROUND = 1830, 196       # bytes per pixel of a strip, and rows that come to its own, of all blocks together
TILES = (512, 256, 128, 64, 32)     # rows of a strip, to choose from
SMALLEST = 32           # pixels that are worth a picture
STATES = {              # bytes per value of the image
    "nag": 5 * 4,       # the image before and after, the momentum, their differences: float32
    "sgd": 5 * 4,
    "adam": 6 * 4,      # two momenta
    "lbfgs": 30 * 8,    # SciPy keeps ten pairs of steps and gradients in float64, and some more
}


def layer_bytes(outputs, size):
    """The bytes of outputs, a group of layers, and of all layers up to them, for a picture of size (H, W)."""
    _, shapes, _ = outputs.infer_shape(data=(1, 3) + tuple(size))
    inner = outputs.get_internals()
    _, inner_shapes, _ = inner.infer_shape(data=(1, 3) + tuple(size))
    arguments = set(outputs.list_arguments())
    return _bytes(shapes), _bytes(shape for name, shape in zip(inner.list_outputs(), inner_shapes)
                                  if name not in arguments)


def _bytes(shapes):
    """The bytes of float32 arrays."""
    return sum(4 * functools.reduce(operator.mul, shape) for shape in shapes)


def estimate(model, terms, size, style_sizes=(), optimizer="nag", precision="float32", tile=None):
    """The peak memory, in bytes, of a run of the objective's terms on an image of size (H, W)."""
    factors = _factors(model, terms, precision)
    states = STATES[optimizer] * 3 * size[0] * size[1]
    if tile:
        height, width = (max(sides) for sides in zip(size, *style_sizes))
        rows = height / max(1, round(height / tile)) + AROUND
        return min(fixed(model, factors) + IN_STRIPS * height * width + STRIP * rows * width + states,
                   estimate(model, terms, size, style_sizes, optimizer, precision))
    layers = _outputs(model, terms)
    own = {kind: layer_bytes(outputs, size)[0] for kind, outputs in layers.items()}
    gradient = (factors.layers * layer_bytes(layers["all"], size)[1] + factors.style * own.get("style", 0)
                + factors.content * own.get("content", 0))
    targets = [layer_bytes(layers["style"], style)[1] for style in style_sizes]
    return (fixed(model, factors) + max(gradient, TARGET * max(targets, default=0)) + FURTHER * sum(targets[1:])
            + states)


def _factors(model, terms, precision):
    if model.chain([term.layer for term in terms]) is None:
        return FACTORS["graph"]
    return FACTORS[precision]


def fixed(model, factors):
    """The part of the memory, in bytes, that does not grow with the picture."""
    return LIBRARIES + factors.weights * model.weight_bytes


def _outputs(model, terms):
    """The layers of the terms as groups: style and content, where there are such terms, and all of them."""
    names = {"all": [term.layer for term in terms]}
    for term in terms:
        names.setdefault(term.kind, []).append(term.layer)
    return {kind: model.outputs(layers) for kind, layers in names.items()}


def reading(paths):
    """The peak memory, in bytes, of reading these pictures one after the other; 0 for those that cannot be read."""
    from .pictures_in import size_of
    sizes = filter(None, map(size_of, filter(os.path.isfile, paths)))       # pipes can be read only once
    return max((LIBRARIES + PHOTO * width * height for width, height in sizes), default=0)


def check_pictures(args, free=None):
    """Refuse pictures that are too large to be read here, before they are."""
    free = available() if free is None else free
    needed = reading(_pictures(args)) - resident()
    if free is not None and needed > free and not args.force:
        raise UsageError(f"reading the pictures takes about {gigabytes(needed)}, and {gigabytes(free)} of memory are "
                         "free: scale the largest down first, or start all the same with --force")


def _pictures(args):
    return [args.content_image] + (listed(args.style_image) if args.style_weight else [])


def announce(args, model, terms, sizes, device, free=None):
    """Log what the run will do, and refuse it where its memory cannot do.

    terms are the objective's; sizes are the image's (H, W) and then each style's.
    """
    from .objective import fits
    size, *style_sizes = sizes
    layers = _outputs(model, terms)
    if not fits(layers["all"], size) or not all(fits(layers["style"], style) for style in style_sizes):
        return      # Objective says so
    precision = precision_of(args, model, terms)
    text = (f"{size[1]}x{size[0]} on {place(device)} in {precision}: at most {args.max_num_epochs} "
            f"epoch{'s' * (args.max_num_epochs > 1)} of {args.optimizer}")
    if device.device_type != "cpu":
        log.info(text)
        return
    free = available() if free is None else free

    def needs(tile):
        return estimate(model, terms, size, style_sizes, args.optimizer, precision, tile)
    needed, factors = needs(args.tile), _factors(model, terms, precision)
    if free is not None and needed > free + resident() and not args.tile and factors is not FACTORS["graph"]:
        args.tile = next((tile for tile in TILES if needs(tile) <= free + resident()), TILES[-1])
        log.info("as a whole it would need about %s: it goes in strips, --tile %d", gigabytes(needed), args.tile)
        needed = needs(args.tile)
    log.info("%s; needs about %s%s", text, gigabytes(max(needed, reading(_pictures(args)))),
             "" if free is None else f", {gigabytes(free)} free")
    if free is not None and needed > free + resident() and not args.force:
        raise UsageError(f"this run needs about {gigabytes(needed)} of memory and {gigabytes(free)} are free: "
                         f"{_advice(args, fixed(model, factors), needed, free + resident())}; --force starts it all the same")


def precision_of(args, model, terms):
    """The precision that --precision comes to: auto is float32 where the model is bound as a graph."""
    graph = model.chain([term.layer for term in terms]) is None
    return "float32" if args.precision == "auto" and graph else machine.precision(args.precision)


def place(device):
    """The device in words."""
    if device.device_type == "cpu":
        return f"the CPU with {os.environ.get('OMP_NUM_THREADS', 'all')} threads"
    return f"GPU {device.device_id}"


def _advice(args, fixed, needed, have):
    """What to do instead: all but a fixed part of the memory goes with the number of pixels."""
    share = max(0, have - fixed) / (needed - fixed)
    flag, edge = ("--width", args.width) if args.width else ("--max-long-edge", args.max_long_edge)
    edge = int(edge * share ** 0.5)
    return f"{flag} {edge} would fit" if edge >= SMALLEST else "no size would fit; close other programs"
