"""The flags: names, defaults, wrong use, and the README's table of them."""
import re
from argparse import Namespace
from pathlib import Path

import pytest

from neural_style import __version__, options
from neural_style.errors import UsageError
from neural_style.nstyle import get_args

ROOT = Path(__file__).parent.parent
ORIGINAL = dict(
    model="vgg19", content_image="input/IMG_4343.jpg", style_image="input/starry_night.jpg", stop_eps=.005,
    content_weight=10, style_weight=1, tv_weight=1e-2, max_num_epochs=1000, max_long_edge=600, lr=.001, gpu=0,
    output_dir="output/", save_epochs=50, remove_noise=.02, lr_sched_delay=75, lr_sched_factor=0.9)
OWN = dict(seed=None, model_params=None, quiet=False, verbose=False, debug=False)


def test_defaults_are_the_originals():
    assert vars(get_args([])) == {**ORIGINAL, **OWN}


def test_flags_set_their_attributes():
    words = ("--model vgg --content-image a.png --style-image b.png --stop-eps 0.1 --content-weight 2.5 "
             "--style-weight 3 --tv-weight 0 --max-num-epochs 7 --max-long-edge 64 --lr 0.5 --gpu -1 --output_dir out "
             "--save-epochs 2 --remove-noise 0 --lr-sched-delay 5 --lr-sched-factor 0.6 --seed 3 --model-params w "
             "--quiet --verbose --debug").split()
    assert vars(get_args(words)) == dict(
        model="vgg", content_image="a.png", style_image="b.png", stop_eps=0.1, content_weight=2.5, style_weight=3,
        tv_weight=0, max_num_epochs=7, max_long_edge=64, lr=0.5, gpu=-1, output_dir="out", save_epochs=2,
        remove_noise=0, lr_sched_delay=5, lr_sched_factor=0.6, seed=3, model_params="w", quiet=True, verbose=True,
        debug=True)
    assert get_args(["--output-dir", "x"]).output_dir == "x"


@pytest.mark.parametrize("words", ["--stop-eps much", "--gpu 1.5", "--unknown 1", "--lr", "picture.jpg"])
def test_words_that_do_not_parse_end_with_one_line_and_2(words, capsys):
    with pytest.raises(SystemExit) as ended:
        get_args(words.split())
    assert ended.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("name, value", [
    ("stop_eps", -1), ("stop_eps", float("nan")), ("content_weight", -0.1), ("content_weight", float("inf")),
    ("style_weight", float("nan")), ("style_weight", -2), ("tv_weight", float("nan")), ("max_num_epochs", 0),
    ("max_long_edge", 0), ("lr", 0), ("lr", -0.1), ("lr", float("nan")), ("gpu", -2), ("save_epochs", 0),
    ("remove_noise", -1), ("lr_sched_delay", 0), ("lr_sched_factor", 0), ("lr_sched_factor", 1.1), ("seed", -1),
    ("seed", 2 ** 31), ("model", ""), ("model", "../vgg"), ("lr", "fast"), ("max_num_epochs", None)])
def test_values_that_cannot_be_are_refused_by_flag(name, value):
    with pytest.raises(UsageError) as caught:
        options.complete(Namespace(**{name: value}))
    assert str(caught.value).startswith(f"--{name.replace('_', '-')} ") and "must be" in str(caught.value)


def test_arguments_of_older_code_get_the_defaults_they_lack(caplog):
    old = Namespace(**{**ORIGINAL, "lr_sched_factor": 0.6, "tv_weight": -1})
    completed = options.complete(old)
    assert vars(completed) == {**ORIGINAL, **OWN, "lr_sched_factor": 0.6, "tv_weight": -1}
    assert not hasattr(old, "seed") and not caplog.records


def test_an_attribute_that_is_no_option_is_named_once(caplog):
    completed = options.complete(Namespace(max_size=600, max_num_epoch=3))
    assert vars(completed) == {**ORIGINAL, **OWN}
    first, second = (record.getMessage() for record in caplog.records)
    assert "args.max_size" in first and "no effect" in first and "args.max_num_epochs meant?" in second


def test_help_names_every_flag_with_its_default(capsys):
    with pytest.raises(SystemExit) as ended:
        get_args(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert ended.value.code == 0
    for flag in options.FLAGS:
        assert all(name in text for name in flag.names.split()) and flag.help in text
        assert flag.default in (None, False) or f"{flag.help} ({flag.default})" in text


def test_version(capsys):
    with pytest.raises(SystemExit) as ended:
        get_args(["--version"])
    assert ended.value.code == 0 and capsys.readouterr().out == f"neural_style {__version__}\n"


def test_readme_has_todays_flags():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert options.with_flag_table(readme) == readme, "run: make docs"
    table = re.search(r"<!-- flags -->\n(.*?)<!-- /flags -->", readme, re.S)[1]
    assert table.count("\n") == len(options.FLAGS) + 2 and "`--lr-sched-factor`" in table


def test_a_stale_table_is_brought_up_to_date():
    text = "before\n<!-- flags -->\nold\n<!-- /flags -->\nafter"
    assert options.with_flag_table(text) == f"before\n<!-- flags -->\n{options.flag_table()}\n<!-- /flags -->\nafter"
