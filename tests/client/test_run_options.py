"""Runs, of imports, exports and both sides: options on every way in, what is recorded, printed and refused."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastexcel  # type: ignore[import-untyped,unused-ignore]  # it may ship no types
import polars as pl
import pytest

from tariffs.client import Client, DeadlineExceeded, ImpactResult, InvalidRequest, Scenario, replay
from tariffs.client._wire.run_options import recorded_options
from tariffs.client.cli.__main__ import run
from tariffs.client.results.both_sides import BothSides
from tariffs.engine.response import parameters_for
from tariffs.engine.runs.impact import Options
from tariffs.run_spec.spec import RunSpec
from tariffs.service.rpc.run_options import options_of
from tariffs.v1 import simulation_service_pb2 as pb
from tariffs.v1.sweep_service_pb2 import SeekRequest
from tests.client.conftest import Cli, goods, scenario_text

BASELINE, DAY = "2025-01-01", "2025-05-20"
SHIRTS = goods(("6109100012", "CN", 4e8), ("6109100012", "VN", 6e8))
OPTIONS: dict[str, Any] = {"on": DAY, "baseline": BASELINE}
EXPORTS = {"on": "2027-02-01", "horizon": "short", "direction": "export"}
HALF = scenario_text("op: shock_quantity, origins: [CN], products: ['6109'], from: 2025-02-01, share: 50%")
OF_LIMITS = {"quota_premium", "rent_importer", "rent_exporter", "rent_government"}
OF_SECTORS = {"domestic_shipments", "domestic_price_hat", "domestic_quantity_hat", "producer_surplus"}
NOWHERE = goods(("9503000073", "nowhere", 1.0, "2027-01-05"), more=("entry_date",))
RATES, NEXT_YEAR = "rates-by-country", "2027-01-11"
RESPONSES: dict[str, dict[str, Any]] = {
    "none": {"response": "none"},
    "armington over time": {"response": "armington", "horizon": "path"},
    "armington": {"response": "armington", "horizon": "short"},
    "gsim": {"response": "gsim"},
    "exact hat": {"response": "exact_hat"},
}
VERBS: dict[str, Callable[..., Any]] = {
    "impact": lambda client, **given: client.impact(
        NOWHERE, ["base", RATES], on=NEXT_YEAR, attribute=True, **given
    ),
    "sweep": lambda client, **given: client.sweep(
        NOWHERE, RATES, vary={"cn": ["10%", "20%"]}, on=NEXT_YEAR, **given
    ),
    "seek": lambda client, **given: client.seek(
        NOWHERE,
        RATES,
        vary=("start", "2027-01-10", "2027-01-11"),
        target=("duty", 5.0),
        on=NEXT_YEAR,
        **given,
    ),
    "timeline": lambda client, **given: client.timeline(
        NOWHERE, ["base", RATES], start="2027-01-01", end="2027-02-01", **given
    ),
}


@pytest.fixture
def shirts() -> str:
    """Words of the command line that ask for an impact of shirts."""
    SHIRTS.write_csv("shirts.csv")
    return f"impact shirts.csv --on {DAY} --baseline {BASELINE}"


def printed(cli: Cli, words: str) -> str:
    return " ".join(cli.out(words).split())


def test_a_run_that_takes_too_long_ends_at_its_deadline(here: Client, there: Client) -> None:
    for client in (here, there):
        with pytest.raises(DeadlineExceeded):
            client.impact(on="2026-11-20", draws=256, timeout=0.05)


@pytest.mark.parametrize("response", RESPONSES)
@pytest.mark.parametrize("verb", VERBS)
def test_a_table_of_which_every_row_is_refused_has_a_result(client: Client, verb: str, response: str) -> None:
    found = VERBS[verb](client, baseline="2026-09-01", **RESPONSES[response])
    assert found.refused["reason"].to_list() == ["ORIGIN_UNKNOWN"]
    if (verb, response) == ("impact", "armington"):
        drawn = VERBS[verb](client, baseline="2026-09-01", draws=16)
        assert drawn.total["duty"].to_list() == [0.0, 0.0]


def test_the_horizon_is_the_path_unless_told(client: Client) -> None:
    assert Options().horizon == "path"
    for request in (pb.SimulateRequest(), pb.TimelineRequest(), pb.SweepRequest(), SeekRequest()):
        assert options_of(request, "").horizon == "path"
    found: Any = client.impact(SHIRTS, **OPTIONS).provenance
    assert (found["details"]["horizon"], found["details"]["parameters"]) == ("path", "path")
    one = {parameters_for(["6109100012"], horizon=each).digest for each in ("impact", "short", "long")}
    assert found["parameter_digest"] not in one


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("fx_offset", 0.174, "fx offset 0.174"), ("market", "sector", "Domestic goods that compete")],
)
def test_the_command_line_takes_and_prints_an_option_of_the_response(
    name: str, value: Any, said: str, there: Client, shirts: str, cli: Cli
) -> None:
    found, plain = there.impact(SHIRTS, **OPTIONS, **{name: value}), there.impact(SHIRTS, **OPTIONS)
    after = found.total["value_after"].item()
    assert after != plain.total["value_after"].item()
    assert set(found.groups.columns) - set(plain.groups.columns) == (
        OF_SECTORS if name == "market" else set()
    )
    words = f"{shirts} --local --{name.replace('_', '-')} {value}"
    text = printed(cli, words)
    assert said in text
    assert f"{name.replace('_', ' ')} {value}" in text
    assert cli.json(words)["scenarios"][0]["total"]["value_after"] == after


def test_limits_on_quantities_have_premium_and_rents(there: Client, shirts: str, cli: Cli) -> None:
    scenarios: list[Any] = ["base", Scenario.from_text(HALF)]
    found = there.impact(SHIRTS, scenarios, **OPTIONS, horizon="long")
    plain = there.impact(SHIRTS, **OPTIONS, horizon="long")
    assert set(found.total.columns) - set(plain.total.columns) == OF_LIMITS
    free, held = (found.total.row(place, named=True) for place in (0, 1))
    assert (free["rent_importer"], free["quota_premium"]) == (0.0, None)
    Path("half.yaml").write_text(HALF)
    words = f"{shirts} -s half.yaml --local --horizon long"
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


def test_consumer_prices_and_deciles_are_told(cli: Cli, server: str, shirts: str) -> None:
    words = f"{shirts} --target {server} --consumer-prices dollar --by origin,decile"
    text = printed(cli, f"{words} --report report.html")
    assert "Consumer prices, before any response" in text
    assert "cost to a household, USD of 2023 a year" in text
    assert "What households pay" in Path("report.html").read_text(encoding="utf-8")
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
    assert "consumer" in cli.err(f"{shirts} --consumer-prices all", 2)
    assert "Give an impact --consumer-prices" in cli.err(f"{shirts} --by decile", 2)


def test_a_score_prints_years_and_their_sum(server: str, cli: Cli) -> None:
    shares, report, written = map(Path, ("shares.csv", "score.html", "score.json"))
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


SOYBEANS = goods(
    ("1201.90", "US", "14520000000", "24200000", "t"),
    ("1201.90", "BR", "41970000000", "69950000", "t"),
    ("8524.11", "US", "5", None, None),
    more=("quantity", "unit"),
)
PROMISE = "soybeans-promise-kept"
SCENARIOS = ("base", "canada-settles", "canada-escalates")
AHEAD: dict[str, Any] = {"on": "2027-02-01", "response": "none"}


@pytest.fixture
def table() -> Path:
    SOYBEANS.write_csv("soybeans.csv")
    return Path("soybeans.csv")


@pytest.fixture(scope="module")
def both(client: Client) -> BothSides[ImpactResult]:
    exports = client.impact(scenarios=SCENARIOS, by=["destination"], direction="export", **AHEAD)
    return BothSides(client.impact(scenarios=SCENARIOS, by=["origin"], **AHEAD), exports)


def test_a_duty_on_exports_is_the_same_everywhere(here: Client, there: Client, server: str, cli: Cli) -> None:
    found, other = (
        client.duty(
            "1201.90", "US", "2027-01-11", 10_000, freight=420, scenario="truce-lapses", direction="export"
        ).to_json_dict()
        for client in (here, there)
    )
    assert other == found
    assert found["landed"] == {"cif": "10420.00", "duty": "3855.40", "vat": "1284.79", "total": "15560.19"}
    words = "duty 1201.90 --origin US --date 2027-01-11 --value 10000 --freight 420 --direction export"
    for way in (f"--target {server}", "--local"):
        told = cli.json(f"{words} -s truce-lapses {way}")
        assert told == {"schema": "tariffs.duty/v1", **json.loads(json.dumps(found))}
    line = "1201.90 --origin US --date 2027-01-11 --value 100 --direction export --why --local"
    said = cli.out(["duty", *shlex.split(line)])
    assert "landed is cif 100.00 + duty 37.00 + vat 12.33" in said
    assert "China, duty answering the reciprocal duty: 34% on the customs value." in said
    assert "headings" not in said


def test_an_impact_on_exports_is_told(here: Client, server: str, table: Path, cli: Cli) -> None:
    asked: dict[str, Any] = {"on": "2026-11-24", "baseline": "2025-01-01", "by": ["hts6", "origin"]}
    found = here.impact(table, ["base", PROMISE], direction="export", include_lines=True, **asked)
    words = f"impact {table} -s base -s {PROMISE} --on 2026-11-24 --baseline 2025-01-01 --by hts6,origin"
    words += f" --direction export --lines lines.csv -o groups.parquet --target {server}"
    told = cli.json(words, 1)
    wanted = json.loads(json.dumps(found.to_json_dict("soybeans-refused.csv")))
    assert told == {"schema": "tariffs.impact/v1", **wanted}
    assert told["refused"]["rows"][0]["reason"] == "RATE_NOT_COMPUTABLE"
    kept = found.scenario(PROMISE).filter(origin="US")
    assert kept["quantity_hat"][0] * 24.2e6 == pytest.approx(25e6)
    assert replay(here, Path("groups.parquet")).same
    later = "--direction export --on 2027-02-01 --baseline 2025-01-01 --horizon short --reaction 1 --local"
    said = " ".join(cli.out(f"impact {table} {later}", 1).split())
    assert "partners answer duties at a slope of 1." in said


def test_the_worked_example_of_the_page_is_what_comes_out(
    root: Path, client: Client, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root / "docs")
    page = Path("exports.md").read_text(encoding="utf-8")
    examples = re.findall(r"^\$ tariffs (.+)\n((?:.+\n|\n)+?)```", page, re.MULTILINE)
    assert [command.split()[0] for command, _ in examples] == ["duty", "duty", "impact"]
    for command, shown in examples:
        said = [line.strip() for line in cli.out([*shlex.split(command), "--local"]).splitlines()]
        wanted = [line.rstrip() for line in shown.splitlines() if line != "..."]
        assert [line for line in wanted if line.strip() not in said] == []
    options: dict[str, Any] = {"on": "2027-01-11", "baseline": "2025-01-01", "horizon": "long"}
    found = client.impact("soybeans.csv", direction="export", **options)
    hats = dict(found.groups.select("origin", "quantity_hat").iter_rows())
    assert hats["US"] == pytest.approx(0.45, abs=0.005)
    assert hats["BR"] == pytest.approx(1.075, abs=0.002)


def test_each_side_is_its_own_run(client: Client, both: BothSides[ImpactResult]) -> None:
    imports = client.impact(scenarios=SCENARIOS, **AHEAD)
    exports = client.impact(scenarios=SCENARIOS, **AHEAD, direction="export", by=["destination"])
    assert both.imports.total.equals(imports.total)
    assert both.exports.total.equals(exports.total)
    beside = both.side_by_side
    assert beside["scenario"].to_list() == list(SCENARIOS)
    for side, result in both.sides.items():
        for name in ("customs_value", "duty", "landed_change", "duty_vs"):
            assert beside[f"{side}_{name}"].to_list() == result.total[name].to_list()
    assert both.summary["side"].to_list() == ["imports", "exports"] * len(SCENARIOS)


def test_one_report_and_one_workbook_hold_both_sides(both: BothSides[ImpactResult]) -> None:
    assert "exports" in repr(both)
    assert both._repr_html_().count("<table") >= 3
    assert both.refused_rows == 0
    text = both.report("out/sides.html", question="Who gains if <Canada> settles?")
    assert Path("out/sides.html").read_text(encoding="utf-8") == text
    assert text.count("<html") == 1
    assert "&lt;Canada&gt;" in text
    assert "<script" not in text
    for part in ("Imports, duty", "Exports, duty", "Imports into the United", "Exports of the United"):
        assert part in text
    assert text.count("<summary>All notes in full") == 2
    assert text.count("<svg") == 3
    both.to_excel("sides.xlsx")
    book = fastexcel.read_excel("sides.xlsx")
    sides = [f"{side} {name}" for side in ("imports", "exports") for name in ("totals", "groups", "notes")]
    assert book.sheet_names == ["cover", "summary", "side by side", *sides, "provenance"]
    found = book.load_sheet("side by side").to_polars()
    assert found["exports_duty"].to_list() == pytest.approx(both.side_by_side["exports_duty"].to_list())


@pytest.mark.parametrize("verb", ["impact --on 2027-02-01", "timeline --start 2027-02-01 --end 2027-02-02"])
def test_the_command_line_prints_and_writes_both_sides(verb: str, cli: Cli) -> None:
    words = f"{verb} --both -s base --response none --local"
    told = cli.json(words)
    assert set(told) == {"schema", "imports", "exports"}
    assert [one["id"] for one in told["exports"]["scenarios"]] == ["base"]
    for suffix in ("html", "xlsx", "parquet"):
        assert "Imports into the United States" in cli.out(f"{words} -o sides.{suffix}")
    files = ["sides-exports.parquet", "sides-imports.parquet", "sides.html", "sides.xlsx"]
    assert sorted(one.name for one in Path().iterdir()) == files
    assert set(pl.read_parquet(files[0])["destination"]) == {"CN", "CA"}


def test_tables_of_both_sides_give_a_file_a_side() -> None:
    Path("in.csv").write_text("hts,origin,customs_value\n9503.00.0073,CN,100\n0000.00,CN,1\n")
    Path("out.csv").write_text("hts,origin,customs_value,destination\n1201.90,US,50,CN\n1201.90,US,1,XX\n")
    words = ["impact", "in.csv", "--exports", "out.csv", "--lines", "lines.csv", "--both", "--local"]
    assert run([*words, "--response", "none"]) == 1
    for side, value, reason in (("imports", 100, "HTS_CODE_UNKNOWN"), ("exports", 50, "DESTINATION_UNKNOWN")):
        assert pl.read_csv(f"lines-{side}.csv")["customs_value"].to_list() == [value]
        assert pl.read_csv(f"in-refused-{side}.csv")["reason"].to_list() == [reason]
