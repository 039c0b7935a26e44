"""The objective and every recipe against independent NumPy in float64: values by formula, and gradients."""
import json

import numpy as np
import pytest
from skimage.transform import resize

import skimage.data
from neural_style import model_vgg16, model_vgg19, nstyle
from neural_style.layers import features
from neural_style.network import find_model, architecture as networks, normalise
from neural_style.objective import objective
from neural_style.options import parse as options
from neural_style.pictures import images
from neural_style.weights import params as params_file
from neural_style.system.errors import UsageError
from neural_style.find_mxnet import mx
from oracle import Vgg, content_term, gram, style_term

SMALL = ((3, 2), (4, 2), (5, 4), (6, 4), (7, 4))      # VGG19 with a few filters a layer
EDGE = 34       # pixels of the content's longer edge
STYLE = [f"relu{block}_1" for block in range(1, 6)]


@pytest.fixture
def small(monkeypatch, tmp_path):
    """VGG19 with few filters and random weights; the path of its weights file."""
    monkeypatch.setitem(networks.NETWORKS, "vgg19", SMALL)
    random, arrays = np.random.RandomState(1), {}
    for name, shape in networks.array_shapes(SMALL).items():
        scale = np.sqrt(2 / np.prod(shape[1:])) if len(shape) > 1 else 0.5
        arrays["arg:" + name] = (random.standard_normal(shape) * scale).astype("float32")
    params_file.write(tmp_path / "small.params", arrays)
    return tmp_path / "small.params"


def weights_of(path):
    return {name[4:]: array.astype("float64") for name, array in params_file.read(path).items()}


def evaluate(pictures, path, words, image_scale=0.7):
    """Our Evaluation for a command line, with the Objective, the image it was made at and the content in use."""
    words = ["--content-image", str(pictures / "chelsea.png"), "--max-long-edge", str(EDGE), "--model", "vgg19",
             "--model-params", str(path)] + words
    args = options.complete(options._parser().parse_args(words))
    content = images.PreprocessContentImage(args.content_image, args.max_long_edge)
    ours = nstyle.make_objective(args, content, nstyle.styles_of(args, content), mx.cpu())
    image = content * image_scale + np.random.RandomState(5).uniform(-20, 20, content.shape)
    return ours(mx.nd.array(image)), ours, image, content


def total(weights, image, content, pooling, style, content_layer, extra=None):
    """Value and gradient of Σ style + content; style: {layer: (target, weight)}, content_layer: (layer, weight)."""
    network, value, slopes = Vgg(weights, SMALL, image, pooling), 0.0, {}
    for layer, (target, weight) in style.items():
        part, slopes[layer] = style_term(network.layers[layer], target, weight)
        value += part
    if content_layer:
        layer, weight = content_layer
        target = Vgg(weights, SMALL, content, pooling).layers[layer]
        part, slope = content_term(network.layers[layer], target, weight)
        value, slopes[layer] = value + part, slopes.get(layer, 0) + slope
    gradient = network.gradient(slopes)
    for part, slope in extra or ():
        value, gradient = value + part, gradient + slope
    return value, gradient


def counts(weights, content, layers, pooling="avg"):
    """{layer: (N, M)} for the image."""
    network = Vgg(weights, SMALL, content, pooling)
    return {layer: (len(network.layers[layer]), network.layers[layer][0].size) for layer in layers}


def network_range(picture):
    return (picture * 256 - images.MEANS).transpose(2, 0, 1)[None]


def stretched(picture, content):
    return network_range(resize(picture, content.shape[2:]))


def by_finite_differences(function, image, step=1e-4):
    """The gradient of an independent value function, pixel by pixel."""
    gradient = np.zeros_like(image)
    for index in np.ndindex(image.shape):
        moved = image.copy()
        moved[index] += step
        up = function(moved)
        moved[index] -= 2 * step
        gradient[index] = (up - function(moved)) / (2 * step)
    return function(image), gradient


def assert_same(evaluation, expected):
    value, gradient = expected
    assert evaluation.total == pytest.approx(value, rel=1e-4)
    difference = evaluation.gradient.asnumpy() - gradient
    assert np.linalg.norm(difference) < 1e-4 * np.linalg.norm(gradient)


COFFEE, ROCKET = skimage.data.coffee(), skimage.data.rocket()       # 400 × 600 and 427 × 640; the content is 300 × 451


