"""Markets as data: a made-up country needs no code, lists have the counts of their orders, tables mix destinations."""

from __future__ import annotations

import csv
from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import Law, law_from_raw, load_law
from tariffs.engine.law.files import read_raw
from tariffs.engine.line_duty.entry_line import EntryLine
from tariffs.engine.line_duty.exports import ExportLine, quote_export
from tariffs.engine.line_duty.quote import quote_line
from tariffs.engine.runs.impact import Impact, Options, Point, impact
from tariffs.engine.runs.law_history.change_effects import changes_on_table
from tariffs.engine.runs.law_history.law_changes import changes, read_window
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import apply_scenario, library, parse_scenario
from tariffs.run_spec.spec import OPTIONS

LAW = load_law()


def goods(**columns: list[Any]) -> pl.DataFrame:
    count = len(columns["hts"])
    return pl.DataFrame({"origin": ["US"] * count, "customs_value": [100.0] * count} | columns)


@pytest.fixture(scope="module")
def made_up() -> Law:
    """The law with a market of New Zealand, as its files would give it."""
    raw: dict[str, Any] = read_raw()
    market = {
        "country": "NZ", "clock": "Pacific/Auckland", "digits": "8", "base": "fob", "tax": "gst",
        "taxes": [{"products": [""], "rate": "15%"}],
        "preference": {"claim": "usmca_share", "origins": ["CA"], "text": "all of it", "note": "PREFERENCE_ASSUMED"},
        "bases": {"own": {"text": "made up"}},
        "lines": "code,rate,reduced,weight,basis\n87032310,10,5,1,own\n87032390,0,,3,own\n",
    }  # fmt: skip
    charged = [{"origins": ["US"], "products": ["8703.23.10"], "rate": "20%"}]
    rates = [
        {"if": ["usmca_share"], "kind": "ordinary", "column": "special"},
        {"kind": "ordinary", "column": "general"},
    ]
    for name, authority, start, rows in (
        ("nz.ordinary", "cn.ordinary", "2024-12-01", rates), ("nz.answer", "cn.recip", "2026-01-01", charged)
    ):  # fmt: skip
        measure = {
            "id": name,
            "authority": authority,
            "direction": "export",
            "destination": "NZ",
            "conf": "C",
        }
        raw["measures"].append({**measure, "periods": [{"id": f"{name}_1", "from": start, "rows": rows}]})
    raw["markets"] = {**raw["markets"], "nz": market}
    return law_from_raw(raw)


HEAD = "schema: tariffs.scenario/v1\nid: x\ntitle: x\nbasis: hypothesis\nchanges:\n"


def duties(table: pl.DataFrame, law: Law = LAW, to: str = "JP", on: str = "2026-11-24") -> Impact:
    options = Options(response="none", direction="export", to=to, include_lines=True, by=("destination",))
    return impact(table, [Point(library()["base"], on)], law=law, options=options)


def table_of(found: Impact) -> pl.DataFrame:
    lines = found.scenarios[0].lines
    assert lines is not None
    return lines


def lines_of(found: Impact) -> list[float]:
    return [round(duty, 6) for duty in table_of(found)["duty"]]


def refusals(found: Impact) -> list[tuple[Any, ...]]:
    return found.refused.select("row", "reason").rows()


def test_a_made_up_country_needs_no_code(made_up: Law) -> None:
    quote = quote_export(made_up, ExportLine("8703.23", "US", 1000, "2026-03-01", freight=100, to="NZ"))
    # A quarter of the goods at 10 and 20 percent, free on board; tax on 1,000 and duty of 75.
    assert {layer.measure: layer.amount for layer in quote.layers} == {
        "nz.ordinary": Decimal("25.00"),
        "nz.answer": Decimal("50.00"),
    }
    assert (quote.vat, quote.landed) == (Decimal("161.25"), Decimal("1336.25"))
    assert quote.provenance["entry"] == "2026-03-01T12:00:00+13:00"
    lined = quote_export(made_up, ExportLine("8703.23.90", "US", 1000, "2026-03-01", to="NZ"))
    assert lined.assessed == 0
    reduced = quote_export(made_up, ExportLine("8703.23.10", "CA", 1000, "2026-03-01", to="NZ"))
    assert reduced.assessed == Decimal("50.00")
    assert any("all of it" in text for text in reduced.assumptions)


