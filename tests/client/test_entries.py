"""Entry files through client and command line: a row out for a row in, and the fees of an entry once."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client, EntriesResult, InvalidRequest, NotFound
from tariffs.client._wire.entry_table import BATCH_LIMIT, ENTRY_LIMIT
from tariffs.client.cli.__main__ import run
from tariffs.client.results.entries import LINE_SCHEMA
from tests.client.conftest import Cli, refuses

BAG = {"hts": "4202.92.3120", "origin": "CN"}


def table(*rows: dict[str, Any]) -> pl.DataFrame:
    """A table of text, as a CSV file is read."""
    given = [{"customs_value": "1000", "entry_date": "2026-11-24", **BAG, **row} for row in rows]
    names = list(dict.fromkeys(name for row in given for name in row))
    return pl.DataFrame(
        [{name: row.get(name) for name in names} for row in given], dict.fromkeys(names, pl.String)
    )


def rate(frame: pl.DataFrame, **options: Any) -> EntriesResult:
    with Client.local() as client:
        return client.duties(frame, **options)


MIXED = table(
    {"line_id": "1", "entry_id": "A", "customs_value": "1,000.40", "mode": "ocean", "mine": "x"},
    {"line_id": "2", "entry_id": "B", "origin": "XX", "mine": "y"},
    {
        "line_id": "3",
        "entry_id": "A",
        "customs_value": "$2000",
        "adcvd": "216.37%",
        "other_charges": "12.345",
    },
    {"line_id": "4", "entry_id": "A", "mode": "bicycle", "assessed": "mine"},
    {"line_id": "5", "usmca_share": "some"},
    {"line_id": "6", "hts": "2204.21.5040", "origin": "FR"},
    {"line_id": "7", "hts": None},
)


def test_each_row_given_is_a_row_with_its_own_columns_and_entries_are_their_sums_to_the_cent() -> None:
    result = rate(MIXED)
    assert result.lines["row"].to_list() == list(range(MIXED.height))
    for name in MIXED.columns:
        kept = f"{name}_given" if name in LINE_SCHEMA else name
        assert result.lines[kept].equals(MIXED[name]), name
    assert result.lines.columns[-len(LINE_SCHEMA) :] == list(LINE_SCHEMA)
    assert result.refused.select("row", "line_id", "column", "reason", "found").rows() == [
        (1, "2", "origin", "ORIGIN_UNKNOWN", "XX"),
        (3, "4", "mode", "REQUEST_INVALID", "bicycle"),
        (4, "5", "usmca_share", "CLAIM_INVALID", "some"),
        (5, "6", "quantity", "QUANTITY_REQUIRED", ""),
        (6, "7", "hts", "HTS_CODE_MALFORMED", ""),
    ]
    rated = result.lines.filter(pl.col("reason").is_null())
    assert rated["row"].to_list() == list(result.quotes) == [0, 2]
    assert result.lines["assessed"].null_count() == 5
    assert rated["landed"][0] == Decimal("1563.78")  # 1,000 and 551.00 of duty, 11.53 and 1.25 of fees
    sums = result.layers.group_by("row", maintain_order=True).agg(pl.col("amount").sum())
    assert sums.rows() == rated.select("row", "assessed").rows()
    entry = result.entries.row(0, named=True)
    lines = result.lines.filter(entry_id="A")
    assert (entry["entry_id"], entry["day"], entry["lines"], entry["refused"]) == ("A", "2026-11-24", 3, 1)
    assert entry["notes"][0].startswith("ENTRY_INCOMPLETE")
    for name in ("entered_value", "assessed", "owed", "mpf", "hmf", "adcvd_amount", "other_amount", "landed"):
        assert lines[name].sum() == entry[name], name
    fees = [str(entry[name]) for name in ("mpf", "adcvd_amount", "other_amount")]
    assert fees == ["34.58", "4327.40", "12.35"]
    assert result.entries["entry_id"].to_list() == ["A", "B", None, None, None]


def test_a_claim_of_the_law_without_a_field_of_its_own_is_declared_too(there: Client) -> None:
    frame = table({"hts": "2804.61.0000", "origin": "JP", "partner_list_share": "1"})
    found = there.duties(frame)
    assert found.lines["reason"].to_list() == rate(frame).lines["reason"].to_list()
    assert not any("partner_list_share" in told for told in found.lines["assumptions"][0])


def test_a_server_and_this_process_answer_alike(there: Client) -> None:
    MIXED.write_csv("entries.csv")
    MIXED.write_parquet("entries.parquet")
    here = rate(MIXED)
    for source in (MIXED, MIXED.lazy(), Path("entries.csv"), "entries.parquet"):
        found = there.duties(source)
        for view in ("line", "entry", "layer"):
            assert found.view(view).equals(here.view(view))
        assert found.refused.equals(here.refused)
        assert found.provenance == here.provenance


def test_batches_keep_entries_whole_and_rows_in_order() -> None:
    # The entry's lines stand far apart: at the head, and past the first thousand.
    ids = ["far", *[None] * (BATCH_LIMIT - 1), "far", "far"]
    frame = table(*({"entry_id": one, "line_id": str(row)} for row, one in enumerate(ids)))
    told: list[float] = []
    result = rate(frame, progress=lambda _, fraction: told.append(fraction))
    assert result.lines["line_id"].to_list() == frame["line_id"].to_list()
    far = result.entries.filter(entry_id="far").row(0, named=True)
    assert (far["row"], far["lines"], far["mpf"]) == (0, 3, Decimal("34.58"))
    assert result.entries.height == BATCH_LIMIT
    fees = result.lines.filter(entry_id="far")["mpf"].to_list()
    assert [str(fee) for fee in fees] == ["11.53", "11.53", "11.52"]
    assert (told[0], told[-1], len(told)) == (0, 1, 3)
    assert sorted(told) == told


def test_an_entry_is_computed_whole_and_one_too_large_costs_the_file_only_its_rows(client: Client) -> None:
    # 1,500 lines of 1,000 dollars: the processing fee of the entry is at its maximum, 670.86, once.
    ids = ["small", *["large"] * 1500, *["lost"] * (ENTRY_LIMIT + 1)]
    frame = table(*({"entry_id": one} for one in ids))
    result = rate(frame)
    assert result.entries.select("entry_id", "lines").rows() == [("small", 1), ("large", 1500)]
    assert result.entries["mpf"][1] == Decimal("670.86") == result.lines.filter(entry_id="large")["mpf"].sum()
    refund = client.refund(frame.tail(ENTRY_LIMIT + 1).vstack(frame.head(1)))
    assert refund.entries["entry_id"].to_list() == ["small"]
    for refused in (result.refused, refund.refused):
        assert refused.select("reason", "column").unique().rows() == [("BATCH_TOO_LARGE", "entry_id")]
        assert refused.height == ENTRY_LIMIT + 1


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (MIXED.drop("origin"), "COLUMN_MISSING"),
        (MIXED.head(0), "TABLE_EMPTY"),
        (pl.concat([table({"entry_id": "A"})] * (ENTRY_LIMIT + 1)), "BATCH_TOO_LARGE"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_whole(frame: pl.DataFrame, reason: str) -> None:
    with refuses(reason):
        rate(frame)


@pytest.mark.parametrize(
    ("renamed", "missing", "told"),
    [
        ({"customs_value": "custom_value"}, "customs_value", "'custom_value' may be customs_value"),
        ({"hts": "hts8", "origin": "orign"}, "hts", "'hts8' may be hts; 'orign' may be origin"),
    ],
)
def test_a_column_under_another_name_is_told(
    client: Client, renamed: dict[str, str], missing: str, told: str
) -> None:
    frame = table({}).rename(renamed)
    for verb in (client.duties, client.refund, client.impact, client.check_table):
        with pytest.raises(InvalidRequest) as caught:
            verb(frame)
        assert (caught.value.reason, caught.value.field) == ("COLUMN_MISSING", missing)
        assert told in caught.value.fix
        assert ", ".join(frame.columns) in str(caught.value)


def test_an_empty_cell_has_the_reason_that_it_has_in_a_table_of_trade(client: Client) -> None:
    frame = table({"hts": None}, {"origin": None}, {"hts": " "}, {})
    for found in (client.duties(frame), client.refund(frame), client.impact(frame, response="none")):
        assert found.refused.select("row", "column", "reason").rows() == [
            (0, "hts", "HTS_CODE_MALFORMED"),
            (1, "origin", "ORIGIN_UNKNOWN"),
            (2, "hts", "HTS_CODE_MALFORMED"),
        ]


def test_options_hold_for_every_line() -> None:
    frame = table({"entry_date": None}, {"entry_date": "2025-05-20"})
    on = rate(frame, on="2025-04-20")
    assert on.entries["day"].to_list() == ["2025-04-20", "2025-05-20"]
    assert rate(frame).entries["day"].to_list() == ["2026-11-24", "2025-05-20"]
    for undated in (frame, frame.drop("entry_date"), pl.concat([frame] * 600)):
        (note,) = (one for one in rate(undated).notes if one.reason == "ENTRY_DATE_ASSUMED")
        assert "rated on 2026-11-24, the as-of day of the law" in note.message
    for dated in (on, rate(frame.tail(1))):
        assert all(note.reason != "ENTRY_DATE_ASSUMED" for note in dated.notes)
    upheld = rate(frame, scenario="ieepa-upheld-truce-lapsed", on="2026-11-20")
    assert upheld.lines["assessed"][0] > rate(frame, on="2026-11-20").lines["assessed"][0]
    assert rate(frame, known_on="entry").quotes[1].provenance["known_on"] == "2025-05-20"
    with pytest.raises(NotFound):
        rate(frame, scenario="none-such")


@pytest.fixture
def files() -> None:
    MIXED.write_csv("entries.csv")
    MIXED.head(1).write_csv("good.csv")


@pytest.mark.usefixtures("files")
def test_the_command_line_writes_views(cli: Cli, capsys: pytest.CaptureFixture[str], server: str) -> None:
    for view, rows in (("line", 7), ("entry", 5), ("layer", 6)):
        chosen = ["--view", view, "-o", f"{view}.csv", "--target", server]
        assert run(["duty", "--entries", "entries.csv", *chosen]) == 1
        said = capsys.readouterr()
        assert "5 rows were refused" in said.out
        assert "entries-refused.csv" in said.err
        assert pl.read_csv(f"{view}.csv", infer_schema=False).height == rows
    assert pl.read_csv("entries-refused.csv")["reason"].len() == 5
    assert run(["duty", "--entries", "good.csv", "-o", "lines.parquet"]) == 0
    assert pl.read_parquet("lines.parquet")["landed"].dtype == pl.Decimal(20, 2)

    document = cli.json(["duty", "--entries", "entries.csv", "--json"], 1)
    assert set(document) == {"schema", "lines", "entries", "refused", "notes", "provenance"}
    assert [(line["row"], line["line_id"]) for line in document["lines"]] == [(0, "1"), (2, "3")]
    assert document["lines"][0]["layers"][-1]["amount"] == "176.00"
    assert document["entries"][0]["mpf"] == "34.58"
    assert (document["refused"]["count"], document["refused"]["path"]) == (5, "entries-refused.csv")


def test_charges_in_python_and_on_the_command_line(client: Client, cli: Cli) -> None:
    toy = ["duty", "9503.00.0073", "--origin", "CN", "--value", "10000", "--quantity", "30", "--unit", "no"]
    charges = ["--charge", "adcvd=216.37%", "--charge", "excise=0.335 USD/doz", "--charge", "other=250"]
    answer = cli.json([*toy, *charges, "--json"])
    amounts = {one["kind"]: one["amount"] for one in answer["charges"]}
    assert amounts == {"adcvd": "21637.00", "excise": "0.84", "other": "250.00"}
    quote = client.duty("9503.00.0073", "CN", value=100, charges={"adcvd": ["100%", "7.5%"], "other": 3})
    assert (quote.landed["adcvd"], quote.landed["other"]) == (Decimal("107.50"), Decimal("3.00"))
    assert cli.json([*toy, "--charge", "bribe=10", "--json"], 1)["error"]["reason"] == "CHARGE_INVALID"
