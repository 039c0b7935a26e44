"""A batch's wall clock with several processes of one thread against one process with all threads, in turns.

python benchmarks/jobs.py --pairs 6 --size 300 --epochs 20 --turns 3
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import skimage.data
from PIL import Image

from neural_style.batch import __main__ as batch
from neural_style.system.machine import usable_cores

PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket")


def seconds(jobs, asked, folder):
    """How long the batch takes with so many jobs."""
    contents = [str(folder / f"{PHOTOGRAPHS[number % 4]}.png") for number in range(asked.pairs)]
    styles = [str(folder / f"{PHOTOGRAPHS[(number // 4 + number + 1) % 4]}.png") for number in range(asked.pairs)]
    with tempfile.TemporaryDirectory() as output:
        start = time.monotonic()
        if batch.main(
            [
                "--zip",
                "--content",
                *contents,
                "--style",
                *styles,
                "--output",
                output,
                "--jobs",
                str(jobs),
                "--max-long-edge",
                str(asked.size),
                "--max-num-epochs",
                str(asked.epochs),
                "--stop-eps",
                "0",
                "--gpu",
                "-1",
                "--quiet",
            ]
        ):
            sys.exit(1)
        return time.monotonic() - start


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for flag, default in (("--pairs", 6), ("--size", 300), ("--epochs", 20), ("--turns", 3)):
        parser.add_argument(flag, type=int, default=default)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        for photograph in PHOTOGRAPHS:
            Image.fromarray(getattr(skimage.data, photograph)()).save(Path(name) / f"{photograph}.png")
        for _ in range(asked.turns):
            many, one = (seconds(jobs, asked, Path(name)) for jobs in (usable_cores(), 1))
            print(
                f"{usable_cores()} processes: {many:.1f} s, 1 process: {one:.1f} s, ratio {many / one:.2f}", flush=True
            )
