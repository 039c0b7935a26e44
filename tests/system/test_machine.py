"""What records of a run say about versions and machine."""

import subprocess
import sys

import numpy as np
from PIL import Image

import neural_style
from neural_style.system import machine


def test_versions(monkeypatch):
    versions = machine.versions()
    assert versions["neural_style"] == neural_style.__version__ and versions["MXNet"] == "1.9.1"
    assert versions["NumPy"] == np.__version__ and versions["Pillow"] == Image.__version__
    monkeypatch.setattr(machine, "PACKAGES", {"Nothing": "no-such-package"})
    assert machine.versions()["Nothing"] is None


def test_the_machine(monkeypatch, tmp_path):
    facts = machine.describe()
    assert facts["processors"].isdigit() and facts["system"].split()[0] in ("Linux", "Darwin")
    assert all(isinstance(fact, str) and fact for fact in facts.values())
    monkeypatch.setattr(machine.memory, "total", lambda: None)
    assert "memory" not in machine.describe()


def test_the_processors_name(monkeypatch):
    monkeypatch.setattr(machine.platform, "system", lambda: "Linux")
    monkeypatch.setattr(machine, "_text", lambda path: "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nflags\t: x\n")
    assert machine.processor() == "Some CPU @ 2 GHz"
    monkeypatch.setattr(machine, "_text", lambda path: "")
    assert machine.processor() == machine.platform.processor()


def test_mxnet_is_not_loaded_for_it():
    code = (
        "import sys; from neural_style.system import machine; machine.versions(); machine.describe(); "
        "sys.exit('mxnet' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
