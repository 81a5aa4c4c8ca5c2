"""What is claimed of a circuit, as lines that anyone can run again: it is enough, it is needed (or not), no edge of it can go.

The lines are those of `cutaway.decisions.claims`; here `mean` is the task's loss in nats after the intervention, and `limit`
the target, or what counts as needed. Only what is decided is claimed: the interval lies on one side of the limit. That an edge
cannot go is claimed of the very examples on which it was tried, and of the loss that sets had to reach there: the target less
the search's margin.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from cutaway.decisions.claims import CLAIMS, Claim, ClaimError, read_claims
from cutaway.dial.prune.reruns import ALONE, BESIDE, COUNT, Reruns
from cutaway.dial.prune.saved import names_of, read, weights_hash
from cutaway.dial.tasks import Examined
from cutaway.dial.transformer import SITES, SparseTransformer
from cutaway.runs.table import Table

State = Literal["holds", "fails", "undecided"]


def checks_of(reruns: Reruns, source: str | None = None) -> list[Claim]:
    """Everything that is asked of a circuit, with what was measured, whether or not it holds; `source` is its network's folder."""
    circuit, target = reruns.saved.circuit, reruns.saved.settings.target
    edges, kept = names_of(circuit.edges), circuit.kept.nonzero()[:, 0].tolist()
    about = (reruns.saved.network, "", reruns.seed, source)

    def less(edge: str, stands_in: str) -> Claim:
        return reruns.measured(Claim("cut", (edge,), 0, 0, 0, 0, "beyond", reruns.tried.target, stands_in, *about))

    found = [
        reruns.measured(Claim("cut all but", edges, 0, 0, 0, 0, "within", target, stands_in, *about))
        for stands_in in (ALONE, BESIDE)
    ]
    nodes = tuple(circuit.nodes.addresses[at] for at in kept)
    found.append(reruns.measured(Claim("without", nodes, 0, 0, 0, 0, "beyond", reruns.needed, ALONE, *about)))
    for edge in edges if circuit.minimal else ():
        one = less(edge, ALONE)  # the target may be missed either way; this is the cheaper
        found.append(one if one.mean > one.limit else less(edge, BESIDE))
    return found


def state(claim: Claim) -> State:
    """On which side of the limit the loss lies, with its interval; that of an edge as it was tried has none."""
    low, high = (claim.mean, claim.mean) if claim.intervention == "cut" else (claim.low, claim.high)
    if low <= claim.limit < high:
        return "undecided"
    return "holds" if (high <= claim.limit) == (claim.bound == "within") else "fails"


def claimed(checks: Iterable[Claim]) -> list[Claim]:
    """Those that hold; and where a circuit is not needed, that the rest can do the task too."""
    found = [replace(check, bound="within") if is_redundant(check) else check for check in checks]
    return [claim for claim in found if state(claim) == "holds"]


def said(check: Claim) -> str:
    """The state of a check in a word; what is not necessary is redundant."""
    return "redundant" if is_redundant(check) else state(check)


def is_redundant(check: Claim) -> bool:
    """Whether the network does without what was to be necessary."""
    return check.intervention == "without" and check.bound == "beyond" and state(check) == "fails"


def words(claim: Claim) -> str:
    """What a claim says, in a few words."""
    if claim.intervention == "cut all but":
        return f"sufficient: the rest {'at its mean' if claim.baseline == ALONE else 'live at random'}"
    if claim.intervention == "without":
        return f"{'necessary' if claim.bound == 'beyond' else 'redundant'}: its nodes at their mean"
    return f"minimal: {claim.names[0]}"


def checks_table(checks: Iterable[Claim]) -> Table:
    """A row for each check."""
    return Table.of(
        {
            "check": words(check),
            "loss": check.mean,
            "low": check.low,
            "high": check.high,
            "asked": f"{'at most' if check.bound == 'within' else 'above'} {check.limit:.3g}",
            "says": said(check),
        }
        for check in checks
    )


def shortened(checks: Iterable[Claim]) -> list[Claim]:
    """The checks with the weakest edge instead of all that were tried: if it cannot go, none can."""
    checks = list(checks)
    cut = [check for check in checks if check.intervention == "cut"]
    rest = [check for check in checks if check.intervention != "cut"]
    if not cut:
        return rest
    weakest = min(cut, key=lambda check: check.mean)
    return [*rest, replace(weakest, names=(f"without the weakest of {len(cut)} edges",))]


@dataclass(frozen=True)
class Verified:
    """A row for each claim, `holds` where it stands; whether the network `changed` since; the task, and how many fresh examples."""

    task: str
    count: int
    claims: Table
    changed: bool

    @property
    def held(self) -> int:
        """How many claims hold."""
        return sum(self.claims["holds"])

    def __str__(self) -> str:
        lines = [f"{self.held} of {len(self.claims)} claims hold, on {self.count} fresh examples of {self.task}"]
        lines += (
            ["the network is not as it was when the circuit was found: its weights changed"] if self.changed else []
        )
        return "\n".join([*lines, str(self.claims)])


def verify(
    folder: Path | str, network: SparseTransformer, task: Examined, seed: int = 0, count: int = COUNT
) -> Verified:
    """Runs the claims in the folder of a circuit again, on `count` fresh examples; each `seed` gives others.

    A claim holds if the loss is on its side of the limit, and lies where so many examples should put it; of what has to be
    small the limit alone decides. Raises ClaimError for the circuit of a network of another shape, or where nothing is claimed.
    """
    saved = read(folder)
    if sizes_of(network) != saved.circuit.nodes.sizes:
        raise ClaimError(f"the circuit in {folder} is of a network of another shape; open the one that it was found in")
    if not (Path(folder) / CLAIMS).read_text("utf-8").strip():
        raise ClaimError(f"{folder} holds no claim: nothing was decided on its fresh examples; prune to another target")
    reruns = Reruns(network, saved, task, saved.settings.seed + 1 + seed, count)
    rows = Table.of(row(claim, reruns.measured(claim)) for claim in read_claims(folder))
    return Verified(task.name, count, rows, weights_hash(network) != saved.network)


def row(claim: Claim, again: Claim) -> dict[str, object]:
    """A claim beside what was measured when it was run again."""
    low, high = claim.predicted(again.n)
    within = claim.bound == "within"
    side = again.mean <= claim.limit if within else again.mean > claim.limit
    return {
        "claim": words(claim),
        "predicted": claim.mean,
        "low": low,
        "high": high,
        "measured": again.mean,
        "limit": claim.limit,
        "n": again.n,
        "inside": low <= again.mean <= high,
        "holds": side and (within or low <= again.mean <= high),
        "same inputs": claim.inputs == again.inputs,
    }


def sizes_of(network: SparseTransformer) -> dict[str, int]:
    """How many channels each site has."""
    shape = network.shape
    return {
        f"{site}.{layer}": shape.neurons if site == "mlp_act" else shape.width
        for layer in range(shape.layers)
        for site in SITES
    }
