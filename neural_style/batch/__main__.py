"""Many pictures: every content in every style, several at a time, or the frames of a video one after the other.

    python -m neural_style.batch --content photos/ --style paintings/*.jpg --output results
"""
import contextlib
import hashlib
import itertools
import json
import os
import re
import sys
import time
from argparse import Namespace
from pathlib import Path

from . import pairs, workers
from ..options import check, flags, parse as command_line
from ..report import contact_sheet as gallery
from ..run.progress import duration
from ..system import errors
from ..system.errors import Parser, UsageError, say
from ..system.files import atomic
from ..weights import download

RECORD, SHEET = "batch.json", "index.html"
# A pair is painted again when another flag than these has changed, or one of its pictures, or the weights.
NOT_THE_PICTURE = flags.attributes(flags.RUN, flags.SESSION) + ["content_image", "style_image", "start", "model_params", "remove_noise"]


def parser():
    parser = Parser(prog="python -m neural_style.batch", allow_abbrev=False, description="Paint many pictures. "
                    "Beside the flags below, every flag of neural-style is taken and holds for every pair.")
    add = parser.add_argument
    add("--content", nargs="+", required=True, metavar="PATTERN", help="pictures, folders of them, or patterns")
    add("--style", nargs="+", required=True, metavar="PATTERN", help="the same")
    add("--output", required=True, metavar="DIR", help="the folder for the results CONTENT-STYLE.jpg, batch.json and "
        "the contact sheet index.html")
    add("--zip", action="store_true", help="first with first, second with second, instead of every pair")
    add("--sequence", action="store_true", help="the contents are a video's frames: each starts from the result before")
    add("--format", default="jpg", metavar="ENDING", help="of the results: jpg, png, … (jpg)")
    add("--jobs", type=int, metavar="N", help="so many pairs at a time; the processors are shared out among them")
    add("--dask", metavar="ADDRESS", help="paint on the workers of this Dask scheduler, such as tcp://host:8786")
    return parser


class Record:
    """batch.json: an entry with the outcome of every pair ever asked for in this folder, written whole each time."""

    def __init__(self, folder):
        self.path, self.entries = Path(folder) / RECORD, {}
        try:
            entries = json.loads(self.path.read_text(encoding="utf-8"))["pairs"]
            self.entries = {entry["output"]: entry for entry in entries
                            if entry["content"] and entry["style"] and entry["outcome"]}
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{self.path} is not the record of a batch ({error}); delete it to paint all pairs "
                             "again, or take another --output") from error

    def expect(self, expected):
        """Make room for the pairs of a run, and forget what others have left no picture of."""
        own = {pair.output: self.entries.get(pair.output) or dict(pair._asdict(), outcome="waiting")
               for pair in expected}
        others = {name: entry for name, entry in self.entries.items() if name not in own
                  and entry["outcome"] == "done" and (self.path.parent / name).is_file()}
        self.entries = {**others, **own}
        self._write()

    def is_done(self, pair, fingerprint):
        entry = self.entries.get(pair.output, {})
        return (entry.get("outcome"), entry.get("fingerprint")) == ("done", fingerprint) and \
            (self.path.parent / pair.output).is_file()

    def put(self, pair, fingerprint, outcome):
        """Write down what has come of the pair."""
        self.entries[pair.output] = dict(pair._asdict(), fingerprint=fingerprint, **outcome)
        self._write()

    def _write(self):
        text = json.dumps({"pairs": list(self.entries.values())}, indent=1)
        with atomic(self.path) as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")


