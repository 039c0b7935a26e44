"""Networks that paint in one pass, as symbols: a picture in, a painted one of the same size out.

A generator is one part or several in a row, each of which paints what the one before has made. The picture is the
variable that a part's symbol is given as its input, an array (1, 3, H, W) in the range of VGG, both sides multiples of
`multiple`.
"""

from typing import Any, Callable, Dict, List, NamedTuple, Tuple

from ..find_mxnet import mx
from ..network.architecture import MEANS
from ..system.types import Arrays, Size, Symbol

RANGE = 150.0  # the largest value that `fast` paints; a picture's are at most 152
INPUT = 1 / 128.0  # this brings a picture to about ±1
EPS = 1e-5  # of the normalisations of `fast`


class Layer(NamedTuple):
    """A convolution of `fast`, padded by reflection, with a normalisation in place of a bias."""

    name: str
    filters: int
    kernel: int
    stride: int = 1
    enlarge: int = 1  # before the convolution
    relu: bool = True
    adds: str = ""  # the layer whose output is added behind the normalisation
    joins: str = ""  # the layer, or "data", that becomes further channels of the input


def _blocks(count, filters, below):
    """Residual blocks of two convolutions each."""
    layers = []
    for i in range(1, count + 1):
        layers += [Layer(f"block{i}_1", filters, 3), Layer(f"block{i}_2", filters, 3, relu=False, adds=below)]
        below = layers[-1].name
    return layers


FAST = (
    Layer("first", 32, 5),
    Layer("down1", 48, 3, stride=2),
    Layer("down2", 96, 3, stride=2),
    *_blocks(5, 96, "down2"),
    Layer("up1", 48, 3, enlarge=2),
    Layer("up2", 32, 3, enlarge=2),
)
LAST = Layer("last", 3, 3, joins="data")  # it has a bias, and tanh behind it


def enlarged(F: Any, x: Any, scale: int, smooth: bool = True) -> Any:
    """By nearest neighbours, then smoothed: or else the convolution that follows weaves. F is mx.sym or mx.nd.

    For a scale of 2 that is bilinear. MXNet's own adds up the gradient in varying order; of means, oneDNN logs a line.
    """
    x = F.UpSampling(x, scale=scale, sample_type="nearest")
    if not smooth:
        return x
    x = F.Pad(x, mode="edge", pad_width=(0, 0, 0, 0) + 4 * (1,))
    for _ in range(2):
        x = F.Pooling(x, kernel=(2, 2), pool_type="sum") / 4
    return x


def fast() -> Symbol:
    """Down to a quarter, residual blocks, and up again; every normalisation is by the picture's own mean and variance.

    MXNet's batch normalisation does that in training, with one picture at a time, ten times as fast as InstanceNorm.
    """
    shown = {"data": mx.sym.Variable("data") * INPUT}
    x = shown["data"]
    for layer in (*FAST, LAST):
        if layer.enlarge > 1:
            x = enlarged(mx.sym, x, layer.enlarge)
        if layer.joins:
            x = mx.sym.Concat(x, shown[layer.joins], dim=1)
        margin = layer.kernel // 2
        x = mx.sym.Pad(x, mode="reflect", pad_width=(0, 0, 0, 0) + 4 * (margin,))
        x = mx.sym.Convolution(
            x,
            name=layer.name,
            num_filter=layer.filters,
            kernel=2 * (layer.kernel,),
            stride=2 * (layer.stride,),
            no_bias=layer is not LAST,
        )
        if layer is not LAST:
            x = mx.sym.BatchNorm(x, name=f"{layer.name}_norm", fix_gamma=False, eps=EPS)
            x = mx.sym.Activation(x, act_type="relu") if layer.relu else x
            x = x + shown[layer.adds] if layer.adds else x
        shown[layer.name] = x
    return mx.sym.tanh(x) * RANGE


def _as_it_is(weight):
    """The last layer's weights such that `fast` begins by painting the picture nearly as it is.

    It then learns to change a photograph, instead of having to find it again behind the style.
    """
    weight = 0.05 * weight
    weight[:, -3:] = 0
    for color in range(3):
        weight[color, color - 3, 1, 1] = 1 / (INPUT * RANGE)
    return weight


def _normalised(x, activation="leaky"):
    x = mx.sym.BatchNorm(x, fix_gamma=False)
    return mx.sym.Activation(x, act_type="tanh") if activation == "tanh" else mx.sym.LeakyReLU(x, act_type=activation)


