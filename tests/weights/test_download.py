"""Downloads from a server on this machine that does what servers and lines do: break off, stall, lie, recover."""

import contextlib
import hashlib
import http.server
import os
import threading
import time

import pytest

from neural_style.system import files
from neural_style.system.errors import NeuralStyleError
from neural_style.weights import download

CONTENT = bytes(range(256)) * 4096  # 1 MiB, many chunks
SHA256 = hashlib.sha256(CONTENT).hexdigest()
BLOB = hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT).hexdigest()
HALF = len(CONTENT) // 2


class Server(http.server.ThreadingHTTPServer):
    """Answers request after request with the next of `answers`, the last one for all that follow."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.ranges, self.closing = [], [], threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}/some.bin"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        answers = self.server.answers
        (answers.pop(0) if len(answers) > 1 else answers[0])(self, int(asked[6:-1]) if asked else 0)

    def start(self, status, length, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def log_message(self, *_):
        pass


def whole(handler, start, content=CONTENT, kind="application/octet-stream"):
    """All of it, ranges or not."""
    handler.start(200, len(content), Content_Type=kind)
    handler.wfile.write(content)


def ranged(handler, start, end=None):
    """From start on where asked; breaks off before end."""
    if start >= len(CONTENT):
        return handler.start(416, 0)
    if start:
        span = f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
        handler.start(206, len(CONTENT) - start, Content_Range=span)
    else:
        handler.start(200, len(CONTENT))
    handler.wfile.write(CONTENT[start:end])


def broken(handler, start):
    """The first half, or half of what is left, and then the line breaks; continues where asked."""
    ranged(handler, start, (start + len(CONTENT)) // 2)


def broken_without_ranges(handler, start):
    handler.start(200, len(CONTENT))
    handler.wfile.write(CONTENT[:HALF])


def stalled(handler, start):
    """The first half, and then silence."""
    ranged(handler, start, HALF)
    handler.wfile.flush()
    handler.server.closing.wait(10)


def wrong(handler, start):
    whole(handler, start, b"x" * len(CONTENT))


def portal(handler, start):
    whole(handler, start, b"<html>please log in</html>", "text/html; charset=utf-8")


def dropped(handler, start):
    """Hang up without an answer."""
    handler.connection.close()


def status(code):
    return lambda handler, start: handler.start(code, 0)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.closing.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def target(tmp_path):
    return tmp_path / "folder" / "some.bin"


def fetch(server, target, answers, **options):
    server.answers = list(answers)
    return download.fetch(server.url, target, **{"sha256": SHA256, "timeout": (5, 5), "pause": 0.01, **options})


def assert_whole(target):
    assert target.read_bytes() == CONTENT
    assert os.listdir(target.parent) == [target.name]


@pytest.mark.parametrize(
    "answers",
    [
        [whole],
        [ranged],
        [broken, broken, ranged],
        [broken_without_ranges, whole],
        [dropped, whole],
        [status(500), status(503), whole],
        [status(429), broken, status(502), ranged],
    ],
    ids=lambda answers: "-".join(answer.__name__ for answer in answers),
)
def test_what_passes_is_retried_until_the_file_is_whole(server, target, answers):
    assert fetch(server, target, answers) == target
    assert_whole(target)


def test_a_stalled_server_is_left_and_asked_again(server, target):
    fetch(server, target, [stalled, ranged], timeout=(5, 0.3))
    assert_whole(target)
    assert server.ranges == [None, f"bytes={HALF}-"]


def test_a_long_file_may_break_off_more_often_than_there_are_attempts(server, target):
    fetch(server, target, [broken] * 5 + [ranged], attempts=2)
    assert_whole(target)
    assert server.ranges[:3] == [None, f"bytes={HALF}-", f"bytes={HALF * 3 // 2}-"]


@pytest.mark.parametrize(
    "check",
    [{"sha256": SHA256}, {"sha256": None, "git_blob": BLOB}, {"sha256": None, "git_blob": BLOB, "size": len(CONTENT)}],
    ids=("sha256", "blob", "blob and size"),
)
def test_a_file_that_verifies_is_not_fetched_again(server, target, check):
    fetch(server, target, [whole], **check)
    fetch(server, target, [wrong], **check)
    assert_whole(target)
    assert len(server.ranges) == 1


def test_an_existing_wrong_file_is_replaced_by_the_right_one(server, target):
    target.parent.mkdir()
    target.write_bytes(b"old")
    fetch(server, target, [whole])
    assert_whole(target)


def test_the_part_of_an_earlier_run_is_continued(server, target):
    with pytest.raises(NeuralStyleError, match="could not be downloaded.*524288 bytes so far are kept"):
        fetch(server, target, [broken_without_ranges], attempts=2)
    assert not target.exists()
    server.ranges.clear()
    fetch(server, target, [ranged])
    assert_whole(target)
    assert server.ranges == [f"bytes={HALF}-"]


def test_a_complete_part_only_needs_its_place(server, target):
    target.parent.mkdir()
    target.with_name("some.bin.part").write_bytes(CONTENT)
    fetch(server, target, [ranged])
    assert_whole(target)


@pytest.mark.parametrize("rest", [b"y" * HALF, b"y" * len(CONTENT), CONTENT + b"y"], ids=("half", "full", "long"))
def test_a_wrong_part_is_dropped_and_fetched_anew(server, target, rest):
    target.parent.mkdir()
    target.with_name("some.bin.part").write_bytes(rest)
    fetch(server, target, [ranged])
    assert_whole(target)
    assert server.ranges == [f"bytes={len(rest)}-", None]


def test_a_part_is_not_continued_where_nothing_could_verify_it(server, target):
    target.parent.mkdir()
    target.with_name("some.bin.part").write_bytes(b"y" * HALF)
    fetch(server, target, [ranged], sha256=None)
    assert_whole(target)


def test_a_range_from_elsewhere_is_not_put_into_the_file(server, target):
    def elsewhere(handler, start):
        handler.start(206, len(CONTENT) - 10, Content_Range=f"bytes 10-{len(CONTENT) - 1}/{len(CONTENT)}")
        handler.wfile.write(CONTENT[10:])

    fetch(server, target, [broken, elsewhere, ranged])
    assert_whole(target)


@pytest.mark.parametrize(
    "answer, size, message",
    [
        (wrong, None, "SHA-256 is .* instead of .*; 1048576 bytes of application/octet-stream arrived"),
        (portal, None, "26 bytes of text/html arrived"),
        (portal, len(CONTENT), "26 bytes instead of 1048576.* text/html"),
        (whole, 1000, "bytes instead of 1000"),
        (status(404), None, "the server answers 404 Not Found"),
        (status(403), None, "the server answers 403 Forbidden"),
    ],
    ids=("wrong", "portal", "portal of a known size", "too long", "404", "403"),
)
def test_a_wrong_answer_is_final_and_leaves_the_older_file(server, target, answer, size, message):
    target.parent.mkdir()
    target.write_bytes(b"old")
    with pytest.raises(NeuralStyleError, match=message) as caught:
        fetch(server, target, [answer], size=size)
    assert "\n" not in str(caught.value) and server.url in str(caught.value)
    assert len(server.ranges) == 1
    assert target.read_bytes() == b"old" and os.listdir(target.parent) == [target.name]


@pytest.mark.parametrize(
    "answer, message",
    [
        (status(500), "500 Internal Server Error"),
        (dropped, "the connection broke"),
        (lambda handler, start: handler.server.closing.wait(10), "nothing arrived for 0.2 seconds"),
        (stalled, "nothing arrived for 0.2 seconds"),
    ],
    ids=("500", "dropped", "silent", "stalled"),
)
def test_attempts_end(server, target, answer, message):
    begun = time.monotonic()
    with pytest.raises(NeuralStyleError, match=message):
        fetch(server, target, [answer], attempts=2, timeout=(5, 0.2))
    assert time.monotonic() - begun < 5
    assert not target.exists()


def test_no_server_is_told_at_once(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Server()
    server.server_close()
    begun = time.monotonic()
    with pytest.raises(download.Unreachable, match="cannot be reached.*refused"):
        download.fetch(server.url, tmp_path / "some.bin")
    assert time.monotonic() - begun < 2
    assert os.listdir(tmp_path) == []


def test_a_url_that_is_none_is_told(tmp_path):
    with pytest.raises(NeuralStyleError, match="cannot be fetched"):
        download.fetch("nonsense", tmp_path / "some.bin")


def test_ctrl_c_midway_keeps_the_older_file_and_what_has_come(server, target, monkeypatch):
    target.parent.mkdir()
    target.write_bytes(b"old")
    write = []

    def interrupt(count):
        write.append(count)
        if len(write) == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(download, "_shown", lambda *_: contextlib.nullcontext(interrupt))
        with pytest.raises(KeyboardInterrupt):
            fetch(server, target, [ranged])
    assert target.read_bytes() == b"old"
    part = target.with_name("some.bin.part").read_bytes()
    assert 0 < len(part) < len(CONTENT) and CONTENT.startswith(part)
    fetch(server, target, [ranged])
    assert_whole(target)
    assert server.ranges[-1] == f"bytes={len(part)}-"


def test_progress_is_plain_lines_off_a_terminal_and_a_bar_on_one(server, target, capsys, monkeypatch):
    fetch(server, target, [whole])
    assert capsys.readouterr().err == f"fetching some.bin (1.0 MB): {server.url}\n"
    target.unlink()
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    fetch(server, target, [whole])
    assert "some.bin: 100%" in capsys.readouterr().err
    target.unlink()
    fetch(server, target, [whole], progress=False)
    assert capsys.readouterr().err == ""


def test_checksums_are_those_of_git_and_sha256sum(tmp_path):
    (tmp_path / "hello").write_bytes(b"hello\n")
    assert download.git_blob_of(tmp_path / "hello") == "ce013625030ba8dba906f756967f9e9ca394464a"
    assert files.sha256_of(tmp_path / "hello") == hashlib.sha256(b"hello\n").hexdigest()
