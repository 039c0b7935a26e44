"""The engine of layers: near the graph with filters of full size, and strips for terms that reach beyond them."""

import numpy as np
import pytest
from commands import a_run
from objectives import objective_of

from neural_style import nstyle
from neural_style.find_mxnet import mx
from neural_style.layers import engine, losses
from neural_style.network.model import Model
from neural_style.objective import engines
from neural_style.objective.examples import Pictures, Style
from neural_style.objective.terms import CONTENT, STYLE, Term

HAS_BF16 = engines.fastest()[0] == "bf16"


def parted(ours, theirs):
    return np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)


@pytest.fixture(scope="module")
def evaluated(random_params, pictures):
    """evaluated(flags): losses, total and gradient with filters of full size."""
    found = {}

    def run(flags):
        if flags not in found:
            objective, content = objective_of(
                f"--content-image {pictures}/chelsea.png --style-image {pictures}/coffee.png --max-long-edge 90 "
                f"--model-params {random_params} --clip-gradient 0 {flags}"
            )
            evaluation = objective(mx.nd.array(content * 0.6))
            found[flags] = evaluation.total, evaluation.gradient.asnumpy()
        return found[flags]

    return run


@pytest.mark.parametrize(
    "flags, of_value, of_gradient",
    [
        ("--tile 16", 1e-5, 1e-4),
        ("--tile 31", 1e-5, 1e-4),
        ("--tile 40", 1e-5, 1e-4),
        ("--precision fast32", 1e-5, 2e-3),
        ("--precision fast32 --tile 40", 1e-5, 2e-3),
        *(
            pytest.param(
                f"--precision bf16{tile}",
                0.02,
                0.1,
                marks=pytest.mark.skipif(not HAS_BF16, reason="this processor has no bfloat16"),
            )
            for tile in ("", " --tile 20")
        ),
    ],
)
def test_near_the_graph(evaluated, flags, of_value, of_gradient):
    value, gradient = evaluated("")
    near, slope = evaluated(flags)
    assert near == pytest.approx(value, rel=of_value)
    assert (1e-5 if "bf16" in flags else 0) < parted(slope, gradient) < of_gradient


class Nothing:
    """Observes nothing."""

    def __init__(self, *_):
        pass

    observe = value = __init__


class Smoothness:
    """scale·Σ (features − those two rows below)²."""

    observer, reach = Nothing, 2

    def __init__(self, term, examples, field, scale):
        self._scale = scale

    def begin(self):
        self._sum = 0.0

    def _difference(self, features):
        rows = features.asnumpy()
        return rows[:, :, 2:] - rows[:, :, :-2]

    def observe(self, features, window, empty):
        self._sum += np.square(self._difference(features)[:, :, slice(*window.core())]).sum()

    def loss(self):
        return self._sum

    def gradient(self, features, window, empty):
        gradient, slope = np.zeros(features.shape), 2 * self._scale * self._difference(features)
        gradient[:, :, 2:] += slope
        gradient[:, :, :-2] -= slope
        return mx.nd.array(gradient)


@pytest.mark.parametrize("pooling", ["avg", "max"])
@pytest.mark.parametrize("tile", [16, 20])
@pytest.mark.parametrize("layers", [["relu1_2"], ["conv1_1", "relu2_2", "conv3_1"]])
def test_a_term_that_reaches_beyond_its_strip(small, monkeypatch, layers, tile, pooling):
    monkeypatch.setitem(losses.LOSSES, "smoothness", Smoothness)
    random = np.random.RandomState(4)
    content, style, image = random.uniform(-100, 100, (3, 1, 3, 97, 40)).astype("float32")
    terms = [Term(STYLE, "relu2_2", 1, None), Term(CONTENT, "relu1_2", 1, None)]
    terms += [Term(CONTENT, layer, 1, None, "smoothness") for layer in layers]
    scales = [1e-9, 1] + [1.0] * len(layers)
    whole, strips = (
        engine.Layers(
            Model("vgg19", mx.cpu(), small, pooling), terms, scales, Pictures(content, [Style(style)]), tile=rows
        )
        for rows in (None, tile)
    )
    (values, gradient), (ours, slope) = (one(mx.nd.array(image / 2)) for one in (whole, strips))
    np.testing.assert_allclose(ours, values, rtol=1e-5)
    assert parted(slope.asnumpy(), gradient.asnumpy()) < 1e-5


def test_a_term_that_needs_the_whole_picture_is_not_for_strips(small, pictures, monkeypatch, tmp_path, capsys):
    model, terms = Model("vgg19", mx.cpu(), small), [Term(STYLE, "relu2_1", 1, None), Term(CONTENT, "relu4_2", 1, None)]
    why_not = engine.Layers.why_not
    assert not why_not(model, terms, in_strips=True)
    monkeypatch.setattr(losses.GramLoss, "reach", None)
    assert not why_not(model, terms, in_strips=False) and not why_not(model, terms[1:], in_strips=True)
    assert "whole picture" in why_not(model, terms, in_strips=True)
    words = a_run(pictures, small, f"--gpu -1 --max-long-edge 48 --output_dir {tmp_path}/out --quiet")
    assert nstyle.main(words + ["--tile", "16"]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("neural-style: error: --tile 16: ") and not (tmp_path / "out" / "final.jpg").exists()
    assert nstyle.main(words + ["--precision", "fast32", "--max-num-epochs", "1"]) == 0