def _convolution(x, filters, kernel, stride=1, activation="leaky", bias=True):
    x = mx.sym.Convolution(
        x,
        num_filter=filters,
        kernel=(kernel, kernel),
        pad=2 * (kernel // 2,),
        stride=(stride, stride),
        no_bias=not bias,
    )
    return _normalised(x, activation)


def _enlarged(x, filters, like=None):
    """Twice as large by a transposed convolution: of 7×7, cut to the size of `like`, or of 8×8 with tanh behind it."""
    kernel, margin = (7, 2) if like is not None else (8, 3)
    x = mx.sym.Deconvolution(
        x, num_filter=filters, kernel=2 * (kernel,), pad=2 * (margin,), stride=(2, 2), no_bias=True
    )
    if like is None:
        return _normalised(x, "tanh")
    return _normalised(mx.sym.Crop(x, like, offset=(1, 1), num_args=2))


def _mixed(painted, data):
    """Of what tanh gives, as a picture, 0.4, and 0.6 of the input."""
    colors = mx.sym.SliceChannel(painted * 128 + 128, num_outputs=3)
    return 0.4 * mx.sym.Concat(*(color - float(mean) for color, mean in zip(colors, MEANS))) + 0.6 * data


# Each layer of v4: filters, kernel, whether it has a bias.
V4 = ((48, 5, True), (32, 5, True), (64, 3, True), (32, 5, True), (48, 5, True), (32, 5, False))


def _v4(data):
    """Convolutions at full size."""
    x = data
    for filters, kernel, bias in V4:
        x = _convolution(x, filters, kernel, bias=bias)
    return _mixed(_convolution(x, 3, 3, activation="tanh", bias=False), data)


def _v3(data):
    """Down to an eighth and up again, with what was there on the way down added on the way up."""
    half = _convolution(data, 64, 5, stride=2)
    quarter = _convolution(_convolution(half, 48, 3), 128, 5, stride=2)
    eighth = _convolution(_convolution(quarter, 96, 3), 256, 5, stride=2)
    x = _enlarged(_convolution(eighth, 192, 3), 128, like=quarter) + quarter
    x = _enlarged(_convolution(x, 160, 3), 64, like=half) + half
    return _mixed(_enlarged(_convolution(x, 96, 3), 3), data)


def boost() -> List[Symbol]:
    """The four networks in a row of MXNet's end_to_end example; the names are those that its parameters have."""
    with mx.name.NameManager():  # counts from 0: convolution0, batchnorm0, …, from one network to the next
        return [make(mx.sym.Variable(f"g{i}_data")) for i, make in enumerate((_v4, _v3, _v3, _v4))]


class Generator(NamedTuple):
    """A kind of network, and how it is trained."""

    parts: Callable[[], List]  # gives the symbols
    multiple: int  # of which both sides of a picture must be
    halo: int  # rows of surroundings that a part's output depends on
    optimizer: str  # in MXNet
    rates: Dict[str, float]  # what the optimiser takes
    memories: int  # arrays that it keeps for each parameter
    lowest_rate: float  # the learning rate falls to this share of the first, along a cosine
    clip: float  # the gradient of a picture is scaled down where its norm exceeds this times its values
    relative: bool  # learn from the loss's logarithm: no photograph then counts more for being hard to paint
    initial: Tuple[str, str, float]  # Xavier's random type, factor type and magnitude
    begins: Dict[str, Callable]  # by parameter: what changes its initial values
    crop: int  # pixels of a side of what is learnt from at a time


GENERATORS = {
    "fast": Generator(
        lambda: [fast()],
        4,
        0,
        "Adam",
        {"learning_rate": 1e-3, "beta2": 0.99},
        2,
        0.02,
        0.0,
        True,
        ("gaussian", "in", 2.0),
        {"last_weight": _as_it_is},
        192,
    ),
    "boost": Generator(
        boost,
        8,
        72,
        "SGD",
        {"learning_rate": 1e-4, "momentum": 0.9, "wd": 5e-3, "clip_gradient": 5.0},
        1,
        1.0,
        0.05,
        False,
        ("uniform", "avg", 2.0),
        {},
        384,
    ),
}


def initial(generator: str, seed: int) -> Arrays:
    """{"arg:NAME": array} of all parts, as a training begins."""
    mx.random.seed(seed)
    row, arrays = GENERATORS[generator], {}
    kind, factor, magnitude = row.initial
    xavier = mx.init.Xavier(rnd_type=kind, factor_type=factor, magnitude=magnitude)
    for symbol in row.parts():
        for key, shape in shapes(symbol, 2 * (8 * row.multiple,)).items():
            if key.startswith("arg:"):
                array = mx.nd.ones(shape) if key.endswith("gamma") else mx.nd.zeros(shape)
                if key.endswith("weight"):
                    xavier(mx.init.InitDesc(key[4:]), array)
                arrays[key] = row.begins.get(key[4:], lambda values: values)(array.asnumpy())
    return arrays


def shapes(symbol: Symbol, size: Size) -> Dict[str, tuple]:
    """{"arg:NAME": shape, "aux:NAME": shape}: a part's parameters, and what its normalisations keep.

    size is (H, W) of the picture.
    """
    of_arguments, _, of_kept = symbol.infer_shape(**{input_of(symbol): (1, 3) + tuple(size)})
    known = {f"arg:{name}": shape for name, shape in zip(symbol.list_arguments(), of_arguments)}
    del known[f"arg:{input_of(symbol)}"]
    known.update({f"aux:{name}": shape for name, shape in zip(symbol.list_auxiliary_states(), of_kept)})
    return known


def of_kind(kind: str, arrays: Dict[str, Any]) -> Dict[str, Any]:
    """What arrays has for "arg" or for "aux", by name."""
    return {key[4:]: array for key, array in arrays.items() if key.startswith(kind)}


def input_of(symbol: Symbol) -> str:
    """The name of a part's input."""
    return next(name for name in symbol.list_arguments() if name.endswith("data"))