@pytest.mark.parametrize("recipe", ["reference", "reference-2015"])
def test_reference_recipes(small, pictures, recipe):
    ours, bound, image, content = evaluate(pictures, small, ["--recipe", recipe] + options_of(recipe) + [
        "--style-image", str(pictures / "coffee.png"), "--clip-gradient", "0"])
    weights = weights_of(small)
    target = Vgg(weights, SMALL, stretched(COFFEE, content)).layers
    style = {layer: (gram(target[layer]), 1 / (n * n * m))
             for layer, (n, m) in counts(weights, content, STYLE).items()}
    slope = 0.01 * laplacian(image)
    assert_same(ours, total(weights, image, content, "avg", style, ("relu4_2", 10),
                            [((image * slope).sum() / 2, slope)]))
    assert bound.kinds == ["style"] * 5 + ["content", "image"] and bound.names[:6] == STYLE + ["relu4_2"]


def options_of(recipe):
    """A recipe's flags as words, without those that the test's own network decides."""
    from neural_style import recipes
    words = recipes.words(recipe)
    return [word for i, word in enumerate(words) if word != "--model" and words[i - 1] != "--model"]


def test_gatys(small, pictures):
    ours, _, image, content = evaluate(pictures, small, options_of("gatys") + [
        "--style-image", str(pictures / "coffee.png")])
    weights = weights_of(small.with_name("small-normalised.params"))
    target = Vgg(weights, SMALL, stretched(COFFEE, content)).layers
    style = {layer: (gram(target[layer]), 0.2 / (4 * n ** 2 * m ** 2))
             for layer, (n, m) in counts(weights, content, STYLE).items()}
    assert_same(ours, total(weights, image, content, "avg", style, ("relu4_2", 1e-3 / 2)))


@pytest.mark.parametrize("recipe", ["gluon", "gluon-tv"])
def test_gluon(small, pictures, recipe):
    ours, _, image, content = evaluate(pictures, small, options_of(recipe) + [
        "--style-image", str(pictures / "coffee.png"), "--max-long-edge", str(EDGE)])
    weights, layers = weights_of(small), ["conv1_2", "conv2_2", "conv3_4", "conv4_4", "conv5_4"]
    target = Vgg(weights, SMALL, stretched(COFFEE, content), "max").layers
    style = {layer: (gram(target[layer]), 0.2 / (4 * n * m))
             for layer, (n, m) in counts(weights, content, layers, "max").items()}

    def variation(x):
        return 1e-3 * (np.abs(np.diff(x, axis=2)).sum() + np.abs(np.diff(x, axis=3)).sum())
    extra = [by_finite_differences(variation, image)] if recipe == "gluon-tv" else []
    assert_same(ours, total(weights, image, content, "max", style, ("conv4_2", 1e-4 / 2), extra))


def test_fastai(small, pictures):
    ours, _, image, content = evaluate(pictures, small, options_of("fastai") + [
        "--style-image", str(pictures / "rocket.png")])
    weights, layers = weights_of(small), ["relu1_2", "relu2_2", "relu3_4", "relu4_4", "relu5_4"]
    height, width = content.shape[2:]
    ratio = max(height / ROCKET.shape[0], width / ROCKET.shape[1])
    whole = resize(ROCKET, (max(height, int(ROCKET.shape[0] * ratio)), max(width, int(ROCKET.shape[1] * ratio))))
    target = Vgg(weights, SMALL, network_range(whole[:height, :width]), "max").layers
    sizes = counts(weights, content, layers, "max")
    style = {layer: (gram(target[layer]), (1e6 / (n * m)) ** 2 / n ** 2) for layer, (n, m) in sizes.items()}
    n, m = sizes["relu4_4"]
    assert_same(ours, total(weights, image, content, "max", style, ("relu4_4", 1e6 / (n * m))))


