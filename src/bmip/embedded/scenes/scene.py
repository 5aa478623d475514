"""What a batch of images shows, as numbers: `render` draws it and `captions` describes it."""

from __future__ import annotations

from dataclasses import dataclass, fields

from jaxtyping import Bool, Float, Int64
from torch import Tensor

MOST = 5
"""The greatest number of pictures in one image."""

COLOURS: dict[str, tuple[int, int, int]] = {
    "white": (246, 246, 244), "black": (26, 26, 28), "grey": (146, 148, 152), "red": (206, 60, 56),
    "orange": (238, 146, 58), "yellow": (246, 214, 92), "green": (84, 164, 92), "blue": (74, 122, 208),
    "light blue": (150, 204, 240), "purple": (142, 96, 184), "pink": (242, 168, 196), "brown": (136, 98, 68),
}  # fmt: skip
"""Name -> red, green and blue in 0..255: the colours of backgrounds."""

EFFECTS = ("none", "grey", "inverted", "posterised", "edges")
"""What may be done to a whole image."""

CORRUPTIONS = ("none", "noisy", "blurry", "dark", "faint", "pixelated")
"""What may spoil an image."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A batch of images. The pictures of an image are drawn in their order: the first one lies lowest."""

    picture: Int64[Tensor, "image item"]
    """The place of the picture in the atlas; -1 for none."""

    x: Float[Tensor, "image item"]
    """The centre in pixels from the left."""

    y: Float[Tensor, "image item"]
    """The centre in pixels from the top."""

    side: Float[Tensor, "image item"]
    """The picture's side in pixels."""

    turn: Float[Tensor, "image item"]
    """Clockwise, in radians."""

    mirrored: Bool[Tensor, "image item"]

    tint: Float[Tensor, "image item 3"]
    """Factors of red, green and blue."""

    surface: Int64[Tensor, " image"]
    """The background: 0 plain, 1 graded, then the textures, then the tiled pictures of `surfaces`."""

    colours: Float[Tensor, "image 2 3"]
    """The background's two colours in 0..1; a plain one has the first."""

    shift: Float[Tensor, "image 2"]
    """How far the background's tile is moved, in pixels."""

    scale: Float[Tensor, " image"]
    """How many pixels of its tile one pixel of the background takes."""

    effect: Int64[Tensor, " image"]
    corruption: Int64[Tensor, " image"]
    strength: Float[Tensor, " image"]
    """Of the corruption, in 0..1."""

    noise_seed: int
    """Of the grain that noisy images get."""

    def __len__(self) -> int:
        return len(self.picture)

    def at(self, rows: slice | Tensor) -> Scene:
        """Some of the images."""
        values = {field.name: getattr(self, field.name) for field in fields(Scene)}
        tensors = {name: value[rows] for name, value in values.items() if isinstance(value, Tensor)}
        return Scene(**{**values, **tensors})
