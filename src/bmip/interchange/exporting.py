"""Makes a released checkpoint of prompts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bmip.interchange.files import nested, write_released
from bmip.interchange.frozen import frozen_tensors
from bmip.interchange.methods import released_of
from bmip.methods import method_config
from bmip.prompting.method_spec import MethodSpec
from bmip.prompting.model import PromptedCLIP
from bmip.prompting.released import Released, Stored


def export_checkpoint(model: PromptedCLIP, folder: Path) -> Path:
    """Writes the prompts as the released code of their method stores them, and returns the file.

    Raises ValueError for a method without released checkpoints, for options that the released code does not have, and
    where the file exists.
    """
    description = model.described()
    method, released = released_of(description.spec.method)
    _check_fixed(method, released, description.options)
    file = folder / released.folder / released.file
    if file.exists():
        raise ValueError(f"{file} exists, and is not overwritten: name another folder than {folder}, or remove it")
    config, trainable = method_config(method, dict(description.options)), model.trainable()
    state = frozen_tensors(model.clip) if released.strict else {}
    for name, key in released.keys(config, model.clip, trainable).items():
        tensor = trainable[name].detach().cpu().contiguous()
        state[key.key if isinstance(key, Stored) else key] = _padded(tensor, key) if isinstance(key, Stored) else tensor
    before = f"{released.part}." if released.part else ""
    state = {key.removeprefix(before): tensor for key, tensor in state.items()}
    content = {"state_dict": state, "epoch": 0} if released.said is None else {**nested(state), **released.said(config)}
    write_released(file, content)
    return file


def _check_fixed(method: MethodSpec, released: Released, options: Mapping[str, Any]) -> None:
    needed = method_config(method, dict(method.presets["released"].options))
    for name in released.fixed:
        if options[name] != getattr(needed, name):
            raise ValueError(
                f"the released code of {method.name} knows {name} = {getattr(needed, name)} alone, and these prompts "
                f"have {options[name]}: it would predict otherwise with them; train with --preset released to export"
            )


def _padded(tensor: Tensor, stored: Stored) -> Tensor:
    whole = torch.zeros(stored.shape)
    whole.flatten()[: tensor.numel()] = tensor.flatten()
    return whole
