"""What the frozen CLIP says without a method: its features of classes and of images, each computed once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from bmip.class_names import ClassNames
from bmip.clip.feature_memory import FeatureMemory
from bmip.clip.model import CLIP
from bmip.clip.text_layout import TextLayout

Found = TypeVar("Found")


@dataclass(frozen=True)
class Teacher:
    """The frozen CLIP's features of some classes. It holds no copy of the CLIP."""

    clip: CLIP
    classes: ClassNames
    remembered: dict[Hashable, Any] = field(default_factory=dict, repr=False)
    """What was computed once, by what it was computed from."""

    def once(self, key: Hashable, compute: Callable[[], Found]) -> Found:
        """What `compute` returned when it was first asked for under this key."""
        if key not in self.remembered:
            self.remembered[key] = compute()
        return self.remembered[key]

    def text_features(self, templates: Sequence[str], *, normalise_each: bool = True) -> Float[Tensor, "class out"]:
        """Normalised mean of the class features over the templates; each list of templates is computed once.

        `normalise_each`: whether each template's features are normalised before the mean; PromptSRC does not.
        """
        return self.once((tuple(templates), normalise_each), lambda: self._encode(templates, normalise_each))

    @torch.no_grad()
    def _encode(self, templates: Sequence[str], normalise_each: bool) -> Tensor:
        found = []
        for template in templates:
            texts = self.clip.texts(self.classes.names, TextLayout(template=template))
            features = at_least_float32(self.clip.encode_text(texts)[0])
            found.append(F.normalize(features, dim=-1) if normalise_each else features)
        return F.normalize(torch.stack(found).mean(0), dim=-1)


class FrozenImages:
    """The features that the frozen image tower has for each view of a batch; the tower runs when a view is first read.

    Args:
        views: augmented copies of the same images, the first of which the model sees.
        memory: where the features are looked for first, if the images may come again.
    """

    def __init__(
        self,
        clip: CLIP,
        views: Sequence[Float[Tensor, "image 3 size size"]],
        memory: FeatureMemory | None = None,
    ) -> None:
        self._clip, self._views, self._memory = clip, views, memory
        self._found: dict[int, Tensor] = {}

    def features(self, view: int) -> Float[Tensor, "image out"]:
        """Normalised features of a view, counted from 0."""
        return F.normalize(self.unnormalised(view), dim=-1)

    def unnormalised(self, view: int) -> Float[Tensor, "image out"]:
        """Features as the tower gives them, in at least float32."""
        if view not in self._found:
            pixels = self._views[view]
            if self._memory is None:
                self._found[view] = self._encode(pixels)
            else:
                self._found[view] = self._memory.features(pixels, lambda: self._encode(pixels))
        return self._found[view]

    @torch.no_grad()
    def _encode(self, pixels: Float[Tensor, "image 3 size size"]) -> Float[Tensor, "image out"]:
        return at_least_float32(self._clip.encode_image(pixels))


def at_least_float32(features: Tensor) -> Tensor:
    """The features in float32 where they come in half precision, otherwise as they are."""
    return features.to(torch.promote_types(features.dtype, torch.float32))
