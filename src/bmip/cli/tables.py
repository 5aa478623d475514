"""Tables of accuracies and of predictions for the terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table

from bmip.cli.console import add, table
from bmip.evaluation.evaluate import Predictions
from bmip.evaluation.predict import Prediction
from bmip.evaluation.unknown import Threshold

MANY = 30  # classes; of more the worst are shown
BAR = 10  # characters
UNKNOWN = "unknown: none of the classes"


def accuracy_table(found: Predictions, title: str) -> Table:
    """The accuracy of each class and of all together. Of many classes only those with the lowest accuracy are shown."""
    shown = table("class", "right", "of", "accuracy", title=title)
    for column in shown.columns[1:]:
        column.justify = "right"
    counts = [(name, count) for name, count in zip(found.classes.names, found.per_class(), strict=True) if count.total]
    if len(counts) > MANY:
        counts.sort(key=lambda pair: pair[1].correct / pair[1].total)
        shown.caption = f"the {MANY} classes of {len(counts)} with the lowest accuracy"
        counts = counts[:MANY]
    for name, count in counts:
        add(shown, name, f"{count.correct:,}", f"{count.total:,}", f"{100 * count.correct / count.total:.1f} %")
    shown.add_section()
    add(shown, "all", f"{found.correct:,}", f"{found.total:,}", f"{found.accuracy:.1f} %")
    return shown


def predictions_table(
    found: Iterable[Prediction], title: str | None = None, *, threshold: Threshold | None = None
) -> Table:
    """Each image with its most probable classes and their probabilities; an unknown image says so above them."""
    shown = table("image", "class", "probability", "", title=title)
    for prediction in found:
        image = prediction.image
        if threshold is not None and threshold.unknown(prediction):
            add(shown, image, UNKNOWN, "", "")
            image = ""
        for rank, guess in enumerate(prediction.guesses):
            full = round(BAR * guess.probability)
            bar = "█" * full + "░" * (BAR - full)
            add(shown, image if rank == 0 else "", guess.name, f"{100 * guess.probability:.1f} %", bar)
        shown.add_section()
    return shown
