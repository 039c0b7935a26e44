"""What the README says can be typed as it stands there."""
import importlib.util
import re
import shlex
from pathlib import Path

from neural_style import nstyle, painting, recipes
from neural_style.batch import __main__ as batch
from neural_style.options import parse as options
from neural_style.weights import pretrained as weights

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.S)


def test_commands(random_params, pictures, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    nstyle.main(["--content-image", str(pictures / "chelsea.png"), "--style-image", str(pictures / "coffee.png"),
                 "--model-params", str(random_params), "--max-long-edge", "32", "--max-num-epochs", "1", "--quiet"])
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M)
    commands = [shlex.split(line) for block in blocks("sh") for line in block.splitlines()]
    commands += [shlex.split(text) for text in re.findall(r"`(python -m neural_style[^`]*)`", README)]
    assert len(commands) >= 9
    for program, *words in commands:
        if program == "make":
            assert words[0] in targets
        elif program == "sh":
            assert (ROOT / words[0]).is_file()
        elif program == "python":
            assert words[0] == "-m" and importlib.util.find_spec(words[1])
            parse = {"neural_style.nstyle": options.get_args, "neural_style.weights": weights.parser().parse_args,
                     "neural_style.painting": painting.parser().parse_args, "neural_style.batch": batch.parse}[words[1]]
            try:
                parse(words[2:])
            except SystemExit as ended:     # --help, --list-recipes
                assert ended.code == 0
        else:
            assert (program, words) == ("pip", ["install", "."])


def test_python_example(monkeypatch, capsys):
    seen = {}

    def train(args, callback):
        seen.update(vars(options.complete(args)))
        callback({"epoch": 50, "eps": 0.01, "filename": "output/e_50.jpg"})

    monkeypatch.setattr(nstyle, "train_nstyle", train)
    example, = blocks("python")
    exec(example, {})
    assert seen["content_image"] == "photo.jpg" and seen["max_num_epochs"] == 150
    assert capsys.readouterr().out == "50 0.01 output/e_50.jpg\n"


def test_the_recipe_in_the_readme(tmp_path):
    text, = re.findall(r"```\n(# Soft.*?)```", README, re.S)
    (tmp_path / "soft.args").write_text(text)
    args = options.complete(options.get_args(["--recipe", str(tmp_path / "soft.args")]))
    assert args.optimizer == "lbfgs" and args.preserve_colors == "luma"
    named = re.findall(r"`([\w-]+)`", README.split("| recipe |")[1].split("\n\n")[0])
    assert set(recipes.names()) <= set(named)


def test_files_named_are_there():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("https://") or (ROOT / target).exists(), target
    table = README.split("## Where things are")[1].split("##")[0]
    named = set(re.findall(r"`(\w+\.py)`", table))
    assert named == {path.name for path in (ROOT / "neural_style").glob("*.py")} - {"__init__.py"}
