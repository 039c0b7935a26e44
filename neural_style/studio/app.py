"""The application: the page and its files, what a page begins with, and the news that come later."""

import asyncio
import contextlib
import dataclasses
import functools
import json
from pathlib import Path
from typing import Any, Dict, Tuple, cast

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from . import looks, orders, pictures
from .folder import TYPES, Folder
from .studio import Studio, answers

PAGE = Path(__file__).parent / "page"
SHARED = Path(__file__).parents[1] / "report" / "template"  # of the run's page, whose look the studio has
KINDS = {".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript"}
PACE, SILENT = 0.25, 15  # seconds between two looks for news, and until a sign of life where there are none


@functools.lru_cache(None)
def files() -> Dict[str, Path]:
    """The files of the page by name, which are all that there are."""
    shared = {path.name: path for name in ("common", "stage", "chart") for path in SHARED.glob(f"{name}.*s")}
    own = {path.name: path for folder in (PAGE, looks.TILES) for path in sorted(folder.glob("*.*"))}
    return {**shared, **own}


def page(request: Request) -> Response:
    """A file of the page."""
    path = files().get(request.path_params.get("name") or "index.html")
    if path is None:
        raise HTTPException(404)
    kind = KINDS.get(path.suffix) or TYPES[path.suffix]
    return Response(path.read_bytes(), media_type=kind, headers={"cache-control": "no-cache"})


@answers
def state(studio: Studio, asked: Any) -> Any:
    """Everything that a page needs to begin."""
    return {
        **looks.table(),
        "folder": studio.folder.root.name,
        "examples": [
            {"number": number, "kind": kind, "name": name}
            for number, (kind, name, _) in enumerate(pictures.examples(studio))
        ],
        "pictures": studio.all_pictures(),
        "version": studio.jobs.version,
        "jobs": [dataclasses.asdict(job) for job in list(studio.jobs.jobs.values())],
    }  # fmt: skip


async def events(request: Request) -> Response:
    """News as they come: jobs that have changed, epochs of the one that is running, and when pictures come or go."""
    studio = request.app.state.studio

    async def stream():
        yield "retry: 1000\n\n"
        version, sent, seen, silent = 0, cast(Dict[int, int], {}), await run_in_threadpool(studio.seen), 0.0
        while not studio.ending:
            version, news = _news(studio, version, sent)
            files = await run_in_threadpool(studio.seen)
            if files != seen:
                news["pictures"] = True
            seen, silent = files, 0.0 if news else silent + PACE
            if news:
                yield f"data: {json.dumps(news)}\n\n"
            elif silent >= SILENT:
                silent = 0.0
                yield ": still here\n\n"
            await asyncio.sleep(PACE)

    return StreamingResponse(stream(), media_type="text/event-stream", headers={"cache-control": "no-store"})


def _news(studio: Studio, version: int, sent: Dict[int, int]) -> Tuple[int, Dict[str, Any]]:
    """The version now, and what has changed since another one; sent counts the epochs that a page has of each job."""
    jobs, news = studio.jobs, cast(Dict[str, Any], {})
    with jobs.lock:
        changed = jobs.since(version)
        if changed:
            news["jobs"] = [dataclasses.asdict(job) for job in changed]
        removed = [id for id, at in jobs.removed.items() if at > version]
        if removed and version:
            news["removed"] = removed
        for id, history in jobs.history.items():
            have = sent.get(id, 0) if sent.get(id, 0) <= len(history) else 0
            if history[have:]:
                news["epochs"] = {"job": id, "rows": history[have:], "preview": jobs.preview.get(id)}
                sent[id] = len(history)
        return jobs.version, news


ROUTES = [
    Route("/", page),
    Route("/api/state", state),
    Route("/api/events", events),
    Route("/api/upload", pictures.upload, methods=["POST"]),
    Route("/api/examples/{number:int}", pictures.example, methods=["POST"]),
    Route("/api/examples/{number:int}/small", pictures.example_small),
    Route("/api/pictures", pictures.listing),
    Route("/api/pictures/{id}/delete", pictures.delete, methods=["POST"]),
    Route("/api/pictures/{id}/{what}", pictures.picture),
    Route("/api/once/{network}/{id}/{what}", pictures.at_once),
    Route("/api/undo", pictures.undo, methods=["POST"]),
    Route("/api/command", orders.command, methods=["POST"]),
    Route("/api/plan", orders.plan, methods=["POST"]),
    Route("/api/jobs", orders.add, methods=["POST"]),
    Route("/api/jobs/{id:int}/history", orders.history),
    Route("/api/jobs/{id:int}/epochs/{epoch:int}", orders.preview),
    Route("/api/jobs/{id:int}/{what}", orders.act, methods=["POST"]),
    Route("/{name}", page),
]


def make(folder: Folder) -> Starlette:
    """The application for a folder."""
    studio = Studio(folder)

    @contextlib.asynccontextmanager
    async def lifespan(app):
        await run_in_threadpool(studio.start)
        yield
        await run_in_threadpool(studio.close)

    app = Starlette(routes=ROUTES, lifespan=lifespan)
    app.router.redirect_slashes = False  # what is not there is not elsewhere
    app.state.studio = studio
    return app
