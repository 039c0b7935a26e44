"""The objective of every recipe, whichever engine evaluates it, against independent NumPy in float64."""

from argparse import Namespace

import numpy as np
import pytest
import skimage.data
from formulas import CASES, EDGE, absolute, expected, image_near, laplacian, squared, total, weights_of
from networks import SMALL
from objectives import evaluated, objective_of
from oracle import Vgg

from neural_style import recipes
from neural_style.layers import convolutions, last, winograd
from neural_style.layers.engine import Layers
from neural_style.objective import engines
from neural_style.objective.graph import Graph
from neural_style.objective.objective import Objective
from neural_style.pictures import images
from neural_style.system.errors import UsageError

HAS_BF16 = engines.fastest()[0] == "bf16"
try:
    from neural_style.pytorch.engine import PyTorch
except ImportError:
    PyTorch = None
NEEDS_TORCH = pytest.mark.skipif(PyTorch is None, reason="PyTorch is not installed")
ENGINES = [  # class, flags, bounds of value and gradient
    *(
        pytest.param(
            PyTorch, f"--engine torch --precision {precision}", *bounds, id=f"torch-{precision}", marks=NEEDS_TORCH
        )
        for precision, *bounds in (("float32", 1e-4, 1e-4), ("fast32", 1e-4, 1e-4), ("bf16", 0.05, 0.25))
    ),
    pytest.param(Graph, "--precision float32", 1e-4, 1e-4, id="graph"),
    pytest.param(Layers, "--precision float32 --tile 16", 1e-4, 1e-4, id="strips"),
    pytest.param(Layers, "--precision fast32", 1e-4, 1e-4, id="fast32"),
    pytest.param(Layers, "--precision fast32 --tile 16", 1e-4, 1e-4, id="fast32-strips"),
    pytest.param(Layers, "--precision fast32", 1e-4, 1e-4, id="compiled"),
    pytest.param(Layers, "--precision fast32 --tile 16", 1e-4, 1e-4, id="compiled-strips"),
    pytest.param(
        Layers,
        "--precision bf16",
        0.05,
        0.25,
        id="bf16",
        marks=pytest.mark.skipif(not HAS_BF16, reason="this processor has no bfloat16"),
    ),
]


@pytest.fixture
def evaluate(small_files, small, thumbnails, monkeypatch):
    """evaluate(words): the Evaluation at image_near(content), with the Objective and the content."""
    monkeypatch.chdir(thumbnails)

    def run(words, network="vgg19"):
        ours, content = objective_of(
            f"--content-image chelsea.png --model-params {small_files[network]} --max-long-edge {EDGE} {words}"
        )
        return evaluated(ours, image_near(content)), ours, content

    return run


def assert_near(evaluation, value, gradient, of_value=1e-4, of_gradient=1e-4):
    difference = np.linalg.norm(evaluation.gradient - gradient) / np.linalg.norm(gradient)
    print(f"value {evaluation.total / value - 1:.1e}, gradient {difference:.1e}")
    assert evaluation.total == pytest.approx(value, rel=of_value) and difference < of_gradient


@pytest.fixture(scope="module")
def known():
    """What all engines are compared with, by recipe: NumPy's value and gradient, and the Evaluation by the graph."""
    return {}


@pytest.mark.parametrize("kind, flags, of_value, of_gradient", ENGINES)
@pytest.mark.parametrize("recipe", recipes.names())
def test_every_recipe_with_every_engine(
    recipe, kind, flags, of_value, of_gradient, evaluate, known, small_files, thumbnails, monkeypatch, request
):
    monkeypatch.setattr(convolutions, "FROM", 3 * 4)  # Winograd's method from the second block on
    with_numba = "compiled" in request.node.callspec.id
    if not with_numba:
        monkeypatch.setattr(convolutions, "compiled", lambda: None)
    elif not last.compiled():
        pytest.skip("Numba is not installed")
    multiplied, run = [], winograd.Winograd._run
    monkeypatch.setattr(winograd.Winograd, "_run", lambda *args: multiplied.append(args) or run(*args))
    case = CASES[recipe]
    words = f"--recipe {recipe} {case.flags}"
    ours, objective, _ = evaluate(f"{words} {flags}", case.network)
    assert type(objective._engine) is kind and with_numba == bool(multiplied)
    assert "".join(kind[0].upper() for kind in objective.kinds) == case.kinds
    if recipe not in known:
        numpy = expected(recipe, small_files[case.network], thumbnails / "chelsea.png")
        known[recipe] = numpy, evaluate(f"{words} --precision float32", case.network)[0]
    numpy, graph = known[recipe]
    assert_near(ours, *numpy, of_value, of_gradient)
    assert_near(ours, graph.total, graph.gradient, of_value, of_gradient)
    np.testing.assert_allclose(ours.losses, graph.losses, rtol=max(1e-3, of_gradient))


