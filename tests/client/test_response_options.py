"""Options of the response on every way in: wire, command line, both sides; what is recorded of them, and refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client
from tariffs.client._wire.run_options import recorded_options
from tariffs.client.cli.__main__ import run
from tariffs.client.errors import InvalidRequest
from tariffs.run_spec.spec import RunSpec

OPTIONS: dict[str, Any] = {"on": "2025-12-01", "baseline": "2025-01-01"}
SHIRTS = pl.DataFrame(
    {"hts": ["6109100012", "6109100012"], "origin": ["CN", "VN"], "customs_value": [4e8, 6e8]}
)
DOMESTIC = {"domestic_shipments", "domestic_price_hat", "domestic_quantity_hat", "producer_surplus"}
LATER, HIGHER = {"on": "2027-02-01", "horizon": "short"}, "forced-labor-20-on-china"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("fx_offset", 0.174, "fx offset 0.174"), ("market", "sector", "Domestic goods that compete")],
)
def test_the_wire_and_the_command_line_take_it(
    name: str,
    value: Any,
    said: str,
    there: Client,
    here: Client,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    chosen: dict[str, Any] = {**OPTIONS, name: value}
    found, plain = there.impact(SHIRTS, **chosen), here.impact(SHIRTS, **OPTIONS)
    series = there.timeline(
        SHIRTS, start=OPTIONS["on"], end=OPTIONS["on"], baseline=OPTIONS["baseline"], **{name: value}
    )
    swept = here.sweep(SHIRTS, "base", vary={"elasticity.eta": ["x1"]}, **chosen)
    after = found.total["value_after"].item()
    assert after != plain.total["value_after"].item()
    assert swept.totals["value_after"].item() == pytest.approx(after, rel=1e-12)
    assert series.totals["value_after"].item() == pytest.approx(after, rel=1e-12)
    path = tmp_path / "shirts.csv"
    SHIRTS.write_csv(path)
    words = ["impact", str(path), "--on", OPTIONS["on"], "--baseline", OPTIONS["baseline"], "--local"]
    words += [f"--{name.replace('_', '-')}", str(value)]
    assert run(words) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert said in printed
    assert f"{name.replace('_', ' ')} {value}" in printed
    assert run([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["scenarios"][0]["total"]["value_after"] == after


def test_a_market_of_sectors_has_domestic_goods(there: Client) -> None:
    found = there.impact(SHIRTS, **OPTIONS, market="sector", by=["hts2"])
    plain = there.impact(SHIRTS, **OPTIONS, by=["hts2"])
    assert set(found.groups.columns) - set(plain.groups.columns) == DOMESTIC
    assert found.total["domestic_price_hat"].item() > 1.0
    assert found.total["domestic_shipments"].item() > 0.0
    details: Any = found.provenance["details"]
    assert details["model"]["market"] == "sector"


def test_partners_answer_on_both_sides(
    there: Client, here: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    options: dict[str, Any] = {"scenarios": ["base", HIGHER], **LATER}
    found = there.impact(None, direction="export", by=["destination"], reaction=1.0, **options)
    both, plain = here.impact_both(None, reaction=1.0, **options), here.impact_both(None, **options)
    assert both.exports.groups.equals(found.groups)
    assert both.imports.groups.equals(here.impact(None, **options).groups)
    after = [each.exports.total["value_after"].to_list() for each in (plain, both)]
    assert after[0][0] == after[1][0]
    assert after[1][1] < after[0][1] - 1e9
    details: Any = found.provenance["details"]
    assert details["reaction"]["slope"] == 1.0
    words = [
        "impact",
        "--both",
        "-s",
        "base",
        "-s",
        HIGHER,
        "--on",
        LATER["on"],
        "--horizon",
        "short",
        "--local",
    ]
    words += ["--reaction", "1"]
    assert run(words) == 0
    assert "partners answer duties at a slope of 1" in " ".join(capsys.readouterr().out.split())
    assert run([*words, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["exports"]["scenarios"][1]["total"]["value_after"] == after[1][1]


@pytest.mark.parametrize(("name", "value"), [("fx_offset", 0.174), ("market", "sector"), ("reaction", 0.5)])
def test_an_option_as_by_default_is_not_recorded(name: str, value: Any) -> None:
    assert name not in recorded_options("impact", RunSpec())
    assert recorded_options("impact", RunSpec(**{name: value}))[name] == value


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (OPTIONS | {"fx_offset": 17.4}, "exchange rate is 17.4"),
        (OPTIONS | {"market": "sector", "response": "smart"}, "market"),
        (OPTIONS | {"market": "world"}, "market"),
        (LATER | {"direction": "export", "reaction": -1}, "reaction"),
        (LATER | {"direction": "export", "reaction": "1"}, "reaction"),
        (LATER | {"direction": "export", "reaction": float("nan")}, "reaction"),
        (LATER | {"reaction": 1.0}, "exports of the United States"),
    ],
)
def test_what_has_no_place_is_refused(options: dict[str, Any], said: str, here: Client) -> None:
    with pytest.raises(InvalidRequest, match=said):
        here.impact(**options)


def test_a_period_takes_no_reaction(there: Client) -> None:
    day = LATER["on"]
    with pytest.raises(InvalidRequest, match="takes no reaction"):
        there.start(period=(day, day), direction="export", reaction=1.0, horizon="short")
