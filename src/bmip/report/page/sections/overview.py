"""What was compared, on what and with what settings; and what is missing or failed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bmip.experiments.presets import preset_of
from bmip.experiments.registry import protocol, protocol_names
from bmip.report.lines import lacking_text
from bmip.report.page.content import Absent, Block, Facts, Fold, Section, Sheet, Text
from bmip.report.page.material import Material, title_of
from bmip.report.table import Table, without_repeats
from bmip.report.table_data import TableData
from bmip.run_spec import RunSpec, Settings, shots_text
from bmip.studies.expand import Planned
from bmip.system.messages import counted, first_few

MANY = 20  # names in a sentence


def compared(material: Material) -> Section | Absent:
    """Protocols, methods, data sets, seeds, backbones and machines; and each method's settings."""
    rows = material.source.rows
    if not rows:
        return Absent("What was compared", "no trial has a result")
    trials = [row.trial for row in rows]
    facts = [
        ("Protocols", _names(trial.protocol for trial in trials)),
        ("Methods", _names(label for data in material.tables for label in data.labels.values())),
        ("Data sets", _names(trial.place for trial in trials)),
        ("Backbones", _names(f"{row.trial.run.backbone} ({row.backbone[:8]})" for row in rows)),
        ("Training images per class", _names(shots_text(trial.run.shots) for trial in trials)),
        ("Data seeds", _names(str(trial.run.data_seed) for trial in trials)),
        ("Results", counted(len(rows), "trial")),
        ("Computed on", _names((_machine(row.environment) for row in rows), separator="; ")),
        ("Versions", _names((_versions(row.environment) for row in rows), separator="; ")),
    ]
    known = [protocol(name) for name in dict.fromkeys(trial.protocol for trial in trials) if name in protocol_names()]
    blocks: list[Block] = [Facts(tuple(pair for pair in facts if pair[1]))]
    if known:
        blocks.append(Fold("What the protocols are", (Facts(tuple((one.name, one.meaning) for one in known)),)))
    return Section("What was compared", [*blocks, Sheet(_settings(material.tables))])


def missing(material: Material) -> Section:
    """Trials that failed with their causes, trials of the plan that were not made, and lines that lack cells."""
    source = material.source
    labels = {one.trial: one.label for one in source.planned}
    failed = [
        (trial.protocol, trial.described(labels.get(trial, "")), failure.kind, failure.cause)
        for trial, failure in source.failures.items()
    ]
    known = {row.trial for row in source.rows} | source.failures.keys()
    left = [one for one in source.planned if one.trial not in known]
    tables = (
        Table(
            "Failed",
            ("protocol", "trial", "kind", "cause"),
            without_repeats(failed),
            "Trials that have no result since they failed, and why.",
        ),
        Table(
            "Planned and not made",
            ("protocol", "data set", "method", "trials"),
            without_repeats(list(_counts(left))),
            "Trials of the plan that have no result and have not failed: they were not tried yet.",
        ),
        Table(
            "Lines without an average",
            ("table", "method", "lacks"),
            without_repeats([line for data in material.tables for line in _lacking(data)]),
            "These lines lack results that other lines of their tables have. Averages over different data sets or "
            "seeds cannot be compared, so they have none.",
        ),
    )
    blocks = [Sheet(table) for table in tables if table.rows]
    nothing = Text(
        "Nothing: every line has all results that other lines of its table have, and no trial is known to have failed."
    )
    return Section("What is missing or failed", blocks or [nothing])


def _settings(tables: Iterable[TableData]) -> Table:
    lines: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for data in tables:
        for one, label in data.labels.items():
            found = label, one.preset, _said(one.options), _said(one.training), _source(one)
            lines[found].append(data.layout.title)
    return Table(
        "Settings of each line",
        ("method", "tables", "preset", "options", "training", "where the preset comes from"),
        tuple((label, _names(titles), *rest) for (label, *rest), titles in lines.items()),
        "Options and training settings that differ from the defaults of the method and of the trainer.",
    )


def _source(one: RunSpec) -> str:
    try:
        preset = preset_of(one)
    except (ValueError, OSError):
        return "unknown here"
    own = f"; settings of its own for {first_few(preset.by_data, MANY)}" if preset.by_data else ""
    return preset.source + own


def _said(settings: Settings) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings) or "–"


def _counts(left: Iterable[Planned]) -> Iterator[tuple[str, ...]]:
    groups = Counter((one.trial.protocol, one.trial.place, one.label or one.trial.run.method_name) for one in left)
    for (name, place, method), count in groups.items():
        yield name, place, method, str(count)


def _lacking(data: TableData) -> Iterator[tuple[str, ...]]:
    for one, label in data.labels.items():
        if lacking := data.lacking(one):
            yield title_of(data), label, lacking_text(lacking)


def _names(found: Iterable[str], separator: str = ", ") -> str:
    return first_few(dict.fromkeys(name for name in found if name), MANY, separator=separator)


def _machine(environment: Mapping[str, Any]) -> str:
    known = environment.get("gpu") or environment.get("processor") or environment.get("device")
    cores = environment.get("cores")
    return f"{known}, {counted(cores, 'core')}" if known and cores else str(known or "")


def _versions(environment: Mapping[str, Any]) -> str:
    parts = [f"{name} {environment[name]}" for name in ("bmip", "torch", "python") if environment.get(name)]
    commit = environment.get("commit")
    changed = ", changed since" if environment.get("dirty") else ""
    return ", ".join([*parts, *([f"commit {commit[:10]}{changed}"] if commit else [])])
