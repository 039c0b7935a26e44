"""The flags: names, defaults, wrong use, and the table of them in docs/flags.md."""

import re
from argparse import Namespace
from pathlib import Path

import pytest

from neural_style import __version__
from neural_style.find_mxnet import mx
from neural_style.nstyle import get_args
from neural_style.objective import image_terms
from neural_style.options.__main__ import flag_table, with_flag_table
from neural_style.options.check import complete
from neural_style.options.flags import FLAGS, GROUPS, NOISES
from neural_style.options.optimizers import OPTIMIZERS
from neural_style.options.parse import MAIN, parse
from neural_style.pictures import images
from neural_style.run import start
from neural_style.system.errors import UsageError

ROOT = Path(__file__).parents[2]
ORIGINAL = dict(
    model="vgg19",
    content_image="input/IMG_4343.jpg",
    style_image="input/starry_night.jpg",
    stop_eps=0.005,
    content_weight=10,
    style_weight=1,
    tv_weight=1e-2,
    max_num_epochs=1000,
    max_long_edge=600,
    lr=0.001,
    gpu=0,
    output_dir="output/",
    save_epochs=50,
    remove_noise=0.02,
    lr_sched_delay=75,
    lr_sched_factor=0.9,
)
OWN = dict(
    style_layers=None,
    style_layer_weights=None,
    style_norm="reference",
    content_layers=None,
    content_norm="sum",
    pooling="avg",
    normalised=False,
    tv_loss="laplacian",
    amplitude_weight=0,
    style_blend_weights=None,
    fit="stretch",
    style_scales=None,
    preserve_colors="none",
    optimizer="nag",
    momentum=None,
    beta2=None,
    weight_decay=None,
    clip_gradient=None,
    start="uniform",
    keep_best=False,
    width=None,
    output=None,
    checkpoint_output=None,
    output_size=None,
    bit_depth=8,
    flatten=False,
    precision="float32",
    engine="auto",
    tile=None,
    pyramid=0,
    pyramid_epochs=100,
    pyramid_step=2.0,
    pyramid_memory=False,
    average=0.0,
    clamp=False,
    remove_noise_final=0,
    report=False,
    overwrite=False,
    resume=None,
    print_iterations=1,
    seed=None,
    model_params=None,
    style_term="gram",
    patch_size=3,
    patch_stride=2,
    patch_rotations=None,
    patch_scales=None,
    match_every=10,
    mask=None,
    edges="drop",
    coordinates="pixels",
    smooth_colors=0,
    regions=None,
    style_regions=None,
    show=False,
    force=False,
    quiet=False,
    verbose=False,
    debug=False,
)


def test_defaults_are_the_originals():
    assert vars(get_args([])) == {**ORIGINAL, **OWN}


def test_flags_set_their_attributes():
    words = (
        "--model vgg --content-image a.png --style-image b.png --stop-eps 0.1 --content-weight 2.5 "
        "--style-weight 3 --tv-weight 0 --max-num-epochs 7 --max-long-edge 64 --lr 0.5 --gpu -1 "
        "--output_dir out --save-epochs 2 --remove-noise 0 --lr-sched-delay 5 --lr-sched-factor 0.6 --seed 3 "
        "--model-params w --quiet --verbose --debug"
    ).split()
    assert vars(get_args(words)) == dict(
        OWN,
        model="vgg",
        content_image="a.png",
        style_image="b.png",
        stop_eps=0.1,
        content_weight=2.5,
        style_weight=3,
        tv_weight=0,
        max_num_epochs=7,
        max_long_edge=64,
        lr=0.5,
        gpu=-1,
        output_dir="out",
        save_epochs=2,
        remove_noise=0,
        lr_sched_delay=5,
        lr_sched_factor=0.6,
        seed=3,
        model_params="w",
        quiet=True,
        verbose=True,
        debug=True,
    )
    assert get_args(["--output-dir", "x"]).output_dir == "x" and get_args(["--size", "64"]).max_long_edge == 64


