"""The image that a run starts from: noise, a picture, or with --pyramid the result of smaller levels."""

import collections
from argparse import Namespace
from typing import Callable, Deque, List, Optional, Tuple

import numpy as np

from ..find_mxnet import forget_kernels, mx
from ..objective import edges
from ..options.flags import listed
from ..system.errors import UsageError
from ..system.types import Context, Size
from . import optimize, setup
from .plan import SMALLEST
from .progress import of_epochs, show_epoch
from .start import start_image


def levels(args: Namespace) -> list:
    """The arguments of each level below the run itself, the smallest first."""
    found, edge, step = [], args.width or args.max_long_edge, args.pyramid_step
    epochs = listed(args.pyramid_epochs)
    if len(epochs) not in (1, args.pyramid) and args.pyramid:
        raise UsageError(
            f"--pyramid-epochs has {len(epochs)} values for {args.pyramid} levels; give one for all, or one for each"
        )
    for level in range(1, args.pyramid + 1):
        if edge / step**level < SMALLEST:
            raise UsageError(
                f"--pyramid {args.pyramid}: the level below {int(edge / step ** (level - 1))} pixels would be smaller "
                f"than {SMALLEST}; use fewer levels"
            )
        found.append(
            Namespace(
                **{
                    **vars(args),
                    "max_long_edge": int(args.max_long_edge / step**level),
                    "width": args.width and int(args.width / step**level),
                    "max_num_epochs": epochs[-level % len(epochs)],
                    "stop_eps": 0.0,
                }
            )
        )
    return found[::-1]


def enlarged(image: np.ndarray, size: Size, order: int = 3) -> np.ndarray:
    """The image (1, C, h, w) at size (H, W), by splines of an order, cubic ones by default."""
    from skimage.transform import resize

    picture = image[0].transpose(1, 2, 0).astype(np.float64)
    return resize(picture, size, order=order, mode="edge").transpose(2, 0, 1)[None].astype(np.float32)


def start_of(args: Namespace, shape: Tuple[int, ...], device: Context, read: Callable) -> optimize.State:
    """The State that a run starts from, with an image (1, 3, H, W) on its Canvas; read(path) gives pictures."""
    if args.seed is not None:
        mx.random.seed(args.seed)
    named = {"content": args.content_image, "style": listed(args.style_image)[0]}
    image: Optional[np.ndarray] = None
    memory: List[np.ndarray] = []

    def at_size(shape):
        canvas = edges.canvas(args.edges, shape[2:])
        picture = start_image(args.start, shape, device, named, read) if image is None else enlarged(image, shape[2:])
        state = optimize.start_state(canvas.extended(picture))
        return state._replace(memory=[canvas.extended(enlarged(array, shape[2:], 1)) for array in memory])

    for level in levels(args):
        image, memory = _painted(level, device, read, at_size)
        forget_kernels()  # no other level has such shapes
    return at_size(shape)


def _painted(
    level: Namespace, device: Context, read: Callable, start_at: Callable
) -> Tuple[np.ndarray, List[np.ndarray]]:
    """The image of a level, and what the optimiser then remembers if that is asked for, at the picture's size.

    Its objective is gone when this returns: each takes as much memory for its weights as any other.
    """
    pictures = setup.pictures_of(level, read)
    objective = setup.make_objective(level, *setup.model_and_terms(level, device, pictures, lenient=True), pictures)
    steps: Deque[optimize.Step] = collections.deque(maxlen=1)
    canvas = edges.canvas(level.edges, pictures.sizes[0])

    def on_step(step):
        steps.append(step)
        show_epoch(progress, objective, level.print_iterations, step)

    with of_epochs(level) as progress:
        image = canvas.shown(optimize.minimise(objective, start_at(pictures.content.shape), level, on_step))
    last = steps.pop()  # a step knows the loop, and that on_step: kept, they would keep the objective
    remembered = last.state().memory if level.pyramid_memory else []
    return image, [canvas.shown(array) for array in remembered]
