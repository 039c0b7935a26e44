"""How fast an epoch is and how much memory it takes, beside the original as MXNet ships it and beside PyTorch.

    python benchmarks/speed.py [--torch PYTHON] [--turns 7] [--output benchmarks/RESULTS.md]

Every contestant is a process; they take turns, an epoch each, so that all see the machine in the same moods. What
counts are ratios of medians of one run. PYTHON is the interpreter of an environment with torch; without it the table
has no such row. Nothing else should run meanwhile.
"""
import argparse
import datetime
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
ALL_SIZES = ("float32", "bf16", "torch")      # the others take part at the first size only
BEGIN, END = "<!-- speed -->", "<!-- /speed -->"


class Contestant:
    """A process that paints an epoch for every line that it is sent."""

    def __init__(self, name, size, torch):
        program = [torch, HERE / "torch_peer.py"] if name == "torch" else [sys.executable, HERE / "contestants.py"]
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


def estimated(size, tile):
    """What the plan says before such a run, in MB."""
    from neural_style import find_model, plan
    from neural_style.find_mxnet import mx
    from neural_style.objective import Term
    model = find_model.Model("vgg19", mx.cpu())
    terms = [Term("style", layer, 1, None) for layer in model.style_layers] + [
        Term("content", layer, 1, None) for layer in model.content_layers]
    width, height = map(int, size.split("x"))
    return plan.estimate(model, terms, (height, width), [(height, width)], tile=tile) / 1e6


def speed_table(results):
    rows = ["| picture | | seconds an epoch (fastest–slowest) | of the original | of PyTorch | of float32 |",
            "| --- | --- | --- | --- | --- | --- |"]
    for size, medians in results.items():
        for name, (median, fastest, slowest) in medians.items():
            ratios = [f"{median / medians[other][0]:.2f}" if other in medians else ""
                      for other in ("reference", "torch", "float32")]
            rows.append(f"| {size} | {name} | {median:.2f} ({fastest:.2f}–{slowest:.2f}) | {' | '.join(ratios)} |")
    return rows


def memory_table(sizes, torch):
    rows = ["| picture | PyTorch | whole | estimate | in strips (`--tile 128`) | estimate |",
            "| --- | --- | --- | --- | --- | --- |"]
    for size in sizes:
        cells = [f"{peak('torch', size, torch):.0f}" if torch else ""]
        for name, tile in (("float32", None), ("tile", 128)):
            cells += [f"{peak(name, size, torch):.0f}", f"{estimated(size, tile):.0f}"]
        rows.append(f"| {size} | {' | '.join(cells)} |")
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
    from neural_style import machine
    bf16 = ["bf16"] if machine.precision("auto") == "bfloat16" else []
    names = ["reference", "convolutions", "float32", *bf16, "tile"] + (["torch"] if args.torch else [])
    results = {size: race(names if size in args.sizes[:1] else [name for name in names if name in ALL_SIZES],
                          size, args.turns, args.torch) for size in args.sizes}
    lines = [BEGIN, "", f"{datetime.date.today()}. " + "; ".join(
        [f"{name}: {value}" for name, value in machine.describe().items()]
        + [f"{name} {version}" for name, version in machine.versions().items() if version]) + ".", ""]
    lines += speed_table(results) + ["", "Peak memory of the whole process, in MB:", ""]
    lines += memory_table(args.memory, args.torch) + ["", END]
    text = args.output.read_text(encoding="utf-8") if args.output.exists() else f"{BEGIN}{END}\n"
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    args.output.write_text(before + "\n".join(lines) + after, encoding="utf-8")


if __name__ == "__main__":
    main()
