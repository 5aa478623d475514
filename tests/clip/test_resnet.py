"""ResNet image towers: the function, the files they come from, and what cannot be done with them."""

from __future__ import annotations

import hashlib
import json
import warnings
from functools import cache
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from bmip.class_names import ClassNames
from bmip.clip.loading import backbones as registry
from bmip.clip.loading.backbones import Backbone, BackboneError, backbones
from bmip.clip.loading.load import load_clip, save_clip
from bmip.clip.loading.weight_names import OPENAI
from bmip.clip.model import CLIP, CLIPConfig
from bmip.clip.resnet import Convolution, ResNet
from bmip.clip.text_layout import TextLayout
from bmip.clip.tokenizer import Tokenizer
from bmip.methods import build_model
from tests.clip.loading.tiny_checkpoints import TOKENIZER, openai_scalars, torchscript_archive
from tests.clip.plain_resnet import Visual, openai_tensors, random_visual

MODELS = {
    "RN50": {"size": 64, "width": 4, "layers": (3, 4, 6, 3)},
    "RN101": {"size": 64, "width": 4, "layers": (3, 4, 23, 3)},
    "RN50x4": {"size": 96, "width": 6, "layers": (4, 6, 10, 6)},
}
TINY = {"size": 64, "width": 4, "layers": (1, 2, 1, 1)}
SAY = {"heads": (2, 2), "activation": "quick_gelu", "tokenizer": TOKENIZER}
visual_of = cache(lambda name: random_visual(**MODELS[name]))
tiny = cache(lambda: random_visual(**TINY))


