"""Throw damaged pictures and random flags at the command, and see that it always ends well or with one line.

Some cases train a network or paint with one. Each case also reads damaged pictures, and crafted recipes, states of runs
and trainings, batch records, weights, networks, and what lies where a film keeps its frames or a lock belongs.

    python tests/fuzz.py --minutes 10 --seed 1          # pytest does not collect this
    python tests/fuzz.py --seed 1 --case 1234           # one case again, shown

A case fails on a traceback, an exit code other than 0, 1, 2 and 130, a line too many, a hang, a crash, a picture that
is not whole, a file left over or an earlier file changed; or if something that is read is neither taken nor refused in
one line.
"""

import argparse
import collections
import contextlib
import faulthandler
import functools
import io
import json
import logging
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parent
sys.path[:0] = [str(TESTS / folder) for folder in ("", "pictures", "weights", "end_to_end", "..")]

SECONDS = 300  # that a case may take; a busy machine makes them slow
READ = 24  # damaged pictures that each case reads besides, and as many crafted files
BATCH = 500  # cases that one process goes through
CODES = {0, 1, 2, 130}
# What may stand on standard error of a quiet run besides one line of error.
EXPECTED = re.compile(r"ignoring its colour profile|no GPU|no browser could be|has no effect; leave|^skipping |^$")
SMALL = {
    "max_long_edge": (10, 40),
    "width": (10, 40),
    "max_num_epochs": (1, 2),
    "save_epochs": (1, 3),
    "style_scales": (1, 2),
    "print_iterations": (1, 3),
    "lr_sched_delay": (1, 3),
}
LEFT_OUT = {"normalised", "model_params", "debug", "verbose", "output_dir", "content_image", "style_image"}
WORDS = [
    "",
    "0",
    "1",
    "-1",
    "nan",
    "inf",
    "1e999",
    "-0.0",
    "1e-300",
    "x",
    "vgg19",
    "relu3_last",
    "relu1_1",
    "conv4_2",
    "same",
    "16",
    "8",
    "none",
    "luma",
    "match",
    "content",
    "style",
    "white",
    "lbfgs",
    "adam",
    "sgd",
    "nag",
    "max",
    "gatys",
    "mean",
    "cover",
    "scale",
    "out/%s.png",
    "%s",
    "%d.jpg",
    "new/final.png",
    "final.webp",
    "final.tif",
    "final.gif",
    "final.xyz",
    "a\nb",
    "ünï 猫.png",
    "\udcff.jpg",
    "-",
    "--",
    "/dev/null",
    ".",
    "out",
    "../x/y.jpg",
    "\x00",
]


def corpus():
    """[(name, bytes)]: every picture of the table of odd pictures, refused ones too."""
    import test_odd_pictures as odd

    from neural_style.pictures import images

    made = [(item.name, item.content) for item in odd.ALL if isinstance(item.content, bytes)]
    with tempfile.TemporaryDirectory() as folder:  # and some with a text in them
        for ending, picture in (
            (ending, picture)
            for ending in ("png", "tif", "jpg", "webp")
            for picture in (odd.COLOURS, odd.COLOURS.astype("uint16") * 257)
        ):
            path = Path(folder) / f"ours-{picture.dtype}.{ending}"
            if ending in ("png", "tif") or picture.dtype == "uint8":
                images.save_picture(picture, path, '{"content_image": "ünï 猫.png"}' * 20)
                made += [(path.name, path.read_bytes())] * 3
    return made + [(name, content) for name, (content, _) in odd.REFUSED.items()]


def mutated(chance, content, others):
    """content, damaged somehow."""
    data = bytearray(content)
    for _ in range(chance.choice([0, 0, 1, 1, 1, 2, 5, 20])):
        if not data:
            break
        at = min(chance.choice([int(chance.expovariate(1 / 60)), chance.randrange(len(data))]), len(data) - 1)
        how = chance.randrange(8)
        if how == 0:
            data[at] ^= 1 << chance.randrange(8)
        elif how == 1:
            data[at] = chance.choice([0, 1, 127, 128, 255, chance.randrange(256)])
        elif how == 2:
            del data[at:]
        elif how == 3:
            del data[at : at + chance.randrange(1, 20)]
        elif how == 4:
            data[at:at] = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 20)))
        elif how == 5:
            number = chance.choice([0, 1, 2**15, 2**16 - 1, 2**31 - 1, 2**32 - 1, 30000])
            data[at : at + 4] = number.to_bytes(4, chance.choice(["big", "little"]))
        elif how == 6:
            number = chance.choice([0, 1, 2**15, 2**16 - 1, 600])
            data[at : at + 2] = number.to_bytes(2, chance.choice(["big", "little"]))
        else:
            other = chance.choice(others)[1]
            data[at:] = other[min(at, len(other)) :]
    return bytes(data)


