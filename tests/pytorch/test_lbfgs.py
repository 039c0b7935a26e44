"""Coordinates by PyTorch are those by SciPy."""

import numpy as np
import pytest

from neural_style.objective import coordinates

torch = pytest.importorskip("torch")

from neural_style.pytorch import lbfgs  # noqa: E402 (needs torch)


@pytest.mark.parametrize("name", coordinates.COORDINATES)
@pytest.mark.parametrize("size", [(8, 9), (13, 6), (1, 4), (1, 1)])
def test_coordinates(name, size):
    shape = (1, 3, *size)
    image, gradient = np.random.RandomState(2).uniform(-90, 90, (2, *shape)).astype("float32")
    ours, scipys = lbfgs.COORDINATES[name](shape, torch.device("cpu")), coordinates.COORDINATES[name](shape)
    flat = scipys.of(image)
    for found, wanted in (
        (ours.of(torch.tensor(image)), flat),
        (ours.slope(torch.tensor(gradient)), scipys.slope(gradient)),
        (ours.image(torch.tensor(flat, dtype=torch.float32)), scipys.image(flat)),
    ):
        np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-4, atol=1e-5 * np.abs(wanted).max())
    assert ours.pairs == scipys.pairs
