"""The routes of jobs: the command for what was chosen, and everything that can be done with a job."""

import dataclasses
from typing import Any, Dict, Optional

from starlette.exceptions import HTTPException

from ..system.errors import UsageError
from .folder import slug
from .job import PAUSED, QUEUED, RUNNING, STOPPED, Job
from .pictures import shown
from .studio import Studio, answers
from .wishes import Wish, wish


@answers
def command(studio: Studio, asked: Any) -> Any:
    """The command for what was chosen, or what is wrong with it."""
    kind = asked.get("kind") if isinstance(asked, dict) else None
    made = wish(studio.folder, str(kind), asked)
    return {"command": made.shown(_titled(made, studio.jobs.next_id()) + made.ending), "total": made.total}


@answers
def plan(studio: Studio, asked: Any) -> Any:
    """What the run will take, as it would say itself."""
    made = wish(studio.folder, "run", asked)
    return studio.networks.ask("plan", words=made.words, folder=str(studio.folder.root))


def _titled(made: Wish, id: int) -> str:
    return f"{slug(made.name)}-{id}"


def _added(studio: Studio, kind: str, asked: Dict[str, Any], parent: Optional[Dict[str, Any]] = None) -> Job:
    with studio.jobs.lock:
        id = studio.jobs.next_id()
        if parent and parent.get("epoch"):
            values = {**(asked.get("values") or {}), "start": {"job": id}, "pyramid": 0}
            asked = {**asked, "values": values}
        made = wish(studio.folder, kind, asked)
        title, total = _titled(made, id), made.total or studio.frames(asked.get("content"))
        output = title + made.ending
        return studio.jobs.add(
            id=id, kind=kind, title=title, command=made.shown(output), output=output, asked=asked, total=total,
            parent=parent,
        )  # fmt: skip


@answers
def add(studio: Studio, asked: Any) -> Any:
    """Add a job to the queue."""
    kind = str(asked.pop("kind", "run")) if isinstance(asked, dict) else ""
    return dataclasses.asdict(_added(studio, kind, asked))


@answers
def act(studio: Studio, asked: Any, id: int, what: str) -> Any:
    """Do something with a job: pause, stop, go on, take it away, or change what it paints."""
    jobs, asked = studio.jobs, asked if isinstance(asked, dict) else {}
    job = jobs.get(id)
    if what == "pause":
        jobs.interrupt(job, PAUSED)
    elif what == "stop":
        jobs.interrupt(job, STOPPED)
    elif what == "continue":
        more = asked.get("epochs", 0)
        jobs.go_on(job, more if type(more) is int and 0 < more <= 10000 else 0)
    elif what == "forget":
        jobs.forget(job)
        return {}
    elif what == "change":
        return dataclasses.asdict(_changed(studio, job, asked))
    else:
        raise HTTPException(404)
    return dataclasses.asdict(job)


def _changed(studio: Studio, job: Job, asked: Dict[str, Any]) -> Job:
    """Go on from where a job is with other flags: it stops, and another one begins with its image."""
    if job.kind != "run":
        raise UsageError("only the painting of a single picture can be changed midway")
    asked = {**job.asked, **{name: asked[name] for name in ("recipe", "values") if name in asked}}
    wish(studio.folder, "run", asked)  # raises before anything is stopped
    epoch = job.done
    if job.status in (RUNNING, QUEUED, PAUSED):
        studio.jobs.interrupt(job, STOPPED)
    return _added(studio, "run", asked, {"job": job.id, "epoch": epoch})


@answers
def history(studio: Studio, asked: Any, id: int) -> Any:
    """The epochs of a job, and those of which there are pictures."""
    job = studio.jobs.get(id)
    return {"rows": studio.jobs.records(job), "pictures": studio.jobs.pictures(job)}


@answers
def preview(studio: Studio, asked: Any, id: int, epoch: int) -> Any:
    """The picture of an epoch."""
    job = studio.jobs.get(id)
    return shown(studio.folder.root / job.checkpoints.replace("%s", str(epoch)))
