"""A trial: one run, and what a protocol evaluates with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from bmip.run_spec import RunSpec


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One run under a protocol, as a value that can be stored and compared. Equal trials are the same work."""

    protocol: str
    """The name of the protocol."""

    run: RunSpec
    """What is trained."""

    target: str = ""
    """The data set that is evaluated, where that is another than the one trained on."""

    @property
    def place(self) -> str:
        """The data set whose images are evaluated."""
        return self.target or self.run.data

    def described(self, label: str = "") -> str:
        """The data sets, the method, the shots, the seeds, and what a plan calls the method, for a person."""
        data = f"{self.run.data} -> {self.target}" if self.target else self.run.data
        return f"{data} {self.run.described()}" + (f" [{label}]" if label else "")

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"protocol": self.protocol, "target": self.target, "run": self.run.to_json()}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Trial:
        """The trial that `to_json` wrote. Raises ValueError for fields that are missing or unknown."""
        if odd := {field.name for field in fields(cls)} ^ set(content):
            raise ValueError(f"this is no trial of this version of bmip; missing or unknown: {', '.join(sorted(odd))}")
        return cls(**{**content, "run": RunSpec.from_json(content["run"])})
