"""The horizon that a run has where none is named, on every way in."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client
from tariffs.client.cli.__main__ import run
from tariffs.engine.response import parameters_for
from tariffs.engine.runs.impact import Options
from tariffs.service.rpc.run_options import options_of
from tariffs.v1 import simulation_service_pb2 as pb
from tariffs.v1.sweep_service_pb2 import SeekRequest
from tests.economics.independent import adjustment as slow

BASELINE, DAY = "2025-01-01", "2025-05-20"
FREE, DUTIABLE = "DE", "CN"
TOYS = pl.DataFrame({"hts": ["9503000073"] * 2, "origin": [FREE, DUTIABLE], "customs_value": [40.0, 60.0]})


def horizon_of(provenance: Any) -> str:
    return str(provenance["details"]["horizon"])


def elasticities(horizon: str) -> slow.Elasticities:
    p = parameters_for(["9503000073"], horizon=horizon)
    return slow.Elasticities(float(p.sigma[0]), float(p.eta[0]), float(p.supply[0]))


def test_the_engine_takes_the_path_unless_told() -> None:
    assert Options().horizon == "path"
    assert parameters_for(["9503000073"]).digest == parameters_for(["9503000073"], horizon="short").digest


def test_an_unspecified_horizon_on_the_wire_is_that_of_the_verb() -> None:
    assert options_of(pb.SimulateRequest(), "").horizon == "path"
    assert options_of(pb.TimelineRequest(), "").horizon == "path"
    assert options_of(pb.SweepRequest(), "").horizon == "path"
    assert options_of(SeekRequest(), "").horizon == "path"
    assert options_of(pb.SimulateRequest(horizon=pb.HORIZON_LONG), "").horizon == "long"


def test_a_default_run_responds_to_each_change_of_duty_at_its_age() -> None:
    goods, values = TOYS, TOYS["customs_value"].to_list()[::-1]
    with Client.local() as client:
        found = client.impact(goods, on=DAY, baseline=BASELINE, include_lines=True)
        static = client.timeline(goods, start=BASELINE, end=DAY, baseline=BASELINE, response="none")
    rates: dict[str, list[float]] = {}
    for start, rate in static.segments.sort("start", "origin").select("start", "effective_rate").iter_rows():
        rates.setdefault(str(start), []).append(rate)
    (_, before), *steps = rates.items()
    stages = [elasticities(horizon) for horizon in ("impact", "short", "long")]
    market = slow.composed(
        values, before,
        [
            (slow.elasticities_at((date.fromisoformat(DAY) - date.fromisoformat(day)).days / 365, *stages), after)
            for day, after in steps
        ],
    )  # fmt: skip
    assert found.lines is not None
    assert len(steps) >= 4
    assert found.lines["quantity_hat"].to_list() == pytest.approx(market.quantity[::-1], rel=1e-9)


def test_every_verb_of_the_client_names_its_horizon_and_takes_long_by_name(server: str) -> None:
    with Client(server) as client:
        plain = client.impact(TOYS, on=DAY, baseline=BASELINE)
        series = client.timeline(TOYS, start=DAY, end=DAY, baseline=BASELINE)
        started = client.start(TOYS, on=DAY, baseline=BASELINE).result()
        named = client.impact(TOYS, on=DAY, baseline=BASELINE, horizon="long")
    for found in (plain, series, started):
        assert horizon_of(found.provenance) == "path"
    assert horizon_of(named.provenance) == "long"


@pytest.mark.parametrize("words", [("impact", "--on", DAY), ("timeline", "--start", DAY, "--end", DAY)])
def test_the_command_line_takes_the_path_unless_told(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "toys.csv"
    TOYS.write_csv(path)
    arguments = [words[0], str(path), *words[1:], "--baseline", BASELINE, "--local", "--json"]
    assert run(arguments) == 0
    assert horizon_of(json.loads(capsys.readouterr().out)["provenance"]) == "path"
    assert run([*arguments, "--horizon", "long"]) == 0
    assert horizon_of(json.loads(capsys.readouterr().out)["provenance"]) == "long"
