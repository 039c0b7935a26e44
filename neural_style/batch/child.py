"""The process that paints one pair and prints its Outcome as a line of JSON.

python -m neural_style.batch.child '{"args": {"content_image": "photo.jpg", …}, "raw": null, "before": null}'
"""

import json
import sys
import time
import traceback
from argparse import Namespace
from typing import Any, Dict

import numpy as np

from .. import nstyle
from ..objective import edges
from ..pictures import images, motion
from ..pictures.write import save_raw
from ..run import state
from ..saved.locks import Taken
from ..system import errors
from .children import GRACE, Task, end_with_parent


def main(task: Task) -> None:
    """Paint and print the outcome."""
    end_with_parent()
    args = Namespace(**task.args)
    outcome: Dict[str, Any] = {"error": None}
    try:
        _paint(args, task, lambda row: outcome.update(epochs=row.epoch, eps=row.eps))
    except KeyboardInterrupt:
        outcome["error"] = "interrupted"
    except Exception as error:
        outcome["error"] = errors.describe(error)
        if args.debug:
            traceback.print_exc()
    print(json.dumps(outcome), flush=True)


def _paint(args, task, on_epoch):
    state_path = state.path_beside(args.output)
    start = _moved_start(args, task.before) if task.before else None
    if start is not None:
        save_raw(start, task.raw)
        args.start = task.raw
    elif task.fresh:
        for name, value in task.fresh.items():
            setattr(args, name, value)
    _train(args, on_epoch)
    if task.raw:
        size = images.content_size(images.read_picture(args.content_image).pixels, args.max_long_edge, args.width)
        save_raw(edges.canvas(args.edges, size).shown(state.load(state_path).state.result), task.raw)
    state_path.unlink()  # nobody needs it once the pair is done


def _train(args, on_epoch):
    """Paint; wait for the child of a command that was killed, which ends soon."""
    until = time.monotonic() + GRACE + 2
    while True:
        try:
            return nstyle.train_nstyle(args, on_epoch=on_epoch)
        except Taken:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def _moved_start(args, before):
    """args.start, the result of the frame before, moved along with the content; None if a new scene begins."""
    contents = (before, args.content_image)
    before, now = (images.PreprocessContentImage(path, args.max_long_edge, args.width) for path in contents)
    is_raw = args.start.endswith(".npy")
    painted = np.load(args.start) if is_raw else images.to_network(images.read_image(args.start), now.shape[2:])
    before, now = before.astype(np.float32), now.astype(np.float32)
    move = motion.between(before, now)
    return None if move.is_cut else move.started(painted, now)


if __name__ == "__main__":
    main(Task(**json.loads(sys.argv[1])))
