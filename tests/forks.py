"""Processes that have nothing to import: they are forks of this one, which has imported everything already.

Whether a command also starts on its own, with nothing imported, is for test_wheel.py to find out.
"""

import contextlib
import logging
import os
import runpy
import signal
import subprocess
import sys
import traceback
import warnings
from argparse import Namespace

import neural_style.batch.child
import neural_style.run.setup  # noqa: F401 (which loads MXNet)
from neural_style.layers import last

HANDLERS = {  # of a Python that starts
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
    signal.SIGPIPE: signal.SIG_IGN,
}


def forked(function, env=None, pass_fds=(), **how):
    """A process, as by subprocess.Popen, that calls the function; what this returns is the exit code."""
    return subprocess.Popen(["a fork"], env=env, preexec_fn=lambda: be_a_process(function, env, pass_fds), **how)


def popen(words, **how):
    """The same for the words python -m module …, in the place of subprocess.Popen."""
    return forked(command(*words[2:]), **how)


FORKING = Namespace(**{**vars(subprocess), "Popen": popen})  # in the place of the module subprocess


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


def be_a_process(function, env=None, pass_fds=()):
    """In a process that was just forked: call the function as if Python had started with it, and end."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in {int(name) for name in os.listdir("/dev/fd")} - {0, 1, 2, nothing, *pass_fds}:
            with contextlib.suppress(OSError):  # the folder's own
                os.fstat(number)
                os.dup2(nothing, number, inheritable=False)  # not free: a file of before may close its number yet
        if env is not None:
            os.environ.clear()
            os.environ.update(env)
        for number, handler in HANDLERS.items():
            signal.signal(number, handler)
        logging.getLogger().handlers.clear()
        last._threads.cache_clear()  # threads do not live on in a fork
        sys.stdin, sys.stdout, sys.stderr = map(_standard, range(3), "rww")
        code = _code_of(function)
        sys.stdout.flush()
    finally:
        os._exit(code)


def _standard(number, mode):
    return open(number, mode, 1, errors="backslashreplace", closefd=False)


def _code_of(function):
    try:
        return function() or 0
    except SystemExit as ended:
        return ended.code or 0
    except BaseException:
        traceback.print_exc()
        return 1
