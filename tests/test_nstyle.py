"""The command and train_nstyle from end to end, on small pictures with random weights."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from forks import command, finished, forked
from objectives import objective_of
from PIL import Image

from neural_style import nstyle
from neural_style.find_mxnet import mx
from neural_style.objective import graph, objective
from neural_style.options.flags import REFERENCE
from neural_style.system.errors import NeuralStyleError, UsageError


@pytest.fixture
def words(short_run):
    return short_run


@pytest.fixture
def args(words):
    return nstyle.get_args(words)


def names(folder):
    """What lies in the folder but for the run's state."""
    return sorted(entry.name for entry in Path(folder).iterdir() if not entry.name.endswith(".state.npz"))


def test_callback_and_pictures(args, tmp_path):
    seen = []
    assert nstyle.train_nstyle(args, callback=seen.append) is None
    assert [data["epoch"] for data in seen] == [1, 2, 3, 4, 5]
    assert all(0 < data["eps"] < 2 for data in seen) and seen[0]["eps"] > seen[4]["eps"]
    assert [set(data) for data in seen] == [{"eps", "epoch"}, set(nstyle.CallbackData._fields)] * 2 + [{"eps", "epoch"}]
    assert names(tmp_path / "out") == ["e_2.jpg", "e_4.jpg", "final.jpg"]
    for data in (seen[1], seen[3]):
        assert data["filename"] == str(tmp_path / "out" / f"e_{data['epoch']}.jpg")
        assert data["img"].shape == (1, 3, 31, 48) and data["img"].dtype == np.float32
    assert not np.array_equal(seen[1]["img"], seen[3]["img"])
    assert Image.open(tmp_path / "out" / "final.jpg").size == (48, 31)


def test_the_last_picture_is_saved_as_it_is_and_the_others_denoised(args, tmp_path, monkeypatch):
    from neural_style.pictures import images

    calls = []
    monkeypatch.setattr(
        images, "SaveImage", lambda img, name, noise=0.0, recipe=None: calls.append((os.path.basename(name), noise))
    )
    nstyle.train_nstyle(args)
    assert calls == [("e_2.jpg", 0.02), ("e_4.jpg", 0.02), ("final.jpg", 0.0)]


