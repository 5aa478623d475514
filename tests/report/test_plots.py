"""Pictures show the tables' numbers."""

from dataclasses import replace
from pathlib import Path

from bmip.experiments.results import Count, Row
from bmip.report import draw_tables, tables
from bmip.report.plots import draw_table
from bmip.report.table_data import table_data
from tests.experiments.making import a_trial, replaced
from tests.report.test_tables import ROWS, row


def sweep(method: str, shots: int, seed: int, right: int) -> Row:
    trial = a_trial(protocol="few-shot", method=method, data="x", shots=shots, data_seed=seed, init_seed=seed)
    trainable = 0 if method == "zero_shot" else 9
    return Row(
        trial=trial,
        counts={"all": Count(right, 100)},
        trainable=trainable,
        training_seconds=1.0,
        evaluation_seconds=0.0,
        time="2026-01-02T03:04:05+00:00",
        backbone="b",
        split="s",
    )


def drawn(rows: list[Row]):
    (data,) = table_data(rows)
    return draw_table(data)


def points(axes) -> dict[str, list[tuple[float, float]]]:
    """What each mark of the legend shows."""
    handles, names = axes.get_legend_handles_labels()
    return {name: list(map(tuple, handle[0].get_xydata())) for handle, name in zip(handles, names, strict=True)}


def test_dots_are_the_means_of_the_table() -> None:
    (table,) = tables(ROWS)
    panels = drawn(ROWS).axes
    assert [axes.get_title(loc="left") for axes in panels] == ["x", "y", "average"]
    assert [label.get_text() for label in panels[0].get_yticklabels()] == ["zero-shot", "bmip"]
    for axes, lines in zip(panels, (table.rows[:2], table.rows[2:4], table.rows[4:6]), strict=True):
        for column, (heading, found) in enumerate(points(axes).items(), start=2):
            assert table.columns[column] == heading
            assert [f"{value:.1f}" for value, _ in found] == [line[column].split()[0] for line in lines]
            assert [round(place) for _, place in found] == [0, 1]


def test_curves_run_along_the_shots() -> None:
    rows = [sweep("bmip", shots, seed, 10 * shots + seed) for shots in (1, 2, 4) for seed in (1, 2, 3)]
    rows += [sweep("zero_shot", shots, 1, 15) for shots in (1, 4)]
    (axes,) = drawn(rows).axes
    found = {label: [(round(place), value) for place, value in line] for label, line in points(axes).items()}
    assert found == {"zero-shot": [(0, 15), (2, 15)], "bmip": [(0, 12), (1, 22), (2, 42)]}
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "2", "4"]
    assert axes.get_xlabel() == "training images per class"


def test_no_two_of_thirteen_curves_look_alike() -> None:
    names = [f"method_{number}" for number in range(13)]
    (axes,) = drawn([sweep(name, shots, 1, 15) for shots in (1, 4) for name in names]).axes
    lines = [handle[0] for handle in axes.get_legend_handles_labels()[0]]
    assert len({(line.get_color(), line.get_marker(), line.get_linestyle()) for line in lines}) == 13
    assert len({(line.get_color(), line.get_marker()) for line in lines}) == 13


def test_the_legend_lies_between_title_and_panels() -> None:
    rows = [sweep(method, shots, 1, 15) for shots in (1, 4) for method in ("zero_shot", "bmip", "promptsrc")]
    figure = drawn(rows)
    figure.draw_without_rendering()
    (legend,) = figure.legends
    title, *_ = figure.texts
    panel = figure.axes[0].get_tightbbox()
    assert panel is not None
    assert title.get_window_extent().y0 >= legend.get_window_extent().y1
    assert legend.get_window_extent().y0 >= panel.y1
    assert legend.get_window_extent().x1 <= figure.bbox.x1 and title.get_window_extent().x1 <= figure.bbox.x1


def test_long_labels_leave_room_for_the_dots() -> None:
    options = (("some_long_option", 1), ("another_long_option", 2))
    rows = [replace(one, trial=replaced(one.trial, options=options)) if one.trainable else one for one in ROWS]
    rows += [one for one in ROWS if one.trainable]
    figure = drawn(rows)
    assert all(axes.get_window_extent().width > 0.2 * figure.bbox.width / 3 for axes in figure.axes)


def test_no_panel_for_an_average_that_there_is_not() -> None:
    zero, bmip = ROWS[0], next(one for one in ROWS if one.trainable and one.trial.run.data == "y")
    assert [axes.get_title(loc="left") for axes in drawn([zero, bmip]).axes] == ["x", "y"]


def test_a_file_for_each_table(tmp_path: Path) -> None:
    rows = [*ROWS, *(sweep("bmip", 1, seed, 10) for seed in (1, 2))]
    paths = draw_tables(rows, tmp_path / "pictures")
    assert [path.name for path in paths] == ["base-to-novel.png", "few-shot.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)


def bars(axes, across: bool) -> list[tuple[float, float, float]]:
    """The place, lower and upper end of every bar; `across` says that they run from left to right."""
    ends = [segment for container in axes.containers for lines in container[2] for segment in lines.get_segments()]
    value = 0 if across else 1
    return [(segment[0][1 - value], *sorted(segment[:, value])) for segment in ends]


def test_nothing_lies_beyond_0_and_100_percent() -> None:
    """Half the 95 % CI of 2 % and 98 % is 610 points."""
    dots = [row("x", "bmip", seed, base, 100) for seed, base in ((1, 4), (2, 196))]
    curves = [sweep("bmip", shots, seed, right) for shots in (1, 2) for seed, right in ((1, 2), (2, 98))]
    for rows, across in ((dots, True), (curves, False)):
        (axes,) = drawn(rows).axes
        low, high = axes.get_xlim() if across else axes.get_ylim()
        assert 0 <= low < high <= 100
        ends = [(lower, upper) for _, lower, upper in bars(axes, across)]
        assert (0, 100) in ends and all(0 <= lower <= upper <= 100 for lower, upper in ends)


def test_no_bar_hides_another() -> None:
    rows = [
        sweep(method, shots, seed, 50 + seed) for method in ("bmip", "maple") for shots in (1, 2) for seed in (1, 2)
    ]
    for figure, across in ((drawn(ROWS), True), (drawn(rows), False)):
        for axes in figure.axes:
            places = [place for place, *_ in bars(axes, across)]
            assert len(set(places)) == len(places) > 1


def test_every_mark_stands_within_its_panel() -> None:
    for axes in drawn(ROWS).axes:
        low, high = axes.get_xlim()
        assert all(low <= value <= high for found in points(axes).values() for value, _ in found)
