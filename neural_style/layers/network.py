"""A VGG at work, one operator after the other: a picture's features forward, the picture's gradient backward.

This lets the engine decide what is kept, where, and in which layout: features stay in the layout in which oneDNN's
convolutions left them, and are released as soon as nobody needs them. The first layer's, and those of strips, are
recomputed in the backward pass.
"""

import math
from typing import Any, Callable, Dict, List, Optional

from ..find_mxnet import mx
from ..network.model import Model
from ..system.types import NDArray, Size
from . import operators
from .arena import Arena
from .convolutions import convolution
from .last import to_first
from .segments import Operation, Segment, segments, whole, windows


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
        self._model, self._operations, self._reach = model, operations, reach
        self.layers, self.dtype, self.pooling = set(layers), dtype, model.pooling
        self.convolutions: Dict[str, Any] = {}
        for operation, above in zip(operations, [*operations[1:], None]):
            if operation.kind == "conv":
                weight, bias = (model.parameter(f"{operation.name}_{part}") for part in ("weight", "bias"))
                rectified = above is not None and above.in_place
                self.convolutions[operation.name] = convolution(weight, bias, dtype, winograd, rectified)

    def at(self, size: Size, tile: Optional[int] = None) -> "Pass":
        """A Pass for pictures of size (H, W), in strips of tile rows where that is given."""
        shapes = self._model.shapes([operation.name for operation in self._operations], size)
        layers = [4 * math.prod(shape) for shape in shapes.values()]
        arena = Arena(sum(layers) + 4 * max(layers))  # all layers, and what the backward pass makes of one of them
        return Pass(self, segments(self._operations, size[0], tile, self._reach), arena)


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
                keeps = keep and not segment.recomputed
                features, kept = self._up(segment, below, whole(below), observe, keeps)
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
            above = [self._down(segment, kept, above, window, gradient_of)]
        return self._plain(above[0]).copy()  # so that the next one finds all places free

    def _up(self, segment, features, window, observe, keep):
        """The features above a segment, and of each operation those that the backward pass needs."""
        network, empty = self._network, self._empty
        kept, features = [], operators.cast(features, network.dtype, empty)
        for operation in segment.operations:
            if operation.kind == "conv":
                features = network.convolutions[operation.name].forward(features, empty)
            elif operation.kind == "relu":
                features = operators.relu(features, operation.in_place, empty)
            else:
                features = operators.pool(network.pooling, features, empty)
            if operation.name in network.layers:
                observe(operation.name, features, window, empty)
            kept.append(features if keep and (operation.kind == "relu" or operation.name in network.layers) else None)
        return features, kept

    def _down(self, segment, kept, above, window, gradient_of):
        """The gradient below a segment, from the terms' and that above it, the last in a list, or None there."""
        network, empty, gradient = self._network, self._empty, above.pop()
        gradient = gradient if gradient is None else operators.cast(gradient, network.dtype, empty)
        for index, operation in reversed(list(enumerate(segment.operations))):
            if operation.name in network.layers:
                gradient = operators.add(gradient, gradient_of(operation.name, kept[index], window, empty), empty)
            if operation.kind == "conv":
                gradient = network.convolutions[operation.name].backward(gradient, empty)
            elif operation.kind == "relu":
                gradient = operators.relu_backward(gradient, kept[index], empty)
            else:
                gradient = operators.pool_backward(network.pooling, gradient, kept[index - 1], empty)
            kept[index] = None
        return gradient

    def _recompute(self, segment, below, window):
        return self._up(segment, below, window, lambda *_: None, True)[1]

    def _forward_in_strips(self, segment, below, observe):
        above, pools = None, segment.operations[-1].kind == "pool"
        for window in windows(below.shape[2], segment.rows, segment.halo):
            strip = below.slice_axis(2, window.first, window.last)
            features, _ = self._up(segment, strip, window, observe, False)
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
            gradient = self._down(segment, kept, above, window, gradient_of)
            result[:, :, window.core_first : window.core_last] = self._plain(gradient).slice_axis(2, *window.core())
        return result

    def _plain(self, features):
        return to_first(operators.cast(features, "float32", self._empty), self._empty)
