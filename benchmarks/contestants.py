"""What is timed against what: BMIP as the package computes it, the released computation, and our bare towers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from unittest import mock

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import bmip.clip.image
import bmip.clip.text
from benchmarks.class_names import class_names
from benchmarks.plain import Plain
from benchmarks.plain_cocoop import PlainCoCoOp
from bmip.class_names import ClassNames
from bmip.clip.block import LayerNorm
from bmip.clip.model import CLIP, CLIPConfig, Precision
from bmip.clip.prompts import LayerView
from bmip.clip.text_layout import TextLayout
from bmip.clip.tokenizer import Tokenizer
from bmip.methods import build_model, load_method
from bmip.prompting.model import PromptedCLIP

BATCH = 4


def random_clip(config: CLIPConfig, precision: Precision, device: str = "cpu") -> CLIP:
    """Finite at every depth; the values do not matter for speed."""
    with torch.device("meta"):
        clip = CLIP(config, Tokenizer.default())
    clip = clip.to_empty(device=device).requires_grad_(False)
    generator = torch.Generator(device).manual_seed(0)
    for module in clip.modules():
        if isinstance(module, LayerNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
            continue
        for parameter in module.parameters(recurse=False):
            fan_in = math.prod(parameter.shape[1:]) if parameter.ndim > 1 else 100
            parameter.normal_(std=1 / math.sqrt(fan_in), generator=generator)
    nn.init.constant_(clip.logit_scale, math.log(100))
    return clip.set_precision(precision).eval()


class Contestants:
    """Training steps and evaluation on one batch, over the first `classes` names of the list."""

    def __init__(self, clip: CLIP, classes: int, images: int = BATCH) -> None:
        self.clip = clip
        self.names = ClassNames(class_names(classes))
        self.pixels, self.labels = images_and_labels(clip, classes, images)
        self.ours = build_model("bmip", {}, clip, self.names, seed=0)
        released = build_model("bmip", load_method("bmip").presets["released"].options, clip, self.names, seed=0)
        self.plain = Plain(clip, released.prompter, self.names.names)
        self.texts = clip.texts(self.names.names, TextLayout())
        self.steps: dict[str, Callable[[], None]] = {
            "ours": self._training(self.ours, lambda: _loss(self.ours, self.pixels, self.labels)),
            "plain": self._training(released, lambda: self.plain.loss(self.pixels, self.labels)),
            "floor": floor_step(clip, self.names, self.pixels, self.labels),
            "constant gate": self._without_look(),
        }

    @property
    def images(self) -> dict[str, Callable[[], object]]:
        """The image side of evaluation: what is done anew for every batch."""
        text = self.ours.class_features(ClassNames(("x",)))
        return {
            "ours": lambda: self.ours._scaled(self.ours.image_features(self.pixels), text),
            "plain": torch.no_grad()(lambda: self.plain.image_features(self.pixels, self.plain.foreign()[0])),
            "bare": torch.no_grad()(lambda: self.clip.encode_image(self.pixels)),
        }

    @property
    def class_texts(self) -> dict[str, Callable[[], object]]:
        """The text side of evaluation; ours once per class list, plain once per batch of 100 images."""
        return {
            "ours": lambda: self.ours.class_features(self.names),
            "plain": torch.no_grad()(lambda: self.plain.text_features(self.plain.foreign()[1])),
            "bare": torch.no_grad()(lambda: self.clip.encode_text(self.texts)),
        }

    def _training(self, model: PromptedCLIP, loss: Callable[[], Tensor]) -> Callable[[], None]:
        optimizer = torch.optim.Adam(model.trainable().values(), lr=0.002, weight_decay=5e-4)

        def step() -> None:
            optimizer.zero_grad()
            loss().backward()
            optimizer.step()

        return step

    def _without_look(self) -> Callable[[], None]:
        slots = self.ours.prompter.text[0].shape[0]
        blind = {
            bmip.clip.image: torch.full((len(self.pixels), slots), 0.005, device=self.pixels.device),
            bmip.clip.text: torch.full((1, 1, slots), 0.1, device=self.pixels.device),
        }

        def step() -> None:
            with ExitStack() as patches:
                for tower, attention in blind.items():
                    patches.enter_context(mock.patch.object(tower, "LayerView", _blind(attention)))
                train()

        train = self._training(self.ours, lambda: _loss(self.ours, self.pixels, self.labels))
        return step


def images_and_labels(clip: CLIP, classes: int, images: int) -> tuple[Tensor, Tensor]:
    """Pixels from one seed, and labels in turn."""
    size = clip.config.image_size
    pixels = torch.randn(images, 3, size, size, generator=torch.Generator().manual_seed(1)).to(clip.device)
    return pixels, torch.arange(images, device=clip.device) % classes


def floor_step(clip: CLIP, names: ClassNames, pixels: Tensor, labels: Tensor) -> Callable[[], None]:
    """Our towers without prompts, forward and backward to what enters their first blocks."""
    texts = clip.texts(names.names, TextLayout())

    def step() -> None:
        with _inputs_with_gradients(clip):
            image, text = clip.encode_image(pixels).float(), clip.encode_text(texts)[0].float()
            logits = clip.scale * F.normalize(image, dim=-1) @ F.normalize(text, dim=-1).T
            F.cross_entropy(logits, labels).backward()

    return step


def cocoop_steps(clip: CLIP, classes: int) -> dict[str, Callable[[], None]]:
    """Ours on a batch; plain on a single image, as released: a batch would not fit into the memory of most machines."""
    names = ClassNames(class_names(classes))
    model = build_model("cocoop", {}, clip, names, seed=0)
    plain = PlainCoCoOp(clip, model.prompter, names.names)  # pyright: ignore[reportArgumentType]
    pixels, labels = images_and_labels(clip, classes, BATCH)
    optimizer = torch.optim.SGD(model.trainable().values(), lr=0.002, momentum=0.9, weight_decay=5e-4)

    def step(loss: Callable[[], Tensor]) -> None:
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()

    return {
        "ours": lambda: step(lambda: _loss(model, pixels, labels)),
        "plain": lambda: step(lambda: plain.loss(pixels[:1], labels[:1])),
    }


def _blind(attention: Tensor) -> Callable[..., LayerView]:
    return lambda *given: replace(LayerView(*given), look=lambda: attention)


@contextmanager
def _inputs_with_gradients(clip: CLIP) -> Iterator[None]:
    handles = [
        clip.image.ln_pre.register_forward_pre_hook(lambda _, args: (args[0].detach().requires_grad_(),)),
        clip.text.token_embedding.register_forward_hook(lambda _, args, out: out.detach().requires_grad_()),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _loss(model: PromptedCLIP, pixels: Tensor, labels: Tensor) -> Tensor:
    return model.losses([pixels], labels).parts["cross_entropy"]
