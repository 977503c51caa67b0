"""What is said of an answer: right for someone who knows customs law, and following every fact it names."""

from __future__ import annotations

from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from tariffs.engine.law import load_law
from tariffs.engine.law.conditions import parse_condition
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.scenario import apply_scenario, parse_scenario
from tests.law.explained import CASES, considered

# A line, one of its facts, a measure whose reason rests on it, and what the reason says with and without the fact.
FACTS = {
    "usmca steel": (
        EntryLine("7208.51.0030", "CA", 10000, "2025-05-20", {"usmca_share": 1}),
        "usmca_share", "fent_ca", "because usmca_share is claimed", "usmca_share is not declared",
    ),
    "usmca car": (
        EntryLine("8703.23.0190", "MX", 30000, "2026-11-24", {"usmca_share": 1, "us_content_share": 0.4}),
        "usmca_share", "fl301", "because usmca_share is claimed", "usmca_share is not declared",
    ),
    "metal weight": (
        EntryLine("9403.20.0075", "CN", 10000, "2026-11-24", {"metal_weight_share": 0.1}),
        "metal_weight_share", "s232_IB", "because metal_weight_share < 15%", "metal_weight_share is not declared",
    ),
    "us content": (
        EntryLine("9503.00.0073", "VN", 10000, "2025-09-01", {"us_content_share": 0.3}),
        "us_content_share", "recip_country", "because us_content_share >= 20%", "us_content_share is not declared",
    ),
    "in transit": (
        EntryLine("9503.00.0073", "VN", 10000, "2025-09-01", {"loading_date": "2025-08-01"}),
        "loading_date", "recip_country", "because loading_date <", "loading_date is not declared",
    ),
    "donation": (
        EntryLine("9503.00.0073", "CN", 10000, "2026-11-24", {"donation": True}),
        "donation", "fl301", "because donation is claimed", "donation is not declared",
    ),
}  # fmt: skip


def reasons(line: EntryLine, measure: str) -> str:
    """All that is said of a measure on a line."""
    law = load_law()
    quote = quote_line(law, line)
    texts = [layer.why["text"] for layer in quote.layers if layer.measure == measure]
    return " ".join([*texts, *(one.text for one in considered(law, line) if one.measure == measure)])


@pytest.mark.parametrize("name", FACTS)
def test_a_dropped_fact_changes_the_reason(name: str) -> None:
    line, fact, measure, with_it, without = FACTS[name]
    dropped = line._replace(claims={key: value for key, value in line.claims.items() if key != fact})
    said, said_without = reasons(line, measure), reasons(dropped, measure)
    assert with_it in said
    assert without in said_without
    assert with_it not in said_without
    assert without not in said


def test_a_fact_taken_as_it_is_because_it_is_not_declared_is_said_to_be_so() -> None:
    line = EntryLine("7214.20.0000", "GB", 10000, "2026-11-24")
    silent, declared = (
        reasons(line._replace(claims=claims), "s232_IA") for claims in ({}, {"uk_metal_share": 1})
    )
    assert "25% on the customs value because uk_metal_share is not declared, so taken as >= 95%." in silent
    assert "because uk_metal_share >= 95%" not in silent
    assert "25% on the customs value because uk_metal_share >= 95%." in declared
    assert "uk_metal_share is not declared" not in declared


def test_a_declared_value_is_named_where_it_fails() -> None:
    line = EntryLine("9503.00.0073", "VN", 10000, "2025-09-01", {"us_content_share": 0.1})
    assert "us_content_share is 0.1, not >= 20%" in reasons(line, "recip_country")


def test_a_listed_sibling_is_named() -> None:
    law = load_law()
    line = EntryLine("6307.90.9891", "CN", 10000, "2026-03-10")
    near = [one for one in considered(law, line) if one.outcome == "not_listed"]
    assert any("6307.90.98.42" in one.text and "not 6307.90.98.91" in one.text for one in near)
    assert all(one.operands["code"] == "6307.90.98.91" and one.operands["siblings"] for one in near)


def test_a_void_duty_is_named_with_its_judgment() -> None:
    line = EntryLine("9503.00.0073", "CN", 10000, "2026-11-24")
    law = load_law()
    found = considered(law, line)
    ended = {one.measure: one for one in found if one.outcome == "ended"}
    assert {"fent_cn", "recip_cn"} <= ended.keys()
    assert "invalidated on 2026-02-20, not collected from 2026-02-24" in ended["recip_cn"].text
    assert any("Learning Resources" in cite for cite in ended["recip_cn"].citations)


