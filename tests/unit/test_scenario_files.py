"""Scenario files: what is read of them, digests of what they do, parents first and once, assumptions by measure."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import yaml

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law import load_law
from tariffs.engine.law.assumptions import NONE
from tariffs.engine.law.set_shares import facts_with_claim_shares
from tariffs.engine.line_duty.entry_dates import entry_instant
from tariffs.engine.runs.attribution import attribute
from tariffs.engine.scenario import (
    Scenario,
    apply_scenario,
    check_scenario,
    components,
    difference,
    library,
    lineage,
    parse_scenario,
)
from tariffs.engine.scenario.named import find, library_of
from tests.unit.scenario_tables import HEAD, MINE, applied, faults, text_of, valuer

LEFT = MINE + (
    "changes:\n"
    "  - op: suspend\n"
    "    measures: {id: [b, a], products: [9503.00]}\n"
    "    from: 2025-11-10T00:01-05:00\n"
    "    until: 2026-11-10\n"
    "    kept: 10%\n"
    "    on_end: snap_back\n"
)
RIGHT = (
    "# the same, laid out another way\n"
    "changes: [{on_end: snap_back, kept: '0.10', until: 2026-11-10T12:00, from: 2025-11-10T05:01+00:00,\n"
    "  measures: {products: '950300', id: [a, b]}, op: suspend, note: said}]\n"
    "basis: 'hypothesis'\ntitle: Another title\nid: mine\nschema: tariffs.scenario/v1\ndescription: words\n"
)
TWO = (
    "{op: revalidate, measures: {authority: ieepa}}",
    "{op: terminate, measures: {id: fl301}, at: 2026-07-24}",
)
CONTROLS, SOYBEANS = "cn.rare_earth_controls", "cn.commitment_soybeans"
# A day on which the law has the controls suspended.
SUSPENDED = "2026-12-05"
ALL = MINE + (
    "assumptions:\n"
    f"  let_through: {{{CONTROLS}: '0.5'}}\n"
    f"  compliance: {{{SOYBEANS}: 80%}}\n"
    "  port_calls:\n"
    "    port_fees: {kind: operated, net_tons: 60000, teu: 10000, calls: 2, share: 20%, source: mine}\n"
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (LEFT, RIGHT),
        (ALL, ALL.replace("'0.5'", "50%")),
        (ALL, ALL.replace("60000", "60000.0").replace("20%", "'0.2'").replace("{cn", "{ cn")),
    ],
)
def test_layout_and_prose_leave_the_digest(one: str, other: str) -> None:
    assert parse_scenario(one).digest == parse_scenario(other).digest


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        (LEFT, "kept: 10%", "kept: 11%"), (LEFT, "T00:01", "T00:02"), (LEFT, "id: mine", "id: yours"),
        (LEFT, "until: 2026-11-10", "until: 2026-11-11"), (LEFT, "9503.00", "9503.01"),
        (LEFT, "on_end: snap_back", "on_end: terminate"), (LEFT, "changes:", "parents: [base]\nchanges:"),
        (text_of(*TWO), text_of(*TWO), text_of(*TWO[::-1])),
        (ALL, "'0.5'", "51%"), (ALL, "60000", "60001"), (ALL, "source: mine", "source: yours"), (ALL, ALL, MINE),
    ],
)  # fmt: skip
def test_what_is_done_or_assumed_changes_the_digest(text: str, old: str, new: str) -> None:
    assert parse_scenario(text).digest != parse_scenario(text.replace(old, new)).digest


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(ScenarioError) as caught:
        find("truce-lapse", library())
    assert caught.value.reason == "SCENARIO_NOT_FOUND"
    assert "truce-lapses" in caught.value.fix


def scenario(name: str, *parents: str) -> Scenario:
    return Scenario(name, name, "", "hypothesis", parents, (), digest="")


def order(name: str, *scenarios: Scenario) -> list[str]:
    known = {s.id: s for s in scenarios}
    return [s.id for s in lineage(known[name], known)]


def test_parents_are_applied_first_in_order_and_once() -> None:
    family = (scenario("a"), scenario("b", "a"), scenario("c", "a"), scenario("d", "b", "c"))
    assert order("d", *family) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    "family",
    [
        (scenario("a", "a"),),
        (scenario("a", "b"), scenario("b", "a")),
        (scenario("a", "b"), scenario("b", "c"), scenario("c", "b")),
    ],
)
def test_a_circle_is_an_error(family: tuple[Scenario, ...]) -> None:
    with pytest.raises(ScenarioError) as caught:
        order("a", *family)
    assert (caught.value.reason, caught.value.path) == ("SCENARIO_CYCLE", "parents[0]")


def write(directory: Path, name: str, body: str) -> None:
    (directory / f"{name}.yaml").write_text(HEAD.format(id=name) + body, encoding="utf-8")


def test_a_digest_includes_those_of_parents_and_a_file_is_named_as_its_scenario(tmp_path: Path) -> None:
    write(tmp_path, "child", "parents: [root]\n")
    write(tmp_path, "root", "")
    before = library_of(tmp_path)
    write(tmp_path, "root", f"changes:\n  - {TWO[0]}\n")
    after = library_of(tmp_path)
    assert list(before) == ["child", "root"]
    assert before["child"].digest != after["child"].digest
    (tmp_path / "child.yaml").rename(tmp_path / "two.yaml")
    with pytest.raises(ScenarioError, match=r"two\.yaml"):
        library_of(tmp_path)


# -- assumptions -----------------------------------------------------------------------------------------------


def test_a_scenario_may_assume_and_change_nothing_and_differs_by_what_it_assumes() -> None:
    law = load_law()
    assert law.assumptions == NONE
    assert check_scenario(ALL, law) == []
    after = apply_scenario(law, parse_scenario(ALL))
    assert after.assumptions.let_through == {CONTROLS: Decimal("0.5")}
    assert after.assumptions.compliance == {SOYBEANS: Decimal("0.8")}
    voyage = after.assumptions.port_calls["port_fees"]
    assert [voyage.net_tons, voyage.teu, voyage.calls, voyage.share] == [60000, 10000, 2, Decimal("0.2")]
    assert (voyage.kind, voyage.source, voyage.cargo_tons) == ("operated", "mine", None)
    found = {item.id: item for item in difference(law, after)}
    assert {item.kind for item in found.values()} == {"assumption"}
    let_through = found[f"let_through {CONTROLS}"]
    assert (let_through.first, let_through.second) == ("not set", "50%")
    assert "60,000 net tons" in found["port_calls port_fees"].second


def test_a_child_wins_measure_by_measure(tmp_path: Path) -> None:
    above = f"{{{CONTROLS}: 20%, cn.rare_earth_licensing: 30%}}"
    write(tmp_path, "above", f"assumptions: {{let_through: {above}}}\n")
    write(tmp_path, "mine", ALL.replace(MINE, "parents: [above]\n"))
    known = library_of(tmp_path)
    found = apply_scenario(load_law(), known["mine"], known).assumptions
    assert found.let_through == {CONTROLS: Decimal("0.5"), "cn.rare_earth_licensing": Decimal("0.3")}


def test_the_parts_of_a_mixture_keep_theirs_and_the_mixture_has_none() -> None:
    found = check_scenario(ALL + "mixture: [{scenario: base, weight: 100%}]\n", load_law())
    assert [(one.reason, one.path) for one in found] == [("SCENARIO_SYNTAX", "assumptions")]
    parts = "{scenario: base, weight: 50%}, {scenario: port-fees-resume-per-container, weight: 50%}"
    mixed = parse_scenario(f"{MINE}mixture: [{parts}]\n")
    laws = [apply_scenario(load_law(), part) for _, part in components(mixed)]
    assert [bool(law.assumptions) for law in laws] == [False, True]


def test_the_schema_takes_the_assumptions_that_the_parser_takes() -> None:
    assert faults(yaml.load(ALL, Loader=yaml.BaseLoader)) == []
    for wrong in ("let_trough: {a: '0.5'}", "let_through: {a: [b]}", "port_calls: {a: {ship: b}}"):
        document = yaml.load(MINE + f"assumptions: {{{wrong}}}\n", Loader=yaml.BaseLoader)
        assert faults(document), wrong


def test_what_is_let_through_is_a_unit_of_its_own() -> None:
    """Controls come back, and half is let through: neither does anything alone."""
    back = f"{{op: snap_back, measures: {{id: {CONTROLS}}}, at: 2026-12-01T00:00+08:00}}"
    half = text_of(back, head=f"assumptions: {{let_through: {{{CONTROLS}: 50%}}}}\n")
    found = attribute(valuer("armington"), library()["base"], parse_scenario(half), SUSPENDED)
    shares = dict(found.rows.group_by("unit").agg(pl.col("duty_after").sum()).iter_rows())
    assert set(shares) == {"changes[0]", "assumptions"}
    assert shares["assumptions"] == pytest.approx(shares["changes[0]"])
    assert shares["assumptions"] != 0


def test_declared_shares_that_fit_beside_one_a_scenario_sets_stay_as_declared() -> None:
    # USMCA set to 30 %: other preferences declared for half of the value have room and are not scaled up to 70 %.
    law = applied("{op: set_claim, claim: usmca_share, share: 30%, cite: [x]}")
    instant = entry_instant(law, "2026-11-24")
    for declared, kept in (("0.5", "0.5"), ("0.7", "0.7"), ("0.9", "0.7"), ("0", "0")):
        facts = facts_with_claim_shares(law, instant, lambda scope: True, {"fta_share": Decimal(declared)})
        assert (facts["usmca_share"], facts["fta_share"]) == (Decimal("0.3"), Decimal(kept))
