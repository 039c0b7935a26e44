"""The page of a run in a real browser: Chromium, opened from disk, driven by playwright."""

import io
import math
import re

import numpy as np
import pytest
from browsers import LONG, watched
from PIL import Image
from test_contact_sheet import done
from test_report import Record, checkpoints, history, picture

from neural_style.pictures.read import Picture
from neural_style.report import contact_sheet
from neural_style.report import page as report

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
expect = sync_api.expect
expect.set_options(timeout=LONG * 1000)
RED, GREEN, BLUE = (200, 30, 30), (30, 160, 30), (30, 30, 200)


@pytest.fixture
def opened(browser, tmp_path):
    """A function that opens tmp_path/report.html."""
    address = (tmp_path / "report.html").as_uri()
    with watched(browser, LONG, lambda url: url in (address, "data:,") or url.startswith("data:image/jpeg;")) as show:
        yield lambda **options: show(address, lambda page: page.clock.install(), offline=True, **options)


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A Report whose content is red and whose style is blue; a running one looks for news after half a minute."""
    monkeypatch.setattr(report, "SOONEST", 30)
    inputs = [
        ("content", picture(tmp_path / "red.png", (240, 160), RED)),
        ("style", picture(tmp_path / "blue.png", (90, 120), BLUE)),
    ]
    return report.Report(tmp_path / "report.html", inputs, "python -m neural_style", {"seed": 3}, 0.005)


@pytest.fixture
def finished(page, tmp_path):
    """The page of 60 epochs with pictures of greens at 20 and 40, the final one blue."""
    saved = [
        (20, picture(tmp_path / "e_20.png", (240, 160), GREEN)),
        (40, picture(tmp_path / "e_40.png", (240, 160), (30, 90, 30))),
        ("final", picture(tmp_path / "final.png", (240, 160), BLUE)),
    ]
    page.write(history(60), saved, "finished", 60, 60)


def colours(page, *shares):
    """The nearest of the colours at shares of the stage's width, a quarter from its top."""
    stage = Image.open(io.BytesIO(page.locator("#stage").screenshot())).convert("RGB")
    pixels = [stage.getpixel((int(share * stage.width), stage.height // 4)) for share in shares]
    return [min((RED, GREEN, BLUE), key=lambda one: sum(abs(a - b) for a, b in zip(one, pixel))) for pixel in pixels]


def colour(page, share):
    return colours(page, share)[0]


def stop_the_clock(page):
    """Or what lasts a moment is over before it is looked at."""
    page.clock.pause_at(page.evaluate("Date.now() + 1000"))


def test_before_and_after(finished, opened):
    page = opened()
    assert colours(page, 0.05, 0.45, 0.55, 0.95) == [RED, RED, BLUE, BLUE]
    box = page.locator("#stage").bounding_box()
    assert box["width"] > 700
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 60, steps=3)
    page.mouse.up()
    assert colours(page, 0.1, 0.18, 0.22, 0.9) == [RED, RED, BLUE, BLUE]
    page.locator("#wipe").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#wipe").get_attribute("aria-valuetext") == "21 % content, 79 % result"
    page.keyboard.press("Home")
    assert colour(page, 0.02) == BLUE and not page.locator("#left").is_visible()
    page.keyboard.press("End")
    assert colour(page, 0.98) == RED and not page.locator("#right").is_visible()


def test_checkpoints(finished, opened):
    page = opened()
    when, which = page.locator("#when"), page.locator("#which")
    assert which.text_content() == "final"
    when.focus()
    page.keyboard.press("Home")
    assert which.text_content() == page.locator("#right").text_content() == "epoch 20" and colour(page, 0.8) == GREEN
    page.keyboard.press("ArrowRight")
    assert when.get_attribute("aria-valuetext") == which.text_content() == "epoch 40"
    mark = page.locator("#losses .mark").get_attribute("x1")
    page.locator("#play").focus()
    stop_the_clock(page)
    page.keyboard.press("Enter")
    assert page.locator("#play").text_content() == "Pause"
    page.clock.run_for(10_000)
    expect(page.locator("#play")).to_have_text("Play")
    assert which.text_content() == "final" and colour(page, 0.8) == BLUE
    assert float(page.locator("#losses .mark").get_attribute("x1")) > float(mark)
    page.keyboard.press("Enter")  # from the start again, and stopped
    assert which.text_content() == "epoch 20"
    page.keyboard.press("Enter")
    assert page.locator("#play").text_content() == "Play"


def test_the_picture_that_is_shown_is_downloaded(finished, opened, tmp_path):
    page = opened()
    for key, name, colour, link in (("Home", "epoch-20", GREEN, "e_20.png"), ("End", "final", BLUE, "final.png")):
        page.locator("#when").press(key)
        with page.expect_download() as download:
            page.locator("#download").click()
        assert download.value.suggested_filename == f"red-in-the-style-of-blue-{name}.jpg"
        saved = Image.open(download.value.path())
        assert saved.size == (240, 160) and max(abs(a - b) for a, b in zip(saved.getpixel((9, 9)), colour)) < 4
        assert page.locator("#file").evaluate("link => link.href") == (tmp_path / link).as_uri()
        assert page.locator("#file").text_content() == "Saved file, 240×160"


def test_a_picture_from_memory_has_no_file(page, opened):
    page.write(history(1), [(1, Picture("", np.full((80, 120, 3), BLUE, "uint8"), None))], "running", 1, 9)
    window = opened()
    assert window.locator("#download").is_visible() and not window.locator("#file").is_visible()


@pytest.mark.parametrize("allowed", [True, False])
def test_the_command_is_copied(page, opened, allowed):
    page._command = "python -m neural_style " + "--content-image='two  words.jpg' " * 20
    page.write(history(3), [], "running", 3, 9)
    window = opened(permissions=["clipboard-read", "clipboard-write"])
    window.evaluate("navigator.clipboard.writeText('nothing')")
    if not allowed:
        window.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error()); }")
    window.locator("#copy").click()
    expect(window.locator("#copy")).to_have_text("Copied")
    assert window.evaluate("navigator.clipboard.readText()") == page._command
    assert window.evaluate("getSelection().isCollapsed")
    window.clock.fast_forward(3000)
    assert window.locator("#copy").text_content() == "Copy"
    if not allowed:
        window.evaluate("() => { document.execCommand = () => false; }")
        window.locator("#copy").click()
        expect(window.locator("#copy")).to_have_text("Selected: copy it with the keyboard")
        assert window.evaluate("getSelection().toString()") == page._command


