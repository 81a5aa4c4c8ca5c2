"""The sweep over all heads against TransformerLens 4 and nnsight 0.8, each in its own documented best way.

    python -m venv ENV && ENV/bin/pip install -r benchmarks/peers/requirements.txt
    ENV/bin/pip install --no-deps -e . && ENV/bin/python benchmarks/peers/sweep.py

- TransformerLens: `TransformerBridge.boot_transformers(hf_model=…)`, `run_with_hooks` on `hook_z`; once from the tokens
  and once from the cached clean residual stream of the head's block (`start_at_layer`). In 4.3 that is no faster: the
  blocks before it still run, on input that is then discarded.
- nnsight: `TransformersModel.trace` with one invoke per head, batched into one forward pass, 12 heads to a trace.

All start from the same random weights of GPT-2-small's shape. The peers and the loop rerun two heads of every block and
are scaled to 144; ours sweeps all 144.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
sys.path[0] = str(Path(__file__).resolve().parents[2])

import torch  # noqa: E402
from torch import Tensor  # noqa: E402

from benchmarks.heads import Heads, gpt2_heads  # noqa: E402
from benchmarks.kept import Kept  # noqa: E402
from benchmarks.timing import interleave, say  # noqa: E402

DEPENDS = ("network", "peers/sweep.py", "heads.py", "loop.py", "networks.py")
MINUTES = 6.0
STACK = 12  # heads in one nnsight trace: 96 rows of 16 tokens at batch 8


def measure(kept: Kept, repetitions: int) -> None:
    """Batch 8 × 16 tokens and 1 × 16."""
    from importlib.metadata import version

    kept.known["circumstances"] |= {name: version(name) for name in ("transformer-lens", "nnsight")}
    for batch in (8, 1):
        one(kept, batch, repetitions)


def one(kept: Kept, batch: int, repetitions: int) -> None:
    """One setting: ours, the loop and each peer, interleaved."""
    heads = gpt2_heads(batch, 16)
    sample = [(layer, head) for layer in range(12) for head in ((layer * 5) % 12, (layer * 5 + 7) % 12)]
    lens, sight = Lens(heads), Sight(heads)
    timed = {
        "loop": lambda: heads.loop(sample),
        "sweep": heads.sweep,
        "TransformerLens": lambda: lens.loop(sample),
        "TransformerLens, from the block": lambda: lens.from_the_block(sample),
        "nnsight": lambda: sight.stacked(sample),
    }

    def facts() -> dict[str, Any]:
        value = heads.loop(sample)
        place = {head: i for i, head in enumerate(heads.all)}
        ours = heads.sweep().value[[place[head] for head in sample]]
        others = {name: work() for name, work in timed.items() if name not in ("loop", "sweep")}
        return {
            "sample": len(sample),
            "largest metric": float(value.abs().max()),
            "error": {name: float((found - value).abs().max()) for name, found in {"sweep": ours, **others}.items()},
        }

    scale = {name: len(heads.all) / len(sample) for name in timed if name != "sweep"}
    interleave(kept, f"{batch}x16", timed, repetitions, facts, scale)


class Lens:
    """TransformerLens. Booting rewrites the module in place, so it gets one of its own."""

    def __init__(self, heads: Heads) -> None:
        from transformer_lens.model_bridge import TransformerBridge

        model = gpt2_heads(heads.batch, heads.length).model
        self.heads, self.ids, self.rows = heads, heads.inputs["input_ids"], torch.arange(heads.batch)
        self.bridge = TransformerBridge.boot_transformers(
            "gpt2", hf_model=model, tokenizer=tokenizer(model.config.vocab_size), dtype=torch.float32
        )

    @torch.no_grad()
    def loop(self, sample: list[tuple[int, int]]) -> Tensor:
        """A run from the tokens for each head."""
        return torch.stack([self.one(self.ids, head) for head in sample])

    @torch.no_grad()
    def from_the_block(self, sample: list[tuple[int, int]]) -> Tensor:
        """One cached run, then for each head a run from its block on."""
        names = [f"blocks.{layer}.hook_resid_pre" for layer in range(self.heads.layers)]
        _, cache = self.bridge.run_with_cache(self.ids, names_filter=names)
        return torch.stack([self.one(cache[names[head[0]]], head, start_at_layer=head[0]) for head in sample])

    def one(self, start: Tensor, head: tuple[int, int], **more: Any) -> Tensor:
        def zero(z: Tensor, hook: Any) -> Tensor:
            z[:, :, head[1]] = 0
            return z

        logits = self.bridge.run_with_hooks(
            start, fwd_hooks=[(f"blocks.{head[0]}.attn.hook_z", zero)], return_type="logits", **more
        )
        return self.heads.metric(logits, self.rows)


class Sight:
    """nnsight, with as many heads in a forward pass as ours stacks."""

    def __init__(self, heads: Heads) -> None:
        from nnsight import TransformersModel

        model = gpt2_heads(heads.batch, heads.length).model
        self.heads, self.ids, self.rows = heads, heads.inputs["input_ids"], torch.arange(heads.batch)
        self.model = TransformersModel(model, tokenizer=tokenizer(model.config.vocab_size))

    @torch.no_grad()
    def stacked(self, sample: list[tuple[int, int]]) -> Tensor:
        """One invoke a head, `STACK` of them in a trace."""
        found: list[Tensor] = []
        for begin in range(0, len(sample), STACK):
            found += self.trace(sample[begin : begin + STACK])
        return torch.stack([self.heads.metric(logits, self.rows) for logits in found])

    def trace(self, some: list[tuple[int, int]]) -> list[Tensor]:
        model, ids, saved = self.model, self.ids, []
        width = self.heads.width // self.heads.heads
        with model.trace() as tracer:
            for layer, head in some:
                with tracer.invoke(ids):
                    model.transformer.h[layer].attn.c_proj.input[:, :, head * width : (head + 1) * width] = 0
                    saved.append(model.output.logits[:, -1:].save())
        return saved


def tokenizer(vocabulary: int) -> Any:
    """Both want one, with a folder behind it, though they are given token ids."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({f"t{i}": i for i in range(vocabulary)}, unk_token="t0"))
    folder = tempfile.mkdtemp()
    PreTrainedTokenizerFast(tokenizer_object=words, pad_token="t0", eos_token="t0", bos_token="t0").save_pretrained(
        folder
    )
    return PreTrainedTokenizerFast.from_pretrained(folder)


if __name__ == "__main__":
    torch.set_num_threads(1)
    rounds = int(sys.argv[sys.argv.index("--repetitions") + 1]) if "--repetitions" in sys.argv else 3
    say(f"peers: about {MINUTES * (rounds + 1) / 4:.0f} min of one core")
    measure(Kept("peers", DEPENDS, "--fresh" in sys.argv), rounds)
