"""MXNet's CUDA build: found beside the CPU's, used where a GPU can run it, and if not, a line says why.

CUDA's libraries and the driver are stand-ins, compiled here.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from neural_style import cuda, doctor, find_mxnet

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """compiled(name, code): a shared library."""
    compiler = shutil.which("cc")
    if not compiler or sys.platform != "linux":
        pytest.skip("there is no C compiler, or this is not Linux")
    folder = tmp_path_factory.mktemp("libraries")

    def compile(name, code):
        (folder / "code.c").write_text(code)
        words = ["-shared", "-fPIC", f"-Wl,-soname,{name}", "-o", str(folder / name), str(folder / "code.c")]
        subprocess.run([compiler, *words], check=True)
        return folder / name

    return compile


@pytest.fixture
def machine(compiled, monkeypatch, tmp_path):
    """machine(**environment): a machine with the stand-in driver, and with site-packages in tmp_path."""
    path = compiled(cuda.DRIVER, (HERE / "driver.c").read_text())
    monkeypatch.setattr(cuda, "SITE", tmp_path)
    monkeypatch.setattr(cuda, "FOLDER", tmp_path / "mxnet_cu117")
    monkeypatch.setattr(cuda, "DRIVER", str(path))

    def set_up(**environment):
        for name, value in environment.items():
            monkeypatch.setenv(f"STANDIN_{name}", str(value))
        cuda.driver.cache_clear()

    set_up()
    yield set_up
    cuda.driver.cache_clear()


def install(folder, compiled=None, names=()):
    """Install a stand-in for the CUDA build into a folder, and these libraries."""
    (folder / "mxnet").mkdir(parents=True)
    (folder / "mxnet" / "__init__.py").write_text("")
    (folder / "mxnet_cu117-1.9.1.dist-info").mkdir()
    for number, name in enumerate(names):
        library = folder / "nvidia" / f"part{number % 3}" / "lib" / name
        library.parent.mkdir(parents=True, exist_ok=True)
        function = re.sub(r"[^a-z0-9]", "_", name.lower())
        shutil.copy(str(compiled(name, f"int of_{function}(void) {{ return 7; }}")), str(library))


def apart(expression):
    """What an expression about cuda is on this machine, in a process of its own: libraries stay loaded."""
    code = (
        "import ctypes; from pathlib import Path; from neural_style import cuda, find_mxnet; "
        f"cuda.SITE, cuda.FOLDER = Path({str(cuda.SITE)!r}), Path({str(cuda.FOLDER)!r}); "
        f"cuda.DRIVER = {cuda.DRIVER!r}; print(repr({expression}))"
    )
    return subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def test_without_a_driver_nothing_changes(machine, monkeypatch):
    monkeypatch.setattr(cuda, "DRIVER", "libcuda-that-is-nowhere.so.1")
    assert cuda.in_words(0) == "no GPU here" and cuda.folder() is None
    install(cuda.FOLDER)
    assert cuda.in_words(0) == "there is no NVIDIA driver (libcuda-that-is-nowhere.so.1)" and cuda.folder() is None


def test_a_driver_without_a_gpu(machine):
    assert cuda.in_words(0) == "the NVIDIA driver finds no GPU" and cuda.folder() is None
    assert find_mxnet.in_words(find_mxnet.mx.cpu(), 0).endswith("(the NVIDIA driver finds no GPU)")
    assert "(" not in find_mxnet.in_words(find_mxnet.mx.cpu(), -1)


@pytest.mark.parametrize("capability", [37, 50, 75, 86, 89, 90, 120])
def test_capabilities(machine, capability):
    machine(GPUS=2, CAPABILITY=capability)
    version = divmod(capability, 10)
    assert cuda.driver().gpus == [("Stand-in", version)] * 2
    if 50 <= capability < 90:
        assert "for the CPU only" in cuda.why_not(1)
    else:
        reason = f"Stand-in has compute capability {version[0]}.{version[1]}, and MXNet has code for 5.0 to 8.9"
        assert cuda.why_not(1) == reason
    assert cuda.why_not(2) == "the NVIDIA driver has only 2 GPUs"


def test_a_driver_that_is_too_old(machine):
    machine(GPUS=1, CAPABILITY=86, VERSION=10020)
    assert cuda.why_not() == "the NVIDIA driver is for CUDA 10; CUDA 11 needs a newer one"


def test_a_gpu_without_the_build_is_told_how_to_get_it(machine):
    machine(GPUS=1, CAPABILITY=86)
    assert cuda.in_words(0) == (
        "Stand-in is here, but this MXNet is for the CPU only: python -m neural_style.cuda installs the other"
    )


@pytest.mark.parametrize("missing", cuda.LIBRARIES)
def test_a_missing_library_is_named(machine, compiled, missing):
    machine(GPUS=1, CAPABILITY=86)
    install(cuda.FOLDER, compiled, [name for name in cuda.LIBRARIES if name != missing])
    line = f"{missing} is missing: python -m neural_style.cuda installs it"
    assert apart("(cuda.in_words(0), cuda.folder())") == repr((line, None))


@pytest.mark.parametrize("beside", [True, False])
def test_libraries_are_loaded_for_all_that_comes_after(machine, compiled, beside):
    """In the folder of its own, or where the build was installed in place of the CPU's."""
    machine(GPUS=1, CAPABILITY=86)
    install(cuda.FOLDER if beside else cuda.SITE, compiled, cuda.LIBRARIES)
    functions = ["of_libcudnn_so_8", "of_libcublaslt_so_11"]
    results = "".join(f", ctypes.CDLL(None).{function}()" for function in functions)
    assert apart(f"(cuda.why_not(), cuda.folder() == cuda.FOLDER{results})") == repr(("", beside, 7, 7))


