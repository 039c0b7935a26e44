"""The image that a run starts from: noise, a picture, or with --pyramid the result of smaller levels."""

import functools
from argparse import Namespace
from typing import Any, Callable, Tuple

import numpy as np

from ..find_mxnet import mx
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
    found, edge = [], args.width or args.max_long_edge
    for level in range(1, args.pyramid + 1):
        if edge >> level < SMALLEST:
            raise UsageError(
                f"--pyramid {args.pyramid}: the level below {edge >> level - 1} pixels would be smaller than "
                f"{SMALLEST}; use fewer levels"
            )
        found.append(
            Namespace(
                **{
                    **vars(args),
                    "max_long_edge": args.max_long_edge >> level,
                    "width": args.width and args.width >> level,
                    "max_num_epochs": args.pyramid_epochs,
                    "stop_eps": 0.0,
                }
            )
        )
    return found[::-1]


def enlarged(image: np.ndarray, size: Size) -> np.ndarray:
    """The image (1, C, h, w) at size (H, W), by cubic splines."""
    from skimage.transform import resize

    picture = image[0].transpose(1, 2, 0).astype(np.float64)
    return resize(picture, size, order=3, mode="edge").transpose(2, 0, 1)[None].astype(np.float32)


def start_of(args: Namespace, shape: Tuple[int, ...], device: Context, read: Callable) -> Any:
    """The image (1, 3, H, W) that a run starts from, on its Canvas; read(path) gives pictures."""
    if args.seed is not None:
        mx.random.seed(args.seed)
    named = {"content": args.content_image, "style": listed(args.style_image)[0]}
    image = None

    def at_size(shape):
        picture = start_image(args.start, shape, device, named, read) if image is None else enlarged(image, shape[2:])
        return edges.canvas(args.edges, shape[2:]).extended(picture)

    for level in levels(args):
        pictures = setup.pictures_of(level, read)
        objective = setup.make_objective(level, *setup.model_and_terms(level, device, pictures, lenient=True), pictures)
        start = at_size(pictures.content.shape)
        with of_epochs(level) as progress:
            show = functools.partial(show_epoch, progress, objective, level.print_iterations)
            image = optimize.minimise(objective, optimize.start_state(start), level, show)
        image = edges.canvas(args.edges, pictures.sizes[0]).shown(image)
    return at_size(shape)
