"""How the rows of each protocol become a table. No other module of the report knows a protocol by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from bmip.experiments.results import Row
from bmip.report.columns import Balance, Column, counted, scored
from bmip.report.places import Place, PlacedRow
from bmip.run_spec import shots_text

SEEDS = "Mean over seeds ± half the 95 % CI (Student's t)."
_BASE_NOVEL = (
    "Base classes are those trained on; base and novel images are each classified among their own classes. "
    f"{SEEDS} The harmonic mean in a line is that of the line's two averages."
)


@dataclass(frozen=True)
class Layout:
    """How the rows of one protocol become a table."""

    title: str
    columns: tuple[Column | Balance, ...]
    caption: str
    source: Place | None = None
    """The data set that all rows were trained on, where a table holds one such only. Its line comes first and does not
    enter the average."""

    drawn: bool = False
    """Whether the seeds matter for untrained methods, too."""

    timed: bool = False
    """Whether a run's seconds are those of its own training, so that they say what a method costs."""

    shots_in_columns: bool = False
    """Whether runs with different numbers of shots stand in one line."""

    preset: str = ""
    """The preset that methods which have it take without being asked (`Protocol.preset`)."""

    axis: str = ""
    """The quantity that changes from column to column, if there is one; a picture then shows curves along it."""

    pictured: tuple[str, ...] = ()
    """The headings of the columns that a picture shows; empty for all."""

    @property
    def judged(self) -> Sequence[Column | Balance]:
        """The columns by which methods are compared: the first harmonic mean, or all columns where there is none."""
        balances = [column for column in self.columns if isinstance(column, Balance)]
        return balances[:1] or self.columns


def layout(rows: Sequence[PlacedRow]) -> Layout:
    """The layout of the table that holds these rows of one protocol."""
    return LAYOUTS.get(rows[0].row.trial.protocol, _plain)(rows)


def parts(rows: Iterable[PlacedRow]) -> list[str]:
    """The names of the evaluated parts; ratios from 100 to 0."""
    found = {part for one in rows for part in one.row.counts}
    return sorted(found, key=lambda part: (-int(part), part) if part.isdigit() else (0, part))


def _base_to_novel(rows: Sequence[PlacedRow]) -> Layout:
    caption = f"Test accuracy in %. {_BASE_NOVEL} Seconds of a run: training and evaluation."
    return Layout("Base to novel", _halves("harmonic mean"), caption, timed=True)


def _validation(rows: Sequence[PlacedRow]) -> Layout:
    caption = f"Accuracy in % on validation images, no results. {_BASE_NOVEL}"
    return Layout("Validation", _halves("harmonic mean"), caption)


def _halves(balance: str) -> tuple[Column | Balance, ...]:
    base, novel = counted("base"), counted("novel")
    return base, novel, Balance(balance, base, novel)


def _few_shot(rows: Sequence[PlacedRow]) -> Layout:
    shots = sorted({one.row.trial.run.shots for one in rows}, key=lambda count: (count == 0, count))
    caption = f"Test accuracy in % among all classes, trained on so many images of each. {SEEDS}"
    axis = "training images per class"
    return Layout("Few-shot", tuple(map(_at, shots)), caption, axis=axis, shots_in_columns=True)


def _at(shots: int) -> Column:
    def percent(row: Row) -> float | None:
        return counted("all").of(row) if row.trial.run.shots == shots else None

    return Column(shots_text(shots), percent)


def _transfer(rows: Sequence[PlacedRow], name: str, classes: str) -> Layout:
    source = rows[0].trained_on
    caption = f"Test accuracy in %, each data set among {classes}, after one training on {source}. {SEEDS}"
    return Layout(
        f"{name} from {source}", (counted("all", "accuracy"),), caption, source=source, preset="cross-dataset"
    )


def _open_world(rows: Sequence[PlacedRow]) -> Layout:
    base, novel = counted("base_joint", "base, joint"), counted("novel_joint", "novel, joint")
    return Layout(
        "Open world",
        (
            *_halves("H"),
            base,
            novel,
            Balance("joint HM", base, novel),
            counted("joint"),
            scored("auroc", "AUROC"),
            scored("openworld_auc", "OpenworldAUC"),
        ),
        "In %. Base and novel: images among the classes of their own half, and H the harmonic mean of both. Joint: "
        "among all classes. AUROC: of telling base from novel images by the highest probability among the base "
        f"classes. {SEEDS} Harmonic means in a line are those of the line's averages.",
        pictured=("base, joint", "novel, joint", "joint HM"),
    )


def _ratio_sweep(rows: Sequence[PlacedRow]) -> Layout:
    caption = (
        "Test accuracy in % in a label space of as many classes as there are base ones. The heading says which "
        "share of them is kept, rounded down; novel ones take the places of the others as far as there are enough. "
        f"{SEEDS}"
    )
    columns = tuple(counted(part, f"{part} %") for part in parts(rows) if int(part) % 20 == 0)
    return Layout("Ratio sweep", columns, caption, drawn=True, axis="base classes, in %")


def _plain(rows: Sequence[PlacedRow]) -> Layout:
    """For a protocol that this package does not know: a column for each part."""
    title = rows[0].row.trial.protocol.replace("-", " ").capitalize()
    return Layout(title, tuple(map(counted, parts(rows))), f"Accuracy in %. {SEEDS}")


LAYOUTS: Mapping[str, Callable[[Sequence[PlacedRow]], Layout]] = {
    "base-to-novel": _base_to_novel,
    "few-shot": _few_shot,
    "cross-dataset": partial(_transfer, name="Cross-dataset", classes="its own classes"),
    "domain": partial(_transfer, name="Domain generalisation", classes="the classes it shows"),
    "open-world": _open_world,
    "ratio-sweep": _ratio_sweep,
    "validation": _validation,
}
"""For each protocol the function that makes the layout of one table from the table's rows."""
