"""One self-contained page for a run: its pictures, its curves, the command, and where and how long it ran.

While the run goes on the page is rewritten at every save and reloads itself.
"""

import json
import logging
import math
import os
import re
import time
from html import escape
from pathlib import Path
from typing import Any, Dict, List, Tuple
from urllib.parse import quote

from ..pictures.read import PathOrPicture, Picture
from ..run.progress import RECENT, duration
from ..system.errors import NeuralStyleError
from ..system.types import PathLike
from . import parts
from .parts import embedded

LONG_EDGE, SMALL_EDGE = 1000, 400  # pixels: of the pictures with the sliders; of those that the run began with
MOST_PICTURES, MOST_POINTS = 28, 2000
SOONEST, LATEST, FIRST = 2, 30, 10  # seconds until a running page looks for news; before the first picture
LONGEST = 100  # characters of the name that a picture is downloaded under

log = logging.getLogger("neural_style")


class Report:
    """The page of one run, written to path whenever there is news.

    pictures: [(caption, path or Picture)], the content first, then the styles. command: as one would type it. facts:
    {name: value}, shown in that order; what is None is left out. stop_eps: the bound drawn into the curve of eps, 0 for
    none. unit: what the run counts.
    """

    def __init__(
        self,
        path: PathLike,
        pictures: List[Tuple[str, PathOrPicture]],
        command: str,
        facts: Dict[str, Any],
        stop_eps: float = 0,
        unit: str = "epoch",
    ) -> None:
        self._path, self._pictures, self._command, self._facts = path, list(pictures), command, dict(facts)
        self._stop_eps, self._unit, self._last = stop_eps, unit, 0.0
        self._encoded: Dict[Any, Any] = {}

    def write(self, history: list, checkpoints: list, status: str, seconds: float, epochs: int) -> None:
        """Write the page as things stand. If that fails it is said in the log; a run does not end for its page.

        history: records with epoch, eps, losses ({name: weighted loss}) and total, one for each epoch so far.
        checkpoints: [(epoch, path or Picture)] of the pictures so far, the newest last; the final one has "final" for
        its epoch. status: "running", "finished", "stopped" or "failed". seconds: since the start. epochs: the most
        there can be.
        """
        try:
            parts.write(self._path, "page", **self._values(history, checkpoints, status, seconds, epochs))
        except NeuralStyleError as error:
            log.warning("%s", error)
        self._last = seconds

    def _values(self, history, checkpoints, status, seconds, epochs):
        """What goes into the template."""
        done = history[-1].epoch if history else 0
        timings = {
            f"{self._unit}s": f"{done} of at most {epochs}",
            "time": duration(seconds),
            f"time per {self._unit}": f"{seconds / done:.3g} s" if done else None,
            "written": time.strftime("%Y-%m-%d %H:%M:%S"),
        }
        names = [os.path.basename(_path(picture)) for _, picture in self._pictures]
        running = status == "running"
        refresh = min(max(seconds - self._last, SOONEST if checkpoints else FIRST), LATEST) if running else None
        name = _file_name(_titled([Path(name).stem for name in names]))
        data = dict(refresh=refresh, written=time.time(), unit=self._unit, stop_eps=self._stop_eps, name=name)
        return dict(
            title=escape(_titled(names)),
            progress=f"{done}/{epochs} " if running else "",
            status=status,
            standing=_standing(status, history, seconds, epochs, self._unit),
            done=done,
            epochs=epochs,
            bar="" if running else "hidden",
            stage=self._stage(checkpoints, done),
            inputs=self._inputs(),
            command=" ".join(f"<span>{escape(word)}</span>" for word in self._command.split(" ")),
            facts=_listed({**self._facts, **timings}),
            unit=self._unit,
            curves="" if history else "hidden",
            changes="" if any(math.isfinite(record.eps) for record in history) else "hidden",
            data=_json({**data, **_series(history)}),
        )

    def _stage(self, checkpoints, done):
        """The content and the pictures so far, one on the other."""
        frames = [(epoch, path, self._embedded(path, LONG_EDGE)) for epoch, path in thinned(checkpoints, MOST_PICTURES)]
        frames = [found for found in frames if found[-1]]
        content = self._embedded(self._pictures[0][1], LONG_EDGE, frames[-1][-1].size if frames else None)
        used = {_path(path) for _, path in self._pictures + thinned(checkpoints, MOST_PICTURES)}
        self._encoded = {key: value for key, value in self._encoded.items() if key[0] in used}
        html = [parts.img(content, "the content", "before")] if content else []
        for number, (epoch, path, frame) in enumerate(frames, 1):
            name, epoch = (f"{self._unit} {epoch}", epoch) if isinstance(epoch, int) else (epoch, done)
            more = f' data-epoch="{epoch}"{self._saved(path, frame)}'
            html.append(parts.img(frame, name, "after on" if number == len(frames) else "after", more))
        return "\n".join(html)

    def _saved(self, path, frame):
        """Where a picture lies as seen from the page, and its size, as attributes; none for one that was not saved."""
        if isinstance(path, Picture):
            return ""
        link = quote(os.fsencode(os.path.relpath(path, os.path.dirname(self._path))))
        return ' data-file="{}" data-size="{}×{}"'.format(link, *frame.whole)

    def _inputs(self):
        """The pictures that the run began with, small."""
        shown = ((caption, path, self._embedded(path, SMALL_EDGE)) for caption, path in self._pictures)
        return "\n".join(
            f"<figure>{parts.img(picture, caption)}<figcaption><b>{escape(caption)}</b> "
            f"{escape(os.path.basename(_path(path)))}</figcaption></figure>"
            for caption, path, picture in shown
            if picture
        )

    def _embedded(self, path, edge, shape=None):
        """The picture Embedded, which is done once; None where it cannot be read."""
        key = _path(path), edge, shape
        if key not in self._encoded:
            try:
                self._encoded[key] = embedded(path, edge, shape)
            except NeuralStyleError as error:
                log.warning("%s lacks a picture: %s", self._path, error)
                return None
        return self._encoded[key]


