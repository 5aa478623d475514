"""The batches of pre-training. Each follows from the number of its step; in some, the images are hard to tell apart."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from bmip.clip.tokenizer import Tokenizer
from bmip.embedded.pretrain.config import PretrainConfig
from bmip.embedded.pretrain.pair import Sentences, equal_captions, sentences
from bmip.embedded.world import ATTRIBUTES
from bmip.embedded.world.captions import caption
from bmip.embedded.world.plan import draw_scene, pretraining_plan
from bmip.embedded.world.pretraining import attributes_of
from bmip.embedded.world.render import render

ALIKE: tuple[tuple[str, ...], ...] = ((), ("colour",), ("background", "background_colour"), ("texture",))
"""What the images of a batch have in common, by turns. Otherwise colours and places would tell most images apart, and
shapes would be learned late."""

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
    difficulty = config.difficulty(step)
    plan = replace(pretraining_plan(difficulty), turn=0.1 + 0.5 * difficulty)
    scenes = draw_scene(rng, plan, config.batch * config.choice)
    scene = scenes.at(_chosen(attributes_of(scenes), ALIKE[step % len(ALIKE)], config.batch, rng))
    captions, attributes = caption(scene, rng), attributes_of(scene)
    return Batch(
        (render(scene).float() / 255 - MEAN) / STD,
        sentences(captions, tokenizer, context=config.context),
        torch.stack([attributes[name] for name in ATTRIBUTES]),
        equal_captions(captions),
    )


def _chosen(
    attributes: dict[str, Int64[Tensor, " image"]], alike: tuple[str, ...], count: int, rng: np.random.Generator
) -> Int64[Tensor, " chosen"]:
    """`count` neighbours in the order of the attributes. Every image is chosen with the same probability."""
    pool = len(next(iter(attributes.values())))
    order = np.lexsort((rng.random(pool), *(attributes[name].numpy() for name in reversed(alike))))
    start = int(rng.integers(0, pool))
    return torch.from_numpy(np.take(order, range(start, start + count), mode="wrap"))


def prefetched(config: PretrainConfig, tokenizer: Tokenizer, first: int, last: int) -> Iterator[Batch]:
    """The batches of the steps `first` to `last` - 1. Another thread draws them while the towers compute."""
    with ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        ahead = [pool.submit(make_batch, config, tokenizer, step) for step in range(first, min(first + 2, last))]
        for step in range(first, last):
            batch = ahead.pop(0).result()
            if step + 2 < last:
                ahead.append(pool.submit(make_batch, config, tokenizer, step + 2))
            yield batch
