"""What is minimised: Gram, content and TV terms as MXNet symbols, and one Objective: image → losses and gradient."""
import contextlib
import io
from collections import namedtuple

import numpy as np

from .errors import UsageError
from .find_mxnet import mx

Evaluation = namedtuple("Evaluation", ["losses", "gradient", "gradient_norm"])


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


def get_tv_grad_executor(img, ctx, tv_weight):
    """An executor bound on img (1, C, H, W) whose output is the TV gradient: the Laplacian of each channel.

    None where tv_weight asks for no such term.
    """
    if tv_weight <= 0.0:
        return None
    channels = mx.sym.SliceChannel(mx.sym.Variable("img"), num_outputs=img.shape[1])
    laplacian = mx.nd.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]], ctx).reshape((1, 1, 3, 3)) / 8
    kernel = mx.sym.Variable("kernel")
    out = mx.sym.Concat(*[mx.sym.Convolution(channel, weight=kernel, num_filter=1, kernel=(3, 3), stride=(1, 1),
                                             pad=(1, 1), no_bias=True) for channel in channels])
    return (out * tv_weight).bind(ctx, args={"img": img, "kernel": laplacian})


def smallest_size(style):
    """The smallest edge, in pixels, that the network's pools leave something of."""
    return next(edge for edge in range(1, 1025) if _fits(style, (edge, edge)))


def _fits(symbol, size):
    try:
        with contextlib.redirect_stderr(io.StringIO()):     # MXNet prints its complaint as well as raising it
            _, shapes, _ = symbol.infer_shape(data=(1, 3) + tuple(size))
    except mx.base.MXNetError:
        return False
    return all(min(shape) > 0 for shape in shapes)


class Objective:
    """The weighted distance of an image to a style picture's Gram matrices and a content picture's features.

    model is a module like model_vgg19, bind(style, content) its get_executor for one size and device. Both
    pictures are (1, 3, H, W) arrays of the same size in the network's range.
    """

    def __init__(self, model, bind, content_picture, style_picture, content_weight, style_weight, tv_weight, ctx):
        style, content = model.get_symbol()
        size = content_picture.shape[2:]
        if not _fits(mx.sym.Group([style, content]), size):
            raise UsageError(f"a content picture of {size[1]}x{size[0]} is too small for this network: each side "
                             f"needs {smallest_size(style)} pixels; raise --max-long-edge or crop the picture")
        self.layers = [output[:-len("_output")] for output in style.list_outputs() + content.list_outputs()]
        gram, scales = style_gram_symbol(size, style)
        targets = self._targets(bind(gram, content), content_picture, style_picture)
        self._bound = bind(*get_loss(gram, content))
        for name, target in targets.items():
            target.copyto(self._bound.arg_dict[name])
        self.weights = np.array([float(style_weight) / scale for scale in scales] + [float(content_weight)])
        self._head_gradients = [mx.nd.array([weight], ctx) for weight in self.weights]
        self._largest_norm = content_picture.size
        self._tv = get_tv_grad_executor(self._bound.data, ctx, tv_weight)

    @staticmethod
    def _targets(features, content_picture, style_picture):
        """One forward pass for each picture; the bound features are dropped with the return."""
        features.data[:] = style_picture
        features.executor.forward()
        targets = {f"target_gram_{i}": gram.copy() for i, gram in enumerate(features.style)}
        features.data[:] = content_picture
        features.executor.forward()
        targets["target_content"] = features.content.copy()
        mx.nd.waitall()
        return targets

    def __call__(self, image):
        """Evaluate at image, an NDArray: unweighted sums of squares (style layers, then content), the gradient.

        The gradient is scaled down to the number of the image's elements where its norm is larger; the TV
        gradient comes on top, after that.
        """
        bound = self._bound
        image.copyto(bound.data)
        bound.executor.forward()
        bound.executor.backward(self._head_gradients)
        norm = mx.nd.norm(bound.data_grad).asscalar()
        if norm > self._largest_norm:
            bound.data_grad[:] *= self._largest_norm / norm
        gradient = bound.data_grad
        if self._tv is not None:
            self._tv.forward()
            gradient = gradient + self._tv.outputs[0]
        losses = np.array([output.asscalar() for output in bound.executor.outputs], dtype="float64")
        return Evaluation(losses, gradient, float(norm))
