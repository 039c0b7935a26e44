"""Masks and regions in whole runs: what is kept of the photograph, and that nothing else changes."""

import numpy as np
import pytest
from commands import code_of
from PIL import Image

from neural_style import nstyle
from neural_style.run import state


def grey(path, shade, size=(113, 75), right=None):
    picture = np.full((size[1], size[0]), shade, np.uint8)
    if right is not None:
        picture[:, size[0] // 2 :] = right
    Image.fromarray(picture).save(path)
    return str(path)


def painted(words, output, *more):
    assert nstyle.main([*words, "--output", str(output), "--remove-noise-final", "0", "--quiet", *map(str, more)]) == 0
    return np.asarray(Image.open(output))


@pytest.fixture
def run(short_run):
    """The words of a short run, without where its pictures land."""
    return [*short_run, "--save-epochs", "100"]


@pytest.mark.parametrize(
    "flags",
    [
        "",
        "--precision fast32",
        "--tile 16",
        "--style-term patches --style-layers relu2_1",
        "--optimizer lbfgs --start content --pyramid 0",
    ],
)
def test_a_white_mask_is_no_mask(run, tmp_path, flags):
    plain = painted(run, tmp_path / "plain.png", *flags.split())
    masked = painted(run, tmp_path / "masked.png", "--mask", grey(tmp_path / "white.png", 255), *flags.split())
    np.testing.assert_array_equal(masked, plain)


@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_a_black_mask_gives_the_photograph_back(run, tmp_path, thumbnails, ending):
    from neural_style.pictures.images import PostprocessImage, PreprocessContentImage

    black, photo = grey(tmp_path / "black.png", 0), thumbnails / "chelsea.png"
    scaled = painted(run, tmp_path / f"scaled{ending}", "--mask", black, "--remove-noise-final", 0.1)
    np.testing.assert_array_equal(scaled, PostprocessImage(PreprocessContentImage(str(photo), 48)))
    same = painted(run, tmp_path / f"same{ending}", "--mask", black, "--output-size", "same")
    np.testing.assert_array_equal(same, np.asarray(Image.open(photo)))


def test_a_black_mask_gives_the_photograph_back_in_16_bits(run, tmp_path, thumbnails):
    import tifffile

    from neural_style.pictures.images import PreprocessContentImage

    black, photo = grey(tmp_path / "black.png", 0), thumbnails / "chelsea.png"
    painted(run, tmp_path / "scaled.tif", "--mask", black, "--bit-depth", 16)
    expected = PreprocessContentImage(str(photo), 48)[0].transpose(1, 2, 0) + np.array([123.68, 116.779, 103.939])
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "scaled.tif"), np.round(np.clip(expected, 0, 255) * 257))
    painted(run, tmp_path / "same.tif", "--mask", black, "--bit-depth", 16, "--output-size", "same")
    np.testing.assert_array_equal(
        tifffile.imread(tmp_path / "same.tif"), np.asarray(Image.open(photo)) * np.uint16(257)
    )
    deep = np.arange(113 * 75, dtype=np.uint16).reshape(75, 113) * 7
    Image.fromarray(deep).save(tmp_path / "deep.png")
    painted(
        run,
        tmp_path / "deep.tif",
        *f"--content-image {tmp_path}/deep.png --mask {black} --bit-depth 16 --output-size same".split(),
    )
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "deep.tif")[..., 1], deep)


def test_half_a_mask_keeps_half_of_the_photograph(run, tmp_path, thumbnails):
    mask = grey(tmp_path / "half.png", 0, right=255)
    result = painted(run, tmp_path / "half-painted.png", "--mask", mask, "--output-size", "same")
    photo = np.asarray(Image.open(thumbnails / "chelsea.png"))
    np.testing.assert_array_equal(result[:, :56], photo[:, :56])
    assert (result[:, 56:] != photo[:, 56:]).mean() > 0.9


def test_checkpoints_are_masked_too_and_grey_blends(run, tmp_path):
    at = str(tmp_path / "at%s.png")
    found, where = {}, run.index("--output_dir")
    run = run[:where] + run[where + 2 :]
    for shade in (0, 128, 255):
        painted(
            run,
            tmp_path / f"{shade}.png",
            "--mask",
            grey(tmp_path / f"m{shade}.png", shade),
            *(
                f"--checkpoint-output {at} --save-epochs 2 --overwrite --start content --style-weight 1e-30 "
                "--stop-eps 0 --remove-noise 0"
            ).split(),
        )
        found[shade] = np.asarray(Image.open(tmp_path / "at2.png")).astype(float)
    blend = found[0] + (found[255] - found[0]) * 128 / 255
    assert np.abs(found[128] - blend).max() <= 1


