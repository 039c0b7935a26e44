"""How fast an epoch is and how much memory it takes, beside the original as MXNet ships it and beside PyTorch.

Whole commands too, beside another program for the same.

    python benchmarks/speed.py [--torch PYTHON] [--turns 7] [--output benchmarks/RESULTS.md]

What is measured goes into a file for this kind of machine in benchmarks/measured, and the tables in RESULTS.md are made
from all of these files. Every contestant is a process; they take turns, an epoch each, so that all run under the same
conditions. What counts are ratios of medians of one run. PYTHON is the interpreter of an environment with torch;
without it the table has no such row. Nothing else should run meanwhile.
"""

import argparse
import datetime
import json
import os
import re
import statistics
import string
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
TORCH = "torch"
WAYS = {"float32": ("float32", None), "fast32": ("fast32", None), "bf16": ("bf16", None), "tile": ("float32", 64)}
PLAIN = "fast32 without Numba"
ALL_SIZES = ("float32", "fast32", "bf16", TORCH)  # the others take part at the first size only
OF = {"reference": "of the original", TORCH: "of PyTorch", "float32": "of float32"}
PEER = "pastiche"  # another program for the same, by PyTorch, where the environment of --torch has it
BEGIN, END = "<!-- speed -->", "<!-- /speed -->"


