"""Sub-models on disk: `manifest.json` and `tensors.safetensors`, nothing that has to be unpickled."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from cutaway.network import Site
from cutaway.runs.folder import RunError, new_run, open_run
from cutaway.submodels.decomposition import Decomposition
from cutaway.submodels.directions import Directions
from cutaway.submodels.midstream import Midstream
from cutaway.submodels.slices import Slice
from cutaway.submodels.submodel import SubModel


def save_submodels(submodels: Sequence[SubModel], folder: str | os.PathLike[str], overwrite: bool = False) -> None:
    """Writes sub-models with the decompositions they are made of to a run folder."""
    kinds = list(dict.fromkeys(kind for one in submodels for kind in one.decompositions))
    with new_run(folder, "submodels", overwrite=overwrite) as run:
        tensors = {f"{i}.{name}": tensor for i, kind in enumerate(kinds) for name, tensor in kind.tensors().items()}
        if tensors:
            run.save_tensors(tensors)
        entries = [
            {
                "name": one.name,
                "parts": list(one.parts),
                "decompositions": [kinds.index(kind) for kind in one.decompositions],
                "labels": list(one.labels),
                "evidence": dict(one.evidence),
                "provenance": dict(one.provenance),
            }
            for one in submodels
        ]
        run.write_json("manifest", {"decompositions": [kind.describe() for kind in kinds], "submodels": entries})


def load_submodels(folder: str | os.PathLike[str]) -> list[SubModel]:
    """Reads what `save_submodels` wrote. Raises `RunError` for a folder that holds none."""
    run = open_run(folder)
    manifest = run.read_json("manifest")
    described = manifest["decompositions"]
    stored = run.load_tensors() if any(one["kind"] not in ("slice",) for one in described) else {}
    kinds = [
        _remake(one, {n.partition(".")[2]: t for n, t in stored.items() if n.startswith(f"{i}.")})
        for i, one in enumerate(described)
    ]
    return [
        SubModel(
            one["name"],
            tuple(one["parts"]),
            tuple(kinds[i] for i in one["decompositions"]),
            tuple(one["labels"]),
            one["evidence"],
            one["provenance"],
        )
        for one in manifest["submodels"]
    ]


def _remake(described: dict[str, Any], tensors: dict[str, Tensor]) -> Decomposition:
    made = MAKERS.get(described["kind"])
    if made is None:
        raise RunError(
            f"the manifest holds a decomposition of kind {described['kind']!r}; this cutaway knows {', '.join(MAKERS)}: update it"
        )
    return made(described, tensors)


def _slice(described: dict[str, Any], tensors: dict[str, Tensor]) -> Slice:
    return Slice(
        Site.parse(described["site"]), described["by"], described["axis"], described["count"], described["size"]
    )


def _directions(described: dict[str, Any], tensors: dict[str, Tensor]) -> Directions:
    return Directions(Site.parse(described["site"]), tensors["read"], tensors.get("write"), described["label"])


def _midstream(described: dict[str, Any], tensors: dict[str, Tensor]) -> Midstream:
    return Midstream(_directions(described, tensors))


MAKERS = {"slice": _slice, "directions": _directions, "midstream": _midstream}  # a new kind adds its line