def test_one_to_one(page, opened, tmp_path):
    quarters = Image.fromarray(np.repeat(np.repeat(np.array([[RED, GREEN], [GREEN, BLUE]], "uint8"), 400, 0), 500, 1))
    quarters.save(tmp_path / "large.png")
    page.write(history(20), [(10, tmp_path / "large.png"), (20, tmp_path / "large.png")], "running", 20, 40)
    window = opened(width=600)
    stage, before = window.locator("#stage"), window.locator("#stage").bounding_box()
    button = window.get_by_role("button", name="1:1", pressed=False)
    button.click()
    assert stage.bounding_box() == before and not window.locator("#wipe").is_visible()
    image = window.locator("#stage .on").bounding_box()
    assert (image["width"], image["height"]) == (1000, 800)
    position = "[document.getElementById('stage').scrollLeft, document.getElementById('stage').scrollTop]"
    middle = [(1000 - before["width"]) / 2, (800 - before["height"]) / 2]
    assert window.evaluate(position) == pytest.approx(middle, abs=1)
    x, y = before["x"] + 200, before["y"] + 200
    window.mouse.move(x, y)
    window.mouse.down()
    window.mouse.move(x + 100, y + 60, steps=4)
    window.mouse.up()
    moved = [middle[0] - 100, middle[1] - 60]
    assert window.evaluate(position) == pytest.approx(moved, abs=1)
    stage.focus()
    window.keyboard.press("End")
    expect(stage).to_have_js_property("scrollTop", 800 - round(before["height"]))
    window.evaluate("document.getElementById('stage').scrollTo(5, 7)")
    window.locator("#when").press("Home")
    page.write(history(30), [(10, tmp_path / "large.png"), (20, tmp_path / "large.png")], "running", 30, 40)
    window.mouse.move(5, 5)
    window.clock.fast_forward(31000)
    expect(window).to_have_title(re.compile("^30/40"))
    assert window.evaluate(position) == [5, 7] and window.locator("#which").text_content() == "epoch 10"
    window.get_by_role("button", name="1:1", pressed=True).click()
    assert window.locator("#wipe").is_visible() and window.locator("#stage .on").bounding_box() == before