def pixels_of(size: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(dtype)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    save_file(openai_tensors(tiny()), tmp_path / "clip.safetensors")
    return tmp_path / "clip.safetensors"


def rewrite(file: Path, change) -> None:
    tensors = load_file(file)
    change(tensors)
    save_file(tensors, file)


def assert_same_features(clip: CLIP, visual: Visual) -> None:
    pixels = pixels_of(clip.config.image_size)
    torch.testing.assert_close(clip.encode_image(pixels).double(), visual(pixels.double()), rtol=1e-5, atol=1e-5)


# --- the function ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_equals_plain_modules(name: str) -> None:
    """In float64 to rounding; in float32 what is folded is rounded once more."""
    sizes, visual = MODELS[name], visual_of(name)
    tower = ResNet(**sizes, heads=sizes["width"] // 2, out=24).double()
    theirs = {f"visual.{key}": tensor for key, tensor in visual.state_dict().items()}
    tower.load_state_dict({ours: OPENAI.read(f"image.{ours}", theirs) for ours in tower.state_dict()})
    pixels = pixels_of(sizes["size"], torch.float64)
    gold = visual(pixels)
    assert 0.1 < gold.abs().mean() < 10
    torch.testing.assert_close(tower(pixels), gold, rtol=0, atol=1e-10)
    torch.testing.assert_close(tower.float()(pixels.float()).double(), gold, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("mode", [True, False])
def test_frozen_whatever_the_mode(file: Path, mode: bool) -> None:
    clip = load_clip(file, **SAY)
    before = {name: tensor.clone() for name, tensor in clip.state_dict().items()}
    clip.train(mode)
    assert_same_features(clip, tiny())
    assert all(torch.equal(tensor, before[name]) for name, tensor in clip.state_dict().items())
    assert not any(parameter.requires_grad for parameter in clip.parameters())


def test_bfloat16_stores_matrices_once_and_keeps_the_stream_in_float32(file: Path) -> None:
    clip = load_clip(file, **SAY)
    pixels = pixels_of(64)
    exact = clip.encode_image(pixels)
    streams = []
    for stage in clip.image.stages:
        stage.register_forward_hook(lambda _, __, stream: streams.append(stream.dtype))
    clip.set_precision("bfloat16")
    for name, parameter in clip.image.named_parameters():
        kept = name == "pool.positional_embedding"
        assert parameter.dtype == (torch.float32 if kept else torch.bfloat16), name
    found = clip.encode_image(pixels)
    assert streams == [torch.float32] * 4
    assert 0 < (found - exact).norm() <= 0.03 * exact.norm()


@pytest.mark.parametrize(
    ("config", "count"),
    [
        (CLIPConfig(224, 32, 64, (3, 4, 6, 3), 32, 512, 12, 8, 77, 49408, 1024), 102_007_137),
        (CLIPConfig(224, 32, 64, (3, 4, 23, 3), 32, 512, 12, 8, 77, 49408, 512), 119_688_033),
        (CLIPConfig(288, 32, 80, (4, 6, 10, 6), 40, 640, 12, 10, 77, 49408, 640), 178_300_601),
    ],
)
def test_as_many_values_as_openais(config: CLIPConfig, count: int) -> None:
    """RN50, RN101 and RN50x4, where each convolution has a scale as well, which ours hold in its weight."""
    with torch.device("meta"):
        clip = CLIP(config, Tokenizer.default())
    scales = sum(module.out_channels for module in clip.modules() if isinstance(module, Convolution))
    assert sum(parameter.numel() for parameter in clip.parameters()) + scales == count


def test_images_of_another_size(file: Path) -> None:
    with pytest.raises(ValueError, match=r"images are \(96, 96\); this tower takes \(64, 64\) pixels"):
        load_clip(file, **SAY).encode_image(torch.zeros(1, 3, 96, 96))


# --- the files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_sizes_are_read_from_the_weights(name: str, tmp_path: Path) -> None:
    sizes, visual = MODELS[name], visual_of(name)
    torch.save(openai_tensors(visual) | openai_scalars(), tmp_path / "clip.pt")
    clip = load_clip(tmp_path / "clip.pt", **{**SAY, "heads": (sizes["width"] // 2, 2)})
    config = clip.config
    assert (config.image_size, config.image_width, config.image_layers) == tuple(sizes.values())
    assert (config.patch, config.image_heads, config.out) == (32, sizes["width"] // 2, 24)
    assert {tensor.dtype for tensor in clip.state_dict().values()} == {torch.float32}
    assert_same_features(clip, visual)


def test_batch_norms_need_not_count(file: Path) -> None:
    clip = load_clip(file, **SAY)
    rewrite(file, lambda tensors: [tensors.pop(key) for key in list(tensors) if key.endswith("num_batches_tracked")])
    again = load_clip(file, **SAY)
    assert all(torch.equal(again.state_dict()[name], tensor) for name, tensor in clip.state_dict().items())


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Visual:
    """As if OpenAI had published a tiny RN; its archive lies where theirs are kept."""
    visual = random_visual(**{**TINY, "width": 8})
    monkeypatch.setenv("HOME", str(tmp_path))
    cached = tmp_path / ".cache" / "clip" / "RN-tiny.pt"
    cached.parent.mkdir(parents=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torchscript_archive(openai_tensors(visual, text=(128, 2, 1)) | openai_scalars(), cached)
    sha256 = hashlib.sha256(cached.read_bytes()).hexdigest()
    known = Backbone(name="RN-tiny", note="", file=cached.name, sha256=sha256)
    monkeypatch.setattr(registry, "_BACKBONES", (*backbones(), known))
    return visual


def test_openais_archive_by_name(published: Visual) -> None:
    clip = load_clip("RN-tiny", tokenizer=TOKENIZER)
    assert (clip.config.image_heads, clip.config.text_heads, clip.config.activation) == (4, 2, "quick_gelu")
    assert_same_features(clip, published)


def test_open_clip_folder(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    save_file(openai_tensors(tiny()), folder / "open_clip_model.safetensors")
    TOKENIZER.save(folder / "tokenizer.json")
    image = {"image_size": 64, "layers": [1, 2, 1, 1], "width": 4, "patch_size": None}
    text = {"context_length": 20, "vocab_size": 530, "width": 32, "heads": 2, "layers": 2}
    content = {"model_cfg": {"embed_dim": 24, "quick_gelu": True, "vision_cfg": image, "text_cfg": text}}
    (folder / "open_clip_config.json").write_text(json.dumps(content), encoding="utf-8")
    clip = load_clip(folder)
    assert (clip.config.image_heads, clip.config.text_heads, clip.config.activation) == (2, 2, "quick_gelu")
    assert_same_features(clip, tiny())


def test_save_and_load(file: Path, tmp_path: Path) -> None:
    clip = load_clip(file, **SAY)
    save_clip(clip, tmp_path / "ours")
    again = load_clip(tmp_path / "ours")
    assert again.config == clip.config
    assert again.state_dict().keys() == clip.state_dict().keys()
    assert all(torch.equal(again.state_dict()[name], tensor) for name, tensor in clip.state_dict().items())
    assert torch.equal(again.encode_image(pixels_of(64)), clip.encode_image(pixels_of(64)))


def test_transformers_has_no_resnet(file: Path, tmp_path: Path) -> None:
    file.rename(tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text('{"model_type": "clip"}', encoding="utf-8")
    with pytest.raises(
        BackboneError, match=r"a ResNet and a configuration of transformers, .* give the file by itself"
    ):
        load_clip(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("visual.bn1.bias"), r"missing keys: visual\.bn1\.bias; unexpected keys: none"),
        (
            lambda t: t.pop("visual.layer2.0.downsample.1.weight"),
            r"missing keys: visual\.layer2\.0\.downsample\.1\.wei",
        ),
        (lambda t: t.update({"visual.bn4.num_batches_tracked": torch.ones(())}), "unexpected keys: visual.bn4.num_ba"),
        (lambda t: t.update({"visual.proj": torch.zeros(128, 24)}), "unexpected keys: visual.proj"),
        (
            lambda t: t.update({"visual.layer1.0.bn2.running_var": torch.ones(1)}),
            r"are not those of a CLIP: .*bn2.runn",
        ),
        (
            lambda t: t.update({"visual.conv1.weight": torch.zeros(2, 3, 5, 5)}),
            r"has shape \(2, 3, 5, 5\), not \(2, 3, 3",
        ),
        (
            lambda t: t.update({"visual.conv1.weight": torch.zeros(2, 3, 3, 3, dtype=torch.int8)}),
            "is torch.int8; weights",
        ),
        (lambda t: t["visual.bn2.running_var"].fill_(-1), "not finite"),
        (lambda t: t.pop("visual.attnpool.c_proj.weight"), r"not a whole CLIP.*lacks visual\.attnpool\.c_proj\.weight"),
        (
            lambda t: t.update({"visual.attnpool.positional_embedding": torch.zeros(4, 128)}),
            "3 patches, which is no squ",
        ),
        (lambda t: [t.pop(key) for key in list(t) if ".layer4." in key], r"stages of its ResNet have \(1, 2, 1, 0\)"),
    ],
)
def test_tensors_that_do_not_fit(file: Path, change, message: str) -> None:
    rewrite(file, change)
    with pytest.raises(BackboneError, match=message):
        load_clip(file, **SAY)


def test_heads_are_never_guessed(file: Path) -> None:
    with pytest.raises(BackboneError, match=r"give heads=.* a head for every 64 of the widths 128 and 32"):
        load_clip(file, activation="quick_gelu", tokenizer=TOKENIZER)


def test_known_by_name() -> None:
    found = {backbone.name: backbone for backbone in backbones()}
    for name in ("RN50", "RN101", "RN50x4", "RN50x16", "RN50x64"):
        assert found[name].file == f"{name}.pt"
        assert len(found[name].sha256) == 64
        assert "ResNet" in found[name].note


# --- methods --------------------------------------------------------------------------------------------------------

CLASSES = ClassNames(("ring", "star 2", "green ring"))


def test_image_prompts_are_refused(file: Path) -> None:
    clip = load_clip(file, **SAY)
    message = r"clip\.safetensors has a ResNet image tower, which takes no image prompts: choose a method"
    with pytest.raises(ValueError, match=message):
        clip.encode_image(pixels_of(64), [torch.zeros(1, 2, 4)])
    with pytest.raises(ValueError, match=message):
        _ = clip.vit


@pytest.mark.parametrize(
    ("method", "options"),
    [("maple", {"depth": 2}), ("bmip", {"depth": 2}), ("ivlp", {"text_depth": 2, "image_depth": 2})],
)
def test_methods_with_image_prompts_are_refused_when_built(file: Path, method: str, options: dict) -> None:
    with pytest.raises(ValueError, match="has a ResNet image tower, which takes no image prompts"):
        build_model(method, options, load_clip(file, **SAY), CLASSES, seed=0)


def test_text_prompts_are_trained(file: Path) -> None:
    """One step lowers the loss on its batch, and leaves the frozen tower as it was."""
    clip = load_clip(file, **SAY)
    before = {name: tensor.clone() for name, tensor in clip.state_dict().items()}
    model = build_model("examples.shallow_text", {"slots": 4, "context": "a photo of a"}, clip, CLASSES, seed=0)
    optimizer = torch.optim.SGD(model.trainable().values(), lr=1e-3)
    views, labels = [pixels_of(64)], torch.tensor([0, 2])
    losses = []
    for _ in range(2):
        parts = model.losses(views, labels).parts
        losses.append(parts["cross_entropy"].item())
        model.backward(parts)
        optimizer.step()
    assert losses[1] < losses[0]
    assert all(torch.equal(tensor, before[name]) for name, tensor in clip.state_dict().items())
    gold = torch.nn.functional.normalize(tiny()(views[0].double()), dim=-1)
    torch.testing.assert_close(model.image_features(views[0]).double(), gold, rtol=1e-5, atol=1e-5)


def test_zero_shot(file: Path) -> None:
    clip = load_clip(file, **SAY)
    images = torch.nn.functional.normalize(tiny()(pixels_of(64).double()), dim=-1)
    sentences = clip.encode_text(clip.texts(CLASSES.names, TextLayout(template=CLASSES.template)))[0]
    gold = clip.scale.double() * images @ torch.nn.functional.normalize(sentences.double(), dim=-1).T
    model = build_model("zero_shot", {}, clip, CLASSES, seed=0)
    torch.testing.assert_close(model(pixels_of(64), CLASSES).double(), gold, rtol=1e-5, atol=1e-4)