def picture(chance, pictures, folder, role):
    """The path of a picture, most often a damaged one."""
    name, content = chance.choice(pictures)
    ending = Path(name).suffix if chance.random() < 0.8 else chance.choice([".jpg", ".heic", ".avif", "", ".txt"])
    path = folder / f"{role}{ending}"
    path.write_bytes(content if chance.random() < 0.6 else mutated(chance, content, pictures))
    return str(path)


def flat(chance, pictures, folder, role):
    """The path of a mask or a picture of regions: a few flat areas, or sometimes any picture."""
    if chance.random() < 0.2:
        return picture(chance, pictures, folder, role)
    from PIL import Image

    mode, size = chance.choice(["L", "RGB", "RGBA", "P", "1"]), (chance.randint(1, 60), chance.randint(1, 40))
    areas = Image.new(mode, size, 0)
    for _ in range(chance.randint(0, 3)):
        shade = chance.randint(0, 255) if mode in "LP1" else tuple(chance.randint(0, 255) for _ in mode)
        left, top = (chance.randint(0, side - 1) for side in size)
        areas.paste(shade, (left, top, *size))
    path = folder / f"{role}{chance.choice(['.png', '.png', '.gif', '.tif'])}"
    areas.save(path)
    if chance.random() < 0.1:
        path.write_bytes(mutated(chance, path.read_bytes(), pictures))
    return str(path)


def value(chance, flag, name):
    """A value for a flag, often one that it can take."""
    if chance.random() < 0.1:
        return chance.choice(WORDS)
    if name in SMALL:
        return str(chance.randint(*SMALL[name]))
    if name == "output_size":
        return chance.choice(["same", "1", "7", "100"])
    if name == "output":
        return chance.choice(["out/my.png", "out/my.tif", "out/my.webp", "out/my.jpg", "out/my.gif", "deep/er/my.png"])
    if name == "checkpoint_output":
        return chance.choice(["out/at%s.png", "out/at%s.tif", "out/at%s.webp", "out/%s/at.png"])
    if flag.choices:
        return chance.choice(flag.choices)
    if flag.type is int:
        return str(chance.choice([0, 1, 2, 8, 16, chance.randrange(100)]))
    if flag.type is float:
        return str(chance.choice([0, 1, 0.5, 1e-4, chance.random(), 10 ** chance.uniform(-6, 6)]))
    return chance.choice(WORDS)


def words_of(chance, pictures, folder, params):
    """A command line; its pictures lie in folder."""
    from neural_style import recipes
    from neural_style.options.flags import FLAGS

    words = [
        "--quiet",
        "--gpu",
        "-1",
        "--model-params",
        str(params),
        "--max-long-edge",
        str(chance.randint(22, 34)),
        "--max-num-epochs",
        str(chance.randint(1, 2)),
        "--output_dir",
        "out",
    ]
    words += ["--content-image", picture(chance, pictures, folder, "content")]
    words += ["--style-image", picture(chance, pictures, folder, "style")]
    if chance.random() < 0.2:
        words.append(picture(chance, pictures, folder, "second"))
    if chance.random() < 0.1:
        words += ["--recipe", chance.choice(recipes.names() + ["nothing", words[12]])]
        words += ["--max-num-epochs", "2"]
    if chance.random() < 0.2:
        words += ["--start", picture(chance, pictures, folder, "start")]
    if chance.random() < 0.1:
        words += ["--mask", flat(chance, pictures, folder, "mask")]
    if chance.random() < 0.1:
        own = flat(chance, pictures, folder, "regions")
        words += [
            "--regions",
            own,
            "--style-regions",
            chance.choice([own, flat(chance, pictures, folder, "style-regions")]),
        ]
    if chance.random() < 0.1:
        words += ["--style-term", "patches", "--style-layers", "relu2_1"]
    flags = [flag for flag in FLAGS if flag.attribute not in LEFT_OUT]
    for flag in chance.sample(flags, chance.choice([0, 0, 0, 1, 1, 2, 3, 6])):
        words.append(chance.choice(flag.names.split()))
        if flag.type is not bool:
            count = chance.choice([1, 1, 2]) if flag.many else 1
            words += [value(chance, flag, flag.attribute) for _ in range(count)]
    if chance.random() < 0.05:
        words += chance.choice(
            [
                ["--list-layers"],
                ["--unknown"],
                ["stray"],
                ["--model", "resnet"],
                ["--save-recipe", "out/mine.args"],
                ["--save-recipe", "no/mine.args"],
                ["--model-params", "nowhere"],
                ["--model-params", words[12]],
            ]
        )
    if chance.random() < 0.05:
        words += [chance.choice(["--content-image", "--style-image", "--start"]), "-"]
    return words


