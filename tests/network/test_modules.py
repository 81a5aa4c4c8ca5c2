"""Networks that are no Hugging Face language models: convolutions, residual MLPs, recurrent nets, shared blocks, odd outputs."""

from __future__ import annotations

from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

from cutaway.network import ZERO, AddressError, Apply, Custom, Edit, Network, Site, Variant, logits_of, sweep, wrap

from .zoo import NAMED, inputs, network


def seeded(build: type[nn.Module]) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build().eval()


class Convolutions(nn.Module):
    """A plain CNN whose ReLUs write in place: what was recorded is changed later."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 6, 3, padding=1)
        self.norm, self.relu, self.out = nn.BatchNorm2d(6), nn.ReLU(inplace=True), nn.Linear(6 * 4, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.a(x))
        x += self.relu(self.norm(self.b(x)))
        return self.out(nn.functional.adaptive_avg_pool2d(x, 2).flatten(1))


class Residual(nn.Module):
    """A residual MLP on vectors: no positions."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 8)) for _ in range(4))
        self.out = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = x + block(x)
        return self.out(x)


class Recurrent(nn.Module):
    """An LSTM, whose output is a tuple with a tuple in it."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.more, self.out = (
            nn.LSTM(6, 8, batch_first=True),
            nn.GRU(8, 8, batch_first=True),
            nn.Linear(8, 3),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.more(self.lstm(x)[0])[0][:, -1])


class Encoder(nn.Module):
    """torch's own transformer encoder."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)
        self.out = nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.encoder(x)).mean(1)


class Shared(nn.Module):
    """One block that is called six times, and a matrix inside of it."""

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8))
        self.out = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(6):
            x = x + self.block(x)
        return self.out(x)


class Pair(NamedTuple):
    score: Tensor
    state: Tensor


class Odd(nn.Module):
    """Parts that return a dict, a named tuple and a list, called with keywords only."""

    class Dict(nn.Linear):
        def forward(self, *, x: Tensor) -> dict[str, Tensor]:  # type: ignore[override]
            return {"hidden": super().forward(x), "given": x}

    class Named(nn.Linear):
        def forward(self, *, x: Tensor) -> Pair:  # type: ignore[override]
            return Pair(super().forward(x), x)

    class Listed(nn.Linear):
        def forward(self, *, x: Tensor) -> list[Tensor]:  # type: ignore[override]
            return [super().forward(x), x]

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = self.Dict(6, 6), self.Named(6, 6), self.Listed(6, 6)

    def forward(self, *, x: Tensor, scale: float = 1.0) -> dict[str, Tensor]:
        return {"logits": self.c(x=self.b(x=self.a(x=x)["hidden"]).score)[0] * scale}


torch.manual_seed(0)
ANY = {
    Convolutions: (
        torch.randn(3, 3, 8, 8),
        [
            "a:out[channel=1]",
            "b:out[channel=2]",
            "norm:out[channel=3]",
            "relu:out[call=1,channel=0]",
            "relu:in[call=0,channel=2]",
        ],
    ),
    Residual: (
        torch.randn(3, 8),
        [
            "blocks.0:out",
            "blocks.1.0:out[channel=3]",
            "blocks.2.2:in[neuron=5]",
            "blocks.3:in[channel=1]",
            "out:in[channel=0]",
        ],
    ),
    Recurrent: (
        torch.randn(3, 5, 6),
        ["lstm:out[channel=2]", "lstm:in[pos=1]", "more:out[channel=4]", "out:in[channel=3]"],
    ),
    Encoder: (
        torch.randn(3, 5, 16),
        ["encoder.layers.0:out[pos=1]", "encoder.layers.1.linear2:in[neuron=4]", "encoder.layers.2:out[channel=3]"],
    ),
    Shared: (
        torch.randn(3, 8),
        [
            *(f"block:out[call={c}]" for c in range(6)),
            *(f"block.2:in[call={c},neuron=3]" for c in range(6)),
            "block.0:out[neuron=2]",
        ],
    ),
    Odd: ({"x": torch.randn(3, 6)}, ["a:out[channel=1]", "b:out[channel=2]", "c:out[channel=3]", "b:in[channel=0]"]),
}


def summed(output: object) -> Tensor:
    flat = logits_of(output).flatten(1)
    return flat @ torch.linspace(-1, 2, flat.shape[1])


