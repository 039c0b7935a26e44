"""What the studio does for its page: taking pictures in, commands, jobs, and everything after a restart."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
from conftest import ROOT
from PIL import Image

from neural_style.options.flags import BY_ATTRIBUTE
from neural_style.studio import looks


def command_of(job, folder, output):
    """Type a job's command in its folder, with another place for its result; returns the picture's bytes."""
    words = shlex.split(job["command"])
    assert words[:2] == ["python", "-m"]
    words[words.index("--output") + 1] = output
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, *words[1:]], cwd=folder, env=env, check=True, stderr=subprocess.DEVNULL)
    return Path(folder, output).read_bytes()


def test_the_picture_is_that_of_its_command(studio, wish):
    assert studio.api("command", wish)["command"] == (
        "python -m neural_style photographs/chelsea.png paintings/coffee.png --max-long-edge=48 --max-num-epochs=8 "
        "--stop-eps=0 --output chelsea-coffee-1.png"
    )
    job = studio.api("jobs", wish)
    job = studio.until(job["id"], lambda job: job["status"] == "done")
    assert job["done"] == 8 and job["error"] is None
    assert (studio.folder / job["output"]).read_bytes() == command_of(job, studio.folder, "typed.png")
    history = studio.api("jobs/1/history")
    assert [row["epoch"] for row in history["rows"]] == list(range(1, 9)) and history["pictures"] == [3, 6]
    assert {"eps", "total", "seconds", "losses"} <= set(history["rows"][0])
    assert studio.ask("api/jobs/1/epochs/3")[0] == 200


def test_stopped_midway_and_continued_it_is_the_same_picture(studio, wish):
    wish["values"]["max_num_epochs"] = 30
    job = studio.api("jobs", wish)
    studio.until(job["id"], lambda job: job["done"] >= 2)
    studio.api("jobs/1/pause", {})
    paused = studio.until(1, lambda job: job["status"] == "paused")
    assert 2 <= paused["done"] < 30
    studio.api("jobs/1/continue", {})
    done = studio.until(1, lambda job: job["status"] == "done")
    assert (studio.folder / done["output"]).read_bytes() == command_of(done, studio.folder, "typed.png")
    assert [row["epoch"] for row in studio.api("jobs/1/history")["rows"]] == list(range(1, 31))


def test_more_epochs_than_at_first(studio, wish):
    studio.api("jobs", wish)
    studio.until(1, lambda job: job["status"] == "done")
    studio.api("jobs/1/continue", {"epochs": 4})
    assert studio.until(1, lambda job: job["status"] == "done" and job["done"] > 8)["done"] == 12


def test_another_balance_midway(studio, wish):
    wish["values"]["max_num_epochs"] = 60
    studio.api("jobs", wish)
    studio.until(1, lambda job: job["done"] >= 2)
    changed = studio.api("jobs/1/change", {"values": {**wish["values"], "content_weight": 500, "max_num_epochs": 3}})
    assert changed["parent"]["job"] == 1 and "--start=runs/0002/start.npy" in changed["command"]
    first = studio.until(1, lambda job: job["status"] == "stopped")
    second = studio.until(2, lambda job: job["status"] == "done")
    assert (studio.folder / first["output"]).is_file() and second["done"] == 3
    assert (studio.folder / second["output"]).read_bytes() == command_of(second, studio.folder, "typed.png")
    start = np.load(studio.folder / "runs" / "0002" / "start.npy")
    with np.load(studio.folder / f".{first['output']}.state.npz") as state:
        assert np.array_equal(start, state["image"])


def test_a_job_goes_on_with_the_next_server(studio, wish):
    wish["values"]["max_num_epochs"] = 25
    studio.api("jobs", wish)
    studio.until(1, lambda job: job["done"] >= 4)
    studio.process.kill()
    studio.stop()
    again = type(studio)(studio.folder)
    try:
        assert again.address == studio.address  # so that open tabs go on
        done = again.until(1, lambda job: job["status"] == "done")
        assert (again.folder / done["output"]).read_bytes() == command_of(done, again.folder, "typed.png")
        assert [row["epoch"] for row in again.api("jobs/1/history")["rows"]] == list(range(1, 26))
    finally:
        again.stop()


def test_the_end_of_the_server_saves_what_is_painted(studio, wish):
    wish["values"]["max_num_epochs"] = 400
    studio.api("jobs", wish)
    studio.until(1, lambda job: job["done"] >= 2)
    studio.stop()
    job = json.loads((studio.folder / "runs" / "0001" / "job.json").read_text())
    assert job["status"] == "queued" and (studio.folder / f".{job['output']}.state.npz").is_file()


def test_networks_paint_at_once_and_keep_their_pictures(studio, thumbnails):
    id = studio.put(thumbnails / "chelsea.png")
    for network in studio.api("state")["networks"]:
        status, jpeg = studio.ask(f"api/once/{network}/{id}")
        assert status == 200 and jpeg[:2] == b"\xff\xd8"
    studio.api("jobs", {"kind": "network", "content": id, "network": "night", "size": 100})
    done = studio.until(1, lambda job: job["status"] == "done")
    assert done["output"] == "chelsea-night-1.png"
    assert Image.open(studio.folder / done["output"]).size == (100, 66)
    assert studio.ask(f"api/once/somebodys/{id}")[0] == 404


def test_a_batch(studio, wish, thumbnails):
    other = studio.put(thumbnails / "rocket.png")
    wish.update(kind="batch", contents=[wish["content"], other])
    wish["values"]["max_num_epochs"] = 2
    studio.api("jobs", wish)
    done = studio.until(1, lambda job: job["status"] == "done")
    assert done["done"] == done["total"] == 2
    assert {path.name for path in (studio.folder / "batch-1").glob("*.jpg")} == {
        "chelsea-coffee.jpg",
        "rocket-coffee.jpg",
    }
    results = [one for one in studio.api("pictures") if one["kind"] == "result"]
    assert len(results) == 2


def test_the_recipe_of_a_finished_picture_comes_back(studio, wish):
    wish["values"].update(max_num_epochs=1, content_weight=25)
    studio.api("jobs", wish)
    done = studio.until(1, lambda job: job["status"] == "done")
    dropped = studio.api("upload?kind=photograph&name=x.png", (studio.folder / done["output"]).read_bytes())
    assert "--content-weight=25" in dropped["recipe"]
    found = studio.api(f"pictures/{dropped['id']}/recipe")
    assert found["values"]["content_weight"] == 25 and found["values"]["seed"] == 0
    assert found["pictures"]["content_image"] == "photographs/chelsea.png" and found["styles"] == [
        "paintings/coffee.png"
    ]
    plain = (
        studio.refused(f"pictures/{wish['content']}/recipe", None)
        if False
        else studio.ask(f"api/pictures/{wish['content']}/recipe")
    )
    assert plain[0] == 400 and b"there is no recipe" in plain[1]


def test_deleted_and_brought_back(studio, thumbnails):
    id = studio.put(thumbnails / "chelsea.png")
    undo = studio.api(f"pictures/{id}/delete", {})
    assert studio.api("pictures") == [] and not (studio.folder / "photographs" / "chelsea.png").exists()
    assert studio.api("undo", undo) == {"id": id}
    assert (studio.folder / "photographs" / "chelsea.png").read_bytes() == (thumbnails / "chelsea.png").read_bytes()
    assert "nothing to bring back" in studio.refused("undo", undo)


def test_the_same_file_twice_is_one_picture_and_a_namesake_another(studio, thumbnails):
    first, again = studio.put(thumbnails / "chelsea.png"), studio.put(thumbnails / "chelsea.png")
    assert first == again
    other = studio.api("upload?kind=photograph&name=../chelsea.PNG", (thumbnails / "rocket.png").read_bytes())
    assert other["path"] == "photographs/chelsea-2.png"


def test_a_mask(studio, wish, tmp_path):
    grey = np.zeros((75, 112), np.uint8)
    grey[:, 56:] = 255
    Image.fromarray(grey).save(tmp_path / "mask.png")
    wish.update(mask=studio.put(tmp_path / "mask.png", "mask"))
    wish["values"].update(max_num_epochs=2, output_size="same")
    studio.api("jobs", wish)
    done = studio.until(1, lambda job: job["status"] == "done")
    painted = np.asarray(Image.open(studio.folder / done["output"]))
    photograph = np.asarray(Image.open(studio.folder / "photographs" / "chelsea.png"))
    assert np.abs(painted[:, :40].astype(int) - photograph[:, :40]).max() <= 2
    assert np.abs(painted[:, 70:].astype(int) - photograph[:, 70:]).mean() > 10


def test_what_a_run_takes_is_said_before(studio, wish):
    assert "needs about" in studio.api("plan", wish)["says"]
    wish["values"]["max_long_edge"] = 19000
    assert "needs about" in studio.refused("plan", wish) and "would fit" in studio.refused("plan", wish)


def test_every_control_is_a_flag_of_the_table():
    table = looks.table()
    shown = {flag["name"] for group in table["groups"] for flag in group["flags"]}
    expected = {name for name, flag in BY_ATTRIBUTE.items() if looks.may_be_set(flag)} - {"style_blend_weights"}
    assert shown == expected and {"content_weight", "start", "seed", "optimizer"} <= shown
    assert not shown & {"model_params", "output", "resume", "content_image", "force", "gpu"}
    assert all(look["tile"] for look in table["looks"])
