"""A disk that is full at each of the writes of a run: one line, exit code 1, and every earlier file whole."""

import json
import os
import subprocess
import sys

import pytest
from commands import a_run
from PIL import Image

from neural_style.run import state

CAN_MOUNT = (
    subprocess.run(["unshare", "-rm", "true"], stderr=subprocess.DEVNULL).returncode == 0
    if sys.platform == "linux"
    else False
)

# Runs in a mount namespace of its own, on a small file system in memory that is filled just before a run's n-th write.
CHILD = """
import contextlib, io, json, os, subprocess, sys
from neural_style import nstyle
from neural_style.system import files
words, disk, answers, atomic = json.loads(sys.argv[1]), sys.argv[2], [], files.atomic
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", disk], check=True)

def fill():
    with contextlib.suppress(OSError), open(os.path.join(disk, "filler"), "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))

for full_at in range(1, 10):
    writes = []
    def counted(path, *kinds):
        writes.append(os.path.basename(str(path)))
        if len(writes) == full_at:
            fill()
        return atomic(path, *kinds)
    from neural_style.pictures import write as pictures_out
    pictures_out.atomic = files.atomic = counted
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        code = nstyle.main(words)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(disk, "filler"))
    left = {}
    for name in sorted(os.listdir(disk)):
        with open(os.path.join(disk, name), "rb") as file:
            left[name] = file.read().hex()
        os.unlink(os.path.join(disk, name))
    answers.append([writes, code, said.getvalue(), left])
    if code == 0:
        break
print(json.dumps(answers))
"""


@pytest.mark.skipif(not CAN_MOUNT, reason="needs mount namespaces of one's own")
def test_a_disk_that_is_full_at_each_write(small, shrinking, pictures, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    words = a_run(
        pictures,
        small,
        "--max-long-edge 64 --max-num-epochs 4 --seed 1 --save-epochs 2 --gpu -1 --quiet --overwrite "
        f"--checkpoint-output {disk}/e_%s.png --output {disk}/final.png",
    )
    ran = subprocess.run(
        ["unshare", "-rm", sys.executable, "-c", CHILD, json.dumps(words), str(disk)],
        env={**os.environ, **shrinking},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    *stopped, (writes, code, said, left) = json.loads(ran.stdout)
    assert code == 0 and said == "" and len(left) == 4 and len(stopped) == len(writes)
    assert writes == [
        "e_2.png",
        ".final.png.state.npz",
        "e_4.png",
        ".final.png.state.npz",
        "final.png",
        ".final.png.state.npz",
    ]
    whole = tmp_path / "whole"
    whole.mkdir()
    for number, (done, code, said, left) in enumerate(stopped):
        assert code == 1 and len(said.splitlines()) == 1 and done == writes[: number + 1]
        assert f"{done[-1]} could not be written: No space left on device" in said
        assert set(left) == set(done[:-1])
        for name, data in left.items():
            (whole / name).write_bytes(bytes.fromhex(data))
            if name.endswith(".npz"):
                state.load(whole / name)
            else:
                Image.open(whole / name).load()


@pytest.mark.skipif(not CAN_MOUNT, reason="needs mount namespaces of one's own")
def test_weights_and_recipes_on_a_full_disk(tmp_path):
    code = (
        "import os, subprocess, sys, numpy\n"
        "from neural_style import recipes\n"
        "from neural_style.system import errors\n"
        "from neural_style.weights import params\n"
        "subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=8k', 'none', sys.argv[1]], check=True)\n"
        "arrays = {'arg:a': numpy.zeros((99, 999), 'float32')}\n"
        "write = {'params': lambda: params.write(sys.argv[1] + '/a.params', arrays),"
        "         'recipe': lambda: recipes.save(sys.argv[1] + '/a.args', [('--lr', 'x' * 99999)])}\n"
        "codes = [errors.run(one, name) for name, one in write.items()]\n"
        "print(codes, os.listdir(sys.argv[1]))"
    )
    ran = subprocess.run(["unshare", "-rm", sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    lines = ran.stderr.splitlines()
    assert len(lines) == 2 and all("No space left" in line for line in lines)
    assert ran.stdout.strip() == "[1, 1] []"
