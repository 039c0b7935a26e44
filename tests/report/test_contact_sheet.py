"""The contact sheet of a batch: what is in it, and that nothing breaks out of it."""

import os
import re
from urllib.parse import unquote

import numpy as np
from PIL import Image
from test_report import HOSTILE, Parsed, picture, pixels

from neural_style.batch.record import Entry
from neural_style.report import contact_sheet


def written(folder, entries, *sequence):
    contact_sheet.write(folder / "index.html", entries, *sequence)
    return Parsed(folder / "index.html")


def done(folder, content, style, **more):
    """The Entry of a pair whose three pictures are made."""
    output = more.pop("output", f"{content}-{style}.png")
    for name in (f"{content}.png", f"{style}.png", output):
        picture(folder / name, (300, 200))
    return Entry(
        str(folder / f"{content}.png"),
        str(folder / f"{style}.png"),
        output,
        **{"outcome": "done", "epochs": 3, "seconds": 65.0, **more},
    )


def test_every_content_in_every_style_is_a_table(tmp_path):
    entries = [done(tmp_path, content, style) for content in ("a", "b") for style in ("s", "t")]
    entries[0] = entries[0]._replace(outcome="failed", error="no luck")
    sheet = written(tmp_path, entries)
    tags = [tag for tag, _ in sheet.elements]
    assert (tags.count("table"), tags.count("tr"), tags.count("td"), tags.count("th")) == (1, 3, 5, 4)
    assert [one["href"] for tag, one in sheet.elements if tag == "a"] == ["a-t.png", "b-s.png", "b-t.png"]
    small = [pixels(one) for tag, one in sheet.elements if tag == "img"]
    assert len(small) == 7 and {one.size for one in small} == {(300, 200)}
    assert "4 pairs: 3 done, 1 failed" in sheet.text and "faileda.png × s.pngno luck" in sheet.text
    assert "3 epochs, 1 min 5 s" in sheet.text


def test_other_pairs_are_cards(tmp_path):
    sheet = written(tmp_path, [done(tmp_path, "a", "s"), done(tmp_path, "b", "t", epochs=None, seconds=None)])
    assert {one.get("class") for tag, one in sheet.elements if tag == "div"} == {"cards", "box"}
    assert len(sheet.images("")) == 0 and [one["alt"] for tag, one in sheet.elements if tag == "img"] == [
        "a-s.png",
        "b-t.png",
    ]
    assert "1 pair: 1 waiting" in written(tmp_path, [Entry("/c/a.png", "/s/b.png", "a-b.png", "waiting")]).text
    assert "0 pairs" in written(tmp_path, []).text


def test_names_are_text(tmp_path):
    names = ["a b#?%", '"><img src=x onerror=alert(1)>', "javascript:alert(1)", "$policy ${x}", "\udcff", "it's &amp;"]
    entries = [done(tmp_path, name, "s") for name in names]
    entries += [Entry(f"/c/{HOSTILE}", "/s/s.png", "x", "failed", error=HOSTILE), Entry("/c/c", "/s/s", "y", HOSTILE)]
    sheet = written(tmp_path, entries)
    tags = [tag for tag, _ in sheet.elements]
    assert tags.count("img") == len(names) and tags.count("script") == 1
    assert not [name for _, one in sheet.elements for name in one if name.startswith("on")]
    links = [one["href"] for tag, one in sheet.elements if tag == "a"]
    assert [unquote(link, errors="surrogateescape") for link in links] == [f"{name}-s.png" for name in names]
    assert all(re.fullmatch(r"[\w%.~-]+", link) for link in links) and HOSTILE not in sheet.html
    assert sheet.text.count(HOSTILE) == 3 and "$policy ${x}-s.png" in sheet.text


def test_it_asks_for_nothing(tmp_path):
    sheet = written(tmp_path, [done(tmp_path, "a", "s")])
    assert "://" not in sheet.html and "url(" not in sheet.html and "@import" not in sheet.html
    (policy,) = [one["content"] for _, one in sheet.elements if one.get("http-equiv") == "Content-Security-Policy"]
    assert re.fullmatch(
        r"default-src 'none'; img-src data:; style-src 'sha256-[\w+/=]+'; script-src 'sha256-[\w+/=]+'; "
        r"base-uri 'none'; form-action 'none'",
        policy,
    )


def test_pictures_that_cannot_be_read_leave_a_gap(tmp_path):
    entries = [done(tmp_path, content, style) for content in ("a", "b") for style in ("s", "t")]
    (tmp_path / "a.png").unlink()
    (tmp_path / "b.png").write_bytes(b"damaged")
    (tmp_path / "s.png").unlink()
    os.mkfifo(tmp_path / "s.png")  # to read it would take for ever
    (tmp_path / "t.png").unlink()
    (tmp_path / "t.png").symlink_to("/dev/zero")
    sheet = written(tmp_path, entries)
    assert [one["alt"] for tag, one in sheet.elements if tag == "img"] == [entry.output for entry in entries]


def test_the_frames_of_a_sequence_are_films(tmp_path):
    entries = [
        done(tmp_path, content, style) for content in ("f1", "f2", "f10") for style in ("s", HOSTILE.replace("/", "|"))
    ]
    entries[2] = entries[2]._replace(outcome="failed", error="no luck")
    sheet = written(tmp_path, entries, True)
    assert "6 frames: 5 done, 1 failed" in sheet.text and HOSTILE.replace("/", "|") not in sheet.html
    films = [one for tag, one in sheet.elements if tag == "section"]
    assert [one["aria-label"] for one in films] == ["s.png", HOSTILE.replace("/", "|") + ".png"]
    links = [unquote(one["href"]) for tag, one in sheet.elements if tag == "a" and "href" in one]
    assert links[:3] == ["f1-s.png", "f10-s.png", entries[1].output] and len(sheet.ids) == len(set(sheet.ids))


def test_small_pictures_are_sharp_and_those_of_a_large_batch_half_as_large(tmp_path, monkeypatch):
    entry, name = done(tmp_path, "a", "s"), "a-s.png"
    picture(tmp_path / name, (3000, 1500))
    for many, size in ((1, (400, 200)), (0, (200, 100))):
        monkeypatch.setattr(contact_sheet, "MANY", many)
        assert [pixels(one).size for tag, one in written(tmp_path, [entry]).elements if tag == "img"] == [size]


def test_pictures_of_many_bits(tmp_path):
    Image.fromarray(np.full((4, 6), 32768, "uint16")).save(tmp_path / "deep.png")
    entry = done(tmp_path, "a", "s")._replace(output="deep.png")
    (shown,) = (pixels(one) for tag, one in written(tmp_path, [entry]).elements if tag == "img")
    assert shown.size == (6, 4) and abs(shown.getpixel((3, 2))[0] - 128) <= 1
