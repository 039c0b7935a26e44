"""Recipes: files of flags, and what the command does with them."""

from argparse import Namespace

import pytest
from commands import a_run
from objectives import objective_of
from PIL import Image

from neural_style import nstyle, recipes
from neural_style.nstyle import get_args
from neural_style.options.check import complete
from neural_style.run import setup

NAMES = [
    "athalye",
    "best",
    "content-only",
    "crowson",
    "fast",
    "fastai",
    "gatys",
    "gluon",
    "gluon-tv",
    "mrf",
    "mrf-synthesis",
    "reference",
    "reference-2016",
    "style-only",
]


def test_every_recipe_parses_and_is_checked():
    assert recipes.names() == NAMES
    for name in NAMES:
        complete(get_args(["--recipe", name]))


def test_a_recipe_is_found_by_the_name_that_it_used_to_have():
    assert vars(get_args(["--recipe", "reference-2015"])) == vars(get_args(["--recipe", "reference-2016"]))
    assert "reference-2015" not in recipes.names()


def test_the_reference_is_the_default():
    args, plain = get_args(["--recipe", "reference"]), get_args([])
    written = {"style_layers", "content_layers", "momentum", "weight_decay", "clip_gradient"}  # left to their defaults
    assert {name for name in vars(plain) if getattr(args, name) != getattr(plain, name)} == written
    assert (args.momentum, args.weight_decay, args.clip_gradient, args.content_layers) == (0.95, 1e-4, 1, "relu4_2")


@pytest.mark.parametrize(
    "name, expected",
    [  # optimiser, rate, fall of the rate, start, epochs, fit, pooling, noise
        ("reference", ("nag", 0.001, 0.9, "uniform", 1000, "stretch", "avg", 0.02)),
        ("reference-2016", ("sgd", 0.001, 0.9, "uniform", 1000, "stretch", "avg", 0.02)),
        ("gatys", ("lbfgs", 0.001, 0.9, "uniform", 500, "stretch", "avg", 0)),
        ("gluon", ("adam", 0.58, 1, "content", 3000, "stretch", "max", 0)),
        ("gluon-tv", ("adam", 0.58, 1, "content", 3000, "stretch", "max", 0)),
        ("fastai", ("lbfgs", 0.001, 0.9, "median", 1000, "cover", "max", 0)),
        ("athalye", ("adam", 10, 1, "normal", 1000, "scale", "max", 0)),
    ],
)
def test_how_each_recipe_runs(name, expected):
    args = get_args(["--recipe", name])
    assert (
        args.optimizer,
        args.lr,
        args.lr_sched_factor,
        args.start,
        args.max_num_epochs,
        args.fit,
        args.pooling,
        args.remove_noise,
    ) == expected
    assert args.stop_eps == (0.005 if name.startswith("reference") else 0)
    assert (args.momentum, args.weight_decay, args.lr_sched_delay, args.beta2, args.clip_gradient, args.keep_best) == {
        "reference": (0.95, 1e-4, 75, None, 1, False),
        "reference-2016": (0.9, 5e-4, 80, None, 1, False),
        "athalye": (None, None, 75, None, 0, True),
        "gatys": (None, None, 75, None, None, False),
        "fastai": (None, None, 75, None, None, False),
    }.get(name, (None, None, 75, 0.99, 0, False))


def test_flags_given_by_hand_win():
    args = get_args(["--lr", "3", "--recipe", "athalye", "--max-num-epochs", "7"])
    assert (args.optimizer, args.lr, args.max_num_epochs, args.tv_weight) == ("adam", 3, 7, 100)


def test_of_two_recipes_the_later_wins():
    assert get_args(["--recipe", "athalye", "--recipe", "gatys"]).optimizer == "lbfgs"
    assert get_args(["--recipe", "gatys", "--recipe", "athalye"]).optimizer == "adam"


def test_lists_and_shows(capsys):
    for words, expected in ((["--list-recipes"], NAMES), (["--show-recipe", "gatys"], ["--optimizer lbfgs", "α/β"])):
        with pytest.raises(SystemExit) as ended:
            get_args(words)
        said = capsys.readouterr().out
        assert ended.value.code == 0 and all(text in said for text in expected)


def test_adding_a_recipe_is_adding_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr(recipes, "FOLDER", tmp_path)
    (tmp_path / "mine.args").write_text("# Mine\n--lr 2   # fast\n--style-layers relu1_1 'relu2_1'\n")
    assert recipes.names() == ["mine"] and recipes.listing().split() == ["mine", "Mine"]
    args = get_args(["--recipe", "mine"])
    assert args.lr == 2 and args.style_layers == ["relu1_1", "relu2_1"]


def test_a_persons_own_file_saved_and_taken(tmp_path, capsys):
    path = tmp_path / "my run.args"
    words = [
        *"--recipe gluon --seed 5 --tv-weight=-1e-05 --style-image".split(),
        "a b.png",
        *"c.png --style-layers relu1_1 --style-layer-weights 2".split(),
    ]
    assert nstyle.main(words + ["--save-recipe", str(path)]) == 0
    assert vars(get_args(["--recipe", str(path)])) == vars(get_args(words))
    before = path.read_text()
    assert nstyle.main(words + ["--lr", "-1", "--save-recipe", str(path)]) == 2
    assert path.read_text() == before


