"""The loop against the update rule written in NumPy."""
import numpy as np
import pytest

from neural_style import optimize
from neural_style.find_mxnet import mx
from neural_style.objective import Evaluation

SHAPE = (1, 3, 4, 5)
GOAL = np.random.RandomState(0).uniform(-100, 100, SHAPE)


def bowl(image):
    """Half the squared distance to GOAL; the gradient's norm is clipped to 40, as the objective clips its own."""
    difference = image.asnumpy() - GOAL
    norm = np.linalg.norm(difference)
    return Evaluation(np.array([0.5 * norm ** 2]), mx.nd.array(difference * min(1, 40 / norm)), norm)


def run(objective=bowl, epochs=60, stop_eps=0.0, lr=0.05, delay=7, factor=0.8):
    image = mx.nd.array(np.full(SHAPE, 0.5))
    steps = [(step, step.image.asnumpy()) for step in
             optimize.descend(objective, image, optimize.nag(lr, delay, factor), epochs, stop_eps)]
    return steps, image


def numpy_nag(epochs, lr=0.05, delay=7, factor=0.8, momentum=0.95, decay=1e-4):
    """Nesterov as MXNet writes it; the schedule multiplies the rate once the delay-th update has passed."""
    image, velocity = np.full(SHAPE, 0.5), np.zeros(SHAPE)
    for update in range(1, epochs + 1):
        rate = lr * factor ** ((update - 1) // delay)
        difference = image - GOAL
        gradient = difference * min(1, 40 / np.linalg.norm(difference)) + decay * image
        velocity = momentum * velocity - rate * gradient
        old, image = image, image + momentum * velocity - rate * gradient
        yield image, np.linalg.norm(old - image) / np.linalg.norm(image)


def test_nag_with_clipping_equals_numpy():
    steps, image = run()
    for (step, picture), (expected, eps) in zip(steps, numpy_nag(60)):
        np.testing.assert_allclose(picture, expected, rtol=1e-4, atol=1e-4)
        assert step.eps == pytest.approx(eps, rel=1e-3)
    assert [step.epoch for step, _ in steps] == list(range(1, 61))
    assert np.array_equal(image.asnumpy(), steps[-1][1]) and not steps[-1][0].finished
    assert steps[-1][0].losses[0] < 0.1 * steps[0][0].losses[0]
    assert all(a.seconds <= b.seconds for (a, _), (b, _) in zip(steps, steps[1:]))


def test_stops_in_the_first_epoch_below_the_bound():
    everything, _ = run()
    bound = everything[29][0].eps
    expected = next(step.epoch for step, _ in everything if step.eps < bound * 1.0001)
    steps, _ = run(stop_eps=bound * 1.0001)
    assert [step.finished for step, _ in steps] == [False] * (expected - 1) + [True]


def test_a_loss_that_is_not_finite_stops_with_the_last_good_image():
    seen = []

    def breaks(image):
        seen.append(image.asnumpy())
        answer = bowl(image)
        return answer._replace(losses=np.array([np.inf])) if len(seen) == 4 else answer

    with pytest.raises(optimize.Diverged, match="epoch 4.*--lr") as caught:
        run(breaks)
    assert np.array_equal(caught.value.image.asnumpy(), seen[2])


def test_an_image_that_is_not_finite_is_never_a_result():
    def breaks(image):
        return bowl(image)._replace(gradient=mx.nd.full(SHAPE, np.nan))

    with pytest.raises(optimize.Diverged, match="epoch 1") as caught:
        run(breaks)
    assert (caught.value.image.asnumpy() == 0.5).all()
