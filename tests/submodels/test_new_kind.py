"""A kind of sub-model that this package does not know: one class, read at one place and written at others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from cutaway.decisions import Decision, trace
from cutaway.network import LogitDifference, Network, Site, Variant, sweep
from cutaway.submodels import Decomposition, SubModel, adversary, baseline, mask_without, masked, take_away
from cutaway.submodels.submodel import sites_of

from .networks import PROMPTS, drawn, opened, output, small


@dataclass(frozen=True, eq=False)
class Transcoder:
    """Latents that read an MLP's input and write to its output and to the next one's."""

    encoder: Tensor
    decoders: tuple[Tensor, Tensor]
    name: str = "transcoder"
    reads: tuple[Site, ...] = (Site("mlp_in", 0),)
    writes: tuple[Site, ...] = (Site("mlp_out", 0), Site("mlp_out", 1))

    @property
    def atoms(self) -> int:
        return len(self.encoder)

    @property
    def parts(self) -> Mapping[str, Sequence[int]]:
        return {f"latent {i}": [i] for i in range(self.atoms)}

    def encode(self, h: Mapping[Site, Tensor]) -> Tensor:
        return torch.relu(h[self.reads[0]] @ self.encoder.T)

    def decode(self, code: Tensor, site: Site) -> Tensor:
        return code @ self.decoders[self.writes.index(site)]

    def weight_edit(self, net: Network, part: str) -> None:
        return None

    def describe(self) -> dict[str, Any]:
        return {"kind": "transcoder"}

    def tensors(self) -> dict[str, Tensor]:
        return {"encoder": self.encoder}


KIND = Transcoder(drawn(5, 16), (0.3 * drawn(5, 16, seed=1), 0.3 * drawn(5, 16, seed=2)))
LATENTS = [SubModel(part, (part,), (KIND,)) for part in KIND.parts]
METRIC = LogitDifference(torch.tensor([1, 2]), torch.tensor([2, 1]))


def without_by_hand(net: Network, latent: int, donor: Tensor | None) -> Tensor:
    """Plain hooks: both MLPs' outputs minus what the latent adds beyond its value in the donor."""
    module, seen, handles = net.module, {}, []

    def code(x: Tensor) -> Tensor:
        return torch.relu(x @ KIND.encoder[latent])[..., None]

    def keep(_: Any, args: tuple) -> None:
        seen["code"] = code(args[0]) - (0 if donor is None else code(donor))

    handles.append(module.blocks[0].mlp.register_forward_pre_hook(keep))
    for layer in range(2):
        rows = KIND.decoders[layer][latent]
        handles.append(
            module.blocks[layer].mlp.register_forward_hook(lambda _m, _a, y, rows=rows: y - seen["code"] * rows)
        )
    try:
        return output(net, PROMPTS)
    finally:
        for handle in handles:
            handle.remove()


def test_it_is_a_decomposition_whose_mask_of_one_changes_nothing() -> None:
    net, given = opened("own")
    assert isinstance(KIND, Decomposition)
    assert torch.equal(output(net, given, masked(KIND, torch.ones(5))), output(net, given))


@pytest.mark.parametrize("kind", ["zero", "resample", "mean"])
def test_taking_a_latent_away_subtracts_what_it_wrote_at_both_places(kind: Any) -> None:
    net, given = opened("own")
    values = baseline(net, net.batch(given), sites_of(net, LATENTS[2]), kind, draws=3)
    donor = None if kind == "zero" else values.values[0][KIND.reads[0]]
    gone = output(net, given, take_away(net, LATENTS[2], values))
    assert torch.allclose(gone, without_by_hand(net, 2, donor), atol=1e-5)
    assert not torch.allclose(gone, output(net, given), atol=1e-3)


def test_the_sweep_of_latents_is_the_loop() -> None:
    net, given = opened("own")
    variants = [Variant(masked(KIND, mask_without(KIND, [part]))) for part in KIND.parts]
    swept = sweep(net, given, variants, METRIC)
    loop = torch.stack([METRIC(net.run(given, v.edits).output, torch.arange(2)) for v in variants])
    assert torch.allclose(swept.value, loop, atol=1e-5)
    assert float(swept.effect.abs().max()) > 1e-3


def test_the_adversary_works_for_it() -> None:
    net, given = opened("own")
    values = baseline(net, net.batch(given), sites_of(net, LATENTS[0]), "resample", draws=4)
    assert adversary(net, given, METRIC, LATENTS, values, (0, 10), 2).moved[-1] > 1e-3


def test_a_trace_gives_its_latents_exact_and_first_order_effects_which_agree_where_they_write_little() -> None:
    net = small()
    faint = Transcoder(KIND.encoder, (0.01 * KIND.decoders[0], 0.01 * KIND.decoders[1]))
    latents = [SubModel(part, (part,), (faint,)) for part in faint.parts]
    decision = Decision(PROMPTS, answer=" mat", instead=" rug")
    rows = {row["part"]: row for row in trace(net, decision, latents, baseline="mean", nulls=0).nodes}
    assert set(rows) == set(faint.parts)
    largest = max(abs(row["exact"]) for row in rows.values())
    assert largest > 1e-3
    for row in rows.values():
        assert row["total"] == pytest.approx(row["exact"], abs=0.1 * largest)
    posed = decision.pose(net)
    values = baseline(net, posed.batch, sites_of(net, latents[0]), "mean")
    after = posed.metric(net.run(posed.batch, take_away(net, latents[1], values)).output, torch.arange(2))
    before = posed.metric(net(posed.batch), torch.arange(2))
    assert rows["latent 1"]["exact"] == pytest.approx(float((after - before).mean()), abs=1e-5)
