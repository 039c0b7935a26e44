"""What a batch has to paint: its pairs, the run for each of them, and what each picture depends on."""

import contextlib
import functools
import itertools
import os
import re
from argparse import Namespace
from pathlib import Path
from typing import Any, Dict, List

from ..network.find_model import weights_of
from ..options import check
from ..options.flags import FILE, PICTURE, listed, paths, with_paths
from ..pictures import images
from ..pictures.find import find_pictures
from ..report.contact_sheet import SHEET
from ..saved import work
from ..system.errors import UsageError
from ..system.files import refuse_to_replace, sha256_of
from .children import Task
from .frames import first_epochs, run_of
from .pairs import Pair, demand_one_size, name_outputs
from .record import DONE, Entry, Record


class Batch:
    """The pairs of one command. own: the batch's flags; args: those of every run; given: those on the command line."""

    def __init__(self, own: Namespace, args: Namespace, given: Dict[str, Any]) -> None:
        self.own, self.folder, self._given = own, Path(os.path.abspath(own.output)), given
        self.ending = own.format.lstrip(".")
        self.record = Record(self.folder)
        contents, styles = (
            [path for path in find_pictures(patterns, flag) if not self._is_result(path)]
            for flag, patterns in (("--content", own.content), ("--style", own.style))
        )
        if not contents or not styles:
            raise UsageError(f"there are no pictures except the results recorded in {self.record.path}")
        if own.zip and len(contents) != len(styles):
            raise UsageError(
                f"--zip: there are {len(contents)} contents and {len(styles)} styles; there must be equally many"
            )
        if own.sequence:
            demand_one_size(contents)
        sides = zip(contents, styles) if own.zip else itertools.product(contents, styles)
        self.pairs = name_outputs(list(dict.fromkeys(sides)), self.folder, self.ending, self.record.entries.values())
        completed = vars(check.complete(args))
        if any(len(listed(completed[name])) > 1 for name in ("style_blend_weights", "style_scales")):
            raise UsageError("a batch paints each pair in one style; leave out the weights and scales of several")
        self.args = Namespace(**with_paths(completed, PICTURE, os.path.abspath))
        self._digest = functools.lru_cache(None)(_digest)
        self._last: Dict[str, Any] = {}  # each style's last good frame in a sequence, with its fingerprint

    def _is_result(self, path):
        """Whether this is a picture of an earlier batch, which may lie among the contents."""
        folder, name = os.path.split(path)
        stem, ending = os.path.splitext(re.sub(r"_e\d+(?=\.\w+$)", "", name))
        return Path(folder) == self.folder and (name in self.record.entries or stem + ending in self.record.entries)

    def prepare(self) -> None:
        """Make sure before the first pair starts that the folder can be written and the weights are there."""
        ours = {*self.record.entries, *([SHEET] if self.record.path.exists() else ())}
        for name in [SHEET, *(pair.output for pair in self.pairs)]:
            remedy = "no batch made it: choose another --output folder"
            refuse_to_replace(self.folder / name, self.args.overwrite or name in ours, remedy)
        images.prepare_outputs(self.folder / f"x.{self.ending}")
        self.args.model, self.args.model_params = weights_of(self.args)

    def rounds(self) -> List[List[Pair]]:
        """Lists of pairs that can be painted at the same time: all pairs, or the frames of a sequence one by one."""
        if not self.own.sequence:
            return [self.pairs]
        return [list(frame) for _, frame in itertools.groupby(self.pairs, key=lambda pair: pair.content)]

    def needed(self) -> List[str]:
        """Files and folders that a machine must see to paint; one picture of a folder stands for the others."""
        pictures = {os.path.dirname(path): path for pair in self.pairs for path in (pair.content, pair.style)}
        others = paths(Namespace(**dict(vars(self.args), content_image=None, style_image=None)), PICTURE)
        return [str(self.folder), *pictures.values(), *filter(os.path.isfile, others), *paths(self.args, FILE)]

    def fingerprint(self, pair: Pair) -> str:
        """A digest of everything that the pair's picture depends on."""
        args = dict(vars(self.args), content_image=pair.content, style_image=pair.style)
        _, before = self._last.get(pair.style, (None, ""))
        fixed = work.what_counts(Namespace(**args), self._digest)
        if self.own.sequence:
            fixed["first_epochs"] = first_epochs(self.own, self.args)
        return work.fingerprint(fixed, before)[:16]

    def task(self, pair: Pair) -> Task:
        """The Task of a pair. A frame of a sequence starts from the result of the frame before."""
        output, first = str(self.folder / pair.output), first_epochs(self.own, self.args)
        args = run_of(self.args, first, output, content_image=pair.content, style_image=pair.style)
        if "save_epochs" in self._given:
            args["save_epochs"] = self.args.save_epochs
        if not self.own.sequence:
            return Task(args, folder=os.getcwd())
        before, _ = self._last.get(pair.style, (None, ""))
        fresh = {"start": args["start"], "max_num_epochs": first}
        if before:
            exact = self._raw(before)
            args["start"] = exact if os.path.exists(exact) else str(self.folder / before.output)
        return Task(args, self._raw(pair), before and before.content, fresh, os.getcwd())

    def is_there(self, pair: Pair, fingerprint: str) -> Any:
        """Note that the pair's picture is there, for the next frame of a sequence to start from."""
        if self.own.sequence:
            self._forget(pair.style)
            self._last[pair.style] = pair, fingerprint

    def finish(self) -> List[Entry]:
        """Clean up; returns the entries of the pairs that failed."""
        failed = [entry for entry in (self.record.entries[pair.output] for pair in self.pairs) if entry.outcome != DONE]
        for style in self._last if not failed else ():
            self._forget(style)
        return failed

    def _raw(self, pair):
        """Where the unrounded result of a frame is kept until the next frame is done."""
        return str(self.folder / f".{pair.output}.npy")

    def _forget(self, style):
        """Remove the unrounded result of a style's last frame."""
        with contextlib.suppress(KeyError, FileNotFoundError):
            os.unlink(self._raw(self._last[style][0]))


def _digest(path):
    """The SHA-256 of a file, or its name if it cannot be read."""
    with contextlib.suppress(OSError):  # the pair's own run will say why
        if os.path.isfile(path):
            return sha256_of(path)
    return path
