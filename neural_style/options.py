"""The flags: each name, default and check stands once, in the table FLAGS."""
import argparse
import difflib
import logging
import math
import os
import re
import sys
from collections import namedtuple
from pathlib import Path

from . import __version__, recipes
from .errors import Parser, UsageError

log = logging.getLogger("neural_style")

Check = namedtuple("Check", ["holds", "says"])

# names: the spellings, the first gives the attribute; many: one value or several; check: what each must be.
Flag = namedtuple("Flag", ["names", "type", "default", "check", "help", "many"])
Flag.__new__.__defaults__ = (False,)

POSITIVE = Check(lambda value: value > 0, "greater than 0")
NOT_NEGATIVE = Check(lambda value: value >= 0, "0 or greater")
AT_LEAST_ONE = Check(lambda value: value >= 1, "1 or greater")
ANY_NUMBER = Check(lambda value: True, "a number")
FACTOR = Check(lambda value: 0 < value <= 1, "greater than 0 and at most 1")
SHARE = Check(lambda value: 0 <= value < 1, "0 or greater and less than 1")
DEVICE = Check(lambda value: value >= -1, "-1 or the number of a GPU")
SEED = Check(lambda value: 0 <= value < 2 ** 31, "from 0 to 2147483647")
TILE = Check(lambda value: value >= 16, "16 or greater")
NAMES = Check(lambda value: all(name.isidentifier() for name in value.split(",")), "a name such as vgg19")
BITS = Check(lambda value: value in (8, 16), "8 or 16")
EDGE = Check(lambda value: re.fullmatch("same|[1-9][0-9]{0,5}", value), "same or a number of pixels")
NUMBERED = Check(lambda value: os.path.basename(value).count("%s") == os.path.basename(value).count("%") == 1,
                 "a file name with one %s for the epoch")


def one_of(*names):
    return Check(lambda value: value in names, "one of " + ", ".join(names))


