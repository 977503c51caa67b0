"""Tables of exports: what lines pay, how trade answers duties, promises to buy, limits on what is let through."""

from __future__ import annotations

import itertools
from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.law.quantity_rules import quantity_rules
from tariffs.engine.line_duty.exports import ExportLine, quote_export
from tariffs.engine.runs.impact import Impact, Options, Point, ScenarioImpact, impact
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import Scenario, library, parse_scenario
from tests.unit.scenario_tables import HEAD

LAW = load_law()
CONTROLS, PROMISE = "cn.rare_earth_controls", "cn.commitment_soybeans"
SOYBEANS = pl.DataFrame(
    {
        "hts": ["1201.90", "1201.90"],
        "origin": ["US", "BR"],
        "customs_value": [14.52e9, 41.97e9],
        "quantity": [24.2e6, 69.95e6],
        "unit": ["t", "t"],
    }
)
BACK = f"changes:\n  - {{op: snap_back, measures: {{id: {CONTROLS}}}, at: 2026-12-01, cite: [a test]}}\n"


def scenario_of(text: str) -> Scenario:
    return parse_scenario(HEAD.format(id="assumed") + text, "scenario")


def assuming(kind: str, measure: str, share: str, changes: str = "") -> Scenario:
    return scenario_of(f'assumptions: {{{kind}: {{{measure}: "{share}"}}}}\n{changes}')


KEPT = assuming("compliance", PROMISE, "100%")


def run(table: pl.DataFrame, *scenarios: Scenario, on: str = "2026-11-24", **options: Any) -> Impact:
    chosen = {"direction": "export", "baseline": "2025-01-01", "by": ("origin",), **options}
    points = [Point(scenario, on) for scenario in scenarios or (library()["base"],)]
    return impact(table, points, law=LAW, options=Options(**chosen))


def lines_of(table: pl.DataFrame, *scenarios: Scenario, **options: Any) -> pl.DataFrame:
    lines = run(table, *scenarios, include_lines=True, **options).scenarios[0].lines
    assert lines is not None
    return lines


def hats(block: ScenarioImpact) -> dict[str, float]:
    return dict(block.groups.select("origin", "quantity_hat").iter_rows())


def quantities(block: ScenarioImpact) -> dict[str, float]:
    found = hats(block)
    return {origin: found[origin] * amount for origin, amount in SOYBEANS.select("origin", "quantity").rows()}


def notes_of(found: Impact, reason: str) -> list[str]:
    return [note.message for block in found.scenarios for note in block.notes if note.reason == reason]


# -- duties ----------------------------------------------------------------------------------------------------


def test_the_base_is_cif_and_tax_falls_on_base_and_duty() -> None:
    freight = pl.DataFrame(
        {
            "hts": ["1201.90", "1201900095"],
            "origin": ["US", "AR"],
            "customs_value": [1000, 200],
            "freight": [60, 10],
        }
    )
    found = run(freight, response="none").scenarios[0].groups.filter(origin="US").to_dicts()[0]
    assert found["customs_value"] == 1060.0
    assert found["duty"] == pytest.approx(0.13 * 1060)
    assert found["vat"] == pytest.approx(0.09 * 1.13 * 1060)
    assert found["landed"] == pytest.approx(1060 * 1.13 * 1.09)
    lines = lines_of(freight.with_columns(mine=pl.lit("a")), response="none")
    assert lines.select("customs_value", "mine").rows() == [(1000.0, "a"), (200.0, "a")]


