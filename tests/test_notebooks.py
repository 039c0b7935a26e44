"""The notebooks of examples/, each in a fork, at a tiny size and with random weights; and one in a kernel."""

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
from forks import finished
from IPython.core.displayhook import CapturingDisplayHook
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from PIL import Image

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
sys.path.insert(0, str(EXAMPLES))
import build  # noqa: E402
import figures  # noqa: E402

# Steps of the notebook's own that figures.sized does not make fewer.
FEWER = {"steps=2000": "steps=20", "max_num_iter=30000": "max_num_iter=300", "max_num_iter=1000": "max_num_iter=50"}
CLEARED = "\033[2K\r"  # what clear_output writes without a kernel


@pytest.fixture
def checkout(tmp_path, small, shrinking, thumbnails):
    """A folder as a clean clone is, but for the package and small pictures; (folder, environment to run in)."""
    (tmp_path / "examples").mkdir()
    for path in EXAMPLES.glob("*"):
        if path.suffix in (".py", ".ipynb"):
            shutil.copy(path, tmp_path / "examples")
    (tmp_path / "output" / "pictures").mkdir(parents=True)
    for path in thumbnails.iterdir():
        shutil.copy(path, tmp_path / "output" / "pictures")
    for painted, name in (("night", "coffee"), ("night7", "rocket")):
        shutil.copy(thumbnails / f"{name}.png", tmp_path / "output" / "pictures" / f"{painted}.png")
    own = tmp_path / "examples" / "total-variation.ipynb"
    text = own.read_text(encoding="utf-8")
    for many, few in FEWER.items():
        assert many in text
        text = text.replace(many, few)
    own.write_text(text, encoding="utf-8")
    return tmp_path, dict(
        {**os.environ, **shrinking},
        NEURAL_STYLE_FIGURES="tiny",
        NEURAL_STYLE_PARAMS=str(small),
        IPYTHONDIR=str(tmp_path / "ipython"),
    )


