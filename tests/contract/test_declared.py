"""What a prompter may break if it says so, and what happens then."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from bmip.class_names import ClassNames
from bmip.clip.prompts import LayerView, Prompts
from bmip.clip.text_layout import TextLayout
from bmip.prompting.method import Given, Method, Prompter
from bmip.prompting.model import PromptedCLIP
from bmip.testing.case import new_vit

CLASSES = ClassNames(("cat", "golden_retriever", "black-eyed susan", "2012 audi"))


class Mixing(Prompter):
    """Deeper prompts scaled by the attention that the slots get, averaged over the classes that are asked about."""

    reads_classes = True

    def __init__(self) -> None:
        super().__init__()
        self.text = nn.Parameter(torch.randn(2, 24))

    def layout(self, classes: ClassNames) -> TextLayout:
        return TextLayout(slots=2, per_class=True)

    def forward(self, given: Given) -> Prompts:
        def deeper(view: LayerView) -> Tensor:
            attention = view.attention()
            return (10 * attention.mean(1, keepdim=True)[..., None] * self.text).expand(-1, attention.shape[1], -1, -1)

        return Prompts(text=[self.text[None, None], deeper])


class Peeking(Prompter):
    """Looks at the images without saying so."""

    def layout(self, classes: ClassNames) -> TextLayout:
        return TextLayout(slots=1)

    def forward(self, given: Given) -> Prompts:
        return Prompts(text=[given.image_features[:, None, None, :1].expand(-1, 1, 1, 24)])


def test_a_prompt_that_mixes_over_classes_depends_on_them_and_is_refused_in_chunks() -> None:
    model = PromptedCLIP(new_vit(), Method(prompter=Mixing()), CLASSES).double()
    pixels = torch.randn(2, 3, 12, 12, dtype=torch.float64)
    fewer = ClassNames(CLASSES.names[:2])
    assert (model(pixels, fewer) - model(pixels, CLASSES)[:, :2]).abs().max() > 1e-6
    model.clip.text.chunk_tokens = 12
    with pytest.raises(ValueError, match=r"mixes over classes, so its 4 classes must run at once"):
        model(pixels, CLASSES)


class Reading(Prompter):
    """Looks at the features of the classes without saying so."""

    def layout(self, classes: ClassNames) -> TextLayout:
        return TextLayout(slots=1, per_class=True)

    def forward(self, given: Given) -> Prompts:
        return Prompts(text=[given.class_features[None, :, None, :24]])


def test_images_are_not_to_be_had_unless_declared() -> None:
    model = PromptedCLIP(new_vit(), Method(prompter=Peeking()), CLASSES).double()
    with pytest.raises(LookupError, match="declare `reads_images = True`"):
        model(torch.randn(2, 3, 12, 12, dtype=torch.float64), CLASSES)


def test_class_features_are_not_to_be_had_unless_declared() -> None:
    class Declared(Reading):
        reads_class_features = True

    pixels = torch.randn(2, 3, 12, 12, dtype=torch.float64)
    with pytest.raises(LookupError, match="declare `reads_class_features = True`"):
        PromptedCLIP(new_vit(), Method(prompter=Reading()), CLASSES).double()(pixels, CLASSES)
    assert PromptedCLIP(new_vit(), Method(prompter=Declared()), CLASSES).double()(pixels, CLASSES).isfinite().all()


def test_a_prompt_of_each_image_s_own_is_the_same_in_a_batch() -> None:
    class Conditional(Peeking):
        reads_images = True

    model = PromptedCLIP(new_vit(), Method(prompter=Conditional()), CLASSES).double()
    pixels = torch.randn(3, 3, 12, 12, dtype=torch.float64)
    classify = model.classifier(CLASSES)
    together = classify(pixels)
    torch.testing.assert_close(together, torch.cat([classify(one[None]) for one in pixels]), atol=1e-10, rtol=0)
    assert (together[0] - together[1]).abs().max() > 1e-6
