import hashlib
import json
import os
import pickle
import shutil
import warnings
from pathlib import Path

import huggingface_hub
import pytest
import torch
from huggingface_hub.errors import EntryNotFoundError
from safetensors.torch import load_file, save_file
from transformers import CLIPImageProcessorPil

from bmip.clip.loading import backbones as registry
from bmip.clip.loading import sources
from bmip.clip.loading.backbones import Backbone, BackboneError, backbones
from bmip.clip.loading.load import load_clip, save_clip
from bmip.clip.model import CLIPConfig
from bmip.clip.text_layout import TextLayout
from bmip.clip.tokenizer import Tokenizer
from tests.clip.loading.tiny_checkpoints import (
    TOKENIZER,
    open_clip_folder,
    openai_names,
    openai_scalars,
    random_clip,
    torchscript_archive,
    transformers_folder,
)

NAMES = ["ring", "star 2", "picture of a green ring"]
SAY = {"heads": (3, 2), "activation": "quick_gelu", "tokenizer": TOKENIZER}


@pytest.fixture(scope="module")
def model():
    return random_clip()


@pytest.fixture
def folder(model, tmp_path):
    return transformers_folder(model, tmp_path / "model")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class HttpError(Exception):
    """Of the library for HTTP, whose errors have no base that Python has."""


def edit(path: Path, change) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def rewrite(path: Path, change) -> None:
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)


