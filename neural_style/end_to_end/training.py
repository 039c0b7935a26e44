"""Train a generator: it paints photograph after photograph, the objective says how well, the gradient teaches it."""

import itertools
import math
import time
from argparse import Namespace
from typing import Any, Callable, Dict, List, NamedTuple, Optional

import numpy as np

from ..find_mxnet import mx
from ..objective.examples import Pictures, Style
from ..objective.objective import Objective
from ..options.flags import listed, style_pictures
from ..pictures import images
from ..run import setup
from ..system.errors import NeuralStyleError
from ..system.types import Arrays, Context, NDArray, Size, Symbol
from . import generators
from .generators import GENERATORS, Generator
from .network import Network
from .photographs import Photographs

SATURATED = "the network paints the same whatever the photograph, and can learn no more; lower --lr"


class TrainingState(NamedTuple):
    """The state of a training; everything else follows from its arguments and the step."""

    step: int
    seconds: float
    arrays: Dict[str, np.ndarray]  # as a Network has them
    memory: Dict[str, List[np.ndarray]]  # the optimiser's own, by parameter


class TrainingStep(NamedTuple):
    """One step: learning from one crop."""

    step: int  # from 1
    losses: Dict[str, float]  # of the last part's picture: weighted, for a picture of the size that is trained for
    seconds: float  # since the start


class Part:
    """One network of a generator at work on crops of one size: its parameters, and the optimiser's memory of them."""

    def __init__(self, symbol: Symbol, generator: Generator, size: Size, device: Context) -> None:
        shapes = generators.shapes(symbol, size)
        self.arrays = {key: mx.nd.zeros(shape, device) + key.endswith("var") for key, shape in shapes.items()}
        self.parameters = generators.of_kind("arg", self.arrays)
        self._gradients = {name: mx.nd.zeros(array.shape, device) for name, array in self.parameters.items()}
        self._data = mx.nd.zeros((1, 3) + tuple(size), device)
        arguments = {**self.parameters, generators.input_of(symbol): self._data}
        kept = generators.of_kind("aux", self.arrays)
        self._bound = symbol.bind(device, arguments, args_grad=self._gradients, aux_states=kept)
        names = dict(enumerate(self.parameters))  # by which MXNet lets only weights and gammas decay
        self._optimizer = getattr(mx.optimizer, generator.optimizer)(param_idx2name=names, **generator.rates)
        self.memory = {
            name: self._optimizer.create_state(i, array) for i, (name, array) in enumerate(self.parameters.items())
        }

    def take(self, arrays: Arrays) -> None:
        """Take the values of those of its arrays that are given."""
        for key in self.arrays.keys() & arrays.keys():
            self.arrays[key][:] = arrays[key]

    def paint(self, picture: NDArray) -> NDArray:
        """Paint a picture, an NDArray, recording what the backward pass needs."""
        picture.copyto(self._data)
        return self._bound.forward(is_train=True)[0]

    def learn(self, gradient: NDArray, rate: float) -> None:
        """Take a step against the gradient of the picture that was painted last."""
        self._bound.backward([gradient])
        if not any(array.asnumpy().any() for array in self._gradients.values()):
            raise NeuralStyleError(SATURATED)
        self._optimizer.lr = rate
        for i, (name, array) in enumerate(self.parameters.items()):
            self._optimizer.update(i, array, self._gradients[name], self.memory[name])

    def resume(self, state: TrainingState) -> None:
        """Take the arrays of a TrainingState."""
        self.take(state.arrays)
        for name, memory in self.memory.items():
            for array, value in zip(_arrays(memory), state.memory.get(name, ())):
                array[:] = value
        for i in range(len(self.parameters)):  # Adam corrects its moments by the number of steps
            self._optimizer._index_update_count[i] = state.step


def _arrays(memory):
    """The arrays that an optimiser remembers of one parameter, as a list."""
    return [array for array in (memory if isinstance(memory, (tuple, list)) else [memory]) if array is not None]


