"""The engine: the VGGs by PyTorch, on a GPU that it sees, or on the CPU."""

from typing import Any, Dict, List, Sequence, Tuple

import numpy as np
import torch
from torch.nn import functional

from ..network.model import Model
from ..objective.examples import Pictures, examples_of
from ..objective.gaussians import SMALLEST
from ..objective.patches import Patches
from ..objective.terms import CONTENT, FEATURES, GAUSSIAN, GRAM, PATCHES, Term
from .arrays import Arrays
from .device import device_of, where


class PyTorch:
    """An engine: called with an image (1, 3, H, W), it returns the terms' sums of squares and their gradient.

    model, terms, scales and pictures as objective.graph.Graph takes them. tf32 lets a GPU round the factors of float32
    products to 10 bits; bf16 evaluates the network in bfloat16. What the image is compared with is always float32.
    """

    @staticmethod
    def why_not(model: Model, terms: List[Term], in_strips: bool) -> str:
        """Why this engine cannot evaluate the terms on the model's layers, in words; "" if it can."""
        if not model.is_own:
            return "PyTorch evaluates only VGG19 and VGG16"
        return next((f"PyTorch does not compare {term.what}" for term in terms if term.what not in LOSSES), "")

    def __init__(
        self,
        model: Model,
        terms: List[Term],
        scales: Sequence[float],
        pictures: Pictures,
        tf32: bool = False,
        bf16: bool = False,
        gpu: int = 0,
    ) -> None:
        device = device_of(gpu)
        self.arrays = Arrays(device, where(model.device, gpu))
        self._terms, self._scales, self._bf16 = terms, scales, bf16
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
        self._network = _Network(model, [term.layer for term in terms], device)

        def seen(picture, fields):
            features = self._features(self.arrays.of(picture), False)
            return {term: _seen(features[term.layer], term, field) for term, field in fields.items()}

        with torch.no_grad():
            examples = examples_of(terms, pictures, seen)
        losses = [LOSSES[term.what](self.arrays, term, examples[term], pictures.field(term.region)) for term in terms]
        self._losses = dict(zip(terms, losses))
        self.patches = [loss.energy for loss in losses if isinstance(loss, _PatchLoss)]

    def __call__(self, image: Any) -> Tuple[Any, Any]:
        image = image.detach().requires_grad_()
        features = self._features(image, self._bf16)
        losses = [self._losses[term](features[term.layer]) for term in self._terms]
        total = sum(scale * loss for scale, loss in zip(self._scales, losses))
        (gradient,) = torch.autograd.grad(total, image)
        return [loss.detach() for loss in losses], gradient

    def compare_with(self, content: np.ndarray) -> None:
        """Replace the content by this array (1, 3, H, W)."""
        with torch.no_grad():
            features = self._features(self.arrays.of(content), False)
        for term in self._terms:
            if term.kind == CONTENT:
                self._losses[term].target = features[term.layer]

    def _features(self, image, bf16):
        """{layer: features in float32} of the layers that are compared."""
        with torch.autocast(self.arrays.device.type, torch.bfloat16, enabled=bf16):
            shown = self._network(image.contiguous(memory_format=torch.channels_last) if bf16 else image)
        return {layer: array.float() for layer, array in shown.items()}


class _Network:
    """The layers of one of the VGGs up to the last that is needed."""

    def __init__(self, model, needed, device):
        order = list(model.layers)
        self._order, self._needed = order[: max(map(order.index, needed)) + 1], set(needed)
        self._pool = functional.avg_pool2d if model.pooling == "avg" else functional.max_pool2d
        self._parameters = {}
        for name in (name for name in self._order if name.startswith("conv")):
            parts = (model.parameter(f"{name}_{part}").asnumpy() for part in ("weight", "bias"))
            self._parameters[name] = [torch.tensor(part, device=device) for part in parts]

    def __call__(self, features):
        shown = {}
        for name in self._order:
            if name.startswith("conv"):
                features = functional.conv2d(features, *self._parameters[name], padding=1)
            elif name.startswith("relu"):
                features = functional.relu(features, inplace="conv" + name[4:] not in self._needed)
            else:
                features = self._pool(features, 2)
            if name in self._needed:
                shown[name] = features
        return shown


def _seen(features, term, field):
    """What a term compares with: the mean Gram matrix or moments, or the features, as NumPy has them for patches."""
    if term.what in (GRAM, GAUSSIAN):
        root, positions = _root(features, field)
        return _gram(_with_ones(features) if term.what == GAUSSIAN else features, root) / positions
    return features if term.what == FEATURES else features.cpu().numpy()


