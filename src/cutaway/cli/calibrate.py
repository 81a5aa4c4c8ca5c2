"""`calibrate` as a command: the promise of `match` beside its error, on networks whose answer is known, or in one's own."""

from __future__ import annotations

import sys
from pathlib import Path

from cutaway.cli.answer import Answer
from cutaway.cli.ending import WrongUse
from cutaway.cli.options import Options, kept, on_one_thread, opened
from cutaway.cli.verbs import Several, listed
from cutaway.runs.progress import terminal


def calibrate(
    *,
    strata: Several = (),
    networks: int | None = None,
    plant: str | None = None,
    each: int | None = None,
    strengths: Several = (),
    page: Path | None = None,
    folder: Path | None = None,
    options: Options = Options(),  # noqa: B008 (a frozen value)
) -> Answer:
    """Trains small networks with and without planted behaviours and counts how often match is wrong, beside what is promised.

    With --plant it is counted in a network of yours: known sub-models are planted into copies of it, and looked for.

    Parameters
    ----------
    strata
        Only these lines of the table, with commas between them; default: all.
    networks
        Training runs of each line, from --seed on; default: 20, and 93 of networks that do not show it. 2 are a quick look.
    plant
        The network to plant into: organism:NAME, a folder, or a hub id.
    each
        Plants of every kind and strength; default: 6.
    strengths
        How strong they are: 1 turns half of the prompts; default: 0,1,1.5,2,4.
    page
        Also draw the curve as one self-contained HTML page.
    folder
        Keep the row of every training run or plant here: the same command goes on, and more come on top. Default: beside --out.
    """
    if plant is not None:
        if strata or networks is not None:
            raise WrongUse(
                "--plant was given with --strata or --networks; expected one or the other: these are about organisms"
            )
        return _planted(plant, each, listed(strengths), page, folder, options)
    if each is not None or strengths or page is not None:
        raise WrongUse("--each, --strengths and --page are about plants; expected --plant NETWORK with them")
    from cutaway.study.calibrate import calibrate, chosen_of, cpu_hours, runs_of

    on_one_thread()
    names = listed(strata) or None
    runs = runs_of(chosen_of(names), networks, options.seed)
    _budget(f"{len(runs)} training runs", cpu_hours(runs), folder, options)
    with kept(options.out) as beside:
        found = calibrate(names, networks, options.seed, folder or beside, terminal())
    return Answer(found.table, str(found), {"error rates": found.in_words} if options.as_json else {})


def _planted(
    network: str, each: int | None, strengths: list[str], page: Path | None, folder: Path | None, options: Options
) -> Answer:
    """The detection curve of one network."""
    import cutaway
    from cutaway.study.plants import STRENGTHS, calibrate_on, cpu_minutes, plants_of
    from cutaway.study.plants.calibrate_on import EACH

    try:
        asked = tuple(map(float, strengths)) or STRENGTHS
    except ValueError:
        raise WrongUse(f"--strengths was given {','.join(strengths)!r}; expected numbers: try 0,0.5,1,2") from None
    net, count = opened(network, options.device), EACH if each is None else each
    minutes = cpu_minutes(net, count, asked)
    _budget(f"{len(plants_of(count, asked))} plants in {net.name}", minutes / 60, folder, options)
    with kept(options.out) as beside:
        found = calibrate_on(net, count, asked, options.seed, folder=folder or beside, progress=terminal())
    also = {"notes": found.notes} if options.as_json else {}
    return Answer(found.table, str(found), also if page is None else {**also, "page": cutaway.page(found, page)})


def _budget(what: str, hours: float, folder: Path | None, options: Options) -> None:
    """Says on stderr what it will take."""
    time = f"{hours:.1f} hours" if hours >= 1 else f"{max(1, round(60 * hours))} minutes"
    lost = "" if folder or options.out else "; with --folder FOLDER a stopped command goes on"
    print(f"{what}, about {time} of one core{lost}", file=sys.stderr)