FLAGS = (
    # the reference's, in its order
    Flag("--model", str, "vgg19", NAMES, "the pretrained model to use: vgg19, vgg16, or NAME of a module model_NAME of "
         "your own; of several, A,B, the first whose weights are here"),
    Flag("--content-image", str, "input/IMG_4343.jpg", None, "the picture to paint; -: from standard input"),
    Flag("--style-image", str, "input/starry_night.jpg", None, "the picture whose style it is painted in, or several", many=True),
    Flag("--stop-eps", float, .005, NOT_NEGATIVE, "stop when the image changes by less than this, relatively"),
    Flag("--content-weight", float, 10, NOT_NEGATIVE, "how much the content counts; 0: not at all"),
    Flag("--style-weight", float, 1, NOT_NEGATIVE, "how much the style counts; 0: not at all"),
    Flag("--tv-weight", float, 1e-2, ANY_NUMBER, "the weight of the total variation; 0 or less: without"),
    Flag("--max-num-epochs", int, 1000, AT_LEAST_ONE, "stop after so many epochs at the latest"),
    Flag("--max-long-edge --size", int, 600, AT_LEAST_ONE,
         "the longer edge, in pixels, that the content image is resized to"),
    Flag("--lr", float, .001, POSITIVE, "the learning rate at the start"),
    Flag("--gpu", int, 0, DEVICE, "which GPU to use, -1 for the CPU; without a GPU the CPU is used"),
    Flag("--output_dir --output-dir", str, "output/", None, "the folder that pictures are saved in"),
    Flag("--save-epochs --checkpoint-iterations", int, 50, AT_LEAST_ONE, "save a picture every N epochs"),
    Flag("--remove-noise", float, .02, NOT_NEGATIVE, "how strongly those pictures are denoised; 0: not"),
    Flag("--lr-sched-delay", int, 75, AT_LEAST_ONE, "every N epochs the learning rate falls"),
    Flag("--lr-sched-factor", float, 0.9, FACTOR, "by this factor"),
    # what is minimised
    Flag("--style-layers", str, None, None, "layers whose Gram matrices are matched; the model's own by default; "
         "relu3_last is the last of its block", many=True),
    Flag("--style-layer-weights", float, None, NOT_NEGATIVE, "a weight for each style layer", many=True),
    Flag("--style-norm", str, "reference", one_of("reference", "gatys", "gluon", "mean"),
         "what a squared Gram difference is divided by, with N filters and M positions: N²M, 4N²M², 4NM or N²(NM)²"),
    Flag("--content-layers", str, None, None, "layers whose features are matched; the model's own by default", many=True),
    Flag("--content-norm", str, "sum", one_of("sum", "half", "mean"),
         "what a squared feature difference is divided by: 1, 2 or NM"),
    Flag("--pooling", str, "avg", one_of("avg", "max"), "average or maximum in the network's pools"),
    Flag("--normalised", bool, False, None, "use the network whose filters' mean activation is 1"),
    Flag("--tv-loss", str, "laplacian", one_of("laplacian", "anisotropic", "isotropic", "squared"),
         "the form of the total variation"),
    Flag("--amplitude-weight", float, 0.0, NOT_NEGATIVE, "the weight of the regulariser that keeps values in range"),
    # the styles
    Flag("--style-blend-weights", float, None, NOT_NEGATIVE, "how much each style image counts; alike by default",
         many=True),
    Flag("--fit", str, "stretch", one_of("stretch", "cover", "scale"),
         "style images are stretched to the content's size, scaled to cover it and cropped, or scaled to its width"),
    Flag("--style-scales", float, None, POSITIVE, "with --fit scale: each style's width over the content's",
         many=True),
    Flag("--preserve-colors", str, "none", one_of("none", "luma", "match"), "keep the content's colours: take the "
         "result's luminance only, or match the style's colours to the content's before the run"),
    # how it is minimised
    Flag("--optimizer", str, "nag", one_of("nag", "sgd", "adam", "lbfgs"), "the optimiser"),
    Flag("--momentum", float, None, SHARE, "momentum of nag (0.95 by default) and sgd (0.9)"),
    Flag("--beta2", float, None, SHARE, "adam's second decay rate (0.999 by default)"),
    Flag("--weight-decay", float, None, NOT_NEGATIVE, "of nag (0.0001 by default), sgd (0.0005) and adam (0)"),
    Flag("--clip-gradient", float, None, NOT_NEGATIVE, "scale the features' gradient where its norm exceeds this times "
         "the number of values in the image; 0: never (1 by default; never with lbfgs)"),
    Flag("--start --initial", str, "uniform", None,
         "the image to start from: uniform, normal, white or median noise, content, style, a picture file, or a raw image NAME.npy"),
    Flag("--keep-best", bool, False, None, "save the best image so far instead of the latest"),
    Flag("--pyramid", int, 0, NOT_NEGATIVE, "paint at half the size first, so many times, each as many epochs at most, "
         "and begin with that"),
    Flag("--precision", str, "float32", one_of("float32", "fast32", "bf16", "auto"),
         "of the network: fast32 is float32 with its sums in a faster order, bf16 is faster still, with small errors, on "
         "processors that have it; auto: bf16 on those, fast32 elsewhere"),
    Flag("--tile", int, None, TILE, "evaluate in strips of N rows, of the picture and of each layer: the same numbers but "
         "for rounding, in less memory and more time; chosen by itself where the memory is short"),
    # what comes out
    Flag("--width", int, None, AT_LEAST_ONE, "the width of the output, instead of --max-long-edge"),
    Flag("--output", str, None, None, "the final image, instead of final.jpg in --output_dir"),
    Flag("--checkpoint-output", str, None, NUMBERED,
         "the pictures saved every N epochs, such as name%s.jpg, instead of e_%s.jpg in --output_dir"),
    Flag("--output-size", str, None, EDGE, "the size that the final image is enlarged or reduced to: same, which is "
         "the content's own, or its longer edge in pixels"),
    Flag("--bit-depth", int, 8, BITS, "bits per colour of the images saved, 16 in PNG and TIFF"),
    Flag("--flatten", bool, False, None, "save without the content's transparency, which comes back otherwise where "
         "the format has it"),
    Flag("--remove-noise-final", float, 0.0, NOT_NEGATIVE, "how strongly the final image is denoised; 0: not"),
    Flag("--report", bool, False, None, "write a page, report.html, beside the final image, and keep it up to date"),
    Flag("--overwrite", bool, False, None, "replace the files that --output and --checkpoint-output name"),
    Flag("--resume", str, None, None, "go on with the run in this folder, or of this state file, with its flags"),
    Flag("--print-iterations", int, 1, AT_LEAST_ONE, "log every N epochs"),
    Flag("--seed", int, None, SEED, "seed of the random start image: the same seed gives the same picture"),
    Flag("--model-params", str, None, None, "the weights file, instead of where weights are usually kept"),
    Flag("--force", bool, False, None, "start even where the memory will not do"),
    Flag("--quiet", bool, False, None, "print warnings and errors only"),
    Flag("--verbose", bool, False, None, "print every epoch's losses, layer by layer"),
    Flag("--debug", bool, False, None, "on an error, show the traceback"),
)

