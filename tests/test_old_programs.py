"""Programs that were written for the original: imports, names, models of one's own, abbreviations, chained runs."""

import io
import os
import shutil
import subprocess
import sys
import textwrap
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
import reference
from PIL import Image

from neural_style import model_vgg19, nstyle
from neural_style.find_mxnet import mx
from neural_style.network import find_model
from neural_style.network.model import Model
from neural_style.options.parse import get_args
from neural_style.pictures import images
from neural_style.system.errors import UsageError

PACKAGE = Path(nstyle.__file__).parent
SEVEN = [
    "PreprocessContentImage",
    "PreprocessStyleImage",
    "PostprocessImage",
    "SaveImage",
    "style_gram_symbol",
    "get_loss",
    "get_tv_grad_executor",
]


def python(code, *flags, cwd=None):
    """What a script prints; a warning is an error."""
    done = subprocess.run(
        [sys.executable, "-W", "error", *flags, "-c", textwrap.dedent(code)],
        text=True,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(os.environ, PYTHONPATH=str(PACKAGE.parent)),
    )
    assert done.returncode == 0, done.stdout
    return done.stdout.strip()


@pytest.mark.parametrize(
    "imports",
    [
        "from neural_style import find_mxnet; import mxnet as mx",
        "import neural_style.nstyle; from mxnet import ndarray; import mxnet as mx",
        "import numpy, scipy.sparse; from neural_style.nstyle import get_args; import mxnet as mx",
        "from neural_style.model_vgg19 import get_symbol; import mxnet as mx",
    ],
)
def test_mxnet_can_be_imported_by_its_own_name(imports):
    assert python(f"{imports}; print(mx.nd.ones((2, 3)).sum().asscalar())") == "6.0"


def test_naming_the_module_loads_nothing():
    assert (
        python(
            "import sys; from neural_style import find_mxnet, nstyle; nstyle.get_args([]); "
            "print({'numpy', 'mxnet'} & set(sys.modules))"
        )
        == "set()"
    )


def test_all_names_of_the_reference_are_there():
    assert set(SEVEN) <= set(dir(nstyle)) and nstyle.SaveImage.__name__ == "SaveImage"
    assert nstyle.CallbackData._fields[0] == "eps"


def test_an_import_of_everything_gives_what_the_originals_gave():
    names = ["argparse", "find_mxnet", "importlib", "io", "logging", "mx", "namedtuple", "np", "transform"]
    code = f"from neural_style.nstyle import *; print(*sorted({{*{names}, *{SEVEN}}} - set(globals())))"
    code = f"{code}; print(io.imread, transform.resize, mx.nd.ones(2).sum().asscalar(), get_loss.__name__)"
    said = python(code)
    assert said.startswith("<function imread") and said.endswith("2.0 get_loss")


@pytest.mark.parametrize("first", ["import nstyle", "import find_mxnet, mxnet", "import model_vgg19"])
def test_programs_inside_the_packages_folder_import_its_modules_by_their_bare_names(first):
    code = """
        import find_mxnet, model_vgg19, nstyle, sys
        from neural_style import nstyle as ours, find_mxnet as finder, model_vgg19 as network
        assert (nstyle, find_mxnet, model_vgg19) == (ours, finder, network)
        assert len([one for one in sys.meta_path if type(one).__name__ == "_Finder"]) == 1
        nstyle.logging.getLogger().setLevel(nstyle.logging.WARNING)
        print(nstyle.get_args(["--lr", "3"]).lr, model_vgg19.get_symbol()[1].list_outputs())
        """
    code = f"{first}\n" + textwrap.dedent(code)
    assert python(code, cwd=PACKAGE) == "3.0 ['relu4_2_output']"


def test_importing_nstyle_inside_the_packages_folder_loads_nothing():
    code = "import nstyle, sys; nstyle.get_args([]); print({'numpy', 'mxnet', 'skimage'} & set(sys.modules))"
    assert python(code, cwd=PACKAGE) == "set()"


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_picture_is_made_in_the_images_own_type(dtype):
    image = np.random.RandomState(1).uniform(-130, 160, (1, 3, 20, 30)).astype(dtype)
    expected = image[0].copy()
    for channel, mean in zip(expected, (123.68, 116.779, 103.939)):
        channel += mean
    np.testing.assert_array_equal(
        nstyle.PostprocessImage(image), np.clip(expected, 0, 255).astype("uint8").transpose(1, 2, 0)
    )


@pytest.fixture
def small(small, pictures, tmp_path):
    return Namespace(
        content_image=str(pictures / "chelsea.png"),
        style_image=str(pictures / "coffee.png"),
        save_epochs=1,
        model_params=str(small),
        max_long_edge=40,
        max_num_epochs=2,
        output_dir=str(tmp_path),
        seed=1,
    )


