"""python -m neural_style.end_to_end: train and paint, as typed."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
import skimage.data
import tifffile
from commands import a_run, refused
from PIL import Image
from test_trained import made

from neural_style import nstyle
from neural_style.end_to_end import __main__ as command
from neural_style.end_to_end import network
from neural_style.pictures import images


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The file of a network with random arrays."""
    path = tmp_path_factory.mktemp("network") / "random.params"
    network.save(path, made("fast"))
    return path


@pytest.fixture
def photos(tmp_path):
    (tmp_path / "photos").mkdir()
    for name in ("chelsea", "coffee"):
        Image.fromarray(getattr(skimage.data, name)()[::3, ::3]).save(tmp_path / "photos" / f"{name}.png")
    return tmp_path / "photos"


def run(*words):
    return command.main([str(word) for word in words])


def test_photographs_are_painted(trained, photos, tmp_path):
    output = tmp_path / "painted"
    assert (
        run("paint", photos, "--network", trained, "--output", output, "--size", "90", "--format", "png", "--quiet")
        == 0
    )
    assert sorted(path.name for path in output.iterdir()) == ["chelsea.png", "coffee.png"]
    content = images.PreprocessContentImage(str(photos / "coffee.png"), 90)
    expected = images.PostprocessImage(network.load(trained).paint(content))
    np.testing.assert_array_equal(np.asarray(Image.open(output / "coffee.png")), expected)


def test_as_the_other_command_does(trained, photos, tmp_path):
    """16 bits, the content's colours, its transparency and its parts behind a mask, another output size."""
    pixels = np.dstack([skimage.data.chelsea()[::3, ::3], np.full((100, 151), 255, "uint8")])
    pixels[:50, :, 3] = 0
    Image.fromarray(pixels).save(photos / "alpha.png")
    mask = np.zeros((100, 151), "uint8")
    mask[:, 75:] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    assert (
        run(
            "paint",
            photos / "alpha.png",
            *(
                f"--network {trained} --output {tmp_path}/a --format tif --size 80 --mask {tmp_path}/mask.png "
                "--bit-depth 16 --output-size same --quiet"
            ).split(),
        )
        == 0
    )
    painted = tifffile.imread(tmp_path / "a" / "alpha.tif")
    assert painted.dtype == np.uint16 and painted.shape == (100, 151, 4) and not painted[:40, :, 3].any()
    np.testing.assert_array_equal(painted[60:, :70, :3], pixels[60:, :70, :3].astype("uint16") * 257)
    assert (
        run(
            "paint",
            photos / "coffee.png",
            *f"--network {trained} --output {tmp_path}/b --preserve-colors luma --format png --quiet --size 90".split(),
        )
        == 0
    )
    shown, photo = (
        np.asarray(Image.open(path).convert("YCbCr")).astype(int)
        for path in (tmp_path / "b" / "coffee.png", photos / "coffee.png")
    )
    photo = np.asarray(Image.open(photos / "coffee.png").resize(shown.shape[1::-1]).convert("YCbCr")).astype(int)
    assert np.abs(shown - photo)[..., 1:].mean() < 25 < np.abs(shown - photo)[..., 0].mean()