# Flags that tell what is shown and where files are: they are in no recipe and may change when a run goes on ...
AROUND = ("output_dir output checkpoint_output overwrite report resume force quiet verbose debug print_iterations gpu "
          "save_epochs").split()
# ... as may those that tell how long it goes and how its pictures are saved, and pictures that are the same elsewhere.
MAY_CHANGE = AROUND + ("max_num_epochs stop_eps remove_noise remove_noise_final output_size bit_depth flatten "
                       "content_image style_image").split()

MODELS = ("vgg19", "vgg", "vgg16")      # our own
LARGEST = 1e30      # float32 ends a little above

# Flags that were given and mean nothing beside what others say: (flags, when, why).
WITHOUT_EFFECT = (
    ("lr lr_sched_delay lr_sched_factor momentum weight_decay clip_gradient keep_best",
     lambda args: args.optimizer == "lbfgs", "with --optimizer lbfgs, which finds its own steps"),
    ("momentum", lambda args: args.optimizer == "adam", "with --optimizer adam"),
    ("beta2", lambda args: args.optimizer != "adam", "without --optimizer adam"),
    ("style_layers style_layer_weights style_norm style_blend_weights fit style_scales",
     lambda args: args.style_weight == 0, "with --style-weight 0"),
    ("style_image", lambda args: args.style_weight == 0 and args.start != "style", "with --style-weight 0"),
    ("preserve_colors", lambda args: args.style_weight == 0 and args.preserve_colors == "match",
     "with --style-weight 0"),
    ("content_layers content_norm", lambda args: args.content_weight == 0, "with --content-weight 0"),
    ("tv_loss", lambda args: args.tv_weight <= 0, "without --tv-weight"),
    ("style_scales", lambda args: args.fit != "scale", "without --fit scale"),
    ("style_blend_weights", lambda args: len(listed(args.style_image)) == 1, "with a single --style-image"),
    ("max_long_edge", lambda args: args.width is not None, "with --width"),
    ("output_dir", lambda args: args.output and args.checkpoint_output, "with --output and --checkpoint-output"),
)
ONE_PER = (     # flags of which there must be as many values as of another
    ("style_blend_weights", "style_image"), ("style_scales", "style_image"))


def attribute(flag):
    """The name of the flag's attribute in the arguments: --max-num-epochs is args.max_num_epochs."""
    return flag.names.split()[0][2:].replace("-", "_")


class _Print(argparse.Action):
    """A flag that prints something and ends the program; const(args, value) gives the text."""

    def __call__(self, parser, namespace, value, option=None):
        print(self.const(namespace, value))
        parser.exit()


def _add_flags(parser, defaults=False):
    """Add what is in the table FLAGS; without defaults what is not given is not there."""
    for flag in FLAGS:
        default = flag.default if defaults else argparse.SUPPRESS
        if flag.type is bool:
            parser.add_argument(*flag.names.split(), action="store_true", help=flag.help, default=default)
            continue
        shown = "" if flag.default is None else f" ({flag.default})"
        metavar = {int: "N", float: "X"}.get(flag.type, "NAME" if flag.check else "PATH")
        parser.add_argument(*flag.names.split(), type=flag.type, default=default, metavar=metavar,
                            nargs="+" if flag.many else None, help=(flag.help + shown).replace("%", "%%"))