class Batch:
    """The pairs of one command: what is left to paint, how, and what has come of it."""

    def __init__(self, own, args, given):
        self.own, self.given, self.folder = own, given, Path(os.path.abspath(own.output))
        self.record = Record(self.folder)
        contents, styles = ([path for path in pairs.find_pictures(patterns, flag) if not self._is_result(path)]
                            for flag, patterns in (("--content", own.content), ("--style", own.style)))
        if not contents or not styles:
            raise UsageError(f"there are no pictures but the results that {self.record.path} tells of")
        if own.zip and len(contents) != len(styles):
            raise UsageError(f"--zip: there are {len(contents)} contents and {len(styles)} styles; there must be as "
                             "many of the one as of the other")
        if own.sequence:
            pairs.demand_one_size(contents)
        sides = zip(contents, styles) if own.zip else itertools.product(contents, styles)
        self.pairs = pairs.name_outputs(list(dict.fromkeys(sides)), self.folder, own.format.lstrip("."),
                                  self.record.entries.values())
        self.args = check.complete(args)
        if len(flags.listed(args.style_blend_weights)) > 1 or len(flags.listed(args.style_scales)) > 1:
            raise UsageError("a batch paints each pair in one style; leave out the weights and scales of several")
        self._digests = {}

    def _is_result(self, path):
        """Whether it is a picture of an earlier batch, which may lie among the photographs."""
        folder, name = os.path.split(path)
        stem, ending = os.path.splitext(re.sub(r"_e\d+(?=\.\w+$)", "", name))
        return Path(folder) == self.folder and (name in self.record.entries or stem + ending in self.record.entries)

    def prepare(self):
        """What must be right before the first pair starts: the folder, the weights."""
        from ..pictures import images
        for path, known in [(self.folder / SHEET, self.record.path.exists()),
                            *((self.folder / pair.output, pair.output in self.record.entries) for pair in self.pairs)]:
            if path.exists() and not known and not self.args.overwrite:
                raise UsageError(f"{path} is there already, and no batch made it; take another --output folder, or "
                                 "replace it with --overwrite")
        images.prepare_outputs(self.folder / f"x.{self.own.format.lstrip('.')}")
        self.args.model, self.args.model_params = _weights(self.args)
        if os.path.isfile(self.args.start):
            self.args.start = os.path.abspath(self.args.start)

    def args_of(self, pair, before=None):
        """The arguments of a single run that paints the pair, from the result of the frame before if there is one."""
        output = str(self.folder / pair.output)
        own = dict(content_image=pair.content, style_image=pair.style, output=output, overwrite=True,
                   checkpoint_output="_e%s".join(os.path.splitext(output)))
        if before:
            candidates = self.raw(before), str(self.folder / before.output)
            own["start"] = next(path for path in candidates if os.path.exists(path))
        if "save_epochs" not in self.given:         # no pictures in between unless asked for
            own["save_epochs"] = self.args.max_num_epochs + 1
        return Namespace(**dict(vars(self.args), **own))

    def fingerprint(self, pair, before=""):
        """What the pair's picture depends on, in a word; before is that of the frame that it starts from."""
        flags = {name: value for name, value in vars(self.args).items() if name not in NOT_THE_PICTURE}
        files = [self._digest(path) for path in (pair.content, pair.style, self.args.start, self.args.model_params)]
        return hashlib.sha256(json.dumps([flags, files, before], sort_keys=True).encode()).hexdigest()[:16]

    def _digest(self, path):
        """The SHA-256 of a file, or the word itself where it is none that can be read."""
        if path not in self._digests:
            self._digests[path] = path
            if path and os.path.isfile(path):
                with contextlib.suppress(OSError):      # the pair's own run will say it
                    self._digests[path] = download.sha256_of(path)
        return self._digests[path]

    def rounds(self):
        """Lists of pairs that can be painted at the same time: all of them, or a sequence's frames one by one."""
        if not self.own.sequence:
            return [self.pairs]
        return [list(frame) for _, frame in itertools.groupby(self.pairs, key=lambda pair: pair.content)]

    def raw(self, pair):
        """Where the result of a sequence's frame is kept, unrounded, until the next frame is done."""
        return str(self.folder / f".{pair.output}.npy")

    def frame(self, pair, before):
        """What child.paint needs to know of a sequence's frame besides the arguments."""
        return {"raw": self.raw(pair), "before": before and before.content} if self.own.sequence else None

    def forget(self, pair):
        """Remove the unrounded result of a frame."""
        if pair and os.path.exists(self.raw(pair)):
            os.unlink(self.raw(pair))


def _weights(args):
    """The model and its weights file, fetched now so that not every process fetches them; None for one's own model."""
    from ..network import normalise
    from ..network.find_model import first_with_weights, full_name, is_own
    from ..weights import pretrained
    names = args.model.split(",")
    name = first_with_weights(names) if len(names) > 1 and not args.model_params else args.model
    if not is_own(name):
        return name, args.model_params
    path = pretrained.ensure(full_name(name), args.model_params)
    if args.normalised:
        normalise.ensure(full_name(name), path)
    return name, os.path.abspath(path)


def run(batch):
    """Paint what is left of a batch; returns the pairs that failed."""
    record, folder, previous = batch.record, batch.folder, {}       # by style: the last good frame and its fingerprint
    record.expect(batch.pairs)
    try:
        with _workers(batch) as paint, Progress(len(batch.pairs), batch.args.quiet) as progress:
            for together in batch.rounds():
                tasks, prints, by_name = [], {}, {pair.output: pair for pair in together}
                for pair in together:
                    before, its_print = previous.get(pair.style, (None, ""))
                    prints[pair] = batch.fingerprint(pair, its_print)
                    if record.is_done(pair, prints[pair]):
                        progress.skip()
                        if batch.own.sequence:
                            previous[pair.style] = pair, prints[pair]
                    else:
                        tasks.append((pair.output, batch.args_of(pair, before), batch.frame(pair, before)))
                for name, outcome in paint(tasks) if tasks else ():
                    pair = by_name[name]
                    progress.show(name, outcome)
                    record.put(pair, prints[pair], outcome)
                    if batch.own.sequence and outcome["outcome"] == "done":
                        batch.forget(previous.get(pair.style, (None,))[0])
                        previous[pair.style] = pair, prints[pair]
    finally:
        gallery.write(folder / SHEET, list(record.entries.values()))
    failed = [pair for pair in batch.pairs if record.entries[pair.output]["outcome"] != "done"]
    for pair, _ in previous.values() if not failed else ():
        batch.forget(pair)
    return failed


