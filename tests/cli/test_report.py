"""`bmip report` from files alone."""

from dataclasses import replace
from pathlib import Path

import pytest

from bmip.data.read_config import ReadConfig
from bmip.experiments.results import Results, Row
from bmip.metrics import Count
from tests.cli.conftest import Cli
from tests.cli.test_errors import refused
from tests.experiments.making import replaced
from tests.report.test_tables import ROWS, judged


def stored(name: str, rows: list[Row] = ROWS) -> str:
    for row in rows:
        Results(name).append(row)
    return name


def test_all_metrics_stand_behind_the_usual_tables(cli: Cli) -> None:
    stored("r")
    plain, more = cli("report", "r", "--markdown"), cli("report", "r", "--markdown", "--metrics")
    assert more.out.startswith(plain.out)
    assert "harmonic mean" in more.out and "all metrics" in more.out


def test_part_of_the_data_sets_and_methods(cli: Cli) -> None:
    stored("r", [*ROWS, replace(ROWS[3], trial=replaced(ROWS[3].trial, data="z"))])
    found = cli("report", "r", "--data", "x", "y", "--method", "zero-shot", "bmip", "--markdown")
    assert found.out == cli("report", stored("whole"), "--markdown").out
    assert "| x | bmip | 85.0 ± 12.4 |" in cli("report", "r", "--method", "bmip", "--markdown").out
    refused(cli("report", "r", "--data", "w"), "'w' is no data set of these results: there is x, y, z")
    refused(cli("report", "r", "--method", "coop"), "'coop' is no method of these results: there is bmip, zero-shot")


def test_files_that_disagree(cli: Cli) -> None:
    stored("a"), stored("b", ROWS[:4]), stored("c", [replace(ROWS[3], counts={"base": Count(1, 2)})])
    assert cli("report", "a", "b").out == cli("report", "a").out
    refused(cli("report", "a", "c"), "a and c have different results of base-to-novel, x bmip", "seeds 1/1")


def test_a_line_that_was_cut_off_is_told(cli: Cli) -> None:
    whole = cli("report", stored("r")).out
    with Path("r").open("a") as file:
        file.write('{"trial": {"met')
    found = cli("report", "r")
    assert found.out == whole
    assert "the last line of r was cut off" in found.err


@pytest.mark.parametrize("odd", ['"counts": {"base": ["a", 9]}', '"trainable": "x"', '"shots": "16"', '"options": [1]'])
def test_a_damaged_row_is_named(cli: Cli, odd: str) -> None:
    stored("r", ROWS[:1])
    line, name = Path("r").read_text(), odd.split('"')[1]
    before = {"counts": '"counts": {"base": [100, 200], "novel": [60, 100]}', "trainable": '"trainable": 0'}
    before |= {"shots": '"shots": 16', "options": '"options": {}'}
    assert before[name] in line
    Path("r").write_text(line + line.replace(before[name], odd))
    refused(cli("report", "r"), "r, line 2 is not a result that can be read", name)


def test_a_folder(cli: Cli) -> None:
    Path("runs").mkdir()
    refused(cli("report", "runs"), "runs is a folder: name the file of results in it")


def test_a_table_without_the_reference_is_told(cli: Cli) -> None:
    few = [judged("few-shot", "bmip", seed, {"all": 50 + seed}, data="x") for seed in (1, 2)]
    found = cli("report", stored("r", [*ROWS, *few]), "--against", "zero-shot")
    assert "Base to novel against zero-shot" in found.out and "Few-shot against" not in found.out
    assert "Few-shot against zero-shot, x (abcdef01): 'zero-shot' is no line of the table" in found.err


def test_brackets_and_other_letters(cli: Cli) -> None:
    read = ReadConfig(template="[red]{}")
    rows = [replace(row, trial=replaced(row.trial, data="[/b]数", read=read)) for row in ROWS[:6]]
    found = cli("report", stored("r", rows), "--pictures", ".")
    assert found.status == 0 and "[/b]数" in found.out
    assert "pictures: Glyph" in found.err and "Warning" not in found.err and ".py" not in found.err


def test_who_beats_whom(cli: Cli) -> None:
    plain, more = (cli("report", stored("r"), "--markdown").out, cli("report", "r", "--markdown", "--pairs").out)
    assert more.startswith(plain)
    assert "| zero-shot | bmip | harmonic mean | **-1" in more.removeprefix(plain)
    assert "interquartile mean" in more


def test_a_page_from_a_file_of_rows(cli: Cli) -> None:
    stored("r")
    found = cli("report", "r", "--html", "new/page", "--method", "bmip")
    assert found.status == 0 and "page: new/page/index.html" in found.err
    text = Path("new/page/report.md").read_text()
    assert "85.0 ± 12.4" in text and "zero-shot |" not in text
    refused(cli("report", "r", "--html", "other", "--pairs", "--pictures", "p"), "leave --pictures and --pairs out")
    assert not Path("other").exists() and not Path("p").exists()
    Path("new/notes.txt").write_text("mine")
    refused(cli("report", "r", "--html", "new"), "new holds something else than a page: name a new folder")
    assert sorted(entry.name for entry in Path("new").iterdir()) == ["notes.txt", "page"]


def test_letters_without_a_font_are_told_once(cli: Cli) -> None:
    rows = [replace(row, trial=replaced(row.trial, data="数")) for row in ROWS[:6]]
    found = cli("report", stored("r", rows), "--html", "page")
    assert found.status == 0 and found.err.count("page: Glyph") == 1 and "Warning" not in found.err
