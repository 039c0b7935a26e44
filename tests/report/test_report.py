"""The page of a run: what is in it, that nothing breaks out of it, that it is written whole."""

import base64
import io
import json
import logging
import re
import shlex
import time
from argparse import Namespace
from collections import namedtuple
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from neural_style import nstyle
from neural_style.pictures.read import Picture
from neural_style.pictures.write import read_recipe
from neural_style.report import page as report
from neural_style.report.show import show
from neural_style.run import state
from neural_style.run.saving import Saving

Record = namedtuple("Record", ["epoch", "eps", "losses", "total", "seconds"])
HOSTILE = "<script>alert(1)</script>"


def history(epochs, losses=lambda epoch: {"style": 9e9 / epoch, "content": 5e6 + epoch, "tv": 0.5}):
    return [
        Record(epoch, 1 / epoch, losses(epoch), sum(losses(epoch).values()), 2.0 * epoch)
        for epoch in range(1, epochs + 1)
    ]


def picture(path, size=(60, 40), color=(200, 90, 30)):
    Image.fromarray(np.full((size[1], size[0], 3), color, "uint8")).save(path)
    return path


def checkpoints(folder, epochs):
    return [(epoch, picture(folder / f"e_{epoch}.png", color=(epoch % 256, 120, 60))) for epoch in epochs]


@pytest.fixture
def page(tmp_path):
    """A Report of a content of 120x80 and a style of 50x70, written to tmp_path/report.html."""
    inputs = [
        ("content", picture(tmp_path / "photo.png", (120, 80))),
        ("style", picture(tmp_path / "art.png", (50, 70))),
    ]
    return report.Report(
        tmp_path / "report.html",
        inputs,
        "python -m neural_style --seed=3",
        {"seed": 3, "device": "CPU", "GPU": None},
        0.005,
    )


class Parsed(HTMLParser):
    """What a browser makes of a page: its elements with their attributes, its text, and the data for its script."""

    def __init__(self, path):
        super().__init__()
        self.elements, self.text, self.data, self._open = [], "", None, ""
        self.html = path.read_text(encoding="utf-8")
        self.feed(self.html)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self._open = "data" if ("type", "application/json") in attributes else tag

    def handle_endtag(self, tag):
        self._open = ""

    def handle_data(self, text):
        if self._open == "data":
            self.data = json.loads(text)
        elif self._open not in ("style", "script"):
            self.text += text

    @property
    def ids(self):
        return [one["id"] for _, one in self.elements if "id" in one]

    def images(self, kind):
        return [one for tag, one in self.elements if tag == "img" and kind in one["class"].split()]


def pixels(image):
    head, data = image["src"].split(",")
    assert head == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


def test_what_is_in_it(page, tmp_path):
    page.write(
        history(60),
        checkpoints(tmp_path, [20, 40, 60]) + [("final", picture(tmp_path / "final.png"))],
        "finished",
        125.4,
        80,
    )
    seen = Parsed(tmp_path / "report.html")
    assert [image["alt"] for image in seen.images("after")] == ["epoch 20", "epoch 40", "epoch 60", "final"]
    assert [image["data-epoch"] for image in seen.images("after")] == ["20", "40", "60", "60"]
    assert [image["alt"] for image in seen.images("on")] == ["final"]
    (content,) = seen.images("before")
    assert pixels(content).size == pixels(seen.images("after")[0]).size == (60, 40)  # of one shape
    red, green, blue = pixels(seen.images("after")[1]).getpixel((30, 20))
    assert abs(red - 40) < 4 and abs(green - 120) < 4 and abs(blue - 60) < 4
    for text in (
        "photo.png in the style of art.png",
        "finished after 60 epochs and 2 min 5 s",
        "60 of at most 80",
        "python -m neural_style --seed=3",
        "device",
        "CPU",
        "2.09 s",
    ):
        assert text in seen.text
    assert "GPU" not in seen.text  # what is not known is left out
    assert seen.data["epochs"] == list(range(1, 61)) and seen.data["refresh"] is None
    lines = dict(seen.data["losses"])
    assert list(lines) == ["total", "style", "content", "tv"] and lines["style"][:3] == [9e9, 4.5e9, 3e9]
    assert seen.data["eps"][0][1][:2] == [1, 0.5] and seen.data["stop_eps"] == 0.005
    assert len(set(seen.ids)) == len(seen.ids) > 20
    assert [image["data-file"] for image in seen.images("after")] == ["e_20.png", "e_40.png", "e_60.png", "final.png"]
    assert {image["data-size"] for image in seen.images("after")} == {"60×40"}