def one_pass_words(chance, pictures, folder, params):
    """A command line of end_to_end; its pictures lie in folder."""
    from neural_style.end_to_end import network

    if chance.random() < 0.7:
        path = folder / "known.params"
        network.save(path, known_network())
        if chance.random() < 0.3:
            path.write_bytes(mutated(chance, path.read_bytes(), pictures))
        words = ["paint", picture(chance, pictures, folder, "photo"), "--network", str(path), "--output", "out"]
        if chance.random() < 0.2:
            words += ["--mask", flat(chance, pictures, folder, "mask")]
        choices = [[], ["--format", "png"], ["--bit-depth", "16", "--format", "tif"], ["--width", "0"], ["--fast"]]
        return [*words, "--quiet", "--size", str(chance.choice([8, 20, 40])), *chance.choice(choices)]
    photos = folder / "photos"
    photos.mkdir()
    for number in range(3):
        picture(chance, pictures, photos, str(number))
    words = ["train", "--style", picture(chance, pictures, folder, "style"), "--photos", str(photos)]
    words += ["--output", "out/a.params", "--steps", "2", "--save-every", "1", "--crop", "64", "--size", "40"]
    words += ["--model-params", str(params), "--gpu", "-1", "--quiet"]
    rates = [["--lr", rate] for rate in ("1e3", "1e29", "0", "nan")]
    return words + chance.choice([[], *rates, ["--resume", "a.params"]])


@functools.lru_cache(None)
def known_network(kind="fast"):
    from test_trained import made

    return made(kind)


