"""What the studio does for its page: taking pictures in, commands, jobs, and everything after a restart."""

import json
import os
import shlex
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from conftest import Served, folder_in, wish_of
from forks import command, finished
from networks import SMALL
from PIL import Image

from neural_style.network import architecture
from neural_style.options.flags import BY_ATTRIBUTE
from neural_style.painting import SUBJECTS
from neural_style.studio import looks


def typed(studio, job):
    """Type a job's command in its folder, with another place for its result; returns the picture's bytes."""
    words = shlex.split(job["command"])
    assert words[:2] == ["python", "-m"]
    words[words.index("--output") + 1] = f"typed/{job['id']}.png"

    def run():
        architecture.NETWORKS.update(SMALL)
        return command(*words[2:])()

    assert finished(run, cwd=studio.folder)[0] == 0
    return Path(studio.folder, "typed", f"{job['id']}.png").read_bytes()


def result(studio, job):
    return (studio.folder / job["output"]).read_bytes()


def test_the_picture_is_that_of_its_command(studio, wish):
    command = studio.api("command", wish)["command"]
    assert command.startswith(
        "python -m neural_style photographs/chelsea.png paintings/coffee.png --max-long-edge=48 --max-num-epochs=8 "
        "--stop-eps=0 --output chelsea-coffee-"
    )
    id = studio.begin(wish)
    job = studio.done(id)
    assert job["command"] == command and job["done"] == 8 and job["error"] is None
    assert result(studio, job) == typed(studio, job)
    history = studio.api(f"jobs/{id}/history")
    assert [row["epoch"] for row in history["rows"]] == list(range(1, 9)) and history["pictures"] == [3, 6]
    assert {"eps", "total", "seconds", "losses"} <= set(history["rows"][0])
    assert studio.ask(f"api/jobs/{id}/epochs/3")[0] == 200 and studio.ask(f"api/jobs/{id}/epochs/4")[0] == 404


def test_a_studio_that_starts_as_it_is_typed(small_files, shrinking, thumbnails, tmp_path):
    """And its children: here they are no forks."""
    folder = folder_in(tmp_path, small_files["vgg19"])
    command = [sys.executable, "-m", "neural_style.studio", str(folder), "--no-browser"]
    threads = {"OMP_NUM_THREADS": os.environ["OMP_NUM_THREADS"]}  # of the forks that it is compared with
    served = Served(folder, subprocess.Popen, command, env={**os.environ, **shrinking, **threads})
    try:
        done = served.done(served.begin(wish_of(served, thumbnails, max_num_epochs=1)))
        assert result(served, done) == typed(served, done)
    finally:
        served.stop()


def held(studio, wish):
    """Begin a job that waits after its third epoch; returns its number."""
    hold = studio.folder / "hold"
    hold.touch()
    id = studio.begin(wish)
    studio.until(id, lambda job: job["done"] == 3)
    return id, hold


def test_stopped_midway_and_continued_it_is_the_same_picture(studio, wish):
    id, hold = held(studio, wish)
    studio.api(f"jobs/{id}/pause", {})
    hold.unlink()
    assert studio.until(id, lambda job: job["status"] == "paused")["done"] == 3
    studio.api(f"jobs/{id}/continue", {})
    done = studio.done(id)
    assert result(studio, done) == typed(studio, done)
    assert [row["epoch"] for row in studio.api(f"jobs/{id}/history")["rows"]] == list(range(1, 9))
    studio.api(f"jobs/{id}/continue", {"epochs": 4})
    assert studio.until(id, lambda job: job["status"] == "done" and job["done"] > 8)["done"] == 12


def test_another_balance_midway(studio, wish):
    id, hold = held(studio, wish)
    values = {**wish["values"], "content_weight": 500, "max_num_epochs": 3}
    changed = studio.api(f"jobs/{id}/change", {"values": values})
    hold.unlink()
    start = f"runs/{changed['id']:04}/start.npy"
    assert changed["parent"]["job"] == id and f"--start={start}" in changed["command"]
    first, second = studio.until(id, lambda job: job["status"] == "stopped"), studio.done(changed["id"])
    assert (studio.folder / first["output"]).is_file() and second["done"] == 3
    assert result(studio, second) == typed(studio, second)
    with np.load(studio.folder / f".{first['output']}.state.npz") as state:
        assert np.array_equal(np.load(studio.folder / start), state["image"])
    studio.api(f"jobs/{changed['id']}/forget", {})
    assert [path.name for path in (studio.folder / start).parent.iterdir()] == ["start.npy"]
    assert (studio.folder / second["output"]).is_file()


