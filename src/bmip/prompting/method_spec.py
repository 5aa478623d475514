"""A method as a value: its name, its options, how it is built, and its presets. Two of them add up to a combination."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, make_dataclass
from typing import Any

from bmip.class_names import ClassNames
from bmip.clip.model import CLIP
from bmip.prompting.method import Extras, Method, check_together
from bmip.prompting.released import Released
from bmip.run_spec import Preset


@dataclass(frozen=True, kw_only=True)
class MethodSpec:
    """Everything that the rest of the package knows about a method. A method's module exposes one as `METHOD`.

    `bmip + promptsrc` is a MethodSpec, too: the first one's prompts with the second one's terms, adapter and average.
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
    """Builds the loss terms, adapter and average that go with any prompts; its first argument has Extra's fields."""

    parts: frozenset[str] = frozenset()
    """Which parts it has of which there can be only one (`bmip.prompting.method.SINGLE`), such as "adapter"."""

    image_prompts: bool = False
    """Whether its prompts enter the image tower. A read-out reads their slots, so it goes with no others."""

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
        which there can be only one, for anything added to a head, and for a read-out where no prompts enter the image
        tower.
        """
        name, extras = f"{self.name}+{other.name}", other.extras
        if extras is None or other.Extra is None:
            raise ValueError(
                f"{other.name} has no loss, adapter or average to go with other prompts; `bmip methods` lists those "
                "that have one"
            )
        try:
            check_together(self.parts, other.parts)
        except ValueError as error:
            raise ValueError(f"{name} cannot work: {error}") from error
        if "read_out" in other.parts and not self.image_prompts:
            raise ValueError(
                f"{name} cannot work: {other.name} reads the slots of the image tower, and {self.name} has no prompts "
                "there: take prompts that enter the image tower, such as those of vpt, maple or bmip"
            )
        if twice := {field.name for field in fields(self.Config)} & {field.name for field in fields(other.Extra)}:
            raise ValueError(f"{name} has the option {min(twice)!r} twice, from {self.name} and from {other.name}")

        def build(config: Any, clip: CLIP, classes: ClassNames) -> Method:
            return self.whole(config, clip, classes).plus(extras(config, clip, classes))

        return MethodSpec(
            name=name,
            summary=f"The prompts of {self.name} with what {other.name} adds.",
            Config=make_dataclass("Config", [], bases=(other.Extra, self.Config), frozen=True),
            build=build,
            parts=self.parts | other.parts,
            image_prompts=self.image_prompts,
            presets={
                "default": Preset(
                    "our own, trained as the method whose losses it has; no code was released",
                    self.presets["default"].options,
                    other.presets["default"].training,
                )
            },
        )
