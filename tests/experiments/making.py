"""Trials in one line."""

from dataclasses import replace

from bmip.data.read_config import ReadConfig
from bmip.experiments.trial import Trial
from bmip.run_spec import RunSpec


def a_trial(protocol: str = "base-to-novel", *, target: str = "", template: str = "", **run) -> Trial:
    """On a backbone for which no settings were searched, so the preset `default` is the one that is taken."""
    return Trial(
        protocol=protocol, run=RunSpec(**{"backbone": "x", "read": ReadConfig(template=template), **run}), target=target
    )


def replaced(trial: Trial, **changes) -> Trial:
    """The trial with other fields of its run."""
    return replace(trial, run=replace(trial.run, **changes))
