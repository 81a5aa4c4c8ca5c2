"""Parts of parts as nodes: which sub-models a graph is refined by, and how each part of it splits into them and a rest.

Neurons are found through the MLP's last matrix, which must be seen to make what the MLP writes (by values, as the output
projection of the heads is). Anything else is a decomposition of what the part writes: its directions, the features of a
dictionary, the components of a matrix, each with what it leaves over as a node beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from torch import Tensor

from cutaway.decisions.decision import DecisionError
from cutaway.decisions.graph.parts import ERROR, REST, Reader, Writer, picked
from cutaway.decisions.graph.seen import Seen
from cutaway.decisions.graph.split import Coded, Groups, Split, Through, matrix
from cutaway.network import AddressError, Site
from cutaway.network.proofs import relative, tolerance
from cutaway.submodels import Decomposition, Directions, Slice, SubModel, as_submodel

PARTS = {"z": "attn_out", "mlp_act": "mlp_out"}  # sites inside a part → the part
STREAM = ("embed", "attn_out", "mixer_out", "mlp_out")
INSIDE = {"mlp_out": ("mlp_in", "mlp_pre", "mlp_act"), "attn_out": ("z",)}  # where else features of a part may be read
TRY = "try mlp_act.2[neuron=0:8], mlp_out.2[channel=3], or directions at mlp_out.2"


class RefineError(DecisionError):
    """What cannot be a node of its own."""


@dataclass(frozen=True, eq=False)
class Refined:
    """One part of a graph in pieces: `part` as it was named, `base` its writers' site, its `split` in their place."""

    part: str
    base: Site
    split: Split

    def of_writers(self, writers: Sequence[Writer]) -> list[Writer]:
        """The writers, with the pieces in the place of the part."""
        first = next(i for i, writer in enumerate(writers) if writer.site == self.base)
        made_by = None if self._neurons else self.part
        pieces = [Writer(name, writers[first].time, self.split.site, None, made_by) for name in self.split.names]
        others = [writer for writer in writers if writer.site != self.base]
        return [*others[:first], *pieces, *others[first:]]

    def of_readers(self, readers: Sequence[Reader]) -> list[Reader]:
        """The readers: each group of neurons reads by itself, all other pieces through the part's own reader."""
        split = self.split
        if not self._neurons or not isinstance(split, Groups):
            return list(readers)
        found: list[Reader] = []
        for reader in readers:
            if reader.part != self.part:
                found.append(reader)
                continue
            for name, group in zip(split.names, split.groups):
                found.append(replace(reader, part=name, site=split.site, neurons=group))
        return found

    @property
    def _neurons(self) -> bool:
        return isinstance(self.split, Groups) and self.split.site.point == "mlp_act"


@dataclass
class _Wanted:
    """What one part is to be split into: slices of one site, or parts of decompositions."""

    groups: dict[str, tuple[int, ...]] = field(default_factory=dict)
    sliced: Site | None = None
    features: dict[str, tuple[Decomposition, tuple[int, ...]]] = field(default_factory=dict)


def refined(
    seen: Seen, writers: Sequence[Writer], refine: Sequence[SubModel | Decomposition | Site | str]
) -> list[Refined]:
    """The parts of a graph that `refine` splits, in its order. Raises `RefineError` saying what was expected."""
    if isinstance(refine, str | Site | SubModel):
        raise RefineError(f"refine was given as one {type(refine).__name__}; expected several: try refine=[{refine!s}]")
    work = _Refining(seen, writers)
    for what in refine:
        work.want(what)
    found = [work.split(part, wanted) for part, wanted in work.wanted.items()]
    names = [name for one in found for name in one.split.names]
    replaced = {one.base for one in found}
    names += [writer.part for writer in writers if writer.site not in replaced]
    twice = next((name for name in names if names.count(name) > 1 or " → " in name), None)
    if twice is not None:
        raise RefineError(
            f"{twice!r} would name two nodes, or reads like an edge; give the directions or dictionary another label"
        )
    return found


