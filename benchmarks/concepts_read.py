"""READ of every shipped concept, 20 permutations each, on a BERT-shaped encoder of 6 blocks and width 384 with random weights.

Two figures: the search from kept readings (the bar), and the reading itself, once for the network and once for its twin.
Floors, counted here and not timed: reading takes 2 operations per weight of the blocks and real token, and the products of
attention; the search reads every kept number once, makes one Gram matrix a site, and fits and scores each labelling in each
way once. `python benchmarks/run.py concepts_read`; a killed run goes on.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks.kept import Kept
from benchmarks.networks import sentence_encoder
from benchmarks.timing import say
from cutaway.concepts import Concept, library
from cutaway.concepts.read import Question, Reader, Reads, question, random_twin, read_all, reader
from cutaway.concepts.read.directions import RIDGES
from cutaway.concepts.read.tokens import tokens_of
from cutaway.network import Network, wrap

DEPENDS = ("network", "concepts/*.py", "concepts/read", "concepts_read.py", "networks.py")
MINUTES = 6.0
PERMUTATIONS, TWINS, SEED = 20, 1, 8001
SETTING = "library"


def measure(kept: Kept, repetitions: int) -> None:
    """The readings of both networks, kept concept by concept; then rounds of the search; then what it found."""
    concepts = list(library().values())
    asked = [question(concept) for concept in concepts]
    net = encoder(concepts)
    folder = Path(tempfile.gettempdir()) / f"cutaway-benchmark-readings-{kept.code}"
    known = kept.setting(SETTING)
    read_everything(kept, {"network": net, "twin": random_twin(net, SEED)}, asked, folder)
    rounds = known["seconds"].setdefault("search", [])
    walls = known.setdefault("wall", [])
    while len(rounds) < repetitions:
        cpu, wall = time.process_time(), time.perf_counter()
        found = read_all(net, concepts, PERMUTATIONS, folder, twins=TWINS, seed=SEED)
        rounds.append(time.process_time() - cpu)
        walls.append(time.perf_counter() - wall)
        known["facts"] = facts(net, asked, found, folder)
        kept.write()
        say(f"  search, round {len(rounds)} of {repetitions}: {rounds[-1]:.4g} s CPU, {walls[-1]:.4g} s wall")


def encoder(concepts: Sequence[Concept]) -> Network:
    """The encoder, with a vocabulary of the words of the concepts' training texts."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    words = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    words.normalizer, words.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    texts = [text for concept in concepts for text in concept.texts("train")]
    trainer = trainers.WordLevelTrainer(vocab_size=30_000, special_tokens=["[PAD]", "[UNK]"], show_progress=False)
    words.train_from_iterator(texts, trainer)
    return wrap(sentence_encoder().eval(), words, name="encoder")


def read_everything(kept: Kept, nets: dict[str, Network], asked: Sequence[Question], folder: Path) -> None:
    """Reads every passage with every network, and keeps the CPU seconds of each concept's share."""
    for name, net in nets.items():
        one = reader(net, folder)
        seconds = kept.setting(SETTING)["seconds"].setdefault(f"reading, {name}", {})
        for each in asked:
            if each.name in seconds and not missing(one, each):
                continue
            begun = time.process_time()
            one.fill([each.passages])
            seconds[each.name] = time.process_time() - begun
            kept.write()
        say(f"  reading, {name}: {sum(seconds.values()):.4g} s CPU")


def missing(one: Reader, asked: Question) -> bool:
    """Whether the kept readings lack some of this concept's (the folder was cleared since)."""
    return any(key not in one.shards for key in one.keys(asked.passages))


def facts(net: Network, asked: Sequence[Question], found: Reads, folder: Path) -> dict[str, Any]:
    """What the floors are, how fast this machine multiplies, and what was found."""
    rate = {name: multiplied(dtype) for name, dtype in (("float32", torch.float32), ("float64", torch.float64))}
    reads = list(found)
    return {
        "concepts": len(reads),
        "permutations": PERMUTATIONS,
        "twins": TWINS,
        "searched": reads[0].searched,
        "labellings": sum(1 + PERMUTATIONS * len(each.contrasts) for each in asked),
        "bytes kept": sum(path.stat().st_size for path in folder.rglob("*.safetensors")),
        "reading floor, operations a network": reading_floor(net, asked),
        "search floor, operations": sum(search_floor(each, net) for each in asked),
        "search floor, bytes": (1 + TWINS) * sum(len(each.passages) for each in asked) * sites(net) * width(net) * 4,
        "operations a second": rate,
        "topic only": [one.concept for one in reads if one.verdict == "topic only"],
        "highest READ": max(one.read for one in reads),
        "median READ": sorted(one.read for one in reads)[len(reads) // 2],
        "highest AUROC": max(one.lowest for one in reads),
        "AUROC of .9 and more against the negatives": sum(one.contrasts["AUROC"][0] >= 0.9 for one in reads),
        "median smallest READ seen": sorted(one.smallest for one in reads)[len(reads) // 2],
    }


def reading_floor(net: Network, asked: Sequence[Question]) -> int:
    """Operations of one pass over every distinct passage, no padding: 2 a weight and token, 4 · length² · width of attention."""
    passages = {passage for each in asked for passage in each.passages}
    lengths = [len(one.ids) for one in {(t.ids, t.places): t for t in tokens_of(net, list(passages))}.values()]
    blocks = net.module.encoder.layer
    matrices = sum(weight.numel() for weight in blocks.parameters() if weight.ndim == 2)
    return sum(2 * matrices * n + 4 * len(blocks) * n * n * width(net) for n in lengths)


def search_floor(asked: Question, net: Network) -> int:
    """Operations of the products of one concept's search: Gram matrices, fits and scores.

    For the network, its twins, and as many searches among random directions as there are permutations.
    """
    train = int(asked.by_split["train"].sum())
    contrasts = len(asked.contrasts)
    columns = (1 + PERMUTATIONS * contrasts + PERMUTATIONS + TWINS) * min(contrasts, 2)
    ways = 1 + len(RIDGES)
    gram = (1 + TWINS) * train * train
    fits = ways * columns * train
    scores = ways * columns * (len(asked.passages) - train)
    return 2 * sites(net) * width(net) * (gram + fits + scores)


def sites(net: Network) -> int:
    """What the first block reads, and what every block gives."""
    return 1 + len(net.module.encoder.layer)


def width(net: Network) -> int:
    """Numbers a token has at each site."""
    return net.module.config.hidden_size


def multiplied(dtype: torch.dtype) -> float:
    """Operations a second of a product as large as one layer's, the best of 5."""
    a, b = torch.randn(2048, 384, dtype=dtype), torch.randn(384, 1536, dtype=dtype)
    best = 0.0
    for _ in range(5):
        begun = time.process_time()
        for _ in range(4):
            a @ b
        best = max(best, 4 * 2 * 2048 * 384 * 1536 / (time.process_time() - begun))
    return best
