"""Verbs for firms are the same on every way in: refunds, changes, watches, fees, collections, origins, options."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tariffs.client import Client, InvalidRequest, Scenario
from tariffs.client.cases.case_file import read_cases
from tariffs.client.errors import TariffsError
from tariffs.client.results.collections import STEPS
from tariffs.engine.law.yaml_texts import load_yaml
from tariffs.engine.schedule.countries import origin_codes
from tariffs.engine.schedule.reference_data import reference_table
from tests.client.conftest import Cli, goods, refuses, scenario_text

ENTRIES = goods(
    ("9503.00.0073", "CN", "10000", "A", "2025-05-20", "unliquidated", None),
    ("7318.15.8066", "CN", "500.50", "A", "2025-05-20", "unliquidated", None),
    ("9503.00.0073", "VN", "5000", "B", "2025-09-01", "final", "100"),
    ("99", "VN", "1", "C", "2025-09-01", "final", None),
    more=("entry_id", "entry_date", "liquidation", "drawback"),
)
GOODS = """line_id,hts,origin,customs_value,supplier
toys,9503.00.0073,CN,1000000,A
bad,9999.99.9999,CN,100,B
cathodes,7403.11.0000,CL,500000,C
toys,9503.00.0073,VN,100,D
"""
AGAINST_US = {"cn.ag_grain", "cn.ag_other", "cn.recip"}
MONTHS = ("2025-01", "2025-02")
AMOUNTS = ("assessed", *STEPS, "collected", "refunds")


@pytest.fixture(autouse=True)
def files() -> None:
    ENTRIES.write_csv("entries.csv")
    Path("goods.csv").write_text(GOODS, encoding="utf-8")


def test_refunds_are_the_same_everywhere(here: Client, there: Client, server: str, cli: Cli) -> None:
    found, other = (client.refund(ENTRIES, interest_rate="0.07") for client in (here, there))
    assert other.entries.equals(found.entries)
    assert other.headings.equals(found.headings)
    assert (other.total, other.provenance) == (found.total, found.provenance)
    later: dict[str, Any] = {"interest_rate": " Corporate ", "paid_on": "2026-07-10"}
    paid, also = (client.refund(ENTRIES, **later) for client in (here, there))
    assert paid.total == also.total != found.total
    assert paid.entries.equals(also.entries)
    words = f"refund entries.csv --interest-rate 7% --target {server}"
    assert "Reciprocal duty" in cli.out(words, 1)
    told = cli.json(words, 1)
    assert told["total"] == {name: str(amount) for name, amount in found.total.items()}
    assert told["refused"]["rows"][0]["reason"] == "HTS_CODE_MALFORMED"
    assert [entry["refund"] for entry in told["entries"]] == ["3100.20", "900.00", "0.00"]
    assert Path("entries-refused.csv").exists()


def test_changes_are_the_same_everywhere(here: Client, there: Client, cli: Cli) -> None:
    table = ENTRIES.head(3).select("hts", "origin", "customs_value")
    found, other = (client.changes("2025-11-10", "2025-11-14", table) for client in (here, there))
    assert other.changes == found.changes
    assert other.effects.equals(found.effects)
    assert other.lines.equals(found.lines)
    assert found.lines.select("row", "measure", "change").rows()[0] == (0, "fent_cn", -1000.0)
    told = cli.json("law changes --start 2025-11-10 --end 2025-11-14 --origin CN")
    assert {"fent_cn", "recip_cn"} <= {name for change in told["changes"] for name in change["measures"]}
    assert told["provenance"]["known_on"] == "2026-11-24"
    told = cli.json("law changes --start 2025-11-10 --end 2025-11-10 --direction export")
    assert {name for change in told["changes"] for name in change["measures"]} == AGAINST_US
    asked: Any = ("2025-11-10", "2025-11-10", "embedded")
    found, other = (client.changes(*asked, direction="export") for client in (here, there))
    assert other.changes == found.changes
    assert other.effects.equals(found.effects)
    assert found.effects["measure"].to_list() == ["cn.ag_grain", "cn.ag_other"]


def test_an_answer_tells_what_was_considered_and_the_headings(client: Client, cli: Cli) -> None:
    words = "duty 9503.00.0073 --origin CN --value 10000 --date 2026-11-24"
    bare, told = cli.json(words), cli.json(f"{words} --why")
    assert not {"considered", "notes", "provenance"} & bare.keys()
    assert [line["heading"] for line in told["headings"]] == ["9903.05.31", "9503.00.00"]
    assert all(layer.pop("why") for layer in told["layers"])
    assert bare == {name: value for name, value in told.items() if name in bare}
    assert {one["measure"]: one["outcome"] for one in told["considered"]}["recip_cn"] == "ended"
    assert "not recip_cn" not in cli.out(words)
    assert "not recip_cn" in cli.out(f"{words} --why --wide")
    quote = client.duty("9503.00.0073", "CN", "2026-11-24", 10000)
    whole = quote.why()
    assert quote.headings == whole.headings
    assert not quote.considered
    assert not any(layer.why for layer in quote.layers)
    assert whole == client.duty("9503.00.0073", "CN", "2026-11-24", 10000, why=True)
    assert whole.why() is whole
    assert all(layer.why["text"] for layer in whole.layers)


def test_wrong_windows_and_authorities_say_so(cli: Cli) -> None:
    assert "before" in cli.err("law changes --start 2025-11-10 --end 2025-11-01", 2)
    assert "no authority" in cli.err("refund entries.csv --authority iepa", 2)


def test_events_of_watched_goods_have_days_amounts_and_sources(client: Client, cli: Cli) -> None:
    found = client.watch_events("goods.csv", since="2026-07-23", end="2026-07-24")
    rows = [(one.kind, one.line_id, one.known_on, one.effective_on, one.amount) for one in found.events]
    assert ("enacted", "toys", "2026-07-23", "2026-07-24", Decimal("125000.00")) in rows
    assert ("rate_changed", "toys", "2026-07-24", "2026-07-24", Decimal("25000.00")) in rows
    assert all(one.citations and one.text for one in found.events)
    refused = found.refused.select("row", "line_id", "column", "reason").rows()
    assert refused == [(1, "bad", "hts", "HTS_CODE_UNKNOWN"), (3, "toys", "line_id", "REQUEST_INVALID")]
    assert found.frame.height == len(found.events)
    assert found.frame.schema["amount"] == pl.Decimal(20, 2)
    words = "watch events goods.csv --since 2026-09-10 --end 2026-09-10"
    told = cli.json(words, 1)
    assert told["schema"] == "tariffs.watch/v1"
    (event,) = told["events"]
    assert (event["kind"], event["amount"]) == ("announced", None)
    assert event["citations"] == ["Reuters, 2026-09-10"]
    (row,) = csv.DictReader(io.StringIO(cli.out(f"{words} --csv", 1)))
    assert (row["id"], row["line_id"]) == (event["id"], "cathodes")
    assert "announced" in cli.out(words, 1)
    with pytest.raises(InvalidRequest, match="ahead"):
        client.watch_events("goods.csv", ahead=[0])


def test_port_fees_are_the_same_everywhere(here: Client, there: Client, server: str, cli: Cli) -> None:
    found = here.port_fees("2026-12-05", scenario="port-fees-resume")
    assert there.port_fees("2026-12-05", scenario="port-fees-resume") == found
    words = "law port-fees --on 2026-12-05 -s port-fees-resume"
    assert cli.json(f"{words} --target {server}") == json.loads(json.dumps(found.to_json_dict()))
    shown = cli.out(words)
    assert "577.78" in shown
    assert "TVA" in shown
    standings = {"2025-09-01": "not in force", "2026-11-24": "suspended"}
    for day, standing in standings.items():
        assert {fee.standing for fee in here.port_fees(day).fees} == {standing}
    assert {fee.standing for fee in found.fees} == {"collected"}


def test_a_voyage_of_the_caller_takes_its_figures(client: Client, cli: Cli) -> None:
    figures = "--net-tons 60000 --teu 10000 --calls 1 --share 0.2 --source mine"
    (fee,) = cli.json(f"law port-fees --on 2025-11-01 --kind operated {figures}")["fees"]
    assert (fee["total"], fee["per_teu"], fee["teu_of_trade"]) == ("3000000.00", "300.00", "60.00")
    assert (fee["per_ton"], fee["ship"], fee["standing"]) == (None, "", "collected")
    assert {figure["source"] for figure in fee["figures"]} == {"mine"}
    abroad = client.port_fees("2025-11-01", kind="linked", ship="bulk", usd_per_unit=Decimal("0.15"))
    assert abroad.fees[0].per_call == 28000 * 400 * Decimal("0.15")
    with pytest.raises(InvalidRequest) as caught:
        client.port_fees("2026-12-05", kind="operated", net_tons="many")
    assert [one.field for one in caught.value.violations] == ["voyage.net_tons"]
    with pytest.raises(InvalidRequest, match="teu, source given without a kind of ship"):
        client.port_fees("2026-12-05", teu=5, source="mine")


def test_steps_of_collections_add_up_to_the_cent_everywhere(here: Client, there: Client, cli: Cli) -> None:
    found, other = (client.collections(*MONTHS) for client in (here, there))
    assert other.rows.equals(found.rows)
    assert other.provenance == found.provenance
    whole = pl.sum_horizontal("assessed", *STEPS) - pl.col("collected")
    for grouped in (found, here.collections(*MONTHS, by=["origin"])):
        cents = grouped.rows.select((pl.col(AMOUNTS) * 100).round().cast(pl.Int64))
        assert cents.select(whole.abs().max()).item() == 0
        for name in AMOUNTS:
            assert grouped.rows[name].sum() == pytest.approx(found.total[name].item(), abs=0.005)
    # Relief of goods of China that were at sea on 4 February.
    row = found.rows.filter(month="2025-02", authority="ieepa.fentanyl", origin="CN")
    assert row["afloat"].item() < -1e9
    assert row["collected_rate"].item() == pytest.approx(row["collected"].item() / row["imports"].item())
    assert found.frozen["last_month"] == "2026-02"
    words = f"collections --from {MONTHS[0]} --to {MONTHS[1]} --by month,authority,origin"
    wanted = json.loads(json.dumps(found.to_json_dict()))
    assert cli.json(words) == {"schema": "tariffs.collections/v1", **wanted}
    assert "collected" in cli.out(words)
    with refuses("ENTRY_DATE_INVALID"):
        here.collections("2024-12", "2025-02")
    with refuses("GROUP_UNKNOWN"):
        here.collections(*MONTHS, by=["hts2"])
    with refuses("PARAMETER_INVALID"):
        here.collections(*MONTHS, without=["collected"])


TOYS, DAY, SPRING = "9503.00.0073", "2026-11-24", "2025-04-20"
NEAR = Decimal("0.01")
RULE = re.compile(r"19 CFR (146|190|152)\b| v\. |T\.D\. ")
FACTS: dict[str, str | float] = {"withdrawal": "2025-06-20", "rate": 0.06, "export_share": "40%"}
WEIGHTS = "mixture: [{scenario: base, weight: 0.75}, {scenario: ieepa-upheld-truce-lapsed, weight: 0.25}]\n"
MIXTURE = scenario_text(name="either", head=WEIGHTS).removesuffix("changes:\n")


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
        ranked = [(one.landed or 0, one.rank) for one in found.origins if one.rank]
        assert ranked == sorted(ranked)
        assert all((a[0] == b[0]) == (a[1] == b[1]) for a, b in pairwise(ranked))


def test_a_premium_lands_at_the_cost_of_today(client: Client) -> None:
    asked: dict[str, Any] = {"on": "2025-11-10", "origins": ["VN", "MX", "DE"]}
    found, again = (client.source(TOYS, 1000, today=today, **asked) for today in ("CN", "China"))
    assert again.scenarios == found.scenarios
    costs = {one.origin: one for one in found.scenarios[0].origins}
    assert costs["CN"].premium == 0
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
        one.origin: [client.duty(TOYS, one.origin, day, 1000).landed["total"] for day in days]
        for one in found.origins
    }
    for one in found.origins:
        assert abs((one.landed or 0) - sum(daily[one.origin], Decimal(0)) / len(days)) <= NEAR
    assert found.flips
    for flip in found.flips:
        place = days.index(flip.day)
        before, least = ({origin: daily[origin][at] for origin in daily} for at in (place - 1, place))
        assert least[flip.after] == min(least.values()) < least[flip.before]
        assert before[flip.before] == min(before.values())


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


def test_origins_are_compared_the_same_everywhere(here: Client, there: Client, server: str, cli: Cli) -> None:
    offers = Path("offers.csv")
    offers.write_text("origin,unit_cost,freight\nCN,10.5,0.4\nVN,11.0,\n")
    options: dict[str, Any] = {"offers": offers, "on": DAY, "units": 1000, "today": "CN"}
    found = here.source(TOYS, **options)
    assert there.source(TOYS, **options) == found
    words = f"source {TOYS} --offers offers.csv --on {DAY} --units 1000 --today CN"
    document = cli.json(f"{words} --target {server}")
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
    words = f"options {TOYS} --origin CN --date {SPRING} --value 10000"
    words += " --withdrawal 2025-06-20 --rate 6% --fact export_share=40%"
    document = cli.json(f"{words} --target {server}")
    assert document["schema"] == "tariffs.options/v1"
    assert document["scenarios"] == json.loads(json.dumps(found.to_json_dict()))["scenarios"]
    costs = {one["id"]: one["cost"] for one in document["scenarios"][0]["options"]}
    assert costs["warehouse"]["duty"] == "1800.00"
    assert costs["zone_privileged"]["duty"] == "8700.00"
    text = cli.out(words)
    for said in ("Not a ruling or advice.", "Catch: ", "Papers: ", "Not computed without a fact: "):
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
def test_source_and_options_name_a_wrong_field(
    client: Client, verb: str, given: dict[str, Any], reason: str, field: str
) -> None:
    asked = {"unit_cost": 10, "origins": ["CN"]} | given
    if verb == "options":
        asked = {"origin": "CN", "entry_date": SPRING, "value": 10_000, "facts": given}
    with refuses(reason, field):
        getattr(client, verb)(TOYS, **asked)


def test_refunds_of_cases_are_never_above_what_is_paid(client: Client, root: Path) -> None:
    path = root / "tests" / "firm" / "options.yaml"
    for case in read_cases(path):
        asked = {"entry_date" if name == "date" else name: value for name, value in case.asked.items()}
        (found,) = client.options(scenarios=case.scenarios[0], **asked).scenarios
        costs = [found.best.cost, *(one.cost for one in found.options if one.cost is not None)]
        assert all(0 <= one.refunded + one.drawback <= one.duty + one.fees for one in costs), case.id
    cases = load_yaml(path)["cases"]
    assert sum(any(RULE.search(text) for text in case["cite"]) for case in cases) >= 60
    assert all(case["note"] and case["cite"] for case in cases)
