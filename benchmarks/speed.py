"""How fast an epoch is and how much memory it takes, beside the original as MXNet ships it and beside PyTorch.

Whole commands too, beside another program for the same.

    python benchmarks/speed.py [--torch PYTHON] [--turns 7] [--output benchmarks/RESULTS.md]

Every contestant is a process; they take turns, an epoch each, so that all run under the same conditions. What
counts are ratios of medians of one run. PYTHON is the interpreter of an environment with torch; without it the table
has no such row. Nothing else should run meanwhile.
"""
import argparse
import datetime
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
TORCH = "torch"
WAYS = {"float32": ("float32", None), "fast32": ("fast32", None), "bf16": ("bf16", None), "tile": ("float32", 64)}
ALL_SIZES = ("float32", "fast32", "bf16", TORCH)        # the others take part at the first size only
PEER = "pastiche"       # another program for the same, by PyTorch, where the environment of --torch has it
BEGIN, END = "<!-- speed -->", "<!-- /speed -->"


class Contestant:
    """A process that paints an epoch for every line that it is sent."""

    def __init__(self, name, size, torch):
        program = [torch, HERE / "torch_peer.py"] if name == TORCH else [sys.executable, HERE / "contestants.py"]
        self.process = subprocess.Popen([*map(str, program), name, size], text=True, cwd=HERE.parent,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.read()

    def read(self):
        line = self.process.stdout.readline().strip()
        if not line:
            sys.exit("a contestant ended early; what it said stands above")
        return line

    def epoch(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.read())

    def end(self):
        """The most memory, in MB, that the process had."""
        self.process.stdin.close()
        peak = float(self.read())
        self.process.wait()
        return peak


def race(names, size, turns, torch):
    """{name: (median seconds of an epoch, the fastest, the slowest)}; the first epoch of each does not count."""
    contestants = {name: Contestant(name, size, torch) for name in names}
    times = {name: [] for name in names}
    for turn in range(turns + 1):
        for name, contestant in contestants.items():
            times[name].append(contestant.epoch())
        print(f"{size}, turn {turn}: " + ", ".join(f"{name} {seconds[-1]:.2f}" for name, seconds in times.items()),
              flush=True)
    for contestant in contestants.values():
        contestant.end()
    return {name: (statistics.median(seconds[1:]), min(seconds[1:]), max(seconds[1:]))
            for name, seconds in times.items()}


def peak(name, size, torch, epochs=3):
    contestant = Contestant(name, size, torch)
    for _ in range(epochs):
        contestant.epoch()
    return contestant.end()


def estimated(size, precision, tile):
    """What the plan says before such a run, in MB."""
    from argparse import Namespace

    import numpy as np

    from neural_style.find_mxnet import mx
    from neural_style.options.check import complete
    from neural_style.run import plan, setup
    width, height = map(int, size.split("x"))
    picture = np.zeros((1, 3, height, width))
    pictures = setup.Pictures(picture, [picture], [1.0])
    model, terms = setup.model_and_terms(complete(Namespace()), mx.cpu(), pictures)
    return plan.estimate(model, terms, pictures.sizes[0], pictures.sizes[1:], precision=precision, tile=tile) / 1e6


def programs(python):
    """{name: command} of whole programs that paint content.png like style.png; the number of epochs comes last."""
    pictures = ["content.png", "style.png"]
    own = [sys.executable, "-m", "neural_style.nstyle", "--content-image", pictures[0], "--style-image", pictures[1],
           "--optimizer", "adam", "--lr", "10", "--max-long-edge", "600", "--stop-eps", "0", "--output", "own.png", "--overwrite",
           "--max-num-epochs"]
    found = {"float32": own, "--precision auto": own[:3] + ["--precision", "auto"] + own[3:]}
    peer = python and Path(python).parent / PEER
    if peer and peer.exists():
        found[PEER] = [str(peer), "--content", pictures[0], "--styles", pictures[1], "--output", "peer.png", "--pooling",
                       "avg", "--optimizer", "adam", "--size", "600", "--style-size", "600", "--random-init", "--no-verbose",
                       "--num-steps"]
    return found


def program_table(python, turns, epochs=10):
    """Whole commands, from the start of Python to the saved picture."""
    import skimage.data
    import skimage.io
    with tempfile.TemporaryDirectory() as folder:
        for name, picture in (("content", skimage.data.rocket()), ("style", skimage.data.coffee())):
            skimage.io.imsave(Path(folder, f"{name}.png"), picture[:400, :600])
        commands = programs(python)
        seconds = {name: [] for name in commands}
        for _ in range(turns):
            for name, command in commands.items():
                start = time.perf_counter()
                done = subprocess.run([*command, str(epochs)], cwd=folder, stdout=subprocess.DEVNULL, text=True,
                                      stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(HERE.parent)})
                if done.returncode:
                    sys.exit(f"{name} failed: {done.stderr}")
                seconds[name].append(time.perf_counter() - start)
            print("programs: " + ", ".join(f"{name} {taken[-1]:.1f}" for name, taken in seconds.items()), flush=True)
    first = statistics.median(seconds["float32"])
    return [f"| whole command, {epochs} epochs of Adam | seconds (fastest–slowest) | of float32 |", "| --- | --- | --- |"] + [
        f"| {name} | {statistics.median(taken):.1f} ({min(taken):.1f}–{max(taken):.1f}) | {statistics.median(taken) / first:.2f} |"
        for name, taken in seconds.items()]


