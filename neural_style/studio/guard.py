"""Who may talk to the server: the page that it served itself, opened by whoever knows the secret in the address.

A page elsewhere knows no secret, and its requests have its own Origin; one whose name was bound to this machine's
address has its own Host. Everything is refused that is not expected.
"""

import base64
import binascii
import ipaddress
import re
import secrets
import socket
from typing import Any, Dict, Optional, Tuple

METHODS = ("GET", "POST")
LONGEST, MOST_HEADERS = 2000, 16000  # bytes of a path with its query, and of all headers
# The page may use what this server sends and nothing else, and may be used by no other page.
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """An ASGI application around another one, which it serves below /SECRET/.

    hosts are the names that a request may call this machine by; with `others`, also any address in numbers, which no
    other page can be bound to. A password is asked for besides the secret.
    """

    def __init__(
        self, app: Any, secret: str, hosts: Tuple[str, ...], others: bool = False, password: Optional[str] = None
    ) -> None:
        self.app, self.secret, self.hosts, self.others, self.password = app, secret, hosts, others, password

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        if scope["type"] != "http":
            return None
        refused = self.refusal(scope)
        if refused:
            return await _answer(send, *refused)

        async def answer(message):
            if message["type"] == "http.response.start":
                own = {name for name, _ in message["headers"]}
                more = [(name.encode(), value.encode()) for name, value in HEADERS.items() if name.encode() not in own]
                cached = [] if b"cache-control" in own else [(b"cache-control", b"no-store")]
                message = {**message, "headers": [*message["headers"], *more, *cached]}
            await send(message)

        return await self.app({**scope, "root_path": f"/{self.secret}"}, receive, answer)

    def refusal(self, scope: Any) -> Optional[Tuple[int, str]]:
        """Why a request is refused, as a status and a text; None if it is not."""
        headers: Dict[str, str] = {}
        for name, value in scope["headers"]:
            name = name.decode("latin-1")
            if name in ("host", "origin", "content-length") and name in headers:
                return 400, f"two {name} headers"
            headers[name] = value.decode("latin-1")
        host, origin, method = headers.get("host", ""), headers.get("origin"), scope["method"]
        if not self._is_own(host):
            return 421, "unknown host"
        if len(scope["raw_path"]) + len(scope["query_string"]) > LONGEST:
            return 414, "too long"
        if sum(len(name) + len(value) for name, value in scope["headers"]) > MOST_HEADERS:
            return 431, "too long"
        secret, slash, _ = scope["path"].lstrip("/").partition("/")
        if not slash or not secrets.compare_digest(secret.encode("utf-8", "replace"), self.secret.encode()):
            return 404, "not found"
        if method not in METHODS:
            return 405, "method not allowed"
        if origin is not None and origin != f"http://{host}" or origin is None and method != "GET":
            return 403, "another origin"
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return 403, "another site"
        if self.password is not None and not self._knows_password(headers.get("authorization", "")):
            return 401, "a password, please"
        return None

    def _is_own(self, host: str) -> bool:
        if host in self.hosts:
            return True
        name, _, port = host.rpartition(":")
        if not self.others or port != self.hosts[0].rpartition(":")[2]:
            return False
        try:
            return bool(ipaddress.ip_address(re.sub(r"^\[(.*)\]$", r"\1", name)))
        except ValueError:
            return name == socket.gethostname()

    def _knows_password(self, authorization: str) -> bool:
        try:
            given = base64.b64decode(authorization.partition("Basic ")[2], validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return False
        return secrets.compare_digest(given, (self.password or "").encode())


async def _answer(send: Any, status: int, text: str) -> None:
    """A refusal, which says no more than it must."""
    more = [(b"www-authenticate", b'Basic realm="studio", charset="UTF-8"')] if status == 401 else []
    plain = [(b"content-type", b"text/plain"), (b"x-content-type-options", b"nosniff"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": [*plain, *more]})
    await send({"type": "http.response.body", "body": text.encode()})