def _root(features, field):
    """The root of how far each position belongs to a field, (h, w), or None where all do; and how many positions do."""
    share = field(tuple(features.shape[2:]))
    if share is None:
        return None, features[0, 0].numel()
    return torch.tensor(np.sqrt(share), device=features.device), float(share.sum(dtype="float64"))


def _gram(features, root):
    """The Gram matrix of the positions, each as far as the root's square says."""
    flat = (features if root is None else features * root).flatten(2)[0]
    return flat @ flat.T


class _GramLoss:
    """Σ share·‖G − A‖², the examples' Gram matrices A brought to as many positions."""

    _root = None

    def __init__(self, arrays, term, examples, field):
        self._field, grams = field, [(share, gram) for share, ((gram, _),) in examples]
        self._target = sum(share * gram for share, gram in grams)
        self._rest = sum(share * float((gram - self._target).double().square().sum()) for share, gram in grams)

    def _gram(self, features):
        """The Gram matrix of features, and the number of positions."""
        if self._root is None:
            self._root = _root(features, self._field)
        root, positions = self._root
        return _gram(features, root), positions

    def __call__(self, features):
        gram, positions = self._gram(features)
        return (gram - positions * self._target).square().sum() + positions**2 * self._rest


class _GaussianLoss(_GramLoss):
    """The Wasserstein-2 distance; see objective.gaussians, whose formulas these are."""

    def __init__(self, arrays, term, examples, field):
        self._field = field
        self._mean, covariance = _mean_and_covariance(sum(share * moments for share, ((moments, _),) in examples))
        self._trace, (self._half,) = covariance.trace(), _powers(covariance, 0.5)

    def __call__(self, features):
        gram, positions = self._gram(_with_ones(features))
        moments = (gram / positions).double()
        value, slope = self._distance(moments.detach())
        surrogate = (slope * moments).sum()  # has the gradient; that of the eigenvalues would be less precise
        return (surrogate + (value - surrogate).detach()).float()

    def _distance(self, moments):
        """The value, and its slope by the moments."""
        mean, covariance = _mean_and_covariance(moments)
        root, inverse = _powers(self._half @ covariance @ self._half, 0.5, -0.5)
        difference = mean - self._mean
        value = difference @ difference + self._trace + covariance.trace() - 2 * root.trace()
        slope = torch.zeros_like(moments)
        slope[:-1, :-1] = torch.eye(len(mean), device=mean.device) - self._half @ inverse @ self._half
        slope[:-1, -1] = slope[-1, :-1] = difference - slope[:-1, :-1] @ mean
        return value / len(mean), slope / len(mean)


def _with_ones(features):
    """The channels of each position, followed by 1."""
    return torch.cat([features, torch.ones_like(features[:, :1])], 1)


def _mean_and_covariance(moments):
    mean, one = moments[:-1, -1].double(), torch.eye(len(moments) - 1, device=moments.device)
    return mean, moments[:-1, :-1] - mean.outer(mean) + SMALLEST * one


def _powers(matrix, *exponents):
    """Powers of a symmetric matrix without negative eigenvalues, except for what rounding makes of the smallest."""
    values, vectors = torch.linalg.eigh(matrix)
    values = torch.maximum(values, values[-1] * torch.finfo(torch.float32).eps ** 2)
    return [(vectors * values**exponent) @ vectors.T for exponent in exponents]


class _FeatureLoss:
    """‖features − example‖²."""

    def __init__(self, arrays, term, examples, field):
        ((_, ((self.target, _),)),) = examples

    def __call__(self, features):
        return (features - self.target).square().sum()


class _PatchLoss:
    """Σ share·‖patch − the example's most similar one‖²; see objective.patches."""

    def __init__(self, arrays, term, examples, field):
        self.energy, self._arrays, self._of = Patches(examples, field, term.patch_shape), arrays, None

    def __call__(self, features):
        energy = self.energy
        if not energy.prepare(tuple(features.shape)):
            energy.choose(self._arrays.values(features))
        if self._of is not energy.target:
            self._of = energy.target
            self._target, self._root = map(self._arrays.of, (energy.target, energy.root))
        return ((features - self._target) * self._root).square().sum() + energy.rest


LOSSES: Dict[str, Any] = {GRAM: _GramLoss, GAUSSIAN: _GaussianLoss, FEATURES: _FeatureLoss, PATCHES: _PatchLoss}
