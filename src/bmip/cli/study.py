"""`bmip study PLAN.toml`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from bmip.cli import common_options, executors
from bmip.cli.command import Command
from bmip.cli.console import add, err, note, out, table
from bmip.studies.checks import PlanError
from bmip.studies.plan import read_plan
from bmip.system.messages import counted

if TYPE_CHECKING:
    from bmip.experiments.trial import Trial
    from bmip.studies.study import State

app = typer.Typer(add_completion=False)
INCOMPLETE = 1  # the exit status where a trial has no row


@app.command(cls=Command, epilog="Example: bmip study plans/embedded.toml --workers 2")
def study(
    plan: Annotated[Path, typer.Argument(help="The plan's file, or the folder of a study that was begun.")],
    out_: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="The study's folder; otherwise runs/studies/PLAN.",
            file_okay=False,
            metavar="DIR",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would be done, with time and memory, and do nothing.")
    ] = False,
    status: Annotated[
        bool,
        typer.Option(
            "--status",
            help="Say what is done, failed and missing, and do nothing; the exit status is 0 if all is done, else 1.",
        ),
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(
            help="Only trials whose protocol, data, method, label and seeds, as listed, hold each of these texts.",
            metavar="TEXT",
            show_default=False,
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many trials that are missing.", show_default=False)
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            help="One of several equal parts, such as 2/8; each writes a file of its own.",
            metavar="I/N",
            show_default=False,
        ),
    ] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try again what failed before.")] = False,
    accept_plan: Annotated[
        bool, typer.Option("--accept-plan", help="Keep stored trials that the plan no longer names beside it.")
    ] = False,
    workers: executors.Workers = 1,
    devices: executors.Devices = None,
    ray: executors.RayAddress = None,
    ray_cpus: executors.RayCpus = None,
    ray_gpus: executors.RayGpus = None,
    ray_memory: executors.RayMemory = None,
    threads: common_options.Threads = None,
    debug: common_options.Debug = False,
) -> None:
    """Carry out a plan: every method on every data set under every protocol with every seed.

    What is done is skipped, what was interrupted goes on, what fails is written down: give the same command again.

    The exit status is 0 where no trial that was asked for has failed, now or before, 1 where one has, and 2 where
    something is wrong with the command or the plan, or where data or methods do not fit the protocol.
    """
    file = plan / "plan.toml" if plan.is_dir() else plan
    if plan.is_dir() and not file.exists():
        raise PlanError(f"{plan} holds no plan.toml: name the file of a plan, or the folder of a study")
    said = read_plan(file)
    where = executors.Where(workers, devices, threads, ray, ray_cpus, ray_gpus, ray_memory)

    from bmip.experiments.resources import Resources
    from bmip.report import as_rich, tables
    from bmip.studies.expand import expand
    from bmip.studies.folder import Shard, StudyFolder
    from bmip.studies.study import Choice, asked_trials, chosen_trials, run_study, state_of, within_limit
    from bmip.studies.trackers import tracker

    common_options.use_threads(threads)
    part = Shard.parse(shard) if shard else None
    folder = StudyFolder(out_ or (plan if plan.is_dir() else Path("runs/studies") / file.stem))
    planned = expand(said)
    state = state_of(folder, planned)
    choice = Choice(only=tuple(only or ()), shard=part, retry_failed=retry_failed)
    asked, trials = asked_trials(state, choice), chosen_trials(state, choice)
    if (status or dry_run) and not accept_plan and (misfit := folder.misfit(planned)):
        note(misfit)
    if status:
        state = state.of(asked)
        _tell_status(said.name, state)
        raise typer.Exit(INCOMPLETE if state.failed or state.missing else 0)
    if dry_run:
        from bmip.cli.dry_run import tell_plan

        tell_plan(said.name, folder, state, within_limit(state, trials, limit), workers)
        return
    if not trials:
        why = "what was asked for failed before (--retry-failed tries it again)" if asked else "the shard has no trials"
        note(f"{said.name}: there is nothing to do: {why}")
        _end(state.of(asked))
    executor = where.executor()
    folder.begin(said, planned, accept=accept_plan)
    within = f"; at most {counted(limit, 'row')} will be made" if limit is not None else ""
    note(f"{said.name}: {counted(len(trials), 'trial')} of {len(planned)}; everything goes to {folder.path}{within}")
    trackers = [tracker(name, folder.path, said.name) for name in said.trackers]
    resources = Resources(device=where.device)
    from bmip.cli.progress import watching

    with watching(protocols=True, labels=state.labels) as listener:
        rows = run_study(
            folder, trials, resources=resources, executor=executor, listener=listener, shard=part,
            minutes=said.minutes, trackers=trackers, limit=limit,
        )  # fmt: skip
    for each in tables(folder.labelled(rows)):
        out().print(as_rich(each))
    state = state_of(folder, planned)
    note(f"done {len(state.done)}, failed {len(state.failed)}, missing {len(state.missing)} of {len(planned)}")
    note(f"Its tables: bmip report {folder.path}; its page: bmip report {folder.path} --html {folder.path / 'page'}")
    _end(state.of(asked))


def _tell_status(name: str, state: State) -> None:
    shown = table("protocol", "method", "done", "failed", "missing", title=name)
    groups: dict[tuple[str, str], list[Trial]] = {}
    for one in state.planned:
        groups.setdefault((one.trial.protocol, one.label or one.trial.run.method_name), []).append(one.trial)
    for (way, method), members in groups.items():
        done, failed = (sum(trial in known for trial in members) for known in (state.done, state.failed))
        add(shown, way, method, f"{done}", f"{failed}", f"{len(members) - done - failed}")
    out().print(shown)
    _tell_failures(state)
    out().print(f"done {len(state.done)}, failed {len(state.failed)}, missing {len(state.missing)}", markup=False)


def _tell_failures(state: State) -> None:
    from bmip.studies.study import described

    for trial, failure in state.failed.items():
        err().print(f"Failed: {described(trial, state.labels[trial])}: {failure.cause}", markup=False, soft_wrap=True)


def _end(state: State) -> NoReturn:
    """Names what failed, now or before, and ends with the exit status that says whether something did."""
    _tell_failures(state)
    raise typer.Exit(INCOMPLETE if state.failed else 0)
