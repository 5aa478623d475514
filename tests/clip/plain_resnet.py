"""OpenAI's ResNet in plain modules, named as in its files: the oracle for ours, and the source of tiny files."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests.clip.loading.tiny_checkpoints import openai_names, random_clip


class Pool(nn.Module):
    def __init__(self, cells: int, width: int, heads: int, out: int) -> None:
        super().__init__()
        self.heads = heads
        self.positional_embedding = nn.Parameter(torch.empty(cells + 1, width))
        self.q_proj, self.k_proj, self.v_proj = (nn.Linear(width, width) for _ in range(3))
        self.c_proj = nn.Linear(width, out)

    def forward(self, grid: Tensor) -> Tensor:
        rows = grid.flatten(2).permute(2, 0, 1)
        rows = torch.cat([rows.mean(0, keepdim=True), rows]) + self.positional_embedding[:, None]
        mixed, _ = F.multi_head_attention_forward(
            rows, rows, rows, rows.shape[-1], self.heads,
            in_proj_weight=None,
            in_proj_bias=torch.cat([self.q_proj.bias, self.k_proj.bias, self.v_proj.bias]),
            bias_k=None, bias_v=None, add_zero_attn=False, dropout_p=0,
            out_proj_weight=self.c_proj.weight, out_proj_bias=self.c_proj.bias,
            use_separate_proj_weight=True,
            q_proj_weight=self.q_proj.weight, k_proj_weight=self.k_proj.weight, v_proj_weight=self.v_proj.weight,
        )  # fmt: skip
        return mixed[0]


class Block(nn.Module):
    def __init__(self, inward: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inward, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, 4 * width, 1, bias=False), nn.BatchNorm2d(4 * width)
        self.pool = nn.AvgPool2d(stride)
        self.downsample = None
        if stride > 1 or inward != 4 * width:
            self.downsample = nn.Sequential()
            self.downsample.add_module("-1", nn.AvgPool2d(stride))
            self.downsample.add_module("0", nn.Conv2d(inward, 4 * width, 1, bias=False))
            self.downsample.add_module("1", nn.BatchNorm2d(4 * width))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(self.pool(y)))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class Visual(nn.Module):
    def __init__(self, size: int, width: int, layers: tuple[int, ...], out: int) -> None:
        super().__init__()
        half = width // 2
        self.conv1, self.bn1 = nn.Conv2d(3, half, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(half)
        self.conv2, self.bn2 = nn.Conv2d(half, half, 3, padding=1, bias=False), nn.BatchNorm2d(half)
        self.conv3, self.bn3 = nn.Conv2d(half, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        inward = width
        for number, blocks in enumerate(layers):
            inside, stage = width * 2**number, nn.Sequential()
            for block in range(blocks):
                stage.append(Block(inward, inside, 2 if number and not block else 1))
                inward = 4 * inside
            setattr(self, f"layer{number + 1}", stage)
        self.attnpool = Pool((size // 32) ** 2, inward, inward // 64, out)

    def forward(self, pixels: Tensor) -> Tensor:
        x = pixels
        for number in (1, 2, 3):
            x = F.relu(getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(x)))
        x = F.avg_pool2d(x, 2)
        for number in (1, 2, 3, 4):
            x = getattr(self, f"layer{number}")(x)
        return self.attnpool(x)


def random_visual(*, size: int, width: int, layers: tuple[int, ...], out: int = 24, seed: int = 0) -> Visual:
    """In float64, with statistics of batch norms that are felt and streams that neither vanish nor explode."""
    visual = Visual(size, width, layers, out).double().eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in visual.state_dict().items():
        if not tensor.is_floating_point():
            tensor.fill_(1234)  # batches that were counted
            continue
        drawn = torch.randn(tensor.shape, generator=generator, dtype=torch.float64)
        last = ".bn3." in name  # what a block adds to its stream
        if name.endswith("running_var"):
            tensor.copy_(0.2 + drawn.square())
        elif name.endswith("running_mean"):
            tensor.copy_(0.3 * drawn)
        elif tensor.ndim == 1 and name.endswith("weight"):
            tensor.copy_(0.3 * drawn if last else 1 + 0.3 * drawn)
        elif tensor.ndim == 1:
            tensor.copy_(0.2 * drawn)
        elif name.endswith("positional_embedding"):
            tensor.copy_(0.5 * drawn)
        else:
            tensor.copy_(drawn / math.sqrt(tensor[0].numel()))
    return visual


def openai_tensors(visual: Visual, *, text: tuple[int, int, int] = (32, 2, 2)) -> dict[str, Tensor]:
    """A whole CLIP under OpenAI's names, in float32; its sentences are those of the tiny tokeniser."""
    sentences = openai_names(random_clip(text=text, out=visual.attnpool.c_proj.out_features))
    image = {f"visual.{name}": tensor for name, tensor in visual.state_dict().items()}
    return {
        **{name: tensor for name, tensor in sentences.items() if not name.startswith("visual.")},
        **{name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in image.items()},
    }
