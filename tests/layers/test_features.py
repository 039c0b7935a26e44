"""Layer by layer, in strips, in fast32 and in bfloat16: the same features and gradients as the bound graph."""
import logging
from argparse import Namespace

import numpy as np
import pytest

from neural_style import (arena, convolutions, features, find_model, images, machine, nstyle, options, plan, pyramid,
                          winograd)
from neural_style.system.errors import UsageError
from neural_style.find_mxnet import mx
from test_objective import small      # noqa: F401, a fixture

LAYERS = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1", "relu4_2"]
RANDOM = np.random.RandomState(3)


def walk(network, picture, heads):
    """{layer: features} of a picture, and its gradient for heads, {layer: array}."""
    seen = {}

    def see(layer, values, window, empty):
        core = values.asnumpy()[:, :, slice(*window.core())]
        seen.setdefault(layer, []).append(core)
    network.forward(picture, see)
    gradient = network.backward(lambda layer, values, window, empty: mx.nd.array(
        heads[layer][:, :, window.first:window.last]))
    return {layer: np.concatenate(parts, 2) for layer, parts in seen.items()}, gradient.asnumpy()


def close(ours, theirs, tolerance):
    return np.linalg.norm(ours - theirs) <= tolerance * np.linalg.norm(theirs)


@pytest.mark.parametrize("size", [(64, 48), (131, 50), (96, 33)])
@pytest.mark.parametrize("layers", [LAYERS, ["conv1_2", "conv3_3", "relu3_3"], ["relu4_4"], ["conv5_4", "relu1_2"],
                                    ["conv1_1", "conv3_1"]])
@pytest.mark.parametrize("tile", [None, 16, 20, 32])
def test_as_the_bound_graph(small, size, layers, tile):        # noqa: F811
    model = find_model.Model("vgg19", mx.cpu(), small)
    picture = RANDOM.uniform(-100, 100, (1, 3) + size)
    bound = features.Bound(model, layers, size)
    shapes = [output.shape for output in bound._bound.executor.outputs]
    heads = {layer: RANDOM.standard_normal(shape).astype("float32") for layer, shape in zip(layers, shapes)}
    expected, slope = walk(bound, picture, heads)
    ours = features.features_of(model, layers, size, tile=tile)
    assert isinstance(ours, features.LayerByLayer)
    for _ in range(2):      # the second time with everything made
        seen, gradient = walk(ours, picture, heads)
        assert all(close(seen[layer], expected[layer], 1e-5) for layer in layers)
        assert close(gradient, slope, 1e-5)


@pytest.mark.parametrize("height, rows, halo", [(400, 64, 4), (7, 16, 2), (131, 16, 4), (33, 20, 8), (2560, 128, 4)])
def test_windows_divide_the_rows(height, rows, halo):
    parts = features.windows(height, rows, halo)
    assert [part.core_first for part in parts] + [height] == [0] + [part.core_last for part in parts]
    for part in parts:
        assert part.first == max(0, part.core_first - halo) and part.last == min(height, part.core_last + halo)
        assert part.core_first % 2 == 0 and part.core_last - part.core_first <= 1.5 * rows + 2


def objective(pictures, path, **flags):
    args = options.complete(Namespace(
        content_image=str(pictures / "chelsea.png"), style_image=str(pictures / "coffee.png"), max_long_edge=90,
        model_params=str(path), clip_gradient=0, **flags))
    content = images.PreprocessContentImage(args.content_image, args.max_long_edge)
    image = mx.nd.array(content * 0.6)
    evaluation = nstyle.make_objective(args, content, nstyle.styles_of(args, content), mx.cpu())(image)
    return evaluation.total, evaluation.gradient.asnumpy()


@pytest.mark.parametrize("tile", [16, 31, 40])
def test_the_tiled_objective_is_the_whole_one(random_params, pictures, tile):
    value, gradient = objective(pictures, random_params)
    tiled, slope = objective(pictures, random_params, tile=tile)
    assert tiled == pytest.approx(value, rel=1e-5) and close(slope, gradient, 1e-4)


@pytest.mark.parametrize("tile", [None, 40])
def test_fast32_is_float32_in_another_order(random_params, pictures, tile):
    value, gradient = objective(pictures, random_params)
    near, slope = objective(pictures, random_params, precision="fast32", tile=tile)
    assert near == pytest.approx(value, rel=1e-5) and close(slope, gradient, 2e-3)
    assert not np.array_equal(slope, gradient)


@pytest.mark.parametrize("precision, kind", [
    ("float32", convolutions.Direct), ("fast32", convolutions.Turned), ("fast32", winograd.Winograd)])
@pytest.mark.parametrize("height, width", [(1, 1), (3, 9), (16, 20), (13, 22)])
def test_a_convolution_and_its_way_down(precision, kind, height, width, monkeypatch):
    monkeypatch.setattr(convolutions, "MANY", 1 if kind is winograd.Winograd else np.inf)
    monkeypatch.setattr(winograd, "MOST", 36 * 5 * 48)      # a row of tiles at a time
    weight, bias = RANDOM.standard_normal((48, 32, 3, 3)), RANDOM.standard_normal(48)
    features, gradient = (RANDOM.standard_normal((1, channels, height, width)) for channels in (32, 48))
    ours = convolutions.convolution(mx.nd.array(weight), mx.nd.array(bias), precision)
    assert type(ours) is kind
    padded = np.pad(features[0], ((0, 0), (1, 1), (1, 1)))
    expected, slope = np.zeros((48, height, width)) + bias[:, None, None], np.zeros(padded.shape)
    for i, j in np.ndindex(3, 3):
        window = np.s_[:, i:i + height, j:j + width]
        expected += np.tensordot(weight[:, :, i, j], padded[window], 1)
        slope[window] += np.tensordot(weight[:, :, i, j].T, gradient[0], 1)
    empty = arena.Arena(2 ** 24).empty
    assert close(ours.forward(mx.nd.array(features), empty).asnumpy()[0], expected, 1e-5)
    result = ours.backward(mx.nd.array(gradient), empty)
    ours.backward(mx.nd.array(gradient * 2), empty)        # in memory of its own
    assert close(result.asnumpy()[0], slope[:, 1:-1, 1:-1], 1e-5)


