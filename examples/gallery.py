"""Six recipes on pairs of freely usable pictures: examples/gallery.jpg, with the seconds and the memory of each recipe.

python examples/gallery.py                  # about an hour on one processor with AMX; finished pictures are kept
python examples/gallery.py --size 128 --max-num-epochs 2 --pyramid-epochs 2    # these flags override every run's own

The pictures are small, so each recipe but `fast` has fewer epochs than its own. The town and van Gogh's night come with
download.sh, everything else with scikit-image or from neural_style.painting.
"""

import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import skimage.data
from contact_sheet import sheet

from neural_style.painting import paint
from neural_style.pictures.images import save_picture

FOLDER, CELL = Path("output/gallery"), (230, 172)
PICTURES = {
    "cat": skimage.data.chelsea,
    "portrait": skimage.data.astronaut,
    "rocket": skimage.data.rocket,
    "cup": skimage.data.coffee,
    "camera": skimage.data.camera,
    "motorcycle": lambda: skimage.data.stereo_motorcycle()[0],
    "tissue": skimage.data.immunohistochemistry,
    "retina": skimage.data.retina,
    "page": skimage.data.page,
    **{subject: partial(paint, subject=subject) for subject in ("night", "glass", "mosaic", "woodcut")},
    "night2": partial(paint, seed=7),
}
FETCHED = {"town": "input/IMG_4343.jpg", "starry": "input/starry_night.jpg"}
PAIRS = (  # photographs and paintings; the first six are shown
    ("town", "starry"), ("portrait", "glass"), ("cat", "mosaic"), ("motorcycle", "night"), ("camera", "woodcut"),
    ("cup", "tissue"), ("rocket", "starry"), ("town", "mosaic"), ("portrait", "night2"), ("cat", "woodcut"),
    ("motorcycle", "retina"), ("rocket", "page"),
)  # fmt: skip
COMMON = "--size 240 --seed 0 --gpu -1 --quiet --overwrite --save-epochs 10000"
RECIPES = {
    "best": "--pyramid 1 --pyramid-epochs 80 --max-num-epochs 60",
    "reference": "--precision auto --max-num-epochs 250",
    "fast": "",
    "gatys": "--precision auto --content-weight 1e-5 --max-num-epochs 150",
    "mrf": "--precision auto",
    "crowson": "--precision auto --pyramid 2 --pyramid-epochs 100 50 --max-num-epochs 50",
}


def file_of(name):
    """The file of a photograph or painting, which is made unless it is there."""
    path = Path(FETCHED.get(name, FOLDER / f"{name}.png"))
    if name in PICTURES and not path.exists():
        save_picture(PICTURES[name](), path)
    return path


def run(pair, recipe, extra):
    """The path of the picture of a pair by a recipe, and what making it cost; it is not made again."""
    path = FOLDER / f"{'-'.join(pair)}-{recipe}.png"
    if not path.exists():
        photo, painting = map(str, map(file_of, pair))
        words = ["--recipe", recipe, *RECIPES[recipe].split(), *COMMON.split(), "--output", str(path), *extra]
        start = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-m", "neural_style", photo, painting, *words])
        _, status, used = os.wait4(process.pid, 0)
        if status:
            sys.exit(1)
        cost = used.ru_utime + used.ru_stime, time.perf_counter() - start, used.ru_maxrss / 2**20
        print("{}: {:.0f} s of one processor, {:.0f} s, {:.2f} GB".format(path.stem, *cost), flush=True)
    return path


def main(extra):
    FOLDER.mkdir(parents=True, exist_ok=True)
    for recipe in RECIPES:  # one recipe after the other, so that all pairs by the first can be looked at early
        for pair in PAIRS:
            run(pair, recipe, extra)
    for pairs, path in ((PAIRS[:6], Path("examples/gallery.jpg")), (PAIRS, FOLDER / "all.jpg")):
        cells = []
        for pair in pairs:
            cells += [(file_of(name), name) for name in pair]
            cells += [(run(pair, recipe, extra), recipe) for recipe in RECIPES]
        sheet(cells, 2 + len(RECIPES), CELL).save(FOLDER / path.name if extra else path, quality=85)


if __name__ == "__main__":
    main(sys.argv[1:])
