"""Terms of the image itself, not of its features: total variation in five forms, and the amplitude.

Each is a function of an image array (1, C, H, W) that returns its value and its gradient, for weight 1.
"""

import functools
from typing import Any, Callable, List, Tuple

import numpy as np

from ..find_mxnet import mx
from ..system.types import Context, NDArray
from .arrays import Arrays

AMPLITUDE = 80.0  # about the spread of natural pictures around the mean: Mahendran and Vedaldi's B


def get_tv_grad_executor(img: NDArray, ctx: Context, tv_weight: float) -> Any:
    """An executor bound on img (1, C, H, W) whose output is the TV gradient: the Laplacian of each channel.

    None if tv_weight is not positive.
    """
    if tv_weight <= 0.0:
        return None
    channels = img.shape[1]
    laplacian = mx.nd.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]], ctx).reshape((1, 1, 3, 3)) / 8
    how = dict(num_filter=channels, num_group=channels, kernel=(3, 3), stride=(1, 1), pad=(1, 1), no_bias=True)
    out = mx.sym.Convolution(mx.sym.Variable("img"), weight=mx.sym.Variable("kernel"), **how)
    return (out * tv_weight).bind(ctx, args={"img": img, "kernel": laplacian.tile((channels, 1, 1, 1))})


def _differences(x):
    """To the pixel below and to the pixel on the right."""
    return x[:, :, 1:] - x[:, :, :-1], x[:, :, :, 1:] - x[:, :, :, :-1]


def _spread(down, right):
    """The adjoint of _differences: what a weight on each difference means for each pixel."""
    shape = down.shape[:2] + (right.shape[2], down.shape[3])
    gradient = np.zeros(shape)
    gradient[:, :, 1:] += down
    gradient[:, :, :-1] -= down
    gradient[:, :, :, 1:] += right
    gradient[:, :, :, :-1] -= right
    return gradient


def anisotropic(x: np.ndarray) -> Tuple[float, np.ndarray]:
    """Σ |difference down| + |difference right|; the gradient at a difference of 0 is taken as 0."""
    down, right = _differences(x)
    return np.abs(down).sum() + np.abs(right).sum(), _spread(np.sign(down), np.sign(right))


def isotropic(x: np.ndarray, smallest: float = 1e-6) -> Tuple[float, np.ndarray]:
    """Σ √(difference down² + difference right²); a difference over the border counts as 0."""
    down, right = _differences(x)
    down, right = np.pad(down, ((0, 0), (0, 0), (0, 1), (0, 0))), np.pad(right, ((0, 0), (0, 0), (0, 0), (0, 1)))
    length = np.sqrt(down**2 + right**2)
    slope = 1 / np.maximum(length, smallest)
    return length.sum(), _spread((down * slope)[:, :, :-1], (right * slope)[:, :, :, :-1])


def squared(x: np.ndarray) -> Tuple[float, np.ndarray]:
    """Mean squared difference down plus mean squared difference right."""
    down, right = _differences(x)
    value = sum(np.square(d).mean() if d.size else 0.0 for d in (down, right))
    return value, _spread(2 * down / max(down.size, 1), 2 * right / max(right.size, 1))


def nine_point(x: np.ndarray) -> Tuple[float, np.ndarray]:
    """Mean squared differences to all eight neighbours, the diagonal ones by a quarter; the border is repeated."""
    padded, value = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge"), 0.0
    slope, inner = np.zeros_like(padded), np.s_[1:-1]
    for share, here, there in (
        (1 / 3, (inner, inner), (inner, np.s_[2:])),
        (1 / 3, (inner, inner), (np.s_[2:], inner)),
        (1 / 12, (np.s_[:-1], np.s_[:-1]), (np.s_[1:], np.s_[1:])),
        (1 / 12, (np.s_[:-1], np.s_[1:]), (np.s_[1:], np.s_[:-1])),
    ):
        here, there = (..., *here), (..., *there)
        difference = padded[there] - padded[here]
        value += 2 * share * np.square(difference).mean()
        slope[there] += 4 * share * difference / difference.size
        slope[here] -= 4 * share * difference / difference.size
    for axis in (2, 3):  # what reached the border's repetition is the border's
        slope = np.moveaxis(slope, axis, 0)
        slope[1] += slope[0]
        slope[-2] += slope[-1]
        slope = np.moveaxis(slope[1:-1], 0, axis)
    return value, slope


def amplitude(x: np.ndarray) -> Tuple[float, np.ndarray]:
    """Mean of (value / AMPLITUDE)⁶: next to nothing inside a picture's range, steep beyond it."""
    scaled = x / AMPLITUDE
    return np.mean(scaled**6), 6 * scaled**5 / (AMPLITUDE * x.size)


TV_LOSSES = {"anisotropic": anisotropic, "isotropic": isotropic, "squared": squared, "nine-point": nine_point}


def image_terms(
    arrays: Arrays,
    shape: Tuple[int, ...],
    tv_loss: str = "laplacian",
    tv_weight: float = 0.0,
    amplitude_weight: float = 0.0,
) -> List[Tuple[str, Callable]]:
    """[(name, function)] of the terms with a weight, for images of shape (1, C, H, W) in these Arrays.

    A function gives the weighted value and the gradient at an image.
    """
    asked = [("tv", tv_loss, tv_weight), ("amplitude", "amplitude", amplitude_weight)]
    make = getattr(arrays, "image_term", functools.partial(_by_numpy, arrays, shape))  # of a device's own
    return [(name, make(which, weight)) for name, which, weight in asked if weight > 0]


def _by_numpy(arrays, shape, name, weight):
    if name == "laplacian":
        return _laplacian(arrays, shape, weight)
    return _weighted({**TV_LOSSES, "amplitude": amplitude}[name], weight, arrays)


def _laplacian(arrays, shape, weight):
    """The reference's total variation: half the image times its gradient, which an executor bound on held gives."""
    held = arrays.of(np.zeros(shape, "float32"))
    executor = get_tv_grad_executor(held, arrays.device, weight)

    def evaluate(image):
        image.copyto(held)
        gradient = executor.forward()[0]
        return float(np.vdot(held.asnumpy(), gradient.asnumpy())) / 2, gradient

    return evaluate


def _weighted(function, weight, arrays):
    def evaluate(image):
        value, gradient = function(arrays.values(image).astype("float64"))
        return weight * value, arrays.of(weight * gradient)

    return evaluate
