"""The studio's folder: pictures, what they were made from, and what the server keeps about them.

FOLDER/                                finished pictures and films, with the states of their runs
FOLDER/photographs, paintings, masks   what was dropped on the page, and what was brushed there
FOLDER/runs/0007                       a job: job.json, its log, its epochs, the pictures on the way
FOLDER/.studio                         the address, the lock, small pictures, what was deleted

The browser names files by ids only, and an id stands for one of the files that are here.
"""

import contextlib
import hashlib
import json
import os
import re
import secrets
import time
from pathlib import Path
from typing import Any, ContextManager, Dict, List, NamedTuple, Optional

from ..saved.locks import locked
from ..system.errors import NeuralStyleError, UsageError
from ..system.files import atomic
from ..system.types import PathLike

PHOTOGRAPH, PAINTING, MASK, RESULT = "photograph", "painting", "mask", "result"
FOLDERS = {PHOTOGRAPH: "photographs", PAINTING: "paintings", MASK: "masks", RESULT: "."}
# What is shown, and what it is sent as; by Pillow's format and by ending.
FORMATS = {
    "JPEG": ".jpg", "MPO": ".jpg", "PNG": ".png", "TIFF": ".tif", "WEBP": ".webp", "BMP": ".bmp", "GIF": ".gif",
    "HEIF": ".heic", "HEIC": ".heic", "AVIF": ".avif", "PPM": ".ppm",
}  # fmt: skip
FILMS = {".mp4": "video/mp4", ".mov": "video/quicktime", ".mkv": "video/x-matroska", ".webm": "video/webm"}
TYPES = {
    ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp", ".gif": "image/gif",
    ".tif": "image/tiff", ".tiff": "image/tiff", ".bmp": "image/bmp", ".avif": "image/avif", ".heic": "image/heic",
    ".heif": "image/heif", ".ppm": "image/x-portable-pixmap", **FILMS,
}  # fmt: skip
ANIMATION = ".film.gif"  # the ending of a GIF with several frames, which is a film
LONGEST = 48  # characters of a name


class Item(NamedTuple):
    """A picture or film of the folder."""

    id: str
    kind: str
    path: str  # relative to the folder
    size: int  # bytes
    changed: int  # nanoseconds

    @property
    def key(self) -> str:
        """Its id and when it changed."""
        return f"{self.id}-{self.changed}"

    @property
    def is_film(self) -> bool:
        """Whether it is a film."""
        return Path(self.path).suffix.lower() in FILMS or self.path.endswith(ANIMATION)


