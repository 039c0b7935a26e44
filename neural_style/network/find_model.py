"""Models by name: this package's own, or a module model_NAME in the working directory."""

import contextlib
import importlib
import importlib.util
import inspect
import io
import logging
import math
import os
import re
import sys
from argparse import Namespace
from types import ModuleType
from typing import Any, Dict, Iterable, List, Optional, Tuple

from .. import find_mxnet
from ..system.errors import UsageError
from ..system.types import Context, NDArray, PathLike, Size, Symbol
from ..weights import pretrained
from . import normalise
from .architecture import NETWORKS

log = logging.getLogger("neural_style")

PACKAGE = __package__.rpartition(".")[0]
ALIASES = {"vgg": "vgg19"}  # the reference's --model listed this word as its only choice


def full_name(name: str) -> str:
    """A model's name without abbreviations."""
    return ALIASES.get(name, name)


def is_own(name: str) -> bool:
    """Whether the model is one of this package."""
    return full_name(name) in NETWORKS


def find_model(name: str) -> ModuleType:
    """The module model_NAME: it has get_symbol() and get_executor(), as model_vgg19 shows."""
    folder, file = os.getcwd(), f"model_{full_name(name)}.py"
    if is_own(name):
        module = importlib.import_module(f"{PACKAGE}.model_{full_name(name)}")
        if os.path.isfile(file) and not os.path.samefile(file, str(module.__file__)):
            log.warning("--model %s is this package's own, not ./%s; to use yours, rename it", name, file)
        return module
    # models written for the reference import its modules by their bare names
    for bare in ("find_mxnet", *(f"model_{own}" for own in NETWORKS)):
        if not os.path.isfile(f"{bare}.py"):
            sys.modules.setdefault(bare, importlib.import_module(f"{PACKAGE}.{bare}"))
    sys.path.insert(0, folder)
    try:
        module = importlib.import_module(f"model_{name}")
    except ModuleNotFoundError as error:
        if error.name != f"model_{name}":
            raise UsageError(f"--model {name}: model_{name}.py imports {error.name}, which is not installed") from error
        raise UsageError(
            f"--model {name} is unknown: use vgg19, vgg16 or vgg16_bn, or write a module model_{name}.py in this "
            "folder with get_symbol() and get_executor() as model_vgg19 has them"
        ) from None
    finally:
        sys.path.remove(folder)
    missing = [function for function in ("get_symbol", "get_executor") if not hasattr(module, function)]
    if missing:
        raise UsageError(f"--model {name}: {module.__file__} has no {missing[0]}(); see model_vgg19 for its form")
    return module


def first_with_weights(names: List[str]) -> str:
    """The first of the models whose weights are found, or else the last."""
    for name in names[:-1]:
        if pretrained.find(name) is not None:
            return name
        log.info("found no weights for %s: using %s", name, names[-1])
    return names[-1]


def layers_of(module: Any, groups: Optional[Tuple[Symbol, Symbol]] = None, **options: Any) -> Dict[str, Symbol]:
    """A model's layers by name, from the picture up: the ones it lists, or every output inside its groups."""
    if hasattr(module, "get_layers"):
        return module.get_layers(**options)
    inner = find_mxnet.mx.sym.Group(list(groups or module.get_symbol())).get_internals()
    return {name[: -len("_output")]: inner[name] for name in inner.list_outputs() if name.endswith("_output")}


def _takes(function, name):
    return name in inspect.signature(function).parameters


def weights_of(args: Namespace) -> Tuple[str, Optional[str]]:
    """The model that args mean, and its weights file, fetched if need be; a model of the user's own may need none."""
    names = args.model.split(",")
    name = first_with_weights(names) if len(names) > 1 and not args.model_params else args.model
    if not is_own(name):
        return name, args.model_params and os.path.abspath(args.model_params)
    path = pretrained.ensure(full_name(name), args.model_params)
    if args.normalised:
        normalise.ensure(full_name(name), path)
    return name, os.path.abspath(path)


