"""A circuit as it was found, on disk: the tensors that say which nodes and edges it has, and how its edges were tried.

Edges have names, `mlp_in.0[channel=3] → mlp_act.0[neuron=5]`, by which claims speak of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor

from cutaway.decisions.claims import ClaimError
from cutaway.decisions.fingerprint import exact
from cutaway.dial.prune.edges import MATRICES
from cutaway.dial.prune.learn import Learning
from cutaway.dial.prune.masked import Nodes, named
from cutaway.dial.prune.prune import Pruned, Settings, TaskCircuit
from cutaway.dial.transformer import SparseTransformer
from cutaway.runs import Run, RunError, open_run
from cutaway.runs.folder import RUN_FILE

KIND = "circuit"
ARROW = " → "


@dataclass(frozen=True, eq=False)
class Saved:
    """A circuit, the settings and the seed of the search that found it, and a hash of its network's weights."""

    circuit: TaskCircuit
    settings: Settings
    search: int
    network: str


def saved_of(pruned: Pruned, network: SparseTransformer, settings: Settings) -> Saved | None:
    """The smallest circuit of all searches, as it can be saved; None where there is none."""
    found = next((search for search in pruned.searches if search.circuit is pruned.circuit), None)
    if found is None or found.circuit is None:
        return None
    return Saved(found.circuit, settings, found.seed, weights_hash(network))


def weights_hash(network: SparseTransformer) -> str:
    """A short hash of all weights."""
    digest = hashlib.sha256()
    for name, weight in network.state_dict().items():
        digest.update(name.encode() + exact(weight))
    return digest.hexdigest()[:16]


def write(saved: Saved, run: Run) -> dict[str, Any]:
    """Writes the tensors into a run; gives what is left to be written as JSON."""
    circuit, nodes = saved.circuit, saved.circuit.nodes
    tensors = {"kept": circuit.kept, "means": nodes.means}
    tensors |= {f"brought {site}": mean for site, mean in nodes.brought.items()}
    tensors |= {f"edges {name}": there.nonzero() for name, there in circuit.edges.items()}
    run.save_tensors(tensors, KIND)
    return {
        "sites": nodes.sizes,
        "settings": asdict(saved.settings),
        "search": saved.search,
        "network": saved.network,
    }


def is_circuit(folder: Path) -> bool:
    """Whether `dial prune --out` wrote this folder, by its `run.json`."""
    try:
        said = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(said, dict) and said.get("kind") == KIND


def read(folder: Path | str) -> Saved:
    """The circuit that `dial prune --out` wrote. Raises RunError for what is none, ClaimError where no circuit was found."""
    run = open_run(folder, verify=True)
    if run.kind != KIND:
        raise RunError(
            f"{run.path}: is a run of kind {run.kind!r}; expected a circuit, as cutaway dial prune --out saves"
        )
    said = run.read_json(KIND)
    if said["minimal"] is None:
        raise ClaimError(f"{run.path} holds no claim: no search found a circuit of {said['task']}")
    if "settings" not in said:
        raise ClaimError(f"{run.path} holds a circuit without its tensors; it is of an earlier version: prune again")
    tensors = run.load_tensors(KIND)
    brought = {name.removeprefix("brought "): mean for name, mean in tensors.items() if name.startswith("brought ")}
    nodes = Nodes(said["sites"], tensors["means"], brought)
    edges = nothing(nodes)
    for name, there in edges.items():
        there[tuple(tensors[f"edges {name}"].T)] = True
    circuit = TaskCircuit(said["task"], nodes, tensors["kept"], edges, said["minimal"])
    learning = Learning(**said["settings"].pop("learning"))
    settings = Settings(**said["settings"], learning=learning)
    return Saved(circuit, settings, said["search"], said["network"])


def nothing(nodes: Nodes) -> dict[str, Bool[Tensor, "row column"]]:
    """For each matrix between these nodes a mask without any edge."""
    layers = sorted({int(site.rpartition(".")[2]) for site in nodes.sizes})
    return {
        f"blocks.{layer}.{name}": torch.zeros(nodes.sizes[f"{rows}.{layer}"], nodes.sizes[f"{columns}.{layer}"]).bool()
        for layer in layers
        for name, (rows, columns) in MATRICES.items()
    }


def names_of(edges: Mapping[str, Tensor]) -> tuple[str, ...]:
    """The names of edges, in the order of the network."""
    found = []
    for matrix, there in edges.items():
        to, source = ends(matrix)
        found += [f"{named(source, column)}{ARROW}{named(to, row)}" for row, column in there.nonzero().tolist()]
    return tuple(found)


def edges_named(nodes: Nodes, names: Iterable[str]) -> dict[str, Bool[Tensor, "row column"]]:
    """The edges of these names. Raises ClaimError for one that is not between nodes of this network."""
    edges = nothing(nodes)
    matrix_of = {ends(matrix): matrix for matrix in edges}
    place_of = {address: place for place, address in enumerate(nodes.addresses)}
    for name in names:
        source, _, to = name.partition(ARROW)
        matrix = matrix_of.get((to.partition("[")[0], source.partition("[")[0]))
        if matrix is None or source not in place_of or to not in place_of:
            raise ClaimError(f"there is no edge {name!r} in this circuit's network; open the one that it was found in")
        sites = ends(matrix)
        row, column = (place_of[end] - nodes.slices[site].start for end, site in zip((to, source), sites))
        edges[matrix][row, column] = True
    return edges


def ends(matrix: str) -> tuple[str, str]:
    """The sites of a matrix's rows and columns: `blocks.0.mlp.up` -> `mlp_act.0`, `mlp_in.0`."""
    _, layer, name = matrix.split(".", 2)
    rows, columns = MATRICES[name]
    return f"{rows}.{layer}", f"{columns}.{layer}"
