"""The table of optimisers: MXNet's class, the flags and defaults, and the memory of each."""

from argparse import Namespace
from typing import Dict, NamedTuple, Optional


class Optimizer(NamedTuple):
    """An optimiser of the image."""

    mxnet: Optional[str]  # its class in mx.optimizer; None if the loop is our own
    defaults: Dict[str, float]  # of the flags that it takes beside the learning rate, by attribute
    bytes_per_value: int  # of the image: the image before and after, moments, differences
    renamed: Dict[str, str] = {"weight_decay": "wd"}  # flags that MXNet calls otherwise


OPTIMIZERS = {
    "nag": Optimizer("NAG", {"momentum": 0.95, "weight_decay": 0.0001}, 5 * 4),
    "sgd": Optimizer("SGD", {"momentum": 0.9, "weight_decay": 0.0005}, 5 * 4),
    "adam": Optimizer("Adam", {"beta2": 0.999, "weight_decay": 0.0}, 6 * 4),
    "lbfgs": Optimizer(None, {}, 30 * 8),  # SciPy keeps ten pairs of steps and gradients in float64, and some more
}
OWN_FLAGS = sorted({name for optimizer in OPTIMIZERS.values() for name in optimizer.defaults})
FIRST_ORDER_FLAGS = ("lr", "lr_sched_delay", "lr_sched_factor", "clip_gradient", "keep_best", "clamp", "pyramid_memory")


def setting(args: Namespace, name: str) -> float:
    """The value of a flag in OWN_FLAGS: the one in args, or the default of their optimiser."""
    value = getattr(args, name)
    return OPTIMIZERS[args.optimizer].defaults[name] if value is None else value


def defaults_in_words(name: str) -> str:
    """Which optimisers take a flag, and its default with each: "nag 0.95, sgd 0.9"."""
    return ", ".join(
        f"{optimizer} {row.defaults[name]:g}" for optimizer, row in OPTIMIZERS.items() if name in row.defaults
    )


def without_effect(args: Namespace) -> Dict[str, str]:
    """{attribute: why} of the flags that have no effect with the optimiser in args."""
    chosen, why = OPTIMIZERS[args.optimizer], f"with --optimizer {args.optimizer}"
    names = [name for name in OWN_FLAGS if name not in chosen.defaults]
    if chosen.mxnet is None:
        names, why = [*FIRST_ORDER_FLAGS, *names], why + ", which finds its own steps"
    return dict.fromkeys(names, why)
