"""The pre-training run.

Each batch follows from the number of its step, so a run that was killed and started again ends with the same weights.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch.func import functional_call

from bmip.clip.loading.load import save_clip
from bmip.clip.tokenizer import Tokenizer
from bmip.embedded.pretrain.batches import Batch, prefetched
from bmip.embedded.pretrain.config import PretrainConfig
from bmip.embedded.pretrain.evaluate import evaluate_sets
from bmip.embedded.pretrain.muon import Optimizer
from bmip.embedded.pretrain.pair import Pair, Sentences, in_type
from bmip.embedded.pretrain.start import grow, grown_name, new_clip, new_tokenizer
from bmip.system.files import writing
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
            killed goes on, and ends with the same weights.
        progress: called after each step with the number of steps done and the losses of this one.
        stop_after: ends this call after so many steps of the run.

    Raises:
        ValueError: where `out` holds a run of another configuration. Another number of steps is allowed: from there on
            the schedule is that of the new number.
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
        """Begins a run, or takes up the one whose checkpoint lies in `out`.

        Raises ValueError for a checkpoint of another configuration.
        """
        self.config, self.out = config, out
        self.dtype = getattr(torch, config.precision)
        self.step = 0
        self.seconds = 0.0
        path = out / TOKENIZER
        if not path.exists():
            new_tokenizer(config.vocabulary, config.seed).save(path)
        self.tokenizer = Tokenizer.from_file(path)
        self.pair = Pair(new_clip(config, self.tokenizer), seed=config.seed).to(config.device)
        rates = {"matrix_lr": config.matrix_lr, "lr": config.lr, "weight_decay": config.weight_decay}
        self.optimizer = Optimizer(self.pair.named_parameters(), **rates)
        if (out / CHECKPOINT).exists():
            self._load()
        elif not config.shallow_steps:
            self._grow()

    def advance(self, batch: Batch) -> dict[str, float]:
        """Makes one step, writes to the log now and then, and returns the losses.

        Raises FloatingPointError for a loss that is not finite.
        """
        config, began = self.config, time.perf_counter()
        where = torch.device(config.device)
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
        if self.step == config.shallow_steps:
            self._grow()
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
        partial = self.out / f".{CHECKPOINT}.{os.getpid()}"
        torch.save(content, partial)
        partial.replace(self.out / CHECKPOINT)
        save_clip(self.pair.clip, self.out / "clip", dtype=torch.float16)

    def _load(self) -> None:
        content = torch.load(self.out / CHECKPOINT, weights_only=True, map_location=self.config.device)
        now = dataclasses.asdict(self.config)
        differing = [name for name in now if name not in _FREE and now[name] != content["config"].get(name)]
        if differing:
            told = ", ".join(f"{name} was {content['config'].get(name)}, is {now[name]}" for name in differing)
            raise ValueError(f"{self.out} holds a run of another configuration ({told}): choose another folder")
        self.step, self.seconds = content["step"], content["seconds"]
        if any(f"blocks.{self.config.shallow_layers}." in name for name in content["pair"]):
            self._grow()
        self.pair.load_state_dict(content["pair"])
        self.optimizer.state = content["optimizer"]
        if (self.out / LOG).exists():
            rows = (self.out / LOG).read_text().splitlines(keepends=True)
            # what was done after the checkpoint is done again
            kept = [row for row in rows if row.endswith("\n") and json.loads(row)["step"] <= self.step]
            (self.out / LOG).write_text("".join(kept))

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
