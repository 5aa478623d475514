"""Makes the pictures of docs/report.md from docs/results/embedded.jsonl: `python -m tools.screenshots`.

They show the page of four methods in base-to-novel. It needs Chromium.
"""

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from bmip.experiments.results import read_results
from bmip.report import select
from bmip.report.page.page import write_page
from bmip.report.source import Source
from tools.results import DOCS

METHODS = ("zero-shot", "coop", "maple", "bmip")
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
            shown.screenshot(path=DOCS / "images" / f"{name}.png", full_page=True, clip=clip)
        browser.close()


if __name__ == "__main__":
    rows = select(read_results([DOCS / "results" / "embedded.jsonl"]), [], METHODS, protocols=["base-to-novel"])
    with tempfile.TemporaryDirectory() as folder:
        main(write_page(Source("embedded data", rows), Path(folder, "page")))
