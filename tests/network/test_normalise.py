"""The normalised network: each filter's mean is 1, and what it computes stays the same."""

import numpy as np
import pytest
from networks import SMALL, small_weights
from oracle import Vgg

from neural_style.network import normalise
from neural_style.pictures import images
from neural_style.weights import params
from neural_style.weights.__main__ import main


def test_normalising_scales_each_filter_and_changes_no_output(small):
    arrays = small_weights("vgg19")
    photos = [np.random.RandomState(i).uniform(-100, 100, (1, 3, 24 + i, 31)) for i in range(2)]
    means = normalise.mean_activations(arrays, photos)

    def layers(arrays, photo, pooling="avg"):
        return Vgg(
            {name: array.astype("float64") for name, array in arrays.items()}, SMALL["vgg19"], photo, pooling
        ).layers

    def mean(arrays, layer):
        features = [layers(arrays, photo)[layer] for photo in photos]
        return sum(one.sum((1, 2)) for one in features) / sum(one[0].size for one in features)

    for name, own in means.items():
        np.testing.assert_allclose(own, mean(arrays, name.replace("conv", "relu")), rtol=1e-3, atol=1e-4)

    del means["conv5_4"]  # left as it is, it shows that the scales below cancel
    scaled = normalise.scaled(arrays, means)
    for pooling in ("avg", "max"):
        before, after = (layers(one, photos[0], pooling)["conv5_4"] for one in (arrays, scaled))
        np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-4)
    alive = means["conv3_2"] > np.median(means["conv3_2"]) / 100
    assert alive.sum() >= 3
    np.testing.assert_allclose(mean(scaled, "relu3_2")[alive], 1, rtol=1e-3)


def test_a_filter_that_hardly_ever_fires_is_scaled_by_a_hundredth_of_the_median():
    arrays = {"conv1_1_weight": np.ones((4, 3, 3, 3), "float32"), "conv1_1_bias": np.ones(4, "float32")}
    scaled = normalise.scaled(arrays, {"conv1_1": np.array([2.0, 2.0, 4.0, 1e-9])})
    np.testing.assert_allclose(scaled["conv1_1_bias"], [1 / 2, 1 / 2, 1 / 4, 1 / 0.02])
    np.testing.assert_allclose(scaled["conv1_1_weight"][:, 0, 0, 0], scaled["conv1_1_bias"])


def test_the_command_that_normalises(small, pictures, tmp_path, capsys):
    output = tmp_path / "own.params"
    words = ["normalise", str(small), "--output", str(output), "--pictures", str(pictures / "coffee.png")]
    assert main(words) == 0 and capsys.readouterr().out.strip() == str(output)
    picture = images.PreprocessContentImage(pictures / "coffee.png", normalise.LONG_EDGE)
    arrays = {name[4:]: array for name, array in params.read(output).items()}
    mean = normalise.mean_activations(arrays, [picture])["conv1_2"]
    assert mean[mean > 0.5] == pytest.approx(1, rel=1e-3) and (mean > 0.5).sum() >= 2
    before = output.read_bytes()
    assert main(words) == 2 and output.read_bytes() == before and "--overwrite" in capsys.readouterr().err
