"""The wheel, installed into a fresh environment, runs without the checkout."""

import functools
import http.server
import os
import shutil
import subprocess
import sys
import threading
import venv
import zipfile
from pathlib import Path

import numpy
import pytest

import neural_style
from neural_style.weights import download, sources

ROOT = Path(__file__).parent.parent
PIP = ["-m", "pip", "--quiet", "--disable-pip-version-check"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of this checkout, built from a copy that is removed again."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(ROOT / "neural_style", source / "neural_style", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.py", "README.md"):
        shutil.copy(ROOT / name, source)
    subprocess.run(
        [sys.executable, *PIP, "wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), str(source)], check=True
    )
    shutil.rmtree(source)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel):
    """The scripts folder of an environment with the wheel; the packages it requires are borrowed from this one."""
    venv.create(wheel.parent / "env", with_pip=True)
    scripts = wheel.parent / "env" / "bin"
    subprocess.run([scripts / "python", *PIP, "install", "--no-deps", "--no-index", str(wheel)], check=True)
    (site,) = (wheel.parent / "env" / "lib").glob("python*/site-packages")
    (site / "borrowed.pth").write_text(str(Path(numpy.__file__).parent.parent))
    return scripts


def run(installed, words, folder, **more):
    environment = {name: value for name, value in {**os.environ, **more}.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [str(installed / words[0])] + words[1:],
        cwd=str(folder),
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def test_the_wheel_has_every_file(wheel):
    files = (
        path for path in (ROOT / "neural_style").rglob("*") if path.is_file() and path.parent.name != "__pycache__"
    )
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("neural_style/")}
    assert packed == {path.relative_to(ROOT).as_posix() for path in files}


def test_the_installed_command(installed, random_params, pictures, tmp_path):
    version = run(installed, ["neural-style", "--version"], tmp_path)
    assert version.stdout.strip() == f"neural_style {neural_style.__version__}"
    where = run(installed, ["python", "-c", "import neural_style; print(neural_style.__file__)"], tmp_path)
    assert str(installed.parent) in where.stdout
    words = [
        "--content-image",
        str(pictures / "chelsea.png"),
        "--style-image",
        str(pictures / "coffee.png"),
        "--model-params",
        str(random_params),
        "--max-long-edge",
        "32",
        "--max-num-epochs",
        "2",
    ]
    result = run(installed, ["python", "-m", "neural_style"] + words, tmp_path)
    assert result.returncode == 0, result.stdout
    assert (tmp_path / "output" / "final.jpg").stat().st_size > 500


def test_the_installed_page(installed, pictures, tmp_path):
    code = (
        "from neural_style.report.page import Report; "
        f"Report('report.html', [('content', {str(pictures / 'chelsea.png')!r})], '', {{}})"
        ".write([], [], 'finished', 0, 1)"
    )
    told = run(installed, ["python", "-c", code], tmp_path)
    assert told.returncode == 0 and "<style>" in (tmp_path / "report.html").read_text(), told.stdout


@pytest.mark.parametrize(
    "command",
    [
        "neural_style --help",
        "neural_style.nstyle --help",
        "neural_style.batch --help",
        "neural_style.film --help",
        "neural_style.weights --help",
        "neural_style.end_to_end --help",
        "neural_style.end_to_end train --help",
        "neural_style.painting --help",
        "neural_style --list-recipes",
        "neural_style --list-layers",
    ],
)
def test_the_installed_commands_answer(installed, tmp_path, command):
    told = run(installed, ["python", "-m", *command.split()], tmp_path)
    assert told.returncode == 0 and len(told.stdout.splitlines()) > 5, told.stdout


def test_the_installed_modules(installed, tmp_path):
    assert (
        run(installed, ["python", "-m", "neural_style.painting", "p.png", "--size", "80x64"], tmp_path).returncode == 0
    )
    told = run(installed, ["python", "-m", "neural_style.weights", "check", "p.png"], tmp_path)
    assert told.returncode == 1 and len(told.stdout.splitlines()) == 1 and "p.png" in told.stdout


def test_the_installed_network_paints(installed, pictures, tmp_path):
    words = [
        "-m",
        "neural_style.end_to_end",
        "paint",
        str(pictures / "chelsea.png"),
        "--network",
        "night",
        "--output",
        "painted/",
        "--size",
        "64",
    ]
    told = run(installed, ["python", *words], tmp_path)
    assert told.returncode == 0 and (tmp_path / "painted" / "chelsea.jpg").stat().st_size > 500, told.stdout


FIRST_RUN = """
import sys
from neural_style import nstyle
from neural_style.weights import sources
sources.FILES[sources.WEIGHTS] = dict(git_blob=sys.argv[1])
sys.exit(nstyle.main(sys.argv[2:]))
"""


def test_the_first_installed_run_fetches_the_weights_and_no_other(installed, random_params, pictures, tmp_path):
    served, asked = tmp_path / "served", []
    (served / "model").mkdir(parents=True)
    shutil.copy(random_params, served / sources.WEIGHTS)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            asked.append(self.path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(served))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        words = [
            "python",
            "-c",
            FIRST_RUN,
            download.git_blob_of(random_params),
            str(pictures / "chelsea.png"),
            str(pictures / "coffee.png"),
            "--size",
            "32",
            "--max-num-epochs",
            "1",
        ]
        for _ in range(2):
            told = run(
                installed,
                words,
                tmp_path,
                XDG_CACHE_HOME=str(tmp_path / "cache"),
                NEURAL_STYLE_SOURCE=f"http://127.0.0.1:{server.server_port}/",
            )
            assert told.returncode == 0, told.stdout
        server.shutdown()
    assert asked == [f"/{sources.WEIGHTS}"] and (tmp_path / "output" / "final.jpg").is_file()
