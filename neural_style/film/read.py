"""Any file as a Film: an animation by Pillow, all others by FFmpeg."""

import os
from types import ModuleType

from ..system.errors import UsageError
from .about import Film

NEEDS_AV = (
    'films need PyAV, which is not installed: pip install "neural-style-mxnet[film]" or pip install av '
    "(animated GIF and WebP work without it)"
)


def open_film(path: str) -> Film:
    """The Film of a file: an animated GIF, WebP or PNG, or anything that FFmpeg reads."""
    start = _start_of(path)
    if start[:6] in (b"GIF87a", b"GIF89a") or start[:4] + start[8:12] == b"RIFFWEBP" or start[:4] == b"\x89PNG":
        from .animations import open_animation

        return open_animation(path)
    from ..pictures.read import size_of

    if size_of(path) is not None:
        raise UsageError(f"{path} is a picture; python -m neural_style paints pictures")
    return containers().open_container(path)


def containers() -> ModuleType:
    """The module for films that FFmpeg reads and writes; UsageError without PyAV."""
    try:
        import av
    except ModuleNotFoundError:
        raise UsageError(NEEDS_AV) from None
    except ImportError as error:
        raise UsageError(f"PyAV cannot be loaded: {error}") from None
    av.logging.set_level(av.logging.PANIC)  # what FFmpeg has to say is in the errors
    from . import containers as module

    return module


def _start_of(path):
    """The first bytes of the path, after checking that it is a file."""
    if path.startswith(("http://", "https://")):
        raise UsageError(f"{path} is an address: download it first and name the file")
    if not os.path.exists(path):
        raise UsageError(f"{path}: there is no such film")
    if not os.path.isfile(path):
        raise UsageError(f"{path} {'is a folder' if os.path.isdir(path) else 'is not a file'}; name a film")
    with open(path, "rb") as file:
        start = file.read(16)
    if not start:
        raise UsageError(f"{path} is empty")
    return start
