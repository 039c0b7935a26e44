"""Import MXNet 1.9.1 on today's Python and NumPy: `from neural_style.find_mxnet import mx`.

MXNet is retired, so what moved away under it is put back here, and nowhere else:

* NumPy 1.24 removed the aliases `numpy.bool` and `numpy.int`, which MXNet reads at import and later;
* SciPy deprecates the name `scipy.sparse.csr`, which MXNet looks at whenever an array is made;
* Python 3.12 removed `distutils`, of which MXNet reads two version classes at import only.

The OpenMP threads are set before the library loads, because afterwards it is too late: left alone, MXNet
takes half of the processors. A value of OMP_NUM_THREADS that is already set is respected.
"""
import contextlib
import importlib
import logging
import os
import platform
import sys
import types
import warnings

import numpy as np

from .system import machine, memory
from .system.errors import NeuralStyleError, UsageError

log = logging.getLogger("neural_style")

SUPPORTED = "Python 3.8 to 3.12 on Linux (x86-64, ARM64) or an Intel build of it on macOS"


@contextlib.contextmanager
def _distutils_for_import():
    """Stand in for distutils.version while MXNet is imported, where Python no longer has it."""
    if sys.version_info < (3, 12) or "distutils" in sys.modules:
        yield
        return
    from packaging.version import Version
    package, version = types.ModuleType("distutils"), types.ModuleType("distutils.version")
    package.version = version
    version.StrictVersion = version.LooseVersion = Version
    names = {"distutils": package, "distutils.version": version}
    sys.modules.update(names)
    try:
        yield
    finally:
        for name in names:
            del sys.modules[name]


def load():
    """Import MXNet, set up for this machine, and return the module."""
    if machine.threads_asked() is None:
        os.environ["OMP_NUM_THREADS"] = str(machine.usable_cores())
    os.environ.setdefault("MXNET_SUBGRAPH_VERBOSE", "0")
    os.environ.setdefault("MXNET_CPU_TEMP_COPY", "1")   # one scratch memory instead of four, each as large as a layer
    memory.share_one_arena()
    import scipy.sparse
    for alias, builtin in (("bool", bool), ("int", int)):
        if alias not in vars(np):
            setattr(np, alias, builtin)
    scipy.sparse.csr = types.SimpleNamespace(csr_matrix=scipy.sparse.csr_matrix)
    try:
        with _distutils_for_import(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module("mxnet")
    except (ImportError, OSError, AttributeError) as error:
        raise NeuralStyleError(
            f"MXNet does not load on Python {platform.python_version()}, {platform.system()} "
            f"{platform.machine()}: {str(error).splitlines()[0] if str(error) else type(error).__name__}. "
            f"It runs with {SUPPORTED}; there: pip install 'mxnet==1.9.1' 'numpy<2'") from error


def context(gpu):
    """The device: GPU number gpu, or the CPU where gpu is -1 or there is no GPU for this MXNet."""
    mx = load()
    if gpu < 0:
        return mx.cpu()
    try:
        count = mx.context.num_gpus()
    except mx.base.MXNetError:      # a CUDA build without a driver
        count = 0
    if count == 0:
        log.info("no GPU here: running on the CPU with %s threads", os.environ["OMP_NUM_THREADS"])
        return mx.cpu()
    if gpu >= count:
        raise UsageError(f"--gpu {gpu}: this machine's GPUs are 0 to {count - 1}")
    return mx.gpu(gpu)


def __getattr__(name):
    """`mx` is imported when it is first asked for, so that naming this module costs nothing."""
    if name == "mx":
        return load()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
