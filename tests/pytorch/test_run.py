"""Whole runs by PyTorch: beside the graph's, resumed by either engine, and only where they are asked for."""

import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

from neural_style import nstyle
from neural_style.find_mxnet import mx
from neural_style.network.model import Model
from neural_style.objective import engines
from neural_style.objective.terms import Term
from neural_style.options.check import complete
from neural_style.system.errors import NeuralStyleError, UsageError

torch = pytest.importorskip("torch")

from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

from neural_style.pytorch import device  # noqa: E402 (needs torch)
from neural_style.pytorch.arrays import Arrays  # noqa: E402
from neural_style.pytorch.engine import PyTorch  # noqa: E402

ROOT = Path(__file__).parents[2]
PICTURES = "IMG_4343.jpg", "starry_night.jpg"


@pytest.fixture
def painted(small, pictures, tmp_path):
    """painted(flags): the epochs' eps and totals, and the folder."""

    def run(flags, folder="out"):
        records = []
        words = ["--content-image", str(pictures / "chelsea.png"), "--style-image", str(pictures / "coffee.png")]
        words += ["--model-params", str(small), "--max-long-edge", "64", "--output_dir", str(tmp_path / folder)]
        args = nstyle.get_args([*words, *flags.split()])
        nstyle.train_nstyle(args, on_epoch=records.append)
        return np.array([(record.eps, record.total) for record in records]), tmp_path / folder

    return run


@pytest.mark.parametrize(
    "flags",
    [
        "--max-num-epochs 12",
        "--optimizer adam --lr 5 --tv-loss isotropic --amplitude-weight 1 --keep-best --max-num-epochs 12",
        "--optimizer sgd --momentum 0.5 --pooling max --tv-loss anisotropic --max-num-epochs 8",
        "--style-term patches --match-every 3 --max-num-epochs 8",
        "--style-term wasserstein --style-weight 1 --max-num-epochs 8",
        "--pyramid 1 --pyramid-epochs 3 --edges reflect --max-long-edge 70 --max-num-epochs 5",
    ],
)
def test_runs_as_the_graph_does(painted, flags):
    (ours, _), (graph, _) = (painted(f"{flags} --engine {name} --seed 1", name) for name in ("torch", "graph"))
    np.testing.assert_allclose(ours, graph, rtol=1e-3)


class Reads(TorchDispatchMode):
    """Counts the single values that are read from tensors, each of which would wait for a GPU."""

    count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += function is torch.ops.aten._local_scalar_dense.default
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize(
    "flags", ["", "--optimizer adam --tv-loss isotropic", "--keep-best", "--style-term wasserstein"]
)
def test_an_epoch_reads_the_device_once(painted, flags, monkeypatch):
    numbers, at_once = Arrays.numbers, []
    monkeypatch.setattr(
        Arrays, "numbers", lambda self, all_: at_once.append(any(map(torch.is_tensor, all_))) or numbers(all_)
    )
    singly = []
    for epochs in (2, 6):
        with Reads() as reads:
            painted(f"{flags} --max-num-epochs {epochs} --stop-eps 0 --engine torch --overwrite", str(epochs))
        singly.append(reads.count)
    extra = 2 * ("best" in flags)  # the image at the end is evaluated as well, in each run
    assert singly[0] == singly[1] and sum(at_once) == 2 + 6 + extra


@pytest.mark.parametrize("coordinates", ["pixels", "frequencies"])
def test_lbfgs_goes_down_about_as_fast_as_scipys(painted, coordinates):
    flags = f"--optimizer lbfgs --coordinates {coordinates} --max-num-epochs 20 --start content --stop-eps 0"
    (ours, _), (scipys, _) = (painted(f"{flags} --engine {name}", name) for name in ("torch", "graph"))
    assert (np.diff(ours[:, 1]) < 0).all() and len(ours) == 20 and ours[-1, 1] < 1.2 * scipys[-1, 1]


@pytest.mark.parametrize("first, then", [("torch", "graph"), ("graph", "torch"), ("torch", "torch")])
@pytest.mark.parametrize("optimizer", ["nag", "adam"])
def test_either_engine_resumes_a_run_of_the_other(painted, first, then, optimizer):
    whole, _ = painted(f"--optimizer {optimizer} --lr 0.5 --max-num-epochs 8 --seed 1 --engine {first}", "whole")
    _, folder = painted(f"--optimizer {optimizer} --lr 0.5 --max-num-epochs 5 --seed 1 --engine {first}")
    records = []
    args = nstyle.get_args(["--resume", str(folder), "--max-num-epochs", "8", "--engine", then])
    nstyle.train_nstyle(args, on_epoch=records.append)
    np.testing.assert_allclose([(one.eps, one.total) for one in records], whole[5:], rtol=1e-3)


