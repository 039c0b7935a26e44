"""What a run will do and how much memory it will take, before it starts.

Memory is  max(libraries + photo, libraries + weights + max(gradient, target) + further styles + optimiser).  Each part
is a number of bytes that follows from shapes, times a factor. The factors were measured as peak resident memory of
whole runs on Linux x86-64 with AVX-512 (MXNet 1.9.1 with oneDNN, two threads, glibc), at 300 to 2400 pixels; those of
each engine stand in objective/engines.py.
"""

import logging
import math
import os
from argparse import Namespace
from typing import List, Optional, Sequence

from ..end_to_end.network import load
from ..network.model import Model
from ..objective import edges, engines
from ..objective.engines import Memory
from ..objective.patches import ANSWERS, QUERIES
from ..objective.terms import GRAM, PATCHES, STYLE, Term
from ..options.flags import NETWORK, listed, style_pictures
from ..options.optimizers import OPTIMIZERS
from ..pictures.read import size_of
from ..system.errors import UsageError
from ..system.memory import available, gigabytes, resident
from ..system.types import Size

log = logging.getLogger("neural_style")

LIBRARIES = 180e6  # Python, MXNet, scikit-image and SciPy, loaded
TARGET = 0.37  # all that the layers make of a style picture, forward only
FURTHER = 0.1  # what that leaves behind with each style after the first, measured with three
PATCHED, OF_STYLES, BLOCKS = 1, 1.5, 0.5  # of layers with patches: the image's, the styles', blocks for the products
PHOTO = 48  # bytes per pixel of a photo while it is scaled: two copies in float64
IN_STRIPS = 200  # bytes per pixel that stay while strips are evaluated: pictures, and features between the blocks
STRIP, AROUND = 1830, 196  # bytes per pixel of a strip, and rows that come to its own, of all blocks together
TILES = (512, 256, 128, 64, 32)  # rows of a strip, to choose from
SMALLEST = 32  # pixels that are worth a picture


def estimate(
    factors: Memory,
    model: Model,
    terms: List[Term],
    size: Size,
    style_sizes: Sequence[Size] = (),
    optimizer: str = "nag",
    tile: Optional[int] = None,
) -> float:
    """The peak memory, in bytes, of a run of terms on an image of size (H, W); factors are an evaluation's Memory."""
    states = OPTIMIZERS[optimizer].bytes_per_value * 3 * size[0] * size[1]
    always = fixed(factors, model) + states + _of_patches(model, terms, size, style_sizes)
    if tile:
        height, width = (max(sides) for sides in zip(size, *style_sizes))
        rows = height / max(1, round(height / tile)) + AROUND
        in_strips = always + IN_STRIPS * height * width + STRIP * rows * width
        return min(in_strips, estimate(factors, model, terms, size, style_sizes, optimizer))
    style, content = ([term.layer for term in terms if (term.kind == STYLE) == wanted] for wanted in (True, False))
    gradient = factors.layers * model.layer_bytes(style + content, size)[1]
    gradient += factors.content * model.layer_bytes(content, size)[0]
    targets = [model.layer_bytes(style, own)[1] for own in style_sizes]
    grams = [term for term in terms if term.what == GRAM]
    further = FURTHER * sum(targets[1:]) if grams else 0
    in_regions = sum(model.layer_bytes([term.layer], size)[0] for term in grams if term.region is not None)
    return always + max(gradient, TARGET * max(targets, default=0)) + further + factors.regions * in_regions


def _of_patches(model, terms, size, style_sizes):
    """The bytes that comparing patches takes: the features of all pictures, means of matches, and blocks of patches."""
    terms, needed, blocks = [term for term in terms if term.what == PATCHES], 0, [0]
    for term in terms:
        of_styles = sum(model.layer_bytes([term.layer], own)[0] for own in style_sizes)
        channels, height, width = model.shapes([term.layer], size)[term.layer]
        patch, count = 4 * channels * term.patch_shape.side**2, min(QUERIES, height * width)
        needed += OF_STYLES * of_styles + PATCHED * 4 * channels * height * width
        blocks.append(2 * patch * (count + ANSWERS) + 8 * count * ANSWERS)
    return needed + BLOCKS * max(blocks)


def fixed(factors: Memory, model: Model) -> float:
    """The part of the memory, in bytes, that does not grow with the picture."""
    return LIBRARIES + factors.libraries + factors.weights * model.weight_bytes


