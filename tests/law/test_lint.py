"""`tariffs law lint` on the installed law and on copies of it with one mistake."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tariffs.client.cli.app import run
from tariffs.engine.law.files import HERE
from tariffs.engine.law.lint import Finding, lint_law


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the law's files."""
    shutil.copytree(HERE, tmp_path / "law")
    return tmp_path / "law"


def replaced(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def findings(folder: Path) -> tuple[Finding, ...]:
    return lint_law(str(folder)).findings


def test_the_installed_law_has_no_findings(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["law", "lint"]) == 0
    assert re.search(r"1\d\d measures, 1\d\d\d rows, 0 findings", capsys.readouterr().out)


def test_a_mistyped_country_is_found_with_file_path_and_nearest_names(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replaced(folder, "measures/s301_other.yaml", "origins: [BR]", "origins: [BZR]")
    assert run(["law", "lint", str(folder), "--json"]) == 4
    (found,) = json.loads(capsys.readouterr().out)["findings"]
    assert found["file"] == "measures/s301_other.yaml"
    assert found["path"] == "measures.s301_br.periods[0].rows[0].origins"
    assert "'BZR'" in found["message"]
    assert "BR" in found["fix"]


def test_mistakes_of_several_measures_are_found_at_once(folder: Path) -> None:
    replaced(folder, "measures/s122.yaml", "rate: 10%", "rate: 10 percent")
    replaced(folder, "measures/s301_other.yaml", "origins: [BR]", "origins: [XQ]")
    assert {found.file for found in findings(folder)} == {"measures/s122.yaml", "measures/s301_other.yaml"}


def test_the_text_form_shows_file_path_message_and_fix(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replaced(folder, "stacking.yaml", "on: [ca.steel_derivatives]", "on: [ca.steel_derivativs]")
    assert run(["law", "lint", str(folder)]) == 4
    text = capsys.readouterr().out
    assert "stacking.yaml: rules.ca_steel_off_surtax.on: " in text
    assert "Did you mean ca.steel_derivatives" in text
    assert "1 finding\n" in text


def write(file: str, text: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / file).write_text(text, encoding="utf-8")

    return change


def put(file: str, old: str, new: str) -> Callable[[Path], None]:
    return lambda folder: replaced(folder, file, old, new)


DAMAGE: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "no YAML": (put("groups.yaml", "groups:", "groups: ["), "groups.yaml", "line"),
    "a missing file": (lambda folder: (folder / "fees.yaml").unlink(), "fees.yaml", "cannot be read"),
    "an unknown key": (put("measures/s122.yaml", "title:", "titel:"), "measures/s122.yaml", "unknown key"),
    "a group nobody uses": (
        put("groups.yaml", "groups:\n", "groups:\n  IDLE: {members: [CA]}\n"), "groups.yaml", "IDLE is used nowhere",
    ),
    "a list nobody uses": (
        write("lists/idle.csv", "code,from,to,scope,cite\n0101,,,,x\n"), "lists", "IDLE is used nowhere",
    ),
    "a row set nobody uses": (
        put("measures/s301_fl.yaml", "row_sets:\n", "row_sets:\n  idle: []\n"), "measures/s301_fl.yaml",
        "idle is used nowhere",
    ),
    "a switch that decides nothing": (
        put("switches.yaml", "switches:\n", 'switches:\n  idle: {default: a, values: [a]}\n'), "switches.yaml",
        "idle decides nothing",
    ),
    "a period that never holds": (
        put("measures/s301_other.yaml", "from: 2028-01-01T00:01-05:00", "from: 2027-01-01T00:01-05:00"),
        "measures/s301_other.yaml", "s301_ni_10 is never in force",
    ),
    "a gap between periods": (
        put("measures/s201.yaml", "        to: 2030-08-15T00:01-04:00", "        to: 2027-01-15T00:01-04:00"),
        "measures/s201.yaml", "s201_quartz_2027 begins after the period before it has ended",
    ),
    "a year mistyped in known_from": (
        put("measures/ieepa_other.yaml", "known_from: 2025-08-06", "known_from: 2026-08-06"),
        "measures/ieepa_other.yaml", "published 344 days after",
    ),
    "a general row before partner rows": (
        put("measures/s232_wood.yaml", "          - {use: partners_2025, with: {goods: S232_CABINETS}}\n",
            "          - {products: [S232_CABINETS], rate: 25%, heading: 9903.76.03}\n"
            "          - {use: partners_2025, with: {goods: S232_CABINETS}}\n"),
        "measures/s232_wood.yaml", "of s232_cabinets_25 is never reached",
    ),
    "a code that is not in the schedule": (
        put("lists/s232_cabinets.csv", "9403", "9499"), "lists", "of S232_CABINETS is not in the schedule",
    ),
    "a heading among the products": (
        put("measures/s232_wood.yaml", "products: [S232_SOFTWOOD]", "products: [S232_SOFTWOOD, 9903.76.01]"),
        "measures/s232_wood.yaml", "99037601 is a heading of chapter 99",
    ),
    "a heading of another family": (
        put("measures/s122.yaml", "heading: 9903.03.01", "heading: 9903.76.03"), "measures/s122.yaml",
        "9903.76.03 of s122_surcharge is a heading under which another family charges",
    ),
    "a partner that a general rate falls below": (
        put("measures/s232_wood.yaml", "set: {rate: {25%: 50%}}", "set: {rate: {25%: 5%}}"), "measures/s232_wood.yaml",
        "of s232_cabinets is dearer than the general rate in some phase",
    ),
    "an offset of the other half of the year": (
        put("measures/s122.yaml", "2026-02-24T00:01-05:00", "2026-02-24T00:01-04:00"), "measures/s122.yaml",
        "2026-02-24T00:01-04:00 has not the offset of its clock",
    ),
    "12:01 a.m. read as noon": (
        put("measures/s122.yaml", "2026-02-24T00:01-05:00", "2026-02-24T12:01-05:00"), "measures/s122.yaml",
        "2026-02-24T12:01-05:00 is a minute after noon",
    ),
    "a rule without a day of publication": (
        put("stacking.yaml", "    known_from: 2024-09-18\n", ""), "stacking.yaml",
        "one_china_301 does not say when it was published",
    ),
    "a list that changes while in use without a day of publication": (
        put("list_changes.yaml", "lists: [STEEL_DERIV]", "lists: []"), "lists",
        "STEEL_DERIV on 2025-06-23 changes while in use",
    ),
    "a change of a list on a day without one": (
        put("list_changes.yaml", "day: 2025-06-23", "day: 2025-06-24"), "list_changes.yaml",
        "STEEL_DERIV is no list that changes on 2025-06-24",
    ),
    "a change of a list that does not exist": (
        put("list_changes.yaml", "lists: [STEEL_DERIV]", "lists: [STEEL_DERIVS]"), "list_changes.yaml",
        "no product list 'STEEL_DERIVS'",
    ),
    "two publications of one change of a list": (
        put("list_changes.yaml", "lists: [STEEL_DERIV]", "lists: [STEEL_DERIV, STEEL_DERIV]"), "list_changes.yaml",
        "two items are of STEEL_DERIV on this day",
    ),
    "a row of a later day without a day of publication": (
        put("measures/ieepa_fentanyl.yaml", "heading: 9903.01.04, known_from: 2025-03-06", "heading: 9903.01.04"),
        "measures/ieepa_fentanyl.yaml", "(9903.01.04) of fent_mx_25 begins after its period",
    ),
    "a family that a rule has forgotten": (
        put("stacking.yaml", "s232.semis, s232.pharma]\n    when_not", "s232.semis]\n    when_not"), "stacking.yaml",
        "s232.pharma in fl301_off_232 is not settled",
    ),
    "a family without a place in reports": (
        put("authorities.yaml", "s338, s232, s201", "s338, s201"), "measures/s232_wood.yaml",
        "s232_softwood has no place in the order of reporting",
    ),
    "a retired code that the schedule has": (
        put("retired.yaml", "codes:\n", 'codes:\n  - "9503.00.00.73"\n'), "retired.yaml",
        "9503000073 is in the schedule, or named nowhere",
    ),
    "a source that sources.yaml does not have": (
        put("measures/s122.yaml", "proc_11012", "proc_11013"), "measures/s122.yaml", "no source 'proc_11013'",
    ),
    "a source of a list that sources.yaml does not have": (
        put("lists/s232_cabinets.csv", "proc_10976", "proc_10967"), "lists/s232_cabinets.csv",
        "no source 'proc_10967'",
    ),
    "a document that nothing cites": (
        put("sources.yaml", "documents:\n", "documents:\n  idle: {name: Idle}\n"), "sources.yaml",
        "idle is cited nowhere",
    ),
    "two documents of one name": (
        put("sources.yaml", "documents:\n", "documents:\n  idle: {name: Proc 11012}\n"), "sources.yaml",
        "idle has this name too",
    ),
    "a document written out": (
        put("measures/s122.yaml", "cite: [proc_11012]", 'cite: ["Proc 11012 cl. 1"]'), "measures/s122.yaml",
        "'Proc 11012 cl. 1' writes out a document",
    ),
    "columns by origin that no table has": (
        put("measures/ieepa_reciprocal.yaml", "{by_origin: april}", "{by_origin: aprl}"),
        "measures/ieepa_reciprocal.yaml", "no columns by origin 'aprl'",
    ),
    "columns by origin that no row takes": (
        put("measures/s301_fl.yaml", "          - {by_origin: free, rate: 0%}\n", ""), "measures/s301_fl.yaml",
        "no row takes the columns free",
    ),
    "a column by origin of no key": (
        put("measures/s301_fl.csv", "duty.rate", "duty.rates"), "measures/s301_fl.csv", "a column is origin",
    ),
    "an authority without a name": (
        put("measures/s122.yaml", "authority: s122", "authority: s122.surcharge"), "measures/s122.yaml",
        "s122.surcharge is not among the names",
    ),
}  # fmt: skip


# The law cannot be read with these, which hides what its checks would find.
UNREADABLE = (
    "no YAML", "a missing file", "an unknown key", "a source that sources.yaml does not have",
    "two documents of one name", "a change of a list on a day without one", "a change of a list that does not exist",
    "two publications of one change of a list", "columns by origin that no table has",
    "columns by origin that no row takes", "a column by origin of no key",
)  # fmt: skip


def is_found(name: str, found: tuple[Finding, ...]) -> bool:
    _, file, message = DAMAGE[name]
    return any(one.file == file and message in one.message and one.fix for one in found)


@pytest.mark.parametrize("name", UNREADABLE)
def test_damage_that_makes_the_law_unreadable_is_found_in_its_file(name: str, folder: Path) -> None:
    DAMAGE[name][0](folder)
    assert is_found(name, findings(folder))


def test_each_damage_of_many_is_found_in_its_file(folder: Path) -> None:
    damage = [name for name in DAMAGE if name not in UNREADABLE]
    for name in damage:
        DAMAGE[name][0](folder)
    found = findings(folder)
    assert [name for name in damage if not is_found(name, found)] == []


def test_a_new_family_of_section_232_gets_the_rules_that_must_name_it_as_a_checklist(folder: Path) -> None:
    """Stacking within Section 232, forced labor, Brazil, chapter 98, and its name for reports; other rules take all."""
    write("measures/s232_robots.yaml", ROBOTS)(folder)
    about = {found.path for found in findings(folder)}
    rules = (
        "semis_before_232",
        "vehicles_before_metals",
        "fl301_off_232",
        "br301_off_232",
        "ch98_processing",
    )
    assert about == {"measures.s232_robots.authority", *(f"rules.{rule}" for rule in rules)}


ROBOTS = """
measures:
  - id: s232_robots
    title: Section 232 duty on robots
    authority: s232.robots
    cite: [a proclamation to come]
    conf: C
    periods:
      - id: s232_robots_2026
        from: 2026-09-01T00:01-04:00
        known_from: 2026-08-20
        cite: [a proclamation to come]
        conf: C
        rows: [{products: ["8479.50"], rate: 25%, heading: 9903.99.01}]
"""
