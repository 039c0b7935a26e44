"""Which engine evaluates the terms that the flags ask for, and what none can."""

import pytest
from objectives import objective_of

from neural_style.layers.engine import Layers
from neural_style.objective.graph import Graph
from neural_style.system import machine
from neural_style.system.errors import UsageError


@pytest.fixture
def words(small, pictures, monkeypatch):
    monkeypatch.setattr(machine, "instructions", lambda: ["avx2"])
    return [
        "--content-image",
        pictures / "chelsea.png",
        "--style-image",
        pictures / "coffee.png",
        "--max-long-edge",
        "48",
        "--model-params",
        small,
    ]


@pytest.mark.parametrize(
    "flags, engine",
    [
        ("", Graph),
        ("--pooling max", Graph),
        ("--tile 16", Layers),
        ("--precision fast32", Layers),
        ("--precision auto", Layers),
        ("--precision auto --pooling max", Layers),
        ("--precision auto --style-layers pool1", Graph),
    ],
)
def test_the_engine(words, flags, engine):
    objective, _ = objective_of(words + flags.split())
    assert type(objective._engine) is engine


@pytest.mark.parametrize(
    "flags, says",
    [
        ("--tile 16 --style-layers pool1", "--tile 16: this works only for VGG19 and VGG16"),
        ("--precision fast32 --content-layers pool2", "--precision fast32: this works only for VGG19 and VGG16"),
        (
            "--style-layers relu1_1 relu2_1 --style-layer-weights 1",
            "--style-layer-weights has 1 values for 2 style layers",
        ),
        ("--style-layers relu1_1 --style-layer-weights 0 --content-weight 0", "there is nothing to do"),
        ("--style-layers relu9_1", "there is no layer relu9_1"),
    ],
)
def test_what_cannot_be_is_said(words, flags, says):
    with pytest.raises(UsageError, match=says):
        objective_of(words + flags.split())


def test_weights_on_one_layer_are_added_up(words):
    objective, _ = objective_of(
        words + ["--style-layers", "relu3_last", "relu3_4", "relu1_1", "--style-layer-weights", "1", "2", "4"]
    )
    once, _ = objective_of(words + ["--style-layers", "relu3_4", "relu1_1", "--style-layer-weights", "3", "4"])
    assert objective.names == once.names == ["relu3_4", "relu1_1", "relu4_2", "tv"]
    assert list(objective.weights) == list(once.weights)
