"""The contact sheet of a batch: one HTML file with small pictures and links to the results; no outside request."""
import base64
import io
import os
from html import escape
from pathlib import Path
from urllib.parse import quote

from ..system.files import atomic

THUMBNAIL = 200     # pixels
STYLE = """
:root { color-scheme: light dark; --line: #8886; --failed: #c33; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 90rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0; } p { margin: .3rem 0 1.5rem; }
.cards { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; }
th, td { border: 1px solid var(--line); padding: .5rem; vertical-align: top; font-weight: normal; }
figure { margin: 0; } img { display: block; max-width: 100%; height: auto; border-radius: 3px; }
figcaption { font-size: .85em; overflow-wrap: anywhere; } .failed { color: var(--failed); }
"""


def write(path, pairs):
    """Write the contact sheet of pairs, batch.json's dicts, whose outputs lie beside it."""
    contents, styles = (list(dict.fromkeys(pair[side] for pair in pairs)) for side in ("content", "style"))
    small = {picture: _thumbnail(picture) for picture in contents + styles}
    by_pair = {(pair["content"], pair["style"]): _result(pair, path) for pair in pairs}
    if min(len(contents), len(styles)) > 1 and len(by_pair) == len(contents) * len(styles):
        rows = ["<tr><td></td>" + "".join(f"<th>{_figure(small[style], style)}</th>" for style in styles) + "</tr>"]
        rows += [f"<tr><th>{_figure(small[content], content)}</th>"
                 + "".join(f"<td>{by_pair[content, style]}</td>" for style in styles) + "</tr>" for content in contents]
        body = f'<div class="scroll"><table>{"".join(rows)}</table></div>'
    else:
        body = f'<div class="cards">{"".join(by_pair.values())}</div>'
    counts = [(outcome, sum(pair["outcome"] == outcome for pair in pairs)) for outcome in ("done", "failed", "waiting")]
    said = ", ".join(f"{count} {outcome}" for outcome, count in counts if count)
    with atomic(path) as temporary:
        temporary.write_text(f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>Contact sheet</title>\n'
                             f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style>\n'
                             f"<h1>Contact sheet</h1><p>{len(pairs)} pairs: {said}</p>\n{body}\n", encoding="utf-8", errors="replace")


def _result(pair, path):
    """A pair's result with its link, or why there is none."""
    name = f'{os.path.basename(pair["content"])} × {os.path.basename(pair["style"])}'
    if pair["outcome"] != "done":
        said = f'{pair["outcome"]} {escape(pair.get("error") or "")}'
        return f'<figure class="{pair["outcome"]}">{escape(name)}<figcaption>{said}</figcaption></figure>'
    picture = _figure(_thumbnail(Path(path).parent / pair["output"]), pair["output"],
                      f'{pair.get("epochs", 0)} epochs, {pair["seconds"]:.0f} s')
    return f'<a href="{quote(os.fsencode(pair["output"]))}" title="{escape(name)}">{picture}</a>'


def _figure(source, name, note=""):
    name = escape(os.path.basename(name))
    picture = f'<img src="{source}" alt="{name}" loading="lazy">' if source else ""
    return f"<figure>{picture}<figcaption>{name}{'<br>' if note else ''}{note}</figcaption></figure>"


def _thumbnail(path):
    """The picture, small, as a data URI; empty where it cannot be read."""
    from PIL import Image
    from ..pictures import images
    try:
        picture = images.read_image(path)
    except Exception:       # a sheet with a gap is better than none
        return ""
    picture = Image.fromarray((picture // 256 if picture.dtype == "uint16" else picture).astype("uint8"))
    picture.thumbnail((THUMBNAIL, THUMBNAIL))
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(data.getvalue()).decode("ascii")