@contextlib.contextmanager
def standard_error():
    """All that arrives on standard error and output, from C libraries too; gives a function to read it."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as file:
        kept = os.dup(1), os.dup(2)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:

            def said():
                sys.stdout.flush()
                sys.stderr.flush()
                file.seek(0)
                return file.read().decode("utf-8", "replace")

            yield said
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, old in zip((1, 2), kept):
                os.dup2(old, number)
                os.close(old)


def files_below(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def complaint(code, said, before, after, words):
    """What is wrong with how a case ended, or None."""
    from PIL import Image

    from neural_style.end_to_end import network
    from neural_style.end_to_end import state as training_state
    from neural_style.run import state
    from neural_style.system.errors import UsageError

    lines = [line for line in said.split("\n") if not EXPECTED.search(line)]
    if code not in CODES:
        return f"exit code {code}"
    if "Traceback" in said:
        return "traceback"
    if "--list-layers" not in words and (len(lines) > (code != 0) or code and not lines):
        return f"{len(lines)} lines"
    if "unexpected" in said or "--debug shows where" in said:
        return "an error that nobody thought of"
    may_change = {"out/final.jpg", "out/e_1.jpg", "out/e_2.jpg"} if code == 0 else {"out/e_1.jpg", "out/e_2.jpg"}
    for name, content in before.items():
        if after.get(name) != content and name not in may_change:
            return f"{name} changed"
    for name in set(after) - set(before):
        try:
            if name.endswith(".params.state.npz"):
                with contextlib.suppress(UsageError):  # it is complete
                    training_state.resumed("out/a.params")
            elif name.endswith(".params"):
                network.load(name)
            elif name.endswith(".state.npz"):
                with tempfile.NamedTemporaryFile(suffix=".npz") as file:
                    file.write(after[name])
                    file.flush()
                    state.load(file.name)
            elif Path(name).name.startswith("."):
                return f"{name} left over"
            elif name.endswith(".html"):
                assert after[name].rstrip().endswith(b"</html>")
            elif not name.endswith(".args"):
                Image.open(io.BytesIO(after[name])).load()
        except Exception as error:
            return f"{name} is not whole: {error!r}"
    return None


def read_some(chance, pictures, folder):
    """Read damaged pictures, and the texts in them; what is wrong with that, or None."""
    from neural_style.pictures import images
    from neural_style.system.errors import UsageError

    for _ in range(READ):
        name, content = chance.choice(pictures)
        path = folder / f"damaged{Path(name).suffix}"
        path.write_bytes(mutated(chance, content, pictures))
        for read in (images.read_picture, images.read_recipe):
            try:
                result = read(str(path))
            except UsageError as error:
                if "\n" in str(error):
                    return f"a message of several lines: {error}"
            except Exception as error:
                return f"{read.__name__} of {name}: {error!r}"
            else:
                if read is images.read_recipe and not isinstance(result, (str, type(None))):
                    return f"the text in {name} is {result!r}"
        path.unlink()
    return None


def anything(chance, depth=0):
    """Any value that JSON has."""
    kinds = [None, True, False, 0, 1, -1, 2, 10**400, 0.5, float("nan"), float("inf"), *WORDS]
    made = chance.randrange(8)
    if made == 0 and depth < 3:
        return [anything(chance, depth + 1) for _ in range(chance.randrange(6))]
    if made == 1 and depth < 3:
        return {chance.choice(WORDS): anything(chance, depth + 1) for _ in range(chance.randrange(4))}
    return chance.choice(kinds)


def changed(chance, value):
    """value, something of JSON, in which some parts are others."""
    if chance.random() < 0.01:
        return anything(chance)
    if isinstance(value, dict):
        return {name: changed(chance, item) for name, item in value.items() if chance.random() > 0.002}
    return [changed(chance, item) for item in value] if isinstance(value, list) else value


def crafted_recipe(chance, path, pictures):
    """A recipe of random words, as a text or in a picture, under any name."""
    import numpy as np

    from neural_style.options import parse
    from neural_style.options.flags import FLAGS
    from neural_style.pictures import images

    words = [word.replace("\0", "") for word in WORDS] + [name for flag in FLAGS for name in flag.names.split()]
    count = chance.choice([1, 3, 10, 100, 10_000])
    text = " ".join(chance.choices(words, k=count))[: chance.choice([10, 1000, 10**6])]
    if chance.random() < 0.5:
        path = path.with_suffix(chance.choice([".args", ".txt", ".gif", ".xbm"]))
        text = chance.choice(["", "#define x_width 9\n", "P1 "]) + text
        path.write_bytes(mutated(chance, text.encode("utf-8", "replace"), pictures))
    else:
        saved = path.with_suffix(chance.choice([".png", ".jpg", ".tif", ".webp"]))
        images.save_picture(np.zeros((9, 9, 3), "uint8"), saved, recipe=text[: 60_000 // 4])
        path = saved.with_suffix(chance.choice([saved.suffix, ".args", ".gif"]))
        path.write_bytes(mutated(chance, saved.read_bytes(), pictures))
    parse._of_recipe(str(path), parse.FlagParser(parse.MAIN), {"recipe": [str(path)]})


def crafted_state(chance, path, pictures):
    """A state in which fields or bytes are others."""
    import numpy as np

    from neural_style.nstyle import get_args
    from neural_style.run import state

    path, image = path.with_name(".final.jpg.state.npz"), np.ones((1, 3, 4, 5), "float32")
    rows = [state.EpochRecord(1, 0.5, 2.0, 1.5, {"style": 1.0})]
    state.save(path, get_args([]), "digest", rows, state.State(1, 1.5, image, [image], image, 3.5))
    with np.load(str(path)) as file:
        arrays = dict(file)
    about = changed(chance, json.loads(arrays["about"].tobytes()))
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), "uint8")
    if chance.random() < 0.3:
        others = [image[0], image * np.nan, image > 0, np.array("x"), image]
        arrays[chance.choice([*arrays, "memory_1"])] = chance.choice(others)
    chance.choice([np.savez] * 9 + [np.savez_compressed])(str(path), **arrays)
    if chance.random() < 0.5:
        path.write_bytes(mutated(chance, path.read_bytes(), pictures))
    epoch, epochs = state.progress_of(path)
    assert isinstance(epoch, int) and isinstance(epochs, int)
    saved = state.load(path)
    assert np.isfinite(saved.state.image).all() and os.path.dirname(saved.args["output"] or str(path)) == str(
        path.parent
    )


def crafted_record(chance, path, pictures):
    """A batch's record in which fields or bytes are others."""
    from neural_style.batch.record import RECORD, Entry, Record

    entry = Entry("/a.jpg", "/b.jpg", "a-b.jpg", "done", "0123", None, 3, 0.5, 1.5, "here")._asdict()
    path = path.with_name(RECORD)
    path.write_bytes(mutated(chance, json.dumps(changed(chance, {"pairs": [entry] * 3})).encode(), pictures))
    for name in Record(path.parent).entries:
        assert os.path.basename(name) == name


