"""The studio in a real browser, as somebody would use it: Chromium, driven by playwright.

With AXE_CORE, the path of axe.min.js from the package axe-core, every state is examined for accessibility as well.
"""

import io
import os
import time
from pathlib import Path

import numpy as np
import pytest
from browsers import LONG, watched
from PIL import Image

DROP = """([box, name, bytes]) => {
  const data = new DataTransfer(), file = new File([new Uint8Array(bytes)], name);
  data.items.add(file);
  const drop = new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true});
  document.querySelector(box).dispatchEvent(drop);
}"""


@pytest.fixture
def opened(browser, studio):
    """A function that opens the studio."""
    ours = (studio.address, "data:,", f"blob:http://{studio.host}/")
    with watched(browser, LONG, lambda url: url.startswith(ours)) as show:

        def opened(**options):
            page = show(studio.address, **options)
            page.wait_for_selector("body[data-ready]")
            return page

        yield opened


def until(page, script, value=True):
    """Wait until a script gives the value; playwright may evaluate it in spite of the page's policy."""
    end = time.monotonic() + LONG
    while page.evaluate(script) != value:
        standing = page.evaluate("document.querySelector('#standing').textContent")
        assert time.monotonic() < end, (script, page.evaluate(script), standing)
        time.sleep(0.05)


def examine(page):
    """Nothing serious for axe, where it is here."""
    if not os.environ.get("AXE_CORE"):
        return
    page.evaluate(Path(os.environ["AXE_CORE"]).read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(result => result.violations)")
    assert not [(one["id"], one["nodes"][0]["target"]) for one in found if one["impact"] in ("serious", "critical")]


def loaded(selector):
    return f"[...document.querySelectorAll('{selector}')].some(image => image.complete && image.naturalWidth > 0)"


def test_from_two_pictures_to_a_repainted_part(opened, studio, thumbnails, tmp_path):
    page = opened()
    examine(page)
    until(page, "document.querySelector('#plan').textContent", "First choose a photograph.")
    assert page.locator("#paint").is_disabled()
    # two pictures are dropped; networks paint at once
    page.evaluate(DROP, ["#photographs", "cat.png", list((thumbnails / "chelsea.png").read_bytes())])
    until(page, loaded("#once img"))
    page.evaluate(DROP, ["#paintings", "cup.png", list((thumbnails / "coffee.png").read_bytes())])
    until(page, "document.querySelector('#paint').disabled", False)
    page.locator("#once .pick").first.click()
    assert page.locator("#stage img.before").count() == page.locator("#stage img.after").count() == 1
    examine(page)
    # a look from noise, small and long enough to be interrupted
    page.locator("input[name=look][value=reference]").check(force=True)
    page.locator("#all summary").click()
    page.locator("#flag-max_long_edge").fill("48")
    page.locator("#flag-max_long_edge").press("Enter")
    page.locator("#flag-stop_eps").fill("0")
    page.locator("#flag-stop_eps").press("Enter")
    until(page, "document.querySelector('#words').textContent.includes('--stop-eps=0')")
    until(page, "document.querySelector('#plan').textContent.includes('needs about')")
    examine(page)
    page.locator("#all summary").click()
    page.locator("#paint").click()
    until(page, loaded("#stage img.after[src*=epochs]"))
    until(page, "document.querySelectorAll('#curves .chart').length", 2)
    examine(page)
    # another balance midway
    page.locator("#midway").evaluate("node => { node.value = 2; node.dispatchEvent(new Event('input')); }")
    page.locator("#change").click()
    until(page, "document.querySelector('#standing').textContent.includes('on from epoch')")
    until(page, loaded("#stage img.after[src*=epochs]"))
    # stop, reload, continue
    page.get_by_role("button", name="Stop", exact=True).first.click()
    until(page, "document.querySelector('#standing').textContent.startsWith('stopped at')")
    page.reload()
    page.wait_for_selector("body[data-ready]")
    until(page, "document.querySelector('#standing').textContent.startsWith('stopped at')")
    until(page, loaded("#stage img.after"))
    page.locator("#acts").get_by_role("button", name="Continue").click()
    until(page, "/^epoch|^beginning|^waiting/.test(document.querySelector('#standing').textContent)")
    page.locator("#acts").get_by_role("button", name="Stop").click()
    until(page, "document.querySelector('#standing').textContent.startsWith('stopped at')")
    # a mask, brushed
    page.locator("#brush-mask").click()
    until(page, "document.activeElement.tagName", "CANVAS")
    examine(page)
    box = page.locator("#canvas-box canvas").bounding_box()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 0.8 * box["height"], steps=12)
    page.mouse.up()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as PNG").click()
    download.value.save_as(tmp_path / "mask.png")
    grey = np.asarray(Image.open(tmp_path / "mask.png").convert("L"))
    assert grey.shape == (75, 113) and grey.max() == 255 and grey[:, :30].max() == 0
    page.locator("#brush-use").click()
    until(page, "document.querySelector('#words').textContent.includes('--mask')")
    page.locator("#all summary").click()
    page.locator("#flag-max_num_epochs").fill("4")
    page.locator("#flag-max_num_epochs").press("Enter")
    page.locator("#all summary").click()
    until(page, "document.querySelector('#words').textContent.includes('--max-num-epochs=4')")
    until(page, "document.querySelector('#paint').disabled", False)
    page.locator("#paint").click()
    until(page, "document.querySelector('#standing').textContent", "finished after 4 epochs")
    # compare, download
    until(page, loaded("#stage img.after[src*=large]"))
    page.locator("#side").click()
    assert page.locator("#side").get_attribute("aria-pressed") == "true"
    page.locator("#side").click()
    page.locator("#wipe").focus()
    page.keyboard.press("End")
    assert "100 % content" in page.locator("#wipe").get_attribute("aria-valuetext")
    with page.expect_download() as download:
        page.locator("#download").click()
    job = max(studio.api("state")["jobs"], key=lambda job: job["id"])
    assert download.value.suggested_filename == job["output"]
    download.value.save_as(tmp_path / "result.png")
    assert (tmp_path / "result.png").read_bytes() == (studio.folder / job["output"]).read_bytes()
    examine(page)
    # delete, undo; bring the recipe back
    cards = page.locator("#wall .card")
    until(page, "document.querySelectorAll('#wall .card').length", 3)
    cards.first.get_by_role("button", name="Delete").click()
    until(page, "document.querySelectorAll('#wall .card').length", 2)
    page.locator("#toast").get_by_role("button", name="Undo").click()
    until(page, "document.querySelectorAll('#wall .card').length", 3)
    page.evaluate(DROP, ["#photographs", "again.png", list((tmp_path / "result.png").read_bytes())])
    until(page, "document.querySelector('input[name=look]:checked').value", "")
    until(page, "document.querySelector('#words').textContent.includes('--max-num-epochs=4')")
    page.locator("#search input").fill("no such thing")
    until(page, "document.querySelectorAll('#wall .card').length", 0)


