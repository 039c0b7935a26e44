"""Many pictures by one command, on small pictures with random weights."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neural_style import nstyle
from neural_style.batch import __main__ as batch, child, pairs, workers
from neural_style.pictures import images, motion
from neural_style.report import contact_sheet as gallery
from neural_style.system.errors import NeuralStyleError, UsageError

ROOT = Path(__file__).parent.parent


@pytest.fixture
def flags(random_params):
    return ["--model-params", str(random_params), "--max-long-edge", "32", "--max-num-epochs", "3", "--seed", "1",
            "--gpu", "-1", "--format", "png", "--optimizer", "adam", "--lr", "9"]


@pytest.fixture
def folder(pictures, tmp_path):
    """A folder with two contents and a style."""
    for name, new in (("chelsea", "in/chelsea"), ("rocket", "in/rocket"), ("coffee", "style/coffee")):
        (tmp_path / new).parent.mkdir(exist_ok=True)
        shutil.copy(pictures / f"{name}.png", tmp_path / f"{new}.png")
    return tmp_path


def words(folder, *more):
    return ["--content", str(folder / "in"), "--style", str(folder / "style"), "--output", str(folder / "out"), *more]


def entries(folder):
    return {entry["output"]: entry for entry in json.loads((folder / "out/batch.json").read_text())["pairs"]}


def pixels(path):
    return np.asarray(Image.open(path))


def single(content, style, flags, output):
    """The picture of a single run of the command's own function, in this process."""
    flags = [word for word in flags if word not in ("--format", "png")]
    nstyle.train_nstyle(nstyle.get_args([
        "--content-image", str(content), "--style-image", str(style), "--output", str(output), "--overwrite"] + flags))
    return pixels(output)


def test_pairs_are_those_of_single_runs_and_one_bad_picture_costs_its_own(folder, flags, tmp_path, capfd):
    (folder / "in/broken.png").write_bytes((folder / "in/rocket.png").read_bytes()[:5000])
    assert batch.main(words(folder) + flags) == 1
    said = capfd.readouterr().err.splitlines()
    assert sum(re.match(r"\d/3 \w+-coffee.png done in \d+ s", line) is not None for line in said) == 2
    assert said[-2].startswith("failed: broken-coffee.png: ") and "truncated" in said[-2] and "2 of 3" in said[-1]
    assert sorted(os.listdir(folder / "out")) == ["batch.json", "chelsea-coffee.png", "index.html", "rocket-coffee.png"]
    told = entries(folder)
    assert {name: entry["outcome"] for name, entry in told.items()} == {
        "broken-coffee.png": "failed", "chelsea-coffee.png": "done", "rocket-coffee.png": "done"}
    assert told["chelsea-coffee.png"]["epochs"] == 3 and 0 < told["chelsea-coffee.png"]["eps"] < 2
    for name in ("chelsea", "rocket"):
        alone = single(folder / f"in/{name}.png", folder / "style/coffee.png", flags, tmp_path / "single.png")
        assert np.array_equal(pixels(folder / f"out/{name}-coffee.png"), alone)

    # a rerun paints what is missing or has changed, and nothing else
    written = os.stat(folder / "out/chelsea-coffee.png").st_mtime_ns
    shutil.copy(folder / "style/coffee.png", folder / "in/broken.png")
    (folder / "out/rocket-coffee.png").unlink()
    assert batch.main(words(folder) + flags) == 0
    assert sorted(re.findall(r"\d/3 (\w+)", capfd.readouterr().err)) == ["broken", "rocket"]
    assert os.stat(folder / "out/chelsea-coffee.png").st_mtime_ns == written
    assert batch.main(words(folder, "--quiet") + flags) == 0
    assert capfd.readouterr().err == ""


def painter(outcomes):
    """In the place of child.paint: write a grey picture, note the arguments and give the next of outcomes."""
    seen, outcomes = [], iter(outcomes)

    def paint(args, frame=None, threads=None, children=None):
        seen.append(args)
        outcome = next(outcomes, "done")
        if outcome == "done":
            images.save_picture(np.full((20, 20, 3), len(seen), "uint8"), args.output)
            if frame:
                np.save(frame["raw"], np.zeros((1, 3, 20, 20), "float32"))
        return {"outcome": outcome, "error": None if outcome == "done" else "no luck", "epochs": 1, "eps": 0.5,
                "seconds": 2.0, "host": "here"}
    return paint, seen


