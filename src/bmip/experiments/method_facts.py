"""What can be told of a method without importing it: its summary, options, presets and numbers of parameters.

The facts about the package's methods lie in method_facts.json, which `python -m tools.facts` writes anew from
the code; a test compares both. A method from outside and any other combination are imported.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from bmip.run_spec import Preset, Tuned
from bmip.system.documented import Documented, documented_fields
from bmip.system.messages import nearest
from bmip.system.method_name import method_name

FILE = Path(__file__).with_suffix(".json")
_TYPES = {kind.__name__: kind for kind in (bool, int, float, str)}


@dataclass(frozen=True)
class MethodFacts:
    """A method as the command line shows and checks it."""

    name: str
    """The name in results: "zero_shot" for "zero-shot"."""

    summary: str
    """One sentence on what it is."""

    options: tuple[Documented, ...]
    """The fields of its Config."""

    presets: Mapping[str, Preset]
    """Those that the method brings along."""

    adds: bool
    """Whether it has losses, an adapter or an average for other prompts (`--with`)."""

    trainable: Mapping[str, int] = field(default_factory=dict)
    """For each preset, `embedded` included, the number of trainable parameters on ViT-B/16; also for a "preset on data
    set" that has another number. Empty for a method that had to be imported."""

    def check_options(self, values: Mapping[str, Any]) -> None:
        """Raises ValueError for a name that is no option, with the nearest right one, and for an unfit value."""
        known = {option.name: option for option in self.options}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"the method {self.name!r} has no option {name!r}: {nearest(name, known, 'it has')}")
            if not known[name].admits(value):
                raise ValueError(
                    f"the option {name!r} of the method {self.name!r} is {value!r}; it must be {known[name].kind}"
                )


def method_facts(name: str) -> MethodFacts:
    """The facts about a method; see `method_name` for what it can be called, and for the ValueError."""
    known = _stored()
    full = method_name(name, [one for one in known if "+" not in one])
    return known.get(full) or from_code(full)


def known_methods() -> tuple[MethodFacts, ...]:
    """The methods of the package, then the combinations that have settings of their own."""
    return tuple(_stored().values())


def from_code(name: str) -> MethodFacts:
    """The facts as the imported method says them, without numbers of parameters."""
    from bmip.methods import load_method  # imports torch

    spec = load_method(name)
    options = tuple(documented_fields(spec.Config))
    return MethodFacts(name, spec.summary, options, spec.presets, spec.extras is not None)


def to_json(facts: MethodFacts) -> dict[str, Any]:
    """The facts as an entry of the file."""
    options = [{**asdict(option), "type": list(option.choices) or option.type.__name__} for option in facts.options]
    return {**asdict(facts), "options": options}


@cache
def _stored() -> dict[str, MethodFacts]:
    entries = json.loads(FILE.read_text(encoding="utf-8"))
    return {entry["name"]: _from_json(entry) for entry in entries}


def _from_json(entry: Mapping[str, Any]) -> MethodFacts:
    options = tuple(Documented(**{**option, "type": _type(option["type"])}) for option in entry["options"])
    presets = {name: _preset(preset) for name, preset in entry["presets"].items()}
    return MethodFacts(**{**entry, "options": options, "presets": presets})


def _preset(entry: Mapping[str, Any]) -> Preset:
    by_data = {data: Tuned(**own) for data, own in entry["by_data"].items()}
    return Preset(**{**entry, "by_data": by_data})


def _type(said: str | list[str]) -> Any:
    return _TYPES[said] if isinstance(said, str) else Literal[tuple(said)]  # type: ignore[valid-type]
