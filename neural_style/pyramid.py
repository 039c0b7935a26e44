"""From coarse to fine: paint at half the size first, and begin with that, enlarged."""
from argparse import Namespace

import numpy as np

from . import images
from .errors import UsageError
from .plan import SMALLEST


def smaller(args):
    """The arguments of the level below."""
    edge = args.width or args.max_long_edge
    if edge // 2 < SMALLEST:
        raise UsageError(f"--pyramid {args.pyramid}: the level below {edge} pixels is less than {SMALLEST}; take fewer "
                         "levels")
    return Namespace(**{**vars(args), "pyramid": args.pyramid - 1, "max_long_edge": args.max_long_edge // 2,
                        "width": args.width and args.width // 2})


def check(args):
    """Raise UsageError where there are more levels than pixels."""
    while args.pyramid:
        args = smaller(args)


def enlarged(image, size):
    """The image (1, C, h, w) at size (H, W), by cubic splines."""
    from skimage.transform import resize
    picture = image[0].transpose(1, 2, 0).astype(np.float64)
    return resize(picture, size, order=3, mode="edge").transpose(2, 0, 1)[None].astype(np.float32)


def below(args, device, read):
    """The image, an array, that the levels below end with."""
    from . import nstyle, optimize
    from .progress import Progress
    level = smaller(args)
    content = images.PreprocessContentImage(read(level.content_image), level.max_long_edge, level.width)
    objective = nstyle.make_objective(level, content, nstyle.styles_of(level, content, read), device)
    image = nstyle.start_of(level, content.shape, device, read)
    with Progress(level.max_num_epochs, objective, level.print_iterations) as progress:
        return optimize.minimise(objective, image, level, progress.show).asnumpy()
