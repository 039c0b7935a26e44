"""Keep the content's colours; all arrays are (1, 3, H, W) with channels R, G, B on the same scale."""

import numpy as np

LUMA = np.array([0.299, 0.587, 0.114])  # each channel's share of the luminance (ITU-R BT.601)


def luminance(image: np.ndarray) -> np.ndarray:
    """The (1, 1, H, W) luminance."""
    return np.tensordot(LUMA, image, (0, 1))[:, None]


def with_colors_of(image: np.ndarray, content: np.ndarray) -> np.ndarray:
    """The luminance of image with the colours of content: changing Y of Y, Cb, Cr shifts R, G and B equally."""
    return content + (luminance(image) - luminance(content))


def matched(style: np.ndarray, content: np.ndarray) -> np.ndarray:
    """style with its colours transformed so that their mean and covariance over the pixels are those of content."""
    flat, goal = (picture.reshape(3, -1).astype("float64") for picture in (style, content))
    mean, goal_mean = flat.mean(1, keepdims=True), goal.mean(1, keepdims=True)
    turn = _power(np.cov(goal), 0.5) @ _power(np.cov(flat), -0.5)
    return (turn @ (flat - mean) + goal_mean).reshape(style.shape)


def _power(covariance, exponent):
    """A power of a covariance matrix; directions in which the colours hardly vary are left almost as they are."""
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.maximum(values, 1e-2) ** exponent) @ vectors.T
