"""The command line: what a command is given, and running it; the main command's table, and get_args."""

import sys
import textwrap
from argparse import SUPPRESS, Namespace
from typing import Any, Dict, List, Optional, Tuple, Union

from .. import recipes
from ..system import errors
from ..system.errors import Parser, UsageError
from ..system.logs import log_to_stderr
from .check import checked, refuse_foreign, refuse_what_has_no_effect
from .command import Command, Commands, Print
from .flags import BY_ATTRIBUTE, FLAGS, GROUPS, RUN, SESSION, Flag, listed
from .words import WIDTH, FlagParser, Help, add

MOST = 1000  # flags in a recipe
EXAMPLES = """
examples:
  %(prog)s photo.jpg painting.jpg --fast
  %(prog)s photo.jpg painting.jpg --preserve-colors luma --size 1200 --output painted.png
  %(prog)s photo.jpg painting.jpg --recipe gatys --report
  %(prog)s --resume output/
many pictures: python -m neural_style.batch; in one pass: python -m neural_style.end_to_end;
films: python -m neural_style.film
"""


def _of_resumed(given):
    """The flags of the run that is resumed."""
    if "resume" not in given:
        return {}
    from ..run import state  # loads NumPy, which other runs' words can do without

    return dict(state.resume(given["resume"], given).args)


# fmt: off
MAIN = Command(
    "neural-style", "Paint the content image in the style of the style image.",
    work=lambda own, args, given: None,  # see nstyle.py
    flags=(
        Flag("--list-recipes", bool, False, "print the recipes and exit",
             how={"action": Print, "nargs": 0, "const": lambda value: recipes.listing()}),
        Flag("--show-recipe", str, None, "print a recipe and exit",
             how={"action": Print, "metavar": "NAME", "const": recipes.text}),
        Flag("--save-recipe", str, None, "write this run's flags to a file for --recipe, and exit", shown="FILE"),
        Flag("--list-layers", bool, False, "print the model's layers and exit"),
        Flag("--doctor", bool, False, "report what is installed and whether it works, and exit"),
    ),
    of_run=(*BY_ATTRIBUTE, "recipe"),
    groups=(*GROUPS, ("recipes, and what is printed",
                      "recipe fast list_recipes show_recipe save_recipe list_layers doctor version")),
    first=("content_image", "style_image"),
    what="a run",
    defaults=_of_resumed,
    more=EXAMPLES,
)
# fmt: on


def chosen(command: Union[Command, Commands], arglist: Optional[List[str]] = None) -> Tuple[Command, List[str]]:
    """The command that the words are for, and those words that are its own."""
    words = list(sys.argv[1:] if arglist is None else arglist)
    if isinstance(command, Command):
        return command, words
    lines = [f"  {name:12}{one.about.split('. ')[0].rstrip('.')}" for name, one in command.commands.items()]
    made = Parser(
        prog=f"python -m {command.name}",
        usage=f"%(prog)s {'|'.join(command.commands)} [flags]",
        description=textwrap.fill(command.about, WIDTH),
        epilog="\n".join(["commands:", *lines]),
        formatter_class=Help,
        allow_abbrev=False,
    )
    for flag in command.flags:
        add(made, flag, flag.names.split())
    made.add_argument("command", choices=tuple(command.commands), metavar="|".join(command.commands), help=SUPPRESS)
    if not words:
        made.error(f"choose a command: {' or '.join(command.commands)}")
    return command.commands[made.parse_args(words[:1]).command], words[1:]


def parse(
    command: Union[Command, Commands], arglist: Optional[List[str]] = None
) -> Tuple[Namespace, Namespace, Dict[str, Any]]:
    """(own, args, given): the command's own arguments, those of a run, and the values that were typed, by attribute."""
    command, words = chosen(command, arglist)
    made = FlagParser(command)
    if hasattr(sys.stdout, "reconfigure"):  # what is printed has letters that not every terminal knows
        sys.stdout.reconfigure(errors="replace")
    try:
        given = made.given(words)
        made.refuse(given)
        values = command.defaults(given)
        for name in given.get("recipe", []):
            values.update(_of_recipe(name, made, given))
        values.update(given)
        own = {flag.attribute: checked(flag, values.get(flag.attribute, flag.default)) for flag in command.flags}
        missing = [command.flag(name) for name in command.needs if not own[name]]
        if missing and "resume" not in given:
            names = ", ".join(flag.metavar if flag.attribute in command.first else flag.name for flag in missing)
            raise UsageError(f"the following arguments are required: {names}")
        args = {name: flag.default for name, flag in BY_ATTRIBUTE.items()}
        args.update((name, value) for name, value in values.items() if name in args and name not in own)
        args.update({name: own[of_own] for of_own, name in command.same.items() if own[of_own]})
        for flag in FLAGS:  # one value stands for itself, as the reference has it
            if flag.many and len(listed(args[flag.attribute])) == 1:
                args[flag.attribute] = listed(args[flag.attribute])[0]
        styles = own.get("style") or args["style_image"]  # several have weights and scales
        refuse_what_has_no_effect(Namespace(**{**args, "style_image": styles}), given)
        for names, when, why in command.without_effect if given else ():
            for name in filter(given.__contains__, names.split() if when(Namespace(**own)) else ()):
                raise UsageError(f"{command.flag(name).name} has no effect {why}; leave it out")
    except UsageError as error:
        made.error(str(error))
    return Namespace(**own), Namespace(**args), given


def _of_recipe(name, made, given):
    """A recipe's values, after checking that they are only flags of a run."""
    words, embedded = recipes.words(name)
    if sum(word.startswith("-") for word in words) > MOST:  # argparse takes time proportional to their square
        raise UsageError(f"--recipe {name}: it has more than {MOST} flags; no run takes that many")
    values, unknown = FlagParser(made.command, recipe=True).parse_known_args(words)
    if unknown:
        flag = unknown[0].split("=")[0]
        known = flag in made._option_string_actions
        raise UsageError(f"--recipe {name}: {f'a recipe cannot have {flag}' if known else made.unknown(unknown[0])}")
    if embedded and len(given["recipe"]) > 1:
        raise UsageError(f"--recipe {name}: a picture's recipe is complete; leave out the other one")
    for attribute, value in vars(values).items() if embedded else ():  # pictures come from anywhere
        flag = made.command.flag(attribute)
        if flag.scope in (RUN, SESSION):
            raise UsageError(f"--recipe {name}: a picture's recipe cannot have {flag.name}")
        refuse_foreign(f"--recipe {name}", flag, value, given)
    return vars(values)


def run(command: Union[Command, Commands], arglist: Optional[List[str]] = None) -> int:
    """Do what the words ask for; returns the exit code."""
    one, words = chosen(command, arglist)
    own, args, given = parse(one, words)
    with log_to_stderr(args):
        return errors.run(lambda: one.work(own, args, given), one.name, args.debug)


def get_args(arglist: Optional[List[str]] = None) -> Namespace:
    """Parse the command line, or a list of words, into the arguments that train_nstyle takes."""
    return parse(MAIN, arglist)[1]
