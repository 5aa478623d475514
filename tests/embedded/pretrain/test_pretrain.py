import errno
import json
import math
import os
import pickle
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from bmip.clip.loading.load import load_clip
from bmip.clip.text_layout import TextLayout
from bmip.clip.tokenizer import Tokenizer
from bmip.embedded.pretrain import loop
from bmip.embedded.pretrain.batches import make_batch
from bmip.embedded.pretrain.config import PretrainConfig
from bmip.embedded.pretrain.evaluate import zero_shot
from bmip.embedded.pretrain.loop import CHECKPOINT, LOG, TOKENIZER, PretrainRun, pretrain
from bmip.embedded.pretrain.muon import Optimizer, orthogonal
from bmip.embedded.pretrain.start import grown_name, new_tokenizer
from bmip.embedded.scenes.render import SIZE

TINY = PretrainConfig(
    shallow_steps=4,
    deep_steps=4,
    batch=8,
    shallow_layers=1,
    layers=3,
    width=16,
    heads=1,
    patch=16,
    precision="float32",
    threads=1,
    evaluate_every=0,
)


@pytest.fixture
def start(tmp_path, tokenizer, monkeypatch):
    """A new folder for a run. The tokeniser is not trained each time."""
    monkeypatch.setattr(loop, "new_tokenizer", lambda vocabulary, seed: tokenizer)

    def start(name="run"):
        (tmp_path / name).mkdir()
        return tmp_path / name

    return start


def test_the_loss_falls_in_both_phases(start, tokenizer):
    config = replace(TINY, shallow_steps=15, deep_steps=15, width=32, batch=16, lr=0.01, precision="bfloat16")
    run, batch = PretrainRun(config, start()), make_batch(config, tokenizer, 0)
    losses = [run.advance(batch)["contrast"] for _ in range(config.steps)]
    assert losses[14] < losses[0] - 0.3
    assert losses[29] < losses[14] / 2


def test_the_log_tells_how_far_it_is(start):
    folder = start()
    seen = []
    pretrain(TINY, folder, progress=lambda step, losses: seen.append((step, losses["contrast"])))
    (row,) = [json.loads(line) for line in (folder / LOG).read_text().splitlines()]
    assert row["step"] == 8 and row["pairs"] == 8 * TINY.batch
    assert "attributes" not in row, "the heads' loss has faded by the end"
    assert [step for step, _ in seen] == list(range(1, 9))
    assert row["contrast"] == round(seen[-1][1], 4)


@pytest.mark.parametrize("killed_after", [2, 6])
def test_a_killed_run_ends_with_the_same_weights(start, killed_after):
    whole, killed = start("whole"), start("killed")
    expected = load_file(pretrain(TINY, whole) / "model.safetensors")
    pretrain(TINY, killed, stop_after=killed_after)

    def die(step, losses):
        if step == killed_after + 1:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        pretrain(TINY, killed, progress=die)
    found = load_file(pretrain(TINY, killed) / "model.safetensors")
    assert found.keys() == expected.keys()
    assert all(found[name].equal(expected[name]) for name in expected)


@pytest.mark.parametrize(
    ("done", "shallow_steps", "deep_steps"), [(3, 2, 6), (3, 3, 5), (6, 7, 1), (6, 5, 3), (6, 6, 2), (6, 0, 8)]
)
def test_a_run_that_goes_on_with_other_steps_grows_once(start, tokenizer, monkeypatch, done, shallow_steps, deep_steps):
    config, folder = replace(TINY, shallow_layers=2, layers=4), start()
    pretrain(config, folder, stop_after=done)
    states = torch.load(folder / CHECKPOINT, weights_only=True)["optimizer"]
    expected = {grown_name(key, 2, 4): state for key, state in states.items()} if done < 4 else states
    config = replace(config, shallow_steps=shallow_steps, deep_steps=deep_steps)
    run = PretrainRun(config, folder)
    monkeypatch.setattr(run.optimizer, "step", lambda *given: None)
    run.advance(make_batch(config, tokenizer, done))
    assert run.optimizer.state.keys() == expected.keys()
    assert all(run.optimizer.state[key].equal(state) for key, state in expected.items())
    assert {key.split("/", 1)[1] for key in expected} <= dict(run.pair.named_parameters()).keys()
    found = load_clip(pretrain(config, folder)).config
    assert (found.image_layers, found.text_layers) == (4, 4)


def test_a_shallow_run_that_goes_on_with_more_shallow_steps_grows_after_them(start, tokenizer):
    folder = start()
    pretrain(TINY, folder, stop_after=3)
    run = PretrainRun(replace(TINY, shallow_steps=5, deep_steps=3), folder)
    layers = []
    for step in (3, 4):
        run.advance(make_batch(run.config, tokenizer, step))
        layers.append(len(run.pair.clip.text.blocks))
    assert layers == [1, 3]


