"""The table of flags: the only place that defines their names, defaults, checks and meanings.

The parser, the Python interface, recipes, saved runs, batches and the documentation all read it.
"""

import os
import re
from argparse import Namespace
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple

from ..objective.engines import ENGINES, PRECISIONS
from ..objective.terms import CONTENT_NORMS, STYLE_NORMS, STYLE_TERMS
from .optimizers import OPTIMIZERS, defaults_in_words


class Check(NamedTuple):
    """What a value must be: a test, and the same in words for messages."""

    holds: Callable[[Any], bool]
    says: str


# Scopes: LOOK flags decide what is painted; recipes contain them, and they cannot change when a run is resumed. ENDING
# flags (how long a run goes, how its pictures are saved) are in recipes, too, but may change. RUN flags (where files
# are, what is shown) are in no recipe; SESSION flags are not even restored by --resume.
LOOK, ENDING, RUN, SESSION = "look", "ending", "run", "session"
# What kind of file a flag names.
PICTURE, FILE, OUTPUT = "picture", "file", "output"


class Flag(NamedTuple):
    """One flag, of a run or of a command."""

    names: str  # the spellings; the first gives the attribute
    type: Callable
    default: Any
    help: str
    check: Optional[Check] = None
    choices: Tuple[str, ...] = ()
    many: bool = False  # takes one value or several
    scope: str = LOOK
    path: Optional[str] = None  # PICTURE, FILE or OUTPUT where values are paths ...
    words: Tuple[str, ...] = ()  # ... except for these
    shown: str = ""  # the placeholder in --help, where it does not follow from the others
    how: Mapping[str, Any] = {}  # for argparse, where that does not follow

    @property
    def name(self) -> str:
        """The flag as it is typed: --max-num-epochs."""
        return self.names.split()[0]

    @property
    def attribute(self) -> str:
        """The name of its attribute in the arguments: max_num_epochs."""
        return self.name[2:].replace("-", "_")

    @property
    def metavar(self) -> str:
        """The placeholder for its value in --help."""
        if self.shown or self.choices:
            return self.shown or f"{{{','.join(self.choices)}}}"
        if self.type is not str:
            return "N" if self.type is int else "X" if self.type is float else ""
        if self.path == PICTURE:
            return "PICTURE"
        return "DIR" if self.attribute.endswith("dir") else "FILE" if self.path else "NAME"

    def file_in(self, value: str) -> Optional[Tuple[str, str]]:
        """The file that a value of this flag names, after its prefix: ("", "a.jpg"); None if it names none."""
        start = NETWORK if self.words and value.startswith(NETWORK) else ""
        file = value[len(start) :]
        return (
            None if value in self.words or start and not file.endswith((".params", ".zip", os.sep)) else (start, file)
        )


POSITIVE = Check(lambda value: value > 0, "greater than 0")
NOT_NEGATIVE = Check(lambda value: value >= 0, "0 or greater")
ANGLE = Check(lambda value: abs(value) <= 360, "from -360 to 360")
WEIGHT = Check(lambda value: 0 <= value <= 1e20, "from 0 to 1e20")
SCALE = Check(lambda value: 0.01 <= value <= 100, "from 0.01 to 100")
BLUR = Check(lambda value: 0 <= value <= 1000, "from 0 to 1000")
TIMES = Check(lambda value: 0.1 <= value <= 10, "from 0.1 to 10")
AT_LEAST_ONE = Check(lambda value: value >= 1, "1 or greater")
TV_WEIGHT = Check(lambda value: value <= 1e20, "at most 1e20")
FACTOR = Check(lambda value: 0 < value <= 1, "greater than 0 and at most 1")
STEP = Check(lambda value: 1.1 <= value <= 8, "from 1.1 to 8")
SHARE = Check(lambda value: 0 <= value < 1, "0 or greater and less than 1")
DEVICE = Check(lambda value: value >= -1, "-1 or the number of a GPU")
SEED = Check(lambda value: 0 <= value < 2**31, "from 0 to 2147483647")
TILE = Check(lambda value: value >= 16, "16 or greater")
NAMES = Check(lambda value: all(name.isidentifier() for name in value.split(",")), "a name such as vgg19")
BITS = Check(lambda value: value in (8, 16), "8 or 16")
EDGE = Check(lambda value: bool(re.fullmatch("same|[1-9][0-9]{0,5}", value)), "same or a number of pixels")
NUMBERED = Check(
    lambda value: os.path.basename(value).count("%s") == os.path.basename(value).count("%") == 1,
    "a file name with one %s for the epoch",
)

STANDARD_INPUT = "-"
NETWORK = "network:"  # before the name of one that paints in one pass
NOISES = ("uniform", "normal", "white", "median")

