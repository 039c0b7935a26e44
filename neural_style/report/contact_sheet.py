"""The contact sheet of a batch: one self-contained page with small pictures and links to the results."""

import contextlib
import os
from collections import Counter
from html import escape
from pathlib import Path
from typing import Any, List
from urllib.parse import quote

from ..run.progress import duration
from ..system.errors import NeuralStyleError
from . import parts

SHEET = "index.html"
EDGE, MANY = 400, 400  # pixels: of the small pictures; half as many where there are more than so many pairs
FILM = """<section class="film" aria-label="{name}"><h2>{name}</h2>
<div class="player" hidden><a></a><div class="time"><button type="button">Play</button>
<input type="range" min="0" value="0" step="1" autocomplete="off" aria-label="Frames in the style of {name}">
<output></output></div></div>
{frames}</section>"""


def write(path: Path, entries: List[Any], sequence: bool = False) -> None:
    """Write the contact sheet of pairs, the entries of batch.json; their outputs lie beside it.

    In a sequence the results in one style are the frames of a film.
    """
    entries, folder = list(entries), Path(path).parent
    edge = EDGE if len(entries) <= MANY else EDGE // 2
    contents, styles = (list(dict.fromkeys(getattr(entry, side) for entry in entries)) for side in ("content", "style"))
    cells = {(entry.content, entry.style): _result(entry, folder, edge) for entry in entries}
    if sequence:
        frames = ([cell for (_, other), cell in cells.items() if other == style] for style in styles)
        pairs = "\n".join(map(_film, styles, frames))
    elif min(len(contents), len(styles)) > 1 and len(cells) == len(contents) * len(styles):
        rows = ["<td></td>" + "".join(f"<th>{_figure(style, edge)}</th>" for style in styles)]
        for content in contents:
            results = "".join(f"<td>{cells[content, style]}</td>" for style in styles)
            rows.append(f"<th>{_figure(content, edge)}</th>{results}")
        pairs = '<div class="scroll"><table>' + "\n".join(f"<tr>{row}</tr>" for row in rows) + "</table></div>"
    else:
        pairs = _cards(cells.values())
    counts = sorted(Counter(entry.outcome for entry in entries).items())
    said = ", ".join(f"{count} {escape(outcome)}" for outcome, count in counts)
    unit = ("frame" if sequence else "pair") + "s" * (len(entries) != 1)
    parts.write(path, "sheet", counts=f"{len(entries)} {unit}: {said}", pairs=pairs)


def _cards(cells):
    return '<div class="cards">' + "\n".join(cells) + "</div>"


def _film(style, frames):
    """The frames in a style, and what plays them."""
    return FILM.format(name=escape(os.path.basename(style)), frames=_cards(frames))


def _result(entry, folder, edge):
    """A pair's result with its link, or why there is none."""
    name = f"{os.path.basename(entry.content)} × {os.path.basename(entry.style)}"
    if entry.outcome != "done":
        return _boxed(escape(entry.outcome), name, entry.error, f' class="{escape(entry.outcome)}"')
    notes = [] if entry.epochs is None else [f"{entry.epochs} epochs"]
    notes += [] if entry.seconds is None else [duration(entry.seconds)]
    link = quote(os.fsencode(entry.output))
    figure = _figure(folder / entry.output, edge, ", ".join(notes))
    return f'<a class="result" href="{link}" title="{escape(name)}">{figure}</a>'


def _figure(path, edge, note=""):
    """A picture with its name; the name alone where the picture cannot be read: better a sheet with a gap than none."""
    name, picture = os.path.basename(path), ""
    if os.path.isfile(path):
        with contextlib.suppress(NeuralStyleError, MemoryError):
            picture = parts.img(parts.embedded(path, edge), name, more=' loading="lazy"')
    return _boxed(picture, name, note)


def _boxed(inside, name, note, more=""):
    """What stands in the place of a picture, and below it a name with a note."""
    caption = f"<figcaption><b>{escape(name)}</b>{escape(note or '')}</figcaption>"
    return f'<figure{more}><div class="box">{inside}</div>{caption}</figure>'
