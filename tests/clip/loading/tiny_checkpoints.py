"""A tiny random CLIP in the files of each library, as that library writes them. Independent of bmip's key tables."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from transformers import CLIPConfig, CLIPModel

from bmip.clip.tokenizer import Tokenizer

torch.set_num_threads(1)

TOKENIZER = Tokenizer.train(["a photo of a red ring and another picture of some green star"] * 3, 530)


def random_clip(
    activation="quick_gelu", *, image=(48, 3, 2), text=(32, 2, 2), size=32, patch=8, out=24, context=20, **text_options
) -> CLIPModel:
    """`image` and `text` are width, heads and layers."""

    def tower(width, heads, layers):
        return {
            "hidden_size": width,
            "num_attention_heads": heads,
            "num_hidden_layers": layers,
            "intermediate_size": 4 * width,
            "hidden_act": activation,
        }

    sentence = {"vocab_size": 530, "max_position_embeddings": context, "bos_token_id": 528, "eos_token_id": 529}
    config = CLIPConfig(
        text_config=tower(*text) | sentence | {"pad_token_id": 529} | text_options,
        vision_config=tower(*image) | {"image_size": size, "patch_size": patch},
        projection_dim=out,
    )
    model = CLIPModel(config).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.2)
    return model


def openai_names(model: CLIPModel) -> dict[str, torch.Tensor]:
    """The same weights under OpenAI's names."""
    state = model.state_dict()
    vision, text = "vision_model.", "text_model."
    renamed = {
        "logit_scale": state["logit_scale"],
        "token_embedding.weight": state[text + "embeddings.token_embedding.weight"],
        "positional_embedding": state[text + "embeddings.position_embedding.weight"],
        "text_projection": state["text_projection.weight"].T.contiguous(),
        "visual.class_embedding": state[vision + "embeddings.class_embedding"],
        "visual.positional_embedding": state[vision + "embeddings.position_embedding.weight"],
        "visual.conv1.weight": state[vision + "embeddings.patch_embedding.weight"],
        "visual.proj": state["visual_projection.weight"].T.contiguous(),
    }
    for kind in ("weight", "bias"):
        renamed[f"ln_final.{kind}"] = state[f"{text}final_layer_norm.{kind}"]
        renamed[f"visual.ln_pre.{kind}"] = state[f"{vision}pre_layrnorm.{kind}"]
        renamed[f"visual.ln_post.{kind}"] = state[f"{vision}post_layernorm.{kind}"]
        for prefix, tower, layers in (
            ("", text, model.config.text_config.num_hidden_layers),
            ("visual.", vision, model.config.vision_config.num_hidden_layers),
        ):
            for i in range(layers):
                theirs, ours = f"{tower}encoder.layers.{i}.", f"{prefix}transformer.resblocks.{i}."
                qkv = [state[f"{theirs}self_attn.{name}_proj.{kind}"] for name in "qkv"]
                renamed[f"{ours}attn.in_proj_{kind}"] = torch.cat(qkv)
                renamed[f"{ours}attn.out_proj.{kind}"] = state[f"{theirs}self_attn.out_proj.{kind}"]
                renamed[f"{ours}ln_1.{kind}"] = state[f"{theirs}layer_norm1.{kind}"]
                renamed[f"{ours}ln_2.{kind}"] = state[f"{theirs}layer_norm2.{kind}"]
                renamed[f"{ours}mlp.c_fc.{kind}"] = state[f"{theirs}mlp.fc1.{kind}"]
                renamed[f"{ours}mlp.c_proj.{kind}"] = state[f"{theirs}mlp.fc2.{kind}"]
    return renamed


def openai_scalars() -> dict[str, torch.Tensor]:
    return {"input_resolution": torch.tensor(32), "context_length": torch.tensor(20), "vocab_size": torch.tensor(530)}


def transformers_folder(model: CLIPModel, folder: Path, **options) -> Path:
    model.save_pretrained(folder, **options)
    TOKENIZER.save(folder / "tokenizer.json")
    return folder


def open_clip_folder(model: CLIPModel, folder: Path, *, pickled: bool = False) -> Path:
    folder.mkdir()
    vision, text = model.config.vision_config, model.config.text_config
    image_cfg = {"image_size": vision.image_size, "layers": vision.num_hidden_layers, "width": vision.hidden_size}
    image_cfg |= {"patch_size": vision.patch_size, "head_width": vision.hidden_size // vision.num_attention_heads}
    text_cfg = {"context_length": text.max_position_embeddings, "vocab_size": text.vocab_size}
    text_cfg |= {"width": text.hidden_size, "heads": text.num_attention_heads, "layers": text.num_hidden_layers}
    model_cfg = {"embed_dim": model.config.projection_dim, "vision_cfg": image_cfg, "text_cfg": text_cfg}
    if text.hidden_act == "quick_gelu":
        model_cfg["quick_gelu"] = True
    preprocess = {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.2, 0.1], "interpolation": "bicubic"}
    content = json.dumps({"model_cfg": model_cfg, "preprocess_cfg": preprocess})
    (folder / "open_clip_config.json").write_text(content, encoding="utf-8")
    if pickled:
        torch.save(openai_names(model), folder / "open_clip_pytorch_model.bin")
    else:
        save_file(openai_names(model), folder / "open_clip_model.safetensors")
    TOKENIZER.save(folder / "tokenizer.json")
    return folder


class _Node(nn.Module):
    pass


def torchscript_archive(state: dict[str, torch.Tensor], path: Path) -> Path:
    """A scripted module whose state dict is `state`, as OpenAI published its models."""
    root = _Node()
    for key, value in state.items():
        *parents, name = key.split(".")
        node = root
        for parent in parents:
            if not hasattr(node, parent):
                node.add_module(parent, _Node())
            node = getattr(node, parent)
        node.register_buffer(name, value.clone())
    torch.jit.save(torch.jit.script(root), str(path))
    return path