@pytest.mark.parametrize("kind", ANY, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("shape", ["stacked", "one by one"])
def test_on_any_module_the_sweep_equals_the_loop(kind: type[nn.Module], shape: str) -> None:
    given, addresses = ANY[kind]
    module = seeded(kind)
    net = wrap(module)
    variants = [Variant((Edit(Site.parse(f"path.{address}"), ZERO),)) for address in addresses]
    variants += [Variant(()), Variant((variants[0].edits[0], variants[-1].edits[0]))]
    with torch.no_grad():
        plain = logits_of(module(**given) if isinstance(given, dict) else module(given))
    assert torch.equal(logits_of(net(given)), plain)
    swept = sweep(net, given, variants, Custom(summed), positions=None if shape == "stacked" else 1)
    loop = torch.stack([summed(net.run(given, variant.edits).output) for variant in variants])
    assert swept.notes == ()
    assert torch.allclose(swept.value, loop, atol=1e-5, rtol=1e-5)
    assert bool((swept.effect[:-2].abs().amax(1) > 1e-4).all())
    assert float(swept.effect[-2].abs().max()) == 0.0


def test_what_is_written_in_place_later_is_recorded_as_it_was() -> None:
    given, module = ANY[Convolutions][0], seeded(Convolutions)
    net = wrap(module)
    with torch.no_grad():
        expected = module.a(given)
    run = net.run(given, read=["path.a:out"])
    assert torch.equal(torch.relu(run.read["path.a:out"]), torch.relu(expected))
    late = [Variant((Edit(Site.parse(f"path.out:in[channel={c}]"), ZERO),)) for c in range(4)]
    first = sweep(net, given, late, Custom(summed), positions=1)
    loop = torch.stack([summed(net.run(given, variant.edits).output) for variant in late])
    assert torch.allclose(first.value, loop, atol=1e-5)


def test_a_residual_mlp_without_positions_replays_a_tape_that_stays_clean() -> None:
    """Unstacked reruns get the recorded tensors themselves: one that writes to them must not reach the next."""

    class InPlace(Residual):
        def forward(self, x: Tensor) -> Tensor:
            if len(x) != 2:
                raise ValueError("two rows at a time")
            x = self.blocks[0](x)
            for block in list(self.blocks)[1:]:
                x += block(x)
            return self.out(x)

    net, given = wrap(seeded(InPlace)), torch.randn(2, 8)
    variants = [
        Variant((Edit(Site.parse(f"path.blocks.{layer}:out"), Apply(lambda x: x * 2)),)) for layer in (3, 2, 3, 1)
    ]
    loop = torch.stack([summed(net.run(given, variant.edits).output) for variant in variants])
    swept = sweep(net, given, variants, Custom(summed))
    assert torch.allclose(swept.value, loop, atol=1e-5)
    assert any("not stacked: ValueError: two rows" in note for note in swept.notes)


@pytest.mark.parametrize(
    "path, axis",
    [
        ("resnet.encoder.stages.1", 1),
        ("resnet.encoder.stages.1.layers.0.activation", 1),
        ("resnet.embedder.embedder.normalization", 1),
        ("resnet.embedder.pooler", 1),
    ],
)
def test_a_channel_of_a_resnet_is_a_feature_map_wherever_it_is_read(path: str, axis: int) -> None:
    net, given = network(NAMED["ResNet"]), inputs(NAMED["ResNet"])
    whole = net.read(given, f"path.{path}:out")[f"path.{path}:out"]
    address = f"path.{path}:out[channel=3]"
    assert torch.equal(net.read(given, address)[address], whole.narrow(axis, 3, 1))


@pytest.mark.parametrize("part, axis", [("dwconv", 1), ("pwconv1", 3), ("layernorm", 3)])
def test_convnext_turns_its_channels_around_inside_a_block(part: str, axis: int) -> None:
    net, given = network(NAMED["ConvNeXt"]), inputs(NAMED["ConvNeXt"])
    address = f"path.convnext.encoder.stages.0.layers.0.{part}:out"
    whole = net.read(given, address)[address]
    assert torch.equal(net.read(given, f"{address}[channel=2]")[f"{address}[channel=2]"], whole.narrow(axis, 2, 1))


@pytest.mark.parametrize("part", ["act", "drop_path"])
def test_where_the_channels_of_an_image_cannot_be_told_they_are_not_guessed(part: str) -> None:
    with pytest.raises(AddressError, match="cannot be picked by channel"):
        network(NAMED["ConvNeXt"]).read(
            inputs(NAMED["ConvNeXt"]), f"path.convnext.encoder.stages.0.layers.0.{part}:out[channel=2]"
        )


def test_an_edit_of_a_tuple_leaves_the_rest_of_it() -> None:
    given, module = ANY[Recurrent][0], seeded(Recurrent)
    seen: list = []
    module.lstm.register_forward_hook(lambda *call: seen.append(call[-1]))
    net = wrap(module)
    net.run(given)
    output = net.run(given, [Edit(Site.parse("path.lstm:out"), ZERO)]).output
    assert len(seen) == 2
    with torch.no_grad():
        expected = module.out(module.more(torch.zeros(3, 5, 8))[0][:, -1])
    assert torch.allclose(output, expected, atol=1e-6)


def test_where_there_are_no_blocks_the_error_offers_module_paths() -> None:
    with pytest.raises(AddressError, match=r"module paths, e\.g\. path\.a:out"):
        wrap(seeded(Convolutions)).read(ANY[Convolutions][0], "mlp_out.0")
    with pytest.raises(AddressError, match="reference"):
        assert wrap(seeded(Convolutions)).layout


def test_a_declared_layout_is_proved_like_a_found_one() -> None:
    net = wrap(
        seeded(Residual),
        sites={"resid_pre": "blocks.{layer}:in", "mlp_out": "blocks.{layer}:out"},
        reference=torch.randn(2, 8),
    )
    assert net.layout.layers == 4
    assert not net.layout.additive  # nothing declares where the stream is after a block
    with pytest.raises(AddressError, match="names no module"):
        assert wrap(seeded(Residual), sites={"mlp_out": "block.{layer}:out"}, reference=torch.randn(2, 8)).layout


def test_a_wrong_declaration_fails_its_proof() -> None:
    from cutaway.training.transformer import Shape, Transformer

    ids = torch.randint(0, 20, (2, 5))
    good = Transformer(Shape(20, 8, 16, 2, 2, 8, 32))
    assert Network(good, lambda x: (x,), ids, declared=Transformer.sites).layout.additive
    wrong = Transformer.sites | {"mlp_out": "blocks.{layer}.mlp.up:out", "attn_out": "blocks.{layer}.attn.value:out"}
    with pytest.raises((AddressError, RuntimeError)):
        assert wrap(Transformer(Shape(20, 8, 16, 2, 2, 8, 32)), sites=wrong, reference=ids).layout
    swapped = Transformer.sites | {"mlp_out": "blocks.{layer}.attn:out"}
    assert not wrap(good, sites=swapped, reference=ids).layout.additive
