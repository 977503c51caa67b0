"""The horizon that a run has where none is named, on every way in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client
from tariffs.client.cli.__main__ import run
from tariffs.engine.response import parameters_for
from tariffs.engine.runs.impact import Options
from tariffs.service.rpc.simulation import options_of
from tariffs.v1 import simulation_service_pb2 as pb

BASELINE, DAY = "2025-01-01", "2025-05-20"
FREE, DUTIABLE = "DE", "CN"
TOYS = pl.DataFrame({"hts": ["9503000073"] * 2, "origin": [FREE, DUTIABLE], "customs_value": [40.0, 60.0]})
# docs/models/parameters.md: section XX at `short` has sigma 2.53 sqrt(4.58 / 5.5), eta 1.5 and supply 36.
SIGMA, ETA, SUPPLY = 2.31, 1.5, 36.0


def horizon_of(provenance: Any) -> str:
    return str(provenance["details"]["horizon"])


def plain_quantities(rates: list[float], values: list[float]) -> list[float]:
    """Quantity hats of one product: two-tier CES, duties from zero, the exporters' prices by fixed-point steps."""
    weights = [value / sum(values) for value in values]
    quantities = [1.0 for _ in rates]
    for _ in range(200):
        prices = [(1 + t) * q ** (1 / SUPPLY) for t, q in zip(rates, quantities, strict=True)]
        index = sum(w * p ** (1 - SIGMA) for w, p in zip(weights, prices, strict=True)) ** (1 / (1 - SIGMA))
        quantities = [p**-SIGMA * index ** (SIGMA - ETA) for p in prices]
    return quantities


def test_the_engine_and_the_parameters_are_short_unless_told() -> None:
    assert Options().horizon == "short"
    assert parameters_for(["9503000073"]).digest == parameters_for(["9503000073"], horizon="short").digest


def test_an_unspecified_horizon_on_the_wire_is_short() -> None:
    assert options_of(pb.SimulateRequest(), "").horizon == "short"
    assert options_of(pb.TimelineRequest(), "").horizon == "short"
    assert options_of(pb.SimulateRequest(horizon=pb.HORIZON_LONG), "").horizon == "long"


def test_a_default_run_responds_as_the_short_formula_says() -> None:
    with Client.local() as client:
        found = client.impact(TOYS, on=DAY, baseline=BASELINE, include_lines=True)
    assert found.lines is not None
    rates = (found.lines["duty"] / found.lines["customs_value"]).to_list()
    assert rates[0] != rates[1]
    expected = plain_quantities(rates, [40.0, 60.0])
    assert found.lines["quantity_hat"].to_list() == pytest.approx(expected, rel=1e-12)


def test_every_verb_of_the_client_names_short_and_takes_long_by_name(server: str) -> None:
    with Client(server) as client:
        plain = client.impact(TOYS, on=DAY, baseline=BASELINE)
        series = client.timeline(TOYS, start=DAY, end=DAY, baseline=BASELINE)
        started = client.start(TOYS, on=DAY, baseline=BASELINE).result()
        named = client.impact(TOYS, on=DAY, baseline=BASELINE, horizon="long")
    for found in (plain, series, started):
        assert horizon_of(found.provenance) == "short"
    assert horizon_of(named.provenance) == "long"


@pytest.mark.parametrize("words", [("impact", "--on", DAY), ("timeline", "--start", DAY, "--end", DAY)])
def test_the_command_line_is_short_unless_told(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "toys.csv"
    TOYS.write_csv(path)
    arguments = [words[0], str(path), *words[1:], "--baseline", BASELINE, "--local", "--json"]
    assert run(arguments) == 0
    assert horizon_of(json.loads(capsys.readouterr().out)["provenance"]) == "short"
    assert run([*arguments, "--horizon", "long"]) == 0
    assert horizon_of(json.loads(capsys.readouterr().out)["provenance"]) == "long"
