"""The pre-training run. Every batch follows from its step's number, so a killed run goes on as if it had not been."""

from __future__ import annotations

import dataclasses
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch.func import functional_call

from bmip.clip.loading.load import save_clip
from bmip.clip.tokenizer import Tokenizer
from bmip.embedded.pretrain.batches import Batch, prefetched
from bmip.embedded.pretrain.config import PretrainConfig
from bmip.embedded.pretrain.evaluate import evaluate_world
from bmip.embedded.pretrain.muon import Optimizer
from bmip.embedded.pretrain.pair import Pair, Sentences, in_type
from bmip.embedded.pretrain.start import grow, grown_name, new_clip, new_tokenizer
from bmip.system.files import writing

CHECKPOINT, LOG, TOKENIZER = "checkpoint.pt", "metrics.jsonl", "tokenizer.json"
_LARGEST_SCALE = 4.6052  # ln 100, as in CLIP


def pretrain(
    config: PretrainConfig,
    out: Path,
    *,
    console: Console | None = None,
    resume: bool = True,
    stop_after: int | None = None,
) -> Path:
    """Train a CLIP on the rendered world and save it in `out`/clip, where `load_clip` reads it; returns that folder.

    `out` also holds the checkpoint and a log in JSON lines. With `resume` a run that was stopped, or killed, goes on
    and ends with the same weights; without it `out` must not hold a run. `stop_after` ends this call early, after so
    many steps of the run.

    Raises ValueError where `out` holds a run of another configuration (more or fewer steps are allowed: the schedule
    then is that of the new number from there on).
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    if (out / CHECKPOINT).exists() and not resume:
        raise ValueError(f"{out} holds a pre-training run: choose another folder, or go on with it")
    run = _Run(config, out)
    last = config.steps if stop_after is None else min(stop_after, config.steps)
    with _threads(config.threads), _progress(console, run.step, config.steps) as advance:
        saved = time.monotonic()
        for batch in prefetched(config, run.tokenizer, run.step, last):
            measured = run.advance(batch)
            advance(run.step, measured)
            if time.monotonic() - saved > 60 * config.checkpoint_minutes:
                run.save()
                saved = time.monotonic()
    run.save()
    return out / "clip"


class _Run:
    """What changes from step to step, on disk and in memory."""

    def __init__(self, config: PretrainConfig, out: Path) -> None:
        self.config, self.out = config, out
        self.dtype = getattr(torch, config.precision)
        self.step = 0
        self.seconds = 0.0
        path = out / TOKENIZER
        if not path.exists():
            new_tokenizer(config.vocabulary, config.seed).save(path)
        self.tokenizer = Tokenizer.from_file(path)
        self.pair = Pair(new_clip(config, self.tokenizer), seed=config.seed).to(config.device)
        self.optimizer = self._optimizer()
        if (out / CHECKPOINT).exists():
            self._load()
        elif not config.shallow_steps:
            self._grow()

    def advance(self, batch: Batch) -> dict[str, float]:
        """One step; returns the losses."""
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
        if not all(map(_finite, measured.values())):
            raise FloatingPointError(
                f"step {self.step}: the loss is {measured}; the last checkpoint is intact: lower lr or matrix_lr"
            )
        self.seconds += time.perf_counter() - began
        if self.step % 50 == 0 or self.step == config.steps:
            self._log(measured)
        if config.evaluate_every and (self.step % config.evaluate_every == 0 or self.step == config.steps):
            found = evaluate_world(self.pair.clip, per_class=config.evaluate_images)
            self._write({"step": self.step, "zero_shot": {name: round(one.accuracy, 1) for name, one in found.items()}})
        return measured

    def save(self) -> None:
        """Checkpoint and the CLIP so far, each replaced at once."""
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
        free = {
            "shallow_steps",
            "deep_steps",
            "threads",
            "checkpoint_minutes",
            "evaluate_every",
            "evaluate_images",
            "device",
        }
        now = dataclasses.asdict(self.config)
        differing = [name for name in now if name not in free and now[name] != content["config"].get(name)]
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

    def _optimizer(self) -> Optimizer:
        config = self.config
        weights = self.pair.named_parameters()
        return Optimizer(weights, matrix_lr=config.matrix_lr, lr=config.lr, weight_decay=config.weight_decay)

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


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _progress(console: Console | None, first: int, steps: int):
    bar = Progress(
        TextColumn("pre-training"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[said]}"),
        console=console,
        disable=console is None,
    )
    with bar:
        task = bar.add_task("", total=steps, completed=first, said="")

        def advance(step: int, measured: dict[str, float]) -> None:
            said = f"loss {measured['contrast']:.2f}, found {100 * measured['found']:.0f} %"
            bar.update(task, completed=step, said=said)

        yield advance


def _finite(value: float) -> bool:
    return value - value == 0
