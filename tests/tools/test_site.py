"""The site of the pages is whole: nothing is missing, nothing leads nowhere, nothing comes from another host."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

import bmip
import bmip.prompting
import bmip.testing
from bmip.cli import COMMANDS, main

ROOT = Path(__file__).parents[2]
SOURCES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "benchmarks").glob("*.md"))]
BUILT = [path for path in SOURCES if path.parent.name == "docs"]
LOADED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "object": "data"}
LINKS = re.compile(r"\]\((?!\w+:)([^)#\s]*)")


@dataclass
class Page(HTMLParser):
    """What a page links to, what it loads, and the places in it that can be linked to."""

    file: Path
    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids |= {given["id"]} if "id" in given else set()
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if (name := LOADED.get(tag)) in given:
            self.loads.append(given[name])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if find_spec("sphinx") is None:
        pytest.skip("sphinx is not installed: pip install '.[docs]'")
    made = tmp_path_factory.mktemp("site")
    asked = ["-q", "-W", "--keep-going", "-b", "html", "-c", "docs", "-d", str(made / "trees"), ".", str(made / "html")]
    path = os.pathsep.join([str(ROOT / "src"), *filter(None, sys.path)])
    run = subprocess.run(
        [sys.executable, "-m", "sphinx", *asked],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", ""), run.stderr
    return made / "html"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in sorted(site.rglob("*.html"))}


def test_every_page_is_there_and_at_the_side(site: Path, pages: dict[Path, Page]) -> None:
    first = pages[site / "docs" / "index.html"]
    assert {path.with_suffix(".html").name for path in BUILT} == {path.name for path in (site / "docs").glob("*.html")}
    for path in BUILT:
        assert path.name == "index.md" or path.with_suffix(".html").name in first.links
    assert "docs/index.html" in (site / "index.html").read_text(encoding="utf-8")


def test_the_side_has_the_order_of_the_first_page(site: Path) -> None:
    listed = re.findall(r"^\* \[[^]]+\]\(([^)]+)\.md\)", (ROOT / "docs" / "index.md").read_text(), re.MULTILINE)
    html = (site / "docs" / "index.html").read_text(encoding="utf-8")
    side = re.findall(r'<li class="toctree-l1"><a class="reference internal" href="([^"]+)\.html">', html)
    assert side == listed


def test_every_link_within_the_site_leads_somewhere(pages: dict[Path, Page]) -> None:
    checked = 0
    for path, page in pages.items():
        for link in (*page.links, *page.loads):
            target, place = urldefrag(link)
            if urlsplit(target).scheme or target.startswith("data:"):
                continue
            checked += 1
            other = (path.parent / unquote(target.partition("?")[0])).resolve() if target else path
            assert other.exists(), f"{path.name}: {link}"
            if place and other in pages:
                assert unquote(place) in pages[other].ids, f"{path.name}: {link}"
    assert checked > 1000


def test_nothing_is_loaded_from_another_host(site: Path, pages: dict[Path, Page]) -> None:
    for path, page in pages.items():
        assert [load for load in page.loads if urlsplit(load).netloc] == [], path
    for style in site.rglob("*.css"):
        assert re.findall(r"(?:@import|url\()\s*['\"]?(?:https?:)?//", style.read_text(encoding="utf-8")) == [], style


def test_formulas_need_no_script(site: Path) -> None:
    html = (site / "docs" / "protocols.html").read_text(encoding="utf-8")
    assert html.count("<math ") == html.count("</math>") > 10 and "<mfrac>" in html
    assert "\\frac" not in html and "cdn" not in html


def test_the_reference_has_the_public_names_and_no_others(site: Path, pages: dict[Path, Page]) -> None:
    ids = pages[site / "docs" / "reference.html"].ids
    for module in (bmip, bmip.prompting, bmip.testing):
        found = {name for one in ids for name in re.findall(rf"^{re.escape(module.__name__)}\.([^.]+)$", one)}
        twice = {"ClassNames"} if module is bmip.prompting else set()
        assert found - {"prompting", "testing"} == set(module.__all__) - twice


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_line_has_every_option(name: str, site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    html = (site / "docs" / "command-line.html").read_text(encoding="utf-8")
    commands = [one.name for one in importlib.import_module(f"bmip.cli.{COMMANDS[name][0]}").app.registered_commands]
    for command in commands if len(commands) > 1 else [""]:
        title = f"bmip-{name}-{command}".rstrip("-")
        section = html.partition(f'<section id="{title}">')[2].partition("</section>")[0]
        capsys.readouterr()
        main([*filter(None, (name, command)), "--help"])
        told = re.findall(r"^. +(--[a-z0-9-]+)", capsys.readouterr().out, re.MULTILINE)
        assert "--help" in told
        assert [option for option in told if option != "--help" and f">{option}</span>" not in section] == []


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_links_hold_on_a_code_host(source: Path) -> None:
    for target in filter(None, LINKS.findall(source.read_text(encoding="utf-8"))):
        assert (source.parent / target).exists(), f"{source.name}: {target}"
