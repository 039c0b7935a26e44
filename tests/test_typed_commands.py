"""The commands of README.md and docs/ that paint are run as they are written, on tiny pictures and for an epoch."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image
from test_readme import PAGES, commands

from neural_style import nstyle, painting
from neural_style.batch import __main__ as batch
from neural_style.end_to_end import __main__ as end_to_end
from neural_style.film import __main__ as film
from neural_style.painting import __main__ as paintings
from neural_style.weights import __main__ as weights

NETWORKS = Path(end_to_end.__file__).parent / "styles"
PHOTOS = "photo.jpg photo.heic photos/a.jpg photos/b.jpg frames/frame1.png input/IMG_4343.jpg"
PAINTINGS = "painting.jpg paintings/one.jpg one.jpg two.jpg night.jpg meadow.jpg input/starry_night.jpg"
REGIONS = {
    "areas.png": ("#204080", "#c0a040"),
    "sky.png": ("#204080",) * 2,
    "land.png": ("#c0a040",) * 2,
    "mask.png": ("white", "black"),
}
RUN = ["--max-num-epochs", "1", "--stop-eps", "0"]
# What is added to a command: (module and first word, its main(), flags); the others are only parsed, in test_readme.py.
TINY = {
    "neural_style": (nstyle.main, [*RUN, "--size", "64", "--pyramid", "0", "--quiet"]),
    "neural_style --resume": (nstyle.main, ["--quiet"]),
    "neural_style.batch": (batch.main, [*RUN, "--size", "32", "--quiet"]),
    "neural_style.end_to_end paint": (end_to_end.main, ["--size", "64", "--quiet", "--overwrite"]),
    "neural_style.end_to_end train": (
        end_to_end.main,
        ["--steps", "1", "--crop", "64", "--size", "64", "--quiet", "--overwrite"],
    ),
    "neural_style.end_to_end --list-networks": (end_to_end.main, []),
    "neural_style.film": (film.main, ["--size", "32", "--quiet", "--overwrite"]),
    "neural_style.painting": (paintings.main, ["--size", "96x64", "--force"]),
    "neural_style.weights check": (weights.main, []),
}
WITHOUT_MORE = {"--list-recipes", "--show-recipe", "--help", "--list-networks"}
ONLY_PARSED = {"--dask", "--doctor", "convert", "normalise", "neural_style.cuda", "neural_style.studio"}


@pytest.fixture(scope="module")
def painted():
    return Image.fromarray(painting.paint(128, 192))


@pytest.fixture
def folder(small, painted, tmp_path, monkeypatch):
    """A folder with all files that the commands name."""
    monkeypatch.chdir(tmp_path)
    for subject in (painting.glass, painting.mosaic, painting.woodcut):
        monkeypatch.setattr(subject, "FINE", 100)
    for name in ("photos", "paintings", "frames", "input", "model"):
        Path(name).mkdir()
    photo = Image.fromarray(skimage.data.chelsea()).resize((192, 128))
    for name in PHOTOS.split():
        photo.save(name, "PNG")
    for name in PAINTINGS.split():
        painted.save(name, "PNG")
    for name, colors in REGIONS.items():
        picture = Image.new("RGB", (192, 128), colors[0])
        picture.paste(colors[1], (96, 0, 192, 128))
        picture.save(name)
    photo.save("clip.mp4", "GIF", save_all=True, append_images=[Image.fromarray(np.roll(photo, 2, 1))])
    shutil.copy(NETWORKS / "night.params", "painting.params")
    Path("model/vgg19.params").symlink_to(small)
    return tmp_path


def typed(page):
    """The commands of a page that are run: (name in TINY, words)."""
    for program, *words in commands(PAGES[page]):
        if program == "python" and words[0] == "-m" and not ONLY_PARSED & set(words):
            name = " ".join(words[1:3])
            yield name if name in TINY else words[1], words[2:]


@pytest.mark.parametrize("page", [page for page in PAGES if any(typed(page))])
def test_what_is_typed_paints(page, folder, forked_children, capsys):
    own = [*RUN, "--size", "64", "--quiet"]
    assert nstyle.main(["photo.jpg", "painting.jpg", *own]) == 0  # a run to resume, and a picture with a recipe
    for name, words in typed(page):
        main, tiny = TINY[name]
        if WITHOUT_MORE & set(words):
            with pytest.raises(SystemExit) as ended:
                main(words)
            assert not ended.value.code
            continue
        if name == "neural_style.film" and "--style" in words:
            tiny = [*tiny, *RUN]
        if "--pyramid-epochs" in words:  # which no pyramid would make a mistake
            tiny = ["1" if value == "0" else value for value in tiny]
        code = main([*words, *tiny])
        assert code == 0, (words, capsys.readouterr().err)
