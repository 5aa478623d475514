"""The frozen CLIP in released checkpoints: its keys there, and whether it is the one at hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torch import Tensor

from bmip.clip.loading.weight_names import OPENAI
from bmip.clip.model import CLIP
from bmip.prompting.released import ReleasedError

_CURE = "name the CLIP that it was trained with (--backbone)"
_NEAR = 0.01
"""How far a tensor may be from ours, relative to its length. Half precision and PromptSRC's average are less."""


def frozen_keys(clip: CLIP, found: Mapping[str, Tensor], teachers: Iterable[str]) -> set[str]:
    """The keys that hold this CLIP, in the model itself and behind each prefix of `teachers`.

    Raises ReleasedError where they hold a CLIP of another size or with other weights.
    """
    known, ours = released_names(clip, teachers), clip.state_dict()
    keys = {key for key in found if key in known}
    for key in sorted(keys):
        name = known[key]
        own = ours[name].detach().cpu().float()
        own = own.t() if name in OPENAI.transposed else own
        other = found[key].float()
        if other.shape != own.shape:
            raise ReleasedError(
                f"it holds a CLIP of another size than {clip.source or 'this one'}: {key} is {tuple(other.shape)}, "
                f"{tuple(own.shape)} is needed; {_CURE}"
            )
        if not (other - own).norm() <= _NEAR * own.norm():
            raise ReleasedError(
                f"it holds a CLIP with other weights than {clip.source or 'this one'}: {key} differs; {_CURE}"
            )
    return keys


def frozen_tensors(clip: CLIP) -> dict[str, Tensor]:
    """The CLIP's tensors by their keys in a released model, but for the embeddings of words, which are not in it."""
    ours = {name: tensor.detach().cpu() for name, tensor in clip.state_dict().items()}
    return {
        key: (ours[name].t() if name in OPENAI.transposed else ours[name]).contiguous()
        for key, name in released_names(clip).items()
        if key.startswith(("image_encoder.", "text_encoder."))
    }


def released_names(clip: CLIP, teachers: Iterable[str] = ()) -> dict[str, str]:
    """Released key -> our name, for each tensor of the CLIP in the model itself and behind each prefix of `teachers`.

    A prefix that ends in `image_encoder.` holds the image tower alone, any other one a whole CLIP.
    """
    towers = {"image_encoder.": "visual.", "text_encoder.": ""}
    elsewhere = {"token_embedding.weight", "logit_scale"}
    for before in teachers:
        towers[before] = "visual." if before.endswith("image_encoder.") else ""
    found = {"logit_scale": "logit_scale"}
    for name in clip.state_dict():
        names = OPENAI.names(name)
        if len(names) != 1:
            continue
        for before, tower in towers.items():
            image = names[0].startswith("visual.")
            if names[0].startswith(tower) and not (before == "text_encoder." and (image or names[0] in elsewhere)):
                found[before + names[0].removeprefix(tower)] = name
    return found
