"""What every command takes, and the folder beside `--out` in which the work of a stopped command is kept."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Group, Parameter

from cutaway.cli.ending import Stopped, WrongUse
from cutaway.runs.folder import RunError

if TYPE_CHECKING:
    from cutaway.network import Network

EVERY = Group("Every command", sort_key=10)
ADAPTER = "adapter_config.json"


@Parameter(name="*", group=EVERY)
@dataclass(frozen=True)
class Common:
    """Options of every command."""

    as_json: Annotated[bool, Parameter(name="--json", negative="", show_default=False)] = False
    "One JSON document on stdout, and nothing else there."
    seed: int = 0
    "Seed of everything that is drawn: donors, nulls, controls."
    device: str | None = None
    "Where the network runs: cpu, cuda, cuda:1, … or auto (spread over what there is; needs accelerate)."


@Parameter(name="*", group=EVERY)
@dataclass(frozen=True)
class Options(Common):
    """Options of every command whose answer can be saved."""

    out: Path | None = None
    "Save the answer as a run in this new folder. A command that was stopped goes on from FOLDER.partial."
    flops: Annotated[bool, Parameter(negative="", show_default=False)] = False
    "Also count floating-point operations for the ledger, in about twice the time (training counts them from its sizes)."


def check_free(out: Path | None) -> None:
    """Raises `RunError` at once if the work could not be saved in the end."""
    if out is not None and out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise RunError(f"{out} is there already; --out needs a new folder: choose another name, or remove it first")


def partial_of(out: Path) -> Path:
    """The folder of finished reruns beside `out`."""
    return out.with_name(f"{out.name}.partial")


def forget_partial(out: Path) -> None:
    """Removes what a stopped command had kept."""
    shutil.rmtree(partial_of(out), ignore_errors=True)


@contextmanager
def kept(out: Path | None) -> Generator[Path | None, None, None]:
    """The folder to keep finished reruns in. Turns Ctrl-C into `Stopped`, which says where they are."""
    partial = None if out is None else partial_of(out)
    try:
        yield partial
    except KeyboardInterrupt:
        if partial is None:
            raise Stopped("stopped; nothing was kept: with --out FOLDER what is done is kept") from None
        if not partial.exists():
            raise Stopped("stopped before anything was done; the same command starts again") from None
        raise Stopped(f"stopped; what is done is kept in {partial}, the same command goes on") from None


def check_whole(*names: str) -> None:
    """Raises `WrongUse` for the folder of an adapter alone; of several networks before any is opened."""
    for name in names:
        if (Path(name) / ADAPTER).is_file():
            raise WrongUse(
                f"{name} is an adapter that is not merged ({ADAPTER}); expected a whole network: merge it into its base "
                "(merge_and_unload, then save_pretrained) and give that folder"
            )


def opened(name: str, device: str | None) -> Network:
    """The network of this name on this device. Raises `WrongUse` for a device that there is not, and for an adapter alone."""
    import cutaway

    check_whole(name)
    if name.startswith("organism:"):
        on_one_thread()
    if device is None or device == "auto":
        return cutaway.open(name, device=device)
    check_device(device)
    net = cutaway.open(name)
    net.module.to(device)
    return net


def reader(name: str, device: str | None) -> Network:
    """The network of this name, which must read text. Raises `WrongUse` for one that reads anything else."""
    from cutaway.opening import reads_text

    net = opened(name, device)
    if not reads_text(net):
        raise WrongUse(
            f"{name} reads no text; expected a network with a tokenizer; one that reads tensors is asked from Python: "
            "cutaway.trace(net, cutaway.Decision(inputs, …))"
        )
    return net


def on_one_thread() -> None:
    """Small networks are not shared out: a second thread only costs time, and changes last digits."""
    import torch

    torch.set_num_threads(1)


def on_the_processor(options: Common, what: str) -> None:
    """One thread of the processor. Raises `WrongUse` where another device was asked for; `what` runs there."""
    if options.device not in (None, "cpu"):
        raise WrongUse(f"--device was given {options.device!r}; {what} run on the cpu: leave it out")
    on_one_thread()


def check_device(device: str | None) -> str:
    """The device of this name, by default the CPU. Raises `WrongUse` for one that there is not."""
    import torch

    if device is None:
        return "cpu"
    try:
        kind = torch.device(device)
        torch.zeros(1, device=kind)
    except (RuntimeError, AssertionError):  # torch built without CUDA asserts
        there = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
        raise WrongUse(f"--device was given {device!r}; this machine has {', '.join(there)}") from None
    return device
