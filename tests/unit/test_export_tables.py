"""Tables of exports: which rows are read, what they pay line by line, and what a line alone pays."""

from __future__ import annotations

import itertools
import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.line_duty.exports import ExportLine, quote_export
from tariffs.engine.runs.impact import Impact, Options, Point, impact
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.scenario import apply_scenario, library, parse_scenario
from tariffs.engine.schedule.lines import load_schedule

LAW = load_law()
CHAPTERS = ("02", "10", "12", "27", "84", "87")
CODES = sorted({code[:6] for chapter in CHAPTERS for code in load_schedule().children(chapter)})
FIRST, DAYS = date(2025, 1, 1), 1460
SOYBEANS = pl.DataFrame(
    {
        "hts": ["1201.90", "12019000", "1201900095"],
        "origin": ["US", "BR", "AR"],
        "customs_value": [1000.0, 3000.0, 200.0],
        "freight": [60.0, 0.0, 10.0],
    }
)


def run(table: Any, *names: str, on: str = "2026-11-24", **options: Any) -> Impact:
    points = [Point(library()[name], on) for name in names or ("base",)]
    chosen = {"response": "none", "direction": "export", **options}
    return impact(table, points, law=LAW, options=Options(**chosen))


def lines_of(found: Impact) -> pl.DataFrame:
    lines = found.scenarios[0].lines
    assert lines is not None
    return lines


@pytest.mark.parametrize(
    ("on", "rate"),
    [
        ("2025-03-09", 0.03),
        ("2025-03-10", 0.13),
        ("2025-04-10", 0.13),
        ("2025-04-10T12:01+08:00", 0.97),
        ("2025-04-12", 1.38),
        ("2025-05-14T12:01+08:00", 0.23),
        ("2025-11-10T13:01+08:00", 0.13),
        ("2026-11-24", 0.13),
        ("2027-01-11", 0.37),
    ],
)
def test_soybeans_pay_through_a_table_what_they_pay_alone(on: str, rate: float) -> None:
    groups = run(SOYBEANS, "truce-lapses", on=on).scenarios[0].groups
    assert dict(groups.select("origin", "effective_rate").iter_rows()) == pytest.approx(
        {"AR": 0.03, "BR": 0.03, "US": rate}
    )
    alone = quote_export(LAW, ExportLine("1201.90", "US", 1000, on, freight=60))
    assert float(alone.rate) == pytest.approx(rate)


def random_row(dice: random.Random) -> dict[str, Any]:
    return {
        "hts": dice.choice(CODES),
        "origin": dice.choice(("US", "US", "US", "BR", "CN")),
        "customs_value": dice.randrange(10**7),
        "freight": dice.randrange(10**5),
        "entry_date": (FIRST + timedelta(days=dice.randrange(DAYS))).isoformat(),
        "ordinary_rate": dice.choice((None, "0", "0.05", "0.125")),
        "in_quota_share": dice.choice((None, 0.0, 0.25, 1.0)),
        "loading_date": dice.choice((None, None, "2025-03-01", "2025-04-01")),
    }


def test_the_base_is_cif_and_tax_falls_on_base_and_duty() -> None:
    groups = run(SOYBEANS).scenarios[0].groups
    found = groups.filter(origin="US").to_dicts()[0]
    assert found["customs_value"] == 1060.0
    assert found["duty"] == pytest.approx(0.13 * 1060)
    assert found["vat"] == pytest.approx(0.09 * 1.13 * 1060)
    assert found["landed"] == pytest.approx(1060 * 1.13 * 1.09)


def test_the_table_keeps_the_callers_value_beside_the_base() -> None:
    lines = lines_of(run(SOYBEANS.with_columns(mine=pl.lit("a")), include_lines=True))
    assert lines["customs_value"].to_list() == [1000.0, 3000.0, 200.0]
    assert lines["mine"].to_list() == ["a", "a", "a"]


def test_rows_that_cannot_be_rated_are_refused_and_name_their_row() -> None:
    table = pl.DataFrame(
        {
            "hts": ["1201", "8524.11", "120190", "999999", "8524.11", "8524.11", "8524.11"],
            "origin": ["US", "US", "XX", "US", "US", "US", "US"],
            "customs_value": [1.0] * 7,
            "ordinary_rate": [None, None, None, None, "3%", "3", "x"],
        }
    )
    found = run(table, include_lines=True)
    assert found.refused.select("row", "column", "reason").rows() == [
        (0, "hts", "HTS_CODE_MALFORMED"),
        (1, "ordinary_rate", "RATE_NOT_COMPUTABLE"),
        (2, "origin", "ORIGIN_UNKNOWN"),
        (3, "hts", "HTS_CODE_UNKNOWN"),
        (5, "ordinary_rate", "PARAMETER_INVALID"),
        (6, "ordinary_rate", "PARAMETER_INVALID"),
    ]
    assert lines_of(found)["effective_rate"].to_list() == [pytest.approx(0.13)]


def test_a_table_of_refused_rows_alone_is_an_answer() -> None:
    found = run(pl.DataFrame({"hts": ["8524.11"], "origin": ["US"], "customs_value": [1.0]}))
    assert found.refused.height == 1
    assert found.scenarios[0].total["customs_value"] == 0.0


def test_goods_with_a_quota_say_what_was_taken_for_granted() -> None:
    table = pl.DataFrame({"hts": ["100590"] * 3, "origin": ["BR"] * 3, "customs_value": [100.0] * 3})
    silent = run(table, include_lines=True)
    assert lines_of(silent)["duty"].to_list() == pytest.approx([1.0] * 3)
    assert "WITHIN_QUOTA" in {note.reason for note in silent.notes}
    told = run(table.with_columns(in_quota_share=pl.Series([0.0, 0.5, 1.0])), include_lines=True)
    assert lines_of(told)["duty"].to_list() == pytest.approx([65.0, 33.0, 1.0])
    assert "WITHIN_QUOTA" not in {note.reason for note in told.notes}


