"""The small pictures of the studio: what each recipe does, as on the contact sheet, and the paintings to try.

python examples/tiles.py            # after examples/contact_sheet.py
"""

from pathlib import Path

from contact_sheet import RUNS, file_of
from PIL import Image

from neural_style import recipes
from neural_style.painting import SUBJECTS, paint

TILES = Path("neural_style/studio/tiles")
SIZE = 216, 144


def save(picture, name):
    """Save a tile; it takes about 10 kB."""
    picture.convert("RGB").resize(SIZE, Image.LANCZOS).save(TILES / f"{name}.jpg", quality=78, optimize=True)


def main():
    for caption in RUNS:
        name = file_of(caption).stem
        if name in recipes.names() and file_of(caption).exists():
            save(Image.open(file_of(caption)), name)
    for subject in SUBJECTS:
        save(Image.fromarray(paint(400, 600, subject=subject)), subject)


if __name__ == "__main__":
    main()
