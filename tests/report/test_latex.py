"""Tables in LaTeX: their structure, and where a LaTeX is installed that it takes them."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from bmip.report.export import to_latex
from bmip.report.latex import escaped
from tests.experiments.making import replaced
from tests.report.test_tables import ROWS, judged

ODD = r"50% of a_b & {c} #1 $5 ~x ^y \z <w> |v|"
TRANSFER = [
    judged("cross-dataset", method, seed, {"all": right + seed}, data="photos", target=target, preset="cross-dataset")
    for method, right in (("coop", 50), ("maple", 60))
    for seed in (1, 2)
    for target in ("", "dtd", "pets")
]
EVERYTHING = [
    *ROWS,
    *TRANSFER,
    *(judged("few-shot", "coop", 1, {"all": 50 + shots}, data="x", shots=shots) for shots in (1, 2, 4)),
    *(replace(row, trial=replaced(row.trial, data=ODD)) for row in ROWS[:2]),
]


def body(text: str) -> list[str]:
    """The lines between the first rule and the last one."""
    return text.partition(r"\toprule" + "\n")[2].partition("\n" + r"\bottomrule")[0].splitlines()


def test_a_line_for_each_data_set_and_method() -> None:
    head, rule, *lines = body(to_latex(ROWS).decode())
    assert head == r"data set & method & base & novel & harmonic mean & seeds & trainable parameters & seconds \\"
    assert rule == r"\midrule"
    assert lines[:4] == [
        r"x & zero-shot & 50.0 & 60.0 & 54.5 & 3 & 0 & 1 \\",
        r" & bmip & \textbf{85.0 $\pm$ 12.4} & 60.0 $\pm$ 24.8 & \textbf{70.3} & 3 & 1,234 & 1 \\",
        r"\midrule",
        r"y & zero-shot & \textbf{70.0} & 20.0 & 31.1 & 3 & 0 & 1 \\",
    ]
    assert lines[-1].startswith(" & bmip & ")


def test_a_transfer_has_a_column_for_each_data_set() -> None:
    assert body(to_latex(TRANSFER).decode()) == [
        r" & source & \multicolumn{3}{c}{target} \\",
        r"\cmidrule(lr){2-2} \cmidrule(lr){3-5}",
        r"method & photos & dtd & pets & average \\",
        r"\midrule",
        *(
            f"{method} & " + " & ".join([f"{mean} $\\pm$ 6.4"] * 4) + r" \\"
            for method, mean in (("coop", 51.5), ("maple", 61.5))
        ),
    ]


def test_the_best_of_a_data_set_is_bold_where_the_difference_is_clear() -> None:
    """Maple is 10 points better on average: on the source always, on one target nearly always, on the other one not."""
    clear, unclear = {1: 0, 2: 1, 3: -1}, {1: 10, 2: -30, 3: 5}
    more = [
        judged(
            "cross-dataset", method, seed, {"all": right + change}, data="photos", target=target, preset="cross-dataset"
        )
        for method, right in (("coop", 50), ("maple", 60))
        for seed in (1, 2, 3)
        for target, shift in (("", {}), ("dtd", clear), ("pets", unclear))
        for change in [shift.get(seed, 0) if method == "maple" else 0]
    ]
    (line,) = [line for line in body(to_latex(more).decode()) if line.startswith("maple")]
    photos, dtd, pets, average = line.removeprefix("maple & ").removesuffix(r" \\").split(" & ")
    assert dtd.startswith(r"\textbf{60.0") and r"\textbf" not in photos + pets + average


def test_an_average_lacks_no_data_set() -> None:
    """A method that was not evaluated on a target has no number there, and no average."""
    fewer = [row for row in TRANSFER if (row.trial.run.method, row.trial.target) != ("coop", "pets")]
    (line,) = [line for line in body(to_latex(fewer).decode()) if line.startswith("coop")]
    assert line == r"coop & 51.5 $\pm$ 6.4 & 51.5 $\pm$ 6.4 & -- & -- \\"


def test_every_line_has_as_many_cells_as_the_table_has_columns() -> None:
    text = to_latex(EVERYTHING).decode()
    tables = re.findall(r"\\begin\{tabular\}\{([lr]+)\}\n(.*?)\\end\{tabular\}", text, re.DOTALL)
    assert len(tables) == len(re.findall(r"\\begin\{table\}", text)) == 3
    for columns, inside in tables:
        rows = [line for line in inside.splitlines() if line.endswith(r"\\")]
        assert rows
        for line in rows:
            merged = sum(int(count) - 1 for count in re.findall(r"\\multicolumn\{(\d+)\}", line))
            assert len(re.findall(r"(?<!\\)&", line)) + 1 + merged == len(columns), line
        assert re.findall(r"\\(toprule|bottomrule)", inside) == ["toprule", "bottomrule"]
    assert len(set(re.findall(r"\\label\{(.+?)\}", text))) == 3


def test_a_label_is_the_name_of_its_line() -> None:
    rows = [replace(row, label="50 % & more") if row.trainable else row for row in ROWS]
    assert [line.split(" & ")[1] for line in body(to_latex(rows).decode())[2:4]] == ["zero-shot", r"50 \% \& more"]


def test_letters_that_mean_something_to_latex() -> None:
    assert escaped(ODD) == (
        r"50\% of a\_b \& \{c\} \#1 \$5 \textasciitilde{}x \textasciicircum{}y \textbackslash{}z "
        r"\textless{}w\textgreater{} \textbar{}v\textbar{}"
    )
    assert escaped(ODD) in to_latex(EVERYTHING).decode()


LATEX = next(filter(None, map(shutil.which, ("pdflatex", "lualatex", "xelatex", "tectonic"))), None)


@pytest.mark.skipif(LATEX is None, reason="no LaTeX is installed")
def test_latex_takes_the_tables(tmp_path: Path) -> None:
    assert LATEX is not None
    text = "\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\n"
    (tmp_path / "t.tex").write_text(text + to_latex(EVERYTHING).decode() + "\\end{document}\n")
    options = [] if LATEX.endswith("tectonic") else ["-interaction=nonstopmode", "-halt-on-error"]
    subprocess.run([LATEX, *options, "t.tex"], cwd=tmp_path, check=True, capture_output=True, timeout=120)
    assert (tmp_path / "t.pdf").exists()
