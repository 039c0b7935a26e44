"""batch.json, which anyone may have made."""

import json
import os
import time

import pytest
from stubs import entries, told, words

from neural_style.batch import record
from neural_style.batch.__main__ import main
from neural_style.batch.pairs import Pair
from neural_style.saved import records
from neural_style.system.errors import UsageError

GOOD = {
    "content": "/c/a.png",
    "style": "/s/b.png",
    "output": "a-b.png",
    "outcome": "done",
    "fingerprint": "0123",
    "error": None,
    "epochs": 3,
    "eps": 0.1,
    "seconds": 2,
    "host": "here",
}


def test_it_remembers(tmp_path):
    first = record.Record(tmp_path)
    pairs = [Pair("/c/a.png", "/s/b.png", "a-b.png"), Pair("/c/\udcff.png", "/s/b.png", "\udcff-b.png")]
    first.expect(pairs)
    first.put(record.Entry(*pairs[1], "done", "0123", None, 3, 0.1, 2.5, "here"))
    (tmp_path / "\udcff-b.png").touch()
    second = record.Record(tmp_path)
    assert second.entries == first.entries and [entry.outcome for entry in second.entries.values()] == [
        "waiting",
        "done",
    ]
    assert (
        second.is_done(pairs[1], "0123")
        and not second.is_done(pairs[1], "4567")
        and not second.is_done(pairs[0], "0123")
    )
    other = Pair("/c/c.png", "/s/b.png", "c-b.png")
    second.expect([other])  # the first has left no picture
    assert list(record.Record(tmp_path).entries) == ["\udcff-b.png", "c-b.png"]


def test_entries_of_old_and_of_more_fields(tmp_path):
    rows = [
        {name: GOOD[name] for name in ("content", "style", "output", "outcome")},
        {**GOOD, "output": "x", "more": 1},
    ]
    (tmp_path / "batch.json").write_text(json.dumps({"pairs": rows}))
    one, two = record.Record(tmp_path).entries.values()
    assert one.error is None and one.seconds is None and two == record.Entry(**{**GOOD, "output": "x"})


WRONG = [
    *(
        {"output": name}
        for name in ("../a.png", "/etc/passwd", "..", ".", "", "a/b.png", "a\\b.png", "a\0.png", "\ud800.png")
    ),
    *({name: "-"} for name in ("content", "style")),
    *({name: "/a\0"} for name in ("content", "style")),
    *({name: value} for name in GOOD for value in (["x"], {}, True)),
    *({name: 1} for name in GOOD if type(GOOD[name]) is str),
    {"epochs": 1.5},
    {"epochs": "3"},
    {"error": 3},
    {"outcome": "<b>"},
    {"content": None},
    {"output": None},
]


@pytest.mark.parametrize("change", WRONG, ids=lambda change: ascii(change)[1:-1])
def test_a_wrong_field_is_one_line(tmp_path, change):
    refused(tmp_path, json.dumps({"pairs": [GOOD, {**GOOD, **change}]}), f"pair 2 has a wrong {next(iter(change))}")


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "Expecting value"),
        ("[]", "no list of pairs"),
        ('{"pairs": {}}', "no list of pairs"),
        ('{"pairs": [1]}', "pair 1 is no"),
        ('{"pairs": [{"seconds": NaN}]}', "out of range"),
        ('{"pairs": [1e999]}', "out of range"),
        ("[" * 10**6, "nested"),
        ("[" + "9" * 10**7 + "]", "out of range"),
        ("\xff", "utf-8"),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path, text, said):
    refused(tmp_path, text.encode("latin-1"), said)


def refused(folder, text, said):
    (folder / "batch.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    start = time.monotonic()
    with pytest.raises(UsageError) as caught:
        record.Record(folder)
    assert time.monotonic() - start < 5
    message = str(caught.value)
    assert (
        str(folder / "batch.json") in message
        and said in message
        and len(message.splitlines()) == 1
        and len(message) < 400
    )


@pytest.mark.parametrize(
    "make",
    [
        os.mkfifo,
        os.mkdir,
        lambda path: os.symlink("/dev/zero", path),
        lambda path: os.truncate(path, records.LARGEST_RECORD + 1),
    ],
)
def test_what_cannot_be_a_record_is_not_read(tmp_path, make):
    path = tmp_path / "batch.json"
    if make.__name__ == "<lambda>" and "truncate" in make.__code__.co_names:
        path.touch()
    make(path)
    with pytest.raises(UsageError, match="not a file|larger than|Is a directory"):
        record.Record(tmp_path)


def test_nothing_is_written_outside_the_folder(folder, stub, tmp_path, capfd):
    """A record names the pair's own pictures with an output elsewhere; a link leads elsewhere."""
    treasure = tmp_path / "treasure.png"
    treasure.write_bytes(b"gold")
    (folder / "out").mkdir()
    own = {"content": str(folder / "in/chelsea.png"), "style": str(folder / "style/coffee.png"), "outcome": "done"}
    for output in ("../treasure.png", str(treasure)):
        (folder / "out/batch.json").write_text(json.dumps({"pairs": [{**own, "output": output}]}))
        assert main(words(folder, *stub)) == 2
        assert len(capfd.readouterr().err.splitlines()) == 1 and not told(folder)
    name = "chelsea-coffee-7.png"
    for link in (name, "index.html", f".{name}.npy", f".{name}.state.npz"):
        (folder / "out" / link).symlink_to(treasure)
    (folder / "out/batch.json").write_text(json.dumps({"pairs": [{**own, "output": name}]}))
    assert main(words(folder, "--sequence", *stub)) == 0
    assert sorted(entries(folder)) == [name, "rocket-coffee.png"] and treasure.read_bytes() == b"gold"


def test_no_other_picture_of_the_folder_is_taken_for_a_result(folder, stub):
    own = {"content": str(folder / "in/chelsea.png"), "style": str(folder / "style/coffee.png"), "outcome": "done"}
    before = (folder / "in/rocket.png").read_bytes()
    (folder / "in/batch.json").write_text(json.dumps({"pairs": [{**own, "output": "rocket.png"}]}))
    assert (
        main([*f"--content {folder}/in --style {folder}/style --output {folder}/in --format png".split(), *stub]) == 0
    )
    assert [task["name"] for task in told(folder)] == ["chelsea.png"] and (
        folder / "in/rocket.png"
    ).read_bytes() == before