@pytest.mark.parametrize(
    "content, says",
    [
        (None, "No such file"),
        (b"--lr 'open", "No closing quotation"),
        (b"\xff\xfe", "not a text file"),
        (b"--nonsense 3", "bad.args: unrecognized argument: --nonsense"),
        (b"--recipe athalye", "cannot have --recipe"),
        (b"--list-layers", "cannot have --list-layers"),
        (b"--save-recipe a", "cannot have --save-recipe"),
        (b"--doctor", "cannot have --doctor"),
        (b"--lr fast", "invalid float value"),
    ],
)
def test_a_bad_recipe_is_one_line(tmp_path, content, says, capsys):
    path = tmp_path / "bad.args"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SystemExit) as ended:
        get_args(["--recipe", str(path)])
    error = capsys.readouterr().err
    assert ended.value.code == 2 and says in error and len(error.splitlines()) == 1


def test_list_layers(capsys):
    assert nstyle.main(["--list-layers"]) == 0
    layers = capsys.readouterr().out.split()
    assert layers[:3] == ["conv1_1", "relu1_1", "conv1_2"] and layers[-1] == "relu5_4" and "pool4" in layers


@pytest.fixture
def small_run(small, thumbnails, tmp_path):
    return a_run(thumbnails, small, "--gpu -1 --seed 1 --quiet"), tmp_path / "out"


def test_the_first_script_of_2015(small_run, tmp_path, monkeypatch):
    words, _ = small_run
    monkeypatch.chdir(tmp_path)
    assert (
        nstyle.main(
            words
            + ["--recipe", "reference-2016", "--max-long-edge", "40", "--max-num-epochs", "4", "--save-epochs", "2"]
        )
        == 0
    )
    assert sorted(path.name for path in (tmp_path / "output").glob("*.jpg")) == ["out.jpg", "tmp_2.jpg", "tmp_4.jpg"]


def test_athalye_with_its_own_flags(small_run, thumbnails, tmp_path, capsys):
    words, _ = small_run
    words = [word for word in words if word != "--quiet"]
    words += (
        f"--recipe athalye --style-image {thumbnails}/coffee.png {thumbnails}/rocket.png "
        f"--style-blend-weights 2 1 --style-scales 1 1.5 --width 40 --initial {thumbnails}/astronaut.png "
        f"--print-iterations 3 --checkpoint-iterations 2 --checkpoint-output {tmp_path}/name%s.jpg "
        f"--output {tmp_path}/out.png --max-num-epochs 4"
    ).split()
    assert nstyle.main(words) == 0
    assert Image.open(tmp_path / "out.png").size == (40, 26)
    assert {"name2.jpg", "name4.jpg", "out.png"} <= {path.name for path in tmp_path.iterdir()}
    epochs = [line.split(",")[0] for line in capsys.readouterr().err.splitlines() if line.startswith("epoch")]
    assert epochs == ["epoch 1/4", "epoch 3/4", "epoch 4/4"]


@pytest.mark.parametrize("way", ["luma", "match"])
def test_preserved_colours(small_run, way, tmp_path):
    import numpy as np

    from neural_style.pictures import colors, images

    words, _ = small_run
    words += ["--max-long-edge", "48", "--max-num-epochs", "3", "--start", "style", "--output", str(tmp_path / "p.png")]
    content = images.PreprocessContentImage(words[1], 48)
    assert nstyle.main(words + ["--preserve-colors", way]) == 0
    picture = np.asarray(Image.open(tmp_path / "p.png")).astype(float)
    if way == "luma":
        shown = images.PostprocessImage(content).astype(float)
        inside = ((picture > 0) & (picture < 255)).all(2)
        for a, b in ((0, 1), (1, 2)):
            assert np.abs((picture - shown)[..., a] - (picture - shown)[..., b])[inside].max() <= 2
    args = complete(get_args(words + ["--preserve-colors", way]))
    ((style, *_),) = setup.pictures_of(args).styles
    matches = np.allclose(style.mean((2, 3)), content.mean((2, 3)), atol=1e-6)
    assert matches == (way == "match") and colors.luminance(style).shape == (1, 1) + style.shape[2:]


def test_only_what_a_run_needs_is_read(small_run, tmp_path):
    """Without a style term there need be no style picture."""
    args = Namespace(
        **{
            **vars(get_args(["--recipe", "content-only"])),
            "content_image": small_run[0][1],
            "model_params": small_run[0][5],
            "style_image": "nowhere.png",
            "max_long_edge": 40,
            "max_num_epochs": 2,
            "output_dir": str(tmp_path / "out"),
        }
    )
    nstyle.train_nstyle(args)
    assert (tmp_path / "out" / "final.jpg").exists()


@pytest.mark.parametrize(
    "words, says",
    [
        (["--output", "out/final"], "cannot be saved with this extension"),
        (["--checkpoint-output", "noext%s"], "cannot be saved with this extension"),
        (["--checkpoint-output", "run%s/a.jpg"], "one %s for the epoch"),
    ],
)
def test_what_cannot_be_saved_is_said_before_the_run(small_run, words, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert nstyle.main(small_run[0] + words) == 2
    assert says in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_a_percent_sign_in_a_folder_is_no_epoch(small_run, tmp_path):
    words, _ = small_run
    folder = tmp_path / "o%s"
    assert (
        nstyle.main(
            words
            + ["--output_dir", str(folder), "--max-long-edge", "40", "--max-num-epochs", "2", "--save-epochs", "2"]
        )
        == 0
    )
    assert sorted(path.name for path in folder.glob("*.jpg")) == ["e_2.jpg", "final.jpg"]


def test_lbfgs_never_gets_a_clipped_gradient(small_run):
    words = ["--recipe", "reference", *small_run[0], "--optimizer", "lbfgs", "--max-long-edge", "32"]
    objective, _ = objective_of(words)
    assert get_args(words).clip_gradient == 1 and objective._limit == float("inf")


def test_fast_is_a_recipe():
    assert vars(get_args(["--fast"])) == vars(get_args(["--recipe", "fast"]))
    assert get_args(["--fast", "--max-num-epochs", "7"]).max_num_epochs == 7
