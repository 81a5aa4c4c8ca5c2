"""Rules of English grammar from BLiMP: the concept holds where the rule is *broken*, so that other rules broken are controls.

That a sentence keeps a rule says nothing: most sentences do. One that breaks it differs from one that breaks another rule in
a single factor, and a network that only notices "something is wrong here" is caught by that.
"""

from __future__ import annotations

from collections.abc import Iterator

from cutaway.concepts.concept import Concept, Control, Shifted
from cutaway.concepts.making.raw import Raw, paired
from cutaway.concepts.making.relation import in_both_directions
from cutaway.concepts.making.written import WRITTEN, agreement_decisions
from cutaway.runs.table import Table

_PAIRS, _CONTROL_PAIRS, _SHIFTED_PAIRS = 120, 40, 30
_AGREEMENT = "subject and verb do not agree in number"
# What is wrong in a sentence of label 1; paradigms of one rule are each other's shifted sets, never each other's controls.
BROKEN = {
    "anaphor_gender_agreement": "a reflexive pronoun does not agree in gender with what it refers to",
    "anaphor_number_agreement": "a reflexive pronoun does not agree in number with what it refers to",
    "animate_subject_trans": "a lifeless subject does what only a living one can",
    "determiner_noun_agreement_1": "determiner and noun do not agree in number",
    "distractor_agreement_relational_noun": f"{_AGREEMENT}, with another noun between them",
    "existential_there_quantifiers_1": "'there is' stands with a quantifier that it does not take",
    "irregular_past_participle_verbs": "a past participle stands where the past tense belongs",
    "irregular_plural_subject_verb_agreement_1": f"{_AGREEMENT}, with an irregular plural",
    "npi_present_1": "'ever' stands where nothing licenses it",
    "only_npi_licensor_present": "'ever' stands after 'even' rather than 'only', which would license it",
    "passive_1": "a verb without an object stands in the passive",
    "regular_plural_subject_verb_agreement_1": f"{_AGREEMENT}, with a regular plural",
    "superlative_quantifiers_1": "'at least' or 'at most' stands after 'no'",
}
_ONE_RULE = (
    {
        "distractor_agreement_relational_noun",
        "irregular_plural_subject_verb_agreement_1",
        "regular_plural_subject_verb_agreement_1",
    },
    {"npi_present_1", "only_npi_licensor_present"},
)
_CONTROLS = (
    "determiner_noun_agreement_1",
    "irregular_past_participle_verbs",
    "regular_plural_subject_verb_agreement_1",
)
_DETERMINERS = {"this": "these", "that": "those", "these": "this", "those": "that"}


def grammar(raw: Raw) -> Iterator[Concept]:
    """One concept a paradigm."""
    decisions = agreement_decisions()
    decisions["determiner_noun_agreement_1"] = _determiners(raw)
    for name, broken in BROKEN.items():
        full = f"grammar.{name}"
        same = next((rule for rule in _ONE_RULE if name in rule), {name})
        others = [other for other in _CONTROLS if other not in same][:2]
        written = f"; decisions {WRITTEN}" if name in decisions else ""
        yield Concept(
            full,
            broken,
            "syntax",
            _broken(raw, name, _PAIRS),
            tuple(Control(other, f"rule: {BROKEN[other]}", _broken(raw, other, _CONTROL_PAIRS)) for other in others),
            tuple(
                Shifted(other, f"form: {BROKEN[other]}", _broken(raw, other, _SHIFTED_PAIRS))
                for other in sorted(same - {name})
            ),
            decisions.get(name),
            raw.licence(full),
            raw.source(full) + written,
        )


def _broken(raw: Raw, name: str, pairs: int) -> Table:
    return paired(raw.rows(f"grammar.{name}"), pairs, swap=True)


def _determiners(raw: Raw) -> Table:
    """this, that, these or those, and the noun after it; the reference has the other number."""
    by_pair: dict[str, dict[int, str]] = {}
    for row in paired(raw.rows("grammar.determiner_noun_agreement_1"), _PAIRS):
        by_pair.setdefault(row["pair"], {})[row["label"]] = row["text"].rstrip(".")
    found = []
    for pair, texts in by_pair.items():
        good, bad = texts[1].split(" "), texts[0].split(" ")
        if good[:-1] != bad[:-1] or good[-2] not in _DETERMINERS or len(good) != len(bad):
            continue
        prompt = " ".join(good[:-1])
        turned = " ".join([*good[:-2], _DETERMINERS[good[-2]]])
        found += in_both_directions(prompt, f" {good[-1]}", turned, f" {bad[-1]}", pair)
    return Table.of(found[:80])