def test_a_job_goes_on_with_the_next_server(own, thumbnails):
    _, hold = held(own, wish_of(own, thumbnails, max_num_epochs=20))
    own.process.kill()
    own.stop()
    hold.unlink()
    again = Served(own.folder)
    try:
        assert again.address == own.address  # so that open tabs go on
        assert {one["width"] for one in again.api("pictures") if one["kind"] != "result"} == {113, 150}
        done = again.done(1)
        assert result(again, done) == typed(again, done)
        assert [row["epoch"] for row in again.api("jobs/1/history")["rows"]] == list(range(1, 21))
    finally:
        again.stop()


def test_the_end_of_the_server_saves_what_is_painted(own, thumbnails):
    own.begin(wish_of(own, thumbnails, max_num_epochs=9000))
    own.until(1, lambda job: job["done"] >= 2)
    with urllib.request.urlopen(own.address + "api/events"):  # of an open page, which need not be waited for
        said = own.stop()
    assert "Traceback" not in said
    job = json.loads((own.folder / "runs" / "0001" / "job.json").read_text())
    assert job["status"] == "queued" and (own.folder / f".{job['output']}.state.npz").is_file()


def test_networks_paint_at_once_and_keep_their_pictures(studio, thumbnails):
    id = studio.put(thumbnails / "chelsea.png")
    for network in studio.api("state")["networks"]:
        for what in ("small", "large"):
            status, jpeg = studio.ask(f"api/once/{network}/{id}/{what}")
            assert status == 200 and jpeg[:2] == b"\xff\xd8"
    job = studio.begin({"kind": "network", "content": id, "network": "night", "size": 100})
    done = studio.done(job)
    assert done["output"] == f"chelsea-night-{job}.png"
    assert Image.open(studio.folder / done["output"]).size == (100, 66)
    assert result(studio, done) == typed(studio, done)
    (made,) = [one for one in studio.api("pictures") if one["path"] == done["output"]]
    assert studio.api(f"pictures/{made['id']}/recipe")["network"] == "night"
    assert studio.ask(f"api/once/somebodys/{id}/small")[0] == 404


def test_a_batch(studio, wish, thumbnails):
    other = studio.put(thumbnails / "rocket.png")
    wish.update(kind="batch", contents=[wish["content"], other])
    wish["values"]["max_num_epochs"] = 2
    done = studio.done(studio.begin(wish))
    assert done["done"] == done["total"] == 2
    pictures = {path.name for path in (studio.folder / done["output"]).glob("*.jpg")}
    assert pictures == {"chelsea-coffee.jpg", "rocket-coffee.jpg"}
    assert sum(one["path"].startswith(done["output"]) for one in studio.api("pictures")) == 2


def test_a_film(studio, tmp_path):
    av = pytest.importorskip("av", reason="films need PyAV")
    with av.open(str(tmp_path / "clip.mp4"), "w") as film:
        stream = film.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for shade in (60, 90, 120):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), shade, np.uint8), format="rgb24")
            film.mux(stream.encode(frame))
        film.mux(stream.encode())
    id = studio.put(tmp_path / "clip.mp4")
    job = studio.begin({"kind": "film", "content": id, "network": "night", "size": 64})
    done = studio.done(job)
    assert done["total"] == 3 and done["output"] == f"clip-night-{job}.mp4"
    (film,) = [one for one in studio.api("pictures") if one["path"] == done["output"]]
    status, content = studio.ask(f"api/pictures/{film['id']}/film")
    assert film["film"] and status == 200 and content[4:8] == b"ftyp"
    assert studio.ask(f"api/pictures/{film['id']}/small")[0] == 200


