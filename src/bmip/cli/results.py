"""`bmip results FILE...`, `bmip results merge SHARD...`, `bmip results presets FILE...`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bmip.cli import common_options, completion
from bmip.cli.arguments import check_stored
from bmip.cli.command import Command, Group
from bmip.cli.console import add, note, out, table
from bmip.system.files import write_bytes
from bmip.system.messages import counted, nearest

if TYPE_CHECKING:
    from bmip.experiments.results import Row

LIST, MERGE, PRESETS = "list", "merge", "presets"
FORMATS = ("csv", "parquet", "latex", "json")
UNKNOWN = "–"
HELP = ("--help", "-h")


class _Results(Group):
    """The commands `merge` and `presets`; whatever else stands there is for `list`, which nobody needs to write."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Puts `list` before what does not name a command."""
        return super().parse_args(ctx, args if args and args[0] in (*self.commands, *HELP) else [LIST, *args])


HELP_TEXT = """List, export and merge files of results.

`bmip results FILE...` stands for `bmip results list FILE...`; `bmip results merge SHARD...` makes one file of several.
"""
app = typer.Typer(add_completion=False, cls=_Results)


@app.callback(help=HELP_TEXT, epilog="Example: bmip results runs/few-shot/results.jsonl --method bmip")
def results() -> None:
    """Nothing is done before a command."""


@app.command(
    LIST,
    cls=Command,
    epilog="Example: bmip results list runs/few-shot/results.jsonl --method bmip --to csv --out bmip.csv",
)
def list_(
    files: common_options.Stored,
    protocol: Annotated[
        list[str] | None,
        typer.Option(
            help="Only these protocols: one or more.", show_default=False, autocompletion=completion.protocols
        ),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            help="Only what was evaluated on these data sets: one or more.",
            show_default=False,
            autocompletion=completion.data_sets,
        ),
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option(help="Only these methods: one or more.", show_default=False, autocompletion=completion.methods),
    ] = None,
    seeds: Annotated[list[int] | None, typer.Option(help="Only these data seeds.", show_default=False)] = None,
    to: Annotated[
        str | None,
        typer.Option(
            help="Write the rows in this format instead: csv and parquet have a line for each row, latex has tables "
            "with booktabs, json is a list of the rows.",
            metavar="|".join(FORMATS),
            show_default=False,
            autocompletion=lambda incomplete: [name for name in FORMATS if name.startswith(incomplete)],
        ),
    ] = None,
    to_file: Annotated[
        Path | None, typer.Option("--out", help="The file to write, with --to.", metavar="FILE", show_default=False)
    ] = None,
) -> None:
    """List the rows of files of results, the newest last, or export them.

    `list` may be left out. `bmip results merge SHARD... --out FILE` makes one file of several.
    """
    check_stored(files)
    _check_export(files, to, to_file)

    from bmip.cli.result_files import rows_of
    from bmip.report.filter import select

    rows = select(rows_of(files), data or [], method or [], protocols=protocol or [], seeds=seeds or [])
    if to is None or to_file is None:
        _show(sorted(rows, key=lambda row: row.time))
        return
    from bmip.report.export import EXPORTS

    content = EXPORTS[to](rows)
    to_file.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(to_file, content)
    note(f"{counted(len(rows), 'row')} written to {to_file}")


@app.command(
    MERGE,
    cls=Command,
    epilog="Example: bmip results merge shard-1/results.jsonl shard-2/results.jsonl --out results.jsonl",
)
def merge(
    shards: common_options.Stored,
    to_file: Annotated[Path, typer.Option("--out", help="The file to write.", metavar="FILE")],
) -> None:
    """Make one file of the results of several, each trial once.

    A trial that two files have must have the same result in both. Nothing is written otherwise, nor where FILE holds a
    result that none of the others has. Merging the same files again gives the same bytes.
    """
    check_stored(shards)

    from bmip.cli.result_files import rows_of
    from bmip.experiments.results import Results

    rows = rows_of(shards)
    Results(to_file).replace(rows)
    note(f"{counted(len(rows), 'row')} of {counted(len(shards), 'file')} written to {to_file}")


@app.command(
    PRESETS,
    cls=Command,
    epilog="Example: bmip results presets runs/studies/embedded_search --out presets.toml",
)
def presets(
    files: common_options.Stored,
    to_file: Annotated[Path, typer.Option("--out", help="The file to write.", metavar="FILE")],
) -> None:
    """Choose for each method the settings that are best on validation images, among those that were tried.

    It reads the rows of the protocol `validation`. The file it writes is used with --preset FILE.
    """
    check_stored(files)

    from bmip.cli.result_files import rows_of
    from bmip.experiments.presets import write_presets
    from bmip.experiments.search import best_presets

    found = best_presets(rows_of(files))
    if not found:
        raise ValueError(
            f"{', '.join(map(str, files))}: no method was trained with settings on the same validation images: "
            'give a study with the protocol "validation", or the results of `bmip search`'
        )
    shown = table("method", "chosen")
    for method, preset in found.items():
        add(shown, method, preset.source)
    out().print(shown)
    write_presets(to_file, found)
    note(f"settings of {counted(len(found), 'method')} written to {to_file}")


def _check_export(files: list[Path], to: str | None, to_file: Path | None) -> None:
    if to is not None and to not in FORMATS:
        raise ValueError(f"--to is {to!r}: {nearest(to, FORMATS)}")
    if to is None and to_file is not None:
        raise ValueError(f"--out {to_file} needs a format: add --to {' or '.join(FORMATS)}")
    if to is not None and to_file is None:
        raise ValueError(f"--to {to} needs a file to write: add --out FILE")
    if to_file is not None and to_file.resolve() in [file.resolve() for file in files]:
        raise ValueError(f"--out {to_file} would replace a file of results that is read: name another file")


def _show(rows: list[Row]) -> None:
    shown = table(
        "protocol", "data set", "method", "shots", "seeds", "accuracy in %", "trainable parameters",
        "training", "evaluation", "memory", "GPU memory",
    )  # fmt: skip
    for row in rows:
        trial, run = row.trial, row.trial.run
        add(
            shown,
            trial.protocol,
            f"{run.data} → {trial.target}" if trial.target else run.data,
            row.label or f"{run.method_name}:{run.preset}",
            str(run.shots or "all"),
            f"{run.data_seed}/{run.init_seed}",
            ", ".join(f"{part} {count.percent:.1f}" for part, count in row.counts.items()),
            f"{row.trainable:,}",
            f"{row.training_seconds:.0f} s",
            f"{row.evaluation_seconds:.0f} s",
            _size(row.peak_memory),
            _size(row.peak_gpu_memory),
        )
    out().print(shown)


def _size(count: int | None) -> str:
    return UNKNOWN if count is None else f"{count / 1e9:.1f} GB"
