"""What networks weave into pictures, and how bright and colourful these are beside optimised ones.

    python benchmarks/weave.py night glass
    python benchmarks/weave.py night --optimised night.png --content-weight 60 --keep optimised/

Weave is the power on the lines of 1/2 and 1/4 of a cycle per pixel over that beside them, the mean of both directions;
1 is none. With --optimised STYLE, three of the photographs are painted by --fast in that style, too.
"""

import argparse
from pathlib import Path

import numpy as np

from neural_style import nstyle
from neural_style.end_to_end import network
from neural_style.end_to_end.photographs import packaged
from neural_style.pictures import images
from neural_style.pictures.read import read_picture

OPTIMISED = "chelsea", "coffee", "astronaut"
PHOTOGRAPHS = (*OPTIMISED, *"rocket motorcycle_left grace_hopper retina ihc camera coins".split())


def weave(pixels, every):
    """Of each channel of (H, W, 3): the power on the lines of 1 / every cycles per pixel over that beside them."""
    height, width = (side // 4 * 4 for side in pixels.shape[:2])
    pixels = pixels[:height, :width] - pixels.mean((0, 1))
    power = (
        np.abs(np.fft.fft2(pixels * np.hanning(width)[:, None] * np.hanning(height)[:, None, None], axes=(0, 1))) ** 2
    )
    found = []
    for lines in (power, power.swapaxes(0, 1)):
        line, count = len(lines) // every, len(lines)
        near, beside = ([(line + sign * n) % count for n in some for sign in (1, -1)] for some in ((0, 1), range(4, 9)))
        found.append(lines[near].mean((0, 1)) / lines[beside].mean((0, 1)))
    return np.mean(found, 0)


def colours(pixels):
    """The mean brightness, and the mean difference between the strongest and the weakest channel."""
    return pixels.mean(), np.ptp(pixels, -1).mean()


def row(name, pictures):
    """Print the means over pictures, and the largest weave."""
    woven = [np.array([weave(picture, every) for picture in pictures]) for every in (2, 4)]
    means = "".join(f" | {' '.join(f'{x:.2f}' for x in some.mean(0))} (≤ {some.max():.2f})" for some in woven)
    print(f"| {name}{means} | {' | '.join(f'{x:.0f}' for x in np.mean([*map(colours, pictures)], 0))} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="+")
    parser.add_argument("--size", type=int, default=480)
    parser.add_argument("--optimised", metavar="STYLE")
    parser.add_argument("--content-weight", default="60")
    parser.add_argument("--keep", type=Path, default="optimised", help="the folder for optimised pictures")
    args = parser.parse_args()
    paths = {Path(path).stem: path for path in packaged()}
    print("| | 1/2: red, green, blue | 1/4 | brightness | saturation |\n| --- | --- | --- | --- | --- |")
    photographs = {}
    for name in PHOTOGRAPHS:
        if name in paths:
            photographs[name] = images.PreprocessContentImage(read_picture(paths[name]), args.size, None)
    shown = {name: images.PostprocessImage(photo).astype(float) for name, photo in photographs.items()}
    row(f"{len(shown)} photographs", shown.values())
    for name in args.networks:
        own = network.load(name)
        painted = {key: images.PostprocessImage(own.paint(photo)).astype(float) for key, photo in photographs.items()}
        row(name, painted.values())
        row(f"{name}, {len(OPTIMISED)} of them", [painted[key] for key in OPTIMISED])
    if args.optimised:
        args.keep.mkdir(exist_ok=True)
        pictures = []
        for name in OPTIMISED:
            output = args.keep / f"{Path(args.optimised).stem}-{args.content_weight}-{name}.png"
            if not output.exists():
                words = ["--style-image", args.optimised, "--content-weight", args.content_weight, "--fit", "edge"]
                words += ["--size", str(args.size), "--output", str(output), "--quiet"]
                nstyle.main([paths[name], "--fast", *words])
            pictures.append(read_picture(output).pixels.astype(float))
        row("optimised, these", pictures)


if __name__ == "__main__":
    main()
