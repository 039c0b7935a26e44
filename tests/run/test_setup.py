"""Which engine evaluates the terms that the flags ask for, and what none can."""

from argparse import Namespace

import pytest
from objectives import objective_of

from neural_style.layers.engine import Layers
from neural_style.objective import engines
from neural_style.objective.arrays import Arrays
from neural_style.objective.graph import Graph
from neural_style.system import machine
from neural_style.system.errors import UsageError


@pytest.fixture
def words(small, pictures, monkeypatch):
    monkeypatch.setattr(machine, "instructions", lambda: ["avx2"])
    return (
        f"--content-image {pictures}/chelsea.png --style-image {pictures}/coffee.png --max-long-edge 48 "
        f"--model-params {small} "
    )


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
        ("--engine layers", Layers),
        ("--engine graph --precision auto", Graph),
    ],
)
def test_the_engine(words, flags, engine):
    objective, _ = objective_of(words + flags)
    assert type(objective._engine) is engine


@pytest.mark.parametrize(
    "flags, says",
    [
        ("--tile 16 --style-layers pool1", "--tile 16: this works only for VGG19 and VGG16"),
        ("--precision fast32 --content-layers pool2", "--precision fast32: this works only for VGG19 and VGG16"),
        ("--engine layers --content-layers pool2", "--engine layers: this works only for VGG19 and VGG16"),
        ("--engine graph --tile 16", "--engine graph --tile 16: .* as a whole; leave one of them out"),
        ("--engine graph --precision fast32", "--engine graph --precision fast32: --engine graph has only float32"),
        ("--precision bf16", "--precision bf16: this processor .* has no bfloat16 instructions .*; leave it out"),
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
        objective_of(words + flags)


@pytest.mark.parametrize(
    "maker, instructions, amx, precision, why",
    [
        ("AuthenticAMD", ["avx2"], False, "fast32", "no bfloat16"),
        ("AuthenticAMD", ["avx512_bf16"], False, "bf16", ""),
        ("GenuineIntel", ["avx512_bf16"], False, "fast32", "without AMX"),
        ("GenuineIntel", ["avx512_bf16", "amx_bf16"], True, "bf16", ""),
    ],
)
def test_the_fastest_precision_is_what_the_processor_can(monkeypatch, maker, instructions, amx, precision, why):
    monkeypatch.setattr(machine, "instructions", lambda: instructions)
    monkeypatch.setattr(machine, "may_use_amx", lambda: amx)
    monkeypatch.setattr(machine, "_text", lambda path: f"vendor_id : {maker}")
    best, reason = engines.fastest()
    assert best == precision and why in reason and bool(why) == bool(reason)


def test_amx_is_not_used_where_fewer_instructions_are_asked_for(monkeypatch):
    monkeypatch.setattr(machine, "instructions", lambda: ["amx_bf16"])
    monkeypatch.setattr(machine.ctypes, "CDLL", lambda name: Namespace(syscall=lambda *asked: 0))
    for limit, allowed in ("", True), ("AVX2", False):
        monkeypatch.setenv(machine.INSTRUCTION_LIMIT, limit)
        assert machine.may_use_amx.__wrapped__() is allowed


def test_an_engine_is_one_row(words, monkeypatch):
    class Stub:
        why_not = staticmethod(lambda model, terms, in_strips: "")

        def __init__(self, model, terms, scales, pictures, gpu, name):
            self.arrays, self.made = Arrays(model.device), (gpu, name)

    memory = engines.ENGINES[0].precisions["float32"].memory
    row = engines.Engine("stub", None, {"float32": engines.Precision(memory, {"name": "x"})}, ("gpu",))
    monkeypatch.setattr(engines.Engine, "load", lambda self: Stub)
    monkeypatch.setattr(engines, "ENGINES", (row,))
    objective, _ = objective_of(words)
    assert type(objective._engine) is Stub and objective._engine.made == (0, "x")


def test_weights_on_one_layer_are_added_up(words):
    objective, _ = objective_of(f"{words} --style-layers relu3_last relu3_4 relu1_1 --style-layer-weights 1 2 4")
    once, _ = objective_of(f"{words} --style-layers relu3_4 relu1_1 --style-layer-weights 3 4")
    assert objective.names == once.names == ["relu3_4", "relu1_1", "relu4_2", "tv"]
    assert list(objective.weights) == list(once.weights)
