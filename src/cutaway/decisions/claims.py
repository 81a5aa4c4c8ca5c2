"""What a trace claims, as lines that anyone can run again on other inputs.

A claim names an intervention (parts taken away, edges cut, everything but some edges cut), what changed, with its interval
and the number of examples, and a hash of the inputs. On m fresh examples the mean must lie in the *prediction* interval of
n old and m new ones, mean ± t s √(1/n + 1/m), and on the right side of the bound: beyond the floor for what is used, below
the limit for what is not needed.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from cutaway.decisions.circuit.circuit import Circuit, edge_name
from cutaway.decisions.circuit.cut import Cutter
from cutaway.decisions.circuit.find import is_used, over_draws
from cutaway.decisions.decision import Decision, DecisionError, Posed
from cutaway.decisions.estimate import Estimate, estimate
from cutaway.decisions.graph.graph import Graph, graph
from cutaway.decisions.trace import Trace
from cutaway.network import Network, Site, Variant, sweep
from cutaway.runs.table import Table
from cutaway.submodels import Baseline, as_submodel, baseline, take_away
from cutaway.submodels.baseline import Kind
from cutaway.submodels.submodel import sites_of

Intervention = Literal["without", "cut", "cut all but"]
DRAWS = 8
ROUNDING = 1e-3  # of a claim's limit, itself a hundredth of the total: an effect is known no better in single precision
CLAIMS = "claims.jsonl"


class ClaimError(ValueError):
    """Claims that cannot be read, or that are about another network."""


@dataclass(frozen=True)
class Claim:
    """One line: after `intervention` on `names`, the decision changes by `mean` [`low`, `high`] on `n` examples.

    `bound`: "beyond" ±`limit` (it is used), or its size "within" `limit` (it is not needed; then mean and interval are of
    the |change|). `inputs` is a hash of the prompts it was measured on, `baseline` what stood in, `source` what `cw.open`
    takes, `pieces` the parts that were nodes of their own.
    """

    intervention: Intervention
    names: tuple[str, ...]
    mean: float
    low: float
    high: float
    n: int
    bound: Literal["beyond", "within"]
    limit: float
    baseline: str
    network: str
    inputs: str
    seed: int
    source: str | None = None
    pieces: tuple[str, ...] = ()

    def line(self) -> str:
        """As one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    def predicted(self, fresh: int) -> tuple[float, float]:
        """Where the mean of `fresh` other examples lies, 95 % of the time; never narrower than the network computes."""
        wider, least = math.sqrt(1 + self.n / fresh), ROUNDING * self.limit
        below, above = (max(least, wider * half) for half in (self.mean - self.low, self.high - self.mean))
        return self.mean - below, self.mean + above

    def __str__(self) -> str:
        shown = ", ".join(self.names[:3]) + (f" and {len(self.names) - 3} more" if len(self.names) > 3 else "")
        return f"{self.intervention} {shown}"


def claims_of(trace: Trace) -> list[Claim]:
    """The claims of a trace: its used parts, its used edges, and what its circuit leaves out and cannot do without.

    None about edges where features or components were nodes: their names do not say what they are.
    """
    kind = trace.settings.get("baseline", "resample")
    about = (kind, trace.network, inputs_hash(trace.decision), trace.seed, trace.settings.get("source"))
    found = [
        Claim("without", (row["part"],), row["exact"], row["low"], row["high"], row["n"], "beyond", trace.floor, *about)
        for row in trace.nodes
        if row["state"] == "used" and row["within"] is None
    ]
    pieces = tuple(trace.settings.get("refined", ()))
    again = all(
        Site.maybe(piece) is not None for piece in pieces
    )  # features and components are not told by their names
    links = [] if trace.circuit is None or not again else _of_circuit(trace.circuit, about)
    return found + [replace(claim, pieces=pieces) for claim in links]


def _of_circuit(found: Circuit, about: tuple[str, str, str, int, str | None]) -> list[Claim]:
    lines = [
        Claim(
            "cut", (edge_name(row),), row["knockout"], row["low"], row["high"], row["n"], "beyond", found.floor, *about
        )
        for row in found.edges
        if row["state"] == "used"
    ]
    lines += [
        Claim(
            "cut",
            tuple(group["edges"]),
            *_interval(found.group_effects[group["group"]]),
            "beyond",
            found.floor,
            *about,
        )
        for group in found.groups
        if group["kind"] != "cancelling" and found.claimed and is_used(found.group_effects[group["group"]], found.floor)
    ]
    size, names = abs(found.total.mean), tuple(sorted(found.names))
    for check in found.checks:
        if check.what == "sufficient: everything else cut" and check.holds and found.claimed and check.moved.known:
            mean, low, high, n = _interval(check.moved)
            limit = check.limit * size
            lines.append(Claim("cut all but", names, mean * size, low * size, high * size, n, "within", limit, *about))
    return lines


