"""What is minimised: Σ s·‖G − A‖² + Σ c·‖F − P‖² + terms of the image; one Objective: image → losses, gradient."""
import contextlib
import io
from collections import namedtuple

import numpy as np

from . import memory
from .errors import UsageError
from .features import features_of
from .find_mxnet import mx
from .taps import ContentTap, Copy, StyleTap

# losses: unweighted sums of squares of the style terms, then of the content terms, then the weighted image terms.
Evaluation = namedtuple("Evaluation", ["losses", "total", "gradient", "gradient_norm"])

# One term on a layer's Gram matrix (kind "style") or features ("content"); divisor(N, M) of its N channels and
# M positions brings the sum of squares to scale before the weight.
Term = namedtuple("Term", ["kind", "layer", "weight", "divisor"])

STYLE_NORMS = {     # what a squared Gram difference is divided by
    "reference": lambda n, m: n * m * n,
    "gatys": lambda n, m: 4 * n ** 2 * m ** 2,
    "gluon": lambda n, m: 4 * n * m,
    "mean": lambda n, m: n ** 2 * (n * m) ** 2,     # the mean square of Gram / (N·M)
}
CONTENT_NORMS = {   # what a squared feature difference is divided by
    "sum": lambda n, m: 1,
    "half": lambda n, m: 2,
    "mean": lambda n, m: n * m,
}


def style_gram_symbol(input_size, style):
    """Gram matrices of the style outputs for pictures of input_size (H, W), and their scales C·H·W·C.

    A layer's features are taken as a C × (H·W) matrix; FullyConnected of that matrix with itself multiplies it
    with its own transpose.
    """
    _, shapes, _ = style.infer_shape(data=(1, 3) + tuple(input_size))
    grams = []
    for output, (_, channels, height, width) in zip(style, shapes):
        features = mx.sym.Reshape(output, shape=(channels, height * width))
        grams.append(mx.sym.FullyConnected(features, features, no_bias=True, num_hidden=channels))
    return mx.sym.Group(grams), [c * h * w * c for _, c, h, w in shapes]


def _distance(target, output):
    return mx.sym.sum(mx.sym.square(mx.sym.Variable(target) - output))


def get_loss(gram, content):
    """Sums of squared differences to the variables target_gram_0 …, as one group, and to target_content."""
    return (mx.sym.Group([_distance(f"target_gram_{i}", output) for i, output in enumerate(gram)]),
            _distance("target_content", content))


def smallest_size(symbol):
    """The smallest edge, in pixels, that the network's pools leave something of."""
    return next(edge for edge in range(1, 1025) if fits(symbol, (edge, edge)))