def test_an_animated_gif_is_a_film(studio, tmp_path):
    pytest.importorskip("av", reason="films need PyAV")
    frames = [Image.new("RGB", (64, 48), (shade, 90, 60)) for shade in (60, 120)]
    frames[0].save(tmp_path / "wave.gif", save_all=True, append_images=frames[1:], duration=100)
    id = studio.put(tmp_path / "wave.gif")
    done = studio.done(studio.begin({"kind": "film", "content": id, "network": "night", "size": 64}))
    assert done["done"] == done["total"] == 2
    assert Image.open(studio.folder / done["output"]).n_frames == 2 and done["output"].endswith(".film.gif")


def test_the_recipe_of_a_finished_picture_comes_back(studio, wish):
    wish["values"].update(max_num_epochs=1, content_weight=25)
    done = studio.done(studio.begin(wish))
    dropped = studio.api("upload?kind=photograph&name=x.png", result(studio, done))
    assert "--content-weight=25" in dropped["recipe"]
    found = studio.api(f"pictures/{dropped['id']}/recipe")
    assert found["values"]["content_weight"] == 25 and found["values"]["seed"] == 0
    assert found["pictures"]["content_image"] == "photographs/chelsea.png"
    assert found["styles"] == ["paintings/coffee.png"]
    status, plain = studio.ask(f"api/pictures/{wish['content']}/recipe")
    assert status == 400 and b"there is no recipe" in plain


def test_deleted_and_brought_back(studio, thumbnails):
    id = studio.put(thumbnails / "astronaut.png")
    undo = studio.api(f"pictures/{id}/delete", {})
    assert id not in {one["id"] for one in studio.api("pictures")}
    assert not (studio.folder / "photographs" / "astronaut.png").exists()
    assert studio.api("undo", undo) == {"id": id}
    there = (studio.folder / "photographs" / "astronaut.png").read_bytes()
    assert there == (thumbnails / "astronaut.png").read_bytes()
    assert "nothing to bring back" in studio.refused("undo", undo)


def test_the_same_file_twice_is_one_picture_and_a_namesake_another(studio, thumbnails):
    first, again = studio.put(thumbnails / "chelsea.png"), studio.put(thumbnails / "chelsea.png")
    assert first == again
    other = studio.api("upload?kind=painting&name=../coffee.PNG", (thumbnails / "rocket.png").read_bytes())
    third = studio.api("upload?kind=painting&name=coffee.PNG", (thumbnails / "coffee.png").read_bytes())
    assert {other["path"], third["path"]} == {"paintings/coffee.png", "paintings/coffee-2.png"}


def test_a_mask(studio, wish, tmp_path):
    grey = np.zeros((75, 112), np.uint8)
    grey[:, 56:] = 255
    Image.fromarray(grey).save(tmp_path / "mask.png")
    wish.update(mask=studio.put(tmp_path / "mask.png", "mask"))
    wish["values"].update(max_num_epochs=2, output_size="same")
    done = studio.done(studio.begin(wish))
    painted = np.asarray(Image.open(studio.folder / done["output"])).astype(int)
    photograph = np.asarray(Image.open(studio.folder / "photographs" / "chelsea.png"))
    assert np.abs(painted[:, :40] - photograph[:, :40]).max() <= 2
    assert np.abs(painted[:, 70:] - photograph[:, 70:]).mean() > 10


def test_what_a_run_takes_is_said_before(studio, wish):
    assert "needs about" in studio.api("plan", wish)["says"]
    wish["values"]["max_long_edge"] = 19000
    assert "would fit" in studio.refused("plan", wish)


def test_every_control_is_a_flag_of_the_table():
    table = looks.table()
    shown = {flag["name"] for group in table["groups"] for flag in group["flags"]}
    expected = {name for name, flag in BY_ATTRIBUTE.items() if looks.may_be_set(flag)} - {"style_blend_weights"}
    assert shown == expected and {"content_weight", "start", "seed", "optimizer"} <= shown
    assert not shown & {"model_params", "output", "resume", "content_image", "force", "gpu"}
    names = {look["name"] for look in table["looks"] if look["tile"]}
    assert {path.stem for path in looks.TILES.glob("*.jpg")} == {*names, *SUBJECTS}
