"""State files that somebody else made: wrong in any field, asking for code and other folders, or inflating."""

import json
import os
import zipfile
from argparse import Namespace

import numpy as np
import pytest
from commands import a_run

from neural_style import nstyle
from neural_style.run import state
from neural_style.system.errors import UsageError

SHAPE = (1, 3, 4, 5)
IMAGE = np.arange(60, dtype="float32").reshape(SHAPE)


def members(tmp_path, **args):
    """The members of a good state: the dict about, and the arrays."""
    args = nstyle.get_args([]), args
    vars(args[0]).update(args[1])
    rows = [state.EpochRecord(epoch, 0.5, 2.0, 1.5, {"style": 1.0}) for epoch in (1, 2)]
    path = tmp_path / ".final.jpg.state.npz"
    state.save(path, args[0], "digest", rows, state.State(2, 1.5, IMAGE, [IMAGE + 1], IMAGE + 2, 3.5))
    with np.load(str(path)) as file:
        arrays = dict(file)
    return json.loads(arrays.pop("about").tobytes()), arrays


def put(tmp_path, about, arrays, pack=np.savez):
    """Write a state, and return its path."""
    path = tmp_path / ".final.jpg.state.npz"
    about = about if isinstance(about, bytes) else json.dumps(about).encode()
    pack(str(path), about=np.frombuffer(about, "uint8"), **arrays)
    return path


def refused(path, capsys, says="it is not the state of a run"):
    with pytest.raises(SystemExit) as ended:
        nstyle.get_args(["--resume", str(path)])
    said = capsys.readouterr().err
    assert ended.value.code == 2 and f"--resume {path}: {says}" in said and len(said.splitlines()) == 1
    with pytest.raises(UsageError):
        nstyle.train_nstyle(Namespace(resume=str(path)))


def test_a_good_state_is_loaded(tmp_path):
    saved = state.load(put(tmp_path, *members(tmp_path)))
    assert (
        saved.state.epoch == 2 and np.array_equal(saved.state.memory[0], IMAGE + 1) and saved.args["model"] == "vgg19"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"epoch": "2"},
        {"epoch": 3},
        {"epoch": -1},
        {"epoch": 1e9},
        {"epoch": None},
        {"seconds": "x"},
        {"seconds": float("nan")},
        {"seconds": [1]},
        {"best_total": float("inf")},
        {"best_total": None},
        {"best_total": "3"},
        {"finished": "yes"},
        {"finished": None},
        {"pictures": 3},
        {"folder": None},
        {"folder": {}},
        {"args": None},
        {"args": []},
        {"args": "x"},
        {"history": None},
        {"history": {}},
        {"history": [1, 2]},
        {"history": ["abcde", "abcde"]},
        {"history": [[1, 0, 0, 0, {}]]},
        {"history": [[2, 0, 0, 0, {}], [1, 0, 0, 0, {}]]},
        {"history": [[1, 0, 0, 0, {}], [2, "x", 0, 0, {}]]},
        {"history": [[1, 0, 0, 0, {}], [2.0, 0, 0, 0, {}]]},
        {"history": [[1, 0, 0, 0, {}], [2, 0, 0, 0, []]]},
        {"history": [[1, 0, 0, 0, {}], [2, 0, 0, 0, {"style": "1"}]]},
        {"history": [[1, 0, 0, 0, {}], [2, 0, float("nan"), 0, {}]]},
        {"history": [[1, 0, 0, 0, {}], [2, 0, 10**400, 0, {}]]},
    ],
    ids=str,
)
def test_every_field_is_checked(change, tmp_path, capsys):
    about, arrays = members(tmp_path)
    refused(put(tmp_path, {**about, **change}, arrays), capsys)


@pytest.mark.parametrize("total, has_best", [(3.5, False), (float("inf"), True)])
def test_a_best_image_comes_with_its_loss(total, has_best, tmp_path, capsys):
    about, arrays = members(tmp_path)
    if not has_best:
        del arrays["best"]
    refused(put(tmp_path, {**about, "best_total": total}, arrays), capsys)


@pytest.mark.parametrize(
    "name", ["epoch", "seconds", "best_total", "finished", "pictures", "folder", "args", "history"]
)
def test_no_field_may_be_missing(name, tmp_path, capsys):
    about, arrays = members(tmp_path)
    del about[name]
    refused(put(tmp_path, about, arrays), capsys)


@pytest.mark.parametrize(
    "args",
    [
        {"func": "os.system"},
        {"_private": 1},
        {"lr": "fast"},
        {"lr": None},
        {"lr": [1]},
        {"lr": float("nan")},
        {"pooling": "min"},
        {"max_num_epochs": 0},
        {"max_num_epochs": {}},
        {"content_image": None},
        {"content_image": {}},
        {"style_image": [[]]},
        {"output": {}},
        {"output": 3.5},
        {"checkpoint_output": "no-percent.jpg"},
        {"model": "a b"},
        {"model": 3.5},
        {"model": "../x"},
        {"optimizer": []},
        {"tile": 1},
        {"gpu": -7},
    ],
    ids=str,
)
def test_every_argument_is_checked(args, tmp_path, capsys):
    about, arrays = members(tmp_path)
    about["args"].update(args)
    refused(put(tmp_path, about, arrays), capsys)


