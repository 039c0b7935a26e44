"""Models by name: this package's own, or a module model_NAME in the working directory."""
import importlib
import importlib.util
import inspect
import logging
import os
import re
import sys
from collections import namedtuple

from . import convolutions, find_mxnet, weights
from .errors import UsageError

log = logging.getLogger("neural_style")

# A layer of a chain: kind is conv, relu or pool; a relu that stands apart leaves the convolution's output as it is.
Step = namedtuple("Step", ["kind", "name", "apart"])

ALIASES = {"vgg": "vgg19"}      # the reference's --model listed this word as its only choice


def find_model(name):
    """The module model_NAME: it has get_symbol() and get_executor(), as model_vgg19 shows."""
    name = ALIASES.get(name, name)
    if importlib.util.find_spec(f"{__package__}.model_{name}"):
        return importlib.import_module(f"{__package__}.model_{name}")
    find_mxnet.load()
    # models written for the reference import its find_mxnet by its bare name
    sys.modules.setdefault("find_mxnet", find_mxnet)
    folder = os.getcwd()
    sys.path.insert(0, folder)
    try:
        module = importlib.import_module(f"model_{name}")
    except ModuleNotFoundError as error:
        if error.name != f"model_{name}":
            raise UsageError(f"--model {name}: model_{name}.py imports {error.name}, which is not installed") from error
        raise UsageError(f"--model {name} is unknown: take vgg19 or vgg16, or write a module model_{name}.py in this "
                         "folder with get_symbol() and get_executor() as model_vgg19 has them") from None
    finally:
        sys.path.remove(folder)
    missing = [function for function in ("get_symbol", "get_executor") if not hasattr(module, function)]
    if missing:
        raise UsageError(f"--model {name}: {module.__file__} has no {missing[0]}(); see model_vgg19 for its form")
    return module


def _takes(function, name):
    return name in inspect.signature(function).parameters


class Model:
    """A network with its weights on one device: layers by name, and executors for any of them.

    name may be several, `vgg16,vgg19`: the first is taken whose weights are here. style_layers and content_layers
    are the model's own choice.
    """

    def __init__(self, name, device, params_path=None, pooling="avg", normalised=False):
        names = name.split(",")
        if params_path and len(names) > 1:
            raise UsageError(f"--model-params {params_path}: of which of {' and '.join(names)}? say --model")
        name = first_with_weights(names)
        module = find_model(name)
        options = {} if pooling == "avg" else {"pooling": pooling}
        if options and not _takes(module.get_symbol, "pooling"):
            raise UsageError(f"--pooling {pooling}: the model {name} has its own pooling")
        groups = module.get_symbol(**options)
        self.style_layers, self.content_layers = (
            [output[:-len("_output")] for output in group.list_outputs()] for group in groups)
        self._layers = module.get_layers(**options) if hasattr(module, "get_layers") else _inner_layers(groups)
        self.device, self._get_executor, self._options = device, module.get_executor, {}
        if hasattr(module, "get_params") and _takes(module.get_executor, "params"):
            if normalised:
                from . import normalise
                params_path = normalise.ensure(ALIASES.get(name, name), params_path)
            self._options["params"] = module.get_params(params_path, device)
        elif params_path or normalised:
            raise UsageError(f"{'--model-params' if params_path else '--normalised'}: the model {name} brings its "
                             "own weights")
        self.parameters = self._options.get("params", {})
        self._convolutions = {}
        self._is_own = module.__package__ == __package__
        self._is_chain = self._is_own and pooling == "avg"

    def resolve(self, name):
        """The full name of a layer: relu3_last stands for the last of its block, relu3_4 in VGG19."""
        stem = re.fullmatch(r"(\w+?\d+_)last", name)
        matches = [layer for layer in self._layers if re.fullmatch(re.escape(stem[1]) + r"\d+", layer)] if stem else []
        name = matches[-1] if matches else name
        if name not in self._layers:
            raise UsageError(f"there is no layer {name}; --list-layers prints those there are")
        return name

    def convolution(self, layer, precision):
        """What computes a layer's convolution and its way down; made once, for it keeps the weights in its own layouts."""
        if (layer, precision) not in self._convolutions:
            weight, bias = (self.parameters[f"{layer}_{part}"] for part in ("weight", "bias"))
            self._convolutions[layer, precision] = convolutions.convolution(weight, bias, precision)
        return self._convolutions[layer, precision]

    def chain(self, names):
        """The Steps up to the named layers where the model is a chain of layers that can be gone one by one."""
        if not self._is_chain or self.device.device_type != "cpu":
            return None
        order = list(self._layers)
        order = order[:max(map(order.index, names)) + 1]
        if any(name.startswith("pool") for name in names):
            return None
        missing = [name for name in order if name.startswith("conv") and f"{name}_weight" not in self.parameters]
        if missing:
            raise weights.too_short(f"{missing[0]}_weight")
        return [Step(re.match("[a-z]+", name)[0], name, name.startswith("relu") and "conv" + name[4:] in names)
                for name in order]

    @property
    def weight_bytes(self):
        return sum(4 * array.size for array in self.parameters.values())

    def keep(self, names):
        """Let go the weights that the named layers do not need; a model of one's own keeps all."""
        if self._is_own:
            needed = self.outputs(names).list_arguments()
            kept = {name: array for name, array in self.parameters.items() if name in needed}
            self.parameters = self._options["params"] = kept

    def outputs(self, names):
        """The symbols of the named layers, as one group."""
        return find_mxnet.mx.sym.Group([self._layers[name] for name in names])

    def bind(self, outputs, size):
        """A ConvExecutor for a group of outputs at size (H, W), in their order.

        The interface wants two outputs at least; a single one comes a second time, cut off from the gradient.
        """
        *style, content = list(outputs)
        if not style:
            style, content = [content], find_mxnet.mx.sym.BlockGrad(content)
        return self._get_executor(find_mxnet.mx.sym.Group(style), content, tuple(size), self.device, **self._options)


def first_with_weights(names):
    """The first of the models whose weights are here, or else the last."""
    for name in names[:-1]:
        if weights.find(name) is not None:
            return name
        log.info("no weights for %s here: taking %s", name, names[-1])
    return names[-1]


def layers_of(module):
    """The names of a model's layers, from the picture up."""
    return list(module.get_layers() if hasattr(module, "get_layers") else _inner_layers(module.get_symbol()))


def _inner_layers(groups):
    """Every layer inside the groups that a model of one's own gives, by name."""
    inner = find_mxnet.mx.sym.Group(list(groups)).get_internals()
    return {name[:-len("_output")]: inner[name] for name in inner.list_outputs() if name.endswith("_output")}
