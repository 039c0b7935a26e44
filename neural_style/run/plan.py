"""What a run will do and how much memory it will take, before it starts.

Memory is  max(libraries + photo, libraries + weights + max(gradient, target) + further styles + optimiser).  Each part
is a number of bytes that follows from shapes, times a factor. The factors were measured as peak resident memory of
whole runs on Linux x86-64 with AVX-512 (MXNet 1.9.1 with oneDNN, two threads, glibc), at 300 to 2400 pixels.
"""

import logging
import os
from typing import NamedTuple

from ..cuda import in_words
from ..end_to_end.network import load
from ..layers import engine
from ..layers.last import compiled
from ..objective import edges
from ..objective.patches import ANSWERS, QUERIES
from ..objective.terms import GRAM, PATCHES, STYLE
from ..options.flags import NETWORK, listed, style_pictures
from ..options.optimizers import OPTIMIZERS
from ..pictures.read import size_of
from ..system import machine
from ..system.errors import UsageError
from ..system.memory import available, gigabytes, resident
from .setup import precision_of

log = logging.getLogger("neural_style")

COMPILED = 110e6  # Numba, and the blocks that its loops work on
LIBRARIES = 180e6  # Python, MXNet, scikit-image and SciPy, loaded


class Factors(NamedTuple):
    """Of bytes, for one way to evaluate the network."""

    weights: float  # as read and as bound, and oneDNN's copies of them in its own layouts
    layers: float  # all that the layers make, forward and backward
    content: float  # of the layers with content terms besides: targets, differences and gradients
    regions: float  # of the layers whose Gram matrices are of a region, for each region


FACTORS = {
    "float32": Factors(2.7, 1.15, 4.7, 4.0),
    "fast32": Factors(7.65, 0.52, 4.0, 1.0),  # the filters at all points of a tile are four times the weights
    "bf16": Factors(3.6, 0.32, 4.0, 1.0),
}
TARGET = 0.37  # all that the layers make of a style picture, forward only
FURTHER = 0.1  # what that leaves behind with each style after the first, measured with three
PATCHED, OF_STYLES, BLOCKS = 1, 1.5, 0.5  # of layers with patches: the image's, the styles', blocks for the products
PHOTO = 48  # bytes per pixel of a photo while it is scaled: two copies in float64
IN_STRIPS = 200  # bytes per pixel that stay while strips are evaluated: pictures, and features between the blocks
STRIP, AROUND = 1830, 196  # bytes per pixel of a strip, and rows that come to its own, of all blocks together
TILES = (512, 256, 128, 64, 32)  # rows of a strip, to choose from
SMALLEST = 32  # pixels that are worth a picture


def estimate(model, terms, size, style_sizes=(), optimizer="nag", precision="float32", tile=None):
    """The peak memory, in bytes, of a run of the objective's terms on an image of size (H, W)."""
    factors, states = FACTORS[precision], OPTIMIZERS[optimizer].bytes_per_value * 3 * size[0] * size[1]
    if tile:
        height, width = (max(sides) for sides in zip(size, *style_sizes))
        rows = height / max(1, round(height / tile)) + AROUND
        return min(
            fixed(model, precision)
            + IN_STRIPS * height * width
            + STRIP * rows * width
            + states
            + _of_patches(model, terms, size, style_sizes),
            estimate(model, terms, size, style_sizes, optimizer, precision),
        )
    style, content = ([term.layer for term in terms if (term.kind == STYLE) == wanted] for wanted in (True, False))
    gradient = (
        factors.layers * model.layer_bytes(style + content, size)[1]
        + factors.content * model.layer_bytes(content, size)[0]
    )
    targets = [model.layer_bytes(style, own)[1] for own in style_sizes]
    further = FURTHER * sum(targets[1:]) if any(term.what == GRAM for term in terms) else 0
    in_regions = sum(
        model.layer_bytes([term.layer], size)[0] for term in terms if term.what == GRAM and term.region is not None
    )
    return (
        fixed(model, precision)
        + max(gradient, TARGET * max(targets, default=0))
        + further
        + factors.regions * in_regions
        + _of_patches(model, terms, size, style_sizes)
        + states
    )


def _of_patches(model, terms, size, style_sizes):
    """The bytes that comparing patches takes: the features of all pictures, means of matches, and blocks of patches."""
    terms, needed, blocks = [term for term in terms if term.what == PATCHES], 0, [0]
    for term in terms:
        of_styles = sum(model.layer_bytes([term.layer], own)[0] for own in style_sizes)
        channels, height, width = model.shapes([term.layer], size)[term.layer]
        patch, count = 4 * channels * term.patches.side**2, min(QUERIES, height * width)
        needed += OF_STYLES * of_styles + PATCHED * 4 * channels * height * width
        blocks.append(2 * patch * (count + ANSWERS) + 8 * count * ANSWERS)
    return needed + BLOCKS * max(blocks)


