"""One forward pass of the user's module under observation. The only file with hooks.

A `Pass` reads and rewrites tensors at ports, records a `Tape` of what each call returned, and replays one: a call that
finished before the first edited event started cannot depend on the edit, so its recorded output is returned and its
body never runs. Exact by execution order, whatever the architecture. Nothing stays behind: hooks, replaced forwards,
training mode, frozen parameters and the attention setting are put back, also on error.
"""

from __future__ import annotations

import contextlib
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor, nn

from cutaway.ledger.meter import count_forwards
from cutaway.network.batch import Batch
from cutaway.network.memory import told
from cutaway.network.site import Port
from cutaway.network.tape import ATTENTION, CallId, Prefix, Recorded, Tape
from cutaway.network.trees import argument, leaves, map_tensors, result, with_argument, with_result

_active = threading.local()


def active_pass() -> Pass | None:
    """The pass that runs in this thread, if one does (asked by the attention function that is registered)."""
    return getattr(_active, "current", None)


@dataclass
class Wiring:
    """The names of a module's parts, looked up once; whether its attention can be read through Hugging Face's interface."""

    module: nn.Module
    attention: bool = False  # until a run has shown that it gives the same output, bit for bit

    @cached_property
    def modules(self) -> dict[str, nn.Module]:
        return dict(self.module.named_modules())

    @cached_property
    def names(self) -> dict[int, str]:
        return {id(part): name for name, part in self.modules.items()}

    @property
    def compiled(self) -> bool:
        """Whether any part went through torch.compile."""
        parts = self.modules.values()
        return any("_orig_mod" in part._modules or part._compiled_call_impl is not None for part in parts)

    @property
    def configs(self) -> list[Any]:
        """Hugging Face configurations whose attention setting a pass changes."""
        return self.readable if self.attention else []

    @cached_property
    def readable(self) -> list[Any]:
        """Hugging Face configurations with an attention setting."""
        found = {
            id(c): c for m in self.modules.values() if hasattr(c := getattr(m, "config", None), "_attn_implementation")
        }
        return list(found.values())


@dataclass
class Touch:
    """What happens at a port: `do` gets the tensor (its named axes) and gives the new one, or None to leave it."""

    port: Port
    do: Callable[[Tensor], Tensor | None]