def assert_same_features(clip, model) -> None:
    size = model.config.vision_config.image_size
    pixels = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1))
    images = model.visual_projection(model.vision_model(pixels).pooler_output)
    texts = clip.texts(NAMES, TextLayout(template="a {}."))
    longest = max(map(len, texts.rows))
    ids = torch.tensor([[*row, *[TOKENIZER.end] * (longest - len(row))] for row in texts.rows])
    sentences = model.text_projection(model.text_model(ids).pooler_output)
    torch.testing.assert_close(clip.encode_image(pixels), images, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(clip.encode_text(texts)[0], sentences, rtol=1e-5, atol=1e-5)
    assert clip.logit_scale == model.logit_scale


# --- every layout, against transformers -----------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["quick_gelu", "gelu"])
@pytest.mark.parametrize(
    "sizes",
    [
        {},
        {"image": (64, 1, 3), "text": (48, 6, 1), "size": 24, "patch": 12, "out": 16},
        {"image": (32, 4, 1), "text": (64, 2, 3), "size": 30, "patch": 7, "context": 16},  # a rest of 2 pixels
    ],
)
def test_equals_transformers(tmp_path, activation, sizes):
    model = random_clip(activation, **sizes)
    clip = load_clip(transformers_folder(model, tmp_path / "theirs"))
    assert clip.config.activation == activation
    assert clip.config.image_size == sizes.get("size", 32)
    assert_same_features(clip, model)
    heads = (clip.config.image_heads, clip.config.text_heads)
    save_file(openai_names(model), tmp_path / "plain.safetensors")
    plain = load_clip(tmp_path / "plain.safetensors", heads=heads, activation=activation, tokenizer=TOKENIZER)
    pixels = torch.randn(1, 3, plain.config.image_size, plain.config.image_size)
    if sizes.get("patch") != 7:
        torch.testing.assert_close(plain.encode_image(pixels), clip.encode_image(pixels), rtol=0, atol=0)
    for name, tensor in clip.state_dict().items():
        assert torch.equal(plain.state_dict()[name], tensor), name


def test_frozen_and_labelled(folder):
    clip = load_clip(folder)
    assert not clip.training
    assert not any(parameter.requires_grad for parameter in clip.parameters())
    assert {tensor.dtype for tensor in clip.state_dict().values()} == {torch.float32}
    assert clip.source == str(folder)
    assert clip.config == CLIPConfig(
        image_size=32,
        patch=8,
        image_width=48,
        image_layers=2,
        image_heads=3,
        text_width=32,
        text_layers=2,
        text_heads=2,
        context=20,
        vocabulary=530,
        out=24,
        activation="quick_gelu",
    )


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin"])
@pytest.mark.parametrize("extra", [{}, openai_scalars()])
def test_plain_state_dict(model, tmp_path, suffix, extra):
    torch.save(openai_names(model) | extra, tmp_path / f"clip{suffix}")
    assert_same_features(load_clip(tmp_path / f"clip{suffix}", **SAY), model)


def test_half_precision_becomes_float32(model, tmp_path):
    half = {name: tensor.half() for name, tensor in openai_names(model).items()}
    save_file(half, tmp_path / "clip.safetensors")
    clip = load_clip(tmp_path / "clip.safetensors", **SAY)
    assert clip.image.projection.weight.dtype == torch.float32
    assert torch.equal(clip.image.projection.weight, half["visual.proj"].float().T)


@pytest.mark.parametrize("activation", ["quick_gelu", "gelu"])
@pytest.mark.parametrize("pickled", [False, True])
def test_open_clip_folder(tmp_path, activation, pickled):
    model = random_clip(activation)
    clip = load_clip(open_clip_folder(model, tmp_path / "model", pickled=pickled))
    assert (clip.config.activation, clip.config.image_heads, clip.config.text_heads) == (activation, 3, 2)
    assert (clip.config.mean, clip.config.std) == ((0.5, 0.4, 0.3), (0.2, 0.2, 0.1))
    assert_same_features(clip, model)


def test_sharded(model, tmp_path):
    folder = transformers_folder(model, tmp_path / "model", max_shard_size="50KB")
    shards = sorted(folder.glob("model-*.safetensors"))
    assert len(shards) > 2
    clip = load_clip(folder)
    assert_same_features(clip, model)
    assert load_clip(folder / "model.safetensors.index.json").sha256 == clip.sha256
    shards[1].unlink()
    with pytest.raises(FileNotFoundError, match=shards[1].name):
        load_clip(folder)


def test_index_that_leads_elsewhere(folder):
    (folder / "model.safetensors").unlink()
    content = {"weight_map": {"logit_scale": "../other.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(BackboneError, match="does not lie beside it"):
        load_clip(folder)


def test_pickled_transformers_folder_with_position_ids(model, folder):
    (folder / "model.safetensors").unlink()
    old = {f"{tower}_model.embeddings.position_ids": torch.arange(20)[None] for tower in ("text", "vision")}
    torch.save(model.state_dict() | old, folder / "pytorch_model.bin")
    assert_same_features(load_clip(folder), model)


def test_file_in_a_folder_uses_what_lies_beside_it(model, folder):
    assert_same_features(load_clip(folder / "model.safetensors"), model)


def test_safetensors_come_before_pickles(folder):
    (folder / "pytorch_model.bin").write_bytes(b"never read")
    load_clip(folder)


def test_vocabulary_and_merges_beside_the_weights(model, folder):
    content = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.json").write_text(json.dumps(content["vocab"]), encoding="utf-8")
    merges = "\n".join(["#version: 0.2", *(" ".join(merge) for merge in content["merges"])])
    (folder / "merges.txt").write_text(merges, encoding="utf-8")
    assert_same_features(load_clip(folder), model)


def test_image_normalisation_beside_the_weights(folder):
    content = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.25, 0.25, 0.25]}
    (folder / "preprocessor_config.json").write_text(json.dumps(content), encoding="utf-8")
    clip = load_clip(folder)
    assert (clip.config.mean, clip.config.std) == ((0.5,) * 3, (0.25,) * 3)
    (folder / "processor_config.json").write_text('{"processor_class": "CLIPProcessor"}', encoding="utf-8")
    assert load_clip(folder).config.mean == (0.5,) * 3
    both = {"image_processor": {"image_mean": [0.75, 0.5, 0.25]}}
    (folder / "processor_config.json").write_text(json.dumps(both), encoding="utf-8")
    assert load_clip(folder).config.mean == (0.75, 0.5, 0.25), "transformers 5 takes it from there"


@pytest.mark.parametrize("version", ["today's", "older"])
def test_image_processor_as_transformers_writes_it(folder, version):
    """Its present form, written by transformers itself, and the numbers that older versions wrote."""
    processor = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=32, image_mean=[0.5, 0.25, 0.125])
    processor.save_pretrained(folder)
    if version == "older":
        edit(folder / "preprocessor_config.json", lambda content: content.update(size=32, crop_size=32))
    clip = load_clip(folder)
    assert (clip.config.mean, clip.config.std) == ((0.5, 0.25, 0.125), CLIPConfig.std)


