"""The words that are most like trained text prompts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from bmip.clip.prompts import Prompt
from bmip.prompting.model import PromptedCLIP

PROMPTS = 8
"""Of a method with many lists of prompts the first few are read."""


@dataclass(frozen=True)
class NearWords:
    """The words nearest to one prompt token."""

    slot: str
    """Which prompt token it is, counted from 1; before it the number of its list or class, where there are several."""

    words: tuple[tuple[str, float], ...]
    """Each with the cosine of its embedding and the prompt token, the nearest first."""


@torch.no_grad()
def nearest_words(model: PromptedCLIP, count: int = 3) -> list[NearWords]:
    """The words nearest to each text prompt token of the first layer, which holds embeddings of words otherwise.

    Prompts of deeper layers replace what lower layers have computed, so they are like no word. Empty for a method
    without text prompts in the first layer. Raises ValueError for prompts that differ between images.
    """
    if model.prompter.reads_images:
        raise ValueError("the text prompts differ between images, so no words are nearest to them")
    prompts = model.prompts(model.classes)
    lists = _first(prompts.sentences) if prompts.sentences else _first([prompts.text])
    if not lists:
        return []
    words = model.clip.tokenizer.whole_words()
    known = F.normalize(model.clip.text.token_embedding.weight[list(words)].float(), dim=-1)
    names, found = list(words.values()), []
    for number, slots in enumerate(lists[:PROMPTS], start=1):
        near, places = (F.normalize(slots.float(), dim=-1) @ known.T).topk(min(count, len(names)))
        for slot, (values, at) in enumerate(zip(near.tolist(), places.tolist(), strict=True), start=1):
            label = f"{number}.{slot}" if len(lists) > 1 else str(slot)
            found.append(NearWords(label, tuple((names[k], value) for k, value in zip(at, values, strict=True))))
    return found


def _first(sentences: Sequence[Sequence[Prompt]]) -> list[Tensor]:
    """The prompts of the first layer as lists of slots (slot, width): one for each sentence, variant and class."""
    first = [own[0] for own in sentences if own]
    return [slots for prompt in first if isinstance(prompt, Tensor) for slots in prompt.flatten(0, 1)]
