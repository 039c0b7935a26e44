"""The Wasserstein-2 distance of a layer's features from a style's, both taken as Gaussians.

A Gaussian is given by its moments: with C channels, the mean over the positions of f·fᵀ, (C + 1, C + 1), where f is a
position's channels followed by 1; so the last column has the mean of each channel. Unlike covariances, moments can be
averaged over styles. As in crowsonkb/style-transfer-pytorch, the distance is the mean of the squared differences of the
means plus the mean of the diagonal of A + B − 2·(A^½ B A^½)^½, for the covariances A and B.
"""

from typing import Tuple

import numpy as np
from scipy import linalg

SMALLEST = 1e-4  # is added to the diagonal of a covariance, as in that program


class Distance:
    """The squared distance to the Gaussian with these moments, and its slope."""

    def __init__(self, moments: np.ndarray) -> None:
        self._mean, covariance = _mean_and_covariance(moments)
        self._trace, (self._root,) = np.trace(covariance), _powers(covariance, 0.5)

    def __call__(self, moments: np.ndarray) -> Tuple[float, np.ndarray]:
        """The value, and its gradient (C + 1, C + 1) by the moments, which is symmetric, as these are."""
        mean, covariance = _mean_and_covariance(moments)
        root, inverse = _powers(self._root @ covariance @ self._root, 0.5, -0.5)
        difference = mean - self._mean
        value = difference @ difference + self._trace + np.trace(covariance) - 2 * np.trace(root)
        slope = np.zeros(moments.shape)
        slope[:-1, :-1] = np.eye(len(mean)) - self._root @ inverse @ self._root
        slope[:-1, -1] = slope[-1, :-1] = difference - slope[:-1, :-1] @ mean  # the covariance depends on the mean, too
        return float(value) / len(mean), slope / len(mean)


def _mean_and_covariance(moments):
    """The mean (C,) and the covariance (C, C), in float64."""
    mean = moments[:-1, -1].astype("float64")
    return mean, moments[:-1, :-1] - np.outer(mean, mean) + SMALLEST * np.eye(len(mean))


def _powers(matrix, *exponents):
    """Powers of a symmetric matrix without negative eigenvalues, except for what rounding makes of the smallest."""
    values, vectors = linalg.eigh(matrix, check_finite=False, driver="evd")
    values = np.maximum(values, values[-1] * np.finfo("float32").eps ** 2)
    return [(vectors * values**exponent) @ vectors.T for exponent in exponents]