@pytest.mark.parametrize(
    "change",
    [
        {"do_center_crop": False},
        {"do_normalize": False},
        {"resample": 2},
        {"size": {"height": 32, "width": 32}},
        {"size": {"shortest_edge": 36}},
        {"crop_size": {"height": 24, "width": 24}},
        {"crop_size": 24},
        {"rescale_factor": 1 / 127.5},
        {"offset": True},
    ],
)
def test_images_prepared_in_another_way_are_refused(folder, change):
    CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=32).save_pretrained(folder)
    edit(folder / "preprocessor_config.json", lambda content: content.update(change))
    with pytest.raises(
        BackboneError, match=rf"preprocessor_config\.json: .* with {next(iter(change))} .* as OpenAI does"
    ):
        load_clip(folder)


@pytest.mark.parametrize("change", [{"resize_mode": "squash"}, {"interpolation": "bilinear"}, {"size": [48, 48]}])
def test_images_prepared_in_another_way_for_open_clip_are_refused(model, tmp_path, change):
    folder = open_clip_folder(model, tmp_path / "open")
    usual = {"size": [32, 32], "mode": "RGB", "interpolation": "bicubic", "resize_mode": "shortest", "mean": [0.5] * 3}
    edit(folder / "open_clip_config.json", lambda content: content.update(preprocess_cfg=usual))
    assert load_clip(folder).config.mean == (0.5,) * 3
    edit(folder / "open_clip_config.json", lambda content: content["preprocess_cfg"].update(change))
    with pytest.raises(BackboneError, match=rf"open_clip_config\.json: .* with {next(iter(change))} .* as OpenAI does"):
        load_clip(folder)


# --- one hash for the same weights ----------------------------------------------------------------------------------


def test_every_file_of_the_same_weights_has_the_same_hash(tmp_path):
    """Also in half precision and in shards; the hash is that of our names, shapes and float32 values in order."""
    model = random_clip()
    for parameter in model.parameters():
        parameter.copy_(parameter.half())
    clip = load_clip(transformers_folder(model, tmp_path / "theirs"))
    whole = b"".join(
        f"{name} {tuple(tensor.shape)}\n".encode() + tensor.numpy().tobytes()
        for name, tensor in sorted(clip.state_dict().items())
    )
    assert clip.sha256 == hashlib.sha256(whole).hexdigest()
    half = {name: tensor.half() for name, tensor in openai_names(model).items()}
    save_file(half, tmp_path / "half.safetensors")
    torch.save(openai_names(model) | openai_scalars(), tmp_path / "clip.pt")
    save_clip(clip, tmp_path / "ours", dtype=torch.float16)
    others = [load_clip(tmp_path / name, **SAY) for name in ("half.safetensors", "clip.pt")]
    others.append(load_clip(open_clip_folder(model, tmp_path / "open")))
    others.append(load_clip(transformers_folder(model, tmp_path / "shards", max_shard_size="50KB")))
    others.append(load_clip(tmp_path / "ours"))
    assert {other.sha256 for other in others} == {clip.sha256}
    half["logit_scale"] += 1
    save_file(half, tmp_path / "half.safetensors")
    assert load_clip(tmp_path / "half.safetensors", **SAY).sha256 != clip.sha256


# --- TorchScript and known hashes -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """OpenAI's kind of file, with a head of 64 channels."""
    model = random_clip(image=(64, 1, 2), text=(128, 2, 2))
    path = tmp_path_factory.mktemp("archive") / "ViT-tiny.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return model, torchscript_archive(openai_names(model) | openai_scalars(), path)


