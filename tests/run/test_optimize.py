"""The loop against the update rule written in NumPy."""

from argparse import Namespace

import numpy as np
import pytest

from neural_style.find_mxnet import mx
from neural_style.network.architecture import MEANS
from neural_style.objective.arrays import Arrays
from neural_style.objective.objective import Evaluation
from neural_style.options.check import complete
from neural_style.run import optimize

SHAPE = (1, 3, 4, 5)
GOAL = np.random.RandomState(0).uniform(-100, 100, SHAPE)


def bowl(image):
    """Half the squared distance to GOAL; the gradient's norm is clipped to 40, as the objective clips its own."""
    difference = image.asnumpy() - GOAL
    norm = np.linalg.norm(difference)
    return Evaluation(np.array([0.5 * norm**2]), 0.5 * norm**2, mx.nd.array(difference * min(1, 40 / norm)), norm)


def valley(image):
    """A quartic with narrow directions, not clipped: something for L-BFGS to find its way in."""
    scale = np.linspace(0.1, 3, GOAL.size).reshape(SHAPE)
    difference = (image.asnumpy().astype("float64") - GOAL) * scale / 50
    value = (difference**2).sum() + (difference**4).sum()
    slope = (2 * difference + 4 * difference**3) * scale / 50
    return Evaluation(np.array([value]), value, mx.nd.array(slope), np.linalg.norm(slope))


def unread(evaluation):
    return [*evaluation.losses, evaluation.gradient_norm], evaluation.gradient


def read(scalars, gradient):
    *losses, norm = scalars
    return Evaluation(np.array(losses), sum(losses), gradient, norm)


def run(objective=bowl, **settings):
    """The Steps of a run, each with a copy of its image, and the result."""
    args = complete(
        Namespace(
            **{**dict(max_num_epochs=60, stop_eps=0.0, lr=0.05, lr_sched_delay=7, lr_sched_factor=0.8), **settings}
        )
    )
    start, steps = optimize.start_state(np.full(SHAPE, 0.5)), []
    objective.patches, objective.arrays = getattr(objective, "patches", ()), Arrays(mx.cpu())
    objective.unread, objective.evaluation = (lambda image: unread(objective(image))), read
    return steps, optimize.minimise(objective, start, args, lambda step: steps.append((step, step.image())))


def slope(image, decay):
    difference = image - GOAL
    return difference * min(1, 40 / np.linalg.norm(difference)) + decay * image


def nag(image, gradient, state, rate, update):
    state["v"] = 0.95 * state["v"] - rate * gradient
    return image + 0.95 * state["v"] - rate * gradient


def sgd(image, gradient, state, rate, update):
    state["v"] = 0.9 * state["v"] - rate * gradient
    return image + state["v"]


def adam(image, gradient, state, rate, update):
    state["m"] = 0.9 * state["m"] + 0.1 * gradient
    state["v"] = 0.99 * state["v"] + 0.01 * gradient**2
    mean, variance = state["m"] / (1 - 0.9**update), state["v"] / (1 - 0.99**update)
    return image - rate * mean / (np.sqrt(variance) + 1e-8 / np.sqrt(1 - 0.99**update))


