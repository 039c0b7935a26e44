"""Training: it learns, like the original's loop where that is asked for, and a resumed one is the uninterrupted one."""

import argparse
import json
import os

import numpy as np
import pytest
import skimage.data
from PIL import Image
from test_trained import made

from neural_style.end_to_end import __main__ as command
from neural_style.end_to_end import network, session, state, training
from neural_style.end_to_end.generators import GENERATORS
from neural_style.end_to_end.photographs import Photographs
from neural_style.find_mxnet import mx
from neural_style.nstyle import get_args
from neural_style.objective.objective import Evaluation
from neural_style.options.parse import parse
from neural_style.run.interrupt import Interrupted
from neural_style.saved.locks import locked
from neural_style.system.errors import NeuralStyleError, UsageError


@pytest.fixture
def folder(tmp_path):
    """Photographs and a style, small."""
    (tmp_path / "photos").mkdir()
    for name in ("chelsea", "coffee", "astronaut"):
        Image.fromarray(getattr(skimage.data, name)()[::3, ::3]).save(tmp_path / "photos" / f"{name}.png")
    Image.fromarray(skimage.data.rocket()[::4, ::4]).save(tmp_path / "style.png")
    return tmp_path


@pytest.fixture
def train(folder, small):
    """train(output, steps=…): run a session in the folder with the small VGG; returns the steps and the network."""

    def run(output="a.params", words="", saved=None, on_step=None, **values):
        args = get_args(
            [
                *(
                    f"--style-image {folder}/style.png --model-params {small} --max-long-edge 96 --seed 2 "
                    "--precision fast32 --overwrite"
                ).split(),
                *words.split(),
            ]
        )
        settings = state.Settings(
            **{
                **dict(
                    style=[str(folder / "style.png")],
                    output=str(folder / output),
                    crop=64,
                    photos=[str(folder / "photos")],
                    steps=6,
                    save_every=2,
                ),
                **values,
            }
        )
        steps = []
        session.run(settings, args, saved, on_step or steps.append)
        return steps, network.load(folder / output)

    return run


def test_it_learns(train):
    steps, trained = train(steps=60, save_every=60, words="--content-weight 0 --tv-weight 0")
    first, last = (np.mean([step.losses["style"] for step in some]) for some in (steps[:4], steps[-4:]))
    assert [step.step for step in steps] == list(range(1, 61)) and last < 0.5 * first
    assert trained.about.generator == "fast" and trained.about.size == 96
    assert "style.png: 60 steps of 60" in trained.about.description and "3 photographs" in trained.about.description


@pytest.mark.parametrize("kind", GENERATORS)
def test_resumed_it_is_the_uninterrupted_one(kind, train, folder):
    values = dict(steps=2, save_every=1, generator=kind)
    whole, expected = train(**values)

    class Enough(Exception):
        pass

    def stop(step):
        if step.step == 2:
            raise Enough

    with pytest.raises(Enough):
        train("b.params", on_step=stop, **values)
    settings, args, saved = state.resumed(str(folder / "b.params"))
    assert saved[0].step == 1 and len(saved[1]) == 1
    steps = []
    session.run(settings, args, saved, steps.append)
    assert [step.losses for step in steps] == [step.losses for step in whole[1:]]
    again = network.load(folder / "b.params")
    for key, array in expected.arrays.items():
        np.testing.assert_array_equal(again.arrays[key], array, key)
    with pytest.raises(UsageError, match="the training is complete"):
        state.resumed(str(folder / "b.params"))


def test_another_network_can_be_begun_with(train, folder):
    network.save(folder / "known.params", made("fast"))
    _, trained = train(begin_with=str(folder / "known.params"), steps=1, rate=1e-9)
    for key, array in network.load(folder / "known.params").arrays.items():
        np.testing.assert_allclose(trained.arrays[key], array, atol=1e-5)
    with pytest.raises(UsageError, match="is a fast network; add --generator fast"):
        train(begin_with=str(folder / "known.params"), generator="boost")


def test_asked_to_stop_it_saves(train, folder, monkeypatch):
    import contextlib

    @contextlib.contextmanager
    def asked(unit):
        yield [2]

    monkeypatch.setattr(session.interrupt, "waiting", asked)
    with pytest.raises(Interrupted, match=r"stopped after step 1; .* train --resume .*a.params") as raised:
        train(save_every=5)
    assert raised.value.exit_code == 130
    assert state.resumed(str(folder / "a.params"))[2][0].step == 1


