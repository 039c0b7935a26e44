"""A trained network: painting as a whole and in strips, its file, and files that are none."""

import json
import os
import zipfile

import numpy as np
import plain
import pytest
from test_generators import bound, random_arrays

from neural_style.end_to_end import generators, network
from neural_style.end_to_end.generators import GENERATORS
from neural_style.find_mxnet import mx
from neural_style.system.errors import NeuralStyleError, UsageError
from neural_style.weights import params

ABOUT = {"generator": "fast", "size": 600, "description": "a test"}


def made(kind="fast", seed=3):
    """A Network with random arrays."""
    rng, arrays = np.random.default_rng(seed), {}
    for symbol in GENERATORS[kind].parts():
        own, kept = random_arrays(symbol, rng)
        arrays.update({f"arg:{name}": array for name, array in own.items()})
        arrays.update({f"aux:{name}": array for name, array in kept.items() if kind == "boost"})
    return network.Network(network.About(kind, 600, "a test"), arrays)


@pytest.fixture(scope="module")
def networks():
    return {kind: made(kind) for kind in GENERATORS}


def picture(height, width, seed=1):
    """Something smooth, and something fine."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [90 * np.sin(x / a + y / b) for a, b in ((9, 20), (15, -7), (5, 31))]
    return (np.stack(waves) + np.random.default_rng(seed).normal(0, 10, (3, height, width)))[None].astype("float32")


@pytest.mark.parametrize("size", [(64, 64), (75, 41), (161, 98)])
@pytest.mark.parametrize("kind", GENERATORS)
def test_in_strips_as_whole(kind, size, networks):
    image = picture(*size)
    whole = networks[kind].paint(image)
    assert whole.shape == image.shape and whole.dtype == np.float32 and np.abs(whole).max() > 20
    for rows in (16, 24, 60):
        np.testing.assert_allclose(networks[kind].paint(image, strip=rows * size[1]), whole, atol=0.05)


def test_strips_that_hardly_vary_are_normalised_as_whole():
    """The normalisation's eps, which is larger than their variance, counts once."""
    output = mx.nd.array(np.random.default_rng(2).normal(0, 1e-3, (1, 2, 24, 10)))
    arrays = {"layer_gamma": mx.nd.ones(2), "layer_beta": mx.nd.zeros(2)}
    whole = network._normalisation(output, [(0, 24)], arrays, "layer")(output).asnumpy()
    normalise = network._normalisation(output, [(0, 8), (8, 24)], arrays, "layer")
    np.testing.assert_allclose(normalise(output).asnumpy(), whole, rtol=1e-3, atol=1e-5)


def test_fast_paints_what_its_symbol_does(networks):
    image, symbol, ours = picture(48, 64), generators.fast(), networks["fast"]
    arrays = {key[4:]: array for key, array in ours.arrays.items()}
    states = {
        name: np.ones(shape) for name, shape in generators.of_kind("aux", generators.shapes(symbol, (48, 64))).items()
    }
    painted, _, _ = bound(symbol, arrays, states, image[0], True)
    np.testing.assert_allclose(ours.paint(image)[0], painted, atol=0.02)


def test_a_file_from_before_enlarging_was_smoothed_paints_as_before(networks, tmp_path):
    image, arrays = picture(48, 64), networks["fast"].arrays
    about = np.frombuffer(json.dumps(ABOUT).encode(), "uint8")
    params.write(tmp_path / "a.params", {"about": about, **arrays})
    older, own = network.load(tmp_path / "a.params"), {key[4:]: array.astype(float) for key, array in arrays.items()}
    assert not older.about.smooth and older.digest != networks["fast"].digest
    for rows in (48, 12):
        painted = older.paint(image, strip=rows * 64)
        np.testing.assert_allclose(painted[0], plain.fast(own, image[0].astype(float), smooth=False), atol=0.05)


