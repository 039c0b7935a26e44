"""The network at work: a picture's features on the way up, the picture's gradient on the way down.

Features are shown, layer by layer, with the Window of rows that they are of, and with `empty`, which gives memory for
what is made of them (see operators.anywhere).
"""
import math
from collections import namedtuple

from . import operators
from .arena import Arena
from .errors import UsageError
from .find_mxnet import mx


class Window(namedtuple("Window", ["height", "first", "last", "core_first", "core_last"])):
    """Of a layer's height rows those at hand, from first to last, and those of them that count here, the core."""

    def core(self):
        """Where the core begins and ends in the rows at hand."""
        return self.core_first - self.first, self.core_last - self.first


def windows(height, rows, halo):
    """Windows whose cores divide height rows into strips of about as many rows, an even number, each with a halo."""
    count = max(1, round(height / rows))
    edges = [height * i // count // 2 * 2 for i in range(count)] + [height]
    return [Window(height, max(0, first - halo), min(height, last + halo), first, last)
            for first, last in zip(edges, edges[1:]) if first < last]


def whole(features):
    height = features.shape[2]
    return Window(height, 0, height, 0, height)


def features_of(model, layers, size, precision="float32", tile=None):
    """What shows the named layers of a model for pictures of size (H, W), and takes their gradients back.

    tile is the number of rows, of the picture or of a layer, that strips have where it is to be gone in strips.
    """
    steps = model.chain(layers)
    if steps is None and (tile or precision != "float32"):
        raise UsageError(f"{'--tile' if tile else '--precision'}: only the VGGs with average pools can do that, on the "
                         "CPU; leave it out")
    return Bound(model, layers, size) if steps is None else LayerByLayer(model, layers, steps, size, precision, tile)


class Bound:
    """The graph of any model, bound as it is."""

    def __init__(self, model, layers, size):
        outputs = model.outputs(layers)
        self._layers, self._bound = layers, model.bind(outputs, size)
        # Only in training a maximum pool keeps what its backward needs; without, its gradient is silently wrong.
        self._has_maximum = '"pool_type": "max"' in outputs.tojson()
        self.data = self._bound.data

    def forward(self, picture, see, keep=True):
        """Show see(layer, features, window, empty) the features of picture, (1, 3, H, W)."""
        self.data[:] = picture
        self._bound.executor.forward(is_train=self._has_maximum)
        for layer, features in zip(self._layers, self._bound.executor.outputs):
            see(layer, features, whole(features), operators.anywhere)

    def backward(self, head):
        """The gradient of what head(layer, features, window, empty) gives for each layer."""
        outputs = self._bound.executor.outputs
        heads = [head(layer, features, whole(features), operators.anywhere) for layer, features in zip(self._layers, outputs)]
        heads += [mx.nd.zeros(output.shape, output.context) for output in outputs[len(heads):]]
        self._bound.executor.backward(heads)
        return self._bound.data_grad


class Segment:
    """Steps of one height, and the pool behind them; rows is the height of a strip, or None: all at once.

    Where again is true the way down makes the features once more, instead of keeping them.
    """

    def __init__(self, steps, rows, again):
        self.steps, self.rows, self.again, self.pools = steps, rows, again, steps[-1].kind == "pool"
        convolutions = sum(step.kind == "conv" for step in steps)
        self.reach = convolutions + convolutions % 2    # rows that a value's influence goes, even: pools come in pairs


def segments(steps, height, tile):
    """The steps for height rows, cut behind each pool; in strips where that makes two at least.

    What is made of the picture itself is as large as any and takes next to no time: it stands apart, to be made again.
    """
    blocks = [[]]
    for step in steps:
        blocks[-1].append(step)
        if step.kind == "pool":
            blocks.append([])
    found = []
    for level, block in enumerate(filter(None, blocks)):
        if tile and (height >> level) >= 1.5 * tile:
            found.append(Segment(block, tile, True))
        else:
            inner = [index for index, step in enumerate(block) if index and step.kind == "conv"]
            cut = 0 if level else (inner or [len(block)])[0]
            found += [Segment(part, None, again) for part, again in ((block[:cut], True), (block[cut:], False)) if part]
    return found


def room(model, steps, size):
    """The bytes that all layers of pictures of size (H, W) need at most, with what the way down makes of one of them."""
    _, shapes, _ = model.outputs([step.name for step in steps]).infer_shape(data=(1, 3) + tuple(size))
    layers = [4 * math.prod(shape) for shape in shapes]
    return sum(layers) + 4 * max(layers)


class LayerByLayer:
    """A chain of convolutions, ReLUs and average pools, one operator after the other.

    In float32 the numbers are those of the bound graph. What is gained is the say in what is kept, where, and in which
    layout: features stay as oneDNN's convolutions left them, and go as soon as nobody needs them. The first layer's,
    and those of segments in strips, are made once more on the way down.
    """

    def __init__(self, model, layers, steps, size, precision, tile):
        self._model, self._layers, self._segments = model, set(layers), segments(steps, size[0], tile)
        self._precision, self._dtype = precision, operators.DTYPES[precision]
        self.data = mx.nd.zeros((1, 3) + tuple(size), model.device)
        self._empty = Arena(room(model, steps, size)).empty

    def forward(self, picture, see, keep=True):
        """Show see(layer, features, window, empty) the features of picture, (1, 3, H, W); keep what backward needs."""
        self.data[:] = picture
        self._kept, features = [], self.data
        for segment in self._segments:
            below = features
            if segment.rows is None:
                features, kept = self._climb(segment.steps, below, whole(below), see, keep and not segment.again)
            else:
                features = self._climb_in_strips(segment, below, see)
            if keep:
                self._kept.append(below if segment.again else kept)

    def backward(self, head):
        """The gradient of what head(layer, features, window, empty) gives for each layer."""
        above = [None]      # a list, so that who takes the gradient out is the only one that holds it
        for segment in reversed(self._segments):
            kept = self._kept.pop()
            if segment.rows is not None:
                above = [self._descend_in_strips(segment, kept, above, head)]
                continue
            if segment.again:
                kept = self._climb(segment.steps, kept, whole(kept), _nothing, keep=True)[1]
            window = whole(next(features for features in kept if features is not None))
            above = [self._descend(segment.steps, kept, above, window, head)]
        return operators.cast(above[0], "float32").copy()       # outside, so that the next one finds all places free

    def _climb(self, steps, features, window, see, keep):
        """The features above the steps, and of each step those that the way down needs."""
        kept, features = [], operators.cast(features, self._dtype)
        for step in steps:
            features = self._up(step, features)
            if step.name in self._layers:
                see(step.name, features, window, self._empty)
            kept.append(features if keep and (step.kind == "relu" or step.name in self._layers) else None)
        return features, kept

    def _descend(self, steps, kept, above, window, head):
        """The gradient below the steps, from that above them, the last in a list or None there, and the heads."""
        gradient = above.pop()
        gradient = gradient if gradient is None else operators.cast(gradient, self._dtype)
        for index in reversed(range(len(steps))):
            step, features = steps[index], kept[index]
            if step.name in self._layers:
                gradient = _sum(gradient, head(step.name, features, window, self._empty))
            gradient = self._down(step, features, kept[index - 1], gradient)
            kept[index] = None
        return gradient

    def _climb_in_strips(self, segment, below, see):
        above = None
        for window in windows(below.shape[2], segment.rows, segment.reach):
            strip = below.slice_axis(2, window.first, window.last)
            features, _ = self._climb(segment.steps, strip, window, see, keep=False)
            if segment.pools:
                if above is None:
                    above = mx.nd.empty(features.shape[:2] + (window.height // 2, features.shape[3]), features.context)
                start, first, last = (row // 2 for row in (window.first, window.core_first, window.core_last))
                above[:, :, first:last] = operators.cast(features, "float32").slice_axis(2, first - start, last - start)
        return above

    def _descend_in_strips(self, segment, below, above, head):
        gradient = above.pop()
        if gradient is not None:
            # in plain layout, or each strip would bring it there
            gradient = operators.cast(gradient, "float32").slice_axis(2, 0, None)
        result = mx.nd.empty(below.shape, below.context)
        for window in windows(below.shape[2], segment.rows, 2 * segment.reach):
            strip = below.slice_axis(2, window.first, window.last)
            features, kept = self._climb(segment.steps, strip, window, _nothing, keep=True)
            above = [None]
            if segment.pools:
                above = [gradient.slice_axis(2, window.first // 2, window.last // 2)]
            own = self._descend(segment.steps, kept, above, window, head)
            result[:, :, window.core_first:window.core_last] = operators.cast(own, "float32").slice_axis(
                2, *window.core())
        return result

    def _up(self, step, features):
        if step.kind == "conv":
            return self._model.convolution(step.name, self._precision).forward(features, self._empty)
        if step.kind == "relu":
            return operators.relu(features, self._empty(features.shape, self._dtype) if step.apart else features)
        return operators.average_pool(features, self._empty)

    def _down(self, step, features, below, gradient):
        if step.kind == "conv":
            return self._model.convolution(step.name, self._precision).backward(gradient, self._empty)
        if step.kind == "relu":
            return operators.relu_backward(gradient, features, self._empty)
        return operators.average_pool_backward(gradient, below, self._empty)


def _sum(gradient, own):
    return own if gradient is None else operators.add(gradient, own)


def _nothing(*_):
    """What sees nothing in features that are made once more."""
