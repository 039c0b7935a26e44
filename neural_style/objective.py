"""What is minimised: Σ s·‖G − A‖² + Σ c·‖F − P‖² + terms of the image; one Objective: image → losses, gradient."""
import contextlib
import io
from collections import namedtuple

import numpy as np

from .errors import UsageError
from .find_mxnet import mx

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


def _forward(model, outputs, picture):
    """The values of a group of outputs for one picture, (1, 3, H, W)."""
    bound = model.bind(outputs, picture.shape[2:])
    bound.data[:] = picture
    bound.executor.forward()
    return [output.copy() for output in bound.executor.outputs[:len(outputs.list_outputs())]]


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
    features' gradient is scaled down where its norm exceeds clip times the number of the image's elements.
    """

    def __init__(self, model, size, terms, content_picture=None, style_pictures=(), blend_weights=(1.0,), clip=1.0,
                 device=None, make_image_terms=lambda data: []):
        style, content = ([term for term in terms if term.kind == kind] for kind in ("style", "content"))
        terms = style + content
        if not terms:
            raise UsageError("there is nothing to do: every layer's weight is 0")
        outputs = model.outputs([term.layer for term in terms])
        _check_size(outputs, size, "content")
        losses, targets, rests = [], {}, []
        if style:
            layers = model.outputs([term.layer for term in style])
            targets, rests = self._style_targets(model, layers, size, style_pictures, blend_weights)
            losses += [_distance(name, gram) for name, gram in zip(targets, style_gram_symbol(size, layers)[0])]
        if content:
            layers = model.outputs([term.layer for term in content])
            names = ["target_content" + (f"_{i}" if i else "") for i in range(len(content))]
            targets.update(zip(names, _forward(model, layers, content_picture)))
            losses += [_distance(name, features) for name, features in zip(names, layers)]
        mx.nd.waitall()         # the features' executors are gone from here on
        total = mx.sym.Group(losses)
        # Only in training a maximum pool keeps what its backward needs; without, its gradient is silently wrong.
        self._has_maximum = '"pool_type": "max"' in total.tojson()
        self._bound = model.bind(total, size)
        for name, target in targets.items():
            target.copyto(self._bound.arg_dict[name])
        self._image_terms = make_image_terms(self._bound.data)
        self.kinds = [term.kind for term in terms] + ["image"] * len(self._image_terms)
        self.names = [term.layer for term in terms] + [name for name, _ in self._image_terms]
        scales = [float(term.weight) / term.divisor(n, m) for term, (n, m) in zip(terms, _scales(outputs, size))]
        self.weights = np.array(scales + [1.0] * len(self._image_terms))
        self._rests = np.array(rests + [0.0] * (len(self.weights) - len(rests)))
        unused = [0.0] * (len(self._bound.executor.outputs) - len(terms))
        self._head_gradients = [mx.nd.array([scale], device) for scale in scales + unused]
        self._largest_norm = clip * self._bound.data.size if clip else np.inf

    @staticmethod
    def _style_targets(model, layers, size, pictures, blend_weights):
        """Each layer's blended Gram matrix by its variable's name, brought to the image's number of positions."""
        by_picture = []
        for picture in pictures:
            _check_size(layers, picture.shape[2:], "style")
            grams = _forward(model, style_gram_symbol(picture.shape[2:], layers)[0], picture)
            ratios = [m / own for (_, m), (_, own) in zip(_scales(layers, size), _scales(layers, picture.shape[2:]))]
            by_picture.append([gram if ratio == 1 else gram * ratio for gram, ratio in zip(grams, ratios)])
        blended = [blend(grams, blend_weights) for grams in zip(*by_picture)]
        return {f"target_gram_{i}": mean for i, (mean, _) in enumerate(blended)}, [rest for _, rest in blended]

    def by_kind(self, losses):
        """An Evaluation's losses, weighted: style and content summed over layers, the image's terms by their names."""
        sums = {}
        for kind, name, loss in zip(self.kinds, self.names, losses * self.weights):
            kind = name if kind == "image" else kind
            sums[kind] = sums.get(kind, 0.0) + float(loss)
        return sums

    def __call__(self, image):
        """Evaluate at image, an NDArray; the gradient is that of the total, but for the clipping."""
        bound = self._bound
        image.copyto(bound.data)
        bound.executor.forward(is_train=self._has_maximum)
        bound.executor.backward(self._head_gradients)
        norm = mx.nd.norm(bound.data_grad).asscalar()
        if norm > self._largest_norm:
            bound.data_grad[:] *= self._largest_norm / norm
        gradient, image_losses = bound.data_grad, []
        for _, term in self._image_terms:
            value, slope = term()
            image_losses.append(value)
            gradient = gradient + slope
        outputs = bound.executor.outputs[:len(self.weights) - len(image_losses)]
        losses = np.array([output.asscalar() for output in outputs] + image_losses, dtype="float64") + self._rests
        return Evaluation(losses, float(losses @ self.weights), gradient, float(norm))