@pytest.fixture
def published(archive, monkeypatch):
    """As if OpenAI had published the tiny archive."""
    tiny = Backbone(name="ViT-tiny", note="", hub="someone/tiny", file="ViT-tiny.pt", sha256=sha256(archive[1]))
    away = Backbone(name="ViT-away", note="", hub="someone/else", file="ViT-away.pt", sha256="0" * 64)
    monkeypatch.setattr(registry, "_BACKBONES", (*backbones(), tiny, away))


def test_archive_of_unknown_hash_is_refused(archive):
    with pytest.raises(BackboneError, match=r"can hold code.*trust=True"):
        load_clip(archive[1])


def test_trusted_archive_still_has_to_say_heads_and_activation(archive):
    with pytest.raises(BackboneError, match="heads="):
        load_clip(archive[1], trust=True, tokenizer=TOKENIZER)
    clip = load_clip(archive[1], trust=True, heads=(1, 2), activation="gelu", tokenizer=TOKENIZER)
    assert clip.config.activation == "gelu"


@pytest.mark.usefixtures("published")
def test_archive_of_known_hash(archive):
    model, path = archive
    clip = load_clip(path, tokenizer=TOKENIZER)
    assert (clip.config.image_heads, clip.config.text_heads) == (1, 2)
    assert_same_features(clip, model)


@pytest.mark.usefixtures("published")
def test_name_finds_openais_file(archive, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".cache" / "clip").mkdir(parents=True)
    cached = tmp_path / ".cache" / "clip" / "ViT-tiny.pt"
    shutil.copy(archive[1], cached)
    assert_same_features(load_clip("ViT-tiny", tokenizer=TOKENIZER), archive[0])
    cached.write_bytes(cached.read_bytes()[:-100])
    with pytest.raises(BackboneError, match="damaged or another file"):
        load_clip("ViT-tiny", tokenizer=TOKENIZER)


def test_truncated_archive(archive, tmp_path):
    (tmp_path / "clip.pt").write_bytes(archive[1].read_bytes()[:20000])
    with pytest.raises(BackboneError, match=r"not opened|cannot be read"):
        load_clip(tmp_path / "clip.pt", **SAY)


# --- never a guess --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("left_out", "message"), [("heads", "give heads="), ("activation", "give activation=")])
def test_what_shapes_do_not_say_must_be_given(model, tmp_path, left_out, message):
    save_file(openai_names(model), tmp_path / "clip.safetensors")
    with pytest.raises(BackboneError, match=message):
        load_clip(tmp_path / "clip.safetensors", **{key: value for key, value in SAY.items() if key != left_out})


def test_the_tokeniser_must_fit(model, tmp_path):
    save_file(openai_names(model), tmp_path / "clip.safetensors")
    with pytest.raises(BackboneError, match="530 token embeddings and the tokeniser 49408"):
        load_clip(tmp_path / "clip.safetensors", heads=(3, 2), activation="gelu")
    TOKENIZER.save(tmp_path / "words.json")
    load_clip(tmp_path / "clip.safetensors", heads=(3, 2), activation="gelu", tokenizer=tmp_path / "words.json")


def test_heads_that_do_not_divide(model, tmp_path):
    save_file(openai_names(model), tmp_path / "clip.safetensors")
    with pytest.raises(BackboneError, match="5 heads do not divide the image"):
        load_clip(tmp_path / "clip.safetensors", heads=(5, 2), activation="gelu", tokenizer=TOKENIZER)


def test_the_user_wins_over_the_configuration(folder):
    clip = load_clip(folder, heads=(6, 4), activation="gelu")
    assert (clip.config.image_heads, clip.config.text_heads, clip.config.activation) == (6, 4, "gelu")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["vision_config"].update(layer_norm_eps=1e-6), "layer_norm_eps of vision_config is 1e-06"),
        (lambda c: c["text_config"].update(hidden_act="relu"), "hidden_act is 'relu'"),
        (lambda c: c["text_config"].update(hidden_act="gelu"), "hidden_act is 'gelu' for text and 'quick_gelu'"),
        (lambda c: c["text_config"].update(eos_token_id=100), "reads a text at token 100"),
        (lambda c: c["vision_config"].update(image_size=64), "positions for 4 x 4"),
        (lambda c: c.update(model_type="siglip"), "holds no CLIP"),
    ],
)
def test_transformers_configurations_that_are_refused(folder, change, message):
    edit(folder / "config.json", change)
    with pytest.raises((BackboneError, FileNotFoundError), match=message):
        load_clip(folder)