def fits(symbol, size):
    """Whether the network's pools leave something of a picture of size (H, W)."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):     # MXNet prints its complaint as well as raising it
            _, shapes, _ = symbol.infer_shape(data=(1, 3) + tuple(size))
    except mx.base.MXNetError:
        return False
    return all(min(shape) > 0 for shape in shapes)


def _check_size(outputs, size, what):
    if not fits(outputs, size):
        raise UsageError(f"a {what} picture of {size[1]}x{size[0]} is too small for this network: each side needs "
                         f"{smallest_size(outputs)} pixels; raise --max-long-edge or crop the picture")


def _scales(outputs, size):
    """Channels and positions, (N, M), of each output for pictures of size (H, W)."""
    _, shapes, _ = outputs.infer_shape(data=(1, 3) + tuple(size))
    return [(n, h * w) for _, n, h, w in shapes]


def blend(grams, blend_weights):
    """One target for several styles: Σ b·‖G − A‖² = ‖G − mean‖² + rest, for blend weights that sum to 1.

    grams are the styles' Gram matrices of one layer; returns their weighted mean and the rest, which no image
    can change.
    """
    if len(grams) == 1:
        return grams[0], 0.0
    mean = sum(gram * weight for gram, weight in zip(grams, blend_weights))
    rest = sum(weight * float((gram - mean).square().sum().asscalar()) for gram, weight in zip(grams, blend_weights))
    return mean, rest


class Objective:
    """The weighted distance of an image to style pictures' Gram matrices and a content picture's features.

    size is the image's (H, W); content_picture and style_pictures are (1, 3, H, W) arrays in the network's range,
    needed only where there are such terms. make_image_terms(data) gives the terms of the image itself. The
    features' gradient is scaled down where its norm exceeds clip times the number of the image's elements. precision
    is that of the network, but for the targets, which are always float32; tile see features_of.
    """

    def __init__(self, model, size, terms, content_picture=None, style_pictures=(), blend_weights=(1.0,), clip=1.0,
                 device=None, make_image_terms=lambda data: [], precision="float32", tile=None):
        self._tile = tile
        memory.keep_what_is_freed(False)        # the targets are made once
        style, content = ([term for term in terms if term.kind == kind] for kind in ("style", "content"))
        terms = style + content
        if not terms:
            raise UsageError("there is nothing to do: every layer's weight is 0")
        layers = list(dict.fromkeys(term.layer for term in terms))
        _check_size(model.outputs(layers), size, "content")
        scales = dict(zip(layers, _scales(model.outputs(layers), size)))
        scaled = [float(term.weight) / term.divisor(*scales[term.layer]) for term in terms]
        targets, rests = [], []
        if style:
            targets, rests = self._style_targets(model, [term.layer for term in style], size, style_pictures,
                                                 blend_weights)
        taps = [StyleTap(target, scale) for target, scale in zip(targets, scaled)]
        if content:
            features = self._content_targets(model, [term.layer for term in content], content_picture)
            taps += [ContentTap(target, scale) for target, scale in zip(features, scaled[len(style):])]
        self._network = features_of(model, layers, size, precision, tile)
        self._taps = taps
        self._by_layer = {layer: [tap for tap, term in zip(taps, terms) if term.layer == layer] for layer in layers}
        self._image_terms = make_image_terms(self._network.data)
        self.kinds = [term.kind for term in terms] + ["image"] * len(self._image_terms)
        self.names = [term.layer for term in terms] + [name for name, _ in self._image_terms]
        self.weights = np.array(scaled + [1.0] * len(self._image_terms))
        self._rests = np.array(rests + [0.0] * (len(self.weights) - len(rests)))
        self._largest_norm = clip * self._network.data.size if clip else np.inf

    def _style_targets(self, model, layers, size, pictures, blend_weights):
        """Each layer's blended Gram matrix, brought to the image's number of positions, and what blending leaves."""
        by_picture = []
        for picture in pictures:
            _check_size(model.outputs(layers), picture.shape[2:], "style")
            taps = {layer: StyleTap() for layer in layers}
            self._show(model, picture, taps)
            ratios = [m / own for (_, m), (_, own) in zip(_scales(model.outputs(layers), size),
                                                          _scales(model.outputs(layers), picture.shape[2:]))]
            by_picture.append([taps[layer].gram() * ratio for layer, ratio in zip(layers, ratios)])
        blended = [blend(grams, blend_weights) for grams in zip(*by_picture)]
        return [mean for mean, _ in blended], [rest for _, rest in blended]

    def _content_targets(self, model, layers, picture):
        """The features of each layer."""
        taps = {layer: Copy() for layer in layers}
        self._show(model, picture, taps)
        return [taps[layer].features.asnumpy() for layer in layers]

    def _show(self, model, picture, taps):
        """Show the features of picture to {layer: tap}."""
        network = features_of(model, list(taps), picture.shape[2:], tile=self._tile)
        network.forward(picture, lambda layer, *seen: taps[layer].see(*seen), keep=False)
        mx.nd.waitall()         # then it may go

    def by_kind(self, losses):
        """An Evaluation's losses, weighted: style and content summed over layers, the image's terms by their names."""
        sums = {}
        for kind, name, loss in zip(self.kinds, self.names, losses * self.weights):
            kind = name if kind == "image" else kind
            sums[kind] = sums.get(kind, 0.0) + float(loss)
        return sums

    def __call__(self, image):
        """Evaluate at image, an NDArray; the gradient is that of the total, but for the clipping."""
        network = self._network
        for tap in self._taps:
            tap.begin()
        network.forward(image, self._see)
        losses = [tap.loss() for tap in self._taps]
        gradient = network.backward(self._head)
        norm = mx.nd.norm(gradient).asscalar()
        if norm > self._largest_norm:
            gradient[:] *= self._largest_norm / norm
        for _, term in self._image_terms:
            value, slope = term()
            losses.append(value)
            gradient = gradient + slope
        memory.keep_what_is_freed(True)         # from here on what is made is made again in each evaluation
        losses = np.array(losses, dtype="float64") + self._rests
        return Evaluation(losses, float(losses @ self.weights), gradient, float(norm))

    def _see(self, layer, *seen):
        for tap in self._by_layer[layer]:
            tap.see(*seen)

    def _head(self, layer, *seen):
        """The gradient of all terms on a layer."""
        heads = [tap.head(*seen) for tap in self._by_layer[layer]]
        return heads[0] if len(heads) == 1 else mx.nd.add_n(*heads)
