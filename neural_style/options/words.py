"""The words of a command line, read by a command's table."""

import argparse
import difflib
import textwrap
from argparse import SUPPRESS
from typing import Any, Collection, Dict, List

from ..system.errors import Parser, UsageError
from .command import ELSEWHERE, INSTEAD_OF_A_RUN, SHARED, Command
from .flags import FLAGS, REFERENCE, STANDARD_INPUT, Flag

WIDTH = 110  # of --help
MEANT = {  # what other programs call it
    **dict.fromkeys(("--epochs", "--iterations", "--num-iterations", "--steps"), "--max-num-epochs"),
    **dict.fromkeys(("--init", "--init-image"), "--start"),
    "--image-size": "--size",
    "--input": "--content",
    "--style-images": "--style",
    "--output-image": "--output",
    "--learning-rate": "--lr",
    "--original-colors": "--preserve-colors luma",
    "--save-iter": "--save-epochs",
    "--denoise": "--remove-noise",
}


class FlagParser(Parser):
    """The parser of a command's words; flags that are not given are missing from the result.

    It knows the reference's abbreviations (`--tv` was unambiguous before --tv-loss was added), and what other programs
    call a flag. It knows all flags of a run, so that those which a command does not take can be refused with a reason.
    """

    def __init__(self, command: Command, recipe: bool = False) -> None:
        """With recipe, for the words of a recipe, which print nothing and name no other recipe."""
        super().__init__(
            prog=command.program,
            usage=_usage(command),
            description=textwrap.fill(command.about, WIDTH),
            epilog=command.more,
            formatter_class=Help,
            argument_default=SUPPRESS,
            add_help=not recipe,
        )
        self.command, shown = command, set()
        rows = {flag.attribute: (flag, names) for flag, names in _rows(command)}
        for name in [name for name, (flag, _) in rows.items() if recipe and (flag.how or name in INSTEAD_OF_A_RUN)]:
            del rows[name]
        groups = command.groups or [("flags", " ".join(flag.attribute for flag in command.flags))]
        for title, names in groups:
            group = self.add_argument_group(title)
            for name in filter(rows.__contains__, names.split()):
                add(group, *rows[name])
                shown.add(name)
        for name in rows.keys() - shown:
            add(self, *rows[name], hidden=name != "version")

    def _get_option_tuples(self, option_string):
        found = super()._get_option_tuples(option_string)
        found = [match for match in found if self.command.takes(match[0].dest)] or found
        references = [match for match in found if match[0].dest in REFERENCE]
        if len({match[0].dest for match in references}) == 1:
            return references[:1]
        return [] if _plain(option_string) in MEANT else found

    def given(self, words: List[str]) -> Dict[str, Any]:
        """The values that words give, by attribute."""
        end = words.index("--") if "--" in words else len(words)
        values, others = self.parse_known_args(words[:end])
        for word in others:
            if word.startswith("-") and word != STANDARD_INPUT:
                raise UsageError(self.unknown(word))
        return {**vars(values), **self._by_position(others + words[end + 1 :], vars(values))}

    def _by_position(self, words, given):
        """The values of words without a flag: in the main command a photograph, followed by paintings."""
        values, left = {}, list(words)
        for flag in map(self.command.flag, self.command.first if words else ()):
            if left and flag.attribute in given:
                raise UsageError(f"{flag.name}: is given twice, as a flag and as {' '.join(words)}")
            if left:
                values[flag.attribute], left = (left, []) if flag.many else (left[0], left[1:])
        if left:
            raise UsageError(f"unrecognized argument: {left[0]}")
        return values

    def refuse(self, given: Collection[str]) -> None:
        """Raise UsageError for a flag of a run that the command does not take."""
        for attribute in given:
            if not self.command.takes(attribute):
                flag = self.command.flag(attribute)
                raise UsageError(self.reason(flag.name) or f"{flag.name} is not for {self.command.what}")

    def reason(self, name: str) -> str:
        """Why the command does not take the flag of this name, and what to do instead; empty if that is not known."""
        attribute = name[2:].replace("-", "_")
        why = self.command.instead.get(attribute) or ELSEWHERE.get(attribute)
        return f"{name} is not for {self.command.what}: {why}" if why else ""

    def unknown(self, word: str) -> str:
        """What to say of a word that is no flag here."""
        name = word.split("=")[0]
        if self.reason(name):
            return self.reason(name)
        known = [option for option, action in self._option_string_actions.items() if self.command.takes(action.dest)]
        meant = MEANT.get(_plain(word))
        near = [meant] if meant else difflib.get_close_matches(_plain(word), known, 1, 0.75)
        instead = near and self.command.instead.get(near[0][2:].replace("-", "_"))
        hint = f" ({instead or f'did you mean {near[0]}?'})" if near and word.startswith("--") else ""
        return f"unrecognized argument: {name}{hint}"


def _plain(word):
    """A flag's name as it would be written here."""
    return word.split("=")[0].replace("_", "-")


class Help(argparse.RawDescriptionHelpFormatter):
    """Lines of WIDTH, and texts below the flags as they are written."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=WIDTH)

    def _format_action_invocation(self, action):  # the placeholder once, as from Python 3.13 on
        names = ", ".join(action.option_strings)
        return f"{names} {self._format_args(action, action.metavar)}" if action.metavar else names


def _usage(command):
    """%(prog)s FILM --output FILM [flags]"""
    words = []
    for attribute in dict.fromkeys((*command.first, *command.needs)):
        flag = command.flag(attribute)
        text = flag.metavar + " ..." * flag.many
        text = text if attribute in command.first else f"{flag.name} {text}"
        words.append(text if attribute in command.needs else f"[{text}]")
    return " ".join(["%(prog)s", *words, "[flags]"])


def _rows(command):
    """(flag, names) of all flags that the parser knows; a command's own names come before those of a run."""
    taken = {name for flag in command.flags for name in flag.names.split()}
    yield from ((flag, flag.names.split()) for flag in command.flags)
    for flag in (*FLAGS, *SHARED):
        names = [name for name in flag.names.split() if name not in taken]
        if names and flag.attribute not in command.own:
            yield flag, names


def add(group: Any, flag: Flag, names: Any, hidden: bool = False) -> None:
    """Add a flag to a group of the parser."""
    default = "" if flag.default is None or flag.default is False or flag.default == [] else f" ({flag.default})"
    text = SUPPRESS if hidden else (flag.help + default).replace("%", "%%")
    how: Dict[str, Any] = {"dest": flag.attribute, "help": text}
    if flag.how:
        how.update(flag.how)
    elif flag.type is bool:
        how["action"] = "store_true"
    else:
        how.update(type=flag.type, metavar=flag.metavar, nargs="+" if flag.many else None)
    group.add_argument(*names, default=SUPPRESS, **how)
