"""The page of `bmip serve` in a real browser, on a real server: pictures in, answers out, and nobody is shut out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, Route, expect

import bmip
from bmip.cli import main
from bmip.clip.loading.load import save_clip
from bmip.serving.app import make_app
from bmip.serving.guard import Access
from bmip.serving.limits import Limits
from bmip.testing import tiny_clip
from tests.browser import browser, lowest_contrast, needs_chromium
from tests.serving.conftest import images, png, served
from tests.small import SMALL, photo_folder

__all__ = ["browser"]

pytestmark = needs_chromium

expect.set_options(timeout=20_000)

TOKEN = "a-token-of-the-tests"
PREDICT, EXPLAIN = "**/api/predict", "**/api/explain"
NOTES = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture at all"}


def picture(colour: str, name: str = "") -> Any:
    """A file as a browser is given it."""
    return {"name": name or f"{colour}.png", "mimeType": "image/png", "buffer": png(colour)}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    photos = photo_folder(folder / "photos")
    save_clip(tiny_clip(context=60), folder / "backbone")  # room for long names
    asked = ("--data", photos, "--method", "bmip", "--backbone", folder / "backbone", "--out", folder / "run", *SMALL)
    assert main(["train", *map(str, asked)]) == 0
    return folder / "run"


@pytest.fixture(scope="module")
def address(trained: Path) -> Iterator[str]:
    examples = {f"{colour}.png": png(colour) for colour in ("red", "blue")}
    limits = Limits(image_bytes=100_000, class_letters=60)
    with served(make_app(bmip.from_pretrained(trained), limits, Access(), examples)) as place:
        yield place


@pytest.fixture
def said() -> list[str]:
    """What the browser complains of, and the requests to other places than the server."""
    return []


@pytest.fixture
def page(browser: Browser, address: str, said: list[str]) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1180, "height": 900})
    listen_to(opened, address, said)
    opened.goto(address)
    expect(opened.locator("#names")).not_to_have_value("")
    yield opened
    opened.close()


def listen_to(page: Page, address: str, said: list[str]) -> None:
    page.set_default_timeout(20_000)
    page.on("console", lambda message: said.append(f"console {message.text}"))
    page.on("pageerror", lambda error: said.append(f"error {error}"))
    page.on("dialog", lambda dialog: (said.append(f"dialog {dialog.message}"), dialog.dismiss()))
    own = (f"{address}/", "blob:", "data:")
    page.on("request", lambda asked: asked.url.startswith(own) or said.append(f"request {asked.url}"))


def show(page: Page, *files: Any) -> None:
    page.set_input_files("#add", files)


def card(page: Page, name: str) -> Locator:
    return page.locator(".card", has=page.get_by_role("heading", name=name, exact=True))


def rows(card: Locator) -> list[tuple[str, str]]:
    """The names and numbers that stand beside a picture."""
    return [(row.locator("th").inner_text(), row.locator("td").last.inner_text()) for row in card.locator("tr").all()]


def answered(address: str, file: Any, *names: str) -> list[tuple[str, str]]:
    """What the JSON says about the same picture, as the page should write it."""
    asked = {"classes": list(names)}
    answer = httpx.post(f"{address}/api/predict", files=images(file["buffer"], names=(file["name"],)), data=asked)
    scores = answer.json()["predictions"][0]["scores"]
    return [(score["class"], f"{100 * score['probability']:.1f} %") for score in scores]


# ---- Answers


def test_answers_are_those_of_the_json(page: Page, address: str, said: list[str]) -> None:
    red, green = picture("red"), picture("green")
    show(page, red, green)
    expect(page.locator(".card table:visible")).to_have_count(2)
    for file in (red, green):
        assert rows(card(page, file["name"])) == answered(address, file)
    assert page.locator("#said").inner_text() == "2 of 2 pictures have answers."
    assert said == []


def test_other_names_are_asked_about_at_once(page: Page, address: str, said: list[str]) -> None:
    red, green = picture("red"), picture("green")
    show(page, red, green)
    expect(page.locator(".card table:visible")).to_have_count(2)
    names = ["a corgi", "two words more", "Élan", "four", "five", "six", "seven"]
    page.get_by_role("textbox", name="Class names").fill("\n".join([*names, "", "  "]))
    expect(card(page, "red.png").get_by_text("All 7 names")).to_be_visible()
    expect(card(page, "green.png").get_by_text("All 7 names")).to_be_visible()
    for file in (red, green):
        shown = card(page, file["name"])
        expected = answered(address, file, *names)
        assert rows(shown) == expected[:5]
        shown.get_by_text("All 7 names").click()
        assert rows(shown) == expected
    assert page.locator("#names-count").inner_text() == "7 names"
    command = page.locator("#curl").text_content() or ""
    assert "--form-string 'classes=a corgi'" in command and f"{address}/api/predict" in command
    page.get_by_role("button", name="Names of training").click()
    expect(page.locator(".card th").filter(has_text="corgi")).to_have_count(0)
    assert rows(card(page, "red.png")) == answered(address, red)
    assert said == []


def test_a_bar_is_as_long_as_its_number_says(page: Page) -> None:
    show(page, picture("red"))
    for row in card(page, "red.png").locator("tr").all():
        rail, bar = (row.locator(part).bounding_box() for part in (".rail", ".bar"))
        assert rail and bar
        share = float(row.locator("td").last.inner_text().split()[0]) / 100
        assert bar["width"] / rail["width"] == pytest.approx(share, abs=0.01)


def test_an_example_is_a_picture_like_others(page: Page, address: str, said: list[str]) -> None:
    page.get_by_role("button", name="Example blue.png").click()
    expect(card(page, "blue.png").locator("tr").first).to_be_visible()
    assert rows(card(page, "blue.png")) == answered(address, picture("blue"))
    assert said == []


def test_pictures_can_be_dropped(page: Page) -> None:
    dropped = page.evaluate_handle(
        """bytes => {
            const files = new DataTransfer();
            files.items.add(new File([new Uint8Array(bytes)], "dropped.png", { type: "image/png" }));
            return files;
        }""",
        list(picture("red")["buffer"]),
    )
    page.dispatch_event("body", "drop", {"dataTransfer": dropped})
    expect(card(page, "dropped.png").locator("tr").first).to_be_visible()


def test_an_explanation_is_drawn_on_demand(page: Page, said: list[str]) -> None:
    show(page, picture("red"))
    shown = card(page, "red.png")
    button = shown.get_by_role("button", name="What it looks at")
    button.click()
    drawn = shown.locator("figure img")
    expect(drawn).to_be_visible()
    assert drawn.evaluate("one => one.naturalWidth") > 500
    assert button.get_attribute("aria-expanded") == "true" and "red.png" in (drawn.get_attribute("alt") or "")
    button.click()
    expect(shown.locator(".explained")).to_have_count(0)
    assert said == []


def test_an_explanation_is_about_the_names_that_are_chosen(page: Page) -> None:
    page.route(EXPLAIN, lambda route: route.fulfill(body=png("grey"), content_type="image/png"))
    page.evaluate(
        """() => {
            const real = window.fetch;
            window.sent = [];
            window.fetch = (path, asked) => {
                if (path.endsWith("explain")) window.sent.push(asked.body.getAll("classes"));
                return real(path, asked);
            };
        }"""
    )
    show(page, picture("red"))
    shown = card(page, "red.png")
    shown.get_by_role("button", name="What it looks at").click()
    best = [name for name, _ in rows(shown)]
    shown.get_by_label("First name").select_option(best[2])
    shown.get_by_label("Second name").select_option("")
    expect(shown.locator("figure img")).to_be_visible()
    assert page.evaluate("window.sent") == [best[:2], [best[2], best[1]], [best[2]]]
    page.get_by_role("textbox", name="Class names").fill("a corgi\na hamster")
    expect(shown.locator(".explained")).to_have_count(0)  # it was about names that are asked about no more


# ---- What goes wrong


def test_a_file_that_is_no_picture_harms_no_other(page: Page, address: str) -> None:
    large = {**picture("blue", "large.png"), "buffer": b"\x89PNG" + bytes(100_000)}
    show(page, NOTES, picture("red"), large)
    wrong, right, heavy = (card(page, name) for name in ("notes.txt", "red.png", "large.png"))
    expect(wrong.locator(".error")).to_contain_text("notes.txt is no picture")
    expect(heavy.locator(".error")).to_contain_text("large.png has 0.1 MB")
    expect(page.locator("#alarm")).not_to_be_empty()
    expect(right.locator("tr").first).to_be_visible()
    assert rows(right) == answered(address, picture("red"))
    assert not wrong.get_by_role("button", name="Ask again").is_visible()
    assert page.locator("#problem").is_hidden() and page.locator("#names-error").is_hidden()


def test_what_is_wrong_with_a_name_stands_below_the_names(page: Page) -> None:
    show(page, picture("red"), picture("green"))
    names = page.get_by_role("textbox", name="Class names")
    names.fill("a cat\n" + 61 * "x")
    expect(page.locator("#names-error")).to_contain_text("61 letters")
    assert names.get_attribute("aria-invalid") == "true"
    assert page.locator(".card .error:visible").count() == 0
    names.fill("a cat\na dog")
    expect(page.locator("#names-error")).to_be_hidden()
    expect(card(page, "red.png").locator("tr")).to_have_count(2)
    assert sorted(name for name, _ in rows(card(page, "red.png"))) == ["a cat", "a dog"]


def test_names_are_never_read_as_html(page: Page, said: list[str]) -> None:
    name = "<img src=x onerror=alert(1)>"
    page.route(EXPLAIN, lambda route: route.fulfill(body=png("grey"), content_type="image/png"))
    show(page, picture("red", "<i onclick=alert(2)>.png"))
    page.get_by_role("textbox", name="Class names").fill(f"{name}\na cat")
    expect(page.locator("th", has_text=name)).to_be_visible()
    page.get_by_role("button", name="What it looks at").click()
    expect(page.locator("figure img")).to_be_visible()
    assert page.locator("[onerror], [onclick], [src=x]").count() == 0
    assert said == []


def test_an_old_answer_never_replaces_a_newer_one(page: Page) -> None:
    held: list[Route] = []
    page.route(PREDICT, lambda route: held.append(route))
    show(page, picture("red"))
    names = page.get_by_role("textbox", name="Class names")
    names.fill("old one\nold two")
    until(page, lambda: len(held) == 2)
    names.fill("new one\nnew two")
    until(page, lambda: len(held) == 3)
    held[2].continue_()
    expect(page.locator("th").first).to_contain_text("new")
    held[1].fulfill(json={"predictions": [{"name": "", "scores": [{"class": "old one", "probability": 1}]}]})
    held[0].fulfill(status=500)
    page.wait_for_timeout(100)
    expect(page.locator("th").first).to_contain_text("new")
    assert page.locator(".card .error:visible").count() == 0


def until(page: Page, true: Callable[[], bool]) -> None:
    """Lets the browser go on until something holds; the test fails if it never does."""
    for _ in range(200):
        if true():
            return
        page.wait_for_timeout(25)
    raise AssertionError("it never came to hold")


def busy(times: int) -> tuple[list[str], Callable[[Route], None]]:
    """A server that is busy for some requests, and the addresses that it was asked at."""
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) > times:
            route.continue_()
        else:
            route.fulfill(status=503, headers={"Retry-After": "0.1"}, json={"detail": "16 requests are waiting"})

    return asked, answer


def test_a_busy_server_is_asked_again(page: Page) -> None:
    asked, answer = busy(times=2)
    page.route(PREDICT, answer)
    show(page, picture("red"))
    expect(card(page, "red.png").locator("tr").first).to_be_visible()
    assert len(asked) == 3 and page.locator(".card .error:visible").count() == 0


def test_a_server_that_remains_busy_is_not_asked_for_ever(page: Page) -> None:
    asked, answer = busy(times=6)
    page.route(PREDICT, answer)
    show(page, picture("red"))
    expect(page.locator(".card .error")).to_have_text("16 requests are waiting")
    assert len(asked) == 6
    page.get_by_role("button", name="Ask again").click()
    expect(card(page, "red.png").locator("tr").first).to_be_visible()


def test_a_server_that_has_ended_is_missed(page: Page) -> None:
    page.route("**/api/*", lambda route: route.abort())
    show(page, picture("red"))
    expect(page.locator("#problem")).to_contain_text("The server does not answer")
    page.unroute("**/api/*")
    page.get_by_role("button", name="Try again").click()
    expect(card(page, "red.png").locator("tr").first).to_be_visible()
    expect(page.locator("#problem")).to_be_hidden()


def test_a_missing_token_is_said(browser: Browser, trained: Path, said: list[str]) -> None:
    app = make_app(bmip.from_pretrained(trained), access=Access(TOKEN))
    with served(app) as place, browser.new_context() as context:
        page = context.new_page()
        listen_to(page, place, said)
        page.goto(f"{place}/?token={TOKEN}")
        show(page, picture("red"))
        expect(page.locator("th").first).to_be_visible()
        assert page.url == f"{place}/" and said == []
        context.clear_cookies()
        page.get_by_role("textbox", name="Class names").fill("a cat\na dog")
        expect(page.locator("#problem")).to_contain_text("a token is needed")


# ---- For everybody


def test_everything_can_be_done_from_the_keyboard(page: Page, said: list[str]) -> None:
    def go_to(name: str) -> None:
        for _ in range(30):
            page.keyboard.press("Tab")
            focused = page.locator(":focus")
            if focused.count():
                outlined = "one => getComputedStyle(one.type === 'file' ? one.nextElementSibling : one).outlineStyle"
                assert focused.evaluate(outlined) == "solid", focused.evaluate("one => one.outerHTML")
            label = (
                "one => one.getAttribute('aria-label') || one.labels?.[0]?.textContent || one.title || one.textContent"
            )
            if focused.count() and focused.evaluate(label).startswith(name):
                return
        raise AssertionError(f"{name!r} cannot be reached")

    page.on("filechooser", lambda _: None)  # the browser hands choosers over from now on, and not only from just before
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to the pictures"
    go_to("Class names")
    page.keyboard.press("Control+A")
    page.keyboard.type("a cat\na dog")
    go_to("Choose pictures")
    with page.expect_file_chooser() as chosen:
        page.keyboard.press("Enter")
    chosen.value.set_files(picture("green"))
    expect(card(page, "green.png").locator("tr").first).to_be_visible()
    go_to("red.png")
    page.keyboard.press("Enter")
    expect(card(page, "red.png").locator("tr").first).to_be_visible()
    assert sorted(name for name, _ in rows(card(page, "red.png"))) == ["a cat", "a dog"]
    page.route(EXPLAIN, lambda route: route.fulfill(body=png("grey"), content_type="image/png"))
    go_to("What it looks at")
    page.keyboard.press("Enter")
    expect(card(page, "red.png").locator("figure img")).to_be_visible()
    go_to("Remove for red.png")
    page.keyboard.press("Enter")
    expect(page.locator(".card")).to_have_count(1)
    assert page.locator(":focus").inner_text().startswith("Remove")
    page.keyboard.press("Enter")
    assert page.locator(":focus").get_attribute("id") == "add" and page.locator(".card").count() == 0
    assert said == []


def filled(page: Page) -> None:
    """A page that shows all that there can be at once."""
    page.route(EXPLAIN, lambda route: route.fulfill(body=png("grey"), content_type="image/png"))
    show(page, picture("red"), NOTES)
    card(page, "red.png").get_by_role("button", name="What it looks at").click()
    expect(page.locator("figure img")).to_be_visible()
    page.locator("summary").click()


def test_everything_has_a_name(page: Page) -> None:
    filled(page)
    faults = page.evaluate(
        """() => {
            const faults = [];
            const named = (one) => one.textContent.trim() || one.ariaLabel || one.querySelector("img")?.alt;
            const ask = (selector, right, what) => document.querySelectorAll(selector).forEach((one) => {
                if (!right(one)) faults.push(`${what}: ${one.outerHTML.slice(0, 100)}`);
            });
            ask("figure img, button img", (one) => one.alt.trim().length > 5, "a picture without a text");
            ask("input, textarea, select", (one) => one.ariaLabel || one.labels.length === 1, "a field without label");
            ask("button, a, summary, h1, h2, h3", named, "nothing to read");
            ask("table", (one) => one.ariaLabel, "a table without a name");
            ask("tbody tr", (one) => one.cells[0].scope === "row", "a row without header");
            for (const what of ["aria-labelledby", "aria-describedby"]) {
                const there = (one) => one.getAttribute(what).split(" ").every((id) => document.getElementById(id));
                ask(`[${what}]`, there, "no label");
            }
            const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
            ids.filter((id, place) => ids.indexOf(id) !== place).forEach((id) => faults.push(`twice: ${id}`));
            return faults;
        }"""
    )
    assert faults == []


@pytest.mark.parametrize(("media", "scheme"), [("screen", "light"), ("screen", "dark"), ("print", "dark")])
def test_texts_can_be_read(page: Page, media: Any, scheme: Any) -> None:
    """The contrast of every text with its background, as WCAG 2.1 defines it, is at least 4.5."""
    filled(page)
    page.emulate_media(media=media, color_scheme=scheme)
    assert lowest_contrast(page, "body") >= 4.5


def test_it_fits_a_telephone_and_paper(page: Page, tmp_path: Path) -> None:
    filled(page)
    page.set_viewport_size({"width": 360, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    taken = tmp_path / "page.png"
    page.screenshot(path=taken, full_page=True)
    with Image.open(taken) as shot:
        colours = shot.convert("RGB").getcolors(shot.width * shot.height) or []
    assert (0, 114, 178) in {colour for _, colour in colours}  # the bar of the best name
    page.emulate_media(media="print")
    assert card(page, "red.png").locator("table").is_visible() and page.locator("figure img").is_visible()
    assert not page.locator("button:visible, textarea:visible").count()
    assert page.pdf().startswith(b"%PDF")


def test_the_policy_forbids_other_places(page: Page, said: list[str]) -> None:
    """So a test that finds no complaint could have found one."""
    page.evaluate("document.body.append(Object.assign(new Image(), { src: 'https://example.org/x.png' }))")
    page.wait_for_timeout(100)
    assert any("Content Security Policy" in complaint for complaint in said)
