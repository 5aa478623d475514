"""The weights, images and prompts behind the golden vectors: one generator per key. (tests/golden/README.md)"""

from __future__ import annotations

import json
import math
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from bmip.clip.model import CLIP, CLIPConfig
from bmip.clip.tokenizer import Tokenizer

FOLDER = Path(__file__).parent
CONFIG = CLIPConfig(
    image_size=64, patch=16, image_width=128, image_layers=12, image_heads=2,
    text_width=512, text_layers=12, text_heads=8, context=77, vocabulary=49408, out=64,
)  # fmt: skip
LABELS = torch.tensor([0, 3, 6, 2, 5])


def generator(key: str) -> torch.Generator:
    return torch.Generator().manual_seed(zlib.crc32(key.encode()) & 0xFFFFFFFF)


def draw(key: str, *shape: int) -> Tensor:
    return torch.randn(shape, generator=generator(key))


def weight(key: str, shape: tuple[int, ...]) -> Tensor:
    """The stored tensor of a backbone or prompt key; the first rule that matches."""
    if key.endswith("logit_scale"):
        return torch.tensor(math.log(100.0))
    r = draw(key, *shape)
    norms = ("ln_1", "ln_2", "ln_pre", "ln_post", "ln_final", "norm1", "norm2")
    if key.endswith(tuple(f"{norm}.weight" for norm in norms)):
        return 1 + 0.1 * r
    if key.endswith("learnable_linear1.weight"):
        return 20 * r
    if "learnable_linear" in key:
        return 0.5 * r
    if key.endswith("bias"):
        return 0.01 * r
    if key.endswith("token_embedding.weight"):
        return 0.1 * r
    if key.endswith("positional_embedding"):
        return 0.05 * r
    if key.endswith("class_embedding"):
        return 0.1 * r
    if key.endswith(("text_projection", "visual.proj")):
        return r / math.sqrt(shape[0])
    if key.endswith("conv1.weight"):
        return r / math.sqrt(math.prod(shape[1:]))
    if key.endswith(".weight") or (key.endswith("in_proj_weight") and not key.startswith("prompt_learner.")):
        return r / math.sqrt(shape[1])
    return 0.1 * r


def images(key: str = "image") -> Tensor:
    return draw(key, 5, 3, 64, 64)


@cache
def clip() -> CLIP:
    """The recipe-made CLIP, from OpenAI's names by a mapping of its own."""
    ours = {}
    blocks = {
        "ln_1": "ln_1",
        "ln_2": "ln_2",
        "qkv": "attn.in_proj_",
        "out": "attn.out_proj",
        "up": "mlp.c_fc",
        "down": "mlp.c_proj",
    }
    with torch.device("meta"):
        model = CLIP(CONFIG, Tokenizer.default())
    for name, parameter in model.state_dict().items():
        shape = tuple(parameter.shape)
        key = name.replace("image.", "visual.", 1) if name.startswith("image.") else name.removeprefix("text.")
        key = key.replace("visual.patch.", "visual.conv1.")
        if "blocks." in key:
            head, layer, part, kind = key.rsplit(".", 3)
            part = blocks[part] if blocks[part].endswith("_") else f"{blocks[part]}."
            key = f"{head.removesuffix('blocks')}transformer.resblocks.{layer}.{part}{kind}"
        if name == "image.projection.weight":
            ours[name] = weight("visual.proj", shape[::-1]).T.contiguous()
        elif name == "text.projection.weight":
            ours[name] = weight("text_projection", shape[::-1]).T.contiguous()
        else:
            ours[name] = weight(key, shape)
    model.load_state_dict(ours, assign=True)
    return model.eval().requires_grad_(False)


@dataclass(frozen=True)
class Case:
    manifest: dict
    gold: dict[str, Tensor]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.manifest["classnames"])


def case(name: str) -> Case:
    return Case(
        json.loads((FOLDER / name / "manifest.json").read_text()), load_file(FOLDER / name / "golden.safetensors")
    )