def reading(pictures: List[str]) -> float:
    """The peak memory, in bytes, of reading these pictures one after the other; 0 for those that cannot be read."""
    sizes = filter(None, map(size_of, filter(os.path.isfile, pictures)))  # pipes can be read only once
    return max((LIBRARIES + PHOTO * width * height for width, height in sizes), default=0)


def _pictures(args):
    """What the flags for pictures are set to, which may be words such as `uniform`."""
    others = [args.mask, args.regions, *listed(args.style_regions)]
    return [args.content_image, args.start, *style_pictures(args), *filter(None, others)]


def check_pictures(args: Namespace, free: Optional[int] = None) -> None:
    """Refuse pictures that are too large for the free memory, before reading them."""
    if args.start.startswith(NETWORK):
        load(args.start[len(NETWORK) :], f"--start {NETWORK}")  # raises where there is none
    free = available() if free is None else free
    needed = reading(_pictures(args)) - resident()
    if free is not None and needed > free and not args.force:
        raise UsageError(
            f"reading the pictures takes about {gigabytes(needed)} of memory, but only {gigabytes(free)} are "
            "free: scale the largest one down first, or start anyway with --force"
        )


def _needs(args, model, terms, sizes, tile):
    """The estimate for a run in strips of tile rows, or as a whole for None; infinite where no engine does that."""
    try:
        factors = engines.choose(args, model, terms, tile).memory
    except UsageError:
        return math.inf
    return estimate(factors, model, terms, edges.canvas(args.edges, sizes[0]).whole, sizes[1:], args.optimizer, tile)


def tile_for(
    args: Namespace, model: Model, terms: List[Term], sizes: List[Size], free: Optional[int] = None
) -> Optional[int]:
    """The rows of the strips to evaluate the run in: as asked, or None if the whole picture fits in memory.

    terms are the objective's; sizes are the image's (H, W) and then each style's.
    """
    free = available() if free is None else free
    engine = engines.choose(args, model, terms, args.tile).engine
    on_gpu = engine.gpu_memory(model.device, args.gpu) is not None
    if args.tile or free is None or on_gpu or _needs(args, model, terms, sizes, TILES[-1]) == math.inf:
        return args.tile
    fits = (tile for tile in (None, *TILES) if _needs(args, model, terms, sizes, tile) <= free + resident())
    return next(fits, TILES[-1])


def announce(
    args: Namespace, model: Model, terms: List[Term], sizes: List[Size], tile: Optional[int], free: Optional[int] = None
) -> str:
    """Log and return what the run will do in strips of tile rows, and refuse what does not fit in memory."""
    choice, free = engines.choose(args, model, terms, tile), available() if free is None else free
    text = (
        f"{sizes[0][1]}x{sizes[0][0]} in {choice.precision} on {choice.engine.where(model.device, args.gpu)}: at most "
        f"{args.max_num_epochs} epoch{'s' * (args.max_num_epochs > 1)} of {args.optimizer}"
    )
    needed, on_gpu = _needs(args, model, terms, sizes, tile), choice.engine.gpu_memory(model.device, args.gpu)
    if on_gpu is not None:
        text += f"; needs about {gigabytes(needed)} of its memory, {gigabytes(on_gpu)} free"
        log.info("%s", text)
        if needed > on_gpu:  # the estimate is that of a CPU, so the run may fit all the same
            log.warning("that may be too little: %s", _advice(args, fixed(choice.memory, model), needed, on_gpu))
        return text
    if tile != args.tile:
        whole = gigabytes(_needs(args, model, terms, sizes, None))
        log.info("the whole picture would need about %s: evaluating it in strips (--tile %d)", whole, tile)
    have = "" if free is None else f", {gigabytes(free)} free"
    text += f"; needs about {gigabytes(max(needed, reading(_pictures(args))))}{have}"
    log.info("%s", text)
    if free is not None and needed > free + resident() and not args.force:
        raise UsageError(
            f"this run needs about {gigabytes(needed)} of memory, but only {gigabytes(free)} are free: "
            f"{_advice(args, fixed(choice.memory, model), needed, free + resident())}; --force starts it anyway"
        )
    return text


def _advice(args, fixed, needed, have):
    """What to do instead: except for a fixed part, memory is proportional to the number of pixels."""
    share = max(0, have - fixed) / (needed - fixed)
    flag, edge = ("--width", args.width) if args.width else ("--max-long-edge", args.max_long_edge)
    edge = int(edge * share**0.5)
    return f"{flag} {edge} would fit" if edge >= SMALLEST else "no size would fit; close other programs"