def test_functions_that_are_replaced_are_called(small, monkeypatch):
    called = []

    def record(name, original):
        def function(first, second, *rest):  # the original's parameters and no more
            called.append((name, first if isinstance(first, str) else second))
            return original(first, second, *rest)

        return function

    for name in ("SaveImage", "PreprocessContentImage", "PreprocessStyleImage"):
        monkeypatch.setattr(nstyle, name, record(name, getattr(nstyle, name)))
    nstyle.train_nstyle(small)
    assert called == [
        ("PreprocessContentImage", small.content_image),
        ("PreprocessStyleImage", small.style_image),
        *(("SaveImage", os.path.join(small.output_dir, name)) for name in ("e_1.jpg", "e_2.jpg", "final.jpg")),
    ]


def final(args, **more):
    """The raw image that a run ends with."""
    seen = []
    nstyle.train_nstyle(Namespace(**{**vars(args), **more}), callback=lambda data: seen.append(data.get("img")))
    return seen[-1]


@pytest.mark.filterwarnings("ignore:.*low contrast")
@pytest.mark.parametrize("names", [*([name] for name in SEVEN), SEVEN], ids=lambda names: " ".join(names[:2]))
def test_the_originals_functions_in_ours_place_change_no_bit(small, names, monkeypatch):
    def run():
        seen = []
        nstyle.train_nstyle(small, callback=lambda data: seen.append((data["eps"], data["img"].tobytes())))
        pictures = [(Path(small.output_dir) / name).read_bytes() for name in ("e_1.png", "e_2.png", "final.png")]
        return seen, [Image.open(io.BytesIO(data)).tobytes() for data in pictures]

    small.checkpoint_output, small.output = (os.path.join(small.output_dir, name) for name in ("e_%s.png", "final.png"))
    small.overwrite = True
    expected = run()
    for name in names:
        monkeypatch.setattr(nstyle, name, getattr(reference, name))
    assert run() == expected


def test_a_network_put_in_ours_place_is_taken(small, monkeypatch):
    own, bind = model_vgg19.get_layers(), model_vgg19.get_executor
    params = model_vgg19.get_params(small.model_params)
    expected = final(small, content_layers="relu3_1", style_layers=["relu1_1", "relu2_1"])
    monkeypatch.setattr(
        model_vgg19,
        "get_symbol",
        lambda: (mx.sym.Group([own["relu1_1"], own["relu2_1"]]), mx.sym.Group([own["relu3_1"]])),
    )
    monkeypatch.setattr(
        model_vgg19,
        "get_executor",
        lambda style, content, input_size, ctx: bind(style, content, input_size, ctx, params),
    )
    np.testing.assert_array_equal(final(small, model_params=None), expected)
    with pytest.raises(UsageError, match="only for VGG19 and VGG16"):
        final(small, model_params=None, precision="fast32")


MODEL = """
    import {find_mxnet}
    import mxnet as mx
    from model_vgg19 import get_executor, get_layers

    def get_symbol():
        layers = get_layers()
        halves = mx.sym.SliceChannel(layers["relu2_1"], num_outputs=2, name="half")
        style = [layers["relu1_1"], layers["relu1_1"], halves[1], mx.sym.identity(halves[0], name="relu1_1")]
        return mx.sym.Group(style), mx.sym.Group([mx.sym.Variable("data")])
"""


def test_a_model_with_repeated_and_sliced_outputs_and_the_picture_as_content(small, tmp_path, monkeypatch):
    """The style outputs count twice, in halves, and under one name; the first epoch's losses by hand."""
    (tmp_path / "model_odd.py").write_text(textwrap.dedent(MODEL.format(find_mxnet="find_mxnet")))
    (tmp_path / "model").mkdir()
    shutil.copy(small.model_params, tmp_path / "model/vgg19.params")
    monkeypatch.chdir(tmp_path)
    records = []
    nstyle.train_nstyle(
        Namespace(
            **{
                **vars(small),
                "model": "odd",
                "model_params": None,
                "start": "style",
                "tv_weight": 0,
                "max_num_epochs": 1,
            }
        ),
        on_epoch=records.append,
    )
    content = nstyle.PreprocessContentImage(small.content_image, 40)
    image = nstyle.PreprocessStyleImage(small.style_image, content.shape)
    assert records[0].losses["style"] == 0  # it started from the style
    assert records[0].losses["content"] == pytest.approx(10 * np.square(content - image).sum(), rel=1e-5)
    model = Model("odd", mx.cpu())
    assert model.style_layers == ["relu1_1", "relu1_1_again", "half_output1", "relu1_1_again_again"]
    assert model.content_layers == ["data"]
    assert [output.list_outputs() for output in model.outputs(model.style_layers)] == [
        ["relu1_1_output"],
        ["relu1_1_output"],
        ["half_output1"],
        ["relu1_1_output"],
    ]