def test_nothing_considered_is_of_another_origin() -> None:
    law = load_law()
    line = EntryLine("9503.00.0073", "VN", 10000, "2025-09-01")
    found = considered(law, line)
    assert not {one.measure for one in found} & {"fent_cn", "recip_cn", "recip_eu", "s301_l3", "ieepa_br"}


@pytest.mark.parametrize("line", CASES.values(), ids=CASES.keys())
def test_every_sentence_has_its_rule_and_source(line: EntryLine) -> None:
    law = load_law()
    quote = quote_line(law, line)
    for one in considered(law, line):
        assert one.rule
        assert one.text.endswith(".")
        assert one.citations
    assert all(layer.citations and layer.why["rule"] and layer.why["text"] for layer in quote.layers)
    assert sum(one.amount for one in quote.headings) == quote.assessed


def test_headings_come_in_the_order_of_the_form_and_once() -> None:
    law = load_law()
    line = EntryLine("7318.15.8066", "CN", 10000, "2025-09-01", {"chapter98": "9802.00.80"})
    quote = quote_line(law, line)
    headings = [one.heading for one in quote.headings]
    assert headings[0] == "9802.00.80"
    assert headings[-1] == "7318.15.80"
    assert headings.index("9903.88.03") < headings.index("9903.01.24") < headings.index("9903.81.90")
    assert len(headings) == len(set(headings))
    order = law.authorities["reporting"]["order"]
    told = [next((x for x in order if f"{y.authority}.".startswith(f"{x}.")), "") for y in quote.layers]
    assert [node for node in dict.fromkeys(told) if node] == [node for node in order if node in told]


def test_a_charge_that_waits_for_a_fact_does_not_say_the_fact_is_claimed() -> None:
    line = EntryLine("8413.30.9090", "JP", 10000, "2026-06-01")
    layer = next(one for one in quote_line(load_law(), line).layers if one.measure == "s232_autoparts")
    assert (layer.state, layer.amount, layer.max) == ("undetermined", Decimal(0), Decimal("1250.00"))
    assert layer.why["text"] == (
        "Exempt under 9903.94.06 because vehicle_part_share is not claimed. If vehicle_part_share is claimed: "
        "Topped up to 15% all-in: 12.5% over the ordinary 2.5% on the customs value."
    )
    declared = line._replace(claims={"vehicle_part_share": 1})
    charged = next(one for one in quote_line(load_law(), declared).layers if one.measure == "s232_autoparts")
    assert charged.why["text"].endswith("on the customs value because vehicle_part_share is claimed.")


@pytest.mark.parametrize(
    ("change", "rate"),
    [
        (
            "op: suspend, kept: 5%, on_end: none_scheduled",
            "5%, kept during a suspension, on the customs value.",
        ),
        ("op: set_rate, rate: 5%", "5% on the"),
    ],
)
def test_what_a_suspension_of_a_scenario_keeps_is_told_from_a_rate(change: str, rate: str) -> None:
    head = "schema: tariffs.scenario/v1\nid: kept\ntitle: Kept\nbasis: hypothesis\nchanges:\n"
    text = f"{head}  - {{{change}, measures: {{id: fl301}}, from: 2026-11-01}}\n"
    law = apply_scenario(load_law(), parse_scenario(text, "kept"))
    quote = quote_line(law, EntryLine("9503.00.0073", "CN", 10000, "2026-11-24"))
    layer = next(one for one in quote.layers if one.measure == "fl301")
    assert (layer.rate, layer.amount) == (Decimal("0.05"), Decimal("500.00"))
    assert layer.why["text"].startswith(rate)


def test_a_fact_of_another_country_is_told_from_the_countries_of_the_condition() -> None:
    condition = parse_condition("smelt_cast_origin in RU BY", {"smelt_cast_origin": "code"}, ZoneInfo("UTC"))
    assert (condition.value, condition.operand) == ("RU BY", frozenset({"RU", "BY"}))
    line = EntryLine("7606.12.3096", "CN", 10000, "2026-11-24", {"smelt_cast_origin": "IN"})
    found = considered(load_law(), line)
    told = [one.text for one in found if "smelt_cast_origin is IN" in one.text]
    assert told
    assert not [text for text in told if "in in" in text or "not == =" in text]
