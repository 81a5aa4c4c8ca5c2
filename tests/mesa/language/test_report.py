"""The report on networks whose answer is known: one copies labels, one knows nothing, some cannot be read."""

import io
from dataclasses import replace
from typing import ClassVar

import pytest
import torch
from torch import nn

from cutaway.mesa.language import (
    Features,
    InContext,
    Instructions,
    Lexicon,
    NoStream,
    Panel,
    Plan,
    Reader,
    Sorting,
    few_shot_report,
)
from cutaway.mesa.language.report import Answers
from cutaway.mesa.language.trained import answered
from cutaway.network import InputError, wrap
from cutaway.runs.progress import Lines

LEXICON = Lexicon.arbitrary(120, 7001)
WORDS = Sorting(LEXICON, shots=4, by="word")
PLAN = Plan(tasks=12, fit=12, hats=2, batch=64)


class Copying(nn.Module):
    """A block that finds the query's word among those shown and writes the label after it; then blocks that add nothing."""

    sites: ClassVar = {
        "resid_pre": "blocks.{layer}:in",
        "resid_post": "blocks.{layer}:out",
        "logits": "unembed:out",
    }

    def __init__(self, blocks: int = 3) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(nn.Identity() for _ in range(blocks))
        self.blocks[0] = Found()
        self.unembed = nn.Linear(240, 120, bias=False)
        self.unembed.weight.data = torch.eye(240)[120:]

    def forward(self, input_ids):
        x = torch.cat([nn.functional.one_hot(input_ids, 120).float(), torch.zeros(*input_ids.shape, 120)], -1)
        for block in self.blocks:
            x = block(x)
        return self.unembed(x)


class Found(nn.Module):
    """Induction: from the word before the last token, what came two after it."""

    def forward(self, x):
        words, read = x[:, :-3, :120], x[:, 2:-1, :120]
        same = torch.einsum("psv,pv->ps", words, x[:, -2, :120])
        found = torch.zeros_like(x)
        found[:, -1, 120:] = torch.einsum("ps,psv->pv", same, read)
        return x + found


@pytest.fixture(scope="module")
def untrained():
    made = InContext(Features(shots=6, inputs=120), layers=3, width=16, heads=2)
    return wrap(made.untrained(), name="untrained")


def test_what_copies_in_one_block_learns_in_one_layer():
    report = few_shot_report(wrap(Copying(), name="copying"), WORDS, plan=PLAN)
    assert report.learned
    assert report.panel("novel").by_labels.value == report.panel("novel").one_block.value == 1
    assert report.panel("novel").live == pytest.approx(1)
    assert report.signs.symmetry.value == pytest.approx(1)
    assert report.signs.growth.value == pytest.approx(0, abs=1e-6)
    assert "1.0 live layers of 3" in str(report)
    assert "not told apart from a one-shot smoother" in str(report)


def test_an_untrained_network_learned_nothing_and_the_report_says_so(untrained):
    report = few_shot_report(untrained, WORDS, Instructions(LEXICON), PLAN, seed=7001)
    assert not report.learned
    assert report.panel("novel").live == 0
    said = str(report)
    assert said.count("Nothing was learned from") == 2
    assert "these signs say nothing of how" in said


def panel(*readings, tasks="novel", network="given"):
    truth = WORDS.draw(20, 7001).truth
    course = torch.stack([reading * truth for reading in readings]).double()
    return Panel.of(network, tasks, Answers(course[-1], course[-1], course), WORDS.draw(20, 7001))


def test_a_layer_counts_as_live_only_where_it_helps_for_certain():
    helped = torch.ones(20)
    once = torch.where(torch.arange(20) == 3, 5.0, 1.0)
    assert panel(torch.zeros(20), helped, once).live == pytest.approx(1, abs=1e-9)
    assert panel(torch.zeros(20), 0.5 * helped, helped).live > 1.5


def test_no_layer_is_live_where_nothing_is_known_in_the_end():
    luck = torch.where(torch.arange(20) % 2 == 0, 1.0, -1.0)
    assert panel(torch.zeros(20), torch.ones(20), luck).live == 0


