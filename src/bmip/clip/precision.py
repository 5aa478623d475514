"""The number types in which the frozen towers can compute."""

from typing import Literal

Precision = Literal["float32", "bfloat16", "float16"]
