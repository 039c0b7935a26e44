"""VGG19 as MXNet symbols, with average pooling unless another is asked for.

A user's own model is a module `model_NAME` with `get_symbol()` and `get_executor(style, content, input_size,
ctx)` of the same form; `--model NAME` takes it. Anything beyond these two, as here, is optional and enables more flags.
"""

import functools
import importlib
import sys
from collections import namedtuple
from typing import Dict, Optional, Tuple

from neural_style.find_mxnet import mx
from neural_style.network.architecture import NETWORKS, array_shapes
from neural_style.system.types import Context, NDArray, PathLike, Size, Symbol
from neural_style.weights import pretrained

ConvExecutor = namedtuple("ConvExecutor", ["executor", "data", "data_grad", "style", "content", "arg_dict"])

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONTENT_LAYERS = ("relu4_2",)


def get_layers(pooling: str = "avg", network: str = "vgg19") -> Dict[str, Symbol]:
    """The network's layers by name (conv1_1, relu1_1, …, pool1, …), from the input variable `data` up."""
    layers, x = {}, mx.sym.Variable("data")
    for block, (filters, convolutions) in enumerate(NETWORKS[network], 1):
        if block > 1:
            x = layers[f"pool{block - 1}"] = mx.sym.Pooling(
                x, name=f"pool{block - 1}", pool_type=pooling, kernel=(2, 2), stride=(2, 2), pad=(0, 0)
            )
        for index in range(1, convolutions + 1):
            name = f"{block}_{index}"
            how = dict(num_filter=filters, kernel=(3, 3), stride=(1, 1), pad=(1, 1), no_bias=False, workspace=1024)
            x = layers["conv" + name] = mx.sym.Convolution(x, name="conv" + name, **how)
            x = layers["relu" + name] = mx.sym.Activation(x, name="relu" + name, act_type="relu")
    return layers


def get_symbol(pooling: str = "avg", network: str = "vgg19") -> Tuple[Symbol, Symbol]:
    """The outputs that carry style and content, as two symbol groups."""
    layers = get_layers(pooling, network)
    return tuple(mx.sym.Group([layers[name] for name in names]) for names in (STYLE_LAYERS, CONTENT_LAYERS))


def get_params(
    path: Optional[PathLike] = None, ctx: Optional[Context] = None, network: str = "vgg19"
) -> Dict[str, NDArray]:
    """The pretrained weights as NDArrays by name, from path or from where weights are kept.

    The original's file ends with the last layer that it needs; any further arrays are loaded, too.
    """
    path = pretrained.ensure(network, path)
    shapes = array_shapes(NETWORKS[network])
    needed = set(mx.sym.Group(list(get_symbol(network=network))).list_arguments())
    arrays = pretrained.load(path, {name: shape for name, shape in shapes.items() if name in needed})
    return {name: mx.nd.array(arrays[name], ctx=ctx, dtype="float32") for name in shapes if name in arrays}


def get_executor(
    style: Symbol,
    content: Symbol,
    input_size: Size,
    ctx: Context,
    params: Optional[Dict[str, NDArray]] = None,
    network: str = "vgg19",
) -> ConvExecutor:
    """Bind style and content for pictures of input_size (H, W); params are shared, not copied.

    Arguments that are neither the picture nor among the weights (the targets) start as zeros.
    """
    params = get_params(ctx=ctx, network=network) if params is None else params
    out = mx.sym.Group([style, content])
    names = out.list_arguments()
    missing = [name for name in names if name in array_shapes(NETWORKS[network]) and name not in params]
    if missing:
        raise pretrained.too_short(missing[0])
    shapes, _, _ = out.infer_shape(data=(1, 3) + tuple(input_size))
    zeros = {name: mx.nd.zeros(shape, ctx) for name, shape in zip(names, shapes) if name not in params}
    arguments = {name: zeros[name] if name in zeros else params[name] for name in names}
    gradient = mx.nd.zeros(arguments["data"].shape, ctx)
    executor = out.bind(ctx=ctx, args=arguments, args_grad={"data": gradient}, grad_req="write")
    *style, content = executor.outputs
    return ConvExecutor(executor, arguments["data"], gradient, style, content, arguments)


def get_model(input_size: Size, ctx: Context, network: str = "vgg19") -> ConvExecutor:
    """The bound network itself: its outputs are the style features and the content features."""
    return get_executor(*get_symbol(network=network), input_size, ctx, network=network)


def functions_of(network: str) -> list:
    """get_layers, get_symbol, get_params, get_executor and get_model of another network."""
    functions = (get_layers, get_symbol, get_params, get_executor, get_model)
    return [functools.partial(function, network=network) for function in functions]


if not __package__:  # `import model_vgg19` inside this folder
    sys.modules[__name__] = importlib.import_module("neural_style.model_vgg19")
