"""The engine: compares an image with what it has seen of the pictures, and returns losses and a gradient."""

from typing import List, Optional, Sequence, Tuple

import numpy as np

from ..find_mxnet import mx
from ..network.model import Model
from ..objective.arrays import Arrays
from ..objective.examples import Pictures, examples_of
from ..objective.terms import CONTENT, Term
from ..system.types import NDArray
from . import operators
from .losses import Copy, PatchLoss, loss_of
from .network import Chain
from .segments import chain


class Layers:
    """An engine: called with an image (1, 3, H, W), it returns the terms' sums of squares and their gradient.

    model, terms, scales and pictures as objective.graph.Graph takes them; patches are those of the terms that compare
    some. dtype is float32 or bfloat16; what the image is compared with is always float32. winograd lets large
    convolutions multiply by Winograd's method. tile is the number of rows, of the picture or of a layer, that strips
    have; None evaluates the picture as a whole.
    """

    @staticmethod
    def why_not(model: Model, terms: List[Term], in_strips: bool) -> str:
        """Why this engine cannot evaluate the terms on the model's layers, in words; "" if it can."""
        if chain(model, [term.layer for term in terms]) is None:
            return "this works only for VGG19 and VGG16 on the CPU, and not for pooling layers"
        if in_strips and any(loss_of(term).reach is None for term in terms):
            return "some of the terms need the whole picture at once"
        return ""

    def __init__(
        self,
        model: Model,
        terms: List[Term],
        scales: Sequence[float],
        pictures: Pictures,
        dtype: str = "float32",
        winograd: bool = False,
        tile: Optional[int] = None,
    ) -> None:
        self.arrays = Arrays(model.device)
        observed = list(dict.fromkeys(term.layer for term in terms))
        operations = chain(model, observed) or []
        reach = {layer: max(loss_of(term).reach or 0 for term in terms if term.layer == layer) for layer in observed}

        def network(dtype):
            return Chain(model, operations, observed, reach, dtype, winograd)

        def seen(picture, fields):
            observers = {term: loss_of(term).observer(field) for term, field in fields.items()}
            _show(exact.at(picture.shape[2:], tile), mx.nd.array(picture), observers, keep=False)
            mx.nd.waitall()  # then the picture and its features may go
            return {term: observer.value() for term, observer in observers.items()}

        exact = network("float32")
        examples = examples_of(terms, pictures, seen)
        self._losses = {
            term: loss_of(term)(term, examples[term], pictures.field(term.region), scale)
            for term, scale in zip(terms, scales)
        }
        self.patches = [loss.energy for loss in self._losses.values() if isinstance(loss, PatchLoss)]
        self._pass = (exact if dtype == "float32" else network(dtype)).at(pictures.content.shape[2:], tile)

    def __call__(self, image: NDArray) -> Tuple[List[float], NDArray]:
        for loss in self._losses.values():
            loss.begin()
        _show(self._pass, image, self._losses)
        losses = [loss.loss() for loss in self._losses.values()]
        return losses, self._pass.backward(self._gradient)

    def compare_with(self, content: np.ndarray) -> None:
        """Replace the content by this array (1, 3, H, W)."""
        observers = {term: Copy(None) for term in self._losses if term.kind == CONTENT}
        _show(self._pass, mx.nd.array(content), observers, keep=False)
        for term, observer in observers.items():
            self._losses[term].target = observer.value()

    def _gradient(self, layer, *shown):
        """The gradient of all terms on a layer."""
        empty = shown[-1]
        total, *more = (loss.gradient(*shown) for term, loss in self._losses.items() if term.layer == layer)
        for gradient in more:
            total = operators.add(total, gradient, empty)
        return total


def _show(network_pass, picture, observers, keep=True):
    """Run the network forward, and show each layer's features to the observers of the terms on it."""

    def observe(layer, *shown):
        for term, observer in observers.items():
            if term.layer == layer:
                observer.observe(*shown)

    network_pass.forward(picture, observe, keep)