def test_a_run_without_a_checkpoint_begins_anew(start, tokenizer):
    folder = start()
    new_tokenizer(600, 0, count=500).save(folder / TOKENIZER)
    (folder / LOG).write_text('{"step": 50}\n')
    (folder / ".tokenizer.json-0123.part").write_text("cut sh")
    clip = load_clip(pretrain(TINY, folder))
    assert Tokenizer.from_file(folder / TOKENIZER).vocabulary == clip.config.vocabulary == tokenizer.vocabulary
    assert [json.loads(line)["step"] for line in (folder / LOG).read_text().splitlines()] == [8]
    assert {entry.name for entry in folder.iterdir()} == {CHECKPOINT, LOG, TOKENIZER, "clip"}


def test_a_damaged_checkpoint_is_refused_with_what_to_do(start):
    folder = start()
    pretrain(TINY, folder, stop_after=1)
    whole = (folder / CHECKPOINT).read_bytes()
    for content in (whole[: len(whole) // 2], b"", pickle.dumps(TINY), pickle.dumps([1])):
        (folder / CHECKPOINT).write_bytes(content)
        with pytest.raises(ValueError, match=r"checkpoint\.pt .*delete it to begin the run anew"):
            pretrain(TINY, folder)
        assert (folder / CHECKPOINT).read_bytes() == content


def test_a_full_disk_leaves_checkpoint_and_log_as_they_were(start, monkeypatch):
    folder = start()
    pretrain(TINY, folder, stop_after=2)
    (folder / LOG).write_text('{"step": 2}\n{"step": 3}\n')
    run = PretrainRun(TINY, folder)
    assert (folder / LOG).read_text() == '{"step": 2}\n'
    (folder / LOG).write_text('{"step": 2}\n{"step": 3}\n')
    before = {entry: entry.read_bytes() for entry in folder.iterdir() if entry.is_file()}

    def full(stream):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for write in (run.save, lambda: PretrainRun(TINY, folder)):
        with pytest.raises(OSError, match="No space left"):
            write()
        assert {entry: entry.read_bytes() for entry in folder.iterdir() if entry.is_file()} == before


def test_what_is_saved_loads_with_the_same_features(start):
    folder = start()
    clip = load_clip(pretrain(TINY, folder))
    run = PretrainRun(TINY, folder)
    pixels, texts = torch.randn(2, 3, 48, 48), clip.texts(["a red star", "a boat"], TextLayout())
    halved = run.pair.clip.half().float().requires_grad_(False)
    assert clip.encode_image(pixels).equal(halved.encode_image(pixels))
    assert clip.encode_text(texts).equal(halved.encode_text(texts))
    assert len(clip.image.blocks) == len(clip.text.blocks) == 3


def test_a_run_of_another_configuration_is_not_continued(start):
    folder = start()
    pretrain(TINY, folder, stop_after=1)
    with pytest.raises(ValueError, match=r"lr was 0\.001, is 0\.1"):
        pretrain(replace(TINY, lr=0.1), folder)


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_checkpoint(start):
    folder = start()
    pretrain(TINY, folder, stop_after=2)
    content = torch.load(folder / CHECKPOINT, weights_only=True)
    content["pair"]["clip.logit_scale"].fill_(torch.nan)
    torch.save(content, folder / CHECKPOINT)
    before = (folder / CHECKPOINT).read_bytes()
    with pytest.raises(FloatingPointError, match="step 3: the loss is"):
        pretrain(TINY, folder)
    assert (folder / CHECKPOINT).read_bytes() == before


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"layers": 2, "shallow_layers": 3}, "do not grow"),
        ({"shallow_layers": 0}, "do not grow"),
        ({"batch": 1}, "batch is 1.* at least 2"),
        ({"shallow_steps": -1}, "shallow_steps is -1.* at least 0"),
        ({"shallow_steps": 0, "deep_steps": 0}, "at least one is needed"),
        ({"context": 1}, "context is 1.* at least 3"),
        ({"context": 2}, "context is 2.* at least 3"),
        ({"alike": 2.0}, "alike is 2.0.* from 0 to 1"),
        ({"alike": -0.1}, "alike is -0.1.* from 0 to 1"),
        ({"warmup": -1.0}, "warmup is -1.0.* from 0 to 1"),
        ({"richest_at": 0.0}, "richest_at is 0.* above 0"),
        ({"attributes_until": 0.0}, "attributes_until is 0.* above 0"),
        ({"attribute_weight": -1.0}, "attribute_weight is -1"),
        ({"lr": math.nan}, "lr is nan"),
        ({"matrix_lr": math.inf}, "matrix_lr is inf"),
        ({"weight_decay": -0.1}, "weight_decay is -0.1"),
        ({"heads": 0}, "heads is 0.* at least 1"),
        ({"width": 0}, "width is 0.* at least 1"),
        ({"width": 15, "heads": 2}, "width is 15 .* multiple of heads, 2"),
        ({"patch": 50}, "patch is 50.* from 1 to 48"),
        ({"patch": 0}, "patch is 0.* from 1 to 48"),
        ({"vocabulary": 10}, "vocabulary is 10.* at least 514"),
        ({"threads": 0}, "threads is 0.* at least 1"),
        ({"checkpoint_minutes": -1.0}, "checkpoint_minutes is -1"),
        ({"evaluate_every": -1}, "evaluate_every is -1"),
        ({"evaluate_images": 0}, "evaluate_images is 0"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_configurations_that_make_no_sense_are_refused(change, told):
    with pytest.raises(ValueError, match=told):
        PretrainConfig(**change)


def test_the_edges_of_what_is_allowed_make_a_clip_that_takes_a_sentence(start):
    edges = replace(TINY, shallow_steps=1, deep_steps=1, batch=2, context=3, patch=SIZE, alike=1.0, warmup=0.0)
    clip = load_clip(pretrain(replace(edges, richest_at=1.0, attributes_until=1.0, attribute_weight=0.0), start()))
    assert clip.encode_text(clip.texts(["boat"], TextLayout("{}"))).isfinite().all()


def test_a_context_too_short_for_the_evaluations_is_refused_before_the_first_step(start):
    config = replace(TINY, context=17, evaluate_every=1)
    with pytest.raises(
        ValueError, match=r"context is 17.* needs 18 tokens: set context to at least 18, or evaluate_ev"
    ):
        PretrainRun(config, start("short"))
    PretrainRun(replace(config, context=18), start("long"))
    PretrainRun(replace(config, evaluate_every=0), start("without"))


def test_a_device_that_does_not_exist_is_refused_and_nothing_is_written(start):
    folder = start()
    with pytest.raises(ValueError, match="no device 'nope': it has cpu"):
        pretrain(replace(TINY, device="nope"), folder)
    assert not list(folder.iterdir())


def test_one_schedule_spans_both_phases():
    config = PretrainConfig(shallow_steps=300, deep_steps=100, shallow_layers=4, layers=12, warmup=0.04)
    assert config.progress(300) == 0.5
    assert config.progress(400) == 1
    sizes = [config.step_size(step) for step in range(400)]
    peak = sizes.index(max(sizes))
    assert config.progress(peak) == pytest.approx(0.04, abs=0.002)
    assert sizes[:peak] == sorted(sizes[:peak]) and sizes[peak:] == sorted(sizes[peak:], reverse=True)
    assert 0 < sizes[0] < 0.05 and sizes[-1] < 0.001
    assert config.difficulty(0) == 0 and config.difficulty(300) == 1
    assert config.attribute_share(0) == 1 and config.attribute_share(399) == 0


def test_words_of_captions_and_templates_are_single_tokens(tokenizer):
    for word in ("penguin", "striped", "photo", "letter", "q", "handwritten", "close-up", "apples"):
        assert len(tokenizer.encode(word)) == len(word.split("-")) * 2 - 1, word
    assert len(tokenizer.encode("photosynthesis")) > 1
    assert new_tokenizer(600, 0, count=500).vocabulary == 600


def test_muon_makes_updates_orthogonal():
    wide = torch.randn(2, 8, 32) @ torch.diag(torch.logspace(-1, 1, 32))
    values = torch.linalg.svdvals(orthogonal(wide))
    assert values.min() > 0.5 and values.max() < 1.4


def test_the_optimiser_finds_a_minimum_and_knows_matrices_by_name():
    torch.manual_seed(0)
    names = ("image.blocks.0.up.weight", "image.blocks.0.qkv.weight", "text.token_embedding.weight")
    weights = {name: torch.nn.Parameter(torch.randn(12, 4)) for name in names}
    optimizer = Optimizer(weights.items(), matrix_lr=0.2, lr=0.2, weight_decay=0.0)
    for step in range(200):
        torch.stack([weight.square().sum() for weight in weights.values()]).sum().backward()
        optimizer.step(1 - step / 200)
    assert all(weight.abs().max() < 0.05 for weight in weights.values())
    assert {key for key in optimizer.state if key.startswith("second")} == {"second/text.token_embedding.weight"}


def test_zero_shot_with_each_template(start, tokenizer):
    clip = load_clip(pretrain(replace(TINY, deep_steps=0, layers=1, shallow_steps=1), start()))
    images, labels = torch.randint(0, 256, (6, 3, 48, 48), dtype=torch.uint8), torch.tensor([0, 1, 2, 0, 1, 2])
    templates, names = ("a {}.", "the {}"), ("star", "boat", "heart")
    alone = [zero_shot(clip, images, labels, names, (template,)) for template in templates]
    assert zero_shot(clip, images, labels, names, templates) == [found for (found,) in alone]


ITS_HASH = """
import hashlib, sys
from bmip.embedded.pretrain.start import new_tokenizer
new_tokenizer(4096, 0).save(sys.argv[1])
print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())
"""


def test_the_tokeniser_follows_from_the_seed_in_every_process(tmp_path):
    """Rust's hash tables have another order in each process."""
    given = [sys.executable, "-c", ITS_HASH, str(tmp_path / "tokenizer.json")]
    found = {subprocess.run(given, capture_output=True, text=True, check=True, timeout=300).stdout for _ in range(3)}
    assert len(found) == 1