def test_what_does_not_fit_in_memory_is_one_pictures_failure(trained, photos, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(network.memory, "available", lambda: 3e6)
    words = ["paint", photos, "--network", trained, "--output", tmp_path / "a", "--size", "200", "--quiet"]
    assert run(*words) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and all(
        "failed: a picture of 200x13" in line and "--size, or start anyway with --force" in line for line in lines
    )
    assert run(*words, "--force") == 0


def test_a_mask_is_not_replaced(trained, photos, tmp_path, capsys):
    (tmp_path / "masks").mkdir()
    os.link(photos / "coffee.png", tmp_path / "masks" / "coffee.png")
    assert "is one of the pictures to read" in refused(
        capsys,
        command.main,
        "paint",
        photos / "coffee.png",
        *(
            f"--mask {tmp_path}/masks/coffee.png --network {trained} --output {tmp_path}/masks --format png --overwrite"
        ).split(),
    )


def test_names_that_are_alike_get_numbers(trained, photos, tmp_path):
    (tmp_path / "more").mkdir()
    os.link(photos / "coffee.png", tmp_path / "more" / "COFFEE.png")
    assert (
        run(
            "paint",
            photos / "coffee.png",
            tmp_path / "more",
            *f"--network {trained} --output {tmp_path}/a --quiet --width 48".split(),
        )
        == 0
    )
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["COFFEE-2.jpg", "coffee.jpg"]


def test_one_that_fails_does_not_keep_the_others_from_being_painted(trained, photos, tmp_path, capsys):
    (photos / "broken.png").write_bytes(b"nothing")
    assert run("paint", photos, "--network", trained, "--output", tmp_path / "a", "--size", "64", "--quiet") == 1
    assert len(list((tmp_path / "a").iterdir())) == 2
    assert re.fullmatch(r".*broken.png failed: .*", capsys.readouterr().err.strip())


def test_nothing_is_replaced_unasked(trained, photos, tmp_path, capsys):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "coffee.jpg").write_bytes(b"dear")
    words = ["paint", photos, "--network", trained, "--output", tmp_path / "a", "--size", "64", "--quiet"]
    assert "coffee.jpg already exists; name another folder, or replace it with --overwrite" in refused(
        capsys, command.main, *words
    )
    assert (tmp_path / "a" / "coffee.jpg").read_bytes() == b"dear"
    assert run(*words, "--overwrite") == 0
    assert "is one of the pictures to read" in refused(
        capsys,
        command.main,
        "paint",
        photos,
        "--network",
        trained,
        "--output",
        photos,
        "--format",
        "png",
        "--overwrite",
    )


