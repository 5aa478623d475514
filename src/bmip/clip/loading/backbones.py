"""The CLIP models known by name, and the published hashes of OpenAI's files."""

from __future__ import annotations

from dataclasses import dataclass

EMBEDDED = "embedded"
"""The name of the small CLIP that comes with bmip."""

STANDARD = "ViT-B/16"
"""The name of the CLIP of the published tables."""


class BackboneError(ValueError):
    """A backbone that cannot be used; the message says what was found and what to do."""


@dataclass(frozen=True, kw_only=True)
class Backbone:
    """A CLIP that has a name."""

    name: str
    """What `load_clip` and `--backbone` take."""
    note: str
    """What it is, in a few words for `bmip backbones`."""

    hub: str | None = None
    """Repository on the Hugging Face hub. Its name will do as well."""

    file: str | None = None
    """OpenAI's file, which is looked for in ~/.cache/clip."""

    sha256: str | None = None
    """The SHA-256 of that file. (openai/CLIP clip/clip.py: the last but one part of each URL)"""


_BACKBONES = (
    Backbone(name=EMBEDDED, note="small CLIP that comes with bmip, trained on scenes of drawn pictures"),
    Backbone(
        name=STANDARD,
        note="OpenAI, 224 pixels; the backbone of the published tables",
        hub="openai/clip-vit-base-patch16",
        file="ViT-B-16.pt",
        sha256="5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f",
    ),
    Backbone(
        name="ViT-B/32",
        note="OpenAI, 224 pixels",
        hub="openai/clip-vit-base-patch32",
        file="ViT-B-32.pt",
        sha256="40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af",
    ),
    Backbone(
        name="ViT-L/14",
        note="OpenAI, 224 pixels",
        hub="openai/clip-vit-large-patch14",
        file="ViT-L-14.pt",
        sha256="b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836",
    ),
    Backbone(
        name="ViT-L/14@336px",
        note="OpenAI, 336 pixels",
        hub="openai/clip-vit-large-patch14-336",
        file="ViT-L-14-336px.pt",
        sha256="3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02",
    ),
    Backbone(
        name="RN50",
        note="OpenAI, 224 pixels; a ResNet, for text prompts alone",
        hub="timm/resnet50_clip.openai",
        file="RN50.pt",
        sha256="afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762",
    ),
    Backbone(
        name="RN101",
        note="OpenAI, 224 pixels; a ResNet, for text prompts alone",
        hub="timm/resnet101_clip.openai",
        file="RN101.pt",
        sha256="8fa8567bab74a42d41c5915025a8e4538c3bdbe8804a470a72f30b0d94fab599",
    ),
    Backbone(
        name="RN50x4",
        note="OpenAI, 288 pixels; a ResNet, for text prompts alone",
        hub="timm/resnet50x4_clip.openai",
        file="RN50x4.pt",
        sha256="7e526bd135e493cef0776de27d5f42653e6b4c8bf9e0f653bb11773263205fdd",
    ),
    Backbone(
        name="RN50x16",
        note="OpenAI, 384 pixels; a ResNet, for text prompts alone",
        hub="timm/resnet50x16_clip.openai",
        file="RN50x16.pt",
        sha256="52378b407f34354e150460fe41077663dd5b39c54cd0bfd2b27167a4a06ec9aa",
    ),
    Backbone(
        name="RN50x64",
        note="OpenAI, 448 pixels; a ResNet, for text prompts alone",
        hub="timm/resnet50x64_clip.openai",
        file="RN50x64.pt",
        sha256="be1cfb55d75a9666199fb2206c106743da0f6468c9d327f3e0d0a543a9919d9c",
    ),
    Backbone(
        name="laion/CLIP-ViT-B-16-laion2B-s34B-b88K",
        note="LAION-2B, 224 pixels",
        hub="laion/CLIP-ViT-B-16-laion2B-s34B-b88K",
    ),
    Backbone(
        name="laion/CLIP-ViT-B-16-DataComp.XL-s13B-b90K",
        note="DataComp-1B, 224 pixels",
        hub="laion/CLIP-ViT-B-16-DataComp.XL-s13B-b90K",
    ),
    Backbone(name="apple/DFN2B-CLIP-ViT-B-16", note="DFN-2B, 224 pixels", hub="apple/DFN2B-CLIP-ViT-B-16"),
)


def backbones() -> tuple[Backbone, ...]:
    """All CLIPs that have a name. Any other CLIP is loaded from its file, folder or hub id."""
    return _BACKBONES


def by_hash(sha256: str) -> Backbone | None:
    """The backbone whose file by OpenAI has this hash; None if there is none."""
    return next((backbone for backbone in _BACKBONES if backbone.sha256 == sha256), None)