def test_what_makes_a_finished_pair_be_painted_again(folder, flags, monkeypatch):
    paint, seen = painter([])
    monkeypatch.setattr(child, "paint", paint)

    def painted(*more):
        before = len(seen)
        assert batch.main(words(folder, "--jobs", "1", *more) + flags) == 0
        return [Path(args.output).name for args in seen[before:]]

    assert painted() == ["chelsea-coffee.png", "rocket-coffee.png"]
    assert painted() == painted("--save-epochs", "2", "--debug") == []
    assert painted("--tv-weight", "5") == ["chelsea-coffee.png", "rocket-coffee.png"]
    os.utime(folder / "in/chelsea.png", (1, 1))
    assert painted("--tv-weight", "5") == []
    shutil.copy(folder / "style/coffee.png", folder / "in/chelsea.png")
    assert painted("--tv-weight", "5") == ["chelsea-coffee.png"]
    # results of an earlier style stay on record
    shutil.copy(folder / "in/rocket.png", folder / "style/rocket.png")
    (folder / "style/coffee.png").rename(folder / "coffee.png")
    assert painted("--tv-weight", "5") == ["chelsea-rocket.png", "rocket-rocket.png"]
    assert len(entries(folder)) == 4
    assert seen[0].save_epochs > seen[0].max_num_epochs and seen[0].output_dir == "output/"


@pytest.fixture
def frames(folder):
    """Twelve frames of a crop that moves over a photograph, in folder/in."""
    shutil.rmtree(folder / "in")
    (folder / "in").mkdir()
    photograph = Image.open(folder / "style/coffee.png").resize((80, 60))
    for number in range(1, 13):
        photograph.crop((number, number, number + 32, number + 32)).save(folder / f"in/{number}.png")
    return folder


def test_a_sequence_goes_from_frame_to_frame(frames, flags, monkeypatch):
    outcomes = ["done"] * 3 + ["failed"] + ["done"] * 8
    paint, seen = painter(outcomes)
    monkeypatch.setattr(child, "paint", paint)
    assert batch.main(words(frames, "--sequence", "--start", "style") + flags) == 1
    assert [Path(args.content_image).stem for args in seen] == [str(number) for number in range(1, 13)]
    starts = [Path(args.start).name for args in seen]
    assert starts == ["style"] + [f".{number}-coffee.png.npy" for number in (1, 2, 3, 3, 5, 6, 7, 8, 9, 10, 11)]
    left = [name for name in os.listdir(frames / "out") if name.startswith(".")]
    assert left == [".12-coffee.png.npy"]       # one frame failed: it may go on

    # the fourth frame is painted again, and all that follow from it
    paint, seen = painter([])
    monkeypatch.setattr(child, "paint", paint)
    assert batch.main(words(frames, "--sequence", "--start", "style") + flags) == 0
    assert [Path(args.content_image).stem for args in seen] == [str(number) for number in range(4, 13)]
    assert Path(seen[0].start).name == "3-coffee.png"       # where there is nothing better than the picture
    assert not [name for name in os.listdir(frames / "out") if name.startswith(".")]
    assert batch.main(words(frames, "--sequence", "--start", "style") + flags) == 0 and len(seen) == 9


def test_frames_of_different_size_are_refused(frames, flags, capsys):
    Image.new("RGB", (40, 30)).save(frames / "in/7.png")
    assert batch.main(words(frames, "--sequence") + flags) == 2
    assert "7.png is 40x30" in capsys.readouterr().err