def crafted_network(chance, path, pictures):
    """A network in which what it says, an array or bytes are others; it paints what is finite, or not at all."""
    import zipfile

    import numpy as np

    from neural_style.end_to_end import network
    from neural_style.weights import params

    known = known_network()
    about = json.dumps(changed(chance, known.about._asdict())).encode()
    arrays = {"about": np.frombuffer(about, "uint8"), **known.arrays}
    if chance.random() < 0.3:
        name = chance.choice(list(known.arrays))
        others = [lambda a: a[:1], lambda a: a * 1e38, lambda a: a.astype("f8") * 1e300, lambda a: a * np.nan, np.abs]
        arrays[name] = chance.choice(others)(arrays[name])
    with np.errstate(all="ignore"):
        params.write(path, arrays)
    if chance.random() < 0.3:
        with zipfile.ZipFile(path.with_suffix(".zip"), "w", chance.choice([0, 8, 12, 14])) as packed:
            for part in range(4):
                packed.write(path, f"model/{part}/a.params", packed.compression if part == 3 else 0)
        path = path.with_suffix(".zip")
    if chance.random() < 0.7:
        path.write_bytes(mutated(chance, path.read_bytes(), pictures))
    with np.errstate(all="ignore"):
        painted = network.load(path).paint(np.ones((1, 3, 16, 20), "f4"))
    assert np.isfinite(painted).all()


def crafted_training(chance, path, pictures):
    """A training's state in which fields, an array or bytes are others."""
    import argparse

    import numpy as np

    from neural_style.end_to_end import state, training
    from neural_style.end_to_end.generators import GENERATORS, shapes
    from neural_style.nstyle import get_args
    from neural_style.run.state import EpochRecord

    parameters, kept = shapes(GENERATORS["fast"].parts()[0], (64, 64))
    arrays = {f"arg:{name}": np.zeros(shape, "f4") for name, shape in parameters.items()}
    arrays.update({f"aux:{name}": np.ones(shape, "f4") for name, shape in kept.items()})
    memory = {name: [np.zeros(shape, "f4")] * 2 for name, shape in parameters.items()}
    output, rows = str(path.with_suffix(".params")), [EpochRecord(1, 0.0, 2.0, 1.5, {"style": 1.0})]
    settings = state.Settings(["a.jpg"], output, steps=3).complete()
    args = argparse.Namespace(**vars(get_args([])))
    state.save(settings, args, "digest", rows, training.TrainingState(1, 1.5, arrays, memory))
    path = state.path_of_state(output)
    with np.load(str(path)) as file:
        arrays = dict(file)
    about = changed(chance, json.loads(arrays["about"].tobytes()))
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), "uint8")
    if chance.random() < 0.3:
        name = chance.choice(list(arrays))
        arrays[name] = chance.choice([arrays[name][:1], arrays[name] * np.nan, np.array("x"), np.zeros(3)])
    chance.choice([np.savez] * 9 + [np.savez_compressed])(str(path), **arrays)
    if chance.random() < 0.5:
        path.write_bytes(mutated(chance, path.read_bytes(), pictures))
    settings, args, (found, _, _) = state.resumed(output)
    assert settings.output == output and args.model in ("vgg19", "vgg", "vgg16")
    assert all(np.isfinite(array).all() for array in found.arrays.values())