def test_arguments_of_the_original_only(words, small, tmp_path, monkeypatch):
    """A namespace with the sixteen attributes of the time; the weights lie in ./model, as they did."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "vgg19.params").symlink_to(small)
    args = nstyle.get_args(words)
    for name in set(vars(args)) - set(REFERENCE):
        delattr(args, name)
    assert len(vars(args)) == 16
    args.output_dir = "out"  # the original glued names to it: oute_2.jpg
    nstyle.train_nstyle(args)
    assert names("out") == ["e_2.jpg", "e_4.jpg", "final.jpg"] and names(".") == ["model", "out"]


def test_early_stop_comes_before_that_epochs_picture_and_callback(args, tmp_path):
    every = []
    nstyle.train_nstyle(args, every.append)
    seen = []
    args.output_dir, args.stop_eps = str(tmp_path / "stopped"), float(every[3]["eps"]) + 1e-6
    nstyle.train_nstyle(args, seen.append)
    assert [data["epoch"] for data in seen] == [1, 2, 3]
    assert names(args.output_dir) == ["e_2.jpg", "final.jpg"]


def test_one_seed_one_picture(args):
    images = []
    for seed in (1, 1, 2):
        args.seed = seed
        nstyle.train_nstyle(args, lambda data: images.append(data.get("img")) if data["epoch"] == 4 else None)
    assert np.array_equal(images[0], images[1]) and not np.array_equal(images[0], images[2])


def test_an_output_folder_that_was_used_before_is_written_again(args, tmp_path):
    nstyle.train_nstyle(args)
    (tmp_path / "out" / "notes.txt").write_text("mine")
    nstyle.train_nstyle(args)
    assert names(tmp_path / "out") == ["e_2.jpg", "e_4.jpg", "final.jpg", "notes.txt"]


def test_gpu_without_one_runs_on_the_cpu_and_says_so_once(words, capsys):
    words[words.index("--gpu") + 1] = "0"
    assert nstyle.main(words) == 0
    said = capsys.readouterr().err
    assert said.count("no GPU") == 1 and "CPU" in said


def test_log_lines_where_there_is_no_terminal(words):
    _, lines = finished(lambda: nstyle.main([*words, "--lr-sched-delay", "2"]))
    assert len(lines) == 9 and not any(line.startswith("INFO") for line in lines)
    epochs = [line for line in lines if line.startswith("epoch ")]
    assert len(epochs) == 5
    for part in ("epoch 5/5", "eps 0.", "style ", "content ", " left"):
        assert part in epochs[-1]
    assert "final.jpg" in lines[-1]


def test_quiet_and_verbose(words, capsys):
    assert nstyle.main(words + ["--quiet"]) == 0
    assert capsys.readouterr().err == ""
    assert nstyle.main(words + ["--verbose"]) == 0
    said = capsys.readouterr().err
    assert "relu1_1 " in said and "relu4_2 " in said


def test_bar_on_a_terminal(words, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert nstyle.main(words) == 0
    bar = capsys.readouterr().err.replace("\r", "\n")
    assert "5/5" in bar and "eps 0." in bar and "style " in bar and "content " in bar and "epoch 1/5" not in bar


@pytest.mark.parametrize(
    "change, code, says",
    [
        ({"--content-image": "nowhere.jpg"}, 2, "nowhere.jpg: there is no such picture"),
        ({"--style-image": "."}, 2, "is a folder"),
        ({"--max-long-edge": "12"}, 2, "16 pixels"),
        ({"--model": "resnet"}, 2, "--model resnet is unknown"),
        ({"--model-params": "nowhere.params"}, 2, "nowhere.params"),
        ({"--lr": "nan"}, 2, "--lr nan: must be a finite number"),
        ({"--style-weight": "-1"}, 2, "--style-weight -1.0: must be from 0 to 1e20"),
        ({"--output_dir": "/dev/null/pictures"}, 1, "choose another folder"),
        ({"--output": "."}, 2, "--output . is a folder: use --output_dir"),
        ({"--output": "somewhere/"}, 2, "--output somewhere/ is a folder: use --output_dir"),
    ],
)
def test_wrong_use_is_one_line_and_the_right_code(words, change, code, says, capsys):
    for flag, value in change.items():
        words += [flag, value]
    assert nstyle.main(words + ["--quiet"]) == code
    out, said = capsys.readouterr()
    assert not out and len(said.splitlines()) == 1 and says in said and "Traceback" not in said


def test_debug_shows_the_traceback(words):
    with pytest.raises(UsageError):
        nstyle.main(words + ["--content-image", "nowhere.jpg", "--debug"])


def test_interrupted_ends_with_130(words, capsys, monkeypatch):
    monkeypatch.setattr(nstyle, "train_nstyle", lambda args: (_ for _ in ()).throw(KeyboardInterrupt))
    assert nstyle.main(words) == 130
    assert capsys.readouterr().err.strip() == "neural-style: interrupted"


def test_a_run_that_diverges_at_once_ends_with_1_and_no_picture(words, capsys, tmp_path):
    assert nstyle.main(words + ["--lr", "1e29", "--quiet"]) == 1
    said = capsys.readouterr().err
    assert "no longer finite" in said and "--lr" in said and not names(tmp_path / "out")


def test_the_last_good_picture_of_a_run_that_diverges_is_saved(args, tmp_path, monkeypatch):
    from neural_style.pictures import images

    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "final.jpg").write_bytes(b"earlier")
    evaluate, seen = objective.Objective.unread, []

    def breaks(self, image):
        seen.append(image.asnumpy())
        scalars, gradient = evaluate(self, image)
        return ([np.nan] * len(scalars) if len(seen) == 4 else scalars), gradient

    monkeypatch.setattr(objective.Objective, "unread", breaks)
    saved = {}
    monkeypatch.setattr(
        images, "SaveImage", lambda image, path, noise=0.0, recipe=None: saved.update({os.path.basename(path): image})
    )
    with pytest.raises(NeuralStyleError, match="epoch 4.*last good image is .*e_2.jpg"):
        nstyle.train_nstyle(args)
    assert np.array_equal(saved["e_2.jpg"], seen[2]) and "final.jpg" not in saved


def test_bad_input_never_costs_an_earlier_picture(words, tmp_path, capsys):
    assert nstyle.main(words) == 0
    before = {name: (tmp_path / "out" / name).read_bytes() for name in names(tmp_path / "out")}
    for change in (
        ["--content-image", "nowhere.jpg"],
        ["--model", "nothing"],
        ["--model-params", __file__],
        ["--lr", "1e29"],
    ):
        assert nstyle.main(words + change) != 0
    assert {name: (tmp_path / "out" / name).read_bytes() for name in names(tmp_path / "out")} == before


MODEL = """
import find_mxnet
import mxnet as mx
from neural_style.model_vgg19 import ConvExecutor

