"""Two first pictures: one in seconds, by a network in one pass, and one in about a minute, by optimisation.

    python examples/first_run.py quick      # the one in seconds, which needs no weights
    python examples/first_run.py            # the other: of the original pair if it was fetched, otherwise of our own

The pictures of our own are a photograph that comes with scikit-image, and a painting by neural_style.painting.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from neural_style import nstyle
from neural_style.end_to_end import __main__ as end_to_end
from neural_style.pictures.images import save_picture
from neural_style.system import errors

INPUT, OUTPUT = Path("input"), Path("output")
ORIGINAL = INPUT / "IMG_4343.jpg", INPUT / "starry_night.jpg"
OWN = INPUT / "chelsea.png", INPUT / "glass.png"
# Large strokes first, at half the size; then enough epochs for the fine ones. Little weight on the content lets strokes
# flow.
FLAGS = [
    "--gpu",
    "-1",
    "--fast",
    "--seed",
    "0",
    "--size",
    "450",
    "--pyramid",
    "1",
    "--pyramid-epochs",
    "60",
    "--max-num-epochs",
    "40",
    "--content-weight",
    "10",
    "--report",
]


def make_own_pair():
    """A photograph that comes with scikit-image, and a painting by neural_style.painting."""
    import skimage.data

    from neural_style.painting import paint

    INPUT.mkdir(exist_ok=True)
    for path, make in zip(OWN, (skimage.data.chelsea, lambda: paint(subject="glass"))):
        if not path.exists():
            save_picture(make(), path)


def side_by_side(paths, height=300):
    """The pictures in one row, all at the same height."""
    pictures = [Image.open(path).convert("RGB") for path in paths]
    pictures = [
        picture.resize((round(picture.width * height / picture.height), height), Image.LANCZOS) for picture in pictures
    ]
    row = Image.new("RGB", (sum(picture.width for picture in pictures), height))
    left = 0
    for picture in pictures:
        row.paste(picture, (left, 0))
        left += picture.width
    return row


def quick():
    """Paint the photograph with a network that comes with the package."""
    make_own_pair()
    code = end_to_end.main(
        ["paint", str(OWN[0]), "--network", "night", "--output", str(OUTPUT / "quick"), "--overwrite", "--quiet"]
    )
    if code == 0:
        print(
            f"A picture in one pass: {OUTPUT / 'quick' / 'chelsea.jpg'}; now one by optimisation, in about a minute ..."
        )
    return code


def main():
    pair = ORIGINAL if all(path.exists() for path in ORIGINAL) else OWN
    if pair is OWN:
        make_own_pair()
    code = nstyle.main(FLAGS + ["--content-image", str(pair[0]), "--style-image", str(pair[1])])
    if code == 0:
        save_picture(np.asarray(side_by_side([*pair, OUTPUT / "final.jpg"])), OUTPUT / "side_by_side.jpg")
        print(
            f"Your picture: {OUTPUT / 'final.jpg'}; next to the two it was made from: {OUTPUT / 'side_by_side.jpg'}; "
            f"how it was made: {OUTPUT / 'report.html'}"
        )
    return code


if __name__ == "__main__":
    sys.exit(errors.run(quick if "quick" in sys.argv[1:] else main, "first_run"))