def put_anything(chance, path, mine, pictures):
    """Put something other than what is expected at a path: damaged, of another kind, or leading elsewhere."""
    content = path.read_bytes() if path.is_file() else b"0"
    if path.exists():
        path.unlink()
    how = chance.randrange(7)
    if how == 0:
        os.mkfifo(path)
    elif how == 1:
        path.symlink_to(mine)
    elif how == 2:
        path.mkdir()
    elif how == 3:
        os.link(mine, path)
    else:
        path.write_bytes(mutated(chance, chance.choice([content, content, b"[" * 10**5]), pictures))


def crafted_film(chance, path, pictures):
    """A film's folder in which files are others; nothing in it that is not the film's is lost."""
    import numpy as np
    from PIL import Image

    from neural_style.film.kept import Kept

    mine = path.with_name("mine")
    mine.write_bytes(b"dear")
    kept = Kept(path.with_name("film.mp4"), (9, 12))
    kept.begin("known")
    for number in (1, 2, 3):
        kept.keep(number, np.ones((1, 3, 9, 12), "f4"), np.full((9, 12, 3), number, "uint8"))
    names = ["film.json", "lock", "000001.png", "000002.png", "000003.png", "000003.npy", "letter.txt"]
    for name in chance.sample(names, chance.randrange(3)):
        put_anything(chance, kept.folder / name, mine, pictures)
    if chance.random() < 0.1:
        kept.folder.rename(path.with_name("moved"))
        put_anything(chance, kept.folder, mine, pictures) if chance.random() < 0.5 else kept.folder.symlink_to("moved")
    try:
        done = kept.begin(chance.choice(["known", "other"]), chance.random() < 0.5)
        assert done in (0, 1, 2, 3)
        for number in range(1, done + 1):
            with Image.open(kept.picture(number)) as frame:
                assert frame.size == (12, 9)
    finally:
        assert mine.read_bytes() == b"dear"


def crafted_lock(chance, path, pictures):
    """Anything in the place of a lock; nothing is emptied, and nobody is locked out afterwards."""
    from neural_style.saved.locks import locked

    mine, folder = path.with_name("mine"), path.with_name("folder")
    mine.write_bytes(b"dear")
    folder.mkdir()
    if chance.random() < 0.8:
        put_anything(chance, folder / ".a.lock", mine, pictures)
    try:
        with locked(folder / "a", "painting", "wait"):
            pass
        with locked(folder / "a", "painting", "wait"):
            pass
    finally:
        assert mine.read_bytes() == b"dear"


def crafted_weights(chance, path, pictures):
    """Weights of any format, in which bytes are others."""
    from unittest import mock

    import numpy as np
    import weight_files

    from neural_style.network import architecture
    from neural_style.weights import convert

    torch, arrays = weight_files.fake_torch(), weight_files.known()
    with mock.patch.dict(architecture.NETWORKS, weight_files.SMALL), mock.patch.dict(sys.modules, torch):
        write = chance.choice(
            [
                lambda: weight_files.write_mat(path, arrays, "old beta"),
                lambda: weight_files.write_gluon(path, "export"),
                lambda: np.savez(path.open("wb"), **arrays),
                lambda: np.savez_compressed(path.open("wb"), **arrays),
                lambda: weight_files.write_pth_zip(path, torch["torch"], weight_files.state_dict(arrays)),
                lambda: weight_files.write_pth_stream(path, torch["torch"], weight_files.state_dict(arrays)),
            ]
        )
        write()
        path.write_bytes(mutated(chance, path.read_bytes(), pictures))
        convert.convert(path, "caffe")


