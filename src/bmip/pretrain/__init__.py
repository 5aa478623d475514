"""How the embedded CLIP was made: contrastive pre-training on the rendered world."""

from bmip.pretrain.config import PretrainConfig
from bmip.pretrain.loop import pretrain

__all__ = ["PretrainConfig", "pretrain"]
