"""Methods that put modules inside the towers: what they compute, and what they leave alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bmip.class_names import ClassNames
from bmip.methods import build_model, load_method
from bmip.methods.mma import Bypass
from bmip.methods.zero_shot import Config
from bmip.prompting import CLIP, Changes, Extras, LowRank, LowRankLinear
from bmip.prompting.low_rank import merged
from bmip.prompting.model import PromptedCLIP
from bmip.testing.case import Case, new_vit, shallow

CLASSES = ClassNames(("cat", "golden_retriever", "black-eyed susan"))


def pixels(images: int = 2) -> Tensor:
    return torch.randn(images, 3, 12, 12, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def moved(name: str, **options: object) -> PromptedCLIP:
    """A model whose parameters have left their start."""
    model = build_model(name, options, new_vit(), CLASSES, seed=7).double()
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for tensor in model.trainable().values():
            tensor += 0.1 * torch.randn(tensor.shape, generator=generator, dtype=tensor.dtype)
    return model


def test_low_rank_differences_merge_into_plain_matrices() -> None:
    model = moved("clip_lora")
    once = merged(model.student)
    assert not [part for part in once.modules() if isinstance(part, LowRankLinear)]
    assert once.image.patch is model.clip.image.patch and once.text.blocks[0].up is model.clip.text.blocks[0].up
    plain = build_model("zero_shot", {}, once, CLASSES, seed=0)
    torch.testing.assert_close(model(pixels(), CLASSES), plain(pixels(), CLASSES), atol=1e-10, rtol=0)
    untouched = build_model("zero_shot", {}, new_vit(), CLASSES, seed=0)
    assert (model(pixels(), CLASSES) - untouched(pixels(), CLASSES)).abs().max() > 1e-3


class InEach(Changes):
    """Low-rank differences to one matrix of every block of both towers; that of queries, keys and values has three."""

    def __init__(self, matrix: str, clip: CLIP) -> None:
        super().__init__()
        self.places, parts = {}, 3 if matrix == "qkv" else 1
        for tower in ("text", "image"):
            for layer, block in enumerate(getattr(clip, tower).blocks):
                outward, inward = getattr(block, matrix).weight.shape
                own = [LowRank(inward, outward // parts, 2, scale=0.5, dropout=0.0) for _ in range(parts)]
                self.places[f"{tower}.blocks.{layer}.{matrix}"] = own
        self.all = nn.ModuleList(one for own in self.places.values() for one in own)

    def around(self, clip: CLIP) -> dict[str, nn.Module]:
        return {place: LowRankLinear(clip.get_submodule(place), own) for place, own in self.places.items()}  # type: ignore[arg-type]


@pytest.mark.parametrize("matrix", ["qkv", "out", "up", "down"])
def test_every_matrix_of_a_block_can_have_a_difference(matrix: str) -> None:
    clip, plain = new_vit(), new_vit()
    changes = InEach(matrix, clip).double()
    generator = torch.Generator().manual_seed(3)
    for place, own in changes.places.items():
        for one in own:
            one.up.data.normal_(generator=generator)
        plain.get_submodule(place).weight.data += torch.cat([0.5 * one.up.data @ one.down.data for one in own])
    own = load_method("zero_shot").build(Config(), clip, CLASSES)
    model = PromptedCLIP(clip, own.plus(Extras(changes=changes)), CLASSES)
    gold = build_model("zero_shot", {}, plain, CLASSES, seed=0)(pixels(), CLASSES)
    assert (gold - build_model("zero_shot", {}, clip, CLASSES, seed=0)(pixels(), CLASSES)).abs().max() > 1e-3
    torch.testing.assert_close(model(pixels(), CLASSES), gold, atol=1e-10, rtol=0)
    once = build_model("zero_shot", {}, merged(model.student), CLASSES, seed=0)
    torch.testing.assert_close(once(pixels(), CLASSES), gold, atol=1e-10, rtol=0)
    parts = model.losses([pixels()], torch.tensor([0, 2])).parts
    model.backward(parts)
    for name, tensor in changes.named_parameters():
        assert tensor.grad is not None and tensor.grad.any(), name


def test_the_teacher_runs_the_same_frozen_clip() -> None:
    model = moved("bmip+clip_lora", depth=2)
    assert model.teacher.clip is model.clip
    frozen = new_vit().encode_image(pixels())
    assert torch.equal(model.clip.encode_image(pixels()), frozen)
    assert not [name for name in model.trainable() if name.startswith("clip")]


def test_a_tower_without_changes_is_the_frozen_one() -> None:
    text_only = moved("clip_lora", lora_towers="text")
    assert text_only.student.image is text_only.clip.image and text_only.student.text is not text_only.clip.text
    model = moved("bmip", depth=2)
    assert model.student is model.clip


def test_dropout_acts_in_training_alone() -> None:
    model = moved("clip_lora", lora_dropout=0.5)
    model.train()
    torch.manual_seed(0)
    first, second = (model(pixels(), CLASSES) for _ in range(2))
    assert not torch.equal(first, second)
    model.eval()
    assert torch.equal(model(pixels(), CLASSES), model(pixels(), CLASSES))


@pytest.mark.parametrize("scale", [0.001, 0.5])
def test_a_bypass_has_steep_parameters_and_a_true_gradient_below(scale: float) -> None:
    torch.manual_seed(3)
    maps = [torch.nn.Linear(4, 3), torch.nn.Linear(3, 3), torch.nn.Linear(3, 4)]
    x = torch.randn(5, 4, requires_grad=True)
    weights = [one.weight for one in maps]
    down, shared, up = maps
    plain = scale * up(F.relu(shared(F.relu(down(x)))))
    found = Bypass(maps, scale)(x)
    assert torch.equal(found, plain)
    ours, theirs = (torch.autograd.grad(y.sin().sum(), [x, *weights]) for y in (found, plain))
    torch.testing.assert_close(ours[0], theirs[0])
    for own, true in zip(ours[1:], theirs[1:], strict=True):
        torch.testing.assert_close(own, true / scale)


def test_options_that_cannot_work_are_refused() -> None:
    for name, options, message in (
        ("mma", {"adapter_top": 4}, "choose 1 to 3 of its upper layers"),
        ("mma", {"adapter_scale": 0.0, "adapter_top": 1}, "must be positive"),
        ("clip_lora", {"lora_rank": 0}, "at least rank 1"),
        ("clip_lora", {"lora_dropout": 1.0}, "less than 1"),
        ("mma+clip_lora", {"adapter_top": 1}, "both methods bring changes of CLIP"),
    ):
        with pytest.raises(ValueError, match=message):
            build_model(name, options, new_vit(), CLASSES, seed=0)


def test_a_read_out_without_image_prompts_is_refused() -> None:
    with pytest.raises(ValueError, match=r"coop\+mmrl cannot work: .* coop has no prompts there"):
        load_method("coop+mmrl")
    wrong = replace(load_method("coop"), prompted=frozenset({"image"})) + load_method("mmrl")
    model = Case(wrong, "wrong", shallow(wrong, {})).on(new_vit()).double()
    with pytest.raises(ValueError, match="these prompts fill none: take prompts that enter the image tower"):
        model(pixels(), CLASSES)
