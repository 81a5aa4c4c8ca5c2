"""What a sweep will cost, and which variants share a stack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from torch import nn

from cutaway.network.memory import budget
from cutaway.network.network import Network
from cutaway.network.tape import ATTENTION, CallId, Tape
from cutaway.network.trees import leaves

# What a stack costs before it computes anything, in positions: reading the weights once, and the calls' own overhead
# (about 25 µs each, against a machine of 50 GFLOP/s; only the choice of stacks depends on it, never a result).
READING, CALL = 10, 25e-6 * 50e9 / 2
STACK = {"cpu": 2048, "cuda": 65536}  # positions that one stack holds at most, by device: what was measured fastest
ALIVE = 6  # tensors of a stack that are alive at once, about: inputs, outputs and what a nonlinearity makes on the way


@dataclass(frozen=True)
class Plan:
    """What a sweep will do: printed before it runs.

    `forwards` is its cost in plain forward passes of the batch, weighed by the parameters that run; `operations` the same
    in floating-point operations with weights (attention products apart); `memory` the bytes of the tape and of one stack's
    activations, an estimate.
    """

    variants: int
    rows: int
    stacks: int
    forwards: float
    operations: float
    memory: int
    shortcuts: tuple[str, ...]

    def __str__(self) -> str:
        how = ", ".join(self.shortcuts) or "no shortcut"
        return (
            f"{self.variants} reruns of {self.rows} rows in {self.stacks} stacks: about {self.forwards:.1f} forward passes "
            f"instead of {self.variants}, {self.operations / 1e9:.4g} GFLOP, {self.memory / 1e6:.0f} MB ({how})"
        )


@dataclass
class Stacking:
    """How variants that begin at the events `first` are put into stacks, on one tape.

    `places` is how often a weight is used for one row: positions of a text, pixels of a feature map. Calls that begin at
    or after the event `cut` compute one position only. A stack holds at most `budget` positions (default: `STACK`) and
    is estimated to take at most `memory` bytes (default: half of what is free).
    """

    net: Network
    tape: Tape
    first: Sequence[int]
    budget: int | None = None
    cut: int | None = None
    memory: int | None = None
    known: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.inner: dict[CallId, list[CallId]] = {}
        for where in self.tape.calls:
            self.inner.setdefault(where[:-1], []).append(where)
        weights = sum(p.numel() for p in self.net.module.parameters() if p.ndim > 1)
        work = sum(self.work(where) for where in self.inner.get((), ()))
        self.places = work / weights if weights and work else 1.0
        calls = sum(1 for part in self.net.wiring.modules.values() if not list(part.children()))
        self.overhead = READING + CALL * calls / max(1, weights)
        self.width = self.tape.rows * self.places
        self.budget = self.budget or STACK.get(self.net.device.type, 4096)
        self.each = self.tape.rows * self.row_bytes()

    def stacks(self) -> Iterator[list[int]]:
        """Variants in order of their first event, in stacks: together where sharing a stack costs less than two of them."""
        order = sorted(range(len(self.first)), key=lambda v: self.first[v])
        most = self.most()
        stack: list[int] = []
        for variant in order:
            if stack and (len(stack) >= most or not self._worth_joining(stack, variant)):
                yield stack
                stack = []
            stack.append(variant)
        if stack:
            yield stack

    def most(self) -> int:
        """How many variants one stack may hold, by positions and by memory (clean rows may come along)."""
        assert self.budget is not None
        memory = self.memory
        if memory is None:
            places = {p.device for p in self.net.module.parameters() if p.device.type != "meta"}
            memory = budget(places | {self.net.device})
        return max(1, min(int(self.budget // self.width), int(memory // max(1, self.each)) - 1))

    def row_bytes(self) -> float:
        """Bytes that one row of a stack takes: a few tensors as large as the largest that any call gives or makes inside.

        What calls gave is on the tape, logits included; how much wider it gets inside a call that was not looked into is
        told by its matrices.
        """
        largest = 0.0
        for where, call in self.tape.calls.items():
            given = max(leaves(call.output), key=lambda leaf: leaf.nbytes, default=None)
            if given is None or not given.ndim:
                continue
            wider = 1.0 if where in self.inner else max(1.0, self._widest(where[-1][0]) / max(1, given.shape[-1]))
            left = self.tape.positions if self.cut is not None and call.start >= self.cut else None
            largest = max(largest, wider * given.nbytes / (left or 1))
        return ALIVE * largest / self.tape.rows

    def _widest(self, name: str) -> int:
        """The largest side of any matrix in a module; tables of embeddings are looked up, not multiplied."""
        if name.endswith(ATTENTION):
            return 0
        parts = (part for part in self.net.wiring.modules[name].modules() if not isinstance(part, nn.Embedding))
        return max((max(p.shape) for part in parts for p in part.parameters(recurse=False) if p.ndim == 2), default=0)

    def _worth_joining(self, stack: Sequence[int], variant: int) -> bool:
        first = self.first[stack[0]]
        if self.first[variant] == first:
            return True
        same = sum(1 for one in self.first if one == self.first[variant])
        begun, other = self.share_after(first), self.share_after(self.first[variant])
        return (begun - other) * same * self.width < other * self.overhead

    def work(self, where: CallId) -> float:
        """Multiplications of one call for one row: its weights, times the places that they are used at."""
        name = where[-1][0]
        if name.endswith(ATTENTION) or isinstance(self.net.wiring.modules[name], nn.Embedding):
            return 0.0
        if (
            any(isinstance(part, nn.Embedding) for part in self.net.wiring.modules[name].modules())
            and where not in self.inner
        ):
            return 0.0
        if where in self.inner:
            return sum(self.work(child) for child in self.inner[where])
        size = sum(p.numel() for p in self.net.wiring.modules[name].parameters() if p.ndim > 1)
        found = leaves(self.tape.calls[where].output)
        if not size or not found or found[0].ndim < 2:
            return float(size)
        x = found[0]
        channels = x.shape[1] if x.ndim == 4 else x.shape[-1]
        return size * x.numel() / max(1, self.tape.rows * channels)

    def share_after(self, event: int) -> float:
        """The share of a clean pass that runs after `event`: a call that ended before counts 0, one that began after counts 1."""
        if event not in self.known:
            top = self.inner.get((), ())
            total = sum(self.work(where) for where in top)
            self.known[event] = sum(self._after(where, event) for where in top) / total if total else 1.0
        return self.known[event]

    def _after(self, where: CallId, event: int) -> float:
        call = self.tape.calls[where]
        if call.end <= event:
            return 0.0
        if call.start >= event or where not in self.inner:
            cut = self.cut is not None and call.start >= self.cut
            if self.cut is None or cut or call.end < self.cut or where not in self.inner:
                return self.work(where) / (self.tape.positions or 1 if cut else 1)
        return sum(self._after(child, event) for child in self.inner[where])

    def plan(self, stacks: Sequence[Sequence[int]], whole: float, shortcuts: Sequence[str]) -> Plan:
        """The cost of these stacks; `whole` is the tape's share of a full pass (less than 1 where positions are left out)."""
        shares = [len(members) * self.share_after(min(self.first[m] for m in members)) for members in stacks]
        widest = max((len(members) for members in stacks), default=0) + 1
        used = ["tape", *(["stacked"] if any(len(members) > 1 for members in stacks) else []), *shortcuts]
        memory = int(self.tape.bytes() + widest * self.each)
        forwards = 1 + whole * sum(shares)
        once = 2 * self.tape.rows * sum(self.work(where) for where in self.inner.get((), ())) / whole
        return Plan(len(self.first), self.tape.rows, len(stacks), forwards, forwards * once, memory, tuple(used))