def _parser(flag_defaults=True, prog="neural-style"):
    parser = Parser(prog=prog, description="Paint the content image in the style of the style image.",
                    formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=28, width=110),
                    argument_default=None if flag_defaults else argparse.SUPPRESS)
    _add_flags(parser, flag_defaults)
    parser.add_argument("--recipe", metavar="NAME", action="append", default=argparse.SUPPRESS,
                        help="take defaults from a recipe: a name of --list-recipes, a file, or a picture that was "
                        "made here")
    parser.add_argument("--fast", action="append_const", dest="recipe", const="fast", default=argparse.SUPPRESS,
                        help="the same as --recipe fast")
    parser.add_argument("--list-recipes", action=_Print, nargs=0, default=argparse.SUPPRESS,
                        const=lambda args, value: recipes.listing(), help="print the recipes and exit")
    parser.add_argument("--show-recipe", action=_Print, metavar="NAME", default=argparse.SUPPRESS,
                        const=lambda args, value: recipes.text(value), help="print a recipe and exit")
    parser.add_argument("--save-recipe", metavar="FILE", default=argparse.SUPPRESS,
                        help="write this run's flags to a file that --recipe takes, and exit")
    parser.add_argument("--list-layers", action="store_true", default=argparse.SUPPRESS,
                        help="print the model's layers and exit")
    parser.add_argument("--doctor", action="store_true", default=argparse.SUPPRESS,
                        help="say what is installed and whether it works, for a bug report, and exit")
    parser.add_argument("--version", action="version", version=f"neural_style {__version__}")
    return parser


def listed(value):
    """value as a list, be it one or several."""
    return list(value) if isinstance(value, (list, tuple)) else [] if value is None else [value]


def parse(arglist=None, prog="neural-style"):
    """The arguments of a command line, and what it asks for besides a run: {"save_recipe": …, "doctor": …}."""
    words = sys.argv[1:] if arglist is None else list(arglist)
    parser = _parser(prog=prog)
    if hasattr(sys.stdout, "reconfigure"):      # what is printed has letters that not every terminal knows
        sys.stdout.reconfigure(errors="replace")
    try:
        given = vars(_parser(flag_defaults=False, prog=prog).parse_args(words))
        if "resume" in given:
            from . import state
            parser.set_defaults(**state.load(given["resume"]).args)
        named = given.get("recipe", [])
        for name in reversed(named):
            if recipes.is_picture(name) and len(named) > 1:
                raise UsageError(f"--recipe {name}: a picture's recipe is a whole one; leave out the other")
            words = _recipe_words(name) + words
        args = parser.parse_args(words)
        for flag in FLAGS:      # one value stands for itself, as the reference has it
            value = getattr(args, attribute(flag))
            if flag.many and value is not None and len(listed(value)) == 1:
                setattr(args, attribute(flag), listed(value)[0])
        refuse_what_has_no_effect(args, given)
    except UsageError as error:
        parser.error(str(error))
    for name in ("recipe", "save_recipe", "list_layers", "doctor"):
        vars(args).pop(name, None)
    return args, given


def _recipe_words(name):
    """A recipe's words, once they are known to be flags of a run and nothing else."""
    words = recipes.words(name)
    parser = Parser(prog="neural-style", add_help=False, argument_default=argparse.SUPPRESS)
    _add_flags(parser)
    own, unknown = parser.parse_known_args(words)
    if unknown:
        what = f"unrecognized arguments: {' '.join(unknown)}"
        if unknown[0].split("=")[0] in vars(_parser())["_option_string_actions"]:
            what = f"a recipe cannot have {unknown[0].split('=')[0]}"
        raise UsageError(f"--recipe {name}: {what}")
    if recipes.is_picture(name):    # pictures come from anywhere: they have no say in files, nor in code that is run
        for flag in FLAGS:
            if attribute(flag) in AROUND and attribute(flag) in own:
                raise UsageError(f"--recipe {name}: a picture's recipe cannot have {flag.names.split()[0]}")
        model = getattr(own, "model", MODELS[0])
        if not set(model.split(",")) <= set(MODELS):
            raise UsageError(f"--recipe {name}: it names a model of somebody's own, {model}; name it by hand with "
                             "--model if you trust it")
    return words


def get_args(arglist=None):
    """Parse the command line, or a list of words, into the arguments that train_nstyle takes."""
    return parse(arglist)[0]


def refuse_what_has_no_effect(args, given):
    """Raise UsageError for a flag given by hand that cannot matter; a recipe's may."""
    for names, when, why in WITHOUT_EFFECT:
        for name in names.split():
            if name in given and when(args):
                source = ", as the recipe has it" if "recipe" in given else ""
                raise UsageError(f"--{name.replace('_', '-')} has no effect {why}{source}; leave it out")