def run(checkout, program, *words):
    folder, environment = checkout
    done = subprocess.run(
        [sys.executable, program, *words], cwd=str(folder), env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def of_kind(notebook, *kinds):
    return [
        output.data[kind]
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        for kind in kinds
        if kind in output.get("data", {})
    ]


def in_this_process(path):
    """The notebook at path, executed as by its kernel, but in this process, which is a fork."""
    notebook = nbformat.read(str(path), as_version=4)
    os.chdir(path.parent)
    sys.path.insert(0, str(path.parent))
    del sys.modules["figures"]
    shell = InteractiveShell.instance()
    shell.display_pub, code = CapturingDisplayPublisher(), [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in code:
        shell.display_pub.outputs = shown = []
        shell.display_trap.hook = CapturingDisplayHook(shell, shown)
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
            done = shell.run_cell(cell.source)
        done.raise_error()
        texts = {"stdout": out.getvalue(), "stderr": err.getvalue().replace(CLEARED, "")}
        cell.outputs = [nbformat.v4.new_output("stream", name=name, text=text) for name, text in texts.items() if text]
        cell.outputs += [nbformat.v4.new_output("display_data", one["data"]) for one in shown]
    return notebook


@pytest.mark.parametrize("name", build.NOTEBOOKS)
def test_each_of_them_alone(name, checkout, monkeypatch):
    monkeypatch.setattr(build, "HERE", checkout[0] / "examples")
    monkeypatch.setattr(build, "executed", in_this_process)
    assert finished(lambda: build.main([name]), env=checkout[1], stdout=subprocess.DEVNULL) == (0, [])
    notebook = nbformat.read(str(checkout[0] / "examples" / f"{name}.ipynb"), as_version=4)
    nbformat.validate(notebook)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert {output.output_type for output in outputs} <= {"display_data", "execute_result", "stream"}
    assert not [output.text for output in outputs if output.get("name") == "stderr"]
    assert of_kind(notebook, "image/jpeg")
    assert str(checkout[0]) not in nbformat.writes(notebook)
    if name == "checkpoint-viewer":
        (viewer,) = of_kind(notebook, "text/html")
        assert re.findall(r'alt="(.*?)"', viewer) == [f"e_{n}.jpg" for n in range(1, 6)] + ["final.jpg"]
        assert 'type="range"' in viewer and 'max="5"' in viewer
        assert (checkout[0] / "output/checkpoint-viewer/run.gif").exists()


def test_all_of_them_in_order(checkout, monkeypatch, capsys):
    done = []
    monkeypatch.setenv("NEURAL_STYLE_PICTURES", "free")
    monkeypatch.setattr(build, "HERE", checkout[0] / "examples")
    monkeypatch.setattr(
        build, "executed", lambda path: done.append(path.stem) or nbformat.read(str(path), as_version=4)
    )
    build.main([])
    build.main(["neuralart"])
    assert done == [*build.NOTEBOOKS, "neuralart"]
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == done


def test_a_warning_of_our_own_fails(checkout):
    """So the tests above see every one; other people's warnings stay theirs."""
    program = checkout[0] / "warn.py"
    program.write_text(
        "import sys, warnings; sys.path.insert(0, 'examples')\nimport figures\nfigures.setup()\n"
        "warnings.warn_explicit('theirs', UserWarning, 'x.py', 1, module='matplotlib.x')\n"
        "for module in ('__main__', 'figures', 'neural_style.images'):\n"
        "    try: warnings.warn_explicit('ours', UserWarning, 'x.py', 1, module=module)\n"
        "    except UserWarning: print('fails')"
    )
    assert run(checkout, str(program)).stdout == "fails\n" * 3


def test_a_notebook_in_the_manner_of_the_time(small, shrinking, pictures, tmp_path, monkeypatch):
    """The demonstration's own lines, the attribute without effect among them."""
    monkeypatch.setenv("PYTHONPATH", shrinking["PYTHONPATH"])
    (tmp_path / "model").mkdir()
    os.symlink(str(small), str(tmp_path / "model" / "vgg19.params"))
    cells = [
        "from neural_style import nstyle",
        "args = nstyle.get_args([])",
        f"args.content_image = {str(pictures / 'chelsea.png')!r}",
        f"args.style_image = {str(pictures / 'coffee.png')!r}",
        "args.max_size = 600\nargs.max_long_edge = 32\nargs.max_num_epochs = 11\nargs.lr_sched_delay = 5\n"
        "args.lr_sched_factor = 0.6\nargs.save_epochs = 1\nargs.stop_eps = 0\nargs.output_dir = 'output/'",
        "seen = []\ndef f(data):\n    seen.append((data['eps'], data['epoch'], data.get('filename')))",
        "nstyle.train_nstyle(args, callback=f)",
        "import glob, os\nnumber = lambda path: int(os.path.basename(path)[2:-4])\n"
        "names = sorted(glob.glob('output/e_*.jpg'), key=number) + ['output/final.jpg']",
        "whole = [os.path.getsize(name) > 500 for name in names]",
        "import json\nprint(json.dumps([seen, names, whole, os.getpid()]))",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbformat.write(notebook, str(tmp_path / "old.ipynb"))
    notebook = build.executed(tmp_path / "old.ipynb")
    told = "".join(output.text for cell in notebook.cells for output in cell.outputs if output.get("name") == "stderr")
    assert "args.max_size is not an option and has no effect" in told
    seen, names, whole, kernel = json.loads(notebook.cells[-1].outputs[0].text)
    assert [epoch for _, epoch, _ in seen] == list(range(1, 12)) and all(0 < eps < 2 for eps, _, _ in seen)
    expected = [f"output/e_{n}.jpg" for n in range(1, 12)]
    assert [filename for _, _, filename in seen] == expected
    assert names == expected + ["output/final.jpg"] and all(whole)
    with pytest.raises(ProcessLookupError):  # no kernel is left behind
        os.kill(kernel, 0)


def test_pictures_in_order_and_the_pair(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("e_100.jpg", "e_50.jpg", "final.jpg", "e_9.jpg", "side.jpg"):
        Image.new("RGB", (8, 8)).save(name)
    assert figures.saved(".") == ["e_9.jpg", "e_50.jpg", "e_100.jpg", "final.jpg"]
    monkeypatch.delenv("NEURAL_STYLE_PICTURES", raising=False)
    free = "output/pictures/chelsea.png", "output/pictures/night.png"
    monkeypatch.setattr("neural_style.painting.paint", lambda seed: np.full((8, 8, 3), seed, np.uint8))
    assert figures.pair() == free and all(map(os.path.exists, free))
    (tmp_path / "input").mkdir()
    for name in figures.ORIGINAL:
        Image.new("RGB", (8, 8)).save(name)
    assert figures.pair() == figures.ORIGINAL
    monkeypatch.setenv("NEURAL_STYLE_PICTURES", "free")
    assert figures.pair() == free


@pytest.mark.parametrize("name", ["run.webp", "run.gif"])
def test_an_animation_has_every_picture(tmp_path, name):
    shades = [np.full((16, 24, 3), 60 * n, np.uint8) for n in range(4)]
    with Image.open(figures.animate(shades, tmp_path / name)) as animation:
        assert animation.n_frames == 4 and animation.size == (24, 16) and animation.info["loop"] == 0


def test_a_figure_has_every_picture_and_none_too_large():
    shades = {f"no {n}": np.full((40, 60, 3), 250, np.uint8) * np.uint8([[[1, 0, 0]]]) for n in range(5)}
    page = np.asarray(Image.open(io.BytesIO(figures.grid(shades, columns=3, edge=30).data)), int)
    red = (page[..., 0] > 200) & (page[..., 1:].max(-1) < 60)
    assert abs(int(red.sum()) - 5 * 30 * 20) < 200 and page.shape[1] == 3 * 38
    assert Image.open(io.BytesIO(figures.grid({"wide": np.zeros((9, 3000, 3), np.uint8)}).data)).width <= figures.WIDTH


@pytest.mark.parametrize("name", build.NOTEBOOKS)
def test_what_is_committed(name):
    """Executed in order, at full size, of free pictures, small, and without anybody's paths."""
    path = EXAMPLES / f"{name}.ipynb"
    text, notebook = path.read_text(encoding="utf-8"), nbformat.read(str(path), as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [
        output
        for cell in code
        for output in cell.outputs
        if output.output_type in ("error", "stream") and output.get("name") != "stdout"
    ]
    assert path.stat().st_size < 2.5e6
    assert not re.search(r'["\' ](/home|/tmp|/Users|/root|[A-Z]:\\\\)', text)
    assert not any(name in json.dumps([cell.outputs for cell in code]) for name in figures.ORIGINAL)
    assert len(text) > 100e3, "a tiny run was committed"
