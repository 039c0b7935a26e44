"""The engine: held against a picture's features and styles' Gram matrices, an image has losses and a gradient."""
from ..find_mxnet import mx
from ..objective.terms import REACH, STYLE, blended
from .losses import ContentLoss, Copy, Gram, StyleLoss
from .network import Network
from .segments import chain


def supports(model, terms, in_strips=False):
    """Whether this engine can evaluate the terms on the model's layers; in_strips, whether it can do so in strips."""
    return (chain(model, [term.layer for term in terms]) is not None
            and not (in_strips and any(REACH[term.kind] is None for term in terms)))


class Layers:
    """An engine: called with an image (1, 3, H, W), it returns the terms' sums of squares and their gradient.

    Arguments as objective.graph.Graph takes them. precision is float32, fast32 or bf16; the targets are always float32.
    tile is the number of rows, of the picture or of a layer, that strips have; None evaluates the picture as a whole.
    """

    def __init__(self, model, terms, scales, content, styles, shares, precision="fast32", tile=None):
        layers = list(dict.fromkeys(term.layer for term in terms))
        operations = chain(model, layers)
        reach = {layer: max(REACH[term.kind] for term in terms if term.layer == layer) for layer in layers} if tile else {}
        size, styled = content.shape[2:], [term.layer for term in terms if term.kind == STYLE]

        def network(precision):
            return Network(model, operations, layers, precision, reach)

        def show(picture, observers):
            """Show the features of a picture to {layer: observer}."""
            exact.at(picture.shape[2:], tile).forward(mx.nd.array(picture), lambda layer, *seen: layer in observers and
                                                      observers[layer].observe(*seen), keep=False)
            mx.nd.waitall()         # then it may go
            return observers

        exact = network("float32" if precision == "bf16" else precision)
        image_shapes, grams_of_styles = model.shapes(layers, size), []
        for picture in styles if styled else ():
            seen, own = show(picture, {layer: Gram() for layer in styled}), model.shapes(layers, picture.shape[2:])
            grams_of_styles.append([mx.nd.array(seen[layer].value() * (_positions(image_shapes[layer]) / _positions(own[layer])))
                                    for layer in styled])
        targets, rests = blended(grams_of_styles, shares)
        self._losses = [StyleLoss(target, scale) for target, scale in zip(targets, scales)]
        compared = [term.layer for term in terms if term.kind != STYLE]
        if compared:
            seen = show(content, {layer: Copy() for layer in compared})
            self._losses += [ContentLoss(seen[layer].value(), scale)
                             for layer, scale in zip(compared, scales[len(styled):])]
        self._rests = rests + [0.0] * len(compared)
        self._by_layer = {layer: [loss for loss, term in zip(self._losses, terms) if term.layer == layer]
                          for layer in layers}
        self._pass = (network(precision) if precision == "bf16" else exact).at(size, tile)

    def __call__(self, image):
        for loss in self._losses:
            loss.begin()
        self._pass.forward(image, self._observe)
        losses = [loss.loss() + rest for loss, rest in zip(self._losses, self._rests)]
        return losses, self._pass.backward(self._gradient)

    def _observe(self, layer, *seen):
        for loss in self._by_layer[layer]:
            loss.observe(*seen)

    def _gradient(self, layer, *seen):
        """The gradient of all terms on a layer."""
        gradients = [loss.gradient(*seen) for loss in self._by_layer[layer]]
        return gradients[0] if len(gradients) == 1 else mx.nd.add_n(*gradients)


def _positions(shape):
    return shape[1] * shape[2]
