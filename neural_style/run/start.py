"""The image that a run starts from."""

from typing import Any, Callable, Dict, Tuple

import numpy as np

from ..end_to_end.network import load
from ..find_mxnet import mx
from ..options.flags import NETWORK
from ..pictures import images
from ..system.errors import UsageError
from ..system.types import Context

MEANS = images.MEANS.reshape(1, 3, 1, 1)


def _uniform(shape):
    return mx.nd.random.uniform(-0.1, 0.1, shape)


def _normal(shape):
    return mx.nd.random.normal(0, 0.256, shape)


def _white(shape):
    """White noise over a picture's whole range."""
    return mx.nd.random.uniform(0, 256, shape) - mx.nd.array(MEANS)


def _median(shape):
    """Uniform noise, smoothed channel by channel by a median filter of 8×8, at half brightness."""
    from scipy.ndimage import median_filter

    noise = mx.nd.random.uniform(0, 1, shape).asnumpy()
    return mx.nd.array(median_filter(noise, (1, 1, 8, 8)) / 2 * 256 - MEANS)


NOISES = {"uniform": _uniform, "normal": _normal, "white": _white, "median": _median}


def start_image(
    name: str, shape: Tuple[int, ...], device: Context, pictures: Dict[str, str], read: Callable = images.read_picture
) -> Any:
    """The array (1, 3, H, W) of that name, in float32.

    pictures are {"content": path, "style": path}; network:NAME is what a network paints of the content; any other name
    is a picture file, which is stretched, or a raw image NAME.npy of this shape; read(path) gives pictures.
    """
    if name in NOISES:
        return NOISES[name](shape).asnumpy()  # drawn on the CPU: one seed, one noise everywhere
    if name.endswith(".npy"):
        return _raw(name, shape)
    if name.startswith(NETWORK):
        content = images.to_network(read(pictures["content"]).pixels, tuple(shape[2:]))
        return load(name[len(NETWORK) :]).paint(content, device=device).astype(np.float32)
    picture = read(pictures.get(name, name))
    return images.to_network(picture.pixels, tuple(shape[2:])).astype(np.float32)


def _raw(path, shape):
    """The float32 array of a file: an image as the network sees it, such as an earlier run's result."""
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UsageError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if array.shape != tuple(shape) or array.dtype != np.float32 or not np.isfinite(array).all():
        raise UsageError(
            f"{path} is not a raw image of {shape[3]}x{shape[2]}: it must hold finite float32 values of shape "
            f"{tuple(shape)}"
        )
    return array
