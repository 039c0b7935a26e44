"""L-BFGS on PyTorch's device, in the coordinates of objective.coordinates."""

import math
from typing import Any, Dict, Tuple

import torch

from ..objective.coordinates import OPPONENTS, Coordinates, pixels, spectrum
from ..system.errors import NeuralStyleError


def dct(values: Any) -> Any:
    """The orthonormal cosine transform (DCT-II) along the last axis, by a Fourier transform of as many values."""
    sorted_ = torch.cat([values[..., ::2], values[..., 1::2].flip(-1)], -1)
    result = (torch.fft.fft(sorted_) * _turns(values)).real * math.sqrt(2 / values.shape[-1])
    result[..., 0] /= math.sqrt(2)
    return result


def idct(values: Any) -> Any:
    """The inverse of dct."""
    count = values.shape[-1]
    values = values * math.sqrt(count / 2)
    values[..., 0] *= math.sqrt(2)
    mirrored = torch.cat([torch.zeros_like(values[..., :1]), values[..., 1:].flip(-1)], -1)
    sorted_ = torch.fft.ifft(torch.complex(values, -mirrored) * _turns(values).conj()).real
    result = torch.empty_like(values)
    result[..., ::2], result[..., 1::2] = sorted_[..., : (count + 1) // 2], sorted_[..., (count + 1) // 2 :].flip(-1)
    return result


def _turns(values):
    count = values.shape[-1]
    angles = torch.arange(count, device=values.device, dtype=values.dtype) * (-math.pi / (2 * count))
    return torch.polar(torch.ones_like(angles), angles)


def _on_both_axes(transform, values):
    return transform(transform(values).transpose(-1, -2)).transpose(-1, -2)


def frequencies(shape: Tuple[int, ...], device: Any) -> Coordinates:
    """Coordinates that are the frequencies of brightness and colours."""
    which, scales = spectrum(shape)
    kept = torch.tensor(which.ravel().nonzero()[0], device=device)
    units, opponents = (torch.tensor(one, dtype=torch.float32, device=device) for one in (scales, OPPONENTS))

    def forward(values):
        return _on_both_axes(dct, torch.tensordot(opponents, values[0], 1)).flatten()[kept]

    def image(flat):
        whole = torch.zeros(math.prod(shape[1:]), device=flat.device)
        whole[kept] = flat * units
        return torch.tensordot(opponents.T, _on_both_axes(idct, whole.reshape(shape[1:])), 1)[None]

    return Coordinates(
        lambda image: forward(image) / units, image, lambda gradient: forward(gradient) * units, pairs=30
    )


COORDINATES: Dict[str, Any] = {"pixels": lambda shape, device: pixels(shape, torch.flatten), "frequencies": frequencies}


class _Walk:
    """L-BFGS from where the image is; most steps are accepted where they were evaluated last."""

    def __init__(self, track: Any, image: Any, name: str) -> None:
        self._track, self._image, self._coordinates = track, image, COORDINATES[name](tuple(image.shape), image.device)
        self.place, self._last = self._coordinates.of(image), None  # type: Any, Any
        exact = {"max_iter": 1, "max_eval": 20, "tolerance_grad": 0, "tolerance_change": 0}
        pairs = self._coordinates.pairs
        self._optimizer = torch.optim.LBFGS([self.place], history_size=pairs, line_search_fn="strong_wolfe", **exact)

    def step(self) -> bool:
        """Take a step; returns whether there was one."""
        before = self.place.clone()
        self._optimizer.step(self._evaluate)
        if torch.equal(before, self.place):
            return False
        self._evaluate()
        return True

    def _evaluate(self):
        if self._last is None or not torch.equal(self.place, self._last[0]):
            self._image.copy_(self._coordinates.image(self.place))
            try:
                evaluation = self._track.evaluate()
            except NeuralStyleError:
                if self._last is None:
                    raise
                self.place.grad = self._last[2]
                return 10 * abs(self._last[1]) + 1  # a trial step too far meets a wall and is shortened
            self._last = self.place.clone(), evaluation.total, self._coordinates.slope(evaluation.gradient)
        self.place.grad = self._last[2].clone()
        return self._last[1]


def moves(track: Any, image: Any, epochs: int, name: str) -> Any:
    """Run so many epochs, each an accepted step; returns how many there were before no better image was found.

    track.evaluate() gives the Evaluation at the image, track.moved() reports a step.
    """
    walk = _Walk(track, image, name)
    for epoch in range(epochs):
        if not walk.step():
            return epoch
        track.moved()
    return epochs
