"""The small pictures of the studio: what each recipe does, cut out of the contact sheet, and the paintings to try.

python examples/tiles.py            # a few minutes: two recipes are not on the sheet
"""

from pathlib import Path

from contact_sheet import CAPTION, COLUMNS, COMMON, FOLDER, HEIGHT, PICTURES, RUNS, WIDTH
from PIL import Image

from neural_style import nstyle
from neural_style.painting import SUBJECTS, paint
from neural_style.pictures.images import save_picture

TILES = Path("neural_style/studio/tiles")
SIZE = 216, 144
MORE = {"fast": "", "crowson": "--pyramid 2 --pyramid-epochs 120 60 --max-num-epochs 60 --precision auto"}


def save(picture, name):
    """Save a tile; it takes about 10 kB."""
    picture.convert("RGB").resize(SIZE, Image.LANCZOS).save(TILES / f"{name}.jpg", quality=78, optimize=True)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    sheet = Image.open("examples/contact_sheet.jpg")
    for number, run in enumerate(RUNS, 2):  # after the photograph and the painting
        if run.startswith("--recipe "):
            left, top = number % COLUMNS * (WIDTH + 10) + 5, number // COLUMNS * (HEIGHT + CAPTION) + 5
            save(sheet.crop((left, top, left + WIDTH, top + HEIGHT)), run.split()[1])
    for name in ("cat.png", "night.png"):
        save_picture(PICTURES[name](), FOLDER / name)
    words = COMMON.replace("cat.png", str(FOLDER / "cat.png")).split()
    words += ["--style-image", str(FOLDER / "night.png")]
    for name, flags in MORE.items():
        output = FOLDER / f"{name}.png"
        nstyle.main([*words, "--recipe", name, *flags.split(), "--output", str(output), "--overwrite"])
        save(Image.open(output), name)
    for subject in SUBJECTS:
        for seed in (0, 7):
            save(Image.fromarray(paint(400, 600, seed, subject)), f"{subject}-{seed}")


if __name__ == "__main__":
    main()
