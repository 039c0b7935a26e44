"""Where a batch's pairs are painted, through joblib: several processes here, or the workers of a Dask cluster."""
import contextlib
import logging
import os
from pathlib import Path

from .. import __version__
from . import child
from ..system import memory
from ..system.errors import NeuralStyleError, UsageError
from ..system.machine import usable_cores

# What a process takes at the peak, as measured with VGG19: in fast32, which takes most, 0.8 GB at 300x200 and 1.4 at 600x400.
BYTES_AT_REST, BYTES_PER_PIXEL = 600e6, 3500
WAIT = 30       # seconds for a cluster to answer


def jobs_here(wanted, pairs, pixels):
    """How many pairs to paint at a time on this machine: as wanted, or as processors and free memory allow."""
    free = memory.available()
    fitting = usable_cores() if free is None else int(free // (BYTES_AT_REST + BYTES_PER_PIXEL * pixels))
    return max(1, min(pairs, wanted or min(usable_cores(), fitting)))


@contextlib.contextmanager
def here(jobs):
    """Give a function that paints tasks, (key, args, frame), as workers.on_dask's does, in so many processes here."""
    import joblib
    with child.Children() as children, joblib.parallel_config("threading", n_jobs=jobs):
        yield lambda tasks: _unordered(_paint, ((key, args, frame, child.threads_for(jobs), children)
                                                for key, args, frame in tasks))


@contextlib.contextmanager
def on_dask(address, folder, outputs):
    """Give a function that paints tasks, (key, args, frame), on a Dask cluster and yields (key, outcome) as they end."""
    try:
        from dask.distributed import Client
    except ImportError:
        raise UsageError("--dask needs Dask: pip install dask distributed") from None
    import joblib
    logging.getLogger("distributed").setLevel(logging.CRITICAL)     # a lost worker is told in the pair's outcome
    try:
        client = Client(address, timeout=WAIT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise NeuralStyleError(f"--dask {address}: no Dask scheduler answers there ({type(error).__name__})") from error
    with client:
        _demand_ready(client, address, folder)
        _remove_marks(outputs)      # of a batch that was killed
        try:
            with joblib.parallel_config("dask", client=client):
                yield lambda tasks: _unordered(_paint_counted, tasks)
        finally:
            _remove_marks(outputs)


def _demand_ready(client, address, folder):
    """Every worker must know this package, in this version, and see the folder."""
    from dask.distributed import TimeoutError
    try:
        client.wait_for_workers(1, timeout=WAIT)
        versions = client.run(_version)
    except TimeoutError:
        raise NeuralStyleError(f"--dask {address}: this cluster has no workers yet; start some with `dask worker "
                               f"{address}`") from None
    except Exception as error:
        raise NeuralStyleError(f"--dask {address}: the workers cannot use neural_style; install it there in version "
                               f"{__version__} ({error})") from error
    for worker, version in versions.items():
        if version != __version__:
            raise NeuralStyleError(f"--dask {address}: the worker {worker} has neural_style {version}, and this is "
                                   f"{__version__}")
    for worker, visible in client.run(os.path.isdir, str(folder)).items():
        if not visible:
            raise NeuralStyleError(f"--dask {address}: the worker {worker} does not see {folder}; pictures, weights "
                                   "and results must lie in folders that all machines share")


def _version():
    return __version__


def _unordered(function, tasks):
    import joblib
    painting = joblib.Parallel(return_as="generator_unordered", batch_size=1)
    return painting(joblib.delayed(function)(*task) for task in tasks)


def _paint(key, args, frame, threads=None, children=None):
    return key, child.paint(args, frame, threads, children)


def _paint_counted(key, args, frame):
    """Paint on a cluster, where a pair may take its whole worker down and is then given to the next one.

    It leaves a mark while it runs. Who finds two does not try again; joblib would wait for ever for a pair that
    Dask gave up.
    """
    marks = marks_of(args.output)
    try:
        if marks.exists() and marks.stat().st_size >= 2:
            outcome = {"outcome": "failed", "error": "the worker that painted it was lost twice"}
        else:
            with open(marks, "ab") as file:
                file.write(b".")
            outcome = child.paint(args, frame)
        _remove_marks([args.output])
    except OSError as error:
        outcome = {"outcome": "failed", "error": f"{args.output} cannot be written from {os.uname().nodename}: "
                                                 f"{error.strerror or error}"}
    return key, outcome


def _remove_marks(outputs):
    for output in outputs:
        with contextlib.suppress(FileNotFoundError):
            marks_of(output).unlink()


def marks_of(output):
    """The file in which a cluster's workers count how often a pair was started."""
    return Path(output).with_name(f".{Path(output).name}.started")
