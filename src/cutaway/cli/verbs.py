"""The verbs as commands: each opens a network or runs, calls the verb of the package, and gives its answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from cutaway.cli.answer import Answer
from cutaway.cli.ending import WrongUse
from cutaway.cli.options import Options, kept, on_one_thread, opened, reader
from cutaway.cli.question import Question, asked_in
from cutaway.cli.shown import Shown
from cutaway.runs.progress import terminal

if TYPE_CHECKING:
    from cutaway.network import Network

Flag = Parameter(negative="", show_default=False)
Several = Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="", show_default=False)]
Name = Annotated[str, Parameter(help="organism:NAME, a folder or a hub id.")]
Prompt = Annotated[
    str, Parameter(help='The text before the decision, as it is; one that begins with a dash goes last, after "--".')
]


def trace(
    network: Name,
    prompt: Prompt,
    /,
    *,
    question: Question,
    nulls: int | None = None,
    parts: Several = (),
    edges: Annotated[bool, Flag] = False,
    refine: Several = (),
    rephrased: Several = (),
    adversary: int | None = None,
    shown: Shown = Shown(),  # noqa: B008 (a frozen value)
    options: Options = Options(),  # noqa: B008 (a frozen value)
) -> Answer:
    """Takes a decision apart: which sub-models it used, step by step, and what each was worth.

    Parameters
    ----------
    nulls
        Draws of each kind of chance displacement for each part, behind "selective"; 0: not tested.
    parts
        What to look at, instead of every head and MLP, with commas or spaces between them: addresses (z.9[head=6]) or
        kinds (heads, neurons, blocks, …).
    edges
        Also the links between sub-models, what each carries, and whether together they explain the decision.
    refine
        With --edges: what becomes a node of its own inside a part: "neurons" (groups of them, in MLPs of the circuit), addresses.
    rephrased
        With --edges: the prompt in other words, and its counterfactual if there is one: are the same links used there?
    adversary
        With --edges: steps to find the cuts of everything else that move the decision most: 0, 20 (default), 80 or 320.
    """
    import cutaway

    if (refine or rephrased or adversary is not None or shown.graph or shown.mib) and not edges:
        raise WrongUse(
            "--refine, --rephrased, --adversary, --graph and --mib are about links; expected --edges with them"
        )
    within = listed(refine)
    net = reader(network, options.device)
    with kept(options.out) as keep:
        found = cutaway.trace(
            net,
            question.about(prompt),
            addresses(net, parts, prompt) or None,
            baseline=question.stand_in,
            draws=question.draws,
            nulls=nulls,
            edges=edges,
            refine="neurons" if within == ["neurons"] else within,
            rephrased=question.reworded(rephrased) if rephrased else None,
            adversary=20 if adversary is None else adversary,
            seed=options.seed,
            keep=keep,
            progress=terminal(),
        )
    return shown.answer(found)


def without(
    network: Name,
    prompt: Prompt,
    /,
    *submodel: str,
    question: Question,
    tokens: int = 16,
    options: Options = Options(),  # noqa: B008 (a frozen value)
) -> Answer:
    """Reruns a decision without some sub-models: answer, probabilities and continuation, before and after.

    Parameters
    ----------
    submodel
        Addresses, with commas or spaces between them, quoted for the shell: 'z.9[head=6]' mlp_out.3 'mlp_act.3[neuron=17]'.
    tokens
        Length of the continuation.
    """
    gone = listed(submodel)
    if not gone:
        raise WrongUse(
            "no SUBMODEL was given; expected one or more addresses after the prompt, such as 'z.0[head=3]' or mlp_out.1"
        )
    import cutaway

    net = reader(network, options.device)
    rerun = cutaway.without(
        net,
        question.about(prompt),
        gone,
        baseline=question.stand_in,
        draws=question.draws,
        tokens=tokens,
        seed=options.seed,
    )
    modules = sorted({net.port(receipt.site).module for receipt in rerun.receipts})
    also = {"changed": rerun.changed} if options.as_json else {}
    return Answer(rerun, str(rerun), also, module=" ".join(modules), submodel=" ".join(gone))


def verify(
    claims: Path,
    network: str | None = None,
    /,
    *,
    inputs: Path | None = None,
    draws: int = 8,
    options: Options = Options(),  # noqa: B008 (a frozen value)
) -> Answer:
    """Runs the claims of a saved trace or circuit again on fresh inputs, and says which hold.

    Parameters
    ----------
    claims
        The folder of a saved trace (trace --out) or circuit (dial prune --out), or its claims.jsonl.
    network
        organism:NAME, a folder or a hub id; default: the one that the claims were made on.
    inputs
        The fresh prompts, for a trace: a file with one JSON object a line, {"prompt": …, "answer": …, "instead": …}, and
        "counterfactual" where the claims are about counterfactuals. The task of a circuit gives fresh ones itself.
    draws
        How many other inputs to take values from, where that is what stands in.
    """
    from cutaway.cli.dial import verify_circuit
    from cutaway.dial.prune.saved import is_circuit

    folder = claims.parent if claims.is_file() else claims
    if is_circuit(folder):
        if inputs is not None:
            raise WrongUse(f"{claims} is a circuit, whose task gives fresh inputs itself; leave --inputs out")
        return verify_circuit(folder, network, options)
    import cutaway
    from cutaway.decisions.claims import read_claims

    found = read_claims(claims)
    if inputs is None:
        raise WrongUse("no --inputs were given; expected a file of fresh prompts to run the claims of a trace on")
    name = network or next((claim.source for claim in found if claim.source is not None), None)
    if name is None:
        raise WrongUse("no NETWORK was given and these claims do not say where theirs is; expected it after CLAIMS")
    net = reader(name, options.device)
    table = cutaway.verify(net, found, asked_in(inputs), draws=draws, seed=options.seed + 1)
    held = sum(table["holds"]) if len(table) else 0
    return Answer(table, f"{held} of {len(table)} claims hold on {inputs}\n{table}", {"held": held})


def submodels(
    network: Name,
    /,
    *,
    by: Several = ("heads", "mlps"),
    on: str | None = None,
    options: Options = Options(),  # noqa: B008 (a frozen value)
) -> Answer:
    """Lists the sub-models of a network: address, kind, block, number of atoms, strength.

    Parameters
    ----------
    by
        Kinds, with commas or spaces between them: heads, neurons, experts, mlps, attentions, mixers, blocks, channels, modules.
    on
        Measure the strengths on this text instead of windows of the reference.
    """
    kinds = listed(by)
    if not kinds:
        raise WrongUse("--by was given no kind; expected one or more, such as heads,mlps")
    import cutaway

    net = opened(network, options.device)
    table = cutaway.catalogue(net, kinds, on)
    return Answer(table, f"{net.name}: {len(table)} sub-models\n{table}")


def organisms(*, options: Options = Options()) -> Answer:  # noqa: B008 (a frozen value)
    """Lists the networks that come with cutaway and whose answer is known."""
    from cutaway.organisms.opening import organism_abouts
    from cutaway.runs.table import Table

    on_one_thread()
    table = Table.of({"network": f"organism:{name}", "about": about} for name, about in organism_abouts().items())
    return Answer(table, "\n".join(f"{row['network']:<25} {row['about']}" for row in table))


def cite(
    *run: Path,
    options: Options = Options(),  # noqa: B008 (a frozen value)
) -> Answer:
    """Prints the sources of the methods that saved runs were made with, as BibTeX.

    Parameters
    ----------
    run
        One or more run folders, as --out writes them.
    """
    if not run:
        raise WrongUse("no RUN was given; expected one or more run folders, as --out writes them")
    import cutaway
    from cutaway.runs.table import Table

    text = cutaway.cite(*run)
    entries = text.split("\n\n") if text else []
    return Answer(Table({"bibtex": entries}), text or "nothing to cite: these runs used no published method")


def compare(
    *run: Path,
    options: Options = Options(),  # noqa: B008 (a frozen value)
) -> Answer:
    """Puts saved traces side by side: the effect and the state of every part in each.

    Parameters
    ----------
    run
        Two or more run folders of traces.
    """
    if len(run) < 2:
        raise WrongUse(
            f"{len(run)} RUN was given; expected two or more run folders of traces, as trace --out writes them"
        )
    import cutaway

    table = cutaway.compare(run)
    return Answer(table, str(table))


def addresses(net: Network, parts: Sequence[str], prompt: str) -> list[str]:
    """The parts with every name of a kind ("neurons") replaced by the addresses of that kind in this network."""
    from cutaway.submodels.slices import KINDS, slices

    found: list[str] = []
    for part in listed(parts):
        kinds = {*KINDS, "channels", "modules"}
        found += [name for one in slices(net, [part], prompt) for name in one.parts] if part in kinds else [part]
    return list(dict.fromkeys(found))


def listed(words: Sequence[str]) -> list[str]:
    """What was given with commas or spaces between, in a list; a comma in brackets belongs to an address.

    >>> listed(["heads,mlps", "z.0[head=3,pos=-1]"])
    ['heads', 'mlps', 'z.0[head=3,pos=-1]']
    """
    pieces = [piece.strip() for word in words for piece in re.split(r",(?![^\[]*\])", word)]
    return [piece for piece in pieces if piece]