@pytest.fixture(scope="module")
def known():
    """The state of a training that was stopped, once there is one."""
    return []


@pytest.fixture
def stopped(train, folder, known):
    """The path of the state of a training that failed in its second step."""
    path = state.path_of_state(str(folder / "a.params"))
    if not known:
        with pytest.raises(ZeroDivisionError):
            train(on_step=lambda step: 1 / (2 - step.step), save_every=1)
        known.append(path.read_bytes())
    path.write_bytes(known[0])
    return path


def test_a_training_with_other_pictures_is_not_resumed(train, folder):
    with pytest.raises(ZeroDivisionError):
        train(on_step=lambda step: 1 / (2 - step.step), save_every=1)
    Image.fromarray(skimage.data.coffee()[::4, ::4]).save(folder / "style.png")
    with pytest.raises(UsageError, match="the style or the photographs have changed since"):
        session.run(*state.resumed(str(folder / "a.params")))


@pytest.mark.parametrize(
    "change",
    [
        lambda about: about["settings"].update(generator="slow"),
        lambda about: about["settings"].update(steps="6"),
        lambda about: about["settings"].update(photos=[1]),
        lambda about: about["settings"].update(more=1),
        lambda about: about.update(step=7),
        lambda about: about.update(history=[[1, 2]]),
        lambda about: about.pop("args"),
        lambda about: about["settings"].update(crop=96 * 10**9),
        lambda about: about["settings"].update(rate=float("nan")),
        lambda about: about.update(step=float("inf")),
        lambda about: about.update(step=10**400),
        lambda about: about.update(seconds=float("nan")),
        lambda about: about["settings"].update(steps=10**400),
        lambda about: about.update(args=[]),
        lambda about: about["args"].update(model="../evil"),
        lambda about: about["history"][0].__setitem__(2, {"style": "x"}),
    ],
)
def test_every_field_of_a_state_is_checked(change, stopped, folder):
    with np.load(stopped) as file:
        arrays = {name: file[name] for name in file.files}
    about = json.loads(arrays["about"].tobytes())
    change(about)
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), "uint8")
    np.savez(stopped, **arrays)
    with pytest.raises(UsageError, match="there is no training to continue"):
        state.resumed(str(folder / "a.params"))


def test_a_state_without_its_arrays(stopped, folder):
    with np.load(stopped) as file:
        arrays = {name: file[name] for name in file.files}
    for wrong in (arrays["array:arg:last_bias"][:1], arrays["array:arg:last_bias"] * np.nan):
        np.savez(stopped, **{**arrays, "array:arg:last_bias": wrong})
        with pytest.raises(UsageError, match="there is no training to continue"):
            state.resumed(str(folder / "a.params"))
    np.savez(stopped, **{name: array for name, array in arrays.items() if name != "memory:1:last_bias"})
    with pytest.raises(UsageError, match="there is no training to continue"):
        state.resumed(str(folder / "a.params"))
    bad = stopped.read_bytes().replace(b"'descr': '<f4'", b"'descr': '<f4,", 1)
    stopped.write_bytes(bad)
    with pytest.raises(UsageError, match="there is no training to continue"):
        state.resumed(str(folder / "a.params"))
    stopped.write_bytes(stopped.read_bytes()[:1000])
    with pytest.raises(UsageError, match="there is no training to continue"):
        state.resumed(str(folder / "a.params"))


@pytest.mark.parametrize("rate", [1e8, 1e25, 1e29])
@pytest.mark.parametrize("every", [1, 3])
def test_a_training_that_diverges_replaces_no_good_network(rate, every, train, folder):
    train(steps=1, save_every=1)
    files = ("a.params", ".a.params.state.npz", "a_steps/1.jpg")
    before = [(folder / name).read_bytes() for name in files]
    with pytest.raises(NeuralStyleError, match="lower --lr|diverged"):
        train(steps=3, save_every=every, rate=rate)
    assert [(folder / name).read_bytes() for name in files] == before


def test_a_network_that_paints_one_colour_replaces_no_other():
    flat = made()
    flat.arrays["arg:last_weight"] *= 0
    with pytest.raises(NeuralStyleError, match="the same whatever the photograph"):
        session._painted(flat, [skimage.data.coffee()], 96)


def test_a_training_that_goes_on_is_not_started_again(train, folder):
    with locked(folder / "a.params", "training", "wait"), pytest.raises(
        UsageError, match="another command is training"
    ):
        train()


