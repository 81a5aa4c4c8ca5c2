"""Opening: what cannot be read truthfully is refused at the door, with what to do."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

import cutaway as cw
from cutaway.network import ZERO, Edit, OpenError, Site, load, logits_of, pretrained, wrap

from .zoo import NAMED, Digits, inputs, module


def test_a_network_opened_from_a_folder_is_the_one_that_was_saved(tmp_path: Path) -> None:
    module("Llama").save_pretrained(tmp_path)
    opened, tokenizer = pretrained(str(tmp_path))
    ids = inputs(NAMED["Llama"])
    assert tokenizer is None
    assert type(opened) is type(module("Llama"))
    assert torch.equal(wrap(opened, feed=Digits())(ids).logits, wrap(module("Llama"), feed=Digits())(ids).logits)


def test_a_network_opened_on_a_device_map_runs(tmp_path: Path) -> None:
    pytest.importorskip("accelerate")
    module("Llama").save_pretrained(tmp_path)
    opened, _ = pretrained(str(tmp_path), device="cpu")
    ids = inputs(NAMED["Llama"])
    assert torch.equal(wrap(opened, feed=Digits())(ids).logits, wrap(module("Llama"), feed=Digits())(ids).logits)


def test_the_three_lines_run_on_a_device_map(tmp_path: Path) -> None:
    pytest.importorskip("accelerate")
    module("Llama").save_pretrained(tmp_path)
    ids = torch.randint(0, 90, (34, 6), generator=torch.Generator().manual_seed(0))
    net = cw.open(tmp_path, feed=Digits(), reference=ids[2:].tolist(), device="cpu")
    trace = cw.trace(net, cw.Decision(ids[:2], answer=5, instead=50), ["z.0[head=0]", "mlp_out.1"], nulls=0)
    assert len(trace.nodes) == 2
    assert cw.without(net, trace.decision, "mlp_out.1", tokens=2).receipts[0].fired > 0


def test_a_network_says_where_it_was_opened_from(tmp_path: Path) -> None:
    module("Llama").save_pretrained(tmp_path)
    assert cw.open(tmp_path, feed=Digits()).source == str(tmp_path)
    assert cw.open(tmp_path, feed=Digits(), reference=["1 2 3"]).source == str(tmp_path)
    assert wrap(module("Llama")).source is None


@pytest.mark.parametrize("where", ["./nowhere", "/no/such/folder", "~/nothing-here-at-all", "a/b/c"])
def test_a_folder_that_is_not_there_is_said_not_to_be_there(where: str) -> None:
    with pytest.raises(OpenError, match=r"there is no folder.*expected a folder with config.json"):
        pretrained(where)


def test_an_unknown_id_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    import transformers

    def refuse(source: str) -> None:
        raise OSError(f"{source} is not a local folder and is not a valid model identifier\nmore lines")

    monkeypatch.setattr(transformers.AutoConfig, "from_pretrained", refuse)
    with pytest.raises(
        OpenError, match=r"cannot open 'no-such-network': .*valid model identifier; expected a folder"
    ) as caught:
        pretrained("no-such-network")
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_config_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OpenError, match=r"holds no config\.json"):
        pretrained(str(tmp_path))


def test_a_folder_with_pickled_weights_only_is_refused(tmp_path: Path) -> None:
    module("Llama").save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(module("Llama").state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(OpenError, match="cannot open"):
        pretrained(str(tmp_path))


def test_a_module_without_parameters_is_refused() -> None:
    with pytest.raises(OpenError, match="ReLU has no parameters"):
        wrap(nn.ReLU())


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused_by_name(bad: float) -> None:
    broken = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    with torch.no_grad():
        broken[1].bias[0] = bad
    with pytest.raises(OpenError, match=r"1\.bias holds NaN or infinite"):
        wrap(broken)


def test_weights_without_values_are_refused() -> None:
    with torch.device("meta"):
        empty = nn.Linear(2, 2)
    with pytest.raises(OpenError, match="weight is on the meta device"):
        wrap(empty)


@pytest.mark.parametrize("thing", [3, "name", nn.Linear])
def test_what_is_no_module_is_refused(thing: object) -> None:
    load._check  # noqa: B018 (the check itself is below: the signature is checked first in tests)
    with pytest.raises((OpenError, TypeError)):
        wrap(thing)  # type: ignore[arg-type]


def test_a_feed_that_cannot_feed_is_refused() -> None:
    with pytest.raises(OpenError, match="feed is a int; expected a tokenizer"):
        wrap(nn.Linear(2, 2), feed=3)


# bfloat16 on a processor that promises what it does not give ------------------------------------------------------------


@pytest.fixture
def advertised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("flags : fpu avx512f amx_bf16 amx_tile\n")
    monkeypatch.delenv(load.ISA, raising=False)
    load.check_bfloat16.cache_clear()
    return str(cpuinfo)


def child(monkeypatch: pytest.MonkeyPatch, returncode: int) -> list:
    started: list = []

    def run(command: list[str], **_: object) -> SimpleNamespace:
        started.append(command)
        return SimpleNamespace(returncode=returncode)

    monkeypatch.setattr(subprocess, "run", run)
    return started


def test_a_processor_that_dies_of_a_bfloat16_product_is_found_out_in_a_child(
    advertised: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = child(monkeypatch, -4)  # killed by SIGILL
    with pytest.raises(OpenError, match="set ONEDNN_MAX_CPU_ISA=AVX512_CORE_BF16"):
        load.check_bfloat16(advertised)
    assert len(started) == 1


def test_a_processor_that_keeps_its_promise_is_asked_once(advertised: str, monkeypatch: pytest.MonkeyPatch) -> None:
    started = child(monkeypatch, 0)
    load.check_bfloat16(advertised)
    load.check_bfloat16(advertised)
    assert len(started) == 1


def test_nothing_is_tried_where_it_is_not_advertised_or_already_set(
    advertised: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started = child(monkeypatch, -4)
    (tmp_path / "old").write_text("flags : fpu avx2\n")
    load.check_bfloat16(str(tmp_path / "old"))
    load.check_bfloat16(str(tmp_path / "none"))
    monkeypatch.setenv(load.ISA, "AVX512_CORE_BF16")
    load.check_bfloat16(advertised)
    assert started == []


# compiled -------------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize("how", ["whole", "in place", "a part"])
def test_a_compiled_network_is_edited_like_the_plain_one(how: str) -> None:
    """The trap: a hook on a module that was compiled and called fires zero times, and the result is silently unedited."""
    import copy

    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.b(self.a(x))

    torch.manual_seed(0)
    plain, x = Two(), torch.randn(2, 3)
    compiled = copy.deepcopy(plain)
    site = Site.parse("path.a:out")
    if how == "whole":
        compiled = torch.compile(compiled, backend="eager")
    elif how == "in place":
        compiled.compile(backend="eager")
    else:
        compiled.a = torch.compile(compiled.a, backend="eager")
        site = Site.parse("path.a._orig_mod:out")
    with torch.no_grad():
        before = compiled(x)
    expected = logits_of(wrap(plain).run(x, [Edit(Site.parse("path.a:out"), ZERO)]).output)
    run = wrap(compiled).run(x, [Edit(site, ZERO)])
    assert run.receipts[0].fired == 1
    assert torch.allclose(run.output, expected)
    with torch.no_grad():
        assert torch.equal(compiled(x), before)
