"""Checks of the presets themselves."""

from __future__ import annotations

from bmip.testing.case import Case, require


def the_default_has_no_faults(case: Case) -> None:
    """The preset "default" declares neither `reads_batch`, `changes_itself`, `dead` nor `trained_classes_only`.

    Only presets of released code may have faults.
    """
    if case.label != "default":
        return
    model = case.model()
    prompter = model.prompter
    require(not model.tells_trained_classes, "the default has a rule of its own for trained classes: use one for all")
    require(not prompter.changes_itself, "the default changes its parameters with each use: choose options that do not")
    require(not prompter.reads_batch, "the default lets an image depend on its batch: choose options that do not")
    require(
        not prompter.dead,
        f"the default has parameters without a gradient ({', '.join(sorted(prompter.dead))}): choose options without",
    )


def a_preset_says_its_source(case: Case) -> None:
    """Every preset says where its settings come from."""
    preset = case.spec.presets.get(case.label)
    require(preset is None or bool(preset.source), f"the preset {case.label!r} has no source: say where it comes from")
