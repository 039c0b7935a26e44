"""Layers in plain NumPy, float64, for pictures x (C, H, W): what the generators are tested against."""

import numpy as np


def convolve(x, weight, bias=None, stride=1, pad=0, mode="constant"):
    """weight (out, in, k, k); the padding is zeros, or a reflection."""
    kernel = weight.shape[2]
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad)), mode=mode)
    height, width = ((side - kernel) // stride + 1 for side in x.shape[1:])
    y = sum(
        np.tensordot(
            weight[:, :, i, j],
            x[:, i : i + stride * height : stride, j : j + stride * width : stride][:, :height, :width],
            1,
        )
        for i in range(kernel)
        for j in range(kernel)
    )
    return y if bias is None else y + bias[:, None, None]


def transposed(x, weight, stride, pad):
    """A transposed convolution; weight (in, out, k, k)."""
    kernel, (_, height, width) = weight.shape[2], x.shape
    y = np.zeros((weight.shape[1], (height - 1) * stride + kernel, (width - 1) * stride + kernel))
    for i in range(kernel):
        for j in range(kernel):
            y[:, i : i + stride * height : stride, j : j + stride * width : stride] += np.tensordot(
                weight[:, :, i, j], x, (0, 0)
            )
    return y[:, pad:-pad, pad:-pad]


def normalise(x, gamma, beta, eps):
    """By the mean and variance of each channel of this picture."""
    mean, variance = x.mean((1, 2)), x.var((1, 2))
    return scale(x, gamma, beta, mean, variance, eps)


def scale(x, gamma, beta, mean, variance, eps):
    return (x - mean[:, None, None]) / np.sqrt(variance + eps)[:, None, None] * gamma[:, None, None] + beta[
        :, None, None
    ]


def leaky(x):
    return np.where(x > 0, x, 0.25 * x)  # MXNet's slope


def enlarged(x, smooth):
    """Twice as many rows; if smooth, at quarters of the way from one to the next."""
    x = x.repeat(2, 1)
    if not smooth:
        return x
    x = np.pad(x, ((0, 0), (1, 1), (0, 0)), "edge")
    return (x[:, :-2] + 2 * x[:, 1:-1] + x[:, 2:]) / 4


def fast(arrays, picture, smooth=True):
    """What `fast` paints of a picture (3, H, W)."""

    def layer(x, name, kernel, stride=1, relu=True):
        x = convolve(x, arrays[name + "_weight"], None, stride, kernel // 2, "reflect")
        x = normalise(x, arrays[name + "_norm_gamma"], arrays[name + "_norm_beta"], 1e-5)
        return np.maximum(x, 0) if relu else x

    data = picture / 128
    x = layer(data, "first", 5)
    x = layer(layer(x, "down1", 3, 2), "down2", 3, 2)
    for i in range(1, 6):
        x = x + layer(layer(x, f"block{i}_1", 3), f"block{i}_2", 3, relu=False)
    for name in ("up1", "up2"):
        x = layer(enlarged(enlarged(x, smooth).swapaxes(1, 2), smooth).swapaxes(1, 2), name, 3)
    x = convolve(np.concatenate([x, data]), arrays["last_weight"], arrays["last_bias"], 1, 1, "reflect")
    return 150 * np.tanh(x)


def v4(arrays, picture, first=0, norm=0, states=None):
    """What a network of kind v4 of the original makes of a picture; its arrays are numbered from first and norm on.

    states are the means and variances of its normalisations, without which the picture's own are taken.
    """
    layer = _layer(arrays, states)
    x = picture
    for i, kernel in enumerate((5, 5, 3, 5, 5, 5, 3)):
        name = f"convolution{first + i}"
        x = convolve(x, arrays[name + "_weight"], arrays.get(name + "_bias"), 1, kernel // 2)
        x = layer(x, norm + i, np.tanh if i == 6 else leaky)
    return _mixed(x, picture)


def v3(arrays, picture, first, norm, enlarged, states=None):
    """The same for kind v3, with transposed convolutions numbered from enlarged on."""
    layer = _layer(arrays, states)
    numbers = {"convolution": first, "norm": norm, "deconvolution": enlarged}

    def take(kind):
        numbers[kind] += 1
        return numbers[kind] - 1

    def down(x, kernel, stride):
        name = f"convolution{take('convolution')}"
        x = convolve(x, arrays[name + "_weight"], arrays[name + "_bias"], stride, kernel // 2)
        return layer(x, take("norm"), leaky)

    def up(x, pad, activation):
        x = transposed(x, arrays[f"deconvolution{take('deconvolution')}_weight"], 2, pad)
        x = x[:, 1:, 1:] if pad == 2 else x  # of one more row and column than needed, the first
        return layer(x, take("norm"), activation)

    half = down(picture, 5, 2)
    quarter = down(down(half, 3, 1), 5, 2)
    x = down(down(down(quarter, 3, 1), 5, 2), 3, 1)
    x = down(up(x, 2, leaky) + quarter, 3, 1)
    x = down(up(x, 2, leaky) + half, 3, 1)
    return _mixed(up(x, 3, np.tanh), picture)


def _layer(arrays, states):
    def layer(x, number, activation):
        name = f"batchnorm{number}"
        own = (arrays[name + "_gamma"], arrays[name + "_beta"])
        if states is None:
            return activation(normalise(x, *own, 1e-3))
        return activation(scale(x, *own, states[name + "_moving_mean"], states[name + "_moving_var"], 1e-3))

    return layer


def _mixed(painted, picture):
    means = np.array([123.68, 116.779, 103.939])
    return 0.4 * (painted * 128 + 128 - means[:, None, None]) + 0.6 * picture


BOOST = (
    (v4, dict(first=0, norm=0)),
    (v3, dict(first=7, norm=7, enlarged=0)),
    (v3, dict(first=15, norm=18, enlarged=3)),
    (v4, dict(first=23, norm=29)),
)