def objective_for(args: Namespace, crop: int, device: Context) -> Objective:
    """The Objective for crops: of the styles at the size to be painted, and of a content that changes at every step."""
    args = Namespace(**{**vars(args), "optimizer": "adam", "clip_gradient": 0.0, "tile": None})
    paths = style_pictures(args)
    shares, scales = (listed(value) or [1.0] * len(paths) for value in (args.style_blend_weights, args.style_scales))
    styles = []
    for path, share, scale in zip(paths, shares, scales):
        picture = images.read_picture(path)
        size = images.content_size(picture.pixels, max(1, round(args.max_long_edge * scale)))
        styles.append(Style(images.to_network(picture.pixels, size), share / sum(shares)))
    content = np.zeros((1, 3, crop, crop), "float32")
    pictures = Pictures(content, styles)
    model, terms = setup.model_and_terms(args, device, pictures)
    return setup.make_objective(args, model, terms, pictures)


def start(settings: Any, args: Namespace, network: Optional[Network], device: Context) -> List[Part]:
    """The Parts of a new training, or of one that starts from a Network."""
    generator = GENERATORS[settings.generator]
    parts = [Part(symbol, generator, (settings.crop, settings.crop), device) for symbol in generator.parts()]
    begin = network.arrays if network else generators.initial(settings.generator, args.seed or 0)
    for part in parts:
        part.take(begin)
    return parts


def state_of(parts: List[Part], step: int, seconds: float) -> TrainingState:
    """The TrainingState of Parts; NeuralStyleError if it is not finite."""
    arrays, memory = {}, {}
    for part in parts:
        arrays.update({key: array.asnumpy() for key, array in part.arrays.items()})
        memory.update({name: [array.asnumpy() for array in _arrays(kept)] for name, kept in part.memory.items()})
    if not all(np.isfinite(array).all() for array in itertools.chain(arrays.values(), *memory.values())):
        raise NeuralStyleError(f"the network is no longer finite after step {step}; lower --lr")
    return TrainingState(step, seconds, arrays, memory)


def train(
    parts: List[Part],
    objective: Objective,
    photographs: Photographs,
    settings: Any,
    args: Namespace,
    on_step: Callable,
    since: Optional[TrainingState] = None,
) -> None:
    """Learn from settings.steps crops; calls on_step with every TrainingStep."""
    generator, first = GENERATORS[settings.generator], since.step if since else 0
    begin = time.monotonic() - (since.seconds if since else 0)
    if since:
        for part in parts:
            part.resume(since)
    to_size = _pixels(args.max_long_edge) / settings.crop**2
    for step in range(first, settings.steps):
        rng = np.random.default_rng([args.seed or 0, step])  # so that a resumed training sees the same
        content = photographs.sample(rng)
        objective.compare_with(content)
        picture, evaluations = mx.nd.array(content), []
        for part in parts:
            picture = part.paint(picture)
            evaluation = objective(picture)
            scale = 1 / max(evaluation.total, 1e-30) if generator.relative else 1.0
            evaluations.append(evaluation._replace(gradient=evaluation.gradient * scale))  # a copy of it
        losses = {name: value * to_size for name, value in objective.by_kind(evaluation.losses).items()}
        if not np.isfinite([*evaluation.losses, evaluation.gradient_norm]).all():
            raise NeuralStyleError(f"the loss is no longer finite in step {step + 1}; lower --lr")
        _learn(parts, evaluations, generator, _rate(settings, generator, step))
        on_step(TrainingStep(step + 1, losses, time.monotonic() - begin))


def _learn(parts, evaluations, generator, rate):
    """Let each part learn from the gradients of its own picture and of those after it, as if they were its own.

    The original does this, too: it ignores how the later parts change what they are given.
    """
    gradient = 0
    for part, evaluation in zip(parts[::-1], evaluations[::-1]):
        gradient = evaluation.gradient + gradient
        limit = generator.clip * gradient.size
        norm = mx.nd.norm(gradient).asscalar() if limit else 0
        if norm > limit:
            gradient *= limit / norm
        part.learn(gradient, rate)


def _rate(settings, generator, step):
    """The learning rate: it falls along a cosine."""
    share = generator.lowest_rate + (1 - generator.lowest_rate) * (1 + math.cos(math.pi * step / settings.steps)) / 2
    return settings.rate * share


def _pixels(long_edge):
    """The number of pixels of a 3:2 photograph."""
    return long_edge * long_edge * 2 / 3
