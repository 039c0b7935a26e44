"""What a run will take is said before it starts, near enough to act on, and refused where it cannot be had."""

import logging
import re
import subprocess
import sys
from argparse import Namespace

import pytest
from commands import a_run
from PIL import Image

from neural_style import nstyle
from neural_style.find_mxnet import mx
from neural_style.network.model import Model
from neural_style.objective.engines import ENGINES
from neural_style.objective.terms import Term
from neural_style.options.check import complete
from neural_style.options.optimizers import OPTIMIZERS
from neural_style.run import plan
from neural_style.system import memory
from neural_style.system.errors import UsageError

GB = 10**9
GRAPH = ENGINES[0].precisions["float32"].memory


@pytest.fixture(scope="module")
def model(random_params):
    """VGG19 with filters of full size; a copy, whose weights count as 80 MB."""

    class Light(Model):
        weight_bytes = 80e6

    return Light("vgg19", mx.cpu(), random_params)


def terms(style=(), content=()):
    return [Term(kind, name, 1, None) for kind, names in (("style", style), ("content", content)) for name in names]


DEFAULT = terms(("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"), ("relu4_2",))


def args(**values):
    return complete(Namespace(content_image="missing.png", style_image="missing.png", **values))


def test_layer_bytes_by_hand(model):
    assert model.layer_bytes(["relu1_1"], (10, 20)) == (4 * 200 * 64, 4 * 200 * 64 * 2)
    below_pool1 = 4 * 200 * 64 * 4
    pool1, conv2_1 = 4 * 50 * 64, 4 * 50 * 128
    assert model.layer_bytes(["conv2_1", "relu1_1"], (10, 20)) == (
        conv2_1 + 4 * 200 * 64,
        below_pool1 + pool1 + conv2_1,
    )


@pytest.mark.parametrize("factors", [row.memory for engine in ENGINES for row in engine.precisions.values()])
def test_estimate_is_what_the_formula_says(model, factors):
    own, image = 4 * 200 * 64, 600
    fixed = plan.LIBRARIES + factors.libraries + factors.weights * 80e6
    gradient = fixed + factors.layers * 2 * own  # convolution and ReLU
    content, style = terms(content=["relu1_1"]), terms(style=["relu1_1"])
    states = OPTIMIZERS["nag"].bytes_per_value * image

    def estimate(terms, styles=(), optimizer="nag"):
        return plan.estimate(factors, model, terms, (10, 20), styles, optimizer)

    assert estimate(content) == gradient + factors.content * own + states
    assert (
        estimate(content, optimizer="lbfgs") == estimate(content) - states + OPTIMIZERS["lbfgs"].bytes_per_value * image
    )
    assert estimate(style, [(10, 20)]) == max(gradient, fixed + plan.TARGET * 2 * own) + states
    one = estimate(style, [(100, 20)])  # a style ten times as large
    assert one == pytest.approx(fixed + plan.TARGET * 20 * own + states)
    assert estimate(style, [(100, 20), (10, 20)]) == pytest.approx(one + plan.FURTHER * 2 * own)


def test_a_large_photo_counts_while_it_is_read(tmp_path):
    Image.new("RGB", (3000, 2000)).save(tmp_path / "large.png")
    (tmp_path / "broken.png").write_text("no picture")
    paths = [str(tmp_path / "broken.png"), str(tmp_path / "large.png"), str(tmp_path / "missing.png")]
    assert plan.reading(paths) == plan.LIBRARIES + plan.PHOTO * 6_000_000
    assert plan.reading(paths[:1]) == 0


def test_the_run_is_announced(model, caplog):
    caplog.set_level(logging.INFO, "neural_style")
    plan.announce(args(optimizer="adam"), model, DEFAULT, [(400, 600), (400, 600)], None, free=20 * GB)
    (line,) = caplog.messages
    assert re.fullmatch(
        r"600x400 in float32 on the CPU with \d+ threads? \(no GPU here\): at most 1000 epochs of adam; "
        r"needs about 1\.\d GB, 20 GB free",
        line,
    )


