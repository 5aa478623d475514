"""A new CLIP with its tokeniser, and the growth of a shallow CLIP to a deep one."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from bmip.clip.block import Block, Blocks
from bmip.clip.model import CLIP, CLIPConfig
from bmip.clip.tokenizer import Tokenizer
from bmip.embedded.pretrain.batches import MEAN, STD, shown
from bmip.embedded.pretrain.config import IMAGE_SIZE, PretrainConfig
from bmip.embedded.scenes.captions import captions
from bmip.embedded.scenes.compose import compose, pretraining_plan

TEMPLATES = (
    "a photo of a {}.",
    "a photo of the {}.",
    "a picture of a {}.",
    "an image of a {}.",
    "a drawing of a {}.",
    "a sketch of a {}.",
    "a rendition of a {}.",
    "a close-up photo of a {}.",
    "a blurry photo of the {}.",
    "a black {} on paper.",
    "a {} texture.",
    "a {} background.",
    "a {} pattern.",
    "there are {}.",
    "a photo of a {}, a type of animal.",
    "a photo of a {}, a type of food.",
    "a photo of a {}, a type of vehicle.",
    "a photo of a {}, a type of place.",
    "{}.",
)
"""Sentences whose words get tokens of their own, though few of them occur in captions."""


def new_tokenizer(vocabulary: int, seed: int, *, count: int = 20000) -> Tokenizer:
    """A tokeniser in which each word of the captions and templates is a token. Other words have several tokens."""
    rng = np.random.default_rng(seed)
    _, content = compose(rng, pretraining_plan(1.0), np.resize(shown(), count), others=np.unique(shown()))
    texts = captions(content, rng)
    return Tokenizer.train([*texts, *(template for template in TEMPLATES for _ in range(20))], vocabulary)


def new_clip(config: PretrainConfig, tokenizer: Tokenizer) -> CLIP:
    """A shallow CLIP to begin with, initialised as CLIP is. (openai/CLIP clip/model.py: initialize_parameters)"""
    settings = CLIPConfig(
        image_size=IMAGE_SIZE,
        patch=config.patch,
        image_width=config.width,
        image_layers=config.shallow_layers,
        image_heads=config.heads,
        text_width=config.width,
        text_layers=config.shallow_layers,
        text_heads=config.heads,
        context=config.context,
        vocabulary=tokenizer.vocabulary,
        out=config.width,
        activation="quick_gelu",
        mean=(MEAN, MEAN, MEAN),
        std=(STD, STD, STD),
    )
    clip = CLIP(settings, tokenizer)
    draws = torch.Generator().manual_seed(config.seed)
    scale = config.width**-0.5

    def normal(tensor: Tensor, std: float) -> None:
        with torch.no_grad():
            tensor.normal_(0, std, generator=draws)

    normal(clip.text.token_embedding.weight, 0.02)
    normal(clip.text.positional_embedding, 0.01)
    normal(clip.vit.class_embedding, scale)
    normal(clip.vit.positional_embedding, scale)
    normal(clip.vit.patch.weight, clip.vit.patch.weight[0].numel() ** -0.5)
    for tower in (clip.vit, clip.text):
        normal(tower.projection.weight, scale)
        for block in tower.blocks:
            for linear, std in ((block.qkv, scale), (block.up, scale / math.sqrt(2))):
                normal(linear.weight, std)
            for linear in (block.out, block.down):
                normal(linear.weight, scale / math.sqrt(2 * config.layers))
            for linear in (block.qkv, block.out, block.up, block.down):
                nn.init.zeros_(linear.bias)
    nn.init.constant_(clip.logit_scale, math.log(1 / 0.07))
    return clip


def grow(clip: CLIP, layers: int) -> CLIP:
    """A deeper CLIP with the same features. Each new block is a copy of the block below it, and adds nothing yet."""
    grown = copy.deepcopy(clip)
    grown.config = replace(clip.config, image_layers=layers, text_layers=layers)
    for tower in (grown.vit, grown.text):
        tower.blocks = Blocks(_deeper(list(tower.blocks), layers))
    return grown


def _deeper(blocks: list[Block], layers: int) -> Iterable[Block]:
    at = {place(n, len(blocks), layers): block for n, block in enumerate(blocks)}
    above = blocks[0]
    for layer in range(layers):
        if layer in at:
            above = at[layer]
            yield above
        else:
            idle = copy.deepcopy(above)
            for linear in (idle.out, idle.down):
                nn.init.zeros_(linear.weight)
                nn.init.zeros_(linear.bias)
            yield idle


def place(layer: int, shallow: int, layers: int) -> int:
    """The number that a block of the shallow tower has in the deep one."""
    return layer * layers // shallow


def grown_name(name: str, shallow: int, layers: int) -> str:
    """The name that a weight of the shallow CLIP has in the deep one."""
    return re.sub(r"(?<=\.blocks\.)\d+", lambda layer: str(place(int(layer[0]), shallow, layers)), name)
