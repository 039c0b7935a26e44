"""Requests that the studio refuses, each with what it answers."""

import contextlib
import json
import os
import pickle
import re
import socket
import subprocess
import sys
from urllib.parse import quote

import numpy as np
import pytest
from conftest import LONG, ROOT, Served, serve, wish_of

from neural_style.pictures.write import save_picture
from neural_style.studio.folder import id_of

OWN = object()  # stands for what the page itself would send


def sent(studio, method="GET", path="", host=OWN, origin=OWN, body=b"", head="", secret=OWN):
    """The status that a raw request is answered with."""
    secret = studio.address.split("/")[3] if secret is OWN else secret
    host = studio.host if host is OWN else host
    lines = [f"{method} /{secret}/{path} HTTP/1.1" if not path.startswith("!") else f"{method} {path[1:]} HTTP/1.1"]
    lines += [f"Host: {host}"] * (host is not None)
    origin = f"http://{studio.host}" if origin is OWN else origin
    lines += [f"Origin: {origin}"] * (
        origin is not None and method != "GET" or origin not in (None, f"http://{studio.host}")
    )
    lines += [f"Content-Length: {len(body)}"] * (method == "POST" and "ength" not in head and "hunked" not in head)
    lines += [head] * bool(head) + ["Connection: close", "", ""]
    name, port = studio.host.split(":")
    with socket.create_connection((name, int(port)), timeout=LONG) as connection:
        connection.sendall("\r\n".join(lines).encode("latin-1") + body)
        answer = b""
        with contextlib.suppress(ConnectionResetError):  # it was not read to its end
            for part in iter(lambda: connection.recv(65536), b""):
                answer += part
    assert b"Traceback" not in answer and b"root:" not in answer
    return int(answer.split()[1]) if answer else 0