def _interval(effect: Estimate) -> tuple[float, float, float, int]:
    return effect.mean, effect.low, effect.high, effect.n


def inputs_hash(decision: Decision) -> str:
    """A short hash of the prompts, the same for the same prompts."""
    inputs = decision.inputs
    inputs = inputs.tolist() if isinstance(inputs, Tensor) else inputs
    return hashlib.sha256(repr(inputs).encode()).hexdigest()[:16]


def read_claims(path: str | os.PathLike[str]) -> list[Claim]:
    """The claims in a file of lines, or of a saved trace's folder. Raises `ClaimError` that names the line."""
    where, found = Path(path), list[Claim]()
    where = where / CLAIMS if where.is_dir() else where
    if not where.is_file():
        raise ClaimError(f"{where} is no file; expected {CLAIMS} as a saved trace holds it (trace --out FOLDER)")
    for number, line in enumerate(where.read_text("utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            given: dict[str, Any] = json.loads(line)
            given |= {name: tuple(given.get(name, ())) for name in ("names", "pieces")}
            found.append(Claim(**given))
        except (json.JSONDecodeError, TypeError, KeyError) as error:
            raise ClaimError(
                f"line {number} is no claim ({error}); expected claims.jsonl as a saved trace holds it"
            ) from None
    if not found:
        raise ClaimError(
            f"{where} holds no claim: nothing was measured on four prompts or donors; trace several prompts, or more --draws"
        )
    return found


def verify(net: Network, claims: Sequence[Claim], decision: Decision, *, draws: int = DRAWS, seed: int = 1) -> Table:
    """Runs claims again on the inputs of `decision`, which should be fresh: one row a claim, `holds` where it stands.

    Raises `ClaimError` for claims that name parts or edges that this network does not have.
    """
    claims = read_claims(claims) if isinstance(claims, str | os.PathLike) else claims
    posed = decision.pose(net)
    net.locate(posed.batch)
    rows = []
    work = _Verification(net, posed, draws, seed)
    for claim in claims:
        effect = work.measured(claim)
        fresh = estimate(effect.abs() if claim.bound == "within" else effect)
        low, high = claim.predicted(fresh.n)
        side = abs(fresh.mean) > claim.limit if claim.bound == "beyond" else fresh.mean <= claim.limit
        inside = low <= fresh.mean <= high if claim.bound == "beyond" else fresh.mean <= max(high, claim.limit)
        rows.append(
            {
                "claim": str(claim),
                "predicted": claim.mean,
                "low": low,
                "high": high,
                "measured": fresh.mean,
                "n": fresh.n,
                "inside": low <= fresh.mean <= high,
                "holds": side and inside,
                "same inputs": claim.inputs == inputs_hash(decision),
            }
        )
    return Table.of(rows)


@dataclass
class _Verification:
    """Fresh inputs, and what stands in on them."""

    net: Network
    posed: Posed
    draws: int
    seed: int
    graphs: dict[tuple[str, ...], Graph] = field(default_factory=dict)

    def measured(self, claim: Claim) -> Tensor:
        """Effect [draws, rows] of the claim's intervention."""
        if claim.intervention == "without":
            gone = as_submodel(list(claim.names))
            values = self._values(claim.baseline, sites_of(self.net, gone))
            variants = [Variant(take_away(self.net, gone, values, draw)) for draw in range(values.draws)]
            return sweep(self.net, self.posed.batch, variants, self.posed.metric).effect
        edges = self.graphs.get(claim.pieces) or graph(self.net, self.posed.batch, claim.pieces)
        self.graphs[claim.pieces] = edges
        lost = [name for name in claim.names if name not in edges.numbers]
        if lost:
            raise ClaimError(
                f"{self.net.name} has no edge {lost[0]!r}; these claims are about {claim.network!r}: open that"
            )
        cutter = Cutter(self.net, self.posed, edges, self._values(claim.baseline, edges.sites))
        cut = cutter.cuts([[edges.numbers[name] for name in claim.names]])
        return over_draws(cutter, 1 - cut if claim.intervention == "cut all but" else cut)[:, 0]

    def _values(self, kind: str, sites: Sequence[Any]) -> Baseline:
        known: dict[str, Kind] = dict(resample="resample", mean="mean", zero="zero", counterfactual="counterfactual")
        if kind not in known:
            raise ClaimError(
                f"a claim was measured with the stand-in {kind!r}, which cannot be made again; trace it anew"
            )
        other = self.posed.decision.counterfactual
        if kind == "counterfactual" and other is None:
            raise DecisionError(
                "these claims are about counterfactuals; give the fresh prompts theirs (counterfactual=…)"
            )
        return baseline(self.net, self.posed.batch, sites, known[kind], self.draws, other, self.seed)
