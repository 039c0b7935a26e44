"""MXNet on NVIDIA's GPUs: its CUDA build, the libraries that the build needs, and what the driver says of the GPUs.

    python -m neural_style.cuda

installs all that beside the CPU's MXNet, in a folder of its own, because both builds are called `mxnet` and some of the
libraries would replace those of PyTorch. find_mxnet imports that build where it can use a GPU. This module imports
nothing of the package, so that setup.py can read the table.
"""

import ctypes
import functools
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import List, NamedTuple, Optional, Tuple

BUILD = "mxnet-cu117==1.9.1"
LIBRARIES = {  # what the build is linked to, in the order of loading, and the package that brings it
    "libcudart.so.11.0": "nvidia-cuda-runtime-cu11==11.8.89",
    "libcublasLt.so.11": "nvidia-cublas-cu11==11.11.3.6",
    "libcublas.so.11": "nvidia-cublas-cu11==11.11.3.6",
    "libcufft.so.10": "nvidia-cufft-cu11==10.9.0.58",
    "libcurand.so.10": "nvidia-curand-cu11==10.3.0.86",
    "libcusparse.so.11": "nvidia-cusparse-cu11==11.7.5.86",
    "libcusolver.so.11": "nvidia-cusolver-cu11==11.4.1.48",
    "libnvrtc.so.11.2": "nvidia-cuda-nvrtc-cu11==11.8.89",
    "libnvToolsExt.so.1": "nvidia-nvtx-cu11==11.8.86",
    "libnccl.so.2": "nvidia-nccl-cu11==2.21.5",
    "libcudnn.so.8": "nvidia-cudnn-cu11==8.9.6.50",
}
PACKAGES = list(dict.fromkeys(LIBRARIES.values()))
INSTALL = "python -m neural_style.cuda"
SITE = Path(sysconfig.get_path("purelib"))
FOLDER = SITE / "mxnet_cu117"
DRIVER = "libcuda.so.1"
OLDEST_DRIVER = 11000  # CUDA 11.0: any driver for CUDA 11 runs programs of CUDA 11.7
FIRST, LAST = (5, 0), (8, 9)  # the compute capabilities that the build has code for
NO_DEVICE, CAPABILITY = 100, (75, 76)  # of the driver's interface: an answer, and what to ask a device for


class Gpu(NamedTuple):
    """A GPU as the driver describes it."""

    name: str
    capability: Tuple[int, int]


class Driver(NamedTuple):
    """What the driver says: its GPUs, or in a line why there are none; found, whether there is a driver at all."""

    gpus: List[Gpu]
    trouble: str = ""
    found: bool = True


@functools.lru_cache(None)
def driver() -> Driver:
    """Ask the driver; nothing of CUDA is needed for that."""
    try:
        library = ctypes.CDLL(DRIVER)
    except OSError:
        return Driver([], f"there is no NVIDIA driver ({DRIVER})", found=False)
    answer, number = library.cuInit(0), ctypes.c_int()
    if answer:
        return Driver([], "the NVIDIA driver finds no GPU" if answer == NO_DEVICE else f"the driver answers {answer}")
    if library.cuDriverGetVersion(ctypes.byref(number)) or number.value < OLDEST_DRIVER:
        return Driver([], f"the NVIDIA driver is for CUDA {number.value // 1000}; CUDA 11 needs a newer one")
    if library.cuDeviceGetCount(ctypes.byref(number)):
        return Driver([], "the NVIDIA driver does not count its GPUs")
    return Driver([_gpu(library, index) for index in range(number.value)])


def _gpu(library, index):
    device, number, name = ctypes.c_int(), ctypes.c_int(), ctypes.create_string_buffer(100)
    library.cuDeviceGet(ctypes.byref(device), index)
    library.cuDeviceGetName(name, len(name), device)
    capability = []
    for which in CAPABILITY:
        library.cuDeviceGetAttribute(ctypes.byref(number), which, device)
        capability.append(number.value)
    return Gpu(name.value.decode(errors="replace"), (capability[0], capability[1]))


def build() -> Optional[Path]:
    """The folder with the CUDA build: its own, or site-packages if it was installed there; None if there is none."""
    return next((folder for folder in (FOLDER, SITE) if [*folder.glob("mxnet_cu*.dist-info")]), None)


def library(name: str) -> Optional[Path]:
    """The file of one of LIBRARIES, where pip puts it."""
    return next((path for folder in (FOLDER, SITE) for path in folder.glob(f"nvidia/*/lib/{name}")), None)


def why_not(gpu: int = 0) -> str:
    """In a line, why MXNet cannot use this GPU; "" if it can."""
    gpus, trouble, _ = driver()
    if trouble or gpu >= len(gpus):
        return trouble or f"the NVIDIA driver has only {len(gpus)} GPUs"
    name, capability = gpus[gpu]
    if not FIRST <= capability <= LAST:
        number, first, last = (".".join(map(str, one)) for one in (capability, FIRST, LAST))
        return f"{name} has compute capability {number}, and MXNet has code for {first} to {last}"
    if build() is None:
        return f"{name} is here, but this MXNet is for the CPU only: {INSTALL} installs the other"
    missing = load()
    return f"{missing} is missing: {INSTALL} installs it" if missing else ""


def load() -> str:
    """Load the libraries, so that MXNet finds them without LD_LIBRARY_PATH; returns the first that is missing."""
    for name in LIBRARIES:
        try:
            ctypes.CDLL(str(library(name) or name), ctypes.RTLD_GLOBAL)
        except OSError:
            return name
    return ""


def folder() -> Optional[Path]:
    """Where to import MXNet from instead of site-packages: the CUDA build's folder, if it can use a GPU."""
    able = build() == FOLDER and any(not why_not(number) for number in range(len(driver().gpus)))
    return FOLDER if able else None


def in_words(gpu: int) -> str:
    """Why a run that asked for this GPU is not on it."""
    nothing = not driver().found and build() is None
    return "no GPU here" if nothing else why_not(gpu) or "MXNet finds no GPU"


def install() -> int:
    """Install the CUDA build and its libraries into their folder; returns pip's exit code."""
    pip = [sys.executable, "-m", "pip", "install", "--upgrade", "--no-deps", "--target", str(FOLDER)]
    print(f"installing {BUILD} and {len(PACKAGES)} libraries into {FOLDER}", flush=True)
    return subprocess.run([*pip, BUILD, *PACKAGES]).returncode


if __name__ == "__main__":
    sys.exit(install())