def test_the_build_is_imported_instead_of_the_cpus(machine, compiled):
    def found():
        return apart("(find_mxnet._Finder.find_spec('mxnet').origin, find_mxnet._Finder.find_spec('numpy'))")

    machine(GPUS=1, CAPABILITY=86)
    before = found()
    install(cuda.FOLDER, compiled, cuda.LIBRARIES)
    assert found() == repr((str(cuda.FOLDER / "mxnet" / "__init__.py"), None)) != before
    machine(CAPABILITY=90)
    assert found() == before


def test_a_gpu_that_mxnet_counts_but_has_no_code_for(machine, monkeypatch):
    mx = find_mxnet.mx
    machine(GPUS=2, CAPABILITY=90)
    install(cuda.SITE)
    monkeypatch.setattr(mx.context, "num_gpus", lambda: 2)
    assert find_mxnet.context(1) == mx.cpu()


@pytest.mark.parametrize("capability, says", [(86, "Stand-in: Stand-in is here, but"), (90, "capability 9.0")])
def test_the_doctor_says_what_is_found(machine, capability, says):
    machine(GPUS=1, CAPABILITY=capability)
    with pytest.raises(doctor.Hint, match=says) as hint:
        doctor._gpu(doctor.Namespace(gpu=0))
    assert str(hint.value).endswith("MXNet computes on the CPU")


def test_the_extra_has_every_library():
    """setup.py takes the table as it is; each package is pinned, and cuBLAS's two libraries are of one."""
    assert "CUDA" in (HERE.parent / "setup.py").read_text()
    assert len(cuda.PACKAGES) == len(cuda.LIBRARIES) - 1 and all("==" in package for package in cuda.PACKAGES)


def test_one_command_installs_all_into_one_folder(monkeypatch, tmp_path):
    ran = []
    monkeypatch.setattr(
        cuda.subprocess, "run", lambda words: ran.append(words) or subprocess.CompletedProcess(words, 3)
    )
    assert cuda.install() == 3
    (words,) = ran
    assert words[words.index("--target") + 1] == str(cuda.FOLDER) and {cuda.BUILD, *cuda.PACKAGES} < set(words)
    assert "--no-deps" in words and os.path.dirname(str(cuda.FOLDER)) == str(cuda.SITE)