# fmt: off
FLAGS = (
    # the reference's, in its order
    Flag("--model", str, "vgg19", "the pretrained model to use: vgg19, vgg16, vgg16_bn, or NAME for your own module "
         "model_NAME; of several, A,B, the first whose weights are found", NAMES),
    Flag("--content-image --content", str, "input/IMG_4343.jpg", "the picture to paint; - reads it from standard input",
         scope=ENDING, path=PICTURE, shown="PHOTO"),
    Flag("--style-image --style", str, "input/starry_night.jpg", "the picture that gives the style, or several",
         many=True, scope=ENDING, path=PICTURE, shown="PAINTING"),
    Flag("--stop-eps", float, .005, "stop when the relative change of the image falls below this", NOT_NEGATIVE,
         scope=ENDING),
    Flag("--content-weight", float, 10, "the weight of the content; 0 leaves it out", WEIGHT),
    Flag("--style-weight", float, 1, "the weight of the style; 0 leaves it out", WEIGHT),
    Flag("--tv-weight", float, 1e-2, "the weight of the total variation; 0 or less leaves it out", TV_WEIGHT),
    Flag("--max-num-epochs", int, 1000, "stop after at most this many epochs", AT_LEAST_ONE, scope=ENDING),
    Flag("--max-long-edge --size", int, 600, "the longer edge, in pixels, that the content image is resized to",
         AT_LEAST_ONE),
    Flag("--lr", float, .001, "the initial learning rate", POSITIVE),
    Flag("--gpu", int, 0, "which GPU to use, -1 for the CPU; without a GPU the CPU is used", DEVICE, scope=RUN),
    Flag("--output_dir --output-dir", str, "output/", "the folder that pictures are saved in", scope=RUN, path=OUTPUT),
    Flag("--save-epochs --checkpoint-iterations", int, 50, "save a picture every N epochs", AT_LEAST_ONE, scope=RUN),
    Flag("--remove-noise", float, .02, "how strongly checkpoints are denoised; 0 turns it off",
         NOT_NEGATIVE, scope=ENDING),
    Flag("--lr-sched-delay", int, 75, "lower the learning rate every N epochs", AT_LEAST_ONE),
    Flag("--lr-sched-factor", float, 0.9, "multiply the learning rate by this each time it is lowered", FACTOR),
    # what is minimised
    Flag("--style-layers", str, None, "layers on which the style is matched; by default the model's own, or with "
         "patches relu3_1 and relu4_1; relu3_last is the last layer of its block", many=True),
    Flag("--style-layer-weights", float, None, "a weight for each style layer", WEIGHT, many=True),
    Flag("--style-term", str, "gram", "what is matched on the style layers: "
         + ", or ".join(row.help for row in STYLE_TERMS.values()) + "; give one for all layers, or one per layer",
         choices=tuple(STYLE_TERMS), many=True),
    Flag("--patch-size", int, 3, "the side of a patch, in positions of its layer", AT_LEAST_ONE),
    Flag("--patch-stride", int, 2, "take every Nth of the style's patches, across and down", AT_LEAST_ONE),
    Flag("--patch-rotations", float, None, "also take patches of the style turned by these angles, in degrees", ANGLE,
         many=True),
    Flag("--patch-scales", float, None, "also take patches of the style scaled by these factors", TIMES, many=True),
    Flag("--match-every", int, 10, "search for the most similar patches again every N epochs", AT_LEAST_ONE),
    Flag("--style-norm", str, "reference", "what a squared Gram difference is divided by, with N filters and M "
         "positions: N²M, 4N²M², 4NM or N²(NM)²", choices=tuple(STYLE_NORMS)),
    Flag("--content-layers", str, None, "layers on which the content is matched; by default the model's own",
         many=True),
    Flag("--content-norm", str, "sum", "what a squared feature difference is divided by: 1, 2 or NM",
         choices=tuple(CONTENT_NORMS)),
    Flag("--pooling", str, "avg", "average or maximum pools in the network", choices=("avg", "max")),
    Flag("--edges", str, "drop", "where a side is no multiple of 16: drop leaves the last pixels out of the deeper "
         "layers, as the reference does; reflect paints a margin too, at first a reflection, and cuts it off, so that "
         "no grey fringe is left", choices=("drop", "reflect")),
    Flag("--normalised", bool, False, "use the network scaled so that every filter's mean activation is 1"),
    Flag("--tv-loss", str, "laplacian", "the form of the total variation",
         choices=("laplacian", "anisotropic", "isotropic", "squared", "nine-point")),
    Flag("--amplitude-weight", float, 0.0, "the weight of the regulariser that keeps values in range", WEIGHT),
    # the styles
    Flag("--style-blend-weights", float, None, "the weight of each style image; equal by default",
         WEIGHT, many=True),
    Flag("--fit", str, "stretch", "style images are stretched to the content's size, scaled to cover it and cropped, "
         "scaled to its width, or scaled until their longer edges are alike, but never enlarged",
         choices=("stretch", "cover", "scale", "edge")),
    Flag("--style-scales", float, None, "with --fit scale or edge: each style's width, or longer edge, relative to the "
         "content's", SCALE, many=True),
    Flag("--mask", str, None, "a grey picture: white is painted, black keeps the photograph, grey blends", scope=ENDING,
         path=PICTURE),
    Flag("--regions", str, None, "a picture of flat colours over the content: each region takes its style from the "
         "region of the same colour in --style-regions", scope=ENDING, path=PICTURE),
    Flag("--style-regions", str, None, "a picture of regions for each style image; a single colour means that the "
         "whole style image serves that region", many=True, scope=ENDING, path=PICTURE),
    Flag("--preserve-colors", str, "none", "keep the content's colours: take only the result's luminance, or match the "
         "style's colours to the content's before the run", choices=("none", "luma", "match")),
    # how it is minimised
    Flag("--optimizer", str, "nag", "the optimiser", choices=tuple(OPTIMIZERS)),
    Flag("--coordinates", str, "pixels", "what L-BFGS moves: pixels, or frequencies, which takes fewer epochs and "
         "leaves no coloured grain", choices=("pixels", "frequencies")),
    Flag("--momentum", float, None, f"the optimiser's momentum (by default: {defaults_in_words('momentum')})", SHARE),
    Flag("--beta2", float, None, f"the optimiser's second decay rate (by default: {defaults_in_words('beta2')})",
         SHARE),
    Flag("--weight-decay", float, None,
         f"the optimiser's weight decay (by default: {defaults_in_words('weight_decay')})", NOT_NEGATIVE),
    Flag("--clip-gradient", float, None, "scale the network's gradient down if its norm exceeds this times the number "
         "of values in the image; 0 turns it off (by default 1; off with lbfgs)", NOT_NEGATIVE),
    Flag("--start --initial", str, "uniform", "the image to start from: uniform, normal, white or median noise, "
         "content, style, network:NAME (what that network paints), a picture file, or a raw image NAME.npy",
         path=PICTURE, words=(*NOISES, "content", "style")),
    Flag("--keep-best", bool, False, "save the best image so far instead of the latest"),
    Flag("--average", float, 0.0, "save the average of the images of all epochs, each counting this times as much as "
         "the one after it; 0 saves the latest image", SHARE),
    Flag("--clamp", bool, False, "after each epoch, bring the image's values back into a picture's range"),
    Flag("--pyramid", int, 0, "first paint N smaller versions, each larger than the one before by --pyramid-step, and "
         "start from the last", NOT_NEGATIVE),
    Flag("--pyramid-step", float, 2.0, "how much larger each version is than the one before", STEP),
    Flag("--pyramid-epochs", int, 100, "the number of epochs for each smaller version, or one number for each, the "
         "smallest first", AT_LEAST_ONE, many=True),
    Flag("--pyramid-memory", bool, False, "let the optimiser begin each version with what it remembers of the one "
         "before"),
    Flag("--precision", str, "float32", "how the network is evaluated: float32 is the reference's graph; fast32 is "
         "float32 with sums in a faster order; bf16 is faster still, with small errors, on processors that support it; "
         "auto is bf16 where that is faster, and fast32 elsewhere", choices=(*PRECISIONS, "auto")),
    Flag("--engine", str, "auto", "what evaluates the network: the reference's graph, its layers one after the "
         "other, on the CPU, or PyTorch; auto is PyTorch on a GPU that MXNet cannot use, or else the first of the "
         "others that can do what is asked",
         choices=("auto", *(engine.name for engine in ENGINES)), scope=RUN),
    Flag("--tile", int, None, "evaluate the picture and each layer in strips of N rows: the same numbers except for "
         "rounding, with less memory but more time; automatic if memory is short", TILE),
    # what comes out
    Flag("--width", int, None, "the width of the output, instead of --max-long-edge", AT_LEAST_ONE),
    Flag("--output", str, None, "the final image, instead of final.jpg in --output_dir", scope=RUN, path=OUTPUT),
    Flag("--checkpoint-output", str, None, "the pictures saved every N epochs, such as name%s.jpg, instead of e_%s.jpg "
         "in --output_dir", NUMBERED, scope=RUN, path=OUTPUT),
    Flag("--output-size", str, None, "resize the final image: same means the content's own size, a number the longer "
         "edge in pixels", EDGE, scope=ENDING),
    Flag("--bit-depth", int, 8, "bits per colour of the saved images; 16 in PNG and TIFF", BITS, scope=ENDING),
    Flag("--flatten", bool, False, "save without the content's transparency, which is otherwise restored in formats "
         "that support it", scope=ENDING),
    Flag("--remove-noise-final", float, 0.0, "how strongly the final image is denoised; 0 turns it off", NOT_NEGATIVE,
         scope=ENDING),
    Flag("--smooth-colors", float, 0.0, "blur the colours of saved images, but not their brightness, by this many "
         "pixels; 0 turns it off", BLUR, scope=ENDING),
    Flag("--report", bool, False, "write a page, report.html, beside the final image, and keep it up to date",
         scope=RUN),
    Flag("--show", bool, False, "write this page and open it in the browser; with a batch, its contact sheet",
         scope=SESSION),
    Flag("--overwrite", bool, False, "replace the files that --output and --checkpoint-output name", scope=RUN),
    Flag("--resume", str, None, "continue the run in this folder, or from this state file, with its flags",
         scope=SESSION),
    Flag("--print-iterations", int, 1, "log every N epochs", AT_LEAST_ONE, scope=RUN),
    Flag("--seed", int, None, "seed of the random start image: the same seed gives the same picture", SEED),
    Flag("--model-params", str, None, "the weights file, instead of the usual places", path=FILE),
    Flag("--force", bool, False, "start even if memory seems too short", scope=SESSION),
    Flag("--quiet", bool, False, "print warnings and errors only", scope=SESSION),
    Flag("--verbose", bool, False, "print every epoch's losses, layer by layer", scope=SESSION),
    Flag("--debug", bool, False, "on an error, show the traceback", scope=SESSION),
)
# The groups of flags in --help and the documentation: (title, the flags' attributes).
GROUPS = (
    ("what matters most", "max_long_edge content_weight style_weight preserve_colors max_num_epochs"),
    ("pictures", "content_image style_image fit style_scales style_blend_weights start mask regions style_regions"),
    ("look", "tv_weight style_layers style_layer_weights style_term "
     "style_norm content_layers content_norm patch_size patch_stride patch_rotations patch_scales match_every pooling "
     "edges normalised tv_loss amplitude_weight model model_params"),
    ("size and speed", "width pyramid pyramid_step pyramid_epochs pyramid_memory precision engine "
     "tile gpu force"),
    ("optimisation", "stop_eps optimizer coordinates lr lr_sched_delay lr_sched_factor momentum beta2 "
     "weight_decay clip_gradient keep_best average clamp seed"),
    ("output", "output_dir output checkpoint_output save_epochs overwrite output_size bit_depth flatten remove_noise "
     "remove_noise_final smooth_colors"),
    ("runs", "resume report show print_iterations quiet verbose debug"),
)
# fmt: on
REFERENCE = tuple(flag.attribute for flag in FLAGS[:16])
BY_ATTRIBUTE = {flag.attribute: flag for flag in FLAGS}
OWN_MODELS = ("vgg19", "vgg", "vgg16", "vgg16_bn")


