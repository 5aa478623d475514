"""What a batch of images shows, as numbers: the renderer draws it and the captions describe it."""

from dataclasses import dataclass, fields

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

MOST = 5
"""Copies of a thing that fit into one image."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """At most one kind of thing per image, in up to five copies; later layers cover earlier ones."""

    count: Int64[Tensor, " image"]
    """Copies of the thing; 0 leaves the layer out of an image."""
    thing: Int64[Tensor, " image"]
    writing: Float[Tensor, " image"]
    """Which way of writing a glyph, as a fraction of those it has."""
    colour: Int64[Tensor, " image"]
    second_colour: Int64[Tensor, " image"]
    rgb: Float[Tensor, "image 3"]
    second_rgb: Float[Tensor, "image 3"]
    texture: Int64[Tensor, " image"]
    texture_scale: Float[Tensor, " image"]
    texture_turn: Float[Tensor, " image"]
    texture_shift: Float[Tensor, "image 2"]
    x: Float[Tensor, "image copy"]
    y: Float[Tensor, "image copy"]
    """Centres in pixels."""
    radius: Float[Tensor, "image copy"]
    """Pixels from the centre to the edge of the unit disc."""
    turn: Float[Tensor, "image copy"]
    """Clockwise, in radians."""
    shear: Float[Tensor, " image"]
    aspect: Float[Tensor, " image"]
    """Width over height; negative mirrors."""
    grow: Float[Tensor, " image"]
    """Thickens every edge, in units of the radius."""
    inverted: Bool[Tensor, " image"]
    """Everything but the thing: a wall with a hole."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A batch of images. Indices point into the tuples of `vocabulary`."""

    layers: tuple[Layer, ...]
    background: Int64[Tensor, " image"]
    background_colour: Int64[Tensor, " image"]
    """Colour of a plain background; -1 for the others."""
    background_rgb: Float[Tensor, "image 3"]
    background_scale: Float[Tensor, " image"]
    background_shift: Float[Tensor, "image 2"]
    style: Int64[Tensor, " image"]
    corruption: Int64[Tensor, " image"]
    strength: Float[Tensor, " image"]
    """Of the corruption, in 0..1."""
    wobble: Float[Tensor, " image"]
    """Displacement of lines, in pixels."""
    relation: Int64[Tensor, " image"]
    """Where the main thing lies as seen from the other one (left, right, above, below); -1 without another."""
    noise_seed: int
    """Of the grain that noisy images get; the rest of a scene is drawn already."""

    def __len__(self) -> int:
        return len(self.style)

    def at(self, index: slice | Int64[Tensor, " row"]) -> "Scene":
        """Some of the images."""
        layers = tuple(
            Layer(**{field.name: getattr(layer, field.name)[index] for field in fields(Layer)}) for layer in self.layers
        )
        values = {field.name: getattr(self, field.name) for field in fields(Scene)}
        rows = {name: value[index] for name, value in values.items() if isinstance(value, torch.Tensor)}
        return Scene(**{**rows, "layers": layers, "noise_seed": self.noise_seed})
