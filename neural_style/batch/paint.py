"""Paint what is left of a batch, tell how it goes, and record what comes of every pair."""
import time

from ..report import contact_sheet
from ..run.progress import Progress, duration
from ..system.errors import say
from . import cluster, workers
from .record import DONE, FAILED, Entry


def paint(batch):
    """Paint what is left of a batch; returns the entries of the pairs that failed."""
    record = batch.record
    record.expect(batch.pairs)
    try:
        start = time.monotonic()
        with _painter(batch) as painter, Progress(len(batch.pairs), "pair", 0, painter.at_once, not batch.args.quiet) as progress:
            for together in batch.rounds():
                prints = {pair: batch.fingerprint(pair) for pair in together}
                done = [pair for pair in together if record.is_done(pair, prints[pair])]
                tasks = {pair: batch.task(pair) for pair in together if pair not in done}
                for pair in done:
                    progress.skip()
                    batch.is_there(pair, prints[pair])
                for pair, outcome in painter.paint(tasks):
                    progress.step(time.monotonic() - start)
                    _tell(progress, pair.output, outcome, batch.args.quiet)
                    *known, _ = outcome
                    record.put(Entry(*pair, FAILED if outcome.error else DONE, prints[pair], *known))
                    if not outcome.error:
                        batch.is_there(pair, prints[pair])
    finally:
        contact_sheet.write(batch.folder / contact_sheet.SHEET, record.entries.values())
    return batch.finish()


def _painter(batch):
    """What paints the pairs: processes here, or a cluster's workers."""
    if batch.own.dask:
        return cluster.on_dask(batch.own.dask, batch.needed(), [batch.folder / pair.output for pair in batch.pairs])
    edge = batch.args.width or batch.args.max_long_edge
    return workers.here(workers.jobs_for(batch.own.jobs, max(map(len, batch.rounds())), edge * edge))


def _tell(progress, name, outcome, quiet):
    """Tell what has come of a pair, and what its process said."""
    line = f"{name} failed: {outcome.error}" if outcome.error else f"{name} done in {duration(outcome.seconds)}"
    if progress.bar is not None:
        told = outcome.said + line if outcome.error else outcome.said.rstrip()
        if told:
            progress.bar.write(told, file=progress.bar.fp)
    elif outcome.error or not quiet:
        about = f", about {duration(progress.left())} left" if progress.done < progress.total else ""
        say(f"{outcome.said}{progress.done}/{progress.total} {line}{about}")