def test_a_transparent_photograph_stays_so(run, tmp_path, thumbnails):
    picture = Image.open(thumbnails / "chelsea.png").convert("RGBA")
    alpha = np.full((picture.height, picture.width), 255, np.uint8)
    alpha[:20] = 0
    picture.putalpha(Image.fromarray(alpha))
    picture.save(tmp_path / "clear.png")
    result = painted(
        run,
        tmp_path / "out.png",
        "--content-image",
        tmp_path / "clear.png",
        "--mask",
        grey(tmp_path / "black.png", 0),
        "--output-size",
        "same",
    )
    np.testing.assert_array_equal(result[..., 3], alpha)
    np.testing.assert_array_equal(result[20:, :, :3], np.asarray(picture)[20:, :, :3])


@pytest.mark.parametrize("more", ["", "--tile 16", "--optimizer lbfgs --match-every 2"])
def test_a_run_that_compares_patches_is_resumed_to_the_bit(run, tmp_path, more):
    """In the middle between two choices of matches: the state has those that were made before.

    L-BFGS begins anew at each choice, and where it is resumed: here in the same epoch.
    """
    words = [
        *run,
        *"--style-term patches --style-layers relu2_1 relu3_1 --mask".split(),
        grey(tmp_path / "m.png", 0, right=255),
        "--match-every",
        "3",
        *more.split(),
    ]
    whole = painted(words, tmp_path / "whole.png", "--max-num-epochs", 8)
    painted(words, tmp_path / "part.png", "--max-num-epochs", 4)
    part = state.load(tmp_path / ".part.png.state.npz").state
    assert len(part.matches) == 2 and all(numbers.dtype == np.int32 for numbers in part.matches)
    assert nstyle.main(["--resume", str(tmp_path / ".part.png.state.npz"), "--max-num-epochs", "8", "--quiet"]) == 0
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "part.png")), whole)


@pytest.mark.parametrize("change", ["count", "range", "shape", "type"])
def test_matches_of_another_run_are_refused(run, tmp_path, change, capsys):
    words = [*run, "--style-term", "patches", "--style-layers", "relu2_1", "--match-every", "3"]
    painted(words, tmp_path / "part.png", "--max-num-epochs", 4)
    path = tmp_path / ".part.png.state.npz"
    with np.load(path) as file:
        arrays = dict(file)
    numbers = arrays["matches_0"]
    arrays["matches_0"] = {
        "count": numbers[:-1],
        "range": np.full_like(numbers, 10**6),
        "shape": numbers[None],
        "type": numbers.astype("float32"),
    }[change]
    np.savez(path, **arrays)
    before = (tmp_path / "part.png").read_bytes()
    assert code_of(nstyle.main, "--resume", str(path), "--max-num-epochs", "8", "--quiet") == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert (tmp_path / "part.png").read_bytes() == before


@pytest.mark.parametrize(
    "flags, message",
    [
        ("--regions {mask}", "--style-regions must say"),
        ("--style-regions {mask}", "has no effect without --regions"),
        ("--mask nowhere.png", "nowhere.png"),
        ("--patch-size 5", "has no effect without --style-term patches"),
        ("--style-term patches --style-norm gatys", "--style-norm has no effect without --style-term gram"),
        ("--style-term patches gram", "--style-term has 2 values for 5 style layers"),
        ("--style-term patches --patch-size 9", "--patch-size 9: on relu"),
        ("--regions {mask} --style-regions {mask} {mask}", "has 2 values for 1 in --style-image"),
        ("--mask {mask} --content-weight 0", "the mask or the regions leave no room for the style"),
    ],
)
def test_what_does_not_go_together_is_said(run, tmp_path, capsys, flags, message):
    words = flags.format(mask=grey(tmp_path / "black.png", 0)).split()
    assert code_of(nstyle.main, *run, *words) == 2 and message in capsys.readouterr().err


def test_the_picture_carries_what_repeats_it_and_the_page_shows_the_mask(run, tmp_path):
    mask, whole = grey(tmp_path / "m.png", 0, right=255), grey(tmp_path / "whole.png", 77)
    flags = (
        f"--mask {mask} --regions {whole} --style-regions {whole} --style-term patches --style-layers relu2_1".split()
    )
    first = painted(run, tmp_path / "first.png", *flags, "--report")
    assert (
        nstyle.main(
            (
                f"--recipe {tmp_path}/first.png --model-params {run[run.index('--model-params') + 1]} "
                f"--output {tmp_path}/again.png --quiet"
            ).split()
        )
        == 0
    )
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "again.png")), first)
    page = (tmp_path / "first.report.html").read_text(encoding="utf-8")
    for caption, name in (("mask", "m.png"), ("regions", "whole.png"), ("regions of the style", "whole.png")):
        assert f"<b>{caption}</b> {name}" in page


def test_smaller_levels_have_the_mask_and_the_regions_at_their_size(run, tmp_path):
    whole = grey(tmp_path / "whole.png", 77)
    flags = f"--regions {whole} --style-regions {whole} --max-long-edge 72 --pyramid 1 --pyramid-epochs 2".split()
    plain = painted(run, tmp_path / "plain.png", *flags[4:])
    found = painted(run, tmp_path / "found.png", *flags)
    assert np.abs(found.astype(int) - plain).mean() < 0.5


