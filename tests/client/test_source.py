"""Origins by landed cost and lawful ways to pay less: the amounts of quotes, the same on every way in."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client, Scenario
from tariffs.client.errors import InvalidRequest, TariffsError
from tariffs.engine.schedule.countries import origin_codes
from tariffs.engine.schedule.reference_data import reference_table
from tests.client.conftest import Cli

TOYS, DAY, SPRING = "9503.00.0073", "2026-11-24", "2025-04-20"
NEAR = Decimal("0.01")
FACTS: dict[str, str | float] = {"withdrawal": "2025-06-20", "rate": 0.06, "export_share": "40%"}
MIXTURE = """schema: tariffs.scenario/v1
id: either
title: Either
basis: hypothesis
mixture:
  - {scenario: base, weight: 0.75}
  - {scenario: ieepa-upheld-truce-lapsed, weight: 0.25}
"""


def test_costs_are_those_of_quotes(client: Client, scale: int) -> None:
    dice = random.Random(33)
    codes = dice.sample(sorted(reference_table()["hts"].unique().to_list()), scale)
    origins = dice.sample(sorted(origin_codes()), 25)
    for code in codes:
        try:
            found = client.source(code, 1000, on=DAY, origins=origins, mode="ocean").scenarios[0]
        except TariffsError as error:
            with pytest.raises(TariffsError, match=error.reason):
                client.duty(code, origins[0], DAY, 1000, mode="ocean")
            continue
        assert {one.origin for one in found.origins} == set(origins)
        for one in found.origins:
            if one.problem is not None:
                with pytest.raises(TariffsError) as refused:
                    client.duty(code, one.origin, DAY, 1000, mode="ocean")
                assert refused.value.reason == one.problem.reason
                continue
            quote = client.duty(code, one.origin, DAY, 1000, mode="ocean")
            assert (one.duty, one.owed, one.landed) == (quote.assessed, quote.owed, quote.landed["total"])
            assert one.missing_claims == quote.missing_claims
            assert (one.rank is None) == bool(quote.prohibited)
        ranked = [one for one in found.origins if one.rank]
        assert [one.landed for one in ranked] == sorted(
            one.landed for one in ranked if one.landed is not None
        )
        assert all((a.rank == b.rank) == (a.landed == b.landed) for a, b in pairwise(ranked))


def test_a_premium_lands_at_the_cost_of_today(client: Client) -> None:
    found = client.source(TOYS, 1000, on="2025-11-10", origins=["VN", "MX", "DE"], today="CN").scenarios[0]
    costs = {one.origin: one for one in found.origins}
    assert costs["CN"].premium == 0
    again = client.source(TOYS, 1000, on="2025-11-10", origins=["VN", "MX", "DE"], today="China")
    assert again.scenarios[0] == found
    for origin in ("VN", "MX", "DE"):
        premium = costs[origin].premium
        assert premium is not None
        dearer = client.duty(TOYS, origin, "2025-11-10", 1000 * (1 + premium))
        # Values of entries are whole dollars.
        assert abs(dearer.landed["total"] - (costs["CN"].landed or 0)) <= 2


def test_a_period_is_the_mean_of_its_days(client: Client) -> None:
    days = [f"2025-04-{day:02}" for day in range(1, 31)]
    found = client.source(TOYS, 1000, start=days[0], end=days[-1], origins=["CN", "MX", "VN"]).scenarios[0]
    daily = {
        origin: [client.duty(TOYS, origin, day, 1000).landed["total"] for day in days]
        for origin in ("CN", "MX", "VN")
    }
    for one in found.origins:
        assert one.landed is not None
        assert abs(one.landed - sum(daily[one.origin], Decimal(0)) / len(days)) <= NEAR
    cheapest = [
        {o for o in daily if daily[o][place] == min(each[place] for each in daily.values())}
        for place in range(len(days))
    ]
    for flip in found.flips:
        place = days.index(flip.day)
        assert flip.after in cheapest[place]
        assert flip.before not in cheapest[place]
        assert flip.before in cheapest[place - 1]
    assert found.flips


def test_each_option_has_its_source_catch_and_papers(client: Client) -> None:
    result = client.options(TOYS, "CN", SPRING, 10_000)
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


def test_a_mixture_gives_expected_costs_and_several_scenarios_regrets(client: Client) -> None:
    names: list[Any] = ["base", "ieepa-upheld-truce-lapsed", Scenario.from_text(MIXTURE)]
    found = client.source(TOYS, 1000, on=DAY, scenarios=names, origins=["CN", "VN", "MX"])
    first, second, mixed = (
        {one.origin: one.landed or Decimal(0) for one in each.origins} for each in found.scenarios
    )
    for origin, landed in mixed.items():
        assert abs(landed - (first[origin] * 3 + second[origin]) / 4) <= NEAR
    losses = {
        origin: max(each[origin] - min(each.values()) for each in (first, second, mixed)) for origin in first
    }
    assert {one.origin: one.regret for one in found.regrets} == losses
    assert [one.regret for one in found.regrets] == sorted(losses.values())


def test_origins_are_compared_the_same_everywhere(
    here: Client, there: Client, server: str, tmp_path: Path, cli: Cli
) -> None:
    offers = tmp_path / "offers.csv"
    offers.write_text("origin,unit_cost,freight\nCN,10.5,0.4\nVN,11.0,\n")
    options: dict[str, Any] = {"offers": offers, "on": DAY, "units": 1000, "today": "CN"}
    found = here.source(TOYS, **options)
    assert there.source(TOYS, **options) == found
    words = ["source", TOYS, "--offers", str(offers), "--on", DAY, "--units", "1000", "--today", "CN"]
    document = cli.json([*words, "--json", "--target", server])
    assert document == {"schema": "tariffs.source/v1", **json.loads(json.dumps(found.to_json_dict()))}
    (scenario,) = document["scenarios"]
    assert (scenario["id"], scenario["on"]) == ("base", DAY)
    quote = here.duty(TOYS, "CN", DAY, 10_500, freight=400)
    china = next(one for one in scenario["origins"] if one["origin"] == "CN")
    assert {"origin", "duty", "landed", "rank"} <= china.keys()
    assert Decimal(china["landed"]) == (quote.landed["total"] / 1000).quantize(Decimal("0.0001"))
    assert "a unit costs least from China" in cli.out(words)


def test_options_are_the_same_everywhere(here: Client, there: Client, server: str, cli: Cli) -> None:
    found = here.options(TOYS, "CN", SPRING, 10_000, facts=FACTS)
    assert there.options(TOYS, "CN", SPRING, 10_000, facts=FACTS) == found
    words = ["options", TOYS, "--origin", "CN", "--date", SPRING, "--value", "10000"]
    words += ["--withdrawal", "2025-06-20", "--rate", "6%", "--fact", "export_share=40%"]
    document = cli.json([*words, "--json", "--target", server])
    assert document["schema"] == "tariffs.options/v1"
    assert document["scenarios"] == json.loads(json.dumps(found.to_json_dict()))["scenarios"]
    costs = {one["id"]: one["cost"] for one in document["scenarios"][0]["options"]}
    assert costs["warehouse"]["duty"] == "1800.00"
    assert costs["zone_privileged"]["duty"] == "8700.00"
    text = cli.out(words)
    for said in ("Not a ruling or advice.", "Catch: ", "Papers: "):
        assert said in text


def test_goods_that_may_not_enter_have_no_rank_and_no_option(client: Client) -> None:
    beer: dict[str, Any] = {"quantity": 10, "unit": "L"}
    names: list[Any] = ["base", "ieepa-upheld-truce-kept"]
    compared = client.source("2203.00.00", 100, on=DAY, scenarios=names, origins=["CA", "DE"], **beer)
    assert [one.origin for one in compared.regrets] == ["DE"]
    found = compared.scenarios[0]
    assert [(one.origin, one.rank) for one in found.origins] == [("DE", 1), ("CA", None)]
    assert found.origins[1].prohibited == ("s338_ca_alcohol_ban",)
    (options,) = client.options("2203.00.00", "CA", DAY, 100, **beer).scenarios
    assert {option.state for option in options.options} == {"closed"}
    assert all("s338_ca_alcohol_ban" in option.why for option in options.options)
    (early,) = client.options(TOYS, "CN", SPRING, 10_000, facts={"withdrawal": "2025-01-20"}).scenarios
    assert early["warehouse"].state == "closed"
    assert "before their admission" in early["warehouse"].why


@pytest.mark.parametrize(
    ("verb", "given", "reason", "field"),
    [
        ("source", {"unit_cost": None}, "CUSTOMS_VALUE_INVALID", "customs_value"),
        ("source", {"origins": ["XX"]}, "ORIGIN_UNKNOWN", "origin"),
        ("source", {"units": 0}, "REQUEST_INVALID", "units"),
        ("source", {"start": "2025-01-01"}, "REQUEST_INVALID", "end"),
        ("source", {"on": DAY, "start": "2025-01-01", "end": "2025-01-02"}, "REQUEST_INVALID", "line.entry"),
        ("source", {"offers": pl.DataFrame({"origin": ["CN"]})}, "COLUMN_MISSING", "unit_cost"),
        ("options", {"exports": "1"}, "REQUEST_INVALID", "facts.exports"),
        ("options", {"export_share": "140%"}, "REQUEST_INVALID", "facts.export_share"),
        ("options", {"admission": "soon"}, "REQUEST_INVALID", "facts.admission"),
    ],
)
def test_what_cannot_be_used_names_its_field(
    client: Client, verb: str, given: dict[str, Any], reason: str, field: str
) -> None:
    asked = {"unit_cost": 10, "origins": ["CN"]} | given
    if verb == "options":
        asked = {"origin": "CN", "entry_date": SPRING, "value": 10_000, "facts": given}
    with pytest.raises(InvalidRequest) as refused:
        getattr(client, verb)(TOYS, **asked)
    assert (refused.value.reason, refused.value.field) == (reason, field)