def test_rows_that_cannot_be_rated_are_refused_and_name_their_row() -> None:
    table = pl.DataFrame(
        {
            "hts": ["1201", "8524.11", "120190", "999999", "8524.11", "8524.11", "8524.11"],
            "origin": ["US", "US", "XX", "US", "US", "US", "US"],
            "customs_value": [1.0] * 7,
            "ordinary_rate": [None, None, None, None, "3%", "3", "x"],
        }
    )
    assert run(table, response="none").refused.select("row", "column", "reason").rows() == [
        (0, "hts", "HTS_CODE_MALFORMED"),
        (1, "ordinary_rate", "RATE_NOT_COMPUTABLE"),
        (2, "origin", "ORIGIN_UNKNOWN"),
        (3, "hts", "HTS_CODE_UNKNOWN"),
        (5, "ordinary_rate", "PARAMETER_INVALID"),
        (6, "ordinary_rate", "PARAMETER_INVALID"),
    ]
    assert lines_of(table, response="none")["effective_rate"].to_list() == [pytest.approx(0.13)]
    with pytest.raises(InputError) as refused:
        run(SOYBEANS, direction="control")
    assert (refused.value.reason, refused.value.field) == ("REQUEST_INVALID", "direction")


def test_goods_with_a_quota_say_what_was_taken_for_granted() -> None:
    table = pl.DataFrame({"hts": ["100590"] * 3, "origin": ["BR"] * 3, "customs_value": [100.0] * 3})
    silent = run(table, response="none")
    assert silent.scenarios[0].total["duty"] == pytest.approx(3.0)
    assert "WITHIN_QUOTA" in {note.reason for note in silent.notes}
    shared = table.with_columns(in_quota_share=pl.Series([0.0, 0.5, 1.0]))
    assert lines_of(shared, response="none")["duty"].to_list() == pytest.approx([65.0, 33.0, 1.0])
    for other in (shared, SOYBEANS):  # which have no quota
        assert "WITHIN_QUOTA" not in {note.reason for note in run(other, response="none").notes}


def test_days_are_those_of_the_importing_country() -> None:
    options = Options(response="none", direction="export", by=("origin",))
    found = timeline(SOYBEANS, [library()["base"]], "2025-01-01", "2025-12-31", law=LAW, options=options)
    rates = found.scenarios[0].segments.filter(origin="US").select("start", "effective_rate").rows()
    steps = [rates[0]] + [new for old, new in itertools.pairwise(rates) if new[1] != old[1]]
    assert [start for start, _ in steps] == [
        "2025-01-01", "2025-03-10", "2025-04-11", "2025-04-12", "2025-05-15", "2025-11-11",
    ]  # fmt: skip
    assert [rate for _, rate in steps] == pytest.approx([0.03, 0.13, 0.97, 1.38, 0.23, 0.13])


def test_a_line_with_a_share_says_which_part_of_the_goods_pays_which() -> None:
    corn = ExportLine("1005.90", "BR", 1000, "2026-11-24", {"in_quota_share": "0.25"})
    quote = quote_export(LAW, corn)
    assert quote.layers[0].why["text"] == (
        "25% of the goods: Ordinary rate 1% on the customs value because in_quota_share is claimed. "
        "75% of the goods: Ordinary rate 65% on the customs value."
    )
    assert (quote.layers[0].rate, quote.assessed) == (Decimal("0.49"), Decimal("490.00"))


# -- response --------------------------------------------------------------------------------------------------


def test_a_duty_on_one_origin_diverts_to_the_other() -> None:
    before, after = run(SOYBEANS), run(SOYBEANS, on="2027-01-11")
    modest, steep = (hats(found.scenarios[0]) for found in (before, after))
    assert steep["US"] < modest["US"] < 1.0 < modest["BR"] < steep["BR"] < 1.25
    assert after.scenarios[0].groups["diversion"].sum() == pytest.approx(0.0, abs=1.0)
    alone = run(SOYBEANS.filter(origin="US"), on="2027-01-11").scenarios[0].groups
    assert alone["diversion"].to_list() == pytest.approx([0.0], abs=1e-6)
    assert alone["quantity_hat"][0] > steep["US"]


def test_welfare_belongs_to_products_of_six_digits_and_tax_to_what_lands() -> None:
    of_six, of_eight, found = (
        run(SOYBEANS, by=(key,)).scenarios[0].groups for key in ("hts6", "hts8", "origin")
    )
    assert of_six["welfare"][0] < 0.0
    assert of_eight["welfare"].to_list() == [None]
    landed = (found["value_after"] + found["duty_after"]) * 1.09
    assert found["landed_after"].to_list() == pytest.approx(landed.to_list())


