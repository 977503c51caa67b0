"""A table of which every row is refused has a result of nothing, by every verb and response; its rows say why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client

TABLE = pl.DataFrame(
    {"hts": ["9503000073"], "origin": ["nowhere"], "customs_value": [1.0], "entry_date": ["2027-01-05"]}
)
SCENARIO, DAY = "rates-by-country", "2027-01-11"
RESPONSES: dict[str, dict[str, Any]] = {
    "none": {"response": "none"},
    "armington over time": {"response": "armington", "horizon": "path"},
    "armington": {"response": "armington", "horizon": "short"},
    "gsim": {"response": "gsim"},
    "exact hat": {"response": "exact_hat"},
}
VERBS: dict[str, Callable[..., Any]] = {
    "impact": lambda client, **given: client.impact(
        TABLE, ["base", SCENARIO], on=DAY, attribute=True, **given
    ),
    "sweep": lambda client, **given: client.sweep(
        TABLE, SCENARIO, vary={"cn": ["10%", "20%"]}, on=DAY, **given
    ),
    "seek": lambda client, **given: client.seek(
        TABLE, SCENARIO, vary=("start", "2027-01-10", "2027-01-11"), target=("duty", 5.0), on=DAY, **given
    ),
    "timeline": lambda client, **given: client.timeline(
        TABLE, ["base", SCENARIO], start="2027-01-01", end="2027-02-01", **given
    ),
}


@pytest.mark.parametrize("response", RESPONSES)
@pytest.mark.parametrize("verb", VERBS)
def test_nothing_is_a_result(client: Client, verb: str, response: str) -> None:
    found = VERBS[verb](client, baseline="2025-01-01", **RESPONSES[response])
    assert found.refused["reason"].to_list() == ["ORIGIN_UNKNOWN"]


def test_ranges_of_nothing_are_a_result(client: Client) -> None:
    found = client.impact(TABLE, ["base", SCENARIO], on=DAY, baseline="2025-01-01", draws=16)
    assert found.total["duty"].to_list() == [0.0, 0.0]
