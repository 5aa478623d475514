"""Every protocol has a layout of its own."""

from bmip.experiments.registry import protocol, protocol_names
from bmip.report import tables
from bmip.report.layouts import LAYOUTS
from bmip.report.table_data import table_data
from tests.report.test_tables import ROWS, judged


def test_every_protocol_has_a_layout() -> None:
    assert set(LAYOUTS) == set(protocol_names())


def test_a_layout_knows_the_preset_of_its_protocol() -> None:
    for name in LAYOUTS:
        (data,) = table_data([judged(name, "bmip", 1, {"100": 50}, data="x")])
        assert data.layout.preset == protocol(name).preset


def test_shots_stand_in_columns_or_in_tables_of_their_own() -> None:
    rows = [judged(name, "bmip", 1, {"100": 50}, data="x", shots=shots) for name in LAYOUTS for shots in (0, 1, 2)]
    found = table_data(rows)
    whole = [data for data in found if data.layout.shots_in_columns]
    assert [len(data.rows) for data in whole] == [3]
    assert len(found) == 1 + 3 * (len(LAYOUTS) - 1)
    assert all(len(data.cells) == len(data.labels) == 1 for data in found)


def test_the_title_names_no_shots_where_they_stand_in_columns() -> None:
    (table,) = tables([judged("few-shot", "bmip", 1, {"all": 50}, data="x", shots=shots) for shots in (0, 1)])
    assert table.title == "Few-shot, x (abcdef01)"


def test_a_line_lacks_what_was_not_run() -> None:
    (data,) = table_data(ROWS[:9])
    zero_shot, bmip = data.labels
    assert data.lacking(zero_shot) == {}
    assert data.lacking(bmip) == {"base": ["y"], "novel": ["y"], "harmonic mean": ["y"]}
