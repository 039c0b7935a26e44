"""Open a page in the browser of whoever runs the command."""

import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Optional

from ..system.types import PathLike

OPEN = "import sys, webbrowser; sys.exit(not webbrowser.open(sys.argv[1]))"

log = logging.getLogger("neural_style")


def show(path: PathLike) -> None:
    """Open the page at path and go on at once; where no browser can be opened a line says where the page is."""
    browse(Path(path).resolve().as_uri(), path)


def browse(address: str, name: Optional[PathLike] = None) -> None:
    """The same for an address, which the line calls by this name."""
    name = name or address
    nowhere: Any = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)  # one for the terminal gives up
    try:
        opening = subprocess.Popen([sys.executable, "-I", "-c", OPEN, address], **nowhere, start_new_session=True)
    except OSError:
        return _say(name)
    threading.Thread(target=lambda: opening.wait() and _say(name), daemon=True).start()


def _say(path):
    log.warning("no browser could be opened; the page is %s", path)
