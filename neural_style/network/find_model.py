"""Models by name: this package's own, or a module model_NAME in the working directory."""

import importlib
import importlib.util
import inspect
import logging
import os
import sys
from argparse import Namespace
from types import ModuleType
from typing import Any, Dict, List, Optional, Tuple

from .. import find_mxnet
from ..system.errors import UsageError
from ..system.types import Symbol
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


def takes(function: Any, name: str) -> bool:
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
