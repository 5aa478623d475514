"""BMIP against a plain re-implementation of its definition, and the faults that the default mends."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from torch import Tensor

from bmip.class_names import ClassNames
from bmip.clip.text_layout import TextLayout
from bmip.methods import build_model
from bmip.methods.bmip.gates import Constant, Half, Learned, Threshold
from bmip.methods.bmip.released import set_start_values
from bmip.prompting.method import Given
from bmip.prompting.model import PromptedCLIP
from bmip.testing.case import new_vit
from tests.clip import plain

CLASSES = ClassNames(("cat", "golden_retriever", "black-eyed susan", "2012 audi"))
clip_of = cache(new_vit)


def build(**options: object) -> PromptedCLIP:
    model = build_model("bmip", {"depth": 3, **options}, clip_of(), CLASSES, seed=7).double()
    for gate in (*model.prompter.text_gates, *model.prompter.image_gates):
        gate.weight.data *= 3  # far from the start, where gates say little
    return model


def pixels() -> Tensor:
    return torch.randn(3, 3, 12, 12, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def gate_input(attention: Tensor, seen: int, kind: str) -> Tensor:
    return {"raw": attention, "relative": attention * seen, "log": (attention * seen).log()}[kind]


def projection(layers: torch.nn.ModuleList, j: int, x: Tensor) -> Tensor:
    layer = layers[j if len(layers) > 1 else 0]
    return x @ layer.weight.T + layer.bias


def mixed(gate: torch.nn.Module, x: Tensor, own: Tensor, other: Tensor) -> Tensor:
    w = 1 / (1 + torch.exp(-(gate.weight * x + gate.bias)))
    return w[:, None] * own + (1 - w[:, None]) * other


def plain_text_prompts(model: PromptedCLIP, ids: list[int], slots: list[int], kind: str) -> list[Tensor]:
    """The prompts of every text layer, read from the last row of one sentence that runs through the whole tower."""
    prompter, blocks = model.prompter, model.clip.text.blocks
    entered = [prompter.text[0]]
    x = plain.start(model.clip, ids, slots, entered[0])
    places = [place for place, k in enumerate(slots) if k >= 0]
    for i, block in enumerate(blocks):
        if 0 < i < len(prompter.text):
            received = plain.attention(block, x, causal=True)[0].mean(0)[-1, places]
            other = projection(prompter.to_text, i - 1, prompter.image[i - 1])
            new = mixed(prompter.text_gates[i - 1], gate_input(received, len(ids), kind), prompter.text[i], other)
            entered.append(new)
            x = plain.enter(x, slots, new)
        x = plain.block(block, x, causal=True)
    return entered


def plain_image_feature(model: PromptedCLIP, image: Tensor, kind: str) -> Tensor:
    prompter, clip = model.prompter, model.clip
    first = prompter.first_to_image
    x = plain.image_start(clip, image, prompter.text[0] @ first.weight.T + first.bias)
    n = len(prompter.text[0])
    for i, block in enumerate(clip.image.blocks):
        if 0 < i <= len(prompter.image):
            received = plain.attention(block, x, causal=False)[0].mean(0)[:-n, -n:].mean(0)
            other = projection(prompter.to_image, i - 1, prompter.text[i])
            own = prompter.image[i - 1]
            x = torch.cat([x[:-n], mixed(prompter.image_gates[i - 1], gate_input(received, len(x), kind), own, other)])
        x = plain.block(block, x, causal=False)
    return plain.image_end(clip, x)


@pytest.mark.parametrize("kind", ["raw", "relative", "log"])
@pytest.mark.parametrize("slots", [2, 4, 6])
@pytest.mark.parametrize("shared", [True, False])
def test_default_equals_its_definition(kind: str, slots: int, shared: bool) -> None:
    model = build(gate_input=kind, slots=slots, shared_projection_to_text=shared, shared_projection_to_image=shared)
    clip, layout = model.clip, model.prompter.layout(CLASSES)
    words = "a photo of a" if slots <= 4 else " ".join(["X"] * slots)
    ids = [49406, *clip.tokenizer.encode(f"{words}."), 49407]
    marks = [-1, *range(slots), *[-1] * (len(ids) - slots - 1)]
    prompts = plain_text_prompts(model, ids, marks, kind)
    texts = clip.texts(CLASSES.names, layout)
    text = torch.stack(
        [plain.text_feature(clip, row, own, prompts) for row, own in zip(texts.rows, texts.slots, strict=True)]
    )
    image = torch.stack([plain_image_feature(model, image, kind) for image in pixels()])
    gold = clip.scale * torch.nn.functional.normalize(image, dim=-1) @ torch.nn.functional.normalize(text, dim=-1).T
    found = model(pixels(), CLASSES)
    torch.testing.assert_close(found, gold, atol=1e-9, rtol=0)

    learned = list(model.trainable().values())
    ours, theirs = (
        torch.autograd.grad(t.log_softmax(-1)[:, 1].sum(), learned, retain_graph=True) for t in (found, gold)
    )
    # In the re-implementation attention carries a graph; ours is detached, as released. So compare what no gate input
    # passes: the gates' own gradients are exact only where deeper gates do not depend on them, as in the last layer.
    names = list(model.trainable())
    for name, a, b in zip(names, ours, theirs, strict=True):
        if name.endswith(("gates.1.weight", "gates.1.bias", "image.1")):
            torch.testing.assert_close(a, b, atol=1e-9, rtol=1e-7)


def test_gate_per_class_reads_each_class_s_own_sentence() -> None:
    model = build(text_gate="class")
    clip = model.clip
    texts = clip.texts(CLASSES.names, model.prompter.layout(CLASSES))
    assert texts.lead.stem == 1
    found = clip.encode_text(texts, model.prompter(Given()).text)[0]
    for row, marks, feature in zip(texts.rows, texts.slots, found, strict=True):
        prompts = plain_text_prompts(model, list(row), list(marks), "log")
        torch.testing.assert_close(feature, plain.text_feature(clip, row, marks, prompts), atol=1e-9, rtol=0)


def test_start_token_gives_no_attention_to_the_slots() -> None:
    """What the released text gate reads is exactly 0 under the causal mask, so its weight is a trainable constant."""
    model = build()
    clip = model.clip
    texts = clip.texts(CLASSES.names, TextLayout(slots=2))
    x = plain.start(clip, texts.rows[0], texts.slots[0], model.prompter.text[0])
    for block in clip.text.blocks:
        assert not plain.attention(block, x, causal=True)[0][:, 0, 1:3].any()
        x = plain.block(block, x, causal=True)


def shut(model: PromptedCLIP, *, text: float, image: float) -> None:
    """Set all gate weights to 0 or 1."""
    for gates, w in ((model.prompter.text_gates, text), (model.prompter.image_gates, image)):
        for gate in gates:
            gate.weight.data.zero_()
            gate.bias.data.fill_(100.0 if w else -100.0)


def test_with_gate_weights_of_1_it_is_independent_prompting() -> None:
    model = build()
    shut(model, text=1, image=1)
    other = build_model("ivlp", {"text_depth": 3, "image_depth": 3}, clip_of(), CLASSES, seed=0).double()
    own = model.prompter
    other.load_trainable(
        {f"prompter.text.{i}": p for i, p in enumerate(own.text)}
        | {"prompter.image.0": own.first_to_image(own.text[0])}
        | {f"prompter.image.{i + 1}": p for i, p in enumerate(own.image)}
    )
    torch.testing.assert_close(model(pixels(), CLASSES), other(pixels(), CLASSES), atol=1e-10, rtol=0)


def test_with_text_alone_passed_on_it_is_maple() -> None:
    model = build(shared_projection_to_image=False)
    shut(model, text=1, image=0)
    other = build_model("maple", {"depth": 3}, clip_of(), CLASSES, seed=0).double()
    own = model.prompter
    tensors = {f"prompter.text.{i}": p for i, p in enumerate(own.text)}
    for i, layer in enumerate([own.first_to_image, *own.to_image]):
        tensors |= {f"prompter.to_image.{i}.{kind}": p for kind, p in layer.named_parameters()}
    other.load_trainable(tensors)
    torch.testing.assert_close(model(pixels(), CLASSES), other(pixels(), CLASSES), atol=1e-10, rtol=0)


def test_released_start() -> None:
    """Image prompts all equal where the projection to text is shared, else uniform; the default draws each apart."""
    shared, separate, ours = build(start="released"), build(start="released", shared_projection_to_text=False), build()
    assert torch.equal(shared.prompter.image[0], shared.prompter.image[1])
    assert not torch.equal(ours.prompter.image[0], ours.prompter.image[1])
    bound = (6 / (3 * 4 + 32)) ** 0.5
    assert 0.5 * bound < separate.prompter.image[0].abs().max() <= bound
    assert len(build(start="released", depth=2).prompter.image) == 1


def test_released_uniform_draws_reach_both_bounds() -> None:
    many, bound = torch.empty(400, 32), (6 / (3 * 4 + 32)) ** 0.5
    with torch.random.fork_rng():
        torch.manual_seed(1)
        set_start_values([many], shared=False, patch=4)
    assert -bound <= many.min() < -0.99 * bound and 0.99 * bound < many.max() <= bound


@pytest.mark.parametrize("image_depth", [1, 2, 3])
@pytest.mark.parametrize("direction", ["both", "to-text", "to-image"])
def test_no_prompt_is_stored_that_nothing_uses(direction: str, image_depth: int) -> None:
    model = build(image_depth=image_depth, direction=direction, text_short=True)
    model.backward(model.losses([pixels()], torch.tensor([0, 1, 2])).parts)
    assert all(tensor.grad is not None for tensor in model.trainable().values())


def test_gates_alone() -> None:
    x = torch.tensor([-1.0, 0.5, 2.0])
    assert Threshold(0.5)(x).tolist() == [0.0, 1.0, 1.0]
    assert Half()(x).tolist() == [0.5, 0.5, 0.5]
    constant, learned = Constant(), Learned()
    torch.testing.assert_close(constant(x), (1 / (1 + torch.exp(-constant.bias))).expand(3))
    torch.testing.assert_close(learned(x), 1 / (1 + torch.exp(-learned.weight * x - learned.bias)))


def test_gates_start_anywhere_between_minus_1_and_1() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        for draw in (lambda: Constant().bias, lambda: Learned().bias, lambda: Learned().weight):
            found = torch.stack([draw().detach() for _ in range(400)])
            assert -1 <= found.min() < -0.95 and 0.95 < found.max() <= 1 and abs(found.mean()) < 0.1


def test_gauges_are_the_gates_of_their_layers() -> None:
    """In a tower layers count from 1, and the first has no gate."""
    prompter = build(depth=3).prompter
    expected = [
        *(("gate weight", "text", layer, prompter.text_gates[layer - 2]) for layer in (2, 3)),
        *(("gate weight", "image", layer, prompter.image_gates[layer - 2]) for layer in (2, 3)),
    ]
    assert [(one.quantity, one.tower, one.layer, one.module) for one in prompter.gauges()] == expected


def test_the_gates_compute_in_float32_under_autocast() -> None:
    model = build_model("bmip", {"depth": 3}, new_vit(torch.float32), CLASSES, seed=7)
    seen: list[torch.dtype] = []
    for gate in (*model.prompter.text_gates, *model.prompter.image_gates):
        gate.register_forward_hook(lambda _, args, w: seen.extend([args[0].dtype, w.dtype]))
    with torch.autocast("cpu", torch.bfloat16):
        model(pixels().float(), CLASSES)
    assert seen == [torch.float32] * 8


def test_the_look_keeps_no_graph() -> None:
    """Gate weights depend on earlier prompts, but no gradient flows there: attention is read, not trained through."""
    model = build()
    inputs: list[Tensor] = []
    for gate in (*model.prompter.text_gates, *model.prompter.image_gates):
        gate.register_forward_hook(lambda _, args, __: inputs.append(args[0]))
    model(pixels(), CLASSES)
    assert len(inputs) == 4 and not any(x.requires_grad for x in inputs)


def rows_in_turn(rows: Tensor, count: int) -> Tensor:
    return torch.stack([rows[k % len(rows)] for k in range(count)])


def fixed_prompts(model: PromptedCLIP, gate: str, direction: str) -> tuple[list[Tensor], list[Tensor]]:
    """What enters each layer of the text and of the image tower, for gates that do not look at attention."""
    prompter, joined = model.prompter, gate == "concatenation"
    text_gates, image_gates = ([], []) if joined else (prompter.text_gates, prompter.image_gates)
    towers = {
        "text": ([*prompter.text], prompter.to_text, text_gates, "to-image"),
        "image": ([prompter.first_image, *prompter.image], prompter.to_image, image_gates, "to-text"),
    }
    found = []
    for tower, other in (("text", "image"), ("image", "text")):
        owns, projections, gates, off = towers[tower]
        entering = []
        for i, own in enumerate(owns):
            if own is None:
                first = prompter.first_to_image
                foreign = prompter.text[0] @ first.weight.T + first.bias
                entering.append(rows_in_turn(foreign, len(prompter.image[0])))
            elif direction == off or i >= len(towers[other][0]) or (i == 0 and not joined):
                entering.append(own)
            elif joined:
                entering.append(torch.cat([own, projection(projections, i, towers[other][0][i])]))
            else:
                foreign = rows_in_turn(projection(projections, i - 1, towers[other][0][i]), len(own))
                w = 0.5 if gate == "average" else torch.sigmoid(gates[i - 1].bias)
                entering.append(w * own + (1 - w) * foreign)
        found.append(entering)
    return found[0], found[1]


@pytest.mark.parametrize("gate", ["constant", "average", "concatenation"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"direction": "to-image"},
        {"direction": "to-text"},
        {"image_slots": 3},
        {"slots": 3, "image_slots": 1, "shared_projection_to_text": False},
        {"depth": 2, "image_depth": 3},
        {"depth": 3, "image_depth": 2, "shared_projection_to_image": False},
    ],
)
def test_forms_that_do_not_look_equal_their_definition(gate: str, options: dict) -> None:
    if gate == "concatenation" and "image_depth" in options:
        with pytest.raises(ValueError, match="both towers equally deep"):
            build_model("bmip", {"gate": gate, **options}, clip_of(), CLASSES, seed=7)
        return
    model = build_model("bmip", {"depth": 3, "gate": gate, **options}, clip_of(), CLASSES, seed=7).double()
    text_prompts, image_prompts = fixed_prompts(model, gate, options.get("direction", "both"))
    clip = model.clip
    texts = clip.texts(CLASSES.names, model.prompter.layout(CLASSES))
    text = torch.stack(
        [plain.text_feature(clip, row, own, text_prompts) for row, own in zip(texts.rows, texts.slots, strict=True)]
    )
    image = torch.stack([plain.image_feature(clip, one, image_prompts) for one in pixels()])
    gold = clip.scale * torch.nn.functional.normalize(image, dim=-1) @ torch.nn.functional.normalize(text, dim=-1).T
    torch.testing.assert_close(model(pixels(), CLASSES), gold, atol=1e-9, rtol=0)


@pytest.mark.parametrize(("threshold", "w"), [(-1e9, 1.0), (1e9, 0.0)])
def test_a_threshold_out_of_reach_takes_one_tower_s_prompt(threshold: float, w: float) -> None:
    model = build_model("bmip", {"depth": 3, "gate": "threshold", "threshold": threshold}, clip_of(), CLASSES, seed=7)
    learned = build()
    shut(learned, text=w, image=w)
    model.double().load_trainable({name: p for name, p in learned.trainable().items() if "gates" not in name})
    torch.testing.assert_close(model(pixels(), CLASSES), learned(pixels(), CLASSES), atol=1e-9, rtol=0)


def test_a_threshold_splits_slots_by_their_attention() -> None:
    model = build_model("bmip", {"depth": 3, "gate": "threshold", "slots": 6}, clip_of(), CLASSES, seed=7).double()
    seen: list[tuple[Tensor, Tensor]] = []
    for gate in (*model.prompter.text_gates, *model.prompter.image_gates):
        gate.register_forward_hook(lambda _, args, out: seen.append((args[0], out)))
    model(pixels(), CLASSES)
    x, w = (torch.cat([pair[k].flatten() for pair in seen]) for k in (0, 1))
    assert set(w.tolist()) == {0.0, 1.0}
    assert torch.equal(w == 1, x >= 0)
