"""A trade table: what is read, what is repaired, what is refused, and that nothing is lost."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law.model import Claim
from tariffs.engine.tables.trade_table import CheckedTable, TableRules, check_table

EASTERN = ZoneInfo("America/New_York")
KNOWN = frozenset({"9503000073", "8471300100", "0101210010", "0101", "010121", "01012100"})


def claim(kind: str, partition: str = "") -> Claim:
    return Claim("", kind, "relief", partition, (), "", "", ())


CLAIMS = {
    "usmca_share": claim("share", "preference"),
    "fta_share": claim("share", "preference"),
    "steel_share": claim("content", "content"),
    "aluminum_share": claim("content", "content"),
    "civil_aircraft_share": claim("share"),
    "donation": claim("bool"),
    "loading_date": claim("date"),
    "model_year": claim("number"),
    "smelt_cast_origin": claim("code"),
    "chapter98": claim("code"),
}
RULES = TableRules(
    claims=CLAIMS,
    first=datetime(2025, 1, 1, tzinfo=EASTERN),
    last=datetime(2028, 1, 1, tzinfo=EASTERN),
    zone=EASTERN,
    is_code=KNOWN.__contains__,
    nearest=lambda code: sorted(KNOWN, key=lambda known: known[:4] != code[:4])[:3],
)


def check(**columns: object) -> CheckedTable:
    size = max(len(values) for values in columns.values() if isinstance(values, (list, pl.Series)))
    plain = {"hts": ["9503000073"] * size, "origin": ["CN"] * size, "customs_value": [100.0] * size}
    return check_table(pl.DataFrame({**plain, **columns}, strict=False), RULES)


def test_three_bad_rows_in_a_thousand_are_refused_and_the_rest_kept() -> None:
    frame = pl.DataFrame(
        {"hts": ["9503000073"] * 1000, "origin": ["CN"] * 1000, "customs_value": ["10"] * 1000}
    )
    frame[7, "hts"], frame[500, "origin"], frame[999, "customs_value"] = "x", "EU", "-1"
    frame[999, "origin"] = "XX"  # a second problem of a row, which counts once
    table = check_table(frame, RULES)
    assert table.refused.select("row", "column", "reason", "found").rows() == [
        (7, "hts", "HTS_CODE_MALFORMED", "x"),
        (500, "origin", "ORIGIN_UNKNOWN", "EU"),
        (999, "origin", "ORIGIN_UNKNOWN", "XX"),
        (999, "customs_value", "CUSTOMS_VALUE_INVALID", "-1"),
    ]
    assert table.refused_count == 3
    assert table.lines.height == 997
    assert 7 not in table.rows


@pytest.mark.parametrize("given", ["101210010", 101210010, 101210010.0])
def test_codes_are_read_of_any_type_and_repairs_are_noted(given: object) -> None:
    table = check(hts=[given])
    assert table.lines["hts"].item() == "0101210010"
    assert table.notes.select("row", "reason").rows() == [(0, "HTS_CODE_REPAIRED")]


@pytest.mark.parametrize(
    ("column", "given", "reason"),
    [
        ("hts", "950300007", "HTS_CODE_MALFORMED"),  # 0950300007 is in no schedule, so no zero was lost
        ("hts", "", "HTS_CODE_MALFORMED"),
        ("hts", None, "HTS_CODE_MALFORMED"),
        ("hts", "0101999999", "HTS_CODE_UNKNOWN"),
        ("customs_value", "-3", "CUSTOMS_VALUE_INVALID"),
        ("customs_value", "", "CUSTOMS_VALUE_INVALID"),
        ("customs_value", None, "CUSTOMS_VALUE_INVALID"),
        ("customs_value", math.nan, "CUSTOMS_VALUE_INVALID"),
        ("customs_value", math.inf, "CUSTOMS_VALUE_INVALID"),
        ("entry_date", "02/10/2025", "ENTRY_DATE_INVALID"),
        ("entry_date", "45698", "ENTRY_DATE_INVALID"),
        ("entry_date", "2024-12-31", "ENTRY_DATE_OUT_OF_COVERAGE"),
        ("entry_date", "2028-01-01T00:00-05:00", "ENTRY_DATE_OUT_OF_COVERAGE"),
        ("quantity", "-1", "QUANTITY_INVALID"),
        ("unit", "parsec", "UNIT_UNKNOWN"),
        ("mode", "bicycle", "CLAIM_INVALID"),
        ("freight", "x", "CHARGE_INVALID"),
        ("civil_aircraft_share", "1.2", "CLAIM_INVALID"),
        ("civil_aircraft_share", "-0.1", "CLAIM_INVALID"),
        ("civil_aircraft_share", "25", "CLAIM_INVALID"),
        ("civil_aircraft_share", "150%", "CLAIM_INVALID"),
        ("donation", "perhaps", "CLAIM_INVALID"),
        ("loading_date", "soon", "CLAIM_INVALID"),
    ],
)
def test_a_cell_that_cannot_be_read_is_refused_with_what_was_found(
    column: str, given: object, reason: str
) -> None:
    dtype = pl.Float64 if isinstance(given, float) else pl.String
    table = check(**{column: pl.Series([given], dtype=dtype)})
    found = given if isinstance(given, str) else "" if given is None else table.refused["found"].item()
    assert table.refused.select("row", "column", "reason", "found").rows() == [(0, column, reason, found)]
    assert reason != "HTS_CODE_UNKNOWN" or "0101" in table.refused["message"].item()


def test_origins_are_read_in_either_case_and_norway_is_no_boolean(tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    path.write_text("hts,origin,customs_value\n9503000073,no,1\n0101210010,DE,2\n", encoding="utf-8")
    table = check_table(path, RULES)
    assert table.lines["origin"].to_list() == ["NO", "DE"]
    assert table.lines["hts"].to_list() == ["9503000073", "0101210010"]


@pytest.mark.parametrize(
    ("given", "instant"),
    [
        (date(2025, 7, 1), datetime(2025, 7, 1, 16, tzinfo=UTC)),
        ("2025-01-01T00:00-05:00", datetime(2025, 1, 1, 5, tzinfo=UTC)),  # the first instant covered
        (20260224, datetime(2026, 2, 24, 17, tzinfo=UTC)),
        (datetime(2025, 7, 1, 4, 1, tzinfo=UTC), datetime(2025, 7, 1, 4, 1, tzinfo=UTC)),
    ],
)
def test_days_are_noon_and_instants_keep_their_minute(given: object, instant: datetime) -> None:
    assert check(entry_date=[given]).lines["entry_date"].item() == instant


def test_quantities_units_modes_charges_and_claims() -> None:
    table = check(
        quantity=["5", None],
        unit=["KG", None],
        mode=["Vessel", "31"],
        freight=[0, None],
        ordinary_rate=["0%", "99%"],
        insurance=["", "4"],
        donation=["yes", ""],
        loading_date=["2025-01-31", None],
        model_year=["1999", None],
        chapter98=["9802.00.80", "x"],
    )
    assert table.refused.height == 0
    assert table.lines["unit"].to_list() == ["kg", None]
    assert table.lines["mode"].to_list() == ["ocean", "land"]
    assert table.lines["insurance"].to_list() == [None, 4.0]
    assert table.lines["donation"].to_list() == [True, None]
    assert table.lines["chapter98"].to_list() == ["98020080", "X"]


def test_shares_that_sum_to_more_than_one_are_refused() -> None:
    preferences, contents = (
        check(usmca_share=[0.6], fta_share=[0.5]),
        check(steel_share=[0.6], aluminum_share=[0.5]),
    )
    assert preferences.refused["reason"].to_list() == ["PREFERENCE_SHARES_EXCEED_ONE"]
    assert contents.refused["reason"].to_list() == ["CONTENT_SHARES_EXCEED_ONE"]
    assert check(usmca_share=[0.1 + 0.2], fta_share=[0.7]).refused.height == 0  # one, in floating point


def test_the_callers_columns_come_back_untouched_and_in_order() -> None:
    own = {"zeta": [1, 2], "customs_value": [1, 2], "alpha": [[1], [2]]}
    frame = pl.DataFrame({**own, "hts": ["0101", "x"], "origin": ["CN", "CN"]})
    table = check_table(frame, RULES)
    assert table.lines.columns == ["hts", "origin", "customs_value", "zeta", "alpha"]
    assert table.lines.select("zeta", "alpha").equals(frame.select("zeta", "alpha").head(1))


def test_tables_that_cannot_be_read_are_errors(tmp_path: Path) -> None:
    def reason(source: object) -> str:
        with pytest.raises(InputError) as caught:
            check_table(source, RULES)  # type: ignore[arg-type]
        return caught.value.reason

    frame = pl.DataFrame({"hts": ["0101"], "origin": ["CN"], "customs_value": [1]})
    assert reason(frame.drop("customs_value").with_columns(value=1)) == "COLUMN_MISSING"
    assert reason(frame.head(0)) == "TABLE_EMPTY"
    assert reason(frame.with_columns(customs_value=[[1]])) == "COLUMN_TYPE_MISMATCH"
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 not really")
    (tmp_path / "latin.csv").write_bytes(b"hts,origin,customs_value\n0101,CN,1,2,3\n")
    (tmp_path / "empty.csv").write_bytes(b"")
    for name in ("absent.csv", "lines.xlsx", "broken.parquet", "latin.csv", "empty.csv"):
        assert reason(tmp_path / name) == "TABLE_UNREADABLE"


DIGESTED = pl.DataFrame(
    {
        "hts": ["0101", "x", "9503000073"],
        "origin": ["CN"] * 3,
        "customs_value": [1.0, 2.0, 3.5],
        "own": [1, None, 3],
    }
)


def test_the_digest_does_not_depend_on_chunks_file_or_compression(tmp_path: Path) -> None:
    DIGESTED.write_parquet(tmp_path / "a.parquet", compression="zstd", row_group_size=1)
    sources: list[Any] = [
        DIGESTED,
        DIGESTED.lazy(),
        pl.concat([DIGESTED[:1], DIGESTED[1:]], rechunk=False),
        tmp_path / "a.parquet",
    ]
    assert len({check_table(source, RULES).digest for source in sources}) == 1


@pytest.mark.parametrize(
    "change",
    [
        pl.col("customs_value") + 1,
        pl.col("own").fill_null(0),
        pl.lit("CA").alias("origin"),
        pl.col("own").alias("mine"),
        pl.when(pl.col("hts") == "x").then(pl.lit("y")).otherwise("hts").alias("hts"),
        pl.all().reverse(),
    ],
)
def test_the_digest_depends_on_everything_else(change: pl.Expr) -> None:
    assert check_table(DIGESTED, RULES).digest != check_table(DIGESTED.with_columns(change), RULES).digest
    assert check(own=["ab", "c"]).digest != check(own=["a", "bc"]).digest  # runs of text do not collide


@pytest.mark.parametrize("column", ["entry_date", "loading_date"])
@pytest.mark.parametrize(
    "values",
    [
        pl.Series([20_300, 5_000_000, -5_000_000], dtype=pl.Int32).cast(pl.Date),
        pl.Series([20_300 * 86_400 * 10**6, 2**62, -(2**62)]).cast(pl.Datetime("us")),
        pl.Series([20_300 * 86_400 * 10**3, 2**60, -(2**60)]).cast(pl.Datetime("ms", "UTC")),
    ],
    ids=["days", "instants", "instants in UTC"],
)
def test_days_that_no_calendar_has_cost_their_own_rows_alone(column: str, values: pl.Series) -> None:
    table = check(**{column: values})
    reason = {"entry_date": "ENTRY_DATE_INVALID", "loading_date": "CLAIM_INVALID"}[column]
    assert table.refused.select("row", "reason").rows() == [(1, reason), (2, reason)]
    assert "years 1 to 9999" in table.refused["message"][0]
    assert table.lines.height == 1