def test_a_rerun_of_a_sequence_paints_what_one_run_would(frames, flags):
    for number in range(4, 13):
        (frames / f"in/{number}.png").unlink()
    whole = words(frames, "--sequence") + flags
    assert batch.main(whole) == 0
    once = pixels(frames / "out/3-coffee.png")
    shutil.rmtree(frames / "out")
    (frames / "in/3.png").rename(frames / "3.png")
    (frames / "in/3.png").write_bytes(b"")
    assert batch.main(whole) == 1       # the first two frames, and the unrounded result of the second
    (frames / "3.png").rename(frames / "in/3.png")
    assert batch.main(whole) == 0
    assert np.array_equal(pixels(frames / "out/3-coffee.png"), once)


def test_paint_follows_what_moves():
    rows, columns = np.mgrid[:64, :80]
    before = np.tile(100 * np.sin(rows / 5) * np.cos(columns / 7), (1, 3, 1, 1))
    image = np.random.RandomState(0).uniform(-100, 100, (1, 3, 64, 80)).astype("float32")
    moved = motion.follow(image, before, np.roll(before, (2, -3), (2, 3)))
    middle = np.s_[:, :, 12:-12, 12:-12]
    assert moved.dtype == np.float32 and moved.shape == image.shape
    assert np.abs(moved - np.roll(image, (2, -3), (2, 3)))[middle].mean() < 0.1 * np.abs(image).mean()
    assert np.abs(motion.follow(image, before, before) - image).max() < 1e-2


def test_names_are_unique_and_stay(tmp_path):
    sides = [("/a/1.jpg", "/s/x.jpg"), ("/b/1.jpg", "/s/x.jpg"), ("/a/50%.jpg", "/s/x.jpg")]
    named = pairs.name_outputs(sides, tmp_path, "jpg", [])
    assert [one.output for one in named] == ["1-x.jpg", "1-x-2.jpg", "50_-x.jpg"]
    known = [one._asdict() for one in named]
    again = pairs.name_outputs([("/0/1.jpg", "/s/x.jpg")] + sides, tmp_path, "jpg", known)
    assert [one.output for one in again] == ["1-x-3.jpg", "1-x.jpg", "1-x-2.jpg", "50_-x.jpg"]
    mine = (str(tmp_path / "1.jpg"), str(tmp_path / "1-1.jpg"))         # a result must never replace an input
    assert pairs.name_outputs([mine, (mine[0], mine[0])], tmp_path, "jpg", [])[1].output == "1-1-2.jpg"


def test_patterns(tmp_path):
    for name in ("frame10.png", "frame2.png", "Frame1.PNG", "notes.txt", "a[1].png"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "empty").mkdir()

    def found(*patterns):
        return [Path(path).name for path in pairs.find_pictures([str(tmp_path / one) for one in patterns], "--content")]

    assert found("") == ["a[1].png", "Frame1.PNG", "frame2.png", "frame10.png"]
    assert found("frame*") == ["frame2.png", "frame10.png"] and found("a[1].png") == ["a[1].png"]
    assert found("notes.txt", "frame2.png") == ["notes.txt", "frame2.png"]
    for pattern, said in (("x*.png", "no such picture"), ("empty", "no picture in this folder")):
        with pytest.raises(UsageError, match=said):
            found(pattern)


def test_zip(folder, flags, monkeypatch, capsys):
    paint, seen = painter([])
    monkeypatch.setattr(child, "paint", paint)
    assert batch.main(words(folder, "--zip") + flags) == 2
    assert "2 contents and 1 styles" in capsys.readouterr().err and not seen
    style = str(folder / "style/coffee.png")
    command = ["--content", str(folder / "in"), "--style", style, style, "--output", str(folder / "out"), "--zip"]
    assert batch.main(command + flags) == 0
    assert sorted(Path(args.output).name for args in seen) == ["chelsea-coffee.png", "rocket-coffee.png"]


@pytest.mark.parametrize("more, said", [
    (["--style-image", "a.jpg"], "--style PATTERN"), (["--output_dir", "x"], "--output DIR"),
    (["--jobs", "0"], "1 or greater"),
    (["--sequence", "--zip"], "--zip has no effect"), (["--no-such-flag"], "no-such-flag"), (["--lr", "-1"], "--lr"),
    (["--content", "nothing/*.jpg"], "no such picture"), (["--format", "xyz"], "xyz"),
    (["--recipe", "athalye", "--style-blend-weights", "1", "2"], "--style-blend-weights")])
