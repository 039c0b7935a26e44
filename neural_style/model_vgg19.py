"""VGG19 with average pooling, up to the last layer that the style needs, as MXNet symbols.

A model of one's own is a module `model_NAME` with `get_symbol()` and `get_executor(style, content, input_size,
ctx)` of the same form; `--model NAME` takes it.
"""
from collections import namedtuple

from . import weights
from .find_mxnet import mx

ConvExecutor = namedtuple("ConvExecutor", ["executor", "data", "data_grad", "style", "content", "arg_dict"])

# Between two pools: how many 3×3 convolutions, and with how many filters.
BLOCKS = ((2, 64), (2, 128), (4, 256), (4, 512), (1, 512))
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONTENT_LAYERS = ("relu4_2",)


def get_layers():
    """The network's layers by name (conv1_1, relu1_1, …, pool1, …), from the input variable `data` up."""
    layers, x = {}, mx.sym.Variable("data")
    for block, (convolutions, filters) in enumerate(BLOCKS, 1):
        if block > 1:
            x = layers[f"pool{block - 1}"] = mx.sym.Pooling(
                x, name=f"pool{block - 1}", pool_type="avg", kernel=(2, 2), stride=(2, 2), pad=(0, 0))
        for index in range(1, convolutions + 1):
            name = f"{block}_{index}"
            x = layers["conv" + name] = mx.sym.Convolution(
                x, name="conv" + name, num_filter=filters, kernel=(3, 3), stride=(1, 1), pad=(1, 1),
                no_bias=False, workspace=1024)
            x = layers["relu" + name] = mx.sym.Activation(x, name="relu" + name, act_type="relu")
    return layers


def get_symbol():
    """The outputs that carry style and content, as two symbol groups."""
    layers = get_layers()
    return tuple(mx.sym.Group([layers[name] for name in names]) for names in (STYLE_LAYERS, CONTENT_LAYERS))


def get_params(path=None, ctx=None):
    """The pretrained weights as NDArrays by name, from path or from where weights are kept."""
    path = weights.ensure("vgg19", path)
    network = mx.sym.Group(list(get_symbol()))
    shapes, _, _ = network.infer_shape(data=(1, 3, 16, 16))
    needed = {name: shape for name, shape in zip(network.list_arguments(), shapes) if name != "data"}
    arrays = weights.load(path, needed)
    return {name: mx.nd.array(arrays[name], ctx=ctx, dtype="float32") for name in needed}


def get_executor(style, content, input_size, ctx, params=None):
    """Bind style and content for pictures of input_size (H, W); params are shared, not copied.

    Arguments that are neither the picture nor among the weights (the targets) start as zeros.
    """
    params = get_params(ctx=ctx) if params is None else params
    out = mx.sym.Group([style, content])
    names = out.list_arguments()
    shapes, _, _ = out.infer_shape(data=(1, 3) + tuple(input_size))
    arguments = {name: params[name] if name in params else mx.nd.zeros(shape, ctx)
                 for name, shape in zip(names, shapes)}
    gradient = mx.nd.zeros(arguments["data"].shape, ctx)
    executor = out.bind(ctx=ctx, args=arguments, args_grad={"data": gradient}, grad_req="write")
    return ConvExecutor(executor=executor, data=arguments["data"], data_grad=gradient,
                        style=executor.outputs[:-1], content=executor.outputs[-1], arg_dict=arguments)


def get_model(input_size, ctx):
    """The bound network itself: its outputs are the style features and the content features."""
    style, content = get_symbol()
    return get_executor(style, content, input_size, ctx)
