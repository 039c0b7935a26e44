"""Pages in Chromium, which playwright drives."""

import contextlib
import os
import shutil

import pytest

LONG = 240  # seconds, on a busy machine
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextlib.contextmanager
def started():
    """A browser, or the test is skipped."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
    if not CHROMIUM:
        pytest.skip("there is no Chromium here: no chromium, chromium-browser or google-chrome in the PATH")
    root = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses to run as root with its sandbox
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=root)
        yield browser
        browser.close()


@contextlib.contextmanager
def watched(browser, seconds, allowed):
    """A function that opens an address, prepared for; at the end nothing was complained of or asked elsewhere.

    Every id stands for one element.
    """
    complaints, requests, contexts = [], [], []

    def show(address, prepare=lambda page: None, width=1280, height=900, **options):
        contexts.append(browser.new_context(viewport={"width": width, "height": height}, **options))
        page = contexts[-1].new_page()
        page.set_default_timeout(seconds * 1000)
        prepare(page)
        page.on("console", lambda message: complaints.append(f"{message.text} {message.location['url']}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message) or dialog.dismiss())
        page.on("request", lambda request: requests.append(request.url))
        page.goto(address)
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map(node => node.id)")
        assert len(ids) == len(set(ids))
        return page

    yield show
    for context in contexts:
        context.close()
    assert not complaints and all(map(allowed, requests)), (complaints, requests)
