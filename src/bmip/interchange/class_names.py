"""The names of the training classes, read from the embeddings of words that a released checkpoint holds.

CoOp's code and those that follow it store what stands behind the prompt tokens in each class's sentence, word by word.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from bmip.clip.model import CLIP
from bmip.clip.text_layout import TextLayout
from bmip.prompting.released import ReleasedError

_STORED = "token_suffix"
_NEAR = 0.01
"""How far an embedding may be from that of its word, relative to its length."""
_AT_ONCE = 256


def names_in(found: Mapping[str, Tensor], clip: CLIP, layout: TextLayout) -> list[str]:
    """The names in the order of the classes: in small letters, and with the same tokens as in training.

    `layout` is the sentence that the method has with the options of the checkpoint. Raises ReleasedError where the
    checkpoint holds no names, and where its sentences are others.
    """
    key = next((key for key in found if key.rpartition(".")[2] == _STORED), None)
    if key is None:
        raise ReleasedError("it does not hold the names of the training classes: give --classes or --classes-file")
    encode, decode = clip.tokenizer.encode, clip.tokenizer.decode
    before, after = (encode(part) for part in layout.template.split("{}"))
    between, names = before[layout.slots :], []
    for ids in _sentences(found[key], key, clip):
        name = ids[len(between) : len(ids) - len(after)]
        if [*between, *name, *after] != ids or not name or encode(decode(name)) != name:
            here = decode([*between, *encode("NAME"), *after])
            raise ReleasedError(
                f"behind its prompt tokens stands {decode(ids)!r}; with these options it would be {here!r}: say what "
                "differs (--set context=..., --template), or give --classes"
            )
        names.append(decode(name))
    return names


def _sentences(embeddings: Tensor, key: str, clip: CLIP) -> list[list[int]]:
    """For each class the tokens up to the end token. Raises ReleasedError for what are no embeddings of words."""
    known = clip.text.token_embedding.weight.detach().cpu().float()
    if embeddings.ndim != 3 or embeddings.shape[-1] != known.shape[-1]:
        raise ReleasedError(f"{key} is {tuple(embeddings.shape)}; (classes, tokens, {known.shape[-1]}) is needed")
    different, places = embeddings.float().flatten(0, 1).unique(dim=0, return_inverse=True)
    halves = known.square().sum(-1) / 2
    nearest = torch.cat([(rows @ known.T - halves).argmax(-1) for rows in different.split(_AT_ONCE)])
    if ((different - known[nearest]).norm(dim=-1) > _NEAR * known[nearest].norm(dim=-1)).any():
        raise ReleasedError(f"{key} holds no embeddings of words of {clip.source or 'this CLIP'}: give --classes")
    found, end = nearest[places].view(embeddings.shape[:2]).tolist(), clip.tokenizer.end
    return [ids[: ids.index(end)] if end in ids else ids for ids in found]
