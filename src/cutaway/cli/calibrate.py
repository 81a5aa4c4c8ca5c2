"""`calibrate` as a command: the promise of `match` beside its error, measured on networks whose answer is known."""

from __future__ import annotations

import sys
from pathlib import Path

from cutaway.cli.answer import Answer
from cutaway.cli.options import Options, kept, on_one_thread
from cutaway.cli.verbs import Several, listed
from cutaway.runs.progress import terminal


def calibrate(
    *,
    strata: Several = (),
    networks: int | None = None,
    folder: Path | None = None,
    options: Options = Options(),  # noqa: B008 (a frozen value)
) -> Answer:
    """Trains small networks with and without planted behaviours and counts how often match is wrong, beside what is promised.

    Parameters
    ----------
    strata
        Only these lines of the table, with commas between them; default: all.
    networks
        Training runs of each line, from --seed on; default: 20, and 93 of networks that do not show it. 2 are a quick look.
    folder
        Keep the row of every training run here: the same command goes on, and more networks come on top. Default: beside --out.
    """
    from cutaway.study.calibrate import calibrate, chosen_of, cpu_hours, runs_of

    on_one_thread()
    names = listed(strata) or None
    runs = runs_of(chosen_of(names), networks, options.seed)
    hours = cpu_hours(runs)
    time = f"{hours:.1f} hours" if hours >= 1 else f"{max(1, round(60 * hours))} minutes"
    lost = "" if folder or options.out else "; with --folder FOLDER a stopped command goes on"
    print(f"{len(runs)} training runs, about {time} of one core{lost}", file=sys.stderr)
    with kept(options.out) as beside:
        found = calibrate(names, networks, options.seed, folder or beside, terminal())
    return Answer(found.table, str(found), {"error rates": found.in_words} if options.as_json else {})
