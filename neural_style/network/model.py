"""A model at work: a network with its weights on a device, layer by layer."""

import contextlib
import io
import math
import re
from typing import Any, Dict, Iterable, List, Optional, Tuple

from .. import find_mxnet
from ..system.errors import UsageError
from ..system.types import Context, NDArray, PathLike, Size, Symbol
from ..weights import pretrained
from . import normalise
from .find_model import find_model, first_with_weights, full_name, is_own, layers_of, takes


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
        if options and not takes(module.get_symbol, "pooling"):
            raise UsageError(f"--pooling {pooling}: the model {name} has its own pooling")
        style, content = module.get_symbol(**options)
        self.device, self.pooling, self._get_executor, self._params = device, pooling, module.get_executor, {}
        has_weights = hasattr(module, "get_params") and takes(module.get_executor, "params")
        # somebody may have put functions of the reference's form in the place of ours
        replaced = is_own(name) and not (has_weights and takes(module.get_symbol, "pooling"))
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
