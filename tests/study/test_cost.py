"""What a study has cost: sums over its ledgers, ratios with their marks, and what is missing is said."""

import json
from pathlib import Path

import pytest

from cutaway.ledger import Entry, append
from cutaway.study.cost import CostError, Declared, Prices, costs, page, printed, record, study
from cutaway.study.cost.scaling import growth


def book(folder: Path, *entries: Entry) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    append(folder / "ledger.jsonl", *entries)
    return folder


def flops(quantity: float, purpose, phase: str = "trace", **about) -> Entry:
    return Entry(phase, "compute", quantity, "FLOP", "measured", "flops", purpose=purpose, **about)


def seconds(quantity: float, purpose, phase: str = "trace", **about) -> Entry:
    return Entry(phase, "compute", quantity, "s", "measured", "cpu_s", purpose=purpose, **about)


def two_runs(folder: Path) -> Path:
    book(folder / "net", flops(200.0, "train", "training"), seconds(7200.0, "train", "training"))
    book(folder / "trace", flops(600.0, "discover"), seconds(3600.0, "discover"))
    return folder


def test_the_ratio_in_operations_is_of_machines_only(tmp_path):
    book(two_runs(tmp_path), Entry("reading", "person", 8.0, "person-hour", "declared", purpose="discover"))
    found = costs(study([tmp_path]))
    assert found.flops is not None and found.flops.ratio.value == 3.0
    assert found.core_time is not None and found.core_time.ratio.value == 0.5


def test_the_ratio_in_money_has_people_in_it_and_is_marked_where_a_price_is_assumed(tmp_path):
    book(two_runs(tmp_path), Entry("reading", "person", 8.0, "person-hour", "declared", purpose="discover"))
    found = costs(study([tmp_path]))
    assert found.money is not None and found.dominant is not None
    assert found.money.ratio.value == pytest.approx((0.05 + 8 * 250_000 / 2080) / 0.10)
    assert "assumed: price of a core-hour, price of a person-year" in str(found.money.ratio)
    declared = Prices.declared(core_hour=0.05, salary=250_000, device_hour=None, operation=None, kwh=None)
    assert "assumed" not in str(costs(study([tmp_path]), declared).money)


def test_a_price_that_both_sides_share_moves_nothing(tmp_path):
    found = costs(study([two_runs(tmp_path)]))
    assert found.money is not None and found.money.ratio.value == pytest.approx(0.5)
    assert found.dominant is None


def test_the_golden_estimate_comes_out_of_declared_inputs(tmp_path):
    book(tmp_path, Entry("reading", "person", 10.0, "person-year", "declared", purpose="discover"))
    assert _money(tmp_path, Declared(training_cost=50)) == pytest.approx(50_000)
    week = _money(tmp_path, Declared(training_cost=50, training_hours=40))
    assert f"{week:.0f}" == "515"
    assert _money(tmp_path, Declared(training_cost=50, models=100)) == pytest.approx(500)
    assert _money(tmp_path, Declared(training_cost=50, trainings=2, unoptimised=2)) == pytest.approx(12_500)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("unoptimised", 0.5),
        ("trainings", 0.5),
        ("models", 0),
        ("person_hours", -5),
        ("training_flops", 0),
        ("data_cost", -1),
    ],
)
def test_what_cannot_be_declared_is_refused_by_its_name(name, value):
    with pytest.raises(ValueError, match=f"--{name.replace('_', '-')} was given {value}; expected"):
        Declared(**{name: value})


def test_a_price_that_is_none_is_refused():
    for value in (0.0, -1.0):
        with pytest.raises(ValueError, match="price of a core-hour was given"):
            Prices.declared(core_hour=value)


def test_a_discovery_is_shared_by_models_and_applying_it_is_not(tmp_path):
    book(tmp_path, flops(100.0, "train"), flops(100.0, "discover"), flops(100.0, "apply"))
    book(tmp_path, seconds(100.0, "train"), seconds(100.0, "discover"), seconds(100.0, "apply"))
    found = costs(study([tmp_path]), declared=Declared(models=100))
    assert [one.ratio.value for one in found.ratios.values()] == pytest.approx([1.01] * 3)
    only = costs(study([tmp_path]), declared=Declared(models=1))
    assert [one.ratio.value for one in only.ratios.values()] == pytest.approx([2.0] * 3)


def test_each_run_is_priced_by_what_is_known_of_it_and_the_mixture_is_said(tmp_path):
    before = costs(study([two_runs(tmp_path)])).money
    book(tmp_path / "more", flops(1e20, "discover"))
    found = costs(study([tmp_path]))
    assert before is not None and found.money is not None
    assert found.money.understanding.value == pytest.approx(before.understanding.value + 500)
    assert [
        one for one in found.caveats if "understanding is priced by operations in 1 runs without seconds, 1 by" in one
    ]


