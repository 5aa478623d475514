"""The batches of pre-training. Each follows from the number of its step; in some, the images are hard to tell apart."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from bmip.clip.tokenizer import Tokenizer
from bmip.embedded.pretrain.attributes import attributes_of
from bmip.embedded.pretrain.config import PretrainConfig
from bmip.embedded.pretrain.pair import Sentences, equal_captions, sentences
from bmip.embedded.scenes.atlas import pictures_of, shown_things
from bmip.embedded.scenes.captions import captions
from bmip.embedded.scenes.compose import SEEN, compose, held_out, pretraining_plan
from bmip.embedded.scenes.render import render

WRITTEN = 3
"""How often a digit or letter is shown for each time that a thing is: everybody writes them in another way."""

MEAN, STD = 0.5, 0.25


@dataclass(frozen=True)
class Batch:
    """Rendered images with their captions and attributes; `same` marks pairs of images with equal captions."""

    pixels: Float[Tensor, "image 3 size size"]
    texts: tuple[Sentences, ...]
    truth: Int64[Tensor, "attribute image"]
    same: Bool[Tensor, "image image"]


def make_batch(config: PretrainConfig, tokenizer: Tokenizer, step: int) -> Batch:
    """The batch of a step. It depends on the configuration and the number of the step alone."""
    rng = np.random.default_rng([config.seed, step])
    pool = shown()
    if rng.random() < config.alike:
        groups = np.array([shown_things()[place].group for place in pool])
        pool = pool[groups == groups[rng.integers(0, len(groups))]]
    thing = rng.permutation(np.resize(rng.permutation(pool), config.batch))
    scene, content = compose(rng, pretraining_plan(config.difficulty(step)), thing, others=np.unique(pool))
    texts = captions(content, rng)
    return Batch(
        (render(scene).float() / 255 - MEAN) / STD,
        sentences(texts, tokenizer, context=config.context),
        attributes_of(content),
        equal_captions(texts),
    )


@cache
def shown() -> Int64[np.ndarray, " thing"]:
    """The things that pre-training shows, digits and letters several times."""
    drawn = np.nonzero((pictures_of(SEEN) >= 0).any(axis=1))[0]
    kept = np.array([place for place in drawn if place not in held_out()])
    written = np.array([shown_things()[place].group == "writing" for place in kept])
    return np.concatenate([kept, *[kept[written]] * (WRITTEN - 1)])


def prefetched(config: PretrainConfig, tokenizer: Tokenizer, first: int, last: int) -> Iterator[Batch]:
    """The batches of the steps `first` to `last` - 1. Another thread draws them while the towers compute."""
    with ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        ahead = [pool.submit(make_batch, config, tokenizer, step) for step in range(first, min(first + 2, last))]
        for step in range(first, last):
            batch = ahead.pop(0).result()
            if step + 2 < last:
                ahead.append(pool.submit(make_batch, config, tokenizer, step + 2))
            yield batch
