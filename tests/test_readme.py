"""What README.md and docs/ say can be typed as it is written, links lead somewhere, and names are those of the code."""

import ast
import importlib.util
import re
import shlex
from pathlib import Path

import pytest
from networks import SMALL

from neural_style import nstyle, recipes
from neural_style.batch import __main__ as batch
from neural_style.end_to_end import __main__ as end_to_end
from neural_style.film import __main__ as film
from neural_style.find_mxnet import mx
from neural_style.network import architecture
from neural_style.options import check, optimizers, parse
from neural_style.painting import __main__ as painting
from neural_style.studio import __main__ as studio
from neural_style.weights import __main__ as weights

ROOT = Path(__file__).parents[1]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (*sorted(ROOT.glob("*R*.md")), ROOT / "model" / "README.md", *sorted((ROOT / "docs").glob("*.md")))
    if path.name != "CHANGELOG.md"
}
PARSERS = {
    "neural_style": parse.get_args,
    "neural_style.nstyle": parse.get_args,
    "neural_style.batch": lambda words: parse.parse(batch.COMMAND, words),
    "neural_style.film": lambda words: parse.parse(film.COMMAND, words),
    "neural_style.weights": lambda words: parse.parse(weights.COMMANDS, words),
    "neural_style.end_to_end": lambda words: parse.parse(end_to_end.COMMANDS, words),
    "neural_style.painting": lambda words: parse.parse(painting.COMMAND, words),
    "neural_style.studio": lambda words: parse.parse(studio.COMMAND, words),
}
PACKAGES = "pillow-heif", "h5py", "av", "mxnet==1.9.1"
OWN_MODELS = "model_NAME.py", "model_deep.py"  # of the reader's own
(SOFT,) = re.findall(r"```\n(# Soft.*?)```", PAGES["docs/recipes.md"], re.S)


def commands(text):
    """The commands of a page, as lists of words: lines of its shell blocks, and what stands in the text."""
    lines = [line for block in re.findall(r"```sh\n(.*?)```", text, re.S) for line in block.splitlines()]
    text = re.sub(r"```.*?```", "", text, flags=re.S)
    lines += re.findall(r"`((?:python|make|sh|pip|neural-style|OMP_\w+=\d+ dask|\.ci/\w+)(?:\s[^`]*)?)`", text)
    return [shlex.split(line) for line in lines]


@pytest.fixture(scope="module")
def after_a_run(small_files, thumbnails, tmp_path_factory):
    """A folder in which the commands can be typed: with a recipe of one's own, and a run that can be resumed."""
    folder = tmp_path_factory.mktemp("typed")
    (folder / "soft.args").write_text(SOFT)
    (folder / "model").mkdir()
    (folder / "model" / "vgg19.params").symlink_to(small_files["vgg19"])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setitem(architecture.NETWORKS, "vgg19", SMALL["vgg19"])
        assert (
            nstyle.main(
                (
                    f"--content-image {thumbnails}/chelsea.png --style-image {thumbnails}/coffee.png --size 32 "
                    "--max-num-epochs 1 --quiet"
                ).split()
            )
            == 0
        )
    return folder


@pytest.mark.parametrize("page", PAGES)
def test_commands(page, after_a_run, monkeypatch, capsys):
    monkeypatch.chdir(after_a_run)
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M)
    extras = re.findall(r'^        "(\w+)":', (ROOT / "setup.py").read_text().split("extras_require")[1], re.M)
    for program, *words in commands(PAGES[page]):
        if program == "make":
            assert words[0] in targets
        elif program == "neural-style":
            parse.get_args(words)
        elif program.startswith(".ci/"):
            assert (ROOT / program).is_file()
        elif program.startswith("OMP_"):
            assert words[:2] == ["dask", "worker"]
        elif program == "sh":
            assert (ROOT / words[0]).is_file()
        elif program == "pip":
            assert words[0] in ("install", "wheel") and words[-1] in (
                ".",
                *PACKAGES,
                *(f".[{extra}]" for extra in extras),
            )
        elif words[0] != "-m":
            assert program == "python" and (ROOT / words[0]).is_file()
            assert all(word in (ROOT / words[0]).read_text() for word in words[1:])
        else:
            assert program == "python" and importlib.util.find_spec(words[1])
            if words[1] in PARSERS:
                try:
                    PARSERS[words[1]](words[2:])
                except SystemExit as ended:  # --help, --list-recipes
                    assert ended.code == 0, (words, capsys.readouterr().err)


@pytest.mark.parametrize("page", PAGES)
def test_flags(page, capsys):
    known = {"--nthreads", "--no-deps", "--keep"}  # of Dask's workers, of pip, and of our own scripts
    for program in PARSERS.values():
        with pytest.raises(SystemExit):
            program(["--help"])
    for command in ("convert", "normalise", "download", "check"):
        with pytest.raises(SystemExit):
            weights.main([command, "--help"])
    for command in ("train", "paint"):
        with pytest.raises(SystemExit):
            end_to_end.main([command, "--help"])
    known.update(re.findall(r"--[\w-]+", capsys.readouterr().out))
    assert set(re.findall(r"(?<![\w-])--[a-z][\w-]+", PAGES[page])) <= known


