"""Writes docs/architectures.md: what is found in every architecture of the zoo, and how exactly it is proved.

Run from the repository: python benchmarks/architectures.py
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import torch  # noqa: E402
import transformers  # noqa: E402

from cutaway.network import ZERO, Edit, Site  # noqa: E402
from network.zoo import ZOO, Family, inputs, network, output_of  # noqa: E402

TARGET = ROOT / "docs" / "architectures.md"
OPENING = """# Architectures

Made by `python benchmarks/architectures.py` with torch {torch} and transformers {transformers}; the same table is tested by
`tests/network/test_zoo.py`. Every network is small and random. No architecture is known by name: places are found by watching
one pass and proved by sums. Each row was opened without a list of its module names.

- **heads**: `q`, `k`, `v` and `z` per head through the attention interface; *z only* where a family has an attention of its own.
- **additive**: the residual stream after every block is proved to be the sum of what was written to it.
- **largest error**: of all proofs (stream, middle of the block, heads through their projection), relative to the tensor.
- **by hand**: largest difference of the logits between zeroing a head here and zeroing what its projection reads with a
  plain torch hook, relative to the logits.
- Points that are missing are named with the reason; asking for one raises an error that says it. Any module remains
  addressable as `path.MODULE:out`.

| network | heads | additive | largest error | by hand | missing, and why |
|---|---|---|---|---|---|
"""
CLOSING = """
In an encoder–decoder network (T5, BART) the points are those of the decoder, with `cross_…` for cross-attention; its encoder is
addressed by module path. Blocks of a hybrid (Jamba) differ: a point may exist in some blocks only.
"""


def heads(found: bool, interface: bool) -> str:
    """How heads can be read."""
    return ("q, k, v, z" if interface else "z only") if found else "–"


def by_hand(family: Family) -> str:
    """The difference between an edit here and a plain hook on the matrix that reads the heads."""
    if not family.heads:
        return "–"
    net, given = network(family), inputs(family)
    layer = max(net.layout.heads)

    def without(_: torch.nn.Module, args: tuple) -> tuple:
        x = args[0].clone()
        x[..., : x.shape[-1] // 4] = 0
        return (x, *args[1:])

    handle = net.module.get_submodule(family.projection.format(layer=layer)).register_forward_pre_hook(without)
    expected = output_of(net(given))
    handle.remove()
    found = output_of(net.run(given, [Edit(Site("z", layer).at(head=0), ZERO)]).output)
    return f"{float((found - expected).abs().max() / expected.abs().max()):.0e}"


def row(family: Family) -> str:
    """One line of the table."""
    net = network(family)
    layout = net.layout
    error = f"{max(proof.error for proof in layout.proofs):.0e}" if layout.proofs else "–"
    reasons: dict[str, list[str]] = {}
    for point, why in sorted(layout.missing.items()):
        reasons.setdefault(why, []).append(f"`{point}`")
    missing = "; ".join(f"{', '.join(points)}: {why}" for why, points in reasons.items()) or "nothing"
    additive = "yes" if layout.additive else "no"
    found = heads(bool(layout.heads), net.wiring.attention)
    return f"| {family.name} | {found} | {additive} | {error} | {by_hand(family)} | {missing} |"


def main() -> None:
    """Writes the page."""
    torch.set_num_threads(1)
    opening = OPENING.format(torch=torch.__version__.partition("+")[0], transformers=transformers.__version__)
    text = opening + "\n".join(map(row, ZOO)) + "\n" + CLOSING
    beside = TARGET.with_suffix(".partial")
    beside.write_text(text)
    os.replace(beside, TARGET)


if __name__ == "__main__":
    main()