# what the request is, and the statuses that refuse it
ASKED = (
    ("no secret", dict(path="!/"), (404,)),
    ("no secret, but an API", dict(path="!/api/state"), (404,)),
    ("another secret", dict(secret="A" * 32), (404,)),
    ("half of the secret", dict(secret="A"), (404,)),
    ("a name bound to this address", dict(host="evil.example:80"), (421,)),
    ("a name bound to this address, with the port", dict(host="evil.example:{port}"), (421,)),
    ("an address without the port", dict(host="127.0.0.1"), (421,)),
    ("another port", dict(host="127.0.0.1:1"), (421,)),
    ("all addresses", dict(host="0.0.0.0:{port}"), (421,)),
    ("no host", dict(host=None), (400, 421)),
    ("two hosts", dict(head="Host: evil.example"), (400,)),
    ("a page elsewhere that reads", dict(path="api/state", origin="http://evil.example"), (403,)),
    ("a page elsewhere that writes", dict(method="POST", path="api/undo", origin="http://evil.example"), (403,)),
    ("a page on another port", dict(method="POST", path="api/undo", origin="http://127.0.0.1:1"), (403,)),
    ("a sandboxed page", dict(method="POST", path="api/undo", origin="null"), (403,)),
    ("the same address with TLS", dict(method="POST", path="api/undo", origin="https://{host}"), (403,)),
    ("a form without an origin", dict(method="POST", path="api/undo", origin=None), (403,)),
    ("a picture in another site", dict(path="api/state", head="Sec-Fetch-Site: cross-site"), (403,)),
    ("another port of this machine", dict(path="api/state", head="Sec-Fetch-Site: same-site"), (403,)),
    *((f"the method {method}", dict(method=method, path="api/state"), (405, 400)) for method in
      ("PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "HEAD")),
    ("reading what only writes", dict(path="api/undo"), (404, 405)),
    ("a path upwards", dict(path="../../etc/passwd"), (404,)),
    ("an encoded path upwards", dict(path="..%2f..%2f..%2fetc%2fpasswd"), (404,)),
    ("a twice encoded path upwards", dict(path="%252e%252e%252fsetup.py"), (404,)),
    ("a path from the root", dict(path="/etc/passwd"), (404,)),
    ("the code of the page's server", dict(path="app.py"), (404,)),
    ("a path for an id", dict(path="api/pictures/..%2F..%2Fetc%2Fpasswd/file"), (400, 404)),
    ("a network's path", dict(path="api/once/..%2F..%2Fx.params/{id}/small"), (404,)),
    ("a very long path", dict(path="a" * 3000), (414, 400)),
    ("a very long header", dict(head="X: " + "a" * 70000), (400, 431)),
    ("a body that is announced as too large",
     dict(method="POST", path="api/upload?kind=mask", head="Content-Length: 900000000"), (413,)),
    ("two lengths", dict(method="POST", path="api/undo", head="Content-Length: 1\r\nContent-Length: 2"), (400,)),
    ("a length and chunks", dict(method="POST", path="api/undo", body=b"0\r\n\r\n",
                                 head="Content-Length: 5\r\nTransfer-Encoding: chunked"), (400,)),
    ("a request that is too large", dict(method="POST", path="api/command", body=b" " * 200_000), (413, 0)),
    ("no JSON", dict(method="POST", path="api/command", body=b"{"), (400,)),
    ("deep JSON", dict(method="POST", path="api/command", body=b"[" * 90_000), (400,)),
    ("another protocol", dict(path="api/events", origin="http://evil.example",
                              head="Upgrade: websocket\r\nSec-WebSocket-Version: 13"), (400, 403)),
    ("events for a sandboxed page", dict(path="api/events", origin="null"), (403,)),
    ("a host that is said to be forwarded", dict(host="evil.example", head="X-Forwarded-Host: {host}"), (421,)),
    ("the address of a proxy's request", dict(path="!http://evil.example/api/state"), (404,)),
    ("a tunnel", dict(method="CONNECT", path="!evil.example:80"), (400, 404, 405)),
    ("a negative length", dict(method="POST", path="api/undo", head="Content-Length: -5"), (400,)),
    ("a length in words", dict(method="POST", path="api/undo", head="Content-Length: many"), (400,)),
    ("a length beyond all numbers", dict(method="POST", path="api/undo", head="Content-Length: " + "9" * 30), (400,)),
    ("chunks of no size",
     dict(method="POST", path="api/undo", body=b"zz\r\n", head="Transfer-Encoding: chunked"), (400,)),
    ("a null byte", dict(path="main.js%00.png"), (404,)),
    ("the secret twice", dict(path="{secret}/"), (404,)),
    ("a job beyond all numbers", dict(path="api/jobs/" + "9" * 40 + "/history"), (400, 404)),
    ("an example beyond all numbers", dict(method="POST", path="api/examples/" + "9" * 30), (404,)),
    ("a list for an object", dict(method="POST", path="api/command", body=b"[]"), (400,)),
    ("an upload as a result", dict(method="POST", path="api/upload?kind=result&name=x.png", body=b"x"), (404,)),
    ("a job that is not there", dict(method="POST", path="api/jobs/99/stop"), (400,)),
    ("something unknown with a job", dict(method="POST", path="api/jobs/1/explode"), (400, 404)),
)  # fmt: skip


@pytest.mark.parametrize("asked, statuses", [row[1:] for row in ASKED], ids=[row[0] for row in ASKED])
def test_refused(studio, thumbnails, asked, statuses):
    port, id = studio.host.split(":")[1], studio.put(thumbnails / "chelsea.png")
    given = {"host": studio.host, "port": port, "id": id, "secret": studio.address.split("/")[3]}
    asked = {key: value.format(**given) if isinstance(value, str) else value for key, value in asked.items()}
    assert sent(studio, **asked) in statuses
    assert studio.ask("")[0] == 200  # and the page is served as before


def bomb():
    """A PNG of which the header says that it has 40000 × 40000 pixels."""
    import struct
    import zlib

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 40000, 40000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("name, content", [
    ("page.png", b"<html><script>alert(1)</script>"),
    ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
    ("array.npy", pickle.dumps(print)),
    ("empty.png", b""),
    ("cut.png", b"\x89PNG\r\n\x1a\n"),
    ("bomb.png", bomb()),
    ("film.mp4", b"\0\0\0\x18ftypmp42"),
    ("../../../etc/cron.d/x", b"* * * * * root true"),
])  # fmt: skip
def test_what_is_no_picture_is_not_kept(studio, name, content):
    before = sorted(path for path in studio.folder.rglob("*") if "small" not in path.parts)
    assert "Traceback" not in studio.refused(f"upload?kind=photograph&name={name}", content)
    assert sorted(path for path in studio.folder.rglob("*") if "small" not in path.parts) == before


@pytest.mark.parametrize("values", [
    {"model_params": "/etc/passwd"}, {"output": "/tmp/x.png"}, {"output_dir": "/tmp"}, {"resume": "/tmp"},
    {"content_image": "/etc/passwd"}, {"mask": "/etc/passwd"}, {"model": "evil"}, {"model": "vgg19,evil"},
    {"start": "/etc/passwd"}, {"start": "network:/tmp/x.params"}, {"start": "x.npy"}, {"start": {"picture": "../x"}},
    {"start": {"job": "../../x"}}, {"recipe": "/etc/passwd"}, {"style_layers": "--output=/tmp/x"}, {"gpu": 0},
    {"max_num_epochs": "9; rm -rf /"}, {"max_num_epochs": 1e400}, {"max_num_epochs": -1}, {"seed": [1, 2]},
    {"force": True}, {"overwrite": True}, {"__class__": "x"}, {"style_layers": ["relu1_1"] * 33},
])  # fmt: skip
def test_flags_that_the_page_may_not_set(studio, thumbnails, values):
    wish = wish_of(studio, thumbnails)
    wish["values"] = values
    for path in ("command", "plan", "jobs"):
        body = json.dumps(wish).replace("Infinity", "1e999").encode()
        assert studio.ask(f"api/{path}", body)[0] == 400


@pytest.mark.parametrize("change", [
    {"recipe": "/etc/passwd"}, {"recipe": "../fast"}, {"content": "photographs/chelsea.png"}, {"content": None},
    {"styles": []}, {"styles": [{"id": "../x"}]}, {"styles": [{"id": 7}] * 9}, {"mask": "/etc/passwd"},
    {"kind": "network", "network": "/tmp/x.params"}, {"kind": "network", "network": "night", "size": 10**9},
    {"kind": "train"}, {"kind": "batch", "contents": ["/etc"]}, {"kind": "film", "network": "../x"},
])  # fmt: skip
def test_pictures_and_names_that_are_not_there(studio, thumbnails, change):
    studio.refused("jobs", {**wish_of(studio, thumbnails), **change})


@pytest.mark.parametrize("name", [
    "\u202egnp.exe.png", "a\r\nSet-Cookie: x=1.png", "\0.png", "--output=x.png", "..", "<b onclick=x>.png",
    "a/../../x.png", "C:\\x.png", "$(id)`id`.png", "x" * 190,
])  # fmt: skip
def test_names_are_made_harmless(studio, thumbnails, name):
    content = (thumbnails / "chelsea.png").read_bytes() + name.encode()  # another file each time
    path = studio.api(f"upload?kind=painting&name={quote(name)}", content)["path"]
    assert re.fullmatch(r"paintings/[A-Za-z0-9][\w-]{0,60}\.png", path) and (studio.folder / path).is_file()


@pytest.mark.parametrize("flags", [
    "--output=x.png", "--model=os", "--model-params=/etc/passwd", "--resume=x.npz", "--recipe=/etc/passwd",
    "--network=/etc/passwd", "--content-image=/etc/passwd --style-image=/etc/passwd --start=/etc/passwd",
])  # fmt: skip
def test_a_recipe_inside_a_picture_leads_nowhere(studio, tmp_path, flags):
    save_picture(np.full((30, 40, 3), len(flags), np.uint8), tmp_path / "x.png", recipe="\n".join(flags.split()))
    id = studio.put(tmp_path / "x.png", "painting")
    status, answer = studio.ask(f"api/pictures/{id}/recipe")
    if status == 200:  # names, which the page looks for among its pictures; as flags they are refused
        values = json.loads(answer)["values"]
        studio.refused("jobs", {"kind": "run", "content": id, "styles": [{"id": id}], "recipe": None, "values": values})
    else:
        assert status == 400 and b"root:" not in answer


def test_connections_that_say_nothing_are_ended(tmp_path):
    served = Served(tmp_path, command=lambda: serve(tmp_path, patience=0.1))
    name, port = served.host.split(":")
    with socket.create_connection((name, int(port)), timeout=LONG) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: ")
        assert connection.recv(1) == b""
    served.stop()


def test_only_pictures_of_the_folder_are_served(studio, tmp_path):
    (tmp_path / "secret.png").write_bytes(b"secret")
    (studio.folder / "linked.png").symlink_to(tmp_path / "secret.png")
    (studio.folder / ".hidden.png").write_bytes(b"hidden")
    for path in ("linked.png", ".hidden.png", ".studio/secret.json", "../secret.png", "model/vgg19.params"):
        for what in ("file", "small", "large", "recipe", "film"):
            assert studio.ask(f"api/pictures/{id_of(path)}/{what}")[0] == 400


def test_what_the_browser_is_told(studio):
    import urllib.request

    with urllib.request.urlopen(studio.address) as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "Access-Control-Allow-Origin" not in answer.headers and "Server" not in answer.headers


@pytest.mark.parametrize("name", ["host", "origin", "content-length"])
def test_no_header_that_counts_comes_twice(name):
    from neural_style.studio.guard import Guard

    headers = [(b"host", b"a:1"), (name.encode(), b"a:1"), (name.encode(), b"a:1")]
    scope = {"method": "GET", "path": "/secret/", "raw_path": b"/secret/", "query_string": b"", "headers": headers}
    assert Guard(None, "secret", ("a:1",)).refusal(scope) == (400, f"two {name} headers")


def test_two_servers_on_one_folder(studio):
    command = [sys.executable, "-m", "neural_style.studio", str(studio.folder), "--no-browser"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    second = subprocess.run(command, capture_output=True, text=True, env=env, timeout=LONG)
    assert second.returncode == 2 and len(second.stderr.splitlines()) == 1 and "name another folder" in second.stderr


def test_other_machines_need_a_password(tmp_path):
    from neural_style.studio.guard import Guard

    command = [sys.executable, "-m", "neural_style.studio", str(tmp_path / "s"), "--no-browser", "--host", "0.0.0.0"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    env.pop("NEURAL_STYLE_STUDIO_PASSWORD", None)
    alone = subprocess.run(command, capture_output=True, text=True, env=env, stdin=subprocess.DEVNULL, timeout=LONG)
    assert alone.returncode == 2 and "not encrypted" in alone.stderr and "needs a password" in alone.stderr
    guard = Guard(None, "secret", ("0.0.0.0:80",), True, "long enough")

    def refusal(host, **headers):
        pairs = [(b"host", host.encode())] + [(key.encode(), value.encode()) for key, value in headers.items()]
        scope = {"type": "http", "method": "GET", "path": "/secret/", "raw_path": b"/secret/", "query_string": b""}
        return guard.refusal({**scope, "headers": pairs})

    assert refusal("192.168.1.5:80")[0] == refusal("192.168.1.5:80", authorization="Basic OndlYWs=")[0] == 401
    assert refusal("192.168.1.5:80", authorization="Basic eDpsb25nIGVub3VnaA==") is None
    assert refusal("evil.example:80")[0] == refusal("192.168.1.5:81")[0] == 421
