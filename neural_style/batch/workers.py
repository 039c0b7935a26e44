"""Painting on this machine: several processes at once, and a thread that waits for each."""

import contextlib
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Callable, Iterator, NamedTuple, Optional

from ..system import machine, memory
from .children import Children

# A process at its peak, as measured with VGG19 in fast32, which takes most: 0.8 GB at 300x200, 1.4 GB at 600x400.
BYTES_AT_REST, BYTES_PER_PIXEL = 600e6, 3500


class Painter(NamedTuple):
    """Where pairs are painted."""

    paint: Callable  # takes {pair: Task} and yields (pair, Outcome) as pairs finish
    at_once: int  # about how many pairs are painted at the same time


def jobs_for(wanted: Optional[int], pairs: int, pixels: int) -> int:
    """How many pairs to paint at once: the number wanted, or what processors and free memory allow."""
    cores, free = machine.usable_cores(), memory.available()
    fitting = cores if free is None else int(free // (BYTES_AT_REST + BYTES_PER_PIXEL * pixels))
    return max(1, min(pairs, wanted or min(cores, fitting)))


def threads_for(jobs: int) -> int:
    """How many threads each process gets: OMP_NUM_THREADS where it is set, or a share of the processors."""
    return machine.threads_asked() or max(1, machine.usable_cores() // jobs)


@contextlib.contextmanager
def here(jobs: int) -> Iterator[Painter]:
    """A Painter with this number of processes."""
    threads = threads_for(jobs)

    def paint(tasks):
        futures = {pool.submit(children.paint, task, threads): pair for pair, task in tasks.items()}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            for future in futures:
                future.cancel()

    with Children() as children, ThreadPoolExecutor(jobs) as pool:
        try:
            yield Painter(paint, jobs)
        finally:
            children.stop()  # before the pool waits for them
