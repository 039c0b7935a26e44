"""The bar on a terminal, the lines elsewhere, and the time left."""

import fcntl
import logging
import os
import re
import struct
import sys
import termios

import numpy as np
import pytest

from neural_style.run import progress
from neural_style.run.optimize import Step


class Objective:
    """What show_epoch asks of an objective: two layers of style, one of content."""

    names, weights = ["a", "b", "c"], np.array([0.5, 0.25, 10])

    def by_kind(self, losses):
        weighted = losses * self.weights
        return {"style": weighted[0] + weighted[1], "content": weighted[2]}


def step(epoch, finished=False):
    return Step(epoch, 0.125, np.array([2.0, 4.0, 3.0]), 32.0, 1.0, 2.0 * epoch, None, finished, None)


@pytest.fixture
def terminal(monkeypatch):
    """A function that makes standard error a terminal of so many columns, and gives one that reads what it shows."""
    ours, theirs = os.openpty()

    def shown():
        data = b""
        while not data.endswith(b"\n"):
            data += os.read(ours, 10000)
        return data.decode()

    def make(columns):
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 25, columns, 0, 0))
        monkeypatch.setattr(sys, "stderr", open(theirs, "w", encoding="utf-8", closefd=False))  # noqa: SIM115
        return shown

    yield make
    os.close(ours)
    os.close(theirs)


def test_lines_tell_the_weighted_losses(caplog):
    caplog.set_level(logging.INFO, "neural_style")
    with progress.Progress(10, "epoch", done=2) as shown:
        for epoch in (3, 4, 5, 6):
            progress.show_epoch(shown, Objective(), 4, step(epoch, finished=epoch == 6))
    assert caplog.messages == [
        "epoch 4/10, eps 0.125000, style 2, content 30, 8 s, at most 12 s left",
        "epoch 6/10, eps 0.125000, style 2, content 30, 12 s, at most 8 s left",
    ]
    caplog.set_level(logging.DEBUG, "neural_style")
    progress.show_epoch(progress.Progress(10, "epoch"), Objective(), 4, step(1))
    assert caplog.messages[-1] == "  a 1, b 1, c 30"


@pytest.mark.parametrize(
    "columns, end",
    [
        (20, ""),
        (40, r"█.?\| 900/1000 \[<03:20, eps 0.12500\]"),
        (60, r"█.? +\| 900/1000 \[00:00<03:20, eps 0.12500\]"),
        (80, r"█.? +\| 900/1000 \[00:00<03:20, eps 0.12500, style 2, content 30\]"),
    ],
)
def test_a_narrow_bar_drops_the_losses_and_keeps_eps_and_time(terminal, columns, end):
    shown = terminal(columns)
    with progress.Progress(1000, "epoch", done=898) as bar:
        for epoch in (899, 900):
            progress.show_epoch(bar, Objective(), 1, step(epoch))
    lines = re.split("[\r\n]+", shown().rstrip())
    assert max(map(len, lines)) < columns and re.search(f"{end}$", lines[-1])


def test_a_narrow_bar_of_a_long_run(terminal):
    shown = terminal(40)
    with progress.Progress(1000, "epoch") as bar:
        progress.show_epoch(bar, Objective(), 1, step(1)._replace(seconds=3600.0))
    assert re.search(r"\| 1/1000 \[<999:00:00, eps 0.12500\]$", shown().rstrip())


def test_the_time_left_follows_the_recent_pace():
    alone = progress.Progress(10, "epoch")
    alone.step(9)
    assert alone.left() == 81
    alone.step(10)  # the first took longer than the rest
    assert alone.left() == 8
    resumed = progress.Progress(104, "epoch", done=100)
    resumed.step(202)
    assert resumed.left() == 6
    long = progress.Progress(1000, "epoch")
    for epoch in range(1, 101):
        long.step(epoch if epoch <= 50 else 50 + 10 * (epoch - 50))
    assert long.left() == 9000


def test_pairs_painted_at_once_end_together_and_skipped_ones_take_no_time():
    pairs = progress.Progress(12, "pair", at_once=4)
    for _ in range(4):
        pairs.skip()
    for _ in range(4):
        pairs.step(100)
    assert pairs.done == 8 and pairs.left() == 100


def test_no_bar_where_the_lines_are_to_be_seen(terminal, caplog):
    class Args:
        max_num_epochs = 3

    terminal(80)
    for level, bar in ((logging.INFO, True), (logging.DEBUG, False), (logging.WARNING, False)):
        caplog.set_level(level, "neural_style")
        with progress.of_epochs(Args) as shown:
            assert (shown.bar is not None) == bar
