"""What records of a run say about versions and machine."""
import subprocess
import sys

import numpy as np
from PIL import Image

import neural_style
from neural_style import machine


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
    monkeypatch.setattr(machine, "memory", lambda: None)
    assert "memory" not in machine.describe()


def test_memory_is_the_containers_where_that_is_less(monkeypatch):
    monkeypatch.setattr(machine, "_text", lambda path: "")
    whole = machine.memory()
    assert whole > 2 ** 28
    monkeypatch.setattr(machine, "_text", lambda path: "1048576\n" if path.endswith("memory.max") else "max\n")
    assert machine.memory() == 1048576
    monkeypatch.setattr(machine, "_text", lambda path: "9223372036854771712\n")
    assert machine.memory() == whole


def test_the_processors_name(monkeypatch):
    monkeypatch.setattr(machine.platform, "system", lambda: "Linux")
    monkeypatch.setattr(machine, "_text", lambda path: "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nflags\t: x\n")
    assert machine.processor() == "Some CPU @ 2 GHz"
    monkeypatch.setattr(machine, "_text", lambda path: "")
    assert machine.processor() == machine.platform.processor()


def test_mxnet_is_not_loaded_for_it():
    code = ("import sys; from neural_style import machine; machine.versions(); machine.describe(); "
            "sys.exit('mxnet' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