def test_curves(finished, opened):
    page = opened()
    chart, legend = page.locator("#losses-chart"), page.locator("#losses .legend li")
    assert legend.all_text_contents() == [
        "epoch 60",
        "total1.55·10⁸",
        "style1.5·10⁸",
        "content5·10⁶",
        "tv0.5, too small to draw",
    ]
    drawn = [line.get_attribute("d") for line in page.locator("#losses-chart .line").all()]
    assert [line.count("L") for line in drawn] == [59, 59, 59, 0]
    assert drawn[0].startswith("M58.0 ") and float(drawn[0][6:].split("L")[0]) < 30  # the lines fill the chart
    ticks = page.locator("#losses-chart text").all_text_contents()
    assert {"10⁹", "10⁸", "10⁷", "20", "60"} <= set(ticks)
    total, style, content = (float(dot.get_attribute("cy")) for dot in page.locator("#losses-chart .dot").all()[:3])
    expected = math.log(155.00006 / 150) / math.log(150 / 5.00006)
    assert total < style < content and (style - total) / (content - style) == pytest.approx(expected, rel=0.01)
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    page.mouse.move(box["x"] + box["width"] - 8 - (box["width"] - 66) * 20 / 59, box["y"] + 90)
    assert legend.all_text_contents()[:3] == ["epoch 40", "total2.3·10⁸", "style2.25·10⁸"]
    page.mouse.move(5, 5)
    assert legend.first.text_content() == "epoch 60"
    page.locator("#eps-chart").focus()
    for key in ("Home", "ArrowRight", "PageUp", "ArrowLeft"):
        page.keyboard.press(key)
    assert page.locator("#eps-chart").get_attribute("aria-valuetext") == "epoch 7: eps 0.143"
    assert "stops below 0.005" in page.locator("#eps-chart text").all_text_contents()
    page.set_viewport_size({"width": 500, "height": 900})
    assert page.locator("#losses-chart").bounding_box()["width"] < 500
    assert float(page.locator("#losses-chart .grid").first.get_attribute("x2")) < 500


@pytest.mark.parametrize(
    "records, shown",
    [
        (history(1), "epoch 1"),
        ([Record(n, 0.0, {"style": 0.0, "content": 0.0}, 0.0, n) for n in range(1, 4)], "epoch 3"),
        ([Record(n, float("nan"), {f"layer {i}": 1.0 * i for i in range(12)}, 66.0, n) for n in (1, 2)], "epoch 2"),
        (history(10000), "epoch 10000"),
    ],
)
def test_curves_of_every_sort(page, opened, records, shown):
    page.write(records, [], "finished", 60, 20000)
    window = opened()
    assert window.locator("#losses .legend li").first.text_content() == shown
    assert window.locator("#losses .legend li").count() == len(records[0].losses) + 2
    window.locator("#losses-chart").focus()
    window.keyboard.press("ArrowLeft")
    assert "NaN" not in window.locator("#curves").inner_html()


def test_a_running_page_updates_itself_and_keeps_its_place(page, opened, tmp_path):
    saved = checkpoints(tmp_path, [10, 20, 30])
    page.write([], [], "running", 0, 40)
    window = opened(height=500)
    assert window.locator("#waiting").is_visible() and window.title().startswith("0/40")
    page.write(history(20), saved[:2], "running", 20, 40)
    assert window.title().startswith("0/40")
    window.clock.fast_forward(31000)
    expect(window).to_have_title(re.compile("^20/40"))
    assert not window.locator("#waiting").is_visible() and window.locator("progress").get_attribute("value") == "20"
    window.locator("#wipe").fill("30")
    window.locator("#when").fill("0")
    window.locator("#eps-chart").focus()
    window.evaluate("scrollTo(0, 400)")
    page.write(history(30), saved, "running", 30, 40)
    window.clock.fast_forward(31000)
    expect(window).to_have_title(re.compile("^30/40"))
    expect(window.locator("html")).to_have_js_property("scrollTop", 400)
    assert window.locator("#which").text_content() == "epoch 10" and window.locator("#wipe").input_value() == "30"
    assert window.locator("#when").get_attribute("max") == "2"
    assert window.evaluate("document.activeElement.id") == "eps-chart"
    window.locator("#when").fill("2")  # who looks at the newest goes on to see the newest
    page.write(history(40), saved + [("final", saved[0][1])], "finished", 40, 40)
    window.clock.fast_forward(31000)
    expect(window.locator("#standing")).to_have_class("finished")
    assert window.locator("#which").text_content() == "final" and not window.locator("progress").is_visible()
    assert not window.locator("#updates").is_visible()
    page.write(history(1), [], "failed", 40, 40)  # a page that has ended looks no more
    window.clock.fast_forward(3600000)
    window.wait_for_timeout(300)
    assert window.locator("#standing").get_attribute("class") == "finished"


