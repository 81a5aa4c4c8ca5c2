"""A network so small that calls, not products, are the cost (12 blocks of width 64, 1 × 8 tokens): what hooks add."""

from __future__ import annotations

import torch

from benchmarks.kept import Kept
from benchmarks.networks import narrow_gpt2
from benchmarks.timing import interleave
from cutaway.network import Edit, Site, wrap
from cutaway.network.edit import ZERO

DEPENDS = ("network", "dispatch.py", "networks.py")
MINUTES = 0.3
CALLS = 100
ROUNDS = 5  # rounds are short here, and one that another process disturbs shows


def measure(kept: Kept, repetitions: int) -> None:
    """Bare forward, one ablation, caching 36 tensors; each called 100 times a round."""
    model = narrow_gpt2()
    ids = torch.randint(0, 1000, (1, 8), generator=torch.Generator().manual_seed(0))
    net = wrap(model)
    inputs = {"input_ids": ids}
    edits = [Edit(Site.parse("z.5[head=1]"), ZERO)]
    wanted = ("resid_post.*", "z.*", "mlp_out.*")

    def bare() -> object:
        with torch.no_grad():
            return model(input_ids=ids, use_cache=False)

    timed = {
        "forward": bare,
        "one ablation": lambda: net.run(inputs, edits),
        "36 tensors": lambda: net.read(inputs, *wanted),
    }
    facts = {"tensors": len(net.read(inputs, *wanted)), "fired": net.run(inputs, edits).receipts[0].fired}
    interleave(kept, "1x8", timed, max(ROUNDS, 3 * repetitions), lambda: facts, calls=CALLS)
