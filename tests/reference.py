"""The original's seven functions, as its documents describe them: what users who replaced some of ours by theirs have.

Each calls MXNet, NumPy and scikit-image as the original does, with the same arguments and groups of symbols. Only
saving names the colour axis as today's scikit-image wants it.
"""

import numpy as np
from skimage import io, restoration, transform

from neural_style.find_mxnet import mx

MEANS = (123.68, 116.779, 103.939)


def _to_network(pixels, size):
    picture = np.asarray(transform.resize(pixels, size)) * 256
    picture = np.swapaxes(np.swapaxes(picture, 0, 2), 1, 2)
    for channel, mean in zip(picture, MEANS):
        channel -= mean
    return np.resize(picture, (1, *picture.shape))


def PreprocessContentImage(path, long_edge):
    pixels = io.imread(path)
    factor = float(long_edge) / max(pixels.shape[:2])
    return _to_network(pixels, tuple(int(side * factor) for side in pixels.shape[:2]))


def PreprocessStyleImage(path, shape):
    return _to_network(io.imread(path), (shape[2], shape[3]))


def PostprocessImage(img):
    img = np.resize(img, (3, *img.shape[2:]))
    for channel, mean in zip(img, MEANS):
        channel += mean
    return np.clip(np.swapaxes(np.swapaxes(img, 1, 2), 0, 2), 0, 255).astype("uint8")


def SaveImage(img, filename, remove_noise=0.0):
    pixels = PostprocessImage(img)
    if remove_noise != 0.0:
        pixels = restoration.denoise_tv_chambolle(pixels, weight=remove_noise, channel_axis=-1)
        pixels = (pixels * 255).round().astype("uint8")
    io.imsave(filename, pixels)


def style_gram_symbol(input_size, style):
    _, shapes, _ = style.infer_shape(data=(1, 3, input_size[0], input_size[1]))
    grams, scales = [], []
    for i in range(len(style.list_outputs())):
        channels = shapes[i][1]
        matrix = mx.sym.Reshape(style[i], target_shape=(int(channels), int(np.prod(shapes[i][2:]))))
        grams.append(mx.sym.FullyConnected(matrix, matrix, no_bias=True, num_hidden=channels))
        scales.append(np.prod(shapes[i][1:]) * channels)
    return mx.sym.Group(grams), scales


def get_loss(gram, content):
    distances = [
        mx.sym.sum(mx.sym.square(mx.sym.Variable(f"target_gram_{i}") - gram[i]))
        for i in range(len(gram.list_outputs()))
    ]
    return mx.sym.Group(distances), mx.sym.sum(mx.sym.square(mx.sym.Variable("target_content") - content))


def get_tv_grad_executor(img, ctx, tv_weight):
    if tv_weight <= 0.0:
        return None
    kernel = mx.nd.array(np.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]]).reshape((1, 1, 3, 3)), ctx) / 8.0
    channels = mx.sym.SliceChannel(mx.sym.Variable("img"), num_outputs=img.shape[1])
    shared = {"weight": mx.sym.Variable("kernel"), "num_filter": 1, "kernel": (3, 3), "pad": (1, 1), "stride": (1, 1)}
    filtered = [mx.sym.Convolution(data=channels[i], no_bias=True, **shared) for i in range(img.shape[1])]
    return (mx.sym.Concat(*filtered) * tv_weight).bind(ctx, args={"img": img, "kernel": kernel})
