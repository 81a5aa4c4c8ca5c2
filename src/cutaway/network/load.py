"""Opening networks: from a Hugging Face folder or id, or around a module that is already there.

Nothing is unpickled: safetensors and JSON only. What cannot be read truthfully is refused here, with what to do.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cutaway.network.batch import Feed, TextFeed, Tokenizer, Wrapped, parameters_of, tensor_batch
from cutaway.network.given import context_of, first_position
from cutaway.network.network import Network

ISA = "ONEDNN_MAX_CPU_ISA"


class OpenError(ValueError):
    """A network that cannot be opened."""


def wrap(
    module: nn.Module,
    feed: Any = None,
    reference: Any = None,
    name: str | None = None,
    sites: Mapping[str, str] | None = None,
    source: str | None = None,
) -> Network:
    """A `Network` around any torch module.

    `feed` is a tokenizer (text in), a function from your inputs to tensors, or None (tensors in). `reference` are inputs
    of the same kind, for means, donors and nulls. `sites` declares places that cannot be found by watching.
    `source` is where the module came from, a folder or hub id, if that is known.
    """
    original = getattr(module, "_orig_mod", None)
    if isinstance(original, nn.Module):  # torch.compile: hooks added after the first call would silently never fire
        module = original
    _check(module)
    declared = sites if sites is not None else getattr(module, "sites", None)
    places = declared if isinstance(declared, Mapping) else None
    return Network(module, _feed(module, feed), reference, name or type(module).__name__, places, source)


def _feed(module: nn.Module, feed: Any) -> Feed:
    if feed is None:
        return tensor_batch
    if isinstance(feed, TextFeed):
        return feed
    if hasattr(feed, "encode") and hasattr(feed, "decode"):
        tokenizer: Tokenizer = feed if _is_plain(feed) else Wrapped(feed)
        return TextFeed(tokenizer, parameters_of(module), _pad(feed), context_of(module), first_position(module))
    if callable(feed):
        return lambda inputs: tensor_batch(feed(inputs))
    raise OpenError(f"feed is a {type(feed).__name__}; expected a tokenizer, or a function from your inputs to tensors")


def _is_plain(tokenizer: Any) -> bool:
    return not type(tokenizer).__module__.startswith(("transformers", "tokenizers"))


def _pad(tokenizer: Any) -> int:
    for name in ("pad_token_id", "eos_token_id", "bos_token_id"):
        if isinstance(value := getattr(tokenizer, name, None), int):
            return value
    return 0


def pretrained(where: str, dtype: torch.dtype | None = None, device: str | None = None) -> tuple[nn.Module, Any]:
    """The module and tokenizer of a Hugging Face folder or id; `device="auto"` spreads a large one over what there is."""
    try:
        import transformers
    except ImportError as error:
        raise OpenError(
            'opening Hugging Face networks needs transformers; install it with: pip install "cutaway[hf]"'
        ) from error
    folder = Path(where).expanduser()
    if not folder.is_dir() and (where.startswith((".", "/", "~")) or where.count("/") > 1):
        raise OpenError(
            f"there is no folder {where!r}; expected a folder with config.json and *.safetensors, or a hub id such as 'gpt2'"
        )
    if folder.is_dir() and not (folder / "config.json").is_file():
        raise OpenError(f"{where!r} holds no config.json; expected a Hugging Face folder, or one that cutaway wrote")
    source = str(folder) if folder.is_dir() else where
    try:
        config = transformers.AutoConfig.from_pretrained(source)
        kind = _kind(transformers, config)
        options: dict[str, Any] = {"use_safetensors": True, "dtype": dtype or "auto"}
        if device is not None:
            options["device_map"] = device
        module = kind.from_pretrained(source, **options)
    except (OSError, ValueError, ImportError) as error:
        raise OpenError(
            f"cannot open {where!r}: {_first_line(error)}; expected a folder with config.json and *.safetensors, "
            "a hub id that this machine can reach or has cached, or 'organism:NAME'"
        ) from error
    try:
        tokenizer: Any = transformers.AutoTokenizer.from_pretrained(source)
    except (OSError, ValueError, ImportError, KeyError, TypeError, AttributeError):
        tokenizer = None  # images, audio, or a folder without one: the user gives a feed
    return module, tokenizer


def _kind(transformers: Any, config: Any) -> Any:
    """The class that a checkpoint was saved from, if transformers has it; else a language model or the bare body."""
    for name in getattr(config, "architectures", None) or []:
        if hasattr(transformers, name):
            return getattr(transformers, name)
    known = transformers.models.auto.modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    return transformers.AutoModelForCausalLM if config.model_type in known else transformers.AutoModel


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _check(module: nn.Module) -> None:
    if not isinstance(module, nn.Module):
        raise OpenError(f"expected a torch.nn.Module, a folder or a name, and got a {type(module).__name__}")
    parameters = dict(module.named_parameters())
    if not parameters:
        raise OpenError(
            f"{type(module).__name__} has no parameters, so there is nothing in it to open; give the trained module itself"
        )
    for name, parameter in parameters.items():
        if parameter.device.type == "meta":
            if not any(hasattr(part, "_hf_hook") for part in module.modules()):
                raise OpenError(f"{name} is on the meta device: it has no values; load the weights first")
            continue
        if parameter.is_floating_point() and not _finite(parameter):
            raise OpenError(
                f"{name} holds NaN or infinite weights; a network like that has no decisions to trace: reload or retrain it"
            )
    if any(p.dtype == torch.bfloat16 and p.device.type == "cpu" for p in parameters.values()):
        check_bfloat16()


def _finite(x: Tensor) -> bool:
    """Whether all values are finite, in one pass: any NaN or infinity makes the sum of |x|·0 NaN."""
    return bool(torch.isfinite((x.detach() * 0).sum()))


@cache
def check_bfloat16(cpuinfo: str = "/proc/cpuinfo") -> None:
    """Refuses bfloat16 on a CPU that advertises AMX without granting it, where the first product is an illegal instruction.

    The product is tried in a process of its own, and only where AMX is advertised and oneDNN is not told to leave it.
    """
    flags = Path(cpuinfo).read_text() if Path(cpuinfo).exists() else ""
    if "amx_bf16" not in flags or os.environ.get(ISA):
        return
    code = "import torch; a = torch.ones(64, 64, dtype=torch.bfloat16); print(float((a @ a).sum()))"
    if subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=120, check=False).returncode < 0:
        raise OpenError(
            "this CPU advertises AMX but does not grant it, so a bfloat16 product would end this process; "
            f"set {ISA}=AVX512_CORE_BF16 before starting Python, or open the network with dtype=torch.float32"
        )
