"""The command line: flags and recipes, read from words."""

import argparse
import difflib
import sys

from .. import __version__, recipes
from ..system.errors import Parser, UsageError
from .check import refuse_what_has_no_effect
from .flags import (
    BY_ATTRIBUTE,
    FILE,
    FLAGS,
    GROUPS,
    NETWORK,
    REFERENCE,
    RUN,
    SESSION,
    STANDARD_INPUT,
    is_foreign,
    listed,
)

PROGRAM = "neural-style"
MOST = 1000  # flags in a recipe
MEANT = {  # what other programs call it
    "--epochs": "--max-num-epochs",
    "--iterations": "--max-num-epochs",
    "--num-iterations": "--max-num-epochs",
    "--steps": "--max-num-epochs",
    "--image-size": "--size",
    "--content": "--content-image",
    "--input": "--content-image",
    "--style": "--style-image",
    "--style-images": "--style-image",
    "--output-image": "--output",
    "--init": "--start",
    "--init-image": "--start",
    "--learning-rate": "--lr",
    "--original-colors": "--preserve-colors luma",
    "--save-iter": "--save-epochs",
    "--denoise": "--remove-noise",
}
EXAMPLES = """
examples:
  %(prog)s photo.jpg painting.jpg --fast
  %(prog)s photo.jpg painting.jpg --preserve-colors luma --size 1200 --output painted.png
  %(prog)s photo.jpg painting.jpg --recipe gatys --report
  %(prog)s --resume output/
many pictures: python -m neural_style.batch; in one pass: python -m neural_style.end_to_end;
films: python -m neural_style.film
"""


class RunParser(Parser):
    """A parser that knows the reference's abbreviations, and other programs' names for flags.

    `--tv` was unambiguous before --tv-loss was added.
    """

    def _get_option_tuples(self, option_string):
        found = super()._get_option_tuples(option_string)
        references = [match for match in found if match[0].dest in REFERENCE]
        if len({match[0].dest for match in references}) == 1:
            return references[:1]
        return [] if _plain(option_string) in MEANT else found

    def parse_with_pictures(self, words):
        """The parsed arguments, and the words that belong to no flag."""
        parsed, others = self.parse_known_args(words)
        flags = [word for word in others if word.startswith("-") and word != STANDARD_INPUT]
        if flags:
            self.error(f"unrecognized arguments: {' '.join(others)}{self._meant(flags[0])}")
        return parsed, others

    def _meant(self, word):
        name = _plain(word)
        near = [MEANT[name]] if name in MEANT else difflib.get_close_matches(name, self._option_string_actions, 1, 0.75)
        return f" (did you mean {near[0]}?)" if near and word.startswith("--") else ""


def _plain(word):
    """A flag's name as it would be written here."""
    return word.split("=")[0].replace("_", "-")


class _Help(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog):
        super().__init__(prog, max_help_position=28, width=110)


class Print(argparse.Action):
    """A flag that prints something and ends the program; const(value) gives the text."""

    def __call__(self, parser, namespace, value, option=None):
        parser.print(self.const(value))
        parser.exit()


def add_flags(parser, defaults=False, names=BY_ATTRIBUTE):
    """Add all FLAGS, or those with these attributes; without defaults, flags not given are missing from the result."""
    for flag in (BY_ATTRIBUTE[name] for name in names):
        default = flag.default if defaults else argparse.SUPPRESS
        if flag.type is bool:
            parser.add_argument(*flag.names.split(), action="store_true", help=flag.help, default=default)
            continue
        shown = "" if flag.default is None else f" ({flag.default})"
        metavar = (
            f"{{{','.join(flag.choices)}}}" if flag.choices else {int: "N", float: "X"}.get(flag.type, flag.metavar)
        )
        parser.add_argument(
            *flag.names.split(),
            type=flag.type,
            default=default,
            metavar=metavar,
            nargs="+" if flag.many else None,
            help=(flag.help + shown).replace("%", "%%"),
        )


def parser(flag_defaults=True, prog=PROGRAM):
    """The parser of a run's command line."""
    made = RunParser(
        prog=prog,
        usage="%(prog)s [PHOTO [PAINTING ...]] [flags]",
        formatter_class=_Help,
        epilog=EXAMPLES,
        description="Paint the content image in the style of the style image.",
        argument_default=None if flag_defaults else argparse.SUPPRESS,
    )
    for title, names in GROUPS:
        add_flags(made.add_argument_group(title), flag_defaults, names.split())
    more = made.add_argument_group("recipes, and what is printed")
    more.add_argument(
        "--recipe",
        metavar="NAME",
        action="append",
        default=argparse.SUPPRESS,
        help="take defaults from a recipe: a name from --list-recipes, a file, or a picture made by this program",
    )
    more.add_argument(
        "--fast",
        action="append_const",
        dest="recipe",
        const="fast",
        default=argparse.SUPPRESS,
        help="the same as --recipe fast",
    )
    more.add_argument(
        "--list-recipes",
        action=Print,
        nargs=0,
        default=argparse.SUPPRESS,
        const=lambda value: recipes.listing(),
        help="print the recipes and exit",
    )
    more.add_argument(
        "--show-recipe",
        action=Print,
        metavar="NAME",
        default=argparse.SUPPRESS,
        const=recipes.text,
        help="print a recipe and exit",
    )
    more.add_argument(
        "--save-recipe",
        metavar="FILE",
        default=argparse.SUPPRESS,
        help="write this run's flags to a file for --recipe, and exit",
    )
    more.add_argument(
        "--list-layers", action="store_true", default=argparse.SUPPRESS, help="print the model's layers and exit"
    )
    more.add_argument(
        "--doctor",
        action="store_true",
        default=argparse.SUPPRESS,
        help="report what is installed and whether it works, and exit",
    )
    more.add_argument("--version", action="version", version=f"neural_style {__version__}")
    return made


