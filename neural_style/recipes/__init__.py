"""Recipes: plain files of flags, one system each; a flag given by hand wins over its recipe's.

Adding a recipe is adding a file NAME.args here. Its first comment line says what it is.
"""
import shlex
from pathlib import Path

from ..errors import UsageError
from ..files import atomic

FOLDER = Path(__file__).parent


def names():
    """The recipes that come with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.args"))


def text(name):
    """The text of a recipe: one of names(), or a file."""
    own = FOLDER / f"{name}.args"
    path = own if name in names() else Path(name)
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not a text file"
        raise UsageError(f"--recipe {name}: {reason}; the recipes are {', '.join(names())}, "
                         "or name a file of flags") from None


def words(name):
    """A recipe as the words of a command line."""
    try:
        return shlex.split(text(name), comments=True)
    except ValueError as error:
        raise UsageError(f"--recipe {name}: {error}") from None


def listing():
    """Every recipe with the first line of its file."""
    return "\n".join(f"{name:16}{text(name).splitlines()[0].lstrip('# ')}" for name in names())


def flag_words(flags):
    """Flags, [(flag, value or values)], as they are typed: one string each."""
    words = []
    for flag, value in flags:
        if isinstance(value, (list, tuple)):
            words.append(" ".join([flag] + [shlex.quote(str(one)) for one in value]))
        else:       # with =, because a word such as -1e-05 would be taken for a flag
            words.append(flag if value is True else f"{flag}={shlex.quote(str(value))}")
    return words


def save(path, flags):
    """Write flags, [(flag, value or values)], as a recipe file."""
    lines = ["# Flags of a run; use them with: --recipe " + str(path)] + flag_words(flags)
    try:
        with atomic(path) as temporary:
            temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--save-recipe {path}: {error.strerror}") from None
