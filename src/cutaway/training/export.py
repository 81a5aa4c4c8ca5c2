"""A trained transformer as a folder: in our own format, or as an ordinary Hugging Face model.

Our shape with RMS norms and rotary positions is Hugging Face's *Arcee* (Llama with an ungated MLP), so the second
needs no code beside transformers itself. Nothing is ever unpickled.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from cutaway.runs.folder import writing
from cutaway.training.tokenizer import BOS, PAD, read_tokenizer
from cutaway.training.transformer import Shape, Transformer

if TYPE_CHECKING:
    from tokenizers import Tokenizer

FORMAT = "cutaway.Transformer"
FILES = ("config.json", "model.safetensors", "tokenizer.json")


class Loaded(NamedTuple):
    """A network in evaluation mode and its tokenizer."""

    network: Transformer
    tokenizer: Tokenizer


def save(network: Transformer, tokenizer: Tokenizer, folder: Path | str, dtype: torch.dtype | None = None) -> Path:
    """Write `config.json` (the shape), `model.safetensors` and `tokenizer.json`; gives the folder.

    `dtype` rounds the stored weights, for instance to torch.float16. The folder must not exist or be empty.
    """
    with writing(folder) as beside:
        config = {"format": FORMAT, **asdict(network.shape)}
        (beside / "config.json").write_text(json.dumps(config, indent=1) + "\n")
        save_file(stored(network.state_dict(), dtype), beside / "model.safetensors")
        tokenizer.save(str(beside / "tokenizer.json"))
    return Path(folder)


def load(folder: Path | str) -> Loaded:
    """What `save` wrote, as float32 in evaluation mode.

    Raises FileNotFoundError for a missing file, ValueError for a folder of another format or weights that do not fit.
    """
    folder = Path(folder)
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise FileNotFoundError(
            f"{folder} lacks {', '.join(missing)}; expected a folder written by training.export.save"
        )
    config = json.loads((folder / "config.json").read_text())
    if config.pop("format", None) != FORMAT:
        raise ValueError(
            f"{folder}/config.json is not of format {FORMAT}; a Hugging Face folder opens with cutaway.open"
        )
    network = Transformer(Shape(**config))
    try:
        network.load_state_dict(load_file(folder / "model.safetensors"))
    except (RuntimeError, SafetensorError) as damage:
        raise ValueError(f"{folder}/model.safetensors is damaged or not of this shape: {damage}") from damage
    return Loaded(network.eval(), read_tokenizer((folder / "tokenizer.json").read_text()))


def export_hugging_face(network: Transformer, folder: Path | str, tokenizer: Tokenizer | None = None) -> Path:
    """Write a folder that `AutoModelForCausalLM` (and, with a tokenizer, `AutoTokenizer`) loads, with equal logits.

    Needs RMS norms, rotary positions and a width that the heads divide; raises ValueError for other shapes. A `scale`
    of q·k other than 1/√d_head is folded into the query weights.
    """
    shape = network.shape
    if shape.norm != "rms" or shape.positions != "rotary" or shape.width % shape.heads:
        raise ValueError(
            "Hugging Face has no architecture of this shape; expected norm='rms', positions='rotary' and a width that "
            f"the heads divide, given {shape}; try training.export.save"
        )
    with writing(folder) as beside:
        (beside / "config.json").write_text(json.dumps(arcee_config(shape), indent=1) + "\n")
        save_file(arcee_weights(network), beside / "model.safetensors", metadata={"format": "pt"})
        if tokenizer is not None:
            tokenizer.save(str(beside / "tokenizer.json"))
            (beside / "tokenizer_config.json").write_text(json.dumps(tokenizer_config(shape), indent=1) + "\n")
    return Path(folder)


def arcee_config(shape: Shape) -> dict:
    """The `config.json` of a shape in Hugging Face's names."""
    return {
        "architectures": ["ArceeForCausalLM"],
        "model_type": "arcee",
        "vocab_size": shape.vocab,
        "hidden_size": shape.width,
        "intermediate_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.heads,
        "head_dim": shape.d_head,
        "hidden_act": shape.act,
        "max_position_embeddings": shape.context,
        "rms_norm_eps": 1e-6,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0},
        "attention_bias": shape.bias,
        "mlp_bias": shape.bias,
        "tie_word_embeddings": False,
        "bos_token_id": 0,
        "eos_token_id": None,
        "pad_token_id": 1 if shape.vocab > 1 else None,
        "dtype": "float32",
    }


def tokenizer_config(shape: Shape) -> dict:
    """The `tokenizer_config.json` beside a `tokenizer.json`; padding goes on the left."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": BOS,
        "pad_token": PAD,
        "padding_side": "left",
        "model_max_length": shape.context,
        "clean_up_tokenization_spaces": False,
    }


ARCEE_NAMES = {
    "embed.": "model.embed_tokens.",
    "norm.": "model.norm.",
    "unembed.": "lm_head.",
    "norm_attn.": "input_layernorm.",
    "norm_mlp.": "post_attention_layernorm.",
    "attn.query.": "self_attn.q_proj.",
    "attn.key.": "self_attn.k_proj.",
    "attn.value.": "self_attn.v_proj.",
    "attn.out.": "self_attn.o_proj.",
    "mlp.up.": "mlp.up_proj.",
    "mlp.down.": "mlp.down_proj.",
}


def arcee_weights(network: Transformer) -> dict[str, Tensor]:
    """The weights under Hugging Face's names; q/k/v/out and up/down keep their layout."""
    shape = network.shape
    stretch = 1.0 if shape.scale is None else shape.scale * shape.d_head**0.5
    weights = {}
    for name, weight in stored(network.state_dict(), torch.float32).items():
        block, inside = name.split(".", 2)[1:] if name.startswith("blocks.") else ("", name)
        *module, leaf = inside.split(".")
        renamed = ARCEE_NAMES[".".join(module) + "."] + leaf
        key = f"model.layers.{block}.{renamed}" if block else renamed
        weights[key] = weight * stretch if ".attn.query." in f".{inside}" else weight
    return weights


def stored(weights: dict[str, Tensor], dtype: torch.dtype | None) -> dict[str, Tensor]:
    """The weights as safetensors takes them: contiguous, on the CPU, in `dtype`."""
    return {name: weight.detach().to("cpu", dtype or weight.dtype).contiguous() for name, weight in weights.items()}
