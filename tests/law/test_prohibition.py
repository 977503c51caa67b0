"""Prohibitions of importation: what they stop, by which date, and what is left, on entry lines and in tables."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from tariffs.engine.errors import LawError
from tariffs.engine.law import Law, load_law
from tariffs.engine.line_duty.entry_line import OtherCharge
from tariffs.engine.line_duty.quote import EntryLine, Quote, quote_line
from tariffs.engine.response.elasticities.parameters import parameters_for
from tariffs.engine.runs.impact import Options, Point, ScenarioImpact, impact
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import Scenario, apply_scenario, check_scenario, library, parse_scenario
from tariffs.engine.scenario.diff import difference
from tests.law.golden_lines import considered
from tests.unit.collected_entries import collect
from tests.unit.laws import make_law

WHISKY, CIDER = "2208306065", "2206001500"
DAY = "2026-10-15"
HEAD = "schema: tariffs.scenario/v1\nid: trial\ntitle: Trial\nbasis: hypothesis\nchanges:\n"
SUSPENDED = "{op: suspend, measures: {id: s338_ca_alcohol_ban}, from: 2026-10-01, on_end: none_scheduled}"
BANS = ("s338_ca_alcohol_ban", "s338_ca_dairy_ban", "s338_ca_vehicles_ban")


def scenario(*changes: str) -> Scenario:
    return parse_scenario(HEAD + "".join(f"  - {change}\n" for change in changes), "trial")


def under(*changes: str) -> Law:
    return apply_scenario(load_law(), scenario(*changes))


def quote(law: Law | None = None) -> Quote:
    line = EntryLine(WHISKY, "CA", 10_000, DAY, {"usmca_share": 1}, mode="ocean")
    return quote_line(law or load_law(), line)


# -- one line --------------------------------------------------------------------------------------------------


def test_a_prohibited_line_asks_for_nothing_and_notes_what_an_earlier_importation_pays() -> None:
    found = quote()
    (note,) = (note for note in found.notes if note.reason == "PROHIBITED")
    assert "50% under 9903.03.12 (s338_ca_alcohol)" in note.message
    assert "2026-09-29T00:01-04:00" in note.message
    assert "import_date: not declared, so taken as the date of entry" in found.assumptions
    assert found.missing_claims == ()
    line = EntryLine(WHISKY, "CA", 10_000, DAY, {"usmca_share": 1, "chapter98": "9802.00.40"})
    assert quote_line(load_law(), line).headings == ()


def test_the_reasons_of_a_ban_are_in_the_clock_of_imports() -> None:
    (ban,) = quote().layers
    assert ban.why["if"] == "import_date >= 2026-09-29T00:01:00-04:00"
    found = considered(load_law(), EntryLine(WHISKY, "CA", 1, DAY, {"import_date": "2026-09-20"}))
    (passed,) = (one.text for one in found if one.measure == BANS[0] and one.outcome == "not_claimed")
    assert "Not prohibited by s338_ca_alcohol_ban_2026: import_date is 2026-09-20" in passed
    assert passed.endswith("which is < 2026-09-29T00:01:00-04:00.")


def test_the_layer_of_a_suspended_ban_speaks_of_no_duty() -> None:
    (ban,) = (layer for layer in quote(under(SUSPENDED)).layers if layer.measure == BANS[0])
    assert (ban.state, ban.amount) == ("suspended", Decimal(0))
    told = "Suspended: the prohibition is not applied, and the goods may be entered."
    assert ban.why["text"] == f"{told} Switch s338_bans is in_force."


def test_the_difference_of_two_bans_names_the_dates_of_the_goods() -> None:
    later = under("{op: delay, measures: {id: s338_ca_alcohol_ban}, to: 2026-12-01T00:01-05:00}")
    until = "prohibited where import_date >="
    assert [(one.first, one.second) for one in difference(load_law(), later)] == [
        ("prohibited", "not in force"),
        (f"{until} 2026-09-29T00:01:00-04:00", f"{until} 2026-12-01T00:01:00-05:00"),
    ]


def test_the_landed_cost_leaves_out_what_may_not_enter() -> None:
    def landed(**claims: Any) -> dict[str, Decimal]:
        line = EntryLine(
            CIDER, "CA", 10_000, DAY, {"usmca_share": 1, **claims}, freight=500, insurance=50, mode="air",
            other_charges=(OtherCharge("excise", amount=100),),
        )  # fmt: skip
        return quote_line(load_law(), line).landed.as_dict()

    whole, part = landed(), landed(packaged_share="0.4")
    assert not any(whole.values())
    named = {name: amount for name, amount in part.items() if amount}
    assert named == {
        "customs_value": 6_000, "freight": 300, "insurance": 30, "duty": 3_000, "excise": 60, "total": 9_390
    }  # fmt: skip


def test_the_lines_of_an_entry_say_that_one_is_prohibited() -> None:
    codes = (WHISKY, "9404210013")
    lines = [EntryLine(hts, "CA", 10_000, DAY, {"usmca_share": 1}, entry_id="e") for hts in codes]
    found = collect(load_law(), lines)
    (entry,) = found.entries
    assert [note.reason for note in entry.notes] == ["ENTRY_PROHIBITED"]
    # 10,000 of mattresses may be entered, and 10,000 of whisky may not.
    assert entry.landed.customs_value == 10_000
    assert entry.assessed == sum(one.assessed for one in found.outcomes if isinstance(one, Quote))


# -- the verbs -------------------------------------------------------------------------------------------------


KEPT = SUSPENDED[:-1] + ", kept: 10%}"
RATED = "{op: set_rate, measures: {id: s338_ca_alcohol_ban}, from: 2026-10-01, rate: 10%}"
SILENT = (
    SUSPENDED,
    "{op: invalidate, measures: {id: s338_ca_alcohol_ban}, at: 2026-10-01}",
    "{op: terminate, measures: {authority: s338.bans}, at: 2026-10-01}",
    "{op: delay, measures: {id: s338_ca_alcohol_ban}, to: 2026-12-01}",
    "{op: exempt, measures: {id: s338_ca_alcohol_ban, products: ['2208']}, from: 2026-10-01}",
    "{op: set_switch, name: s338_bans, value: void}",
    # A selection with duties in it keeps their rate.
    *(change.replace("id: s338_ca_alcohol_ban", "authority: s338") for change in (KEPT, RATED)),
)


@pytest.mark.parametrize("change", SILENT)
def test_the_check_of_a_scenario_says_nothing_of_a_change_with_effect(change: str) -> None:
    assert check_scenario(HEAD + f"  - {change}\n", load_law()) == []


@pytest.mark.parametrize(
    ("change", "without_effect", "assessed"), [(KEPT, "kept", 5_000), (RATED, "set_rate", 0)]
)
def test_the_check_of_a_scenario_says_that_a_rate_given_to_a_ban_changes_nothing(
    change: str, without_effect: str, assessed: int
) -> None:
    problems = check_scenario(HEAD + f"  - {change}\n", load_law())
    assert [one.message for one in problems if one.path == "changes[0]"] == [
        f"`{without_effect}` changes nothing: a prohibition has no rate (s338_ca_alcohol_ban)."
    ]
    assert quote(under(change)).assessed == assessed


@pytest.mark.parametrize(
    ("measure", "said"),
    [
        ({"rows": [{"kind": "prohibition", "rate": "10%"}]}, "a prohibition has no rate"),
        ({"rows": [{"kind": "prohibition"}, {"rate": "10%"}]}, "charge nothing"),
        ({"direction": "export", "rows": [{"kind": "prohibition"}]}, "must be on imports"),
        ({"tested_on": "part_share", "rows": [{"kind": "prohibition"}]}, "no claim of type date"),
        ({"tested_on": "loading_date", "rows": [{"kind": "prohibition", "if": ["entry_date >= 2026-01-01"]}]},
         "no condition on the entry date"),
    ],
)  # fmt: skip
def test_a_ban_that_breaks_the_format_is_refused(measure: dict[str, Any], said: str) -> None:
    raw = {"id": "ban", "authority": "x", **measure}
    raw["periods"] = [{"id": "ban_a", "from": "2026-01-01", "rows": raw.pop("rows")}]
    with pytest.raises(LawError, match=said):
        make_law([raw])


# -- tables ----------------------------------------------------------------------------------------------------

GOODS = [
    (WHISKY, "CA", 10_000.0, None, None),
    (WHISKY, "GB", 30_000.0, None, None),
    (CIDER, "CA", 10_000.0, "0.4", None),
    ("9503000073", "VN", 20_000.0, None, None),
    ("0404102000", "CA", 5_000.0, None, "2026-09-20"),
    ("9404210013", "CA", 7_000.0, None, None),
]
COLUMNS = ["hts", "origin", "customs_value", "packaged_share", "import_date"]
TABLE = pl.DataFrame(GOODS, COLUMNS, orient="row").with_columns(
    usmca_share=pl.lit("1"), entry_date=pl.lit(DAY)
)


FREED = "{op: set_switch, name: s338_bans, value: void}"


def on_table(
    response: str = "none", *changes: str, by: tuple[str, ...] = ("origin",), table: pl.DataFrame = TABLE
) -> ScenarioImpact:
    options = Options(baseline="2025-01-01", response=response, horizon="short", by=by, include_lines=True)
    point = Point(scenario(*changes) if changes else library()["base"], DAY)
    (found,) = impact(table, [point], law=load_law(), options=options).scenarios
    return found


def lines_of(found: ScenarioImpact) -> pl.DataFrame:
    assert found.lines is not None
    return found.lines


def test_a_table_charges_each_line_what_the_line_alone_pays() -> None:
    lines = lines_of(on_table())
    for row, duty, barred in zip(TABLE.to_dicts(), lines["duty"], lines["prohibited_value"], strict=True):
        claims = {name: row[name] for name in ("packaged_share", "import_date") if row[name] is not None}
        claims["usmca_share"] = 1
        line = EntryLine(row["hts"], row["origin"], row["customs_value"], DAY, claims)
        alone = quote_line(load_law(), line)
        assert duty == pytest.approx(float(alone.assessed)), row
        banned = sum(float(layer.base) for layer in alone.layers if layer.state == "prohibited")
        assert barred == pytest.approx(banned), row


def test_value_and_duty_of_banned_goods_are_out_of_the_rate_and_named() -> None:
    found = on_table(by=("origin", "authority"))
    assert found.total["prohibited_value"] == pytest.approx(14_000)
    assert found.total["customs_value"] == pytest.approx(82_000)
    assert found.total["duty"] is not None
    assert found.total["effective_rate"] == pytest.approx(found.total["duty"] / 68_000)
    (note,) = (note for note in found.notes if note.reason == "PROHIBITED")
    assert "s338_ca_alcohol_ban" in note.message
    assert "14,000 USD" in note.message
    # Canada: 32,000 less 14,000 that may not be imported.
    canada = found.groups.filter(origin="CA")
    assert canada["rate"].sum() == pytest.approx(canada["duty"].sum() / 18_000)


@pytest.mark.parametrize("response", ["none", "armington"])
def test_the_landed_cost_of_a_table_leaves_out_what_may_not_enter(response: str) -> None:
    found = on_table(response)
    free = lines_of(on_table(response, FREED))
    lines = lines_of(found)
    assert lines["landed"].to_list()[:3] == pytest.approx([0, free["landed"][1], 9_000])
    # Of the baseline, without duty on either: 10,000 of whisky, and 4,000 of cider that is packaged.
    assert lines["landed_change"].to_list()[::2][:2] == pytest.approx([-10_000, -1_000])
    assert found.total["landed"] == pytest.approx(lines["landed"].sum())
    assert found.total["landed"] == pytest.approx(82_000 - 14_000 + lines["duty"].sum())


@pytest.mark.parametrize("response", ["armington", "passthrough", "smart"])
def test_the_quantity_of_banned_goods_is_zero(response: str) -> None:
    lines = lines_of(on_table(response))
    whisky, part = lines.row(0, named=True), lines.row(2, named=True)
    assert (whisky["quantity_hat"], whisky["value_after"], whisky["duty_after"]) == (0.0, 0.0, 0.0)
    freed = lines_of(on_table(response, FREED)).row(2, named=True)
    # The part in bulk meets the same 50 percent as without the ban, and in Armington demand replaces what is banned.
    if response == "armington":
        assert 0.6 * freed["quantity_hat"] < part["quantity_hat"] < 0.6
    else:
        assert part["quantity_hat"] == pytest.approx(0.6 * freed["quantity_hat"])
        assert part["duty_after"] == pytest.approx(0.6 * freed["duty_after"])
    assert part["effective_rate"] == pytest.approx(0.5)
    if part["value_after"]:
        assert part["effective_rate_after"] == pytest.approx(0.5)


def test_the_loss_of_a_variety_is_that_of_constant_elasticity_demand() -> None:
    """Of two varieties with landed shares s and 1 - s, the price index rises by (1 - s)^(1 / (1 - sigma))."""
    found = on_table("armington", by=("hts10",), table=TABLE.filter(pl.col("hts") == WHISKY))
    other = lines_of(found).row(1, named=True)
    p = parameters_for([WHISKY], horizon="short", set=None)
    sigma, eta, supply = float(p.sigma[0]), float(p.eta[0]), float(p.supply[0])
    t1 = other["duty"] / 30_000
    # No duty on whisky at the baseline, so landed shares are those of value. What is left has one price, so that the
    # index is that price times a constant, and demand meets a supply of constant elasticity in closed form.
    narrowing = 0.75 ** (1 / (1 - sigma))
    quantity = ((1 + t1) ** -eta * narrowing ** (sigma - eta)) ** (1 / (1 + eta / supply))
    price = (1 + t1) * quantity ** (1 / supply) * narrowing
    # At a thousandfold price the index has some 0.01 percent of what is prohibited left.
    assert other["quantity_hat"] == pytest.approx(quantity, rel=1e-4)
    surplus = 40_000 * (price ** (1 - eta) - 1) / (eta - 1)
    assert found.total["buyer_surplus"] == pytest.approx(surplus, rel=5e-4)


def test_a_timeline_divides_by_what_may_be_imported_each_day() -> None:
    table, options = TABLE.drop("entry_date"), Options(response="none", by=("origin",))
    base, law = [library()["base"]], load_law()
    (one,) = timeline(table, base, "2026-09-24", "2026-10-03", law=law, options=options).scenarios
    average = one.averages.filter(origin="CA").row(0, named=True)
    # Five of ten days without the ban.
    assert average["prohibited_value"] == pytest.approx(14_000 / 2)
    assert average["effective_rate"] == pytest.approx(average["duty"] / (32_000 - 7_000))
