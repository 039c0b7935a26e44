"""Open a page in the browser of whoever runs the command."""

import logging
import subprocess
import sys
import threading
from pathlib import Path

from ..system.types import PathLike

OPEN = "import sys, webbrowser; sys.exit(not webbrowser.open(sys.argv[1]))"

log = logging.getLogger("neural_style")


def show(path: PathLike) -> None:
    """Open the page at path and go on at once; where no browser can be opened a line says where the page is."""
    nowhere = subprocess.DEVNULL  # a browser for the terminal finds none and gives up
    try:
        opening = subprocess.Popen(
            [sys.executable, "-I", "-c", OPEN, Path(path).resolve().as_uri()],
            stdin=nowhere,
            stdout=nowhere,
            stderr=nowhere,
            start_new_session=True,
        )
    except OSError:
        return _say(path)
    threading.Thread(target=lambda: opening.wait() and _say(path), daemon=True).start()


def _say(path):
    log.warning("no browser could be opened; the page is %s", path)