def test_a_table_of_several_destinations_pays_in_each_what_goods_pay_alone(made_up: Law) -> None:
    table = goods(
        hts=["8703.23", "8703.23", "7214.20", "1201.90", "1201.90"], customs_value=[1000.0] * 5,
        freight=[100.0] * 5, destination=["NZ", "CN", "ca", None, "XX"],
    )  # fmt: skip
    found = duties(table, made_up, to="CN", on="2026-10-01")
    assert refusals(found) == [(4, "DESTINATION_UNKNOWN")]
    for row in table_of(found).to_dicts():
        line = ExportLine(row["hts"], "US", 1000, "2026-10-01", freight=100, to=row["destination"] or "")
        alone = quote_export(made_up, line)
        assert row["duty"] == pytest.approx(float(alone.assessed), abs=0.011)
        assert row["landed"] == pytest.approx(float(alone.landed), abs=0.03)


def test_each_destination_of_a_table_has_its_own_clock() -> None:
    # On 2026-09-08 at noon in Ottawa the surtax holds; the same noon in Beijing is before its first minute.
    table = goods(hts=["7214.20", "1201.90"], destination=["CA", "CN"])
    options = Options(response="none", direction="export", by=("destination",))
    days = timeline(table, [library()["base"]], "2026-09-07", "2026-09-08", law=LAW, options=options)
    rates = days.scenarios[0].segments.filter(destination="CA").select("start", "effective_rate").rows()
    assert rates == [("2026-09-07", pytest.approx(0.25)), ("2026-09-08", pytest.approx(0.5))]


def test_the_same_goods_in_two_markets_respond_apart() -> None:
    one = goods(hts=["7214.20"] * 2, origin=["US", "MX"], destination=["Canada", "ca"])
    both = pl.concat([one, one.with_columns(destination=pl.lit("CN"))])
    options = Options(direction="export", by=("destination", "origin"), baseline="2026-01-01")
    alone, mixed = (
        impact(table, [Point(library()["base"], "2026-10-01")], law=LAW, options=options).scenarios[0].groups
        for table in (one, both)
    )
    canada = mixed.filter(destination="CA")
    assert canada["quantity_hat"].to_list() == pytest.approx(alone["quantity_hat"].to_list())
    assert alone.filter(origin="MX")["quantity_hat"][0] > 1.0


def test_a_market_that_the_law_lacks_is_refused_and_options_suggest_those_it_has() -> None:
    for to, direction in (("ZZ", "export"), ("CN", "import")):
        with pytest.raises(InputError) as refused:
            LAW.market_of(direction, to)
        assert (refused.value.reason, refused.value.field) == ("REQUEST_INVALID", "to")
    assert set(OPTIONS["to"].choices) == set(LAW.markets)


# -- rates that are no percentage of the value, coverage of its own, lines of another number of digits ----------------


def test_a_table_refuses_the_rows_that_pay_a_rate_without_a_number() -> None:
    wine, rice = "2204.21.020", "1006.30.090"
    table = goods(
        hts=[wine, wine, wine, rice, rice, "0201.30.010"],
        origin=["US", "US", "FR", "US", "US", "US"],
        fta_share=[None, 0.5, 1.0, None, None, None],
        ordinary_rate=[None, None, None, None, 0.25, None],
    )
    found = duties(table)
    assert lines_of(found) == [0.0, 25.0, 20.8]
    assert refusals(found) == [(row, "RATE_NOT_COMPUTABLE") for row in (1, 2, 3)]
    assert ["67 yen/l" in text for text in found.refused["message"]] == [True, True, False]
    assert "341 yen/kg" in found.refused["message"][2]


def test_a_scenario_may_not_bring_goods_to_a_rate_without_a_number() -> None:
    change = '  - {op: set_claim, claim: fta_share, share: "0.5", from: 2026-06-01, products: ["2204"]}\n'
    law = apply_scenario(LAW, parse_scenario(HEAD + change, "scenario"))
    assert lines_of(duties(goods(hts=["2204.21.020", "8703.23"]))) == [0.0, 0.0]
    with pytest.raises(InputError) as refused:
        duties(goods(hts=["2204.21.020", "8703.23"]), law)
    with pytest.raises(InputError) as alone:
        quote_export(law, ExportLine("2204.21.020", "US", 100, "2026-11-24", to="JP"))
    assert refused.value.reason == alone.value.reason == "RATE_NOT_COMPUTABLE"


