"""The terms on a layer's features: each observes them forward, and gives their gradient backward.

Strips show features piece by piece: a term adds up over the cores of their windows, so that what it finds is the whole
picture's. An observer is made for a field, which says how far each position counts (see objective.examples). What it
has seen of the pictures that are imitated, its value, is an example for a loss: losses are made from those that
objective.examples.examples_of gives. A loss says how far it reaches: how many rows of surroundings the gradient of a
row needs, or None if it needs the whole picture.
"""

from typing import Any, Callable, List, Optional

import numpy as np

from ..find_mxnet import mx
from ..objective.gaussians import Distance
from ..objective.patches import Patches
from ..objective.terms import FEATURES, GAUSSIAN, GRAM, PATCHES, Term
from ..system.types import NDArray
from . import operators
from .arena import Rows, in_float32
from .last import sum_of_parts, to_first
from .segments import Window


class Gram:
    """Observes the Gram matrix of features, a matrix of C × (H·W); its value is the mean over the positions."""

    def __init__(self, field: Callable) -> None:
        self._rows, self._field = Rows(), field
        self.begin()

    def begin(self) -> None:
        """Discard what has been seen."""
        self.sum: Any = 0.0
        self.positions = 0.0

    @staticmethod
    def of_position(rows: np.ndarray) -> np.ndarray:
        """What is multiplied at each position: a layer's channels."""
        return rows

    def observe(self, features: NDArray, window: Window, empty: Callable) -> None:
        first, last = window.core()
        owner, rows = self._rows(features, first, last, empty)  # the owner keeps the memory
        share, (height, width, _) = self._field((window.height, rows.shape[1])), rows.shape
        root = None if share is None else np.sqrt(share[window.core_first : window.core_last, :, np.newaxis])

        def product(first, last):
            part = self.of_position(in_float32(rows[first:last]))
            part = part if root is None else part * root[first:last]
            part = part.reshape(-1, part.shape[2])
            return part.T @ part

        self.sum = self.sum + sum_of_parts(product, height)
        self.positions += height * width if root is None else float(np.square(root, dtype="float64").sum())

    def value(self) -> np.ndarray:
        return self.sum / self.positions


class GramLoss:
    """scale·Σ share·‖G − A‖², G the Gram matrix of the features, A the examples', brought to as many positions.

    For shares that sum to 1 this is scale·(‖G − mean of A‖² + a rest that no image can change).
    """

    observer, reach, _shift = Gram, 0, None

    def __init__(self, term: Optional[Term], examples: list, field: Callable, scale: float) -> None:
        self._gram, self._field, self._scale = self.observer(field), field, scale
        self.begin, self.observe = self._gram.begin, self._gram.observe
        self.compare_with([(share, value) for share, ((value, _),) in examples])

    def compare_with(self, examples: list) -> None:
        """Compare with what was observed of the examples, [(share, value)]."""
        self._target = sum(share * gram for share, gram in examples)
        self._rest = sum(share * _squares(gram - self._target) for share, gram in examples)

    def loss(self) -> float:
        """The sum of squares, without the scale."""
        difference = self._gram.sum - self._gram.positions * self._target
        self._factor = mx.nd.array(difference * (4 * self._scale)).reshape(difference.shape + (1, 1))
        return _squares(difference) + self._gram.positions**2 * self._rest

    def gradient(self, features: NDArray, window: Window, empty: Callable) -> NDArray:
        """2·scale·(G − target)·features, twice, because features are both factors of G."""
        dtype = operators.dtype_of(features)
        shift = None if self._shift is None else operators.cast(self._shift, dtype)
        gradient = operators.convolution(features, operators.cast(self._factor, dtype), shift, empty)
        share = self._field((window.height, features.shape[3]))
        if share is None:
            return gradient
        share = mx.nd.array(share[None, None, window.first : window.last])
        gradient = to_first(operators.cast(gradient, "float32", empty), empty)
        return operators.cast(mx.nd.broadcast_mul(gradient, share), dtype, empty)


class Moments(Gram):
    """Observes the moments of features; see objective.gaussians."""

    @staticmethod
    def of_position(rows: np.ndarray) -> np.ndarray:
        return np.concatenate((rows, np.ones(rows.shape[:2] + (1,), rows.dtype)), 2)


