"""The Objective: image → losses, total and gradient, whichever engine evaluates the network."""

from typing import Any, Callable, Dict, List, NamedTuple, Sequence, Tuple

import numpy as np

from ..system import memory
from ..system.errors import UsageError
from ..system.types import NDArray
from .patches import Patches
from .terms import Term


class Evaluation(NamedTuple):
    """What the Objective finds at an image."""

    losses: np.ndarray  # unweighted sums of squares of the style terms, of the content terms; weighted image terms
    total: float
    gradient: Any  # of the total, with the network's part clipped
    gradient_norm: float  # of the network's part, before clipping


class Objective:
    """The weighted sum of terms on the network's features, which an engine evaluates, and of terms of the image itself.

    The engine is one of those in engines.py; scales are what it weights the terms by. image_terms are
    [(name, function)], see image_terms.py. The engine's gradient is scaled down where its norm exceeds limit.
    """

    def __init__(
        self,
        engine: Any,
        terms: List[Term],
        scales: Sequence[float],
        image_terms: List[Tuple[str, Callable]],
        limit: float = np.inf,
    ) -> None:
        self._engine, self._image_terms, self._limit, self.arrays = engine, image_terms, limit, engine.arrays
        self.kinds = [term.kind for term in terms] + ["image"] * len(image_terms)
        self.names = [term.name for term in terms] + [name for name, _ in image_terms]
        self.weights = np.array(list(scales) + [1.0] * len(image_terms))

    def __call__(self, image: NDArray) -> Evaluation:
        """The Evaluation at an image (1, 3, H, W)."""
        return self.evaluation(*self.unread(image))

    def unread(self, image: NDArray) -> Any:
        """The scalars of the Evaluation at an image, which may still be on the device, and its gradient."""
        losses, gradient = self._engine(image)
        norm = self.arrays.length(gradient)
        gradient = self.arrays.clipped(gradient, norm, self._limit)
        for _, term in self._image_terms:
            value, slope = term(image)
            losses = [*losses, value]
            gradient = gradient + slope
        memory.keep_freed(True)  # from here on, every evaluation makes the same arrays again
        return [*losses, norm], gradient

    def evaluation(self, scalars: Any, gradient: Any) -> Evaluation:
        """The Evaluation of what unread gave."""
        *losses, norm = self.arrays.numbers(scalars)
        losses = np.array(losses, dtype="float64")
        return Evaluation(losses, float(losses @ self.weights), gradient, float(norm))

    def compare_with(self, content: np.ndarray) -> None:
        """Replace the content by this array (1, 3, H, W); the styles stay."""
        self._engine.compare_with(content)

    @property
    def patches(self) -> List[Patches]:
        """The Patches of terms that compare some."""
        return self._engine.patches

    @property
    def matches(self) -> Any:
        """The matches: an array of patch numbers for each term and style."""
        return [numbers for patches in self.patches for numbers in patches.matches or ()]

    @matches.setter
    def matches(self, matches: Any) -> None:
        """Use these matches, or let the next evaluation choose them if there are none."""
        rest, count = list(matches), sum(patches.count for patches in self.patches)
        if len(rest) not in (0, count):
            has = f"the saved state has {len(rest)} lists of matches, but this run needs {count}"
            raise UsageError(f"{has}; start the run again without --resume")
        for patches in self.patches:
            patches.matches, rest = rest[: patches.count] or None, rest[patches.count :]

    def by_kind(self, losses: np.ndarray) -> Dict[str, float]:
        """An Evaluation's losses, weighted: style and content summed over layers, the image's terms by their names."""
        sums: Dict[str, float] = {}
        for kind, name, loss in zip(self.kinds, self.names, losses * self.weights):
            kind = name if kind == "image" else kind
            sums[kind] = sums.get(kind, 0.0) + float(loss)
        return sums
