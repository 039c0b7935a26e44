"""The engines that evaluate an Objective's terms, as a table: where each is, what it can do, and the memory that takes.

    engine(image) → (losses, gradient)

gives the terms' sums of squares, and the gradient of the sum weighted by its scales. Images and gradients are of the
kind that engine.arrays handles (see arrays.py); engine.patches are the Patches of terms that compare some;
engine.compare_with(content) replaces the content. The engine's class is called with a model, terms, scales and
pictures; its why_not(model, terms, in_strips) says why it cannot evaluate such terms, or "".
"""

import importlib
import platform
from argparse import Namespace
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from .. import find_mxnet
from ..pytorch import device as torch_device
from ..system import machine
from ..system.errors import UsageError
from .terms import Term

BF16 = {"avx512_bf16", "amx_bf16"}  # the instruction sets that can multiply bfloat16


class Memory(NamedTuple):
    """The memory that an evaluation takes on the CPU, as factors of bytes; run/plan.py adds it up."""

    weights: float  # as read and as bound, and oneDNN's copies of them in its own layouts
    layers: float  # all that the layers make, forward and backward
    content: float  # of the layers with content terms besides: targets, differences and gradients
    regions: float  # of the layers whose Gram matrices are of a region, for each region
    libraries: float = 0.0  # bytes: what only this evaluation loads


TORCH = Memory(2.5, 0.84, 2.0, 1.0, 350e6)


class Precision(NamedTuple):
    """One precision of an engine."""

    memory: Memory
    options: Dict[str, Any] = {}  # what the engine's class is given for it
    lacking: Callable[[], str] = lambda: ""  # why this machine cannot, in words
    slow: Callable[[], str] = lambda: ""  # why another is faster on this machine, in words


class Engine(NamedTuple):
    """A row of the table."""

    name: str
    path: Tuple[str, str]  # the module in this package, and the class, which is loaded when it is used
    precisions: Dict[str, Precision]
    takes: Tuple[str, ...] = ()  # arguments of the run that the class is given; with "tile", it can work in strips
    where: Callable[[Any, int], str] = find_mxnet.in_words  # of the model's device and --gpu
    gpu_memory: Callable[[Any, int], Optional[float]] = find_mxnet.gpu_memory  # free bytes; None on the CPU
    for_gpus: bool = False  # without being asked for, only on a GPU that MXNet cannot use

    def comes_first(self, device: Any, gpu: int) -> bool:
        """Whether a run takes this engine without being asked to."""
        return not self.for_gpus or device.device_type == "cpu" and self.gpu_memory(device, gpu) is not None

    def load(self) -> Any:
        """The engine's class."""
        return getattr(importlib.import_module(f"{__package__.partition('.')[0]}.{self.path[0]}"), self.path[1])

    def why_not(self, model: Any, terms: List[Term], precision: str, in_strips: bool) -> str:
        """Why the engine cannot evaluate the terms like that, in words; "" if it can."""
        if precision not in self.precisions:
            return f"--engine {self.name} has only {' and '.join(self.precisions)}"
        if in_strips and "tile" not in self.takes:
            return f"--engine {self.name} evaluates the picture as a whole"
        return self.precisions[precision].lacking() or self.load().why_not(model, terms, in_strips)


def _without_bfloat16():
    able = BF16 & set(machine.instructions())
    name = machine.processor() or platform.machine()
    return "" if able else f"this processor ({name}) has no bfloat16 instructions (AVX512_BF16 or AMX_BF16)"


def _slow_bfloat16():
    return "" if machine.bfloat16_pays() else "without AMX, this processor multiplies bfloat16 slowly"


ENGINES = (  # in the order in which they are tried, but those for GPUs first; with the more exact precisions first
    Engine("graph", ("objective.graph", "Graph"), {"float32": Precision(Memory(2.7, 1.15, 4.7, 4.0))}),
    Engine(
        "layers",
        ("layers.engine", "Layers"),
        {
            "float32": Precision(Memory(3.2, 0.48, 4.0, 1.0)),
            # the filters at all points of a tile are four times the weights; Numba, and the blocks that it works on
            "fast32": Precision(Memory(7.65, 0.52, 4.0, 1.0, 110e6), {"winograd": True}),
            # what oneDNN's kernels for bfloat16 work in
            "bf16": Precision(
                Memory(3.6, 0.32, 4.0, 1.0, 200e6), {"dtype": "bfloat16"}, _without_bfloat16, _slow_bfloat16
            ),
        },
        takes=("tile",),
    ),
    Engine(
        "torch",
        ("pytorch.engine", "PyTorch"),
        {
            "float32": Precision(TORCH, lacking=torch_device.lacking),
            "fast32": Precision(TORCH, {"tf32": True}, torch_device.lacking),
            "bf16": Precision(TORCH, {"bf16": True}, torch_device.lacking),
        },
        takes=("gpu",),
        where=torch_device.where,
        gpu_memory=torch_device.free_memory,
        for_gpus=True,
    ),
)
PRECISIONS = tuple(dict.fromkeys(name for engine in ENGINES for name in engine.precisions))


class Choice(NamedTuple):
    """An engine, and one of its precisions."""

    engine: Engine
    precision: str

    @property
    def memory(self) -> Memory:
        return self.engine.precisions[self.precision].memory

    def make(self, args: Namespace, *examples: Any) -> Any:
        """The engine for a model, terms, scales and pictures."""
        taken = {name: getattr(args, name) for name in self.engine.takes}
        return self.engine.load()(*examples, **self.engine.precisions[self.precision].options, **taken)


def choose(args: Namespace, model: Any, terms: List[Term], tile: Optional[int] = None) -> Choice:
    """The Choice that args mean for the terms, in strips of tile rows where that is given; UsageError if there is none.

    It is the first engine that can do what is asked; --precision auto is the fastest that one can.
    """
    for precision in reversed(PRECISIONS) if args.precision == "auto" else (args.precision,):
        for engine in sorted(ENGINES, key=lambda engine: not engine.for_gpus):
            if args.engine == engine.name or args.engine == "auto" and engine.comes_first(model.device, args.gpu):
                why = engine.why_not(model, terms, precision, bool(tile))
                if args.precision == "auto":
                    why = why or engine.precisions[precision].slow()
                if not why:
                    return Choice(engine, precision)
    asked = {"--engine": (args.engine, "auto"), "--precision": (args.precision, "float32"), "--tile": (tile, None)}
    flags = [f"{flag} {value}" for flag, (value, default) in asked.items() if value != default]
    raise UsageError(f"{' '.join(flags)}: {why}; leave {'one of them' if flags[1:] else 'it'} out")


def fastest() -> Tuple[str, str]:
    """The fastest precision on this machine's processor, and why there is none that is faster, or ""."""
    here = [engine for engine in ENGINES if not engine.for_gpus]
    rows = [(name, engine.precisions.get(name)) for name in reversed(PRECISIONS) for engine in here]
    why = [(name, row.lacking() or row.slow()) for name, row in rows if row]
    return next(name for name, reason in why if not reason), why[0][1]