def is_foreign(model: str) -> bool:
    """Whether a model, or one of several A,B, is not part of this package."""
    return not set(model.split(",")) <= set(OWN_MODELS)


def attributes(*scopes: str) -> List[str]:
    """The attributes of the flags of some scopes."""
    return [flag.attribute for flag in FLAGS if flag.scope in scopes]


def listed(value: Any) -> list:
    """value as a list, whether it is one value or several."""
    return list(value) if isinstance(value, (list, tuple)) else [] if value is None else [value]


def style_pictures(args: Namespace) -> List[str]:
    """The style pictures that args ask for: none if the style has no weight."""
    return listed(args.style_image) if args.style_weight > 0 else []


def paths(args: Namespace, kind: str) -> List[str]:
    """The files of one kind that args name, words such as `uniform` left out."""
    named = (
        flag.file_in(value) for flag in FLAGS if flag.path == kind for value in listed(getattr(args, flag.attribute))
    )
    return [file for _, file in filter(None, named)]


def with_paths(args: Mapping[str, Any], kind: str, change: Callable[[str], str]) -> Dict[str, Any]:
    """A copy of args, a dict, in which each path of one kind is replaced by change(path)."""
    changed = {}
    for flag in FLAGS:
        value = args.get(flag.attribute)
        if flag.path == kind and value is not None:
            named = [(one, flag.file_in(one)) for one in listed(value)]
            new = [found[0] + change(found[1]) if found else one for one, found in named]
            changed[flag.attribute] = new if isinstance(value, (list, tuple)) else new[0]
    return {**args, **changed}
