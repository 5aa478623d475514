"""The CLIP models known by name, and the published hashes of OpenAI's files."""

from __future__ import annotations

from dataclasses import dataclass

EMBEDDED = "embedded"


class BackboneError(ValueError):
    """A backbone that cannot be used; the message says what was found and what to do."""


@dataclass(frozen=True, kw_only=True)
class Backbone:
    name: str
    """What `load_clip` and `--backbone` take."""
    note: str
    hub: str | None = None
    """Repository on the Hugging Face hub; it can be given as a name too."""
    file: str | None = None
    """OpenAI's file, looked for in ~/.cache/clip."""
    sha256: str | None = None
    """Hash of OpenAI's file. (openai/CLIP clip/clip.py: the last but one part of each URL)"""


_BACKBONES = (
    Backbone(name=EMBEDDED, note="small CLIP that comes with bmip, trained on its rendered world"),
    Backbone(
        name="ViT-B/16",
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
    """All that have a name; any other CLIP is loaded from its file, folder or hub id."""
    return _BACKBONES


def by_hash(sha256: str) -> Backbone | None:
    """The backbone of which this is OpenAI's file."""
    return next((backbone for backbone in _BACKBONES if backbone.sha256 == sha256), None)