def test_athalye_with_two_styles_of_other_sizes(small, pictures):
    ours, _, image, content = evaluate(pictures, small, options_of("athalye") + [
        "--style-image", str(pictures / "coffee.png"), str(pictures / "rocket.png"),
        "--style-blend-weights", "3", "1", "--style-scales", "1.5", "0.8"])
    weights, value, gradient = weights_of(small), 0.0, 0.0
    sizes = counts(weights, content, STYLE, "max")
    n, m = counts(weights, content, ["relu4_2"], "max")["relu4_2"]
    for picture, share, scale in ((COFFEE, 0.75, 1.5), (ROCKET, 0.25, 0.8)):
        width = int(content.shape[3] * scale)
        fitted = network_range(resize(picture, (int(picture.shape[0] / picture.shape[1] * width), width)))
        assert fitted.shape != content.shape
        target = Vgg(weights, SMALL, fitted, "max").layers
        # mean square of Gram/size − style's Gram/its own size, written as a sum of squares over the image's Gram
        style = {layer: (gram(target[layer]) / target[layer].size * (n_ * m_), 100 * share / n_ ** 2 / (n_ * m_) ** 2)
                 for layer, (n_, m_) in sizes.items()}
        part, slope = total(weights, image, content, "max", style, None)
        value, gradient = value + part, gradient + slope

    def variation(x):
        return 100 * (np.square(np.diff(x, axis=2)).mean() + np.square(np.diff(x, axis=3)).mean())
    part, slope = total(weights, image, content, "max", {}, ("relu4_2", 5 / (n * m)),
                        [by_finite_differences(variation, image)])
    assert_same(ours, (value + part, gradient + slope))


def test_reconstructions(small, pictures):
    ours, bound, image, content = evaluate(pictures, small, options_of("content-only"), image_scale=2)
    weights = weights_of(small)

    def regulariser(x):
        return (1e3 * (np.square(np.diff(x, axis=2)).mean() + np.square(np.diff(x, axis=3)).mean())
                + 1e4 * np.mean((x / 80) ** 6))
    assert_same(ours, total(weights, image, content, "avg", {}, ("relu4_2", 0.5),
                            [by_finite_differences(regulariser, image)]))
    assert bound.kinds == ["content", "image", "image"]

    ours, bound, image, content = evaluate(pictures, small, options_of("style-only") + [
        "--style-image", str(pictures / "coffee.png"), "--style-layers", "relu2_1", "conv3_2",
        "--style-layer-weights", "1", "4", "--fit", "stretch"])
    target = Vgg(weights, SMALL, stretched(COFFEE, content)).layers
    style = {layer: (gram(target[layer]), {"relu2_1": 1, "conv3_2": 4}[layer] / (4 * n ** 2 * m ** 2))
             for layer, (n, m) in counts(weights, content, ["relu2_1", "conv3_2"]).items()}
    assert_same(ours, total(weights, image, content, "avg", style, None))
    assert bound.kinds == ["style", "style"]


def test_a_single_term_has_its_gradient(small, pictures):
    ours, bound, image, content = evaluate(pictures, small, ["--style-weight", "0", "--tv-weight", "0",
                                                             "--clip-gradient", "0"])
    assert len(bound.weights) == 1 and ours.gradient_norm > 0
    assert_same(ours, total(weights_of(small), image, content, "avg", {}, ("relu4_2", 10)))


def test_losses_vanish_at_the_targets(small, pictures):
    words = ["--style-image", str(pictures / "chelsea.png"), "--tv-weight", "0"]
    _, bound, _, content = evaluate(pictures, small, words)
    at_target = bound(mx.nd.array(content))
    assert not at_target.losses.any() and at_target.gradient_norm == 0


