"""Gauges show what the gates of BMIP give, image by image."""

import pytest
import torch

from bmip.evaluation.evaluate import evaluate
from bmip.evaluation.gauges import reading
from bmip.methods import build_model
from bmip.testing import tiny_clip, tiny_dataset

DATA = tiny_dataset()


def test_the_mean_is_that_of_all_images() -> None:
    """The outputs of the gates are collected by hand, at the sigmoid that makes them."""
    model = build_model("bmip", {"depth": 2}, tiny_clip(), DATA.classes, seed=1)
    with reading(model) as first:
        evaluate(model, DATA.test, DATA.classes, batch=7)
    assert [(one.quantity, one.tower, one.layer) for one in first] == [
        ("gate weight", "text", 2),
        ("gate weight", "image", 2),
    ]
    seen: list[torch.Tensor] = []
    gate = model.prompter.image_gates[0]
    own = type(gate).forward
    gate.forward = lambda x: seen.append(own(gate, x)) or seen[-1]
    evaluate(model, DATA.test, DATA.classes, batch=5)
    assert sum(map(len, seen)) == len(DATA.test)
    assert first[1].mean == pytest.approx(float(torch.cat(seen).mean()), abs=1e-6)
    assert not gate._forward_hooks, "nothing is left behind"


def test_a_constant_gate_shows_its_bias() -> None:
    model = build_model("bmip", {"depth": 2, "gate": "constant"}, tiny_clip(), DATA.classes, seed=1)
    with reading(model) as found:
        evaluate(model, DATA.test, DATA.classes)
    gates = [model.prompter.text_gates[0], model.prompter.image_gates[0]]
    assert [one.mean for one in found] == pytest.approx([torch.sigmoid(gate.bias).item() for gate in gates])


def test_a_method_without_gauges() -> None:
    model = build_model("zero_shot", {}, tiny_clip(), DATA.classes, seed=1)
    with reading(model) as found:
        evaluate(model, DATA.test, DATA.classes)
    assert found == []
