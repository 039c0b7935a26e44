"""VGG16: model_vgg19's interface on the network with three convolutions fewer."""

from .model_vgg19 import CONTENT_LAYERS, STYLE_LAYERS, ConvExecutor, functions_of  # noqa: F401 (the interface)

get_layers, get_symbol, get_params, get_executor, get_model = functions_of("vgg16")
