"""A zoo of architectures: every family that the network package is tested on, built small from a random configuration.

Each entry states what is expected of it, so that the table test can fail: are there heads, is the residual stream a sum,
which points are missing and named so. `docs/architectures.md` is made from the same table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
import transformers as hf
from torch import Tensor, nn

from cutaway.network import Network, wrap

VOCABULARY, POSITIONS = 96, 48
hf.logging.set_verbosity_error()


class Digits:
    """A tokenizer whose tokens are written as numbers."""

    def encode(self, text: str) -> list[int]:
        return [int(word) for word in text.split()]

    def decode(self, ids: Sequence[int]) -> str:
        return " ".join(str(i) for i in ids)


@dataclass(frozen=True)
class Family:
    """One architecture and what is true of it.

    `inputs` is "text" (ids, padded), "pair" (encoder and decoder ids), "image" or "sound". `projection` is the matrix that
    reads the heads, with `{layer}`; empty where there are no heads. `missing` are the points that the layout must name.
    """

    name: str
    build: Callable[[], nn.Module]
    projection: str = ""
    additive: bool = True
    missing: tuple[str, ...] = ("mlp_pre",)
    inputs: str = "text"
    experts: bool = False
    causal: bool = True
    channel: str = ""  # a module whose channels are ablated, where there are no blocks

    @property
    def heads(self) -> bool:
        return bool(self.projection)

    def __str__(self) -> str:
        return self.name


def llama_like(**more: Any) -> dict[str, Any]:
    """The sizes that most configurations share: two blocks of four heads, two of them for keys and values."""
    sizes = {
        "vocab_size": VOCABULARY,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "intermediate_size": 48,
        "max_position_embeddings": POSITIONS,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
    }
    return {name: value for name, value in (sizes | more).items() if value is not None}


def bert_like(**more: Any) -> dict[str, Any]:
    """The sizes of encoders and of decoders without grouped keys."""
    return llama_like(num_key_value_heads=None, **more)


def _vision() -> dict[str, Any]:
    return {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 48,
        "image_size": 16,
        "patch_size": 4,
        "num_labels": 5,
    }


def _marks() -> dict[str, Any]:
    return {"vocab_size": VOCABULARY, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}


OWN, GATED, PARALLEL, SUMS, EXPERTS = (
    ("q", "k", "v"),
    ("mlp_pre",),
    ("resid_mid",),
    ("attn_out_post", "mlp_out_post"),
    ("mlp_act",),
)

ZOO = (
    Family(
        "GPT-2",
        lambda: hf.GPT2LMHeadModel(hf.GPT2Config(**_marks(), n_embd=32, n_layer=2, n_head=4, n_positions=POSITIONS)),
        "transformer.h.{layer}.attn.c_proj",
        missing=(),
    ),
    Family(
        "GPT-NeoX",
        lambda: hf.GPTNeoXForCausalLM(hf.GPTNeoXConfig(**bert_like())),
        "gpt_neox.layers.{layer}.attention.dense",
        missing=PARALLEL,
    ),
    Family(
        "GPT-J",
        lambda: hf.GPTJForCausalLM(
            hf.GPTJConfig(**_marks(), n_embd=32, n_layer=2, n_head=4, n_positions=POSITIONS, rotary_dim=4)
        ),
        "transformer.h.{layer}.attn.out_proj",
        missing=(*OWN, *PARALLEL),
    ),
    Family(
        "OPT",
        lambda: hf.OPTForCausalLM(
            hf.OPTConfig(
                **_marks(),
                hidden_size=32,
                num_hidden_layers=2,
                num_attention_heads=4,
                ffn_dim=48,
                max_position_embeddings=POSITIONS,
                word_embed_proj_dim=32,
            )
        ),
        "model.decoder.layers.{layer}.self_attn.out_proj",
        missing=(),
    ),
    Family(
        "Llama", lambda: hf.LlamaForCausalLM(hf.LlamaConfig(**llama_like())), "model.layers.{layer}.self_attn.o_proj"
    ),
    Family(
        "Mistral",
        lambda: hf.MistralForCausalLM(hf.MistralConfig(**llama_like(sliding_window=4))),
        "model.layers.{layer}.self_attn.o_proj",
    ),
    Family(
        "Qwen2", lambda: hf.Qwen2ForCausalLM(hf.Qwen2Config(**llama_like())), "model.layers.{layer}.self_attn.o_proj"
    ),
    Family(
        "Qwen3",
        lambda: hf.Qwen3ForCausalLM(hf.Qwen3Config(**llama_like(head_dim=8))),
        "model.layers.{layer}.self_attn.o_proj",
    ),
    Family(
        "Gemma 2",
        lambda: hf.Gemma2ForCausalLM(hf.Gemma2Config(**llama_like(head_dim=8))),
        "model.layers.{layer}.self_attn.o_proj",
    ),
    Family(
        "Gemma 3",
        lambda: hf.Gemma3ForCausalLM(hf.Gemma3TextConfig(**llama_like(head_dim=8, sliding_window=4))),
        "model.layers.{layer}.self_attn.o_proj",
    ),
    Family(
        "Phi",
        lambda: hf.PhiForCausalLM(hf.PhiConfig(**bert_like())),
        "model.layers.{layer}.self_attn.dense",
        missing=PARALLEL,
    ),
    Family("Phi-3", lambda: hf.Phi3ForCausalLM(hf.Phi3Config(**llama_like())), "model.layers.{layer}.self_attn.o_proj"),
    Family(
        "Falcon, rotary",
        lambda: hf.FalconForCausalLM(
            hf.FalconConfig(**_marks(), hidden_size=32, num_hidden_layers=2, num_attention_heads=4)
        ),
        "transformer.h.{layer}.self_attention.dense",
        missing=(*OWN, *PARALLEL),
    ),
    Family(
        "Falcon, alibi",
        lambda: hf.FalconForCausalLM(
            hf.FalconConfig(
                **_marks(), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, alibi=True, parallel_attn=False
            )
        ),
        "transformer.h.{layer}.self_attention.dense",
        missing=OWN,
    ),
    Family(
        "Bloom",
        lambda: hf.BloomForCausalLM(hf.BloomConfig(**_marks(), hidden_size=32, n_layer=2, n_head=4)),
        "transformer.h.{layer}.self_attention.dense",
        missing=OWN,
    ),
    Family(
        "MPT",
        lambda: hf.MptForCausalLM(
            hf.MptConfig(vocab_size=VOCABULARY, d_model=32, n_layers=2, n_heads=4, max_seq_len=POSITIONS)
        ),
        "transformer.blocks.{layer}.attn.out_proj",
        missing=OWN,
    ),
    Family(
        "StableLM",
        lambda: hf.StableLmForCausalLM(hf.StableLmConfig(**llama_like())),
        "model.layers.{layer}.self_attn.o_proj",
    ),
    Family("OLMo", lambda: hf.OlmoForCausalLM(hf.OlmoConfig(**llama_like())), "model.layers.{layer}.self_attn.o_proj"),
    Family(
        "OLMo 2", lambda: hf.Olmo2ForCausalLM(hf.Olmo2Config(**llama_like())), "model.layers.{layer}.self_attn.o_proj"
    ),
    Family(
        "Granite",
        lambda: hf.GraniteForCausalLM(hf.GraniteConfig(**llama_like(residual_multiplier=0.22, logits_scaling=3.0))),
        "model.layers.{layer}.self_attn.o_proj",
    ),
    Family(
        "Cohere",
        lambda: hf.CohereForCausalLM(hf.CohereConfig(**llama_like())),
        "model.layers.{layer}.self_attn.o_proj",
        missing=(*GATED, *PARALLEL),
    ),
    Family(
        "Mixtral",
        lambda: hf.MixtralForCausalLM(hf.MixtralConfig(**llama_like(num_local_experts=4))),
        "model.layers.{layer}.self_attn.o_proj",
        missing=EXPERTS,
        experts=True,
    ),
    Family(
        "Qwen2-MoE",
        lambda: hf.Qwen2MoeForCausalLM(
            hf.Qwen2MoeConfig(
                **llama_like(
                    num_experts=4, num_experts_per_tok=2, moe_intermediate_size=16, shared_expert_intermediate_size=24
                )
            )
        ),
        "model.layers.{layer}.self_attn.o_proj",
        missing=EXPERTS,
        experts=True,
    ),
    Family(
        "gpt-oss",
        lambda: hf.GptOssForCausalLM(
            hf.GptOssConfig(**llama_like(num_local_experts=4, num_experts_per_tok=2, head_dim=8, sliding_window=4))
        ),
        "model.layers.{layer}.self_attn.o_proj",
        missing=EXPERTS,
        experts=True,
    ),
    Family(
        "Mamba",
        lambda: hf.MambaForCausalLM(hf.MambaConfig(**_marks(), hidden_size=32, num_hidden_layers=2, state_size=8)),
        missing=("z", "attn_out", "mlp_out", "mlp_act", "resid_mid"),
    ),
    Family(
        "Jamba",
        lambda: hf.JambaForCausalLM(
            hf.JambaConfig(
                **llama_like(
                    num_experts=2,
                    expert_layer_period=2,
                    expert_layer_offset=1,
                    attn_layer_period=2,
                    attn_layer_offset=1,
                    mamba_d_state=8,
                    mamba_dt_rank=4,
                    use_mamba_kernels=False,
                )
            )
        ),
        "model.layers.{layer}.self_attn.o_proj",
        missing=("z", *GATED, *EXPERTS),
        experts=True,
    ),
    Family(
        "BERT",
        lambda: hf.BertForMaskedLM(hf.BertConfig(**bert_like())),
        "bert.encoder.layer.{layer}.attention.output.dense",
        additive=False,
        missing=SUMS,
        causal=False,
    ),
    Family(
        "RoBERTa",
        lambda: hf.RobertaForMaskedLM(hf.RobertaConfig(**bert_like())),
        "roberta.encoder.layer.{layer}.attention.output.dense",
        additive=False,
        missing=SUMS,
        causal=False,
    ),
    Family(
        "DistilBERT",
        lambda: hf.DistilBertForMaskedLM(
            hf.DistilBertConfig(
                vocab_size=VOCABULARY, dim=32, hidden_dim=48, n_layers=2, n_heads=4, max_position_embeddings=POSITIONS
            )
        ),
        "distilbert.transformer.layer.{layer}.attention.out_lin",
        additive=False,
        missing=SUMS,
        causal=False,
    ),
    Family(
        "ModernBERT",
        lambda: hf.ModernBertForMaskedLM(
            hf.ModernBertConfig(**bert_like(local_attention=4, cls_token_id=1, sep_token_id=2))
        ),
        "model.layers.{layer}.attn.Wo",
        missing=GATED,
        causal=False,
    ),
    Family(
        "ALBERT",
        lambda: hf.AlbertForMaskedLM(hf.AlbertConfig(**bert_like(embedding_size=16))),
        additive=False,
        missing=("resid_post",),
        causal=False,
        channel="albert.encoder.albert_layer_groups.0.albert_layers.0.ffn_output",
    ),
    Family(
        "T5",
        lambda: hf.T5ForConditionalGeneration(
            hf.T5Config(
                vocab_size=VOCABULARY, d_model=32, d_kv=8, d_ff=48, num_layers=2, num_heads=4, decoder_start_token_id=0
            )
        ),
        "decoder.block.{layer}.layer.0.SelfAttention.o",
        missing=(),
        inputs="pair",
    ),
    Family(
        "BART",
        lambda: hf.BartForConditionalGeneration(
            hf.BartConfig(
                **_marks(),
                d_model=32,
                encoder_layers=2,
                decoder_layers=2,
                encoder_attention_heads=4,
                decoder_attention_heads=4,
                encoder_ffn_dim=48,
                decoder_ffn_dim=48,
                max_position_embeddings=POSITIONS,
            )
        ),
        "model.decoder.layers.{layer}.self_attn.out_proj",
        additive=False,
        missing=SUMS,
        inputs="pair",
    ),
    Family(
        "ViT",
        lambda: hf.ViTForImageClassification(hf.ViTConfig(**_vision())),
        "vit.layers.{layer}.attention.o_proj",
        missing=(),
        inputs="image",
        causal=False,
    ),
    Family(
        "Whisper encoder",
        lambda: hf.WhisperForAudioClassification(
            hf.WhisperConfig(
                vocab_size=VOCABULARY,
                d_model=32,
                encoder_layers=2,
                encoder_attention_heads=4,
                encoder_ffn_dim=48,
                num_mel_bins=8,
                max_source_positions=10,
                pad_token_id=0,
                num_labels=5,
                classifier_proj_size=16,
            )
        ),
        "encoder.layers.{layer}.self_attn.out_proj",
        missing=(),
        inputs="sound",
        causal=False,
    ),
    Family(
        "ResNet",
        lambda: hf.ResNetForImageClassification(
            hf.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[2, 1], layer_type="basic", num_labels=5)
        ),
        additive=False,
        missing=("resid_post",),
        inputs="image",
        causal=False,
        channel="resnet.encoder.stages.0.layers.1",
    ),
    Family(
        "ConvNeXt",
        lambda: hf.ConvNextForImageClassification(
            hf.ConvNextConfig(hidden_sizes=[8, 16], depths=[2, 1], num_stages=2, patch_size=2, num_labels=5)
        ),
        additive=False,
        missing=("resid_post",),
        inputs="image",
        causal=False,
        channel="convnext.encoder.stages.0.layers.0.dwconv",
    ),
)
NAMED = {family.name: family for family in ZOO}


@cache
def module(name: str) -> nn.Module:
    """The module of a family, with weights large enough for every part to matter."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        built = NAMED[name].build().eval()
        for label, parameter in built.named_parameters():
            if parameter.ndim > 1:
                torch.nn.init.normal_(parameter, std=0.15)
            elif "layer_scale" in label:
                torch.nn.init.ones_(parameter)
    return built


def network(family: Family) -> Network:
    """The family as a network of its own, its layout not yet looked for."""
    feed = Digits() if family.inputs == "text" else None
    return wrap(module(family.name), feed=feed, reference=inputs(family), name=family.name)


def inputs(family: Family, rows: int = 2, length: int = 6) -> Any:
    """Inputs of equal length, always the same ones."""
    seeded = torch.Generator().manual_seed(1)
    ids = torch.randint(3, VOCABULARY, (rows, length), generator=seeded)
    if family.inputs == "text":
        return ids
    if family.inputs == "pair":
        return {"input_ids": ids, "decoder_input_ids": ids.flip(1)[:, : length - 1].contiguous()}
    if family.inputs == "sound":
        return {"input_features": torch.randn(rows, 8, 20, generator=seeded)}
    return {"pixel_values": torch.randn(rows, 3, 16, 16, generator=seeded)}


def output_of(out: Any) -> Tensor:
    """The logits of whatever came out."""
    return out if isinstance(out, Tensor) else out.logits
