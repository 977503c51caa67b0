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
from tests.law.explained import considered
from tests.unit.collected_entries import collect
from tests.unit.laws import make_law

WHISKY, CIDER = "2208306065", "2206001500"
DAY = "2026-10-15"
HEAD = "schema: tariffs.scenario/v1\nid: trial\ntitle: Trial\nbasis: hypothesis\nchanges:\n"
BANS = ("s338_ca_alcohol_ban", "s338_ca_dairy_ban", "s338_ca_vehicles_ban")


def scenario(*changes: str) -> Scenario:
    return parse_scenario(HEAD + "".join(f"  - {change}\n" for change in changes), "trial")


def under(*changes: str) -> Law:
    return apply_scenario(load_law(), scenario(*changes))


def quote(law: Law | None = None) -> Quote:
    line = EntryLine(WHISKY, "CA", 10_000, DAY, {"usmca_share": 1}, mode="ocean")
    return quote_line(law or load_law(), line)


# -- one line --------------------------------------------------------------------------------------------------


def test_a_prohibited_line_asks_for_nothing_and_has_no_heading() -> None:
    assert quote().missing_claims == ()
    line = EntryLine(WHISKY, "CA", 10_000, DAY, {"usmca_share": 1, "chapter98": "9802.00.40"})
    assert quote_line(load_law(), line).headings == ()


def test_the_duty_that_an_earlier_importation_pays_is_named_in_a_note() -> None:
    (note,) = (note for note in quote().notes if note.reason == "PROHIBITED")
    assert "50% under 9903.03.12 (s338_ca_alcohol)" in note.message
    assert "2026-09-29T00:01-04:00" in note.message
    assert "import_date: not declared, so taken as the date of entry" in quote().assumptions


def test_what_does_not_prohibit_says_why() -> None:
    found = considered(load_law(), EntryLine(WHISKY, "CA", 1, DAY, {"import_date": "2026-09-20"}))
    passed = [one.text for one in found if one.measure == BANS[0] and one.outcome == "not_claimed"]
    assert len(passed) == 1
    assert "Not prohibited by s338_ca_alcohol_ban_2026: import_date is 2026-09-20" in passed[0]


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
    lines = [
        EntryLine(hts, "CA", 10_000, DAY, {"usmca_share": 1}, entry_id="e") for hts in (WHISKY, "9404210013")
    ]
    found = collect(load_law(), lines)
    (entry,) = found.entries
    assert [note.reason for note in entry.notes] == ["ENTRY_PROHIBITED"]
    # 10,000 of mattresses may be entered, and 10,000 of whisky may not.
    assert entry.landed.customs_value == 10_000
    assert entry.assessed == sum(one.assessed for one in found.outcomes if isinstance(one, Quote))


# -- the verbs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "{op: invalidate, measures: {id: s338_ca_alcohol_ban}, at: 2026-10-01}",
        "{op: terminate, measures: {authority: s338.bans}, at: 2026-10-01}",
        "{op: delay, measures: {id: s338_ca_alcohol_ban}, to: 2026-12-01}",
        "{op: suspend, measures: {id: s338_ca_alcohol_ban}, from: 2026-10-01, on_end: none_scheduled}",
        "{op: exempt, measures: {id: s338_ca_alcohol_ban, products: ['2208']}, from: 2026-10-01}",
        "{op: set_switch, name: s338_bans, value: void}",
    ],
)
def test_the_check_of_a_scenario_finds_nothing_in_an_act_on_a_ban(change: str) -> None:
    assert check_scenario(HEAD + f"  - {change}\n", load_law()) == []


@pytest.mark.parametrize(
    ("measure", "said"),
    [
        ({"rows": [{"kind": "prohibition", "rate": "10%"}]}, "a prohibition has no rate"),
        ({"rows": [{"kind": "prohibition"}, {"rate": "10%"}]}, "charge nothing"),
        ({"direction": "export", "rows": [{"kind": "prohibition"}]}, "must be on imports"),
        ({"tested_on": "part_share", "rows": [{"kind": "prohibition"}]}, "no claim of type date"),
        (
            {
                "tested_on": "loading_date",
                "rows": [{"kind": "prohibition", "if": ["entry_date >= 2026-01-01"]}],
            },
            "no condition on the entry date",
        ),
    ],
)
def test_a_ban_that_breaks_the_format_is_refused(measure: dict[str, Any], said: str) -> None:
    raw = {"id": "ban", "authority": "x", **measure}
    raw["periods"] = [{"id": "ban_a", "from": "2026-01-01", "rows": raw.pop("rows")}]
    with pytest.raises(LawError, match=said):
        make_law([raw])


# -- tables ----------------------------------------------------------------------------------------------------