def test_a_claim_of_another_market_leaves_the_preference_of_this_one() -> None:
    table = goods(hts=["0201.30", "1005.90"], destination=["JP", "CN"], in_quota_share=[1.0, 0.0])
    assert lines_of(duties(table))[0] == 20.8


def test_a_market_may_cover_fewer_days_than_the_law() -> None:
    days = ["2026-03-31", "2026-04-01", "2027-04-01", "2025-02-01"]
    codes, markets = ["8703.23", "0201.30", "0201.30", "1201.90"], ["JP", "JP", "JP", "CN"]
    table = goods(hts=codes, destination=markets, entry_date=days)
    for to in ("JP", "CN"):
        found = duties(table, to=to)
        assert refusals(found) == [(row, "ENTRY_DATE_OUT_OF_COVERAGE") for row in (0, 2)]
        assert lines_of(found) == [20.8, 3.0]
    for day in ("2026-03-31", "2027-04-01"):
        with pytest.raises(InputError) as refused:
            quote_export(LAW, ExportLine("8703.23", "US", 100, day, to="JP"))
        with pytest.raises(InputError) as table_refused:
            duties(goods(hts=["8703.23", "1201.90"], destination=["JP", "CN"]), to="CN", on=day)
        assert (refused.value.reason, table_refused.value.reason) == ("ENTRY_DATE_OUT_OF_COVERAGE",) * 2


def test_lines_of_nine_digits_are_read_with_and_without_dots() -> None:
    found = duties(goods(hts=["0201.30.010", "020130010", "0201 30 010", "0201.30.999"]))
    assert lines_of(found) == [20.8] * 3
    assert refusals(found) == [(3, "HTS_CODE_MALFORMED")]
    change = (
        "  - op: add\n    measure:\n      id: jp.new\n      title: new\n      authority: jp.ordinary\n"
        "      direction: export\n      destination: JP\n      periods:\n        - id: new\n"
        '          from: 2026-11-01\n          rows: [{products: ["0201.30.010"], rate: "7%"}]\n'
    )
    law = apply_scenario(LAW, parse_scenario(HEAD + change, "scenario"))
    assert lines_of(duties(goods(hts=["0201.30.010", "0201.30.090", "0201.30"]), law)) == [27.8, 20.8, 22.55]


@pytest.mark.parametrize(
    ("hts", "claims", "text"),
    [
        ("1006.30.090", {}, "49 yen/kg; with the mark-up of the state trader at most 341 yen/kg"),
        ("2204.21.020", {"fta_share": 0}, "15% or 125 yen/l, whichever is lower, but not less than 67 yen/l"),
        ("0203.19.024", {}, "(524 yen x 1.002 - customs value)/kg or 54 yen/kg, whichever is lower"),
        ("0406.30", {}, "7.2% within the tariff quota or 40%, by condition"),
        ("7403.11.020", {}, "the lower of (500 yen - customs value)/kg and 3%"),
    ],
)
def test_a_rate_that_is_no_percentage_is_told(hts: str, claims: dict[str, Any], text: str) -> None:
    with pytest.raises(InputError) as refused:
        quote_export(LAW, ExportLine(hts, "US", 10_000, "2026-11-24", claims, to="JP"))
    assert (refused.value.reason, refused.value.metadata["rate"]) == ("RATE_NOT_COMPUTABLE", text)
    assert refused.value.message.endswith(f"{text}.")


# -- lists -----------------------------------------------------------------------------------------------------


def lines_at(rate: str, *measures: str, day: str, to: str) -> int:
    """How many lines of a market's schedule a measure charges at a rate, with the goods of its lists."""
    in_force = LAW.in_force(datetime.fromisoformat(day), market=to)
    rows = [row for active in in_force.actives if active.measure.id in measures for row in active.rows]
    charged = [row.scope for row in rows if row.rate == Decimal(rate) and not row.conditions]
    return len({code for scope in charged for names in scope.products for code in in_force.codes(names)})


