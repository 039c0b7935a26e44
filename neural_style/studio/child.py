"""The processes beside the server, in which everything happens that reads pictures or computes.

python -m neural_style.studio.child pictures     answers questions about pictures, one line of JSON each
python -m neural_style.studio.child networks     paints in one pass, and estimates what a run takes
python -m neural_style.studio.child job TASK     runs one command, and writes down every epoch
"""

import contextlib
import importlib
import io
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, List, cast

from ..batch.children import end_with_parent
from ..system import errors

COMMAND = [sys.executable, "-m", "neural_style.studio.child"]
LONGEST = 20_000  # characters of a recipe that are searched and shown
KEPT = 28  # pictures on the way that stay once a run is done


# ---- pictures ----


def look(path: str, name: str, small: str, edge: int) -> Dict[str, Any]:
    """What a picture is; a small version of it is written as well."""
    from ..pictures.read import errors_of, opened, read_picture, recognised, size_of
    from ..pictures.write import read_recipe
    from ..report.parts import encoded

    with errors_of(name, path), opened(path, name) as file:
        picture = recognised(file, name)
        form, moves = picture.format, picture.format == "GIF" and getattr(picture, "n_frames", 1) > 1
    if small:
        _write(small, encoded(read_picture(path, 2 * edge), edge)[0])
    width, height = size_of(path) or (0, 0)
    recipe = (read_recipe(path) or "")[:LONGEST]
    return {"format": form, "moves": moves, "width": width, "height": height, "recipe": recipe}


def look_at_film(path: str, name: str, small: str, edge: int) -> Dict[str, Any]:
    """What a film is, with its first frame as a small picture."""
    from ..film.read import open_film
    from ..pictures.read import Picture
    from ..report.parts import encoded

    film = open_film(path)
    with contextlib.closing(cast(Any, film.frames([]))) as frames:
        pixels = next(iter(frames)).pixels
    if small:
        _write(small, encoded(Picture(name, pixels, None), edge)[0])
    height, width = film.size
    return {"format": "film", "width": width, "height": height, "frames": film.count, "recipe": ""}


def recipe(path: str, name: str) -> Dict[str, Any]:
    """The flags in a picture's recipe that the page can set, and the names of the pictures that it was made from."""
    from .. import recipes
    from ..options import parse
    from ..options.check import complete
    from ..options.flags import BY_ATTRIBUTE, listed
    from .looks import may_be_set, networks

    words, _ = recipes.words(path)
    network = next((word.partition("=")[2] for word in words if word.startswith("--network=")), None)
    if network in networks():
        content = next((word.partition("=")[2] for word in words if word.startswith("--content-image=")), "")
        return {"network": network, "pictures": {"content_image": content}}
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            args = vars(complete(parse.get_args(["--recipe", path])))
    except SystemExit:
        raise errors.UsageError(said.getvalue().strip().rpartition("error: ")[2].replace(path, name)) from None
    flags = (BY_ATTRIBUTE[key] for key in args)
    values = {flag.attribute: args[flag.attribute] for flag in flags if may_be_set(flag)}
    changed = {key: value for key, value in values.items() if value != BY_ATTRIBUTE[key].default}
    pictures = {key: args[key] for key in ("content_image", "mask", "regions", "start") if args[key]}
    return {
        "values": changed,
        "pictures": pictures,
        "styles": listed(args["style_image"]),
        "style_regions": listed(args["style_regions"]),
    }


def example(source: str, path: str) -> Dict[str, Any]:
    """Write one of the pictures to try: a photograph of a package, or a painting of ours."""
    from ..painting import SUBJECTS, paint
    from ..pictures.images import save_picture

    if source in SUBJECTS:
        save_picture(paint(subject=source), f"{path}.png")
        os.replace(f"{path}.png", path)
    else:
        Path(path).write_bytes(Path(source).read_bytes())
    return {}


def examples() -> Dict[str, Any]:
    """The pictures to try that are here: [kind, name, source]."""
    from ..end_to_end.photographs import packaged
    from ..painting import SUBJECTS

    liked = ("chelsea.png", "astronaut.png", "coffee.png", "rocket.jpg", "motorcycle_left.png")
    photographs = {os.path.basename(path): path for path in packaged()}
    found = [
        ["photograph", name.split(".")[0].split("_")[0], photographs[name]] for name in liked if name in photographs
    ]
    found += [["painting", name, name] for name in SUBJECTS]
    for root in (Path.cwd(), Path(__file__).resolve().parents[2]):
        pair = root / "input" / "IMG_4343.jpg", root / "input" / "starry_night.jpg"
        if all(path.is_file() for path in pair):
            photograph, painting = map(str, pair)
            found += [["photograph", "original photograph", photograph], ["painting", "original painting", painting]]
            break
    return {"examples": found}


def _write(path, content):
    from ..system.files import atomic

    with atomic(path) as temporary:
        temporary.write_bytes(content)


# ---- networks ----


def paint(network: str, path: str, name: str, output: str, edge: int) -> Dict[str, Any]:
    """Paint a picture in one pass."""
    from argparse import Namespace

    from ..end_to_end import painter
    from ..options.check import complete

    painter.paint(_network(network), path, output, complete(Namespace(max_long_edge=edge, overwrite=True)))
    return {}


def _network(name, loaded={}):  # noqa: B006 (they stay loaded)
    from ..end_to_end.network import load

    return loaded.setdefault(name, loaded.get(name) or load(name))


