"""What is said of an answer: right for someone who knows customs law, and following every fact it names."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tariffs.engine.law import load_law
from tariffs.engine.law.conditions import parse_condition
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.engine.scenario import apply_scenario, parse_scenario
from tests.law.golden_lines import EXPLAINED, considered

# Goods, their origin and day, what is declared of them, a measure whose reason rests on the first, and that reason.
FACTS: dict[str, tuple[str, str, str, dict[str, Any], str, str]] = {
    "usmca steel": ("7208.51.0030", "CA", "2025-05-20", {"usmca_share": 1}, "fent_ca", "is claimed"),
    "usmca car": (
        "8703.23.0190", "MX", "2026-11-24", {"usmca_share": 1, "us_content_share": 0.4}, "fl301", "is claimed",
    ),
    "metal weight": ("9403.20.0075", "CN", "2026-11-24", {"metal_weight_share": 0.1}, "s232_IB", "< 15%"),
    "us content": ("9503.00.0073", "VN", "2025-09-01", {"us_content_share": 0.3}, "recip_country", ">= 20%"),
    "in transit": ("9503.00.0073", "VN", "2025-09-01", {"loading_date": "2025-08-01"}, "recip_country", "<"),
    "donation": ("9503.00.0073", "CN", "2026-11-24", {"donation": True}, "fl301", "is claimed"),
}  # fmt: skip


def reasons(line: EntryLine, measure: str) -> str:
    """All that is said of a measure on a line."""
    law = load_law()
    quote = quote_line(law, line)
    texts = [layer.why["text"] for layer in quote.layers if layer.measure == measure]
    return " ".join([*texts, *(one.text for one in considered(law, line) if one.measure == measure)])


@pytest.mark.parametrize("name", FACTS)
def test_a_dropped_fact_changes_the_reason(name: str) -> None:
    hts, origin, day, claims, measure, holds = FACTS[name]
    fact, *others = claims
    with_it, without = f"because {fact} {holds}", f"{fact} is not declared"
    line = EntryLine(hts, origin, 10000, day, claims)
    dropped = line._replace(claims={other: claims[other] for other in others})
    said, said_without = reasons(line, measure), reasons(dropped, measure)
    assert with_it in said
    assert without in said_without
    assert with_it not in said_without
    assert without not in said


def test_a_fact_taken_as_it_is_because_it_is_not_declared_is_said_to_be_so() -> None:
    line = EntryLine("7214.20.0000", "GB", 10000, "2026-11-24")
    silent, declared = (reasons(line._replace(claims=one), "s232_IA") for one in ({}, {"uk_metal_share": 1}))
    assert "25% on the customs value because uk_metal_share is not declared, so taken as >= 95%." in silent
    assert "because uk_metal_share >= 95%" not in silent
    assert "25% on the customs value because uk_metal_share >= 95%." in declared
    assert "uk_metal_share is not declared" not in declared


def test_a_declared_value_is_named_where_it_fails_and_nothing_of_another_origin() -> None:
    line = EntryLine("9503.00.0073", "VN", 10000, "2025-09-01", {"us_content_share": 0.1})
    assert "us_content_share is 0.1, not >= 20%" in reasons(line, "recip_country")
    found = {one.measure for one in considered(load_law(), line)}
    assert not found & {"fent_cn", "recip_cn", "recip_eu", "s301_l3", "ieepa_br"}


def test_a_listed_sibling_is_named() -> None:
    law = load_law()
    line = EntryLine("6307.90.9891", "CN", 10000, "2026-03-10")
    near = [one for one in considered(law, line) if one.outcome == "not_listed"]
    assert any("6307.90.98.42" in one.text and "not 6307.90.98.91" in one.text for one in near)
    assert all(one.operands["code"] == "6307.90.98.91" and one.operands["siblings"] for one in near)


def test_a_void_duty_is_named_with_its_judgment() -> None:
    found = considered(load_law(), EntryLine("9503.00.0073", "CN", 10000, "2026-11-24"))
    (void,) = (one for one in found if (one.measure, one.outcome) == ("recip_cn", "ended"))
    assert "invalidated on 2026-02-20, not collected from 2026-02-24" in void.text
    assert any("Learning Resources" in cite for cite in void.citations)


@pytest.mark.parametrize("line", EXPLAINED.values(), ids=EXPLAINED.keys())
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


def test_what_a_suspension_of_a_scenario_keeps_is_told_from_a_rate() -> None:
    head = "schema: tariffs.scenario/v1\nid: kept\ntitle: Kept\nbasis: hypothesis\nchanges:\n"
    for change, told in (
        ("suspend, kept: 5%, on_end: none_scheduled", "5%, kept during a suspension, on the customs value."),
        ("set_rate, rate: 5%", "5% on the"),
    ):
        text = f"{head}  - {{op: {change}, measures: {{id: fl301}}, from: 2026-11-01}}\n"
        law = apply_scenario(load_law(), parse_scenario(text, "kept"))
        quote = quote_line(law, EntryLine("9503.00.0073", "CN", 10000, "2026-11-24"))
        (layer,) = (one for one in quote.layers if one.measure == "fl301")
        assert (layer.rate, layer.amount) == (Decimal("0.05"), Decimal("500.00"))
        assert layer.why["text"].startswith(told)


def test_a_fact_of_another_country_is_told_from_the_countries_of_the_condition() -> None:
    condition = parse_condition("smelt_cast_origin in RU BY", {"smelt_cast_origin": "code"}, ZoneInfo("UTC"))
    assert (condition.value, condition.operand) == ("RU BY", frozenset({"RU", "BY"}))
    line = EntryLine("7606.12.3096", "CN", 10000, "2026-11-24", {"smelt_cast_origin": "IN"})
    found = considered(load_law(), line)
    told = [one.text for one in found if "smelt_cast_origin is IN" in one.text]
    assert told
    assert not [text for text in told if "in in" in text or "not == =" in text]