def _workers(batch):
    """What paints the tasks: processes here, or a cluster's workers."""
    if batch.own.dask:
        return workers.on_dask(batch.own.dask, batch.folder, [batch.folder / pair.output for pair in batch.pairs])
    together = max(map(len, batch.rounds()))
    edge = batch.args.width or batch.args.max_long_edge
    return workers.here(workers.jobs_here(batch.own.jobs, together, edge * edge))


class Progress:
    """A bar over all pairs on a terminal, a line per pair elsewhere."""

    def __init__(self, total, quiet=False):
        self._total, self._quiet, self._ended, self._painted, self._bar = total, quiet, 0, 0, None
        self._start = time.monotonic()

    def __enter__(self):
        if not self._quiet and sys.stderr is not None and sys.stderr.isatty():
            from tqdm import tqdm
            self._bar = tqdm(total=self._total, unit="pair", dynamic_ncols=True)
        return self

    def __exit__(self, *error):
        if self._bar is not None:
            self._bar.close()

    def skip(self):
        self._ended += 1
        if self._bar is not None:
            self._bar.update()
            self._bar.initial += 1      # it cost no time, and the time left must not count on more of it

    def show(self, name, outcome):
        """Tell what came of the pair; takes what its process said out of outcome."""
        self._ended, self._painted = self._ended + 1, self._painted + 1
        said, error = outcome.pop("said", ""), outcome.get("error")
        left = (time.monotonic() - self._start) / self._painted * (self._total - self._ended)
        line = f"{name} failed: {error}" if error else f"{name} done in {duration(outcome['seconds'])}"
        if self._bar is not None:
            if said or error:
                self._bar.write((said + line) if error else said.rstrip(), file=sys.stderr)
            self._bar.update()
        elif error or not self._quiet:
            about = f", about {duration(left)} left" if self._ended < self._total else ""
            say(f"{said}{self._ended}/{self._total} {line}{about}")


def command(own, args, given):
    """Paint the batch and tell what failed; returns the exit code."""
    batch = Batch(own, args, given)
    batch.prepare()
    failed = run(batch)
    for pair in failed:
        say(f"failed: {pair.output}: {batch.record.entries[pair.output].get('error')}")
    done = f"{len(batch.pairs) - len(failed)} of {len(batch.pairs)} pairs are done"
    if failed or not args.quiet:
        say(f"{done}; all of them at a glance: {batch.folder / SHEET}")
    return 1 if failed else 0


REFUSED = {"content_image": "--content PATTERN", "style_image": "--style PATTERN", "output_dir": "--output DIR",
           "checkpoint_output": "--save-epochs N for pictures in between", "save_recipe": "it with neural_style.nstyle",
           "list_layers": "it with neural_style.nstyle", "doctor": "it with neural_style.nstyle",
           "report": f"{SHEET}, which every batch has", "resume": "the same command, which goes on by itself"}


def parse(arglist=None):
    """The batch's own arguments, those of every pair, and which flags of those were given by hand."""
    own, words = parser().parse_known_args(arglist)
    args, given = command_line.parse(words, parser().prog)
    for name in REFUSED:
        if name in given:
            parser().error(f"--{name.replace('_', '-')}: for a batch, use {REFUSED[name]}")
    if own.jobs is not None and own.jobs < 1:
        parser().error(f"--jobs {own.jobs}: must be 1 or greater")
    if args.start == "-":
        parser().error("--start -: a batch cannot read a picture from standard input; save it to a file first")
    if own.sequence and own.zip:
        parser().error("--zip has no effect with --sequence, which paints every frame in every style; leave it out")
    if own.dask and own.jobs:
        parser().error("--jobs has no effect with --dask, where the cluster's workers decide; leave it out")
    return own, args, given


def main(arglist=None):
    """The command; returns its exit code."""
    own, args, given = parse(arglist)
    return errors.run(lambda: command(own, args, given), "neural_style.batch", args.debug)


if __name__ == "__main__":
    sys.exit(main())
