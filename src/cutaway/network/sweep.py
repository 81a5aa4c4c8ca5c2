"""Many variants of one run: each with its own edits, all exact, as few operations as the order of execution allows.

Variants that first edit at the same moment share everything before it (the tape) and run stacked along the batch. Where
every edit touches only the last positions of a causal network, earlier keys and values come from the clean run and only
those positions are computed. Where the metric reads only the last position, the last block computes only that. None of
this is assumed: the first stack carries clean rows through all of it, and what does not reproduce the clean metric is
switched off, and said.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.network.batch import Batch
from cutaway.network.edit import Edit, NeverFired, Receipt, Variant
from cutaway.network.memory import out_of_memory
from cutaway.network.metric import Metric
from cutaway.network.network import Network
from cutaway.network.passes import Pass, Touch
from cutaway.network.plan import Plan, Stacking
from cutaway.network.shortcuts import (
    Trim,
    causal,
    close,
    counted_from_the_end,
    first_position,
    output_size,
    rounding,
    sites_of,
    trimmed,
    watched,
)
from cutaway.network.site import Port, Site
from cutaway.network.tape import Prefix, Tape

Step = tuple[
    int, Edit | Site, Receipt, dict[Site, Tensor]
]  # place in the stack, what to edit or read, and where to note it


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
    memory: int | None = None,
) -> Sweep:
    """Reruns `inputs` once per variant and reads `metric` off each.

    `positions` bounds rows × positions of one stack (default: by device), `memory` the bytes that it is estimated to take
    (default: half of what is free); it is halved when memory runs out all the same. `shortcuts=False` computes every
    position and output.
    """
    return Sweeper(net, net.batch(inputs), list(variants), metric, positions, shortcuts, memory).run()


def plan(
    net: Network,
    inputs: Any,
    variants: Sequence[Variant],
    metric: Metric,
    positions: int | None = None,
    memory: int | None = None,
) -> Plan:
    """What `sweep` would do and cost, at the price of one clean pass: reruns, stacks, operations, memory."""
    return Sweeper(net, net.batch(inputs), list(variants), metric, positions, memory=memory).prepare()


@dataclass
class Sweeper:
    """One sweep in progress."""

    net: Network
    batch: Batch
    variants: list[Variant]
    metric: Metric
    budget: int | None = None
    shortcuts: bool = True
    memory: int | None = None
    notes: list[str] = field(default_factory=list)
    unstacked: bool = False
    stacked: int = 0  # rows of the stack that runs
    stack_clean: Tensor | None = None  # the metric of clean rows inside a stack
    varying: bool = False  # whether clean rows differed in two stacks beyond rounding: then each carries its own
    watched_from: int = -2  # the event that the last watched stack began at
    raised: Exception | None = None  # what a user's change or metric raised: never retried

    def __post_init__(self) -> None:
        self.net.locate_for(self.batch, [site for v in self.variants for site in sites_of(v)])
        self.variants = [counted_from_the_end(variant, self.batch) for variant in self.variants]
        self.unstacked = self.batch.rows == self.batch.positions == 1  # then a table of positions looks like a row
        self.ports = {edit.site: self.net.writable(edit.site) for v in self.variants for edit in v.edits}
        self.watched = watched(self.net, [self.net.port(site) for v in self.variants for site in sites_of(v)])

    def prepare(self) -> Plan:
        """The clean pass, the shortcuts that may hold, the stacks and what they will cost."""
        self.all_rows = torch.arange(self.batch.rows, device=self.net.device)
        self.start = first_position(self.variants, self.batch, self.metric) if self.shortcuts else None
        if self.start is not None and not self.net.wiring.attention:
            self.start = None
            self.notes.append(
                "all positions computed: attention does not go through Hugging Face's interface, so no keys are known"
            )
        full = self._record(self.batch, keys=self.start is not None)
        self.clean = self.metric(full.output, self.all_rows)
        self.size = output_size(full.output, self.metric)
        self.noise = rounding(self.net.dtype) * max(min(1.0, self.size), float(self.clean.abs().max()))
        self.tape, self.prefix = full, None
        if self.start is not None:
            self._restrict(full)
        self.first = [self._event(variant) for variant in self.variants]
        self.trim = trimmed(self.net, self.tape, self.variants, self.metric) if self.shortcuts else Trim()
        stacking = Stacking(self.net, self.tape, self.first, self.budget, self.trim.event(self.tape), self.memory)
        self.stacks = list(stacking.stacks())
        whole = 1.0 if self.prefix is None else (self.tape.positions or 1) / (self.prefix.tape.positions or 1)
        used = [f"positions from {self.start}"] if self.start is not None else []
        return stacking.plan(self.stacks, whole, [*used, *self.trim.names])

    def run(self) -> Sweep:
        """Every stack, after the clean pass."""
        plan = self.prepare()
        self.value = torch.zeros(len(self.variants), self.batch.rows, dtype=self.clean.dtype)
        self.effect = torch.zeros_like(self.value)
        self.receipts: list[tuple[Receipt, ...]] = [()] * len(self.variants)
        self.kept: list[dict[str, Tensor]] = [{}] * len(self.variants)
        for members in self.stacks:
            self._stack(members)
        self._settle()
        return Sweep(
            self.value, self.clean.cpu(), self.effect, tuple(self.receipts), tuple(self.kept), plan, tuple(self.notes)
        )

    # preparing ------------------------------------------------------------------------------------------------------

    def _record(self, batch: Batch, keys: bool, prefix: Prefix | None = None) -> Tape:
        """A clean pass on tape; outputs that are later written to in place are copied."""
        clone: set[str] = set()
        for _ in range(2):
            watch = Pass(self.net.wiring, record=self.watched, keys=keys, clone=clone, prefix=prefix)
            with self.net.explained(batch):
                watch(batch)
            tape = watch.tape_out
            assert tape is not None
            clone = tape.mutated()
            if not clone:
                break
        return tape

    def _restrict(self, full: Tape) -> None:
        """Positions from `start` on only, if attention is causal and the clean metric comes out the same."""
        assert self.start is not None
        why = None
        if not full.keys or not all(causal(self.net, where, mask) for where, (_, _, mask) in full.keys.items()):
            why = "attention is not causal, or not through Hugging Face's interface"
        else:
            prefix, batch = Prefix(self.start, full), self.net.from_position(self.batch, self.start)
            try:
                tape = self._record(batch, keys=False, prefix=prefix)
                again = self.metric(tape.output, self.all_rows)
                if close(again, self.clean, self.net, self.size):
                    self.tape, self.prefix, self.batch = tape, prefix, batch
                    return
                why = "computing only the last positions did not reproduce the clean run"
            except (RuntimeError, ValueError, TypeError, LookupError, MemoryError) as error:
                why = f"computing only the last positions failed ({type(error).__name__})"
        self.start = None
        self.notes.append(f"all positions computed: {why}")

    def _event(self, variant: Variant) -> int:
        """When the variant first differs from the clean run (its reads included)."""
        ports = [self.ports[edit.site] for edit in variant.edits]
        ports += [self.net.port(site) for edit in variant.edits for site in edit.reads]
        try:
            return min(
                (self.tape.event(port) for port in ports),
                default=max((c.end for c in self.tape.calls.values()), default=-1),
            )
        except LookupError as error:
            raise NeverFired(f"{variant.name or variant.edits}: {error}; look at the address") from None

    # running --------------------------------------------------------------------------------------------------------

    def _stack(self, members: list[int]) -> None:
        """Runs these variants together; in smaller stacks if memory runs out; without shortcuts if they do not hold."""
        full = False
        try:
            self._stack_once(members)
        except _NotReproducedError as error:
            if not self._fall_back(str(error)):
                raise
        except (RuntimeError, ValueError, IndexError, TypeError, MemoryError) as error:
            full = out_of_memory(error)
            if full and len(members) < 2:
                raise MemoryError(
                    f"one rerun of {self.batch.rows} rows does not fit into memory; give fewer rows at a time ({error})"
                ) from error
            mine = error is self.raised or isinstance(error, NeverFired)
            if not full and (mine or not self._fall_back(f"{type(error).__name__}: {error}")):
                raise
        else:
            return
        # Not inside the handler, whose traceback would keep the tensors of the failed stack alive.
        if full:
            self.notes.append(f"memory ran out with {len(members)} reruns in a stack: halved")
            half = len(members) // 2
            self._stack(members[:half])
            self._stack(members[half:])
        else:
            self._stack(members)

    def _settle(self) -> None:
        """Reruns alone what a stack moved by no more than its rounding, so that a part which does nothing gets exactly 0."""
        moved = self.effect.abs().amax(1)
        near = ((moved > 0) & (moved <= self.noise)).nonzero().flatten().tolist()
        if not near or self.unstacked:
            return
        self.unstacked, self.stack_clean = True, None
        self._stack_once([])  # the clean run at this size, with the shortcuts that hold
        for member in near:
            self._stack_once([member])

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
        receipts = {m: tuple(Receipt(edit.site, edit.natural) for edit in self.variants[m].edits) for m in members}
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
        """Clean rows to carry along: all of them where their value in a stack is not yet known, then one for each new beginning."""
        if self.unstacked and members:
            return self.all_rows[:0]
        if self.stack_clean is None or self.varying:
            return self.all_rows
        begins = min((self.first[m] for m in members), default=-1)
        known, self.watched_from = begins == self.watched_from, begins
        return self.all_rows[:0] if known else self.all_rows[:1]

    def _holds(self, clean: Tensor) -> bool:
        """Takes note of the clean rows of a stack. False if a sentinel left those known so far by more than rounding.

        Within rounding they serve for this stack too: `_settle` looks again at what comes out as small as that. Raises
        if clean rows are not even close to the clean run: then a shortcut is wrong for this network.
        """
        if not close(clean, self.clean[: len(clean)], self.net, self.size):
            off = float((clean - self.clean[: len(clean)]).abs().max())
            raise _NotReproducedError(f"a clean row came out {off:.2g} away from the clean run")
        if len(clean) == self.batch.rows:
            self.stack_clean = clean
            return True
        assert self.stack_clean is not None
        if float((clean - self.stack_clean[:1]).abs().max()) <= self.noise / 4:
            return True
        self.stack_clean, self.varying = None, True
        return False

    def _keep(self, members: list[int], value: Tensor, receipts: dict, kept: dict[int, dict[str, Tensor]]) -> None:
        clean = self.clean if self.stack_clean is None else self.stack_clean
        for place, member in enumerate(members):
            for receipt in receipts[member]:
                if receipt.fired == 0:
                    raise NeverFired(
                        f"{receipt.site}: nothing passed by in this run, so nothing was edited; look at the address"
                    )
            self.value[member] = value[place].cpu()
            self.effect[member] = (value[place] - clean).cpu()
            self.receipts[member] = receipts[member]
            self.kept[member] = kept[member]

    def _touches(
        self, members: list[int], receipts: dict[int, tuple[Receipt, ...]], kept: dict[int, dict[str, Tensor]]
    ) -> list[Touch]:
        """One touch a port: every variant's edits on its own rows; then the reads; then the cuts."""
        at: dict[Port, list[Step]] = {}
        touches: list[Touch] = []
        for place, member in enumerate(members):
            for edit, receipt in zip(self.variants[member].edits, receipts[member]):
                values: dict[Site, Tensor] = {}
                for site in edit.reads:
                    at.setdefault(self.net.port(site), []).append((place, site, receipt, values))
                at.setdefault(self.ports[edit.site], []).append((place, edit, receipt, values))
        touches += [
            Touch(port, lambda x, port=port, edits=edits: self._edit(x, port, edits)) for port, edits in at.items()
        ]
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

    def _read_picked(self, site: Site, place: int, into: dict[str, Tensor]) -> Touch:
        port = self.net.port(site)

        def keep(x: Tensor) -> None:
            part = self._rows(x, place)
            into[str(site)] = part[port.index_of(site, part.ndim)].clone()

        return Touch(port, keep)

    def _rows(self, x: Tensor, place: int) -> Tensor:
        """The rows of one variant: a slice of the batch axis, also where positions are flattened into it."""
        if self.unstacked:
            return x
        times, left = divmod(x.shape[0], self.stacked)
        if left or times not in (1, self.batch.positions or 1):
            raise _NotReproducedError(f"a tensor of shape {tuple(x.shape)} is not laid out by rows")
        each = self.batch.rows * times
        return x.narrow(0, place * each, each)

    def _edit(self, x: Tensor, port: Port, steps: list[Step]) -> Tensor:
        """Every variant's edits at this port on its own rows, and what its edits read there, in the order they were given."""
        y = x.clone()
        for place, edit, receipt, values in steps:
            part = self._rows(y, place)
            if isinstance(edit, Site):
                values[edit] = part.clone()
                continue
            port.check(edit.site, part)
            index = port.index_of(edit.site, part.ndim)
            old = part[index].clone()
            with self._users():
                new = edit.change(old, self.all_rows, values).to(x.dtype)
            receipt.note(old, new.expand_as(old))
            part[index] = new
        return y


class _NotReproducedError(RuntimeError):
    """A shortcut that does not give the clean run's metric on clean rows."""
