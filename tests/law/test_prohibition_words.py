"""Prohibitions of importation: the words of scenario checks, of differences, and of reasons."""

from __future__ import annotations

import pytest

from tariffs.engine.law import load_law
from tariffs.engine.line_duty.quote import EntryLine
from tariffs.engine.scenario import check_scenario
from tariffs.engine.scenario.diff import difference
from tests.law.explained import considered
from tests.law.test_prohibition import BANS, DAY, HEAD, WHISKY, quote, under


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (
            "{op: suspend, measures: {id: s338_ca_alcohol_ban}, from: 2026-10-01, on_end: none_scheduled, kept: 10%}",
            "kept",
        ),
        ("{op: set_rate, measures: {id: s338_ca_alcohol_ban}, from: 2026-10-01, rate: 10%}", "set_rate"),
    ],
)
def test_a_rate_given_to_a_ban_is_said_to_change_nothing(change: str, key: str) -> None:
    said = [
        one.message
        for one in check_scenario(HEAD + f"  - {change}\n", load_law())
        if one.path == "changes[0]"
    ]
    assert said == [f"`{key}` changes nothing: a prohibition has no rate (s338_ca_alcohol_ban)."]
    assert quote(under(change)).assessed == (5_000 if key == "kept" else 0)
    # A selection with duties in it keeps their rate, so nothing is said.
    both = change.replace("id: s338_ca_alcohol_ban", "authority: s338")
    assert check_scenario(HEAD + f"  - {both}\n", load_law()) == []


def test_the_layer_of_a_suspended_ban_speaks_of_no_duty() -> None:
    law = under(
        "{op: suspend, measures: {id: s338_ca_alcohol_ban}, from: 2026-10-01, on_end: none_scheduled}"
    )
    (ban,) = (layer for layer in quote(law).layers if layer.measure == BANS[0])
    assert ban.state == "suspended"
    assert ban.amount == 0
    assert ban.why["text"] == (
        "Suspended: the prohibition is not applied, and the goods may be entered. Switch s338_bans is in_force."
    )


def test_the_difference_of_two_bans_names_the_dates_of_the_goods() -> None:
    later = under("{op: delay, measures: {id: s338_ca_alcohol_ban}, to: 2026-12-01T00:01-05:00}")
    told = [(one.first, one.second) for one in difference(load_law(), later)]
    assert told == [
        ("prohibited", "not in force"),
        (
            "prohibited where import_date >= 2026-09-29T00:01:00-04:00",
            "prohibited where import_date >= 2026-12-01T00:01:00-05:00",
        ),
    ]


def test_the_conditions_of_a_ban_are_in_the_clock_of_imports() -> None:
    (ban,) = quote().layers
    assert ban.why["if"] == "import_date >= 2026-09-29T00:01:00-04:00"
    found = considered(load_law(), EntryLine(WHISKY, "CA", 1, DAY, {"import_date": "2026-09-20"}))
    (passed,) = (one.text for one in found if one.measure == BANS[0] and one.outcome == "not_claimed")
    assert passed.endswith("which is < 2026-09-29T00:01:00-04:00.")
