"""All 336 heads of a half-billion-parameter network of Qwen2's shape (grouped keys and values), batch 4 × 16.

The loop is timed on a random sample of heads and scaled: a rerun costs the same whichever head it zeroes.
"""

from __future__ import annotations

from benchmarks.heads import Heads
from benchmarks.kept import Kept
from benchmarks.networks import qwen2_half_billion
from benchmarks.timing import interleave
from cutaway.ledger import count_flops
from cutaway.network import Sweep

DEPENDS = ("network", "qwen.py", "heads.py", "loop.py", "networks.py")
MINUTES = 25.0
SAMPLE = 14


def measure(kept: Kept, repetitions: int) -> None:
    """One setting; 2 to 3 GB of memory."""
    heads = Heads(qwen2_half_billion(), "model.layers.{}.self_attn.o_proj", 24, 14, 896, 4, 16)
    sample = heads.sample(SAMPLE)
    scale = len(heads.all) / SAMPLE

    latest: list[Sweep] = []  # minutes each: what is timed is also what is compared

    def facts() -> dict:
        found = latest[-1] if latest else heads.sweep()
        flops = {"loop": count_flops(heads.forward) * len(heads.all)}
        return {
            "sweep": heads.error(found, sample),
            "notes": list(found.notes),
            "plan": str(found.plan),
            "flops": flops,
            "heads": len(heads.all),
            "loop timed on": SAMPLE,
        }

    timed = {
        "loop": lambda: heads.loop(sample),
        "sweep": lambda: latest.append(heads.sweep()),
        "sweep without trim": heads.sweep_without_trim,
        "loop, one logit": lambda: heads.loop(sample, logits_to_keep=1),
        "forward": heads.forward,
    }
    interleave(kept, "4x16", timed, repetitions, facts, {"loop": scale, "loop, one logit": scale})