def complete(args):
    """A checked copy of args in which what is missing has its default, as in code older than a flag."""
    known = {attribute(flag): flag for flag in FLAGS}
    for name in (name for name in getattr(args, "__dict__", ()) if name not in known):
        near = difflib.get_close_matches(name, known, 1)
        log.warning("args.%s is not an option and has no effect%s", name,
                    f"; is args.{near[0]} meant?" if near else "")
    values = {}
    for name, flag in known.items():
        value = getattr(args, name, flag.default)
        if flag.many and isinstance(value, (list, tuple)):
            values[name] = [_checked(flag, one) for one in value]
        else:
            values[name] = _checked(flag, value)
    for name, other in ONE_PER:
        count, expected = len(listed(values[name])), len(listed(values[other]))
        if count and count != expected:
            raise UsageError(f"--{name.replace('_', '-')} has {count} values for {expected} in "
                             f"--{other.replace('_', '-')}; there must be one for each")
    if values["style_blend_weights"] is not None and not sum(listed(values["style_blend_weights"])):
        raise UsageError("--style-blend-weights are all 0; one at least must be more")
    pictures = [values["content_image"], values["start"]] + listed(values["style_image"])
    if pictures.count("-") > 1:
        raise UsageError("standard input (-) can be only one of --content-image, --style-image and --start; save it to "
                         "a file first")
    return argparse.Namespace(**values)


def refuse_changes(args, first):
    """Raise UsageError where the arguments would make a run, begun with the values first, another one."""
    for flag in FLAGS:
        name = attribute(flag)
        if name not in MAY_CHANGE and getattr(args, name) != first.get(name, flag.default):
            raise UsageError(f"{flag.names.split()[0]} cannot change while a run goes on: it began with "
                             f"{first.get(name, flag.default)}, and {getattr(args, name)} is asked for")


def changed(args, but=("force", "quiet", "verbose", "debug", "resume")):
    """[(flag, value or values)] of the arguments that are not at their defaults, but for those of some names."""
    values = ((flag, getattr(args, attribute(flag))) for flag in FLAGS)
    return [(flag.names.split()[0], value) for flag, value in values
            if value != flag.default and attribute(flag) not in but]


def _checked(flag, value):
    """value if it is one that the flag can take."""
    if value is None and flag.default is None or flag.type is bool:
        return value
    asked = f"{flag.names.split()[0]} {value}"
    if flag.type is str:
        if value is None or value == "":
            raise UsageError(f"{asked}: must be given")
        value = str(value) if isinstance(value, int) else os.fsdecode(value)
    else:
        try:
            value = flag.type(value)
        except (TypeError, ValueError):
            raise UsageError(f"{asked}: must be a {'whole number' if flag.type is int else 'number'}") from None
        except OverflowError:
            value = math.inf
        if flag.type is float and not math.isfinite(value):
            raise UsageError(f"{asked}: must be a finite number")
    if flag.check and not flag.check.holds(value):
        raise UsageError(f"{asked}: must be {flag.check.says}")
    if flag.type is not str and abs(value) >= LARGEST:
        raise UsageError(f"{asked}: must be less than {LARGEST:g}")
    return value


def flag_table():
    """The flags as a Markdown table, for the README."""
    rows = ["| flag | default | what it does |", "| --- | --- | --- |"]
    for flag in FLAGS:
        names = ", ".join(f"`{name}`" for name in flag.names.split())
        default = "" if flag.default in (None, False) else f"`{flag.default}`"
        rows.append(f"| {names} | {default} | {flag.help} |")
    return "\n".join(rows)


def with_flag_table(text):
    """text with the flag table put between its two <!-- flags --> marks."""
    return re.sub(r"(<!-- flags -->\n).*?(<!-- /flags -->)",
                  lambda found: f"{found[1]}{flag_table()}\n{found[2]}", text, flags=re.S)


if __name__ == "__main__":      # python -m neural_style.options README.md: bring its table up to date
    for path in map(Path, sys.argv[1:]):
        path.write_text(with_flag_table(path.read_text(encoding="utf-8")), encoding="utf-8")
