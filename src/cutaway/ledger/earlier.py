"""Lines that cutaway 0.1 wrote: `ledger.jsonl` of the run folders of traces, reruns, matches and trained networks.

There `kind` was the resource ("flops", "wall_s") and the provenance a sentence. They are read as entries of today.
"""

from __future__ import annotations

from typing import Any, cast

from cutaway.ledger.entry import PROVENANCES, Entry, Provenance

FIELDS = frozenset({"phase", "kind", "quantity", "unit", "provenance", "seed", "versions"})
RESOURCES = ("flops", "forwards", "wall_s", "cpu_s", "peak_memory_bytes", "device_peak_bytes")
PROVENANCE = {"declared by the user": "declared", "estimated": "assumed"}


def is_earlier(value: dict[str, Any]) -> bool:
    """Whether this is a line as 0.1 wrote it."""
    return value.keys() == FIELDS and value["kind"] in RESOURCES


def from_earlier(value: dict[str, Any]) -> Entry:
    """The entry of today that says the same. What the sentence said beside its first word becomes the note."""
    provenance, _, note = str(value["provenance"]).partition(", ")
    provenance = PROVENANCE.get(provenance, provenance)
    if provenance not in PROVENANCES:
        provenance, note = "assumed", str(value["provenance"])
    return Entry(
        phase=value["phase"],
        kind="compute",
        quantity=value["quantity"],
        unit=value["unit"],
        provenance=cast(Provenance, provenance),
        resource=value["kind"],
        note=note,
        seed=value["seed"],
        versions=value["versions"],
    )
