"""The options that say where a study is computed, and the executor that they ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bmip.system.messages import counted

if TYPE_CHECKING:
    from bmip.experiments.executors.executor import Executor

_PANEL = "Where it is computed"

Workers = Annotated[int, typer.Option(min=1, help="Processes on this machine.", rich_help_panel=_PANEL)]
Devices = Annotated[
    list[str] | None,
    typer.Option(
        help="One device for each worker in turn, such as cuda:0 cuda:1.", rich_help_panel=_PANEL, show_default=False
    ),
]
RayAddress = Annotated[
    str | None,
    typer.Option(
        help="A Ray cluster, such as auto; local starts one here (pip install 'bmip\\[ray]').",
        metavar="ADDRESS",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
RayCpus = Annotated[
    float | None,
    typer.Option(min=0.0, help="Cores of each Ray task; 1 if not given.", rich_help_panel=_PANEL, show_default=False),
]
RayGpus = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        help="GPUs, or part of one, of each Ray task; none if not given.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
RayMemory = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        help="Memory of each Ray task in GB; nothing is claimed if not given.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]


@dataclass(frozen=True)
class Where:
    """What the options say.

    Raises ValueError for options that do not go together: none is left without effect.
    """

    workers: int
    devices: list[str] | None
    threads: int | None
    ray: str | None
    ray_cpus: float | None
    ray_gpus: float | None
    ray_memory: float | None

    def __post_init__(self) -> None:
        if self.ray is not None and (self.workers > 1 or self.devices):
            raise ValueError("--ray and --workers or --devices exclude each other: Ray starts its own workers")
        needs = {"--ray-cpus": self.ray_cpus, "--ray-gpus": self.ray_gpus, "--ray-memory": self.ray_memory}
        alone = [name for name, value in needs.items() if value is not None]
        if self.ray is None and alone:
            raise ValueError(f"{alone[0]} is for tasks on a Ray cluster: name the cluster (--ray), or leave it out")
        if self.devices and len(self.devices) > self.workers:
            raise ValueError(
                f"--devices names {counted(len(self.devices), 'device')} for {counted(self.workers, 'worker')}: give "
                "as many --workers, or fewer --devices"
            )

    @property
    def device(self) -> str:
        """Where this process computes."""
        return self.devices[0] if self.devices else "auto"

    def executor(self) -> Executor | None:
        """Where the tasks are carried out; None for this process. Raises what `Ray` raises."""
        if self.ray is not None:
            from bmip.experiments.executors.ray_cluster import Needs, Ray

            given: dict[str, Any] = {"cpus": self.ray_cpus, "gpus": self.ray_gpus, "memory_gb": self.ray_memory}
            given["threads"] = self.threads
            return Ray(self.ray, Needs(**{name: value for name, value in given.items() if value is not None}))
        if self.workers > 1:
            from bmip.experiments.executors.pool import Pool

            return Pool(self.workers, devices=self.devices or ["auto"], threads=self.threads)
        return None