def test_a_network_in_the_folder_is_not_taken_silently(small, tmp_path, monkeypatch, caplog):
    (tmp_path / "model_vgg19.py").write_text("")
    monkeypatch.chdir(tmp_path)
    find_model.find_model("vgg")
    assert "./model_vgg19.py" in caplog.text and "package's own" in caplog.text


@pytest.mark.parametrize(
    "short, name",
    [
        ("--tv", "tv_weight"),
        ("--save", "save_epochs"),
        ("--remove", "remove_noise"),
        ("--lr-sched-d", "lr_sched_delay"),
        ("--max-n", "max_num_epochs"),
        ("--g", "gpu"),
    ],
)
def test_abbreviations_mean_what_they_meant(short, name):
    assert getattr(get_args([short, "7"]), name) == 7
    assert get_args(["--out", "x", "--mod", "vgg16"]).output_dir == "x"


def test_ambiguous_abbreviations_are_refused(capsys):
    with pytest.raises(SystemExit):
        get_args(["--st", "7"])
    assert "ambiguous option: --st" in capsys.readouterr().err


def test_the_file_itself_can_be_run(tmp_path):
    done = subprocess.run(
        [sys.executable, str(PACKAGE / "nstyle.py"), "--list-recipes"],
        cwd=tmp_path,
        text=True,
        stdout=subprocess.PIPE,
        check=True,
    )
    assert "reference" in done.stdout


def test_addresses_are_refused(small):
    with pytest.raises(UsageError, match="is an address: download it first"):
        nstyle.train_nstyle(Namespace(**{**vars(small), "content_image": "http://127.0.0.1/photo.jpg"}))


def test_a_chained_run_says_what_to_name(small, pictures, tmp_path):
    nstyle.train_nstyle(small)
    for name in ("final.jpg", "e_1.jpg"):
        before = (tmp_path / name).read_bytes()
        with pytest.raises(UsageError, match=f"{name} would be replaced .* name another --output_dir or --output"):
            nstyle.train_nstyle(Namespace(**{**vars(small), "content_image": str(tmp_path / name)}))
        assert (tmp_path / name).read_bytes() == before


def test_a_class_as_arguments_and_former_names(small, caplog):
    class Arguments:
        max_size = 40

    for name, value in vars(small).items():
        setattr(Arguments, name, value)
    nstyle.train_nstyle(Arguments)
    assert [message for message in caplog.messages if message.startswith("args.")] == [
        "args.max_size is not an option and has no effect; did you mean args.max_long_edge?"
    ]


@pytest.mark.parametrize("words", [["--list-recipes"], ["--help"], ["--doctor"], ["--show-recipe", "gatys"]])
def test_readers_may_leave_early(words):
    line = f"{sys.executable} -m neural_style {' '.join(words)} | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], text=True, capture_output=True, cwd=PACKAGE.parent)
    assert done.stdout.strip() in ("0", "141") and not done.stderr


def test_several_levels_of_threads(tmp_path):
    code = (
        "import os; from neural_style.find_mxnet import mx; "
        "mx.nd.ones((2,)).asnumpy(); print(os.environ['OMP_NUM_THREADS'])"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code],
            env=dict(os.environ, OMP_NUM_THREADS="4,2"),
            text=True,
            cwd=PACKAGE.parent,
            stdout=subprocess.PIPE,
            check=True,
        ).stdout.strip()
        == "4"
    )


def test_a_layer_named_twice_counts_twice(small):
    once = final(small, style_layers=["relu1_1", "relu3_4"], style_layer_weights=[2, 3])
    twice = final(small, style_layers=["relu1_1", "relu3_last", "relu1_1", "relu3_4"], style_layer_weights=[1, 2, 1, 1])
    np.testing.assert_array_equal(once, twice)


@pytest.mark.parametrize("orientation", [1, 3, 5, 6, 8])
@pytest.mark.parametrize("ending", ["tif", "jpg", "png"])
def test_sizes_are_those_of_the_picture_as_it_is_shown(tmp_path, ending, orientation):
    from neural_style.pictures.read import size_of

    exif = Image.Exif()
    exif[0x0112] = orientation
    path = str(tmp_path / f"turned.{ending}")
    Image.new("RGB", (40, 20)).save(path, exif=exif)
    height, width, _ = images.read_image(path).shape
    assert size_of(path) == (width, height) == ((20, 40) if orientation >= 5 else (40, 20))