@pytest.mark.parametrize(
    "change",
    [
        {"image": IMAGE.astype("float64")},
        {"image": IMAGE[0]},
        {"image": IMAGE[:, :2]},
        {"image": IMAGE * np.nan},
        {"image": IMAGE[:, :, :0]},
        {"image": np.array(3, "f4")},
        {"memory_0": IMAGE[:, :, 1:]},
        {"memory_0": IMAGE + np.inf},
        {"memory_0": IMAGE.astype("int32")},
        {"memory_1": IMAGE[0]},
        {"memory_7": IMAGE},
        {"best": np.zeros(3, "f4")},
        {"best": np.array(["x"] * 60).reshape(SHAPE)},
    ],
    ids=str,
)
def test_every_array_is_checked(change, tmp_path, capsys):
    about, arrays = members(tmp_path)
    refused(put(tmp_path, about, {**arrays, **change}), capsys)


@pytest.mark.parametrize(
    "about", [b"", b"[]", b"3", b"\xff", b"[" * 100_000, b'{"args":' * 100_000, b"9" * 5000], ids=len
)
def test_what_is_no_dict_is_no_state(about, tmp_path, capsys):
    refused(put(tmp_path, about, members(tmp_path)[1]), capsys)


def test_a_model_of_ones_own_is_named_by_hand(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model_evil.py").write_text("open('run', 'w')")
    for model in ("evil", "vgg19,evil"):
        refused(put(tmp_path, *members(tmp_path, model=model)), capsys, f"--model {model} is not part of this package")
    assert nstyle.get_args(["--resume", str(tmp_path), "--model", "vgg19,evil"]).model == "vgg19,evil"
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "args",
    [
        {"output": "/etc/a.png", "output_dir": "/etc", "checkpoint_output": "/etc/c%s.png"},
        {"output_dir": "/etc"},
        {"output_dir": ".."},
        {"output": "a.png", "output_dir": "x/../.."},
        {"output": "../../a.png", "checkpoint_output": "../c%s.png"},
    ],
    ids=str,
)
def test_outputs_lie_beside_the_state(args, tmp_path):
    found = state.load(put(tmp_path, *members(tmp_path, **args))).args
    assert all(
        found[name] is None or os.path.dirname(found[name]) == str(tmp_path) or found[name] == str(tmp_path)
        for name in ("output", "output_dir", "checkpoint_output")
    )


def huge(tmp_path, name, path):
    """A state of a few MB, of which one member is said to hold gigabytes of zeros, and does."""
    about, arrays = members(tmp_path)
    with zipfile.ZipFile(path, "w") as archive:
        for member, array in {"about": np.frombuffer(json.dumps(about).encode(), "uint8"), **arrays}.items():
            if member != name:
                with archive.open(f"{member}.npy", "w") as file:
                    np.lib.format.write_array(file, array)
        archive.compression = zipfile.ZIP_DEFLATED
        with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
            header = {"descr": "<f4", "fortran_order": False, "shape": (1, 3, 10_000, 20_000)}
            np.lib.format.write_array_header_1_0(file, header)
            file.write(bytes(1 << 24))
    return path


@pytest.mark.parametrize("name", ["about", "image", "memory_0", "best", "another"])
def test_nothing_is_inflated(name, tmp_path, capsys, monkeypatch):
    path = huge(tmp_path, name, tmp_path / ".final.jpg.state.npz")
    monkeypatch.setattr(zipfile.ZipExtFile, "_read1", lambda *_: pytest.fail("inflated"))
    refused(path, capsys)
    assert state.progress_of(path) == (0, 0)


def test_sizes_that_are_more_than_the_file_are_refused(tmp_path, capsys):
    about, arrays = members(tmp_path)
    path = put(tmp_path, about, arrays)
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\1\2")
    data[at + 20 : at + 28] = (1_500_000_000).to_bytes(4, "little") * 2
    path.write_bytes(data)
    refused(path, capsys)


def test_the_progress_of_a_state_reads_no_array(tmp_path, monkeypatch):
    path, read = put(tmp_path, *members(tmp_path)), []
    real = np.lib.npyio.NpzFile.__getitem__
    monkeypatch.setattr(np.lib.npyio.NpzFile, "__getitem__", lambda file, name: read.append(name) or real(file, name))
    assert state.progress_of(path) == (2, 1000) and read == ["about"]


@pytest.mark.parametrize(
    "change", [{"epoch": "x"}, {"epoch": None}, {"args": 3}, {"args": {"max_num_epochs": []}}], ids=str
)
def test_the_progress_of_what_is_no_state_is_none(change, tmp_path):
    about, arrays = members(tmp_path)
    assert state.progress_of(put(tmp_path, {**about, **change}, arrays)) == (0, 0)


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / ".final.jpg.state.npz")
    with pytest.raises(UsageError, match="there is no run to continue"):
        state.load(tmp_path)


def test_an_image_of_another_size_than_the_content_is_refused(pictures, random_params, tmp_path, capsys):
    words = a_run(pictures, random_params, f"--quiet --size 32 --max-num-epochs 2 --output_dir {tmp_path}")
    assert nstyle.main(words) == 0
    with np.load(str(tmp_path / ".final.jpg.state.npz")) as file:
        about = file["about"].tobytes()
    path = put(tmp_path, about, {"image": IMAGE, "memory_0": IMAGE})
    assert nstyle.main(["--resume", str(path)]) == 2
    assert "have changed since the run began" in capsys.readouterr().err
