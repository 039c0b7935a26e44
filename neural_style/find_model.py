"""Find the module of a model by name: in this package, or one's own in the working directory."""
import importlib
import importlib.util
import os
import sys

from . import find_mxnet
from .errors import UsageError

ALIASES = {"vgg": "vgg19"}      # the reference's --model listed this word as its only choice


def find_model(name):
    """The module model_NAME: it has get_symbol() and get_executor(), as model_vgg19 shows."""
    name = ALIASES.get(name, name)
    if importlib.util.find_spec(f"{__package__}.model_{name}"):
        return importlib.import_module(f"{__package__}.model_{name}")
    find_mxnet.load()
    # models written for the reference import its find_mxnet by its bare name
    sys.modules.setdefault("find_mxnet", find_mxnet)
    sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(f"model_{name}")
    except ModuleNotFoundError as error:
        if error.name != f"model_{name}":
            raise UsageError(f"--model {name}: model_{name}.py imports {error.name}, which is not installed") from error
        raise UsageError(f"--model {name} is unknown: take vgg19, or write a module model_{name}.py in this folder "
                         "with get_symbol() and get_executor() as model_vgg19 has them") from None
    finally:
        sys.path.remove(os.getcwd())
    missing = [function for function in ("get_symbol", "get_executor") if not hasattr(module, function)]
    if missing:
        raise UsageError(f"--model {name}: {module.__file__} has no {missing[0]}(); see model_vgg19 for its form")
    return module
