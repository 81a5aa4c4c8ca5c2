"""One verdict for a network and a concept: present, absent, or not testable with these inputs.

Sets of parts are searched on one split of the decisions, pairs and tasks, chosen on the second and judged once on the third.
What is not shown is not looked for: a network that never gives the target has nothing that could be needed, and whether it
*lacks* the concept depends on whether these inputs would have shown it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from cutaway.concepts.match.judge import Judged, judge
from cutaway.concepts.match.questions import Questions, Row
from cutaway.concepts.match.search import Tasks, pruned, search
from cutaway.concepts.match.share import Share
from cutaway.concepts.match.trials import Trials, askable
from cutaway.concepts.splitting import SPLITS
from cutaway.network import Network

Verdict = Literal["present", "absent", "not testable"]
VERDICTS: tuple[Verdict, ...] = ("present", "absent", "not testable")
FEWEST = 12  # decisions that show the behaviour, in every split
RARE = 0.05  # of the decisions: a behaviour that shows less often is not shown
PARTNERS = 0.8  # of the partners must be answered with their foil, or the network does not understand the question


@dataclass(frozen=True)
class Match:
    """The verdict of one network about one concept, and what it rests on.

    `shown`: test decisions answered with the target while the partner is answered with the foil. `understood`: partners
    answered with their foil. `named` is the set that has the name; `refused` other sets with the reasons. `searched` parts
    of these `classes` were looked at. `smallest`: for a network that does not show the behaviour, the upper end of the 95 %
    interval of how often it gives the target.
    """

    concept: str
    network: str
    verdict: Verdict
    why: str
    shown: Share
    understood: Share
    named: Judged | None
    refused: tuple[Judged, ...]
    searched: int
    classes: tuple[str, ...]
    smallest: float | None
    seed: int

    def __str__(self) -> str:
        lines = [f"{self.concept} in {self.network}: {self.verdict} ({self.why})"]
        looked = f"; {self.searched} parts searched: {', '.join(self.classes)}" if self.searched else ""
        lines += [f"  shown in {self.shown} decisions{looked}"] if self.shown.n else []
        if self.smallest is not None:
            lines.append(
                f"  no part was searched; the target may be given in up to {self.smallest:.1%} of such decisions"
            )
        if self.named is not None:
            one = self.named
            spare = (
                "no other task asked"
                if one.spare is None
                else f"worst other task {one.spare[1]}: {one.spare[0]} change"
            )
            lines.append(f"  {', '.join(one.parts)}")
            lines.append(f"  need {one.need} (placebo {one.placebo}, random sets {one.random}, p = {one.p:.1g})")
            lines.append(f"  deleted: target gone {one.gone}, partner's answer {one.returned}")
            lines.append(f"  enough {one.enough} (placebo {one.placebo_enough}); moves {one.moved} partners")
            lines.append(f"  {spare}")
        lines += [
            f"  refused: {', '.join(one.parts[:3])}{' …' * (len(one.parts) > 3)}: {one.refused[0]}"
            for one in self.refused
        ]
        return "\n".join(lines)


def match(net: Network, asked: Questions, kinds: Sequence[str] = ("heads", "neurons"), seed: int = 0) -> Match:
    """Whether, and where, `net` has what the questions are about."""
    rows = {split: askable(net, every) for split, every in asked.decisions.items()}
    if min(map(len, rows.values())) < FEWEST:
        return _cannot_be_asked(net, asked, rows, seed)
    splits = {split: Trials.of(net, some) for split, some in rows.items()}
    shown = {split: trials.take(trials.shown.nonzero()[:, 0]) for split, trials in splits.items()}
    seen = Share.of(shown["test"].rows, splits["test"].rows)
    understood = splits["test"].understood
    rated = Share.of(int(understood.sum()), len(understood))
    few = min(one.rows for one in shown.values()) < FEWEST or seen.value < RARE
    if few or rated.value < PARTNERS:
        return _not_shown(net, asked, splits, seen, rated, seed)
    pairs, tasks = zip(*(_others(net, asked, split) for split in SPLITS))
    found = search(shown["train"], pairs[0], tasks[0], kinds)
    sets = dict.fromkeys(pruned(shown["val"], one.parts, one.aim) for one in found.found)
    chosen = [judge(shown["val"], pairs[1], tasks[1], one, seed, minimal=True) for one in sets]
    best = next((one for one in chosen if not one.refused), None)
    final = None if best is None else judge(shown["test"], pairs[2], tasks[2], best.parts, seed, minimal=True)
    named = final if final is not None and not final.refused else None
    refused = tuple(one for one in [*chosen, *([final] if final else [])] if one.refused)
    why = (
        f"needed, sparing and minimal; enough alone for {named.enough.value:.0%} of the partners"
        if named
        else f"the behaviour is shown, but no set of {' and '.join(kinds)} that was found may have the name"
    )
    verdict: Verdict = "present" if named else "not testable"
    return Match(
        asked.name, net.name, verdict, why, seen, rated, named, refused, found.looked_at, found.classes, None, seed
    )


def _others(net: Network, asked: Questions, split: str) -> tuple[Mapping[str, Trials], Tasks | None]:
    """The pairs of other roles that the network answers right both ways, and the other tasks, of one split."""
    crossed, tasks = asked.part(split)
    rows = {role: askable(net, every) for role, every in crossed.items()}
    every = {role: Trials.of(net, some) for role, some in rows.items() if some}
    right = {role: one.take(one.shown.nonzero()[:, 0]) for role, one in every.items()}
    return {role: one for role, one in right.items() if one.rows}, Tasks.of(net, tasks)


def _cannot_be_asked(net: Network, asked: Questions, rows: Mapping[str, Sequence[Row]], seed: int) -> Match:
    """The verdict where too few decisions have answers of one token and partners of as many tokens."""
    given, can = (sum(map(len, some.values())) for some in (asked.decisions, rows))
    why = (
        f"{can} of {given} decisions have answers of one token and a partner of as many tokens here; "
        f"expected {FEWEST} in every split"
    )
    none = Share.of(0, 0)
    return Match(asked.name, net.name, "not testable", why, none, none, None, (), 0, (), None, seed)


def _not_shown(
    net: Network, asked: Questions, splits: Mapping[str, Trials], seen: Share, understood: Share, seed: int
) -> Match:
    """The verdict where the behaviour does not show: absent only if it would have, in a network that understands."""
    every = sum(one.rows for one in splits.values())
    hits = sum(int(one.answered.sum()) for one in splits.values())
    overall = Share.of(hits, every)
    verdict: Verdict = "not testable"
    if understood.value < PARTNERS:
        why = f"partners are answered with their foil in {understood}: the network does not understand the question"
    elif not asked.complete:
        why = f"the target is given in {overall} decisions, and these inputs need not hold what triggers it"
    elif overall.high > RARE:
        why = f"the target is given in {overall} decisions: too seldom to look for, too often to call absent"
    else:
        verdict, why = "absent", f"the target is given in {overall} decisions that would trigger it"
    return Match(asked.name, net.name, verdict, why, seen, understood, None, (), 0, (), overall.high, seed)
