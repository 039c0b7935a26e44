"""Recipes are plain files of flags, one for each system; a flag on the command line overrides its recipe's.

To add one, add a file NAME.args to this folder. Its first line is a comment that says what it is.
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
    """The text of a recipe: one of names(), a file of flags, or a picture, which carries the recipe it was made by."""
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
    """Whether this is the name of a picture, in which the recipe is embedded."""
    return Path(name).suffix.lower() in PICTURES


def _in_picture(path):
    from ..pictures.write import read_recipe
    path.open("rb").close()
    text = read_recipe(path)
    if not text:
        raise UsageError(f"--recipe {path}: there is no recipe in this picture; either it was not made by this "
                         "program, or another one has changed it since")
    return text


def words(name):
    """A recipe as a list of command-line words."""
    try:
        return shlex.split(text(name), comments=True)
    except ValueError as error:
        raise UsageError(f"--recipe {name}: {error}") from None


def listing():
    """All recipes, each with the first line of its file."""
    return "\n".join(f"{name:16}{text(name).splitlines()[0].lstrip('# ')}" for name in names())


def flag_words(flags):
    """One string for each of the flags, [(flag, value or values)], as it would be typed."""
    words = []
    for flag, value in flags:
        if isinstance(value, (list, tuple)):
            words.append(" ".join([flag] + [shlex.quote(str(one)) for one in value]))
        else:       # with =, because a word such as -1e-05 would be mistaken for a flag
            words.append(flag if value is True else f"{flag}={shlex.quote(str(value))}")
    return words


def written(flags, title):
    """The text of a recipe made of these flags, below a comment line with the title."""
    return "\n".join(["# " + title] + flag_words(flags)) + "\n"


def save(path, flags):
    """Write these flags to a recipe file."""
    try:
        with atomic(path) as temporary:
            text = written(flags, f"Flags of a run; to use them: --recipe {path}")
            temporary.write_bytes(text.encode("utf-8"))
    except UnicodeEncodeError:
        raise UsageError(f"--save-recipe {path}: a recipe cannot contain a name that is not UTF-8") from None
    except OSError as error:
        raise NeuralStyleError(f"--save-recipe {path}: {error.strerror}") from None
