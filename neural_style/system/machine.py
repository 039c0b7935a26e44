"""Versions and facts about the machine, as the records of a run list them; MXNet is not loaded for them."""

import ctypes
import functools
import importlib.metadata
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Dict, List, Optional

from .. import __version__
from . import memory
from .errors import UsageError

INSTRUCTION_LIMIT = "DNNL_MAX_CPU_ISA"  # the variable that limits what oneDNN, MXNet's library of kernels, uses
ASK_FOR_AMX = 158, 0x1023, 18  # to arch_prctl of Linux on x86-64: ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
PACKAGES = {"MXNet": "mxnet", "NumPy": "numpy", "SciPy": "scipy", "scikit-image": "scikit-image", "Pillow": "pillow"}


def usable_cores() -> int:
    """The number of processors that this process may use: its affinity, if the system has that."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def threads_asked() -> Optional[int]:
    """The number of threads that OMP_NUM_THREADS asks for (the first, if it has several levels); None if not set."""
    asked = os.environ.get("OMP_NUM_THREADS", "").strip()
    if not asked:
        return None
    first = asked.split(",")[0].strip()
    if not first.isdigit() or int(first) < 1:
        raise UsageError(f"OMP_NUM_THREADS is {asked!r}; set it to a number of threads, or unset it")
    return int(first)


def threads() -> int:
    """The number of threads to compute with: as many as OMP_NUM_THREADS asks for, or as there are usable processors."""
    return threads_asked() or usable_cores()


def environment(threads: Optional[int] = None) -> Dict[str, str]:
    """The environment of a child process that finds this package, whatever folder it works in."""
    places = filter(None, [str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH")])
    found = dict(os.environ, PYTHONPATH=os.pathsep.join(places))
    return {**found, "OMP_NUM_THREADS": str(threads)} if threads else found


def versions() -> Dict[str, Optional[str]]:
    """{"neural_style": "1.0.0", "Python": "3.11.7", "MXNet": "1.9.1", …}; None for packages that are not installed."""
    return {
        "neural_style": __version__,
        "Python": platform.python_version(),
        **{name: _version(package) for name, package in PACKAGES.items()},
    }


def describe() -> Dict[str, str]:
    """{"system": "Linux 6.1 x86_64", "processor": …, "processors": "4", "memory": "16 GB"}; only known facts."""
    known = memory.total()
    facts = {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": processor(),
        "processors": str(usable_cores()),
        "memory": known and memory.gigabytes(known),
    }
    return {name: fact for name, fact in facts.items() if fact}


def processor() -> str:
    """The processor's name, or "" if the system does not say."""
    if platform.system() == "Darwin":
        try:
            return subprocess.check_output(["sysctl", "-n", "machdep.cpu.brand_string"], text=True).strip()
        except (OSError, subprocess.SubprocessError):
            return ""
    found = re.search(r"^model name\s*:\s*(.+)$", _text("/proc/cpuinfo"), re.M)
    return found[1].strip() if found else platform.processor()


def instructions() -> List[str]:
    """The processor's instruction sets, in lower case; empty if unknown."""
    found = re.search(r"^flags\s*:\s*(.+)$", _text("/proc/cpuinfo"), re.M)
    return found[1].lower().split() if found else []


@functools.lru_cache(maxsize=None)
def may_use_amx() -> bool:
    """Whether this process may use AMX's registers: Linux is asked for them, unless the user has set a limit."""
    if "amx_bf16" not in instructions() or os.environ.get(INSTRUCTION_LIMIT):
        return False
    return ctypes.CDLL(None).syscall(*ASK_FOR_AMX) == 0


def bfloat16_pays() -> bool:
    """Whether products of bfloat16 are faster than Winograd's of float32: by AMX, or AMD's AVX512_BF16.

    Intel's AVX512_BF16 takes twice as long as those (measured on a Xeon with both).
    """
    return may_use_amx() or "avx512_bf16" in instructions() and "GenuineIntel" not in _text("/proc/cpuinfo")


def _version(package):
    loaded = getattr(sys.modules.get(package), "__version__", None)  # CUDA builds have other package names
    try:
        return loaded or importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _text(path):
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
