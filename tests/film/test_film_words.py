"""What the command takes, and what it refuses."""

import subprocess
import sys

import pytest
from commands import refused

from neural_style.film import __main__ as film
from neural_style.options import parse

PLAIN = ["clip.mp4", "--style", "a.jpg", "--output", "b.mp4"]


def test_flags_of_a_run_stand_anywhere():
    own, args, given = parse.parse(
        film.COMMAND,
        (
            "--max-num-epochs 60 --recipe athalye --style-layers relu1_1 relu2_1 --style a.jpg b.jpg --tile 64 "
            "--output c.mp4 -- clip.mp4"
        ).split(),
    )
    assert own.film == "clip.mp4" and own.output == "c.mp4" and own.style == ["a.jpg", "b.jpg"]
    assert args.max_num_epochs == 60 and args.style_layers == ["relu1_1", "relu2_1"] and args.optimizer == "adam"
    own, args, given = parse.parse(film.COMMAND, ["--tv", "3", *PLAIN])
    assert own.film == "clip.mp4" and args.tv_weight == 3 and own.style == ["a.jpg"]


@pytest.mark.parametrize(
    "words, said",
    [
        (PLAIN[:3], "--output"),
        (PLAIN[:1] + PLAIN[3:], "--style PAINTING or --network NAME"),
        (PLAIN + ["--network", "x"], "give either --style"),
        (PLAIN + ["--content", "x.mp4"], "--film: is given twice, as a flag and as clip.mp4"),
        (PLAIN + ["--output_dir", "x"], "use --output"),
        (PLAIN + ["--resume", "x"], ""),
        (PLAIN + ["--report"], "--report is not for a film"),
        (PLAIN + ["--show"], "--show is not for a film: films have no report page"),
        (PLAIN + ["--output-size", "9"], "use --size"),
        (PLAIN + ["--doctor"], "use it with python -m neural_style"),
        (PLAIN + ["--first-epochs", "0"], "1 or greater"),
        (PLAIN + ["--lr", "x"], "--lr"),
        (PLAIN + ["--no-such"], "--no-such"),
        (PLAIN + ["--start", "-"], "standard input"),
        (PLAIN + ["more.mp4"], "more.mp4"),
        (["a.mp4", "--network", "x", "--output", "b.mp4", "--lr", "1"], "--lr has no effect with --network"),
        (["a.mp4", "--network", "x", "--output", "b.mp4", "--preserve-colors", "match"], "use luma"),
        (["a.mp4", "--network", "x", "--output", "b.mp4", "--first-epochs", "9"], "--first-epochs has no effect"),
    ],
)
def test_wrong_use_is_one_line(words, said, capsys):
    assert said in refused(capsys, film.main, *words)


def test_values_are_checked_before_anything_else(capsys):
    assert film.main(PLAIN + ["--lr", "-1"]) == 2
    assert capsys.readouterr().err == "neural_style.film: error: --lr -1.0: must be greater than 0\n"


def test_help_loads_nothing_large():
    code = (
        "import sys; from neural_style.film.__main__ import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
        "print([name for name in ('numpy', 'mxnet', 'av', 'PIL') if name in sys.modules], file=sys.stderr)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert told.stderr == "[]\n" and "--first-epochs N" in told.stdout
