"""Runs and their options on every way in: bit-equal answers, what is recorded, printed and refused of an option."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client, DeadlineExceeded, InvalidRequest, Scenario
from tariffs.client._wire.run_options import recorded_options
from tariffs.client.cli.__main__ import run
from tariffs.engine.response import parameters_for
from tariffs.engine.runs.impact import Options
from tariffs.run_spec.spec import RunSpec
from tariffs.service.rpc.run_options import options_of
from tariffs.v1 import simulation_service_pb2 as pb
from tariffs.v1.sweep_service_pb2 import SeekRequest
from tests.client.conftest import Cli

BASELINE, DAY = "2025-01-01", "2025-05-20"
SHIRTS = pl.DataFrame(
    {"hts": ["6109100012"] * 2, "origin": ["CN", "VN"], "customs_value": [4e8, 6e8]},
)
OPTIONS: dict[str, Any] = {"on": DAY, "baseline": BASELINE}
EXPORTS = {"on": "2027-02-01", "horizon": "short", "direction": "export"}
HALF = (
    "schema: tariffs.scenario/v1\nid: half\ntitle: Half of China's shirts\nbasis: hypothesis\nchanges:\n"
    "  - {op: shock_quantity, origins: [CN], products: ['6109'], from: 2025-02-01, share: 50%}\n"
)
OF_LIMITS = {"quota_premium", "rent_importer", "rent_exporter", "rent_government"}
OF_SECTORS = {"domestic_shipments", "domestic_price_hat", "domestic_quantity_hat", "producer_surplus"}
NOWHERE = pl.DataFrame(
    {"hts": ["9503000073"], "origin": ["nowhere"], "customs_value": [1.0], "entry_date": ["2027-01-05"]}
)
RATES, AHEAD = "rates-by-country", "2027-01-11"
RESPONSES: dict[str, dict[str, Any]] = {
    "none": {"response": "none"},
    "armington over time": {"response": "armington", "horizon": "path"},
    "armington": {"response": "armington", "horizon": "short"},
    "gsim": {"response": "gsim"},
    "exact hat": {"response": "exact_hat"},
}
VERBS: dict[str, Callable[..., Any]] = {
    "impact": lambda client, **given: client.impact(
        NOWHERE, ["base", RATES], on=AHEAD, attribute=True, **given
    ),
    "sweep": lambda client, **given: client.sweep(
        NOWHERE, RATES, vary={"cn": ["10%", "20%"]}, on=AHEAD, **given
    ),
    "seek": lambda client, **given: client.seek(
        NOWHERE, RATES, vary=("start", "2027-01-10", "2027-01-11"), target=("duty", 5.0), on=AHEAD, **given
    ),
    "timeline": lambda client, **given: client.timeline(
        NOWHERE, ["base", RATES], start="2027-01-01", end="2027-02-01", **given
    ),
}


@pytest.fixture
def shirts(tmp_path: Path) -> list[str]:
    """Words of the command line that ask for an impact of shirts."""
    SHIRTS.write_csv(tmp_path / "shirts.csv")
    return ["impact", str(tmp_path / "shirts.csv"), "--on", DAY, "--baseline", BASELINE]


def printed(cli: Cli, words: Sequence[str]) -> str:
    return " ".join(cli.out(words).split())


def test_an_impact_is_bit_equal_on_all_three_ways(here: Client, there: Client, server: str, cli: Cli) -> None:
    names = ("base", "ieepa-upheld-truce-lapsed")
    found, other = (client.impact(None, names, on="2026-11-20", by=["origin"]) for client in (here, there))
    assert other.groups.equals(found.groups)
    assert other.total.equals(found.total)
    assert other.provenance == found.provenance
    words = ["impact", "-s", names[0], "-s", names[1], "--on", "2026-11-20", "--target", server]
    wanted = json.loads(json.dumps(found.to_json_dict()))
    assert cli.json(words) == {"schema": "tariffs.impact/v1", **wanted}


def test_a_run_that_takes_too_long_ends_at_its_deadline(here: Client, there: Client) -> None:
    for client in (here, there):
        with pytest.raises(DeadlineExceeded):
            client.impact(scenarios=["base"] * 8, on="2026-11-20", timeout=0.05)


@pytest.mark.parametrize("response", RESPONSES)
@pytest.mark.parametrize("verb", VERBS)
def test_a_table_of_which_every_row_is_refused_has_a_result(client: Client, verb: str, response: str) -> None:
    found = VERBS[verb](client, baseline="2026-09-01", **RESPONSES[response])
    assert found.refused["reason"].to_list() == ["ORIGIN_UNKNOWN"]
    if (verb, response) == ("impact", "armington"):
        drawn = VERBS[verb](client, baseline="2026-09-01", draws=16)
        assert drawn.total["duty"].to_list() == [0.0, 0.0]


def test_the_horizon_is_the_path_unless_told() -> None:
    assert Options().horizon == "path"
    for request in (pb.SimulateRequest(), pb.TimelineRequest(), pb.SweepRequest(), SeekRequest()):
        assert options_of(request, "").horizon == "path"
    assert options_of(pb.SimulateRequest(horizon=pb.HORIZON_LONG), "").horizon == "long"
    assert parameters_for(["9503000073"]).digest == parameters_for(["9503000073"], horizon="short").digest


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("fx_offset", 0.174, "fx offset 0.174"), ("market", "sector", "Domestic goods that compete")],
)
def test_the_command_line_takes_and_prints_an_option_of_the_response(
    name: str, value: Any, said: str, there: Client, shirts: list[str], cli: Cli
) -> None:
    found, plain = there.impact(SHIRTS, **OPTIONS, **{name: value}), there.impact(SHIRTS, **OPTIONS)
    after = found.total["value_after"].item()
    assert after != plain.total["value_after"].item()
    assert set(found.groups.columns) - set(plain.groups.columns) == (
        OF_SECTORS if name == "market" else set()
    )
    words = [*shirts, "--local", f"--{name.replace('_', '-')}", str(value)]
    text = printed(cli, words)
    assert said in text
    assert f"{name.replace('_', ' ')} {value}" in text
    assert cli.json(words)["scenarios"][0]["total"]["value_after"] == after


def test_limits_on_quantities_have_premium_and_rents(
    there: Client, shirts: list[str], tmp_path: Path, cli: Cli
) -> None:
    scenarios: list[Any] = ["base", Scenario.from_text(HALF)]
    found = there.impact(SHIRTS, scenarios, **OPTIONS, horizon="long")
    plain = there.impact(SHIRTS, **OPTIONS, horizon="long")
    assert set(found.total.columns) - set(plain.total.columns) == OF_LIMITS
    free, held = (found.total.row(place, named=True) for place in (0, 1))
    assert (free["rent_importer"], free["quota_premium"]) == (0.0, None)
    (tmp_path / "half.yaml").write_text(HALF)
    words = [*shirts, "-s", str(tmp_path / "half.yaml"), "--local", "--horizon", "long"]
    assert f"Limits on quantities: premium +{100 * held['quota_premium']:.0f}" in printed(cli, words)
    assert cli.json(words)["scenarios"][0]["total"]["rent_importer"] == held["rent_importer"] > 0


def test_the_effect_on_consumer_prices_of_november_2025_is_the_published_one(there: Client) -> None:
    def whole(margins: str) -> float:
        found = there.impact(None, response="none", on="2025-11-17", consumer_prices=margins).consumer_prices
        assert found is not None
        return float(found.filter(pl.col("line").is_null())["change"].item())

    # Budget Lab at Yale, State of tariffs, 2025-11-17: 1.23 percent before substitution.
    yale, dollar = whole("yale"), whole("dollar")
    assert 100.0 * yale == pytest.approx(1.23, abs=0.1)
    assert yale == pytest.approx(1.326 * dollar, rel=1e-12)
    assert whole("percent") > dollar
    assert 0.7 * dollar < whole("dollar_2024") < dollar


def test_consumer_prices_and_deciles_come_in_text_json_and_the_report(
    cli: Cli, server: str, shirts: list[str], tmp_path: Path
) -> None:
    report = tmp_path / "report.html"
    words = [*shirts, "--target", server, "--consumer-prices", "dollar", "--by", "origin,decile"]
    text = printed(cli, [*words, "--report", str(report)])
    assert "Consumer prices, before any response" in text
    assert "cost to a household, USD of 2023 a year" in text
    assert "What households pay" in report.read_text(encoding="utf-8")
    found = cli.json(words)
    (block,) = found["scenarios"]
    assert [row["origin"] for row in block["groups"]] == ["CN", "VN"]
    assert (len(block["consumer_prices"]), block["consumer_prices"][0]["line"]) == (213, None)
    rows = block["households"]
    assert (len(rows), rows[0]["decile"], rows[0]["category"], rows[21]["decile"]) == (231, None, None, 1)
    details = found["provenance"]["details"]
    assert details["consumer_prices"]["margins"] == "dollar"
    assert details["households"]["ranked_by"] == "income before tax of consumer units"
    assert "consumer_prices" not in cli.json(shirts)["scenarios"][0]
    assert run([*shirts, "--consumer-prices", "all"]) == 2
    assert "Give an impact --consumer-prices" in cli.err([*shirts, "--by", "decile"], 2)


def test_a_score_prints_years_and_their_sum(server: str, tmp_path: Path, cli: Cli) -> None:
    shares, report, written = (tmp_path / name for name in ("shares.csv", "score.html", "score.json"))
    shares.write_text("origin,share\nCN,0.8\nall,0.95\n", encoding="utf-8")
    asked = f"score --from 2028 --response none --target {server}"
    assert "revenue by fiscal year" in printed(cli, f"{asked} --to 2028 -o {report}")
    assert "Revenue by fiscal year" in report.read_text(encoding="utf-8")
    found = cli.json(f"{asked} --to 2029 --collected @{shares} --tax-offset jct_2023")
    (block,) = found["scenarios"]
    assert [row["fiscal_year"] for row in block["years"]] == [2028, 2029]
    for name in ("revenue", "conventional", "cbo_customs"):
        assert block["total"][name] == pytest.approx(sum(row[name] for row in block["years"]), rel=1e-12)
    assert block["total"]["dynamic"] is None
    facts = found["provenance"]["details"]["score"]
    assert (facts["tax_offset"], facts["collected"]) == ("jct_2023", {"CN": 0.8, "all": 0.95})
    assert "LAW_AS_SCHEDULED" in {note["reason"] for note in found["notes"]}
    written.write_text(json.dumps(found), encoding="utf-8")
    assert run(["replay", str(written), "--target", server]) == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [("fx_offset", 0.174), ("market", "sector"), ("reaction", 0.5), ("consumer_prices", "dollar")],
)
def test_an_option_as_by_default_is_not_recorded(name: str, value: Any) -> None:
    assert name not in recorded_options("impact", RunSpec())
    assert recorded_options("impact", RunSpec(**{name: value}))[name] == value


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (OPTIONS | {"fx_offset": 17.4}, "exchange rate is 17.4"),
        (OPTIONS | {"market": "world"}, "market"),
        (EXPORTS | {"reaction": -1}, "reaction"),
        (EXPORTS | {"reaction": "1"}, "reaction"),
        (EXPORTS | {"reaction": float("nan")}, "reaction"),
    ],
)
def test_a_value_of_no_use_is_refused(options: dict[str, Any], said: str, client: Client) -> None:
    with pytest.raises(InvalidRequest, match=said):
        client.impact(**options)
