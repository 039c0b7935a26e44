"""What is shown cannot make the terminal do anything, whoever wrote it."""

import logging
import re

import pytest

from neural_style import nstyle
from neural_style.system import errors
from neural_style.system.logs import log_to_stderr

EVIL = "a\x1b]0;title\x07\x1b[2Jb\x9bc\x00\b\u202ed\u2066e\u2028f\x7f\r"
SHOWN = r"a\x1b]0;title\x07\x1b[2Jb\x9bc\x00\x08\u202ed\u2066e\u2028f\x7f\r"


def safe(text):
    return not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]", text)


def test_only_what_is_obeyed_becomes_an_escape():
    plain = "tab\tüñí 猫 👩\u200d🎨 ‹›\nand\r\nlines\n"
    assert errors.visible(plain) == plain and errors.visible(EVIL) == SHOWN


def test_what_is_said_and_described(capsys):
    errors.say(EVIL)
    assert capsys.readouterr().err == SHOWN + "\n"
    for error in (errors.NeuralStyleError(EVIL), OSError(5, EVIL, EVIL), ValueError(EVIL)):
        assert safe(errors.describe(error)) and "\\x7f" in errors.describe(error)


@pytest.mark.parametrize(
    "words",
    [["--" + EVIL], ["--lr", EVIL], ["--recipe", EVIL], ["--resume", EVIL], ["--lr", "1", "--" + EVIL]],
    ids=len,
)
def test_complaints_about_flags(words, capsys):
    with pytest.raises(SystemExit):
        nstyle.get_args(words)
    said = capsys.readouterr().err
    assert safe(said.rstrip("\n")) and "title" in said and len(said.splitlines()) == 1


def test_a_recipe_that_is_printed(tmp_path, capsys):
    (tmp_path / "x.args").write_bytes(f"# {EVIL}\n--lr 3\t# fast\n".encode())
    with pytest.raises(SystemExit):
        nstyle.get_args(["--show-recipe", str(tmp_path / "x.args")])
    assert capsys.readouterr().out == f"# {SHOWN}\n--lr 3\t# fast\n\n".replace("\\r\n", "\r\n")


def test_the_log(capsys, caplog):
    with log_to_stderr(nstyle.get_args([])):
        logging.getLogger("neural_style").warning("%s is lost", EVIL)
    assert capsys.readouterr().err == f"{SHOWN} is lost\n"


def test_an_error_at_the_end_of_a_run(tmp_path, capsys):
    name = str(tmp_path / f"{EVIL}.png").replace("\0", "")
    assert nstyle.main([name, name, "--quiet"]) == 2
    said = capsys.readouterr().err
    assert safe(said.rstrip("\n")) and "there is no such picture" in said
