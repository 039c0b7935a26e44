"""Pictures and weights that the tests share; everything is made here or comes with scikit-image."""
import numpy as np
import pytest
import skimage.data
from PIL import Image

from neural_style.weights import pretrained as weights

VGG19 = [("1_1", 3, 64), ("1_2", 64, 64), ("2_1", 64, 128), ("2_2", 128, 128),
         ("3_1", 128, 256), ("3_2", 256, 256), ("3_3", 256, 256), ("3_4", 256, 256),
         ("4_1", 256, 512), ("4_2", 512, 512), ("4_3", 512, 512), ("4_4", 512, 512), ("5_1", 512, 512)]


def pytest_configure(config):
    config.addinivalue_line("markers", "weights: needs the pretrained weights (sh download.sh)")


def pytest_collection_modifyitems(items):
    if weights.find() is None:
        for item in items:
            if item.get_closest_marker("weights"):
                item.add_marker(pytest.mark.skip(reason="no pretrained weights here; sh download.sh fetches them"))


def random_weights():
    """The random VGG19 of the goldens (see golden/README.md), by name."""
    random, arrays = np.random.RandomState(42), {}
    for name, inputs, outputs in VGG19:
        kernels = random.standard_normal((outputs, inputs, 3, 3)) * np.sqrt(2 / (9 * inputs))
        arrays[f"conv{name}_weight"] = kernels.astype("float32")
        arrays[f"conv{name}_bias"] = np.zeros(outputs, "float32")
    return arrays


@pytest.fixture(scope="session")
def random_params(tmp_path_factory):
    """A weights file with the random VGG19."""
    from neural_style.weights import params
    path = tmp_path_factory.mktemp("weights") / "random.params"
    params.write(path, {"arg:" + name: array for name, array in random_weights().items()})
    return path


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """A folder with photographs: astronaut.png, chelsea.png, coffee.png, rocket.png."""
    folder = tmp_path_factory.mktemp("pictures")
    for name in ("astronaut", "chelsea", "coffee", "rocket"):
        Image.fromarray(getattr(skimage.data, name)()).save(folder / f"{name}.png")
    return folder