class Contestant:
    """A process that paints an epoch for every line that it is sent."""

    def __init__(self, name, size, torch):
        program = [torch, HERE / "torch_peer.py"] if name == TORCH else [sys.executable, HERE / "contestants.py"]
        self.process = subprocess.Popen(
            [*map(str, program), name, size], text=True, cwd=HERE.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
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
        print(
            f"{size}, turn {turn}: " + ", ".join(f"{name} {seconds[-1]:.2f}" for name, seconds in times.items()),
            flush=True,
        )
    for contestant in contestants.values():
        contestant.end()
    return {
        name: (statistics.median(seconds[1:]), min(seconds[1:]), max(seconds[1:])) for name, seconds in times.items()
    }


def peak(name, size, torch, epochs=3):
    contestant = Contestant(name, size, torch)
    for _ in range(epochs):
        contestant.epoch()
    return contestant.end()


def estimated(size, precision, tile):
    """What the plan says before such a run, in MB."""
    from argparse import Namespace

    from contestants import pictures

    from neural_style.find_mxnet import mx
    from neural_style.objective import engines
    from neural_style.options.check import complete
    from neural_style.run import plan, setup

    width, height = map(int, size.split("x"))
    compared = pictures((height, width))
    args = complete(Namespace(precision=precision))
    model, terms = setup.model_and_terms(args, mx.cpu(), compared)
    factors = engines.choose(args, model, terms, tile).memory
    return plan.estimate(factors, model, terms, compared.sizes[0], compared.sizes[1:], tile=tile) / 1e6


def programs(python):
    """{name: command} of whole programs that paint content.png like style.png; the number of epochs comes last."""
    pictures = ["content.png", "style.png"]
    own = [
        sys.executable,
        "-m",
        "neural_style.nstyle",
        "--content-image",
        pictures[0],
        "--style-image",
        pictures[1],
        "--optimizer",
        "adam",
        "--lr",
        "10",
        "--max-long-edge",
        "600",
        "--stop-eps",
        "0",
        "--output",
        "own.png",
        "--overwrite",
        "--max-num-epochs",
    ]
    found = {"float32": own, "--precision auto": own[:3] + ["--precision", "auto"] + own[3:]}
    peer = python and Path(python).parent / PEER
    if peer and peer.exists():
        found[PEER] = [
            str(peer),
            "--content",
            pictures[0],
            "--styles",
            pictures[1],
            "--output",
            "peer.png",
            "--pooling",
            "avg",
            "--optimizer",
            "adam",
            "--size",
            "600",
            "--style-size",
            "600",
            "--random-init",
            "--no-verbose",
            "--num-steps",
        ]
    return found


def made_pictures(folder):
    """The paths of content.png and style.png, 600×400, which an installed package brings."""
    import skimage.data
    import skimage.io

    paths = [os.path.join(folder, f"{name}.png") for name in ("content", "style")]
    for path, picture in zip(paths, (skimage.data.rocket(), skimage.data.coffee())):
        skimage.io.imsave(path, picture[:400, :600])
    return paths


def race_of_programs(python, turns, epochs=10):
    """{name: (median seconds, fastest, slowest)} of whole commands, from Python's start to the saved picture."""
    with tempfile.TemporaryDirectory() as folder:
        made_pictures(folder)
        commands = programs(python)
        seconds = {name: [] for name in commands}
        for _ in range(turns):
            for name, command in commands.items():
                start = time.perf_counter()
                done = subprocess.run(
                    [*command, str(epochs)],
                    cwd=folder,
                    stdout=subprocess.DEVNULL,
                    text=True,
                    stderr=subprocess.PIPE,
                    env={**os.environ, "PYTHONPATH": str(HERE.parent)},
                )
                if done.returncode:
                    sys.exit(f"{name} failed: {done.stderr}")
                seconds[name].append(time.perf_counter() - start)
            print("programs: " + ", ".join(f"{name} {taken[-1]:.1f}" for name, taken in seconds.items()), flush=True)
    return {name: (statistics.median(taken), min(taken), max(taken)) for name, taken in seconds.items()}


def measure(args):
    """All that is measured on this machine: a dictionary that becomes a file."""
    from neural_style.objective.engines import fastest
    from neural_style.system import machine

    bf16 = ["bf16"] if fastest()[0] == "bf16" else []
    whole = race_of_programs(args.torch, args.turns)  # first: what can be missing there costs no races
    names = ["reference", "convolutions", "float32", PLAIN, "fast32", *bf16, "tile"] + [TORCH] * bool(args.torch)
    races = {
        size: race(
            [name for name in names if size in args.sizes[:1] or name in ALL_SIZES], size, args.turns, args.torch
        )
        for size in args.sizes
    }
    kinds = ["float32", "fast32", *bf16, "tile"]
    peaks = {
        size: {
            **{name: (peak(name, size, args.torch), estimated(size, *WAYS[name])) for name in kinds},
            **({TORCH: (peak(TORCH, size, args.torch),)} if args.torch else {}),
        }
        for size in args.memory
    }
    return {
        "date": str(datetime.date.today()),
        "kind": kind_of_processor(),
        "machine": machine.describe(),
        "versions": machine.versions(),
        "epochs": races,
        "commands of ten epochs of Adam": {"600x400": whole},
        "peaks": peaks,
    }


def kind_of_processor():
    """The processor's name and what decides how fast it is here, such as "AMD EPYC with AVX512F, AVX512_BF16"."""
    from neural_style.doctor import INSTRUCTIONS
    from neural_style.system import machine

    has = [one for one in INSTRUCTIONS if one.lower() in machine.instructions()]
    return f"{machine.processor()} with {', '.join(has) or 'none of ' + ', '.join(INSTRUCTIONS)}"


def slug(text):
    """The text as part of a file name."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def tables(machines):
    """The tables of RESULTS.md: a column for each machine."""
    lines = [
        f"- **{letter}**: {one['kind']}, {one['machine'].get('processors')} processors, {one['date']}; "
        + ", ".join(f"{name} {version}" for name, version in one["versions"].items() if version)
        for letter, one in machines.items()
    ]
    for title, races, others in (
        ("seconds an epoch", "epochs", ("reference", TORCH, "float32")),
        ("whole command, ten epochs of Adam, seconds", "commands of ten epochs of Adam", ("float32",)),
    ):
        of = " / ".join(OF[other] for other in others)
        lines += [
            "",
            f"| picture | {title} | " + " | ".join(f"{letter} | {of}" for letter in machines) + " |",
            "| --- |" + " --- |" * (1 + 2 * len(machines)),
        ]
        for size, name in rows_of([one[races] for one in machines.values()]):
            cells = [cell for one in machines.values() for cell in race_cells(one[races].get(size, {}), name, others)]
            lines.append(f"| {size} | {name} | {' | '.join(cells)} |")
    lines += [
        "",
        f"| picture | peak in MB (estimated before) | {' | '.join(machines)} |",
        "| --- | --- |" + " --- |" * len(machines),
    ]
    for size, name in rows_of([one["peaks"] for one in machines.values()]):
        peaks = [one["peaks"].get(size, {}).get(name) for one in machines.values()]
        lines.append(f"| {size} | {name} | {' | '.join(peak_cell(found) for found in peaks)} |")
    return lines


def rows_of(measured):
    """(size, name) of all that was measured on any machine, in order."""
    return list(dict.fromkeys((size, name) for one in measured for size, names in one.items() for name in names))


def race_cells(medians, name, others):
    """Median, fastest and slowest, and the ratios to others of the same race."""
    if name not in medians:
        return ["", ""]
    median, fastest, slowest = medians[name]
    ratios = [f"{median / medians[other][0]:.2f}" if other in medians else "–" for other in others]
    return [f"{median:.2f} ({fastest:.2f}–{slowest:.2f})", " / ".join(ratios)]


def peak_cell(found):
    if not found:
        return ""
    return f"{found[0]:.0f}" + (f" ({found[1]:.0f})" if found[1:] else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--torch", help="the Python of an environment with torch")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--sizes", nargs="*", default=["600x400", "1200x800"])
    parser.add_argument("--memory", nargs="*", default=["300x200", "600x400", "1200x800", "2400x1600"])
    parser.add_argument(
        "--measured", type=Path, default=HERE / "measured", help="the folder with a file for each machine"
    )
    parser.add_argument("--output", type=Path, default=HERE / "RESULTS.md")
    parser.add_argument("--tables", action="store_true", help="measure nothing; write the tables of what was measured")
    args = parser.parse_args()
    print(kind_of_processor(), flush=True)
    if not args.tables:
        args.measured.mkdir(exist_ok=True)
        measured = measure(args)
        (args.measured / f"{slug(kind_of_processor())}.json").write_text(json.dumps(measured, indent=1) + "\n")
    files = sorted(path for path in args.measured.glob("*.json") if not path.stem.endswith("-descent"))
    machines = {string.ascii_uppercase[i]: json.loads(file.read_text()) for i, file in enumerate(files)}
    text = args.output.read_text(encoding="utf-8") if args.output.exists() else f"{BEGIN}{END}\n"
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    args.output.write_text(before + "\n".join([BEGIN, "", *tables(machines), "", END]) + after, encoding="utf-8")


if __name__ == "__main__":
    main()
