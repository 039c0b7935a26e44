"""What the loop does by PyTorch, beside what it does by MXNet and NumPy."""

import numpy as np
import pytest

from neural_style.find_mxnet import mx
from neural_style.objective import arrays, image_terms
from neural_style.options.optimizers import OPTIMIZERS

torch = pytest.importorskip("torch")

from neural_style.pytorch.arrays import IMAGE_TERMS, Arrays  # noqa: E402 (needs torch)

OURS, MXNETS = Arrays(torch.device("cpu"), "the CPU"), arrays.Arrays(mx.cpu())
IMAGE, GRADIENT = np.random.RandomState(3).uniform(-100, 100, (2, 1, 3, 9, 8)).astype("float32")


@pytest.mark.parametrize("name", [name for name, row in OPTIMIZERS.items() if row.mxnet])
@pytest.mark.parametrize("epoch", [0, 7])
def test_movers(name, epoch):
    """Ten updates with a falling rate, and the memory after them, from the start and resumed."""
    row, results = OPTIMIZERS[name], []
    settings = {row.renamed.get(flag, flag): value or 0.01 for flag, value in row.defaults.items()}
    for kind in (OURS, MXNETS):
        image, gradient = kind.of(IMAGE), kind.of(GRADIENT)
        move, memory = kind.mover(image, row.mxnet, settings, (2.0, 4, 0.5), epoch)
        for number, array in enumerate(memory):
            kind.put(array, np.abs(GRADIENT) / (number + 2))
        for step in range(10):
            move(gradient * (1 + step))
        results.append([kind.values(array) for array in (image, *memory)])
    for ours, theirs in zip(*results):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-4)


@pytest.mark.parametrize("name", IMAGE_TERMS)
@pytest.mark.parametrize("size", [(9, 8), (1, 5), (1, 1)])
def test_terms_of_the_image(name, size):
    image = np.ascontiguousarray(IMAGE[:, :, : size[0], : size[1]])
    weights = {"amplitude_weight": 2.0} if name == "amplitude" else {"tv_loss": name, "tv_weight": 2.0}
    values = []
    for kind in (OURS, MXNETS):
        ((_, term),) = image_terms.image_terms(kind, image.shape, **weights)
        value, gradient = term(kind.of(image))
        values.append((*kind.numbers([value]), kind.values(gradient)))
    assert values[0][0] == pytest.approx(values[1][0], rel=1e-5, abs=1e-4)
    np.testing.assert_allclose(values[0][1], values[1][1], rtol=1e-5, atol=1e-5)


def test_every_term_of_the_image_is_here():
    assert set(IMAGE_TERMS) == {"laplacian", *image_terms.TV_LOSSES, "amplitude"}


def test_isotropic_total_variation_of_flat_pictures_has_no_gradient():
    flat = np.full((1, 3, 4, 5), 7, "float32")
    _, gradient = OURS.image_term("isotropic", 1.0)(OURS.of(flat))
    assert not OURS.values(gradient).any()


def test_numbers_are_read_at_once():
    assert OURS.numbers([torch.tensor(1.5), 2, torch.tensor(float("inf"))]) == [1.5, 2.0, float("inf")]
    assert OURS.numbers([]) == []


def test_clipping():
    gradient = OURS.of(GRADIENT)
    norm = OURS.length(gradient)
    assert torch.equal(OURS.clipped(gradient, norm, float(norm) * 2), gradient)
    assert OURS.length(OURS.clipped(gradient, norm, 5.0)) == pytest.approx(5, rel=1e-5)
    assert OURS.clipped(gradient, norm, float("inf")) is gradient


def test_arrays_are_copies():
    image = IMAGE.copy()
    ours = OURS.of(image)
    values = OURS.values(ours)
    ours += 1
    OURS.put(OURS.copy(ours), image)
    assert (
        np.array_equal(values, IMAGE)
        and np.array_equal(image, IMAGE)
        and OURS.values(ours)[0, 0, 0, 0] != image[0, 0, 0, 0]
    )
