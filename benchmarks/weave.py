"""What networks weave into pictures, and how bright and colourful these are beside optimised ones.

    python benchmarks/weave.py night glass
    python benchmarks/weave.py night --optimised night.png --content-weight 60 --keep optimised/
    python benchmarks/weave.py night.params --optimised night.png --graded night-graded.params

Weave is the power on the lines of 1/2 and 1/4 of a cycle per pixel over that beside them, the mean of both directions;
1 is none. With --optimised STYLE, three of the photographs are painted by --fast in that style, too, and --graded FILE
saves the network with its last layer mixed, so that brightness and saturation come near theirs: within 8 %.
"""

import argparse
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares

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


def mixed(own, saturation, brightness):
    """The network with the colours that enter its last tanh more or less grey, and lighter or darker."""
    mix = saturation * np.eye(3) + (1 - saturation) / 3
    last = {
        "arg:last_weight": np.tensordot(mix, own.arrays["arg:last_weight"], 1),
        "arg:last_bias": mix @ own.arrays["arg:last_bias"] + brightness,
    }
    return network.Network(own.about, {**own.arrays, **last}, own.name)


def graded(own, photographs, wanted):
    """The network mixed such that what it paints has nearly the mean brightness and saturation that are wanted."""

    def of(network):
        return np.mean([colours(shown(network.paint(photo))) for photo in photographs], 0)

    def off(mixing):
        return of(mixed(own, mixing[0], mixing[1] - 1)) - goal

    goal = np.clip(of(own), 0.92 * wanted, 1.08 * wanted)
    saturation, brightness = least_squares(off, (1.0, 1.0), diff_step=0.02, ftol=1e-3, xtol=1e-3).x
    return mixed(own, saturation, brightness - 1)


def shown(image):
    """The pixels of an image in the range of VGG."""
    return images.PostprocessImage(image).astype(float)


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
    parser.add_argument("--graded", metavar="FILE")
    parser.add_argument("--keep", type=Path, default="optimised", help="the folder for optimised pictures")
    args = parser.parse_args()
    paths = {Path(path).stem: path for path in packaged()}
    print("| | 1/2: red, green, blue | 1/4 | brightness | saturation |\n| --- | --- | --- | --- | --- |")
    photographs = {}
    for name in PHOTOGRAPHS:
        if name in paths:
            photographs[name] = images.PreprocessContentImage(read_picture(paths[name]), args.size, None)
    row(f"{len(photographs)} photographs", [*map(shown, photographs.values())])
    for name in args.networks:
        own = network.load(name)
        painted = {key: shown(own.paint(photo)) for key, photo in photographs.items()}
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
        if args.graded:
            wanted = np.mean([*map(colours, pictures)], 0)
            network.save(args.graded, graded(own, [photographs[key] for key in OPTIMISED], wanted))


if __name__ == "__main__":
    main()
