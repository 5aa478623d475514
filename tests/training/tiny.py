"""Methods with options that fit a tiny CLIP of three layers."""

from collections.abc import Mapping

OPTIONS: Mapping[str, dict] = {
    "zero_shot": {},
    "ivlp": {"text_depth": 3, "image_depth": 3},
    "maple": {"depth": 3},
    "bmip": {"depth": 3},
}
LEARNING = [name for name in OPTIONS if name != "zero_shot"]
