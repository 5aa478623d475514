"""A real browser for the tests of pages, and what it measures of any page."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here: apt-get install chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


def lowest_contrast(page: Page, within: str) -> float:
    """The least contrast of a text below this element with its background, as WCAG 2.1 defines it."""
    return page.evaluate(
        """(within) => {
            const light = (colour) => {
                const parts = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255);
                const [r, g, b] = parts.map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const behind = (one) => {
                for (; one; one = one.parentElement) {
                    const colour = getComputedStyle(one).backgroundColor;
                    if (!colour.startsWith("rgba") || !colour.endsWith(" 0)")) return colour;
                }
                return "rgb(255, 255, 255)";
            };
            const texts = [...document.querySelectorAll(`${within} *`)].filter((one) => one.textContent.trim());
            return Math.min(...texts.map((one) => {
                const [a, b] = [light(getComputedStyle(one).color), light(behind(one))];
                return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            }));
        }""",
        within,
    )