def test_clipping_comes_before_the_terms_of_the_image(small, pictures):
    words = ["--style-image", str(pictures / "coffee.png")]
    raw, _, image, _ = evaluate(pictures, small, words + ["--tv-weight", "0", "--clip-gradient", "0"])
    limit = raw.gradient_norm / image.size / 2
    clipped, _, _, _ = evaluate(pictures, small, words + ["--tv-weight", "0", "--clip-gradient", str(limit)])
    with_tv, _, _, _ = evaluate(pictures, small, words + ["--tv-weight", "0.5", "--clip-gradient", str(limit)])
    np.testing.assert_allclose(clipped.gradient.asnumpy(), raw.gradient.asnumpy() / 2, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose((with_tv.gradient - clipped.gradient).asnumpy(), 0.5 * laplacian(image), atol=1e-2)
    default, bound, _, _ = evaluate(pictures, small, words)
    assert bound._largest_norm == image.size


def laplacian(image):
    padded = np.pad(image, ((0, 0), (0, 0), (1, 1), (1, 1)))
    return (4 * image - padded[..., :-2, 1:-1] - padded[..., 2:, 1:-1]
            - padded[..., 1:-1, :-2] - padded[..., 1:-1, 2:]) / 8


def test_blending_changes_no_value():
    random = np.random.RandomState(0)
    grams, image = [random.standard_normal((4, 4)) for _ in range(3)], random.standard_normal((4, 4))
    shares = [0.5, 0.3, 0.2]
    mean, rest = objective.blend([mx.nd.array(g) for g in grams], shares)
    expected = sum(share * np.square(image - g).sum() for share, g in zip(shares, grams))
    assert np.square(image - mean.asnumpy()).sum() + rest == pytest.approx(expected, rel=1e-5)


def test_sizes_that_are_too_small_are_named(small, pictures):
    with pytest.raises(UsageError, match="content picture of 20x13 is too small .* 16 pixels"):
        evaluate(pictures, small, ["--max-long-edge", "20", "--style-image", str(pictures / "coffee.png")])
    with pytest.raises(UsageError, match="style picture of 3x2 is too small"):
        evaluate(pictures, small, ["--fit", "scale", "--style-scales", "0.1",
                                   "--style-image", str(pictures / "coffee.png")])


def test_layers_by_name(small):
    model = find_model.Model("vgg19", mx.cpu(), small)
    assert model.resolve("relu3_last") == "relu3_4" and model.resolve("conv1_last") == "conv1_2"
    with pytest.raises(UsageError, match="no layer relu9_1; --list-layers"):
        model.resolve("relu9_1")
    assert find_model.layers_of(model_vgg16)[-1] == "relu5_3" and "conv3_4" not in find_model.layers_of(model_vgg16)
    assert find_model.layers_of(model_vgg19)[-1] == "relu5_4"


def test_of_several_models_the_first_with_weights_is_taken(small, monkeypatch, caplog):
    caplog.set_level("INFO", "neural_style")
    monkeypatch.setattr(find_model.weights, "places", lambda name: [] if name == "vgg16" else [small])
    assert "relu5_4" in find_model.Model("vgg16,vgg19", mx.cpu())._layers
    with pytest.raises(UsageError, match="of which of vgg16 and vgg19"):
        find_model.Model("vgg16,vgg19", mx.cpu(), small)
    assert "no weights for vgg16" in caplog.text


def test_vgg16_is_bound_with_its_own_weights(monkeypatch, tmp_path, pictures):
    blocks = ((3, 2), (4, 2), (5, 3), (6, 3), (7, 3))
    monkeypatch.setitem(networks.NETWORKS, "vgg16", blocks)
    random = np.random.RandomState(2)
    arrays = {name: random.standard_normal(shape).astype("float32") / 3
              for name, shape in networks.array_shapes(blocks).items()}
    params_file.write(tmp_path / "vgg16.params", arrays)
    model = find_model.Model("vgg16", mx.cpu(), tmp_path / "vgg16.params", "max")
    image, ours = random.uniform(-50, 50, (1, 3, 21, 26)), []
    features.features_of(model, ["conv3_3", "relu5_3"], (21, 26)).forward(
        image, lambda layer, output, window, empty: ours.append(output))
    network = Vgg({name: array.astype("float64") for name, array in arrays.items()}, blocks, image, "max").layers
    for output, layer in zip(ours, ("conv3_3", "relu5_3")):
        np.testing.assert_allclose(output.asnumpy()[0], network[layer], rtol=1e-3, atol=np.abs(network[layer]).max() * 1e-5)


def test_a_file_that_ends_early_is_named(small, tmp_path):
    arrays = {name: array for name, array in params_file.read(small).items() if name[4:11] not in (
        "conv5_2", "conv5_3", "conv5_4")}
    params_file.write(tmp_path / "short.params", arrays)
    model = find_model.Model("vgg19", mx.cpu(), tmp_path / "short.params")
    model.bind(model.outputs(["relu5_1", "relu4_2"]), (32, 32))
    with pytest.raises(UsageError, match="has no conv5_2_weight"):
        model.bind(model.outputs(["relu5_4"]), (32, 32))


def test_normalising_scales_each_filter_and_changes_no_output(small, tmp_path):
    """Each filter's mean becomes 1; what the last layer sees, and so what it computes, stays the same."""
    weights = weights_of(small)
    images_ = [np.random.RandomState(i).uniform(-100, 100, (1, 3, 24 + i, 31)) for i in range(2)]
    means = normalise.mean_activations({name: array.astype("float32") for name, array in weights.items()}, images_)
    networks_ = [Vgg(weights, SMALL, image).layers for image in images_]
    for name, mean in means.items():
        features = [network[name.replace("conv", "relu")] for network in networks_]
        expected = sum(f.sum((1, 2)) for f in features) / sum(f[0].size for f in features)
        np.testing.assert_allclose(mean, expected, rtol=1e-3, atol=1e-4)

    del means["conv5_4"]        # left as it is, it shows that the scales below cancel
    scaled = normalise.scaled({name: array.astype("float32") for name, array in weights.items()}, means)
    scaled = {name: array.astype("float64") for name, array in scaled.items()}
    for pooling in ("avg", "max"):
        before, after = (Vgg(w, SMALL, images_[0], pooling).layers for w in (weights, scaled))
        np.testing.assert_allclose(after["conv5_4"], before["conv5_4"], rtol=1e-4, atol=1e-4)
    after = [Vgg(scaled, SMALL, image).layers["relu3_2"] for image in images_]
    mean = sum(f.sum((1, 2)) for f in after) / sum(f[0].size for f in after)
    alive = means["conv3_2"] > np.median(means["conv3_2"]) / 100
    assert alive.sum() >= 3
    np.testing.assert_allclose(mean[alive], 1, rtol=1e-3)


def test_the_command_that_normalises(small, pictures, tmp_path, capsys):
    from neural_style.weights import pretrained as weights
    output = tmp_path / "own.params"
    words = ["normalise", str(small), "--output", str(output), "--pictures", str(pictures / "coffee.png")]
    assert weights.main(words) == 0 and capsys.readouterr().out.strip() == str(output)
    picture = images.PreprocessContentImage(pictures / "coffee.png", normalise.LONG_EDGE)
    arrays = {name[4:]: array for name, array in params_file.read(output).items()}
    mean = normalise.mean_activations(arrays, [picture])["conv1_2"]
    assert mean[mean > 0.5] == pytest.approx(1, rel=1e-3) and (mean > 0.5).sum() >= 2
    before = output.read_bytes()
    assert weights.main(words) == 2 and output.read_bytes() == before and "--force" in capsys.readouterr().err


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
    gram_, scales = objective.style_gram_symbol((40, 64), style)
    _, shapes, _ = gram_.infer_shape(data=(1, 3, 40, 64))
    assert shapes == [(64, 64), (128, 128), (256, 256), (512, 512), (512, 512)]
    assert scales == [64 * 40 * 64 * 64, 128 * 20 * 32 * 128, 256 * 10 * 16 * 256, 512 * 5 * 8 * 512, 512 * 2 * 4 * 512]
    assert [op for op, _ in nodes(gram_).values()].count("FullyConnected") == 5
    style_loss, content_loss = objective.get_loss(gram_, content)
    assert [name for name in style_loss.list_arguments() if "target" in name] == [f"target_gram_{i}" for i in range(5)]
    assert "target_content" in content_loss.list_arguments()
    assert len(style_loss.list_outputs()) == 5 and len(content_loss.list_outputs()) == 1


def test_get_model_gives_the_features(small, monkeypatch):
    params = model_vgg19.get_params(small)
    monkeypatch.setattr(model_vgg19, "get_params", lambda path=None, ctx=None, network=None: params)
    network = model_vgg19.get_model((19, 23), mx.cpu())
    image = np.random.RandomState(3).uniform(-50, 50, (1, 3, 19, 23))
    network.data[:] = image
    network.executor.forward()
    layers = Vgg(weights_of(small), SMALL, image).layers
    for output, layer in zip(network.style + [network.content], STYLE + ["relu4_2"]):
        np.testing.assert_allclose(output.asnumpy()[0], layers[layer], rtol=1e-3, atol=np.abs(layers[layer]).max() * 1e-5)
    assert network.data_grad.shape == image.shape and network.arg_dict["conv1_1_weight"] is params["conv1_1_weight"]


def test_the_names_are_the_flags():
    checks = {flag.names: flag.check for flag in options.FLAGS}
    for flag, names in {"--style-norm": objective.STYLE_NORMS, "--content-norm": objective.CONTENT_NORMS,
                        "--fit": images.FITS}.items():
        assert checks[flag].says == "one of " + ", ".join(names)
