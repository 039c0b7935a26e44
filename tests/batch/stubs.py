"""What the tests of batches share."""

import json
import sys
import time
from pathlib import Path

STUB = [sys.executable, "-S", "-E", str(Path(__file__).with_name("stub_child.py"))]


def words(folder, *more):
    """The command of a batch in the folder that the fixture makes."""
    return [*f"--content {folder}/in --style {folder}/style --output {folder}/out --format png".split(), *more]


def entries(folder):
    """batch.json, by the names of the outputs."""
    return {entry["output"]: entry for entry in json.loads((folder / "out/batch.json").read_text())["pairs"]}


def told(folder):
    """What the stub children were told so far, in their order."""
    log = folder / "in/log"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
