"""A random CLIP and a data set that train in milliseconds."""

from collections.abc import Mapping

import torch

from bmip.class_names import ClassNames
from bmip.clip.model import CLIP, CLIPConfig
from bmip.clip.tokenizer import Tokenizer
from bmip.data.dataset import ArrayImages, Dataset, Split
from bmip.data.transforms import Augmentation

torch.set_num_threads(1)

OPTIONS: Mapping[str, dict] = {
    "zero_shot": {},
    "ivlp": {"text_depth": 3, "image_depth": 3},
    "maple": {"depth": 3},
    "bmip": {"depth": 3},
}
LEARNING = [name for name in OPTIONS if name != "zero_shot"]

_TOKENIZER = Tokenizer.train(["a photo of a red green blue grey dog"] * 3, 520)
_COLOURS = {"red": (200, 60, 60), "green": (60, 200, 60), "blue": (60, 60, 200), "grey": (120, 120, 120)}


def tiny_clip() -> CLIP:
    config = CLIPConfig(
        image_size=16, patch=8, image_width=32, image_layers=3, image_heads=2,
        text_width=32, text_layers=3, text_heads=2, context=20, vocabulary=_TOKENIZER.vocabulary, out=16,
    )  # fmt: skip
    clip = CLIP(config, _TOKENIZER)
    generator = torch.Generator().manual_seed(0)
    for name, parameter in clip.named_parameters():
        value = torch.randn(parameter.shape, generator=generator) * 0.2
        parameter.data = 1 + 0.1 * value if "ln_" in name and name.endswith("weight") else value
    clip.logit_scale.data = torch.tensor(3.0)
    clip.source, clip.sha256 = "tiny", "0" * 64
    return clip.eval().requires_grad_(False)


def tiny_dataset(*, val: bool = True, val_is_test: bool = False) -> Dataset:
    """Four colours with noise."""

    def split(part: str, seed: int, per_class: int) -> Split:
        generator = torch.Generator().manual_seed(seed)
        labels = [label for label in range(4) for _ in range(per_class)]
        colours = torch.tensor(list(_COLOURS.values()), dtype=torch.float32)[labels][:, :, None, None]
        noisy = colours + 40 * torch.randn(len(labels), 3, 20, 20, generator=generator)
        return Split(ArrayImages(noisy.clamp(0, 255).to(torch.uint8), f"colours/{part}"), tuple(labels))

    return Dataset(
        "colours",
        ClassNames(tuple(_COLOURS)),
        split("train", 1, 6),
        split("val", 2, 4) if val else None,
        split("test", 3, 5),
        val_is_test=val_is_test,
        augmentation=Augmentation(scale=(0.5, 1.0)),
    )
