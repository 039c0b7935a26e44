"""Pictures and weights that the tests share; everything is made here or comes with scikit-image."""

import os

from commands import a_run

os.environ["OMP_NUM_THREADS"] = "1"  # forks would wait for other threads in vain; the numbers do not depend on it

import browsers
import pytest
import skimage.data
from forks import FORKING
from networks import SMALL, random_weights, small_weights, write
from PIL import Image

from neural_style.batch import children
from neural_style.network import architecture
from neural_style.weights import pretrained


def pytest_configure(config):
    config.addinivalue_line("markers", "weights: needs the pretrained weights (sh download.sh)")


def pytest_collection_modifyitems(items):
    if pretrained.find() is None:
        for item in items:
            if item.get_closest_marker("weights"):
                item.add_marker(pytest.mark.skip(reason="no pretrained weights here; sh download.sh fetches them"))


@pytest.fixture(scope="session")
def random_params(tmp_path_factory):
    """A weights file with the random VGG19."""
    return write(tmp_path_factory.mktemp("weights") / "random.params", random_weights())


@pytest.fixture(scope="session")
def small_files(tmp_path_factory):
    """Weights files of VGGs with a few filters in each layer, by network."""
    folder = tmp_path_factory.mktemp("small")
    return {network: write(folder / f"{network}.params", small_weights(network)) for network in SMALL}


@pytest.fixture
def small(small_files, monkeypatch):
    """The path of the small VGG19's weights; while this is in use, VGG19 and VGG16 are the small ones."""
    for network, blocks in SMALL.items():
        monkeypatch.setitem(architecture.NETWORKS, network, blocks)
    return small_files["vgg19"]


@pytest.fixture(scope="session")
def shrinking(tmp_path_factory):
    """Variables of the environment that give other processes of Python the small networks, and one thread."""
    folder = tmp_path_factory.mktemp("shrinking")
    (folder / "sitecustomize.py").write_text(
        f"import sys\nsys.path.append({os.path.dirname(__file__)!r})\nfrom networks import SMALL\n"
        "from neural_style.network import architecture\narchitecture.NETWORKS.update(SMALL)\ndel sys.path[-1]\n"
    )
    path = os.pathsep.join([os.path.dirname(os.path.dirname(__file__)), str(folder)])
    return {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """A folder with photographs: astronaut.png, chelsea.png, coffee.png, rocket.png."""
    folder = tmp_path_factory.mktemp("pictures")
    for name in ("astronaut", "chelsea", "coffee", "rocket"):
        Image.fromarray(getattr(skimage.data, name)()).save(folder / f"{name}.png")
    return folder


@pytest.fixture(scope="session")
def thumbnails(pictures, tmp_path_factory):
    """The same at a quarter of the size, where nothing depends on how pictures are made small."""
    folder = tmp_path_factory.mktemp("thumbnails")
    for path in pictures.iterdir():
        Image.open(path).reduce(4).save(folder / path.name)
    return folder


@pytest.fixture(scope="module")
def browser():
    """Chromium; not for the whole session, since playwright's loop of events lives in this thread."""
    with browsers.started() as browser:
        yield browser


@pytest.fixture
def forked_children(small, monkeypatch):
    """The processes that paint for batches and films are forks, which have the small networks too."""
    monkeypatch.setattr(children, "subprocess", FORKING)


@pytest.fixture
def short_run(small, thumbnails, tmp_path):
    """A short run as words of a command line; its pictures land in tmp_path/out."""
    return words_of_a_run(small, thumbnails, tmp_path)


@pytest.fixture
def full_run(random_params, thumbnails, tmp_path):
    """The same for a process of its own, where the networks have their full size."""
    return words_of_a_run(random_params, thumbnails, tmp_path)


def words_of_a_run(params, pictures, folder):
    return a_run(
        pictures,
        params,
        f"--max-long-edge 48 --max-num-epochs 5 --seed 1 --save-epochs 2 --gpu -1 --output_dir {folder}/out",
    )
