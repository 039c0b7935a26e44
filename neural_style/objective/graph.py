"""The reference's evaluation: one symbolic graph from the picture to the losses, bound once, on any device.

    get_symbol → style_gram_symbol → get_loss → get_executor

Layers are named by the terms; with the model's own layers the graph is the original's, node by node.
"""
from .. import find_mxnet
from .terms import STYLE

mx = find_mxnet.mx


def style_gram_symbol(input_size, style):
    """Gram matrices of the style outputs for pictures of input_size (H, W), and their scales C·H·W·C.

    A layer's features are taken as a C × (H·W) matrix; FullyConnected of that matrix with itself multiplies it
    with its own transpose.
    """
    grams, scales = [], []
    for output in style:
        _, [(_, channels, height, width)], _ = output.infer_shape(data=(1, 3) + tuple(input_size))
        features = mx.sym.Reshape(output, shape=(channels, height * width))
        grams.append(mx.sym.FullyConnected(features, features, no_bias=True, num_hidden=channels))
        scales.append(channels * height * width * channels)
    return _group(grams), scales


def get_loss(gram, content):
    """Sums of squared differences to the variables target_gram_0 …, and to target_content, as two groups."""
    return (_group([_distance(f"target_gram_{i}", output) for i, output in enumerate(gram)]),
            _group([_distance(_content_target(i), output) for i, output in enumerate(content)]))


def _content_target(number):
    return f"target_content_{number}" if number else "target_content"


def _distance(target, output):
    return mx.sym.sum(mx.sym.square(mx.sym.Variable(target) - output))


def _group(symbols):
    """The symbols as one; an empty list where there are none, which MXNet has no group for."""
    return mx.sym.Group(symbols) if symbols else []


class Graph:
    """An engine: called with an image (1, 3, H, W), it returns the terms' sums of squares and their gradient.

    terms name the model's layers, the style's before the content's; scales are their weights as the gradient has them;
    pictures are run.setup.Pictures.
    """

    def __init__(self, model, terms, scales, pictures):
        size, count = pictures.content.shape[2:], sum(term.kind == STYLE for term in terms)
        outputs = [model.layers[term.layer] for term in terms]
        style, features = outputs[:count], outputs[count:]

        # what the pictures have: Gram matrices, each brought to the image's number of positions, and features
        gram, sizes = style_gram_symbol(size, style)
        grams_of_styles = []
        for picture in pictures.styles if style else ():
            own_gram, own_sizes = style_gram_symbol(picture.shape[2:], style)
            grams_of_styles.append([array * (here / there) for array, here, there in zip(
                _show(model, [*own_gram], picture), sizes, own_sizes)])
        grams, self._rests = _blended(grams_of_styles, pictures.shares)
        targets = {f"target_gram_{i}": array for i, array in enumerate(grams)}
        if features:
            targets.update((_content_target(i), array) for i, array in enumerate(_show(model, features, pictures.content)))

        # how far an image is from it
        style_loss, content_loss = get_loss(gram, features)
        self._bound = model.bind([*style_loss, *content_loss], size)
        for name, target in targets.items():
            target.copyto(self._bound.arg_dict[name])
        self._gradients = [mx.nd.ones((1,), model.device) * scale for scale in scales]
        # Only in training a maximum pool keeps what its backward needs; without, its gradient is silently wrong.
        self._has_maximum = '"pool_type": "max"' in mx.sym.Group(outputs).tojson()

    def __call__(self, image):
        image.copyto(self._bound.data)
        outputs = self._bound.executor.forward(is_train=self._has_maximum)
        missing = [mx.nd.zeros((1,), image.context)] * (len(outputs) - len(self._gradients))
        self._bound.executor.backward(self._gradients + missing)
        losses = [float(output.asscalar()) for output in outputs[:len(self._gradients)]]
        return [loss + rest for loss, rest in zip(losses, self._rests + [0.0] * len(losses))], self._bound.data_grad


def _show(model, outputs, picture):
    """What the outputs are for a picture, as copies."""
    bound = model.bind(outputs, picture.shape[2:])
    bound.data[:] = picture
    return [output.copy() for output in bound.executor.forward()[:len(outputs)]]


def _blended(grams_of_styles, shares):
    """One target for several styles: Σ b·‖G − A‖² = ‖G − mean‖² + rest, for shares b that sum to 1.

    grams_of_styles has for each style its Gram matrices, one for each layer; returns by layer their weighted means and
    the rests, which no image can change.
    """
    targets, rests = [], []
    for grams in zip(*grams_of_styles):
        mean = grams[0] if len(grams) == 1 else sum(gram * share for gram, share in zip(grams, shares))
        targets.append(mean)
        rests.append(sum(share * float((gram - mean).square().sum().asscalar()) for gram, share in zip(grams, shares)
                         if len(grams) > 1))
    return targets, rests