def test_a_state_that_is_not_finite_is_not_saved(folder):
    part = training.start(state.Settings(["a"], "b", crop=64).complete(), get_args([]), None, mx.cpu())[0]
    training.state_of([part], 1, 0.0)
    part.memory["last_bias"][0][:] = np.inf
    with pytest.raises(NeuralStyleError, match="no longer finite after step 1; lower --lr"):
        training.state_of([part], 1, 0.0)


def test_a_network_of_one_colour_is_noticed(networks_of_one_colour):
    with pytest.raises(NeuralStyleError, match="the same whatever the photograph"):
        session._painted(networks_of_one_colour, [skimage.data.coffee()[::4, ::4]], 64)


@pytest.fixture
def networks_of_one_colour():
    trained = made("fast")
    trained.arrays["arg:last_weight"][:] = 0
    return trained


def test_a_state_that_is_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / ".a.params.state.npz")
    with pytest.raises(UsageError, match="not a file.*there is no training to continue"):
        state.resumed(str(tmp_path / "a.params"))


def test_a_state_names_no_code_to_run(train, folder, monkeypatch, capsys):
    with pytest.raises(ZeroDivisionError):
        train(on_step=lambda step: 1 / (2 - step.step), save_every=1)
    path = state.path_of_state(str(folder / "a.params"))
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    about = json.loads(arrays["about"].tobytes())
    about["args"]["model"] = "evil"
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), "uint8")
    np.savez(path, **arrays)
    monkeypatch.chdir(folder)
    (folder / "model_evil.py").write_text("open('run', 'w')")
    assert command.main(["train", "--resume", "a.params"]) == 2
    assert "--model evil is not part of this package; if you trust it, repeat it" in capsys.readouterr().err
    assert not (folder / "run").exists()
    assert command.main(["train", "--resume", "a.params", "--model", "vgg16"]) == 2
    assert "--model cannot change" in capsys.readouterr().err
    assert command.main(["train", "--resume", "a.params", "--model", "evil"]) == 2  # has no get_symbol()
    assert (folder / "run").exists()


def test_boost_learns_from_sums_of_clipped_gradients():
    """As the original does: the gradients of a part's picture and of later ones are added up and clipped on the way."""

    class Part:
        def learn(self, gradient, rate):
            self.gradient, self.rate = gradient.asnumpy(), rate

    rng, parts = np.random.default_rng(0), [Part() for _ in range(4)]
    gradients = [rng.normal(0, size, (1, 3, 4, 4)).astype("float32") for size in (0.01, 3, 0.001, 0.2)]
    training._learn(
        parts, [Evaluation(None, 0.0, mx.nd.array(gradient), 0.0) for gradient in gradients], GENERATORS["boost"], 7.0
    )
    total = 0
    for part, gradient in zip(parts[::-1], gradients[::-1]):
        total = total + gradient
        total = total * min(1, 0.05 * total.size / np.linalg.norm(total))
        np.testing.assert_allclose(part.gradient, total, rtol=1e-5)
        assert part.rate == 7.0


def test_of_boost_only_weights_and_gammas_decay():
    """As with the original's Module; with next to no gradient, a step at a rate of 1 takes away 5e-3 of them."""
    part = training.Part(GENERATORS["boost"].parts()[0], GENERATORS["boost"], (16, 16), mx.cpu())
    for name, array in part.parameters.items():
        array[:] = array if name.endswith("weight") else 1
    before = {name: array.asnumpy() for name, array in part.parameters.items()}
    part.paint(mx.nd.random.uniform(-100, 100, (1, 3, 16, 16)))
    part.learn(1e-12 * mx.nd.random.uniform(-1, 1, (1, 3, 16, 16)), 1.0)
    for name, array in part.parameters.items():
        kept = 0.995 if name.endswith(("_weight", "_gamma")) else 1
        np.testing.assert_allclose(array.asnumpy(), kept * before[name], rtol=1e-4, atol=1e-7, err_msg=name)
    assert {name.rpartition("_")[2] for name in part.parameters} == {"weight", "bias", "gamma", "beta"}


def test_the_learning_rate_falls_along_a_cosine():
    settings = state.Settings(["a"], "b", steps=100).complete()
    rates = [training._rate(settings, GENERATORS["fast"], step) for step in (0, 50, 100)]
    np.testing.assert_allclose(rates, [1e-3, 1e-3 * 0.51, 1e-3 * 0.02])
    boost = settings._replace(generator="boost", rate=0.0, crop=0).complete()
    assert boost.crop == 384 and training._rate(boost, GENERATORS["boost"], 90) == 1e-4


