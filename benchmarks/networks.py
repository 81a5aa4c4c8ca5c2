"""The networks that are timed: real shapes with random weights, so that nothing is downloaded. Sizes are what costs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


def seeded(make: Any, *args: Any, seed: int = 0, **kwargs: Any) -> nn.Module:
    """`make(…)` with reproducible weights, in eval mode."""
    torch.manual_seed(seed)
    return make(*args, **kwargs).eval()


def gpt2_small() -> nn.Module:
    """124M: 12 blocks, width 768, 12 heads, vocabulary 50257 (tied)."""
    from transformers import GPT2Config, GPT2LMHeadModel

    return seeded(GPT2LMHeadModel, GPT2Config())


def narrow_gpt2() -> nn.Module:
    """12 blocks of width 64: what a forward pass costs here is the calls, not the products."""
    from transformers import GPT2Config, GPT2LMHeadModel

    return seeded(GPT2LMHeadModel, GPT2Config(n_embd=64, n_head=4, vocab_size=1000, bos_token_id=0, eos_token_id=0))


def qwen2_half_billion() -> nn.Module:
    """494M: 24 blocks, width 896, 14 heads on 2 key/value heads, 4864 neurons, vocabulary 151936 (tied)."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    config = Qwen2Config(
        vocab_size=151936,
        hidden_size=896,
        intermediate_size=4864,
        num_hidden_layers=24,
        num_attention_heads=14,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        tie_word_embeddings=True,
    )
    return seeded(Qwen2ForCausalLM, config)


def sentence_encoder() -> nn.Module:
    """22M, BERT-shaped: 6 blocks, width 384, 12 heads, 1536 neurons."""
    from transformers import BertConfig, BertModel

    config = BertConfig(hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536)
    return seeded(BertModel, config)


def resnet(depth: int) -> nn.Module:
    """ResNet-18 or ResNet-50 with 1000 classes."""
    from transformers import ResNetConfig, ResNetForImageClassification

    shapes: dict[int, dict[str, Any]] = {
        18: {"layer_type": "basic", "depths": [2, 2, 2, 2], "hidden_sizes": [64, 128, 256, 512]},
        50: {"layer_type": "bottleneck", "depths": [3, 4, 6, 3], "hidden_sizes": [256, 512, 1024, 2048]},
    }
    return seeded(ResNetForImageClassification, ResNetConfig(num_labels=1000, **shapes[depth]))


class Block(nn.Module):
    """x + down(relu(up(x)))."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.down(self.up(x).relu())


class ResidualMLP(nn.Module):
    """12 residual blocks of their own weights."""

    def __init__(
        self, inputs: int = 64, width: int = 256, hidden: int = 1024, depth: int = 12, outputs: int = 10
    ) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(inputs, width), nn.Linear(width, outputs)
        self.blocks = nn.ModuleList([Block(width, hidden) for _ in range(depth)])

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        for block in self.blocks:
            x = block(x)
        return self.last(x)


class SharedBlock(nn.Module):
    """One block called 6 times."""

    def __init__(
        self, inputs: int = 64, width: int = 256, hidden: int = 2048, calls: int = 6, outputs: int = 10
    ) -> None:
        super().__init__()
        self.first, self.last, self.block, self.calls = (
            nn.Linear(inputs, width),
            nn.Linear(width, outputs),
            Block(width, hidden),
            calls,
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        for _ in range(self.calls):
            x = self.block(x)
        return self.last(x)
