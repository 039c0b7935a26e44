"""What is installed and whether it works, one line each, for a bug report: python -m neural_style --doctor

A check is a function of the arguments that returns a text. If it raises an exception, that becomes its line, so that
one broken part does not hide another. Nothing heavy is imported before its own check.
"""

import contextlib
import importlib
import io
import os
import platform
import re
import shutil
import tempfile
from argparse import Namespace
from pathlib import Path
from typing import Any, Callable

from . import __version__
from .system import machine, memory
from .system.errors import NeuralStyleError
from .system.types import NDArray

SETS = (
    "AVX2",
    "AVX512F",
    "AVX512_BF16",
    "AMX_BF16",
)  # of instructions, which oneDNN, MXNet's library of kernels, can use
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "HEIF")
LARGEST_ERROR = 0.003  # float32 and the kinks of ReLU and maxima accounted for 0.001 at most, with either kind of pool
STEP = 0.2  # the length of the step over all pixels, which balances errors by rounding and by kinks


class Hint(Exception):
    """Something worth knowing that does not prevent a run."""


def _package(name, needed):
    """A check that a package loads; needed is what pip should install."""

    def check(args):
        try:
            return importlib.import_module(name).__version__
        except Exception as error:
            raise NeuralStyleError(f"does not load: {_first_line(error)}; pip install '{needed}'") from error

    return check


def _first_line(error):
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _mxnet(args):
    from . import find_mxnet

    mx = find_mxnet.load()
    mx.nd.ones((2, 2)).sum().asscalar()
    if mx.runtime.Features().is_enabled("MKLDNN"):
        return f"{mx.__version__} with oneDNN"
    raise Hint(f"{mx.__version__} without oneDNN: convolutions on the CPU are slow")


def _processor(args):
    name, flags = machine.processor() or platform.machine(), machine.instructions()
    if not flags:  # ARM, macOS
        return name
    has = [one for one in SETS if one.lower() in flags]
    return f"{name} with {', '.join(has) or 'none of ' + ', '.join(SETS)}"


def _threads(args):
    cores, asked = machine.usable_cores(), machine.threads_asked()
    text = f"{asked or cores}" + (" (OMP_NUM_THREADS)" if asked else "") + f" on {cores} usable processors"
    if asked and asked > cores:
        raise Hint(f"{text}: more threads than processors slow each other down; unset OMP_NUM_THREADS")
    return text


def _precision(args):
    from .objective.engines import fastest

    best, why = fastest()
    return f"{best} is the fastest here (--precision auto)" + (f": {why}" if why else "")


def _numba(args):
    from .layers.last import compiled

    if not compiled():
        raise Hint("missing; with it fast32 is faster: pip install numba threadpoolctl")
    return "compiles the loops of fast32"


def _memory(args):
    free, total = memory.available(), memory.total()
    return f"{memory.gigabytes(free)} free of {memory.gigabytes(total)}" if free and total else "unknown on this system"


def _found(args):
    """The weights file that a run would use, if it is there, and the model that it is for."""
    from .network.find_model import full_name
    from .weights import pretrained

    names = [full_name(name) for name in args.model.split(",")]
    there = ((pretrained.find(name, args.model_params), name) for name in names)
    return next((one for one in there if one[0]), (None, names[-1]))


def _weights(args):
    from .network.find_model import find_model
    from .weights import pretrained

    path, name = _found(args)
    if path:
        facts = pretrained.check(path)
        return f"{path}: {facts['network']}; precision: {facts['precision']}; {facts['verdict']}"
    if not hasattr(find_model(name), "get_params"):
        return f"the model {name} has its own"
    looked = "none found; looked for " + ", ".join(map(str, pretrained.places(name)))
    if name == "vgg19":
        raise Hint(f"{looked}; the first run downloads them, or sh download.sh")
    raise NeuralStyleError(f"{looked}; create them with python -m neural_style.weights convert FILE")


def _gpu(args):
    """What the driver finds, and for each GPU whether MXNet can use it."""
    from . import cuda, find_mxnet

    gpus = cuda.driver().gpus
    if not gpus:
        return cuda.in_words(0)
    device = find_mxnet.context(min(max(args.gpu, 0), len(gpus) - 1))
    where = "on a GPU" if device.device_type == "gpu" else "on the CPU"
    uses = [f"{gpu.name}: " + (cuda.why_not(number) or "MXNet can use it") for number, gpu in enumerate(gpus)]
    text = f"{'; '.join(uses)}; MXNet computes {where}"
    if device.device_type == "cpu":
        raise Hint(text)
    return text


def _formats(args):
    """The formats in which a small picture can be written and read back, in memory."""
    from PIL import Image

    from .pictures.read import PLUGINS, plug_in

    for kind in PLUGINS:
        plug_in(kind)
    good = []
    for name in FORMATS:
        with contextlib.suppress(Exception), io.BytesIO() as file:  # a missing encoder or decoder can raise anything
            Image.new("RGB", (16, 16), "red").save(file, name)
            if Image.open(file).convert("RGB").tobytes()[0] > 200:
                good.append(name)
    missing = [name for name in FORMATS if name not in good]
    text = f"{', '.join(good) or 'none'}" + (f"; not {', '.join(missing)}" if missing else "")
    if not {"JPEG", "PNG"} <= set(good):
        raise NeuralStyleError(f"{text}; reinstall Pillow: pip install --force-reinstall pillow")
    return text


