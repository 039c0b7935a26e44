"""From the command's arguments to the painted film."""

import contextlib
import functools
import os
from argparse import Namespace
from typing import Optional

from ..batch.frames import first_epochs
from ..network.find_model import weights_of
from ..options import check
from ..options.flags import PICTURE, listed, paths, with_paths
from ..pictures import read, write
from ..run.progress import duration
from ..saved import work
from ..saved.locks import locked
from ..system.errors import UsageError, say
from ..system.files import refuse_to_replace, sha256_of
from . import painters
from .kept import Kept
from .paint import paint, scaled_size, writer
from .read import open_film


def film(own: Namespace, args: Namespace, long_edge: Optional[int] = None, width: Optional[int] = None) -> None:
    """Paint the film own.film, at its own size or at this one."""
    if own.style:
        args = check.complete(args)
    to, source = writer(own.output), open_film(own.film)
    shown = source._replace(size=scaled_size(source, own.output, long_edge, width))
    _refuse_to_lose_anything(own, args)
    to.prepare(own.output, shown)
    write.prepare_folder(os.path.dirname(own.output) or ".")
    write.refuse_read_only(own.output)
    with locked(own.output, f"painting {own.output}", "name another --output"):
        kept = Kept(own.output, shown.size)
        painter, depends_on = (_by_network if own.network else _in_style)(own, args, shown.size, kept)
        done = kept.begin(work.fingerprint(sha256_of(own.film), shown.size, depends_on), args.overwrite)
        if not args.quiet:
            _announce(source, shown, done, to)
        try:
            with painter as painted:
                times, lost = paint(shown, painted, kept, done, args.quiet)
        except KeyboardInterrupt:
            raise KeyboardInterrupt("interrupted; run the same command again to continue") from None
        if not times:
            raise UsageError(f"{own.film} is damaged: no frame can be decoded")
        if lost or source.missing:
            say(
                f"{own.film} is damaged or ends early: about {max(len(lost), source.missing)} frames are missing, "
                "and the frame before them is shown instead"
            )
        to.write(own.output, shown, kept.frames(times, source.end))
        kept.remove()
    if not args.quiet:
        say(f"the film is {own.output}")


def _announce(source, shown, done, to):
    size, more = "{1}x{0}".format(*source.size), ""
    if shown.size != source.size:
        more = ", painted at {1}x{0}".format(*shown.size)
    if source.sound:
        more += ", with sound" if to.KEEPS_SOUND else "; the sound is dropped"
    say(
        f"{source.path}: {size}, {source.count} frames in {duration(float(source.end * source.time_base))}{more}"
        + (f"; {done} are already painted" if done else "")
    )


def _refuse_to_lose_anything(own, args):
    """Raise UsageError if the film would replace one of its inputs, or another file without --overwrite."""
    output = own.output
    if os.path.isdir(output):
        raise UsageError(f"{output} is a folder; name a film")
    used = [own.film, *(paths(args, PICTURE) if own.style else [])]
    if any(os.path.exists(path) and os.path.exists(output) and os.path.samefile(path, output) for path in used):
        raise UsageError(f"--output {output} is one of the film's inputs; name another file")
    refuse_to_replace(output, args.overwrite)


def _by_network(own, args, size, kept):
    """A context for the painter, and what its frames depend on."""
    from .. import find_mxnet
    from ..end_to_end import network

    net, luma = network.load(own.network).at(own.strength), args.preserve_colors == "luma"
    paint = functools.partial(net.paint, device=find_mxnet.context(check.complete(args).gpu))
    painter = painters.by_network(paint, kept, luma)
    return contextlib.nullcontext(painter), ["network", net.digest, luma, painters.SHARE]


def _in_style(own, args, size, kept):
    """The same, for runs in a style."""
    args = Namespace(**with_paths(dict(vars(args), content_image=own.film), PICTURE, os.path.abspath))
    for path in filter(None, [*listed(args.style_image), args.mask, args.regions, *listed(args.style_regions)]):
        read.read_picture(path)  # raises now, and not for the first frame
    if args.seed is None:
        args.seed = 0
    args.model, args.model_params = weights_of(args)
    args.max_long_edge, args.width = max(size), None
    first = first_epochs(own, args)
    return painters.in_style(args, first, kept), ["style", first, work.what_counts(args, sha256_of)]
