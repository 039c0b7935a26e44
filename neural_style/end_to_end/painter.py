"""Paint photographs with a network; they are read and saved as for a run."""

import logging
import os
import time
from argparse import Namespace
from pathlib import Path
from typing import Any, Optional

import numpy as np

from .. import recipes
from ..find_mxnet import context, mx
from ..pictures import colors, images, regions
from ..pictures.find import Taken, find_pictures
from ..pictures.read import Picture
from ..pictures.write import is_picture_name
from ..run.progress import Progress, duration
from ..system.errors import NeuralStyleError, UsageError, describe, say
from ..system.files import refuse_to_replace
from ..system.terminal import above_bar
from ..system.types import PathLike
from .network import Network, load

log = logging.getLogger("neural_style")

HOW = "to use it: python -m neural_style.end_to_end paint --recipe PICTURE"  # in the recipes of what is painted here


def run(own: Namespace, args: Namespace) -> int:
    """Paint every photograph, even if some of them fail. Returns the exit code."""
    network, failed = load(own.network).at(own.strength), False
    photographs = find_pictures(own.photos, "PHOTO")
    mask = images.read_picture(args.mask) if args.mask else None
    outputs = _outputs(photographs, own.output, own.format.lstrip("."))
    for output in outputs:
        refuse_to_replace(output, args.overwrite, "name another folder")
        if output.exists() and any(output.samefile(other) for other in [*photographs, *filter(None, [args.mask])]):
            raise UsageError(f"--output {own.output}: {output} is one of the pictures to read; name another folder")
    images.prepare_outputs(outputs[0], bit_depth=args.bit_depth)
    flags = [("--network", own.network), *[("--strength", own.strength)] * (own.strength < 1)]
    start = time.monotonic()
    with Progress(len(outputs), "picture", bar=not args.quiet) as progress:
        for path, output in zip(photographs, outputs):
            began, trouble, args.content_image = time.monotonic(), "", path
            try:
                paint(network, path, output, args, mask, recipes.of_picture(args, [HOW], flags))
            except (NeuralStyleError, mx.base.MXNetError, OSError, MemoryError) as error:
                failed, trouble = True, f"{path} failed: {describe(error)}"
            progress.step(time.monotonic() - start)
            if trouble:
                with above_bar():
                    say(trouble)
            elif progress.bar is None:
                line = f"{output} painted in {time.monotonic() - began:.1f} s"
                many = f"{progress.done}/{len(outputs)} {line}, {duration(progress.left())} left"
                log.info("%s", line if len(outputs) == 1 else many)
    return int(failed)


def paint(
    network: Network, path: str, output: PathLike, args: Namespace, mask: Optional[Picture] = None, recipe: Any = None
) -> None:
    """Paint the photograph at path, and save it as the arguments ask for; mask is a Picture, recipe a text to embed."""
    photo = images.read_picture(path)
    content = images.PreprocessContentImage(photo, args.max_long_edge, args.width)
    network.demand_memory(content.shape[2:], args.force)
    where = regions.mask_of(mask, photo) if mask else None
    painted = network.paint(content, device=context(args.gpu))
    if args.preserve_colors == "luma":
        painted = colors.with_colors_of(painted, content).astype(np.float32)
    options = images.save_options(args, photo, str(output), content, where)
    images.SaveImage(painted, str(output), args.remove_noise_final, recipe=recipe, **options)


def _outputs(photographs, output, ending):
    """The path of each result: output itself if that names a picture, or in this folder the photograph's name."""
    if os.path.isdir(output) or not is_picture_name(output):
        taken = Taken()
        return [Path(output, taken.free(Path(path).stem, ending)) for path in photographs]
    if len(photographs) > 1:
        raise UsageError(f"--output {output} names one picture for {len(photographs)} photographs; name a folder")
    return [Path(output)]