def plan(words: List[str], folder: str) -> Dict[str, Any]:
    """What a run will take, as the command says it before it starts."""
    from ..find_mxnet import context
    from ..options import parse
    from ..options.check import complete
    from ..run import plan, setup
    from ..system import memory

    os.chdir(folder)
    args, free = complete(parse.get_args(words)), memory.available()
    free = None if free is None else free - memory.resident()  # which is this process's, not the run's
    plan.check_pictures(args, free)
    pictures = _blank(args)
    model, terms = setup.model_and_terms(args, context(args.gpu), pictures)
    tile = plan.tile_for(args, model, terms, pictures.sizes, free)
    says = plan.announce(args, model, terms, pictures.sizes, tile, free)
    # how it is computed tells an artist little
    size, _, rest = says.replace(f" of {args.optimizer}", "").partition(" in ")
    return {"says": says, "plain": f"{size.replace('x', ' × ')} pixels{rest[rest.index(': at most') :]}"}


def _blank(args):
    """Pictures of the sizes of a run's, but blank, so that they need not be read and take no memory."""
    import numpy as np

    from ..objective.examples import Pictures, Style
    from ..options.flags import listed, style_pictures
    from ..pictures.images import content_size
    from ..pictures.read import size_of

    def blank(height, width, *more):
        return np.broadcast_to(np.float32(0), (*more, height, width) if more else (height, width, 3))

    sizes: Dict[str, Any] = {path: size_of(path) for path in [args.content_image, *style_pictures(args)]}
    missing = [path for path, size in sizes.items() if size is None]
    if missing:
        raise errors.UsageError(f"{missing[0]} cannot be read")
    size, styles = content_size(blank(*sizes[args.content_image][::-1]), args.max_long_edge, args.width), []
    paths = style_pictures(args)
    for path, scale in zip(paths, listed(args.style_scales) or [1.0] * len(paths)):
        width, height = sizes[path]
        across = size[1] * scale
        own = (max(1, round(across * height / width)), max(1, round(across))) if args.fit == "scale" else size
        styles.append(Style(blank(*own, 1, 3), 1 / len(paths)))
    return Pictures(blank(*size, 1, 3), styles)


def warm() -> Dict[str, Any]:
    """Paint something, so that everything is loaded before the first picture comes."""
    from .looks import TILES, networks

    with tempfile.TemporaryDirectory() as folder:
        for name in networks():
            paint(name, str(TILES / "night.jpg"), name, f"{folder}/{name}.jpg", 64)
    return {}


ROLES = {"pictures": (look, look_at_film, recipe, example, examples), "networks": (paint, plan, warm)}


def serve(role: str) -> None:
    """Answer questions until the server is gone."""
    answers, functions = os.fdopen(os.dup(1), "w"), {function.__name__: function for function in ROLES[role]}
    os.dup2(2, 1)  # what libraries print is no answer
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = functions[asked["what"]](**asked["how"])
        except (Exception, SystemExit) as error:
            said = errors.describe(error) if isinstance(error, Exception) else "it cannot be"
            answer = {"error": said.replace(str(asked["how"].get("path")), asked["how"].get("name", ""))}
        print(json.dumps(answer), file=answers, flush=True)


# ---- a job ----


def job(task: Dict[str, Any]) -> int:
    """Run a command of the package, {"module", "words", "output", "events", …}; returns its exit code."""
    end_with_parent(grace=3600)  # a run saves its state after this epoch, which may take long
    os.nice(5)  # the page, and networks that paint for it, come first
    module, words = task["module"], task["words"]
    if module == "neural_style":
        return _run(task, words)
    return importlib.import_module(f"{module}.__main__").main(words)


def _run(task, words):
    """Paint one picture, or go on with it; every epoch is a line of JSON in the file of events."""
    from .. import nstyle
    from ..run import state

    kept = state.path_beside(task["output"])
    if task["resume"] and kept.is_file():
        words = ["--resume", str(kept), "--checkpoint-output", task["checkpoints"], "--overwrite", *task["more"]]
    elif task["begin"]:
        _save_start(*task["begin"])
    with open(task["events"], "a", encoding="utf-8") as events:
        events.write("\n")  # where a process was killed in the middle of a line

        def on_epoch(row):
            events.write(json.dumps(row._asdict()) + "\n")
            events.flush()

        code = nstyle.main(words, on_epoch)
    if code == 0:
        _thin_out(task["checkpoints"])
    return code


def _save_start(source, path):
    """Save where another run stopped as a raw image, once, for --start."""
    from ..objective import edges
    from ..pictures import images
    from ..pictures.write import save_raw
    from ..run import state

    if not os.path.exists(path):
        saved = state.load(state.path_beside(source))
        args = saved.args
        photo = images.read_picture(args["content_image"])
        size = images.content_size(photo.pixels, args["max_long_edge"], args["width"])
        save_raw(edges.canvas(args["edges"], size).shown(saved.state.result), path)


def _thin_out(checkpoints):
    from ..report.page import thinned

    folder, ending = os.path.dirname(checkpoints), os.path.splitext(checkpoints)[1]
    epochs = sorted(int(path.stem[2:]) for path in Path(folder).glob(f"e_*{ending}"))
    for epoch in set(epochs) - set(thinned(epochs, KEPT)):
        os.unlink(checkpoints.replace("%s", str(epoch)))


if __name__ == "__main__":
    role, *words = sys.argv[1:]
    if role == "job":
        sys.exit(job(json.loads(words[0])))
    serve(role)