def test_pictures_from_memory_and_from_elsewhere(page, tmp_path):
    (tmp_path / "at").mkdir()
    pixels = np.full((40, 60, 3), (10, 120, 60), "uint8")
    saved = picture(tmp_path / "at/a#1 ü:%.png", (2000, 1000))
    page.write(history(2), [(1, Picture("the first", pixels, None)), (2, saved)], "running", 2, 3)
    first, second = Parsed(tmp_path / "report.html").images("after")
    assert abs(pixels_of(first)[20, 30] - pixels[0, 0]).max() < 4 and "data-file" not in first
    assert (second["data-file"], second["data-size"]) == ("at/a%231%20%C3%BC%3A%25.png", "2000×1000")


def test_the_name_that_pictures_are_downloaded_under(tmp_path):
    def name(*names):
        pictures = [("", picture(tmp_path / name)) for name in names]
        report.Report(tmp_path / "report.html", pictures, "", {}).write([], [], "running", 0, 10)
        return Parsed(tmp_path / "report.html").data["name"]

    assert name("cat.jpg", "night.png") == "cat-in-the-style-of-night"
    assert name("my cat (1).jpg", "a.png", "b.png") == "my-cat-1-in-the-style-of-a-b"
    assert name("<..>.png") == "picture" and name("ü" * 60 + ".png", "x" * 60 + ".png").startswith("ü")
    assert len(name("x" * 200 + ".png")) == 100


def test_the_time_left_is_at_the_pace_of_the_recent_epochs(page, tmp_path):
    def left(seconds):
        rows = [row._replace(seconds=value) for row, value in zip(history(len(seconds)), seconds)]
        page.write(rows, [], "running", seconds[-1], 100)
        return re.search("most 100, (.*) left at most", Parsed(tmp_path / "report.html").text)[1]

    assert left([10.0]) == "16 min 30 s" and left([10.0, 11.0]) == "1 min 38 s"
    assert left([1000.0] + [1000.0 + n for n in range(1, 50)]) == "50 s"


def test_inputs_are_small_and_as_they_are(page, tmp_path):
    picture(tmp_path / "photo.png", (3000, 1000))
    page.write([], [], "running", 0, 10)
    seen = Parsed(tmp_path / "report.html")
    assert [pixels(image).size for image in seen.images("before")] == [(1000, 333)]
    small = [pixels(one).size for tag, one in seen.elements if tag == "img" and not one["class"]]
    assert small == [(400, 133), (50, 70)]


def test_before_the_first_epoch_and_without_styles(tmp_path):
    page = report.Report(tmp_path / "report.html", [("content", picture(tmp_path / "photo.png"))], "", {})
    page.write([], [], "running", 0, 10)
    seen = Parsed(tmp_path / "report.html")
    assert "running, before the first epoch" in seen.text and not seen.images("after") and "style" not in seen.text
    assert seen.data["epochs"] == []


def test_only_a_running_page_looks_for_news_and_as_often_as_there_are_some(page, tmp_path):
    def refresh(status, seconds, checkpoints=()):
        page.write(history(5), list(checkpoints), status, seconds, 10)
        return Parsed(tmp_path / "report.html").data["refresh"]

    saved = [(1, picture(tmp_path / "e_1.png"))]
    assert [refresh("running", seconds) for seconds in (0, 0, 1000)] == [10, 10, 30]
    assert [refresh("running", seconds, saved) for seconds in (1000.1, 1010.1, 2000)] == [2, 10, 30]
    assert [refresh(status, 1010) for status in ("finished", "stopped", "failed")] == [None] * 3


def test_names_are_text(tmp_path):
    folder = tmp_path / "<b>"
    folder.mkdir()
    content = picture(folder / "<script>\"'& $title.png")
    style = picture(folder / "<img src=x onerror=alert(1)>.png")
    page = report.Report(
        tmp_path / "report.html",
        [(HOSTILE, content), ("style", style)],
        f"run '{HOSTILE}' $title",
        {HOSTILE: HOSTILE, "price": "$100 ${x}"},
    )
    page.write(history(3, lambda epoch: {HOSTILE: 1.0, "style": 2.0}), [(1, style)], "running", 1, 3)
    seen = Parsed(tmp_path / "report.html")
    tags = [tag for tag, _ in seen.elements]
    assert tags.count("script") == 2 and tags.count("img") == 4 and tags.count("b") == 2  # two captions
    assert not [name for _, one in seen.elements for name in one if name.startswith("on")]
    for text in (content.name, style.name, f"run '{HOSTILE}' $title", "$100 ${x}"):
        assert text in seen.text
    assert seen.data["losses"][1][0] == HOSTILE
    assert HOSTILE not in seen.html