@pytest.mark.parametrize("page", PAGES)
def test_links(page):
    for target, _, heading in re.findall(r"\]\(([^)#\s]*)(#([^)\s]+))?\)", PAGES[page]):
        if target.startswith("https://"):
            continue
        path = (ROOT / page).parent / target if target else ROOT / page
        assert path.exists(), target
        if heading:
            headings = re.findall(r"^#+ (.*)", path.read_text(encoding="utf-8"), re.M)
            assert heading in [re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in headings]


@pytest.mark.parametrize("page", PAGES)
def test_files_named_are_there(page):
    """A file's name is a path from the checkout or from the package, or that of a file somewhere in there."""
    names = {path.name for path in (ROOT / "neural_style").rglob("*.py")}
    for name in re.findall(r"`([\w/]+\.py)`", PAGES[page]):
        assert (ROOT / name).exists() or (ROOT / "neural_style" / name).exists() or name in (*names, *OWN_MODELS), name


def test_every_page_is_linked_from_the_readme():
    assert {page for page in PAGES if page != "README.md"} <= set(
        re.findall(r"\]\(([\w/.-]+\.md)\)", PAGES["README.md"])
    )
    assert len(PAGES["README.md"].splitlines()) <= 150


def test_the_chinese_readme_says_the_same():
    """It has the same commands, code, links and rows, in the same order, apart from the link to the other language."""
    english, chinese = PAGES["README.md"], PAGES["README.zh-CN.md"]
    assert "[English](README.md)" in chinese and "[简体中文](README.zh-CN.md)" in english
    for pattern in (r"^```[^`]*```", r"`[^`\n]+`", r"\]\((?!README)([^)]+)\)", r"^(#+ |\| )"):
        assert re.findall(pattern, chinese, re.M) == re.findall(pattern, english, re.M)


def test_python_example(monkeypatch, capsys):
    seen = {}

    def train(args, callback):
        seen.update(vars(check.complete(args)))
        callback({"epoch": 50, "eps": 0.01, "filename": "output/e_50.jpg"})

    monkeypatch.setattr(nstyle, "train_nstyle", train)
    (example,) = re.findall(r"```python\n(.*?)```", PAGES["docs/python.md"], re.S)
    exec(example, {})
    assert seen["content_image"] == "photo.jpg" and seen["max_num_epochs"] == 150
    assert capsys.readouterr().out == "50 0.01 output/e_50.jpg\n"


def test_the_optimiser_to_add():
    row = re.search(r'"\w+": (Optimizer\(.*\)),', PAGES["docs/extending.md"])[1]
    optimizer = eval(row, {"Optimizer": optimizers.Optimizer})
    assert hasattr(mx.optimizer, optimizer.mxnet) and set(optimizer.defaults) <= set(optimizers.OWN_FLAGS)


def test_the_model_of_ones_own(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", PAGES["docs/extending.md"], re.S)
    (tmp_path / "model_deep.py").write_text(example)
    assert nstyle.main(["--model", "deep", "--list-layers"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "relu4_4"


def test_the_recipe_of_ones_own(after_a_run):
    args = check.complete(parse.get_args(["--recipe", str(after_a_run / "soft.args")]))
    assert args.optimizer == "lbfgs" and args.preserve_colors == "luma"


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md", "docs/recipes.md"])
def test_every_recipe_is_in_the_table(page):
    rows = re.split(r"\| (?:recipe|配方) \|", PAGES[page])[1].split("\n\n")[0].splitlines()[2:]
    assert {name for row in rows for name in re.findall(r"`([\w-]+)`", row.split("|")[1])} == set(recipes.names())


def test_imports_go_downward():
    """docs/architecture.md has the rows: a module belongs to the one with the longest part of its path."""
    rows = re.search(r"<!-- imports -->\n(.*?)<!-- /imports -->", PAGES["docs/architecture.md"], re.S)[1].splitlines()[
        2:
    ]
    level = {name: number for number, row in enumerate(rows) for name in re.findall(r"`([\w/]+)`", row)}

    def row(parts):
        return next(
            (level["/".join(parts[:end])] for end in range(len(parts), 0, -1) if "/".join(parts[:end]) in level), None
        )

    package = ROOT / "neural_style"
    for path in package.rglob("*.py"):
        parts = path.relative_to(package).with_suffix("").parts
        own = row(parts[:-1] if parts[-1] == "__init__" else parts)
        assert own is not None or parts == ("__init__",), path
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            inside = isinstance(node, ast.ImportFrom) and (node.module or "").split(".")
            if inside and (node.level or inside[0] == "neural_style"):
                base = (*parts[: len(parts) - node.level], *filter(None, inside)) if node.level else tuple(inside[1:])
                for name in (alias.name for alias in node.names):
                    other = row((*base, name))
                    assert other is None or other >= own, f"{'/'.join(parts)} imports {'/'.join((*base, name))}"