class GaussianLoss(GramLoss):
    """scale times the Wasserstein-2 distance of the features to the examples."""

    observer = Moments

    def compare_with(self, examples: list) -> None:
        self._distance = Distance(sum(share * moments for share, moments in examples))

    def loss(self) -> float:
        value, slope = self._distance(self._gram.value())
        slope *= 2 * self._scale / self._gram.positions
        self._factor, self._shift = mx.nd.array(slope[:-1, :-1, None, None]), mx.nd.array(slope[:-1, -1])
        return value


class Copy:
    """Observes the features themselves; its value is an array of the whole picture."""

    def __init__(self, field: Optional[Callable]) -> None:
        self._parts: List[np.ndarray] = []

    def observe(self, features: NDArray, window: Window, empty: Callable) -> None:
        self._parts.append(operators.cast(features, "float32", empty).slice_axis(2, *window.core()).asnumpy())

    def value(self) -> np.ndarray:
        return self._parts[0] if len(self._parts) == 1 else np.concatenate(self._parts, 2)


class FeatureLoss:
    """scale·‖features − example‖²."""

    observer, reach = Copy, 0

    def __init__(self, term: Optional[Term], examples: list, field: Callable, scale: float) -> None:
        ((_, ((self.target, _),)),), self._scale = examples, scale
        self.begin()

    def begin(self) -> None:
        self._sum, self._whole = 0.0, None

    def observe(self, features: NDArray, window: Window, empty: Callable) -> None:
        first, last = window.core()
        difference = self._difference(features, window, empty)
        self._sum += _squares(difference[:, :, first:last])
        self._whole = difference if difference.shape == self.target.shape else None  # of strips there are several

    def loss(self) -> float:
        """The sum of squares, without the scale."""
        return self._sum

    def gradient(self, features: NDArray, window: Window, empty: Callable) -> NDArray:
        difference = self._difference(features, window, empty) if self._whole is None else self._whole
        self._whole = None
        difference *= 2 * self._scale
        return operators.cast(mx.nd.array(difference), operators.dtype_of(features), empty)

    def _difference(self, features, window, empty):
        """The difference to the target, by NumPy, which subtracts faster than MXNet."""
        return operators.cast(features, "float32", empty).asnumpy() - self.target[:, :, window.first : window.last]


class PatchLoss:
    """scale·Σ share·‖patch − the example's most similar one‖², over the features' patches; see objective.patches."""

    observer, reach = Copy, 0

    def __init__(self, term: Term, examples: list, field: Callable, scale: float) -> None:
        self.energy, self._scale = Patches(examples, field, term.patch_shape), scale
        self.begin()

    def begin(self) -> None:
        self._shown, self._sum = Copy(None), 0.0

    def observe(self, features: NDArray, window: Window, empty: Callable) -> None:
        _, channels, _, width = features.shape
        if self.energy.prepare((1, channels, window.height, width)):
            first, last = window.core()
            difference, root = self._difference(features, window, empty)
            self._sum += _squares((difference * root)[:, :, first:last])
        else:
            self._shown.observe(features, window, empty)

    def loss(self) -> float:
        """The sum of squares, without the scale."""
        if self.energy.matches is None:
            features = self._shown.value()
            self.energy.choose(features)
            self._sum = _squares((features - self.energy.target) * self.energy.root)
        return self._sum + self.energy.rest

    def gradient(self, features: NDArray, window: Window, empty: Callable) -> NDArray:
        difference, root = self._difference(features, window, empty)
        difference *= 2 * self._scale * np.square(root)
        return operators.cast(mx.nd.array(difference), operators.dtype_of(features), empty)

    def _difference(self, features, window, empty):
        target, root = (array[:, :, window.first : window.last] for array in (self.energy.target, self.energy.root))
        return operators.cast(features, "float32", empty).asnumpy() - target, root


LOSSES = {GRAM: GramLoss, GAUSSIAN: GaussianLoss, FEATURES: FeatureLoss, PATCHES: PatchLoss}  # by what a term compares


def loss_of(term: Term) -> Any:
    """The class that evaluates a term."""
    return LOSSES[term.what]


def _squares(array):
    """The sum of an array's squares."""
    flat = array.ravel()
    return float(np.dot(flat, flat))
