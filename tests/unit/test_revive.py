"""Whether a duty that a void duty displaced is owed after all: a switch, off unless set."""

from __future__ import annotations

import polars as pl
import pytest

from tariffs.engine.law import load_law
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.scenario import library

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