def test_old_transformers_configurations(folder):
    def change(content):
        given = {"num_attention_heads": 4, "hidden_act": "gelu", "projection_dim": 24}
        content["vision_config_dict"] = content["text_config_dict"] = given
        content["text_config"]["eos_token_id"] = 2

    edit(folder / "config.json", change)
    clip = load_clip(folder)
    assert (clip.config.image_heads, clip.config.text_heads, clip.config.activation) == (4, 4, "gelu")


@pytest.mark.parametrize(
    ("section", "option"),
    [
        ("text_cfg", {"no_causal_mask": True}),
        ("text_cfg", {"pool_type": "last"}),
        ("vision_cfg", {"timm_model_name": "vit"}),
        ("vision_cfg", {"norm_kwargs": {"eps": 1e-6}}),
    ],
)
def test_open_clip_options_outside_the_architecture(model, tmp_path, section, option):
    folder = open_clip_folder(model, tmp_path / "model")
    edit(folder / "open_clip_config.json", lambda content: content["model_cfg"][section].update(option))
    with pytest.raises(BackboneError, match=f"{section} asks for .*{next(iter(option))}"):
        load_clip(folder)


# --- wrong, damaged and dangerous files -----------------------------------------------------------------------------


def test_keys_are_matched_strictly(folder):
    def change(tensors):
        tensors["text_model.final_layer_norm.wait"] = tensors.pop("text_model.final_layer_norm.weight")
        del tensors["vision_model.encoder.layers.1.self_attn.k_proj.bias"]

    rewrite(folder / "model.safetensors", change)
    with pytest.raises(BackboneError) as error:
        load_clip(folder)
    missing, unexpected = str(error.value).split("unexpected keys:")
    assert "text_model.final_layer_norm.weight" in missing
    assert "vision_model.encoder.layers.1.self_attn.k_proj.bias" in missing
    assert "text_model.final_layer_norm.wait" in unexpected


def test_archive_with_a_damaged_list_of_its_members(model, tmp_path):
    torch.save(model.state_dict(), tmp_path / "clip.pt")
    content = (tmp_path / "clip.pt").read_bytes()
    (tmp_path / "clip.pt").write_bytes(content.replace(b"PK\1\2", b"XX\1\2"))
    with pytest.raises(BackboneError, match=r"clip\.pt cannot be read .*: it is damaged"):
        load_clip(tmp_path / "clip.pt", **SAY)


@pytest.mark.parametrize("key", ["input_resolution", "other.position_ids", "logit_bias"])
def test_nothing_else_is_ignored(folder, key):
    rewrite(folder / "model.safetensors", lambda tensors: tensors.update({key: torch.zeros(1)}))
    with pytest.raises(BackboneError, match=f"unexpected keys: {key}"):
        load_clip(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda t: t.update({"visual.proj": torch.zeros(48, 25)}),
            r"text_projection has shape \(24, 32\), not \(25, 32\)",
        ),
        (lambda t: t.update({"visual.proj": torch.zeros(48, 24, 1)}), "not those of a CLIP"),
        (lambda t: t.update({"visual.conv1.weight": torch.zeros(48, 3, 8)}), "4 axes are needed"),
        (lambda t: t.update({"visual.positional_embedding": torch.zeros(16, 48)}), "15 patches, which is no square"),
        (lambda t: t.update({"ln_final.bias": torch.zeros(32, dtype=torch.int8)}), "int8"),
        (lambda t: t["ln_final.bias"].fill_(float("nan")), "not finite"),
        (lambda t: t.pop("token_embedding.weight"), "not a whole CLIP.*lacks token_embedding.weight"),
        (lambda t: t.pop("visual.class_embedding"), "is not a CLIP in a layout"),
        (
            lambda t: (t.clear(), t.update({"fc.weight": torch.zeros(1)})),
            "it has 1 tensor .fc.weight. and none of visual.cla",
        ),
    ],
)
def test_tensors_that_are_no_clip(model, tmp_path, change, message):
    tensors = {name: tensor.clone() for name, tensor in openai_names(model).items()}
    change(tensors)
    save_file(tensors, tmp_path / "clip.safetensors")
    with pytest.raises(BackboneError, match=message):
        load_clip(tmp_path / "clip.safetensors", **SAY)


