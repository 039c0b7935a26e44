"""From coarse to fine: levels, what a picture's recipe repeats, and what --resume continues."""

import weakref
from argparse import Namespace

import numpy as np
import pytest

from neural_style import nstyle
from neural_style.options.check import complete
from neural_style.pictures import images
from neural_style.run import pyramid, setup
from neural_style.system.errors import UsageError


@pytest.fixture
def flags(small, pictures):
    return dict(
        content_image=str(pictures / "chelsea.png"),
        style_image=str(pictures / "coffee.png"),
        seed=1,
        max_long_edge=130,
        model_params=str(small),
        stop_eps=0,
        pyramid_epochs=3,
    )


def paint(folder, **flags):
    nstyle.train_nstyle(Namespace(output_dir=str(folder), **flags))
    return images.read_image(str(folder / "final.jpg"))


def test_a_pyramid_begins_small(flags, tmp_path, monkeypatch):
    sizes, preprocess = [], images.PreprocessContentImage
    monkeypatch.setattr(
        images, "PreprocessContentImage", lambda path, edge: sizes.append(edge) or preprocess(path, edge)
    )
    a = paint(tmp_path / "a", pyramid=2, max_num_epochs=2, **flags)
    assert sizes == [130, 32, 65]
    b = paint(tmp_path / "b", max_num_epochs=2, **{**flags, "pyramid_epochs": 100})
    assert a.shape == b.shape and not np.array_equal(a, b)
    c = paint(tmp_path / "c", pyramid=2, tile=16, max_num_epochs=2, **flags)
    assert np.abs(c.astype(float) - a).mean() < 1
    with pytest.raises(UsageError, match="--pyramid 3: .* use fewer levels"):
        paint(tmp_path / "d", pyramid=3, **flags)
    assert not (tmp_path / "d").exists()


def test_levels_have_their_step_and_epochs():
    args = nstyle.get_args("--size 512 --pyramid 4 --pyramid-step 1.41421356 --pyramid-epochs 1000 500 400 300".split())
    asked = [(level.max_long_edge, level.max_num_epochs) for level in pyramid.levels(args)]
    assert asked == [(128, 1000), (181, 500), (256, 400), (362, 300)]
    for words in ("--pyramid-epochs 3 4 5", "--pyramid-step 1"):
        with pytest.raises(UsageError, match=words.split()[0]):
            pyramid.levels(complete(nstyle.get_args(f"--pyramid 2 {words}".split())))


def test_the_optimisers_memory_is_carried_over(flags, tmp_path, monkeypatch):
    given, minimise = [], pyramid.optimize.minimise
    monkeypatch.setattr(
        pyramid.optimize,
        "minimise",
        lambda objective, since, *more: given.append(since) or minimise(objective, since, *more),
    )
    adam = dict(optimizer="adam", lr=5.0, pyramid=2, max_num_epochs=2)
    paint(tmp_path / "a", pyramid_memory=True, **adam, **flags)
    shapes = [[array.shape for array in since.memory] for since in given]
    assert shapes == [[], *([since.image.shape] * 2 for since in given[1:])]
    assert all((since.memory[1] >= 0).all() and since.memory[1].any() for since in given[1:])
    given.clear()
    paint(tmp_path / "b", **adam, **flags)
    assert [since.memory for since in given] == [[], [], []]


def test_enlarging_keeps_a_picture_in_place():
    image = np.linspace(-100, 100, 20 * 30).reshape(1, 1, 20, 30).repeat(3, 1).astype("float32")
    large = pyramid.enlarged(image, (40, 60))
    assert large.shape == (1, 3, 40, 60) and large.dtype == np.float32
    blocks = large.reshape(1, 3, 20, 2, 30, 2).mean((3, 5))
    np.testing.assert_allclose(blocks[:, :, 2:-2, 2:-2], image[:, :, 2:-2, 2:-2], atol=1)


def test_a_checkpoints_recipe_repeats_it(flags, tmp_path):
    paint(tmp_path / "a", pyramid=1, max_num_epochs=4, save_epochs=2, **flags)
    checkpoint = tmp_path / "a/e_2.jpg"
    args = nstyle.get_args(
        (
            f"--recipe {checkpoint} --output_dir {tmp_path}/b --model-params {flags['model_params']} "
            f"--content-image {flags['content_image']} --style-image {flags['style_image']}"
        ).split()
    )
    nstyle.train_nstyle(args)
    np.testing.assert_array_equal(images.read_image(str(checkpoint)), images.read_image(str(tmp_path / "b/final.jpg")))


def test_a_longer_resumed_run_is_the_uninterrupted_one(flags, tmp_path):
    whole = paint(tmp_path / "a", pyramid=1, max_num_epochs=5, **flags)
    paint(tmp_path / "b", pyramid=1, max_num_epochs=2, **flags)
    nstyle.train_nstyle(nstyle.get_args(["--resume", str(tmp_path / "b"), "--max-num-epochs", "5"]))
    np.testing.assert_array_equal(images.read_image(str(tmp_path / "b/final.jpg")), whole)


def test_no_level_stays_in_memory_beside_the_next(flags, tmp_path, monkeypatch):
    make, alive = setup.make_objective, weakref.WeakSet()

    def counted(*rest):
        assert not alive
        alive.add(made := make(*rest))
        return made

    monkeypatch.setattr(setup, "make_objective", counted)
    paint(tmp_path / "a", pyramid=2, max_num_epochs=2, **flags)
    assert len(alive) <= 1