def test_wrong_use_is_one_line(folder, flags, more, said, capsys):
    try:
        code = batch.main(words(folder) + flags + more)
    except SystemExit as ended:
        code = ended.code
    error = capsys.readouterr().err
    assert code == 2 and said in error and len(error.splitlines()) == 1 and not list(folder.glob("out/*"))


def test_help_is_quick_to_come():
    code = "import sys; from neural_style import batch\ntry: batch.main(['--help'])\n" \
           "except SystemExit: sys.exit('mxnet' in sys.modules or 'skimage' in sys.modules or 'joblib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, cwd=str(ROOT)).returncode == 0


def killing(path, times):
    """A module that kills its process so many times when it is imported as a model: path counts."""
    return f"""
import os
with open({str(path)!r}, "a") as file: file.write(".")
if os.path.getsize({str(path)!r}) <= {times}: os.kill(os.getpid(), 9)
from neural_style.model_vgg19 import *
"""


@pytest.mark.parametrize("times, code", [(1, 0), (2, 1)])
def test_a_process_that_is_killed_gets_a_second_chance(folder, flags, times, code, monkeypatch, capfd):
    monkeypatch.chdir(folder)
    Path("model_killer.py").write_text(killing(folder / "count", times))
    Path("in/rocket.png").unlink()
    assert batch.main(words(folder, "--model", "killer") + flags) == code
    assert capfd.readouterr().err.count("SIGKILL; is there enough memory?") == (2 if code else 0)
    assert (folder / "out/chelsea-coffee.png").exists() == (not code)


def children_of(folder):
    """The processes that paint into the folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes()
        except OSError:
            continue
        if b"neural_style.child" in command and str(folder).encode() in command:
            found.append(int(path.parent.name))
    return found


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_the_batch(folder, flags, sent):
    command = [sys.executable, "-m", "neural_style.batch"] + words(folder, "--jobs", "1") + flags
    command[command.index("--max-num-epochs") + 1] = "100000"
    running = subprocess.Popen(command + ["--stop-eps", "0"], cwd=str(ROOT), stderr=subprocess.PIPE, text=True,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))
    until(lambda: children_of(folder))
    running.send_signal(sent)
    said = running.communicate()[1]
    assert running.returncode == (130 if sent == signal.SIGINT else -9)
    if sent == signal.SIGINT:
        assert said.splitlines() == ["neural_style.batch: interrupted"]
        assert {entry["outcome"] for entry in entries(folder).values()} == {"waiting"}
    until(lambda: not children_of(folder))


def test_a_bar_on_a_terminal_and_lines_elsewhere(monkeypatch, capsys):
    with batch.Progress(40) as progress:
        progress.skip()
        progress.show("a.jpg", {"seconds": 41.2, "error": None, "said": ""})
    assert re.fullmatch(r"2/40 a.jpg done in 41 s, about 0 s left\n", capsys.readouterr().err)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with batch.Progress(2) as progress:
        progress.skip()
        progress.show("a.jpg", {"seconds": 41.2, "error": "no luck", "said": ""})
    said = capsys.readouterr().err
    assert "2/2" in said and "a.jpg failed: no luck\n" in said


def test_a_cluster_that_cannot_work_is_told_before_the_start(tmp_path):
    pytest.importorskip("dask.distributed")

    class Client:
        def __init__(self, results):
            self.run = lambda function, *args: {"tcp://a": results[function.__name__]}

        def wait_for_workers(self, count, timeout):
            pass

    ready = {"_version": workers.__version__, "isdir": True}
    workers._demand_ready(Client(ready), "tcp://s", tmp_path)
    for change, said in (({"_version": "0.1"}, "has neural_style 0.1"), ({"isdir": False}, "does not see")):
        with pytest.raises(NeuralStyleError, match=said):
            workers._demand_ready(Client(dict(ready, **change)), "tcp://s", tmp_path)


def test_memory_limits_the_jobs(monkeypatch):
    monkeypatch.setattr(workers, "usable_cores", lambda: 8)
    monkeypatch.setattr(workers.memory, "available", lambda: 6e9)
    assert workers.jobs_here(None, 100, 100 * 100) == 8 and workers.jobs_here(None, 3, 100 * 100) == 3
    assert 1 <= workers.jobs_here(None, 100, 600 * 600) < 8 and workers.jobs_here(None, 100, 10 ** 8) == 1
    assert workers.jobs_here(6, 100, 10 ** 8) == 6


def test_sheet(tmp_path):
    class Check(HTMLParser):
        links, pictures, depth = [], 0, 0

        def handle_starttag(self, tag, attributes):
            attributes = dict(attributes)
            self.pictures += tag == "img" and attributes["src"].startswith("data:image/jpeg;base64,")
            assert tag != "script" and "src" not in attributes or tag == "img"
            if tag == "a":
                self.links.append(attributes["href"])

    names = ["a b#.png", "<x>.png"]
    for name in names + ["s.png", "t&.png"]:
        images.save_picture(np.full((30, 40, 3), 99, "uint8"), tmp_path / name)
    told = [dict(content=f"/c/{c}", style=str(tmp_path / s), output=c, outcome="done", epochs=3, seconds=1.0)
            for c in names for s in ("s.png", "t&.png")]
    told[0].update(outcome="failed", error="<b>no</b>")
    gallery.write(tmp_path / "index.html", told)
    text, check = (tmp_path / "index.html").read_text(), Check()
    check.feed(text)
    assert "&lt;b&gt;no" in text and "<b>" not in text and "<table>" in text and "http" not in text
    assert check.links == ["a%20b%23.png", "%3Cx%3E.png", "%3Cx%3E.png"] and check.pictures == 5
    gallery.write(tmp_path / "index.html", told[:1])
    assert "<table>" not in (tmp_path / "index.html").read_text()


def test_dask_with_workers_that_are_lost(folder, flags, tmp_path, monkeypatch, capfd):
    """Two worker processes: one is killed half-way, then a pair comes that kills every worker it meets."""
    distributed = pytest.importorskip("dask.distributed")
    monkeypatch.chdir(folder)
    for name in ("astronaut", "coffee"):
        shutil.copy(folder / "style/coffee.png", folder / f"in/{name}.png")
    Path("model_killer.py").write_text("""
