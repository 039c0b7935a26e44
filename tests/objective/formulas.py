"""What every recipe minimises, by its own formula: values and gradients in NumPy and float64."""

import functools
from typing import Callable, NamedTuple

import numpy as np
import skimage.data
from networks import SMALL
from oracle import Vgg, content_term, gram, moments, patch_term, style_term, wasserstein_term
from PIL import Image
from skimage.transform import resize

from neural_style.network import normalise
from neural_style.pictures import images
from neural_style.weights import params

EDGE, SIZE = (
    80,
    (53, 80),
)  # the content's longer edge, and (H, W), which strips of 16 rows divide in the first two blocks
COFFEE, ROCKET = (  # 100 × 150 and 107 × 160; the content is 75 × 113
    np.asarray(Image.fromarray(getattr(skimage.data, name)()).reduce(4)) for name in ("coffee", "rocket")
)
STYLE = [f"relu{block}_1" for block in range(1, 6)]


def weights_of(path):
    return {name[4:]: array.astype("float64") for name, array in params.read(path).items()}


def total(vgg, image, content, style, content_layer=None, extra=()):
    """Value and gradient: Σ style + content + extra; style is {layer: (target, weight)}, content_layer is one."""
    network, value, slopes = vgg(image), 0.0, {}
    for layer, (target, weight) in style.items():
        part, slopes[layer] = style_term(network.layers[layer], target, weight)
        value += part
    if content_layer:
        layer, weight = content_layer
        part, slope = content_term(network.layers[layer], vgg(content).layers[layer], weight)
        value, slopes[layer] = value + part, slopes.get(layer, 0) + slope
    gradient = network.gradient(slopes)
    for part, slope in extra:
        value, gradient = value + part, gradient + slope
    return value, gradient


def network_range(picture):
    return (picture * 256 - images.MEANS).transpose(2, 0, 1)[None]


def held_against(vgg, content, picture, layers, weight):
    """{layer: (Gram matrix of the picture, for as many positions as the content has, weight(N, M))} for the layers."""
    features, positions = vgg(picture).layers, {layer: value[0].size for layer, value in vgg(content).layers.items()}
    return {
        layer: (
            gram(features[layer]) * positions[layer] / features[layer][0].size,
            weight(len(features[layer]), positions[layer]),
        )
        for layer in layers
    }


def stretched(picture):
    return network_range(resize(picture, SIZE))


def of_neighbours(image, weight, value, slope):
    """weight · the value of the differences between pixels side by side, and one above another, with its gradient."""
    total, gradient = 0.0, np.zeros_like(image)
    for axis in (2, 3):
        differences = np.diff(image, axis=axis)
        total += weight * value(differences)
        first, last = ([(one if i == axis else (0, 0)) for i in range(4)] for one in ((1, 0), (0, 1)))
        gradient += weight * (np.pad(slope(differences), first) - np.pad(slope(differences), last))
    return total, gradient


def laplacian(image):
    padded = np.pad(image, ((0, 0), (0, 0), (1, 1), (1, 1)))
    return (
        4 * image - padded[..., :-2, 1:-1] - padded[..., 2:, 1:-1] - padded[..., 1:-1, :-2] - padded[..., 1:-1, 2:]
    ) / 8


def absolute(image, weight):
    return of_neighbours(image, weight, lambda differences: np.abs(differences).sum(), np.sign)


def squared(image, weight):
    return of_neighbours(
        image,
        weight,
        lambda differences: np.square(differences).mean(),
        lambda differences: 2 * differences / differences.size,
    )


def nine_point(image, weight):
    """weight · the mean squares of differences to neighbours, by pairs of pixels; beyond the border it is repeated."""
    _, colors, height, width = image.shape
    pixels = np.pad(np.arange(height * width).reshape(height, width), 1, mode="edge")
    beside, below = (pixels[1:-1, 1:-1], pixels[1:-1, 2:]), (pixels[1:-1, 1:-1], pixels[2:, 1:-1])
    across = (pixels[:-1, :-1], pixels[1:, 1:]), (pixels[:-1, 1:], pixels[1:, :-1])
    flat, value, gradient = image.reshape(colors, -1), 0.0, np.zeros((colors, height * width))
    for share, (one, other) in zip((1 / 3, 1 / 3, 1 / 12, 1 / 12), (beside, below, *across)):
        difference = flat[:, other.ravel()] - flat[:, one.ravel()]
        value += weight * share * np.square(difference).mean()
        slope = 2 * weight * share * difference / difference.size
        for color in range(colors):
            np.add.at(gradient[color], other.ravel(), slope[color])
            np.add.at(gradient[color], one.ravel(), -slope[color])
    return value, gradient.reshape(image.shape)


# --- the recipes ------------------------------------------------------------------------------------------------------


