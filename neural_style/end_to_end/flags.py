"""Flags about networks that paint in one pass."""

from typing import Any

from ..options.command import Print
from ..options.flags import FILE, RUN, Check, Flag


def listing(value: Any = None) -> str:
    """The networks that come with the package, a line for each."""
    from . import network  # loads NumPy, which --help can do without

    return "\n".join(f"{name:12} {network.load(name).about.description}" for name in network.names())


# fmt: off
NETWORK = Flag("--network", str, None, "a network that paints in one pass: a name from --list-networks, or a file "
               "written by `python -m neural_style.end_to_end train`", path=FILE, shown="NETWORK")
STRENGTH = Flag("--strength", float, 1.0, "how strong the network's style is: 0 leaves the photograph nearly as it "
                "is, 1 is what the network has learned", Check(lambda value: 0 <= value <= 1, "from 0 to 1"))
LIST_NETWORKS = Flag("--list-networks", bool, False, "print the networks that come with the package and exit",
                     scope=RUN, how={"action": Print, "nargs": 0, "const": listing})
