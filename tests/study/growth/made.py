"""A decoder in which two neurons do everything, and text for small studies."""

import torch

from cutaway.network import Batch, Network, wrap
from cutaway.study.growth.networks import Text, windows
from cutaway.training.transformer import Shape, Transformer

CONTEXT, VOCAB = 8, 24
PLANTED = ("mlp_act.0[neuron=3]", "mlp_act.1[neuron=11]")


def decoder(strength: float = 6.0) -> Network:
    """Two blocks whose heads and neurons write nothing, but for the two planted neurons."""
    module = Transformer(Shape(VOCAB, CONTEXT, 16, 2, 2, 8, 16), seed=1).eval()
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        module.embed.weight.normal_(generator=generator)
        module.unembed.weight.normal_(generator=generator)
        for layer, neuron in ((0, 3), (1, 11)):
            block = module.blocks[layer]
            block.attn.out.weight.zero_()
            block.mlp.up.weight.normal_(generator=generator)
            block.mlp.down.weight.zero_()
            block.mlp.down.weight[:, neuron] = strength * torch.randn(16, generator=generator)
    return wrap(module, name="planted")


def text() -> Text:
    """Random tokens, a few of which follow others."""
    tokens = torch.randint(VOCAB, (4000,), generator=torch.Generator().manual_seed(0))
    tokens[1::2] = (tokens[::2] * 5 + 1) % VOCAB
    return Text(tokens[:3000], tokens[3000:])


def asked(net: Network, count: int = 24, seed: int = 0) -> tuple[Batch, tuple[Batch, Batch]]:
    """Decisions, and inputs for two sets of means."""
    tokens = text()
    rows = [windows(tokens.held_out, count, CONTEXT, seed), *(windows(tokens.train, 64, CONTEXT, s) for s in (1, 2))]
    drawn, first, second = (net.batch(one) for one in rows)
    return drawn, (first, second)