def read_crafted(chance, pictures, folder):
    """Read what somebody else may have made; what is wrong with that, or None."""
    from neural_style.system.errors import NeuralStyleError

    crafts = [crafted_recipe, crafted_state, crafted_record, crafted_weights, crafted_film, crafted_lock] * (READ // 6)
    for craft in [*crafts, crafted_network, crafted_training]:
        with tempfile.TemporaryDirectory(dir=folder) as below:
            try:
                craft(chance, Path(below) / "crafted", pictures)
            except NeuralStyleError as error:
                if "\n" in str(error):
                    return f"a message of several lines: {error}"
            except (Exception, SystemExit) as error:
                if isinstance(error, SystemExit) and error.code == 2:
                    continue
                logging.getLogger("fuzz").exception("%s", craft.__name__)
                return f"{craft.__name__}: {error!r}"
    return None


def run_case(seed, number, pictures, params, show=False):
    """Go through one case; its complaint or None, and its exit code."""
    from neural_style import nstyle
    from neural_style.end_to_end import __main__ as end_to_end

    chance = random.Random(f"{seed}-{number}")
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder).resolve()
        os.chdir(folder)
        (folder / "out").mkdir()
        for name in ("final.jpg", "e_1.jpg", "mine.txt"):
            (folder / "out" / name).write_bytes(b"earlier " + name.encode())
        make, main = (one_pass_words, end_to_end.main) if chance.random() < 0.1 else (words_of, nstyle.main)
        words = make(chance, pictures, folder, params)
        before = files_below(folder)
        sys.stdin = io.TextIOWrapper(io.BytesIO(mutated(chance, *chance.choice(pictures)[1:], pictures)))
        if show:
            print(words)
        with standard_error() as said:
            try:
                code = main(words)
            except SystemExit as ended:
                code = ended.code
            except BaseException as error:
                logging.getLogger("fuzz").exception("%s", error)
                code = type(error).__name__
            text = said()
            unexpected = read_some(chance, pictures, folder) or read_crafted(chance, pictures, folder)
            details = said()[len(text) :] if unexpected else ""
        if show:
            print(f"exit code {code}\n{text}")
        wrong = unexpected or complaint(code, text, before, files_below(folder), words)
        os.chdir("/")
        return wrong and f"case {number}: {wrong}\n  {words}\n  {(text + details)[-3000:]}", code


def work(seed, first, last, params, until):
    """Go through the cases from first to last, printing `number code` for each, and complaints on standard error."""
    import warnings

    warnings.simplefilter("default")
    pictures = corpus()
    seen = os.dup(2)  # where a hang is shown, whatever a case does to standard error
    for number in range(first, last):
        if time.time() > until:
            return
        faulthandler.dump_traceback_later(SECONDS, exit=True, file=seen)
        print(number, end=" ", flush=True)
        wrong, code = run_case(seed, number, pictures, params)
        faulthandler.cancel_dump_traceback_later()
        print(code, "wrong" if wrong else "", flush=True)
        if wrong:
            print(wrong, file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--case", type=int, help="run this case alone and show it")
    parser.add_argument("--work", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        first, last, params, until = options.work
        return work(options.seed, int(first), int(last), params, float(until))
    from networks import random_weights

    from neural_style.weights import params

    until, done, ends = time.time() + 60 * options.minutes, 0, collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "random.params"
        params.write(weights, {"arg:" + name: array for name, array in random_weights().items()})
        if options.case is not None:
            wrong, _ = run_case(options.seed, options.case, corpus(), weights, show=True)
            return bool(wrong)
        while time.time() < until:
            run = subprocess.run(
                [
                    sys.executable,
                    __file__,
                    "--seed",
                    str(options.seed),
                    "--work",
                    str(done),
                    str(done + BATCH),
                    str(weights),
                    str(until),
                ],
                stdout=subprocess.PIPE,
                text=True,
            )
            lines = run.stdout.splitlines()
            for line in lines:
                number, *end = line.split()
                ends[" ".join(end) or "hang or crash"] += 1
                if not end:
                    print(f"case {number}: hang or crash, exit code {run.returncode}", file=sys.stderr)
                done = int(number) + 1
            if run.returncode and not lines:
                return run.returncode
    shown = ", ".join(f"{count} × {end}" for end, count in sorted(ends.items()))
    print(f"{done} cases with seed {options.seed}, each with {READ} pictures and {READ} crafted files more: {shown}")
    return not set(ends) <= {str(code) for code in CODES}


if __name__ == "__main__":
    sys.exit(main())
