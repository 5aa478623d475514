"""The features of pictures, for other tools to go on with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from jaxtyping import Float
from torch import Tensor

from bmip.data.transforms import normalise
from bmip.evaluation.pictures import Picture, squares
from bmip.prompting.model import PromptedCLIP


def picture_features(
    model: PromptedCLIP,
    images: Picture | Iterable[Picture],
    *,
    batch: int = 100,
    unread: Callable[[str], None] | None = None,
) -> Iterator[tuple[tuple[str, ...], Float[Tensor, "image out"]]]:
    """The names and the normalised features of the pictures, a batch at a time, on the CPU.

    They are those of `PromptedCLIP.image_features`, which says how logits follow. `unread` as for `squares`.
    """
    device, config = model.clip.device, model.clip.config
    for pixels, names in squares(images, config.image_size, batch, unread=unread):
        yield names, model.image_features(normalise(pixels.to(device), config.mean, config.std)).float().cpu()