def test_no_update_under_ones_hands(page, opened, tmp_path):
    page.write(history(20), checkpoints(tmp_path, [10, 20]), "running", 20, 40)
    window = opened()

    def stays():
        window.clock.fast_forward(31000)
        window.wait_for_timeout(300)
        return window.title().startswith("20/40")

    page.write(history(30), checkpoints(tmp_path, [10, 20]), "running", 30, 40)
    box = window.locator("#stage").bounding_box()
    window.mouse.move(box["x"] + 50, box["y"] + 50)
    window.mouse.down()
    assert stays()
    window.locator("#updates").evaluate("button => button.click()")
    window.mouse.up()
    assert stays() and window.locator("#updates").text_content() == "Resume updates"
    window.evaluate("getSelection().selectAllChildren(document.querySelector('pre'))")
    window.locator("#updates").evaluate("button => button.click()")
    assert stays()
    window.evaluate("getSelection().empty()")
    window.clock.fast_forward(1000)
    expect(window).to_have_title(re.compile("^30/40"))


def test_a_run_that_was_killed_is_told_of(page, opened, monkeypatch):
    now = report.time.time()
    monkeypatch.setattr(report.time, "time", lambda: now - 3600)
    page.write(history(20), [], "running", 20, 40)
    assert "no news for 60 min" in opened().locator("#standing").text_content()


def test_names_are_text(opened, tmp_path):
    name = "<script>alert(1)<" + "\u2215script>\"'.png"
    content = picture(tmp_path / name)
    page = report.Report(
        tmp_path / "report.html",
        [("<img src=x onerror=alert(1)>", content)],
        f"x '{name}'",
        {"</dl><script>alert(2)</script>": "<b>"},
    )
    page.write(history(3, lambda epoch: {"</script><script>alert(3)</script>": 1.0}), [(1, content)], "finished", 1, 3)
    window = opened()
    assert window.locator("h1").text_content() == name
    assert window.locator("#words").text_content() == f"x '{name}'"
    assert "</dl><script>alert(2)</script>" in window.locator("dt").all_text_contents()
    assert "</script><script>alert(3)</script>" in window.locator("#losses .legend").text_content()
    assert window.locator("script").count() == 2 and window.locator("b").count() == 1


def test_the_policy_forbids_what_would_leave_the_page(finished, browser, tmp_path):
    context = browser.new_context()
    window, sent, stopped = context.new_page(), [], []
    window.goto((tmp_path / "report.html").as_uri())
    window.on("request", lambda request: sent.append(request))
    window.on("requestfailed", lambda request: stopped.append(request) if request.failure == "csp" else None)
    forbidden = window.evaluate("""async () => {
        const seen = [];
        addEventListener("securitypolicyviolation", event => seen.push(event.effectiveDirective));
        new Image().src = "http://127.0.0.1:9/x.png";
        fetch("http://127.0.0.1:9/").catch(() => {});
        const script = document.createElement("script");
        script.textContent = "window.broken = true";
        document.body.append(script);
        const style = document.createElement("style");
        style.textContent = "body { background: url(http://127.0.0.1:9/y.png) }";
        document.body.append(style);
        await new Promise(done => setTimeout(done, 300));
        return seen.concat(window.broken || []);
    }""")
    context.close()
    assert sorted(forbidden) == ["connect-src", "img-src", "script-src-elem", "style-src-elem"]
    assert stopped == sent