def test_a_direction_is_import_or_export() -> None:
    with pytest.raises(InputError) as refused:
        run(SOYBEANS, direction="control")
    assert (refused.value.reason, refused.value.field) == ("REQUEST_INVALID", "direction")


def test_days_are_those_of_the_importing_country() -> None:
    found = timeline(
        SOYBEANS, [library()["base"]], "2025-01-01", "2025-12-31", law=LAW,
        options=Options(response="none", direction="export", by=("origin",)),
    )  # fmt: skip
    rates = found.scenarios[0].segments.filter(origin="US").select("start", "effective_rate").rows()
    steps = [rates[0]] + [new for old, new in itertools.pairwise(rates) if new[1] != old[1]]
    assert [start for start, _ in steps] == [
        "2025-01-01", "2025-03-10", "2025-04-11", "2025-04-12", "2025-05-15", "2025-11-11",
    ]  # fmt: skip
    assert [rate for _, rate in steps] == pytest.approx([0.03, 0.13, 0.97, 1.38, 0.23, 0.13])


def law_with_shares() -> Any:
    """A law whose duties on exports hang on shares: charged on a part, freed for a part, on a metal's content."""
    text = """
schema: tariffs.scenario/v1
id: shares
title: Duties on exports that depend on shares of the goods
basis: hypothesis
changes:
  - op: add
    measure:
      id: cn.part
      title: A duty on parts of vehicles
      authority: cn.recip
      direction: export
      periods:
        - id: part
          from: 2025-01-01T00:00+08:00
          rows: [{origins: [US], if: [vehicle_part_share], rate: 10%}]
    cite: [a test]
  - op: add
    measure:
      id: cn.relief
      title: A floor, lower for civil aircraft
      authority: cn.energy
      direction: export
      displaces_at_zero: yes
      periods:
        - id: relief
          from: 2025-01-01T00:00+08:00
          rows:
            - {origins: [US], if: [civil_aircraft_share], kind: topup_to, rate: 7%}
            - {origins: [US], kind: topup_to, rate: 20%}
    cite: [a test]
  - op: add
    measure:
      id: cn.steel
      title: A duty on the steel content
      authority: cn.energy
      direction: export
      periods:
        - id: steel
          from: 2025-01-01T00:00+08:00
          rows: [{origins: [US], base: {steel: 1}, rate: 50%}]
    cite: [a test]
"""
    return apply_scenario(LAW, parse_scenario(text, "shares"))


def test_a_share_charges_its_part_of_the_goods_on_a_line_as_in_a_table() -> None:
    law = law_with_shares()
    line = ExportLine(
        "8433.51", "US", 10_000, "2026-11-24", {"vehicle_part_share": "0.3"}, ordinary_rate="0.05"
    )
    quote = quote_export(law, line)
    part = next(layer for layer in quote.layers if layer.measure == "cn.part")
    assert (part.rate, part.base, part.amount) == (Decimal("0.1"), Decimal("3000.00"), Decimal("300.00"))


def test_a_layer_of_several_rates_says_which_share_of_the_goods_pays_which() -> None:
    claims = {"in_quota_share": "0.25"}
    quote = quote_export(LAW, ExportLine("1005.90", "BR", 1000, "2026-11-24", claims))
    assert quote.layers[0].why["text"] == (
        "25% of the goods: Ordinary rate 1% on the customs value because in_quota_share is claimed. "
        "75% of the goods: Ordinary rate 65% on the customs value."
    )
    assert (quote.layers[0].rate, quote.assessed) == (Decimal("0.49"), Decimal("490.00"))


def test_lines_with_shares_pay_alone_what_they_pay_in_a_table(scale: int) -> None:
    dice, law = random.Random(6), law_with_shares()
    shares = ("vehicle_part_share", "civil_aircraft_share", "steel_share", "in_quota_share")
    rows = [
        random_row(dice) | {name: dice.choice((None, 0.0, 0.3, 0.5, 1.0)) for name in shares}
        for _ in range(100 * scale)
    ]
    found = impact(
        pl.DataFrame(rows, infer_schema_length=None).with_row_index("place"),
        [Point(library()["base"], "2026-11-24")],
        law=law,
        options=Options(response="none", direction="export", include_lines=True),
    )
    paid = {row["place"]: row for row in lines_of(found).to_dicts()}
    for place, ours in paid.items():
        row = rows[place]
        claims = {name: row[name] for name in (*shares, "loading_date") if row[name] is not None}
        line = ExportLine(
            row["hts"], row["origin"], row["customs_value"], row["entry_date"], claims, row["freight"],
            ordinary_rate=row["ordinary_rate"],
        )  # fmt: skip
        alone = quote_export(law, line)
        assert ours["duty"] == pytest.approx(float(alone.assessed), abs=0.02), row
        assert ours["duty_owed"] == pytest.approx(float(alone.owed), abs=0.02), row
        assert ours["vat"] == pytest.approx(float(alone.vat), abs=0.02), row
        assert ours["landed"] == pytest.approx(float(alone.landed), abs=0.05), row
        assert float(alone.rate) * float(alone.cif) == pytest.approx(
            ours["duty"], abs=1.0 + 1e-6 * float(alone.cif)
        )
    assert len(paid) > 40 * scale
