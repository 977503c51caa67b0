"""Verbs that act on more than a measure: replacement, stacking, claims, quantities, announcements, mixtures."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law import load_law
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.scenario import apply_scenario, check_scenario, components, library
from tests.unit.scenario_tables import DAY, TABLE, total, written

START = "2027-01-01T00:01-05:00"
MEASURE = "{id: flat, title: Flat, authority: s301.flat, periods: [{id: flat_1, FROM rows: [{rate: 5%}]}]}"
NEW = MEASURE.replace("FROM", f"from: {START},")


def test_replace_ends_one_measure_and_begins_another() -> None:
    replaced = written(
        f"{{op: replace, measures: {{id: fl301}}, at: {START}, measure: {MEASURE.replace('FROM ', '')}}}"
    )
    two = written(f"{{op: terminate, measures: {{id: fl301}}, at: {START}}}", f"{{op: add, measure: {NEW}}}")
    assert total(replaced) == total(two) != total(library()["base"])


def test_what_replaces_a_node_may_stand_under_it() -> None:
    own = MEASURE.replace("FROM ", "").replace("s301.flat", "s301.fl")
    found = apply_scenario(
        load_law(), written(f"{{op: replace, measures: {{authority: s301.fl}}, at: {START}, measure: {own}}}")
    )
    line = EntryLine("9503.00.0073", "CN", "10000", "2027-02-01")
    charged = {x.measure: x.amount for x in quote_line(found, line).layers}
    assert charged["flat"] == 500
    assert "fl301" not in charged


def test_a_stacking_rule_is_off_in_its_window_only() -> None:
    off = written(
        f"{{op: set_stacking, rule: fl301_off_232, from: {START}, until: 2027-02-01T00:01-05:00, value: 'off'}}"
    )
    base = library()["base"]
    assert total(off)["duty"] > total(base)["duty"]
    assert total(off, "2026-12-01") == total(base, "2026-12-01")
    assert total(off, "2027-02-02") == total(base, "2027-02-02")


def test_a_rule_of_the_past_is_brought_back_and_a_rule_is_defined() -> None:
    back = apply_scenario(
        load_law(), written(f"{{op: set_stacking, rule: fentanyl_before_metals, from: {START}, value: 'on'}}")
    )
    parts = [rule for rule in back.rules if rule.id == "fentanyl_before_metals"]
    ended = [(p.start and p.start.year, [end.at.year for end in p.ends]) for p in parts]
    assert ended == [(2025, [2025]), (2027, [])]
    rule = "{when: [s301.cn], on: [s301.fl], take: all, text: no forced-labor duty beside the lists}"
    new = written(f"{{op: set_stacking, rule: mine, after: fl301_off_232, from: {START}, as: {rule}}}")
    ids = [rule.id for rule in apply_scenario(load_law(), new).rules]
    assert ids[ids.index("fl301_off_232") + 1] == "mine"
    assert total(new)["duty"] < total(library()["base"])["duty"]


def test_metals_by_content_charges_the_rest_with_the_forced_labor_duty() -> None:
    law = apply_scenario(load_law(), library()["metals-by-content"])
    line = EntryLine("7318.15.8069", "DE", "10000", "2027-02-01", {"steel_share": 0.4})
    layers = {x.measure: x for x in quote_line(law, line).layers if x.amount}
    metals = next(layer for name, layer in layers.items() if name.startswith("s232"))
    assert metals.base == 4000
    assert layers["fl301"].base == 6000


def test_a_set_share_replaces_what_lines_declare_on_tables_and_entry_lines() -> None:
    declared = TABLE.with_columns(usmca_share=pl.lit(1.0), fta_share=pl.lit(0.0))
    lapsed = library()["usmca-lapses"]
    none = TABLE.with_columns(usmca_share=pl.lit(0.0), fta_share=pl.lit(0.0))
    assert total(lapsed, table=declared)["duty"] == pytest.approx(
        total(library()["base"], table=none)["duty"]
    )
    # Toys: free in the schedule, and 10 percent over forced labor unless they originate.
    line = EntryLine("9503.00.0073", "MX", "10000", DAY, {"usmca_share": 1})
    assert quote_line(apply_scenario(load_law(), lapsed), line).assessed == Decimal("1000.00")
    assert quote_line(load_law(), line).assessed == 0


def test_other_shares_of_the_partition_give_way() -> None:
    law = apply_scenario(
        load_law(), written("{op: set_claim, claim: steel_share, share: 75%, products: ['7308']}")
    )
    line = EntryLine("7308.90.6000", "DE", "10000", "2026-02-01", {"steel_share": 0.5, "aluminum_share": 0.5})
    bases = {x.measure: x.base for x in quote_line(law, line).layers if x.measure.startswith("s232")}
    assert bases["s232_steel"] == 7500


def test_a_limit_and_a_floor_bind_after_the_response() -> None:
    base = total(library()["base"], response="armington")
    goods = "origins: [CN], products: ['8505.11']"
    limit = written(f"{{op: shock_quantity, {goods}, from: {START}, share: 50%}}")
    cut = impact(
        TABLE,
        [Point(limit, DAY)],
        law=load_law(),
        options=Options(baseline="2025-01-01", by=("origin", "hts10")),
    )
    row = cut.scenarios[0].groups.filter(origin="CN", hts10="8505110070").to_dicts()[0]
    assert row["quantity_hat"] == pytest.approx(0.5, rel=1e-12)
    assert row["quota_premium"] > 0.0
    assert row["rent_importer"] > 0.0
    assert row["creation"] + row["diversion"] == pytest.approx(row["customs_value"] * -0.5)
    assert cut.scenarios[0].total["welfare"] is not None
    assert "QUANTITY_SHOCK" in {note.reason for note in cut.scenarios[0].notes}
    half = written(f"{{op: shock_quantity, {goods}, from: {START}, share: 50%, compliance: 0%}}")
    assert total(half, response="armington")["value_after"] == pytest.approx(base["value_after"])
    floor = written(f"{{op: shock_quantity, {goods}, from: {START}, floor: 20000}}")
    found = impact(
        TABLE, [Point(floor, DAY)], law=load_law(), options=Options(baseline="2025-01-01", by=("hts10",))
    )
    row = found.scenarios[0].groups.filter(hts10="8505110070").to_dicts()[0]
    assert row["quantity_hat"] * row["customs_value"] == pytest.approx(20_000)
    assert total(floor) == total(library()["base"])


def test_an_announcement_is_visible_and_never_charged() -> None:
    told = impact(
        TABLE,
        [
            Point(library()["base"], DAY),
            Point(written("{op: announce, at: 2027-01-01, rate: 100%}"), DAY),
        ],
        law=load_law(),
        options=Options(response="none"),
    ).scenarios[1]
    assert told.total["duty_vs"] == 0
    assert "ANNOUNCED" in {note.reason for note in told.notes}


def test_a_mixture_is_linear_in_its_weights() -> None:
    one, other = library()["truce-extended"], library()["forced-labor-20-on-china"]
    head = "mixture: [{scenario: truce-extended, weight: 30%}, {scenario: forced-labor-20-on-china, weight: 0.7}]\n"
    mixed = written(head=head)
    assert [weight for weight, _ in components(mixed)] == [Decimal("0.3"), Decimal("0.7")]
    parts = [total(scenario, response="armington") for scenario in (one, other)]
    found = total(mixed, response="armington")
    for name in ("duty", "duty_owed", "value_after", "duty_after", "welfare"):
        assert found[name] == pytest.approx(0.3 * parts[0][name] + 0.7 * parts[1][name], rel=1e-12)
    assert found["effective_rate_after"] == pytest.approx(found["duty_after"] / found["value_after"])
    shown = impact(
        TABLE, [Point(mixed, DAY)], law=load_law(), options=Options(response="none", by=("authority",))
    )
    assert shown.scenarios[0].groups["duty"].sum() == pytest.approx(found["duty"])


def test_a_mixture_has_no_single_law() -> None:
    with pytest.raises(ScenarioError, match="mixture") as caught:
        apply_scenario(load_law(), library()["truce-even-odds"])
    assert caught.value.line is not None
    assert check_scenario(library()["truce-even-odds"].text, load_law()) == []