def test_it_asks_for_nothing(page, tmp_path):
    """No address in any attribute or style; the policy forbids all but the style and script that are in the page."""
    page.write(history(3), checkpoints(tmp_path, [2]), "running", 1, 3)
    seen = Parsed(tmp_path / "report.html")
    addresses = [one[name] for _, one in seen.elements for name in ("src", "href", "action") if name in one]
    assert len(addresses) == 5 and all(address.startswith("data:") for address in addresses)
    rest = re.sub(r'"data:[^"]*"', "", seen.html).replace("http://www.w3.org/2000/svg", "")  # a namespace's name
    assert "://" not in rest and "url(" not in rest and "@import" not in rest
    (policy,) = [one["content"] for _, one in seen.elements if one.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-") and "unsafe" not in policy


def test_numbers_that_are_none(page, tmp_path):
    losses = {1: float("inf"), 2: float("nan"), 3: 0.0, 4: -1.0}
    page.write(history(4, lambda epoch: {"style": losses[epoch]}), [], "failed", 1, 4)
    assert Parsed(tmp_path / "report.html").data["losses"] == [["style", [None, None, 0, -1]]]


def test_a_long_run_makes_no_large_page(page, tmp_path):
    noise = np.random.RandomState(1).randint(0, 255, (40, 60, 3)).astype("uint8")
    Image.fromarray(noise).save(tmp_path / "noise.png")
    saved = [(epoch, tmp_path / "noise.png") for epoch in range(10, 20001, 10)]
    page.write(history(20000), saved, "running", 9, 20000)
    seen = Parsed(tmp_path / "report.html")
    shown = [int(image["data-epoch"]) for image in seen.images("after")]
    assert 12 <= len(shown) <= report.MOST_PICTURES and shown[0] == 10 and shown[-1] == 20000
    assert len(set(np.diff(shown[:-1]))) == 1
    epochs = seen.data["epochs"]
    assert 1000 <= len(epochs) <= report.MOST_POINTS and epochs[0] == 1 and epochs[-1] == 20000
    assert len(seen.html) < 400000


@pytest.mark.parametrize("count", [0, 1, 2, 23, 24, 25, 100, 1000])
def test_thinning(count):
    items = list(range(count))
    kept = report.thinned(items, 24)
    assert len(kept) <= 24 and kept[:1] == items[:1] and kept[-1:] == items[-1:]
    assert count > 23 or kept == items
    assert set(report.thinned(items + [count], 24)[:-1]) <= set(kept)  # none comes back


def test_each_picture_is_read_once_and_forgotten_when_it_is_thinned_out(page, tmp_path, monkeypatch):
    embedded, calls = report.embedded, []
    monkeypatch.setattr(report, "embedded", lambda path, *more: calls.append(path) or embedded(path, *more))
    saved = checkpoints(tmp_path, range(1, 61))
    for number in range(1, 61):
        page.write(history(number), saved[:number], "running", number, 60)
    assert calls.count(tmp_path / "photo.png") == 2  # large and small
    assert all(calls.count(path) == 1 for path in {tmp_path / "art.png", *(path for _, path in saved)})
    assert len(page._encoded) < report.MOST_PICTURES + 5


def test_a_picture_that_is_gone_is_left_out(page, tmp_path, caplog):
    saved = checkpoints(tmp_path, [1, 2, 3])
    page.write(history(1), saved[:1], "running", 1, 3)
    for _, path in saved[:2]:
        path.unlink()
    with caplog.at_level(logging.WARNING):
        page.write(history(3), saved, "finished", 3, 3)
    assert "e_2.png" in caplog.text and "e_1.png" not in caplog.text  # the first is in the page already
    assert [image["alt"] for image in Parsed(tmp_path / "report.html").images("after")] == ["epoch 1", "epoch 3"]


def test_a_page_that_cannot_be_written_leaves_the_old_one_and_ends_nothing(page, tmp_path, monkeypatch, caplog):
    page.write(history(1), [], "running", 1, 3)
    before = (tmp_path / "report.html").read_bytes()

    def disk_full(self, text, **options):
        self.write_bytes(text.encode()[:1000])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", disk_full)
    with caplog.at_level(logging.WARNING):
        page.write(history(2), [], "running", 2, 3)
    assert caplog.messages == [f"{tmp_path / 'report.html'} could not be written: No space left on device"]
    assert (tmp_path / "report.html").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["art.png", "photo.png", "report.html"]


def test_the_command_repeats_the_run():
    words = ["--recipe", "gatys", "--content-image", "IT", "--style-image", "A", "c.jpg", "--seed", "1"]
    names = {"IT": "it's <me>.jpg", "A": "a b.jpg"}
    args = nstyle.get_args([names.get(word, word) for word in words])
    python, m, module, *again = shlex.split(Saving._command(Namespace(args=args)))
    assert (python, m, module) == ("python", "-m", "neural_style")
    assert nstyle.get_args(again) == args and "--recipe" not in again


@pytest.mark.parametrize("flags", [[], ["--preserve-colors", "luma", "--mask"], ["--keep-best"]], ids=" ".join)
def test_early_pictures_are_on_the_page_and_nowhere_else(short_run, tmp_path, flags):
    if "--mask" in flags:
        Image.linear_gradient("L").resize((113, 75)).save(tmp_path / "mask.png")
        flags = [*flags, str(tmp_path / "mask.png")]

    def run(output, save_epochs, *more):
        folder = tmp_path / output
        words = [
            *short_run[:-2],
            *flags,
            *(
                f"--max-num-epochs 22 --stop-eps 0 --quiet --checkpoint-output {folder}/e_%s.png "
                f"--output {folder}/final.png"
            ).split(),
        ]
        assert nstyle.main([*words, "--save-epochs", save_epochs, *more]) == 0
        return {path.name: path for path in folder.iterdir()}

    plain, told, often = run("plain", "8"), run("told", "8", "--report"), run("often", "1")
    page = Parsed(told.pop("final.report.html"))
    assert told.keys() == plain.keys() and all(
        (path.read_bytes() == plain[name].read_bytes())
        for name, path in told.items()
        if name.startswith(("e_", "final"))
    )
    shown = page.images("after")
    assert [image["alt"] for image in shown] == [*(f"epoch {epoch}" for epoch in (1, 5, 8, 10, 16, 20)), "final"]
    assert [image.get("data-file") for image in shown] == [None, None, "e_8.png", None, "e_16.png", None, "final.png"]
    for image in shown[:-1]:
        checkpoint = often[f"e_{image['data-epoch']}.png"]
        assert np.array_equal(pixels_of(image), embedded_pixels(checkpoint))
    assert "style 1, content 10, tv 0.01" in page.text


def pixels_of(image):
    return np.asarray(pixels(image)).astype(int)


def embedded_pixels(path):
    return pixels_of({"src": report.embedded(path, report.LONG_EDGE).uri})


@pytest.fixture
def browser_script(tmp_path, monkeypatch):
    """In place of a browser: a script that takes its time and writes the address to the file whose path this gives."""
    script, told = tmp_path / "browser", tmp_path / "told"
    script.write_text(f"#!/bin/sh\nsleep 1\necho $1 > {told}~ && mv {told}~ {told}\n")
    script.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{script} %s")
    return told


def comes(there):
    """Whether something happens within a while."""
    end = time.monotonic() + 20
    while not there() and time.monotonic() < end:
        time.sleep(0.05)
    return there()


def test_show_opens_the_page_and_is_kept_nowhere(short_run, tmp_path, browser_script):
    nstyle.train_nstyle(nstyle.get_args([*short_run, "--show"]))
    out = tmp_path / "out"
    assert comes(browser_script.exists) and browser_script.read_text().strip() == (out / "report.html").as_uri()
    saved = state.load(out)
    assert saved.args["report"] and "show" not in saved.args
    assert "--show" not in read_recipe(out / "final.jpg") and "--show" not in (out / "report.html").read_text()


def test_show_waits_for_nothing_and_says_where_the_page_is_if_there_is_no_browser(
    tmp_path, browser_script, monkeypatch, caplog
):
    show(tmp_path / "a page.html")
    assert not browser_script.exists()
    assert comes(browser_script.exists) and browser_script.read_text().strip().endswith("/a%20page.html")
    monkeypatch.setenv("BROWSER", str(tmp_path / "none"))
    monkeypatch.setenv("PATH", str(tmp_path))
    show(tmp_path / "a page.html")
    assert comes(lambda: caplog.messages)
    assert caplog.messages == [f"no browser could be opened; the page is {tmp_path / 'a page.html'}"]


def test_durations():
    assert [report.duration(seconds) for seconds in (0.4, 59.7, 185, 7805)] == [
        "0 s",
        "1 min 0 s",
        "3 min 5 s",
        "2 h 10 min",
    ]
