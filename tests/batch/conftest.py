"""A folder with pictures, and children that do not paint."""

import shutil

import pytest
from PIL import Image
from stubs import STUB

from neural_style.batch import children


@pytest.fixture(scope="session")
def tiny(pictures, tmp_path_factory):
    """The photographs, tiny."""
    folder = tmp_path_factory.mktemp("tiny")
    for path in pictures.glob("*.png"):
        Image.open(path).resize((48, 40)).save(folder / path.name)
    return folder


@pytest.fixture
def folder(tiny, tmp_path):
    """A folder with the contents in/chelsea.png and in/rocket.png and the style style/coffee.png."""
    for new in ("in/chelsea.png", "in/rocket.png", "style/coffee.png"):
        (tmp_path / new).parent.mkdir(exist_ok=True)
        shutil.copy(tiny / (tmp_path / new).name, tmp_path / new)
    return tmp_path


@pytest.fixture
def stub(monkeypatch, small):
    """Children are stubs; gives the flags that a batch needs then."""
    monkeypatch.setattr(children, "CHILD", STUB)
    return ["--model-params", str(small)]
