"""What both pages are made of: templates, which load nothing from elsewhere, and pictures inside the page."""

import base64
import hashlib
import io
from html import escape
from pathlib import Path
from string import Template
from typing import NamedTuple, Optional, Tuple

from PIL import Image

from ..pictures.read import PathOrPicture, read_picture
from ..system.files import atomic
from ..system.types import PathLike

TEMPLATES = Path(__file__).parent / "template"
PARTS = {"page": ("common", "stage", "chart", "page"), "sheet": ("common", "sheet")}  # the files of each page


class Embedded(NamedTuple):
    """A picture for a page."""

    uri: str
    size: Tuple[int, ...]  # (width, height)
    whole: Tuple[int, ...]  # the same of the picture itself


def encoded(
    path: PathOrPicture, edge: int, shape: Optional[Tuple[int, ...]] = None
) -> Tuple[bytes, Tuple[int, ...], Tuple[int, ...]]:
    """(JPEG, its size, the picture's own) with the longer edge at most edge; shape gives it another (width, height)."""
    pixels = read_picture(path).pixels
    picture = Image.fromarray(pixels if pixels.dtype == "uint8" else (pixels // 256).astype("uint8"))
    width, height = shape or picture.size
    size = tuple(max(1, round(side * min(1, edge / max(width, height)))) for side in (width, height))
    buffer = io.BytesIO()
    picture.resize((size[0], size[1]), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=88, subsampling=0)
    return buffer.getvalue(), size, picture.size


def embedded(path: PathOrPicture, edge: int, shape: Optional[Tuple[int, ...]] = None) -> Embedded:
    """The same as Embedded."""
    content, size, whole = encoded(path, edge, shape)
    return Embedded("data:image/jpeg;base64," + base64.b64encode(content).decode(), size, whole)


def img(picture: Embedded, alt: str, classes: str = "", more: str = "") -> str:
    """The element for an Embedded picture."""
    width, height = picture.size
    return f'<img class="{classes}" alt="{escape(alt)}" width="{width}" height="{height}"{more} src="{picture.uri}">'


def write(path: PathLike, name: str, **values: str) -> None:
    """Write a page by template/name.html, with the styles and scripts of its PARTS; values are HTML.

    The page's policy forbids it all but this style, this script and the pictures inside it.
    """
    own = {
        kind: "\n".join((TEMPLATES / f"{part}.{ending}").read_text("utf-8") for part in PARTS[name])
        for kind, ending in (("style", "css"), ("script", "js"))
    }
    policy = "".join(f"; {kind}-src 'sha256-{_digest(text)}'" for kind, text in own.items())
    page = Template((TEMPLATES / f"{name}.html").read_text("utf-8")).substitute(
        values, **own, policy=f"default-src 'none'; img-src data:{policy}; base-uri 'none'; form-action 'none'"
    )
    with atomic(path) as temporary:
        temporary.write_text(page, encoding="utf-8", errors="replace")  # of undecodable file names


def _digest(text):
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
