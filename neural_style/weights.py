"""The pretrained weights: find them, fetch them, load them; `python -m neural_style.weights --help`.

A weights file NAME.params holds float32 arrays `arg:conv1_1_weight` (out, in, 3, 3), `arg:conv1_1_bias` (out,), …
for pictures with channels R, G, B on the scale "[0, 1] × 256 minus (123.68, 116.779, 103.939)".
"""
import sys
from pathlib import Path

import numpy as np

from . import convert, download, errors, params, sources
from .errors import NeuralStyleError, UsageError

PACKAGE = Path(__file__).resolve().parent


def places(name="vgg19"):
    """Where NAME.params is looked for, in this order."""
    from platformdirs import user_cache_dir
    checkout = PACKAGE.parent
    folders = [Path("model")]
    if (checkout / "setup.py").is_file():
        folders.append(checkout / "model")
    folders.append(Path(user_cache_dir("neural_style")))
    return [folder / f"{name}.params" for folder in folders]


def find(name="vgg19", explicit=None):
    """The weights file to use: explicit where given, else the first of places(name) that is there, else None."""
    if explicit is not None:
        return existing(explicit, "--model-params ")
    return next((path for path in places(name) if path.is_file()), None)


def existing(path, flag=""):
    """path, if it is a file."""
    if not Path(path).is_file():
        raise UsageError(f"{flag}{path} " + ("is a folder; name a file" if Path(path).is_dir() else "is not there"))
    return Path(path)


def ensure(name="vgg19", explicit=None):
    """The weights file to use; VGG19's are fetched into the user's cache where there are none yet."""
    path = find(name, explicit)
    if path is not None:
        return path
    looked = "looked for " + ", ".join(map(str, places(name)))
    if name != "vgg19":
        raise NeuralStyleError(f"there are no weights for {name}: make {name}.params with `python -m "
                               f"neural_style.weights convert FILE`, or name a file with --model-params PATH; {looked}")
    target = places(name)[-1]
    sources.say(f"the VGG19 weights are not here yet: fetching them once into {target.parent}")
    try:
        sources.fetch_weights(target)
    except (NeuralStyleError, OSError) as error:
        raise NeuralStyleError(f"{error}; {looked}") from error
    return target


def too_short(missing):
    """The error of a file without an array that is needed."""
    return UsageError(f"the weights file has no {missing}: it ends below the layers asked for; choose lower ones, or "
                      "fetch or convert a file with the whole network")


def load(path, shapes=None):
    """The arrays of a weights file as {name: array}, without the prefix `arg:`, all values finite.

    shapes, {name: shape}, are the arrays that must be there; others that the file has are returned too.
    """
    arrays = {name[4:] if name.startswith("arg:") else name: array for name, array in params.read(path).items()}
    _demand(path, arrays, shapes or {})
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise NeuralStyleError(f"{path} is damaged: {name} holds values that are not finite; fetch it again")
    return arrays


def _demand(path, arrays, shapes):
    for name, shape in shapes.items():
        if name not in arrays:
            raise NeuralStyleError(f"{path} is not a {_network(shapes)}: {name} is missing")
        if arrays[name].shape != tuple(shape):
            raise NeuralStyleError(f"{path} is not a {_network(shapes)}: {name} has shape {arrays[name].shape} "
                                   f"instead of {tuple(shape)}")


def _network(names):
    return "VGG19" if "conv3_4_weight" in names else "VGG16"


def check(path):
    """What a weights file is, as {what: text}; one that is broken, or not what its record says, is an error."""
    arrays = load(path)
    network = _network(arrays)
    blocks = convert.NETWORKS[network.lower()]
    layers = [name[:-len("_weight")] for name in arrays if name.endswith("_weight")]
    # The styles need nothing above conv5_1, and a file without the rest serves as well.
    _demand(path, arrays, convert.array_shapes(blocks[:4] + ((blocks[4][0], 1),)))
    sha256, blob, record = download.sha256_of(path), download.git_blob_of(path), sources.read_record(path)
    original = blob == sources.FILES[sources.WEIGHTS]["git_blob"]
    if record and record.get("sha256") != sha256 and not original:
        raise NeuralStyleError(f"{path} is not what its record {sources.record_path(path)} says: its SHA-256 is {sha256} "
                               f"instead of {record.get('sha256')}; fetch it again, or delete the record")
    verdict = ("good: the published file" if original else
               "good: unchanged since it was written" if record else
               "well-formed, but nothing tells where it is from")
    return {"file": str(path), "network": f"{network}, {len(layers)} layers, {layers[0]} to {layers[-1]}",
            "precision": "exact" if original else record.get("precision", "unknown"),
            "source": "the published file" if original else record.get("source", "unknown"), "licence": record.get("licence", "unknown"),
            "SHA-256": sha256, "git blob": blob, "verdict": verdict}