def test_a_second_tab_sees_the_same(opened, studio, thumbnails):
    first, second = opened(), opened()
    first.evaluate(DROP, ["#photographs", "rocket.png", list((thumbnails / "rocket.png").read_bytes())])
    until(second, "[...document.querySelectorAll('#photographs .pick img')].some(image => image.alt === 'rocket.png')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_telephone(opened, scheme):
    page = opened(width=390, height=844, color_scheme=scheme, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    until(page, loaded("#photographs img"))
    page.locator("#photographs .pick").first.tap()
    until(page, loaded("#once img"))
    page.locator("#brush-mask").tap()
    until(page, "document.activeElement.tagName", "CANVAS")
    box = page.locator("#canvas-box canvas").bounding_box()
    before = page.locator("#canvas-box").screenshot()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert np.abs(_pixels(page.locator("#canvas-box").screenshot()) - _pixels(before)).max() > 30
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    examine(page)


def _pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("L")).astype(int)


def test_by_keyboard(opened):
    page = opened()
    until(page, loaded("#photographs img"))
    page.locator("#photographs .pick").first.focus()
    page.keyboard.press("Enter")
    until(page, loaded("#once img"))
    page.locator("#once .pick").first.focus()
    page.keyboard.press("Space")
    until(page, "document.querySelector('#once .pick').getAttribute('aria-pressed')", "true")
    page.locator("#brush-mask").focus()
    page.keyboard.press("Enter")
    until(page, "document.activeElement.tagName", "CANVAS")
    before = page.locator("#canvas-box").screenshot()
    for key in ("Space", "Shift+ArrowRight", "Shift+ArrowRight"):
        page.keyboard.press(key)
    assert np.abs(_pixels(page.locator("#canvas-box").screenshot()) - _pixels(before)).max() > 30
    page.keyboard.press("Control+z")
    page.keyboard.press("Escape")
    assert not page.locator("#brush").is_visible()
    page.locator("input[name=look]:checked").focus()
    names = page.evaluate("[...document.querySelectorAll('input[name=look]')].map(radio => radio.value)")
    for name in names[1:3]:  # the focus stays while the looks are changed
        page.keyboard.press("ArrowRight")
        until(page, "document.querySelector('input[name=look]:checked').value", name)
        assert page.evaluate("document.activeElement.value") == name
    page.locator("#knob-3").focus()
    page.keyboard.press("ArrowUp")
    until(page, "document.activeElement.id", "knob-3")
    page.locator("#reset").press("Enter")
