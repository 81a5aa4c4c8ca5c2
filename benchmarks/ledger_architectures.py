"""Small networks of fourteen kinds, one step of each, and how many operations that takes, worked out with a pencil.

The forms are written from the definition of each network: 2 operations for each pair of numbers that are multiplied, the
forward pass, then one more such product for each gradient that is wanted. Nothing in them is taken from the counter.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

BATCH, TIME, WIDTH, HEADS, LAYERS, VOCAB = 4, 32, 64, 4, 2, 96
ROWS = BATCH * TIME


@dataclass(frozen=True)
class Architecture:
    """A step and its operations."""

    step: Callable[[], object]
    operations: int


class Block(nn.Module):
    """Causal attention and a feed-forward of four times the width."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """x of [batch, position, width]."""
        q, k, v = self.qkv(self.before(x)).unflatten(-1, (3, self.heads, -1)).transpose(1, 3).unbind(2)
        x = x + self.out(F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2))
        return x + self.down(F.gelu(self.up(self.between(x))))


class Transformer(nn.Module):
    """A language model of a few such blocks."""

    def __init__(self, width: int = WIDTH, heads: int = HEADS, layers: int = LAYERS, again: bool = False) -> None:
        super().__init__()
        self.again = again
        self.embed, self.unembed = nn.Embedding(VOCAB, width), nn.Linear(width, VOCAB, bias=False)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))

    def forward(self, tokens: Tensor) -> Tensor:
        """The loss of guessing each token."""
        x = self.embed(tokens)
        for block in self.blocks:
            x = checkpoint(block, x, use_reentrant=True) if self.again else block(x)
        return F.cross_entropy(self.unembed(x).flatten(0, 1), tokens.flatten())


MATRICES = 12 * WIDTH**2
SCORES = 2 * BATCH * TIME * TIME * WIDTH


def architectures() -> dict[str, Architecture]:
    """All of them; what is random in them decides nothing but where the sparse weights are."""
    made = (mlp, convolutional, generator, transformer, checkpointed, lstm, gru, experts, per_example, jacobian)
    made += (compressed, pairwise, encoder, lower)
    return {one.__name__.replace("_", " "): one() for one in made}


def training(network: Callable[..., Tensor], *given: Tensor) -> Callable[[], object]:
    """Forward and backward."""
    return lambda: network(*given).float().square().mean().backward()


def mlp() -> Architecture:
    """Three layers; the data needs no gradient."""
    network = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    forward = 2 * 32 * (20 * 64 + 64 * 64 + 64 * 10)
    return Architecture(training(network, torch.randn(32, 20)), 3 * forward - 2 * 32 * 20 * 64)


def convolutional() -> Architecture:
    """Three convolutions on 16 × 16, the second grouped, the third with stride 2, and a readout."""
    network = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1, groups=4),
        nn.ReLU(),
        nn.Conv2d(32, 32, 3, stride=2, padding=1),
        nn.Flatten(),
        nn.Linear(32 * 8 * 8, 10),
    )
    first = 2 * 8 * 16 * 16 * 16 * 3 * 9
    later = 2 * 8 * (16 * 16 * 32 * (16 // 4) * 9 + 8 * 8 * 32 * 32 * 9 + 32 * 8 * 8 * 10)
    return Architecture(training(network, torch.randn(8, 3, 16, 16)), 2 * first + 3 * later)


def generator() -> Architecture:
    """Transposed convolutions from 4 × 4 to 16 × 16: each input meets the whole kernel; the second is grouped."""
    network = nn.Sequential(
        nn.ConvTranspose2d(16, 16, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(16, 8, 4, stride=2, padding=1, groups=2),
    )
    first, second = 2 * 8 * 4 * 4 * 16 * 16 * 16, 2 * 8 * 8 * 8 * 16 * (8 // 2) * 16
    return Architecture(training(network, torch.randn(8, 16, 4, 4)), 2 * first + 3 * second)


def transformer() -> Architecture:
    """Attention is 2 products forward and, as the scores are made again, 5 backward."""
    tokens = torch.randint(VOCAB, (BATCH, TIME))
    matrices = 2 * ROWS * (LAYERS * MATRICES + WIDTH * VOCAB)
    return Architecture(lambda: Transformer()(tokens).backward(), 3 * matrices + LAYERS * 7 * SCORES)


def checkpointed() -> Architecture:
    """The blocks run forward twice."""
    tokens = torch.randint(VOCAB, (BATCH, TIME))
    network = Transformer(again=True)
    blocks = LAYERS * (4 * 2 * ROWS * MATRICES + 9 * SCORES)
    return Architecture(lambda: network(tokens).backward(), blocks + 3 * 2 * ROWS * WIDTH * VOCAB)


def lstm() -> Architecture:
    """Two layers over embeddings that learn: four gates, each with a matrix for the input and one for the state."""
    embed, layer, head = nn.Embedding(VOCAB, 48), nn.LSTM(48, WIDTH, 2, batch_first=True), nn.Linear(WIDTH, VOCAB)
    tokens = torch.randint(VOCAB, (BATCH, TIME))
    cells = 4 * WIDTH * (48 + WIDTH) + 4 * WIDTH * (WIDTH + WIDTH)
    return Architecture(training(lambda: head(layer(embed(tokens))[0])), 3 * 2 * ROWS * (cells + WIDTH * VOCAB))


def gru() -> Architecture:
    """Three gates; the first state needs no gradient, nor does the data."""
    layer, x = nn.GRU(48, WIDTH), torch.randn(TIME, BATCH, 48)
    into, again = 2 * ROWS * 3 * WIDTH * 48, 2 * ROWS * 3 * WIDTH * WIDTH
    return Architecture(training(lambda: layer(x)[0]), 2 * into + 3 * again - again // TIME)


def experts() -> Architecture:
    """A mixture of eight experts of which each token meets one, by grouped products, behind a router."""
    router = nn.Linear(WIDTH, 8, dtype=torch.bfloat16)
    up = nn.Parameter(torch.randn(8, WIDTH, 128, dtype=torch.bfloat16) / 8)
    down = nn.Parameter(torch.randn(8, 128, WIDTH, dtype=torch.bfloat16) / 8)
    x = torch.randn(ROWS, WIDTH, dtype=torch.bfloat16, requires_grad=True)

    def forward() -> Tensor:
        gate, chosen = router(x).softmax(-1).max(-1)
        order = chosen.argsort()
        ends = torch.bincount(chosen, minlength=8).cumsum(0).int()
        inside = F.relu(F.grouped_mm(x[order], up, offs=ends))
        return F.grouped_mm(inside, down, offs=ends) * gate[order, None]

    return Architecture(training(forward), 3 * 2 * ROWS * (WIDTH * 8 + 2 * WIDTH * 128))


def per_example() -> Architecture:
    """A gradient for each example by torch.func: forward, and one product for each weight's and each inner gradient."""
    network, x = nn.Sequential(nn.Linear(20, 32), nn.Tanh(), nn.Linear(32, 5)), torch.randn(16, 20)
    weights = {name: value.detach() for name, value in network.named_parameters()}

    def loss(weights: dict[str, Tensor], x: Tensor) -> Tensor:
        return torch.func.functional_call(network, weights, (x,)).square().sum()

    step = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0))
    return Architecture(lambda: step(weights, x), 2 * 16 * (2 * 20 * 32 + 3 * 32 * 5))


