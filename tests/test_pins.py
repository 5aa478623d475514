"""`make` sets up every Python that the README names: constraints.txt pins what pyproject.toml asks for."""

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_each_requirement_admits_its_pin(python: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (own, *more) = map(Requirement, project["optional-dependencies"]["dev"])
    parts = [project["optional-dependencies"][name] for name in sorted(own.extras)]
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()

    def here(asked: Requirement) -> bool:
        marker = asked.marker
        return marker is None or marker.evaluate({"python_version": python, "python_full_version": f"{python}.0"})

    pins = {canonicalize_name(pin.name): pin for pin in filter(here, map(Requirement, lines[1:]))}
    for asked in filter(here, [*map(Requirement, sum(parts, project["dependencies"])), *more]):
        pin = pins.get(canonicalize_name(asked.name))
        assert pin is not None, f"{asked} has no pin for Python {python}"
        (exact,) = pin.specifier
        assert exact.operator == "==" and exact.version in asked.specifier, f"{asked} does not admit {pin}"
