"""The arrays that images and gradients are, and what the loop does with them: those of MXNet.

An engine that computes elsewhere brings arrays of its own, with the same methods.
"""

from typing import Any, Callable, Dict, List, Tuple

import numpy as np

from ..find_mxnet import in_words, mx
from ..system.types import Context, NDArray


class Arrays:
    """NDArrays on one device."""

    def __init__(self, device: Context) -> None:
        self.device, self.where = device, in_words(device)

    @property
    def on_gpu(self) -> bool:
        return self.device.device_type != "cpu"

    def of(self, values: np.ndarray) -> NDArray:
        """A NumPy array as one of these."""
        return mx.nd.array(values, ctx=self.device)

    @staticmethod
    def values(array: NDArray) -> np.ndarray:
        """One of these as a NumPy array."""
        return array.asnumpy()

    @staticmethod
    def put(array: NDArray, values: Any) -> None:
        """Write a NumPy array into one of these."""
        array[:] = values

    @staticmethod
    def copy(array: NDArray) -> NDArray:
        return array.copy()

    @staticmethod
    def length(array: NDArray) -> float:
        """The root of the sum of squares."""
        return mx.nd.norm(array).asscalar()

    @staticmethod
    def clipped(gradient: NDArray, norm: float, limit: float) -> NDArray:
        """The gradient, scaled down where its norm exceeds limit."""
        if norm > limit:
            gradient[:] *= limit / norm
        return gradient

    @staticmethod
    def numbers(scalars: List[float]) -> List[float]:
        """Scalars as Python has them, read all at once where they are on a device."""
        return scalars

    @staticmethod
    def change(before: NDArray, image: NDArray) -> float:
        """‖before − image‖ / ‖image‖."""
        return float((mx.nd.norm(before - image) / mx.nd.norm(image)).asscalar())

    @staticmethod
    def clamp(image: NDArray, low: np.ndarray, high: np.ndarray) -> None:
        """Bring an image's values into these limits, arrays (1, C, 1, 1), in place."""
        for function, limit in ((mx.nd.broadcast_maximum, low), (mx.nd.broadcast_minimum, high)):
            function(image, mx.nd.array(limit, ctx=image.context), out=image)

    @staticmethod
    def mover(
        image: NDArray, name: str, settings: Dict[str, float], schedule: Tuple[float, int, float], epoch: int
    ) -> Tuple[Callable, List[NDArray]]:
        """(move, memory): move(gradient) is an update of the image by that optimiser of MXNet, memory its own arrays.

        schedule is (lr, delay, factor): every so many epochs, counted from the first of the run, the rate lr is
        multiplied by the factor. epoch is the one to begin from.
        """
        rate, delay, factor = schedule
        falling = mx.lr_scheduler.FactorScheduler(delay, factor, base_lr=rate)
        optimizer = getattr(mx.optimizer, name)(learning_rate=rate, lr_scheduler=falling, **settings)
        optimizer.begin_num_update = optimizer.num_update = epoch  # the schedule follows by itself
        state = optimizer.create_state(0, image)
        memory = [array for array in (state if isinstance(state, tuple) else (state,)) if array is not None]
        return lambda gradient: optimizer.update(0, image, gradient, state), memory