def speed_table(results):
    rows = ["| picture | | seconds an epoch (fastest–slowest) | of the original | of PyTorch | of float32 |",
            "| --- | --- | --- | --- | --- | --- |"]
    for size, medians in results.items():
        for name, (median, fastest, slowest) in medians.items():
            ratios = [f"{median / medians[other][0]:.2f}" if other in medians else ""
                      for other in ("reference", "torch", "float32")]
            rows.append(f"| {size} | {name} | {median:.2f} ({fastest:.2f}–{slowest:.2f}) | {' | '.join(ratios)} |")
    return rows


def memory_table(sizes, names, torch):
    """Peaks, each with the estimate of it in brackets."""
    rows = [f"| picture | {' | '.join(names)} | PyTorch |", "| --- |" + " --- |" * (len(names) + 1)]
    for size in sizes:
        cells = [f"{peak(name, size, torch):.0f} ({estimated(size, *WAYS[name]):.0f})" for name in names]
        rows.append(f"| {size} | {' | '.join(cells)} | {f'{peak(TORCH, size, torch):.0f}' if torch else ''} |")
        print(rows[-1], flush=True)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--torch", help="the Python of an environment with torch")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--sizes", nargs="*", default=["600x400", "1200x800"])
    parser.add_argument("--memory", nargs="*", default=["300x200", "600x400", "1200x800", "2400x1600"])
    parser.add_argument("--output", type=Path, default=HERE / "RESULTS.md")
    args = parser.parse_args()
    from neural_style.system import machine
    bf16 = ["bf16"] if machine.precision("auto") == "bf16" else []
    whole = program_table(args.torch, args.turns)       # first: what can be missing there costs no races
    names = ["reference", "convolutions", "float32", "fast32", *bf16, "tile"] + ([TORCH] if args.torch else [])
    results = {size: race(names if size in args.sizes[:1] else [name for name in names if name in ALL_SIZES],
                          size, args.turns, args.torch) for size in args.sizes}
    lines = [BEGIN, "", f"{datetime.date.today()}. " + "; ".join(
        [f"{name}: {value}" for name, value in machine.describe().items()]
        + [f"{name} {version}" for name, version in machine.versions().items() if version]) + ".", ""]
    lines += speed_table(results) + ["", *whole, "", "Peak memory of the whole process, in MB, and in brackets what was estimated before (`tile` is `--tile 64`):", ""]
    lines += memory_table(args.memory, ["float32", "fast32", *bf16, "tile"], args.torch) + ["", END]
    text = args.output.read_text(encoding="utf-8") if args.output.exists() else f"{BEGIN}{END}\n"
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    args.output.write_text(before + "\n".join(lines) + after, encoding="utf-8")


if __name__ == "__main__":
    main()
