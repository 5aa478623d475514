"""The page says what the rows and the folders of the runs hold."""

import csv
import json
import re
import shutil
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from bmip.cli import main
from bmip.experiments.failures import Failure
from bmip.experiments.results import Row
from bmip.report.looks import looks
from bmip.report.page.content import Content, Fold, Picture, Section, Sheet, pictures
from bmip.report.page.html import as_html
from bmip.report.page.page import SECTIONS, page, write_page
from bmip.report.source import Source, read_source
from bmip.report.table import Table
from bmip.report.tables import tables
from bmip.studies.expand import Planned
from bmip.studies.folder import StudyFolder
from bmip.studies.plan import Plan
from tests.experiments.making import a_trial, replaced
from tests.report.page.conftest import Made
from tests.report.test_tables import ROWS, judged, row


@pytest.fixture(scope="session")
def whole(made: Made) -> Content:
    return page(read_source([made.study]))


def section(content: Content, heading: str) -> Section:
    return next(one for one in content.sections if one.heading == heading)


def sheets(blocks: object) -> dict[str, Table]:
    """All tables of a section by title, those in folds too."""
    found = {}
    for block in blocks if isinstance(blocks, list | tuple) else blocks.blocks:  # type: ignore[attr-defined]
        if isinstance(block, Sheet):
            found[block.table.title] = block.table
        elif isinstance(block, Fold):
            found |= sheets(block)
    return found


def predictions(study: Path, method: str, part: str) -> list[list[dict[str, str]]]:
    files = sorted(study.glob(f"runs/*/{method}-*/evaluated/base-to-novel-{part}.csv"))
    return [list(csv.DictReader(file.read_text().splitlines())) for file in files]


def test_every_section_has_something_or_says_why(whole: Content) -> None:
    assert len(whole.sections) + len(whole.absent) == len(SECTIONS)
    assert [one.heading for one in whole.absent] == ["Published numbers"]
    assert all(one.blocks for one in whole.sections)


