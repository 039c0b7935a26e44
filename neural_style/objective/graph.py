"""The reference's evaluation: one symbolic graph from the picture to the losses, bound once, on any device.

    get_symbol → style_gram_symbol → get_loss → get_executor

Layers are named by the terms; with the model's own layers the graph is the original's, node by node.
"""

import numpy as np

from .. import find_mxnet
from .arrays import Arrays
from .examples import examples_of
from .patches import Patches
from .terms import FEATURES, GRAM, PATCHES

mx = find_mxnet.mx


def style_gram_symbol(input_size, style):
    """Gram matrices of a group of style outputs of pictures of input_size (H, W), as a group; their scales C·H·W·C.

    A layer's features are taken as a C × (H·W) matrix; FullyConnected of that matrix with itself multiplies it
    with its own transpose.
    """
    grams, scales = [], []
    for output in style:
        _, [(_, channels, height, width)], _ = output.infer_shape(data=(1, 3) + tuple(input_size))
        features = mx.sym.Reshape(output, shape=(channels, height * width))
        grams.append(mx.sym.FullyConnected(features, features, no_bias=True, num_hidden=channels))
        scales.append(channels * height * width * channels)
    return mx.sym.Group(grams), scales


def get_loss(gram, content):
    """Sums of squared differences to the variables target_gram_0 …, and to target_content; groups in, groups out.

    Where there are no terms of a kind, [] stands for the group, which MXNet cannot make of nothing.
    """
    return (
        _group([_distance(f"target_gram_{i}", output) for i, output in enumerate(gram)]),
        _group([_distance(_content_target(i), output) for i, output in enumerate(content)]),
    )


def _content_target(number):
    return f"target_content_{number}" if number else "target_content"


def _distance(target, output):
    return mx.sym.sum(mx.sym.square(mx.sym.Variable(target) - output))


def _group(symbols):
    return mx.sym.Group(symbols) if symbols else []


class Graph:
    """An engine: called with an image (1, 3, H, W), it returns the terms' sums of squares and their gradient.

    terms name the model's layers, the style's before the content's; scales are their weights as the gradient has them;
    pictures are objective.examples.Pictures. patches are those of the terms that compare some.
    """

    @staticmethod
    def why_not(model, terms, in_strips):
        """Nothing that a model has is beyond its graph."""
        return ""

    def __init__(self, model, terms, scales, pictures):
        self.arrays = Arrays(model.device)
        size = pictures.content.shape[2:]
        grams, patched, compared = ([term for term in terms if term.what == what] for what in (GRAM, PATCHES, FEATURES))
        features = {term: model.layers[term.layer] for term in terms}

        # what the pictures have: Gram matrices, each brought to the image's number of positions, patches, and features
        def seen(picture, fields):
            own = [term for term in fields if term.what == GRAM]
            others = [term for term in fields if term.what != GRAM]
            gram, own_sizes, roots = _gram_symbols(model, own, fields, picture.shape[2:])
            arrays = _show(model, [*gram, *(features[term] for term in others)], picture, roots)
            return dict(zip([*own, *others], [*zip(arrays, own_sizes), *arrays[len(own) :]]))

        examples, fields = examples_of(terms, pictures, seen), {term: pictures.field(term.region) for term in terms}
        gram, sizes, variables = _gram_symbols(model, grams, fields, size)
        self._rests = {}
        for i, (term, here) in enumerate(zip(grams, sizes)):
            variables[f"target_gram_{i}"], self._rests[term] = _blended(
                [(share, array * (here / there)) for share, (((array, there), _),) in examples[term]]
            )
        for i, term in enumerate(compared):
            ((_, ((variables[_content_target(i)], _),)),) = examples[term]
        self._patches = {
            term: Patches(
                [(share, [(array.asnumpy(), field) for array, field in shown]) for share, shown in examples[term]],
                fields[term],
                term.patches,
            )
            for term in patched
        }
        self.patches = list(self._patches.values())

        # how far an image is from it
        style_loss, content_loss = get_loss(gram, _group([features[term] for term in compared]))
        losses = {
            **dict(zip(grams, style_loss)),
            **dict(zip(compared, content_loss)),
            **{term: _distance_to_matches(i, model, term.layer, size) for i, term in enumerate(patched)},
        }
        self._bound = model.bind(
            [losses[term] for term in terms] + [mx.sym.BlockGrad(features[term]) for term in patched], size
        )
        for name, array in variables.items():
            array.copyto(self._bound.arg_dict[name])
        self._contents = [features[term] for term in compared]
        self._model, self._terms, self._gradients = (
            model,
            terms,
            [mx.nd.ones((1,), model.device) * scale for scale in scales],
        )
        # Only in training a maximum pool keeps what its backward needs; without, its gradient is silently wrong.
        self._has_maximum = '"pool_type": "max"' in mx.sym.Group([*features.values()]).tojson()

    def __call__(self, image):
        image.copyto(self._bound.data)
        outputs = self._forward()
        if self._choose(outputs[len(self._terms) :]):
            outputs = self._forward()
        missing = [mx.nd.zeros(output.shape, image.context) for output in outputs[len(self._terms) :]]
        self._bound.executor.backward(self._gradients + missing)
        rests = {**self._rests, **{term: patches.rest for term, patches in self._patches.items()}}
        losses = [float(output.asscalar()) + rests.get(term, 0.0) for term, output in zip(self._terms, outputs)]
        return losses, self._bound.data_grad

    def compare_with(self, content):
        """Replace the content by this array (1, 3, H, W)."""
        for i, target in enumerate(_show(self._model, self._contents, content, {}) if self._contents else ()):
            target.copyto(self._bound.arg_dict[_content_target(i)])

    def _forward(self):
        return self._bound.executor.forward(is_train=self._has_maximum)

    def _choose(self, features):
        """Choose missing matches for these features; returns whether any target has changed."""
        anew = [i for i, patches in enumerate(self.patches) if patches.target is None]
        for i in anew:
            patches = self.patches[i]
            if not patches.prepare(features[i].shape):
                patches.choose(features[i].asnumpy())
            self._bound.arg_dict[f"target_patches_{i}"][:] = patches.target
            self._bound.arg_dict[f"root_{i}"][:] = patches.root
        return bool(anew)


