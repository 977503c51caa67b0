"""The same question over gRPC, in-process and on the command line has the same answer to the bit."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from tariffs.client import Client, DeadlineExceeded, ImpactResult, TariffsError
from tariffs.client.cli.__main__ import run

POINTS = ("base", "ieepa-upheld-truce-lapsed")


def ask(client: Client) -> ImpactResult:
    return client.impact(scenarios=POINTS, on="2026-11-20", by=["origin"])


def test_an_impact_is_bit_equal_on_all_three_ways(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    with Client(server) as remote:
        there = ask(remote)
    here = ask(Client.local())
    assert there.groups.equals(here.groups)
    assert there.total.equals(here.total)
    assert there.provenance == here.provenance
    arguments = [word for name in POINTS for word in ("-s", name)]
    assert run(["impact", *arguments, "--on", "2026-11-20", "--json", "--target", server]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "schema": "tariffs.impact/v1",
        **json.loads(json.dumps(here.to_json_dict())),
    }


@pytest.mark.slow
def test_groups_sum_to_totals() -> None:
    result = ask(Client.local())
    for name in (
        "customs_value",
        "duty",
        "duty_owed",
        "landed",
        "value_after",
        "duty_after",
        "landed_change",
    ):
        for total in result.total.to_dicts():
            groups = result.scenario(total["scenario"])[name].sum()
            assert groups == pytest.approx(total[name], rel=1e-9), name


def test_a_duty_is_the_same_everywhere(server: str) -> None:
    with Client(server) as remote:
        there = remote.duty("9503.00.0073", "CN", "2025-05-14", 10000)
    here = Client.local().duty("9503.00.0073", "CN", "2025-05-14", 10000)
    assert there == here
    assert (str(here.assessed), str(here.owed)) == ("3000.00", "0.00")


@pytest.mark.slow
def test_a_frame_a_lazy_frame_and_a_file_are_one_table(tmp_path: Path, server: str) -> None:
    frame = pl.DataFrame(
        {
            "hts": ["9503000073", "8471300100"],
            "origin": ["CN", "VN"],
            "customs_value": ["100", "200"],
            "mine": ["a", None],
        }
    )
    frame.write_parquet(tmp_path / "t.parquet")
    results = []
    with Client(server) as remote:
        for client in (Client.local(), remote):
            for table in (frame, frame.lazy(), tmp_path / "t.parquet", str(tmp_path / "t.parquet")):
                results.append(client.impact(table, on="2025-05-20", response="none", include_lines=True))
    first = results[0]
    assert first.lines is not None
    assert first.lines["mine"].to_list() == ["a", None]
    for other in results[1:]:
        assert other.total.equals(first.total)
        assert other.lines is not None
        assert other.lines.equals(first.lines)


@pytest.mark.parametrize("way", ["local", "remote"])
def test_a_run_that_takes_too_long_ends_at_its_deadline(server: str, way: str) -> None:
    with Client.local() if way == "local" else Client(server) as client, pytest.raises(DeadlineExceeded):
        client.impact(scenarios=["base"] * 8, on="2026-11-20", timeout=0.05)


@pytest.mark.parametrize("way", ["local", "remote"])
def test_errors_are_the_same_everywhere(server: str, way: str) -> None:
    with (
        Client.local() if way == "local" else Client(server) as client,
        pytest.raises(TariffsError) as caught,
    ):
        client.impact(pl.DataFrame({"hts": ["9503000073"], "origin": ["CN"]}), baseline="2025-01-01")
    assert (caught.value.reason, caught.value.exit_code) == ("COLUMN_MISSING", 2)
    assert caught.value.fix
