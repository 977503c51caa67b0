"""Collections over gRPC, in-process and on the command line: one answer, whose steps add up to the cent."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client, InvalidRequest
from tariffs.client.cli.__main__ import run
from tariffs.client.results.collections import STEPS, Collections

MONTHS = ("2025-01", "2025-02")
AMOUNTS = ("assessed", *STEPS, "collected", "refunds")


@pytest.fixture(scope="module")
def found() -> Collections:
    return Client.local().collections(*MONTHS)


def test_steps_add_up_to_the_cent_in_every_row_and_group(found: Collections) -> None:
    cents = [(pl.col(name) * 100).round().cast(pl.Int64).alias(name) for name in AMOUNTS]
    for keys in (["month", "authority", "origin"], ["origin"], []):
        grouped = found if len(keys) == 3 else Client.local().collections(*MONTHS, by=keys)
        whole = pl.sum_horizontal("assessed", *STEPS) - pl.col("collected")
        assert grouped.rows.select(cents).select(whole.abs().max()).item() == 0
        for name in AMOUNTS:
            assert grouped.rows[name].sum() == pytest.approx(found.total[name].item(), abs=0.005)
    # Relief of goods of China that were at sea on 4 February.
    row = found.rows.filter(month="2025-02", authority="ieepa.fentanyl", origin="CN")
    assert row["afloat"].item() < -1e9
    assert row["collected_rate"].item() == pytest.approx(row["collected"].item() / row["imports"].item())
    assert found.frozen["last_month"] == "2026-02"


def test_a_server_and_the_command_line_give_the_same(
    server: str, found: Collections, capsys: pytest.CaptureFixture[str]
) -> None:
    with Client(server) as remote:
        there = remote.collections(*MONTHS)
    assert there.rows.equals(found.rows)
    assert there.provenance == found.provenance
    arguments = ["collections", "--from", MONTHS[0], "--to", MONTHS[1], "--by", "month,authority,origin"]
    assert run([*arguments, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document == {"schema": "tariffs.collections/v1", **json.loads(json.dumps(found.to_json_dict()))}
    assert run(arguments) == 0
    assert "collected" in capsys.readouterr().out


def test_what_cannot_be_answered_is_refused() -> None:
    client = Client.local()
    asked: tuple[tuple[tuple[str, str], dict[str, Any], str], ...] = (
        (("2024-12", "2025-01"), {}, "ENTRY_DATE_INVALID"),
        (MONTHS, {"by": ["hts2"]}, "GROUP_UNKNOWN"),
        (MONTHS, {"without": ["collected"]}, "PARAMETER_INVALID"),
    )
    for months, more, reason in asked:
        with pytest.raises(InvalidRequest) as refused:
            client.collections(*months, **more)
        assert refused.value.reason == reason
