"""A network that can be read, edited and rerun: the user's module, how to feed it, and where its tensors are."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from cutaway.network.batch import Batch, Feed, TextFeed, parameters_of, tensor_batch
from cutaway.network.describe import described
from cutaway.network.edit import Edit, NeverFired, Receipt
from cutaway.network.given import InputError, Intake, intake, shapes, token_table
from cutaway.network.layout import READ_ONLY, Layout
from cutaway.network.passes import Pass, Touch, Wiring
from cutaway.network.proofs import probe
from cutaway.network.search import declared, find
from cutaway.network.site import AddressError, Port, Site


@dataclass(frozen=True)
class Run:
    """What one observed pass gave: the module's own output, the tensors that were read, a receipt for every edit."""

    output: Any
    read: Mapping[str, Tensor]
    receipts: tuple[Receipt, ...]


@dataclass(frozen=True, eq=False)
class Network:
    """A torch module (unmodified), its `feed` from inputs to a batch, and the `reference` inputs that means are taken over.

    `declared` maps points to places for modules whose layout cannot be found by watching them; `source` is the folder or
    hub id that the module was opened from, if it was.
    """

    module: nn.Module
    feed: Feed = tensor_batch
    reference: Any = None
    name: str = "network"
    declared: Mapping[str, str] | None = None
    source: str | None = None
    _layouts: dict[str, Layout] = field(default_factory=dict, repr=False)
    _matching: dict[tuple[Layout, str], list[Site]] = field(default_factory=dict, repr=False)

    @cached_property
    def wiring(self) -> Wiring:
        return Wiring(self.module)

    @property
    def device(self) -> torch.device:
        """Where inputs must be: the device of the first parameter that has one."""
        hook = getattr(self.module, "_hf_hook", None)
        place = getattr(hook, "execution_device", None)
        if place is not None:
            return torch.device(place)
        return next((p.device for p in self.module.parameters() if p.device.type != "meta"), torch.device("cpu"))

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the parameters."""
        return next((p.dtype for p in self.module.parameters() if p.is_floating_point()), torch.float32)

    def batch(self, inputs: Any) -> Batch:
        """`inputs` through the feed, on the network's device. Raises `InputError` for token ids that cannot be right."""
        batch = inputs if isinstance(inputs, Batch) else self.feed(inputs)
        batch = batch if isinstance(batch, Batch) else tensor_batch(batch)
        if not isinstance(inputs, Batch):  # those were checked when they were made
            batch = self.intake.named(batch)
            self.intake.check(batch)
        kwargs = dict(batch.kwargs)
        if "use_cache" in self._accepts:
            kwargs.setdefault("use_cache", False)
        return Batch(batch.args, kwargs, batch.rows, batch.real, batch.tokens, batch.text).to(self.device)

    def from_position(self, batch: Batch, start: int) -> Batch:
        """The positions of `batch` from `start` on, each still with its own position id."""
        if "position_ids" in self._accepts and "position_ids" not in batch.kwargs and batch.ids is not None:
            ids = torch.arange(batch.ids.shape[1], device=batch.ids.device).expand(batch.rows, -1)
            batch = replace(batch, kwargs={**batch.kwargs, "position_ids": ids})
        return batch.from_position(start)

    @cached_property
    def _accepts(self) -> frozenset[str]:
        return parameters_of(self.module)

    @cached_property
    def intake(self) -> Intake:
        """What is known of the module's inputs without running it."""
        return intake(self.module)

    @cached_property
    def reference_ids(self) -> list[list[int]]:
        """The reference texts as token ids, encoded once. Raises TypeError where there is no tokenizer or no reference."""
        if not isinstance(self.feed, TextFeed) or self.reference is None:
            raise TypeError(
                f"{self.name} has no reference texts; open it with feed=tokenizer and reference=… (a list of texts)"
            )
        return self.feed.rows(self.reference)[0]

    @property
    def layout(self) -> Layout:
        """Where the named tensors are; found and proved on the first use."""
        return self.found or self.locate(self.probe())

    @property
    def found(self) -> Layout | None:
        """Where the named tensors are, if that was looked for already."""
        return self._layouts.get("found")

    def locate(self, batch: Batch) -> Layout:
        """Finds and proves the layout on the first rows of `batch`, once; later calls return what was found."""
        if "found" not in self._layouts:
            few = batch.take(torch.arange(min(2, batch.rows), device="cpu"))
            with self.explained(few):
                tape = probe(self.wiring, few)
            if self.declared is not None:
                self._layouts["found"] = declared(self.wiring, self.declared, tape)
            else:
                self._layouts["found"] = find(self.wiring, few, tape)
        return self._layouts["found"]

    def locate_for(self, batch: Batch, sites: Sequence[Site | str]) -> None:
        """`locate`, if any of these addresses needs it: module paths do not."""
        if any((isinstance(site, str) and "*" in site) or Site.parse(site).path is None for site in sites):
            self.locate(batch)

    def probe(self) -> Batch:
        """A small batch to watch the network with: random tokens, or the first reference inputs."""
        if isinstance(self.feed, TextFeed):
            vocabulary = _vocabulary(self.module)
            seeded = torch.Generator().manual_seed(0)
            ids = torch.randint(0, vocabulary, (2, min(6, self.feed.context or 6)), generator=seeded)
            return self.batch(self.feed.batch(ids.tolist()))
        if self.reference is not None:
            return self.batch(self.reference)
        raise AddressError(
            "where this network's tensors are is found by watching it run, and there is nothing to run it on yet; "
            "open it with reference=… (a few inputs), or run it once on a batch"
        )

    def port(self, site: Site | str) -> Port:
        """Where `site` is. Raises `AddressError` with near addresses."""
        site = Site.parse(site)
        if site.path is not None:
            return Layout({}).port(site, self.wiring)
        return self.layout.port(site, self.wiring)

    def sites(self, pattern: str = "*") -> list[Site]:
        """The named sites whose address matches, e.g. `"z.*"`, in the order of the blocks."""
        if (self.layout, pattern) not in self._matching:
            found = [Site(point, layer) for point, layer in self.layout.ports]
            found.sort(key=lambda site: -1 if site.layer is None else site.layer)
            self._matching[self.layout, pattern] = [site for site in found if fnmatch(str(site), pattern)]
        return list(self._matching[self.layout, pattern])

    def run(
        self,
        inputs: Any,
        edits: Sequence[Edit] = (),
        read: Sequence[Site | str] = (),
        weights: Mapping[str, Tensor] | None = None,
    ) -> Run:
        """One pass: reads tensors, makes edits, and gives the module's own output.

        `read` holds addresses (`z.*` is every block's). `weights` replaces parameters for this pass only. With no edits
        the output is bit for bit what the module gives. Raises `NeverFired` for an edit that nothing came by for.
        """
        batch = self.batch(inputs)
        self.locate_for(batch, [*(edit.site for edit in edits), *read])
        sites = self.expand(read)
        found: dict[str, Tensor] = {}
        receipts = [Receipt(edit.site, edit.natural) for edit in edits]
        rows = torch.arange(batch.rows, device=self.device)
        values: dict[Site, Tensor] = {}
        touches = []
        for edit, receipt in zip(edits, receipts):
            touches.extend(self.read_touches(edit.reads, values))
            touches.append(self.edit_touch(edit, receipt, rows, values))
        for site in sites:
            touches.append(self.read_touch(site, found))
        run = Pass(self.wiring, touches)
        with contextlib.nullcontext() if edits or weights else self.explained(batch):
            output = self._with_weights(run, batch, weights)
        unfired(receipts)
        return Run(output, {str(site): found[str(site)] for site in sites}, tuple(receipts))

    def read(self, inputs: Any, *read: Site | str) -> Mapping[str, Tensor]:
        """The tensors at these addresses, by address: heads as [batch, position, head, d_head]."""
        return self.run(inputs, read=read).read

    def __call__(self, inputs: Any) -> Any:
        """The module's own output for `inputs`."""
        return self.run(inputs).output

    @contextlib.contextmanager
    def explained(self, batch: Batch) -> Generator[None]:
        """Around a pass that edits nothing: torch's own complaint, with the shapes given. Raises `InputError`."""
        try:
            yield
        except (RuntimeError, IndexError, TypeError, ValueError) as error:
            if type(error) not in (RuntimeError, IndexError, TypeError, ValueError):
                raise  # one of ours, which says it better
            raise InputError(
                f"{self.name} could not run on what was given, {shapes(batch)}: {' '.join(str(error).split())[:300]}; "
                f"expected {self._expected()}"
            ) from error

    def _expected(self) -> str:
        """What the network is known to run on: inputs of the reference's shapes, else what its forward takes."""
        takes = f"what its forward takes ({', '.join(self.intake.names)})"
        if self.reference is None or isinstance(self.feed, TextFeed):
            return takes
        try:
            return f"inputs like its reference, {shapes(self.batch(self.reference))}"
        except (RuntimeError, TypeError, ValueError, LookupError):  # the reference is what does not fit
            return takes

    # pieces that passes are built of ------------------------------------------------------------------------------

    def expand(self, addresses: Sequence[Site | str]) -> list[Site]:
        """Addresses with their wildcards filled in."""
        sites: list[Site] = []
        for address in addresses:
            if isinstance(address, str) and "*" in address:
                stem, bracket, select = address.partition("[")
                matching = [Site.parse(f"{site}{bracket}{select}") for site in self.sites(stem)]
                if not matching:
                    raise AddressError(
                        f"{address!r} matches nothing; this network has {', '.join(sorted({p for p, _ in self.layout.ports}))}"
                    )
                sites.extend(matching)
            else:
                sites.append(Site.parse(address))
        return sites

    def read_touch(self, site: Site, into: dict[str, Tensor]) -> Touch:
        """Keeps the picked part of `site` under its address."""
        port = self.port(site)

        address = str(site)

        def keep(x: Tensor) -> None:
            if site.select:
                port.check(site, x)
                x = x[port.index_of(site, x.ndim)]
            into[address] = x.clone()  # what runs next may write to it in place

        return Touch(port, keep)

    def read_touches(self, sites: Sequence[Site], into: dict[Site, Tensor]) -> list[Touch]:
        """Keeps whole tensors for edits that need what passed by earlier."""
        return [Touch(self.port(site), lambda x, site=site: into.__setitem__(site, x.clone())) for site in sites]

    def edit_touch(self, edit: Edit, receipt: Receipt, rows: Tensor, read: Mapping[Site, Tensor]) -> Touch:
        """Makes `edit` on all rows of a batch and notes it on the receipt."""
        port = self.writable(edit.site)

        def change(x: Tensor) -> Tensor:
            port.check(edit.site, x)
            index = port.index_of(edit.site, x.ndim)
            old = x[index]
            new = edit.change(old, rows, read)
            receipt.note(old, new)
            if not edit.site.select:
                return (
                    new.to(x.dtype).expand_as(x).clone()
                )  # the value may be someone's own, and what runs next may write to it
            y = x.clone()
            y[index] = new.to(x.dtype)
            return y

        return Touch(port, change)

    def writable(self, site: Site) -> Port:
        """The port of a site that can be written. Raises `AddressError` for those that can only be read."""
        if site.point in READ_ONLY:
            layer = site.layer or 0
            instead = READ_ONLY[site.point].format(layer=layer, next=layer + 1)
            raise AddressError(f"{site} can be read, not written: the skip path uses another tensor; write {instead}")
        return self.port(site)

    def _with_weights(self, run: Pass, batch: Batch, weights: Mapping[str, Tensor] | None) -> Any:
        if not weights:
            return run(batch)
        known = dict(self.module.named_parameters()) | dict(self.module.named_buffers())
        for name, tensor in weights.items():
            if name not in known:
                raise AddressError(
                    f"{name!r} is no parameter of {self.name}; its parameters are named like {next(iter(known))!r}"
                )
            old = known[name]
            if old.device.type == "meta" or type(old.data).__name__ == "DTensor" or not old.is_floating_point():
                raise AddressError(
                    f"{name} is offloaded, sharded or quantised, so an edit of the weight would hit nothing; "
                    "edit the activations instead"
                )
            if tensor.shape != old.shape:
                raise AddressError(f"{name} is {tuple(old.shape)}; the replacement given is {tuple(tensor.shape)}")
        run.weights = weights
        return run(batch)

    def __str__(self) -> str:
        return described(self)

    def __repr__(self) -> str:
        parameters = sum(p.numel() for p in self.module.parameters())
        dtype = str(self.dtype).removeprefix("torch.")
        return f"Network({self.name}: {type(self.module).__name__}, {parameters:,} parameters, {dtype})"


def unfired(receipts: Sequence[Receipt]) -> None:
    """Raises `NeverFired` if an edit met no tensor."""
    lost = [str(receipt.site) for receipt in receipts if receipt.fired == 0]
    if lost:
        raise NeverFired(
            f"nothing passed by at {', '.join(lost)} in this run, so nothing was edited; "
            "expected the module to be called (a compiled or skipped module is not): look at the address"
        )


def _vocabulary(module: nn.Module) -> int:
    embedding = token_table(module) or next((part for part in module.modules() if isinstance(part, nn.Embedding)), None)
    if embedding is None:
        raise AddressError("this network has no token embedding; open it with reference=… instead of a tokenizer")
    return embedding.num_embeddings