def _gram_symbols(model, terms, fields, size):
    """style_gram_symbol of the terms' layers for pictures of a size, each position counting as the term's field says.

    Returns the Gram matrices, their scales, and by name the values of variables that stand for the fields.
    """
    outputs, shares, roots = [], [], {}
    shapes = model.shapes([term.layer for term in terms], size) if terms else {}
    for i, term in enumerate(terms):
        output, share = model.layers[term.layer], fields[term](shapes[term.layer][1:])
        if share is not None:
            roots[f"root_of_region_{i}"] = mx.nd.array(np.sqrt(share)[None, None], model.device)
            output = mx.sym.broadcast_mul(output, mx.sym.Variable(f"root_of_region_{i}", shape=(1, 1) + share.shape))
        outputs.append(output)
        shares.append(1 if share is None else float(share.mean()))
    gram, scales = style_gram_symbol(size, mx.sym.Group(outputs)) if outputs else ([], [])
    return gram, [scale * share for scale, share in zip(scales, shares)], roots


def _distance_to_matches(number, model, layer, size):
    """The weighted sum of squared differences to the mean of each position's matches; see patches.Patches.prepare."""
    shape = model.shapes([layer], size)[layer]
    target = mx.sym.Variable(f"target_patches_{number}", shape=(1,) + shape)
    root = mx.sym.Variable(f"root_{number}", shape=(1, 1) + shape[1:])
    return mx.sym.sum(mx.sym.square(mx.sym.broadcast_mul(model.layers[layer] - target, root)))


def _show(model, outputs, picture, variables):
    """What the outputs are for a picture and these values of variables, as copies."""
    bound = model.bind(outputs, picture.shape[2:])
    bound.data[:] = picture
    for name, array in variables.items():
        array.copyto(bound.arg_dict[name])
    return [output.copy() for output in bound.executor.forward()[: len(outputs)]]


def _blended(grams):
    """One target for several styles: Σ b·‖G − A‖² = ‖G − mean‖² + rest, for shares b that sum to 1.

    grams are [(share, Gram matrix)]; returns their weighted mean and the rest, which no image can change.
    """
    if len(grams) == 1:
        return grams[0][1], 0.0
    mean = sum(gram * share for share, gram in grams)
    return mean, sum(share * float((gram - mean).square().sum().asscalar()) for share, gram in grams)