def test_failures_alone_make_a_page_too(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The command says what failed, and for tables, of which there are none, where to look."""
    study, failed, left = StudyFolder(tmp_path / "study"), *(a_trial(method=name, data="x") for name in ("bmip", "vpt"))
    study.begin(Plan("all failed", (), text=""), [Planned(failed, "ours"), Planned(left)])
    study.add_failure(failed, Failure("memory", "out of memory"))
    assert main(["report", str(study.path), "--html", str(tmp_path / "page")]) == 0
    told = (tmp_path / "page" / "report.md").read_text()
    assert "| base-to-novel | x bmip, 16 shots, seeds 1/1 [ours] | memory | out of memory |" in told
    assert "| base-to-novel | x | vpt | 1 |" in told
    assert "Results: no trial has a result." in told
    assert main(["report", str(study.path), "--html", str(tmp_path / "vpt"), "--method", "vpt"]) == 0
    assert "out of memory" not in (tmp_path / "vpt" / "report.md").read_text()
    capfd.readouterr()
    assert main(["report", str(study.path), "--html", str(tmp_path / "none"), "--method", "maple"]) == 2
    assert "no trial of the plan is of maple" in capfd.readouterr().err
    assert main(["report", str(study.path)]) == 2
    assert f"holds no results: `bmip study {study.path} --status` says what failed" in capfd.readouterr().err


def test_a_method_that_only_failed_has_a_page_beside_others_with_results(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    study, failed = StudyFolder(tmp_path / "study"), replaced(ROWS[0].trial, method="vpt")
    study.begin(Plan("one failed", (), text=""), [*(Planned(row.trial) for row in ROWS), Planned(failed, "ours")])
    for one in ROWS:
        study.results().append(one)
    study.add_failure(failed, Failure("memory", "out of memory"))
    page = ["report", str(study.path), "--html", str(tmp_path / "page"), "--method"]
    for name in ("vpt", "ours", "vpt:default"):
        assert main([*page, name]) == 0
        told = (tmp_path / "page" / "report.md").read_text()
        assert "out of memory" in told and "Results: no trial has a result." in told
    assert main([*page, "vpt", "bmip"]) == 0
    told = (tmp_path / "page" / "report.md").read_text()
    assert "out of memory" in told and "Results: no trial" not in told and "| bmip |" in told
    capfd.readouterr()
    assert main([*page, "vpt", "bmpi"]) == 2
    assert "'bmpi' is no method of these results" in capfd.readouterr().err
    assert main(["report", str(study.path), "--method", "vpt"]) == 2
    assert f"{study.path} holds no results of vpt: `bmip study {study.path} --status`" in capfd.readouterr().err


def test_rows_alone_make_a_page_too() -> None:
    """Without the folders of runs and without a plan."""
    found = page(Source("rows", ROWS))
    assert {one.heading for one in found.absent} == {
        "Published numbers",
        "Accuracy over shots",
        "Training curves",
        "Changes of single classes against zero-shot",
        "Confusion matrices",
        "Reliability diagrams",
        "Gate weights",
        "Sample predictions",
    }
    assert len(found.sections) + len(found.absent) == len(SECTIONS)


def test_the_tables_are_those_of_the_report(made: Made, whole: Content) -> None:
    rows = read_source([made.study]).rows
    shown = sheets(section(whole, "Results"))
    for table in tables(rows):
        assert shown[table.title] == table


def test_what_failed_stands_there_with_its_cause(whole: Content) -> None:
    (line,) = sheets(section(whole, "What is missing or failed"))["Failed"].rows
    assert line[0] == "base-to-novel" and "vpt" in line[1] and line[2] == "diverged" and "not finite" in line[3]


def test_what_is_missing_is_named() -> None:
    lacking = [one for one in ROWS if one.trial.run.data == "x" or one.trial.run.method == "zero_shot"]
    lacking = [one for one in lacking if one.trial.run.data_seed != 3 or not one.trainable]
    lacking += [row(data, "maple", 3, 100, 50) for data in ("x", "y")]
    planned = (*(Planned(one.trial) for one in ROWS), Planned(replaced(ROWS[0].trial, data="z"), "plain"))
    failures = {ROWS[-1].trial: Failure("memory", "out of memory")}
    found = sheets(section(page(Source("s", lacking, planned=planned, failures=failures)), "What is missing or failed"))
    assert found["Failed"].rows == (("base-to-novel", "y bmip, 16 shots, seeds 3/3", "memory", "out of memory"),)
    assert found["Planned and not made"].rows == (
        ("base-to-novel", "x", "bmip", "1"),
        ("", "y", "bmip", "2"),
        ("", "z", "plain", "1"),
    )
    assert [line[1:] for line in found["Lines without an average"].rows] == [
        ("maple", "x (seeds 1/1, 2/2)"),
        ("bmip", "x (seeds 3/3), y"),
    ]


def test_a_whole_comparison_lacks_nothing() -> None:
    found = section(page(Source("s", ROWS)), "What is missing or failed")
    assert not sheets(found) and len(found.blocks) == 1


def costs(rows: list[Row]) -> Table:
    found = section(page(Source("s", rows)), "Accuracy against trained parameters, seconds and memory")
    (table,) = sheets(found).values()
    return table


def took(one: Row, training: float, evaluation: float, gigabytes: float | None = None) -> Row:
    memory = None if gigabytes is None else int(gigabytes * 2**30)
    return replace(one, training_seconds=float(training), evaluation_seconds=float(evaluation), peak_memory=memory)


def test_costs_are_means_over_the_same_cells_or_none() -> None:
    """A line on one quick data set alone would seem cheaper than one on a quick and a slow one."""
    quick = [took(row("x", method, seed, 100, 60), 10, 1, 1) for method in ("bmip", "maple") for seed in (1, 2)]
    slow = [took(row("y", "bmip", seed, 100, 60), 1000, 3, 2) for seed in (1, 2)]
    found = costs([*quick, *slow])
    assert found.rows == (("maple", "1,234", "–", "–", "–"), ("bmip", "1,234", "505.0", "2.0", "1.50"))
    assert found.caption.endswith("Without an average, for lack of results that other lines have: maple (without y).")
    whole = costs([*quick, *slow, *(replace(one, trial=replaced(one.trial, method="maple")) for one in slow)])
    assert {line[1:] for line in whole.rows} == {("1,234", "505.0", "2.0", "1.50")}
    assert "lacks" not in whole.caption
    seeds = costs(quick[:-1])
    assert seeds.rows[0] == ("maple", "1,234", "–", "–", "–") and "maple (without x (seeds 2/2))" in seeds.caption


def test_costs_are_those_of_the_most_shots() -> None:
    """Which are the shots that accuracy stands beside."""
    rows = [
        took(judged("few-shot", "bmip", seed, {"all": 60}, data="x", shots=shots), 10 * shots, 1, shots)
        for shots in (1, 16)
        for seed in (1, 2)
    ]
    found = costs(rows)
    assert found.rows == (("bmip", "1,234", "160.0", "1.0", "16.00"),) and found.title.endswith("16 shots")
    lacks = costs([*rows, took(judged("few-shot", "coop", 1, {"all": 60}, data="x", shots=1), 1, 1, 1)])
    assert lacks.rows[0] == ("coop", "1,234", "–", "–", "–")


def test_costs_of_a_transfer_whose_source_alone_is_shown() -> None:
    alone = took(judged("cross-dataset", "bmip", 1, {"all": 60}, data="z", target=""), 10, 1, 1)
    assert costs([alone]).rows == (("bmip", "1,234", "10.0", "1.0", "1.00"),)


def test_costs_of_what_is_not_trained_are_those_of_the_run_that_was_made() -> None:
    """Rows of its other seeds are copies, which took no time. Data sets count alike, however many runs they have."""
    trained = [took(row(data, "bmip", seed, 100, 60), 10, 1, 1) for data in ("x", "y") for seed in (1, 2)]
    spent = {("x", 1): 2.0, ("x", 2): 0.0, ("y", 1): 6.0, ("y", 2): 6.0}
    copied = [
        took(row(data, "zero_shot", seed, 100, 60), 0, seconds, 0.5 if seconds else None)
        for (data, seed), seconds in spent.items()
    ]
    assert costs([*trained, *copied]).rows[0] == ("zero-shot", "0", "–", "4.0", "0.50")


def test_costs_that_are_not_known_of_every_run_have_no_mean() -> None:
    found = costs([took(row("x", "bmip", seed, 100, 60), 10, 1, memory) for seed, memory in ((1, 1.0), (2, None))])
    assert found.rows == (("bmip", "1,234", "10.0", "1.0", "–"),)


def test_parameters_that_depend_on_the_data_set_are_a_range() -> None:
    found = costs([replace(row(data, "bmip", 1, 100, 60), trainable=count) for data, count in (("x", 2000), ("y", 9))])
    assert found.rows[0][1] == "9 to 2,000"


@pytest.mark.parametrize("part", ["base", "novel"])
def test_changes_of_classes_are_those_of_the_predictions(made: Made, whole: Content, part: str) -> None:
    def accuracies(method: str) -> dict[str, float]:
        lines = [line for file in predictions(made.study, method, part) for line in file]
        totals = Counter(line["label_name"] for line in lines)
        right = Counter(line["label_name"] for line in lines if line["label"] == line["predicted"])
        return {name: 100 * right[name] / total for name, total in totals.items()}

    (table,) = [
        table
        for title, table in sheets(section(whole, "Changes of single classes against zero-shot")).items()
        if f", {part}:" in title
    ]
    before, maple, bmip = (accuracies(method) for method in ("zero_shot", "maple", "bmip"))
    assert table.columns[0] == "class" and table.columns[2:] == ("maple", "ours")
    assert {line[0]: line[1:] for line in table.rows} == {
        name: (f"{value:.1f}", f"{maple[name] - value:+.1f}", f"{bmip[name] - value:+.1f}")
        for name, value in before.items()
    }


def test_confusions_and_calibration_are_those_of_the_predictions(made: Made, whole: Content) -> None:
    each = predictions(made.study, "bmip", "novel")
    assert len(each) == 2
    lines = [line for file in each for line in file]
    wrong = Counter(
        (line["label_name"], line["predicted_name"]) for line in lines if line["label"] != line["predicted"]
    )
    (table,) = [
        table for title, table in sheets(section(whole, "Confusion matrices")).items() if ", novel: Base" in title
    ]
    filled, last = [], ""
    for line in table.rows:
        last = line[0] or last
        filled.append((last, *line[1:]))
    assert {line[1:3]: int(line[3]) for line in filled if line[0] == "ours"} == dict(wrong)

    bins: dict[int, list[tuple[float, bool]]] = {}
    for line in lines:
        probability = float(line["probability"])
        place = next(number for number in range(10) if probability <= (number + 1) / 10 + 1e-12)
        bins.setdefault(place, []).append((probability, line["label"] == line["predicted"]))
    gaps = [abs(sum(right - probability for probability, right in members)) for members in bins.values()]
    (table,) = [one for title, one in sheets(section(whole, "Reliability diagrams")).items() if "Base to" in title]
    last, found = "", {}
    for line in table.rows:
        last = line[0] or last
        found[last.partition(", ")[2], line[1]] = line[2]
    assert found["novel", "ours"] == f"{100 * sum(gaps) / len(lines):.1f}"


def test_predictions_of_other_rows_do_not_count(made: Made, tmp_path: Path) -> None:
    """Files that do not fit the counts of a row, or are damaged, are as good as none."""
    study = tmp_path / "study"
    shutil.copytree(made.study, study)
    for number, file in enumerate(sorted(study.glob("runs/*/*/evaluated/*.csv"))):
        lines = file.read_text().splitlines()
        file.write_text("\n".join(lines[:-1]) if number % 2 else "image,label\na")
    for file in study.glob("runs/*/*/metrics.jsonl"):
        file.write_text("{")
    for file in study.glob("runs/*/*/gauges.json"):
        content = json.loads((file.parent / "config.json").read_text())
        content["backbone"]["sha256"] = "another"
        (file.parent / "config.json").write_text(json.dumps(content))
    absent = {one.heading for one in page(read_source([study])).absent}
    assert {
        "Confusion matrices",
        "Reliability diagrams",
        "Sample predictions",
        "Training curves",
        "Gate weights",
    } <= absent


def test_samples_show_what_the_predictions_say(made: Made, whole: Content) -> None:
    shown = [one for one in pictures(whole) if one.name.startswith("sample-")]
    assert shown and all(one.content.startswith(b"\x89PNG") for one in shown)
    for picture in shown:
        right = re.fullmatch(r"A test image of (\w+), rightly named with (\d+ %)\.", picture.alt)
        wrong = re.fullmatch(r"A test image of (\w+), wrongly named (\w+) with (\d+ %)\.", picture.alt)
        if right:
            assert picture.caption == f"✓ {right[1]}, {right[2]}"
        else:
            assert wrong and picture.caption == f"✗ {wrong[2]}, {wrong[3]}; it is {wrong[1]}"


def test_the_same_rows_make_the_same_files(made: Made, tmp_path: Path) -> None:
    write_page(read_source([made.study]), tmp_path / "page")
    files = {file.relative_to(made.page) for file in made.page.rglob("*") if file.is_file()}
    assert files == {file.relative_to(tmp_path / "page") for file in (tmp_path / "page").rglob("*") if file.is_file()}
    assert all((made.page / file).read_bytes() == (tmp_path / "page" / file).read_bytes() for file in files)


def test_markdown_has_what_the_page_has(made: Made, whole: Content) -> None:
    text = (made.page / "report.md").read_text()
    for one in whole.sections:
        assert f"\n## {one.heading}\n" in text
        assert all(f"**{title}**" in text for title in sheets(one))
    named = set(re.findall(r"\]\(pictures/([^)]+)\)", text))
    assert (
        named
        == {picture.name for picture in pictures(whole)}
        == {one.name for one in (made.page / "pictures").iterdir()}
    )


def test_lines_differ_without_their_colours_too() -> None:
    names = [str(number) for number in range(16)]
    found = [looks(names)[name] for name in names]
    assert len({(one.mark, one.dash) for one in found}) == len(found)
    assert all(one.dash != other.dash for one, other in pairwise(found))


@pytest.mark.parametrize("seeds", [1, 3])
def test_profiles_have_bands_where_seeds_say_something(seeds: int) -> None:
    rows = [one for one in ROWS if one.trial.run.data_seed <= seeds]
    (profiles,) = [one for one in pictures(page(Source("s", rows))) if one.name.startswith("profiles-")]
    assert ("Bands are 95 % CIs" in profiles.caption) == (seeds > 1)
    assert ("No curve has a 95 % CI" in profiles.caption) == (seeds == 1)


def test_no_two_pictures_have_one_name(whole: Content) -> None:
    names = [picture.name for picture in pictures(whole)]
    assert len(set(names)) == len(names)


class Texts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: Counter[str] = Counter()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_names_are_texts_and_no_markup() -> None:
    odd = "<script>alert(1)</script>"
    table = Table(odd, (odd, odd), ((odd, odd),), odd)
    content = Content(odd, odd, (Section(odd, [Sheet(table), Picture("a.svg", b"<svg/>", odd, odd)]),), ())
    found = Texts()
    found.feed(as_html(content))
    assert found.tags["script"] == 1
    assert found.texts.count(odd) >= 8


def test_a_page_replaces_a_page_and_nothing_else(tmp_path: Path) -> None:
    source = Source("rows", ROWS)
    assert write_page(source, tmp_path / "a" / "page") == tmp_path / "a" / "page" / "index.html"
    (tmp_path / "a" / "page" / "report.md").write_text("old")
    write_page(source, tmp_path / "a" / "page")
    assert (tmp_path / "a" / "page" / "report.md").read_text().startswith("# rows\n")
    assert [entry.name for entry in (tmp_path / "a").iterdir()] == ["page"]
    (tmp_path / "a" / "page" / "thesis.tex").write_text("")
    with pytest.raises(FileExistsError, match=r"holds something else than a page: name a new folder"):
        write_page(source, tmp_path / "a" / "page")
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError, match="something else"):
        write_page(source, tmp_path / "file")


def test_what_is_bold_in_a_table_is_bold_on_the_page() -> None:
    table = Table("t", ("a", "b"), (("x", "1"), ("", "2")), "c", bold=frozenset({(1, 1)}))
    text = as_html(Content("t", "s", (Section("h", [Sheet(table)]),), ()))
    assert re.findall(r"<td>(.*?)</td>", text) == ["1", "<strong>2</strong>"]
    assert text.count('<th scope="row">x</th>') == 2, "a row may be sorted away from the one above it"


def test_dollars_and_underscores_are_no_formulas() -> None:
    rows = [replace(one, trial=replaced(one.trial, data=f"a$_1$ {one.trial.run.data}")) for one in ROWS]
    assert any(b"a$_1$" in one.content for one in pictures(page(Source("$x^2$", rows))))
