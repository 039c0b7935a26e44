"""The reference's evaluation: one symbolic graph from the picture to the losses, bound once, on any device.

    get_symbol → style_gram_symbol → get_loss → get_executor

Layers are named by the terms; with the model's own layers the graph is the original's, node by node.
"""

from typing import Any, Callable, Dict, List, Sequence, Tuple

import numpy as np

from .. import find_mxnet
from ..network.model import Model
from ..system.types import NDArray, Size, Symbol
from .arrays import Arrays
from .examples import Pictures, examples_of
from .gaussians import Distance
from .patches import Patches
from .terms import FEATURES, GAUSSIAN, GRAM, PATCHES, Term

mx = find_mxnet.mx


def style_gram_symbol(input_size: Size, style: Symbol) -> Tuple[Symbol, List[int]]:
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


def get_loss(gram: Any, content: Any) -> Tuple[Any, Any]:
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
    def why_not(model: Model, terms: List[Term], in_strips: bool) -> str:
        """Nothing that a model has is beyond its graph."""
        return ""

    def __init__(self, model: Model, terms: List[Term], scales: Sequence[float], pictures: Pictures) -> None:
        self.arrays, self._model, self._terms = Arrays(model.device), model, terms
        size, fields = pictures.content.shape[2:], {term: pictures.field(term.region) for term in terms}
        examples = examples_of(terms, pictures, lambda picture, fields: _seen(model, picture, fields))
        self._kinds = _kinds(model, fields, size)
        for kind in self._kinds.values():
            kind.compare_with([examples[term] for term in kind.fields])
        self.patches = self._kinds[PATCHES].energies if PATCHES in self._kinds else []
        losses, watched = _losses(self._kinds), [symbol for kind in self._kinds.values() for symbol in kind.watched]
        self._bound = model.bind([losses[term] for term in terms] + watched, size)
        for kind in self._kinds.values():
            _set(self._bound, kind.variables)
        self._gradients = [mx.nd.ones((1,), model.device) * scale for scale in scales]
        # Only in training a maximum pool keeps what its backward needs; without, its gradient is silently wrong.
        layers = mx.sym.Group([model.layers[term.layer] for term in terms])
        self._has_maximum = '"pool_type": "max"' in layers.tojson()

    def __call__(self, image: NDArray) -> Tuple[List[float], NDArray]:
        image.copyto(self._bound.data)
        outputs, count = self._forward(), len(self._terms)
        watched = iter(outputs[count:])
        changed = {kind: kind.choose([next(watched) for _ in kind.watched]) for kind in self._kinds.values()}
        for variables in changed.values():
            _set(self._bound, variables)
        if any(kind.changes_losses and variables for kind, variables in changed.items()):
            outputs = self._forward()
        missing = [mx.nd.zeros(output.shape, image.context) for output in outputs[count:]]
        self._bound.executor.backward(self._gradients + missing)
        outputs = dict(zip(self._terms, outputs))
        losses: Dict[Term, float] = {}
        for kind in self._kinds.values():
            losses.update(zip(kind.fields, kind.values([outputs[term] for term in kind.fields])))
        return [losses[term] for term in self._terms], self._bound.data_grad

    def compare_with(self, content: np.ndarray) -> None:
        """Replace the content by this array (1, 3, H, W)."""
        if FEATURES in self._kinds:
            kind = self._kinds[FEATURES]
            _set(self._bound, dict(zip(kind.targets, _show(self._model, kind.outputs, content, {}))))

    def _forward(self):
        return self._bound.executor.forward(is_train=self._has_maximum)