def reference(vgg, image, content):
    """nstyle.py: head gradients style_weight / (C·H·W·C) and content_weight; TV's kernel / 8, times tv_weight 0.01."""
    style = held_against(vgg, content, stretched(COFFEE), STYLE, lambda n, m: 1 / (n * n * m))
    slope = 0.01 * laplacian(image)
    return total(vgg, image, content, style, ("relu4_2", 10), [((image * slope).sum() / 2, slope)])


def gatys(vgg, image, content):
    """The paper: E = 1 / (4N²M²) · Σ(G − A)² with w = 1/5, ½Σ(F − P)², and α/β = 1e-3 as for its figures 5 and 6."""
    style = held_against(vgg, content, stretched(COFFEE), STYLE, lambda n, m: 0.2 / (4 * n**2 * m**2))
    return total(vgg, image, content, style, ("relu4_2", 1e-3 / 2))


def gluon(vgg, image, content, extra=()):
    """style_loss: / (4·prod(shape[1:])), weights [0.2] * 5; content_loss: / 2; get_loss: ratio 1e-4."""
    layers = ["conv1_2", "conv2_2", "conv3_4", "conv4_4", "conv5_4"]
    style = held_against(vgg, content, stretched(COFFEE), layers, lambda n, m: 0.2 / (4 * n * m))
    return total(vgg, image, content, style, ("conv4_2", 1e-4 / 2), extra)


def gluon_tv(vgg, image, content):
    """Its notes add each pixel's differences to its neighbours, with no weight; 1e-3 is ours."""
    return gluon(vgg, image, content, [absolute(image, 1e-3)])


def fastai(vgg, image, content):
    """gram: / input.numel() * 1e6, compared by F.mse_loss; F.mse_loss of features * 1e6; style by scale_match."""
    height, width = SIZE
    ratio = max(height / ROCKET.shape[0], width / ROCKET.shape[1])
    whole = resize(ROCKET, (max(height, int(ROCKET.shape[0] * ratio)), max(width, int(ROCKET.shape[1] * ratio))))
    layers = ["relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3"]
    style = held_against(
        vgg, content, network_range(whole[:height, :width]), layers, lambda n, m: (1e6 / (n * m)) ** 2 / n**2
    )
    return total(vgg, image, content, style, ("relu4_3", 1e6 / vgg(content).layers["relu4_3"].size))


def athalye(vgg, image, content):
    """Its defaults 5, 100, 100, and 2·l2_loss / size, a mean square; two styles, each of a size of its own."""
    value, gradient = total(
        vgg, image, content, {}, ("relu4_2", 5 / vgg(content).layers["relu4_2"].size), [squared(image, 100)]
    )
    for picture, share, scale in ((COFFEE, 0.75, 1.5), (ROCKET, 0.25, 0.8)):
        width = int(SIZE[1] * scale)
        fitted = network_range(resize(picture, (int(picture.shape[0] / picture.shape[1] * width), width)))
        assert fitted.shape != content.shape
        features, style = vgg(fitted).layers, {}
        for layer, of_image in vgg(content).layers.items():
            if layer in STYLE:  # mean square of Gram / size − style's Gram / its own size
                target = gram(features[layer]) / features[layer].size * of_image.size
                style[layer] = target, 100 * share / len(of_image) ** 2 / of_image.size**2
        part, slope = total(vgg, image, content, style)
        value, gradient = value + part, gradient + slope
    return value, gradient


def content_only(vgg, image, content):
    """The book's Σ(F − P)² + R(x); how R(x) weighs gradients against values is ours."""
    amplitude = 1e4 * np.mean((image / 80) ** 6), 1e4 * 6 * (image / 80) ** 5 / 80 / image.size
    return total(vgg, image, content, {}, ("relu4_2", 1e4 / 2), [squared(image, 1e3), amplitude])


def style_only(vgg, image, content):
    """The book's texture: the style term alone, with the paper's 1 / (4N²M²)."""
    style = held_against(vgg, content, stretched(COFFEE), ["relu2_1"], lambda n, m: 1 / (4 * n**2 * m**2))
    style.update(held_against(vgg, content, stretched(COFFEE), ["conv3_2"], lambda n, m: 4 / (4 * n**2 * m**2)))
    return total(vgg, image, content, style)


