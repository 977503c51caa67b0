"""Parameters of scenarios in every call and command: filled equals written, in process and over the wire."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client, ImpactResult, InvalidRequest, Scenario, TariffsError
from tariffs.client._arguments import parameters as as_texts
from tariffs.client._wire.requests import simulate_request
from tariffs.client._wire.run_options import read_spec
from tests.client.conftest import Cli

HEAD = "schema: tariffs.scenario/v1\nid: mine\ntitle: Mine\nbasis: hypothesis\n"
OPEN = HEAD + (
    "parameters: {cn: {default: 15%, title: China}, start: {default: 2026-11-01}, vietnam: {default: off}}\n"
    "changes:\n"
    "  - {op: set_rate, measures: {id: fl301, origins: [CN]}, from: $start, rate: $cn}\n"
    "  - {op: set_rate, measures: {id: fl301, origins: [VN]}, from: $start, rate: $cn, when: $vietnam}\n"
)
PLAIN = HEAD + (
    "changes:\n"
    "  - {op: set_rate, measures: {id: fl301, origins: [CN]}, from: 2026-11-10, rate: RATE}\n"
    "  - {op: set_rate, measures: {id: fl301, origins: [VN]}, from: 2026-11-10, rate: RATE}\n"
)
VALUES: dict[str, Any] = {"cn": "20%", "start": date(2026, 11, 10), "vietnam": True}
DAY, TOYS = "2026-11-20", "9503.00.0073"
GOODS = [("9503000073", "CN", 1e4), ("9503000073", "VN", 5e4), ("8471300100", "MX", 7e4)]
TABLE = pl.DataFrame(GOODS, ["hts", "origin", "customs_value"], orient="row")
RUN: dict[str, Any] = {"response": "none", "by": ["origin"]}


def details(result: ImpactResult) -> Any:
    return result.provenance["details"]


@pytest.fixture(params=["here", "there"])
def client(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "open.yaml"
    path.write_text(OPEN, encoding="utf-8")
    return path


# Toys of China pay neither an ordinary duty nor list 4B: the forced-labor duty is all there is.
@pytest.mark.parametrize(
    ("value", "duty"),
    [
        ("20%", "2000.00"),
        (0.2, "2000.00"),
        (Decimal("0.2"), "2000.00"),
        ("0.333", "3330.00"),
        (None, "1500.00"),
        (0, "0.00"),
    ],
)
def test_a_rate_that_is_filled_in_is_charged(client: Client, value: Any, duty: str) -> None:
    values = {} if value is None else {"cn": value}
    quote = client.duty(TOYS, "CN", DAY, 10000, scenario=Scenario.from_text(OPEN), parameters=values)
    assert str(quote.assessed) == duty
    batch = client.duties(TABLE.head(1), on=DAY, scenario=Scenario.from_text(OPEN), parameters=values)
    assert [f"{row['assessed']:.2f}" for row in batch.lines.to_dicts()] == [duty]


def test_a_filled_run_is_that_of_the_scenario_written_with_plain_values(client: Client) -> None:
    filled, plain = Scenario.from_text(OPEN), Scenario.from_text(PLAIN.replace("RATE", "20%"))
    one = client.impact(TABLE, ["base", filled], on=DAY, parameters=VALUES, include_lines=True, **RUN)
    two = client.impact(TABLE, ["base", plain], on=DAY, include_lines=True, **RUN)
    assert one.groups.equals(two.groups)
    assert one.lines is not None
    assert two.lines is not None
    assert one.lines.equals(two.lines)
    assert one.provenance["scenarios"] == two.provenance["scenarios"]
    assert one.provenance["run_digest"] != two.provenance["run_digest"]
    filled_in = {"cn": "20%", "vietnam": "on", "start": "2026-11-10"}
    assert details(one)["scenario_parameters"] == {"mine": filled_in}
    assert "scenario_parameters" not in details(two)
    rows = {(row["scenario"], row["origin"]): row["duty"] for row in one.groups.to_dicts()}
    assert (rows["mine", "CN"], rows["mine", "VN"]) == pytest.approx((2000.0, 10000.0), rel=1e-12)
    days: dict[str, Any] = {"start": "2026-11-08", "end": "2026-11-12"}
    series = [
        client.timeline(TABLE, [scenario], parameters=values, **days, **RUN)
        for scenario, values in ((filled, VALUES), (plain, None))
    ]
    assert series[0].segments.equals(series[1].segments)
    assert series[0].segments.filter(pl.col("origin") == "CN")["duty"].to_list() == [1250.0, 2000.0]
    streamed = client.lines(TABLE, [filled], on=DAY, parameters=VALUES).collect()
    assert streamed["duty"].to_list() == one.lines.filter(pl.col("scenario") == "mine")["duty"].to_list()


def test_a_value_fills_every_scenario_that_declares_it_and_no_other(client: Client) -> None:
    other = OPEN.replace("id: mine", "id: other").replace("fl301", "fl301_2026")
    scenarios: list[Any] = ["base", Scenario.from_text(OPEN), Scenario.from_text(other)]
    found = client.impact(TABLE, scenarios, on=DAY, parameters={"cn": "40%"}, **RUN)
    rows = found.groups.filter(origin="CN")
    assert rows.select("scenario", "duty").rows() == [("base", 1250.0), ("mine", 4000.0), ("other", 4000.0)]
    for ask in (
        lambda values: client.impact(TABLE, scenarios, on=DAY, parameters=values, **RUN),
        lambda values: client.timeline(TABLE, scenarios, start=DAY, end=DAY, parameters=values, **RUN),
        lambda values: client.duty(TOYS, "CN", DAY, 1, scenario=Scenario.from_text(OPEN), parameters=values),
        lambda values: client.duty(TOYS, "CN", DAY, 1, parameters=values),
        lambda values: client.scenario("rates-by-country", parameters=values),
    ):
        with pytest.raises(TariffsError) as caught:
            ask({"cm": "1%"})
        assert caught.value.reason == "PARAMETER_UNKNOWN"


def test_a_check_says_where_a_value_does_not_fit(client: Client) -> None:
    result = client.check(OPEN, parameters={"cn": "20"})
    assert not result.ok
    (problem,) = result.problems
    assert (problem.reason, problem.path) == ("PARAMETER_INVALID", "changes[0].rate")
    assert (problem.line, problem.column) == (7, OPEN.splitlines()[6].index("$cn") + 1)
    found = client.check(OPEN, parameters={"cn": 0.2}).parameters
    assert [(one.name, one.kind, one.default, one.value, one.title) for one in found] == [
        ("cn", "rate", "15%", "0.2", "China"),
        ("start", "date", "2026-11-01", "2026-11-01", ""),
        ("vietnam", "on_off", "off", "off", ""),
    ]


def test_the_digest_of_a_library_scenario_is_that_of_its_values(client: Client) -> None:
    default, same, other = (
        client.scenario("rates-by-country", parameters=values)
        for values in (None, {"cn": 0.2}, {"cn": "21%"})
    )
    assert default.digest == same.digest != other.digest
    values = {one.name: one.value for one in other.parameters}
    assert values == {"cn": "21%", "vn": "20%", "eu": "15%", "start": "2026-11-24"}


def test_values_are_written_as_decimal_text() -> None:
    texts = {
        "0.30000000000000004": 0.1 + 0.2,
        "0.0015": 0.0014999999999999998,  # beyond 18 decimals, as grids of NumPy are
        "0.00001": 1e-5,
        "12.50": Decimal("12.50"),
        "3": 3,
        "off": False,
        "2027-01-02": date(2027, 1, 2),
        "5%": " 5% ",
    }
    assert as_texts(texts) == {text: text for text in texts}
    for wrong in (float("nan"), object(), [1], None, b"1"):
        with pytest.raises(InvalidRequest) as caught:
            as_texts({"a": wrong})
        assert caught.value.reason == "PARAMETER_INVALID"


def test_the_parameter_set_of_the_response_has_a_name_of_its_own() -> None:
    given: dict[str, Any] = {"parameters": {"cn": 0.2}, "parameter_set": "low"}
    both = simulate_request(["base"], read_spec("impact", given))
    assert (both.parameter_set, dict(both.scenario_parameters)) == ("low", {"cn": "0.2"})
    with pytest.raises(InvalidRequest, match="parameters is 'low'"):
        read_spec("impact", {"parameters": "low"})


def duty_of(document: Any, origin: str) -> float:
    rows = document["scenarios"][0]["groups"]
    return {row["origin"]: float(row["duty"]) for row in rows}[origin]


def test_commands_take_parameters(cli: Cli, file: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    TABLE.write_csv(table)
    given = f"-s {file} --param cn=20% --param vietnam=on --local"
    quote = cli.json(f"duty {TOYS} --origin CN --date {DAY} --value 10000 {given}")
    assert quote["assessed"] == "2000.00"
    for words in (f"impact {table} --on {DAY}", f"timeline {table} --start {DAY} --end {DAY}"):
        found = cli.json(f"{words} --response none {given}")
        assert duty_of(found, "VN") == pytest.approx(10000.0, rel=1e-12)
    found = cli.json(f"scenario check {file} --param cn=20 --local", 4)
    (problem,) = found["problems"]
    assert (found["ok"], problem["reason"]) == (False, "PARAMETER_INVALID")
    assert (problem["line"], problem["path"]) == (7, "changes[0].rate")
    for name in ("rates-by-country", str(file)):
        shown = cli.json(f"scenario show {name} --param cn=33% --local")
        assert {"name": "cn", "value": "33%"}.items() <= shown["parameters"][0].items()
    printed = cli.out("scenario show rates-by-country --local")
    assert "# --param cn=20%  (rate, default 20%, rate on China, now 12.5 percent)" in printed
    assert Client.local().check(printed).ok


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("--param cm=20%", "PARAMETER_UNKNOWN"),
        ("--param cn=20", "PARAMETER_INVALID"),
        ("--param cn", "REQUEST_INVALID"),
        ("--param cn=1% --param cn=2%", "REQUEST_INVALID"),
    ],
)
def test_wrong_parameters_exit_2(cli: Cli, file: Path, words: str, reason: str) -> None:
    document = cli.json(f"duty {TOYS} --origin CN --value 1 -s {file} {words} --local", 2)
    assert document["error"]["reason"] == reason
