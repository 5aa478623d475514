"""The pre-training run.

Each batch follows from the number of its step, so a run that was killed and started again ends with the same weights.
"""

from __future__ import annotations

import dataclasses
import json
import math
import time
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from torch.func import functional_call

from bmip.clip.loading.load import save_clip
from bmip.clip.tokenizer import Tokenizer
from bmip.embedded.pretrain.batches import Batch, prefetched
from bmip.embedded.pretrain.config import PretrainConfig
from bmip.embedded.pretrain.evaluate import check_context, evaluate_sets
from bmip.embedded.pretrain.muon import Optimizer
from bmip.embedded.pretrain.pair import Pair, Sentences, in_type
from bmip.embedded.pretrain.start import grow, grown_name, new_clip, new_tokenizer
from bmip.system.device import pick_device
from bmip.system.files import sweep, write_bytes, write_text, writing
from bmip.system.messages import first_line
from bmip.system.pickles import Damaged, MoreThanTensors, load_pickle
from bmip.system.threads import threads

CHECKPOINT, LOG, TOKENIZER = "checkpoint.pt", "metrics.jsonl", "tokenizer.json"
_LARGEST_SCALE = 4.6052  # ln 100, as in CLIP
_FREE = ("shallow_steps", "deep_steps", "threads", "checkpoint_minutes", "evaluate_every", "evaluate_images", "device")
"""The settings that may be others when a run goes on."""