def test_a_strength_is_on_the_way_from_how_the_training_began():
    ours, image = made(), picture(48, 64)
    ours.about = ours.about._replace(seed=5)
    assert ours.at(1) is ours
    assert np.abs(ours.at(0).paint(image) - image).mean() < 12 < np.abs(ours.paint(image) - image).mean()
    begin, half = generators.initial("fast", 5), ours.at(0.5).arrays
    for key, array in ours.arrays.items():
        np.testing.assert_allclose(half[key], (array + begin[key]) / 2, atol=1e-6)
    with pytest.raises(UsageError, match="--strength: only networks of kind fast"):
        made("boost").at(0.5)


def test_odd_sizes_are_filled_up_by_reflection(networks):
    image = picture(50, 63)
    larger = np.pad(image, [(0, 0), (0, 0), (0, 2), (0, 1)], mode="reflect")
    np.testing.assert_array_equal(networks["fast"].paint(image), networks["fast"].paint(larger)[:, :, :50, :63])
    with pytest.raises(UsageError, match="12x50 is too small for a network: each side needs at least 16"):
        networks["fast"].paint(picture(50, 12))


@pytest.mark.parametrize("kind", GENERATORS)
def test_a_file_is_read_as_it_was_written(kind, networks, tmp_path):
    network.save(tmp_path / "a.params", networks[kind])
    again = network.load(tmp_path / "a.params")
    assert again.about == networks[kind].about and again.name == "a"
    assert again.digest != made(kind, 4).digest and again.digest == network.load(tmp_path / "a.params").digest
    for key, array in networks[kind].arrays.items():
        np.testing.assert_allclose(again.arrays[key], array, rtol=1e-3, atol=1e-6)  # 16 bits


def test_networks_that_come_with_the_package():
    for name in network.names():
        ours = network.load(name)
        assert ours.name == name and ours.about.description and (network.STYLES / f"{name}.params").stat().st_size < 2e6
    with pytest.raises(UsageError, match="--network nobody: there is no such file, and no network of that name"):
        network.load("nobody")


@pytest.mark.parametrize(
    "about, reason",
    [
        (None, "holds no network"),
        (b"", "holds no network"),
        (b"[]", "holds no network"),
        (b"\xff", "holds no network"),
        (json.dumps(dict(ABOUT, generator="slow")).encode(), "holds no network"),
        (json.dumps(dict(ABOUT, generator=["fast"])).encode(), "holds no network"),
        (json.dumps(dict(ABOUT, size=-1)).encode(), "holds no network"),
        (json.dumps(dict(ABOUT, description=7)).encode(), "holds no network"),
        (b"[" * 100_000, "holds no network"),
        (json.dumps(dict(ABOUT, generator="boost")).encode(), "convolution0_weight is missing"),
    ],
)
def test_a_file_that_says_something_else(about, reason, networks, tmp_path):
    arrays = dict(networks["fast"].arrays)
    if about:
        arrays["about"] = np.frombuffer(about, "uint8")
    params.write(tmp_path / "a.params", arrays)
    with pytest.raises(UsageError, match=reason):
        network.load(tmp_path / "a.params")


@pytest.mark.parametrize(
    "change, reason",
    [
        (lambda array: array[:-1], "first_weight is missing or not of shape"),
        (lambda array: array * np.inf, "first_weight has values that are not finite"),
        (lambda array: array.astype("float64") * 1e200, "first_weight has values that are not finite"),
        (lambda array: array.astype("int32"), "first_weight is missing or not of shape"),
    ],
)
def test_arrays_of_another_kind(change, reason, networks, tmp_path):
    arrays = {**networks["fast"].arrays, "about": np.frombuffer(json.dumps(ABOUT).encode(), "uint8")}
    arrays["arg:first_weight"] = change(arrays["arg:first_weight"])
    params.write(tmp_path / "a.params", arrays)
    with pytest.raises(UsageError, match=reason):
        network.load(tmp_path / "a.params")


def test_what_is_no_file_of_arrays(tmp_path):
    (tmp_path / "a.params").write_bytes(b"not at all a file of arrays")
    with pytest.raises(UsageError, match="--network .*a.params: the file is damaged, or holds no network"):
        network.load(tmp_path / "a.params")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="a folder 0 with a .params file is missing"):
        network.load(tmp_path / "empty")