import os, sys
if "rocket.png" in sys.argv[1]: os.kill(os.getppid(), 9)
from neural_style.model_vgg19 import *
""")
    killed = []

    def kill_one():
        until(lambda: Path("out/batch.json").exists() and len(list(Path("out").glob("*.png"))) >= 2)
        killed.append(next(info for info in cluster.workers.values()).pid)
        os.kill(killed[0], signal.SIGKILL)

    two = dict(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50)
    with distributed.LocalCluster(**two) as cluster:
        dask = words(folder, "--dask", cluster.scheduler_address)
        threading.Thread(target=kill_one, daemon=True).start()
        assert batch.main(dask + flags) == 0 and killed
        assert {entry["outcome"] for entry in entries(folder).values()} == {"done"}
        for name in ("astronaut", "chelsea", "coffee", "rocket"):
            alone = single(folder / f"in/{name}.png", folder / "style/coffee.png", flags, tmp_path / "single.png")
            assert np.array_equal(pixels(folder / f"out/{name}-coffee.png"), alone)
        for name in ("astronaut", "coffee"):
            Path(f"in/{name}.png").unlink()
        capfd.readouterr()
        assert batch.main(dask + flags + ["--model", "killer"]) == 1
        assert "failed: rocket-coffee.png: the worker that painted it was lost twice" in capfd.readouterr().err
        assert entries(folder)["chelsea-coffee.png"]["outcome"] == "done"
        assert not [name for name in os.listdir("out") if name.startswith(".")]


def test_no_cluster_is_one_line(folder, flags, monkeypatch, capfd):
    pytest.importorskip("dask.distributed")
    monkeypatch.setattr(workers, "WAIT", 1)
    assert batch.main(words(folder, "--dask", "tcp://127.0.0.1:9") + flags) == 1
    assert re.fullmatch(r"neural_style.batch: error: --dask tcp://127.0.0.1:9: no Dask .*\n", capfd.readouterr().err)
