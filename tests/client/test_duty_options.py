"""What can be done about the duty on a line: the same over gRPC, in this process and on the command line."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal

import pytest

from tariffs.client import AsyncClient, Client
from tariffs.client.cli.__main__ import run
from tariffs.client.errors import InvalidRequest
from tariffs.client.results.duty_options import OptionsResult

TOYS, DAY = "9503.00.0073", "2025-04-20"
FACTS: dict[str, str | float] = {"withdrawal": "2025-06-20", "rate": 0.06, "export_share": "40%"}


async def awaited(server: str) -> OptionsResult:
    async with AsyncClient(server) as remote:
        return await remote.options(TOYS, "CN", DAY, 10_000, facts=FACTS)


def test_the_same_everywhere(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    here = Client.local().options(TOYS, "CN", DAY, 10_000, facts=FACTS)
    with Client(server) as remote:
        assert remote.options(TOYS, "CN", DAY, 10_000, facts=FACTS) == here
    assert asyncio.run(awaited(server)) == here
    arguments = [
        "options",
        TOYS,
        "--origin",
        "CN",
        "--date",
        DAY,
        "--value",
        "10000",
        "--withdrawal",
        "2025-06-20",
    ]
    arguments += ["--rate", "6%", "--fact", "export_share=40%"]
    assert run([*arguments, "--json", "--target", server]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document.pop("schema") == "tariffs.options/v1"
    known = json.loads(json.dumps(here.to_json_dict()))
    assert document["scenarios"] == known["scenarios"]
    found = {one["id"]: one for one in document["scenarios"][0]["options"]}
    assert found["warehouse"]["cost"]["duty"] == "1800.00"
    assert found["zone_privileged"]["cost"]["duty"] == "8700.00"
    assert run(arguments) == 0
    text = capsys.readouterr().out
    assert "Not a ruling or advice." in text
    assert "Catch: " in text
    assert "Papers: " in text


def test_each_option_has_its_source_catch_and_papers(client: Client) -> None:
    result = client.options(TOYS, "CN", DAY, 10_000)
    (found,) = result.scenarios
    facts = {fact.name for fact in result.facts}
    for option in found.options:
        assert option.citations
        assert option.catch.endswith(".")
        assert option.papers
        assert {*option.missing_facts, *option.would_change} <= facts
        assert option.state != "needs_fact" or (option.missing_facts and option.cost is None)
    assert result.frame.height == len(found.options)
    assert found["refund"].saving == Decimal("14500.00")
    assert found["first_sale"].missing_facts == ("first_sale_value",)


def test_a_scenario_takes_a_saving_away(client: Client) -> None:
    names = ["base", "ieepa-upheld-truce-kept"]
    base, upheld = client.options(TOYS, "CN", "2025-11-20", 10_000, scenarios=names).scenarios
    assert (base["refund"].state, upheld["refund"].state) == ("saves", "no_gain")
    assert "this scenario makes it worthless" in upheld["refund"].why
    assert upheld.best.options == ()


def test_goods_that_may_not_enter_have_no_option(client: Client) -> None:
    (found,) = client.options("2203.00.00", "CA", "2026-11-24", 100, quantity=10, unit="L").scenarios
    assert {option.state for option in found.options} == {"closed"}
    assert all("s338_ca_alcohol_ban" in option.why for option in found.options)


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"exports": "1"}, "facts.exports"),
        ({"export_share": "140%"}, "facts.export_share"),
        ({"admission": "soon"}, "facts.admission"),
    ],
)
def test_a_fact_that_cannot_be_used_is_named(client: Client, facts: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        client.options(TOYS, "CN", DAY, 10_000, facts=facts)
    assert (refused.value.reason, refused.value.field) == ("REQUEST_INVALID", field)


def test_a_day_of_withdrawal_before_admission_closes_custody(client: Client) -> None:
    (found,) = client.options(TOYS, "CN", DAY, 10_000, facts={"withdrawal": "2025-01-20"}).scenarios
    assert found["warehouse"].state == "closed"
    assert "before their admission" in found["warehouse"].why
