"""MXNet 1.9.1 on today's Python and NumPy: once this module is imported, `import mxnet` works.

MXNet is retired. When it is imported, this module, and no other, restores what it relies on and newer versions of other
software have removed:

* NumPy 1.24 removed the aliases `numpy.bool` and `numpy.int`, which MXNet reads at import and later;
* NumPy 2 removed twenty names that MXNet looks up at import only;
* SciPy deprecates the name `scipy.sparse.csr`, which MXNet looks at whenever an array is made;
* Python 3.12 removed `distutils`, of which MXNet reads two version classes at import only.

The number of OpenMP threads is set before the library loads, because afterwards it is too late: by default, MXNet uses
half of the processors. If OMP_NUM_THREADS is set already, it is respected. oneDNN, MXNet's library of kernels, is told
to use Intel's AMX where the system allows that. Where MXNet's CUDA build can use a GPU, it is the one that loads, and
CUDA's libraries before it; see cuda.py.
"""

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import math
import os
import platform
import sys
import types
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any, Optional

from neural_style import cuda
from neural_style.system import machine, memory
from neural_style.system.errors import NeuralStyleError, UsageError
from neural_style.system.types import Context

SUPPORTED = "Python 3.8 to 3.13 on Linux (x86-64, ARM64), or an Intel build of Python 3.8 to 3.12 on macOS"
ELSEWHERE = {  # what to do where MXNet has no build, by system and machine
    ("Windows", "AMD64"): "on Windows, use it in WSL 2",
    ("Windows", "ARM64"): "on Windows, use it in WSL 2",
    ("Darwin", "arm64"): "on Apple silicon, use an Intel build of Python, which Rosetta runs",
}
KERNELS = 1024  # that oneDNN keeps

GONE_CONSTANTS = dict(PZERO=0.0, NZERO=-0.0, PINF=math.inf, NINF=-math.inf, Inf=math.inf, NAN=math.nan, NaN=math.nan)
GONE_FUNCTIONS = "alltrue sometrue in1d mirr msort npv pmt ppmt pv rate trapz round_ product".split()


@contextlib.contextmanager
def _distutils():
    """Provide a substitute for distutils.version if Python no longer has it."""
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
            sys.modules.pop(name, None)


@contextlib.contextmanager
def _numpy_names():
    """Restore what NumPy has removed: permanently what MXNet keeps using, and the rest during its import."""
    import numpy.ma  # imported before, it does not take up the names
    import scipy.sparse

    scipy.sparse.csr = types.SimpleNamespace(csr_matrix=scipy.sparse.csr_matrix)
    for alias, builtin in (("bool", bool), ("int", int)):
        if alias not in vars(numpy):
            setattr(numpy, alias, builtin)
    names = {**GONE_CONSTANTS, **dict.fromkeys(GONE_FUNCTIONS, _gone)} if numpy.__version__ >= "2" else {}
    names = {name: value for name, value in names.items() if name not in vars(numpy)}
    vars(numpy).update(names)
    try:
        yield
    finally:
        for name in names:
            delattr(numpy, name)


@contextlib.contextmanager
def _instructions():
    """Have oneDNN use AMX: its version does only if told to before it first looks. Children are told by this module."""
    if not machine.may_use_amx():
        yield
        return
    os.environ[machine.INSTRUCTION_LIMIT] = "AVX512_CORE_AMX"
    try:
        yield
        nd = sys.modules["mxnet"].nd
        nd.Activation(nd.ones((1, 1, 1, 1)), act_type="relu").wait_to_read()  # it looks now
    finally:
        del os.environ[machine.INSTRUCTION_LIMIT]


@contextlib.contextmanager
def _later(name):
    """Postpone importing a module until it is used: scipy.stats takes half a second, and only quantisation needs it."""

    class Later(types.ModuleType):
        def __getattr__(self, attribute):
            return getattr(importlib.import_module(name), attribute)

    if name in sys.modules:
        yield
        return
    sys.modules[name] = Later(name)
    try:
        yield
    finally:
        del sys.modules[name]


