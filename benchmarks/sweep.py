"""An exact sweep over all 144 heads of GPT-2-small's shape, every position edited, against the loop and the floor.

The floor is the arithmetic that no exact method avoids, with everything known about the architecture. Zeroing head h of
block l leaves all before it unchanged, so a rerun needs: the change of attention's output (the head's d_head rows of W_O),
block l's MLP, every later block, and two rows of the unembedding at the last position. The last block needs keys and
values everywhere, the rest only at the last position.
"""

from __future__ import annotations

from benchmarks.heads import Heads, gpt2_heads
from benchmarks.kept import Kept
from benchmarks.timing import interleave
from cutaway.ledger import count_flops

DEPENDS = ("network", "sweep.py", "heads.py", "loop.py", "networks.py")
MINUTES = 10.0
SAMPLE = 24  # heads that the loop is timed on; scaled to all


def floor(heads: Heads, neurons: int = 3072) -> int:
    """Floating-point operations of the floor, for all heads."""
    T, d, L = heads.length, heads.width, heads.layers
    d_head = d // heads.heads
    mlp = 4 * d * neurons  # one token: up and down, 2 operations a weight
    attention = 8 * d * d + 4 * T * d  # one token: q, k, v and output projections; scores and mixture
    last = T * 4 * d * d + (4 * d * d + 4 * T * d + mlp)  # keys and values everywhere, then one position
    change, read = 2 * d_head * d, 4 * d
    total = heads.heads * (change + mlp + read)  # heads of the last block: one position
    for layer in range(L - 1):
        later = (L - 2 - layer) * T * (attention + mlp)
        total += heads.heads * (T * (change + mlp) + later + last + read)
    return heads.batch * total


def measure(kept: Kept, repetitions: int) -> None:
    """Batch 8 × 16 tokens and 1 × 16."""
    for batch in (8, 1):
        one(kept, batch, repetitions)


def one(kept: Kept, batch: int, repetitions: int) -> None:
    """One setting: the sweep and the loops, interleaved."""
    heads = gpt2_heads(batch, 16)
    sample = heads.sample(SAMPLE)
    timed = {
        "loop": lambda: heads.loop(sample),
        "sweep": heads.sweep,
        "sweep without trim": heads.sweep_without_trim,
        "loop, one logit": lambda: heads.loop(sample, logits_to_keep=1),
        "sweep, every output": lambda: heads.sweep(shortcuts=False),
        "forward": heads.forward,
    }
    scale = {"loop": len(heads.all) / SAMPLE, "loop, one logit": len(heads.all) / SAMPLE}
    interleave(kept, f"{batch}x16", timed, repetitions, lambda: facts(heads), scale)


def facts(heads: Heads) -> dict:
    """Errors of all three ways on every head; operations."""
    found = heads.sweep()
    exact = {"sweep": heads.error(found, heads.all), "notes": list(found.notes), "plan": str(found.plan)}
    for name, other in (("without trim", heads.sweep_without_trim()), ("every output", heads.sweep(shortcuts=False))):
        exact[f"{name}: away from the sweep"] = float((other.value - found.value).abs().max())
    return exact | {
        "heads": len(heads.all),
        "loop timed on": SAMPLE,
        "flops": {
            "loop": count_flops(heads.forward) * len(heads.all),
            "sweep": count_flops(heads.sweep),
            "sweep without trim": count_flops(heads.sweep_without_trim),
            "floor": floor(heads),
        },
    }
