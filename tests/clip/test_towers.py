"""The two text streams and the image tower against whole sequences, for random shapes."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from bmip.clip import block
from bmip.clip.block import Keys, attend, quick_gelu, received
from bmip.clip.prompts import Prompts
from bmip.clip.text_layout import TextLayout
from bmip.testing.case import new_vit
from tests.clip import plain

WORDS = ("cat", "golden retriever", "737-800", "st.", "black-eyed susan", "2012 audi", "a", "annual crop land", "cliff")
clip_of = cache(new_vit)


@st.composite
def problems(draw: st.DrawFn) -> dict:
    position = draw(st.sampled_from(["end", "middle", "front"]))
    slots = draw(st.integers(0, 5))
    fixed = position == "end" and 0 < slots < 4 and draw(st.booleans())
    per_class, depth = draw(st.booleans()), draw(st.integers(1, 3)) if slots else 0
    inserted = bool(slots) and position == "end" and not per_class and draw(st.booleans())
    template = "a photo of a {}." if fixed or not slots else " ".join(["X"] * slots) + " {}."
    return {
        "names": draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6, unique=True)),
        "layout": TextLayout(template, slots, position if slots else "end", inserted, per_class),
        "depth": depth,
        "images": draw(st.sampled_from([1, 3])),
        "seed": draw(st.integers(0, 2**16)),
        "chunk": draw(st.sampled_from([1, 7, 4096])),
        "skip": draw(st.sets(st.integers(0, 2), max_size=depth - 1)) if depth else set(),
    }


def text_prompts(problem: dict, dtype: torch.dtype) -> list[Tensor | None]:
    generator = torch.Generator().manual_seed(problem["seed"])
    classes = len(problem["names"]) if problem["layout"].per_class else 1
    shape = (problem["images"], classes, problem["layout"].slots, 24)
    return [
        None
        if i in problem["skip"] and problem["skip"] != set(range(problem["depth"]))
        else torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype).requires_grad_()
        for i in range(problem["depth"])
    ]


def whole_sequences(clip: plain.CLIP, texts: object, prompts: list[Tensor | None], images: int) -> Tensor:
    def of(prompt: Tensor | None, b: int, c: int) -> Tensor | None:
        return None if prompt is None else prompt[min(b, prompt.shape[0] - 1), min(c, prompt.shape[1] - 1)]

    return torch.stack(
        [
            torch.stack(
                [
                    plain.inserted_text_feature(clip, ids, [of(p, b, c) for p in prompts])
                    if texts.layout.inserted
                    else plain.text_feature(clip, ids, slots, [of(p, b, c) for p in prompts])
                    for c, (ids, slots) in enumerate(zip(texts.rows, texts.slots, strict=True))
                ]
            )
            for b in range(images)
        ]
    )


@settings(max_examples=40)
@given(problems())
def test_two_streams_equal_one_sequence(problem: dict) -> None:
    clip = clip_of()
    texts = clip.texts(problem["names"], problem["layout"])
    prompts = text_prompts(problem, torch.float64)
    clip.text.chunk_tokens = problem["chunk"]
    found = clip.encode_text(texts, prompts)
    clip.text.chunk_tokens = 4096
    gold = whole_sequences(clip, texts, prompts, problem["images"] if prompts else 1)
    torch.testing.assert_close(found, gold, atol=1e-10, rtol=0)
    trainable = [p for p in prompts if p is not None]
    if trainable:
        weight = torch.randn(gold.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        ours = torch.autograd.grad((found * weight).sum(), trainable, allow_unused=True, materialize_grads=True)
        theirs = torch.autograd.grad((gold * weight).sum(), trainable, allow_unused=True, materialize_grads=True)
        for a, b in zip(ours, theirs, strict=True):
            torch.testing.assert_close(a, b, atol=1e-10, rtol=1e-9)


@settings(max_examples=8)
@given(problems())
def test_two_streams_in_float32(problem: dict) -> None:
    clip = clip_of(dtype=torch.float32)
    texts = clip.texts(problem["names"], problem["layout"])
    prompts = text_prompts(problem, torch.float32)
    found = clip.encode_text(texts, prompts)
    gold = whole_sequences(clip, texts, prompts, problem["images"] if prompts else 1)
    torch.testing.assert_close(found, gold, atol=1e-5, rtol=1e-5)
    trainable = [p for p in prompts if p is not None]
    if trainable:
        ours = torch.autograd.grad(found.sum(), trainable, allow_unused=True, materialize_grads=True)
        theirs = torch.autograd.grad(gold.sum(), trainable, allow_unused=True, materialize_grads=True)
        for a, b in zip(ours, theirs, strict=True):
            assert (a - b).norm() <= 1e-4 * b.norm() + 1e-6


@settings(max_examples=12)
@given(
    slots=st.integers(0, 4),
    depth=st.integers(1, 3),
    first=st.integers(0, 2),
    shared=st.booleans(),
    seed=st.integers(0, 999),
)
def test_image_tower_equals_one_sequence(slots: int, depth: int, first: int, shared: bool, seed: int) -> None:
    clip = clip_of()
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.randn(3, 3, 12, 12, generator=generator, dtype=torch.float64)
    prompts = [
        torch.randn(1 if shared else 3, slots, 32, generator=generator, dtype=torch.float64).requires_grad_()
        for _ in range(max(0, depth - first) if slots else 0)
    ]
    late = [None] * first if prompts else []
    found = clip.encode_image(pixels, [*late, *prompts])
    gold = torch.stack(
        [plain.image_feature(clip, pixels[b], [*late, *(p[0 if shared else b] for p in prompts)]) for b in range(3)]
    )
    torch.testing.assert_close(found, gold, atol=1e-10, rtol=0)
    if prompts:
        features, read = clip.read_image(pixels, [*late, *prompts])
        torch.testing.assert_close(features, gold, atol=1e-10, rtol=0)
        whole = plain.image_tokens(clip, pixels[0], [*late, *(p[0] for p in prompts)])[-slots:]
        norm = clip.image.ln_post
        slots_gold = torch.nn.functional.layer_norm(whole, whole.shape[-1:], norm.weight, norm.bias)
        torch.testing.assert_close(read[0], slots_gold, atol=1e-10, rtol=0)
        ours, theirs = (torch.autograd.grad(t.pow(2).sum(), prompts) for t in (found, gold))
        for a, b in zip(ours, theirs, strict=True):
            torch.testing.assert_close(a, b, atol=1e-10, rtol=1e-9)


@pytest.mark.parametrize("layout", ["shared", "per class", "inserted"])
def test_a_text_prompt_can_keep_what_the_layer_below_made(layout: str) -> None:
    clip, names = clip_of(), WORDS[:4]
    of_classes = len(names) if layout == "per class" else 1
    chosen = TextLayout("X X {}.", 2, inserted=layout == "inserted", per_class=layout == "per class")
    texts = clip.texts(names, chosen)
    generator = torch.Generator().manual_seed(4)
    shapes = (1, of_classes, 2, 24), (1, 1, 2, 24)
    first, second = (torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes)
    first.requires_grad_()
    found = clip.encode_text(texts, [first, lambda view: 0.3 * second + 0.7 * view.slots()])[0]
    for c, (ids, slots) in enumerate(zip(texts.rows, texts.slots, strict=True)):
        own = first[0, c if of_classes > 1 else 0], second[0, 0]
        at = [1, 2] if layout == "inserted" else [place for place, mark in enumerate(slots) if mark >= 0]
        x = plain.start(clip, ids, slots, None if layout == "inserted" else own[0])
        x = torch.cat([x[:1], own[0], x[1:]]) if layout == "inserted" else x
        x = plain.block(clip.text.blocks[0], x, causal=True)
        x = x.index_copy(0, torch.tensor(at), 0.3 * own[1] + 0.7 * x[at])
        for module in list(clip.text.blocks)[1:]:
            x = plain.block(module, x, causal=True)
        gold = plain.text_end(clip, x)
        torch.testing.assert_close(found[c], gold, atol=1e-10, rtol=0)
        ours, theirs = (torch.autograd.grad(y.sum(), first, retain_graph=True)[0] for y in (found[c], gold))
        torch.testing.assert_close(ours, theirs, atol=1e-10, rtol=1e-9)


def test_an_image_prompt_can_keep_what_the_layer_below_made() -> None:
    clip, generator = clip_of(), torch.Generator().manual_seed(4)
    pixels = torch.randn(2, 3, 12, 12, generator=generator, dtype=torch.float64)
    first, second = (torch.randn(1, 2, 32, generator=generator, dtype=torch.float64) for _ in range(2))
    found = clip.encode_image(pixels, [None, first, lambda view: 0.3 * second + 0.7 * view.slots()])
    content = len(clip.vit.positional_embedding)
    for image in range(2):
        x = plain.block(clip.vit.blocks[0], plain.image_start(clip, pixels[image], None), causal=False)
        x = plain.block(clip.vit.blocks[1], torch.cat([x, first[0]]), causal=False)
        x = torch.cat([x[:content], 0.3 * second[0] + 0.7 * x[content:]])
        x = plain.block(clip.vit.blocks[2], x, causal=False)
        torch.testing.assert_close(found[image], plain.image_end(clip, x), atol=1e-10, rtol=0)


@settings(max_examples=40)
@given(
    lead=st.sampled_from([(2,), (1, 3), (2, 2)]),
    queries=st.integers(1, 5),
    keys=st.integers(1, 300),
    heads=st.integers(1, 3),
    past=st.integers(0, 4),
    seed=st.integers(0, 999),
)
def test_attention_equals_the_formula(
    lead: tuple[int, ...], queries: int, keys: int, heads: int, past: int, seed: int
) -> None:
    """`received` gives columns of the same matrix, also where it computes as on a GPU, by `attend` alone."""
    generator = torch.Generator().manual_seed(seed)

    def random(*shape: int) -> Tensor:
        return torch.randn(*shape, heads, 4, generator=generator, dtype=torch.float64)

    q, k, v = random(*lead, queries), random(*lead, keys), random(*lead, keys)
    early = Keys(random(lead[0], past), random(lead[0], past)) if past and len(lead) == 2 else None
    wide_k, wide_v = k, v
    if early is not None:
        wide_k, wide_v = (
            torch.cat([e[:, None].expand(-1, lead[1], -1, -1, -1), own], dim=-3)
            for e, own in zip(early, (k, v), strict=True)
        )
    shares = (torch.einsum("...qhc,...khc->...hqk", q, wide_k) / 2).softmax(-1)
    gold = torch.einsum("...hqk,...khc->...qhc", shares, wide_v).flatten(-2)
    torch.testing.assert_close(attend(q, k, v, past=early), gold, atol=1e-10, rtol=0)
    at = torch.randperm(keys, generator=generator)[:6]
    offset = wide_k.shape[-3] - keys
    received_by_all = shares.mean((-2, -3))
    end = slice(keys // 2, None)
    for on_cpu in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(block, "_fits_a_cache", lambda q, on_cpu=on_cpu: on_cpu)
            some, rest = received(q, k, at, past=early), received(q, k, end, past=early)
        torch.testing.assert_close(some, received_by_all[..., at + offset], atol=1e-10, rtol=0)
        torch.testing.assert_close(rest, received_by_all[..., offset:][..., end], atol=1e-10, rtol=0)


def test_quick_gelu() -> None:
    x = torch.randn(50, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(quick_gelu(x), x * torch.sigmoid(1.702 * x))
    assert torch.autograd.gradcheck(quick_gelu, x)


def test_bfloat16_stores_matrices_once_and_keeps_the_rest_in_float32() -> None:
    clip = new_vit(torch.float32)
    pixels = torch.randn(2, 3, 12, 12)
    texts = clip.texts(WORDS, TextLayout())
    gold = clip.encode_image(pixels), clip.encode_text(texts)
    clip.set_precision("bfloat16")
    for name, parameter in clip.named_parameters():
        matrix = {"qkv", "out", "up", "down", "projection", "patch"} & set(name.split("."))
        assert parameter.dtype == (torch.bfloat16 if matrix else torch.float32), name
    for found, exact in zip((clip.encode_image(pixels), clip.encode_text(texts)), gold, strict=True):
        assert (found - exact).norm() <= 0.03 * exact.norm()
    with pytest.raises(ValueError, match="float16 on a CPU"):
        clip.set_precision("float16")


@pytest.mark.parametrize(
    ("prompts", "message"),
    [
        ([torch.zeros(1, 1, 3, 24, dtype=torch.float64)], "3 slots; the sentences were laid out for 2"),
        ([torch.zeros(1, 1, 2, 24, dtype=torch.float64)] * 4, "lower the depth to 3"),
        ([torch.zeros(1, 5, 2, 24, dtype=torch.float64)], "for 5 classes and the list has 9"),
        ([torch.zeros(1, 9, 2, 24, dtype=torch.float64)], "lay them out per class"),
        ([torch.zeros(1, 1, 2, 24, dtype=torch.float64), lambda view: view.attention()], "probe=True"),
    ],
)
def test_prompts_that_do_not_fit(prompts: list, message: str) -> None:
    clip = clip_of()
    with pytest.raises(ValueError, match=message):
        clip.encode_text(clip.texts(WORDS, TextLayout(slots=2)), prompts)


@pytest.mark.parametrize("read", [False, True])
def test_every_prompt_of_a_tower_fills_the_slots_of_the_first(read: bool) -> None:
    clip = clip_of()

    def later(*shape: int) -> object:
        prompt = torch.zeros(*shape, dtype=torch.float64)
        return (lambda view: prompt) if read else prompt

    texts = clip.texts(WORDS, TextLayout(slots=2))
    pixels = torch.zeros(1, 3, 12, 12, dtype=torch.float64)
    text, image = (torch.zeros(*shape, dtype=torch.float64) for shape in ((1, 1, 2, 24), (1, 2, 32)))
    for ask in (
        lambda: clip.encode_text(texts, Prompts(text=[text, later(1, 1, 5, 24)]).text),
        lambda: clip.encode_image(pixels, Prompts(image=[image, later(1, 1, 32)]).image),
    ):
        with pytest.raises(ValueError, match=r"fills (1|5) slots, and the first prompt of its tower 2"):
            ask()


def test_images_of_another_size() -> None:
    with pytest.raises(ValueError, match="takes \\(12, 12\\) pixels"):
        clip_of().encode_image(torch.zeros(1, 3, 16, 16, dtype=torch.float64))


def test_first_prompt_must_be_a_tensor() -> None:
    with pytest.raises(TypeError, match="text\\[1\\] sets the number of slots"):
        Prompts(text=[None, lambda view: view.attention()])
    with pytest.raises(ValueError, match="needs 3 axes"):
        Prompts(image=[torch.zeros(2, 4)])
    clip = clip_of()
    with pytest.raises(ValueError, match="no prompts in its slots yet"):
        clip.encode_image(torch.zeros(1, 3, 12, 12, dtype=torch.float64), [lambda view: view.attention()])