def _gone(*args, **kwargs):
    raise AttributeError("NumPy 2 has removed this function")


class _Loader(importlib.abc.Loader):
    """MXNet's own loader, in the environment that it needs."""

    def __init__(self, loader):
        self._loader = loader

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        os.environ["OMP_NUM_THREADS"] = str(machine.threads())
        os.environ.setdefault("MXNET_SUBGRAPH_VERBOSE", "0")
        os.environ.setdefault("MXNET_CPU_TEMP_COPY", "1")  # one scratch buffer, as large as a layer, instead of four
        os.environ.setdefault("MXNET_MKLDNN_CACHE_NUM", "0")  # oneDNN has a cache of its own
        memory.share_one_arena()
        if [*Path(module.__file__).parents[1].glob("mxnet_cu*.dist-info")]:
            cuda.load()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with _instructions(), _distutils(), _numpy_names(), _later("scipy.stats"):
                self._loader.exec_module(module)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds MXNet, and nothing else, where Python would."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "mxnet":
            return None
        beside = cuda.folder()
        spec = importlib.machinery.PathFinder.find_spec(name, [str(beside)] if beside else path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


if not __package__:  # `import find_mxnet` inside this folder
    sys.modules[__name__] = importlib.import_module("neural_style.find_mxnet")
elif not any(isinstance(finder, _Finder) for finder in sys.meta_path):
    sys.meta_path.insert(0, _Finder())


def load() -> ModuleType:
    """Import MXNet, configured for this machine, and return the module."""
    try:
        return importlib.import_module("mxnet")
    except (ImportError, OSError, AttributeError) as error:
        package = "'mxnet==1.9.1' 'numpy<2'" if sys.version_info < (3, 13) else "--no-deps mxnet==1.9.1"
        advice = ELSEWHERE.get((platform.system(), platform.machine()), f"install it with: pip install {package}")
        if cuda.DRIVER in str(error):  # the CUDA build was installed in the place of the CPU's
            advice = f"pip install --force-reinstall {package}; {cuda.INSTALL} puts the CUDA build beside that"
        raise NeuralStyleError(
            f"MXNet does not load on Python {platform.python_version()}, {platform.system()} "
            f"{platform.machine()}: {str(error).splitlines()[0] if str(error) else type(error).__name__}. "
            f"It runs with {SUPPORTED}; {advice}"
        ) from error


def context(gpu: int) -> Context:
    """The device: GPU number gpu, or the CPU if gpu is -1 or this MXNet cannot use a GPU."""
    mx = load()
    if gpu < 0:
        return mx.cpu()
    try:
        count = mx.context.num_gpus()
    except mx.base.MXNetError:  # a CUDA build that does not get on with the driver
        count = 0
    if count and gpu >= count:
        raise UsageError(f"--gpu {gpu}: this machine's GPUs are 0 to {count - 1}")
    return mx.gpu(gpu) if count and not (cuda.build() and cuda.why_not(gpu)) else mx.cpu()


def forget_kernels() -> None:
    """Make oneDNN let go of the kernels for shapes that are not used again, and of the memory that these work in.

    It keeps the latest 1024, and nothing but others can take their places: here, as many small ones.
    """
    mx = load()
    for width in range(1, KERNELS + 1):
        mx.nd.Activation(mx.nd.zeros((1, 1, 1, width)), act_type="relu")
    mx.nd.waitall()


def gpu_memory(device: Context, gpu: int = -1) -> Optional[int]:
    """The free bytes of the device's memory; None on the CPU."""
    return None if device.device_type == "cpu" else load().context.gpu_memory_info(device.device_id)[0]


def in_words(device: Context, gpu: int = -1) -> str:
    """The device, where --gpu asked for this one."""
    if device.device_type != "cpu":
        return f"GPU {device.device_id}"
    threads = machine.threads()
    return f"the CPU with {threads} thread{'s' * (threads != 1)}{f' ({cuda.in_words(gpu)})' if gpu >= 0 else ''}"


def __getattr__(name: str) -> Any:
    """Import `mx` when it is first asked for, so that importing this module costs nothing."""
    if name == "mx":
        return load()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
