"""--edges reflect: a margin is painted beside the picture, and nobody sees it."""

from argparse import Namespace

import numpy as np
import pytest

from neural_style import nstyle
from neural_style.objective import edges
from neural_style.pictures import images
from neural_style.run import state

SIZE, WHOLE = (43, 66), (48, 80)  # of the content at 66 pixels, and of its canvas


@pytest.fixture
def paint(small, thumbnails, tmp_path):
    """Paint into a folder; returns the final picture, and what the callback was given."""

    def paint(folder, **flags):
        given = []
        common = (
            {}
            if "resume" in flags
            else dict(
                content_image=str(thumbnails / "chelsea.png"),
                style_image=str(thumbnails / "coffee.png"),
                seed=1,
                max_long_edge=66,
                model_params=str(small),
                stop_eps=0,
                edges="reflect",
                output_dir=str(tmp_path / folder),
                save_epochs=2,
            )
        )
        nstyle.train_nstyle(Namespace(**{**common, **flags}), callback=given.append)
        return images.read_image(str(tmp_path / folder / "final.jpg")), given

    return paint


def test_a_canvas_fills_all_windows_and_shows_the_picture():
    canvas = edges.canvas("reflect", SIZE)
    assert canvas.whole == WHOLE and edges.canvas("drop", SIZE).whole == SIZE
    picture = np.random.default_rng(0).normal(size=(1, 3, *SIZE))
    wide = canvas.extended(picture)
    assert wide.shape == (1, 3, *WHOLE)
    np.testing.assert_array_equal(canvas.shown(wide), picture)
    np.testing.assert_array_equal(wide[:, :, 43], wide[:, :, 41])
    np.testing.assert_array_equal(wide[..., 66], wide[..., 64])
    tiny = edges.canvas("reflect", (1, 3))
    assert tiny.extended(np.zeros((1, 3, 1, 3))).shape == (1, 3, 16, 16)


@pytest.mark.parametrize(
    "flags",
    [
        {},
        {"optimizer": "lbfgs"},
        {"keep_best": True, "optimizer": "adam", "lr": 5.0},
        {"pyramid": 1, "pyramid_epochs": 2},
        {"start": "content"},
        {"preserve_colors": "luma"},
        {"tile": 16},
        {"precision": "fast32"},
    ],
)
def test_pictures_have_their_own_size(paint, tmp_path, flags):
    picture, given = paint("a", max_num_epochs=4, **flags)
    assert picture.shape == (*SIZE, 3)
    assert [data["img"].shape for data in given if "img" in data] == [(1, 3, *SIZE)] * 2
    assert state.load(tmp_path / "a/.final.jpg.state.npz").state.image.shape == (1, 3, *WHOLE)


def test_a_resumed_run_is_the_uninterrupted_one(paint, tmp_path):
    whole, _ = paint("whole", max_num_epochs=4)
    paint("part", max_num_epochs=2)
    resumed, _ = paint("part", resume=str(tmp_path / "part"), max_num_epochs=4)
    np.testing.assert_array_equal(resumed, whole)


def test_from_noise_no_edge_stays_grey(paint):
    """The last two rows and columns are nearly as lively as the inside."""

    def spread(edges):
        picture = paint(edges, edges=edges, content_weight=0, max_num_epochs=30, optimizer="lbfgs")[0].astype(float)
        inside = picture[8:-8, 8:-8].std()
        return [part.std() / inside for part in (picture[-2:], picture[:, -2:])]

    assert sum(spread("reflect")) > sum(spread("drop")) + 0.1
