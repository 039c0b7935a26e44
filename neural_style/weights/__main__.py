"""The command `python -m neural_style.weights`: fetch, convert, normalise and check weights files."""

import functools
import sys
from pathlib import Path

from ..options import parse
from ..options.command import Command, Commands
from ..options.flags import FILE, RUN, Flag
from ..system.errors import NeuralStyleError, say, visible
from ..system.files import refuse_to_replace
from ..system.types import PathLike
from . import convert, download, pretrained, sources


def download_all(folder: PathLike) -> None:
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


def _output(own, usual):
    """The file to write: the one that --output names, or else the usual one."""
    output = Path(own.output or usual)
    refuse_to_replace(output, own.overwrite, "name another file with --output")
    return output


# fmt: off
OUTPUT = Flag("--output", str, None, "model/vgg19.params or the like, unless another is named", scope=RUN, shown="PATH")
OVERWRITE = Flag("--overwrite --force", bool, False, "replace a file that exists", scope=RUN)
USUAL = Flag("--file", str, None, "the file that would be used, unless another is named", path=FILE)
OF_DOWNLOAD = (Flag("--to --output", str, ".", "where to create model/ and input/", scope=RUN, shown="DIR"),)
OF_CONVERT = (
    Flag("--file", str, None, ", ".join(row[0] for row in convert.FORMATS), path=FILE),
    OUTPUT,
    Flag("--preprocessing", str, None, "how the network expects its pictures, if the file does not say",
         choices=("caffe", "torchvision")),
    OVERWRITE,
)
OF_NORMALISE = (
    USUAL,
    OUTPUT._replace(help="NAME-normalised.params beside it, unless another is named"),
    Flag("--pictures", str, None, "take the mean over these (four photographs that come with scikit-image)", many=True,
         shown="PICTURE"),
    OVERWRITE,
)
# fmt: on


def _normalise(own, args, given):
    from ..network import normalise  # loads MXNet, which the other commands do not need
    from ..pictures import images

    path = pretrained.existing(own.file) if own.file else pretrained.ensure()
    output = _output(own, path.with_name(f"{path.stem}-normalised.params"))
    pictures = [images.PreprocessContentImage(name, normalise.LONG_EDGE) for name in own.pictures or ()]
    network = pretrained.network_of(pretrained.load(path))
    print(normalise.write_normalised(path, output, pictures or None, network))


def _convert(own, args, given):
    """Convert a file in any known format to a weights file."""
    contents = convert.read(pretrained.existing(own.file))
    arrays = convert.to_arrays(contents, own.file, own.preprocessing)
    output = _output(own, f"model/{pretrained.network_of(arrays)}{'_bn' * contents.batch_norm}.params")
    source = f"{Path(own.file).name} ({contents.format})"
    sources.save(output, arrays, source, convert.precision(contents, own.preprocessing))
    print(output)


def _check(own, args, given):
    path = pretrained.existing(own.file) if own.file else pretrained.find()
    if path is None:
        raise NeuralStyleError(f"there is no weights file; looked for {', '.join(map(str, pretrained.places()))}")
    for what, text in pretrained.check(path).items():
        print(visible(f"{what + ':':<11}{text}"))


def _command(name, about, work, flags, **more):
    return Command(f"neural_style.weights {name}", about, work, flags, of_run=("debug",), **more)


# fmt: off
COMMANDS = Commands("neural_style.weights", "The pretrained VGG weights.", {
    "download": _command("download", "fetch VGG19 and the two demonstration pictures",
                         lambda own, args, given: download_all(own.to), OF_DOWNLOAD),
    "convert": _command("convert", "convert another VGG19 or VGG16 file to a weights file", _convert, OF_CONVERT,
                        first=("file",), needs=("file",)),
    "normalise": _command("normalise", "scale every filter to a mean activation of 1", _normalise, OF_NORMALISE,
                          first=("file",)),
    "check": _command("check", "say what a weights file is and whether it is intact", _check, (USUAL,),
                      first=("file",)),
})
# fmt: on
main = functools.partial(parse.run, COMMANDS)  # of a list of words; returns the exit code

if __name__ == "__main__":
    sys.exit(main())
