"""Paint what is left of a batch, report progress, and record the outcome of every pair."""

import contextlib
import time
from typing import Any, List

from ..report import contact_sheet
from ..run.progress import Progress, duration
from ..system.errors import say
from ..system.terminal import above_bar
from . import cluster, workers
from .plan import Batch
from .record import DONE, FAILED, Entry


def paint(batch: Batch) -> List[Entry]:
    """Paint what is left of a batch; returns the entries of the pairs that failed."""
    record = batch.record
    record.expect(batch.pairs)
    try:
        with _painter(batch) as painter, Progress(
            len(batch.pairs), "pair", at_once=painter.at_once, bar=not batch.args.quiet
        ) as progress:
            start = time.monotonic()
            for together in batch.rounds():
                tasks, fingerprints = {}, {pair: batch.fingerprint(pair) for pair in together}
                for pair, fingerprint in fingerprints.items():
                    if record.is_done(pair, fingerprint):
                        progress.skip()
                        batch.is_there(pair, fingerprint)
                    else:
                        tasks[pair] = batch.task(pair)
                for pair, outcome in painter.paint(tasks):
                    progress.step(time.monotonic() - start)
                    _report(progress, pair.output, outcome, batch.args.quiet)
                    *known, _ = outcome
                    entry: Any = (*pair, FAILED if outcome.error else DONE, fingerprints[pair], *known)
                    record.put(Entry(*entry))
                    if not outcome.error:
                        batch.is_there(pair, fingerprints[pair])
    except KeyboardInterrupt:
        raise KeyboardInterrupt("interrupted; run the same command again to continue") from None
    finally:
        contact_sheet.write(batch.folder / contact_sheet.SHEET, record.entries.values(), batch.own.sequence)
    return batch.finish()


def _painter(batch):
    """Processes here, or the workers of a cluster."""
    if batch.own.dask:
        return cluster.on_dask(batch.own.dask, batch.needed())
    edge = batch.args.width or batch.args.max_long_edge
    return workers.here(workers.jobs_for(batch.own.jobs, max(map(len, batch.rounds())), edge * edge))


def _report(progress, name, outcome, quiet):
    """Show a pair's outcome, and what its process said."""
    lines = outcome.said.splitlines()
    what = f"failed: {outcome.error}" if outcome.error else f"done in {duration(outcome.seconds)}"
    if progress.bar is not None:
        lines += [f"{name} {what}"] if outcome.error else []
    elif outcome.error or not quiet:
        about = f", about {duration(progress.left())} left" if progress.done < progress.total else ""
        lines.append(f"{progress.done}/{progress.total} {name} {what}{about}")
    with above_bar() if progress.bar is not None else contextlib.nullcontext():
        for line in lines:
            say(line)