def test_a_gap_in_the_layers(model, tmp_path):
    tensors = {name: tensor for name, tensor in openai_names(model).items() if ".resblocks.0." not in f".{name}"}
    save_file(tensors, tmp_path / "clip.safetensors")
    with pytest.raises(BackboneError, match=r"missing keys: .*resblocks\.0\..*unexpected keys: .*resblocks\.1\."):
        load_clip(tmp_path / "clip.safetensors", **SAY)


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
@pytest.mark.parametrize("keep", [0, 5, 3000, -1000])
def test_truncated(model, folder, name, keep):
    whole = folder / "model.safetensors"
    if name == "pytorch_model.bin":
        whole.unlink()
        whole = folder / name
        torch.save(model.state_dict(), whole)
    whole.write_bytes(whole.read_bytes()[:keep])
    with pytest.raises(BackboneError, match=r"fetch it again|not a weight file"):
        load_clip(folder)


@pytest.mark.parametrize("name", ["clip.pt", "clip.safetensors"])
def test_text_for_weights(tmp_path, name):
    (tmp_path / name).write_text("version https://git-lfs.github.com/spec/v1\n", encoding="utf-8")
    with pytest.raises(BackboneError, match=r"not a weight file|no weight file"):
        load_clip(tmp_path / name, **SAY)


class Mischief:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("legacy", [False, True])
def test_pickles_with_code_are_refused(tmp_path, legacy):
    content = {"weight": Mischief(tmp_path / "ran")}
    if legacy:
        (tmp_path / "clip.pt").write_bytes(pickle.dumps(content))
    else:
        torch.save(content, tmp_path / "clip.pt")
    with pytest.raises(BackboneError, match="a pickle can run code"):
        load_clip(tmp_path / "clip.pt", trust=True, **SAY)
    assert not (tmp_path / "ran").exists()


def test_a_whole_training_state_is_no_state_dict(model, tmp_path):
    torch.save({"state_dict": openai_names(model), "epoch": 3}, tmp_path / "clip.pt")
    with pytest.raises(BackboneError, match="a dict with epoch, state_dict; a state dict"):
        load_clip(tmp_path / "clip.pt", **SAY)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
def test_damaged_json(folder, name):
    (folder / name).write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=f"{name} is not a JSON file"):
        load_clip(folder)