def get_symbol():
    data = mx.sym.Variable("data")
    conv = mx.symbol.Convolution(name="conv", data=data, num_filter=4, pad=(1, 1), kernel=(3, 3))
    relu = mx.symbol.Activation(name="relu", data=conv, act_type="relu")
    return mx.sym.Group([relu]), mx.sym.Group([conv])

def get_executor(style, content, size, dev):
    both = mx.sym.Group([style, content])
    bound = both.simple_bind(dev, grad_req={name: "write" if name == "data" else "null"
                                            for name in both.list_arguments()}, data=(1, 3) + tuple(size))
    for name, array in bound.arg_dict.items():
        array[:] = 0.1
    return ConvExecutor(bound, bound.arg_dict["data"], bound.grad_dict["data"], bound.outputs[:-1],
                        bound.outputs[-1], bound.arg_dict)
"""


def test_a_model_of_ones_own(args, words, tmp_path, monkeypatch, capsys):
    """A model_NAME.py in the working directory, written in the manner of the original's model_vgg19.py."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model_tiny.py").write_text(MODEL)
    args.model, args.model_params, seen = "tiny", None, []
    nstyle.train_nstyle(args, seen.append)
    assert len(seen) == 5 and names("out") == ["e_2.jpg", "e_4.jpg", "final.jpg"]
    assert str(tmp_path) not in sys.path
    assert nstyle.main(words + ["--model", "tiny"]) == 2
    assert "brings its own weights" in capsys.readouterr().err
    (tmp_path / "model_half.py").write_text("def get_symbol(): pass\n")
    assert nstyle.main(words + ["--model", "half"]) == 2
    assert "model_half.py has no get_executor()" in capsys.readouterr().err


def test_the_old_word_vgg_is_vgg19(words):
    assert nstyle.main(words + ["--model", "vgg", "--max-num-epochs", "1"]) == 0


def test_the_references_names():
    for name in (
        "get_args",
        "train_nstyle",
        "CallbackData",
        "PreprocessContentImage",
        "PreprocessStyleImage",
        "PostprocessImage",
        "SaveImage",
        "style_gram_symbol",
        "get_loss",
        "get_tv_grad_executor",
    ):
        assert callable(getattr(nstyle, name))
    assert nstyle.get_loss is graph.get_loss
    with pytest.raises(AttributeError):
        _ = nstyle.get_lost
    from neural_style import model_vgg19

    assert all(
        callable(getattr(model_vgg19, name)) for name in ("get_symbol", "get_executor", "get_model", "ConvExecutor")
    )


