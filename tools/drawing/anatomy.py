"""What a method does to CLIP. It is found by putting the method around a small random CLIP and watching it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from bmip.class_names import ClassNames
from bmip.clip.model import CLIP
from bmip.clip.prompts import slots_of
from bmip.clip.text_layout import FIXED, TextLayout
from bmip.clip.texts import ClassTexts
from bmip.clip.tokenizer import Tokenizer
from bmip.methods import build_model
from bmip.prompting import Adapter, Given
from bmip.testing import tiny_clip
from tools.drawing.entries import TOWERS, Entry, Sources, Tower, watched
from tools.drawing.losses import Loss, losses

LAYERS = 12
CLASSES = ClassNames(("cat", "dog"))
IMAGES = 2


@dataclass(frozen=True)
class Sentence:
    """A sentence that the text tower reads for a class."""

    tokens: tuple[str | int, ...]
    """Words, and the numbers of slots."""

    variants: int = 1
    """How many prompts use this sentence."""


@dataclass(frozen=True)
class Anatomy:
    """What a method adds to CLIP, as far as a picture shows it."""

    text: tuple[Entry | None, ...]
    image: tuple[Entry | None, ...]
    """By layer, as far as prompts reach; None leaves in the slots what the layer below made of them."""

    image_slots: int
    sentences: tuple[Sentence, ...]
    probe: Sentence | None
    """The name-free sentence whose attention prompts read."""

    losses: tuple[Loss, ...]
    adapted: frozenset[Tower]
    read_out: bool
    head: bool
    """Whether the logits are made by something that is fitted to the training images."""

    weights: Mapping[Tower, frozenset[int]]
    """The layers of each tower whose own weights are changed."""

    beside: Mapping[Tower, frozenset[int]]
    """The layers of each tower that have a module beside their block."""

    shared: frozenset[int]
    """The layers where the modules beside both towers' blocks have parameters in common."""

    averaged: bool

    def entries(self, tower: Tower) -> tuple[Entry | None, ...]:
        """What enters each layer of one tower."""
        return self.text if tower == "text" else self.image


def anatomy(method: str, options: Mapping[str, Any]) -> Anatomy:
    """The anatomy of a method on towers of 12 layers, as ViT-B/16 has them.

    Raises ValueError as `build_model` does.
    """
    clip = _small_clip()
    model = build_model(method, dict(options), clip, CLASSES, seed=0)
    features = torch.randn(IMAGES, clip.config.out, generator=torch.Generator().manual_seed(0)).requires_grad_()
    names = torch.randn(len(CLASSES), clip.config.out, generator=torch.Generator().manual_seed(1)).requires_grad_()
    prompts = model.prompter(Given(features, names))
    layouts = model.prompter.layout(CLASSES)
    layouts = (layouts,) if isinstance(layouts, TextLayout) else layouts
    texts = [clip.texts(CLASSES.names, layout) for layout in layouts]
    entering = list(prompts.sentences) or [prompts.text] * len(texts)
    variants = [own[0].shape[0] if prompts.sentences and isinstance(own[0], Tensor) else 1 for own in entering]
    order = sorted(range(len(texts)), key=lambda k: -variants[k])  # the one drawn in the tower first

    text, sentence = entering[order[0]], texts[order[0]]
    in_text = watched(text, lambda own: clip.encode_text(sentence, own))
    pixels = torch.zeros(IMAGES, 3, clip.config.image_size, clip.config.image_size)
    in_image = watched(prompts.image, lambda own: clip.encode_image(pixels, own))
    slots: dict[Tower, tuple[int, int]] = {
        "text": (slots_of(text), clip.text.width),
        "image": (slots_of(prompts.image), clip.vit.width),
    }
    sources = Sources(model.trainable(), features, names, slots)
    axes = (not prompts.sentences, True)
    probed = next((text for text in texts if text.layout.probe), None)
    return Anatomy(
        text=tuple(entered and sources.entry(entered, axes=axes) for entered in in_text),
        image=tuple(entered and sources.entry(entered, axes=(True, False)) for entered in in_image),
        image_slots=slots_of(prompts.image),
        sentences=tuple(Sentence(_tokens(texts[k]), variants[k]) for k in order),
        probe=Sentence(_tokens(probed, probe=True)) if probed else None,
        losses=losses(method, options, clip, CLASSES) if any(own.numel() for own in model.trainable().values()) else (),
        adapted=_adapted(model.adapter),
        read_out=model.read_out is not None,
        head=model.head is not None,
        averaged=model.method.average is not None,
        **_changes(model.changes.around(clip) if model.changes else {}),
    )


def _adapted(adapter: Adapter | None) -> frozenset[Tower]:
    """The towers whose features the adapter replaces."""
    return frozenset(
        tower for tower in TOWERS if adapter and getattr(type(adapter), tower) is not getattr(Adapter, tower)
    )


def _changes(around: Mapping[str, nn.Module]) -> dict[str, Any]:
    """What stands inside the towers, by the places' names."""
    places = {name: re.fullmatch(r"(text|image)\.blocks\.(\d+)\.(\w+)", name) for name in around}
    found: dict[str, dict[Tower, frozenset[int]]] = {"weights": {}, "beside": {}}
    for tower in TOWERS:
        own = [place for place in places.values() if place and place[1] == tower]
        beside = frozenset(int(place[2]) for place in own if place[3] == "beside")
        found["beside"][tower] = beside
        found["weights"][tower] = frozenset(int(place[2]) for place in own if place[3] != "beside")
    both = found["beside"]["text"] & found["beside"]["image"]
    return {**found, "shared": frozenset(layer for layer in both if _in_common(around, layer))}


def _in_common(around: Mapping[str, nn.Module], layer: int) -> bool:
    text, image = ({id(own) for own in around[f"{tower}.blocks.{layer}.beside"].parameters()} for tower in TOWERS)
    return bool(text & image)


def _tokens(texts: ClassTexts, *, probe: bool = False) -> tuple[str | int, ...]:
    encode = Tokenizer.default().encode
    pieces = re.findall(r"\w+|[^\w\s]", f"{texts.layout.template.format('')} {CLASSES.names[0]}")
    words = {tuple(encode(piece)): piece for piece in pieces}
    words |= {tuple(encode(CLASSES.names[0])): "class name", (texts.rows[0][0],): "start", (texts.rows[0][-1],): "end"}
    if not probe:
        ids, marks = texts.rows[0], texts.slots[0]
        room = texts.lead.inserted
        ids, marks = (*ids[:1], *[0] * room, *ids[1:]), (*marks[:1], *range(room), *marks[1:])
    else:
        ids = texts.lead.ids.tolist()
        marks = [FIXED] * len(ids)
        for number, place in zip(texts.lead.slot_numbers.tolist(), texts.lead.slot_places.tolist(), strict=True):
            marks[place] = number
    return tuple(words.get((id,), "…") if mark == FIXED else mark for id, mark in zip(ids, marks, strict=True))


@cache
def _small_clip() -> CLIP:
    """Each tower has a width of its own, greater than any usual number of slots: so a tensor's shape tells its home."""
    return tiny_clip(
        tokenizer=Tokenizer.default(), image_size=8, patch=4, image_width=64, image_layers=LAYERS,
        text_width=48, text_layers=LAYERS, context=77, out=96,
    )  # fmt: skip
