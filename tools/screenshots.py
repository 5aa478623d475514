"""Makes the pictures of docs/report.md: `python -m tools.screenshots PAGE/index.html`. It needs Chromium.

The page is one of the base-to-novel rows of four methods:
`bmip report ROWS --method zero-shot coop maple bmip --html PAGE`, where ROWS are those of docs/results/embedded.jsonl.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).parents[1] / "docs" / "images"
SHOWN = {"report": ("What was compared",), "report-verdicts": ("Who beats whom",)}
"""The sections of each picture, which stand one below the other."""

WIDE, EDGE = 1000, 24  # pixels


def main(page: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": WIDE, "height": 800})
        shown.goto(page.resolve().as_uri())
        for name, headings in SHOWN.items():
            boxes = [
                shown.locator("section", has=shown.locator("h2", has_text=text)).bounding_box() for text in headings
            ]
            found = [box for box in boxes if box is not None]
            start = 0 if name == "report" else found[0]["y"] - EDGE  # its picture begins with the title of the page
            top, bottom = start, found[-1]["y"] + found[-1]["height"] + EDGE
            clip = {"x": 0, "y": top, "width": WIDE, "height": bottom - top}
            shown.screenshot(path=IMAGES / f"{name}.png", full_page=True, clip=clip)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