def test_code_of_the_time_assembles_the_parts_itself(random_params, pictures):
    """The reference's functions, called as its train_nstyle called them, give our numbers to the last bit."""
    from neural_style import model_vgg19

    content_np = nstyle.PreprocessContentImage(str(pictures / "chelsea.png"), 32)
    style_np = nstyle.PreprocessStyleImage(str(pictures / "coffee.png"), shape=content_np.shape)
    size, params = content_np.shape[2:], model_vgg19.get_params(random_params)
    style, content = model_vgg19.get_symbol()
    gram, gscale = nstyle.style_gram_symbol(size, style)
    features = model_vgg19.get_executor(gram, content, size, mx.cpu(), params)
    features.data[:] = style_np
    features.executor.forward()
    grams = [output.copyto(mx.cpu()) for output in features.style]
    features.data[:] = content_np
    features.executor.forward()
    target = features.content.copyto(mx.cpu())
    losses = model_vgg19.get_executor(*nstyle.get_loss(gram, content), size, mx.cpu(), params)
    for i, array in enumerate(grams):
        array.copyto(losses.arg_dict[f"target_gram_{i}"])
    target.copyto(losses.arg_dict["target_content"])
    image = mx.nd.random.uniform(-0.1, 0.1, content_np.shape)
    image.copyto(losses.data)
    losses.executor.forward()
    losses.executor.backward([mx.nd.ones((1,)) / scale for scale in gscale] + [mx.nd.ones((1,)) * 10])

    ours, _ = objective_of(
        f"--content-image {pictures}/chelsea.png --style-image {pictures}/coffee.png --max-long-edge 32 "
        f"--model-params {random_params} --tv-weight 0 --clip-gradient 0"
    )
    evaluation = ours(image)
    assert list(evaluation.losses) == [output.asscalar() for output in losses.executor.outputs]
    assert np.array_equal(evaluation.gradient.asnumpy(), losses.data_grad.asnumpy())


def python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, **environment}
    ).stdout.strip()


def test_help_and_import_do_not_load_mxnet():
    heavy = "print(sorted({'mxnet', 'numpy', 'skimage', 'PIL'} & set(__import__('sys').modules)))"
    assert python("import neural_style.nstyle;" + heavy) == "[]"
    told = python("import sys, neural_style.nstyle as n\ntry: n.main(['--help'])\nexcept SystemExit: pass\n" + heavy)
    assert told.endswith("[]")
    assert python("import logging, neural_style.nstyle; print(logging.getLogger().handlers)") == "[]"


def test_a_start_that_cannot_be_bettered_is_the_result(args, tmp_path):
    """L-BFGS takes no step where the gradient is 0: from the content, with nothing but the content to match."""
    args.optimizer, args.start, args.style_weight, args.tv_weight = "lbfgs", "content", 0, 0
    nstyle.train_nstyle(args)
    assert names(tmp_path / "out") == ["final.jpg"]


def test_a_closed_terminal_is_no_error(words, monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert nstyle.main(words) == 0


def test_ctrl_c_in_the_middle_of_a_run(words):
    words += ["--max-num-epochs", "100000", "--stop-eps", "0"]
    run = forked(command("neural_style.nstyle", *words), text=True, stderr=subprocess.PIPE)
    try:
        next(line for line in run.stderr if line.startswith("epoch 3/"))
        run.send_signal(signal.SIGINT)
        _, rest = run.communicate(timeout=60)
    finally:
        run.kill()
    assert run.returncode == 130
    assert "stopped after epoch" in rest.splitlines()[-1] and "Traceback" not in rest


def test_the_weights_are_read_once(args, monkeypatch):
    from neural_style.weights import pretrained as weights

    read, load = [], weights.load
    monkeypatch.setattr(weights, "load", lambda path, shapes=None: (read.append(path), load(path, shapes))[1])
    nstyle.train_nstyle(args)
    assert len(read) == 1


def test_a_patch_of_a_name_that_lives_elsewhere_is_undone(monkeypatch):
    """mock.patch and monkeypatch delete what they have set where a module has no such name of its own."""
    from neural_style.pictures import images

    original = images.SaveImage
    with mock.patch.object(nstyle, "SaveImage", print):
        assert images.SaveImage is print
    assert images.SaveImage is original
    with monkeypatch.context() as patch:
        patch.setattr(nstyle, "SaveImage", print)
    assert images.SaveImage is original
