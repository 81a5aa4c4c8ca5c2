"""A few texts of a concept with how strongly its best reader reads every token: what a READ looks at, to see with one's eyes.

Not chosen to please: of the positives the highest, the middle and the lowest, of every contrast the one most like a positive.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.concepts.read import Candidate, Question, Reader
from cutaway.concepts.read.tokens import tokens_of
from cutaway.network import Site, TextFeed
from cutaway.runs.table import Table

MOST_CONTRASTS = 6  # that texts are given of
MOST_TOKENS = 96  # of a text
COLUMNS = ("set", "place", "score", "tokens", "strengths", "left_out")


def examples(one: Reader, asked: Question, candidate: Candidate) -> Table:
    """Test texts as rows: set, place ("highest", …), score, tokens, `strengths` of the tokens, and how many were left out.

    Scores and strengths are in standard deviations of the test texts' scores, from their mean: the mean strength of the
    tokens that count is the score.
    """
    test = asked.by_split["test"].nonzero()[:, 0]
    site = next(site for site in one.sites if str(site) == candidate.site)
    scores = candidate.score(one.readings([asked.passages[i] for i in test.tolist()]).at(site))
    mean, spread = scores.mean(), scores.std(correction=0).clamp(min=1e-12)
    chosen = _chosen(scores, asked.sets[test], ("positives", *asked.contrasts))
    tokens = tokens_of(one.net, [asked.passages[int(test[place])] for _, _, place in chosen])
    read = _by_token(one, site, [list(each.ids) for each in tokens])
    feed = one.net.feed
    assert isinstance(feed, TextFeed)  # `tokens_of` has refused others
    rows = []
    for (name, where, place), each, h in zip(chosen, tokens, read):
        strengths = ((candidate.score(h) - mean) / spread).tolist()
        rows.append(
            {
                "set": name,
                "place": where,
                "score": round(float((scores[place] - mean) / spread), 3),
                "tokens": [feed.show(token) for token in each.ids[:MOST_TOKENS]],
                "strengths": [round(strength, 3) for strength in strengths[:MOST_TOKENS]],
                "left_out": max(0, len(each.ids) - MOST_TOKENS),
            }
        )
    return Table.of(rows, columns=COLUMNS)


def _chosen(scores: Float[Tensor, "test"], sets: Tensor, names: Sequence[str]) -> list[tuple[str, str, int]]:
    """Set, place and index of the texts that are shown."""
    found = []
    for number, name in enumerate(names[: 1 + MOST_CONTRASTS]):
        rows = (sets == number).nonzero()[:, 0]
        order = rows[scores[rows].argsort(descending=True, stable=True)].tolist()
        places = {"highest": 0, "middle": len(order) // 2, "lowest": len(order) - 1} if number == 0 else {"highest": 0}
        found += [(name, where, order[place]) for where, place in places.items()]
    return found


@torch.no_grad()
def _by_token(one: Reader, site: Site, ids: Sequence[list[int]]) -> list[Float[Tensor, "position *width"]]:
    """What is read at every token of each text."""
    read = one.net.read(one.net.batch(list(ids)), site)[str(site)].float().cpu()
    return [x[-len(each) :] for x, each in zip(read, ids)]  # batches are padded on the left
