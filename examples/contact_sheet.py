"""Every recipe on the same freely usable pictures, each with its command below: examples/contact_sheet.jpg.

python examples/contact_sheet.py            # about 35 minutes on two cores; finished pictures are kept
python examples/contact_sheet.py --max-long-edge 64 --max-num-epochs 2      # these flags override every run's own
"""

import shlex
import sys
import textwrap
from pathlib import Path

import skimage.data
from PIL import Image, ImageDraw, ImageFont

from neural_style import nstyle
from neural_style.painting import paint
from neural_style.pictures.images import save_picture

FOLDER = Path("output/contact_sheet")
PICTURES = {"cat.png": skimage.data.chelsea, "night.png": paint, "night2.png": lambda: paint(seed=7)}
COMMON = "--content-image cat.png --max-long-edge 300 --seed 0"
RUNS = (
    "--recipe reference --style-image night.png --max-num-epochs 250",
    "--recipe reference-2016 --style-image night.png --max-num-epochs 250",
    "--recipe gatys --style-image night.png --content-weight 1e-5 --max-num-epochs 200",
    "--recipe gluon --style-image night.png --content-weight 1 --max-num-epochs 250",
    "--recipe gluon-tv --style-image night.png --content-weight 1 --tv-weight 1e7 --max-num-epochs 250",
    "--recipe fastai --style-image night.png --content-weight 1e13 --max-num-epochs 150",
    "--recipe athalye --style-image night.png night2.png --style-blend-weights 3 1 --style-scales 1 0.5 "
    "--max-num-epochs 250",
    "--recipe content-only --content-layers relu3_1 --max-num-epochs 100",
    "--recipe style-only --style-image night.png --max-num-epochs 120",
    "--recipe mrf --style-image night.png",
    "--recipe mrf-synthesis --style-image night.png --style-scales 1",
    "--optimizer lbfgs --style-image night.png --preserve-colors luma --max-num-epochs 120",
    "--optimizer lbfgs --style-image night.png --preserve-colors match --max-num-epochs 120",
)
WIDTH, HEIGHT, CAPTION, COLUMNS = 300, 199, 66, 4


def picture_of(run, extra):
    """Run one command, unless its picture already exists, and return the picture's path."""
    path = FOLDER / f"{RUNS.index(run):02}.png"
    if not path.exists():
        words = [str(FOLDER / word) if word in PICTURES else word for word in shlex.split(f"{COMMON} {run}")]
        code = nstyle.main(
            words
            + [
                "--gpu",
                "-1",
                "--print-iterations",
                "50",
                "--output",
                str(path),
                "--checkpoint-output",
                str(FOLDER / "checkpoint%s.jpg"),
                "--overwrite",
            ]
            + extra
        )
        if code:
            sys.exit(code)
    return path


def sheet(cells):
    """The pictures in rows, each above its caption; cells are (path, caption)."""
    rows = -(-len(cells) // COLUMNS)
    page = Image.new("RGB", (COLUMNS * (WIDTH + 10), rows * (HEIGHT + CAPTION)), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default()
    for i, (path, caption) in enumerate(cells):
        left, top = i % COLUMNS * (WIDTH + 10) + 5, i // COLUMNS * (HEIGHT + CAPTION) + 5
        page.paste(Image.open(path).convert("RGB").resize((WIDTH, HEIGHT), Image.LANCZOS), (left, top))
        draw.text(
            (left, top + HEIGHT + 2), "\n".join(textwrap.wrap(caption, 50, break_on_hyphens=False)), "black", font
        )
    return page


def main(extra):
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, make in PICTURES.items():
        if not (FOLDER / name).exists():
            save_picture(make(), FOLDER / name)
    originals = [(FOLDER / name, f"{name}, with all of: {COMMON}" if name == "cat.png" else name) for name in PICTURES]
    page = sheet(originals[:2] + [(picture_of(run, extra), run) for run in RUNS] + originals[2:])
    page.save(Path("examples/contact_sheet.jpg") if not extra else FOLDER / "sheet.jpg", quality=88)


if __name__ == "__main__":
    main(sys.argv[1:])