def test_nothing_booked_of_people_is_no_time_of_people(tmp_path):
    book(two_runs(tmp_path), Entry("reading", "person", 0.0, "person-hour", "declared", purpose="discover"))
    assert costs(study([tmp_path])).spread is not None


def test_what_rests_on_an_assumption_is_marked_in_text_page_and_json(tmp_path):
    book(two_runs(tmp_path), Entry("reading", "person", 8.0, "person-hour", "declared", purpose="discover"))
    found = costs(study([tmp_path]))
    assert found.money is not None
    number = str(found.money.ratio).split("×")[0]
    of_line = str(found.money.ratio / 100.0).split("×")[0]
    text, drawn = printed(found), page(found, tmp_path / "cost.html").read_text()
    for said in (text, drawn):
        places = [
            said[at + len(one) : at + len(one) + 9] for one in (number, of_line) for at in _places(said, f"{one}×")
        ]
        assert places and all(place.startswith(("×ᵃ", "× (assume", "× [")) for place in (one for one in places)), places
    row = record(found)["lines"][0]
    assert "assumed: price" in row["money, of it"] and "assumed" in record(found)["spread of money"]["mark"]


def _places(text: str, word: str) -> list[int]:
    return [at for at in range(len(text)) if text.startswith(word, at) and not text[at - 1].isdigit()]


def _money(folder: Path, declared: Declared) -> float:
    found = costs(study([folder]), declared=declared).money
    assert found is not None
    return found.ratio.value


def test_failed_and_stopped_work_stays_in_the_sums_and_is_said(tmp_path):
    book(two_runs(tmp_path) / "late.partial", flops(400.0, "discover", "search", state="aborted"))
    found = costs(study([tmp_path]))
    assert found.flops is not None and found.flops.ratio.value == 5.0
    doubled = costs(study([tmp_path]), declared=Declared(trainings=2)).flops
    assert doubled is not None and doubled.ratio.value == 2.5
    assert "in the sums: search (aborted)" in found.caveats


def test_a_study_without_training_says_so_and_takes_it_declared(tmp_path):
    book(tmp_path, flops(600.0, "discover"))
    found = costs(study([tmp_path]))
    assert found.flops is None and any("no training is booked" in one for one in found.missing)
    declared = costs(study([tmp_path]), declared=Declared(training_flops=300.0))
    assert declared.flops is not None and declared.flops.ratio.value == 2.0
    with pytest.raises(CostError, match="declared as well"):
        costs(study([two_runs(tmp_path)]), declared=Declared(training_flops=300.0))


def test_a_run_that_was_not_counted_makes_the_sum_a_lower_bound(tmp_path):
    book(two_runs(tmp_path) / "more", seconds(5.0, "discover"))
    found = costs(study([tmp_path]))
    assert "the FLOPs of understanding are a lower bound: counted in 1 of 2 runs (--flops)" in found.caveats


def test_a_run_counts_once_however_often_it_is_named(tmp_path):
    two_runs(tmp_path)
    assert costs(study([tmp_path])).phases == costs(study([tmp_path, tmp_path / "net", tmp_path / "trace"])).phases


def test_what_cannot_be_read_is_said_and_the_rest_counts(tmp_path):
    two_runs(tmp_path)
    with (tmp_path / "trace" / "ledger.jsonl").open("a") as file:
        file.write('{"phase": "tra')
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "ledger.jsonl").write_text('{"phase": 3}\n')
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "run.json").write_text("{}")
    found = costs(study([tmp_path]))
    assert found.flops is not None and found.flops.ratio.value == 3.0
    assert sorted(one.split(": ")[0] for one in found.unread) == sorted(
        [str(tmp_path / "bare"), "what was spent there is missing", str(tmp_path / "trace" / "ledger.jsonl")]
    )
    assert found.missing[0].startswith("the sums are lower bounds: 3 of the ledgers")


def test_a_part_of_a_run_is_no_run_without_a_ledger(tmp_path):
    (tmp_path / "trace" / "inside").mkdir(parents=True)
    for folder in (tmp_path / "trace", tmp_path / "trace" / "inside"):
        (folder / "run.json").write_text("{}")
    assert not costs(study([two_runs(tmp_path)])).unread


def test_money_in_another_currency_and_what_has_no_price_is_left_out_and_said(tmp_path):
    more = [
        Entry("labels", "data", 5.0, "EUR", "declared", purpose="discover"),
        Entry("judge", "api", 1000.0, "tokens", "declared", purpose="discover"),
    ]
    found = costs(study([book(two_runs(tmp_path) / "more", *more)]), declared=Declared(training_cost=1.0))
    assert [one for one in found.caveats if "5 EUR" in one] and [one for one in found.caveats if "1000 tokens" in one]
    with pytest.raises(ValueError, match="in which no price is assumed"):
        Prices.declared("EUR", core_hour=0.1, salary=None)


