"""What is asked for in the words of another command or program is answered with what to do."""

import os

import pytest
from commands import refused
from PIL import Image

from neural_style import nstyle
from neural_style.batch import __main__ as batch
from neural_style.end_to_end import __main__ as end_to_end
from neural_style.film import __main__ as film
from neural_style.options import parse
from neural_style.painting import __main__ as painting
from neural_style.pictures import images
from neural_style.weights import __main__ as weights

RUN = ["--max-num-epochs", "1", "--size", "64", "--gpu", "-1", "--quiet"]


@pytest.fixture
def here(small, thumbnails, tmp_path, monkeypatch):
    """A folder with photographs a.png and b.png, the painting p.png, and the weights."""
    monkeypatch.chdir(tmp_path)
    for name, photo in (("a", "chelsea"), ("b", "rocket"), ("p", "coffee")):
        os.symlink(str(thumbnails / f"{photo}.png"), f"{name}.png")
    os.mkdir("model")
    os.symlink(str(small), "model/vgg19.params")
    return tmp_path


@pytest.mark.parametrize(
    "words, says",
    [
        ("a.png p.png --iterations 100", "unrecognized argument: --iterations (did you mean --max-num-epochs?);"),
        ("a.png p.png --network night", "--network is not for a run: python -m neural_style.end_to_end paint"),
        ("--gui", "--gui is not for a run: python -m neural_style.studio opens the program in the browser"),
        ("a.png p.png --output results/", "--output results/ is a folder: use --output_dir for it, or name a picture"),
        ("a.png p.png --output model", "--output model is a folder: use --output_dir"),
        ("a.png p.png --start network:", "--start network:: name a network; there are glass, mosaic, night, woodcut"),
        ("a.png p.png --start network:nobody", "--start network:nobody: there is no such file, and no network"),
        ("https://x.org/clip.MP4?v=1 p.png", "is an address: download it first and name the file for python -m neural"),
        ("https://x.org/photo.jpg p.png", "is an address: download it first and name the file\n"),
        ("a.png", "`python -m neural_style.end_to_end paint a.png --network night --output painted.jpg` has learnt a"),
        ("--content a.png --fast", "`python -m neural_style.painting night.png` paints one"),
        ("a.png p.png --fit scale --style-scales 1e-30", "--style-scales 1e-30: must be from 0.01 to 100"),
        ("a.png p.png --fit scale --style-scales 0.01", "a style picture of 1x1 is too small for this network"),
        ("a.png p.png --smooth-colors 1e29", "--smooth-colors 1e+29: must be from 0 to 1000"),
        ("a.png p.png --amplitude-weight 1e29", "--amplitude-weight 1e+29: must be from 0 to 1e20"),
        (
            "a.png p.png --content-weight 0 --style-layer-weights 0 0 0 0 0",
            "there is nothing to do: --style-weight and",
        ),
        ("a.pdf p.png", "a.pdf is a document, which cannot be read: export it as JPEG or TIFF"),
        ("a.png a.nef", "a.nef is a raw photograph, which cannot be read: export it as JPEG or TIFF"),
    ],
)
def test_the_main_command(words, says, here, capsys):
    (here / "a.pdf").write_bytes(b"%PDF-1.7\n")
    Image.new("RGB", (160, 120)).save("a.nef", "TIFF")  # as a camera's preview in it, which Pillow would read
    assert says in refused(capsys, nstyle.main, *words.split(), *RUN)


@pytest.mark.parametrize("precision", ["float32", "fast32"])
def test_all_layers_of_the_style_may_weigh_nothing(precision, here):
    words = ["a.png", "p.png", *RUN, "--precision", precision, "--start", "content", "--seed", "1", "--output"]
    assert nstyle.main([*words, "x.png", "--style-layer-weights", *"00000"]) == 0
    words.remove("p.png")
    assert nstyle.main([*words, "y.png", "--style-weight", "0"]) == 0
    assert images.read_image("x.png").tolist() == images.read_image("y.png").tolist()


def test_other_commands(here, capsys):
    said = refused(capsys, film.main, "https://x.org/clip.mp4", "--network", "night", "--output", "b.gif")
    assert "https://x.org/clip.mp4 is an address: download it first" in said
    said = refused(
        capsys, batch.main, "--content", "a.png", "--style", "p.png", "--output", "out", "--network", "night"
    )
    assert "--network is not for a batch: python -m neural_style.end_to_end paint" in said
    said = refused(capsys, end_to_end.main, "train", "--style", "p.png", "--output", "b.params", "--iterations", "9")
    assert "unrecognized argument: --iterations (use --steps N)" in said
    assert "(did you mean --seed?)" in refused(capsys, painting.main, "n.png", "--sead", "1")
    assert "(did you mean --overwrite?)" in refused(capsys, weights.main, "convert", "x", "--overwrit_", "--debug")
    assert "choose from" in refused(capsys, end_to_end.main, "pant")
    assert "--resume is not for a batch: run the same command again" in refused(capsys, batch.main, "--resume", "out")


def test_one_picture_is_painted_in_one_pass_to_the_file_that_is_named(here, capsys):
    flags = ["--network", "night", "--size", "64", "--quiet"]
    assert end_to_end.main(["paint", "a.png", "--output", "x.jpg", *flags]) == 0
    assert os.path.isfile("x.jpg") and Image.open("x.jpg").format == "JPEG"
    said = refused(capsys, end_to_end.main, "paint", "a.png", "b.png", "--output", "y.jpg", *flags)
    assert "--output y.jpg names one picture for 2 photographs; name a folder" in said and not os.path.exists("y.jpg")
    assert "x.jpg already exists" in refused(capsys, end_to_end.main, "paint", "b.png", "--output", "x.jpg", *flags)
    said = refused(capsys, end_to_end.main, "paint", "a.png", "--output", "a.png", "--overwrite", *flags)
    assert "is one of the pictures to read" in said
    os.mkdir("folder.png")
    assert end_to_end.main(["paint", "a.png", "--output", "folder.png", *flags]) == 0
    assert os.listdir("folder.png") == ["a.jpg"]


@pytest.mark.parametrize(
    "command, more",
    [
        (parse.MAIN, []),
        (batch.COMMAND, []),
        (film.COMMAND, []),
        (end_to_end.COMMANDS.commands["train"], []),
        (end_to_end.COMMANDS.commands["paint"], ["--network", "night"]),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_one_set_of_names_works_in_every_command(command, more):
    style = [] if more else ["--style", "p.png"]
    output = "x.params" if command.name.endswith("train") else "x"
    own, args, given = parse.parse(
        command, ["--content", "a.png", *style, "--output", output, "--overwrite", "--size", "64", *more]
    )
    assert args.overwrite and args.max_long_edge == 64
    assert (own.output if "output" in own else args.output) == output
    values = [value for value in {**vars(args), **vars(own)}.values() if value in ("a.png", ["a.png"])]
    assert len(values) == 1


def test_positions_are_those_of_the_main_command():
    own, args, given = parse.parse(film.COMMAND, ["clip.mp4", "p.png", "q.png", "--output", "x.mp4"])
    assert (own.film, own.style) == ("clip.mp4", ["p.png", "q.png"])
    own, args, given = parse.parse(end_to_end.COMMANDS, ["paint", "a.png", "b.png", "--network", "x", "--output", "y"])
    assert own.photos == ["a.png", "b.png"]
