"""Kill commands at random instants, look at what they left, and let them go on: python tests/kill.py --runs 100

Runs, trainings, films and batches; often with the same command started once more beside it, which must be refused.
Every file that is left must be whole, and what comes out at the end that of a command never stopped.
"""

import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import List, NamedTuple

import skimage.data
from networks import random_weights
from PIL import Image

from neural_style.batch.record import Record
from neural_style.end_to_end import network
from neural_style.end_to_end import state as training
from neural_style.run import state
from neural_style.system.errors import UsageError
from neural_style.weights import params

ROOT = Path(__file__).resolve().parent.parent
PLAIN = "--gpu -1 --quiet --model-params random.params --seed 3 --max-long-edge 48 --stop-eps 0".split()
RUN = [*PLAIN, *"--content-image in/chelsea.png --style-image coffee.png --max-num-epochs 20".split()]
RUN += "--lr-sched-delay 7 --save-epochs 1".split()
SHORT = [*PLAIN, *"--style coffee.png --max-num-epochs 4".split()]
TRAINING = "--gpu -1 --quiet --model-params random.params --seed 3 --max-long-edge 64 --precision fast32".split()
TRAINING += "--style coffee.png --photos in --steps 8 --save-every 1 --crop 64".split()


class Kind(NamedTuple):
    """A command, and how it is continued; OUT stands for its folder."""

    words: List[str]
    again: List[str]
    state: str = ""  # without this file in the folder, it cannot be continued but only begun anew


def _run(*more):
    begin = ["neural_style", *RUN, *more, "--output_dir", "OUT"]
    return Kind(begin, ["neural_style", "--resume", "OUT", "--quiet"], ".final.jpg.state.npz")


def _repeated(*words):
    return Kind(list(words), list(words))


KINDS = {
    "nag": _run(),
    "sgd": _run("--optimizer", "sgd"),
    "adam": _run("--optimizer", "adam", "--lr", "5", "--keep-best"),
    "patches": _run("--style-term", "patches", "--style-layers", "relu2_1", "relu3_1", "--match-every", "7"),
    "fast32": _run("--precision", "fast32"),
    "pyramid": _run("--max-long-edge", "64", "--pyramid", "1", "--pyramid-epochs", "3"),
    "training": Kind(
        ["neural_style.end_to_end", "train", *TRAINING, "--output", "OUT/a.params"],
        ["neural_style.end_to_end", "train", "--resume", "OUT/a.params", "--quiet"],
        ".a.params.state.npz",
    ),
    "film by a network": _repeated(
        "neural_style.film", "film.gif", "--network", "night", "--output", "OUT/film.webp", "--quiet"
    ),
    "film in a style": _repeated("neural_style.film", "film.gif", "--output", "OUT/film.webp", *SHORT),
    "batch": _repeated("neural_style.batch", "--content", "in", "--output", "OUT", "--jobs", "2", *SHORT),
    "sequence": _repeated("neural_style.batch", "--content", "in", "--output", "OUT", "--sequence", *SHORT),
}


def started(words, out):
    """The command as a process."""
    words = [word.replace("OUT", str(out)) for word in words]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-m", *words], env=environment, stderr=subprocess.PIPE, text=True)


@contextlib.contextmanager
def running(words, out):
    """The command as a process, from the moment when its folder is there."""
    run = started(words, out)
    try:
        while run.poll() is None and not out.exists():
            time.sleep(0.001)
        yield run
    finally:
        run.kill()
        run.wait()
        run.stderr.close()


def whole(out):
    """What lies in the folder and below, by name, once all of it is known to be whole; of hidden files nothing."""
    known = {}
    for path in sorted(out.rglob("*")):
        name = str(path.relative_to(out))
        hidden = any(part.startswith(".") for part in path.relative_to(out).parts)
        if path.suffix == ".lock":
            assert path.stat().st_size == 0
        elif name.endswith(".params.state.npz"):
            with contextlib.suppress(UsageError) if (out / "a.params").exists() else contextlib.nullcontext():
                training.resumed(str(out / "a.params"))  # refused where it is complete
        elif name.endswith(".state.npz"):
            state.load(path)
        elif name == "batch.json":
            Record(out)
        elif path.suffix == ".params":
            known[name] = network.load(path).digest
        elif path.suffix in (".jpg", ".png", ".webp"):
            with Image.open(path) as picture:
                picture.load()
            if not hidden:  # else a film's frame, or killed between a whole file's two names
                known[name] = path.read_bytes()
    return known


def second(kind, out, first):
    """Start the command once more beside the first one, if that is still at work; it must be refused in one line."""
    other = started(kind.words, out)
    said = other.communicate()[1]
    if first.poll() is None:
        assert other.returncode == 2 and len(said.splitlines()) == 1, (other.returncode, said)
        assert "another command is" in said or "already exists" in said, said


def begun_anew(kind, out):
    """The words of a command that cannot be continued yet."""
    return [*kind.words, *["--overwrite"] * (kind.words[0] == "neural_style.end_to_end")]


def case(number, chance, expected, lasts, refused):
    """Kill one command and let it go on; returns what happened, or None where it had come to its end before."""
    name = list(KINDS)[number % len(KINDS)]
    kind, out = KINDS[name], Path(f"run-{number}")
    with running(kind.words, out) as run:
        time.sleep(chance.uniform(0, lasts[name]))
        if chance.random() < 0.5:
            second(kind, out, run)
            refused[0] += 1
        run.send_signal(signal.SIGKILL)
        if run.wait() == 0:
            shutil.rmtree(str(out))
            return None
    left = whole(out) if out.exists() else {}
    for path, content in left.items():
        assert path == "a.params" or expected[name][path] == content, path
    goes_on = not kind.state or (out / kind.state).exists()
    with running(kind.again if goes_on else begun_anew(kind, out), out) as run:
        said = run.communicate()[1]
        complete = "the training is complete" in said or "already exists" in said  # killed when all of it was there
        assert run.returncode == 0 or complete, said
    assert whole(out) == expected[name], f"{name}, case {number}"
    return name if goes_on else f"{name}, killed before its first state was saved"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    chance, outcomes, refused = random.Random(args.seed), Counter(), [0]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        params.write("random.params", {"arg:" + name: array for name, array in random_weights().items()})
        os.mkdir("in")
        for name in ("in/chelsea", "in/rocket", "coffee"):
            Image.fromarray(getattr(skimage.data, os.path.basename(name))()).resize((240, 180)).save(f"{name}.png")
        frames = [Image.open("in/chelsea.png").resize((96, 72)).rotate(2 * angle) for angle in range(4)]
        frames[0].save("film.gif", save_all=True, append_images=frames[1:], duration=50)
        expected, lasts = {}, {}
        for name, kind in KINDS.items():
            with running(kind.words, Path(f"{name}-whole")) as run:
                start = time.monotonic()
                said = run.communicate()[1]
                assert run.returncode == 0, said
                lasts[name] = time.monotonic() - start
            expected[name] = whole(Path(f"{name}-whole"))
            print(f"{name}: {lasts[name]:.1f} s, {len(expected[name])} files", flush=True)
        number = 0
        while sum(outcomes.values()) < args.runs:
            outcome = case(number, chance, expected, lasts, refused)
            number += 1
            if outcome:
                outcomes[outcome] += 1
                print(f"{sum(outcomes.values())}/{args.runs} {outcome}", flush=True)
    print(f"went on to the same results, {refused[0]} with a second command beside them:")
    print(dict(outcomes))


if __name__ == "__main__":
    sys.exit(main())
