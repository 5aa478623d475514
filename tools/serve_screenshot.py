"""Makes the picture of docs/deploying.md: `python -m tools.serve_screenshot ADDRESS`. It needs Chromium.

At the address runs `bmip serve runs/animals`, after `bmip train --data animals --method bmip --backbone embedded
--epochs 2 --shots 8 --threads 1 --out runs/animals`.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

IMAGE = Path(__file__).parents[1] / "docs" / "images" / "serve.png"
NAMES = ("bat", "bear", "bird", "boar", "cat", "cow", "an animal that flies", "an animal of the farm")
WIDE, HIGH = 1080, 1240  # pixels


def main(address: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDE, "height": HIGH})
        page.goto(address)
        expect(page.locator("#examples img")).not_to_have_count(0)
        page.get_by_role("textbox", name="Class names").fill("\n".join(NAMES))
        for number in (2, 0):
            page.locator("#examples button").nth(number).click()
        expect(page.locator(".card table:visible")).to_have_count(2)
        page.get_by_role("button", name="What it looks at").last.click()
        expect(page.locator("figure img")).to_be_visible(timeout=60_000)
        page.evaluate("document.activeElement.blur()")
        page.evaluate("scrollTo(0, 0)")
        page.mouse.move(0, 0)
        page.screenshot(path=IMAGE)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