def _titled(names):
    """The content's name in the style of the others."""
    return " in the style of ".join([names[0], ", ".join(names[1:])] if names[1:] else names)


def _file_name(text):
    """The text as a file's name of plain letters and digits, without its ending."""
    return re.sub(r"[^\w.]+", "-", text).strip("-.")[:LONGEST] or "picture"


def _path(picture):
    """A path, or the name of a Picture."""
    return picture.name if isinstance(picture, Picture) else os.fspath(picture)


def thinned(items: list, most: int) -> list:
    """All items, or every second, fourth, …, and the last: at most `most`. What was left out stays out as more come."""
    stride = 1
    while (len(items) - 1) // stride + 2 > most:
        stride *= 2
    return [item for index, item in enumerate(items) if index % stride == 0 or index == len(items) - 1]


def _standing(status, history, seconds, epochs, unit):
    """How the run stands, in a line; the time left is at the pace of the recent epochs."""
    done = history[-1].epoch if history else 0
    if status != "running":
        return f"{status} after {done} {unit}{'' if done == 1 else 's'} and {duration(seconds)}"
    if not done:
        return f"running, before the first {unit}"
    first, last = history[-RECENT - 1 :][0], history[-1]
    pace = (last.seconds - first.seconds) / (done - first.epoch) if done > first.epoch else seconds / done
    return f"running, {unit} {done} of at most {epochs}, {duration(pace * (epochs - done))} left at most"


def _series(history):
    """The curves as lists of numbers, None where one is not finite."""
    records = thinned(history, MOST_POINTS)
    names = list(records[-1].losses) if records else []
    losses = [("total", [_number(record.total) for record in records])] if len(names) != 1 else []
    losses += [(name, [_number(record.losses.get(name)) for record in records]) for name in names]
    eps = [("eps", [_number(record.eps) for record in records])]
    return {"epochs": [record.epoch for record in records], "losses": losses, "eps": eps}


def _number(value):
    return float(f"{value:.5g}") if value is not None and math.isfinite(value) else None


def _json(data):
    """Data for a script element, which no text in it can end."""
    return json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _listed(facts):
    known = [(escape(str(name)), escape(str(value))) for name, value in facts.items() if value is not None]
    return "\n".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in known)
