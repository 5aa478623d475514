"""The table of each protocol."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from bmip.experiments.results import Row
from bmip.experiments.trial import Trial
from bmip.report.columns import Balance, Column, counted, scored
from bmip.report.labels import Variant, circumstances, labels, variant
from bmip.report.lines import ABSENT, Layout, cells, lay_out, places_of
from bmip.report.old_splits import is_older, told_apart
from bmip.report.seeds import are_crossed, deviations
from bmip.report.table import Table, without_repeats
from bmip.run_spec import HALF, shots_text

TRANSFERS = ("cross-dataset", "domain")
SCORES = {
    "macro_accuracy": "macro accuracy",
    "top5": "top-5",
    "macro_f1": "macro F1",
    "calibration_error": "ECE",
    "auroc": "AUROC",
    "fpr95": "FPR95",
    "openworld_auc": "OpenworldAUC",
}
"""How what a row calls its scores is printed."""

_SEEDS = "Mean over seeds ± half the 95 % interval (Student's t)."
_BASE_NOVEL = (
    "Base classes are those trained on; base and novel images are each classified among their own classes. "
    f"{_SEEDS} The harmonic mean in a line is that of the line's two averages."
)


def tables(rows: Iterable[Row]) -> list[Table]:
    """One for each protocol, number of shots, choice of base classes, source of a transfer and backbone.

    Where data seeds met several initialisation seeds, a second one says what each of them changes.
    """
    found = []
    for members in grouped(rows):
        plan, key = layout(members), line_of(members)
        found.append(lay_out(members, plan, key))
        found += _what_seeds_change(members, plan, key)
    return found


def grouped(rows: Iterable[Row]) -> list[list[Row]]:
    """The rows of each table; those on older splits of a data set have one of their own."""
    groups: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in told_apart(rows):
        groups[(*_table_of(row.trial), row.backbone, "older" if is_older(row) else "")].append(row)
    return [members for _, members in sorted(groups.items())]


def _table_of(trial: Trial) -> tuple[str, ...]:
    """Sorted as text, in which fewer shots come first."""
    shots = 0 if trial.protocol == "few-shot" else trial.run.shots
    source = trial.run.data if trial.protocol in TRANSFERS else ""
    return (
        trial.protocol,
        f"{shots:06}",
        "" if trial.run.base == HALF else str(trial.run.base),
        source,
        trial.run.backbone,
    )


def line_of(rows: Sequence[Row]) -> Callable[[Row], Variant]:
    """What rows of one table have in common that stand in one line."""
    return partial(variant, shots=rows[0].trial.protocol != "few-shot")


def layout(rows: Sequence[Row]) -> Layout:
    """Of rows of one table."""
    trial = rows[0].trial
    balance = Balance("harmonic mean", "base", "novel")
    if trial.protocol == "base-to-novel":
        caption = f"Test accuracy in %. {_BASE_NOVEL} Seconds of a run: training and judging."
        return Layout("Base to novel", (counted("base"), counted("novel"), balance), caption, timed=True)
    if trial.protocol == "validation":
        caption = f"Accuracy in % on validation images, no results. {_BASE_NOVEL}"
        return Layout("Search", (counted("base"), counted("novel"), balance), caption)
    if trial.protocol == "few-shot":
        shots = sorted({row.trial.run.shots for row in rows}, key=lambda count: (count == 0, count))
        caption = f"Test accuracy in % among all classes, trained on so many images of each. {_SEEDS}"
        return Layout("Few-shot", tuple(map(_at, shots)), caption, axis="training images per class")
    if trial.protocol in TRANSFERS:
        about = "its own classes" if trial.protocol == "cross-dataset" else "the classes it shows"
        caption = f"Test accuracy in %, each data set among {about}, after one training on {trial.run.data}. {_SEEDS}"
        name = "Cross-dataset" if trial.protocol == "cross-dataset" else "Domain generalisation"
        return Layout(f"{name} from {trial.run.data}", (counted("all", "accuracy"),), caption, source=trial.run.data)
    if trial.protocol == "open-world":
        return _open_world()
    if trial.protocol == "ratio-sweep":
        caption = (
            "Test accuracy in % in a label space of as many classes as there are base ones. The heading says which "
            "share of them is kept, rounded down; novel ones take the places of the others as far as there are enough. "
            f"{_SEEDS}"
        )
        every_second = [part for part in _parts(rows) if int(part) % 20 == 0]
        columns = tuple(counted(part, f"{part} %") for part in every_second)
        return Layout("Ratio sweep", columns, caption, drawn=True, axis="base classes, in %")
    title = trial.protocol.replace("-", " ").capitalize()
    return Layout(title, tuple(map(counted, _parts(rows))), f"Accuracy in %. {_SEEDS}")


def all_metrics(rows: Iterable[Row]) -> list[Table]:
    """As `tables`, with everything that the rows hold."""
    found = []
    for members in grouped(rows):
        own = layout(members)
        scores = [name for name in SCORES if any(name in row.scores for row in members)]
        columns = (*map(counted, _parts(members)), *(scored(name, SCORES[name]) for name in scores))
        plain = Layout(f"{own.title}, all metrics", columns, f"All in %. {_SEEDS}", own.source, own.drawn)
        found += [lay_out(of_shots, plain) for of_shots in _by_shots(members)]
    return found


def _what_seeds_change(rows: Sequence[Row], plan: Layout, key: Callable[[Row], Variant]) -> list[Table]:
    """Standard deviations of the lines whose data seeds met several initialisation seeds; no table without such."""
    columns = [column for column in plan.columns if isinstance(column, Column)]
    found = cells([row for row in rows if row.trainable or plan.drawn], key)
    lines = []
    for name in places_of(found, plan)[0]:
        for one, label in labels(rows, key).items():
            values = [column.values(found.get((name, one), [])) for column in columns]
            if any(map(are_crossed, values)):
                each = [number for own in values for number in deviations(own)]
                lines.append((name, label, *(ABSENT if number is None else f"{number:.1f}" for number in each)))
    if not lines:
        return []
    headings = [f"{column.heading}, {seeds}" for column in columns for seeds in ("data", "init")]
    caption = (
        "Standard deviations in points: between data seeds, of their means over initialisation seeds, and between "
        "initialisation seeds, of their means over data seeds. Over the data seeds that met every initialisation seed."
    )
    title = f"{plan.title}, what seeds change{circumstances(rows, key)}"
    return [Table(title, ("data set", "method", *headings), without_repeats(lines), caption)]


def _parts(rows: Iterable[Row]) -> list[str]:
    """What was judged; ratios from 100 to 0."""
    parts = {part for row in rows for part in row.counts}
    return sorted(parts, key=lambda part: (-int(part), part) if part.isdigit() else (0, part))


def _by_shots(rows: Sequence[Row]) -> list[list[Row]]:
    return [
        [row for row in rows if row.trial.run.shots == shots] for shots in sorted({row.trial.run.shots for row in rows})
    ]


def _at(shots: int) -> Column:
    return Column(shots_text(shots), lambda row: counted("all").of(row) if row.trial.run.shots == shots else None)


def _open_world() -> Layout:
    return Layout(
        "Open world",
        (
            counted("base"),
            counted("novel"),
            Balance("H", "base", "novel"),
            counted("base_joint", "base, joint"),
            counted("novel_joint", "novel, joint"),
            Balance("joint HM", "base, joint", "novel, joint"),
            counted("joint"),
            scored("auroc", "AUROC"),
            scored("openworld_auc", "OpenworldAUC"),
        ),
        "In %. Base and novel: images among the classes of their own half, and H the harmonic mean of both. Joint: "
        "among all classes. AUROC: of telling base from novel images by the highest probability among the base "
        f"classes. {_SEEDS} Harmonic means in a line are those of the line's averages.",
        pictured=("base, joint", "novel, joint", "joint HM"),
    )
