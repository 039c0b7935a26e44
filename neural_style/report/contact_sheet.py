"""The contact sheet of a batch: one self-contained page with small pictures and links to the results."""
import contextlib
import os
from collections import Counter
from html import escape
from pathlib import Path
from urllib.parse import quote

from ..run.progress import duration
from ..system.errors import NeuralStyleError
from . import parts

SHEET = "index.html"
EDGE = 200      # pixels: of the small pictures


def write(path, entries):
    """Write the contact sheet of pairs, the entries of batch.json; their outputs lie beside it."""
    contents, styles = (list(dict.fromkeys(getattr(entry, side) for entry in entries)) for side in ("content", "style"))
    cells = {(entry.content, entry.style): _result(entry, Path(path).parent) for entry in entries}
    if min(len(contents), len(styles)) > 1 and len(cells) == len(contents) * len(styles):
        rows = ["<td></td>" + "".join(f"<th>{_figure(style)}</th>" for style in styles)]
        rows += [f"<th>{_figure(content)}</th>" + "".join(f"<td>{cells[content, style]}</td>" for style in styles)
                 for content in contents]
        pairs = '<div class="scroll"><table>' + "\n".join(f"<tr>{row}</tr>" for row in rows) + "</table></div>"
    else:
        pairs = '<div class="cards">' + "\n".join(cells.values()) + "</div>"
    counts = sorted(Counter(entry.outcome for entry in entries).items())
    said = ", ".join(f"{count} {escape(outcome)}" for outcome, count in counts)
    parts.write(path, "sheet", counts=f"{len(entries)} pair{'' if len(entries) == 1 else 's'}: {said}", pairs=pairs)


def _result(entry, folder):
    """A pair's result with its link, or why there is none."""
    name = escape(f"{os.path.basename(entry.content)} × {os.path.basename(entry.style)}")
    if entry.outcome != "done":
        said = escape(": ".join(filter(None, (entry.outcome, entry.error))))
        return f'<figure class="{escape(entry.outcome)}">{name}<figcaption>{said}</figcaption></figure>'
    notes = [] if entry.epochs is None else [f"{entry.epochs} epochs"]
    notes += [] if entry.seconds is None else [duration(entry.seconds)]
    return f'<a href="{quote(os.fsencode(entry.output))}" title="{name}">{_figure(folder / entry.output, notes)}</a>'


def _figure(path, notes=()):
    """A picture with its name; the name alone where the picture cannot be read: better a sheet with a gap than none."""
    name, picture = os.path.basename(path), ""
    if os.path.isfile(path):
        with contextlib.suppress(NeuralStyleError, MemoryError):
            picture = parts.img(parts.embedded(path, EDGE), name, more=' loading="lazy"')
    caption = "<br>".join(escape(line) for line in (name, ", ".join(notes)) if line)
    return f"<figure>{picture}<figcaption>{caption}</figcaption></figure>"
