"""How the embedded CLIP was made: contrastive pre-training on the rendered world."""

from bmip.embedded.pretrain.config import PretrainConfig
from bmip.embedded.pretrain.loop import pretrain

__all__ = ["PretrainConfig", "pretrain"]
