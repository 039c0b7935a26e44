"""The command with a network that is none."""

import pytest
from commands import code_of
from films import Network, Nothing

from neural_style.end_to_end import network


@pytest.fixture
def networks(monkeypatch):
    """Networks by name, in the place of the trained ones."""
    known = {"texture": Network(), "nothing": Nothing()}
    monkeypatch.setattr(network, "load", known.__getitem__)
    return known


@pytest.fixture
def paint(networks, tmp_path, monkeypatch):
    """Paint a film with a network, in tmp_path; gives the command's exit code."""
    from neural_style.film.__main__ import main

    monkeypatch.chdir(tmp_path)

    def command(film, output, *more, network="nothing"):
        return code_of(main, film, "--network", network, "--output", output, *more)

    return command
