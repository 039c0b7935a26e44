"""VGG in plain NumPy, float64, forward and backward: what the objective is tested against."""

import numpy as np
from scipy import linalg


def convolve(x, kernels):
    """3×3 convolution with zero padding: x (C, H, W), kernels (out, C, 3, 3) → (out, H, W)."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    height, width = x.shape[1:]
    return sum(
        np.tensordot(kernels[:, :, i, j], padded[:, i : i + height, j : j + width], 1)
        for i in range(3)
        for j in range(3)
    )


def windows(x):
    """The four corners of each 2×2 window, (4, C, H // 2, W // 2)."""
    height, width = x.shape[1] // 2 * 2, x.shape[2] // 2 * 2
    return np.array([x[:, i:height:2, j:width:2] for i in range(2) for j in range(2)])


class Vgg:
    """The layers of one image (1, 3, H, W) by name; gradient() takes slopes at layers back to the image.

    blocks are [(filters, convolutions)], weights {"conv1_1_weight": …}, pooling "avg" or "max".
    """

    def __init__(self, weights, blocks, image, pooling="avg"):
        self.weights, self.pooling, self.layers, self.order = weights, pooling, {"data": image[0]}, []
        below = "data"
        for block, (_, count) in enumerate(blocks, 1):
            names = ([f"pool{block - 1}"] if block > 1 else []) + [
                f"{kind}{block}_{i}" for i in range(1, count + 1) for kind in ("conv", "relu")
            ]
            for name in names:
                self.layers[name] = self._forward(name, self.layers[below])
                self.order.append((name, below))
                below = name

    def _forward(self, name, x):
        if name.startswith("conv"):
            return convolve(x, self.weights[name + "_weight"]) + self.weights[name + "_bias"][:, None, None]
        if name.startswith("relu"):
            return np.maximum(x, 0)
        return windows(x).mean(0) if self.pooling == "avg" else windows(x).max(0)

    def gradient(self, slopes):
        """The gradient at the image, (1, 3, H, W), of what has these slopes {layer: array} at the layers."""
        slopes = {name: slopes.get(name, 0) + np.zeros_like(x) for name, x in self.layers.items()}
        for name, below in reversed(self.order):
            slopes[below] += self._backward(name, self.layers[below], slopes[name])
        return slopes["data"][None]

    def _backward(self, name, x, slope):
        if name.startswith("conv"):
            return convolve(slope, self.weights[name + "_weight"].transpose(1, 0, 2, 3)[:, :, ::-1, ::-1])
        if name.startswith("relu"):
            return slope * (x > 0)
        corners = windows(x)
        share = np.full(corners.shape, 0.25) if self.pooling == "avg" else corners == corners.max(0)
        result = np.zeros_like(x)
        height, width = x.shape[1] // 2 * 2, x.shape[2] // 2 * 2
        for corner, (i, j) in enumerate(np.ndindex(2, 2)):
            result[:, i:height:2, j:width:2] = share[corner] * slope
        return result


def gram(features):
    matrix = features.reshape(len(features), -1)
    return matrix @ matrix.T


def style_term(features, target, weight):
    """weight · Σ (Gram − target)² and its slope at the features."""
    difference = gram(features) - target
    slope = 4 * weight * (difference @ features.reshape(len(features), -1))
    return weight * np.square(difference).sum(), slope.reshape(features.shape)


def content_term(features, target, weight):
    """weight · Σ (features − target)² and its slope at the features."""
    return weight * np.square(features - target).sum(), 2 * weight * (features - target)


def patch_term(features, styles, side, stride, inside=None):
    """Energy, slope and matches of patches: features (C, H, W), styles [(share, [(features, inside)])].

    As in CNN-MRF, a position counts the same however many patches cover it, as much as in the middle; and the last row
    and column have patches whatever the step.

    inside, (h, w) bool, says where centres of patches are; None: everywhere.
    """

    def cut(features, step, inside):
        _, height, width = features.shape
        return [
            (y, x, features[:, y : y + side, x : x + side].astype(float))
            for y in sorted({*range(0, height - side + 1, step), height - side})
            for x in sorted({*range(0, width - side + 1, step), width - side})
            if inside is None or inside[y + side // 2, x + side // 2]
        ]

    energy, slope, cover, matches = np.zeros(features.shape), np.zeros(features.shape), np.zeros(features.shape), []
    for share, shown in styles:
        theirs = [patch for other, where in shown for _, _, patch in cut(other, stride, where)]
        units = np.array([patch.ravel() / max(np.linalg.norm(patch), 1e-12) for patch in theirs])
        numbers = []
        for y, x, patch in cut(features, 1, inside):
            scores = units @ patch.ravel() / max(np.linalg.norm(patch), 1e-12)
            number = int(np.flatnonzero(scores >= scores.max() - 1e-9)[0])
            difference = patch - theirs[number]
            at = np.s_[:, y : y + side, x : x + side]
            energy[at] += share * np.square(difference)
            slope[at] += 2 * share * difference
            cover[at] += share
            numbers.append(number)
        matches.append(numbers)
    even = side**2 / np.maximum(cover, 1e-12)
    return (even * energy).sum(), even * slope, matches


def moments(features, share=None):
    """The mean over the positions of f·fᵀ, f the channels of features (C, H, W) followed by 1, by their share."""
    rows = np.vstack([features.reshape(len(features), -1), np.ones(features[0].size)])
    weights = np.ones(rows.shape[1]) if share is None else share.ravel()
    return (rows * weights) @ rows.T / weights.sum()


def wasserstein_term(features, seen, target, share=None):
    """The Wasserstein-2 distance of Gaussians of these moments, as in gaussians.py, and its slope by features."""
    (mean, covariance), (other, of_other) = (
        (
            matrix[:-1, -1],
            matrix[:-1, :-1] - np.outer(matrix[:-1, -1], matrix[:-1, -1]) + 1e-4 * np.eye(len(matrix) - 1),
        )
        for matrix in (seen, target)
    )
    root, channels = linalg.sqrtm(of_other @ covariance).real, len(mean)  # its trace is that of the symmetric form's
    value = np.square(mean - other).mean() + np.trace(covariance + of_other - 2 * root) / channels
    by_covariance = np.eye(channels) - np.linalg.solve(root, of_other)
    matrix = features.reshape(channels, -1)
    weights = np.ones(matrix.shape[1]) if share is None else share.ravel()
    slope = (
        2 * (by_covariance @ (matrix - mean[:, None]) + (mean - other)[:, None]) * weights / weights.sum() / channels
    )
    return value, slope.reshape(features.shape)
