"""The wheel, installed into a fresh environment, runs without the checkout."""

import functools
import http.server
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import threading
import venv
import zipfile
from pathlib import Path

import numpy
import pytest
from commands import a_run
from networks import SMALL
from packaging.requirements import Requirement

import neural_style
from neural_style.weights import download, sources

ROOT = Path(__file__).parent.parent
PIP = ["-m", "pip", "--quiet", "--disable-pip-version-check"]


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    """The unpacked sdist of this checkout, made from a copy that is removed again."""
    folder = tmp_path_factory.mktemp("sdist")
    junk = shutil.ignore_patterns(
        ".git", ".venv*", ".*_cache", "*.egg-info", "__pycache__", "output", "input", "*.params*"
    )
    shutil.copytree(ROOT, folder / "checkout", ignore=junk)
    styles = Path("neural_style", "end_to_end", "styles")
    shutil.copytree(ROOT / styles, folder / "checkout" / styles, dirs_exist_ok=True)
    code = "from setuptools import build_meta; build_meta.build_sdist('..')"
    subprocess.run([sys.executable, "-c", code], cwd=folder / "checkout", check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(folder / "checkout")
    shutil.unpack_archive(next(folder.glob("*.tar.gz")), folder)
    return next(path for path in folder.iterdir() if path.is_dir())


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    """The wheel made from the sdist."""
    folder = tmp_path_factory.mktemp("wheel")
    words = ["wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), str(sdist)]
    subprocess.run([sys.executable, *PIP, *words], check=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel):
    """The scripts folder of an environment with the wheel; the packages it requires are borrowed from this one."""
    venv.create(wheel.parent / "env")
    scripts = wheel.parent / "env" / "bin"
    words = ["--python", str(scripts / "python"), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([sys.executable, *PIP, *words], check=True)
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


def files_of(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a checkout")
def test_the_sdist_has_every_file(sdist):
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    tracked = {name for name in files.split("\0") if (ROOT / name).is_file()}
    assert tracked <= files_of(sdist)


def test_the_tests_of_the_sdist_pass(sdist):
    words = ["-m", "pytest", "-q", "tests/test_readme.py"]  # it reads the most of what is not in a wheel
    told = subprocess.run([sys.executable, *words], cwd=sdist, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout


def test_the_wheel_has_every_file(wheel):
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("neural_style/")}
    assert packed == {f"neural_style/{name}" for name in files_of(ROOT / "neural_style") if "__pycache__" not in name}


@pytest.fixture(scope="module")
def metadata(installed):
    (folder,) = installed.parent.glob("lib/python*/site-packages/neural_style_mxnet-*/METADATA")
    return importlib.metadata.Distribution.at(folder.parent).metadata


def test_the_long_description_leads_somewhere(metadata):
    page = metadata.get_payload()
    links = re.findall(r"\]\(([^)]+)\)", page)
    assert len(links) > 20 and all(link.startswith((metadata["Home-page"], "https://", "#")) for link in links)
    assert f"({metadata['Home-page']}/raw/HEAD/examples/sample.jpg)" in page
    assert re.sub(rf"{metadata['Home-page']}/(raw|blob)/HEAD/", "", page) == (ROOT / "README.md").read_text("utf-8")


def test_versions_of_python(metadata):
    versions = re.findall(r"Python :: (3\.\d+)", str(metadata.get_all("Classifier")))
    assert f"| Python | {versions[0]} to {versions[-1]} (tested" in metadata.get_payload()
    assert metadata["Requires-Python"] == f">={versions[0]}"
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    assert set(re.findall(r"\b3\.\d+\b", workflow)) == set(versions)


@pytest.mark.parametrize("system", ["linux x86_64", "linux aarch64", "darwin x86_64", "darwin arm64", "win32 AMD64"])
def test_mxnet_is_required_where_it_has_a_build(metadata, system):
    requirements = map(Requirement, metadata.get_all("Requires-Dist"))
    (marker,) = (requirement.marker for requirement in requirements if requirement.name == "mxnet")
    where = dict(zip(("sys_platform", "platform_machine"), system.split()), python_version="3.11")
    assert marker.evaluate(where) == (system not in ("darwin arm64", "win32 AMD64"))


def test_the_installed_command(installed, random_params, pictures, tmp_path):
    version = run(installed, ["neural-style", "--version"], tmp_path)
    assert version.stdout.strip() == f"neural_style {neural_style.__version__}"
    where = run(installed, ["python", "-c", "import neural_style; print(neural_style.__file__)"], tmp_path)
    assert str(installed.parent) in where.stdout
    words = a_run(pictures, random_params, "--max-long-edge 32 --max-num-epochs 2")
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
    words = (
        f"-m neural_style.end_to_end paint {pictures}/chelsea.png --network night --output painted/ --size 64".split()
    )
    told = run(installed, ["python", *words], tmp_path)
    assert told.returncode == 0 and (tmp_path / "painted" / "chelsea.jpg").stat().st_size > 500, told.stdout


FIRST_RUN = f"""
import sys
from neural_style import nstyle
from neural_style.network import architecture
from neural_style.weights import sources
architecture.NETWORKS["vgg19"] = {SMALL["vgg19"]}
sources.FILES[sources.WEIGHTS] = dict(git_blob=sys.argv[1])
sys.exit(nstyle.main(sys.argv[2:]))
"""


def test_the_first_installed_run_fetches_the_weights_and_no_other(installed, small_files, pictures, tmp_path):
    served, asked = tmp_path / "served", []
    (served / "model").mkdir(parents=True)
    shutil.copy(small_files["vgg19"], served / sources.WEIGHTS)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            asked.append(self.path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(served))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        words = [
            "python",
            "-c",
            FIRST_RUN,
            download.git_blob_of(small_files["vgg19"]),
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
