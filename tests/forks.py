"""Processes that have nothing to import: they are forks of this one, which has imported everything already.

Whether a command also starts on its own, with nothing imported, is for test_wheel.py to find out.
"""

import logging
import os
import runpy
import signal
import subprocess
import sys
import traceback
import warnings

import neural_style.batch.child
import neural_style.run.setup  # noqa: F401 (which loads MXNet)
from neural_style.layers import last


def forked(function, env=None, **how):
    """A process, as by subprocess.Popen, that calls the function; what this returns is the exit code."""
    return subprocess.Popen(["a fork"], env=env, preexec_fn=lambda: be_a_process(function, env), **how)


def finished(function, **how):
    """The exit code of a process that calls the function, and its lines on standard error."""
    process = forked(function, stderr=subprocess.PIPE, text=True, **how)
    said = process.communicate()[1]
    return process.returncode, said.splitlines()


def command(module, *words):
    """A function that does what `python -m module words` does, for forked."""
    words = [str(word) for word in words]

    def run():
        sys.argv, sys.orig_argv = [module, *words], [sys.executable, "-m", module, *words]
        warnings.simplefilter("ignore", RuntimeWarning)  # the module is imported already
        runpy.run_module(module, run_name="__main__", alter_sys=True)

    return run


def be_a_process(function, env=None):
    """In a process that was just forked: call the function as if Python had started with it, and end."""
    code = 1
    try:
        os.closerange(3, 4096)
        if env is not None:
            os.environ.clear()
            os.environ.update(env)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        logging.getLogger().handlers.clear()
        last._threads.cache_clear()  # threads do not live on in a fork
        sys.stdin, sys.stdout, sys.stderr = map(_standard, range(3), "rww")
        code = _code_of(function)
        sys.stdout.flush()
    finally:
        os._exit(code)


def _standard(number, mode):
    return open(number, mode, 1, errors="backslashreplace")


def _code_of(function):
    try:
        return function() or 0
    except SystemExit as ended:
        return ended.code or 0
    except BaseException:
        traceback.print_exc()
        return 1
