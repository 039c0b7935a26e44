"""What the loop does with images and gradients, on PyTorch's device: the same methods as objective.arrays.Arrays."""

import math
from typing import Any, Callable, Dict, List, Tuple

import numpy as np
import torch

from ..find_mxnet import mx
from ..objective.image_terms import AMPLITUDE
from . import lbfgs

BETA1, EPSILON = 0.9, 1e-8  # of Adam, as in MXNet


class Arrays:
    """Tensors of float32 on one device."""

    def __init__(self, device: Any, where: str) -> None:
        self.device, self.where = device, where

    @property
    def on_gpu(self) -> bool:
        return self.device.type != "cpu"

    def of(self, values: np.ndarray) -> Any:
        """A NumPy array as a tensor of its own."""
        return torch.tensor(np.asarray(values, "float32"), device=self.device)

    @staticmethod
    def values(array: Any) -> np.ndarray:
        """A tensor as a NumPy array of its own."""
        return array.detach().cpu().numpy().copy()

    @staticmethod
    def put(array: Any, values: Any) -> None:
        """Write a NumPy array into a tensor."""
        array.copy_(torch.from_numpy(np.ascontiguousarray(values, "float32")))

    copy = staticmethod(torch.clone)
    length = staticmethod(torch.linalg.vector_norm)

    @staticmethod
    def clipped(gradient: Any, norm: Any, limit: float) -> Any:
        """The gradient, scaled down where its norm exceeds limit."""
        return gradient * (limit / norm).clamp(max=1) if limit < math.inf else gradient

    @staticmethod
    def change(before: Any, image: Any) -> float:
        """‖before − image‖ / ‖image‖."""
        return torch.linalg.vector_norm(before - image) / torch.linalg.vector_norm(image)

    @staticmethod
    def clamp(image: Any, low: np.ndarray, high: np.ndarray) -> None:
        """Bring an image's values into these limits, arrays (1, C, 1, 1), in place."""
        least, most = (torch.tensor(limit, device=image.device) for limit in (low, high))
        image.copy_(torch.minimum(torch.maximum(image, least), most))

    @staticmethod
    def numbers(scalars: Any) -> List[float]:
        """Scalars, some of which are on the device, as floats, by one transfer."""
        on_device = [scalar for scalar in scalars if torch.is_tensor(scalar)]
        read = iter(torch.stack(on_device).tolist() if on_device else ())
        return [next(read) if torch.is_tensor(scalar) else float(scalar) for scalar in scalars]

    def image_term(self, name: str, weight: float) -> Callable:
        """A function that gives the weighted value and the gradient of a term of objective.image_terms at an image."""
        function = IMAGE_TERMS[name]

        def evaluate(image):
            with torch.enable_grad():
                held = image.detach().requires_grad_()
                value = weight * function(held)
                return value.detach(), torch.autograd.grad(value, held)[0]

        return evaluate

    @staticmethod
    def lbfgs(track: Any, image: Any, objective: Any, epochs: int, args: Any) -> Any:
        """Run so many epochs of L-BFGS; returns how many there were before no better image was found."""
        return lbfgs.moves(track, image, epochs, args.coordinates)

    @staticmethod
    def mover(
        image: Any, name: str, settings: Dict[str, float], schedule: Tuple[float, int, float], epoch: int
    ) -> Tuple[Callable, List[Any]]:
        """(move, memory): move(gradient) is an update of the image by that optimiser, memory its own arrays."""
        rate, delay, factor = schedule
        falling, update = mx.lr_scheduler.FactorScheduler(delay, factor, base_lr=rate), MOVERS[name]
        memory, done = [torch.zeros_like(image) for _ in range(1 + (name == "Adam"))], [epoch]

        def move(gradient):
            done[0] += 1
            update(image, gradient, memory, falling(done[0]), done[0], **settings)

        return move, memory


def _nag(image, gradient, memory, rate, epoch, momentum, wd):
    """As MXNet's, where the memory's weight decay is already that of the image after the update."""
    slope = gradient.add(image, alpha=wd)
    memory[0].mul_(momentum)
    image.add_(memory[0], alpha=momentum).sub_(slope, alpha=(1 + momentum) * rate)
    memory[0].sub_(gradient.add(image, alpha=wd), alpha=rate)


def _sgd(image, gradient, memory, rate, epoch, momentum, wd):
    memory[0].mul_(momentum).sub_(gradient.add(image, alpha=wd), alpha=rate)
    image.add_(memory[0])


def _adam(image, gradient, memory, rate, epoch, beta2, wd):
    gradient = gradient.add(image, alpha=wd)
    mean, variance = memory
    mean.mul_(BETA1).add_(gradient, alpha=1 - BETA1)
    variance.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
    rate *= math.sqrt(1 - beta2**epoch) / (1 - BETA1**epoch)
    image.addcdiv_(mean, variance.sqrt().add_(EPSILON), value=-rate)


MOVERS: Dict[str, Any] = {"NAG": _nag, "SGD": _sgd, "Adam": _adam}


def _differences(image):
    return image[:, :, 1:] - image[:, :, :-1], image[:, :, :, 1:] - image[:, :, :, :-1]


def _laplacian(image):
    """Half the image times the Laplacian of each channel, with zeros around it, an eighth of the usual one."""
    kernel = torch.tensor([[0.0, -1, 0], [-1, 4, -1], [0, -1, 0]], device=image.device) / 8
    channels = image.shape[1]
    slope = torch.nn.functional.conv2d(image, kernel.expand(channels, 1, 3, 3), padding=1, groups=channels)
    return (image * slope).sum() / 2


def _isotropic(image, smallest=1e-6):
    down, right = _differences(image)
    pad = torch.nn.functional.pad
    squares = pad(down, (0, 0, 0, 1)).square() + pad(right, (0, 1)).square()
    return squares.clamp(min=smallest**2).sqrt().sum()


def _nine_point(image):
    image = torch.nn.functional.pad(image, (1, 1, 1, 1), mode="replicate")
    here = image[..., 1:-1, 1:-1]
    beside = image[..., 1:-1, 2:] - here, image[..., 2:, 1:-1] - here
    across = image[..., 1:, 1:] - image[..., :-1, :-1], image[..., 1:, :-1] - image[..., :-1, 1:]
    return sum((4 if i < 2 else 1) / 6 * d.square().mean() for i, d in enumerate((*beside, *across)))


IMAGE_TERMS = {
    "laplacian": _laplacian,
    "anisotropic": lambda image: sum(difference.abs().sum() for difference in _differences(image)),
    "isotropic": _isotropic,
    "squared": lambda image: sum(one.square().sum() / max(one.numel(), 1) for one in _differences(image)),
    "nine-point": _nine_point,
    "amplitude": lambda image: (image / AMPLITUDE).pow(6).mean(),
}