@dataclass
class Pass:
    """One forward pass. Build it, call it once with a batch.

    `touches` act at ports. `record` names the modules whose outputs go on `tape_out`; `replay` is a tape whose calls that
    ended by the event `first` are not run; `rows` says which row of the tape each row of this batch repeats. `columns`
    computes only these outputs of the Linear module `head`. With `gradients` the graph is kept (parameters frozen).
    """

    wiring: Wiring
    touches: Sequence[Touch] = ()
    record: Collection[str] | None = None
    inputs: bool = False
    clone: Collection[str] = ()
    keys: bool = False
    replay: Tape | None = None
    first: int = -1
    rows: Tensor | None = None
    prefix: Prefix | None = None
    head: str | None = None
    columns: Tensor | None = None
    gradients: bool = False
    weights: Mapping[str, Tensor] | None = None
    tape_out: Tape | None = None

    def __call__(self, batch: Batch) -> Any:
        """The module's own output for `batch`. Raises `MemoryError` that says how large it was."""
        self._clock, self._positions = 0, batch.positions
        self._stack: list[tuple[str, int]] = []
        self._open: list[int] = []  # ordinals of the tracked calls that are under way
        self._counts: dict[CallId, int] = defaultdict(int)
        self._ordinals: dict[tuple[str, str], int] = defaultdict(int)
        self._at: dict[tuple[str, str], list[Touch]] = defaultdict(list)
        for touch in self.touches:
            self._at[touch.port.module, touch.port.side].append(touch)
        if self.record is not None:
            self.tape_out = Tape(batch.rows, batch.positions, frozenset(self.record))
        self._tracks = self.tape_out is not None or self.replay is not None
        attends = self._tracks or any(side in ("q", "k", "v", "z") for _, side in self._at)
        mode = torch.enable_grad() if self.gradients else torch.no_grad()
        settings = _settings(self.wiring, frozen=self.gradients, attends=attends)
        with mode, self._installed(), settings, _uncompiled(self.wiring), told(batch):
            if self.weights:
                output = torch.func.functional_call(self.wiring.module, dict(self.weights), batch.args, batch.kwargs)
            else:
                output = self.wiring.module(*batch.args, **batch.kwargs)
        count_forwards()
        if self.tape_out is not None:
            self.tape_out.output = output
        return output

    # installing and removing -------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _installed(self) -> Generator[None]:
        handles, replaced = [], []
        tracked = self.tape_out.watched if self.tape_out else self.replay.watched if self.replay else frozenset()
        entered = {name for name, side in self._at if side in ("in", "experts")} | tracked
        left = {name for name, side in self._at if side == "out"} | tracked
        previous, _active.current = active_pass(), self
        try:
            for name in entered:
                before = partial(self._before, name, name in tracked)
                handles.append(self.wiring.modules[name].register_forward_pre_hook(before, with_kwargs=True))
            for name in left:
                after = partial(self._after, name, name in tracked)
                handles.append(self.wiring.modules[name].register_forward_hook(after))
            for name in self._skippable():
                part = self.wiring.modules[name]
                replaced.append((part, part.__dict__.get("forward")))
                part.forward = partial(self._forward, part.forward)
            if self.head is not None and self.columns is not None:
                part = self.wiring.modules[self.head]
                replaced.append((part, part.__dict__.get("forward")))
                part.forward = partial(_some_columns, part, self.columns)
            yield
        finally:
            _active.current = previous
            for handle in handles:
                handle.remove()
            for part, forward in reversed(replaced):
                if forward is None:
                    del part.forward
                else:
                    part.forward = forward

    def _skippable(self) -> set[str]:
        if self.replay is None:
            return set()
        ended = {where[-1][0] for where, call in self.replay.calls.items() if call.end <= self.first}
        return {name for name in ended if not name.endswith(ATTENTION)}

    # what the hooks do -------------------------------------------------------------------------------------------

    def _count(self, name: str, side: str) -> int:
        """How many calls of this module were seen from this side before."""
        self._ordinals[name, side] += 1
        return self._ordinals[name, side] - 1

    def _enter(self, name: str) -> int:
        """Notes that a tracked call begins; gives its ordinal among the calls of this module."""
        ordinal = self._count(name, "in")
        outer = tuple(self._stack)
        self._stack.append((name, self._counts[(*outer, (name, -1))]))
        self._counts[(*outer, (name, -1))] += 1
        if self.replay is not None:  # a replay skips calls, so counting them would not do
            known = self.replay.calls.get(tuple(self._stack))
            ordinal = known.ordinal if known is not None else ordinal
        if self.tape_out is not None:
            self.tape_out.calls[tuple(self._stack)] = Recorded(self._tick(), ordinal)
        self._open.append(ordinal)
        return ordinal

    def _leave(self, output: Any) -> int:
        """Notes that the innermost tracked call ends; gives its ordinal."""
        if self.tape_out is not None:
            call = self.tape_out.calls[tuple(self._stack)]
            call.end = self._tick()
            name = self._stack[-1][0]
            call.output = map_tensors(Tensor.clone, output) if name in self.clone else output
            call.versions = tuple(leaf._version for leaf in leaves(call.output))
        self._stack.pop()
        return self._open.pop()

    def _tick(self) -> int:
        self._clock += 1
        return self._clock

    def _before(
        self, name: str, tracked: bool, part: nn.Module, args: tuple, kwargs: dict
    ) -> tuple[tuple, dict] | None:
        ordinal = self._enter(name) if tracked else self._count(name, "in")
        if self.inputs and self.tape_out is not None:
            found = [x for x in (*args, *kwargs.values()) if isinstance(x, Tensor) and x.is_floating_point()]
            self.tape_out.calls[tuple(self._stack)].inputs = tuple(x.clone() for x in found)
        for touch in self._at.get((name, "experts"), ()):
            args = _touch_experts(touch, args, self._positions)
        touches = [t for t in self._at.get((name, "in"), ()) if t.port.call in (None, ordinal)]
        for touch in touches:
            where, x = argument(args, kwargs, touch.port.index)
            new = touch.do(touch.port.open(x, self._positions))
            if new is not None:
                args, kwargs = with_argument(args, kwargs, where, touch.port.close(new))
        return args, kwargs

    def _after(self, name: str, tracked: bool, part: nn.Module, args: tuple, output: Any) -> Any:
        touches = self._at.get((name, "out"))
        ordinal = self._leave(output) if tracked else self._count(name, "out")
        if not touches:
            return None
        for touch in touches:
            if touch.port.call not in (None, ordinal):
                continue
            new = touch.do(touch.port.open(result(output, touch.port.index), self._positions))
            if new is not None:
                output = with_result(output, touch.port.index, touch.port.close(new))
        return output

    def _forward(self, forward: Callable, *args: Any, **kwargs: Any) -> Any:
        call = self.replay.calls.get(tuple(self._stack)) if self.replay else None
        if call is None or call.end > self.first:
            return forward(*args, **kwargs)
        return map_tensors(self._gather, call.output)

    def _gather(self, x: Tensor) -> Tensor:
        """A copy of a recorded tensor (what runs next may write to it), with the rows of this batch, also where flattened in."""
        assert self.replay is not None
        if self.rows is None:
            return x.clone()
        rows, positions = self.replay.rows, self.replay.positions
        if x.ndim and x.shape[0] == rows:
            return x.index_select(0, self.rows)
        if x.ndim and positions is not None and x.shape[0] == rows * positions:
            return x.unflatten(0, (rows, positions)).index_select(0, self.rows).flatten(0, 1)
        return x.clone()

    def attention(
        self, part: nn.Module, inner: Callable, q: Tensor, k: Tensor, v: Tensor, mask: Any, kwargs: dict
    ) -> Any:
        """The attention product of `part`: called by the function that is registered with Hugging Face."""
        name = self.wiring.names.get(id(part), "")
        if not self._tracks:
            if not any((name, side) in self._at for side in ("q", "k", "v", "z")):
                return inner(part, q, k, v, mask, **kwargs)
            ordinal = self._count(name, ATTENTION)
        else:
            ordinal = self._enter(name + ATTENTION)
        where = tuple(self._stack)
        call = self.replay.calls.get(where) if self.replay is not None else None
        if call is not None and call.end <= self.first:
            output = map_tensors(self._gather, call.output)
        else:
            q, k, v = (self._through(name, side, x, ordinal) for side, x in (("q", q), ("k", k), ("v", v)))
            if self.keys and self.tape_out is not None:
                self.tape_out.keys[where] = (k, v, mask)
            if self.prefix is not None:
                k, v, mask = self._extend(where, q, k, v)
            output = inner(part, q, k, v, mask, **kwargs)
        if self._tracks:
            self._leave(output)
        z = self._through(name, "z", output[0], ordinal)
        return (z, *output[1:])

    def _through(self, name: str, side: str, x: Tensor, ordinal: int) -> Tensor:
        for touch in self._at.get((name, side), ()):
            if touch.port.call in (None, ordinal):
                new = touch.do(touch.port.open(x))
                x = x if new is None else touch.port.close(new)
        return x

    def _extend(self, where: CallId, q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """Keys and values with the clean ones of the earlier positions before them, and the rows of the clean mask."""
        assert self.prefix is not None
        start = self.prefix.start
        old_k, old_v, mask = self.prefix.tape.keys[where]
        rows = torch.arange(len(q), device=q.device) if self.rows is None else self.rows
        k = torch.cat([old_k[:, :, :start].index_select(0, rows), k], dim=2)
        v = torch.cat([old_v[:, :, :start].index_select(0, rows), v], dim=2)
        if isinstance(mask, Tensor):
            mask = mask[..., start:, :]
            return k, v, mask.index_select(0, rows) if mask.shape[0] == self.prefix.tape.rows else mask
        if q.shape[2] == 1:
            return k, v, None
        causal = torch.ones(q.shape[2], k.shape[2], dtype=torch.bool, device=q.device).tril(start)
        return k, v, causal[None, None]


# settings that a pass changes and puts back -------------------------------------------------------------------------


@contextlib.contextmanager
def _settings(wiring: Wiring, frozen: bool, attends: bool) -> Generator[None]:
    """Evaluation mode, the attention function that can be read, and (for gradients) frozen parameters."""
    from cutaway.network.attention import readable

    training = [part for part in wiring.modules.values() if part.training]
    thawed = [p for p in wiring.module.parameters() if p.requires_grad] if frozen else []
    configs = wiring.configs if attends else []
    implementations = [config._attn_implementation for config in configs]
    try:
        for part in training:
            part.training = False
        for parameter in thawed:
            parameter.requires_grad_(False)
        for config, name in zip(configs, implementations):
            config._attn_implementation_internal = readable(name)
        yield
    finally:
        for part in training:
            part.training = True
        for parameter in thawed:
            parameter.requires_grad_(True)
        for config, name in zip(configs, implementations):
            config._attn_implementation_internal = name


def _uncompiled(wiring: Wiring) -> contextlib.AbstractContextManager:
    """Compiled parts run as they were written: a compiled one would silently pass by hooks that are added later."""
    return torch.compiler.set_stance("force_eager") if wiring.compiled else contextlib.nullcontext()


def _some_columns(part: Any, columns: Tensor, x: Tensor) -> Tensor:
    """The outputs `columns` of a Linear, and no others."""
    bias = None if part.bias is None else part.bias[columns]
    return nn.functional.linear(x, part.weight[columns], bias)


def _touch_experts(touch: Touch, args: tuple, positions: int | None) -> tuple:
    """Routing weights: (hidden, chosen [token, k], weights [token, k]) shown as [batch, position, expert]."""
    chosen, weights = args[1], args[2]
    dense = weights.new_zeros(len(weights), touch.port.heads or 1).scatter(1, chosen, weights)
    new = touch.do(dense.unflatten(0, (-1, positions or 1)))
    return args if new is None else (*args[:2], new.flatten(0, 1).gather(1, chosen), *args[3:])