def download_all(folder):
    """Bring weights and pictures below folder; what is there already stays and needs no network."""
    target, reachable = Path(folder) / sources.WEIGHTS, True
    if not target.is_file():
        reachable = sources.fetch_weights(target)
    facts = check(target)
    sources.say(f"{target}: {facts['network']}; {facts['precision']}; {facts['verdict']}")
    for name in sources.PICTURES:
        picture = Path(folder) / name
        if picture.exists():
            continue
        try:
            if not reachable:
                raise download.Unreachable("its source cannot be reached")
            sources.fetch(name, picture)
        except NeuralStyleError as error:
            reachable = reachable and not isinstance(error, download.Unreachable)
            sources.say(f"warning: no {name}: {error}; any picture of your own does as well")


def convert_file(path, output=None, preprocessing=None, force=False):
    """Convert a file of any known format to a weights file and return its path."""
    found = convert.read(existing(path))
    arrays = convert.normalise(found, path, preprocessing)
    output = Path(output or f"model/{convert.network_of(arrays)}.params")
    if output.exists() and not force:
        raise UsageError(f"{output} exists already; --force replaces it, --output names another file")
    sources.save(output, arrays, f"{Path(path).name} ({found.format})", convert.precision(found, preprocessing))
    return output


def _run(options):
    if options.command == "download":
        download_all(options.to)
    elif options.command == "normalise":
        print(_normalise(options))
    elif options.command == "convert":
        print(convert_file(options.file, options.output, options.preprocessing, options.force))
    else:
        path = existing(options.file) if options.file else find()
        if path is None:
            raise NeuralStyleError(f"there is no weights file; looked for {', '.join(map(str, places()))}")
        for what, text in check(path).items():
            print(f"{what + ':':<11}{text}")


def _normalise(options):
    from . import images, normalise
    path = existing(options.file) if options.file else ensure()
    output = Path(options.output or path.with_name(f"{path.stem}-normalised.params"))
    if output.exists() and not options.force:
        raise UsageError(f"{output} exists already; --force replaces it, --output names another file")
    pictures = [images.PreprocessContentImage(name, normalise.LONG_EDGE) for name in options.pictures or ()]
    network = _network(load(path)).lower()
    return normalise.normalise(path, output, pictures or None, network)


def parser():
    parser = errors.Parser(prog="python -m neural_style.weights", description="The pretrained VGG weights.")
    shared = errors.Parser(add_help=False)
    shared.add_argument("--debug", action="store_true", help="show where an error comes from")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.required = True

    fetch = commands.add_parser("download", parents=[shared], help="fetch VGG19 and the two demonstration pictures")
    fetch.add_argument("--to", metavar="DIR", default=".", help="puts them into DIR/model and DIR/input (default: .)")

    turn = commands.add_parser("convert", parents=[shared], help="turn another VGG19 or VGG16 file into a weights file")
    turn.add_argument("file", metavar="FILE", help=", ".join(row[0] for row in convert.FORMATS))
    turn.add_argument("--output", metavar="PATH", help="default: model/vgg19.params or model/vgg16.params")
    turn.add_argument("--preprocessing", choices=("caffe", "torchvision"), help="where the file does not tell")
    turn.add_argument("--force", action="store_true", help="replace a file that exists")

    scale = commands.add_parser("normalise", parents=[shared], help="scale every filter to a mean activation of 1")
    scale.add_argument("file", metavar="FILE", nargs="?", help="default: the file that would be used")
    scale.add_argument("--output", metavar="PATH", help="default: NAME-normalised.params beside it")
    scale.add_argument("--pictures", metavar="PICTURE", nargs="+", help="take the mean over these (default: four "
                       "photographs that come with scikit-image)")
    scale.add_argument("--force", action="store_true", help="replace a file that exists")

    tell = commands.add_parser("check", parents=[shared], help="say what a weights file is and whether it is whole")
    tell.add_argument("file", metavar="FILE", nargs="?", help="default: the file that would be used")
    return parser


def main(arguments=None):
    """The command; returns its exit code."""
    options = parser().parse_args(arguments)
    return errors.run(lambda: _run(options), "neural_style.weights", options.debug)


if __name__ == "__main__":
    sys.exit(main())