@pytest.fixture
def original(networks, tmp_path):
    """A folder as the original's training leaves it."""
    arrays = networks["boost"].arrays
    for number, symbol in enumerate(GENERATORS["boost"].parts()):
        folder = tmp_path / "model" / str(number)
        folder.mkdir(parents=True)
        shapes = generators.shapes(symbol, (64, 64))
        for name in ("v3_0001-0005000", "v3_0002-0026000"):
            params.write(folder / f"{name}.params", {key: arrays[key] * (name[6] == "2") for key in shapes})
    return tmp_path / "model"


def test_the_originals_trained_models(original, networks, tmp_path):
    image = picture(40, 56)
    expected = networks["boost"].paint(image)
    np.testing.assert_allclose(network.load(original).paint(image), expected, atol=1e-3)
    with zipfile.ZipFile(tmp_path / "model.zip", "w") as packed:
        for path in sorted(original.glob("*/*.params")):
            packed.write(path, path.relative_to(tmp_path))
    np.testing.assert_allclose(network.load(tmp_path / "model.zip").paint(image), expected, atol=1e-3)
    (original / "3" / "v3_0002-0026000.params").unlink()
    (original / "3" / "v3_0001-0005000.params").unlink()
    with pytest.raises(UsageError, match="a folder 3 with a .params file is missing"):
        network.load(original)


def test_zips_that_cannot_be_read(original, tmp_path):
    with zipfile.ZipFile(tmp_path / "model.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(original.glob("*/*.params")):
            packed.write(path, f"{path.parent.name}/{'long' * 60}{path.name}")
        used = [info.header_offset + 1000 for info in packed.infolist() if info.filename.endswith("26000.params")]
    assert network.load(tmp_path / "model.zip").about.generator == "boost"
    whole = (tmp_path / "model.zip").read_bytes()
    for at in used[:2]:
        (tmp_path / "model.zip").write_bytes(whole[:at] + bytes(100) + whole[at + 100 :])
        with pytest.raises(UsageError, match="model.zip: the file is damaged, or holds no network"):
            network.load(tmp_path / "model.zip")


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_of_other_packings_is_refused_unread(packing, tmp_path):
    """Python inflates these without a bound."""
    with zipfile.ZipFile(tmp_path / "model.zip", "w", packing) as packed:
        packed.writestr("model/0/a.params", b"0" * 1000)
    whole = bytearray((tmp_path / "model.zip").read_bytes())
    whole[60:70] = bytes(10)
    for content in whole, (tmp_path / "model.zip").read_bytes():
        (tmp_path / "model.zip").write_bytes(content)
        with pytest.raises(UsageError, match="packed in another way than the original's"):
            network.load(tmp_path / "model.zip")


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.params")
    with pytest.raises(UsageError, match="there is no such file"):
        network.load(tmp_path / "a.params")


def test_a_picture_that_is_not_finite_is_refused(networks):
    arrays = dict(networks["fast"].arrays)
    arrays["arg:last_bias"] = arrays["arg:last_bias"] * np.nan
    with pytest.raises(NeuralStyleError, match="picture is not finite"):
        network.Network(networks["fast"].about, arrays).paint(picture(32, 32))


def test_a_zip_that_inflates_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(network, "LARGEST", 10_000)
    with zipfile.ZipFile(tmp_path / "model.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("model/0/a.params", bytes(100_000))
    with pytest.raises(UsageError, match="larger than any network"):
        network.load(tmp_path / "model.zip")


def test_values_too_large_for_16_bits_are_kept(tmp_path):
    large = made("boost")
    name = next(name for name in large.arrays if name.endswith("moving_var"))
    large.arrays[name][:] = 3e6  # as trainings have them
    network.save(tmp_path / "large.params", large)
    np.testing.assert_array_equal(network.load(tmp_path / "large.params").arrays[name], large.arrays[name])
    assert (tmp_path / "large.params").stat().st_size < 15e6
