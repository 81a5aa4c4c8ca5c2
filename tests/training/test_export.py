"""Saving and exporting: what is loaded gives the same logits."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from cutaway.runs.folder import RunError
from cutaway.training.export import export_hugging_face, load, save
from cutaway.training.tokenizer import train_tokenizer
from cutaway.training.transformer import Shape, Transformer

TOKENIZER = train_tokenizer(["x = ['abc', (1, 2)]\n    return x\n"] * 5, 300)
SHAPE = Shape(
    vocab=TOKENIZER.get_vocab_size(), context=32, width=32, layers=2, heads=4, d_head=8, hidden=48, norm="rms"
)


def random_network(shape: Shape) -> Transformer:
    """Weights large enough that a wrong layout or constant would show, gains away from 1, biases away from 0."""
    network = Transformer(shape, seed=1).eval()
    torch.manual_seed(0)
    for name, weight in network.named_parameters():
        if weight.ndim == 1:
            nn.init.normal_(weight, mean=1.0 if "norm" in name else 0.0, std=0.5)
        elif "embed" in name:
            nn.init.normal_(weight, std=1.0)
    return network


def test_a_saved_network_loads_equal_bit_for_bit(tmp_path: Path):
    network = random_network(SHAPE)
    loaded = load(save(network, TOKENIZER, tmp_path / "model"))
    ids = torch.arange(64).view(2, 32)
    assert torch.equal(loaded.network(ids), network(ids))
    assert loaded.network.shape == SHAPE
    assert loaded.tokenizer.encode("x = 'a").ids == TOKENIZER.encode("x = 'a").ids
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model"]


@pytest.mark.parametrize(
    "change",
    [{"norm": "none"}, {"positions": "learned"}, {"positions": "none", "bias": True, "act": "relu", "scale": 2.0}],
)
def test_every_shape_can_be_saved_and_loaded(tmp_path: Path, change):
    network = random_network(replace(SHAPE, **change))
    ids = torch.arange(64).view(2, 32)
    assert torch.equal(load(save(network, TOKENIZER, tmp_path / "model")).network(ids), network(ids))


def test_stored_as_float16_the_weights_are_rounded_and_load_as_float32(tmp_path: Path):
    network = random_network(SHAPE)
    loaded = load(save(network, TOKENIZER, tmp_path / "model", torch.float16)).network
    for name, weight in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], weight.half().float())


@pytest.mark.parametrize("change", [{}, {"bias": True, "act": "relu"}, {"scale": 0.1}, {"d_head": 16}])
@pytest.mark.parametrize("length", [1, 32])
def test_hugging_face_loads_the_export_with_equal_logits(tmp_path: Path, change, length):
    transformers = pytest.importorskip("transformers")
    network = random_network(replace(SHAPE, **change))
    theirs = transformers.AutoModelForCausalLM.from_pretrained(export_hugging_face(network, tmp_path / "hf"))
    ids = torch.randint(SHAPE.vocab, (3, length), generator=torch.Generator().manual_seed(0))
    ours = network(ids)
    assert ours.std() > 1
    torch.testing.assert_close(theirs(ids).logits, ours, atol=1e-5, rtol=1e-5)


def test_hugging_face_agrees_on_a_left_padded_batch_and_on_the_tokens(tmp_path: Path):
    transformers = pytest.importorskip("transformers")
    network = random_network(SHAPE)
    folder = export_hugging_face(network, tmp_path / "hf", TOKENIZER)
    theirs = transformers.AutoModelForCausalLM.from_pretrained(folder)
    batch = transformers.AutoTokenizer.from_pretrained(folder)(["x = ['ab", "x"], padding=True, return_tensors="pt")
    assert batch.input_ids[0].tolist() == TOKENIZER.encode("x = ['ab").ids
    assert batch.attention_mask[1].tolist() == [0] * (batch.input_ids.shape[1] - 2) + [1, 1]
    real = batch.attention_mask.bool()
    ours = network(batch.input_ids, batch.attention_mask)
    logits = theirs(input_ids=batch.input_ids, attention_mask=batch.attention_mask).logits
    torch.testing.assert_close(logits[real], ours[real], atol=1e-5, rtol=1e-5)
    alone = network(torch.tensor([TOKENIZER.encode("x").ids]))
    torch.testing.assert_close(ours[1, -1], alone[0, -1], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("change", [{"norm": "none"}, {"positions": "learned"}, {"positions": "none"}, {"heads": 3}])
def test_a_shape_that_hugging_face_lacks_is_refused(tmp_path: Path, change):
    with pytest.raises(ValueError, match="no architecture of this shape"):
        export_hugging_face(Transformer(replace(SHAPE, **change)), tmp_path / "hf")
    assert not list(tmp_path.iterdir())


def test_a_folder_with_something_in_it_is_not_overwritten(tmp_path: Path):
    save(random_network(SHAPE), TOKENIZER, tmp_path / "model")
    with pytest.raises(RunError, match="expected a free name"):
        save(random_network(SHAPE), TOKENIZER, tmp_path / "model")


def test_an_error_while_writing_leaves_nothing(tmp_path: Path):
    with pytest.raises(AttributeError):
        save(random_network(SHAPE), None, tmp_path / "model")  # type: ignore
    assert not list(tmp_path.iterdir())


def test_a_missing_file_a_foreign_folder_and_damaged_weights_are_named(tmp_path: Path):
    folder = save(random_network(SHAPE), TOKENIZER, tmp_path / "model")
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[:1000])
    with pytest.raises(ValueError, match=r"model.safetensors is damaged"):
        load(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"lacks model\.safetensors"):
        load(folder)
    (folder / "model.safetensors").write_bytes(weights)
    (folder / "config.json").write_text('{"model_type": "llama"}')
    with pytest.raises(ValueError, match="not of format"):
        load(folder)
