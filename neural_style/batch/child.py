"""One pair in a process of its own: it gives its memory back, and what kills it kills nothing else.

    python -m neural_style.batch.child '{"content_image": "photo.jpg", …}'

is what the batch starts: it paints and prints the outcome as a line of JSON.
"""
import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from argparse import Namespace
from pathlib import Path

from ..system import errors, files, machine
from ..system.errors import NeuralStyleError

GRACE = 10      # seconds that an interrupted child has to end by itself


class Children:
    """Child processes that end when this ends, in whatever way: their input is a pipe that only this holds open."""

    def __enter__(self):
        self._input, self._held_open = os.pipe()
        self._running, self._lock, self._ended = set(), threading.Lock(), False
        return self

    def __exit__(self, *error):
        with self._lock:
            self._ended = True
            os.close(self._input)
            os.close(self._held_open)
        for child in list(self._running):
            try:
                child.wait(GRACE + 2)
            except subprocess.TimeoutExpired:
                child.kill()

    def run(self, command, env):
        """Run the command: its exit code, negative for a signal, what it printed and what it said."""
        with self._lock:
            if self._ended:
                return 130, "", ""
            # a session of its own: Ctrl-C reaches the batch, which tells its children once
            child = subprocess.Popen(command, env=env, stdin=self._input, stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True)
            self._running.add(child)
        try:
            printed, said = child.communicate()
        finally:
            self._running.discard(child)
        return child.returncode, printed, said


def paint(args, frame=None, threads=None, children=None):
    """Paint args.content_image in a child process; what came of it, as a dict that never lacks "outcome".

    Of a sequence's frame, {"raw": path, "before": path}, the result as the network sees it goes to raw, and before is
    the content of the frame that args.start is the result of, or None. A child that is killed is started once more.
    """
    if children is None:
        with Children() as children:
            return paint(args, frame, threads, children)
    package = str(Path(__file__).resolve().parent.parent.parent)
    env = dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")])))
    if threads:
        env["OMP_NUM_THREADS"] = str(threads)
    command = [sys.executable, "-m", "neural_style.batch.child", json.dumps(dict(vars(args), frame=frame))]
    started = time.monotonic()
    for _ in range(2):
        code, printed, said = children.run(command, env)
        if code >= 0:
            break
    outcome = _outcome(code, printed, said)
    return dict(outcome, seconds=round(time.monotonic() - started, 1), host=os.uname().nodename,
                said=said if args.verbose or args.debug else "")


def _outcome(code, printed, said):
    if code < 0:
        hint = "; is there enough memory? --jobs 1 or a smaller size takes less" if code == -signal.SIGKILL else ""
        return {"outcome": "failed", "error": f"its process was ended twice by {signal.Signals(-code).name}{hint}"}
    try:
        return json.loads(printed.splitlines()[-1])
    except (IndexError, ValueError):
        last = (said.strip().splitlines() or ["no reason given"])[-1]
        return {"outcome": "failed", "error": f"its process ended with exit code {code}: {last}"}


def _end_with_parent():
    """Interrupt this process, as Ctrl-C does, when the one that started it is gone or wants it to end."""
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(GRACE)
    os._exit(130)


def main(flags):
    """The child: paint and print the outcome."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    frame, args, last = flags.pop("frame") or {}, Namespace(**flags), {}
    outcome = {"outcome": "interrupted", "error": "interrupted"}

    def work():
        from .. import nstyle
        from ..run import state
        at = state.path_beside(args.output)
        try:
            if frame.get("before"):
                _save_raw(_moved_start(args, frame["before"]), frame["raw"])
                args.start = frame["raw"]
            nstyle.train_nstyle(args, on_epoch=lambda row: last.update(epochs=row.epoch, eps=row.eps))
            if frame:
                _save_raw(state.load(at).state.result, frame["raw"])
            at.unlink()         # of pairs that are done nobody needs it
            outcome.update(outcome="done", error=None)
        except Exception as error:
            outcome.update(outcome="failed", error=errors.describe(error))
            if args.debug:
                traceback.print_exc()

    code = errors.run(work, "neural-style")
    print(json.dumps(dict(outcome, **last)), flush=True)
    return code


def _moved_start(args, before):
    """The result of the frame before, args.start, moved to where this frame's content is."""
    import numpy as np
    from ..pictures import images, motion
    before, now = (images.PreprocessContentImage(path, args.max_long_edge, args.width)
                   for path in (before, args.content_image))
    if args.start.endswith(".npy"):
        return motion.follow(np.load(args.start), before, now)
    return motion.follow(images.to_network(images.read_image(args.start), now.shape[2:]), before, now)


def _save_raw(image, path):
    import numpy as np
    try:
        with files.atomic(path) as temporary, open(temporary, "wb") as file:
            np.save(file, image)
    except OSError as error:
        raise NeuralStyleError(f"{path} could not be written: {error.strerror or error}") from error


def threads_for(jobs):
    """How many threads each of so many processes gets; OMP_NUM_THREADS, where it is set, is respected."""
    return machine.threads_asked() or max(1, machine.usable_cores() // jobs)


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