class Features:
    """The terms of one kind, on pictures of one size: these compare features, subclasses what they make of them.

    outputs are the symbols that are compared, with variables as values of others, by name; rests are what no image can
    change; watched are the symbols that choose() needs.
    """

    changes_losses = False  # whether the losses have to be evaluated again after choose()

    def __init__(self, model: Model, fields: Dict[Term, Callable], size: Size) -> None:
        self.fields, self.rests = fields, [0.0] * len(fields)
        self.variables: Dict[str, Any] = {}
        self.watched: List[Symbol] = []
        self.outputs = [model.layers[term.layer] for term in fields]
        self.targets = [_content_target(i) for i in range(len(fields))]

    def seen(self, arrays: List[NDArray]) -> list:
        """What the terms remember of a picture for which the outputs are these arrays."""
        return arrays

    def compare_with(self, examples: List[list]) -> None:
        """Compare with what was seen, as examples_of gives it for each of the terms."""
        self.variables.update((name, array) for name, ((_, ((array, _),)),) in zip(self.targets, examples))

    def losses(self) -> List[Symbol]:
        """The terms' sums of squares."""
        return [_distance(name, output) for name, output in zip(self.targets, self.outputs)]

    def choose(self, watched: List[NDArray]) -> Dict[str, Any]:
        """The variables that change, by name, for an image for which the watched symbols are these arrays."""
        return {}

    def values(self, losses: List[NDArray]) -> Sequence[float]:
        """The terms' values, where their losses are these arrays."""
        return [float(loss.asscalar()) + rest for loss, rest in zip(losses, self.rests)]


class Grams(Features):
    """Gram matrices, by style_gram_symbol, each brought to the image's number of positions.

    A position counts as the term's field says.
    """

    def __init__(self, model: Model, fields: Dict[Term, Callable], size: Size) -> None:
        super().__init__(model, fields, size)
        self.outputs = [self.of_position(output) for output in self.outputs]
        shapes, shares = model.shapes([term.layer for term in fields], size), []
        for i, (term, field) in enumerate(fields.items()):
            share, root = field(shapes[term.layer][1:]), f"root_of_region_{i}"
            if share is not None:
                self.variables[root] = mx.nd.array(np.sqrt(share)[None, None], model.device)
                variable = mx.sym.Variable(root, shape=(1, 1) + share.shape)
                self.outputs[i] = mx.sym.broadcast_mul(self.outputs[i], variable)
            shares.append(1 if share is None else float(share.mean()))
        self.targets = [f"target_gram_{i}" for i in range(len(fields))]
        grams, scales = style_gram_symbol(size, mx.sym.Group(self.outputs))
        self.outputs, self._scales = list(grams), [scale * share for scale, share in zip(scales, shares)]

    @staticmethod
    def of_position(output: Symbol) -> Symbol:
        """What is multiplied at each position: a layer's channels."""
        return output

    def seen(self, arrays: List[NDArray]) -> list:
        return list(zip(arrays, self._scales))

    def compare_with(self, examples: List[list]) -> None:
        for i, (here, shown) in enumerate(zip(self._scales, examples)):
            grams = [(share, array * (here / there)) for share, (((array, there), _),) in shown]
            self.variables[self.targets[i]], self.rests[i] = _blended(grams)


class Gaussians(Grams):
    """Moments, see gaussians.py: Gram matrices of the channels and 1, divided by the number of positions.

    The distance is not evaluated in the graph: its losses only have its gradient, by a slope that choose() sets.
    """

    @staticmethod
    def of_position(output: Symbol) -> Symbol:
        return mx.sym.Concat(output, mx.sym.ones_like(mx.sym.slice_axis(output, axis=1, begin=0, end=1)), dim=1)

    def seen(self, arrays: List[NDArray]) -> list:
        return [array.asnumpy() * (len(array) ** 2 / scale) for array, scale in zip(arrays, self._scales)]

    def compare_with(self, examples: List[list]) -> None:
        self._distances = [Distance(sum(share * moments for share, ((moments, _),) in shown)) for shown in examples]
        self.watched = [mx.sym.BlockGrad(output) for output in self.outputs]

    def losses(self) -> List[Symbol]:
        return [mx.sym.sum(mx.sym.Variable(f"slope_{i}") * output) for i, output in enumerate(self.outputs)]

    def choose(self, watched: List[NDArray]) -> Dict[str, Any]:
        self._values, slopes = zip(*(distance(seen) for distance, seen in zip(self._distances, self.seen(watched))))
        scales = [len(slope) ** 2 / scale for slope, scale in zip(slopes, self._scales)]
        return {f"slope_{i}": slope * scale for i, (slope, scale) in enumerate(zip(slopes, scales))}

    def values(self, losses: List[NDArray]) -> Sequence[float]:
        return self._values


