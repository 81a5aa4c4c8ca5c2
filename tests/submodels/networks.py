"""Small networks for the tests of sub-models and decisions, and a tokenizer with a start token and leading-space words."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from cutaway.network import Network, logits_of, wrap
from cutaway.submodels import Decomposition, Directions, orthonormal, slices
from cutaway.training.transformer import Shape, Transformer
from network.zoo import NAMED, inputs, module
from network.zoo import network as of_the_zoo

# A sweep asks the last block for the last position only, which the annotation of the forward does not foresee.
Transformer.forward = inspect.unwrap(Transformer.forward)  # type: ignore[method-assign]

WORDS = (" cat", " dog", " mat", " rug", " the", " sat", " on", "the")


class Spaced:
    """Start token 0, then the longest of a few words, else single letters."""

    vocabulary = ("<s>", *WORDS, " ", *"abcdefghijklmnopqrstuvwxyz")

    def encode(self, text: str) -> list[int]:
        ids = [0]
        while text:
            word = max((word for word in self.vocabulary if text.startswith(word)), key=len)
            ids.append(self.vocabulary.index(word))
            text = text[len(word) :]
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(self.vocabulary[i] for i in ids)


TEXTS = (
    "the cat sat on the mat on the rug",
    "the dog sat on the rug on the mat",
    "a cat on a dog on the mat sat",
    "the rug the mat the cat the dog",
)
PROMPTS = ["the cat sat on the", "the dog sat on the"]


def transformer(layers: int = 2, seed: int = 0, **more: Any) -> Transformer:
    """A `Transformer` for `Spaced`, with weights large enough for every part to matter."""
    sizes: dict[str, Any] = {"width": 16, "heads": 3, "d_head": 4, "hidden": 10, "context": 24} | more
    built = Transformer(Shape(vocab=len(Spaced.vocabulary), layers=layers, **sizes), seed).eval()
    draw = torch.Generator().manual_seed(seed)
    for parameter in built.parameters():
        if parameter.ndim > 1:
            nn.init.normal_(parameter, std=0.4, generator=draw)
    return built


def small(layers: int = 2, reference: Any = TEXTS, **more: Any) -> Network:
    """A `transformer` that reads text."""
    return wrap(transformer(layers, **more), Spaced(), reference, name="small")


class Convolutions(nn.Module):
    """A CNN whose ReLUs write in place."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 6, 3, padding=1)
        self.relu, self.out = nn.ReLU(inplace=True), nn.Linear(6 * 4, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.b(self.relu(self.a(x))))
        return self.out(nn.functional.adaptive_avg_pool2d(x, 2).flatten(1))


class Layers(nn.Module):
    """A plain MLP."""

    def __init__(self, outputs: int = 4) -> None:
        super().__init__()
        self.a, self.b, self.out = nn.Linear(6, 12), nn.Linear(12, 12), nn.Linear(12, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(torch.tanh(self.b(torch.tanh(self.a(x)))))


class Recurrent(nn.Module):
    """An LSTM that reads a sequence of vectors."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.out = nn.LSTM(6, 8, batch_first=True), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.lstm(x)[0][:, -1])


@cache
def seeded(build: Callable[[], nn.Module]) -> nn.Module:
    """The same weights every time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build().eval()


def drawn(*shape: int, seed: int = 0) -> Tensor:
    """Standard normal numbers, the same ones every time."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@cache
def opened(name: str) -> tuple[Network, Any]:
    """A network by name, and inputs for it."""
    if name == "own":
        net = small()
        return net, net.batch(PROMPTS)
    if name == "CNN":
        return wrap(seeded(Convolutions), reference=drawn(6, 3, 8, 8, seed=5)), drawn(2, 3, 8, 8)
    return of_the_zoo(NAMED[name]), inputs(NAMED[name])


def fresh(name: str) -> Network:
    """A network of the zoo that reads `Spaced` text."""
    return wrap(module(name), Spaced(), TEXTS, name=name)


def output(net: Network, given: Any, edits: Sequence[Any] = (), **more: Any) -> Tensor:
    """The logits."""
    return logits_of(net.run(given, edits, **more).output)


def directions(site: str, width: int, oblique: bool, atoms: int = 2, seed: int = 0) -> Directions:
    """Random directions at `site`, written along themselves or along others."""
    read = orthonormal(drawn(atoms, width, seed=seed))
    if not oblique:
        return Directions(_site(site), read)
    off = drawn(atoms, width, seed=seed + 1)
    return Directions(_site(site), read, read + off - off @ read.T @ read)


def _site(address: str) -> Any:
    from cutaway.network import Site

    return Site.parse(address)


CASES = [
    *((name, kind) for name in ("own", "GPT-2", "Llama", "Mixtral", "ViT") for kind in ("heads", "mlps")),
    *((name, kind) for name in ("own", "GPT-2", "Llama") for kind in ("neurons", "orthonormal", "oblique", "blocks")),
    ("Mixtral", "experts"),
    ("CNN", "channels"),
    ("ResNet", "channels"),
    ("CNN", "modules"),
]


def decompositions(name: str, kind: str) -> list[Decomposition]:
    """Every decomposition of a kind; directions at three sorts of places."""
    net, given = opened(name)
    if kind not in ("orthonormal", "oblique"):
        return list(slices(net, [kind], given))
    places = ("resid_post.0", "mlp_out.1", "mlp_act.0")
    widths = [net.read(given, place)[place].shape[-1] for place in places]
    return [directions(place, width, kind == "oblique") for place, width in zip(places, widths)]
