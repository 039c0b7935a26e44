"""Versions and machine, as records of a run name them; cheap, and MXNet is not loaded for it."""
import importlib.metadata
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

from . import __version__
from .find_mxnet import usable_cores

PACKAGES = {"MXNet": "mxnet", "NumPy": "numpy", "SciPy": "scipy", "scikit-image": "scikit-image", "Pillow": "pillow"}


def versions():
    """{"neural_style": "1.0.0", "Python": "3.11.7", "MXNet": "1.9.1", …}; None for what is not installed."""
    return {"neural_style": __version__, "Python": platform.python_version(),
            **{name: _version(package) for name, package in PACKAGES.items()}}


def describe():
    """{"system": "Linux 6.1 x86_64", "processor": …, "processors": "4", "memory": "15.6 GB"}; only what is known."""
    known = memory()
    facts = {"system": f"{platform.system()} {platform.release()} {platform.machine()}", "processor": processor(),
             "processors": str(usable_cores()), "memory": known and f"{known / 2 ** 30:.1f} GB"}
    return {name: fact for name, fact in facts.items() if fact}


def processor():
    """The processor's name, or "" where the system does not tell."""
    if platform.system() == "Darwin":
        try:
            return subprocess.check_output(["sysctl", "-n", "machdep.cpu.brand_string"], text=True).strip()
        except (OSError, subprocess.SubprocessError):
            return ""
    found = re.search(r"^model name\s*:\s*(.+)$", _text("/proc/cpuinfo"), re.M)
    return found[1].strip() if found else platform.processor()


def memory():
    """The bytes of memory that this process may use: the machine's, or its container's; None where unknown."""
    try:
        sizes = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    except (AttributeError, OSError, ValueError):
        sizes = []
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        text = _text(limit).strip()         # "max" where there is none
        sizes += [int(text)] if text.isdigit() else []
    return min(sizes, default=None)


def _version(package):
    loaded = getattr(sys.modules.get(package), "__version__", None)     # builds for CUDA have names of their own
    try:
        return loaded or importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _text(path):
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
