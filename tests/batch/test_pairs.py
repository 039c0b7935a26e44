"""Which pictures a batch is of, and what its results are called."""

import time

import pytest

from neural_style.batch import pairs
from neural_style.batch.record import Entry
from neural_style.pictures.find import find_pictures
from neural_style.system.errors import UsageError


def test_names_are_unique_and_stay(tmp_path):
    sides = [("/a/1.jpg", "/s/x.jpg"), ("/b/1.jpg", "/s/x.jpg"), ("/a/50%.jpg", "/s/x.jpg"), ("/a/5\\.jpg", "/s/x.jpg")]
    named = pairs.name_outputs(sides, tmp_path, "jpg", [])
    assert [one.output for one in named] == ["1-x.jpg", "1-x-2.jpg", "50_-x.jpg", "5_-x.jpg"]
    known = [Entry(*one, "done") for one in named]
    again = pairs.name_outputs([("/0/1.jpg", "/s/x.jpg")] + sides, tmp_path, "jpg", known)
    assert [one.output for one in again] == ["1-x-3.jpg", "1-x.jpg", "1-x-2.jpg", "50_-x.jpg", "5_-x.jpg"]
    assert [one.output for one in pairs.name_outputs(sides, tmp_path, "png", known)][:2] == ["1-x.png", "1-x-2.png"]
    known = [Entry("/a/a.jpg", "/s/x.jpg", "a-x.jpg", "done")]  # some file systems take it for A-x.jpg
    assert pairs.name_outputs([("/b/A.jpg", "/s/x.jpg")], tmp_path, "jpg", known)[0].output == "A-x-2.jpg"
    mine = (str(tmp_path / "1.jpg"), str(tmp_path / "1-1.jpg"))  # a result must never replace an input
    assert pairs.name_outputs([mine, (mine[0], mine[0])], tmp_path, "jpg", [])[1].output == "1-1-2.jpg"


def test_many_of_one_name_are_named_quickly(tmp_path):
    sides = [(f"/{number}/1.jpg", "/s/x.jpg") for number in range(20000)]
    known = [Entry(f"/known{number}", "/s/x.jpg", f"1-x-{number}.jpg", "done") for number in range(20000)]
    start = time.process_time()
    assert pairs.name_outputs(sides, tmp_path, "jpg", known)[-1].output == "1-x-39998.jpg"
    assert time.process_time() - start < 30


def test_patterns(tmp_path):
    for name in ("frame10.png", "frame2.png", "Frame1.PNG", "notes.txt", "a[1].png"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "empty").mkdir()

    def found(*patterns):
        paths = find_pictures([str(tmp_path / one) for one in patterns], "--content")
        return [path[len(str(tmp_path)) + 1 :] for path in paths]

    assert found("") == ["a[1].png", "Frame1.PNG", "frame2.png", "frame10.png"]
    assert found("frame*") == ["frame2.png", "frame10.png"] and found("a[1].png") == ["a[1].png"]
    assert found("notes.txt", "frame2.png") == ["notes.txt", "frame2.png"]
    for pattern, said in (("x*.png", "no such picture"), ("empty", "no picture in this folder")):
        with pytest.raises(UsageError, match=said):
            found(pattern)
