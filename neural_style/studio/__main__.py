"""The command `python -m neural_style.studio`: serve the page, and open it in the browser."""

import getpass
import os
import secrets
import socket
import sys
from argparse import Namespace
from typing import Any, Dict, List, Optional

from ..options import parse
from ..options.command import Command
from ..options.flags import RUN, SESSION, Check, Flag
from ..system.errors import UsageError, say

HERE = "127.0.0.1"
NEEDS = (
    'the studio needs Starlette and uvicorn: pip install "neural-style-mxnet[studio]" or pip install starlette uvicorn'
)
OPEN_TO_OTHERS = (
    "anybody on this network who has the address and the password can see and change all pictures in {folder} and keep "
    "this machine busy; the connection is not encrypted, so use it only in a network that you trust"
)
PASSWORD = "NEURAL_STYLE_STUDIO_PASSWORD"
SHORTEST = 8  # characters of a password
PATIENCE = 10  # seconds for the head of a connection's first request
# fmt: off
FLAGS = (
    Flag("--folder", str, "studio", "where everything is kept", scope=RUN, shown="FOLDER"),
    Flag("--port", int, None, "the port of the address; by default the one of the last time, or any free one",
         Check(lambda value: 1 <= value <= 65535, "from 1 to 65535"), scope=SESSION),
    Flag("--no-browser", bool, False, "only print the address", scope=SESSION),
    Flag("--host", str, HERE, "serve other machines as well, at this address of yours; asks for a password, or takes "
         f"that in {PASSWORD}", scope=SESSION, shown="ADDRESS"),
)
# fmt: on


def password(host: str, folder: Any) -> Optional[str]:
    """The password that other machines need; None where only this one is served."""
    if host == HERE:
        return None
    say(f"--host {host}: {OPEN_TO_OTHERS.format(folder=folder)}")
    given = os.environ.get(PASSWORD)
    if given is None:
        if sys.stdin is None or not sys.stdin.isatty():
            raise UsageError(
                f"--host {host} needs a password: set {PASSWORD}, or start it in a terminal, which asks for it"
            )
        given = getpass.getpass("A password for the studio: ")
    if len(given) < SHORTEST:
        raise UsageError(f"the password must have at least {SHORTEST} characters")
    return given


def listening(host: str, port: int, last: int) -> Any:
    """A socket that listens on the port, or without one on that of the last time, or on any."""
    wanted = [port] if port else [last, 0]
    for number in wanted:
        try:
            found = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind((host, number))
            found.listen(64)
            return found
        except OSError as error:
            found.close()
            if number == wanted[-1]:
                raise UsageError(
                    f"port {number} of {host}: {error.strerror}; choose another --port or --host"
                ) from None


def work(own: Namespace, args: Namespace, given: Dict[str, Any]) -> None:
    """Serve until Ctrl-C."""
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ModuleNotFoundError:
        raise UsageError(NEEDS) from None
    from .folder import Folder

    folder = Folder(own.folder)
    with folder.alone():
        folder.find_weights()
        _serve(own, folder)


def _impatient():
    """uvicorn's protocol, but for connections that ask for nothing: they would keep others from being served."""
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Impatient(H11Protocol):
        def connection_made(self, transport):
            super().connection_made(transport)
            self.loop.call_later(PATIENCE, lambda: self.cycle or transport.close())

    return Impatient


def _serve(args, folder):
    import uvicorn

    from ..report.show import browse
    from . import app
    from .guard import Guard

    asked = password(args.host, folder.root)
    secret, last = folder.kept("secret", "") or secrets.token_urlsafe(24), folder.kept("port", 0)
    server = listening(args.host, args.port, last if 0 < last < 65536 else 0)
    port = server.getsockname()[1]
    folder.keep("secret", secret)
    folder.keep("port", port)
    others = args.host != HERE
    hosts = (f"{args.host}:{port}",) if others else (f"{HERE}:{port}", f"localhost:{port}")
    made = app.make(folder)

    class Server(uvicorn.Server):
        def handle_exit(self, sig, frame):
            made.state.studio.ending = True  # ends the streams of news, for which it would wait
            super().handle_exit(sig, frame)

    config = uvicorn.Config(
        Guard(made, secret, hosts, others, asked),
        http=_impatient(),
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=10,
        limit_concurrency=200,
        h11_max_incomplete_event_size=16384,
    )
    address = f"http://{hosts[0]}/{secret}/"
    say(f"the studio of {folder.root}; Ctrl-C ends it, and what is being painted goes on the next time")
    print(address, flush=True)
    if not args.no_browser:
        browse(address)
    Server(config).run(sockets=[server])


COMMAND = Command(
    "neural_style.studio",
    "Choose, paint and change pictures in the browser.",
    work,
    FLAGS,
    of_run=("debug",),
    first=("folder",),
    what="the studio",
)


def main(arglist: Optional[List[str]] = None) -> int:
    """The command; returns its exit code."""
    return parse.run(COMMAND, arglist)


if __name__ == "__main__":
    sys.exit(main())