def mrf(vgg, image, content, own=COFFEE, content_weight=20):
    """cnnmrf.lua: mrf_layers 12, 21 of weight 1e-4, patches 3 × 3 at strides of 2, content_weight 20, tv_weight 1e-3.

    mrf.lua's gradient is 1e-4·(F − T), ours 2·9·w·(F − T); tv.lua's is of the whole Laplacian, ours of an eighth.
    """
    features, style = vgg(image).layers, vgg(own if own.ndim == 4 else stretched(own)).layers
    value, slopes = 0.0, {}
    for layer in ("relu3_1", "relu4_1"):
        part, slope, _ = patch_term(features[layer], [(1.0, [(style[layer], None)])], 3, 2)
        value, slopes[layer] = value + 5.56e-6 * part, 5.56e-6 * slope
    weight = content_weight / features["relu4_2"].size
    rest, gradient = total(
        vgg,
        image,
        content,
        {},
        ("relu4_2", weight) if weight else None,
        [(8e-3 * np.vdot(image, laplacian(image)) / 2, 8e-3 * laplacian(image))],
    )
    return value + rest, vgg(image).gradient(slopes) + gradient


def mrf_synthesis(vgg, image, content):
    """The same; scaler 2: the style at half the width."""
    width = int(SIZE[1] * 0.5)
    return mrf(
        vgg, image, content, network_range(resize(COFFEE, (int(COFFEE.shape[0] / COFFEE.shape[1] * width), width))), 0
    )


def crowson(vgg, image, content, tv_weight=0.102152):
    """Gaussians, against a style whose longer edge is 0.8 of the content's."""

    network, style = vgg(image), vgg(network_range(resize(COFFEE, (42, 64)))).layers
    value, slopes = 0.0, {}
    for layer, weight in zip(STYLE, (256, 64, 16, 4, 1)):
        features = network.layers[layer]
        part, slope = wasserstein_term(features, moments(features), moments(style[layer]))
        value, slopes[layer] = value + weight / 341 * part, weight / 341 * slope
    content_weight = 0.015 / network.layers["relu4_2"].size
    smooth = nine_point(image, 2 * tv_weight)
    rest, gradient = total(vgg, image, content, {}, ("relu4_2", content_weight), [smooth])
    return value + rest, network.gradient(slopes) + gradient


class Case(NamedTuple):
    """A recipe with a formula(vgg, image, content) for the value and gradient; vgg(picture) is the network's Vgg."""

    formula: Callable
    flags: str  # besides the recipe's
    kinds: str  # of the terms, a letter each
    pooling: str = "avg"
    network: str = "vgg19"
    margins: bool = False  # around the content


TV = "SSSSSCI"
CASES = {
    "reference": Case(reference, "--style-image coffee.png --clip-gradient 0", TV),
    "reference-2016": Case(reference, "--style-image coffee.png --clip-gradient 0", TV),
    "fast": Case(reference, "--style-image coffee.png", TV),
    "gatys": Case(gatys, "--style-image coffee.png", "SSSSSC", margins=True),
    "crowson": Case(crowson, "--style-image coffee.png --style-scales 0.8", TV, "max"),
    "best": Case(functools.partial(crowson, tv_weight=0.1), "--style-image coffee.png --style-scales 0.8", TV, "max"),
    "gluon": Case(gluon, "--style-image coffee.png", "SSSSSC", "max"),
    "gluon-tv": Case(gluon_tv, "--style-image coffee.png", TV, "max"),
    "fastai": Case(fastai, "--style-image rocket.png --model vgg16", "SSSSSC", "max", "vgg16", margins=True),
    "athalye": Case(
        athalye,
        "--style-image coffee.png rocket.png --style-blend-weights 3 1 --style-scales 1.5 0.8",
        TV,
        "max",
        margins=True,
    ),
    "mrf": Case(mrf, "--style-image coffee.png", "SSCI", "max"),
    "mrf-synthesis": Case(mrf_synthesis, "--style-image coffee.png", "SSI", "max", margins=True),
    # with less weight on the content the small network would hardly count
    "content-only": Case(content_only, "--content-weight 1e4", "CII", margins=True),
    "style-only": Case(
        style_only,
        "--style-image coffee.png --style-layers relu2_1 conv3_2 --style-layer-weights 1 4 --fit stretch",
        "SS",
        margins=True,
    ),
}


def image_near(content):
    """An image to evaluate at, (1, 3, H, W), with values beyond a picture's range."""
    return 1.5 * content + np.random.RandomState(5).uniform(-20, 20, content.shape)


@functools.lru_cache(None)
def expected(recipe, path, content_path):
    """Value and gradient of a recipe for the weights file path."""
    case = CASES[recipe]
    content = images.PreprocessContentImage(content_path, EDGE)
    if case.margins:  # up to a multiple of 16
        content = np.pad(content, [(0, 0), (0, 0), *((0, -side % 16) for side in content.shape[2:])], mode="reflect")
    weights = weights_of(normalise.ensure(case.network, path) if recipe == "gatys" else path)
    return case.formula(
        lambda picture: Vgg(weights, SMALL[case.network], picture, case.pooling), image_near(content), content
    )
