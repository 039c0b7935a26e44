"""A VGG at work, one operator after the other: a picture's features forward, the picture's gradient backward.

This lets the engine decide what is kept, where, and in which layout: features stay in the layout in which oneDNN's
convolutions left them, and are released as soon as nobody needs them. The first layer's, and those of strips, are
recomputed in the backward pass.
"""

import math
from typing import Any, Callable, Dict, List, Optional, Tuple

from ..find_mxnet import mx
from ..network.model import Model
from ..system.types import NDArray, Size
from . import operators
from .arena import Arena
from .convolutions import convolution
from .last import to_first
from .segments import Operation, Segment, Window, segments, whole, windows


class Chain:
    """A chain of convolutions, ReLUs and pools with its weights, as operators on float32 or bfloat16.

    layers are those whose features are to be seen; reach as segments() takes it; winograd as convolution() does.
    """

    def __init__(
        self,
        model: Model,
        operations: List[Operation],
        layers: List[str],
        reach: Dict[str, int],
        dtype: str,
        winograd: bool,
    ) -> None:
        self._model, self._steps, self._layers, self._reach = model, operations, set(layers), reach
        self._dtype = dtype
        self._pool = operators.POOLS[model.pooling]
        self._convolutions: Dict[str, Any] = {}
        for operation, above in zip(operations, [*operations[1:], None]):
            if operation.kind == "conv":
                weight, bias = (model.parameter(f"{operation.name}_{part}") for part in ("weight", "bias"))
                rectified = above is not None and above.in_place
                self._convolutions[operation.name] = convolution(weight, bias, dtype, winograd, rectified)

    def at(self, size: Size, tile: Optional[int] = None) -> "Pass":
        """A Pass for pictures of size (H, W), in strips of tile rows where that is given."""
        return Pass(self, segments(self._steps, size[0], tile, self._reach), Arena(self._room(size)))

    def _room(self, size):
        """The bytes that all layers need at most, with what the backward pass makes of one of them."""
        shapes = self._model.shapes([operation.name for operation in self._steps], size)
        layers = [4 * math.prod(shape) for shape in shapes.values()]
        return sum(layers) + 4 * max(layers)

    def forward(
        self,
        operations: List[Operation],
        features: NDArray,
        window: Window,
        observe: Callable,
        keep: bool,
        empty: Callable,
    ) -> Tuple[NDArray, list]:
        """The features above the operations, and of each operation those that the backward pass needs."""
        kept, features = [], operators.cast(features, self._dtype, empty)
        for operation in operations:
            if operation.kind == "conv":
                features = self._convolutions[operation.name].forward(features, empty)
            elif operation.kind == "relu":
                features = operators.relu(features, operation.in_place, empty)
            else:
                features = self._pool.forward(features, empty)
            if operation.name in self._layers:
                observe(operation.name, features, window, empty)
            kept.append(features if keep and (operation.kind == "relu" or operation.name in self._layers) else None)
        return features, kept

    def backward(
        self,
        operations: List[Operation],
        kept: list,
        above: list,
        window: Window,
        gradient_of: Callable,
        empty: Callable,
    ) -> NDArray:
        """The gradient below the operations, from the terms' and that above (the last in a list, or None there)."""
        gradient = above.pop()
        gradient = gradient if gradient is None else operators.cast(gradient, self._dtype, empty)
        for index in reversed(range(len(operations))):
            operation, features = operations[index], kept[index]
            if operation.name in self._layers:
                gradient = operators.add(gradient, gradient_of(operation.name, features, window, empty), empty)
            if operation.kind == "conv":
                gradient = self._convolutions[operation.name].backward(gradient, empty)
            elif operation.kind == "relu":
                gradient = operators.relu_backward(gradient, features, empty)
            else:
                gradient = self._pool.backward(gradient, kept[index - 1], empty)
            kept[index] = None
        return gradient


class Pass:
    """A Chain for pictures of one size, forward and then backward, segment by segment.

    Features are shown with the Window of rows that they are of, and with `empty`, which gives memory for what is made
    of them (see Arena).
    """

    def __init__(self, network: Chain, parts: List[Segment], arena: Arena) -> None:
        self._network, self._segments, self._empty = network, parts, arena.empty

    def forward(self, picture: NDArray, observe: Callable, keep: bool = True) -> None:
        """Show observe(layer, features, window, empty) those of picture, an NDArray; keep what backward needs."""
        self._kept: List[Any] = []
        features = picture
        for segment in self._segments:
            below = features
            if segment.rows is None:
                features, kept = self._network.forward(
                    segment.operations, below, whole(below), observe, keep and not segment.recomputed, self._empty
                )
            else:
                features, kept = self._forward_in_strips(segment, below, observe), None
            if keep:
                self._kept.append(below if segment.recomputed else kept)

    def backward(self, gradient_of: Callable) -> NDArray:
        """The picture's gradient, from what gradient_of(layer, features, window, empty) gives for each layer."""
        above = [None]  # a list, so that who takes the gradient out is the only one that holds it
        for segment in reversed(self._segments):
            kept = self._kept.pop()
            if segment.rows is not None:
                above = [self._backward_in_strips(segment, kept, above, gradient_of)]
                continue
            if segment.recomputed:
                kept = self._recompute(segment, kept, whole(kept))
            window = whole(next(features for features in kept if features is not None))
            above = [self._network.backward(segment.operations, kept, above, window, gradient_of, self._empty)]
        return self._plain(above[0]).copy()  # so that the next one finds all places free

    def _recompute(self, segment, below, window):
        return self._network.forward(segment.operations, below, window, _nobody, True, self._empty)[1]

    def _forward_in_strips(self, segment, below, observe):
        above, pools = None, segment.operations[-1].kind == "pool"
        for window in windows(below.shape[2], segment.rows, segment.halo):
            strip = below.slice_axis(2, window.first, window.last)
            features, _ = self._network.forward(segment.operations, strip, window, observe, False, self._empty)
            if pools:
                if above is None:
                    above = mx.nd.empty(features.shape[:2] + (window.height // 2, features.shape[3]))
                start, first, last = (row // 2 for row in (window.first, window.core_first, window.core_last))
                above[:, :, first:last] = self._plain(features).slice_axis(2, first - start, last - start)
        return above

    def _backward_in_strips(self, segment, below, above, gradient_of):
        """The gradient below a segment, from that above it, the last in a list, or None there.

        A row depends on the features of a halo around it, and these on a halo again, so windows have twice the halo.
        """
        whole_above, pools = above.pop(), segment.operations[-1].kind == "pool"
        if whole_above is not None:
            whole_above = self._plain(whole_above).slice_axis(2, 0, None)  # or each strip would change its layout
        result = mx.nd.empty(below.shape)
        for window in windows(below.shape[2], segment.rows, 2 * segment.halo):
            strip = below.slice_axis(2, window.first, window.last)
            kept = self._recompute(segment, strip, window)
            above = [whole_above.slice_axis(2, window.first // 2, window.last // 2) if pools else None]
            gradient = self._network.backward(segment.operations, kept, above, window, gradient_of, self._empty)
            result[:, :, window.core_first : window.core_last] = self._plain(gradient).slice_axis(2, *window.core())
        return result

    def _plain(self, features):
        return to_first(operators.cast(features, "float32", self._empty), self._empty)


def _nobody(*_):
    """Observes features that are recomputed."""