@pytest.mark.parametrize(
    "name, rule, decay, settings",
    [("nag", nag, 1e-4, {}), ("sgd", sgd, 5e-4, {}), ("adam", adam, 0, {"beta2": 0.99, "lr": 0.5})],
)
def test_first_order_optimisers_equal_numpy(name, rule, decay, settings):
    """With the schedule: the rate falls once the delay-th update has passed."""
    steps, result = run(optimizer=name, **settings)
    image, state = np.full(SHAPE, 0.5), {"m": np.zeros(SHAPE), "v": np.zeros(SHAPE)}
    for update, (step, picture) in enumerate(steps, 1):
        rate = settings.get("lr", 0.05) * 0.8 ** ((update - 1) // 7)
        old, image = image, rule(image, slope(image, decay), state, rate, update)
        np.testing.assert_allclose(picture, image, rtol=1e-4, atol=1e-4)
        assert step.eps == pytest.approx(np.linalg.norm(old - image) / np.linalg.norm(image), rel=1e-3)
    assert [step.epoch for step, _ in steps] == list(range(1, 61)) and not steps[-1][0].finished
    assert np.array_equal(result, steps[-1][1])
    assert all(a.seconds <= b.seconds for (a, _), (b, _) in zip(steps, steps[1:]))


def test_momentum_and_decay_can_be_given():
    plain, _ = run(optimizer="sgd", momentum=0.0, weight_decay=0.0, max_num_epochs=2, lr=0.1)
    image = np.full(SHAPE, 0.5)
    for _ in range(2):
        image = image - 0.1 * slope(image, 0)
    np.testing.assert_allclose(plain[-1][1], image, rtol=1e-5)


@pytest.mark.parametrize("coordinates", ["pixels", "frequencies"])
def test_lbfgs_goes_down_with_every_accepted_step_and_beats_nag(coordinates, monkeypatch):
    monkeypatch.setitem(
        globals(), "GOAL", np.repeat(GOAL.mean(1, keepdims=True), 3, 1)
    )  # there are no fine colours in frequencies
    evaluated = []

    def counted(image):
        evaluated.append(valley(image))
        return evaluated[-1]

    steps, result = run(counted, optimizer="lbfgs", coordinates=coordinates, max_num_epochs=30)
    totals = [step.total for step, _ in steps]
    assert all(later < earlier for earlier, later in zip(totals, totals[1:])) and len(evaluated) < 60
    assert valley(mx.nd.array(result)).total == pytest.approx(totals[-1], rel=1e-4)
    others, picture = run(valley, max_num_epochs=len(evaluated), lr_sched_factor=1)
    assert totals[-1] < 0.1 * valley(mx.nd.array(picture)).total


@pytest.mark.parametrize("edge", [3, 5, 8, 12, 60])
def test_lbfgs_steps_back_from_what_is_not_finite(edge):
    def cliff(image):
        answer = valley(image)
        return answer if np.abs(image.asnumpy() - 0.5).max() < edge else answer._replace(losses=np.array([np.inf]))

    steps, result = run(cliff, optimizer="lbfgs", max_num_epochs=20)
    assert np.abs(result - 0.5).max() < edge
    assert np.allclose(result, steps[-1][1], rtol=1e-5, atol=1e-5)
    assert valley(mx.nd.array(result)).total < valley(mx.nd.array(np.full(SHAPE, 0.5))).total


def test_the_best_image_is_kept():
    seen = []

    def bumpy(image):
        seen.append(image.asnumpy())
        value = (3, 1, 2, 5, 4)[len(seen) - 1]
        return bowl(image)._replace(total=float(value), losses=np.array([value]))

    steps, result = run(bumpy, keep_best=True, max_num_epochs=4)
    assert len(seen) == 5 and np.array_equal(result, seen[1])
    assert np.array_equal(steps[0][1], seen[0]) and np.array_equal(steps[3][1], seen[1])


def test_the_average_of_the_images_is_saved_with_the_start_in_it():
    plain, _ = run(max_num_epochs=5)
    images, weights = [np.full(SHAPE, 0.5), *(picture for _, picture in plain)], 0.9 ** np.arange(5, -1, -1)
    steps, result = run(max_num_epochs=5, average=0.9)
    np.testing.assert_allclose(result, np.tensordot(weights / weights.sum(), images, 1), rtol=1e-5)
    assert np.array_equal(steps[-1][1], result) and steps[-1][0].eps == plain[-1][0].eps


def test_clamped_values_stay_in_a_pictures_range():
    free, _ = run(max_num_epochs=1, lr=1e4)
    steps, result = run(max_num_epochs=3, lr=1e4, clamp=True)
    low, high = (np.reshape(limit - MEANS, (1, 3, 1, 1)).astype("float32") for limit in (0, 256))
    assert np.abs(free[0][1]).max() > 1000
    np.testing.assert_array_equal(steps[0][1], np.clip(free[0][1], low, high))
    assert (result >= low).all() and (result <= high).all()


def test_stops_in_the_first_epoch_below_the_bound():
    everything, _ = run()
    bound = everything[29][0].eps * 1.0001
    expected = next(step.epoch for step, _ in everything if step.eps < bound)
    steps, _ = run(stop_eps=bound)
    assert [step.finished for step, _ in steps] == [False] * (expected - 1) + [True]


def test_a_loss_that_is_not_finite_stops_with_the_last_good_image():
    seen = []

    def breaks(image):
        seen.append(image.asnumpy())
        answer = bowl(image)
        return answer._replace(losses=np.array([np.inf])) if len(seen) == 4 else answer

    with pytest.raises(optimize.Diverged, match="epoch 4.*--lr") as caught:
        run(breaks)
    assert np.array_equal(caught.value.image, seen[2]) and caught.value.epoch == 2


def test_a_start_that_leads_nowhere_leaves_no_image():
    def breaks(image):
        return bowl(image)._replace(gradient=mx.nd.full(SHAPE, np.nan))

    with pytest.raises(optimize.Diverged, match="epoch 1") as caught:
        run(breaks)
    assert caught.value.image is None


class Matching:
    """An objective that compares patches; it notes how often it was evaluated when matches are given up."""

    patches = ["one"]

    def __init__(self):
        self.evaluations, self.chosen = 0, []

    @property
    def matches(self):
        return ()

    @matches.setter
    def matches(self, matches):
        self.chosen.append(self.evaluations)

    def __call__(self, image):
        self.evaluations += 1
        return valley(image)


@pytest.mark.parametrize("optimizer", ["nag", "adam"])
def test_matches_are_chosen_anew_every_so_many_epochs(optimizer):
    objective = Matching()
    run(objective, optimizer=optimizer, max_num_epochs=10, match_every=4)
    assert objective.chosen == [0, 0, 4, 8]  # first those of the state that the run begins from


def test_lbfgs_begins_anew_with_each_choice_of_matches():
    objective = Matching()
    steps, _ = run(objective, optimizer="lbfgs", max_num_epochs=6, match_every=2)
    assert len(steps) == 6 and len(objective.chosen) == 4
    assert all(before < after for before, after in zip(objective.chosen[1:], objective.chosen[2:]))


def test_lbfgs_resumed_between_two_choices_makes_the_next_one_on_time():
    """A choice falls on every third epoch of the whole run, wherever it was stopped."""
    objective, epochs = Matching(), []
    objective.arrays = Arrays(mx.cpu())
    since = optimize.start_state(np.full(SHAPE, 0.5))._replace(epoch=4, matches=("kept",))
    args = complete(Namespace(optimizer="lbfgs", max_num_epochs=11, match_every=3, stop_eps=0.0))
    chosen_at = {}

    def on_step(step):
        epochs.append(step.epoch)
        chosen_at[step.epoch] = len(objective.chosen)

    optimize.minimise(objective, since, args, on_step)
    assert epochs == [5, 6, 7, 8, 9, 10, 11]
    assert [chosen_at[epoch] for epoch in epochs] == [1, 1, 2, 2, 2, 3, 3]  # the first is that of the saved state


def test_an_image_that_stands_still_is_no_end_without_a_bound():
    def still(image):
        return bowl(image)._replace(gradient=mx.nd.zeros(SHAPE))

    steps, _ = run(still, weight_decay=0.0, max_num_epochs=3)
    assert [(step.eps, step.finished) for step, _ in steps] == [(0.0, False)] * 3