class Model:
    """A network with its weights on one device: layers by name, and executors for any of them.

    name may be several, `vgg16,vgg19`: the first whose weights are found is used. style_layers and content_layers
    are the model's own choice; layers are symbols by name, from the picture up; parameters are NDArrays by name, none
    where the model brings its own.
    """

    def __init__(
        self,
        name: str,
        device: Context,
        params_path: Optional[PathLike] = None,
        pooling: str = "avg",
        normalised: bool = False,
    ) -> None:
        names = name.split(",")
        if params_path and len(names) > 1:
            raise UsageError(f"--model-params {params_path}: is it for {' or '.join(names)}? add --model")
        name = first_with_weights(names)
        module = find_model(name)
        options = {} if pooling == "avg" else {"pooling": pooling}
        if options and not _takes(module.get_symbol, "pooling"):
            raise UsageError(f"--pooling {pooling}: the model {name} has its own pooling")
        style, content = module.get_symbol(**options)
        self.device, self.pooling, self._get_executor, self._params = device, pooling, module.get_executor, {}
        has_weights = hasattr(module, "get_params") and _takes(module.get_executor, "params")
        # somebody may have put functions of the reference's form in the place of ours
        replaced = is_own(name) and not (has_weights and _takes(module.get_symbol, "pooling"))
        self.is_own = is_own(name) and not replaced
        self.layers = dict(layers_of(None if replaced else module, (style, content), **options))
        self.style_layers, self.content_layers = self._add(style), self._add(content)
        if has_weights:
            if normalised:
                params_path = normalise.ensure(full_name(name), params_path)
            self._params["params"] = module.get_params(params_path, device)
        elif params_path or normalised:
            raise UsageError(
                f"{'--model-params' if params_path else '--normalised'}: the model {name} brings its own weights"
            )

    def _add(self, group):
        """Add a group's outputs to the layers, each under a name of its own; returns the names.

        Where the model lists a layer of that name, this stands for it: a graph of two networks, one for the groups and
        one for the list, has two pictures, and only one of them would get its gradient.
        """
        names = []
        for output in group:
            name = output.list_outputs()[0]
            name = name[: -len("_output")] if name.endswith("_output") else name
            while name in names:
                name += "_again"
            self.layers.setdefault(name, output)
            names.append(name)
        return names

    @property
    def parameters(self) -> Dict[str, NDArray]:
        return self._params.get("params", {})

    def parameter(self, name: str) -> NDArray:
        """A layer's weight or bias, conv1_1_weight."""
        if name not in self.parameters:
            raise pretrained.too_short(name)
        return self.parameters[name]

    @property
    def weight_bytes(self) -> int:
        return sum(4 * array.size for array in self.parameters.values())

    def resolve(self, name: str) -> str:
        """The full name of a layer: relu3_last stands for the last of its block, relu3_4 in VGG19."""
        stem = re.fullmatch(r"(\w+?\d+_)last", name)
        matches = [layer for layer in self.layers if re.fullmatch(re.escape(stem[1]) + r"\d+", layer)] if stem else []
        name = matches[-1] if matches else name
        if name not in self.layers:
            raise UsageError(f"there is no layer {name}; --list-layers prints those there are")
        return name

    def keep(self, names: Iterable[str]) -> None:
        """Release the weights that the named layers do not need; a user's own model keeps all."""
        if self.is_own:
            needed = self.outputs(names).list_arguments()
            self._params["params"] = {name: array for name, array in self.parameters.items() if name in needed}

    def outputs(self, names: Iterable[str]) -> Symbol:
        """The symbols of the named layers, as one group."""
        return find_mxnet.mx.sym.Group([self.layers[name] for name in names])

    def shapes(self, names: List[str], size: Size) -> Dict[str, Tuple[int, int, int]]:
        """{layer: (channels, height, width)} for pictures of size (H, W)."""
        _, shapes, _ = self.outputs(names).infer_shape(data=(1, 3) + tuple(size))
        return {name: shape[1:] for name, shape in zip(names, shapes)}

    def layer_bytes(self, names: List[str], size: Size) -> Tuple[int, int]:
        """The bytes of the named layers, and of all layers up to them, for a picture of size (H, W)."""
        if not names:
            return 0, 0
        inner = self.outputs(names).get_internals()
        _, shapes, _ = inner.infer_shape(data=(1, 3) + tuple(size))
        arguments = set(inner.list_arguments())
        every = sum(4 * math.prod(shape) for name, shape in zip(inner.list_outputs(), shapes) if name not in arguments)
        return sum(4 * math.prod(shape) for shape in self.shapes(names, size).values()), every

    def fits(self, names: List[str], size: Size) -> bool:
        """Whether a picture of size (H, W) still has positions at the named layers, after the pools."""
        if not names:
            return True
        try:
            with contextlib.redirect_stdout(io.StringIO()):  # MXNet prints its complaint as well as raising it
                return all(min(shape) > 0 for shape in self.shapes(names, size).values())
        except find_mxnet.mx.base.MXNetError:
            return False

    def demand_size(self, names: List[str], size: Size, what: str) -> None:
        """Raise UsageError if a picture of size (H, W) is too small for the named layers."""
        if not self.fits(names, size):
            edge = next(edge for edge in range(1, 1025) if self.fits(names, (edge, edge)))
            raise UsageError(
                f"a {what} picture of {size[1]}x{size[0]} is too small for this network: each side needs "
                f"{edge} pixels; raise --max-long-edge or crop the picture"
            )

    def bind(self, outputs: List[Symbol], size: Size) -> Any:
        """A ConvExecutor for symbols as outputs, in their order, for pictures of size (H, W).

        The interface wants two at least; a single one comes a second time, cut off from the gradient.
        """
        *style, content = outputs
        if not style:
            style, content = [content], find_mxnet.mx.sym.BlockGrad(content)
        return self._get_executor(find_mxnet.mx.sym.Group(style), content, tuple(size), self.device, **self._params)
