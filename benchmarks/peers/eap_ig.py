"""Public EAP-IG (Hanna et al. 2024, arXiv 2403.17806; github.com/hannamw/EAP-IG, MIT) on compiled organisms.

    python -m venv ENV && ENV/bin/pip install -r benchmarks/peers/requirements_eap_ig.txt
    EAP_IG_PYTHON=ENV/bin/python python benchmarks/run.py circuit_stability

It needs a TransformerLens that cannot live beside cutaway, so `Scorer` starts this file in that environment and talks to it
over pipes: weights and batches in, one score an edge out. What scores there is the public code as it is published; two
names in it are replaced, for what it cannot do. It allocates its scores on "cuda" whatever the model is on, and it takes
text: here it gets token ids. The organism becomes a HookedTransformer of the same weights, used only if its logits are
the same to 1e-5 of the largest. The nodes and edges are the same as ours: the token embedding without positions, every
head and MLP block; into queries, keys, values, MLP blocks and the output.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

PYTHON = "EAP_IG_PYTHON"
"""The environment variable with the interpreter that EAP-IG is installed for."""
METHODS = {
    "EAP-IG-inputs, 5 steps": ("EAP-IG-inputs", 5),
    "EAP-IG-inputs, 30 steps": ("EAP-IG-inputs", 30),
    "EAP-IG-activations, 5 steps": ("EAP-IG-activations", 5),
    "clean-corrupted": ("clean-corrupted", None),
}
"""Label: its own name of the method and the steps; 5 is what its README uses."""
CLOSE = 1e-5
Batch = Mapping[str, Sequence[Any]]  # "rows" and "others" (token ids), "answers" and "instead"


@dataclass(frozen=True)
class Scored:
    """One method on one batch: a signed score for every edge, by our names, and the passes over the batch that it took.

    `total` is the mean change of logit(answer) − logit(instead) when the whole input is replaced.
    """

    scores: dict[str, float]
    forward: int
    backward: int
    total: float


class Scorer:
    """EAP-IG in its own process; use it in a `with` block. Raises RuntimeError where it cannot run or is not the same network."""

    def __init__(self, python: str) -> None:
        environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
        self.process = subprocess.Popen(
            [python, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self.versions: dict[str, str] = self._told()

    def __enter__(self) -> Scorer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the process: it stops when there is nothing left to read."""
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()
        self.process.wait()

    def __call__(self, network: Any, batch: Batch, methods: Sequence[str]) -> dict[str, Scored]:
        """What each of `methods` says of the edges of `network` (a cutaway `Transformer` without norms) on `batch`."""
        asked = {
            "shape": vars(network.shape),
            "weights": {name: weight.tolist() for name, weight in network.state_dict().items()},
            "batch": {what: list(values) for what, values in batch.items()},
            "methods": list(methods),
        }
        told = self._tell(asked)
        with torch.no_grad():
            logits = network(torch.tensor(asked["batch"]["rows"]))[:, -1]
        error = float((logits - torch.tensor(told["logits"])).abs().max() / logits.abs().max())
        if error > CLOSE:
            raise RuntimeError(f"the converted network is off by {error:.1g} of its largest logit; expected {CLOSE:g}")
        return {method: Scored(**said) for method, said in told["methods"].items()}

    def _tell(self, asked: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # then there is no answer either, which is said
            print(json.dumps(asked), file=self.process.stdin, flush=True)
        return self._told()

    def _told(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.close()
            raise RuntimeError(
                f"EAP-IG ended without an answer; its message is above. Is {PYTHON} the interpreter of an environment "
                "made from benchmarks/peers/requirements_eap_ig.txt?"
            )
        return json.loads(line)


# in the other process ---------------------------------------------------------------------------------------------------


class OnCpu:
    """torch, but that scores asked for on "cuda" are made on the CPU."""

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)

    def zeros(self, *size: Any, device: Any = None, **more: Any) -> Tensor:
        """On the CPU, whatever `device` says."""
        return torch.zeros(*size, **more)


def answer() -> None:
    """Reads requests from stdin until it ends; an answer each on stdout, and nothing else there."""
    out, sys.stdout = sys.stdout, sys.stderr
    from importlib.metadata import version

    import eap.attribute

    torch.set_num_threads(1)
    eap.attribute.torch = OnCpu()
    eap.attribute.tokenize_plus = taken
    packages = ("torch", "transformer-lens", "numpy")
    print(json.dumps({name: version(name) for name in packages}), file=out, flush=True)
    for line in sys.stdin:
        print(json.dumps(scored(**json.loads(line))), file=out, flush=True)


def taken(model: Any, rows: Tensor) -> tuple[Tensor, None, Tensor, int]:
    """Token ids as they are, in place of its tokenizer; no row is padded."""
    return rows, None, torch.full((len(rows),), rows.shape[1]), rows.shape[1]


def scored(shape: dict[str, Any], weights: dict[str, Any], batch: Batch, methods: list[str]) -> dict[str, Any]:
    """The logits at the last position, and what each method says."""
    model = hooked(shape, {name: torch.tensor(weight) for name, weight in weights.items()})
    with torch.no_grad():
        logits = model(torch.tensor(batch["rows"]))[:, -1]
    return {"logits": logits.tolist(), "methods": {name: method(model, batch, *METHODS[name]) for name in methods}}


def method(model: Any, batch: Batch, name: str, steps: int | None) -> dict[str, Any]:
    """One method of the public code on one batch, with its passes counted as they happen."""
    from eap.attribute import attribute
    from eap.graph import Graph

    graph, passes = Graph.from_model(model), {"forward": 0, "backward": 0}
    rows, others, answers, instead = (torch.tensor(batch[name]) for name in ("rows", "others", "answers", "instead"))

    def difference(logits: Tensor) -> Tensor:
        return (logits[:, -1].gather(1, answers[:, None]) - logits[:, -1].gather(1, instead[:, None])).sum()

    def metric(logits: Tensor, clean: Tensor, lengths: Tensor, label: Any) -> Tensor:
        passes["backward"] += 1  # each value that it asks for is taken back once
        return difference(logits)

    with torch.no_grad():
        total = float(difference(model(others)) - difference(model(rows))) / len(rows)
    counting = model.register_forward_hook(lambda *_: passes.__setitem__("forward", passes["forward"] + 1))
    attribute(model, graph, [(rows, others, None)], metric, name, ig_steps=steps, quiet=True)
    counting.remove()
    model.zero_grad()
    return {"scores": {ours(edge): float(edge.score) for edge in graph.edges.values()}, **passes, "total": total}


def ours(edge: Any) -> str:
    """Our name of one of its edges: `z.1[head=0] → z.3[head=1]/k`."""

    def part(name: str) -> str:
        if name in ("input", "logits"):
            return {"input": "embed", "logits": "output"}[name]
        layer, _, head = name[1:].partition(".h")
        return f"z.{layer}[head={head}]" if head else f"mlp_out.{layer}"

    reader = part(edge.child.name)
    through = edge.qkv or ("mlp" if reader.startswith("mlp") else "")
    return f"{part(edge.parent.name)} → {reader}{'/' * bool(through)}{through}"


def hooked(shape: dict[str, Any], weights: dict[str, Tensor]) -> Any:
    """A HookedTransformer with these weights, set up as EAP-IG asks for."""
    from transformer_lens import HookedTransformer, HookedTransformerConfig

    config = HookedTransformerConfig(
        n_layers=shape["layers"],
        d_model=shape["width"],
        n_ctx=shape["context"],
        d_head=shape["d_head"],
        n_heads=shape["heads"],
        d_mlp=shape["hidden"],
        d_vocab=shape["vocab"],
        act_fn=shape["act"],
        normalization_type=None,
        attn_scale=1 / (shape["scale"] or shape["d_head"] ** -0.5),
        use_attn_result=True,
        use_split_qkv_input=True,
        use_hook_mlp_in=True,
        init_weights=False,
        device="cpu",
    )
    model = HookedTransformer(config, move_to_device=False)
    model.load_state_dict(renamed(shape, weights), strict=False)  # strict would ask for its masks
    model.requires_grad_(False)  # gradients go to what the parts read; one weight at the start is enough to have them
    model.pos_embed.W_pos.requires_grad_(True)
    return model.eval()


def renamed(shape: dict[str, Any], weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights under TransformerLens' names and in its shapes."""
    found = {
        "embed.W_E": weights["embed.weight"],
        "pos_embed.W_pos": weights.get("position.weight", torch.zeros(shape["context"], shape["width"])),
        "unembed.W_U": weights["unembed.weight"].T,
        "unembed.b_U": torch.zeros(shape["vocab"]),
    }
    each = (shape["heads"], shape["d_head"])
    for layer in range(shape["layers"]):
        attn = f"blocks.{layer}.attn"
        for name, letter in (("query", "Q"), ("key", "K"), ("value", "V")):
            found[f"{attn}.W_{letter}"] = weights[f"{attn}.{name}.weight"].unflatten(0, each).transpose(1, 2)
            found[f"{attn}.b_{letter}"] = weights[f"{attn}.{name}.bias"].unflatten(0, each)
        found[f"{attn}.W_O"] = weights[f"{attn}.out.weight"].T.unflatten(0, each)
        found[f"{attn}.b_O"] = weights[f"{attn}.out.bias"]
        for name, end in (("up", "in"), ("down", "out")):
            found[f"blocks.{layer}.mlp.W_{end}"] = weights[f"blocks.{layer}.mlp.{name}.weight"].T
            found[f"blocks.{layer}.mlp.b_{end}"] = weights[f"blocks.{layer}.mlp.{name}.bias"]
    return found


if __name__ == "__main__":
    answer()