def test_keep_best_is_resumed_to_the_bit_where_matches_are_chosen(run, tmp_path):
    words = [
        *run,
        *(
            "--style-term patches --style-layers relu2_1 relu3_1 --start content --content-weight 0 "
            "--match-every 4 --optimizer adam --lr 2 --keep-best"
        ).split(),
    ]
    whole = painted(words, tmp_path / "whole.png", "--max-num-epochs", 5)
    painted(words, tmp_path / "part.png", "--max-num-epochs", 4)
    assert nstyle.main(["--resume", str(tmp_path / ".part.png.state.npz"), "--max-num-epochs", "5", "--quiet"]) == 0
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "part.png")), whole)


@pytest.mark.parametrize("change", ["fewer", "none"])
def test_a_state_without_its_matches_is_refused(run, tmp_path, change, capsys):
    words = [*run, "--style-term", "patches", "--style-layers", "relu2_1", "relu3_1", "--match-every", "3"]
    painted(words, tmp_path / "part.png", "--max-num-epochs", 4)
    path = tmp_path / ".part.png.state.npz"
    with np.load(path) as file:
        arrays = {
            name: file[name]
            for name in file.files
            if not name.startswith("matches") or (change, name) == ("fewer", "matches_0")
        }
    np.savez(path, **arrays)
    assert code_of(nstyle.main, "--resume", str(path), "--max-num-epochs", "8", "--quiet") == 2
    assert "matches" in capsys.readouterr().err


def test_another_mask_is_another_run(run, tmp_path, capsys):
    mask, other = grey(tmp_path / "m.png", 0, right=255), grey(tmp_path / "o.png", 255, right=0)
    painted(run, tmp_path / "part.png", "--mask", mask)
    assert (
        code_of(
            nstyle.main,
            "--resume",
            str(tmp_path / ".part.png.state.npz"),
            "--max-num-epochs",
            "8",
            "--quiet",
            "--mask",
            other,
        )
        == 2
    )
    assert "the mask or the regions have changed" in capsys.readouterr().err


def test_smaller_levels_have_regions_and_do_without_what_has_no_place(run, tmp_path, monkeypatch, caplog):
    from neural_style.run import optimize

    names, minimise = [], optimize.minimise
    monkeypatch.setattr(
        optimize, "minimise", lambda objective, *more: names.append(objective.names) or minimise(objective, *more)
    )
    whole = grey(tmp_path / "whole.png", 77)
    painted(
        run,
        tmp_path / "p.png",
        *(
            f"--max-long-edge 72 --patch-size 4 --pyramid 1 --pyramid-epochs 2 --regions {whole} "
            f"--style-regions {whole} --style-term patches --style-layers relu3_1 relu4_1 --tv-weight 0"
        ).split(),
    )
    assert names == [
        ["relu3_1 patches in region 1", "relu4_2"],
        ["relu3_1 patches in region 1", "relu4_1 patches in region 1", "relu4_2"],
    ]


def test_a_region_must_have_a_style_with_a_weight(run, tmp_path, thumbnails, capsys):
    whole = grey(tmp_path / "whole.png", 77)
    words = [
        *f"--style-image {thumbnails}/coffee.png {thumbnails}/rocket.png --style-blend-weights 0 1 --regions".split(),
        grey(tmp_path / "two.png", 77, right=200),
        "--style-regions",
        whole,
        grey(tmp_path / "other.png", 200),
    ]
    assert code_of(nstyle.main, *run, *words) == 2
    assert "all styles of a region have weight 0" in capsys.readouterr().err


def test_a_small_mask_leaves_black_black(run, tmp_path, thumbnails):
    """Scaled up it has no rings, and anti-aliased black on nothing is nothing."""
    from neural_style.pictures import regions
    from neural_style.pictures.images import resized
    from neural_style.pictures.read import read_picture

    mask = np.zeros((30, 45), np.uint8)
    mask[:, 20:25] = 255
    Image.fromarray(mask).save(tmp_path / "m.png")
    photo = np.asarray(Image.open(thumbnails / "chelsea.png"))
    result = painted(run, tmp_path / "out.png", "--mask", tmp_path / "m.png", "--output-size", "same")
    np.testing.assert_array_equal(result[:, :45], photo[:, :45])
    shape = np.zeros((30, 45, 4), np.uint8)
    shape[5:20, 5:20, 3] = np.linspace(0, 255, 15).astype(np.uint8)
    Image.fromarray(shape).save(tmp_path / "shape.png")
    assert not regions.mask_of(
        read_picture(str(tmp_path / "shape.png")), read_picture(str(thumbnails / "chelsea.png"))
    ).any()
    assert resized(mask[:, :, None], (90, 135), Image.BILINEAR)[:, :54].max() == 0
