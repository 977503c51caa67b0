"""What answers to duties do to exports: diversion to other origins, promises to buy, limits on what is let through."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from tariffs.engine.law import load_law
from tariffs.engine.law.quantity_rules import quantity_rules
from tariffs.engine.runs.impact import Impact, Options, Point, ScenarioImpact, impact
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import Scenario, apply_scenario, library, parse_scenario

LAW = load_law()
CONTROLS = "cn.rare_earth_controls"
SOYBEANS = pl.DataFrame(
    {
        "hts": ["1201.90", "1201.90"],
        "origin": ["US", "BR"],
        "customs_value": [14.52e9, 41.97e9],
        "quantity": [24.2e6, 69.95e6],
        "unit": ["t", "t"],
    }
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def assuming(kind: str, measure: str, share: str, changes: str = "") -> Scenario:
    return parse_scenario(
        f"schema: tariffs.scenario/v1\nid: assumed\ntitle: assumed\nbasis: hypothesis\n"
        f'assumptions: {{{kind}: {{{measure}: "{share}"}}}}\n{changes}',
        "scenario",
    )


def run(table: pl.DataFrame, *scenarios: Scenario, on: str = "2026-11-24", **options: Any) -> Impact:
    chosen = {"direction": "export", "baseline": "2025-01-01", "by": ("origin",), **options}
    points = [Point(scenario, on) for scenario in scenarios or (library()["base"],)]
    return impact(table, points, law=LAW, options=Options(**chosen))


def quantities(block: ScenarioImpact, table: pl.DataFrame = SOYBEANS) -> dict[str, float]:
    hats = dict(block.groups.select("origin", "quantity_hat").iter_rows())
    return {
        origin: hats[origin] * amount for origin, amount in table.select("origin", "quantity").iter_rows()
    }


def notes_of(found: Impact, reason: str) -> list[str]:
    return [note.message for block in found.scenarios for note in block.notes if note.reason == reason]


# -- response --------------------------------------------------------------------------------------------------


def test_a_duty_on_one_origin_diverts_to_the_other() -> None:
    before, after = run(SOYBEANS, on="2026-11-24"), run(SOYBEANS, on="2027-01-11")
    modest, steep = (
        dict(x.scenarios[0].groups.select("origin", "quantity_hat").iter_rows()) for x in (before, after)
    )
    assert steep["US"] < modest["US"] < 1.0 < modest["BR"] < steep["BR"] < 1.25
    assert after.scenarios[0].groups["diversion"].sum() == pytest.approx(0.0, abs=1.0)
    alone = run(SOYBEANS.filter(origin="US"), on="2027-01-11").scenarios[0].groups
    assert alone["diversion"].to_list() == pytest.approx([0.0], abs=1e-6)
    assert alone["quantity_hat"][0] > steep["US"]


def test_codes_of_any_length_are_one_product() -> None:
    split = SOYBEANS.with_columns(hts=pl.Series(["12019000", "1201.90"]))
    assert run(split).scenarios[0].groups.equals(run(SOYBEANS).scenarios[0].groups)


def test_welfare_belongs_to_products_of_six_digits() -> None:
    of_six, of_eight = (run(SOYBEANS, by=(key,)).scenarios[0].groups for key in ("hts6", "hts8"))
    assert of_six["welfare"][0] < 0.0
    assert of_eight["welfare"].to_list() == [None]


def test_tax_is_part_of_what_lands_after_the_response() -> None:
    found = run(SOYBEANS).scenarios[0].groups
    landed = (found["value_after"] + found["duty_after"]) * 1.09
    assert found["landed_after"].to_list() == pytest.approx(landed.to_list())


# -- promises --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instant", "held"),
    [
        ("2025-03-01T12:00+08:00", set()),
        ("2025-10-20T12:00+08:00", {"cn.rare_earth_licensing", CONTROLS}),
        ("2025-11-20T12:00+08:00", {"cn.rare_earth_licensing", "cn.commitment_soybeans"}),
        (
            "2026-11-24T12:00+08:00",
            {"cn.rare_earth_licensing", "cn.commitment_soybeans", "cn.commitment_farm"},
        ),
        ("2029-02-01T12:00+08:00", {"cn.rare_earth_licensing", CONTROLS}),
    ],
)
def test_limits_and_promises_by_date(instant: str, held: set[str]) -> None:
    assert {rule.measure for rule in quantity_rules(LAW, at(instant))} == held
    ways = {rule.market for rule in quantity_rules(LAW, at(instant), market="CN")}
    assert ways == ({"CN"} if any("commitment" in name for name in held) else set())


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
    rules = quantity_rules(LAW, at(instant))
    (promise,) = [rule.promise for rule in rules if rule.measure == "cn.commitment_soybeans"]
    assert promise is not None
    assert (promise.quantity, promise.yearly) == (Decimal(promised), Decimal(yearly))
    assert promise.unit == "t"


def test_the_steps_of_promises_are_boundaries_of_the_law() -> None:
    steps = {at(f"{year}-01-01T00:00+08:00") for year in (2026, 2027, 2028)}
    assert steps | {at("2025-11-01T00:00+08:00")} <= set(LAW.boundaries)


@pytest.mark.parametrize(("share", "bought"), [("100%", 25e6), ("90%", 22.5e6)])
def test_a_promise_that_is_kept_is_a_floor(share: str, bought: float) -> None:
    found = run(SOYBEANS, library()["base"], assuming("compliance", "cn.commitment_soybeans", share))
    without, kept = (quantities(block) for block in found.scenarios)
    assert without["US"] < bought
    assert kept["US"] == pytest.approx(bought)
    assert kept["BR"] < without["BR"]
    told = [text for text in notes_of(found, "QUANTITY_FLOOR") if "soybeans" in text][-1]
    assert "It binds" in told
    assert f"compliance {share}" in told


def test_a_promise_that_binds_costs_its_buyers_a_subsidy() -> None:
    kept = assuming("compliance", "cn.commitment_soybeans", "100%")
    found = run(SOYBEANS, library()["base"], kept, by=("hts6",))
    without, bound = (pl.DataFrame([block.total]) for block in found.scenarios)
    assert bound["quota_premium"].item() < 0.0
    assert bound["rent_importer"].item() < 0.0
    assert (without["rent_importer"].item(), without["quota_premium"].item()) == (0.0, None)
    names = ["buyer_surplus", "duty_after", "welfare"]
    surplus, duty, welfare = (bound[name].item() - without[name].item() for name in names)
    assert surplus > 0.0
    assert welfare == pytest.approx(surplus + duty + bound["rent_importer"].item())
    lines = run(SOYBEANS, kept, include_lines=True).scenarios[0].lines
    assert lines is not None
    assert lines["diversion"].sum() == pytest.approx(0.0, abs=1e-3)
    assert (lines["rent_importer"] < 0.0).to_list() == (lines["origin"] == "US").to_list()


def test_a_promise_below_what_the_model_gives_changes_nothing() -> None:
    found = run(SOYBEANS, library()["base"], assuming("compliance", "cn.commitment_soybeans", "50%"))
    assert quantities(found.scenarios[0]) == quantities(found.scenarios[1])
    assert any("does not bind" in text for text in notes_of(found, "QUANTITY_FLOOR"))


def test_a_promise_without_an_assumption_is_told_and_changes_nothing() -> None:
    found = run(SOYBEANS)
    assert quantities(found.scenarios[0])["US"] < 25e6
    assert any(
        "the model gives" in text and "has no effect" in text for text in notes_of(found, "QUANTITY_FLOOR")
    )


def test_a_promise_needs_quantities_in_its_unit() -> None:
    kept = assuming("compliance", "cn.commitment_soybeans", "100%")
    in_kilograms = SOYBEANS.with_columns(quantity=pl.col("quantity") * 1000, unit=pl.lit("kg"))
    assert quantities(run(in_kilograms, kept).scenarios[0])["US"] == pytest.approx(25e6)
    for table in (SOYBEANS.drop("quantity"), SOYBEANS.with_columns(unit=pl.lit("no"))):
        found = run(table, kept)
        plain = run(table).scenarios[0].groups
        assert found.scenarios[0].groups.select(plain.columns).equals(plain)
        assert found.scenarios[0].groups["rent_importer"].to_list() == [0.0, 0.0]
        assert any("no quantity in t" in text for text in notes_of(found, "QUANTITY_FLOOR"))


def test_a_suspended_promise_is_none() -> None:
    change = (
        "changes:\n  - {op: suspend, measures: {id: cn.commitment_soybeans}, from: 2026-11-01, "
        'kept: "0%", on_end: none_scheduled, cite: ["a test"]}\n'
    )
    kept = assuming("compliance", "cn.commitment_soybeans", "100%", change)
    assert quantities(run(SOYBEANS, kept).scenarios[0]) == quantities(run(SOYBEANS).scenarios[0])
    assert quantities(run(SOYBEANS, kept, on="2026-10-20").scenarios[0])["US"] == pytest.approx(25e6)


def test_a_promise_in_dollars_counts_the_value_at_the_port_of_export() -> None:
    farm = pl.DataFrame(
        {
            "hts": ["020230", "520100"],
            "origin": ["US", "US"],
            "customs_value": [1e9, 0.5e9],
            "freight": [0.1e9, 0.0],
        }
    )
    found = (
        run(farm, assuming("compliance", "cn.commitment_farm", "10%"), include_lines=True).scenarios[0].lines
    )
    assert found is not None
    assert (found["customs_value"] * found["quantity_hat"]).sum() == pytest.approx(1.7e9)


def test_a_promise_spread_over_entry_dates_is_one_promise() -> None:
    dated = pl.concat(
        [
            SOYBEANS.with_columns(pl.col("customs_value", "quantity") / 2, entry_date=pl.lit(day))
            for day in ("2026-03-01", "2026-09-01")
        ]
    )
    kept = assuming("compliance", "cn.commitment_soybeans", "100%")
    lines = run(dated, kept, include_lines=True).scenarios[0].lines
    assert lines is not None
    bought = (lines["quantity"] * lines["quantity_hat"]).filter(lines["origin"] == "US").sum()
    assert bought == pytest.approx(25e6)


def test_a_promise_steps_through_a_timeline() -> None:
    kept = assuming("compliance", "cn.commitment_soybeans", "100%")
    options = Options(direction="export", baseline="2025-01-01")
    found = timeline(SOYBEANS, [kept], "2025-10-30", "2026-01-02", law=LAW, options=options)
    steps = found.scenarios[0].segments.filter(origin="US").select("start", "quantity_hat").rows()
    bought = {start: hat * 24.2e6 for start, hat in steps}
    assert bought["2025-10-30"] < 20e6
    assert bought["2025-11-01"] == pytest.approx(72e6)
    assert bought["2026-01-01"] == pytest.approx(25e6)
    assert any("12,000,000 t" in note.message for note in found.notes)


# -- limits ----------------------------------------------------------------------------------------------------

MAGNETS = pl.DataFrame(
    {"hts": ["8505110070", "8505110070"], "origin": ["CN", "JP"], "customs_value": [8e6, 2e6]}
)


def test_a_limit_lets_through_what_is_assumed() -> None:
    back = f"changes:\n  - {{op: snap_back, measures: {{id: {CONTROLS}}}, at: 2026-12-01, cite: [a test]}}\n"
    head = "schema: tariffs.scenario/v1\nid: controls-back\ntitle: controls\nbasis: hypothesis\n"
    base = parse_scenario(head + back, "scenario")
    limited = assuming("let_through", CONTROLS, "40%", back)
    found = run(MAGNETS, base, limited, on="2026-12-02", direction="import")
    free, held = (dict(x.groups.select("origin", "quantity_hat").iter_rows()) for x in found.scenarios)
    assert held["CN"] == pytest.approx(0.4)
    assert free["CN"] > 0.4
    assert held["JP"] > free["JP"]
    assert any("40%" in text for text in notes_of(found, "QUANTITY_LIMIT"))
    held_abroad = found.scenarios[1].total
    assert (held_abroad["rent_exporter"] or 0.0) > 0.0
    assert (held_abroad["rent_importer"], held_abroad["rent_government"]) == (0.0, 0.0)


def test_a_limit_of_a_suspended_control_cuts_nothing() -> None:
    limited = assuming("let_through", CONTROLS, "40%")
    found = run(MAGNETS, library()["base"], limited, on="2026-12-02", direction="import")
    assert found.scenarios[0].groups.equals(
        found.scenarios[1].groups.select(found.scenarios[0].groups.columns)
    )
    assert notes_of(found, "QUANTITY_LIMIT") == []


def test_an_assumption_reaches_the_law() -> None:
    law = apply_scenario(LAW, assuming("compliance", "cn.commitment_soybeans", "90%"))
    assert law.assumptions.compliance == {"cn.commitment_soybeans": Decimal("0.9")}