@dataclass
class _Refining:
    seen: Seen
    writers: Sequence[Writer]
    wanted: dict[str, _Wanted] = field(default_factory=dict)

    # what is asked for ------------------------------------------------------------------------------------------------

    def want(self, what: SubModel | Decomposition | Site | str) -> None:
        """Notes every part of one sub-model."""
        if not isinstance(what, SubModel | Site | str):
            what = SubModel(what.name, tuple(what.parts), (what,))
        submodel = as_submodel(what)
        for part in submodel.parts:
            kind = next((kind for kind in submodel.decompositions if part in kind.parts), None)
            if kind is None or isinstance(kind, Slice):
                self._address(part)
            else:
                self._feature(part, kind)

    def _address(self, address: str) -> None:
        site, part = self._site(address)
        if not site.select or (site.point == "z" and [name for name, _ in site.select] == ["head"]):
            self._whole(address, site, part)
            return
        (by, index), *more = site.select
        if more or by not in ("neuron", "channel") or site.point == "z":
            raise RefineError(f"{address} is no node: {_listed(site)} picks no neurons or channels alone; {TRY}")
        size = self.seen.tensor(self.seen.net.port(site.whole)).shape[-1]
        among = picked(index, size)
        if not len(among) or among.step != 1:
            raise RefineError(f"{address} picks nothing: there are {size}, 0 to {size - 1}; {TRY}")
        chosen = tuple(among)
        name = str(
            site.whole.at(**{by: chosen[0] if not isinstance(index, tuple) else slice(chosen[0], chosen[-1] + 1)})
        )
        wanted = self.wanted.setdefault(part, _Wanted())
        if wanted.features or wanted.sliced not in (None, site.whole):
            raise RefineError(
                f"{address} would split {part} in a second way; give neurons, channels or features of a part, one of them"
            )
        wanted.sliced = site.whole
        for known, group in wanted.groups.items():
            if known != name and set(group) & set(chosen):
                raise RefineError(
                    f"{name} and {known} overlap; expected parts that share nothing: leave one of them out"
                )
        wanted.groups[name] = chosen

    def _whole(self, address: str, site: Site, part: str) -> None:
        """An address of a whole part: it must be a node already."""
        if site.point == "mlp_act":
            raise RefineError(f"{address} names all neurons, which is {part}, a node already; try {site}[neuron=0:8]")
        nodes = {writer.part for writer in self.writers}
        head = next((str(site.whole.at(head=index)) for _, index in site.select if isinstance(index, int)), None)
        if (part if head is None else head) not in nodes:
            near = [node for node in nodes if node.partition("[")[0].partition(".")[2] == str(site.layer)]
            raise RefineError(f"{address} is no node of this graph; in its block these are: {', '.join(sorted(near))}")

    def _feature(self, name: str, kind: Decomposition) -> None:
        if len(kind.writes) != 1 or kind.writes[0].select:
            raise RefineError(
                f"{name!r} writes to {', '.join(map(str, kind.writes))}; expected one whole tensor: {TRY}"
            )
        site, part = self._site(str(kind.writes[0]), name)
        if site.point == "z":
            raise RefineError(f"{name!r} writes inside the heads; give directions at {part}, or refine by heads")
        wanted = self.wanted.setdefault(part, _Wanted())
        if wanted.groups:
            raise RefineError(f"{name!r} would split {part} in a second way, beside {next(iter(wanted.groups))}")
        atoms = tuple(kind.parts[name])
        for known, (other, others) in wanted.features.items():
            if (known != name or other is not kind) and _overlap(kind, atoms, other, others):
                raise RefineError(
                    f"{name!r} and {known!r} overlap; expected atoms of one dictionary that share nothing, or orthogonal "
                    "directions: give them as one subspace (orthonormal), or leave one of them out"
                )
        wanted.features[name] = (kind, atoms)

    def _site(self, address: str, asked: str | None = None) -> tuple[Site, str]:
        """An address that a part of the graph is made at, and that part. Raises `RefineError` for all others."""
        said = repr(asked or address)
        try:
            site = Site.parse(address)
            port = self.seen.net.port(site)
        except AddressError as error:
            raise RefineError(f"cannot refine by {said}: {error}") from None
        point = site.point.removesuffix("_post")
        if point not in (*STREAM, *PARTS):
            raise RefineError(
                f"cannot refine by {said}: {site.whole} does not write to the stream; "
                f"expected a part that does ({', '.join(STREAM)}) or its neurons (mlp_act): {TRY}"
            )
        part = str(Site(PARTS.get(point, point), site.layer))
        written = self.stream(part)
        if point in STREAM and port != self.seen.net.port(written):
            raise RefineError(
                f"cannot refine by {said}: a norm stands between {site.whole} and the stream; try {written}"
            )
        return site, part

    # what it becomes --------------------------------------------------------------------------------------------------

    def stream(self, part: str) -> Site:
        """What a part adds to the stream."""
        site = Site.parse(part)
        return site if site.point == "embed" else Site(f"{site.point}_post", site.layer)

    def split(self, part: str, wanted: _Wanted) -> Refined:
        written = self.stream(part)
        bases = dict.fromkeys(w.site for w in self.writers if w.site == written or part == _part_of(w.site))
        base = next(iter(bases), None)
        if base is None:
            raise RefineError(f"{part} is no node of this graph, so it has no pieces; {TRY}")
        if wanted.features:
            return Refined(part, base, self._coded(part, wanted.features))
        assert wanted.sliced is not None
        site = wanted.sliced if wanted.sliced.point == "mlp_act" else written
        size = self.seen.tensor(self.seen.net.port(site)).shape[-1]
        rest = tuple(sorted(set(range(size)) - {i for group in wanted.groups.values() for i in group}))
        groups = wanted.groups | ({f"{part}{REST}": rest} if rest else {})
        rows = down(self.seen, part) if site.point == "mlp_act" else None
        return Refined(part, base, Groups(site, tuple(groups), tuple(groups.values()), rows))

    def _coded(self, part: str, features: Mapping[str, tuple[Decomposition, tuple[int, ...]]]) -> Coded:
        written = self.stream(part)
        kinds = list(dict.fromkeys(kind for kind, _ in features.values()))
        starts, at = {}, 0
        for kind in kinds:
            starts[kind], at = at, at + kind.atoms
        atoms = tuple(tuple(starts[kind] + atom for atom in own) for kind, own in features.values())
        rest = REST if all(isinstance(kind, Directions) for kind in kinds) else ERROR
        codes = tuple(
            Through(kind, down(self.seen, part)) if kind.writes[0].point == "mlp_act" else kind for kind in kinds
        )
        aliases = {site: self._read(part, written, site) for kind in kinds for site in kind.reads}
        return Coded(written, (*features, f"{part}{rest}"), codes, atoms, aliases)

    def _read(self, part: str, written: Site, site: Site) -> Site:
        """The graph's name for where a feature is read: what the part writes, or inside of it."""
        try:
            if self.seen.net.port(site) == self.seen.net.port(written) and not site.select:
                return written
        except AddressError as error:
            raise RefineError(f"cannot refine by features that are read at {site}: {error}") from None
        inside = INSIDE.get(part.partition(".")[0], ())
        if site.select or site.layer != written.layer or site.point not in inside:
            near = ", ".join(f"{point}.{written.layer}" for point in inside)
            raise RefineError(
                f"features of {part} are read at {site}; expected {part} itself{' or ' + near if near else ''}, whole"
            )
        return site


