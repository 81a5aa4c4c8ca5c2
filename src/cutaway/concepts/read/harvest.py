"""Readings of passages: the mean over real tokens (or over a passage's spans) of the tensors at some sites, kept on disk.

Each passage goes through the network once, in batches of like length, whatever the number of sites and of concepts that
share it. What was read is found again by the network's weights, the sites, the pooling and the tokens: a network with one
weight changed is another network.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from cutaway.concepts.read.question import Passage
from cutaway.concepts.read.shards import KEY_BYTES, Shards
from cutaway.concepts.read.tokens import Tokens, tokens_of
from cutaway.decisions.fingerprint import exact
from cutaway.network import Network, Site
from cutaway.runs.progress import Progress, silent

POOLS = ("mean", "last")
ATOMS = {"heads": "z", "neurons": "mlp_act"}  # kinds of single atoms, and the point that they are read at
SHARD = 256  # passages that a shard holds at most, so what a killed harvest loses
POSITIONS = {"cpu": 1024, "cuda": 65536}  # that one batch holds at most, and with them logits of a whole vocabulary


@dataclass(frozen=True, eq=False)
class Readings:
    """What some passages read as: `readings.at(site)` is float32 [passages, width], heads as [passages, head, d_head]."""

    sites: tuple[Site, ...]
    shards: Shards
    keys: tuple[bytes, ...]

    def at(self, site: Site) -> Float[Tensor, "passages *width"]:
        """The readings at one site, from disk."""
        found = self.shards.take(self.keys, str(site))
        return found if found.ndim > 1 else found[:, None]  # a single neuron has no axis of its own


@dataclass(frozen=True, eq=False)
class Reader:
    """A network, the sites that it is read at and how tokens are pooled, with the folder that its readings are kept in."""

    net: Network
    sites: tuple[Site, ...]
    pool: str
    shards: Shards

    def readings(self, passages: Sequence[Passage], progress: Progress = silent) -> Readings:
        """The readings of these passages; those that were never read are read now. Raises what `tokens_of` raises."""
        return self.kept(self.fill([passages], progress)[0])

    def kept(self, keys: Sequence[bytes]) -> Readings:
        """The readings that lie under these keys."""
        return Readings(self.sites, self.shards, tuple(keys))

    def keys(self, passages: Sequence[Passage]) -> list[bytes]:
        """What the readings of these passages are found by: a hash of their tokens and of which count."""
        return [_key(one) for one in tokens_of(self.net, passages)]

    def fill(self, groups: Sequence[Sequence[Passage]], progress: Progress = silent) -> list[list[bytes]]:
        """Reads what was never read, and gives the key of every passage; a group comes to lie in few shards.

        `progress` is told of the passages that have to be read, group by group.
        """
        tokens = [tokens_of(self.net, passages) for passages in groups]
        keys = [[_key(one) for one in some] for some in tokens]
        missing: dict[bytes, Tokens] = {}
        shards = []
        for some, names in zip(tokens, keys):
            new = {key: one for key, one in zip(names, some) if key not in self.shards and key not in missing}
            missing |= new
            # By length, then by key: the same passages make the same shards, also where a killed harvest goes on.
            order = sorted(new, key=lambda key: (len(new[key].ids), key))
            shards += [order[start : start + SHARD] for start in range(0, len(order), SHARD)]
        if not shards:
            return keys
        progress.start(len(missing), f"reading {self.net.name}")
        try:
            for shard in shards:
                self.shards.add(shard, self._read([missing[key] for key in shard]))
                progress.advance(len(shard))
        finally:
            progress.finish()
        return keys

    @torch.no_grad()
    def _read(self, tokens: Sequence[Tokens]) -> dict[str, Tensor]:
        found: dict[str, list[Tensor]] = {str(site): [] for site in self.sites}
        for some in _batches(tokens, POSITIONS.get(self.net.device.type, POSITIONS["cpu"])):
            batch = self.net.batch([list(one.ids) for one in some])
            read = self.net.read(batch, *self.sites)
            counted = _counted(some, batch.real, self.pool)
            for site in found:
                found[site].append(pooled(read[site], counted.to(read[site].device)).cpu())
        return {site: torch.cat(parts) for site, parts in found.items()}


def reader(
    net: Network,
    folder: str | os.PathLike[str],
    sites: Sequence[Site | str] | None = None,
    atoms: Sequence[str] = (),
    pool: str = "mean",
    progress: Progress = silent,
) -> Reader:
    """A reader of `net` that keeps its readings under `folder`.

    `sites=None` reads the residual stream: what the first block reads and what every block gives. `atoms` adds heads (z)
    and neurons (mlp_act). `pool` is the mean over the tokens that count, or the last of them.
    """
    if pool not in POOLS:
        raise ValueError(f"given the pooling {pool!r}; expected one of {', '.join(POOLS)}")
    unknown = [kind for kind in atoms if kind not in ATOMS]
    if unknown:
        raise ValueError(f"given the kind of atom {unknown[0]!r}; expected {' or '.join(ATOMS)}")
    chosen = [*(stream(net) if sites is None else net.expand(sites))]
    for kind in atoms:
        chosen += [site for site in net.sites(f"{ATOMS[kind]}.*") if site not in chosen]
    if not chosen:
        raise ValueError(f"{net.name} has no residual stream that was found; name the sites to read with sites=[…]")
    place = Path(folder) / _network_key(net, chosen, pool)
    return Reader(net, tuple(chosen), pool, Shards(place, progress))


def stream(net: Network) -> list[Site]:
    """The residual stream: what the first block reads, if that is known, and what every block gives."""
    return [*net.sites("embed"), *net.sites("resid_post.*")]


def pooled(
    x: Float[Tensor, "passages position *width"], counted: Bool[Tensor, "passages position"]
) -> Float[Tensor, "passages *width"]:
    """The mean over the positions that count, in float32; what stands elsewhere does not matter, be it NaN."""
    if x.shape[:2] != counted.shape:
        raise ValueError(
            f"a tensor of shape {tuple(x.shape)} was read where passages and positions are {tuple(counted.shape)}; expected "
            "these as its first two axes; leave this site out"
        )
    keep = counted.reshape(*counted.shape, *[1] * (x.ndim - 2))
    total = x.float().masked_fill(~keep, 0).sum(1)
    return total / counted.sum(1).reshape(-1, *[1] * (x.ndim - 2))


def _counted(some: Sequence[Tokens], real: Tensor | None, pool: str) -> Bool[Tensor, "passages position"]:
    """Which positions of a left-padded batch count: real ones, of these the spans', of these the last if so asked."""
    longest = max(len(one.ids) for one in some)
    counted = torch.zeros(len(some), longest, dtype=torch.bool) if real is None else torch.zeros_like(real.cpu())
    for row, one in enumerate(some):
        places = one.places or range(len(one.ids))
        shift = longest - len(one.ids)
        for place in places if pool == "mean" else places[-1:]:
            counted[row, shift + place] = True
    return counted


