"""A measure as shown: its rates, rows and lists, beside periods and acts."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from tariffs.client import Client
from tariffs.client.cli.app import run
from tariffs.engine.law import load_law
from tariffs.engine.law.describe_rows import describe_charge
from tariffs.engine.law.model import Row, Tier
from tariffs.engine.law.values import UnitRate

KILO = UnitRate(Decimal(1), "kg")


def test_every_measure_of_the_law_is_shown_row_by_row() -> None:
    client, law = Client.local(), load_law()
    for name, measure in law.measures.items():
        found = client.measure(name)
        assert [len(period.rows) for period in found.periods] == [len(p.rows) for p in measure.periods], name
        assert all(row.charge and row.goods and row.base for period in found.periods for row in period.rows)
        rated = [row for period in measure.periods for row in period.rows if row.rate]
        shown = [row.charge for period in found.periods for row in period.rows]
        percents = {f"{(row.rate * 100).normalize():f}%" for row in rated if row.rate}
        assert percents <= {word for charge in shown for word in charge.split()}, name


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (Row("add", rate=Decimal("0.125")), "12.5%"),
        (Row("add", rate=Decimal(0), relief=True), "free"),
        (Row("topup_to", rate=Decimal("0.15")), "up to 15% all-in"),
        (Row("total", rate=Decimal("0.1")), "10% in lieu of the ordinary duty"),
        (Row("specific", tiers=(Tier(None, UnitRate(Decimal("0.22"), "W")),)), "0.22 USD/W"),
        (
            Row("specific", tiers=(Tier(Decimal(1000), KILO), Tier(None, UnitRate(Decimal(2), "kg")))),
            "1 USD/kg up to 1,000, then 2 USD/kg",
        ),
        (Row("minimum_price", price=UnitRate(Decimal("0.4"), "W")), "the shortfall to 0.4 USD/W"),
        (Row("ordinary", column="special"), "the ordinary rate, column special"),
        (Row("prohibition"), "imports are prohibited"),
    ],
)  # fmt: skip
def test_what_a_row_charges_is_said_in_words(row: Row, words: str) -> None:
    assert describe_charge(row) == words


def test_the_command_line_prints_rates_rows_and_lists(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["law", "show", "s301_l3", "--local"]) == 0
    said = capsys.readouterr().out
    assert "25%     CN of S301_L3 without S301_L3_04" in said
    assert "product lists: S301_L3 (" in said
    assert run(["law", "show", "s301_l3", "--local", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["periods"][0]["rows"]
    assert rows[0]["charge"] == "10%"


def test_periods_and_acts_say_when_they_were_published_how_sure_they_are_and_what_they_need() -> None:
    client, law = Client.local(), load_law()
    for name, measure in law.measures.items():
        found = client.measure(name)
        assert found.switches == measure.switch
        for period, shown in zip(measure.periods, found.periods, strict=True):
            known = period.known_from.isoformat() if period.known_from else ""
            assert (shown.known_from, shown.confidence, shown.switches) == (known, period.conf, period.switch)
            days = [row.known_from.isoformat() if row.known_from else "" for row in period.rows]
            assert [row.known_from for row in shown.rows] == days
            assert [row.label for row in shown.rows] == [row.label for row in period.rows]
        for act, event in zip(law.acts[name], found.events, strict=True):
            change = act.change
            assert (event.confidence, event.switches, event.heading) == (
                change.conf,
                change.switch,
                change.heading,
            )
            assert event.known_from == (act.known_from.isoformat() if act.known_from else "")
            assert bool(event.goods) == (not act.scope.is_any)
            assert event.conditions == " and ".join(condition.text for condition in act.conditions)


def test_the_command_line_prints_publication_confidence_switches_and_what_is_exempt(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["law", "show", "recip", "--local"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "published 2025-04-02, confidence A" in said
    assert "for ANNEX_II_ELECTRONICS without CA_MX, COLUMN2 under heading 9903.01.32" in said
    assert run(["law", "show", "s232_IA", "--local"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "confidence A, only if switch uk_metals is lower_rate" in said
    assert "2026-05-28" in said


def test_a_measure_on_exports_names_the_country_that_charges_it(capsys: pytest.CaptureFixture[str]) -> None:
    measures = load_law().measures
    shown = {one.id: one.destination for one in Client.local().measures()}
    assert shown == {name: one.market if one.direction == "export" else "" for name, one in measures.items()}
    assert {shown["cn.recip"], shown["recip_cn"]} == {"CN", ""}
    assert run(["law", "measures", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["measures"]
    assert {one["id"]: one["destination"] for one in listed} == shown
    assert run(["law", "show", "cn.recip"]) == 0
    assert "export to CN" in capsys.readouterr().out


def test_the_facts_that_a_measure_asks_for_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["law", "show", "s232_cabinets", "--local"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    (claim,) = (one for one in Client.local().law().claims if one.id == "not_listed_share")
    assert f"not_listed_share: {claim.text}" in said
    assert "usmca_share:" not in said
