"""A switch turned changes only answers that name it; one says whether what a void duty displaced is owed after all."""

from __future__ import annotations

from functools import cache
from typing import Any

import polars as pl
import pytest

from tariffs.engine.errors import TariffsError
from tariffs.engine.law import Law, load_law
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.scenario import library
from tariffs.engine.schedule.reference_data import reference_table

DAYS = ("2025-05-20", "2026-03-10", "2026-08-25", "2027-01-11")
# Codes of the lists that switches are about, beside those drawn.
LISTS = (
    "FL301_52E",
    "S338_VEHICLES",
    "S338_DAIRY",
    "S232_PHARMA",
    "S201_SOLAR",
    "STEEL_DERIV",
    "S301_EXCL_69",
)
ORIGINS = ("CN", "CA", "RU", "DE")
OTHERS = [
    (name, value)
    for name, switch in sorted(load_law().switches.items())
    for value in switch.values
    if value != switch.default
]


@cache
def lines(count: int) -> tuple[tuple[str, str], ...]:
    """Codes and origins: some of each list with a switch, and a sample of the reference table."""
    law = load_law()
    listed = [law.lists[name].codes[0] for name in LISTS if name in law.lists]
    drawn = reference_table().sample(count, seed=7).select("hts", "origin").rows()
    return (*((code.ljust(4, "0"), origin) for code in listed for origin in ORIGINS), *drawn)


def answer(law: Law, hts: str, origin: str, day: str) -> tuple[Any, dict[str, str]]:
    """What a line is charged under a law, and the switches the answer names."""
    claims = {"patented_share": 0.5, "exclusion_share": 1}
    line = EntryLine(hts, origin, 10000, day, claims, quantity=1000, unit="kg")
    try:
        quote = quote_line(law, line)
    except TariffsError:
        return None, {}
    switches: Any = quote.provenance["switches"]
    layers = [(x.measure, x.heading, x.state, x.amount, x.owed) for x in quote.layers]
    return (quote.assessed, quote.owed, quote.min, quote.max, layers), switches


def test_the_reason_of_a_layer_names_the_switch_of_its_period() -> None:
    value = "14.0"
    law = load_law().with_switches({"s201_solar_step": value})
    quote = quote_line(law, EntryLine("8541.43.0010", "KH", 10000, "2025-05-01"))
    reasons = {layer.measure: layer.why for layer in quote.layers}
    assert reasons["s201_solar"]["switch"] == f"s201_solar_step={value}"
    assert reasons["s201_solar"]["text"].endswith(f"Switch s201_solar_step is {value}.")
    assert not [name for name, reason in reasons.items() if name != "s201_solar" and "switch" in reason]


@cache
def before(count: int) -> dict[tuple[str, str, str], tuple[Any, dict[str, str]]]:
    """The answers under the switches' defaults."""
    law = load_law()
    return {(*line, day): answer(law, *line, day) for line in lines(count) for day in DAYS}


@pytest.mark.parametrize(("name", "value"), OTHERS)
def test_only_lines_that_name_a_switch_change(name: str, value: str, scale: int) -> None:
    law = load_law().with_switches({name: value})
    for key, (then, named) in before(8 * scale).items():
        now, named_now = answer(law, *key)
        if now != then:
            assert name in named, key
            assert named_now[name] == value, key


def test_a_switch_is_named_where_it_takes_the_measure_away_and_not_on_other_goods() -> None:
    for value in ("as_read", "none"):
        law = load_law().with_switches({"s338_vehicles_list": value})
        assert answer(law, "0603.19.0142", "CA", "2026-11-24")[1]["s338_vehicles_list"] == value
    _, named = answer(load_law(), "9503.00.0073", "CN", "2025-05-20")
    assert not named.keys() & {"s201_solar_step", "s338_vehicles_list", "fl301_on_russia", "truce_extension"}


# Canadian steel of May 2025, not originating: the fentanyl duty was charged and displaced the duty on steel.
STEEL = EntryLine("7208.51.0030", "CA", 10000, "2025-05-20", {"usmca_share": 0})


@pytest.mark.parametrize(("setting", "owed"), [("off", 0), ("on", 2500)])
def test_displaced_steel_duty_is_owed_only_if_it_revives_alone_and_in_a_table(
    setting: str, owed: int
) -> None:
    quote = quote_line(load_law().with_switches({"revive_displaced": setting}), STEEL)
    assert [quote.assessed, quote.owed] == [2500, owed]
    assert [layer.measure for layer in quote.layers if layer.owed] == (["s232_steel"] if owed else [])
    claims = {"usmca_share": 0.0, "fta_share": 0.0}
    table = pl.DataFrame([{"hts": "7208510030", "origin": "CA", "customs_value": 10000.0, **claims}])
    options = Options(response="none", switches={"revive_displaced": setting})
    point = Point(library()["base"], "2025-05-20")
    (block,) = impact(table, [point], law=load_law(), options=options).scenarios
    assert block.total["duty"] == pytest.approx(2500.0)
    assert block.total["duty_owed"] == pytest.approx(owed)


@pytest.mark.parametrize("declared", [True, False])
def test_the_reason_of_a_revived_duty_names_the_switch(declared: bool) -> None:
    law = load_law()
    line = STEEL if declared else STEEL._replace(claims={})
    for setting in ("on", "off", "on"):
        quote = quote_line(law.with_switches({"revive_displaced": setting}), line)
        reasons = {layer.measure: layer.why for layer in quote.layers}
        switch = reasons["s232_steel"].get("switch", "")
        if setting == "on" and declared:
            assert switch == "revive_displaced=on"
            assert reasons["s232_steel"]["text"].endswith("switch revive_displaced is on.")
        assert "switch" not in reasons["fent_ca"]
        assert quote.provenance["switches"]["revive_displaced"] == setting
