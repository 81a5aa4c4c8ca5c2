"""What any network would read: a twin with random weights, and a bag of words that has no network at all.

An untrained encoder reaches an AUROC of 0.94 to 1.00 on most concepts, since mean embeddings of random tokens are a bag of
words too; so READ is what a network reads better than these (sanity checks: Adebayo et al. 2018, arXiv 1810.03292; trained
against random networks: Heap et al. 2025, arXiv 2501.17727).
"""

from __future__ import annotations

import copy

import torch
from jaxtyping import Float
from torch import Tensor

from cutaway.concepts.read.question import Question
from cutaway.concepts.read.search import TIE, lowest
from cutaway.network import Network

PIECE = 2**22  # weights that are redrawn at once
WORDS = r"(?u)\w+|[^\w\s]"  # single characters and punctuation count: "is 3." is a statement too


def random_twin(net: Network, seed: int = 0) -> Network:
    """The same network with every parameter redrawn from a normal of its own mean and spread; the given one is untouched.

    Nothing is left of what training wrote but the scale of each tensor. Norms at their starting values stay (spread 0), and
    buffers (such as a batch norm's statistics) are kept. Raises ValueError for weights that are offloaded or quantised.
    """
    module = copy.deepcopy(net.module)
    drawn = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in module.named_parameters():
            if weight.device.type == "meta" or not weight.is_floating_point():
                raise ValueError(
                    f"{net.name}: {name} is offloaded or quantised, so it cannot be redrawn; expected plain float weights; "
                    "load the network whole (device='cpu'), or read it with twins=0"
                )
            _redraw(weight, drawn)
    return Network(module, net.feed, net.reference, f"{net.name}, random twin {seed}", net.declared)


def _redraw(weight: Tensor, drawn: torch.Generator) -> None:
    """In pieces, so that a large vocabulary takes no several times its memory in double precision."""
    pieces = weight.view(-1).split(PIECE) if weight.is_contiguous() else (weight,)
    mean = sum(float(one.double().sum()) for one in pieces) / weight.numel()
    spread = (sum(float((one.double() - mean).square().sum()) for one in pieces) / weight.numel()) ** 0.5
    for one in pieces:
        noise = torch.randn(one.shape, generator=drawn, dtype=torch.double).to(weight.device)
        one.copy_(noise.mul_(spread).add_(mean))


def bag_of_words(asked: Question) -> Float[Tensor, "rows"]:
    """The score of every row by TF-IDF of its words and couples of words, with logistic regression fitted to train.

    Two are fitted, against the negatives and against all contrasts; the better on val is given, as for a network.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    train = asked.by_split["train"]
    texts = [passage.text for passage in asked.passages]
    words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=WORDS, sublinear_tf=True)
    words.fit([text for text, is_train in zip(texts, train.tolist()) if is_train])
    x = words.transform(texts)
    found = []
    for last in sorted({1, len(asked.contrasts)}):
        rows = (train & (asked.sets <= last)).nonzero()[:, 0].numpy()
        fitted = LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000)
        fitted.fit(x[rows], (asked.sets[rows] == 0).numpy())
        found.append(torch.from_numpy(fitted.decision_function(x)).double())
    scores = torch.stack(found, 1)[..., None]
    best = int(lowest(scores, asked, asked.sets[None], "val", TIE).argmax())
    return scores[:, best, 0]