def down(seen: Seen, part: str) -> Tensor:
    """The matrix that takes the neurons of an MLP to what it writes, [neurons, width], proved by values.

    Raises `RefineError` where no one matrix does.
    """
    site = Site("mlp_act", Site.parse(part).layer)
    port, written = seen.net.port(site), seen.net.port(f"{part.replace('.', '_post.')}")
    if port.side != "in":
        raise RefineError(f"the neurons of {part} are read by no one matrix; give directions at {part} instead")
    rows = matrix(seen.net.wiring.modules[port.module]).detach()
    neurons, out = seen.tensor(port).flatten(0, -2), seen.tensor(written).flatten(0, -2)
    made = neurons @ rows.to(neurons) if neurons.shape[-1] == len(rows) and len(neurons) == len(out) else None
    if made is None or relative(made - made[:1], out - out[:1]) > 3 * tolerance(out):
        raise RefineError(
            f"{part} is not what its neurons write through {port.module} alone (a norm or a gate stands between), so "
            f"neurons have no edges of their own; give directions at {part.replace('.', '_post.')} instead"
        )
    return rows


def _part_of(site: Site) -> str:
    return str(Site(PARTS.get(site.point, site.point), site.layer))


def _overlap(one: Decomposition, atoms: Sequence[int], other: Decomposition, others: Sequence[int]) -> bool:
    """Whether two features share atoms, or what one writes is read by the other; different dictionaries always may."""
    if one is other:
        return bool(set(atoms) & set(others))
    if not isinstance(one, Directions) or not isinstance(other, Directions):
        return True
    pairs = ((one, other), (other, one))
    return any(float((a.read.double() @ b.out.to(a.read).double().T).abs().max()) > 1e-3 for a, b in pairs)


def _listed(site: Site) -> str:
    return ", ".join(f"{name}=…" for name, _ in site.select)