def parse(arglist=None, prog=PROGRAM):
    """The arguments of a command line, and what it asks for besides a run: {"save_recipe": …, "doctor": …}.

    Only PROGRAM itself takes pictures without flags.
    """
    words = sys.argv[1:] if arglist is None else list(arglist)
    full = parser(prog=prog)
    if hasattr(sys.stdout, "reconfigure"):  # what is printed has letters that not every terminal knows
        sys.stdout.reconfigure(errors="replace")
    try:
        found, pictures = parser(flag_defaults=False, prog=prog).parse_with_pictures(words)
        if prog != PROGRAM and pictures:
            full.error(f"unrecognized arguments: {' '.join(pictures)}")
        words = words + _by_position(pictures, vars(found))
        given = vars(parser(flag_defaults=False, prog=prog).parse_with_pictures(words)[0])
        if "resume" in given:
            from ..run import state

            full.set_defaults(**state.resume(given["resume"], given).args)
        for name in reversed(given.get("recipe", [])):
            words = _recipe_words(name, given) + words
        args, _ = full.parse_with_pictures(words)
        for flag in FLAGS:  # one value stands for itself, as the reference has it
            value = getattr(args, flag.attribute)
            if flag.many and value is not None and len(listed(value)) == 1:
                setattr(args, flag.attribute, listed(value)[0])
        refuse_what_has_no_effect(args, given)
    except UsageError as error:
        full.error(str(error))
    for name in set(vars(args)) - set(BY_ATTRIBUTE):
        delattr(args, name)
    return args, given


def _by_position(pictures, given):
    """The flags for pictures given without one: a photograph, followed by paintings."""
    words = (
        ["--content-image", *pictures[:1], *(["--style-image", *pictures[1:]] if pictures[1:] else [])]
        if pictures
        else []
    )
    for flag in filter(BY_ATTRIBUTE.get, (word[2:].replace("-", "_") for word in words if word.startswith("--"))):
        if flag in given:
            raise UsageError(f"{BY_ATTRIBUTE[flag].name}: is given twice, as a flag and as {' '.join(pictures)}")
    return words


def _recipe_words(name, given):
    """A recipe's words, after checking that they are only flags of a run."""
    words, embedded = recipes.words(name)
    if sum(word.startswith("-") for word in words) > MOST:  # argparse takes time proportional to their square
        raise UsageError(f"--recipe {name}: it has more than {MOST} flags; no run takes that many")
    plain = RunParser(prog=PROGRAM, add_help=False, argument_default=argparse.SUPPRESS)
    add_flags(plain)
    own, unknown = plain.parse_known_args(words)
    if unknown:
        what = f"unrecognized arguments: {unknown[0]}"
        if unknown[0].split("=")[0] in parser()._option_string_actions:
            what = f"a recipe cannot have {unknown[0].split('=')[0]}"
        raise UsageError(f"--recipe {name}: {what}")
    if embedded and len(given["recipe"]) > 1:
        raise UsageError(f"--recipe {name}: a picture's recipe is complete; leave out the other one")
    for attribute, value in vars(own).items() if embedded else ():  # pictures come from anywhere
        flag = BY_ATTRIBUTE[attribute]
        if flag.scope in (RUN, SESSION):
            raise UsageError(f"--recipe {name}: a picture's recipe cannot have {flag.name}")
        if attribute not in given and _is_somebodys(flag, value):
            raise UsageError(
                f"--recipe {name}: {flag.name} {value} is not part of this package; if you trust it, repeat "
                "it on the command line"
            )
    return words


def _is_somebodys(flag, value):
    """Whether a flag's value names weights or a model from outside this package."""
    return (
        flag.path == FILE
        or flag.attribute == "model"
        and is_foreign(value)
        or flag.attribute == "start"
        and value.startswith(NETWORK)
        and not value[len(NETWORK) :].isidentifier()
    )


def get_args(arglist=None):
    """Parse the command line, or a list of words, into the arguments that train_nstyle takes."""
    return parse(arglist)[0]