@pytest.mark.parametrize(
    ("to", "day", "measures", "counts"),
    [
        # Announcement 1 of 2025: 8 lines at 15, 72 at 10.
        ("CN", "2025-02-11T12:00+08:00", ("cn.energy", "cn.crude_machinery"), {"0.15": 8, "0.1": 72}),
        # Announcement 2 of 2025: 29 lines at 15; of its 711 lines at 10 the matrix of 2025-03-28 has 709.
        ("CN", "2025-03-11T12:00+08:00", ("cn.ag_grain", "cn.ag_other"), {"0.15": 29, "0.1": 709}),
        # 120 lines at 15 and 8 at 25 in 2018; two codes of nuts are three since 2022, and one of ginseng is gone.
        ("CN", "2025-03-11T12:00+08:00", ("cn.s232",), {"0.15": 120, "0.25": 8}),
        # Finance Canada's list of September 2026.
        ("CA", "2026-09-09T12:00-04:00", ("ca.surtax", "ca.metals"), {"0.15": 21, "0.25": 195, "0.5": 413}),
        ("CA", "2025-03-14T12:00-04:00", ("ca.surtax_2025",), {"0.25": 1258}),
        ("CA", "2025-03-14T12:00-04:00", ("ca.metals", "ca.metals_other"), {"0.25": 539}),
        ("CA", "2025-09-02T12:00-04:00", ("ca.surtax_2025", "ca.metals", "ca.metals_other"), {"0.25": 294}),
    ],
)
def test_measures_charge_as_many_lines_as_their_orders_say(
    to: str, day: str, measures: tuple[str, ...], counts: dict[str, int]
) -> None:
    assert {rate: lines_at(rate, *measures, day=day, to=to) for rate in counts} == counts


def test_every_line_of_a_schedule_has_the_digits_of_its_market() -> None:
    for market in LAW.markets.values():
        lengths = {len(code) for code in market.lines}
        assert lengths <= {6, market.digits}
        assert sum(len(code) == 6 for code in market.lines) < 0.01 * len(market.lines)
        rows = list(csv.DictReader(market.lines_text.splitlines()))
        assert len(rows) == len(market.lines)
        rates = [line.rate for line in market.lines.values() if line.rate]
        assert all(one.text if one.rate is None else one.rate >= 0 for one in rates)


# -- what an answer says beside its amounts, and changes of duties on exports -----------------------------------

SOYBEANS = ExportLine("1201.90.0095", "US", "10000", "2026-11-24")


def test_the_answer_names_what_it_does_not_hold() -> None:
    quote = quote_export(LAW, SOYBEANS)
    assert [note.reason for note in quote.notes] == ["LAW_READ_TO"]
    assert "cn_excluded_share: not declared, so taken as claimed" in quote.assumptions
    car = quote_export(LAW, ExportLine("8703.23", "US", 1000, "2026-11-24", to="CA"))
    assert [note.reason for note in car.notes] == ["NOT_MODELLED", "LAW_READ_TO"]
    assert "ca.vehicles" in car.notes[0].message
    assert any("6 digits" in text for text in quote.assumptions)
    assert all(layer.citations for layer in quote.layers)
    assert [layer.why["text"] for layer in quote.layers] == [
        "Ordinary rate 3% on the customs value.",
        "Exempt under the terms of the measure because cn_excluded_share is not denied.",
        "10%, kept during a suspension, on the customs value.",
    ]
    assert quote.layers[0].why["rule"] == "cn_ordinary_rates"
    # It rests on the switches of its own direction.
    assert quote.provenance["switches"] == {"truce_extension": "on"}
    entered = quote_line(LAW, EntryLine("1201900095", "US", 100, "2026-11-24"))
    assert "truce_extension" not in entered.provenance["switches"]


def test_changes_of_duties_on_exports_are_listed_by_their_own_clock() -> None:
    window = read_window("2025-11-10", "2025-11-10", "1201.90", "US")
    found = changes(LAW, window, market="CN")
    told = [(one.kind, one.measures) for one in found]
    assert told == [("terminate", ("cn.ag_other",)), ("extend", ("cn.recip",))]
    assert changes(LAW, read_window("2025-11-10", "2025-11-10", "1201.90", "BR"), market="CN") == ()
    assert not {name for one in changes(LAW, window) for name in one.measures if name.startswith("cn.")}


def test_changes_hit_the_lines_of_a_table_of_exports() -> None:
    table = goods(hts=["1201.90", "1201.90"], origin=["US", "BR"])
    notices = changes(LAW, read_window("2025-11-10", "2025-11-10"), market="CN")
    found = changes_on_table(LAW, notices, table, market="CN")
    assert found.lines.select("measure", "origin", "duty_before", "duty_after").rows() == [
        ("cn.ag_other", "US", pytest.approx(10.0), 0.0)
    ]
    assert found.lines["at"][0] == "2025-11-10T13:01+08:00"
