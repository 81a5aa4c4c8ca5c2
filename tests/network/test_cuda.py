"""On a GPU: the sweep is the loop there too, in float32 and in bfloat16; a network spread by a device map runs."""

from __future__ import annotations

import copy

import pytest
import torch

import cutaway as cw
from cutaway.network import ZERO, Edit, LogitDifference, Site, Variant, gradients, sweep, wrap

from .zoo import NAMED, Digits, inputs, module

pytestmark = [pytest.mark.cuda, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")]
NEAR = {torch.float32: 1e-4, torch.bfloat16: 5e-2}
METRIC = LogitDifference(torch.tensor([5, 6]), torch.tensor([50, 51]))


@pytest.fixture(autouse=True)
def full_precision() -> None:
    torch.backends.cuda.matmul.allow_tf32 = False


@pytest.mark.parametrize("dtype", NEAR, ids=str)
@pytest.mark.parametrize("name", ["GPT-2", "Llama", "Gemma 2", "Mixtral", "BERT"])
@pytest.mark.parametrize("select", [{}, {"pos": -1}], ids=["all positions", "last position"])
def test_the_sweep_is_the_loop(name: str, dtype: torch.dtype, select: dict[str, int]) -> None:
    net = wrap(copy.deepcopy(module(name)).to("cuda", dtype), feed=Digits())
    ids = inputs(NAMED[name])
    variants = [Variant((Edit(Site("z", layer).at(head=h, **select), ZERO),)) for layer in (0, 1) for h in range(4)]
    swept = sweep(net, ids, variants, METRIC)
    rows = torch.arange(2, device="cuda")
    loop = torch.stack([METRIC(net.run(ids, v.edits).output, rows).cpu() for v in variants])
    assert swept.value.device.type == "cpu"
    assert dtype == torch.bfloat16 or swept.notes == ()
    assert torch.allclose(swept.value, loop, atol=NEAR[dtype] * float(loop.abs().max()), rtol=0)


def test_a_half_billion_parameters_on_a_device_map_are_swept(tmp_path) -> None:
    pytest.importorskip("accelerate")
    import transformers as hf

    config = hf.Qwen2Config(
        vocab_size=151936,
        hidden_size=896,
        num_hidden_layers=24,
        num_attention_heads=14,
        num_key_value_heads=2,
        intermediate_size=4864,
        tie_word_embeddings=True,
    )
    torch.manual_seed(0)
    with torch.device("cuda"):
        hf.Qwen2ForCausalLM(config).to(torch.bfloat16).save_pretrained(tmp_path)
    ids = torch.randint(0, 1000, (34, 16))
    net = cw.open(tmp_path, feed=Digits(), reference=ids[2:].tolist(), device="auto")
    trace = cw.trace(net, cw.Decision(ids[:2], answer=5, instead=50), ["z.0[head=0]", "mlp_out.23"], nulls=0)
    assert len(trace.nodes) == 2
    rerun = cw.without(net, trace.decision, "mlp_out.23", tokens=2)
    assert rerun.receipts[0].fired > 0
    ids = ids[:2]
    variants = [Variant((Edit(Site("z", layer).at(head=h), ZERO),)) for layer in (0, 12, 23) for h in (0, 13)]
    swept = sweep(net, ids, variants, METRIC)
    assert bool(torch.isfinite(swept.value).all())
    assert float(swept.effect.abs().max()) > 0
    assert gradients(net, ids, ["z.0"], METRIC).gradient["z.0"].shape == (2, 16, 14, 64)
