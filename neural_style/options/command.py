"""What a command is: a table of flags and a function of what it does. See words.py and parse.py for how it is read."""

import argparse
from argparse import Namespace
from typing import Any, Callable, Collection, Dict, Mapping, NamedTuple, Optional, Tuple

from .. import __version__
from .flags import BY_ATTRIBUTE, Flag

STUDIO = "python -m neural_style.studio opens the program in the browser"
INSTEAD_OF_A_RUN = ("save_recipe", "list_layers", "doctor")
ELSEWHERE = {  # flags of other commands, and what to do
    **dict.fromkeys(INSTEAD_OF_A_RUN, "use it with python -m neural_style"),
    **dict.fromkeys(("gui", "ui", "web", "studio"), STUDIO),
    "network": "python -m neural_style.end_to_end paint paints in one pass; --start network:NAME starts from that",
    "photos": "python -m neural_style.end_to_end train learns from photographs",
    **dict.fromkeys(("jobs", "zip", "sequence", "dask"), "python -m neural_style.batch paints many pictures"),
    **dict.fromkeys(("list_networks", "generator"), "use it with python -m neural_style.end_to_end"),
}


class Print(argparse.Action):
    """A flag that prints something and ends the program; const(value) gives the text."""

    def __call__(self, parser: Any, namespace: Any, value: Any, option: Any = None) -> None:
        parser.print(self.const(value))
        parser.exit()


# fmt: off
SHARED = (  # flags of all commands beside those of a run
    Flag("--recipe", str, None, "take defaults from a recipe: a name from --list-recipes, a file, or a picture made by "
         "this program", how={"action": "append", "metavar": "NAME"}),
    Flag("--fast", bool, False, "the same as --recipe fast",
         how={"action": "append_const", "dest": "recipe", "const": "fast"}),
    Flag("--version", bool, False, "print the version and exit",
         how={"action": "version", "version": f"neural_style {__version__}"}),
)
# fmt: on


class Command(NamedTuple):
    """A command, which is typed as python -m NAME."""

    name: str
    about: str  # for --help
    work: Callable[[Namespace, Namespace, Dict[str, Any]], Optional[int]]  # what parse returns → the exit code
    flags: Tuple[Flag, ...] = ()  # its own
    of_run: Collection[str] = ()  # the flags of a run that it takes, by attribute
    groups: Tuple[Tuple[str, str], ...] = ()  # what --help shows: (title, attributes); without any, its own flags
    first: Tuple[str, ...] = ()  # flags, by attribute, that words without a flag are for, in this order
    needs: Tuple[str, ...] = ()  # its own flags, by attribute, that must be given
    what: str = "this command"
    same: Mapping[str, str] = {}  # its own flags, by attribute, that are also a flag of a run
    instead: Mapping[str, str] = {}  # flags that it does not take, by attribute, and what to do instead
    without_effect: Tuple[Tuple[str, Callable[[Namespace], Any], str], ...] = ()  # (attributes, when, why)
    defaults: Callable[[Dict[str, Any]], Dict[str, Any]] = lambda given: {}  # where they depend on what is given
    more: str = ""  # below the flags in --help

    @property
    def program(self) -> str:
        """The command as it is typed."""
        return f"python -m {self.name}" if self.name.startswith("neural_style") else self.name

    def flag(self, attribute: str) -> Flag:
        """The flag of this attribute: its own, or a run's."""
        own = (flag for flag in (*self.flags, *SHARED) if flag.attribute == attribute)
        return next(own, None) or BY_ATTRIBUTE[attribute]

    def takes(self, attribute: str) -> bool:
        """Whether the command takes the flag of this attribute."""
        return attribute in self.of_run or attribute in ("help", "version") or attribute in self.own

    @property
    def own(self) -> Tuple[str, ...]:
        """The attributes of its own flags."""
        return tuple(flag.attribute for flag in self.flags)


class Commands(NamedTuple):
    """Several commands of one module, each typed as python -m NAME WORD."""

    name: str
    about: str
    commands: Mapping[str, Command]
    flags: Tuple[Flag, ...] = ()
