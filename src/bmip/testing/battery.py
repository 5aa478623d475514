"""All checks, by name, and the function that runs them on one method."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bmip.prompting.method_spec import MethodSpec
from bmip.testing import backbone_checks, combination_checks, logits_checks, preset_checks, training_checks
from bmip.testing.case import Case, cases

_CHECKS = (
    preset_checks.a_preset_says_its_source,
    preset_checks.the_default_has_no_faults,
    combination_checks.declared_parts_are_there,
    combination_checks.declared_towers_are_those,
    training_checks.every_trainable_parameter_gets_a_gradient,
    training_checks.a_step_leaves_clip_unchanged,
    training_checks.trainable_parameters_carry_over,
    training_checks.the_seed_decides_the_start,
    logits_checks.the_classifier_equals_the_forward_pass,
    logits_checks.an_image_does_not_depend_on_its_batch,
    logits_checks.permuted_classes_permute_the_logits,
    logits_checks.a_class_does_not_depend_on_the_others,
    logits_checks.class_features_do_not_depend_on_images,
    logits_checks.products_of_features_are_the_logits,
    logits_checks.chunks_of_classes_change_nothing,
    logits_checks.chunks_of_classes_change_little_in_bfloat16,
    backbone_checks.bfloat16_is_finite_and_near,
    backbone_checks.a_resnet_works_or_is_refused,
)


def checks() -> dict[str, Callable[[Case], None]]:
    """All checks by name. Each takes one case and raises AssertionError where the method breaks its promise."""
    return {check.__name__: check for check in _CHECKS}


def check_method(method: str | MethodSpec, options: Mapping[str, Any] | None = None) -> None:
    """Run all checks on a method, with the options of every preset; "default" is one of them.

    The CLIPs are tiny and random, so this takes seconds and needs no download.

    Args:
        method: a name, the dotted path of a module with a METHOD, or the MethodSpec itself.
        options: options that fit a CLIP of three layers and about 30 channels, where the method's own do not. Options
            whose name ends in "depth" or "top" are lowered without it.

    Raises:
        AssertionError: at the first check that fails; it names the case and the check, and says what to do.
        ValueError: for a name that is no method.
    """
    for case in cases(method, options):
        for name, check in checks().items():
            try:
                check(case)
            except Exception as error:
                said = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
                raise AssertionError(f"{case}: the check {name!r} fails: {said}") from error