# --- names, and what is not there -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("ViT-B/61", "did you mean 'ViT-B/16'"),
        ("nowhere", "the names are embedded, ViT-B/16"),
        ("weights/clip.pt", "no file or folder 'weights/clip.pt'"),
        (Path("nowhere"), "no file or folder"),
    ],
)
def test_absent(source, message, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", None)  # not asked
    with pytest.raises(FileNotFoundError, match=message):
        load_clip(source)


def test_empty_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds no CLIP.*found nothing"):
        load_clip(tmp_path)


def test_registry_holds_the_names_users_know():
    names = [backbone.name for backbone in backbones()]
    assert len(set(names)) == len(names)
    assert {"embedded", "ViT-B/16", "ViT-B/32", "ViT-L/14", "ViT-L/14@336px"} <= set(names)
    assert all(backbone.sha256 for backbone in backbones() if backbone.file)


# --- the hub --------------------------------------------------------------------------------------------------------

COMMIT = "0" * 39 + "1"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub of one folder, and a cache of the true layout; counts what it is asked."""
    cache, served, asked = tmp_path / "cache", tmp_path / "served", []
    served.mkdir()
    repository = cache / "models--someone--tiny"
    real_look_up = huggingface_hub.try_to_load_from_cache

    def download(repo_id, filename, *, revision=None):
        assert revision in (None, COMMIT)
        assert repo_id == "someone/tiny", "a hub that does not answer is not asked for files"
        asked.append(filename)
        if not (served / filename).is_file():
            absent = repository / ".no_exist" / COMMIT / filename
            absent.parent.mkdir(parents=True, exist_ok=True)
            absent.touch()
            raise EntryNotFoundError(f"404: {filename}")
        blob = repository / "blobs" / sha256(served / filename)
        link = repository / "snapshots" / COMMIT / filename
        for path in (blob, link, repository / "refs" / "main"):
            path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(served / filename, blob)
        link.symlink_to(blob)
        (repository / "refs" / "main").write_text(COMMIT)
        return str(link)

    def look_up(repo_id, filename, *, revision=None):
        return real_look_up(repo_id, filename, cache_dir=cache, revision=revision)

    def metadata(url, *, timeout):
        if "someone/tiny" not in url:
            raise OSError("no such host")

    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", metadata)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", look_up)
    return served, asked, repository


def test_hub_fetches_only_what_is_needed(hub, model):
    served, asked, _ = hub
    transformers_folder(model, served)
    (served / "pytorch_model.bin").write_bytes(b"not needed")
    (served / "README.md").write_text("not needed")
    assert_same_features(load_clip("someone/tiny"), model)
    assert "model.safetensors" in asked
    assert not {"pytorch_model.bin", "README.md"} & set(asked)
    asked.clear()
    clip = load_clip("someone/tiny")
    assert asked == []
    assert clip.source == "someone/tiny"
    assert clip.sha256 == load_clip(transformers_folder(model, served.parent / "local")).sha256


def test_hub_with_timms_image_tower_beside_open_clip(hub, model):
    served, _, _ = hub
    shutil.copytree(open_clip_folder(model, served / "x"), served, dirs_exist_ok=True)
    (served / "config.json").write_text('{"architecture": "vit_tiny"}')
    (served / "model.safetensors").write_bytes(b"an image tower alone")
    assert_same_features(load_clip("someone/tiny"), model)


def test_hub_sharded_and_pickled(hub, model):
    served, _, _ = hub
    transformers_folder(model, served, max_shard_size="100KB")
    assert_same_features(load_clip("someone/tiny"), model)


def test_hub_pickle_where_there_is_nothing_else(hub, model):
    served, _, _ = hub
    transformers_folder(model, served)
    (served / "model.safetensors").unlink()
    torch.save(model.state_dict(), served / "pytorch_model.bin")
    assert_same_features(load_clip("someone/tiny"), model)


def test_damaged_download(hub, model):
    served, _, repository = hub
    transformers_folder(model, served)
    load_clip("someone/tiny")
    blob = (repository / "snapshots" / COMMIT / "model.safetensors").resolve()
    blob.write_bytes(blob.read_bytes()[:-1] + b"x")
    with pytest.raises(BackboneError, match="damaged or another file"):
        load_clip("someone/tiny")


@pytest.mark.usefixtures("published")
def test_name_falls_back_to_the_hub(hub, model, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    told = (
        r"^ViT-away \(someone/else\) is not .* or put OpenAI's ViT-away\.pt into ~/\.cache/clip; .*--backbone embedded$"
    )
    with pytest.raises(BackboneError, match=told):
        load_clip("ViT-away")
    transformers_folder(model, hub[0])
    assert_same_features(load_clip("ViT-tiny"), model)


@pytest.mark.parametrize("beside", ["processor_config.json", "tokenizer.json"])
def test_files_beside_the_weights_that_nobody_could_ask_for(hub, model, monkeypatch, beside):
    """As other programs leave the cache: without the hub nothing says whether the repository has such a file."""
    served, _, repository = hub
    transformers_folder(model, served)
    (served / "processor_config.json").write_text('{"image_processor": {"image_mean": [0.5, 0.5, 0.5]}}')
    assert load_clip("someone/tiny").config.mean == (0.5,) * 3
    (repository / "snapshots" / COMMIT / beside).unlink()
    shutil.rmtree(repository / ".no_exist")

    def silent(*_, **__):
        raise OSError("no such host")

    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", silent)
    with pytest.raises(BackboneError, match=rf"cache lacks {beside} or .* cannot be reached"):
        load_clip("someone/tiny")


@pytest.mark.usefixtures("hub")
def test_hub_out_of_reach():
    with pytest.raises(BackboneError, match=r"hub cannot be reached.*HF_HUB_OFFLINE"):
        load_clip("someone/else")


def test_hub_repository_without_a_clip(hub, model):
    served, _, _ = hub
    with pytest.raises(BackboneError, match=r"has no config\.json or open_clip_config\.json"):
        load_clip("someone/tiny")
    shutil.rmtree(hub[2])
    transformers_folder(model, served)
    (served / "model.safetensors").unlink()
    with pytest.raises(BackboneError, match=r"has no model\.safetensors"):
        load_clip("someone/tiny")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError("401 Client Error\n\nlong explanation"), r"401 Client Error"),
        (HttpError("connection refused"), "connection refused"),
        (HttpError(), "HttpError"),
    ],
)
def test_hub_error_is_passed_on_in_one_line(monkeypatch, error, reason):
    def refuse(*_, **__):
        raise error

    def answer(*_, **__):
        raise EntryNotFoundError("404")

    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", answer)
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_, **__: None)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", refuse)
    told = rf"^someone/tiny cannot be fetched from the hub \({reason}\); a second call goes on .* embedded$"
    with pytest.raises(BackboneError, match=told):
        load_clip("someone/tiny")


# --- our own files --------------------------------------------------------------------------------------------------


def test_save_and_load(folder, tmp_path, monkeypatch):
    clip = load_clip(folder, heads=(4, 4), activation="gelu")
    save_clip(clip, tmp_path / "ours")
    again = load_clip(tmp_path / "ours")
    assert again.config == clip.config
    assert all(torch.equal(again.state_dict()[name], tensor) for name, tensor in clip.state_dict().items())
    assert again.tokenizer.encode("a ring") == clip.tokenizer.encode("a ring")
    assert again.sha256 == clip.sha256
    assert sorted(path.name for path in (tmp_path / "ours").iterdir()) == [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    ]
    monkeypatch.setattr(sources, "EMBEDDED_FOLDER", tmp_path / "ours")
    assert load_clip("embedded").source == "embedded"


def test_save_in_half_precision(folder, tmp_path):
    clip = load_clip(folder)
    save_clip(clip, tmp_path / "ours", dtype=torch.float16)
    assert {tensor.dtype for tensor in load_file(tmp_path / "ours" / "model.safetensors").values()} == {torch.float16}
    again = load_clip(tmp_path / "ours")
    assert all(torch.equal(again.state_dict()[name], t.half().float()) for name, t in clip.state_dict().items())
    clip.logit_scale.fill_(1e6)
    with pytest.raises(ValueError, match=r"logit_scale would not be finite in torch.float16"):
        save_clip(clip, tmp_path / "ours", dtype=torch.float16)


def test_saved_halves_that_do_not_belong_together(folder, tmp_path):
    clip = load_clip(folder)
    save_clip(clip, tmp_path / "ours")
    edit(tmp_path / "ours" / "config.json", lambda content: content["clip"].update(out=25))
    with pytest.raises(BackboneError, match=r"weights and config\.json differ"):
        load_clip(tmp_path / "ours")
    rewrite(tmp_path / "ours" / "model.safetensors", lambda tensors: tensors["logit_scale"].fill_(1))
    with pytest.raises(BackboneError, match="damaged or another file"):
        load_clip(tmp_path / "ours")
    edit(tmp_path / "ours" / "config.json", lambda content: content["clip"].pop("out"))
    with pytest.raises(BackboneError, match="does not describe a CLIP of this version"):
        load_clip(tmp_path / "ours")


def test_openais_tokeniser_where_its_size_fits(tmp_path):
    model = random_clip(image=(32, 1, 1), text=(32, 1, 1))
    tensors = openai_names(model) | {"token_embedding.weight": torch.zeros(49408, 32)}
    save_file(tensors, tmp_path / "clip.safetensors")
    clip = load_clip(tmp_path / "clip.safetensors", heads=(1, 1), activation="gelu")
    assert clip.tokenizer is Tokenizer.default()