@pytest.mark.parametrize("words", ["--stop-eps much", "--gpu 1.5", "--unknown 1", "--lr", "picture.jpg --nonsense"])
def test_words_that_do_not_parse_end_with_one_line_and_2(words, capsys):
    with pytest.raises(SystemExit) as ended:
        get_args(words.split())
    assert ended.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize(
    "name, value",
    [
        ("stop_eps", -1),
        ("stop_eps", float("nan")),
        ("content_weight", -0.1),
        ("content_weight", float("inf")),
        ("style_weight", float("nan")),
        ("style_weight", -2),
        ("tv_weight", float("nan")),
        ("max_num_epochs", 0),
        ("max_long_edge", 0),
        ("lr", 0),
        ("lr", -0.1),
        ("lr", float("nan")),
        ("gpu", -2),
        ("save_epochs", 0),
        ("remove_noise", -1),
        ("lr_sched_delay", 0),
        ("lr_sched_factor", 0),
        ("lr_sched_factor", 1.1),
        ("seed", -1),
        ("seed", 2**31),
        ("model", ""),
        ("bit_depth", 12),
        ("output_size", "0"),
        ("output_size", "as before"),
        ("output_size", -1),
        ("lr", 1e300),
        ("tv_weight", -1e31),
        ("max_num_epochs", 10**400),
        ("content_image", None),
        ("model", "../vgg"),
        ("lr", "fast"),
        ("max_num_epochs", None),
    ],
)
def test_values_that_cannot_be_are_refused_by_flag(name, value):
    with pytest.raises(UsageError) as caught:
        complete(Namespace(**{name: value}))
    assert str(caught.value).startswith(f"--{name.replace('_', '-')} ") and "must be" in str(caught.value)


def test_arguments_of_older_code_get_the_defaults_they_lack(caplog):
    old = Namespace(**{**ORIGINAL, "lr_sched_factor": 0.6, "tv_weight": -1})
    completed = complete(old)
    assert vars(completed) == {**ORIGINAL, **OWN, "lr_sched_factor": 0.6, "tv_weight": -1}
    assert not hasattr(old, "seed") and not caplog.records


def test_an_attribute_that_is_no_option_is_named_once(caplog):
    completed = complete(Namespace(max_size=600, max_num_epoch=3))
    assert vars(completed) == {**ORIGINAL, **OWN}
    first, second = (record.getMessage() for record in caplog.records)
    assert "args.max_size" in first and "no effect" in first and "did you mean args.max_num_epochs?" in second