# -- promises --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "held"),
    [
        ("2025-03-01", set()),
        ("2025-10-20", {"cn.rare_earth_licensing", CONTROLS}),
        ("2025-11-20", {"cn.rare_earth_licensing", PROMISE}),
        ("2026-11-24", {"cn.rare_earth_licensing", PROMISE, "cn.commitment_farm"}),
        ("2029-02-01", {"cn.rare_earth_licensing", CONTROLS}),
    ],
)
def test_limits_and_promises_by_date(day: str, held: set[str]) -> None:
    instant = datetime.fromisoformat(f"{day}T12:00+08:00")
    assert {rule.measure for rule in quantity_rules(LAW, instant)} == held
    ways = {rule.market for rule in quantity_rules(LAW, instant, market="CN")}
    assert ways == ({"CN"} if PROMISE in held else set())


@pytest.mark.parametrize(
    ("instant", "promised", "yearly"),
    [
        ("2025-12-31T23:59+08:00", 12_000_000, 72_000_000),
        ("2026-01-01T00:00+08:00", 25_000_000, 25_000_000),
        ("2028-06-01T00:00+08:00", 25_000_000, 25_000_000),
    ],
)
def test_soybeans_promised_by_window_and_at_the_rate_of_a_year(
    instant: str, promised: int, yearly: int
) -> None:
    rules = quantity_rules(LAW, datetime.fromisoformat(instant))
    (promise,) = [rule.promise for rule in rules if rule.measure == PROMISE]
    assert promise is not None
    assert (promise.quantity, promise.yearly, promise.unit) == (Decimal(promised), Decimal(yearly), "t")


@pytest.mark.parametrize(("share", "bought"), [("100%", 25e6), ("90%", 22.5e6), ("50%", 0.0)])
def test_a_promise_that_is_kept_is_a_floor_that_binds_or_changes_nothing(share: str, bought: float) -> None:
    found = run(SOYBEANS, library()["base"], assuming("compliance", PROMISE, share))
    without, kept = (quantities(block) for block in found.scenarios)
    told = notes_of(found, "QUANTITY_FLOOR")
    if not bought:
        assert kept == without
        assert any("does not bind" in text for text in told)
        assert any("the model gives" in text and "has no effect" in text for text in told)
        return
    assert without["US"] < bought
    assert kept["US"] == pytest.approx(bought)
    assert kept["BR"] < without["BR"]
    last = [text for text in told if "soybeans" in text][-1]
    assert "It binds" in last
    assert f"compliance {share}" in last


def test_a_promise_that_binds_costs_its_buyers_a_subsidy() -> None:
    found = run(SOYBEANS, library()["base"], KEPT, by=("hts6",))
    without, bound = (block.total for block in found.scenarios)
    assert (without["rent_importer"], without["quota_premium"]) == (0.0, None)
    surplus, duty, welfare, rent, premium = (
        (bound[name] or 0.0) - (without[name] or 0.0)
        for name in ("buyer_surplus", "duty_after", "welfare", "rent_importer", "quota_premium")
    )
    assert premium < 0.0
    assert rent < 0.0 < surplus
    assert welfare == pytest.approx(surplus + duty + rent)
    lines = lines_of(SOYBEANS, KEPT)
    assert lines["diversion"].sum() == pytest.approx(0.0, abs=1e-3)
    assert (lines["rent_importer"] < 0.0).to_list() == (lines["origin"] == "US").to_list()


