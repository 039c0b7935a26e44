"""Everything of a run is on one device. A second CPU stands for a GPU, and mixing arrays of both is refused here."""

import functools
import threading

import numpy as np
import pytest

from neural_style import nstyle
from neural_style.find_mxnet import mx
from neural_style.objective.arrays import Arrays
from neural_style.pictures import images
from neural_style.run import optimize, run
from neural_style.system import files
from neural_style.system.errors import NeuralStyleError

RUNS = {
    "default": "",
    "pyramid": "--pyramid 1 --pyramid-epochs 2 --edges reflect --max-long-edge 70",
    "patches": "--style-term patches --match-every 2 --max-long-edge 64",
    "losses of the image": "--tv-loss isotropic --amplitude-weight 1 --pooling max --optimizer adam --lr 5 --keep-best",
    "frequencies": "--optimizer lbfgs --coordinates frequencies --start content",
    "a network": "--start network:night",
}


@pytest.fixture
def strict(monkeypatch):
    """Operators and backward passes refuse arrays of different devices, as they do where one of them is a GPU."""
    register = mx.nd.register
    invoke, backward = register._imperative_invoke, mx.executor.Executor.backward

    def on_one_device(handle, arrays, keys, values, out, *rest):
        found = invoke(handle, arrays, keys, values, out, *rest)
        written = out if isinstance(out, (list, tuple)) else [out]
        devices = {array.context for array in [*arrays, *written] if array is not None}
        assert len(devices) < 2 or len(arrays) == 1  # a copy
        return found

    def of_its_device(self, gradients=None, *rest):
        assert {array.context for array in gradients} == {self._ctx}
        return backward(self, gradients, *rest)

    monkeypatch.setattr(register, "_imperative_invoke", on_one_device)
    monkeypatch.setattr(mx.executor.Executor, "backward", of_its_device)


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("flags", RUNS.values(), ids=RUNS)
def test_a_run_is_on_its_device(flags, small, pictures, tmp_path, monkeypatch):
    images = []
    minimise = optimize.minimise

    def recorded(objective, *rest):
        images.append((objective.arrays.device, minimise(objective, *rest)))
        return images[-1][1]

    monkeypatch.setattr(optimize, "minimise", recorded)
    for device in mx.cpu(0), mx.cpu(1):
        monkeypatch.setattr(run, "context", lambda gpu, device=device: device)
        words = ["--content-image", str(pictures / "chelsea.png"), "--style-image", str(pictures / "coffee.png")]
        words += ["--model-params", str(small), "--max-long-edge", "48", "--max-num-epochs", "3", "--overwrite"]
        assert nstyle.main([*words, "--output_dir", str(tmp_path), "--quiet", *flags.split()]) == 0
    half = len(images) // 2
    for (first, here), (second, there) in zip(images[:half], images[half:]):
        assert (first, second) == (mx.cpu(0), mx.cpu(1)) and np.array_equal(here, there)


def test_a_gpu_goes_on_while_a_checkpoint_is_saved(short_run, tmp_path, monkeypatch):
    save, went_on, folders = images.SaveImage, threading.Event(), [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        nstyle.train_nstyle(
            nstyle.get_args([*short_run, "--output_dir", str(folder)]),
            on_epoch=lambda record: record.epoch == 3 and went_on.set(),
        )
        went_on.clear()

        @functools.wraps(save)
        def late(img, filename, *rest, **options):
            assert "e_2" not in str(filename) or went_on.wait(60)
            return save(img, filename, *rest, **options)

        monkeypatch.setattr(Arrays, "on_gpu", True)
        monkeypatch.setattr(images, "SaveImage", late)
    for name in "e_2.jpg", "e_4.jpg", "final.jpg":
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()


def test_what_cannot_be_saved_meanwhile_stops_the_run(short_run, tmp_path, monkeypatch):
    def full(path, content):
        raise NeuralStyleError(f"{path} could not be written: No space left on device")

    monkeypatch.setattr(Arrays, "on_gpu", True)
    monkeypatch.setattr(files, "write", full)
    with pytest.raises(NeuralStyleError, match="could not be written"):
        nstyle.train_nstyle(nstyle.get_args([*short_run, "--output_dir", str(tmp_path / "out")]))
    assert (tmp_path / "out" / "e_2.jpg").exists() and not (tmp_path / "out" / "final.jpg").exists()