@pytest.mark.parametrize("width, scheme", [(375, "light"), (375, "dark"), (1280, "light"), (1280, "dark")])
def test_light_dark_and_phone(page, opened, tmp_path, width, scheme):
    words = "python -m neural_style --content-image=" + "long/" * 40 + "photo.jpg --seed=1"
    page = report.Report(
        tmp_path / "report.html",
        [
            ("content", picture(tmp_path / ("x" * 120 + ".png"), (400, 300))),
            ("style", picture(tmp_path / "wide.png", (2000, 100))),
        ],
        words,
        {"a" * 100: "b" * 300},
    )
    page.write(history(60), checkpoints(tmp_path, [20, 40]), "running", 20, 600)
    window = opened(width=width, height=800, color_scheme=scheme)
    assert window.evaluate("document.documentElement.scrollWidth") <= width
    assert (
        window.evaluate(
            "Math.max(...[...document.body.querySelectorAll('*')].map(node => node.getBoundingClientRect().right))"
        )
        <= width
    )
    colours = window.evaluate(
        "(({backgroundColor, color}) => [backgroundColor, color])(getComputedStyle(document.body))"
    )
    brightness = [sum(map(int, text[4:-1].split(","))) for text in colours]
    assert (brightness[0] > 700 and brightness[1] < 120) == (scheme == "light")
    for line in range(7):
        assert contrast(window, f".s{line}") >= 3
    for quiet in ("#standing", "figcaption", "dt"):
        assert contrast(window, quiet) >= 4.5
    for control in ("#play", "#when", "#actual", "#download"):
        assert window.locator(control).bounding_box()["height"] >= 40  # for a finger


def contrast(window, selector):
    """The contrast of a class's colour with the page, as WCAG counts it."""
    texts = window.evaluate(
        """selector => {
        const node = document.querySelector(selector) || document.body.appendChild(document.createElement("i"));
        if (!node.matches(selector)) node.className = selector.slice(1);
        return [node, document.body].map((one, i) => getComputedStyle(one)[i ? "backgroundColor" : "color"]);
    }""",
        selector,
    )
    light = []
    for text in texts:
        parts = [int(part) / 255 for part in text[4:-1].split(",")]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        light.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)
    return max(light) / min(light)


def test_everything_is_reached_by_keyboard_and_has_a_name(finished, opened):
    window = opened()
    reached = []
    for _ in range(10):
        window.keyboard.press("Tab")
        reached.append(window.evaluate("document.activeElement.id || document.activeElement.tagName"))
    assert reached == [
        "wipe",
        "play",
        "when",
        "actual",
        "download",
        "file",
        "losses-chart",
        "eps-chart",
        "copy",
        "words",
    ]
    for name in (
        "Before and after: how much of the content shows",
        "Pictures saved so far",
        "Losses by epoch",
        "Relative change by epoch",
    ):
        assert window.get_by_role("slider", name=name, exact=True).count() == 1
    assert window.get_by_role("button", name="Play").count() == 1
    assert window.locator("img:not([alt])").count() == 0


def test_without_script_the_newest_picture_shows(finished, opened):
    window = opened(java_script_enabled=False)
    assert colour(window, 0.1) == BLUE and "need JavaScript" in window.locator("noscript").text_content()


@pytest.mark.parametrize("width, scheme", [(390, "light"), (1280, "dark")])
def test_a_contact_sheet_fits_the_window(opened, tmp_path, width, scheme):
    entries = [done(tmp_path, content, style) for content in ("a" * 100, "b") for style in "stuvwxyz"]
    for count, inside in ((1, ".cards"), (len(entries), ".scroll")):
        contact_sheet.write(
            tmp_path / "report.html", [*entries[: count - 1], entries[-1]._replace(outcome="failed", error="x" * 200)]
        )
        window = opened(width=width, color_scheme=scheme)
        assert window.evaluate("document.documentElement.scrollWidth") <= width
        assert window.locator(inside).count() == 1
        failed = window.locator(".failed")
        assert failed.evaluate("node => node.scrollWidth <= node.clientWidth") and failed.bounding_box()["width"] < 400
        assert contrast(window, ".failed figcaption") >= 4.5 and contrast(window, "#standing") >= 4.5
    image = window.locator("img").last
    image.scroll_into_view_if_needed()
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") == 300
    assert window.locator("th").nth(1).bounding_box()["width"] > 60
    captions = window.evaluate(
        "[...document.querySelectorAll('tr:last-child figcaption')].map(node => node.getBoundingClientRect().top)"
    )
    assert len(captions) == 9 and (len(set(captions)) == 1 or width == 390)