ROWS: list[dict[str, Any]] = [
    {"hts": WHISKY, "origin": "CA", "customs_value": 10_000.0, "packaged_share": None, "import_date": None},
    {"hts": WHISKY, "origin": "GB", "customs_value": 30_000.0, "packaged_share": None, "import_date": None},
    {"hts": CIDER, "origin": "CA", "customs_value": 10_000.0, "packaged_share": "0.4", "import_date": None},
    {
        "hts": "9503000073",
        "origin": "VN",
        "customs_value": 20_000.0,
        "packaged_share": None,
        "import_date": None,
    },
    {
        "hts": "0404102000",
        "origin": "CA",
        "customs_value": 5_000.0,
        "packaged_share": None,
        "import_date": "2026-09-20",
    },
    {
        "hts": "9404210013",
        "origin": "CA",
        "customs_value": 7_000.0,
        "packaged_share": None,
        "import_date": None,
    },
]
TABLE = pl.DataFrame(
    ROWS, {name: pl.Float64 if name == "customs_value" else pl.String for name in ROWS[0]}
).with_columns(usmca_share=pl.lit("1"), entry_date=pl.lit(DAY))


def on_table(response: str = "none", *changes: str, by: tuple[str, ...] = ("origin",)) -> ScenarioImpact:
    options = Options(baseline="2025-01-01", response=response, horizon="short", by=by, include_lines=True)
    point = Point(scenario(*changes) if changes else library()["base"], DAY)
    (found,) = impact(TABLE, [point], law=load_law(), options=options).scenarios
    return found


def lines_of(found: ScenarioImpact) -> pl.DataFrame:
    assert found.lines is not None
    return found.lines


def test_a_table_charges_each_line_what_the_line_alone_pays() -> None:
    lines = lines_of(on_table())
    for row, duty, barred in zip(ROWS, lines["duty"], lines["prohibited_value"], strict=True):
        claims = {name: row[name] for name in ("packaged_share", "import_date") if row[name] is not None}
        line = EntryLine(
            str(row["hts"]), str(row["origin"]), row["customs_value"], DAY, {"usmca_share": 1, **claims}
        )
        alone = quote_line(load_law(), line)
        assert duty == pytest.approx(float(alone.assessed)), row
        assert barred == pytest.approx(sum(float(x.base) for x in alone.layers if x.state == "prohibited")), (
            row
        )


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


def undetermined(hts: str, origin: str, entry: str, law: Law | None = None) -> tuple[set[str], float | None]:
    """The measures named as charged only where a line says so, and the duty, of a line that declares nothing."""
    table = pl.DataFrame([{"hts": hts, "origin": origin, "customs_value": 10_000.0, "entry_date": entry}])
    options = Options(response="none", by=("origin",))
    point = Point(library()["base"], entry)
    (found,) = impact(table, [point], law=law or load_law(), options=options).scenarios
    named = {note.message.split()[0] for note in found.notes if note.reason == "CHARGE_UNDETERMINED"}
    return named, found.total["duty"]


def test_only_a_charge_that_hangs_on_a_declaration_is_named_as_undetermined() -> None:
    chassis = "8716390090"
    # Undeclared cider is taken as packaged, so all of it is prohibited.
    assert undetermined(CIDER, "CA", DAY)[0] == set()
    # Suspended until 2027-01-10: nothing is collected of any chassis.
    assert "chassis_100" not in undetermined(chassis, "CN", DAY)[0]
    assert "chassis_100" in undetermined(chassis, "CN", "2027-02-01")[0]


@pytest.mark.parametrize("response", ["none", "armington"])
def test_the_landed_cost_of_a_table_leaves_out_what_may_not_enter(response: str) -> None:
    found = on_table(response)
    free = lines_of(on_table(response, "{op: set_switch, name: s338_bans, value: void}"))
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
    freed = lines_of(on_table(response, "{op: set_switch, name: s338_bans, value: void}")).row(2, named=True)
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
    table = TABLE.filter(pl.col("hts") == WHISKY)
    options = Options(
        baseline="2025-01-01", response="armington", horizon="short", by=("hts10",), include_lines=True
    )
    (found,) = impact(table, [Point(library()["base"], DAY)], law=load_law(), options=options).scenarios
    other = lines_of(found).row(1, named=True)
    p = parameters_for([WHISKY], horizon=options.horizon, set=None)
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
    found = timeline(
        TABLE.drop("entry_date"), [library()["base"]], start="2026-09-24", end="2026-10-03", law=load_law(),
        options=Options(response="none", by=("origin",)),
    )  # fmt: skip
    (one,) = found.scenarios
    average = one.averages.filter(origin="CA").row(0, named=True)
    # Five of ten days without the ban.
    assert average["prohibited_value"] == pytest.approx(14_000 / 2)
    assert average["effective_rate"] == pytest.approx(average["duty"] / (32_000 - 7_000))


def test_the_reference_table_names_a_billion_of_banned_goods() -> None:
    point = Point(library()["base"], "2026-11-20")
    options = Options(response="none", by=("origin",))
    (found,) = impact(None, [point], law=load_law(), options=options).scenarios
    # Published with the lists: any container 0.509, packaged 0.327, dairy 0.031, motorcycles 0.125.
    assert found.total["prohibited_value"] == pytest.approx(0.993e9, abs=0.0005e9)
    worth = {note.message.split()[0]: note.message for note in found.notes if note.reason == "PROHIBITED"}
    assert set(worth) == set(BANS)
    assert found.groups.filter(pl.col("prohibited_value") > 0)["origin"].to_list() == ["CA"]
