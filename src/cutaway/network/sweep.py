"""Many variants of one run: each with its own edits, all exact, as few operations as the order of execution allows.

Variants that first edit at the same moment share everything before it (the tape) and run stacked along the batch. Where
every edit touches only the last positions of a causal network, earlier keys and values come from the clean run and only
those positions are computed. Where the metric reads only the last position, the last block computes only that. None of
this is assumed: the first stack carries clean rows through all of it, and what does not reproduce the clean metric is
switched off, and said.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cutaway.network.batch import Batch
from cutaway.network.edit import Edit, NeverFired, Receipt, Variant
from cutaway.network.layout import tolerance
from cutaway.network.metric import Metric
from cutaway.network.network import Network
from cutaway.network.passes import ATTENTION, Pass, Prefix, Tape, Touch
from cutaway.network.site import Port, Site

# What a stack costs before it computes anything, in positions: reading the weights once, and the calls' own overhead
# (about 25 µs each, against a machine of 50 GFLOP/s; only the choice of stacks depends on it, never a result).
READING, CALL = 10, 25e-6 * 50e9 / 2
STACK = {"cpu": 2048, "cuda": 65536}  # positions that one stack may hold, by device


@dataclass(frozen=True)
class Plan:
    """What a sweep will do: printed before it runs.

    `forwards` is its cost in plain forward passes of the batch, weighed by the parameters that run; `memory` the bytes of
    the tape and of one stack's activations.
    """

    variants: int
    rows: int
    stacks: int
    forwards: float
    memory: int
    shortcuts: tuple[str, ...]

    def __str__(self) -> str:
        how = ", ".join(self.shortcuts) or "no shortcut"
        return (
            f"{self.variants} reruns of {self.rows} rows in {self.stacks} stacks: about {self.forwards:.1f} forward passes "
            f"instead of {self.variants}, {self.memory / 1e6:.0f} MB ({how})"
        )


@dataclass(frozen=True)
class Sweep:
    """Metric of every variant [variants, batch], of the clean run [batch], and the difference `effect` = variant − clean.

    `effect` is taken against the clean rows of a stack wherever stacking changes a clean row at all. `read` holds the
    tensors that each variant asked for, at the positions that were computed. `notes` say what was switched off and why.
    """

    value: Float[Tensor, "variants batch"]
    clean: Float[Tensor, "batch"]
    effect: Float[Tensor, "variants batch"]
    receipts: tuple[tuple[Receipt, ...], ...]
    read: tuple[dict[str, Tensor], ...]
    plan: Plan
    notes: tuple[str, ...] = ()


def sweep(
    net: Network,
    inputs: Any,
    variants: Sequence[Variant],
    metric: Metric,
    positions: int | None = None,
    shortcuts: bool = True,
) -> Sweep:
    """Reruns `inputs` once per variant and reads `metric` off each.

    `positions` bounds rows × positions of one stack (default: by device, halved when memory runs out). `shortcuts=False`
    computes every position and output.
    """
    return Sweeper(net, net.batch(inputs), list(variants), metric, positions, shortcuts).run()


@dataclass
class Sweeper:
    """One sweep in progress."""

    net: Network
    batch: Batch
    variants: list[Variant]
    metric: Metric
    budget: int | None = None
    shortcuts: bool = True
    notes: list[str] = field(default_factory=list)
    shares: dict[int, float] = field(default_factory=dict)
    unstacked: bool = False
    stacked: int = 0  # rows of the stack that runs
    stack_clean: Tensor | None = None  # the metric of clean rows inside a stack
    raised: Exception | None = None  # what a user's change or metric raised: never retried

    def __post_init__(self) -> None:
        self.net._ensure_layout(self.batch, [site for v in self.variants for site in sites_of(v)])
        self.variants = [self._counted_from_the_end(variant) for variant in self.variants]
        self.ports = {edit.site: self.net.writable(edit.site) for v in self.variants for edit in v.edits}
        self.watched = watched(self.net, [self.net.port(site) for v in self.variants for site in sites_of(v)])
        leaves = sum(1 for part in self.net.wiring.modules.values() if not list(part.children()))
        weights = sum(p.numel() for p in self.net.module.parameters() if p.ndim > 1)
        self.overhead = READING + CALL * leaves / max(1, weights)
        self.budget = self.budget or STACK.get(self.net.device.type, 4096)

    def run(self) -> Sweep:
        """Clean pass, plan, stacks."""
        self.start = self._first_position() if self.shortcuts else None
        full = self._record(self.batch, keys=self.start is not None)
        self.all_rows = torch.arange(self.batch.rows, device=self.net.device)
        self.clean = self.metric(full.output, self.all_rows)
        self.tape, self.prefix = full, None
        if self.start is not None:
            self._restrict(full)
        self.first = [self._event(variant) for variant in self.variants]
        self.trim = self._trim() if self.shortcuts else Trim()
        self.value = torch.zeros(len(self.variants), self.batch.rows)
        self.effect = torch.zeros(len(self.variants), self.batch.rows)
        self.receipts: list[tuple[Receipt, ...]] = [()] * len(self.variants)
        self.kept: list[dict[str, Tensor]] = [{}] * len(self.variants)
        stacks = list(self._stacks())
        plan = self.plan(stacks)
        for members in stacks:
            self._stack(members)
        return Sweep(
            self.value, self.clean.cpu(), self.effect, tuple(self.receipts), tuple(self.kept), plan, tuple(self.notes)
        )

    # preparing ------------------------------------------------------------------------------------------------------

    def _record(self, batch: Batch, keys: bool, prefix: Prefix | None = None) -> Tape:
        """A clean pass on tape; outputs that are later written to in place are copied."""
        clone: set[str] = set()
        for _ in range(2):
            watch = Pass(self.net.wiring, record=self.watched, keys=keys, clone=clone, prefix=prefix)
            watch(batch)
            tape = watch.tape_out
            assert tape is not None
            clone = tape.mutated()
            if not clone:
                break
        return tape

    def _counted_from_the_end(self, variant: Variant) -> Variant:
        """Position selectors as indices from the end, so that they hold when only the last positions are computed."""
        length, real = self.batch.positions, self.batch.real
        edits = []
        for edit in variant.edits:
            pos = dict(edit.site.select).get("pos")
            if isinstance(pos, int) and pos >= 0:
                if length is None:
                    edits.append(edit)
                    continue
                if real is not None and not bool(real.all()):
                    raise ValueError(f"{edit.site}: prompts of different lengths share no position {pos}; count from the end, e.g. pos=-1")
                edit = replace(edit, site=edit.site.at(pos=pos - length))
            edits.append(edit)
        return replace(variant, edits=tuple(edits))

    def _first_position(self) -> int | None:
        """The first position that any edit touches, if that is not the first of all."""
        length = self.batch.positions
        if length is None or not self.metric.last:
            return None
        earliest = 0
        for variant in self.variants:
            for edit in variant.edits:
                pos = dict(edit.site.select).get("pos")
                if not isinstance(pos, int) or edit.reads or variant.read:
                    return None
                earliest = min(earliest, pos)
        if not -length < earliest < 0:
            return None
        if not self.net.wiring.attention:
            self.notes.append("all positions computed: attention does not go through Hugging Face's interface, so no keys are known")
            return None
        return length + earliest

    def _restrict(self, full: Tape) -> None:
        """Positions from `start` on only, if attention is causal and the clean metric comes out the same."""
        assert self.start is not None
        why = None
        if not full.keys or not all(_causal(self.net, where, mask) for where, (_, _, mask) in full.keys.items()):
            why = "attention is not causal, or not through Hugging Face's interface"
        else:
            prefix, batch = Prefix(self.start, full), self.net.from_position(self.batch, self.start)
            try:
                tape = self._record(batch, keys=False, prefix=prefix)
                again = self.metric(tape.output, self.all_rows)
                if _close(again, self.clean, self.net):
                    self.tape, self.prefix, self.batch = tape, prefix, batch
                    return
                why = "computing only the last positions did not reproduce the clean run"
            except (RuntimeError, ValueError, TypeError, LookupError) as error:
                why = f"computing only the last positions failed ({type(error).__name__})"
        self.start = None
        self.notes.append(f"all positions computed: {why}")

    def _trim(self) -> Trim:
        """What the last block and the unembedding need not compute, if the metric reads only the last position."""
        if not self.metric.last or self.batch.positions is None:
            return Trim()
        layout = self.net._layouts.get("found")
        if layout is None or not layout.layers:
            return Trim()
        cut: list[Port] = []
        last = layout.layers - 1
        single = all(dict(e.site.select).get("pos", -1) == -1 for v in self.variants for e in v.edits)
        logits = layout.ports.get(("logits", None))
        if logits is not None and self._positionwise_after(Port(logits.module, "in")):
            cut.append(Port(logits.module, "in"))
            if single and layout.additive and last in layout.projections:
                middle = layout.ports.get(("resid_mid", last)) or layout.ports.get(("mlp_in", last))
                projection = Port(layout.projections[last], "in")
                if middle is not None and not middle.flat and middle.side == "in" and self._positionwise_after(projection):
                    cut += [projection, Port(middle.module, "in")]
        head, columns = None, None
        if logits is not None and self.metric.columns is not None:
            part = self.net.wiring.modules[logits.module]
            if type(part) is nn.Linear and part.weight.device.type != "meta" and logits.module not in {p.module for p in self.ports.values()}:
                head, columns = logits.module, self.metric.columns.to(self.net.device)
        return Trim(tuple(cut), head, columns)

    def _positionwise_after(self, cut: Port) -> bool:
        """Whether every edit from `cut` on changes each position by itself, so that it may be given the last one alone."""

        def later(edit: Edit) -> bool:
            try:
                return self.tape.event(self.ports[edit.site]) > self.tape.event(cut)
            except LookupError:  # the cut is not on the tape: any edit may come after it
                return True

        if any(dict(site.select).get("pos", -1) != -1 for v in self.variants for site in v.read):
            return False
        unsafe = (e for v in self.variants for e in v.edits if e.reads or not getattr(e.change, "positionwise", False))
        return not any(later(edit) for edit in unsafe if not isinstance(dict(edit.site.select).get("pos"), int))

    def _event(self, variant: Variant) -> int:
        """When the variant first differs from the clean run (its reads included)."""
        ports = [self.ports[edit.site] for edit in variant.edits]
        ports += [self.net.port(site) for edit in variant.edits for site in edit.reads]
        try:
            return min((self.tape.event(port) for port in ports), default=max(c.end for c in self.tape.calls.values()))
        except LookupError as error:
            raise NeverFired(f"{variant.name or variant.edits}: {error}; look at the address") from None

    # planning -------------------------------------------------------------------------------------------------------

    def _stacks(self) -> Iterator[list[int]]:
        """Variants in order of their first event, in stacks: together where sharing a stack costs less than two of them."""
        assert self.budget is not None
        order = sorted(range(len(self.variants)), key=lambda v: self.first[v])
        width = self.batch.rows * (self.batch.positions or 1)
        most = max(1, self.budget // width)
        stack: list[int] = []
        for variant in order:
            if stack and (len(stack) >= most or not self._worth_joining(stack, variant, width)):
                yield stack
                stack = []
            stack.append(variant)
        if stack:
            yield stack

    def _worth_joining(self, stack: list[int], variant: int, width: int) -> bool:
        first = self.first[stack[0]]
        if self.first[variant] == first:
            return True
        same = sum(1 for one in self.first if one == self.first[variant])
        begun, other = self._share(first), self._share(self.first[variant])
        return (begun - other) * same * width < other * self.overhead

    def _share(self, event: int) -> float:
        """The share of a forward pass that runs after `event`, weighed by parameters."""
        if event not in self.shares:
            self.shares[event] = share_after(self.tape, event, self.net)
        return self.shares[event]

    def plan(self, stacks: list[list[int]]) -> Plan:
        """The cost of these stacks."""
        ratio = 1.0 if self.start is None else (self.batch.positions or 1) / (self.prefix.tape.positions or 1)  # type: ignore[union-attr]
        forwards = 1 + ratio * sum(len(members) * self._share(min(self.first[m] for m in members)) for members in stacks)
        widest = max((len(members) for members in stacks), default=1) + 1
        memory = self.tape.bytes() * (1 + widest // max(1, len(self.watched) // 12 + 1))
        used = ["tape"]
        used += ["stacked"] if any(len(members) > 1 or self.batch.rows > 1 for members in stacks) else []
        used += [f"positions from {self.start}"] if self.start is not None else []
        used += ["last position only at the end"] if self.trim.cut else []
        used += ["only the outputs that are read"] if self.trim.head else []
        return Plan(len(self.variants), self.batch.rows, len(stacks), forwards, memory, tuple(used))

    # running --------------------------------------------------------------------------------------------------------

    def _stack(self, members: list[int]) -> None:
        """Runs these variants together; in smaller stacks if memory runs out; without shortcuts if they do not hold."""
        try:
            self._stack_once(members)
        except (torch.OutOfMemoryError, MemoryError) as error:
            if len(members) < 2:
                raise MemoryError(
                    f"one rerun of {self.batch.rows} rows does not fit into memory; give fewer rows at a time ({error})"
                ) from error
            self.budget = max(1, len(members) // 2) * self.batch.rows * (self.batch.positions or 1)
            self.notes.append(f"memory ran out with {len(members)} reruns in a stack: halved")
            half = len(members) // 2
            self._stack(members[:half])
            self._stack(members[half:])
        except _NotReproducedError as error:
            self._fall_back(str(error))
            self._stack(members)
        except (RuntimeError, ValueError, IndexError) as error:
            if error is self.raised or isinstance(error, NeverFired) or not self._fall_back(f"{type(error).__name__}: {error}"):
                raise
            self._stack(members)

    def _fall_back(self, why: str) -> bool:
        """Switches the next shortcut off; False when there is none left."""
        if self.trim != Trim():
            self.trim = Trim()
            self.notes.append(f"every position and output computed: {why}")
        elif not self.unstacked:
            self.unstacked = True
            self.notes.append(f"reruns not stacked: {why}")
        else:
            return False
        self.stack_clean = None
        return True

    def _stack_once(self, members: list[int]) -> None:
        if self.unstacked and len(members) > 1:
            for member in members:
                self._stack_once([member])
            return
        count = self.batch.rows
        sentinels = self._sentinels(members)
        rows = torch.cat([self.all_rows.repeat(len(members)), sentinels])
        alone = torch.equal(rows, self.all_rows)
        self.stacked = len(rows)
        receipts = {m: tuple(Receipt(edit.site) for edit in self.variants[m].edits) for m in members}
        kept: dict[int, dict[str, Tensor]] = {m: {} for m in members}
        run = Pass(
            self.net.wiring,
            self._touches(members, receipts, kept),
            replay=self.tape,
            first=min((self.first[m] for m in members), default=-1),
            rows=None if alone else rows,
            prefix=self.prefix,
            head=self.trim.head,
            columns=self.trim.columns,
        )
        output = run(self.batch if alone else self.batch.take(rows))
        metric = self.metric if self.trim.head is None else self.metric.narrowed()
        with self._users():
            value = metric(output, rows)
        if len(sentinels) and not self._holds(value[len(members) * count :]):
            self._stack_once(members)  # the kernels of this stack's shape give clean rows of their own: carry them all
            return
        self._keep(members, value[: len(members) * count].view(-1, count), receipts, kept)

    def _sentinels(self, members: list[int]) -> Tensor:
        """Clean rows to carry along: all of them where their value in a stack is not yet known, then one to watch it."""
        if self.unstacked and members:
            return self.all_rows[:0]
        if self.stack_clean is None:
            return self.all_rows
        return self.all_rows[:1]

    def _holds(self, clean: Tensor) -> bool:
        """Takes note of the clean rows of a stack. False if a sentinel differs, by a bit, from the clean rows known so far.

        Raises if clean rows are not even close to the clean run: then a shortcut is wrong for this network.
        """
        if not _close(clean, self.clean[: len(clean)], self.net):
            off = float((clean - self.clean[: len(clean)]).abs().max())
            raise _NotReproducedError(f"a clean row came out {off:.2g} away from the clean run")
        if len(clean) == self.batch.rows:
            self.stack_clean = clean
            return True
        assert self.stack_clean is not None
        if torch.equal(clean, self.stack_clean[:1]):
            return True
        self.stack_clean = None
        return False

    def _keep(self, members: list[int], value: Tensor, receipts: dict, kept: dict[int, dict[str, Tensor]]) -> None:
        count = self.batch.rows
        clean = self.clean if self.stack_clean is None else self.stack_clean
        for place, member in enumerate(members):
            for receipt in receipts[member]:
                if receipt.fired == 0:
                    raise NeverFired(f"{receipt.site}: nothing passed by in this run, so nothing was edited; look at the address")
            self.value[member] = value[place].cpu()
            self.effect[member] = (value[place] - clean).cpu()
            self.receipts[member] = receipts[member]
            self.kept[member] = kept[member]

    def _touches(self, members: list[int], receipts: dict[int, tuple[Receipt, ...]], kept: dict[int, dict[str, Tensor]]) -> list[Touch]:
        """One touch a port: every variant's edits on its own rows; then the reads; then the cuts."""
        at: dict[Port, list[tuple[int, Edit, Receipt, dict[Site, Tensor]]]] = {}
        touches: list[Touch] = []
        for place, member in enumerate(members):
            for edit, receipt in zip(self.variants[member].edits, receipts[member]):
                values: dict[Site, Tensor] = {}
                touches += [self._read_rows(site, place, values) for site in edit.reads]
                at.setdefault(self.ports[edit.site], []).append((place, edit, receipt, values))
        touches += [Touch(port, lambda x, port=port, edits=edits: self._edit(x, port, edits)) for port, edits in at.items()]
        for place, member in enumerate(members):
            touches += [self._read_picked(site, place, kept[member]) for site in self.variants[member].read]
        touches += [Touch(port, lambda x: x[:, -1:]) for port in self.trim.cut]
        return touches

    @contextlib.contextmanager
    def _users(self) -> Generator[None]:
        """Takes note of what the user's own code raises: no shortcut is to blame for it."""
        try:
            yield
        except Exception as error:
            self.raised = error
            raise

    def _read_rows(self, site: Site, place: int, into: dict[Site, Tensor]) -> Touch:
        def keep(x: Tensor) -> None:
            into[site] = self._rows(x, place)

        return Touch(self.net.port(site), keep)

    def _read_picked(self, site: Site, place: int, into: dict[str, Tensor]) -> Touch:
        port = self.net.port(site)

        def keep(x: Tensor) -> None:
            part = self._rows(x, place)
            into[str(site)] = part[port.index_of(site, part.ndim)].clone()

        return Touch(port, keep)

    def _rows(self, x: Tensor, place: int) -> Tensor:
        """The rows of one variant: a slice of the batch axis, also where positions are flattened into it."""
        each = self.batch.rows * (x.shape[0] // self.stacked)
        return x.narrow(0, place * each, each)

    def _edit(self, x: Tensor, port: Port, edits: list[tuple[int, Edit, Receipt, dict[Site, Tensor]]]) -> Tensor:
        y = x.clone()
        for place, edit, receipt, values in edits:
            part = self._rows(y, place)
            port.check(edit.site, part)
            index = port.index_of(edit.site, part.ndim)
            old = part[index].clone()
            with self._users():
                new = edit.change(old, self.all_rows, values).to(x.dtype)
            receipt.note(old, new.expand_as(old))
            part[index] = new
        return y


@dataclass(frozen=True)
class Trim:
    """What need not be computed: inputs `cut` to the last position, and of the unembedding `head` all but `columns`."""

    cut: tuple[Port, ...] = ()
    head: str | None = None
    columns: Tensor | None = None


class _NotReproducedError(RuntimeError):
    """A shortcut that does not give the clean run's metric on clean rows."""


def sites_of(variant: Variant) -> list[Site]:
    """Every site that a variant writes or reads."""
    return [*variant.read, *(site for edit in variant.edits for site in (edit.site, *edit.reads))]


def watched(net: Network, ports: Sequence[Port]) -> set[str]:
    """The modules whose calls a tape needs: those at the ports, and the children of everything around them."""
    names: set[str] = set()
    for port in ports:
        names.add(port.module)
        path = port.module
        while path:
            path = path.rpartition(".")[0]
            names.update(_called_children(net, path))
    names.discard("")
    return names


def _called_children(net: Network, path: str) -> Iterator[str]:
    """Children of a module, looking through lists, which are never called themselves."""
    for child, part in net.wiring.modules[path].named_children():
        name = f"{path}.{child}" if path else child
        if isinstance(part, (nn.ModuleList, nn.ModuleDict)):
            yield from _called_children(net, name)
        else:
            yield name


def share_after(tape: Tape, event: int, net: Network) -> float:
    """The share of the parameters that run after `event`: a call that ended before counts 0, one that began after counts 1."""
    total = later = 0.0
    inner: dict[Any, list[Any]] = {}
    for where in tape.calls:
        inner.setdefault(where[:-1], []).append(where)

    def weigh(where: Any) -> tuple[float, float]:
        call, name = tape.calls[where], where[-1][0]
        if name.endswith(ATTENTION):
            return 0.0, 0.0
        size = float(sum(p.numel() for p in net.wiring.modules[name].parameters() if p.ndim > 1))
        if isinstance(net.wiring.modules[name], nn.Embedding):
            size = 0.0
        if call.end <= event:
            return size, 0.0
        if call.start >= event or where not in inner:
            return size, size
        parts = [weigh(child) for child in inner[where]]
        known, after = sum(p[0] for p in parts), sum(p[1] for p in parts)
        return size, after + max(0.0, size - known)

    for where in inner.get((), ()):
        size, after = weigh(where)
        total, later = total + size, later + after
    return later / total if total else 1.0


def _causal(net: Network, where: Any, mask: Any) -> bool:
    """Whether an attention product lets no position read a later one."""
    if isinstance(mask, Tensor):
        allowed = mask if mask.dtype == torch.bool else mask > torch.finfo(mask.dtype).min / 2
        q, k = mask.shape[-2:]
        later = torch.ones(q, k, dtype=torch.bool, device=mask.device).triu(1 + k - q)
        return not bool((allowed & later).any())
    name = where[-1][0].removesuffix(ATTENTION)
    return bool(getattr(net.wiring.modules[name], "is_causal", False))


def _close(a: Tensor, b: Tensor, net: Network) -> bool:
    scale = max(1.0, float(b.abs().max()))
    near = tolerance(torch.empty(0, dtype=net.dtype))
    return bool(torch.isfinite(a).all()) and float((a - b).abs().max()) <= near * scale