def test_a_promise_needs_quantities_in_its_unit() -> None:
    in_kilograms = SOYBEANS.with_columns(quantity=pl.col("quantity") * 1000, unit=pl.lit("kg"))
    assert quantities(run(in_kilograms, KEPT).scenarios[0])["US"] == pytest.approx(25e6)
    for table in (SOYBEANS.drop("quantity"), SOYBEANS.with_columns(unit=pl.lit("no"))):
        found = run(table, KEPT)
        plain = run(table).scenarios[0].groups
        assert found.scenarios[0].groups.select(plain.columns).equals(plain)
        assert found.scenarios[0].groups["rent_importer"].to_list() == [0.0, 0.0]
        assert any("no quantity in t" in text for text in notes_of(found, "QUANTITY_FLOOR"))


def test_a_suspended_promise_is_none() -> None:
    change = (
        f"{{op: suspend, measures: {{id: {PROMISE}}}, from: 2026-11-01, kept: 0%, on_end: none_scheduled}}"
    )
    kept = assuming("compliance", PROMISE, "100%", f"changes: [{change}]\n")
    assert quantities(run(SOYBEANS, kept).scenarios[0]) == quantities(run(SOYBEANS).scenarios[0])
    assert quantities(run(SOYBEANS, kept, on="2026-10-20").scenarios[0])["US"] == pytest.approx(25e6)


def test_a_promise_in_dollars_counts_the_value_at_the_port_of_export() -> None:
    goods = [("020230", "US", 1e9, 0.1e9), ("520100", "US", 0.5e9, 0.0)]
    farm = pl.DataFrame(goods, schema=["hts", "origin", "customs_value", "freight"], orient="row")
    found = lines_of(farm, assuming("compliance", "cn.commitment_farm", "10%"))
    assert (found["customs_value"] * found["quantity_hat"]).sum() == pytest.approx(1.7e9)


def test_a_promise_spread_over_entry_dates_is_one_promise() -> None:
    half = SOYBEANS.with_columns(pl.col("customs_value", "quantity") / 2)
    days = ("2026-03-01", "2026-09-01")
    lines = lines_of(pl.concat([half.with_columns(entry_date=pl.lit(day)) for day in days]), KEPT)
    bought = (lines["quantity"] * lines["quantity_hat"]).filter(lines["origin"] == "US").sum()
    assert bought == pytest.approx(25e6)


def test_a_promise_steps_through_a_timeline() -> None:
    options = Options(direction="export", baseline="2025-01-01")
    found = timeline(SOYBEANS, [KEPT], "2025-10-30", "2026-01-02", law=LAW, options=options)
    steps = found.scenarios[0].segments.filter(origin="US").select("start", "quantity_hat").rows()
    bought = {start: hat * 24.2e6 for start, hat in steps}
    assert bought["2025-10-30"] < 20e6
    assert bought["2025-11-01"] == pytest.approx(72e6)
    assert bought["2026-01-01"] == pytest.approx(25e6)
    assert any("12,000,000 t" in note.message for note in found.notes)


# -- limits ----------------------------------------------------------------------------------------------------


def test_a_limit_lets_through_what_is_assumed_unless_it_is_suspended() -> None:
    magnets = pl.DataFrame({"hts": ["8505110070"] * 2, "origin": ["CN", "JP"], "customs_value": [8e6, 2e6]})
    limited = assuming("let_through", CONTROLS, "40%", BACK)
    found = run(magnets, scenario_of(BACK), limited, on="2026-12-02", direction="import")
    free, held = (hats(block) for block in found.scenarios)
    assert held["CN"] == pytest.approx(0.4)
    assert free["CN"] > 0.4
    assert held["JP"] > free["JP"]
    assert any("40%" in text for text in notes_of(found, "QUANTITY_LIMIT"))
    held_abroad = found.scenarios[1].total
    assert (held_abroad["rent_exporter"] or 0.0) > 0.0
    assert (held_abroad["rent_importer"], held_abroad["rent_government"]) == (0.0, 0.0)
    suspended = assuming("let_through", CONTROLS, "40%")
    found = run(magnets, library()["base"], suspended, on="2026-12-02", direction="import")
    base, same = (block.groups for block in found.scenarios)
    assert base.equals(same.select(base.columns))
    assert notes_of(found, "QUANTITY_LIMIT") == []