def _output(args):
    folder = Path(os.path.dirname(args.output) if args.output else args.output_dir).absolute()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=str(there)):
            pass
    except OSError as error:
        raise NeuralStyleError(
            f"{folder} cannot be written to: {error.strerror or error}; choose another folder with --output_dir"
        ) from error
    return (
        f"{folder} can be {'written to' if there == folder else 'created'}, "
        f"{shutil.disk_usage(str(there)).free / 1e9:.1f} GB free"
    )


def gradient_error(objective: Any, image: NDArray) -> float:
    """The error of the objective's gradient at image, (1, 3, H, W), relative to its length.

    Slopes along the gradient and along random directions are compared with central differences. Random directions
    reveal what is missing from the gradient.
    """
    import numpy as np

    from .find_mxnet import mx

    start, random = image.asnumpy(), np.random.RandomState(3)
    gradient = objective(image).gradient.asnumpy().astype("float64")
    length, errors = np.linalg.norm(gradient), []
    if not 0 < length < np.inf:
        return np.inf
    for direction in [gradient] + [random.standard_normal(start.shape) for _ in range(16)]:
        step = direction * (STEP / np.linalg.norm(direction))
        ends = [(start + way * step).astype("float32") for way in (1, -1)]
        ahead, behind = (objective(mx.nd.array(end, ctx=image.context)).total for end in ends)
        slope = (gradient * (ends[0].astype("float64") - ends[1])).sum()  # over the steps as rounded to float32
        errors.append(abs(ahead - behind - slope) / (2 * STEP * length))
    return max(errors)


def _gradient(args):
    """Check the default objective on 32x32 pixels, with the weights that are found."""
    import numpy as np

    from . import find_mxnet
    from .network.find_model import is_own
    from .objective.examples import Pictures, Style
    from .options.check import complete
    from .run import setup

    path, name = _found(args)
    if is_own(name) and not path:
        raise Hint("not checked without weights")
    device = find_mxnet.context(args.gpu)
    content, style, image = np.random.RandomState(5).uniform(-100, 100, (3, 1, 3, 32, 32)).astype("float32")
    of_run = {name: getattr(args, name) for name in ("model", "model_params", "pooling", "engine")}
    tiny = complete(Namespace(**of_run, optimizer="lbfgs"))  # with L-BFGS the gradient is not clipped
    pictures = Pictures(content, [Style(style)])
    objective = setup.make_objective(tiny, *setup.model_and_terms(tiny, device, pictures), pictures)
    error = gradient_error(objective, find_mxnet.mx.nd.array(image, ctx=device))
    if error > LARGEST_ERROR:
        raise NeuralStyleError(
            f"wrong by {error:.1%}, so pictures would come out wrong; please report this with all of these lines"
        )
    return f"correct to within {max(error, 1e-4):.2%}"


CHECKS = (
    ("neural_style", lambda args: __version__),
    ("python", lambda args: platform.python_version()),
    ("system", lambda args: platform.platform()),
    ("processor", _processor),
    ("threads", _threads),
    ("memory", _memory),
    ("numpy", _package("numpy", "numpy<2")),
    ("scikit-image", _package("skimage", "scikit-image")),
    ("pillow", _package("PIL", "pillow")),
    *((name, _package(name, name)) for name in ("scipy", "tqdm", "platformdirs", "requests")),
    ("pictures", _formats),
    ("output", _output),
    ("mxnet", _mxnet),
    ("gpu", _gpu),
    ("precision", _precision),
    ("numba", _numba),
    ("weights", _weights),
    ("gradient", _gradient),
)


def examine(args: Namespace, say: Callable[[str], None] = print) -> int:
    """Print a line for each check as soon as it is done; returns the exit code, 1 if something would stop a run."""
    code = 0
    for name, check in CHECKS:
        try:
            text = check(args)
        except Hint as hint:
            text = f"HINT: {hint}"
        except Exception as error:
            known = isinstance(error, NeuralStyleError)
            text = f"PROBLEM: {error}" if known else f"PROBLEM: {type(error).__name__}: {_first_line(error)}"
            code = 1
        say(f"{name}: {anonymous(' '.join(text.split()))}")
    say("PROBLEM marks anything that would stop a run" if code else "everything works")
    return code


def anonymous(text: str) -> str:
    """text with ~ for the home folder, and without the user's name in other paths."""
    home = os.path.expanduser("~")
    for path in sorted({home, os.path.realpath(home)}, key=len, reverse=True):
        if len(path) > 1:
            text = re.sub(re.escape(path) + r"(?![\w.-])", "~", text)
    user = re.escape(os.path.basename(home))
    return re.sub(rf"(?<=/){user}(?=/)", "USER", text) if user else text
