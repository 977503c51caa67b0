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


def refusal(table: CheckedTable) -> tuple[int, str, str, str]:
    assert table.refused.height == 1
    row = table.refused.row(0, named=True)
    return row["row"], row["column"], row["reason"], row["found"]


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


@pytest.mark.parametrize(
    ("given", "code", "notes"),
    [
        ("9503.00.0073", "9503000073", []),
        (" 9503 00 0073 ", "9503000073", []),
        ("101210010", "0101210010", ["HTS_CODE_REPAIRED"]),
        ("101", "0101", ["HTS_CODE_REPAIRED"]),
        ("9503000073.0", "9503000073", ["HTS_CODE_REPAIRED"]),
    ],
)
def test_codes_are_read_and_repairs_are_noted(given: str, code: str, notes: list[str]) -> None:
    table = check(hts=[given])
    assert table.lines["hts"].item() == code
    assert table.notes["reason"].to_list() == notes
    assert table.notes["row"].to_list() == [0] * len(notes)


def test_codes_may_come_as_numbers() -> None:
    for column in ([101210010], [101210010.0]):
        assert check(hts=column).lines["hts"].item() == "0101210010"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("950300007", "HTS_CODE_MALFORMED"),  # 0950300007 is in no schedule, so no zero was lost
        ("95030000731", "HTS_CODE_MALFORMED"),
        ("\u0669\u0665\u0660\u0663", "HTS_CODE_MALFORMED"),
        ("", "HTS_CODE_MALFORMED"),
        (None, "HTS_CODE_MALFORMED"),
        ("0101999999", "HTS_CODE_UNKNOWN"),
    ],
)
def test_codes_beyond_repair_are_refused(given: str | None, reason: str) -> None:
    table = check(hts=pl.Series([given], dtype=pl.String))
    assert refusal(table)[2] == reason
    assert reason != "HTS_CODE_UNKNOWN" or "0101" in table.refused["message"].item()


def test_origins_are_read_in_either_case_and_norway_is_no_boolean(tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    path.write_text("hts,origin,customs_value\n9503000073,no,1\n0101210010,DE,2\n", encoding="utf-8")
    table = check_table(path, RULES)
    assert table.lines["origin"].to_list() == ["NO", "DE"]
    assert table.lines["hts"].to_list() == ["9503000073", "0101210010"]


@pytest.mark.parametrize("given", ["12,34", "-3", "", None])
def test_values_that_are_no_amount_are_refused(given: str | None) -> None:
    table = check(customs_value=pl.Series([given], dtype=pl.String))
    assert refusal(table) == (0, "customs_value", "CUSTOMS_VALUE_INVALID", given or "")


@pytest.mark.parametrize("given", [-1.0, math.nan, math.inf, None])
def test_numbers_that_are_no_amount_are_refused(given: float | None) -> None:
    assert refusal(check(customs_value=pl.Series([given], dtype=pl.Float64)))[2] == "CUSTOMS_VALUE_INVALID"


@pytest.mark.parametrize(
    ("given", "instant"),
    [
        (date(2025, 7, 1), datetime(2025, 7, 1, 16, tzinfo=UTC)),
        ("2026-02-24T00:00-05:00", datetime(2026, 2, 24, 5, tzinfo=UTC)),
        (20260224, datetime(2026, 2, 24, 17, tzinfo=UTC)),
        (datetime(2025, 7, 1), datetime(2025, 7, 1, 16, tzinfo=UTC)),
        (datetime(2025, 7, 1, 0, 1), datetime(2025, 7, 1, 4, 1, tzinfo=UTC)),
        (datetime(2025, 7, 1, 4, 1, tzinfo=UTC), datetime(2025, 7, 1, 4, 1, tzinfo=UTC)),
    ],
)
def test_days_are_noon_and_instants_keep_their_minute(given: object, instant: datetime) -> None:
    assert check(entry_date=[given]).lines["entry_date"].item() == instant


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("02/10/2025", "ENTRY_DATE_INVALID"),
        ("45698", "ENTRY_DATE_INVALID"),
        ("2025-02-30", "ENTRY_DATE_INVALID"),
        ("2024-12-31", "ENTRY_DATE_OUT_OF_COVERAGE"),
        ("2028-01-01", "ENTRY_DATE_OUT_OF_COVERAGE"),
    ],
)
def test_dates_that_cannot_be_used_are_refused(given: str, reason: str) -> None:
    assert refusal(check(entry_date=[given])) == (0, "entry_date", reason, given)


