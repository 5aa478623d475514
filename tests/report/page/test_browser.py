"""The page in a real browser: nothing is loaded from elsewhere, tables sort and filter, and everybody can use it."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import browser, lowest_contrast, needs_chromium
from tests.report.page.conftest import Made

__all__ = ["browser"]

pytestmark = needs_chromium


@pytest.fixture
def said() -> list[str]:
    """What the browser complains of, and the requests that the page makes beside itself."""
    return []


@pytest.fixture
def page(browser: Browser, made: Made, said: list[str]) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1100, "height": 800})
    address = (made.page / "index.html").as_uri()
    opened.route(
        "**/*",
        lambda route: (
            route.continue_()
            if route.request.url == address
            else (said.append(f"request {route.request.url}"), route.abort())
        ),
    )
    opened.on("console", lambda message: said.append(f"console {message.text}"))
    opened.on("pageerror", lambda error: said.append(f"error {error}"))
    opened.goto(address)
    yield opened
    opened.close()


def column(page: Page, table: int, number: int) -> list[str]:
    """The texts of a column of a table, of the rows that are shown."""
    rows = page.locator("table").nth(table).locator("tbody tr:visible")
    return [row.locator("th, td").nth(number).inner_text() for row in rows.all()]


def results_table(page: Page) -> int:
    captions = page.locator("table caption strong").all_inner_texts()
    return next(place for place, caption in enumerate(captions) if caption.startswith("Base to novel"))


def test_nothing_is_loaded_and_nothing_is_complained_of(page: Page, said: list[str]) -> None:
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
    assert page.locator("img").count() > 10
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    assert said == []


def test_a_request_would_be_seen(page: Page, said: list[str]) -> None:
    """The test above can fail: the page's own policy forbids requests, and says so."""
    page.evaluate("document.body.append(Object.assign(new Image(), { src: 'https://example.org/x.png' }))")
    page.wait_for_timeout(200)
    assert said and "example.org" in said[0]


def test_tables_sort_by_numbers_and_back(page: Page) -> None:
    table = results_table(page)
    header = page.locator("table").nth(table).locator("thead th").nth(2)
    before = column(page, table, 2)
    found = {}
    for order in ("ascending", "descending", None):
        header.locator("button").click()
        assert header.get_attribute("aria-sort") == order
        found[order] = [float(text.split()[0]) for text in column(page, table, 2)]
    assert found["ascending"] == sorted(found["ascending"])
    assert found["descending"] == found["ascending"][::-1] != found["ascending"]
    assert column(page, table, 2) == before


def test_tables_sort_from_the_keyboard(page: Page) -> None:
    table = results_table(page)
    button = page.locator("table").nth(table).locator("thead th button").nth(1)
    button.focus()
    page.keyboard.press("Enter")
    methods = column(page, table, 1)
    assert methods == sorted(methods) and len(set(methods)) > 1


def test_what_stands_for_nothing_comes_last(page: Page) -> None:
    """In both directions, and numbers with thousands and signs are numbers."""
    page.evaluate(
        """() => {
            const cells = ["1,234", "–", "+2.5", "< 0.001", "85.0 ± 12.4", "-3.0"];
            const rows = cells.map(cell => `<tr><th scope="row">a</th><td>${cell}</td></tr>`).join("");
            document.querySelector("main").insertAdjacentHTML("afterbegin",
                `<table><thead><tr><th>x</th><th>y</th></tr></thead><tbody>${rows}</tbody></table>`);
            makeSortable(document.querySelector("main table"));
        }"""
    )
    header = page.locator("main table").first.locator("thead button").nth(1)
    header.click()
    assert column(page, 0, 1) == ["-3.0", "< 0.001", "+2.5", "85.0 ± 12.4", "1,234", "–"]
    header.click()
    assert column(page, 0, 1) == ["1,234", "85.0 ± 12.4", "+2.5", "< 0.001", "-3.0", "–"]


def test_tables_filter(page: Page) -> None:
    sheet = page.locator(".sheet", has=page.locator(".filter:visible")).first
    every = sheet.locator("tbody tr").count()
    field = sheet.get_by_label("Show rows with")
    field.fill("MAPLE")
    shown = sheet.locator("tbody tr:visible")
    assert 0 < shown.count() < every
    assert all("maple" in text for text in shown.all_inner_texts())
    assert sheet.locator("output").inner_text() == f"{shown.count()} of {every} rows"
    field.fill("")
    assert sheet.locator("tbody tr:visible").count() == every


def test_headings_stand_in_order(page: Page) -> None:
    levels = [int(tag[1]) for tag in page.locator("h1, h2, h3, h4").evaluate_all("all => all.map(one => one.tagName)")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


def test_everything_has_a_name(page: Page) -> None:
    """What a checker of accessibility asks: texts for pictures, fields, tables, regions, and unique ids."""
    faults = page.evaluate(
        """() => {
            const named = (one) => one.textContent.trim() || one.getAttribute("aria-label");
            const width = (row) => row.closest("table").tHead.rows[0].cells.length;
            const faults = [];
            const ask = (selector, right, what) => document.querySelectorAll(selector).forEach((one) => {
                if (!right(one)) faults.push(`${what}: ${one.outerHTML.slice(0, 100)}`);
            });
            ask("img", (one) => one.alt.trim().length > 10, "a picture without a text");
            ask("input", (one) => one.labels.length === 1 && one.labels[0].textContent.trim(), "a field without label");
            ask("button, a, summary, h1, h2, h3", named, "nothing to read");
            ask("table", (one) => one.caption && one.caption.textContent.trim(), "a table without a caption");
            ask("thead th", (one) => one.scope === "col", "a header without scope");
            ask("tbody tr", (one) => one.cells[0].scope === "row", "a row without header");
            ask("tbody tr", (one) => one.cells.length === width(one), "a short row");
            ask("[role=region], nav", (one) => one.getAttribute("aria-label"), "a region without a name");
            ask("[aria-labelledby]", (one) => document.getElementById(one.getAttribute("aria-labelledby")), "no label");
            ask("a[href^='#']", (one) => document.getElementById(one.hash.slice(1)), "a link to nowhere");
            const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
            ids.filter((id, place) => ids.indexOf(id) !== place).forEach((id) => faults.push(`twice: ${id}`));
            if (document.documentElement.lang !== "en") faults.push("no language");
            return faults;
        }"""
    )
    assert faults == []


def test_the_first_key_skips_to_the_content(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_texts_are_dark_enough(page: Page) -> None:
    """The contrast of every colour of text with its background, as WCAG 2.1 defines it, is at least 4.5."""
    assert lowest_contrast(page, "main") >= 4.5


def test_nothing_is_wider_than_a_telephone(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_print_shows_what_is_folded(page: Page) -> None:
    assert page.locator("details:not([open])").count() > 0
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator("details:not([open])").count() == 0
    assert not page.locator("nav").is_visible()
    assert page.pdf().startswith(b"%PDF")
