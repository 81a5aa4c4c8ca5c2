"""What was written for this library: capitals, and the words of decisions about agreement."""

from __future__ import annotations

from collections.abc import Iterable

from cutaway.concepts.making.relation import in_both_directions
from cutaway.runs.table import Table

WRITTEN = "written for cutaway"


def _listed(text: str) -> list[str]:
    return text.split(", ")


_CAPITALS = (
    "France Paris, Spain Madrid, Italy Rome, Germany Berlin, Portugal Lisbon, Austria Vienna, Poland Warsaw, "
    "Hungary Budapest, Greece Athens, Norway Oslo, Sweden Stockholm, Finland Helsinki, Denmark Copenhagen, "
    "Ireland Dublin, Iceland Reykjavik, Russia Moscow, Turkey Ankara, Egypt Cairo, Kenya Nairobi, Ghana Accra, "
    "Nigeria Abuja, Japan Tokyo, China Beijing, Thailand Bangkok, Vietnam Hanoi, Iran Tehran, Iraq Baghdad, "
    "Syria Damascus, Lebanon Beirut, Jordan Amman, Cuba Havana, Peru Lima, Chile Santiago, Venezuela Caracas, "
    "Ecuador Quito, Uruguay Montevideo, Canada Ottawa, Australia Canberra, Colombia Bogotá, Senegal Dakar, "
    "Uganda Kampala, Zambia Lusaka, Zimbabwe Harare, Angola Luanda, Morocco Rabat, Algeria Algiers, Tunisia Tunis, "
    "Libya Tripoli, Nepal Kathmandu, Ukraine Kyiv, Belarus Minsk, Latvia Riga, Estonia Tallinn, Lithuania Vilnius, "
    "Serbia Belgrade, Croatia Zagreb, Bulgaria Sofia, Romania Bucharest, Slovakia Bratislava, Slovenia Ljubljana, "
    "Albania Tirana, Jamaica Kingston, Qatar Doha, Oman Muscat"
)
CAPITALS = tuple((country, city) for country, city in map(str.split, _listed(_CAPITALS)))
_REGULAR = (
    "author, teacher, doctor, lawyer, farmer, pilot, writer, dancer, nurse, singer, driver, student, customer, worker, "
    "senator, manager, painter, soldier, baker, sailor"
)
_IRREGULAR = (
    "child children, man men, woman women, mouse mice, goose geese, tooth teeth, foot feet, person people, ox oxen, "
    "phenomenon phenomena, crisis crises, analysis analyses, thesis theses, hypothesis hypotheses, cactus cacti, "
    "fungus fungi, criterion criteria, oasis oases, wolf wolves, knife knives, leaf leaves, thief thieves"
)
_DISTRACTED = (
    "key to the cabinets, label on the bottles, picture of the flowers, door to the offices, story about the kings, "
    "book about the planets, road to the villages, letter from the lawyers, drawing of the horses, report on the schools, "
    "window behind the chairs, song about the rivers, box under the tables, gift for the teachers, bridge near the towns, "
    "note about the meetings"
)
_MALE = "John, Peter, Robert, James, Thomas, Richard, George, Paul, Mark, David, Kevin, Brian"
_FEMALE = "Mary, Susan, Karen, Linda, Julia, Laura, Nancy, Emily, Helen, Anna, Sarah, Alice"
_HIS = "boy, king, prince, uncle, brother, father, son, grandfather"
_HER = "girl, queen, aunt, sister, mother, daughter, grandmother"
_REFLEXIVE = ("hurt", "blamed")
_PAST = (
    "boy broke broken, girl drove driven, teacher wrote written, doctor took taken, nurse gave given, king spoke spoken, "
    "thief stole stolen, queen chose chosen, child hid hidden, singer wore worn, lawyer tore torn, farmer knew known, "
    "pilot flew flown, painter drew drawn, soldier threw thrown, student forgot forgotten, baker shook shaken, "
    "sailor rode ridden, driver ate eaten, prince rose risen"
)
# Singular and plural of what follows a subject.
_VERBS = ((" is", " are"), (" was", " were"), (" has", " have"), (" does", " do"))


def agreement_decisions() -> dict[str, Table]:
    """Decisions for paradigms of BLiMP: the grammatical continuation against the other, the reference one edit away."""
    irregular = [tuple(one.split()) for one in _listed(_IRREGULAR)]
    distracted = [one.split(" ", 1) for one in _listed(_DISTRACTED)]
    return {
        "regular_plural_subject_verb_agreement_1": _number(
            [(f"The {one}", f"The {one}s") for one in _listed(_REGULAR)]
        ),
        "irregular_plural_subject_verb_agreement_1": _number(
            [(f"The {one}", f"The {many}") for one, many in irregular]
        ),
        "distractor_agreement_relational_noun": _number(
            [(f"The {_head(one, 1)} {rest}", f"The {_head(one, 2)} {rest}") for one, rest in distracted]
        ),
        "anaphor_gender_agreement": _turned(
            (f"{he} {verb}", " himself", f"{she} {verb}", " herself")
            for he, she in zip(_listed(_MALE), _listed(_FEMALE))
            for verb in _REFLEXIVE
        ),
        "anaphor_number_agreement": _turned(
            (f"The {one} {verb}", answer, f"The {one}s {verb}", " themselves")
            for some, answer in ((_HIS, " himself"), (_HER, " herself"))
            for one in _listed(some)
            for verb in _REFLEXIVE
        ),
        "irregular_past_participle_verbs": _turned(
            (f"Then the {who}", f" {past}", f"Has the {who}", f" {participle}")
            for who, past, participle in (one.split() for one in _listed(_PAST))
        ),
    }


def _head(noun: str, number: int) -> str:
    if number == 1:
        return noun
    return f"{noun[:-1]}ies" if noun.endswith("ry") else f"{noun}es" if noun.endswith("x") else f"{noun}s"


def _number(prompts: list[tuple[str, str]]) -> Table:
    """One against many: verbs in turn."""
    verbs = [_VERBS[number % len(_VERBS)] for number in range(len(prompts))]
    return _turned((one, verb, many, verbs_) for (one, many), (verb, verbs_) in zip(prompts, verbs))


def _turned(couples: Iterable[tuple[str, str, str, str]]) -> Table:
    """Decisions in both directions: prompt, target, reference, foil."""
    return Table.of([row for couple in couples for row in in_both_directions(*couple)])
