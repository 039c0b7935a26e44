"""Painting on the workers of a Dask cluster."""

import asyncio
import contextlib
import logging
import os
from argparse import Namespace
from typing import Iterator, List

from .. import __version__
from ..options.flags import FILE, PICTURE, paths
from ..system.errors import NeuralStyleError, UsageError, describe
from .children import Children, Outcome
from .workers import Painter

WAIT = 30  # seconds for a cluster to answer


@contextlib.contextmanager
def on_dask(address: str, needed: List[str]) -> Iterator[Painter]:
    """A Painter on the cluster whose scheduler is at the address; needed are paths that every worker must see."""
    try:
        from dask import distributed  # an optional package
    except ImportError:
        raise UsageError("--dask needs Dask: pip install dask distributed") from None

    def paint(tasks):
        futures = {client.submit(_paint, task, __version__, pure=False): pair for pair, task in tasks.items()}
        for future in distributed.as_completed(futures, loop=client.loop):
            yield futures[future], _outcome(future, client, address)
            future.release()  # otherwise Dask repaints the pair if its worker is lost later

    for name in ["asyncio", "distributed", *logging.root.manager.loggerDict]:
        if name.split(".")[0] in ("asyncio", "distributed"):  # losses are reported in a line of our own
            logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        client = distributed.Client(address, timeout=WAIT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise NeuralStyleError(f"--dask {address}: no Dask scheduler answers there ({type(error).__name__})") from error
    with client:  # at the end the pairs that have not begun are cancelled
        _demand_ready(client, address, needed)
        yield Painter(paint, sum(client.nthreads().values()))


def _demand_ready(client, address, needed):
    """Raise NeuralStyleError if there are no workers, or one of them cannot paint."""
    try:
        client.wait_for_workers(1, timeout=WAIT)
        troubles = client.run(_trouble, needed, __version__)
    except asyncio.TimeoutError:
        why = f"this cluster has no workers yet; start some with `dask worker {address}`"
        raise NeuralStyleError(f"--dask {address}: {why}") from None
    except Exception as error:
        why = f"the workers cannot use neural_style; install it there in version {__version__} ({error})"
        raise NeuralStyleError(f"--dask {address}: {why}") from error
    for worker, trouble in troubles.items():
        if trouble:
            raise NeuralStyleError(f"--dask {address}: the worker {worker} {trouble}")


def _trouble(needed, version):
    """Why this machine cannot paint for a batch, in words; None if it can."""
    if version != __version__:
        return f"has neural_style {__version__}, and the batch {version}"
    for path in needed:
        if not os.path.exists(path):
            return f"does not see {path}; pictures, weights and results must lie in folders that all machines share"
    return None


def _paint(task, version):
    """Paint on a worker, which may have joined late."""
    args, host = Namespace(**task.args), os.uname().nodename
    trouble = _trouble([*paths(args, PICTURE), *paths(args, FILE), os.path.dirname(args.output)], version)
    if trouble:
        return Outcome(f"the worker on {host} {trouble}")
    try:
        with Children() as children:
            return children.paint(task)
    except Exception as error:  # the batch would wait for ever for one that Dask cannot send back
        return Outcome(f"the worker on {host}: {describe(error)}")


def _outcome(future, client, address):
    """The Outcome of a pair that Dask has finished or given up."""
    try:
        if not future.cancelled():
            return future.result()
    except Exception as error:
        if client.status == "running":
            return Outcome(describe(error))
    raise NeuralStyleError(
        f"--dask {address}: the connection to the scheduler is lost; the same command continues the "
        "batch once it runs again"
    )
