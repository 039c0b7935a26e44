"""Models by name, their layers, and what their weights files must have."""

import shutil

import numpy as np
import pytest
from networks import SMALL, small_weights, write
from oracle import Vgg

from neural_style import model_vgg16, model_vgg19
from neural_style.find_mxnet import mx
from neural_style.network import architecture, find_model
from neural_style.network.model import Model
from neural_style.options.parse import get_args
from neural_style.system.errors import UsageError


def test_layers_by_name(small):
    model = Model("vgg19", mx.cpu(), small)
    assert model.resolve("relu3_last") == "relu3_4" and model.resolve("conv1_last") == "conv1_2"
    with pytest.raises(UsageError, match="no layer relu9_1; --list-layers"):
        model.resolve("relu9_1")
    assert list(find_model.layers_of(model_vgg19))[-1] == "relu5_4"
    vgg16 = list(find_model.layers_of(model_vgg16))
    assert vgg16[-1] == "relu5_3" and "conv3_4" not in vgg16


def test_of_several_models_the_first_with_weights_is_taken(small, monkeypatch, caplog):
    caplog.set_level("INFO", "neural_style")
    monkeypatch.setattr(find_model.pretrained, "places", lambda name: [] if name == "vgg16" else [small])
    assert "relu5_4" in Model("vgg16,vgg19", mx.cpu()).layers
    with pytest.raises(UsageError, match="is it for vgg16 or vgg19"):
        Model("vgg16,vgg19", mx.cpu(), small)
    assert "no weights for vgg16" in caplog.text


def test_vgg16_with_its_normalisations_folded_is_a_model_with_weights_of_its_own(tmp_path, small_files, monkeypatch):
    monkeypatch.setitem(architecture.NETWORKS, "vgg16_bn", SMALL["vgg16"])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").mkdir()
    shutil.copy(small_files["vgg16"], tmp_path / "model/vgg16_bn.params")
    args = get_args(["--recipe", "fastai"])
    assert args.model == "vgg16_bn,vgg16,vgg19"
    model = Model(args.model, mx.cpu())
    assert model.is_own and model.resolve("relu4_last") == "relu4_3"
    np.testing.assert_array_equal(model.parameter("conv5_3_bias").asnumpy(), small_weights("vgg16")["conv5_3_bias"])


def assert_near(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5 * np.abs(theirs).max())


def test_vgg16_is_bound_with_its_own_weights(small, small_files):
    model = Model("vgg16", mx.cpu(), small_files["vgg16"], "max")
    image = np.random.RandomState(2).uniform(-50, 50, (1, 3, 21, 26))
    bound = model.bind([model.layers[layer] for layer in ("conv3_3", "relu5_3")], (21, 26))
    bound.data[:] = image
    weights = {name: array.astype("float64") for name, array in small_weights("vgg16").items()}
    network = Vgg(weights, SMALL["vgg16"], image, "max").layers
    for output, layer in zip(bound.executor.forward(), ("conv3_3", "relu5_3")):
        assert_near(output.asnumpy()[0], network[layer])


def test_a_file_that_ends_early_is_named(small, tmp_path):
    arrays = {
        name: array
        for name, array in small_weights("vgg19").items()
        if name[:7] not in ("conv5_2", "conv5_3", "conv5_4")
    }
    model = Model("vgg19", mx.cpu(), write(tmp_path / "short.params", arrays))
    model.bind([model.layers["relu5_1"], model.layers["relu4_2"]], (32, 32))
    with pytest.raises(UsageError, match="has no conv5_2_weight"):
        model.bind([model.layers["relu5_4"]], (32, 32))
    with pytest.raises(UsageError, match="has no conv5_2_weight"):
        model.parameter("conv5_2_weight")


def test_weights_that_no_layer_needs_are_released(small):
    model = Model("vgg19", mx.cpu(), small)
    model.keep(["relu2_1"])
    assert sorted(model.parameters) == sorted(
        f"conv{name}_{part}" for name in ("1_1", "1_2", "2_1") for part in ("weight", "bias")
    )
    assert model.weight_bytes == 4 * (3 * 27 + 3 + 3 * 27 + 3 + 4 * 27 + 4)


def test_get_model_gives_the_features(small, monkeypatch):
    params = model_vgg19.get_params(small)
    monkeypatch.setattr(model_vgg19, "get_params", lambda path=None, ctx=None, network=None: params)
    network = model_vgg19.get_model((19, 23), mx.cpu())
    image = np.random.RandomState(3).uniform(-50, 50, (1, 3, 19, 23))
    network.data[:] = image
    network.executor.forward()
    weights = {name: array.astype("float64") for name, array in small_weights("vgg19").items()}
    layers = Vgg(weights, SMALL["vgg19"], image).layers
    names = [*(f"relu{block}_1" for block in range(1, 6)), "relu4_2"]
    for output, layer in zip(network.style + [network.content], names):
        assert_near(output.asnumpy()[0], layers[layer])
    assert network.data_grad.shape == image.shape and network.arg_dict["conv1_1_weight"] is params["conv1_1_weight"]
