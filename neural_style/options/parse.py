"""The command line: flags and recipes, read from words."""
import argparse
import sys

from .. import __version__, recipes
from ..system.errors import Parser, UsageError
from .check import refuse_what_has_no_effect
from .flags import BY_ATTRIBUTE, FILE, FLAGS, REFERENCE, RUN, SESSION, is_foreign, listed

MOST = 1000     # flags in a recipe


class RunParser(Parser):
    """A parser that knows the reference's abbreviations: `--tv` was unique before --tv-loss came."""

    def _get_option_tuples(self, option_string):
        found = super()._get_option_tuples(option_string)
        references = [match for match in found if match[0].dest in REFERENCE]
        return references[:1] if len({match[0].dest for match in references}) == 1 else found


class _Print(argparse.Action):
    """A flag that prints something and ends the program; const(value) gives the text."""

    def __call__(self, parser, namespace, value, option=None):
        parser.print(self.const(value))
        parser.exit()


def add_flags(parser, defaults=False, names=BY_ATTRIBUTE):
    """Add what is in the table FLAGS, or those with these attributes; without defaults what is not given is not there."""
    for flag in (BY_ATTRIBUTE[name] for name in names):
        default = flag.default if defaults else argparse.SUPPRESS
        if flag.type is bool:
            parser.add_argument(*flag.names.split(), action="store_true", help=flag.help, default=default)
            continue
        shown = "" if flag.default is None else f" ({flag.default})"
        metavar = "{%s}" % ",".join(flag.choices) if flag.choices else {int: "N", float: "X"}.get(
            flag.type, "PATH" if flag.path else "NAME")
        parser.add_argument(*flag.names.split(), type=flag.type, default=default, metavar=metavar,
                            nargs="+" if flag.many else None, help=(flag.help + shown).replace("%", "%%"))


def parser(flag_defaults=True, prog="neural-style"):
    """The parser of a run's command line."""
    made = RunParser(prog=prog, description="Paint the content image in the style of the style image.",
                  formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=28, width=110),
                  argument_default=None if flag_defaults else argparse.SUPPRESS)
    add_flags(made, flag_defaults)
    made.add_argument("--recipe", metavar="NAME", action="append", default=argparse.SUPPRESS,
                      help="take defaults from a recipe: a name of --list-recipes, a file, or a picture that was made here")
    made.add_argument("--fast", action="append_const", dest="recipe", const="fast", default=argparse.SUPPRESS,
                      help="the same as --recipe fast")
    made.add_argument("--list-recipes", action=_Print, nargs=0, default=argparse.SUPPRESS,
                      const=lambda value: recipes.listing(), help="print the recipes and exit")
    made.add_argument("--show-recipe", action=_Print, metavar="NAME", default=argparse.SUPPRESS,
                      const=recipes.text, help="print a recipe and exit")
    made.add_argument("--save-recipe", metavar="FILE", default=argparse.SUPPRESS,
                      help="write this run's flags to a file that --recipe takes, and exit")
    made.add_argument("--list-layers", action="store_true", default=argparse.SUPPRESS,
                      help="print the model's layers and exit")
    made.add_argument("--doctor", action="store_true", default=argparse.SUPPRESS,
                      help="say what is installed and whether it works, for a bug report, and exit")
    made.add_argument("--version", action="version", version=f"neural_style {__version__}")
    return made


def parse(arglist=None, prog="neural-style"):
    """The arguments of a command line, and what it asks for besides a run: {"save_recipe": …, "doctor": …}."""
    words = sys.argv[1:] if arglist is None else list(arglist)
    full = parser(prog=prog)
    if hasattr(sys.stdout, "reconfigure"):      # what is printed has letters that not every terminal knows
        sys.stdout.reconfigure(errors="replace")
    try:
        given = vars(parser(flag_defaults=False, prog=prog).parse_args(words))
        if "resume" in given:
            from ..run import state
            full.set_defaults(**state.resume(given["resume"], given).args)
        for name in reversed(given.get("recipe", [])):
            words = _recipe_words(name, given) + words
        args = full.parse_args(words)
        for flag in FLAGS:      # one value stands for itself, as the reference has it
            value = getattr(args, flag.attribute)
            if flag.many and value is not None and len(listed(value)) == 1:
                setattr(args, flag.attribute, listed(value)[0])
        refuse_what_has_no_effect(args, given)
    except UsageError as error:
        full.error(str(error))
    for name in set(vars(args)) - set(BY_ATTRIBUTE):
        delattr(args, name)
    return args, given


def _recipe_words(name, given):
    """A recipe's words, once they are known to be flags of a run and nothing else."""
    words, embedded = recipes.words(name)
    if sum(word.startswith("-") for word in words) > MOST:       # argparse takes time proportional to their square
        raise UsageError(f"--recipe {name}: it has more than {MOST} flags; no run takes as many")
    plain = RunParser(prog="neural-style", add_help=False, argument_default=argparse.SUPPRESS)
    add_flags(plain)
    own, unknown = plain.parse_known_args(words)
    if unknown:
        what = f"unrecognized arguments: {unknown[0]}"
        if unknown[0].split("=")[0] in parser()._option_string_actions:
            what = f"a recipe cannot have {unknown[0].split('=')[0]}"
        raise UsageError(f"--recipe {name}: {what}")
    if embedded and len(given["recipe"]) > 1:
        raise UsageError(f"--recipe {name}: a picture's recipe is a whole one; leave out the other")
    for attribute, value in vars(own).items() if embedded else ():      # pictures come from anywhere
        flag = BY_ATTRIBUTE[attribute]
        if flag.scope in (RUN, SESSION):
            raise UsageError(f"--recipe {name}: a picture's recipe cannot have {flag.name}")
        if attribute not in given and (flag.path == FILE or attribute == "model" and is_foreign(value)):
            raise UsageError(f"--recipe {name}: {flag.name} {value} is somebody's own; if you trust it, give {flag.name} "
                             "by hand as well")
    return words


def get_args(arglist=None):
    """Parse the command line, or a list of words, into the arguments that train_nstyle takes."""
    return parse(arglist)[0]
