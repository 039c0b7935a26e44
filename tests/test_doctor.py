"""The doctor says what is here, a line each, and finds what is broken."""

import sys

import pytest

from neural_style import doctor, find_mxnet, nstyle
from neural_style.objective import objective
from neural_style.weights import pretrained as weights


@pytest.fixture
def words(small, tmp_path):
    return f"--doctor --model-params {small} --gpu -1 --content-image missing.png --output_dir {tmp_path}/out".split()


@pytest.fixture
def examined(words, capsys):
    def run(*more):
        code = nstyle.main(words + list(more))
        lines = capsys.readouterr().out.splitlines()
        return code, dict(line.split(": ", 1) for line in lines if ": " in line)

    return run


def only(monkeypatch, *names):
    monkeypatch.setattr(doctor, "CHECKS", [row for row in doctor.CHECKS if row[0] in names])


def test_all_is_well(examined, tmp_path):
    code, lines = examined()
    assert code == 0 and set(lines) == {name for name, _ in doctor.CHECKS}
    assert not any("PROBLEM" in text for text in lines.values())
    assert lines["gradient"].startswith("correct to within ") and lines["mxnet"].startswith("1.")
    assert "VGG19" in lines["weights"] and "JPEG, PNG" in lines["pictures"]
    assert not (tmp_path / "out").exists()


def test_a_broken_mxnet_hides_nothing_else(examined, monkeypatch):
    monkeypatch.setitem(sys.modules, "mxnet", None)
    code, lines = examined()
    assert code == 1 and set(lines) == {name for name, _ in doctor.CHECKS}
    assert "PROBLEM" in lines["mxnet"] and "pip install" in lines["mxnet"] and "PROBLEM" in lines["gradient"]
    assert "PROBLEM" not in lines["numpy"] + lines["pictures"]


def test_a_missing_package_is_named_with_its_cure(examined, monkeypatch):
    only(monkeypatch, "tqdm", "requests")
    monkeypatch.setitem(sys.modules, "tqdm", None)
    code, lines = examined()
    assert code == 1 and "pip install 'tqdm'" in lines["tqdm"] and "PROBLEM" not in lines["requests"]


def test_missing_weights_are_a_hint_where_they_can_be_fetched(monkeypatch, tmp_path, capsys):
    only(monkeypatch, "weights")
    monkeypatch.setattr(weights, "places", lambda name="vgg19": [tmp_path / f"{name}.params"])
    assert nstyle.main(["--doctor"]) == 0
    assert "HINT: none found; looked for" in capsys.readouterr().out
    assert nstyle.main(["--doctor", "--model", "vgg16"]) == 1
    assert "neural_style.weights convert" in capsys.readouterr().out


def test_wrong_weights_and_a_folder_that_cannot_be(examined, monkeypatch, tmp_path):
    only(monkeypatch, "weights", "output")
    (tmp_path / "wrong.params").write_bytes(b"wrong" * 20)
    (tmp_path / "file").write_text("")
    code, lines = examined(
        "--model-params", str(tmp_path / "wrong.params"), "--output_dir", str(tmp_path / "file" / "x")
    )
    assert code == 1 and "PROBLEM" in lines["weights"] and "PROBLEM" in lines["output"]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda g: g * 1.02,
        lambda g: -g,
        lambda g: g * 0,
        lambda g: find_mxnet.mx.nd.concat(g[:, :1] * 0, g[:, 1:], dim=1),
    ],
)
def test_a_wrong_gradient_is_found(examined, monkeypatch, wrong):
    only(monkeypatch, "gradient")
    right = objective.Objective.__call__

    def call(self, image):
        evaluation = right(self, image)
        return evaluation._replace(gradient=wrong(evaluation.gradient))

    monkeypatch.setattr(objective.Objective, "__call__", call)
    code, lines = examined()
    assert code == 1 and "PROBLEM: wrong by" in lines["gradient"]


def test_the_home_folder_is_not_named(monkeypatch):
    monkeypatch.setenv("HOME", "/home/jane")
    assert doctor.anonymous("/home/jane/model and /home/jane") == "~/model and ~"
    assert doctor.anonymous("/home/janet/model") == "/home/janet/model"
    assert doctor.anonymous("/media/jane/disk") == "/media/USER/disk"