def test_the_page_and_the_text_say_the_same_figures_and_load_nothing(tmp_path):
    book(two_runs(tmp_path), Entry("reading <b>", "person", 8.0, "person-hour", "declared", purpose="discover"))
    found = costs(study([tmp_path]))
    text, drawn = printed(found), page(found, tmp_path / "cost.html").read_text()
    for line in ("100×", "625×", "1,250×", "50,000×"):
        assert line in text and f">{line}</text>" in drawn
    assert "reading &lt;b&gt;" in drawn and "<b>" not in drawn
    assert "http" not in drawn.replace("https://www.w3.org", "") and "<script" not in drawn
    assert json.loads(json.dumps(record(found)))["ratios"]["FLOPs"]["ratio"]["value"] == 3.0


def test_useful_operations_stand_beside_the_counted_ones_where_there_are_any(tmp_path):
    assert "useful GFLOP" not in printed(costs(study([two_runs(tmp_path)])))
    book(tmp_path / "net", Entry("training", "compute", 5e9, "FLOP", "derived", "useful_flops", purpose="train"))
    (row,) = [row for row in costs(study([tmp_path])).phases if row["phase"] == "training"]
    assert row["useful GFLOP"] == 5.0 and row["GFLOP"] == pytest.approx(2e-7)


def test_a_folder_without_anything_booked_is_refused(tmp_path):
    with pytest.raises(CostError, match="nothing is booked there"):
        study([tmp_path])
    with pytest.raises(CostError, match="no such folder"):
        study([tmp_path / "gone"])


def test_a_network_is_a_point_and_a_search_that_was_stopped_a_lower_bound(tmp_path):
    for place in range(8):
        trained = 1e6 * 4.0**place
        home = tmp_path / f"net{place}"
        book(home / "net", flops(trained, "train", "training"))
        state = "aborted" if place == 7 else "done"
        book(home / "trace", flops(trained**0.5 * (1 + 0.05 * (-1) ** place), "discover", state=state))
    found = growth([tmp_path])
    assert len(found.networks) == 8 and sum(not one.reached for one in found.networks) == 1
    fit = next(one for one in found.fits if one.name == "understanding on training FLOPs")
    assert fit.power is not None and fit.power.exponent == pytest.approx(0.5, abs=0.02)
    assert fit.verdict == "sublinear"
    ratio = next(one for one in found.fits if one.name == "understanding ÷ training on training FLOPs")
    assert ratio.power is not None and ratio.interval is not None and fit.interval is not None
    assert ratio.power.exponent == pytest.approx(fit.power.exponent - 1)
    assert ratio.power.interval().high == pytest.approx(ratio.interval.high, abs=1e-6), "as if it were fitted itself"
    assert (ratio.verdict, ratio.p_linear) == ("falls", fit.p_linear)


def test_a_run_that_was_resumed_has_got_there_and_one_that_was_not_counted_is_left_out(tmp_path):
    book(tmp_path / "a" / "net", flops(1e6, "train"))
    book(tmp_path / "a" / "trace", flops(1e3, "discover"), flops(10.0, "discover", state="aborted"))
    assert growth([tmp_path]).networks[0].reached and growth([tmp_path]).networks[0].understanding_flops == 1010
    book(tmp_path / "b" / "net", flops(1e6, "train"))
    book(tmp_path / "b" / "trace", flops(1e3, "discover"))
    book(tmp_path / "b" / "match", seconds(5.0, "discover"))
    found = growth([tmp_path])
    assert len(found.networks) == 1 and "1 of its 2 runs of understanding have no FLOPs" in found.left_out[0]


@pytest.mark.parametrize(
    ("field", "value"),
    [("training_flops", "1e9"), ("training_flops", 0), ("parameters", "x"), ("reached", "maybe"), ("network", 3)],
)
def test_a_line_that_holds_what_it_cannot_is_named(tmp_path, field, value):
    row = {"network": "a", "size": "s", "training_flops": 1e6, "understanding_flops": 1e3, field: value}
    (tmp_path / "points.jsonl").write_text(json.dumps(row) + "\n")
    with pytest.raises(CostError, match=f"line 1: {field} is {value!r}; expected"):
        growth([tmp_path / "points.jsonl"])


def test_lines_of_a_file_give_the_same_points_as_folders(tmp_path):
    book(tmp_path / "a" / "net", flops(1e6, "train"))
    book(tmp_path / "a" / "trace", flops(1e3, "discover"))
    row = {"network": "a", "size": "", "training_flops": 1e6, "understanding_flops": 1e3}
    (tmp_path / "points.jsonl").write_text(json.dumps(row) + "\n")
    assert growth([tmp_path / "points.jsonl"]).networks == growth([tmp_path / "a"]).networks
    assert {one.verdict for one in growth([tmp_path / "a"]).fits} == {"undecided"}
