"""Scenarios applied to the law: warnings of changes without effect, and verbs that act on more than a measure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law import Law, load_law
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.runs.attribution import attribute
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import Problem, apply_scenario, check_scenario, library
from tests.unit.scenario_tables import DAY, TABLE, applied, text_of, total, valuer, written

START = "2027-01-01T00:01-05:00"
MEASURE = "{id: flat, title: Flat, authority: s301.flat, periods: [{id: flat_1, FROM rows: [{rate: 5%}]}]}"
NEW = MEASURE.replace("FROM", f"from: {START},")


def check(*changes: str, law: Law | None = None) -> list[Problem]:
    return check_scenario(text_of(*changes), law or load_law())


def rates(law: Law, measure: str, day: datetime) -> list[Decimal | None]:
    found = law.state_of(law.measures[measure], day, law.as_of)
    return [row.rate for row in found.rows if row.charging] if found else []


def layers_of(law: Law, *goods: Any) -> dict[str, Any]:
    """The layers of a line by measure."""
    return {layer.measure: layer for layer in quote_line(law, EntryLine(*goods)).layers}


def test_a_scenario_makes_another_law_and_leaves_the_first_alone() -> None:
    law, day = load_law(), datetime(2025, 12, 1, 17, tzinfo=UTC)
    after = applied("{op: set_rate, measures: {id: fent_cn}, from: 2025-11-10T00:01-05:00, rate: 20%}")
    assert rates(after, "fent_cn", day) == [Decimal("0.2")]
    assert rates(law, "fent_cn", day) == [Decimal("0.1")]


def test_a_parent_of_the_library_comes_first() -> None:
    back = "{op: snap_back, measures: {id: recip_cn}, at: 2026-11-10T00:01-05:00}"
    law = apply_scenario(load_law(), written(back, head="parents: [ieepa-upheld-truce-kept]\n"))
    assert Decimal("0.34") in rates(law, "recip_cn", datetime(2026, 11, 24, 17, tzinfo=UTC))


def test_a_retired_id_says_what_to_use() -> None:
    law = replace(load_law(), retired={"fent_old": "fent_cn"})
    (problem,) = check("{op: terminate, measures: {id: fent_old}, at: 2025-11-10}", law=law)
    assert problem.reason == "MEASURE_RETIRED"
    assert "fent_cn" in problem.fix


@pytest.mark.parametrize(
    ("change", "reason", "why"),
    [
        ("{op: set_switch, name: truce_extension, value: 'on'}", "CHANGE_HAS_NO_EFFECT", ""),
        (
            "{op: set_rate, measures: {id: fent_cn}, from: 2025-11-10T00:01-05:00, rate: 10%}",
            "CHANGE_HAS_NO_EFFECT",
            "",
        ),
        ("{op: terminate, measures: {id: s122_10}, at: 2027-01-01}", "CHANGE_HAS_NO_EFFECT", ""),
        ("{op: extend, measures: {id: cn.port_fee}, until: 2027-11-10}", "NOT_MODELLED", ""),
        (
            "{op: snap_back, measures: {id: recip_cn}, at: 2027-01-10}",
            "CHANGE_HAS_NO_EFFECT",
            "its parent ieepa was invalidated on 2026-02-20 and is not collected from 2026-02-24.",
        ),
    ],
)
def test_a_change_that_changes_nothing_is_a_warning(change: str, reason: str, why: str) -> None:
    found = check(change, "{op: terminate, measures: {id: fl301}, at: 2026-07-24T00:01-04:00}")
    assert [(p.reason, p.path, p.severity) for p in found] == [(reason, "changes[0]", "warning")]
    assert found[0].message.endswith(why)


def test_suspend_then_snap_back_at_once_is_the_same_as_base() -> None:
    day = "2026-08-01T00:01-04:00"
    found = check(
        f"{{op: suspend, measures: {{id: fl301}}, from: {day}, until: 2027-01-01, on_end: snap_back}}",
        f"{{op: snap_back, measures: {{id: fl301}}, at: {day}}}",
    )
    assert ("SAME_AS_BASE", "changes", "warning") in [(p.reason, p.path, p.severity) for p in found]


def test_replace_ends_one_measure_and_begins_another_which_may_stand_under_it() -> None:
    own = MEASURE.replace("FROM ", "")
    replaced = written(f"{{op: replace, measures: {{id: fl301}}, at: {START}, measure: {own}}}")
    two = written(f"{{op: terminate, measures: {{id: fl301}}, at: {START}}}", f"{{op: add, measure: {NEW}}}")
    assert total(replaced) == total(two) != total(library()["base"])
    under = own.replace("s301.flat", "s301.fl")
    law = applied(f"{{op: replace, measures: {{authority: s301.fl}}, at: {START}, measure: {under}}}")
    charged = layers_of(law, "9503.00.0073", "CN", "10000", "2027-02-01")
    assert charged["flat"].amount == 500
    assert "fl301" not in charged


def test_a_stacking_rule_is_off_in_its_window_brought_back_or_defined() -> None:
    end = "2027-02-01T00:01-05:00"
    off = written(f"{{op: set_stacking, rule: fl301_off_232, from: {START}, until: {end}, value: 'off'}}")
    base = library()["base"]
    assert total(off)["duty"] > total(base)["duty"]
    assert total(off, "2026-12-01") == total(base, "2026-12-01")
    assert total(off, "2027-02-02") == total(base, "2027-02-02")
    back = applied(f"{{op: set_stacking, rule: fentanyl_before_metals, from: {START}, value: 'on'}}")
    parts = [rule for rule in back.rules if rule.id == "fentanyl_before_metals"]
    ended = [(p.start and p.start.year, [end.at.year for end in p.ends]) for p in parts]
    assert ended == [(2025, [2025]), (2027, [])]
    rule = "{when: [s301.cn], on: [s301.fl], take: all, text: no forced-labor duty beside the lists}"
    new = written(f"{{op: set_stacking, rule: mine, after: fl301_off_232, from: {START}, as: {rule}}}")
    ids = [rule.id for rule in apply_scenario(load_law(), new).rules]
    assert ids[ids.index("fl301_off_232") + 1] == "mine"
    assert total(new)["duty"] < total(base)["duty"]


def test_metals_by_content_charges_the_rest_with_the_forced_labor_duty() -> None:
    law = apply_scenario(load_law(), library()["metals-by-content"])
    found = layers_of(law, "7318.15.8069", "DE", "10000", "2027-02-01", {"steel_share": 0.4})
    charged = {name: layer for name, layer in found.items() if layer.amount}
    metals = next(layer for name, layer in charged.items() if name.startswith("s232"))
    assert (metals.base, charged["fl301"].base) == (4000, 6000)


def test_a_set_share_replaces_what_lines_declare_and_other_shares_of_its_partition_give_way() -> None:
    declared = TABLE.with_columns(usmca_share=pl.lit(1.0), fta_share=pl.lit(0.0))
    lapsed, none = library()["usmca-lapses"], declared.with_columns(usmca_share=pl.lit(0.0))
    expected = total(library()["base"], table=none)["duty"]
    assert total(lapsed, table=declared)["duty"] == pytest.approx(expected)
    # Toys: free in the schedule, and 10 percent over forced labor unless they originate.
    line = EntryLine("9503.00.0073", "MX", "10000", DAY, {"usmca_share": 1})
    assert quote_line(apply_scenario(load_law(), lapsed), line).assessed == Decimal("1000.00")
    assert quote_line(load_law(), line).assessed == 0
    law = applied("{op: set_claim, claim: steel_share, share: 75%, products: ['7308']}")
    shares = {"steel_share": 0.5, "aluminum_share": 0.5}
    found = layers_of(law, "7308.90.6000", "DE", "10000", "2026-02-01", shares)
    assert found["s232_steel"].base == 7500


def test_a_limit_and_a_floor_bind_after_the_response() -> None:
    options = Options(baseline="2025-01-01", by=("hts10",))
    magnets, goods = TABLE.filter(hts="8505110070"), "origins: [CN], products: ['8505.11']"

    def after(change: str) -> Mapping[str, Any]:
        scenario = written(f"{{op: shock_quantity, {goods}, from: {START}, {change}}}")
        (block,) = impact(magnets, [Point(scenario, DAY)], law=load_law(), options=options).scenarios
        assert "QUANTITY_SHOCK" in {note.reason for note in block.notes}
        assert block.total["welfare"] is not None
        return block.groups.to_dicts()[0]

    cut = after("share: 50%")
    assert cut["quantity_hat"] == pytest.approx(0.5, rel=1e-12)
    assert cut["quota_premium"] > 0.0
    assert cut["rent_importer"] > 0.0
    assert cut["creation"] + cut["diversion"] == pytest.approx(cut["customs_value"] * -0.5)
    assert after("share: 50%, compliance: 0%")["quantity_hat"] > 0.5
    floor = after("floor: 20000")
    assert floor["quantity_hat"] * floor["customs_value"] == pytest.approx(20_000)


def test_an_announcement_is_visible_and_never_charged() -> None:
    points = [
        Point(one, DAY) for one in (library()["base"], written("{op: announce, at: 2027-01-01, rate: 100%}"))
    ]
    told = impact(TABLE, points, law=load_law(), options=Options(response="none")).scenarios[1]
    assert told.total["duty_vs"] == 0
    assert "ANNOUNCED" in {note.reason for note in told.notes}


def test_a_mixture_has_no_single_law() -> None:
    with pytest.raises(ScenarioError, match="mixture") as caught:
        apply_scenario(load_law(), library()["truce-even-odds"])
    assert caught.value.line is not None
    assert check_scenario(library()["truce-even-odds"].text, load_law()) == []


SET = "{op: set_switch, name: usmca_basis, value: '2024'}"
LATER = "{op: set_rate, measures: {id: fl301, origins: [MX, CA]}, from: 2027-01-01, rate: 20%}"


def test_a_scenario_that_sets_the_switch_of_sourced_shares_is_a_run_with_that_switch() -> None:
    def duty(switches: dict[str, str], *changes: str, table: pl.DataFrame = TABLE) -> float | None:
        options = Options(response="none", switches=switches)
        found = impact(table, [Point(written(*changes), DAY)], law=load_law(), options=options).scenarios[0]
        told = [note.message for note in found.notes if note.reason == "SHARES_REBASED"]
        assert len(told) == len(changes)
        assert all("usmca_basis=" in text for text in told)
        return found.total["duty"]

    assert duty({}, SET) == duty({"usmca_basis": "2024"}) != duty({})
    assert duty({"usmca_basis": "2024"}, SET.replace("2024", "2025h2")) == duty({})
    declared = TABLE.with_columns(usmca_share=pl.lit(0.5))
    assert duty({}, SET, table=declared) == duty({}, table=declared)


def test_the_basis_of_shares_is_a_change_like_others_in_an_attribution_and_on_every_day() -> None:
    scenario = written(SET, LATER)
    rows = attribute(valuer(), library()["base"], scenario, DAY).rows
    shares = dict(rows.group_by("unit").agg(pl.col("duty").sum()).iter_rows())
    base, whole, alone = (total(one)["duty"] for one in (written(), scenario, written(SET)))
    assert sum(shares.values()) == pytest.approx(whole - base)
    assert shares["changes[0]"] > 0
    assert alone > base
    options, scenarios = Options(response="none"), [library()["base"], written(SET)]
    found = timeline(TABLE, scenarios, "2027-01-09", "2027-01-12", law=load_law(), options=options)
    first, second = (one.totals["duty"] for one in found.scenarios)
    assert (second > first).all()