def test_on_a_telephone_no_style_is_hidden_and_results_stand_below_theirs(opened, tmp_path):
    contact_sheet.write(
        tmp_path / "report.html", [done(tmp_path, content, style) for content in "ab" for style in "st"]
    )
    edges = opened(width=390).evaluate(
        "[...document.querySelectorAll('th figure, td figure')].map(node => node.getBoundingClientRect())"
        ".map(box => [Math.round(box.left), Math.round(box.right)])"
    )
    assert len(edges) == 8 and max(right for _, right in edges) <= 390
    left = [left for left, _ in edges]
    assert left[0] < left[1] and left[3:5] == left[6:8] == left[:2]


def active(window):
    return window.evaluate("document.activeElement.getAttribute('href')")


def test_the_keyboard_moves_through_a_sheet(opened, tmp_path):
    entries = [done(tmp_path, content, style) for content in "ab" for style in "stu"]
    entries[1] = entries[1]._replace(outcome="failed", error="no luck")
    contact_sheet.write(tmp_path / "report.html", entries)
    window = opened()
    for key, reached in (
        ("ArrowDown", None),
        ("ArrowRight", "a-s.png"),
        ("ArrowRight", "a-u.png"),
        ("ArrowDown", "b-u.png"),
        ("ArrowLeft", "b-t.png"),
        ("ArrowLeft", "b-s.png"),
        ("ArrowUp", "a-s.png"),
        ("ArrowLeft", "a-s.png"),
        ("End", "b-u.png"),
        ("ArrowDown", "b-u.png"),
        ("Home", "a-s.png"),
    ):
        window.keyboard.press(key)
        assert active(window) == reached, key
    assert window.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    window.evaluate("addEventListener('click', event => { event.preventDefault(); window.asked = event.target.href; })")
    window.keyboard.press("Enter")
    assert window.evaluate("window.asked") == (tmp_path / "a-s.png").as_uri()


def test_the_frames_of_a_sequence_are_played(opened, tmp_path):
    entries = [done(tmp_path, f"f{number}", style) for number in range(1, 6) for style in "st"]
    entries[2] = entries[2]._replace(outcome="failed", error="no luck")
    for number, entry in enumerate(entries[::2]):
        picture(tmp_path / entry.output, (300, 200), (RED, GREEN, BLUE, RED, GREEN)[number])
    contact_sheet.write(tmp_path / "report.html", entries, True)
    window = opened()
    film = window.get_by_role("region", name="s.png")
    slider, play, shown = film.get_by_role("slider"), film.get_by_role("button"), film.locator(".player a")
    assert window.locator(".player").count() == 2 and slider.get_attribute("max") == "3"

    def state():
        at = Image.open(io.BytesIO(shown.screenshot())).convert("RGB").getpixel((99, 99))
        nearest = min((RED, GREEN, BLUE), key=lambda one: sum(abs(a - b) for a, b in zip(one, at)))
        return film.locator("output").text_content(), shown.get_attribute("href").split("/")[-1], nearest

    assert state() == ("1 of 4", "f1-s.png", RED)
    slider.press("ArrowRight")
    assert state() == ("2 of 4", "f3-s.png", BLUE)
    stop_the_clock(window)
    play.press("Enter")
    assert play.text_content() == "Pause"
    play.press("Enter")
    assert play.text_content() == "Play"
    play.press("Enter")
    window.clock.run_for(1000)
    expect(play).to_have_text("Play")
    assert state() == ("4 of 4", "f5-s.png", GREEN)
    play.press("Enter")
    assert film.locator("output").text_content() == "1 of 4"
    assert window.get_by_role("region", name="t.png").locator("output").text_content() == "1 of 5"


def test_a_sequence_of_one_frame_has_no_player(opened, tmp_path):
    contact_sheet.write(tmp_path / "report.html", [done(tmp_path, "f", "s")], True)
    assert not opened(width=390).locator(".player").is_visible()