def pretrain(
    config: PretrainConfig,
    out: Path,
    *,
    progress: Callable[[int, Mapping[str, float]], None] | None = None,
    stop_after: int | None = None,
) -> Path:
    """Trains a CLIP on scenes of pictures and saves it in `out`/clip, where `load_clip` reads it; returns that folder.

    Args:
        config: the settings.
        out: the folder of the run. It also gets the checkpoint and a log in JSON lines. A run there that was stopped or
            killed goes on from its checkpoint, and ends with the same weights; without a checkpoint it begins anew.
        progress: called after each step with the number of steps done and the losses of this one.
        stop_after: ends this call after so many steps of the run.

    Raises:
        ValueError: where `out` holds a run of another configuration or a damaged checkpoint, for a device that does not
            exist, and for a context too short for the evaluations. Other numbers of steps are allowed: from there on
            the schedule is that of the new numbers. A CLIP whose shallow steps are done by them grows at once, and one
            that has grown stays as it is.
        FloatingPointError: where a loss is not finite. The last checkpoint is kept.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    run = PretrainRun(config, out)
    last = config.steps if stop_after is None else min(stop_after, config.steps)
    with threads(config.threads):
        saved = time.monotonic()
        for batch in prefetched(config, run.tokenizer, run.step, last):
            losses = run.advance(batch)
            if progress is not None:
                progress(run.step, losses)
            if time.monotonic() - saved > 60 * config.checkpoint_minutes:
                run.save()
                saved = time.monotonic()
    run.save()
    return out / "clip"


class PretrainRun:
    """A run between two steps, in memory: weights, optimiser and the number of steps."""

    def __init__(self, config: PretrainConfig, out: Path) -> None:
        """Begins a run, or takes up the one whose checkpoint lies in `out`. No other process may write to `out`.

        Raises ValueError for a checkpoint that is damaged or of another configuration, for an unknown device, and for a
        context that is too short for the sentences of the evaluations.
        """
        self.config, self.out = config, out
        self.device = pick_device(config.device)
        stored = _stored(out / CHECKPOINT)
        if stored is not None:
            self._check_configuration(stored["config"])
        for folder in (out, out / "clip"):
            sweep(folder)
        self.dtype = getattr(torch, config.precision)
        self.step = 0
        self.seconds = 0.0
        if stored is None:
            new_tokenizer(config.vocabulary, config.seed).save(out / TOKENIZER)
            (out / LOG).unlink(missing_ok=True)
        self.tokenizer = Tokenizer.from_file(out / TOKENIZER)
        if config.evaluate_every:
            check_context(self.tokenizer, config.context)
        self.pair = Pair(new_clip(config, self.tokenizer), seed=config.seed).to(self.device)
        rates = {"matrix_lr": config.matrix_lr, "lr": config.lr, "weight_decay": config.weight_decay}
        self.optimizer = Optimizer(self.pair.named_parameters(), **rates)
        if stored is not None:
            self._take_up(stored)
        self._grow_when_due()

    def advance(self, batch: Batch) -> dict[str, float]:
        """Makes one step, writes to the log now and then, and returns the losses.

        Raises FloatingPointError for a loss that is not finite.
        """
        config, where, began = self.config, self.device, time.perf_counter()
        texts = tuple(Sentences(*(t.to(where) for t in vars(part).values())) for part in batch.texts)
        parts = functional_call(
            self.pair,
            in_type(self.pair, self.dtype),
            (batch.pixels.to(where), texts, batch.truth.to(where), batch.same.to(where)),
            {"attribute_share": config.attribute_share(self.step)},
        )
        found = parts.pop("found")
        torch.stack(list(parts.values())).sum().backward()
        self.optimizer.step(config.step_size(self.step), self.dtype)
        with torch.no_grad():
            self.pair.clip.logit_scale.clamp_(max=_LARGEST_SCALE)
        self.step += 1
        self._grow_when_due()
        measured = {name: part.item() for name, part in parts.items()} | {"found": found.item()}
        if not all(map(math.isfinite, measured.values())):
            raise FloatingPointError(
                f"step {self.step}: the loss is {measured}; the last checkpoint is intact: lower lr or matrix_lr"
            )
        self.seconds += time.perf_counter() - began
        if self.step % 50 == 0 or self.step == config.steps:
            self._log(measured)
        if config.evaluate_every and (self.step % config.evaluate_every == 0 or self.step == config.steps):
            found = evaluate_sets(self.pair.clip, config.evaluate_images)
            self._write({"step": self.step, "zero_shot": {name: round(one, 1) for name, one in found.items()}})
        return measured

    def save(self) -> None:
        """Writes the checkpoint and the CLIP. Each file is replaced at once."""
        content = {
            "config": dataclasses.asdict(self.config),
            "step": self.step,
            "seconds": self.seconds,
            "pair": self.pair.state_dict(),
            "optimizer": self.optimizer.state,
        }
        packed = BytesIO()
        torch.save(content, packed)
        write_bytes(self.out / CHECKPOINT, packed.getvalue())
        save_clip(self.pair.clip, self.out / "clip", dtype=torch.float16)

    def _check_configuration(self, before: Mapping[str, object]) -> None:
        now = dataclasses.asdict(self.config)
        differing = [name for name in now if name not in _FREE and now[name] != before.get(name)]
        if differing:
            told = ", ".join(f"{name} was {before.get(name)}, is {now[name]}" for name in differing)
            raise ValueError(f"{self.out} holds a run of another configuration ({told}): choose another folder")

    def _take_up(self, stored: Mapping[str, Any]) -> None:
        """Goes on from a checkpoint. The log loses what was done after it."""
        self.step, self.seconds = stored["step"], stored["seconds"]
        if any(f"blocks.{self.config.shallow_layers}." in name for name in stored["pair"]):
            self._grow()
        self.pair.load_state_dict(stored["pair"])
        self.optimizer.restore(stored["optimizer"])
        if (self.out / LOG).exists():
            rows = (self.out / LOG).read_text().splitlines(keepends=True)
            kept = [row for row in rows if row.endswith("\n") and json.loads(row)["step"] <= self.step]
            write_text(self.out / LOG, "".join(kept))

    def _grow_when_due(self) -> None:
        """Makes a shallow CLIP deep once its shallow steps are done, whatever their number was before."""
        if self.step >= self.config.shallow_steps and self.pair.clip.config.text_layers < self.config.layers:
            self._grow()

    def _grow(self) -> None:
        shallow, deep = self.config.shallow_layers, self.config.layers
        names = {name: grown_name(name, shallow, deep) for name, _ in self.pair.named_parameters()}
        self.pair.clip = grow(self.pair.clip, deep)
        self.optimizer.rename(names, self.pair.named_parameters())

    def _log(self, measured: dict[str, float]) -> None:
        row: dict[str, object] = {
            "step": self.step,
            "pairs": self.step * self.config.batch,
            "seconds": round(self.seconds, 1),
            "step_size": round(self.config.step_size(self.step - 1), 4),
            "scale": round(self.pair.clip.scale.item(), 2),
            **{name: round(value, 4) for name, value in measured.items()},
        }
        self._write(row)

    def _write(self, row: dict[str, object]) -> None:
        with writing(self.out / LOG), (self.out / LOG).open("a") as log:
            log.write(json.dumps(row) + "\n")


def _stored(path: Path) -> dict[str, Any] | None:
    """What `PretrainRun.save` wrote; None where nothing was saved yet. Raises ValueError for a damaged file."""
    if not path.exists():
        return None
    try:
        content = load_pickle(path)
    except (Damaged, MoreThanTensors) as error:
        raise ValueError(_unusable(path, first_line(error))) from error
    if not isinstance(content, dict) or not content.keys() >= {"config", "step", "seconds", "pair", "optimizer"}:
        raise ValueError(_unusable(path, "it holds something else"))
    return content


def _unusable(path: Path, reason: str) -> str:
    return (
        f"{path} is no whole checkpoint of a pre-training run ({reason}): delete it to begin the run anew, or choose "
        "another folder"
    )