class Folder:
    """The folder at a path, which is made if it is missing."""

    def __init__(self, path: PathLike) -> None:
        self.root = Path(path).resolve()
        self.own, self.runs = self.root / ".studio", self.root / "runs"
        try:
            for folder in (self.own / "small", self.own / "deleted", self.own / "incoming", self.runs):
                folder.mkdir(parents=True, exist_ok=True)
            for name in FOLDERS.values():
                (self.root / name).mkdir(exist_ok=True)
            self.own.chmod(0o700)
            for left in (self.own / "incoming").iterdir():
                left.unlink()
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror or error}; name a folder that can be written") from None

    def alone(self) -> ContextManager:
        """A context in which no other server uses the folder."""
        return locked(self.own / "server", f"serving {self.root}", "name another folder")

    def find_weights(self, beside: str = "model") -> None:
        """Let runs in this folder find the weights beside the folder that the server was started in."""
        there, here = Path(beside).resolve(), self.root / "model"
        if there.is_dir() and not here.exists():
            here.symlink_to(there)

    def kept(self, name: str, default: Any) -> Any:
        """What was kept under a name, of the default's type; the default if there is none."""
        with contextlib.suppress(OSError, ValueError):
            value = json.loads((self.own / f"{name}.json").read_text("utf-8"))
            return value if type(value) is type(default) else default
        return default

    def keep(self, name: str, value: Any) -> None:
        """Keep a value, for nobody else to read."""
        with atomic(self.own / f"{name}.json") as temporary:
            temporary.chmod(0o600)
            temporary.write_text(json.dumps(value), "utf-8")

    # ---- what is here ----

    def items(self) -> Dict[str, Item]:
        """All pictures and films by id, the newest last. Links are left out: they could lead anywhere."""
        found: List[Item] = []
        for kind, name in FOLDERS.items():
            found += self._in(name, kind)
        for entry in os.scandir(self.root):
            if entry.name.startswith("batch-") and entry.is_dir(follow_symlinks=False):
                found += self._in(entry.name, RESULT)
        return {item.id: item for item in sorted(found, key=lambda item: item.changed)}

    def _in(self, folder: str, kind: str) -> List[Item]:
        found = []
        with contextlib.suppress(OSError), os.scandir(self.root / folder) as entries:
            for entry in entries:
                ending = os.path.splitext(entry.name)[1].lower()
                if ending in TYPES and not entry.name.startswith(".") and entry.is_file(follow_symlinks=False):
                    about, path = entry.stat(follow_symlinks=False), os.path.normpath(f"{folder}/{entry.name}")
                    found.append(Item(id_of(path), kind, path, about.st_size, about.st_mtime_ns))
        return found

    def item(self, id: Any) -> Item:
        """The item of an id; UsageError if there is none."""
        found = self.items().get(id) if isinstance(id, str) else None
        if found is None:
            raise UsageError("this picture is no longer in the folder")
        return found

    def small(self, item: Item, edge: int) -> Path:
        """Where a small version of an item is kept; another one as soon as the file changes."""
        return self.own / "small" / f"{item.key}-{edge}.jpg"

    # ---- what comes and goes ----

    def incoming(self) -> Path:
        """The path of a new file that is not part of the folder yet."""
        return self.own / "incoming" / secrets.token_hex(8)

    def adopt(self, path: Path, kind: str, name: str, ending: str) -> Item:
        """Make an incoming file part of the folder; the same file a second time is the one that is there."""
        with contextlib.suppress(StopIteration):
            there = next(item for item in self.items().values() if item.kind == kind and self._same(item, path))
            path.unlink()
            return there
        stem, number = slug(name), 1
        while True:
            target = self.root / FOLDERS[kind] / f"{stem}{'' if number == 1 else f'-{number}'}{ending}"
            with contextlib.suppress(FileExistsError):
                os.link(path, target)
                path.unlink()
                return self.items()[id_of(os.path.relpath(target, self.root))]
            number += 1

    def _same(self, item: Item, path: Path) -> bool:
        return item.size == path.stat().st_size and digest(self.root / item.path) == digest(path)

    def delete(self, item: Item) -> str:
        """Put an item aside, and its state with it; returns what brings it back."""
        path, token = self.root / item.path, secrets.token_hex(8)
        aside = self.own / "deleted" / token
        aside.mkdir()
        (aside / "path").write_text(item.path, "utf-8")
        for file in (path, path.with_name(f".{path.name}.state.npz")):
            if file.is_file():
                os.replace(file, aside / file.name)
        return token

    def restore(self, token: Any) -> Optional[str]:
        """Bring back what was deleted; returns its id."""
        if not isinstance(token, str) or not re.fullmatch("[0-9a-f]{16}", token):
            raise UsageError("there is nothing to bring back")
        aside = self.own / "deleted" / token
        try:
            path = (aside / "path").read_text("utf-8")
        except OSError:
            raise UsageError("there is nothing to bring back") from None
        target = self.root / path
        if target.exists():
            raise NeuralStyleError(f"{path} is there again; the deleted one stays in {aside}")
        for file in aside.iterdir():
            if file.name != "path":
                os.replace(file, target.with_name(file.name))
        (aside / "path").unlink()
        aside.rmdir()
        return id_of(path)

    def tidy(self, days: float = 30) -> None:
        """Forget small pictures of files that have changed or gone, and what was deleted long ago."""
        items = self.items()
        for path in (self.own / "small").iterdir():
            id, changed = path.name.split("-")[:2]
            if id not in items or str(items[id].changed) != changed:
                path.unlink()
        for aside in (self.own / "deleted").iterdir():
            if time.time() - aside.stat().st_mtime > days * 86400:
                for file in aside.iterdir():
                    file.unlink()
                aside.rmdir()


def id_of(path: str) -> str:
    """The id of a path in the folder."""
    return hashlib.blake2s(os.fsencode(path), digest_size=10).hexdigest()


def digest(path: Path) -> str:
    """A digest of a file's content."""
    found = hashlib.blake2b()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(2**20), b""):
            found.update(block)
    return found.hexdigest()


def slug(name: str) -> str:
    """A name made of letters, digits and hyphens."""
    stem = os.path.basename(name.replace("\\", "/"))
    return re.sub(r"[^\w]+", "-", stem, flags=re.ASCII).strip("-_")[:LONGEST] or "picture"
