"""MXNet loads quietly, with the threads of the cores that this process may use."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from neural_style import find_mxnet
from neural_style.system import machine
from neural_style.system.errors import NeuralStyleError, UsageError

PRINT_THREADS = (
    "import os{}; from neural_style.find_mxnet import mx; mx.nd.array([1, 2]).asnumpy(); "
    "print(os.environ['OMP_NUM_THREADS'])"
)


def python(code, **environment):
    variables = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**variables, **environment},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=True,
    ).stdout.strip()


def test_threads_are_the_usable_cores():
    assert python(PRINT_THREADS.format("")) == str(machine.usable_cores())


def test_a_given_number_of_threads_is_respected():
    assert python(PRINT_THREADS.format(""), OMP_NUM_THREADS="3") == "3"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity to set")
def test_affinity_is_respected():
    core = min(os.sched_getaffinity(0))
    assert python(PRINT_THREADS.format(f"; os.sched_setaffinity(0, [{core}])")) == "1"


@pytest.mark.skipif(not machine.may_use_amx(), reason="this machine has no AMX, or the system refuses it")
def test_amx_is_used_and_no_other_program_told_to():
    shown = python(
        "import os; from neural_style.find_mxnet import mx; print(os.environ.get('DNNL_MAX_CPU_ISA'))", DNNL_VERBOSE="1"
    )
    assert "AMX with bfloat16" in shown and "None" in shown.splitlines()


def test_the_aliases_mxnet_needs_are_there_and_distutils_is_not_faked_for_others():
    assert find_mxnet.mx.np.array([True], dtype=np.bool_).dtype == bool
    if sys.version_info >= (3, 12):
        assert (
            python("import sys; from neural_style.find_mxnet import mx; print('distutils' in sys.modules)") == "False"
        )


@pytest.mark.parametrize(
    "system, machine, advice",
    [
        ("Linux", "x86_64", "install it with: pip install "),
        ("Windows", "AMD64", "on Windows, use it in WSL 2"),
        ("Darwin", "arm64", "on Apple silicon, use an Intel build of Python, which Rosetta runs"),
    ],
)
def test_what_does_not_load_says_what_to_use_instead(monkeypatch, system, machine, advice):
    def missing(name):
        raise ModuleNotFoundError("No module named 'mxnet'")

    monkeypatch.setattr(find_mxnet.importlib, "import_module", missing)
    monkeypatch.setattr(find_mxnet.platform, "system", lambda: system)
    monkeypatch.setattr(find_mxnet.platform, "machine", lambda: machine)
    with pytest.raises(NeuralStyleError) as caught:
        find_mxnet.load()
    said = str(caught.value)
    assert f", {system} {machine}: No module named 'mxnet'. It runs with Python 3.8 to 3.13 on Linux" in said
    assert ("mxnet==1.9.1" in said) == (system == "Linux") and f"; {advice}" in said


def test_devices(monkeypatch):
    mx = find_mxnet.mx
    monkeypatch.setattr(mx.context, "num_gpus", lambda: 2)
    assert find_mxnet.context(-1) == mx.cpu() and find_mxnet.context(1) == mx.gpu(1)
    with pytest.raises(UsageError, match="--gpu 2: .* 0 to 1"):
        find_mxnet.context(2)

    def no_driver():
        raise mx.base.MXNetError("CUDA: no driver")

    monkeypatch.setattr(mx.context, "num_gpus", no_driver)
    assert find_mxnet.context(0) == mx.cpu()


def test_kernels_are_forgotten():
    code = """
        from neural_style.find_mxnet import forget_kernels, mx
        def rectify():
            mx.nd.Activation(mx.nd.ones((1, 3, 5, 7)), act_type="relu").wait_to_read()
        rectify(), rectify(), forget_kernels(), rectify()
    """
    asked = dict(os.environ, DNNL_VERBOSE="2", MXNET_MKLDNN_CACHE_NUM="0")
    said = subprocess.check_output([sys.executable, "-c", textwrap.dedent(code)], env=asked, text=True)
    made = [line for line in said.splitlines() if "create:cache_miss" in line and "1x3x5x7" in line]
    assert len(made) == 2 * find_mxnet.mx.runtime.Features().is_enabled("MKLDNN")


def test_no_other_attributes():
    with pytest.raises(AttributeError):
        _ = find_mxnet.tensorflow
