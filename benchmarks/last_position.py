"""All 144 heads of GPT-2-small's shape edited at the last position only ("what does this head do at the end?").

Earlier positions of a causal network cannot see such an edit, so their keys and values come from the clean run.
"""

from __future__ import annotations

from benchmarks.heads import gpt2_heads
from benchmarks.kept import Kept
from benchmarks.timing import interleave
from cutaway.ledger import count_flops

DEPENDS = ("network", "last_position.py", "heads.py", "loop.py", "networks.py")
MINUTES = 6.0
SAMPLE = 24


def measure(kept: Kept, repetitions: int) -> None:
    """Batch 8 × 16 tokens and 2 × 64."""
    for batch, length in ((8, 16), (2, 64)):
        one(kept, batch, length, repetitions)


def one(kept: Kept, batch: int, length: int, repetitions: int) -> None:
    """One setting: the sweep and the loop, interleaved."""
    heads = gpt2_heads(batch, length, last=True)
    sample = heads.sample(SAMPLE)
    scale = len(heads.all) / SAMPLE

    def facts() -> dict:
        found = heads.sweep()
        flops = {"loop": count_flops(heads.forward) * len(heads.all), "sweep": count_flops(heads.sweep)}
        return {
            "sweep": heads.error(found, heads.all),
            "notes": list(found.notes),
            "plan": str(found.plan),
            "flops": flops,
            "loop timed on": SAMPLE,
        }

    timed = {
        "loop": lambda: heads.loop(sample),
        "sweep": heads.sweep,
        "loop, one logit": lambda: heads.loop(sample, logits_to_keep=1),
        "forward": heads.forward,
    }
    interleave(kept, f"{batch}x{length}", timed, repetitions, facts, {"loop": scale, "loop, one logit": scale})
