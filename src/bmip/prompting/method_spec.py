"""A method as a value: its name, its options, how it is built, and its presets. Two of them add up to a combination."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, make_dataclass
from typing import Any, Literal

from bmip.class_names import ClassNames
from bmip.clip.model import CLIP
from bmip.prompting.method import Extras, Method, check_together
from bmip.prompting.released import Released
from bmip.run_spec import Preset
from bmip.system.method_name import asked_name

Tower = Literal["text", "image"]
BOTH_TOWERS: frozenset[Tower] = frozenset({"text", "image"})
"""For the declarations of a MethodSpec that name towers."""


@dataclass(frozen=True, kw_only=True)
class MethodSpec:
    """Everything that the rest of the package knows about a method. A method's module exposes one as `METHOD`.

    `bmip + promptsrc` is a MethodSpec, too: the first one's prompts with what the second one has for any prompts.
    """

    name: str
    """In a module of the package the module's name; in a combination both names, joined by "+"."""

    summary: str
    """One sentence on what the method is, with its paper."""

    Config: type
    """A frozen dataclass of options, all with defaults. The sentence below each field becomes its help text."""

    build: Callable[[Any, CLIP, ClassNames], Method]
    """Builds the prompts, with loss terms that go with them alone, from a Config, the CLIP and the training classes. It
    draws initial values from torch's global generator, which the caller has seeded, and raises ValueError for options
    that do not fit the CLIP."""

    presets: Mapping[str, Preset]
    """At least "default"; "released" where code was released."""

    Extra: type | None = None
    """Where the method has something for other prompts: the options of that alone. `Config` extends it."""

    extras: Callable[[Any, CLIP, ClassNames], Extras] | None = None
    """Builds what goes with any prompts: loss terms, changes of CLIP, adapter, read-out, average. Its first argument
    has Extra's fields."""

    parts: frozenset[str] = frozenset()
    """Which parts it has of which there can be only one (`bmip.prompting.method.SINGLE`), such as "adapter"."""

    prompted: frozenset[Tower] = frozenset({"text"})
    """The towers that its prompts enter. A read-out reads the image tower's slots, so it needs prompts there."""

    adapted: frozenset[Tower] = frozenset()
    """The towers whose features its changes of CLIP or its adapter train."""

    watched: frozenset[Tower] = BOTH_TOWERS
    """The towers on whose features its loss terms depend. Where nothing changes these, the terms are constant."""

    released: Released | None = None
    """How the released code stores what it trained; None where no code was released, or where it stores nothing."""

    def __post_init__(self) -> None:
        if "default" not in self.presets:
            raise ValueError(f"the method {self.name!r} has no preset 'default': add one")
        if (self.Extra is None) != (self.extras is None):
            raise ValueError(f"the method {self.name!r} must have both Extra and extras, or neither")

    def whole(self, config: Any, clip: CLIP, classes: ClassNames) -> Method:
        """The prompts that `build` makes, with the method's own extras. Raises ValueError as `build` does."""
        prompts = self.build(config, clip, classes)
        return prompts.plus(self.extras(config, clip, classes)) if self.extras else prompts

    def __add__(self, other: MethodSpec) -> MethodSpec:
        """The prompts of this method with what the other one adds, trained by the other's default settings.

        Raises ValueError where the other method adds nothing, where both have an option of the same name or a part of
        which there can be only one, where one of them has a head, for a read-out where no prompts enter the image
        tower, and for a loss on features that nothing trains.
        """
        name, extras = f"{self.name}+{other.name}", other.extras
        if reason := self._clash(other):
            raise ValueError(f"{asked_name(name)} cannot work: {reason}")
        if extras is None or other.Extra is None:
            raise ValueError(
                f"{asked_name(other.name)} adds nothing to other prompts, neither a loss nor changes of CLIP, an "
                "adapter, a read-out or an average; `bmip methods` lists those that add something"
            )
        if twice := {field.name for field in fields(self.Config)} & {field.name for field in fields(other.Extra)}:
            raise ValueError(
                f"{asked_name(name)} has the option {min(twice)!r} twice, from {asked_name(self.name)} and from "
                f"{asked_name(other.name)}"
            )

        def build(config: Any, clip: CLIP, classes: ClassNames) -> Method:
            return self.whole(config, clip, classes).plus(extras(config, clip, classes))

        return MethodSpec(
            name=name,
            summary=f"The prompts of {self.name} with what {other.name} adds.",
            Config=make_dataclass("Config", [], bases=(other.Extra, self.Config), frozen=True),
            build=build,
            parts=self.parts | other.parts,
            prompted=self.prompted,
            adapted=self.adapted | other.adapted,
            presets={
                "default": Preset(
                    "our own, trained as the method whose losses it has; no code was released",
                    self.presets["default"].options,
                    other.presets["default"].training,
                )
            },
        )

    def _clash(self, other: MethodSpec) -> str:
        """Why the parts of both do not go together; empty where they do."""
        own, added = asked_name(self.name), asked_name(other.name)
        try:
            check_together(self.parts, other.parts)
        except ValueError as error:
            return str(error)
        if "read_out" in other.parts and "image" not in self.prompted:
            return (
                f"{added} reads the slots of the image tower, and {own} has no prompts there: take prompts that enter "
                "the image tower, such as those of vpt, maple or bmip"
            )
        trained = self.prompted | self.adapted | other.adapted
        if not trained:
            return (
                f"{own} trains nothing, and {added} adds nothing that is trained: take prompts, such as those of coop "
                "or bmip"
            )
        if not trained & other.watched:
            return (
                f"the loss of {added} depends on the class features alone, and nothing here trains these: take prompts "
                "that enter the text tower, such as those of coop or bmip"
            )
        return ""
