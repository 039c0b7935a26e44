"""The wheel, installed into a fresh environment, runs without the checkout."""
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import numpy
import pytest

import neural_style

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The scripts folder of an environment with the wheel; what the wheel needs is borrowed from this one."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(ROOT / "neural_style", source / "neural_style", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.py", "README.md"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run(pip + ["wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), str(source)], check=True)
    wheel, = folder.glob("*.whl")
    venv.create(folder / "env", with_pip=True)
    scripts = folder / "env" / "bin"
    subprocess.run([scripts / "python", "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--no-deps",
                    "--no-index", str(wheel)], check=True)
    site, = (folder / "env" / "lib").glob("python*/site-packages")
    (site / "borrowed.pth").write_text(str(Path(numpy.__file__).parent.parent))
    shutil.rmtree(source)
    return scripts


def run(installed, words, folder):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run([str(installed / words[0])] + words[1:], cwd=str(folder), env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def test_the_installed_command(installed, random_params, pictures, tmp_path):
    version = run(installed, ["neural-style", "--version"], tmp_path)
    assert version.stdout.strip() == f"neural_style {neural_style.__version__}"
    where = run(installed, ["python", "-c", "import neural_style; print(neural_style.__file__)"], tmp_path)
    assert str(installed.parent) in where.stdout
    words = ["--content-image", str(pictures / "chelsea.png"), "--style-image", str(pictures / "coffee.png"),
             "--model-params", str(random_params), "--max-long-edge", "32", "--max-num-epochs", "2"]
    result = run(installed, ["python", "-m", "neural_style.nstyle"] + words, tmp_path)
    assert result.returncode == 0, result.stdout
    assert (tmp_path / "output" / "final.jpg").stat().st_size > 500


def test_the_installed_page(installed, pictures, tmp_path):
    code = ("from neural_style.report import Report; "
            f"Report('report.html', [('content', {str(pictures / 'chelsea.png')!r})], '', {{}})"
            ".write([], [], 'finished', 0, 1)")
    told = run(installed, ["python", "-c", code], tmp_path)
    assert told.returncode == 0 and "<style>" in (tmp_path / "report.html").read_text(), told.stdout


def test_the_installed_modules(installed, tmp_path):
    assert run(installed, ["python", "-m", "neural_style.painting", "p.png", "--size", "80x64"], tmp_path).returncode == 0
    told = run(installed, ["python", "-m", "neural_style.weights", "check", "p.png"], tmp_path)
    assert told.returncode == 1 and len(told.stdout.splitlines()) == 1 and "p.png" in told.stdout
