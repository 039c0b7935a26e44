"""Recipes: plain files of flags, one system each; a flag given by hand wins over its recipe's.

Adding a recipe is adding a file NAME.args here. Its first comment line says what it is.
"""
import shlex
from pathlib import Path

from ..system.errors import NeuralStyleError, UsageError
from ..system.files import atomic

FOLDER = Path(__file__).parent
PICTURES = (".png", ".apng", ".jpg", ".jpeg", ".jfif", ".jpe", ".webp", ".tif", ".tiff", ".avif", ".heic", ".heif")


def names():
    """The recipes that come with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.args"))


def text(name):
    """The text of a recipe: one of names(), a file of flags, or a picture that a run made (each carries its own)."""
    own = FOLDER / f"{name}.args"
    path = own if name in names() else Path(name)
    try:
        if is_picture(path):
            return _in_picture(path)
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not a text file"
        raise UsageError(f"--recipe {name}: {reason}; the recipes are {', '.join(names())}, "
                         "or name a file of flags") from None


def is_picture(name):
    """Whether the recipe of this name is looked for in a picture."""
    return Path(name).suffix.lower() in PICTURES


def _in_picture(path):
    from ..pictures.write import read_recipe
    path.open("rb").close()
    text = read_recipe(path)
    if not text:
        raise UsageError(f"--recipe {path}: there is no recipe in this picture; it was not made here, "
                         "or was changed by another program since")
    return text


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


def written(flags, title):
    """The text of a recipe from flags, under a line of comment."""
    return "\n".join(["# " + title] + flag_words(flags)) + "\n"


def save(path, flags):
    """Write flags as a recipe file."""
    try:
        with atomic(path) as temporary:
            text = written(flags, f"Flags of a run; use them with: --recipe {path}")
            temporary.write_bytes(text.encode("utf-8"))
    except UnicodeEncodeError:
        raise UsageError(f"--save-recipe {path}: a name that is not UTF-8 cannot stand in a recipe") from None
    except OSError as error:
        raise NeuralStyleError(f"--save-recipe {path}: {error.strerror}") from None
