"""Draws the log of a pre-training run: `python -m tools.embedded.curve RUN/metrics.jsonl docs/images/embedded/run.png`.

Above, the contrastive loss of every fiftieth batch; below, zero-shot accuracy on validation images.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import fmean

from bmip.report.figure import INK, blank, save

LINE = 4.5
"""Height of a line of text, in percent of accuracy."""


def draw(rows: list[dict], path: Path) -> None:
    """Draws the rows of metrics.jsonl."""
    losses = [row for row in rows if "contrast" in row]
    accuracies = [row for row in rows if "zero_shot" in row]
    figure = blank(8.0, 6.0)
    above, below = figure.subplots(2, 1, sharex=True)
    above.plot([row["step"] for row in losses], [row["contrast"] for row in losses], color=INK, linewidth=1)
    above.set(ylabel="contrastive loss", ylim=(0, None))
    steps = [row["step"] for row in accuracies]
    free = 0.0
    for place, name in enumerate(sorted(accuracies[-1]["zero_shot"], key=accuracies[-1]["zero_shot"].__getitem__)):
        values = [row["zero_shot"][name] for row in accuracies]
        below.plot(steps, values, color=f"C{place % 10}", linewidth=1)
        height = max(free, values[-1])
        free = height + LINE
        below.annotate(
            name, (1.01, height), xycoords=("axes fraction", "data"), fontsize=8, color=f"C{place % 10}", va="center"
        )
    means = [fmean(row["zero_shot"].values()) for row in accuracies]
    below.plot(steps, means, color=INK, linewidth=2.5, label="mean of the sets")
    below.set(xlabel="step", ylabel="zero-shot accuracy in %, validation", ylim=(0, 100))
    below.legend(frameon=False, loc="upper left")
    for panel in (above, below):
        panel.spines[["top", "right"]].set_visible(False)
        panel.margins(x=0)
    figure.subplots_adjust(left=0.08, right=0.89, top=0.97, bottom=0.09, hspace=0.1)
    save(figure, path)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m tools.embedded.curve METRICS PICTURE")
    draw([json.loads(line) for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()], Path(sys.argv[2]))
