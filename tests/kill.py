"""Kill runs at random instants, look at what they left, and let them go on: python tests/kill.py --runs 100

Every file that is left must be whole, and the pictures of the run that goes on those of a run never stopped.
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

import skimage.data
from networks import random_weights
from PIL import Image

from neural_style import nstyle
from neural_style.run import state
from neural_style.weights import params

RUNS = {
    "nag": [],
    "sgd": ["--optimizer", "sgd"],
    "adam": ["--optimizer", "adam", "--lr", "5", "--keep-best"],
    "patches": ["--style-term", "patches", "--style-layers", "relu2_1", "relu3_1", "--match-every", "7"],
    "fast32": ["--precision", "fast32"],
    "pyramid": ["--max-long-edge", "64", "--pyramid", "1", "--pyramid-epochs", "3"],
}
FLAGS = [
    "--max-long-edge",
    "48",
    "--max-num-epochs",
    "40",
    "--stop-eps",
    "0",
    "--lr-sched-delay",
    "7",
    "--seed",
    "3",
    "--save-epochs",
    "1",
    "--gpu",
    "-1",
    "--quiet",
    "--content-image",
    "chelsea.png",
    "--style-image",
    "coffee.png",
    "--model-params",
    "random.params",
]


def command(kind, folder):
    return FLAGS + [*RUNS[kind], "--output_dir", str(folder)]


@contextlib.contextmanager
def running(kind, folder):
    """The run as a process, from the moment when its folder is there."""
    words = [sys.executable, "-m", "neural_style.nstyle"] + command(kind, folder)
    run = subprocess.Popen(
        words, env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(nstyle.__file__).parents[1])}
    )
    try:
        while run.poll() is None and not Path(folder).exists():
            time.sleep(0.001)
        yield run
    finally:
        run.kill()
        run.wait()


def whole(folder):
    """The pictures that lie in the folder, once all of its files are known to be whole."""
    pictures = {}
    for path in folder.iterdir():
        if path.suffix == ".npz":
            state.load(path)
        else:
            with Image.open(path) as picture:
                picture.load()
            if not path.name.startswith("."):  # else killed between a whole file's two names
                pictures[path.name] = path.read_bytes()
    return pictures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    chance, outcomes = random.Random(args.seed), Counter()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        params.write("random.params", {"arg:" + name: array for name, array in random_weights().items()})
        for name in ("chelsea", "coffee"):
            Image.fromarray(getattr(skimage.data, name)()).save(f"{name}.png")
        expected, lasts = {}, {}
        for kind in RUNS:
            with running(kind, f"{kind}-whole") as run:
                start = time.monotonic()
                assert run.wait() == 0
                lasts[kind] = time.monotonic() - start
            expected[kind] = whole(Path(f"{kind}-whole"))
            assert len(expected[kind]) == 41
        while sum(outcomes.values()) < args.runs:
            number = sum(outcomes.values())
            kind, out = list(RUNS)[number % len(RUNS)], Path(f"run-{number}")
            with running(kind, out) as run:
                time.sleep(chance.uniform(0, lasts[kind]))
                run.send_signal(signal.SIGKILL)
                if run.wait() == 0:  # it had come to its end
                    shutil.rmtree(str(out))
                    continue
            left = whole(out)
            assert all(expected[kind][name] == data for name, data in left.items())
            if (out / ".final.jpg.state.npz").exists():
                epoch = state.load(out).state.epoch
                assert nstyle.main(["--resume", str(out), "--quiet"]) == 0
                assert whole(out) == expected[kind], f"{kind}, killed after epoch {epoch}"
                outcomes[kind] += 1
            else:
                epoch = 0
                assert set(left) <= {"e_1.jpg"}
                outcomes["none, killed before the first state was saved"] += 1
            print(f"{number + 1}/{args.runs} {kind}, killed after epoch {epoch}", flush=True)
    print("went on to the same pictures:")
    print(dict(outcomes))


if __name__ == "__main__":
    sys.exit(main())