def test_a_task_known_by_heart_is_answered_but_not_by_its_labels():
    shots = WORDS.draw(20, 7001)
    right, nothing = shots.truth.double(), torch.zeros(20).double()
    found = Panel.of("given", "familiar", Answers(right, nothing, torch.stack([nothing, nothing])), shots)
    assert (found.accuracy.value, found.by_labels.value, found.live) == (1, 0.5, 0)


def test_worse_nulls_do_not_make_guessing_learning(untrained):
    guess, wrong = torch.where(torch.arange(20) % 2 == 0, 1.0, -1.0), -torch.ones(20)
    null = [("novel, labels dealt anew", "given"), ("novel", "random weights")]
    report = few_shot_report(untrained, WORDS, plan=PLAN)
    panels = (panel(guess, guess), *(panel(wrong, wrong, tasks=tasks, network=network) for tasks, network in null))
    assert not replace(report, panels=panels).learned
    assert replace(report, panels=(panel(-wrong, -wrong), *panels[1:])).learned


def test_every_figure_is_a_row_beside_its_nulls(untrained):
    rows = few_shot_report(untrained, WORDS, plan=PLAN, seed=7001).rows()
    found = {(row["network"], row["tasks"], row["figure"]) for row in rows}
    assert {("random weights", "novel", "accuracy"), ("given", "novel, labels dealt anew", "accuracy")} <= found
    assert {
        ("random weights", "novel", "hat symmetry"),
        ("given", "novel", "accuracy by the labels after one block"),
    } <= found


def test_as_many_prompts_are_read_as_progress_was_told_and_tokens_are_counted(untrained, monkeypatch):
    read, told = [], io.StringIO()
    forward = Reader._pass
    monkeypatch.setattr(Reader, "_pass", lambda self, ids: (read.append(ids.shape), forward(self, ids))[1])
    report = few_shot_report(untrained, WORDS, Instructions(LEXICON), PLAN, progress=Lines(told, every=0))
    total = sum(rows for rows, _ in read)
    assert report.tokens == sum(rows * length for rows, length in read)
    assert f"prompts: {total} of {total}, 100 %" in told.getvalue()


def test_the_reader_gives_the_networks_own_logit_difference(untrained):
    shots = WORDS.draw(5, 7001)
    reader = Reader.of(untrained, shots, batch=2)
    with torch.no_grad():
        logits = untrained.module(shots.ids)[:, -1].gather(1, shots.labels)
    found = (reader.streams(shots).final * reader.directions(shots.labels)).sum(1)
    torch.testing.assert_close(found, logits[:, 0] - logits[:, 1])


def test_more_demonstrations_than_the_context_holds_are_refused(untrained):
    with pytest.raises(InputError, match=r"10 demonstrations have 42 tokens.*at most 21; 4 demonstrations would fit"):
        few_shot_report(untrained, Sorting(LEXICON, shots=10))


class Pictures(nn.Module):
    """Takes no tokens."""

    def __init__(self):
        super().__init__()
        self.out = nn.Linear(4, 2)

    def forward(self, pixels):
        return self.out(pixels)


class Bag(nn.Module):
    """Takes tokens, but has no blocks."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(120, 4)

    def forward(self, input_ids):
        return self.words(input_ids).sum(1)


@pytest.mark.parametrize("kind", [Pictures, Bag])
def test_a_network_without_a_residual_stream_is_refused(kind):
    with pytest.raises(NoStream, match="no residual stream"):
        few_shot_report(wrap(kind()), WORDS)


def test_a_plan_of_nothing_is_refused():
    with pytest.raises(ValueError, match=r"Plan.tasks is 0; expected at least 2"):
        Plan(tasks=0)


def test_a_few_steps_of_training_lower_the_loss_and_leave_no_weights_to_chance():
    made = InContext(Features(shots=4, inputs=8, labels=4), layers=1, width=16, heads=2, steps=40, batch=16, lr=1e-2)
    network, losses = made.trained()
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])
    again, _ = replace(made).trained()
    assert all(torch.equal(a, b) for a, b in zip(network.module.parameters(), again.module.parameters(), strict=True))


def test_the_query_is_trained_on_as_the_demonstrations_are():
    shots = Features(shots=4).draw(3, 7001)
    before, answers = answered(shots)
    assert before.tolist() == [*(shots.slots - 1).tolist(), shots.length - 1]
    assert torch.equal(answers[:, -1], torch.where(shots.truth > 0, shots.labels[:, 0], shots.labels[:, 1]))