@pytest.mark.skipif(machine.precision("auto") != "bf16", reason="this processor has no bfloat16")
@pytest.mark.parametrize("tile", [None, 20])
def test_bfloat16_is_near(random_params, pictures, tile):
    value, gradient = objective(pictures, random_params)
    near, slope = objective(pictures, random_params, precision="bf16", tile=tile)
    assert near == pytest.approx(value, rel=0.02) and close(slope, gradient, 0.1)
    assert not close(slope, gradient, 1e-5)


def test_a_processor_without_bfloat16_says_so(monkeypatch):
    monkeypatch.setattr(machine, "instructions", lambda: ["avx2"])
    assert machine.precision("auto") == "fast32" and machine.precision("float32") == "float32"
    with pytest.raises(UsageError, match="--precision bf16: this processor .* leave it out"):
        machine.precision("bf16")


@pytest.mark.parametrize("flags", [{"tile": 32}, {"precision": "bf16"}, {"precision": "fast32"}])
def test_maximum_pools_cannot_go_layer_by_layer(random_params, pictures, flags, monkeypatch):
    monkeypatch.setattr(machine, "instructions", lambda: ["avx512_bf16"])
    with pytest.raises(UsageError, match="only the VGGs with average pools"):
        objective(pictures, random_params, pooling="max", **flags)


def test_automatic_precision_is_float32_in_a_graph(random_params, pictures):
    value, gradient = objective(pictures, random_params, pooling="max")
    same, slope = objective(pictures, random_params, pooling="max", precision="auto")
    assert same == value and np.array_equal(gradient, slope)


def test_strips_are_taken_where_the_whole_does_not_fit(caplog, random_params, monkeypatch):
    caplog.set_level(logging.INFO, "neural_style")
    monkeypatch.setattr(plan, "resident", lambda: 0)
    model = find_model.Model("vgg19", mx.cpu(), random_params)
    args = options.complete(Namespace())
    from test_plan import DEFAULT
    whole = plan.estimate(model, DEFAULT, (800, 1200), [(800, 1200)])
    plan.announce(args, model, DEFAULT, [(800, 1200)] * 2, mx.cpu(), free=0.7 * whole)
    assert args.tile in plan.TILES and f"--tile {args.tile}" in caplog.text
    args = options.complete(Namespace())
    plan.announce(args, model, DEFAULT, [(800, 1200)] * 2, mx.cpu(), free=2 * whole)
    assert args.tile is None
    with pytest.raises(UsageError, match="needs about"):
        plan.announce(args, model, DEFAULT, [(80000, 120000)] * 2, mx.cpu(), free=whole)


def test_a_pyramid_begins_small(random_params, pictures, tmp_path, monkeypatch):
    sizes, minimise = [], pyramid.images.PreprocessContentImage
    monkeypatch.setattr(images, "PreprocessContentImage", lambda *args: sizes.append(args[1]) or minimise(*args))
    flags = dict(content_image=str(pictures / "chelsea.png"), style_image=str(pictures / "coffee.png"), seed=1,
                 max_long_edge=130, model_params=str(random_params), max_num_epochs=2, stop_eps=0)
    nstyle.train_nstyle(Namespace(output_dir=str(tmp_path / "a"), pyramid=2, **flags))
    assert sizes == [130, 65, 32]
    nstyle.train_nstyle(Namespace(output_dir=str(tmp_path / "b"), **flags))
    a, b = (images.read_image(str(tmp_path / name / "final.jpg")) for name in "ab")
    assert a.shape == b.shape and not np.array_equal(a, b)
    nstyle.train_nstyle(Namespace(output_dir=str(tmp_path / "t"), pyramid=2, tile=16, **flags))
    assert np.abs(images.read_image(str(tmp_path / "t" / "final.jpg")).astype(float) - a).mean() < 1
    with pytest.raises(UsageError, match="--pyramid 1: .* take fewer levels"):
        nstyle.train_nstyle(Namespace(output_dir=str(tmp_path / "c"), pyramid=3, **flags))
    assert not (tmp_path / "c").exists()


def test_enlarging_keeps_a_picture_in_place():
    image = np.linspace(-100, 100, 20 * 30).reshape(1, 1, 20, 30).repeat(3, 1).astype("float32")
    large = pyramid.enlarged(image, (40, 60))
    assert large.shape == (1, 3, 40, 60) and large.dtype == np.float32
    blocks = large.reshape(1, 3, 20, 2, 30, 2).mean((3, 5))
    np.testing.assert_allclose(blocks[:, :, 2:-2, 2:-2], image[:, :, 2:-2, 2:-2], atol=1)


def test_fast_is_a_recipe():
    assert vars(options.get_args(["--fast"])) == vars(options.get_args(["--recipe", "fast"]))
    assert options.get_args(["--fast", "--max-num-epochs", "7"]).max_num_epochs == 7
