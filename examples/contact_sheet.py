"""Every recipe on the same freely usable pictures: examples/contact_sheet.jpg.

python examples/contact_sheet.py            # about half an hour on two cores; finished pictures are kept
python examples/contact_sheet.py --max-long-edge 64 --max-num-epochs 2      # these flags override every run's own

Each picture is made by its recipe, mostly with fewer epochs, and where the recipe was made for another network, with
the weights that docs/recipes.md gives.
"""

import sys
from pathlib import Path

import skimage.data
from PIL import Image, ImageDraw, ImageFont, ImageOps

from neural_style import nstyle
from neural_style.painting import paint
from neural_style.pictures.images import save_picture

FOLDER = Path("output/contact_sheet")
PICTURES = {"cat.png": skimage.data.chelsea, "night.png": paint, "night2.png": lambda: paint(seed=7)}
COMMON = f"--content-image {FOLDER}/cat.png --max-long-edge 300 --seed 0 "
STYLED = f"{COMMON} --style-image {FOLDER}/night.png "
RUNS = {  # what stands below a picture, and how it is made; the last word before a comma is the picture's name
    "reference": STYLED + "--recipe reference --max-num-epochs 250",
    "reference-2016": STYLED + "--recipe reference-2016 --max-num-epochs 250",
    "fast": STYLED + "--recipe fast",
    "best": STYLED + "--recipe best --pyramid-epochs 40 30 --max-num-epochs 25",
    "gatys": STYLED + "--recipe gatys --content-weight 1e-5 --max-num-epochs 200",
    "gluon": STYLED + "--recipe gluon --content-weight 1 --max-num-epochs 250",
    "gluon-tv": STYLED + "--recipe gluon-tv --content-weight 1 --tv-weight 1e7 --max-num-epochs 250",
    "fastai": STYLED + "--recipe fastai --content-weight 1e13 --max-num-epochs 150",
    "athalye, with both paintings": COMMON + f"--recipe athalye --style-image {FOLDER}/night.png {FOLDER}/night2.png "
    "--style-blend-weights 3 1 --style-scales 1 0.5 --max-num-epochs 250",
    "crowson": STYLED + "--recipe crowson --pyramid 2 --pyramid-epochs 120 60 --max-num-epochs 60 --precision auto",
    "content-only": COMMON + "--recipe content-only --content-layers relu3_1 --max-num-epochs 100",
    "style-only": STYLED + "--recipe style-only --max-num-epochs 120",
    "mrf": STYLED + "--recipe mrf",
    "mrf-synthesis": STYLED + "--recipe mrf-synthesis --style-scales 1",
    "--preserve-colors luma": STYLED + "--optimizer lbfgs --preserve-colors luma --max-num-epochs 120",
    "--preserve-colors match": STYLED + "--optimizer lbfgs --preserve-colors match --max-num-epochs 120",
}
WIDTH, HEIGHT, CAPTION, COLUMNS = 300, 199, 26, 4


def file_of(caption):
    """The file of the picture above a caption."""
    return FOLDER / f"{caption.split(',')[0].split()[-1]}.png"


def made(path, words):
    """The path of a picture, which is made with these words unless it is there."""
    if not path.exists():
        more = (
            f"--gpu -1 --print-iterations 50 --checkpoint-output {FOLDER}/checkpoint%s.jpg --overwrite --output {path}"
        )
        if nstyle.main([*words, *more.split()]):
            sys.exit(1)
    return path


def sheet(cells, columns=COLUMNS, size=(WIDTH, HEIGHT)):
    """The pictures in rows, each above its caption; cells are (path, caption)."""
    (width, height), rows = size, -(-len(cells) // columns)
    page = Image.new("RGB", (columns * (width + 10), rows * (height + CAPTION)), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default()
    for i, (path, caption) in enumerate(cells):
        left, top = i % columns * (width + 10) + 5, i // columns * (height + CAPTION) + 5
        page.paste(ImageOps.contain(Image.open(path).convert("RGB"), size, Image.LANCZOS), (left, top))
        draw.text((left, top + height + 2), caption, "black", font)
    return page


def main(extra):
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, make in PICTURES.items():
        if not (FOLDER / name).exists():
            save_picture(make(), FOLDER / name)
    runs = [(made(file_of(name), [*flags.split(), *extra]), name) for name, flags in RUNS.items()]
    cells = [(FOLDER / "cat.png", "the photograph"), (FOLDER / "night.png", "the painting"), *runs]
    page = sheet([*cells, (FOLDER / "night2.png", "the second painting")])
    page.save(Path("examples/contact_sheet.jpg") if not extra else FOLDER / "sheet.jpg", quality=88)


if __name__ == "__main__":
    main(sys.argv[1:])
