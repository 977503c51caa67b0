"""Markets as data: a made-up country needs no code, lists have the counts of their orders, tables mix destinations."""

from __future__ import annotations

import csv
from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from tariffs.engine.errors import InputError, LawError
from tariffs.engine.law import Law, law_from_raw, load_law
from tariffs.engine.law.files import read_raw
from tariffs.engine.line_duty.exports import ExportLine, quote_export
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import library

LAW = load_law()


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
    common = {"direction": "export", "destination": "NZ", "conf": "C"}
    charged = [{"origins": ["US"], "products": ["8703.23.10"], "rate": "20%"}]
    rates = [
        {"if": ["usmca_share"], "kind": "ordinary", "column": "special"},
        {"kind": "ordinary", "column": "general"},
    ]
    measures = [
        {
            **common, "id": "nz.ordinary", "authority": "cn.ordinary",
            "periods": [{"id": "nz_rates", "from": "2024-12-01", "rows": rates}],
        },
        {
            **common, "id": "nz.answer", "authority": "cn.recip",
            "periods": [{"id": "nz_2026", "from": "2026-01-01", "rows": charged}],
        },
    ]  # fmt: skip
    raw["markets"] = {**raw["markets"], "nz": market}
    raw["measures"] = [*raw["measures"], *measures]
    return law_from_raw(raw)


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
    table = pl.DataFrame(
        {
            "hts": ["8703.23", "8703.23", "7214.20", "1201.90", "1201.90"],
            "origin": ["US"] * 5,
            "customs_value": [1000.0] * 5,
            "freight": [100.0] * 5,
            "destination": ["NZ", "CN", "ca", None, "XX"],
        }
    )
    options = Options(response="none", direction="export", include_lines=True, by=("destination",))
    found = impact(table, [Point(library()["base"], "2026-10-01")], law=made_up, options=options)
    assert found.refused.select("row", "column", "reason").rows() == [
        (4, "destination", "DESTINATION_UNKNOWN")
    ]
    lines = found.scenarios[0].lines
    assert lines is not None
    for row in lines.to_dicts():
        line = ExportLine(row["hts"], "US", 1000, "2026-10-01", freight=100, to=row["destination"] or "")
        alone = quote_export(made_up, line)
        assert row["duty"] == pytest.approx(float(alone.assessed), abs=0.011)
        assert row["landed"] == pytest.approx(float(alone.landed), abs=0.03)


def test_each_destination_of_a_table_has_its_own_clock() -> None:
    # On 2026-09-08 at noon in Ottawa the surtax holds; the same noon in Beijing is before its first minute.
    table = pl.DataFrame(
        {
            "hts": ["7214.20", "1201.90"],
            "origin": ["US", "US"],
            "customs_value": [100.0, 100.0],
            "destination": ["CA", "CN"],
        }
    )
    options = Options(response="none", direction="export", by=("destination",))
    days = timeline(table, [library()["base"]], "2026-09-07", "2026-09-08", law=LAW, options=options)
    rates = days.scenarios[0].segments.filter(destination="CA").select("start", "effective_rate").rows()
    assert rates == [("2026-09-07", pytest.approx(0.25)), ("2026-09-08", pytest.approx(0.5))]


def test_the_same_goods_in_two_markets_respond_apart() -> None:
    one = pl.DataFrame(
        {
            "hts": ["7214.20"] * 2,
            "origin": ["US", "MX"],
            "customs_value": [100.0, 100.0],
            "destination": ["CA"] * 2,
        }
    )
    both = pl.concat([one, one.with_columns(destination=pl.lit("CN"))])
    options = Options(direction="export", by=("destination", "origin"), baseline="2026-01-01")
    alone, mixed = (
        impact(table, [Point(library()["base"], "2026-10-01")], law=LAW, options=options).scenarios[0].groups
        for table in (one, both)
    )
    canada = mixed.filter(destination="CA")
    assert canada["quantity_hat"].to_list() == pytest.approx(alone["quantity_hat"].to_list())
    assert alone.filter(origin="MX")["quantity_hat"][0] > 1.0


@pytest.mark.parametrize(("to", "direction"), [("ZZ", "export"), ("CN", "import")])
def test_a_market_that_the_law_lacks_is_refused(to: str, direction: str) -> None:
    with pytest.raises(InputError) as refused:
        LAW.market_of(direction, to)
    assert (refused.value.reason, refused.value.field) == ("REQUEST_INVALID", "to")


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"clock": "Mars/Olympus"}, "markets.cn.clock"),
        ({"base": "exw"}, "markets.cn.base"),
        ({"taxes": [{"products": ["xx"], "rate": "9%"}]}, "markets.cn.taxes[0].products"),
        (
            {"preference": {"claim": "in_quota_share", "text": "x", "note": "NO_SUCH"}},
            "markets.cn.preference.note",
        ),
        ({"colour": "red"}, "markets.cn.colour"),
    ],
)
def test_a_market_that_cannot_be_read_names_its_place(change: dict[str, Any], path: str) -> None:
    raw = read_raw()
    raw["markets"] = {**raw["markets"], "cn": {**raw["markets"]["cn"], **change}}
    with pytest.raises(LawError) as refused:
        law_from_raw(raw)
    assert refused.value.field == path


# -- lists -----------------------------------------------------------------------------------------------------


def lines_at(rate: str, *measures: str, day: str, to: str) -> int:
    """How many lines of a market's schedule a measure charges at a rate, with the goods of its lists."""
    instant = datetime.fromisoformat(day)
    in_force = LAW.in_force(instant, market=to)
    found = set()
    for active in in_force.actives:
        if active.measure.id in measures:
            for row in active.rows:
                if row.rate == Decimal(rate) and not row.conditions:
                    for names in row.scope.products:
                        found |= set(in_force.codes(names))
    return len(found)


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
        (
            "CA",
            "2026-09-09T12:00-04:00",
            ("ca.surtax", "ca.metals"),
            {"0.15": 21, "0.25": 195, "0.5": 413},
        ),
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
        assert all(line.rate.rate >= 0 for line in market.lines.values() if line.rate)


# -- worked lines ----------------------------------------------------------------------------------------------


def test_destinations_are_told_by_code_whatever_the_table_calls_them() -> None:
    table = pl.DataFrame(
        {
            "hts": ["7214.20", "7214.20", "1201.90"],
            "origin": ["US"] * 3,
            "customs_value": [100.0, 50.0, 10.0],
            "destination": ["Canada", "ca", ""],
        }
    )
    options = Options(response="none", direction="export", by=("destination",))
    point = Point(library()["base"], "2026-10-01")
    groups = impact(table, [point], law=LAW, options=options).scenarios[0].groups
    assert dict(groups.select("destination", "customs_value").iter_rows()) == {"CA": 150.0, "CN": 10.0}
    alone = impact(table.drop("destination"), [point], law=LAW, options=options).scenarios[0].groups
    assert alone["destination"].to_list() == ["CN"]
