"""The command `python -m neural_style.weights`: fetch, convert, normalise and check weights files."""

import sys
from pathlib import Path

from ..system import errors
from ..system.errors import NeuralStyleError, UsageError, say
from . import convert, download, pretrained, sources


def download_all(folder):
    """Download the weights and the pictures to subfolders of folder; existing files are kept."""
    target, reachable = Path(folder) / sources.WEIGHTS, True
    if not target.is_file():
        reachable = sources.fetch_weights(target)
    facts = pretrained.check(target)
    say(f"{target}: {facts['network']}; {facts['precision']}; {facts['verdict']}")
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
            say(f"warning: no {name}: {error}; any picture of your own works too")


def convert_file(path, output=None, preprocessing=None, force=False):
    """Convert a file in any known format to a weights file and return the new file's path."""
    found = convert.read(pretrained.existing(path))
    arrays = convert.to_arrays(found, path, preprocessing)
    output = Path(output or f"model/{pretrained.network_of(arrays)}{'_bn' * found.batch_norm}.params")
    if output.exists() and not force:
        raise UsageError(f"{output} already exists; --force replaces it, --output names another file")
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
        path = pretrained.existing(options.file) if options.file else pretrained.find()
        if path is None:
            raise NeuralStyleError(f"there is no weights file; looked for {', '.join(map(str, pretrained.places()))}")
        for what, text in pretrained.check(path).items():
            print(errors.visible(f"{what + ':':<11}{text}"))


def _normalise(options):
    from ..network import normalise  # loads MXNet, which the other commands do not need
    from ..pictures import images

    path = pretrained.existing(options.file) if options.file else pretrained.ensure()
    output = Path(options.output or path.with_name(f"{path.stem}-normalised.params"))
    if output.exists() and not options.force:
        raise UsageError(f"{output} already exists; --force replaces it, --output names another file")
    pictures = [images.PreprocessContentImage(name, normalise.LONG_EDGE) for name in options.pictures or ()]
    network = pretrained.network_of(pretrained.load(path))
    return normalise.write_normalised(path, output, pictures or None, network)


def parser():
    parser = errors.Parser(prog="python -m neural_style.weights", description="The pretrained VGG weights.")
    shared = errors.Parser(add_help=False)
    shared.add_argument("--debug", action="store_true", help="on an error, show the traceback")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    commands.required = True

    fetch = commands.add_parser("download", parents=[shared], help="fetch VGG19 and the two demonstration pictures")
    fetch.add_argument("--to", metavar="DIR", default=".", help="where to create model/ and input/ (default: .)")

    turn = commands.add_parser(
        "convert", parents=[shared], help="convert another VGG19 or VGG16 file to a weights file"
    )
    turn.add_argument("file", metavar="FILE", help=", ".join(row[0] for row in convert.FORMATS))
    turn.add_argument("--output", metavar="PATH", help="default: model/vgg19.params, vgg16.params, or vgg16_bn.params")
    turn.add_argument(
        "--preprocessing",
        choices=("caffe", "torchvision"),
        help="how the network expects its pictures, if the file does not say",
    )
    turn.add_argument("--force", action="store_true", help="replace a file that exists")

    scale = commands.add_parser("normalise", parents=[shared], help="scale every filter to a mean activation of 1")
    scale.add_argument("file", metavar="FILE", nargs="?", help="default: the file that would be used")
    scale.add_argument("--output", metavar="PATH", help="default: NAME-normalised.params beside it")
    scale.add_argument(
        "--pictures",
        metavar="PICTURE",
        nargs="+",
        help="take the mean over these (default: four photographs that come with scikit-image)",
    )
    scale.add_argument("--force", action="store_true", help="replace a file that exists")

    tell = commands.add_parser("check", parents=[shared], help="say what a weights file is and whether it is intact")
    tell.add_argument("file", metavar="FILE", nargs="?", help="default: the file that would be used")
    return parser


def main(arguments=None):
    """The command; returns its exit code."""
    options = parser().parse_args(arguments)
    return errors.run(lambda: _run(options), "neural_style.weights", options.debug)


if __name__ == "__main__":
    sys.exit(main())
