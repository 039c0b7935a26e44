"""Pairs painted on this machine: how many at once, and a thread to wait for the process of each."""
import contextlib
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Callable, NamedTuple

from ..system import machine, memory
from .children import Children

# What a process takes at its peak, as measured with VGG19: in fast32, which takes most, 0.8 GB at 300x200 and 1.4 at 600x400.
BYTES_AT_REST, BYTES_PER_PIXEL = 600e6, 3500


class Painter(NamedTuple):
    """Something that paints."""
    paint: Callable         # takes {pair: Task} and gives (pair, Outcome) as they come
    at_once: int            # about how many pairs it paints at the same time


def jobs_for(wanted, pairs, pixels):
    """How many pairs to paint at once: as many as wanted, or as processors and free memory allow."""
    cores, free = machine.usable_cores(), memory.available()
    fitting = cores if free is None else int(free // (BYTES_AT_REST + BYTES_PER_PIXEL * pixels))
    return max(1, min(pairs, wanted or min(cores, fitting)))


def threads_for(jobs):
    """How many threads each of the processes gets; OMP_NUM_THREADS, where it is set, is respected."""
    return machine.threads_asked() or max(1, machine.usable_cores() // jobs)


@contextlib.contextmanager
def here(jobs):
    """Gives a Painter with so many processes on this machine."""
    threads = threads_for(jobs)

    def paint(tasks):
        futures = {pool.submit(children.paint, task, threads): pair for pair, task in tasks.items()}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            for future in futures:
                future.cancel()

    with ThreadPoolExecutor(jobs) as pool, Children() as children:
        yield Painter(paint, jobs)
