"""A memory of the frozen image tower's features, for images that are evaluated again and again."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

HELD = 2**27
"""Bytes of features that are kept: those of 65,536 images in ViT-B/16."""


class FeatureMemory:
    """Features of whole batches of images, found again by the bytes of their pixels.

    It keeps batches because a tower rounds an image's features by the batch that the image comes in, and no number may
    depend on what was evaluated before. It is for one CLIP whose weights stay as they are. On a GPU it keeps nothing:
    there the tower is faster than the way of the pixels to the hash.
    """

    def __init__(self, held_bytes: int = HELD) -> None:
        self._most = self._room = held_bytes
        self._held: OrderedDict[bytes, Tensor] = OrderedDict()

    def forget(self) -> None:
        """Drops everything: the CLIP computes in another type from now on."""
        self._held.clear()
        self._room = self._most

    def features(
        self, pixels: Float[Tensor, "image 3 size size"], compute: Callable[[], Float[Tensor, "image out"]]
    ) -> Float[Tensor, "image out"]:
        """What `compute` gives for these pixels; it is called only if the memory does not know them."""
        if pixels.device.type != "cpu":
            return compute()
        key = hashlib.sha256(pixels.contiguous().numpy().data).digest()
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        found = compute()
        self._held[key] = found
        self._room -= found.nbytes
        while self._room < 0:
            self._room += self._held.popitem(last=False)[1].nbytes
        return found
