"""Which parts a trace looks at: those that were given, or by default every head (attention where heads cannot be told) and MLP."""

from __future__ import annotations

from collections.abc import Sequence

from cutaway.network import Batch, Network, Site
from cutaway.submodels import SubModel, as_submodel
from cutaway.submodels.slices import KINDS, leaf_outputs, slices

Given = SubModel | str | Sequence[SubModel | str] | None


def parts_of(net: Network, batch: Batch, given: Given, notes: list[str]) -> list[SubModel]:
    """The parts to look at, in the order of the blocks. What is left out by default is added to `notes`.

    Raises ValueError where there are none.
    """
    if given is not None:
        return _given(net, batch, [given] if isinstance(given, str | SubModel) else list(given))
    if not net.layout.layers:
        notes.append(
            "no residual stream was found: parts are the outputs of weighted modules, without direct effects or steps"
        )
        found = [as_submodel(str(site)) for site in leaf_outputs(net)]
    else:
        found = _whole_attentions(net, notes) + _of_kinds(net, batch, ["heads", "mlps", "mixers"])
        found.sort(key=lambda part: Site.parse(part.name).layer or 0)
    if not found:
        raise ValueError(f"nothing to take apart was found in {net.name}; give parts=[…], e.g. ['path.MODULE:out']")
    return found


def _given(net: Network, batch: Batch, given: list[SubModel | str]) -> list[SubModel]:
    if not given:
        raise ValueError(
            "parts is empty, so there is nothing to look at; give addresses or sub-models, or leave parts out"
        )
    kinds = [part for part in given if isinstance(part, str) and part in (*KINDS, "channels", "modules")]
    return _of_kinds(net, batch, kinds) + [as_submodel(part) for part in given if part not in kinds]


def _of_kinds(net: Network, batch: Batch, kinds: Sequence[str]) -> list[SubModel]:
    return [as_submodel(name) for one in slices(net, kinds, batch) for name in one.parts] if kinds else []


def _whole_attentions(net: Network, notes: list[str]) -> list[SubModel]:
    """Attention as one part in the blocks whose heads cannot be told apart; where only some blocks are so, notes say it."""
    heads, whole, mixers = ({site.layer: site for site in net.sites(f"{p}.*")} for p in ("z", "attn_out", "mixer_out"))
    alone = [layer for layer in whole if layer not in heads]
    if heads and alone:
        notes.append(f"heads cannot be told apart in {_blocks(alone)}: attention is one part there")
    bare = [layer for layer in range(net.layout.layers) if layer not in {**heads, **whole, **mixers}]
    if bare and len(bare) < net.layout.layers:
        notes.append(f"no attention was found in {_blocks(bare)}: of these only the MLP is looked at")
    return [as_submodel(str(whole[layer])) for layer in alone]


def _blocks(layers: Sequence[int | None]) -> str:
    return f"block{'s' if len(layers) > 1 else ''} {', '.join(map(str, layers))}"