def test_a_single_term_has_its_gradient(evaluate, small):
    ours, objective, content = evaluate("--style-weight 0 --tv-weight 0 --clip-gradient 0")
    weights = weights_of(small)
    assert len(objective.weights) == 1 and ours.gradient_norm > 0
    assert_near(
        ours,
        *total(
            lambda picture: Vgg(weights, SMALL["vgg19"], picture), image_near(content), content, {}, ("relu4_2", 10)
        ),
    )


@pytest.mark.parametrize("precision, of_start", [("float32", 0), ("fast32", 1e-12)])
def test_losses_vanish_at_the_targets(precision, of_start, evaluate):
    before, objective, content = evaluate(f"--style-image chelsea.png --tv-weight 0 --precision {precision}")
    after = objective(objective.arrays.of(content))
    assert (
        after.losses <= of_start * before.losses
    ).all() and after.gradient_norm <= 1e4 * of_start * before.gradient_norm


def test_clipping_comes_before_the_terms_of_the_image(evaluate):
    words = "--style-image coffee.png --tv-weight"
    raw, _, content = evaluate(f"{words} 0 --clip-gradient 0")
    limit = raw.gradient_norm / content.size / 2
    clipped, _, _ = evaluate(f"{words} 0 --clip-gradient {limit}")
    with_tv, _, _ = evaluate(f"{words} 0.5 --clip-gradient {limit}")
    np.testing.assert_allclose(clipped.gradient, raw.gradient / 2, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(with_tv.gradient - clipped.gradient, 0.5 * laplacian(image_near(content)), atol=1e-2)
    assert with_tv.gradient_norm == clipped.gradient_norm == raw.gradient_norm
    _, objective, _ = evaluate("--style-image coffee.png")
    assert objective._limit == content.size


def test_sizes_that_are_too_small_are_named(evaluate):
    with pytest.raises(UsageError, match="content picture of 20x13 is too small .* 16 pixels"):
        evaluate("--max-long-edge 20 --style-image coffee.png")
    with pytest.raises(UsageError, match="style picture of 8x5 is too small"):
        evaluate("--fit scale --style-scales 0.1 --style-image coffee.png")


def test_losses_by_kind_are_weighted_sums():
    terms = [Namespace(kind=kind, name=kind) for kind in ("style", "style", "content")]
    objective = Objective(Namespace(arrays=None), terms, [2, 3, 5], [("tv", None)])
    assert objective.by_kind(np.array([1.0, 10, 100, 7])) == {"style": 32, "content": 500, "tv": 7}


@pytest.mark.parametrize("kind, flags, of_value, of_gradient", ENGINES)
def test_another_content_can_take_the_place_of_the_first(kind, flags, of_value, of_gradient, small, tmp_path):
    photos = [tmp_path / name for name in ("chelsea.png", "coffee.png")]
    for path in photos:
        images.save_picture(getattr(skimage.data, path.stem)()[:200, :300], path)

    def objective(photo):
        return objective_of(
            f"--content-image {photo} --style-image {photos[0]} --model-params {small} --max-long-edge {EDGE} "
            f"--style-weight 1e-9 {flags}"
        )

    (ours, _), (expected, coffee) = map(objective, photos)
    image = image_near(coffee)
    before, wanted = evaluated(ours, image).total, evaluated(expected, image)
    ours.compare_with(coffee)
    assert_near(evaluated(ours, image), wanted.total, wanted.gradient, of_value, of_gradient)
    assert before != pytest.approx(wanted.total, rel=0.1)


@pytest.mark.parametrize("term", [absolute, squared])
def test_the_formulas_for_neighbours_have_their_gradients(term):
    image, direction = np.random.RandomState(1).standard_normal((2, 1, 3, 9, 7))
    (after, _), (before, _) = (term(image + side * 1e-6 * direction, 3.0) for side in (1, -1))
    assert (after - before) / 2e-6 == pytest.approx((term(image, 3.0)[1] * direction).sum(), rel=1e-6)