def test_a_loss_that_is_not_finite_stops_with_a_line(painted, caplog):
    with pytest.raises(NeuralStyleError, match="no longer finite.*--lr"):
        painted("--lr 1e29 --max-num-epochs 9 --engine torch")


@pytest.mark.parametrize(
    "says, why", [("CUDA error: device lost", "device lost"), ("CUDA out of memory.", "too little free memory")]
)
def test_a_gpu_that_fails_midway_leaves_what_resumes_on_the_cpu(painted, monkeypatch, tmp_path, says, why):
    whole, _ = painted("--lr 0.5 --max-num-epochs 7 --seed 1 --engine graph", "whole")
    evaluate, done = PyTorch.__call__, []

    def fails(self, image):
        done.append(1)
        if len(done) == 6:
            raise RuntimeError(says)
        return evaluate(self, image)

    monkeypatch.setattr(PyTorch, "__call__", fails)
    with pytest.raises(NeuralStyleError, match=f"the GPU failed: .*{why}.*--gpu -1; to continue .*--resume"):
        painted("--lr 0.5 --max-num-epochs 7 --save-epochs 2 --seed 1 --engine torch")
    records = []
    nstyle.train_nstyle(
        nstyle.get_args(["--resume", str(tmp_path / "out"), "--engine", "graph"]), on_epoch=records.append
    )
    np.testing.assert_allclose([(one.eps, one.total) for one in records], whole[4:], rtol=1e-3)


@pytest.fixture
def model(small):
    return Model("vgg19", mx.cpu(), small)


TERMS = [Term("style", "relu2_1", 1, None), Term("content", "relu3_1", 1, None)]


@pytest.mark.parametrize(
    "flags, kind, chosen",
    [
        ("", "", ("graph", "float32")),
        ("", "cuda", ("torch", "float32")),
        ("--gpu -1", "cuda", ("graph", "float32")),
        ("--engine graph", "cuda", ("graph", "float32")),
        ("--engine torch", "", ("torch", "float32")),
        ("--precision fast32", "", ("layers", "fast32")),
        ("--precision fast32", "cuda", ("torch", "fast32")),
        ("--precision auto", "cuda", ("torch", "bf16")),
    ],
)
def test_auto_takes_pytorch_only_on_a_gpu_that_mxnet_cannot_use(model, flags, kind, chosen, monkeypatch):
    monkeypatch.setattr(device, "accelerator", lambda: kind)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda gpu: (7e9, 8e9))
    choice = engines.choose(complete(nstyle.get_args(flags.split())), model, TERMS)
    assert (choice.engine.name, choice.precision) == chosen
    model.device = mx.gpu(0)
    assert engines.choose(complete(Namespace(gpu=0)), model, TERMS).engine.name == "graph"


def test_pytorch_is_imported_only_where_it_is_used(random_params, pictures, tmp_path):
    code = "import sys; from neural_style import nstyle; nstyle.main(sys.argv[1:]); print('torch' in sys.modules)"
    words = ["--content-image", str(pictures / "chelsea.png"), "--style-image", str(pictures / "coffee.png")]
    words += ["--model-params", str(random_params), "--max-long-edge", "48", "--output_dir", str(tmp_path)]
    words += ["--gpu", "-1", "--max-num-epochs", "1", "--quiet", "--overwrite"]
    for flags, loaded in ([], "False"), (["--engine", "torch"], "True"):
        done = subprocess.run([sys.executable, "-c", code, *words, *flags], stdout=subprocess.PIPE, text=True)
        assert done.stdout.strip() == loaded


def test_without_pytorch_a_line_says_so(model, monkeypatch):
    monkeypatch.setattr(device.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="--engine torch: PyTorch is not installed .pip install torch."):
        engines.choose(complete(Namespace(engine="torch")), model, TERMS)


@pytest.mark.weights
def test_the_first_epochs_are_the_graphs(pictures, tmp_path):
    """The official pair where it is, or others, with the real network."""
    pair, found, near = [ROOT / "input" / name for name in PICTURES], [], 1e-4
    if not all(path.exists() for path in pair):
        pair, near = [pictures / "chelsea.png", pictures / "coffee.png"], 1e-3  # here rounding turns ReLUs over sooner
    for engine in ("torch", "graph"):
        eps = []
        words = f"--max-long-edge 240 --max-num-epochs 10 --seed 0 --output_dir {tmp_path}/{engine}".split()
        args = nstyle.get_args(["--engine", engine, "--gpu", "-1", *words])
        args.content_image, args.style_image = map(str, pair)
        nstyle.train_nstyle(args, on_epoch=lambda record, eps=eps: eps.append(record.eps))
        found.append(eps)
    np.testing.assert_allclose(*found, rtol=near)
