"""Parts of one network in the place of their counterparts in another: what each then answers to the same prompts.

A head or a neuron is transplanted by what it writes: its counterpart is silenced, and what the part writes in the other
network, on the same prompt and through that network's own matrix, is added to the output of the matrix that would have read
the counterpart. So a part is carried over whole also where the other network has zeros in the place of its output weights.
What has no such matrix (a whole MLP, a channel) is put there as it is. Values of one network make sense in another only if
both write into one stream: networks that were trained apart have nothing to transplant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from cutaway.concepts.match.trials import FIRST, said
from cutaway.network import Add, Batch, Edit, LogitDifference, Metric, Network, Put, Site, Variant, sweep
from cutaway.submodels.slices import Slice, slices

STACKED = 64  # sets of parts whose outputs are held at one time


@dataclass(frozen=True, eq=False)
class Parts:
    """The parts of a network by address, and the matrices that read them."""

    net: Network
    of: Mapping[str, Slice]

    @classmethod
    def there(cls, net: Network, kinds: Sequence[str]) -> Parts:
        """Every part of these kinds."""
        return cls(net, {address: one for one in slices(net, kinds) for address in one.parts})

    @property
    def sites(self) -> list[Site]:
        """The whole tensors that they lie in."""
        return list(dict.fromkeys(one.site for one in self.of.values()))

    def reader(self, one: Slice) -> str | None:
        """The module whose matrix reads a slice; None where it is not known, or is no matrix."""
        if not one.by:
            return None
        port = self.net.port(one.site)
        if one.by == "head":
            name = self.net.layout.projections.get(one.site.layer or 0) if one.site.point == "z" else None
        else:
            name = port.module if port.side == "in" else None
        weight = None if name is None else getattr(self.net.wiring.modules[name], "weight", None)
        return name if isinstance(weight, Tensor) and weight.ndim == 2 else None

    def columns(self, reader: str, atoms: Sequence[int]) -> Float[Tensor, "atoms width"]:
        """What these atoms write through the matrix that reads them."""
        module = self.net.wiring.modules[reader]
        weight, where = module.weight, list(atoms)
        assert isinstance(weight, Tensor)
        weight = weight.detach()
        return weight[:, where].T if isinstance(module, nn.Linear) else weight[where]  # GPT-2's Conv1D is transposed


@dataclass(frozen=True, eq=False)
class Way:
    """From one network into another: `places` has each part's address there and here, by its name."""

    source: Parts
    into: Parts
    places: Mapping[str, tuple[str, str]]

    @property
    def turned(self) -> Way:
        """The other way round, by the same names."""
        return Way(self.into, self.source, {name: (here, there) for name, (there, here) in self.places.items()})

    def on(self, prompts: Sequence[str]) -> Grafts:
        """What is transplanted on these prompts."""
        return Grafts(self, self.source.net.batch(list(prompts)), self.into.net.batch(list(prompts)))


@dataclass(frozen=True, eq=False)
class Grafts:
    """Prompts as both networks see them, and what `way.into` answers with parts of `way.source`."""

    way: Way
    theirs: Batch
    batch: Batch
    _values: dict[Site, Tensor] = field(default_factory=dict, repr=False)

    @property
    def rows(self) -> int:
        """How many prompts there are."""
        return self.batch.rows

    def take(self, rows: Int[Tensor, "some"]) -> Grafts:
        """Some of the prompts."""
        values = {site: x[rows.to(x.device)] for site, x in self._values.items()}
        return Grafts(self.way, self.theirs.take(rows), self.batch.take(rows), values)

    def values(self, names: Sequence[str]) -> Mapping[Site, Tensor]:
        """What the other network computes where these parts are; each site is read once."""
        source = self.way.source
        sites = dict.fromkeys(source.of[self.way.places[name][0]].site for name in names)
        if new := [site for site in sites if site not in self._values]:
            read = source.net.read(self.theirs, *new)
            self._values.update({site: read[str(site)] for site in new})
        return self._values

    @cached_property
    def clean(self) -> Int[Tensor, "rows"]:
        """What is answered with nothing transplanted."""
        return said(self.way.into.net, self.batch)

    def edits(self, names: Sequence[str]) -> tuple[Edit, ...]:
        """The edits that put these parts into the other network."""
        source, into, edits = self.way.source, self.way.into, list[Edit]()
        values, written = self.values(names), dict[str, list[Tensor]]()
        for name in names:
            there, here = self.way.places[name]
            one, site = source.of[there], Site.parse(here)
            reader, other = source.reader(one), into.reader(into.of[here])
            code = one.encode({one.site: values[one.site]})[..., list(one.parts[there])]
            if reader is None or other is None:
                index = source.net.port(one.site).index_of(Site.parse(there), values[one.site].ndim)
                edits.append(Edit(site, Put(values[one.site][index])))
                continue
            edits.append(Edit(site, Put(0.0)))
            written.setdefault(other, []).append(code @ source.columns(reader, one.parts[there]).to(code))
        added = (Edit(Site("path", path=name), Add(torch.stack(some).sum(0))) for name, some in written.items())
        return (*edits, *added)

    def odds(self, sets: Sequence[Sequence[str]], answers: Int[Tensor, "rows"]) -> Float[Tensor, "sets rows"]:
        """The log-odds (nats) of these answers against all others, with each set transplanted."""
        return self._swept(sets, LogitDifference(answers)).float()

    def said(self, sets: Sequence[Sequence[str]]) -> Int[Tensor, "sets rows"]:
        """What is answered with each set transplanted."""
        return self._swept(sets, FIRST).long()

    def _swept(self, sets: Sequence[Sequence[str]], metric: Metric) -> Tensor:
        self.values([name for names in sets for name in names])
        found = []
        for at in range(0, len(sets), STACKED):
            variants = [Variant(self.edits(some)) for some in sets[at : at + STACKED]]
            found.append(sweep(self.way.into.net, self.batch, variants, metric).value.cpu())
        return torch.cat(found)
