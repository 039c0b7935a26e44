"""How much a painted film flickers: frames painted as a sequence against frames painted each for itself.

    python benchmarks/flicker.py --size 240 --frames 12 --epochs 60

The film is a crop that moves over a photograph that comes with scikit-image. The measure is the mean difference between
neighbouring frames, 0 to 255, after the second is shifted back to where the first was.
"""
import argparse
import contextlib
import io
import sys
import tempfile
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image

from neural_style.painting import __main__ as painting
from neural_style.batch import __main__ as batch

DOWN, RIGHT = 1, 2      # pixels that the crop moves from frame to frame


def film(folder, size, count):
    """Write the frames, size pixels wide and 2/3 as high, and return their paths."""
    height = size * 2 // 3
    photograph = Image.fromarray(skimage.data.chelsea())
    width = max(size + RIGHT * count, int((height + DOWN * count) * photograph.width / photograph.height) + 1)
    photograph = photograph.resize((width, int(width * photograph.height / photograph.width) + 1), Image.LANCZOS)
    paths = []
    for number in range(count):
        left, top = number * RIGHT, number * DOWN
        paths.append(folder / f"{number + 1}.png")
        photograph.crop((left, top, left + size, top + height)).save(paths[-1])
    return paths


def flicker(paths):
    """The mean difference between neighbouring frames after shifting back."""
    frames = [np.asarray(Image.open(path)).astype(float) for path in paths]
    return np.mean([np.abs(one[DOWN:, RIGHT:] - two[:-DOWN, :-RIGHT]).mean() for one, two in zip(frames, frames[1:])])


def measure(size=240, count=12, flags=(), folder=None):
    """{"each for itself": flicker, "as a sequence": flicker}, with flags of a batch for both."""
    with contextlib.ExitStack() as stack:
        folder = Path(folder or stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "frames").mkdir(parents=True, exist_ok=True)
        frames, style = film(folder / "frames", size, count), folder / "painting.png"
        with contextlib.redirect_stdout(io.StringIO()):
            painting.main([str(style)])
        result = {}
        for name, how in (("as a sequence", ["--sequence"]), ("each for itself", [])):
            output = folder / name.replace(" ", "-")
            if batch.main(["--content", str(folder / "frames"), "--style", str(style), "--output", str(output),
                           "--format", "png", "--seed", "1", "--max-long-edge", str(size), *how, *flags]):
                sys.exit(1)
            result[name] = flicker([output / f"{frame.stem}-painting.png" for frame in frames])
        return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Other flags, after --, go to the batch.")
    parser.add_argument("--size", type=int, default=240)
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--folder", help="keep the pictures there")
    parser.add_argument("flags", nargs="*")
    asked = parser.parse_args()
    flags = ["--max-num-epochs", str(asked.epochs), "--stop-eps", "0", "--gpu", "-1", *asked.flags]
    for name, value in measure(asked.size, asked.frames, flags, asked.folder).items():
        print(f"{name}: {value:.2f}")
