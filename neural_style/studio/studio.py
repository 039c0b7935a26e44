"""What the routes work with: the folder, the jobs, and the processes that read pictures."""

import contextlib
import functools
import json
import math
import threading
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, cast

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from ..system.errors import NeuralStyleError
from . import looks
from .folder import Folder, Item
from .helper import Helper
from .jobs import Jobs

SMALL, LARGE = 320, 1600  # pixels of a longer edge
MOST_JSON = 100_000  # bytes of a request
LARGE_FILE = 20_000_000  # bytes of a picture for which the others do not wait


class Studio:
    """What the routes work with."""

    def __init__(self, folder: Folder) -> None:
        self.folder, self.jobs = folder, Jobs(folder)
        self.pictures, self.slow, self.networks = Helper("pictures"), Helper("pictures"), Helper("networks")
        self.about: Dict[str, Dict[str, Any]] = {}  # what is known of an item, by its key
        self.ending, self._seen = False, (-math.inf, cast(Any, None))
        self.examples: List[List[str]] = []

    def start(self) -> None:
        """Start what takes a while, so that the first picture need not wait for it."""
        looks.table()  # as the package is now, whatever is installed while this runs
        self.folder.tidy()
        self.jobs.start()
        for helper, what in ((self.pictures, "examples"), (self.networks, "warm")):
            threading.Thread(target=_prepared, args=(helper, what), daemon=True).start()

    def close(self) -> None:
        """End everything; what is being painted is saved, and goes on with the next server."""
        self.ending = True
        self.jobs.close()
        for helper in (self.pictures, self.slow, self.networks):
            helper.close()

    def look(self, item: Item, edge: int = SMALL) -> Path:
        """The small version of an item."""
        small = self.folder.small(item, edge)
        if not small.is_file() or not self.known(item):
            what = "look_at_film" if item.is_film else "look"
            helper = self.slow if item.size > LARGE_FILE else self.pictures
            path = str(self.folder.root / item.path)
            self.about[item.key] = helper.ask(what, path=path, name=item.path, small=str(small), edge=edge)
            self.folder.keep(f"small/{item.key}-about", self.about[item.key])
        return small

    def known(self, item: Item) -> Dict[str, Any]:
        """What is known of an item; nothing before somebody has looked at it."""
        if not self.about.get(item.key):
            self.about[item.key] = self.folder.kept(f"small/{item.key}-about", {})
        return self.about[item.key]

    def frames(self, id: Any) -> int:
        """How many frames a film has."""
        item = self.folder.item(id)
        self.look(item)
        return self.known(item).get("frames", 0)

    def described(self, item: Item) -> Dict[str, Any]:
        """An item as the page knows it."""
        about = self.known(item)
        return {
            "id": item.id,
            "kind": item.kind,
            "path": item.path,
            "film": item.is_film,
            "bytes": item.size,
            "changed": item.changed // 10**6,
            "width": about.get("width"),
            "height": about.get("height"),
            "recipe": about.get("recipe", ""),
        }

    def seen(self) -> Any:
        """What changes whenever pictures come or go, or more is known of one; at most a second old."""
        at, value = self._seen
        if time.monotonic() - at > 1:
            items = self.folder.items().values()
            keys = {item.key for item in items}
            self.about = {key: value for key, value in list(self.about.items()) if key in keys}
            value = tuple(items), sum(map(bool, self.about.values()))
            self._seen = time.monotonic(), value
        return value

    def all_pictures(self) -> List[Dict[str, Any]]:
        """All items as the page knows them, the newest last."""
        return [self.described(item) for item in self.folder.items().values()]


def _prepared(helper, what):
    with contextlib.suppress(NeuralStyleError):  # it ends before it has begun, or whoever needs it is told
        helper.ask(what)


def answers(function: Callable) -> Callable:
    """A route whose function gets the Studio, the JSON of the request and the parts of the path.

    It returns JSON or a Response, and may take its time; an error is a line for the page.
    """

    @functools.wraps(function)
    async def route(request: Request) -> Response:
        studio, body = request.app.state.studio, b""
        try:
            if request.method == "POST":
                async for part in request.stream():
                    body += part
                    if len(body) > MOST_JSON:
                        raise HTTPException(413)
            asked = json.loads(body) if body else {}
        except (ClientDisconnect, ValueError, RecursionError):
            raise HTTPException(400, "not understood") from None
        try:
            answer = await run_in_threadpool(function, studio, asked, **request.path_params)
        except NeuralStyleError as error:
            return JSONResponse({"error": str(error)}, 400)
        except FileNotFoundError:  # deleted a moment ago
            raise HTTPException(404) from None
        except OSError as error:
            return JSONResponse({"error": f"the folder: {error.strerror or error}"}, 500)
        return answer if isinstance(answer, Response) else JSONResponse(answer)

    return route