def test_a_run_on_a_gpu_is_announced(model, caplog, monkeypatch):
    caplog.set_level(logging.INFO, "neural_style")
    monkeypatch.setattr(model, "device", mx.gpu(1))
    monkeypatch.setattr(mx.context, "gpu_memory_info", lambda number: (number * 20 * GB, 24 * GB))
    plan.announce(args(max_num_epochs=1), model, DEFAULT, [(400, 600)], None, free=0)
    (line,) = caplog.messages
    assert re.fullmatch(
        r"600x400 in float32 on GPU 1: at most 1 epoch of nag; needs about \d\.\d GB of its memory, 20 GB free", line
    )
    monkeypatch.setattr(mx.context, "gpu_memory_info", lambda number: (GB // 2, 24 * GB))
    plan.announce(args(max_num_epochs=1), model, DEFAULT, [(400, 600)], None, free=0)
    assert re.fullmatch(r"that may be too little: --max-long-edge \d+ would fit", caplog.messages[-1])


@pytest.mark.parametrize("flag, value", [("max_long_edge", 6000), ("width", 6000)])
def test_what_cannot_fit_is_refused_with_the_size_that_fits(model, flag, value, monkeypatch):
    monkeypatch.setattr(plan, "resident", lambda: GB // 4)
    with pytest.raises(UsageError) as caught:
        plan.announce(args(**{flag: value}), model, DEFAULT, [(4000, 6000)], None, free=3 * GB)
    said = str(caught.value)
    assert said.startswith("this run needs about ") and "3.0 GB are free" in said and "--force" in said
    edge = int(re.search(rf"--{flag.replace('_', '-')} (\d+) would fit", said)[1])
    room = 3.25 * GB
    assert (
        plan.estimate(GRAPH, model, DEFAULT, (int(edge / 1.5), edge))
        <= room
        < plan.estimate(GRAPH, model, DEFAULT, (edge, int(edge * 1.5)))
    )
    plan.announce(args(**{flag: edge}), model, DEFAULT, [(int(edge / 1.5), edge)], None, free=3 * GB)
    plan.announce(args(force=True, **{flag: value}), model, DEFAULT, [(4000, 6000)], None, free=3 * GB)


def test_where_nothing_fits_no_size_is_named(model):
    with pytest.raises(UsageError, match="no size would fit"):
        plan.announce(args(), model, DEFAULT, [(400, 600)], None, free=1000 - memory.resident())


def test_strips_are_taken_where_the_whole_does_not_fit(model, caplog, monkeypatch):
    caplog.set_level(logging.INFO, "neural_style")
    monkeypatch.setattr(plan, "resident", lambda: 0)
    sizes = [(800, 1200)] * 2
    whole = plan.estimate(GRAPH, model, DEFAULT, *sizes[:1], sizes[1:])
    assert plan.tile_for(args(), model, DEFAULT, sizes, 2 * whole) is None
    assert plan.tile_for(args(tile=48), model, DEFAULT, sizes, 2 * whole) == 48
    tile = plan.tile_for(args(), model, DEFAULT, sizes, 0.7 * whole)
    assert tile in plan.TILES
    plan.announce(args(), model, DEFAULT, sizes, tile, 0.7 * whole)
    assert (
        f"the whole picture would need about {memory.gigabytes(whole)}: evaluating it in strips (--tile {tile})"
        in caplog.text
    )
    pool = DEFAULT + terms(content=["pool4"])  # which only the graph evaluates
    assert plan.tile_for(args(), model, pool, sizes, 0.7 * whole) is None
    large = [(80000, 120000)] * 2
    tile = plan.tile_for(args(), model, DEFAULT, large, whole)
    with pytest.raises(UsageError, match="needs about"):
        plan.announce(args(), model, DEFAULT, large, tile, whole)


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
    words = a_run(pictures, random_params, f"--max-long-edge 48 --max-num-epochs 1 --gpu -1 --output_dir {tmp_path}")
    monkeypatch.setattr(plan, "resident", lambda: 0)
    monkeypatch.setattr(plan, "available", lambda: int(0.3 * GB))
    assert nstyle.main(words) == 2
    said = capsys.readouterr().err.splitlines()
    assert "this run needs about" in said[-1] and not list(tmp_path.iterdir())
    assert nstyle.main(words + ["--force"]) == 0
    assert (tmp_path / "final.jpg").exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peaks are told in other units elsewhere")
def test_the_estimate_is_near_the_peak_of_a_run(random_params, pictures, tmp_path):
    words = a_run(
        pictures, random_params, f"--max-long-edge 240 --max-num-epochs 2 --gpu -1 --output_dir {tmp_path} --quiet"
    )
    code = (
        "import sys; from neural_style import nstyle; assert not nstyle.main(sys.argv[1:]); "
        "print(next(int(line.split()[1]) * 1024 for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    peak = int(subprocess.run([sys.executable, "-c", code] + words, stdout=subprocess.PIPE, check=True).stdout)
    model, height = Model("vgg19", mx.cpu(), random_params), int(300 / 451 * 240)
    assert plan.estimate(GRAPH, model, DEFAULT, (height, 240), [(height, 240)]) == pytest.approx(peak, rel=0.2)


def test_patches_and_regions_take_memory(model):
    from neural_style.objective.terms import STYLE, PatchShape

    size = (400, 600)

    def needed(*terms, styles=(size,)):
        return plan.estimate(GRAPH, model, [*DEFAULT, *terms], size, styles, "nag")

    layer = model.layer_bytes(["relu3_1"], size)[0]
    patches = Term(STYLE, "relu3_1", 1, None, "patches", None, PatchShape(3, 2))
    assert (
        needed(patches) - needed() > layer
        and needed(patches, styles=(size,) * 3) - needed(styles=(size,) * 3) > 3 * layer
    )
    regions = [Term(STYLE, "relu3_1", 1, None, "gram", number) for number in range(3)]
    assert needed(*regions) - needed() == pytest.approx(3 * GRAPH.regions * layer)


def test_a_large_mask_counts_while_it_is_read(tmp_path):
    Image.new("L", (3000, 2000)).save(tmp_path / "mask.png")
    for name in ("mask", "regions", "style_regions"):
        more = dict(style_regions="missing.png") if name == "regions" else {}
        more = dict(regions="missing.png") if name == "style_regions" else more
        paths = plan._pictures(args(**{name: str(tmp_path / "mask.png")}, **more))
        assert plan.reading(paths) == plan.LIBRARIES + plan.PHOTO * 6_000_000