def _batches(tokens: Sequence[Tokens], positions: int) -> Iterator[list[Tokens]]:
    """In the order given, as many together as `positions` hold when padded to the longest."""
    batch: list[Tokens] = []
    for one in tokens:
        if batch and (len(batch) + 1) * max(len(one.ids), *(len(other.ids) for other in batch)) > positions:
            yield batch
            batch = []
        batch.append(one)
    if batch:
        yield batch


def _key(tokens: Tokens) -> bytes:
    return hashlib.sha256(repr((tokens.ids, tokens.places)).encode()).digest()[:KEY_BYTES]


def _network_key(net: Network, sites: Sequence[Site], pool: str) -> str:
    """A hash of all weights to the last bit, the modules' settings, the sites and the pooling.

    Weights that are out of sight (offloaded) cannot be compared, so what was read of them is not found again.
    """
    digest = hashlib.sha256()
    for name, weight in (*net.module.named_parameters(), *net.module.named_buffers()):
        hidden = weight.device.type == "meta"
        digest.update(name.encode() + (uuid.uuid4().bytes if hidden else exact(weight)))
    config = getattr(net.module, "config", None)
    settings = config.to_json_string() if hasattr(config, "to_json_string") else ""
    digest.update(repr((str(net.module), settings, [str(site) for site in sites], pool)).encode())
    return digest.hexdigest()[:24]