def test_quantities_units_modes_and_charges() -> None:
    table = check(
        quantity=["5", None], unit=["KG", None], mode=["Vessel", "31"], freight=[3, None], insurance=["", "4"]
    )
    assert table.refused.height == 0
    assert table.lines["unit"].to_list() == ["kg", None]
    assert table.lines["mode"].to_list() == ["ocean", "land"]
    assert table.lines["insurance"].to_list() == [None, 4.0]
    reasons = check(quantity=["-1"], unit=["parsec"], mode=["bicycle"], freight=["x"]).refused["reason"]
    assert set(reasons) == {"QUANTITY_INVALID", "UNIT_UNKNOWN", "CLAIM_INVALID", "CHARGE_INVALID"}


@pytest.mark.parametrize("given", ["1.2", "-0.1", "25", "maybe", "150%"])
def test_shares_outside_their_range_are_refused(given: str) -> None:
    assert refusal(check(civil_aircraft_share=[given]))[1:3] == ("civil_aircraft_share", "CLAIM_INVALID")


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"usmca_share": [0.6], "fta_share": [0.5]}, "PREFERENCE_SHARES_EXCEED_ONE"),
        ({"steel_share": [0.6], "aluminum_share": [0.5]}, "CONTENT_SHARES_EXCEED_ONE"),
    ],
)
def test_shares_that_sum_to_more_than_one_are_refused(columns: dict[str, list[float]], reason: str) -> None:
    assert refusal(check(**columns))[2] == reason
    assert check(usmca_share=[0.1 + 0.2], fta_share=[0.7]).refused.height == 0  # one, in floating point


def test_claims_of_other_types() -> None:
    table = check(
        donation=["yes", ""],
        loading_date=["2025-01-31", None],
        model_year=["1999", None],
        chapter98=["9802.00.80", "x"],
    )
    assert table.refused.height == 0
    assert table.lines["donation"].to_list() == [True, None]
    assert table.lines["chapter98"].to_list() == ["98020080", "X"]
    assert refusal(check(donation=["perhaps"]))[2] == "CLAIM_INVALID"
    assert refusal(check(loading_date=["soon"]))[2] == "CLAIM_INVALID"


def test_the_callers_columns_come_back_untouched_and_in_order() -> None:
    frame = pl.DataFrame(
        {
            "zeta": [1, 2],
            "customs_value": [1, 2],
            "alpha": [[1], [2]],
            "hts": ["0101", "x"],
            "origin": ["CN", "CN"],
        }
    )
    table = check_table(frame, RULES)
    assert table.lines.columns == ["hts", "origin", "customs_value", "zeta", "alpha"]
    assert table.lines.select("zeta", "alpha").equals(frame.select("zeta", "alpha").head(1))


def test_a_column_that_is_almost_a_claim_is_remarked_on() -> None:
    table = check(usmca_shares=[0.5])
    assert table.notes.row(0)[:2] == (None, "COLUMN_UNREAD")
    assert "usmca_share" in table.notes["message"].item()


def test_tables_that_cannot_be_read_are_errors(tmp_path: Path) -> None:
    def reason(source: object) -> str:
        with pytest.raises(InputError) as caught:
            check_table(source, RULES)  # type: ignore[arg-type]
        return caught.value.reason

    frame = pl.DataFrame({"hts": ["0101"], "origin": ["CN"], "customs_value": [1]})
    assert reason(frame.drop("customs_value").with_columns(value=1)) == "COLUMN_MISSING"
    assert reason(frame.head(0)) == "TABLE_EMPTY"
    assert reason(frame.with_columns(customs_value=[[1]])) == "COLUMN_TYPE_MISMATCH"
    assert reason(tmp_path / "absent.csv") == "TABLE_UNREADABLE"
    assert reason(tmp_path / "lines.xlsx") == "TABLE_UNREADABLE"
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 not really")
    assert reason(tmp_path / "broken.parquet") == "TABLE_UNREADABLE"
    (tmp_path / "latin.csv").write_bytes(b"hts,origin,customs_value\n0101,CN,1,2,3\n")
    assert reason(tmp_path / "latin.csv") == "TABLE_UNREADABLE"
    (tmp_path / "empty.csv").write_bytes(b"")
    assert reason(tmp_path / "empty.csv") == "TABLE_UNREADABLE"


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


def test_text_runs_do_not_collide_in_the_digest() -> None:
    one = check(own=["ab", "c"]).digest
    two = check(own=["a", "bc"]).digest
    assert one != two


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
