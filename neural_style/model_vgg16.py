"""VGG16: model_vgg19's interface on the network with three convolutions fewer."""

import functools

from . import model_vgg19
from .model_vgg19 import CONTENT_LAYERS, STYLE_LAYERS, ConvExecutor  # noqa: F401 (the interface)

get_layers, get_symbol, get_params, get_executor, get_model = (
    functools.partial(function, network="vgg16")
    for function in (
        model_vgg19.get_layers,
        model_vgg19.get_symbol,
        model_vgg19.get_params,
        model_vgg19.get_executor,
        model_vgg19.get_model,
    )
)