def fixed(model, precision):
    """The part of the memory, in bytes, that does not grow with the picture."""
    libraries = LIBRARIES + (COMPILED if precision == "fast32" and compiled() else 0)
    return libraries + FACTORS[precision].weights * model.weight_bytes


def reading(pictures):
    """The peak memory, in bytes, of reading these pictures one after the other; 0 for those that cannot be read."""
    sizes = filter(None, map(size_of, filter(os.path.isfile, pictures)))  # pipes can be read only once
    return max((LIBRARIES + PHOTO * width * height for width, height in sizes), default=0)


def _pictures(args):
    """What the flags for pictures are set to, which may be words such as `uniform`."""
    others = [args.mask, args.regions, *listed(args.style_regions)]
    return [args.content_image, args.start, *style_pictures(args), *filter(None, others)]


def check_pictures(args, free=None):
    """Refuse pictures that are too large for the free memory, before reading them."""
    if args.start.startswith(NETWORK):
        load(args.start[len(NETWORK) :])  # raises where there is none
    free = available() if free is None else free
    needed = reading(_pictures(args)) - resident()
    if free is not None and needed > free and not args.force:
        raise UsageError(
            f"reading the pictures takes about {gigabytes(needed)} of memory, but only {gigabytes(free)} are "
            "free: scale the largest one down first, or start anyway with --force"
        )


def _estimates(args, model, terms, sizes):
    """A function that estimates the memory of a run in strips of tile rows, or as a whole for None."""
    precision, size = precision_of(args, model, terms), edges.canvas(args.edges, sizes[0]).whole
    return lambda tile: estimate(model, terms, size, sizes[1:], args.optimizer, precision, tile)


def tile_for(args, model, terms, sizes, free=None):
    """The rows of the strips to evaluate the run in: as asked, or None if the whole picture fits in memory.

    terms are the objective's; sizes are the image's (H, W) and then each style's.
    """
    free = available() if free is None else free
    if args.tile or free is None or not engine.supports(model, terms, in_strips=True):
        return args.tile
    needs = _estimates(args, model, terms, sizes)
    return next((tile for tile in (None, *TILES) if needs(tile) <= free + resident()), TILES[-1])


def announce(args, model, terms, sizes, tile, free=None):
    """Log what the run will do in strips of tile rows, and refuse what does not fit in memory."""
    device, precision, free = model.device, precision_of(args, model, terms), available() if free is None else free
    text = (
        f"{sizes[0][1]}x{sizes[0][0]} in {precision} on {place(device, args.gpu)}: at most {args.max_num_epochs} "
        f"epoch{'s' * (args.max_num_epochs > 1)} of {args.optimizer}"
    )
    if device.device_type != "cpu":
        log.info(text)
        return
    needs = _estimates(args, model, terms, sizes)
    if tile != args.tile:
        log.info(
            "the whole picture would need about %s: evaluating it in strips (--tile %d)", gigabytes(needs(None)), tile
        )
    log.info(
        "%s; needs about %s%s",
        text,
        gigabytes(max(needs(tile), reading(_pictures(args)))),
        "" if free is None else f", {gigabytes(free)} free",
    )
    if free is not None and needs(tile) > free + resident() and not args.force:
        raise UsageError(
            f"this run needs about {gigabytes(needs(tile))} of memory, but only {gigabytes(free)} are free: "
            f"{_advice(args, fixed(model, precision), needs(tile), free + resident())}; --force starts it "
            "anyway"
        )


def place(device, gpu=-1):
    """The device in words, where --gpu asked for this one."""
    if device.device_type != "cpu":
        return f"GPU {device.device_id}"
    threads = machine.threads()
    return f"the CPU with {threads} thread{'s' * (threads != 1)}{f' ({in_words(gpu)})' * (gpu >= 0)}"


def _advice(args, fixed, needed, have):
    """What to do instead: except for a fixed part, memory is proportional to the number of pixels."""
    share = max(0, have - fixed) / (needed - fixed)
    flag, edge = ("--width", args.width) if args.width else ("--max-long-edge", args.max_long_edge)
    edge = int(edge * share**0.5)
    return f"{flag} {edge} would fit" if edge >= SMALLEST else "no size would fit; close other programs"