def test_photographs(folder, caplog):
    (folder / "photos" / "broken.png").write_bytes((folder / "photos" / "coffee.png").read_bytes()[:3000])
    Image.fromarray(skimage.data.rocket()[:60, :60]).save(folder / "photos" / "tiny.png")
    photographs = Photographs([str(folder / "photos")], 96, 64)
    crops = [photographs.sample(np.random.default_rng([0, i])) for i in range(20)]
    assert "tiny.png: it is only 60x60" in caplog.text
    assert caplog.text.count("broken.png") == 1 and "skipping a photograph: " in caplog.text
    for crop in crops:
        assert crop.shape == (1, 3, 64, 64) and crop.dtype == np.float32
        assert -124 < crop.min() < crop.max() < 153
    np.testing.assert_array_equal(crops[3], photographs.sample(np.random.default_rng([0, 3])))
    assert len({crop.tobytes() for crop in crops}) == 20
    (folder / "empty").mkdir()
    (folder / "empty" / "a.png").write_bytes(b"nothing")
    with pytest.raises(UsageError, match="there is no photograph to learn from"):
        Photographs([str(folder / "empty")], 96, 64)


def test_some_photographs_are_kept_apart():
    photographs = Photographs([], 600, 256)
    names = {path.rpartition("/")[2] for path in photographs.paths}
    assert len(photographs.shown) == 3 and "astronaut.png" in names
    assert not names & {"chelsea.png", "coffee.png", "rocket.jpg"}


def test_few_photographs_are_not_kept_apart(folder):
    photographs = Photographs([str(folder / "photos")], 96, 64)
    assert len(photographs) == 3 and not photographs.are_apart and photographs.shown


def test_photographs_that_are_gone(folder, monkeypatch):
    photographs = Photographs([str(folder / "photos")], 96, 64)
    for path in photographs.paths:
        open(path, "w").close()
    with pytest.raises(NeuralStyleError, match="none of the photographs can be read any more"):
        photographs.sample(np.random.default_rng(0))


def test_styles_at_scales_of_their_own(folder, small):
    """Twice one style is that style, whatever the shares; at another scale it is another."""

    def objective(words):
        words = f"train --output a.params --model-params {small} --size 96 {words}".split()
        own, args, _ = parse(command.COMMANDS, words)
        args = session.complete(argparse.Namespace(**{**vars(args), "style_image": own.style}))
        return training.objective_for(args, 64, mx.cpu())

    style, image = folder / "style.png", mx.nd.array(np.random.RandomState(0).uniform(-99, 99, (1, 3, 64, 64)))
    once, twice, scaled = (
        objective(words)
        for words in (
            f"--style {style}",
            f"--style {style} {style} --style-blend-weights 1 3",
            f"--style {style} {style} --style-blend-weights 1 3 --style-scales 0.5 1",
        )
    )
    assert scaled.names[:2] == ["relu1_1", "relu2_1"]
    np.testing.assert_allclose(twice(image).losses, once(image).losses, rtol=1e-4)
    assert scaled(image).total != pytest.approx(once(image).total, rel=1e-3)


def test_values_of_the_flags_reach_the_objective(folder, small):
    args = argparse.Namespace(
        **vars(
            get_args(
                (
                    f"--style-image {folder}/style.png --model-params {small} --max-long-edge 96 --content-weight 7 "
                    "--style-weight 3 --tv-weight 0.5 --style-layers relu1_1 relu2_1"
                ).split()
            )
        )
    )
    objective = training.objective_for(session.complete(args), 64, mx.cpu())
    assert objective.names == ["relu1_1", "relu2_1", "relu4_2", "tv"] and objective.weights[2] == 7


def test_the_originals_weight_of_the_style():
    words = ["train", "--style", "a.png", "--output", "a.params", "--generator", "boost"]
    assert (
        parse(command.COMMANDS, words)[1].style_weight == 1.2
        and parse(command.COMMANDS, words[:-2])[1].style_weight == 1
    )
    assert parse(command.COMMANDS, [*words, "--style-weight", "5"])[1].style_weight == 5


def test_fast_begins_with_the_photograph_nearly_as_it_is(folder, small):
    settings = state.Settings(["a"], "b", crop=64).complete()
    (part,) = training.start(settings, get_args([]), None, mx.cpu())
    crop = Photographs([str(folder / "photos")], 96, 64).sample(np.random.default_rng(0))
    painted = part.paint(mx.nd.array(crop)).asnumpy()
    assert np.corrcoef(painted.ravel(), crop.ravel())[0, 1] > 0.9
