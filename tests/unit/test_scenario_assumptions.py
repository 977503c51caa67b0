"""Assumptions of scenarios: strict format, merged parent by parent, shown in every comparison."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import yaml

from tariffs.engine.law import load_law
from tariffs.engine.law.assumptions import NONE, Assumptions
from tariffs.engine.law.set_shares import facts_with_claim_shares
from tariffs.engine.line_duty.entry_dates import entry_instant
from tariffs.engine.runs.attribution import attribute
from tariffs.engine.scenario import (
    apply_scenario,
    check_scenario,
    components,
    difference,
    library,
    parse_scenario,
)
from tariffs.engine.scenario.named import library_of
from tests.unit.json_schema import faults
from tests.unit.scenario_tables import valuer

HEAD = "schema: tariffs.scenario/v1\nid: mine\ntitle: Mine\nbasis: hypothesis\n"
# A day on which the law has the controls suspended.
SUSPENDED = "2026-12-05"
CONTROLS, SOYBEANS = "cn.rare_earth_controls", "cn.commitment_soybeans"
ALL = (
    "assumptions:\n"
    f"  let_through: {{{CONTROLS}: '0.5'}}\n"
    f"  compliance: {{{SOYBEANS}: 80%}}\n"
    "  port_calls:\n"
    "    port_fees: {kind: operated, net_tons: 60000, teu: 10000, calls: 2, share: 20%, source: mine}\n"
)


def assumed(text: str, head: str = "") -> Assumptions:
    return apply_scenario(load_law(), parse_scenario(HEAD + head + text)).assumptions


def problems(text: str) -> list[tuple[str, str, int, int]]:
    found = check_scenario(HEAD + text, load_law())
    return [(p.reason, p.path, p.line, p.column) for p in found if p.severity == "error"]


def test_a_scenario_may_assume_and_change_nothing() -> None:
    found = assumed(ALL)
    assert found.let_through == {CONTROLS: Decimal("0.5")}
    assert found.compliance == {SOYBEANS: Decimal("0.8")}
    voyage = found.port_calls["port_fees"]
    assert [voyage.net_tons, voyage.teu, voyage.calls, voyage.share] == [60000, 10000, 2, Decimal("0.2")]
    assert (voyage.kind, voyage.source) == ("operated", "mine")
    assert voyage.cargo_tons is None
    assert load_law().assumptions == NONE
    assert check_scenario(HEAD + ALL, load_law()) == []


def test_a_child_wins_measure_by_measure(tmp_path: Path) -> None:
    parent = f"assumptions: {{let_through: {{{CONTROLS}: 20%, cn.rare_earth_licensing: 30%}}}}\n"
    for name, body in (("above", parent), ("mine", "parents: [above]\n" + ALL)):
        (tmp_path / f"{name}.yaml").write_text(
            HEAD.replace("id: mine", f"id: {name}") + body, encoding="utf-8"
        )
    known = library_of(tmp_path)
    found = apply_scenario(load_law(), known["mine"], known).assumptions
    assert found.let_through == {CONTROLS: Decimal("0.5"), "cn.rare_earth_licensing": Decimal("0.3")}


def test_the_parts_of_a_mixture_keep_theirs_and_the_mixture_has_none() -> None:
    (problem,) = problems(ALL + "mixture: [{scenario: base, weight: 100%}]\n")
    assert problem[:2] == ("SCENARIO_SYNTAX", "assumptions")
    parts = "{scenario: base, weight: 50%}, {scenario: port-fees-resume-per-container, weight: 50%}"
    mixed = parse_scenario(f"{HEAD}mixture: [{parts}]\n")
    laws = [apply_scenario(load_law(), part) for _, part in components(mixed)]
    assert [bool(law.assumptions) for law in laws] == [False, True]


@pytest.mark.parametrize(
    ("same", "text"),
    [
        (True, ALL.replace("'0.5'", "50%")),
        (True, ALL.replace("60000", "60000.0").replace("20%", "'0.2'")),
        (True, ALL.replace("{cn", "{ cn")),
        (False, ALL.replace("'0.5'", "51%")),
        (False, ALL.replace("60000", "60001")),
        (False, ALL.replace("source: mine", "source: yours")),
        (False, ""),
    ],
)
def test_the_digest_is_of_what_is_said(same: bool, text: str) -> None:
    assert (parse_scenario(HEAD + text).digest == parse_scenario(HEAD + ALL).digest) == same


def test_the_schema_takes_what_the_parser_takes() -> None:
    right = yaml.load(HEAD + ALL, Loader=yaml.BaseLoader)
    assert faults(right) == []
    for wrong in ("let_trough: {a: '0.5'}", "let_through: {a: [b]}", "port_calls: {a: {ship: b}}"):
        document = yaml.load(HEAD + f"assumptions: {{{wrong}}}\n", Loader=yaml.BaseLoader)
        assert faults(document), wrong


def test_scenarios_differ_by_their_assumptions() -> None:
    law = load_law()
    found = {item.id: item for item in difference(law, apply_scenario(law, parse_scenario(HEAD + ALL)))}
    assert {item.kind for item in found.values()} == {"assumption"}
    assert (found[f"let_through {CONTROLS}"].first, found[f"let_through {CONTROLS}"].second) == (
        "not set",
        "50%",
    )
    assert "60,000 net tons" in found["port_calls port_fees"].second


def test_what_is_let_through_is_a_unit_of_its_own() -> None:
    """Controls come back, and half is let through: neither does anything alone."""
    back = f"changes:\n  - {{op: snap_back, measures: {{id: {CONTROLS}}}, at: 2026-12-01T00:00+08:00}}\n"
    half = f"assumptions: {{let_through: {{{CONTROLS}: 50%}}}}\n"
    found = attribute(valuer("armington"), library()["base"], parse_scenario(HEAD + back + half), SUSPENDED)
    shares = dict(found.rows.group_by("unit").agg(pl.col("duty_after").sum()).iter_rows())
    assert set(shares) == {"changes[0]", "assumptions"}
    assert shares["assumptions"] == pytest.approx(shares["changes[0]"])
    assert shares["assumptions"] != 0


def test_declared_shares_that_fit_beside_one_a_scenario_sets_stay_as_declared() -> None:
    # USMCA set to 30 %: other preferences declared for half of the value have room and are not scaled up to 70 %.
    text = "changes:\n  - {op: set_claim, claim: usmca_share, share: 30%, cite: [x]}\n"
    law = apply_scenario(load_law(), parse_scenario(HEAD + text))
    instant = entry_instant(law, "2026-11-24")
    for declared, kept in (("0.5", "0.5"), ("0.7", "0.7"), ("0.9", "0.7"), ("0", "0")):
        facts = facts_with_claim_shares(law, instant, lambda scope: True, {"fta_share": Decimal(declared)})
        assert (facts["usmca_share"], facts["fta_share"]) == (Decimal("0.3"), Decimal(kept))
