"""The reference's graph: its symbols, how several styles become one target, and that a default run goes this way."""

import functools
import json
from argparse import Namespace

import numpy as np
import pytest

from neural_style import model_vgg19, nstyle
from neural_style.find_mxnet import mx
from neural_style.network.model import Model
from neural_style.objective import graph, image_terms
from neural_style.objective.examples import Pictures, Style
from neural_style.objective.terms import CONTENT, STYLE, Term


def nodes(symbol):
    return {node["name"]: (node["op"], node.get("attrs", {})) for node in json.loads(symbol.tojson())["nodes"]}


def test_network_is_the_references():
    style, content = model_vgg19.get_symbol()
    assert style.list_outputs() == [f"relu{block}_1_output" for block in range(1, 6)]
    assert content.list_outputs() == ["relu4_2_output"]
    network = nodes(mx.sym.Group([style, content]))
    convolutions = [name for name, (op, _) in network.items() if op == "Convolution"]
    assert convolutions == [
        f"conv{name}"
        for name in ("1_1", "1_2", "2_1", "2_2", "3_1", "3_2", "3_3", "3_4", "4_1", "4_2", "4_3", "4_4", "5_1")
    ]
    for name in convolutions:
        attributes = network[name][1]
        assert attributes["kernel"] == "(3, 3)" and attributes["pad"] == "(1, 1)" and attributes["stride"] == "(1, 1)"
        assert network[name.replace("conv", "relu")] == ("Activation", {"act_type": "relu"})
        assert {name + "_weight", name + "_bias"} < set(network)
    pools = {name: attributes for name, (op, attributes) in network.items() if op == "Pooling"}
    assert list(pools) == ["pool1", "pool2", "pool3", "pool4"]
    for attributes in pools.values():
        assert attributes["pool_type"] == "avg" and attributes["kernel"] == attributes["stride"] == "(2, 2)"


def test_gram_and_loss_symbols():
    style, content = model_vgg19.get_symbol()
    gram, scales = graph.style_gram_symbol((40, 64), style)
    _, shapes, _ = gram.infer_shape(data=(1, 3, 40, 64))
    assert shapes == [(64, 64), (128, 128), (256, 256), (512, 512), (512, 512)]
    assert scales == [64 * 40 * 64 * 64, 128 * 20 * 32 * 128, 256 * 10 * 16 * 256, 512 * 5 * 8 * 512, 512 * 2 * 4 * 512]
    assert [op for op, _ in nodes(gram).values()].count("FullyConnected") == 5
    style_loss, content_loss = graph.get_loss(gram, content)
    assert [name for name in style_loss.list_arguments() if "target" in name] == [f"target_gram_{i}" for i in range(5)]
    assert "target_content" in content_loss.list_arguments()
    assert len(style_loss.list_outputs()) == 5 and len(content_loss.list_outputs()) == 1


def test_blending_changes_no_value():
    random = np.random.RandomState(0)
    grams, image = [random.standard_normal((4, 4)) for _ in range(3)], random.standard_normal((4, 4))
    shares = [0.5, 0.3, 0.2]
    mean, rest = graph._blended([(share, mx.nd.array(gram)) for share, gram in zip(shares, grams)])
    expected = sum(share * np.square(image - gram).sum() for share, gram in zip(shares, grams))
    assert np.square(image - mean.asnumpy()).sum() + rest == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("pooling", ["avg", "max"])
@pytest.mark.parametrize(
    "style, content",
    [
        (["relu1_1", "conv1_2"], ["relu4_2"]),
        (["conv2_2", "relu3_1"], []),
        (["relu5_1"], []),
        ([], ["relu4_2", "conv1_1"]),
        (["relu4_2"], ["relu4_2"]),
    ],
)
def test_the_gradient_is_that_of_all_terms_together(small, style, content, pooling):
    """Layers of the model's own choice, and others: one network, however they meet."""
    random = np.random.RandomState(0)
    content_picture, style_picture, image = random.uniform(-100, 100, (3, 1, 3, 37, 40))
    pictures, image = Pictures(content_picture, [Style(style_picture)]), mx.nd.array(image)
    terms = [Term(STYLE, layer, 1, None) for layer in style] + [Term(CONTENT, layer, 1, None) for layer in content]
    model = Model("vgg19", mx.cpu(), small, pooling)

    def evaluated(terms):
        losses, gradient = graph.Graph(model, terms, [1e-6 if term.kind == STYLE else 1 for term in terms], pictures)(
            image
        )
        return losses, gradient.asnumpy()

    losses, gradient = evaluated(terms)
    alone = [evaluated([term]) for term in terms]
    assert losses == [loss for (loss,), _ in alone]
    expected = sum(own for _, own in alone)
    assert np.linalg.norm(gradient - expected) < 1e-5 * np.linalg.norm(expected)


def test_a_default_run_goes_through_the_references_functions(small, thumbnails, tmp_path, monkeypatch):
    called = []

    def trace(module, name):
        original = getattr(module, name)

        @functools.wraps(original)
        def traced(*args, **kwargs):
            called.append(name)
            return original(*args, **kwargs)

        monkeypatch.setattr(module, name, traced)

    parts = [
        (model_vgg19, "get_symbol"),
        (graph, "style_gram_symbol"),
        (graph, "get_loss"),
        (model_vgg19, "get_executor"),
        (image_terms, "get_tv_grad_executor"),
    ]
    for part in parts:
        trace(*part)
    nstyle.train_nstyle(
        Namespace(
            content_image=str(thumbnails / "chelsea.png"),
            style_image=str(thumbnails / "coffee.png"),
            model_params=str(small),
            output_dir=str(tmp_path),
            max_long_edge=48,
            max_num_epochs=1,
        )
    )
    assert set(called) == {name for _, name in parts}
    assert called.count("get_executor") == 3  # for the style, the content, and the image