def jacobian() -> Architecture:
    """All 5 rows of a Jacobian by jacrev: one forward pass, and each row through both matrices."""
    network, x = nn.Sequential(nn.Linear(20, 32), nn.Tanh(), nn.Linear(32, 5)), torch.randn(20)
    return Architecture(lambda: torch.func.jacrev(network)(x), (1 + 5) * 2 * (20 * 32 + 32 * 5))


def compressed() -> Architecture:
    """Two matrices of which one weight in ten lives, in compressed rows: forward, and the gradient of what the second read.

    That gradient, as torch takes it, is a product with the transposed sparse matrix. The weights are fixed.
    """
    drawn = torch.Generator().manual_seed(0)
    dense = [torch.where(torch.rand(64, 64, generator=drawn) < 0.1, 1.0, 0.0) for _ in range(2)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first, second = (one.to_sparse_csr() for one in dense)
    x = torch.randn(64, 32, requires_grad=True)
    step = training(lambda: torch.sparse.mm(second, torch.relu(torch.sparse.mm(first, x))))
    return Architecture(step, 2 * 2 * 32 * sum(int(one.sum()) for one in dense))


def pairwise() -> Architecture:
    """A recommender: bags of embeddings, a bilinear score (each pair of features with a weight, then the second factor)."""
    users, items, score = nn.EmbeddingBag(50, 12, mode="sum"), nn.EmbeddingBag(50, 10), nn.Bilinear(12, 10, 6)
    bags = torch.randint(50, (16, 5))

    def forward() -> object:
        with torch.no_grad():
            return score(users(bags), items(bags))

    return Architecture(forward, 2 * 16 * 6 * (12 * 10 + 10))


def encoder() -> Architecture:
    """A vision transformer in inference mode: patches by a convolution, torch's own encoder, which runs fused."""
    patches = nn.Conv2d(3, WIDTH, 4, stride=4)
    layer = nn.TransformerEncoderLayer(WIDTH, HEADS, 4 * WIDTH, batch_first=True)
    blocks = nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False).eval()
    images = torch.randn(BATCH, 3, 16, 16)

    def forward() -> object:
        with torch.inference_mode():
            return blocks(patches(images).flatten(2).mT)

    rows = BATCH * 16
    of_a_layer = 2 * rows * MATRICES + 2 * 2 * BATCH * 16 * 16 * WIDTH
    return Architecture(forward, 2 * rows * WIDTH * 3 * 16 + LAYERS * of_a_layer)


def lower() -> Architecture:
    """Attention written with einsum, queries in groups that share keys, under autocast to bfloat16."""
    q, kv = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
    x = torch.randn(BATCH, TIME, WIDTH)

    def forward() -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            query = q(x).unflatten(-1, (2, 2, 16))  # two groups of two heads
            key, value = kv(x).unflatten(-1, (2, 2, 16)).unbind(2)
            scores = torch.einsum("bqghw,bkgw->bghqk", query, key).softmax(-1)
            return torch.einsum("bghqk,bkgw->bqghw", scores, value)

    return Architecture(training(forward), 2 * 2 * ROWS * 2 * WIDTH**2 + 3 * 2 * SCORES)
