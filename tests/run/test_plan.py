"""What a run will take is said before it starts, near enough to act on, and refused where it cannot be had."""
import logging
import re
import subprocess
import sys
from argparse import Namespace

import pytest
from PIL import Image

from neural_style import nstyle
from neural_style.options import parse as options
from neural_style.run import optimize, plan
from neural_style.system import memory
from neural_style.system.errors import UsageError
from neural_style.find_mxnet import mx
from neural_style.model_vgg19 import get_layers
from neural_style.objective.terms import Term

GB = 10 ** 9


class Vgg:
    """What plan asks of a Model, without weights."""
    weight_bytes = 80e6

    def outputs(self, names):
        layers = get_layers()
        return mx.sym.Group([layers[name] for name in names])

    def chain(self, names):
        return None


def terms(style=(), content=()):
    return [Term(kind, name, 1, None) for kind, names in (("style", style), ("content", content)) for name in names]


DEFAULT = terms(("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"), ("relu4_2",))


def args(**values):
    return options.complete(Namespace(content_image="missing.png", style_image="missing.png", **values))


def test_layer_bytes_by_hand():
    assert plan.layer_bytes(Vgg().outputs(["relu1_1"]), (10, 20)) == (4 * 200 * 64, 4 * 200 * 64 * 2)
    below_pool1 = 4 * 200 * 64 * 4
    pool1, conv2_1 = 4 * 50 * 64, 4 * 50 * 128
    assert plan.layer_bytes(Vgg().outputs(["conv2_1", "relu1_1"]), (10, 20)) == (
        conv2_1 + 4 * 200 * 64, below_pool1 + pool1 + conv2_1)


def test_estimate_is_what_the_formula_says():
    own, image, fixed = 4 * 200 * 64, 600, plan.LIBRARIES + plan.FACTORS["graph"].weights * 80e6
    gradient = fixed + plan.FACTORS["graph"].layers * 2 * own        # convolution and ReLU
    content, style = terms(content=["relu1_1"]), terms(style=["relu1_1"])
    states = plan.STATES["nag"] * image
    assert plan.estimate(Vgg(), content, (10, 20)) == gradient + plan.FACTORS["graph"].content * own + states
    assert plan.estimate(Vgg(), content, (10, 20), (), "lbfgs") == (
        gradient + plan.FACTORS["graph"].content * own + plan.STATES["lbfgs"] * image)
    assert plan.estimate(Vgg(), style, (10, 20), [(10, 20)]) == gradient + plan.FACTORS["graph"].style * own + states
    one = plan.estimate(Vgg(), style, (10, 20), [(100, 20)])        # a style ten times as large
    assert one == pytest.approx(fixed + plan.TARGET * 20 * own + states)
    two = plan.estimate(Vgg(), style, (10, 20), [(100, 20), (10, 20)])
    assert two == pytest.approx(one + plan.FURTHER * 2 * own)
    assert set(plan.STATES) == set(optimize.FIRST_ORDER) | {"lbfgs"}


def test_a_large_photo_counts_while_it_is_read(tmp_path):
    Image.new("RGB", (3000, 2000)).save(tmp_path / "large.png")
    (tmp_path / "broken.png").write_text("no picture")
    paths = [str(tmp_path / "broken.png"), str(tmp_path / "large.png"), str(tmp_path / "missing.png")]
    assert plan.reading(paths) == plan.LIBRARIES + plan.PHOTO * 6_000_000
    assert plan.reading(paths[:1]) == 0


def test_the_run_is_announced(caplog):
    caplog.set_level(logging.INFO, "neural_style")
    plan.announce(args(optimizer="adam"), Vgg(), DEFAULT, [(400, 600), (400, 600)], mx.cpu(), free=20 * GB)
    line, = caplog.messages
    assert re.fullmatch(r"600x400 on the CPU with \d+ threads in float32: at most 1000 epochs of adam; "
                        r"needs about 1\.4 GB, 20 GB free", line)
    plan.announce(args(max_num_epochs=1), Vgg(), DEFAULT, [(400, 600)], mx.gpu(1))
    assert caplog.messages[1] == "600x400 on GPU 1 in float32: at most 1 epoch of nag"


