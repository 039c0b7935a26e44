"""The routes of pictures: taking them in, showing them, what networks make of them at once, and deleting them."""

import contextlib
import os
from pathlib import Path
from typing import Any, Dict, List
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response

from ..system.errors import NeuralStyleError, UsageError
from . import looks
from .folder import ANIMATION, FILMS, FOLDERS, FORMATS, PHOTOGRAPH, RESULT, TYPES
from .studio import LARGE, SMALL, Studio, answers

EDGES, AT_ONCE = {"small": SMALL, "large": LARGE}, {"small": SMALL, "large": 800}  # pixels of a longer edge
MOST_PICTURE, MOST_FILM, MOST_FILES = 100_000_000, 2_000_000_000, 2000  # bytes of a file, and files


async def upload(request: Request) -> Response:
    """Take a picture, a film or a mask, the whole body of the request; it is decoded by another process."""
    studio, name = request.app.state.studio, request.query_params.get("name", "picture")[:200]
    kind = request.query_params.get("kind", "")
    if kind not in FOLDERS or kind == RESULT:
        raise HTTPException(404)
    ending = os.path.splitext(name)[1].lower()
    most = MOST_FILM if ending in FILMS else MOST_PICTURE
    if int(request.headers.get("content-length") or 0) > most:
        raise HTTPException(413)
    path, size = studio.folder.incoming(), 0
    try:
        with open(path, "wb") as file:
            async for part in request.stream():
                size += len(part)
                if size > most:
                    raise HTTPException(413)
                file.write(part)
        return JSONResponse(await run_in_threadpool(_taken, studio, path, kind, name, ending))
    except NeuralStyleError as error:
        return JSONResponse({"error": str(error)}, 400)
    except ClientDisconnect:
        return Response(status_code=400)
    finally:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()


def shown(path: Path) -> Response:
    """A small picture, which the browser may keep: it has another address as soon as it changes."""
    return Response(path.read_bytes(), media_type="image/jpeg", headers={"cache-control": "private, max-age=3600"})


def _taken(studio: Studio, path: Path, kind: str, name: str, ending: str) -> Dict[str, Any]:
    if sum(item.kind == kind for item in studio.folder.items().values()) >= MOST_FILES:
        raise UsageError(f"there are {MOST_FILES} pictures already; delete some first")
    film, called = ending in FILMS and kind == PHOTOGRAPH, os.path.basename(name)[:60]
    about = studio.pictures.ask("look_at_film" if film else "look", path=str(path), name=called, small="", edge=SMALL)
    if not film:
        ending = FORMATS.get(about["format"], "")
        if not ending:
            raise UsageError(f"{called}: pictures of the format {about['format']} are not taken")
        ending = ANIMATION if about["moves"] and kind == PHOTOGRAPH else ending
    item = studio.folder.adopt(path, kind, os.path.splitext(name)[0], ending)
    studio.look(item)
    return studio.described(item)


def examples(studio: Studio) -> List[List[str]]:
    """The pictures to try: the kind, the name and the source of each."""
    studio.examples = studio.examples or studio.pictures.ask("examples")["examples"]
    return studio.examples


def _example(studio: Studio, number: int) -> List[str]:
    if number >= len(examples(studio)):
        raise HTTPException(404)
    return examples(studio)[number]


@answers
def example(studio: Studio, asked: Any, number: int) -> Any:
    """Put one of the pictures to try into the folder."""
    kind, name, source = _example(studio, number)
    path = studio.folder.incoming()
    studio.slow.ask("example", source=source, path=str(path))
    return _taken(studio, path, kind, name, ".png")


@answers
def example_small(studio: Studio, asked: Any, number: int) -> Any:
    """A small version of one of the pictures to try; those of paintings come with the package."""
    _, name, source = _example(studio, number)
    small = looks.TILES / f"{source}.jpg"
    if os.path.isabs(source):
        small = studio.folder.own / "small" / f"try-{number}-{SMALL}.jpg"
        if not small.is_file():
            studio.pictures.ask("look", path=source, name=name, small=str(small), edge=SMALL)
    return shown(small)


@answers
def listing(studio: Studio, asked: Any) -> Any:
    """All pictures."""
    return studio.all_pictures()


@answers
def picture(studio: Studio, asked: Any, id: str, what: str) -> Any:
    """A picture: small, large for the screen, or the file itself to download; or its recipe."""
    item = studio.folder.item(id)
    path = str(studio.folder.root / item.path)
    if what == "recipe":
        return studio.pictures.ask("recipe", path=path, name=item.path)
    if what in EDGES:
        return shown(studio.look(item, EDGES[what]))
    if what not in ("file", "film"):
        raise HTTPException(404)
    name = quote(os.path.basename(item.path))
    saved = {} if what == "film" and item.is_film else {"content-disposition": f"attachment; filename*=UTF-8''{name}"}
    return FileResponse(path, media_type=TYPES[Path(path).suffix.lower()], headers=saved)


@answers
def at_once(studio: Studio, asked: Any, network: str, id: str, what: str) -> Any:
    """What a network paints of a picture or of a film's first frame, in a size that takes a moment."""
    item = studio.folder.item(id)
    if network not in looks.networks() or what not in AT_ONCE:
        raise HTTPException(404)
    edge = AT_ONCE[what]
    small = studio.look(item, edge)  # however large the photograph is
    painted = small.with_name(f"{small.stem}-{network}.jpg")
    if not painted.is_file():
        studio.networks.ask("paint", network=network, path=str(small), name=item.path, output=str(painted), edge=edge)
    return shown(painted)


@answers
def delete(studio: Studio, asked: Any, id: str) -> Any:
    """Put a picture aside."""
    return {"undo": studio.folder.delete(studio.folder.item(id))}


@answers
def undo(studio: Studio, asked: Any) -> Any:
    """Bring a picture back."""
    return {"id": studio.folder.restore(asked.get("undo") if isinstance(asked, dict) else None)}