def test_help_names_every_flag_with_its_default(capsys):
    with pytest.raises(SystemExit) as ended:
        get_args(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert ended.value.code == 0
    for flag in FLAGS:
        assert all(name in text for name in flag.names.split()) and flag.help in text
        assert flag.default in (None, False) or f"{flag.help} ({flag.default})" in text


def test_every_flag_is_in_one_group():
    names = [name for _, names in GROUPS for name in names.split()]
    assert sorted(names) == sorted(flag.attribute for flag in FLAGS)


def test_pictures_need_no_flags():
    _, args, given = parse(
        MAIN, ["--fast", "photo.jpg", "one.jpg", "two.jpg", "--size", "300", "--output", "photo.jpg"]
    )
    assert (
        args.content_image == "photo.jpg" and args.style_image == ["one.jpg", "two.jpg"] and args.output == "photo.jpg"
    )
    assert args.optimizer == "lbfgs" and given["max_long_edge"] == 300
    assert get_args(["-", "one.jpg"]).content_image == "-"
    assert get_args(["photo.jpg"]).style_image == get_args([]).style_image


@pytest.mark.parametrize(
    "words, reason",
    [
        ("photo.jpg --content-image other.jpg", "--content-image: is given twice, as a flag and as photo.jpg"),
        ("--epochs 40", "unrecognized argument: --epochs (did you mean --max-num-epochs?)"),
        ("--iterations=40", "(did you mean --max-num-epochs?)"),
        ("--image-size 40", "(did you mean --size?)"),
        ("--image_size 40", "(did you mean --size?)"),
        (
            "a.jpg b.jpg --iterations 40",
            "error: unrecognized argument: --iterations (did you mean --max-num-epochs?); --",
        ),
        ("--max_long_edge 40", "(did you mean --max-long-edge?)"),
        ("--stile-image a.jpg", "(did you mean --style-image?)"),
        ("--original-colors", "(did you mean --preserve-colors luma?)"),
        ("photo.jpg --wholly-unknown", "error: unrecognized argument: --wholly-unknown; --help"),
    ],
)
def test_near_misses(words, reason, capsys):
    with pytest.raises(SystemExit) as ended:
        get_args(words.split())
    error = capsys.readouterr().err
    assert ended.value.code == 2 and reason in error and error.count("\n") == 1


def test_version(capsys):
    with pytest.raises(SystemExit) as ended:
        get_args(["--version"])
    assert ended.value.code == 0 and capsys.readouterr().out == f"neural_style {__version__}\n"


def test_the_documentation_has_todays_flags():
    text = (ROOT / "docs" / "flags.md").read_text(encoding="utf-8")
    assert with_flag_table(text) == text, "run: make docs"
    table = re.search(r"<!-- flags -->\n(.*?)<!-- /flags -->", text, re.S)[1]
    assert table.count("| `--") == len(FLAGS) and "`--lr-sched-factor`" in table


def test_a_stale_table_is_brought_up_to_date():
    text = "before\n<!-- flags -->\nold\n<!-- /flags -->\nafter"
    assert with_flag_table(text) == f"before\n<!-- flags -->\n{flag_table()}\n<!-- /flags -->\nafter"


@pytest.mark.parametrize(
    "words, says",
    [
        ("--optimizer lbfgs --lr 0.1", "--lr has no effect with --optimizer lbfgs"),
        ("--recipe gatys --momentum 0.5", "--momentum has no effect with --optimizer lbfgs"),
        ("--optimizer adam --momentum 0.5", "--momentum has no effect with --optimizer adam"),
        ("--beta2 0.9", "--beta2 has no effect with --optimizer nag"),
        ("--style-weight 0 --style-norm gatys", "--style-norm has no effect with --style-weight 0"),
        ("--recipe content-only --style-image a.png", "--style-image has no effect with --style-weight 0"),
        ("--content-weight 0 --content-layers relu1_1", "--content-layers has no effect with --content-weight 0"),
        ("--tv-weight 0 --tv-loss squared", "--tv-loss has no effect without --tv-weight"),
        ("--style-scales 2", "--style-scales has no effect without --fit scale"),
        ("--style-blend-weights 2", "--style-blend-weights has no effect with a single --style-image"),
        ("--style-weight 0 --start style --fit cover", "--fit has no effect with --style-weight 0"),
        ("--style-weight 0 --preserve-colors match", "--preserve-colors has no effect with --style-weight 0"),
        ("--coordinates frequencies", "--coordinates has no effect without --optimizer lbfgs"),
        ("--width 100 --max-long-edge 200", "--max-long-edge has no effect with --width"),
    ],
)
def test_flags_without_effect_are_refused_with_the_reason(words, says, capsys):
    with pytest.raises(SystemExit) as ended:
        get_args(words.split())
    error = capsys.readouterr().err
    assert ended.value.code == 2 and says in error and len(error.splitlines()) == 1


def test_as_many_weights_as_styles():
    with pytest.raises(UsageError, match="--style-blend-weights has 1 values for 2 in --style-image"):
        complete(get_args(["--style-image", "a.png", "b.png", "--style-blend-weights", "1"]))
    with pytest.raises(UsageError, match="all 0"):
        complete(get_args(["--style-image", "a.png", "b.png", "--style-blend-weights", "0", "0"]))
    args = get_args(["--style-image", "a.png", "b.png", "--style-blend-weights", "1", "2"])
    assert complete(args).style_blend_weights == [1, 2]


@pytest.mark.parametrize("name", ["tmp.jpg", "tmp_%d.jpg", "tmp_%s_%s.jpg"])
def test_checkpoint_names_need_their_place_for_the_epoch(name):
    with pytest.raises(UsageError, match="--checkpoint-output .* one %s"):
        complete(get_args(["--checkpoint-output", name]))


@pytest.mark.parametrize(
    "words", ["--content-image - --style-image -", "--style-image - -", "--start - --content-image -"]
)
def test_standard_input_is_one_picture(words):
    with pytest.raises(UsageError, match="only one of"):
        complete(get_args(words.split()))


def test_a_line_stays_a_line(capsys):
    with pytest.raises(SystemExit):
        get_args(["--two\nlines\r"])
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_any_object_with_attributes_serves():
    class Settings:
        content_image = "a.png"
        lr_sched_factor = 0.6

    completed = complete(Settings())
    assert completed.content_image == "a.png" and completed.lr_sched_factor == 0.6 and completed.lr == 0.001


def test_choices_are_what_there_is():
    choices = {flag.name: flag.choices for flag in FLAGS}
    assert choices["--tv-loss"] == ("laplacian", *image_terms.TV_LOSSES)
    assert choices["--pooling"] == ("avg", "max")
    assert choices["--precision"] == ("float32", "fast32", "bf16", "auto")
    assert choices["--fit"] == tuple(images.FITS)
    assert set(NOISES) == set(start.NOISES)
    assert all(hasattr(mx.optimizer, row.mxnet) for row in OPTIMIZERS.values() if row.mxnet)