@pytest.mark.parametrize("flag, value", [("max_long_edge", 6000), ("width", 6000)])
def test_what_cannot_fit_is_refused_with_the_size_that_fits(flag, value, monkeypatch):
    monkeypatch.setattr(plan, "resident", lambda: GB // 4)
    with pytest.raises(UsageError) as caught:
        plan.announce(args(**{flag: value}), Vgg(), DEFAULT, [(4000, 6000)], mx.cpu(), free=3 * GB)
    said = str(caught.value)
    assert said.startswith("this run needs about ") and "3.0 GB are free" in said and "--force" in said
    edge = int(re.search(rf"--{flag.replace('_', '-')} (\d+) would fit", said)[1])
    room = 3.25 * GB
    assert plan.estimate(Vgg(), DEFAULT, (int(edge / 1.5), edge)) <= room < plan.estimate(Vgg(), DEFAULT, (edge, int(edge * 1.5)))
    plan.announce(args(**{flag: edge}), Vgg(), DEFAULT, [(int(edge / 1.5), edge)], mx.cpu(), free=3 * GB)
    plan.announce(args(force=True, **{flag: value}), Vgg(), DEFAULT, [(4000, 6000)], mx.cpu(), free=3 * GB)


def test_where_nothing_fits_no_size_is_named():
    with pytest.raises(UsageError, match="no size would fit"):
        plan.announce(args(), Vgg(), DEFAULT, [(400, 600)], mx.cpu(), free=1000 - memory.resident())


def test_a_photo_too_large_to_be_read_is_refused_before(tmp_path, monkeypatch):
    path = tmp_path / "large.png"
    Image.new("RGB", (3000, 2000)).save(path)
    given = args()
    given.content_image = str(path)
    monkeypatch.setattr(plan, "resident", lambda: 0)
    with pytest.raises(UsageError, match="reading the pictures takes about 0.5 GB"):
        plan.check_pictures(given, free=GB // 4)
    plan.check_pictures(given, free=GB)
    given.force = True
    plan.check_pictures(given, free=GB // 4)


def test_the_command_refuses_with_2_and_force_starts(random_params, pictures, tmp_path, monkeypatch, capsys):
    words = ["--content-image", str(pictures / "chelsea.png"), "--style-image", str(pictures / "coffee.png"),
             "--model-params", str(random_params), "--max-long-edge", "48", "--max-num-epochs", "1", "--gpu", "-1",
             "--output_dir", str(tmp_path)]
    monkeypatch.setattr(plan, "resident", lambda: 0)
    monkeypatch.setattr(plan, "available", lambda: int(.3 * GB))
    assert nstyle.main(words) == 2
    said = capsys.readouterr().err.splitlines()
    assert "this run needs about" in said[-1] and not list(tmp_path.iterdir())
    assert nstyle.main(words + ["--force"]) == 0
    assert (tmp_path / "final.jpg").exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peaks are told in other units elsewhere")
def test_the_estimate_is_near_the_peak_of_a_run(random_params, pictures, tmp_path):
    words = ["--content-image", str(pictures / "chelsea.png"), "--style-image", str(pictures / "coffee.png"),
             "--model-params", str(random_params), "--max-long-edge", "240", "--max-num-epochs", "2", "--gpu", "-1",
             "--output_dir", str(tmp_path), "--quiet"]
    code = ("import sys; from neural_style import nstyle; assert not nstyle.main(sys.argv[1:]); "
            "print(next(int(line.split()[1]) * 1024 for line in open('/proc/self/status') if line.startswith('VmHWM')))")
    peak = int(subprocess.run([sys.executable, "-c", code] + words, stdout=subprocess.PIPE, check=True).stdout)
    vgg = Vgg()
    vgg.weight_bytes, vgg.chain = random_params.stat().st_size, lambda names: []
    height = int(300 / 451 * 240)
    assert plan.estimate(vgg, DEFAULT, (height, 240), [(height, 240)]) == pytest.approx(peak, rel=0.2)