class Matches(Features):
    """Patches of features, each with the style's most similar one; see patches.Patches.prepare."""

    changes_losses = True

    def __init__(self, model: Model, fields: Dict[Term, Callable], size: Size) -> None:
        super().__init__(model, fields, size)
        shapes = model.shapes([term.layer for term in fields], size)
        self._roots = [(1, 1) + shapes[term.layer][1:] for term in fields]

    def compare_with(self, examples: List[list]) -> None:
        self.energies = []
        for (term, field), shown in zip(self.fields.items(), examples):
            arrays = [(share, [(array.asnumpy(), where) for array, where in pictures]) for share, pictures in shown]
            self.energies.append(Patches(arrays, field, term.patch_shape))
        self.watched = [mx.sym.BlockGrad(output) for output in self.outputs]

    def losses(self) -> List[Symbol]:
        roots = [mx.sym.Variable(f"root_{i}", shape=shape) for i, shape in enumerate(self._roots)]
        differences = [output - mx.sym.Variable(f"target_patches_{i}") for i, output in enumerate(self.outputs)]
        return [mx.sym.sum(mx.sym.square(mx.sym.broadcast_mul(*pair))) for pair in zip(differences, roots)]

    def choose(self, watched: List[NDArray]) -> Dict[str, Any]:
        changed = {}
        for i, (patches, features) in enumerate(zip(self.energies, watched)):
            if patches.target is None:
                if not patches.prepare(features.shape):
                    patches.choose(features.asnumpy())
                changed.update({f"target_patches_{i}": patches.target, f"root_{i}": patches.root})
            self.rests[i] = patches.rest
        return changed


KINDS = {GRAM: Grams, FEATURES: Features, PATCHES: Matches, GAUSSIAN: Gaussians}  # by what a term compares


def _kinds(model, fields, size):
    """{what is compared: its kind} of terms, with their fields, for pictures of a size."""
    of_kinds = {what: {term: field for term, field in fields.items() if term.what == what} for what in KINDS}
    return {what: KINDS[what](model, of_kind, size) for what, of_kind in of_kinds.items() if of_kind}


def _losses(kinds):
    """{term: its sum of squares}; those of the original's two kinds are get_loss's."""
    originals = GRAM, FEATURES
    original = get_loss(*(_group(kinds[what].outputs if what in kinds else []) for what in originals))
    sums = {**dict(zip(originals, original)), **{what: kinds[what].losses() for what in kinds if what not in originals}}
    return {term: symbol for what, kind in kinds.items() for term, symbol in zip(kind.fields, sums[what])}


def _seen(model, picture, fields):
    """{term: what it remembers of a picture (1, 3, h, w)}, for terms with their fields."""
    kinds = _kinds(model, fields, picture.shape[2:]).values()
    variables = {name: array for kind in kinds for name, array in kind.variables.items()}
    arrays = iter(_show(model, [output for kind in kinds for output in kind.outputs], picture, variables))
    return {
        term: value
        for kind in kinds
        for term, value in zip(kind.fields, kind.seen([next(arrays) for _ in kind.fields]))
    }


def _show(model, outputs, picture, variables):
    """What the outputs are for a picture and these values of variables, as copies."""
    bound = model.bind(outputs, picture.shape[2:])
    bound.data[:] = picture
    _set(bound, variables)
    return [output.copy() for output in bound.executor.forward()[: len(outputs)]]


def _set(bound, variables):
    """Set the values of variables, by name."""
    for name, array in variables.items():
        bound.arg_dict[name][:] = array


def _blended(grams):
    """One target for several styles: Σ b·‖G − A‖² = ‖G − mean‖² + rest, for shares b that sum to 1.

    grams are [(share, Gram matrix)]; returns their weighted mean and the rest, which no image can change.
    """
    if len(grams) == 1:
        return grams[0][1], 0.0
    mean = sum(gram * share for share, gram in grams)
    return mean, sum(share * float((gram - mean).square().sum().asscalar()) for share, gram in grams)