@pytest.mark.parametrize(
    "words, reason",
    [
        ("", "choose a command: train or paint"),
        ("paint a.png --output b --network NETWORK", "PHOTO a.png: there is no such picture"),
        ("paint PHOTO --output b --network nobody", "--network nobody: there is no such file"),
        (
            "paint PHOTO --output b --network NETWORK --style a.png",
            "--style-image is not for painting in one pass: the network has its style",
        ),
        ("paint PHOTO --output b --network NETWORK --preserve-colors match", "use luma"),
        ("paint PHOTO --output b --network NETWORK --size 8", "chelsea.png failed"),
        ("train --style PHOTO", "required: --output"),
        ("train --output a.params", "required: --style"),
        ("train --style PHOTO --output a.jpg", "must be a name that ends in .params"),
        ("train --style PHOTO --output NETWORK", "already exists; name another file, continue with --resume"),
        (
            "train --style PHOTO --output a.params --content-image PHOTO",
            "--content-image is not for a training: a network learns",
        ),
        ("train --style PHOTO --output a.params --optimizer lbfgs", "--optimizer is not for a training"),
        ("train --style PHOTO --output a.params --show", "--show is not for a training"),
        ("train --resume a.params --show", "--show is not for a training"),
        ("train --style PHOTO --output a.params --style-term patches", "--style-term patches is not for a training"),
        ("train --style PHOTO --output a.params --steps 0", "--steps 0: must be from 1"),
        ("train --style PHOTO --output a.params --crop 66", "--crop 66: must be a multiple of 4"),
        ("train --style PHOTO --output a.params --crop 20", "--crop 20: must be from 64"),
        ("train --style PHOTO --output a.params --photos nowhere", "--photos nowhere: there is no such picture"),
        ("train --style PHOTO --output a.params --from nobody", "--from nobody: there is no such file"),
        ("train --resume a.params", "there is no training to continue"),
        ("train --resume a.params --style PHOTO", "leave --style out"),
        ("train --resume a.params --steps 9", "leave --steps out"),
        ("train --resume a.params --lr 1", "--lr cannot change"),
        (
            "train --style PHOTO --output a.params --style-weight 0",
            "--style-weight 0: a network needs a style to learn",
        ),
        ("paint PHOTO --output b --network NETWORK --mask nosuch.png", "nosuch.png: there is no such picture"),
        ("paint PHOTO --output b --network PHOTO", "the file is damaged, or holds no network"),
    ],
)
def test_wrong_use_is_one_line(words, reason, trained, photos, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    words = [{"PHOTO": str(photos / "chelsea.png"), "NETWORK": str(trained)}.get(word, word) for word in words.split()]
    if "failed" in reason:
        assert run(*words, "--quiet") == 1 and reason in capsys.readouterr().err
    else:
        assert reason in refused(capsys, command.main, *words)
    assert not list(tmp_path.glob("b/*.jpg")) and not (tmp_path / "a.params").exists()


def test_a_network_is_trained_stopped_and_used(small, photos, tmp_path, capsys):
    words = (
        f"--style {photos}/coffee.png --photos {photos} --steps 3 --crop 64 --save-every 2 --size 90 "
        f"--model-params {small} --gpu -1 --quiet"
    ).split()
    assert run("train", *words, "--output", tmp_path / "a.params") == 0
    assert network.load(tmp_path / "a.params").about.description.startswith("coffee.png: 3 steps of 3 in ")
    assert (
        "--crop 64x" not in (page := (tmp_path / "a.html").read_text()) and "photographs" in page and "step 3" in page
    )
    assert sorted(path.name for path in (tmp_path / "a_steps").iterdir()) == ["2.jpg", "3.jpg"]
    for name in "a.params", "a.html":  # either of them is reason enough
        assert "already exists; name another file" in refused(
            capsys, command.main, "train", *words, "--output", tmp_path / "a.params"
        )
        (tmp_path / name).unlink()
    assert "a_steps already exists" in refused(capsys, command.main, "train", *words, "--output", tmp_path / "a.params")
    assert run("train", *words, "--output", tmp_path / "a.params", "--overwrite") == 0
    assert (
        run("paint", photos, "--network", tmp_path / "a.params", "--output", tmp_path / "b", "--size", "64", "--quiet")
        == 0
    )


def test_the_networks_are_listed(capsys):
    for words in (["--list-networks"], ["paint", "--list-networks"]):
        with pytest.raises(SystemExit) as ended:
            run(*words)
        assert ended.value.code == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines() if line] == 2 * network.names()


def test_a_run_starts_from_what_a_network_paints(trained, photos, tmp_path, monkeypatch, random_params, capsys):
    monkeypatch.chdir(tmp_path)
    words = a_run(photos, random_params, "--size 64 --max-num-epochs 1 --lr 1e-12 --quiet --output a.png")
    assert nstyle.main([*words, "--start", f"network:{trained}"]) == 0
    content = images.PreprocessContentImage(str(photos / "chelsea.png"), 64)
    expected = images.PostprocessImage(network.load(trained).paint(content)).astype(int)
    assert np.abs(np.asarray(Image.open("a.png")) - expected).max() <= 1
    assert f"--start=network:{trained}" in images.read_recipe("a.png")
    assert nstyle.main([*words, "--recipe", "a.png", "--start", f"network:{trained}", "--output", "b.png"]) == 0
    with pytest.raises(SystemExit):  # a picture from anywhere names no file
        nstyle.main([*words, "--recipe", "a.png", "--output", "c.png"])
    assert "is not part of this package" in capsys.readouterr().err
    assert nstyle.main([*words[:-2], "--start", "network:nobody", "--output", "c.png"]) == 2


def test_help_loads_neither_numpy_nor_mxnet():
    program = (
        "import sys; from neural_style.end_to_end.__main__ import main\n"
        "try: main(['train', '--help'])\nexcept SystemExit: print({'numpy', 'mxnet'} & set(sys.modules) or 'none')"
    )
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "none"
