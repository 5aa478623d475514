import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from bmip.clip.loading.load import load_clip
from bmip.clip.text_layout import TextLayout
from bmip.embedded.pretrain.batches import make_batch
from bmip.embedded.pretrain.config import PretrainConfig
from bmip.embedded.pretrain.evaluate import zero_shot
from bmip.embedded.pretrain.loop import CHECKPOINT, LOG, TOKENIZER, PretrainRun, pretrain
from bmip.embedded.pretrain.muon import Optimizer, orthogonal
from bmip.embedded.pretrain.start import new_tokenizer

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
def start(tmp_path, tokenizer):
    """A new folder with the tokeniser in it, which need not be trained each time."""

    def start(name="run"):
        (tmp_path / name).mkdir()
        tokenizer.save(tmp_path / name / TOKENIZER)
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
    [({"layers": 2, "shallow_layers": 3}, "do not grow"), ({"batch": 1}, "contrast"), ({"shallow_steps": -1}, "steps")],
)
def test_configurations_that_make_no_sense_are_refused(change, told):
    with pytest.raises(ValueError, match=told):
        PretrainConfig(**change)


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
