"""The objective against independent NumPy: values by formula, gradients by finite differences, in float64."""
import json

import numpy as np
import pytest

from neural_style import model_vgg19, objective
from neural_style.errors import UsageError
from neural_style.find_mxnet import mx

SMALL = ((2, 3), (2, 4), (4, 5), (4, 6), (1, 7))      # VGG19 with a few filters a layer
SIZE = (19, 23)


@pytest.fixture
def small(monkeypatch):
    """The network with few filters, its random weights, and the function that binds it."""
    monkeypatch.setattr(model_vgg19, "BLOCKS", SMALL)
    network = mx.sym.Group(list(model_vgg19.get_symbol()))
    shapes, _, _ = network.infer_shape(data=(1, 3) + SIZE)
    random = np.random.RandomState(1)
    weights = {name: random.standard_normal(shape) * (0.5 if name.endswith("weight") else 3)
               for name, shape in zip(network.list_arguments(), shapes) if name != "data"}
    params = {name: mx.nd.array(array) for name, array in weights.items()}
    return weights, lambda style, content: model_vgg19.get_executor(style, content, SIZE, mx.cpu(), params)


def convolve(x, kernels, bias):
    """3×3 convolution with zero padding: x (C, H, W), kernels (out, C, 3, 3) → (out, H, W)."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    height, width = x.shape[1:]
    return bias[:, None, None] + sum(
        np.tensordot(kernels[:, :, i, j], padded[:, i:i + height, j:j + width], 1) for i in range(3) for j in range(3))


def average_pool(x):
    height, width = x.shape[1] // 2 * 2, x.shape[2] // 2 * 2
    return sum(x[:, i:height:2, j:width:2] for i in range(2) for j in range(2)) / 4


def numpy_features(weights, image):
    """relu1_1, relu2_1, relu3_1, relu4_1, relu5_1 and relu4_2 of one (1, 3, H, W) image."""
    x, layers = image[0], {}
    for block, (convolutions, _) in enumerate(SMALL, 1):
        x = average_pool(x) if block > 1 else x
        for index in range(1, convolutions + 1):
            name = f"conv{block}_{index}"
            x = np.maximum(convolve(x, weights[name + "_weight"], weights[name + "_bias"]), 0)
            layers[f"relu{block}_{index}"] = x
    return [layers[f"relu{block}_1"] for block in range(1, 6)], layers["relu4_2"]


def numpy_gram(features):
    matrix = features.reshape(len(features), -1)
    return matrix @ matrix.T


def numpy_losses(weights, image, content_picture, style_picture):
    """Unweighted sums of squares and the weights 1/(C·H·W·C) of the style layers, by the formula."""
    style, content = numpy_features(weights, image)
    style_targets, _ = numpy_features(weights, style_picture)
    _, content_target = numpy_features(weights, content_picture)
    losses = [np.square(numpy_gram(t) - numpy_gram(f)).sum() for f, t in zip(style, style_targets)]
    return (np.array(losses + [np.square(content_target - content).sum()]),
            np.array([1 / (f.shape[0] ** 2 * f.shape[1] * f.shape[2]) for f in style]))


def pictures(count=3, scale=60):
    random = np.random.RandomState(7)
    return [random.uniform(-scale, scale, (1, 3) + SIZE) for _ in range(count)]


def numpy_total(weights, image, content, style, content_weight, style_weight):
    losses, scales = numpy_losses(weights, image, content, style)
    return losses @ np.append(style_weight * scales, content_weight)


def test_losses_and_gradient(small):
    weights, bind = small
    image, content, style = pictures()
    bound = objective.Objective(model_vgg19, bind, content, style, 10, 2, 0, mx.cpu())
    bound._largest_norm = np.inf
    losses, gradient, norm = bound(mx.nd.array(image))
    expected, scales = numpy_losses(weights, image, content, style)
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    np.testing.assert_allclose(bound.weights, np.append(2 * scales, 10), rtol=1e-12)

    gradient = gradient.asnumpy().astype("float64")
    assert norm == pytest.approx(np.linalg.norm(gradient), rel=1e-5)
    random = np.random.RandomState(3)
    for direction in [gradient / np.linalg.norm(gradient)] + [random.standard_normal(image.shape) for _ in range(5)]:
        step = 1e-5 * direction
        slope = (numpy_total(weights, image + step, content, style, 10, 2)
                 - numpy_total(weights, image - step, content, style, 10, 2)) / 2e-5
        assert (gradient * direction).sum() == pytest.approx(slope, rel=1e-3)


def test_losses_vanish_at_the_targets(small):
    _, bind = small
    content, style = pictures(2)
    at_style = objective.Objective(model_vgg19, bind, content, style, 0, 1, 0, mx.cpu())(mx.nd.array(style))
    assert not at_style.losses[:5].any() and at_style.losses[5] > 0 and at_style.gradient_norm == 0
    at_content = objective.Objective(model_vgg19, bind, content, style, 1, 0, 0, mx.cpu())(mx.nd.array(content))
    assert at_content.losses[5] == 0 and at_content.losses[:5].all() and at_content.gradient_norm == 0


def test_clipping_comes_before_total_variation(small):
    _, bind = small
    image, content, style = pictures()

    def gradient(largest, tv_weight):
        bound = objective.Objective(model_vgg19, bind, content, style, 10, 2, tv_weight, mx.cpu())
        assert bound._largest_norm == image.size
        bound._largest_norm = largest or bound._largest_norm
        return bound(mx.nd.array(image))

    raw, clipped, with_tv = gradient(np.inf, 0), gradient(None, 0), gradient(None, 0.5)
    assert raw.gradient_norm > image.size
    expected = raw.gradient.asnumpy() * (image.size / raw.gradient_norm)
    np.testing.assert_allclose(clipped.gradient.asnumpy(), expected, rtol=1e-5)
    difference = with_tv.gradient.asnumpy() - clipped.gradient.asnumpy()
    np.testing.assert_allclose(difference, 0.5 * laplacian(image), atol=np.abs(expected).max() * 1e-5)


def laplacian(image):
    padded = np.pad(image, ((0, 0), (0, 0), (1, 1), (1, 1)))
    return (4 * image - padded[..., :-2, 1:-1] - padded[..., 2:, 1:-1]
            - padded[..., 1:-1, :-2] - padded[..., 1:-1, 2:]) / 8


def tv_gradient(image, weight=1.0):
    array = mx.nd.array(np.asarray(image, "float32"))
    executor = objective.get_tv_grad_executor(array, mx.cpu(), weight)
    executor.forward()
    return executor.outputs[0].asnumpy()


def test_tv_gradient_of_analytic_pictures():
    flat = tv_gradient(np.full((1, 3, 6, 7), 8.0))
    assert not flat[..., 1:-1, 1:-1].any()
    assert (flat[..., 0, 1:-1] == 1).all() and (flat[..., 1:-1, 0] == 1).all() and (flat[..., 0, 0] == 2).all()

    ramp = np.broadcast_to(np.arange(7.0), (1, 3, 6, 7)) + np.arange(6.0)[:, None] * 3
    assert np.abs(tv_gradient(ramp)[..., 1:-1, 1:-1]).max() < 1e-6

    point = np.zeros((1, 3, 5, 5))
    point[0, 1, 2, 2] = 16
    answer = tv_gradient(point, weight=0.25)
    assert answer[0, 1, 2, 2] == 2 and answer[0, 1, 2, 1] == answer[0, 1, 1, 2] == -0.5
    assert np.abs(answer).sum() == 4       # nothing elsewhere, nothing in the other channels

    board = np.indices((6, 6)).sum(0) % 2 * 2.0 - 1
    assert np.allclose(tv_gradient(board[None, None].repeat(3, 1))[0, :, 1:-1, 1:-1], board[1:-1, 1:-1])


@pytest.mark.parametrize("weight", [0, 0.0, -1])
def test_no_tv_executor_without_a_weight(weight):
    assert objective.get_tv_grad_executor(mx.nd.zeros((1, 3, 4, 4)), mx.cpu(), weight) is None


def test_smallest_size(small):
    _, bind = small
    style, _ = model_vgg19.get_symbol()
    assert objective.smallest_size(style) == 16
    narrow = np.zeros((1, 3, 40, 15))
    with pytest.raises(UsageError, match="15x40 is too small .* 16 pixels"):
        objective.Objective(model_vgg19, bind, narrow, narrow, 1, 1, 0, mx.cpu())


def nodes(symbol):
    return {node["name"]: (node["op"], node.get("attrs", {})) for node in json.loads(symbol.tojson())["nodes"]}


def test_network_is_the_references():
    style, content = model_vgg19.get_symbol()
    assert style.list_outputs() == [f"relu{block}_1_output" for block in range(1, 6)]
    assert content.list_outputs() == ["relu4_2_output"]
    network = nodes(mx.sym.Group([style, content]))
    convolutions = [name for name, (op, _) in network.items() if op == "Convolution"]
    assert convolutions == [f"conv{name}" for name in (
        "1_1", "1_2", "2_1", "2_2", "3_1", "3_2", "3_3", "3_4", "4_1", "4_2", "4_3", "4_4", "5_1")]
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
    gram, scales = objective.style_gram_symbol((40, 64), style)
    _, shapes, _ = gram.infer_shape(data=(1, 3, 40, 64))
    assert shapes == [(64, 64), (128, 128), (256, 256), (512, 512), (512, 512)]
    assert scales == [64 * 40 * 64 * 64, 128 * 20 * 32 * 128, 256 * 10 * 16 * 256, 512 * 5 * 8 * 512, 512 * 2 * 4 * 512]
    assert [op for op, _ in nodes(gram).values()].count("FullyConnected") == 5
    style_loss, content_loss = objective.get_loss(gram, content)
    assert [name for name in style_loss.list_arguments() if "target" in name] == [f"target_gram_{i}" for i in range(5)]
    assert "target_content" in content_loss.list_arguments()
    assert len(style_loss.list_outputs()) == 5 and len(content_loss.list_outputs()) == 1


def test_get_model_gives_the_features(small, monkeypatch):
    weights, _ = small
    params = {name: mx.nd.array(array) for name, array in weights.items()}
    monkeypatch.setattr(model_vgg19, "get_params", lambda path=None, ctx=None: params)
    network = model_vgg19.get_model(SIZE, mx.cpu())
    image = pictures(1)[0]
    network.data[:] = image
    network.executor.forward()
    style, content = numpy_features(weights, image)
    for output, expected in zip(network.style + [network.content], style + [content]):
        np.testing.assert_allclose(output.asnumpy()[0], expected, rtol=1e-3, atol=np.abs(expected).max() * 1e-5)
    assert network.data_grad.shape == image.shape and network.arg_dict["conv1_1_weight"] is params["conv1_1_weight"]
