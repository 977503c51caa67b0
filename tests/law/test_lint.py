"""`tariffs law lint` on the installed law and on copies of it with one mistake."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tariffs.client.cli.app import run
from tariffs.engine.law.documents import source_faults
from tariffs.engine.law.files import HERE
from tariffs.engine.law.lint import Finding, lint_law


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the law's files."""
    shutil.copytree(HERE, tmp_path / "law")
    return tmp_path / "law"


def damage(folder: Path, file: str, old: str, new: str, *_: str) -> None:
    """Put one text for another; without either the file goes, and without the old it is written."""
    path = folder / file
    if not (old or new):
        path.unlink()
        return
    text = path.read_text(encoding="utf-8") if old else ""
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_installed_law_has_no_findings(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["law", "lint"]) == 0
    assert re.search(r"1\d\d measures, 1\d\d\d rows, 0 findings", capsys.readouterr().out)


def test_a_mistyped_country_is_found_with_file_path_and_nearest_names(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(folder, "measures/s301_other.yaml", "origins: [BR]", "origins: [BZR]")
    assert run(["law", "lint", str(folder), "--json"]) == 4
    (found,) = json.loads(capsys.readouterr().out)["findings"]
    assert found["file"] == "measures/s301_other.yaml"
    assert found["path"] == "measures.s301_br.periods[0].rows[0].origins"
    assert "'BZR'" in found["message"]
    assert "BR" in found["fix"]
    assert run(["law", "lint", str(folder)]) == 4
    text = capsys.readouterr().out
    assert "measures/s301_other.yaml: measures.s301_br.periods[0].rows[0].origins: " in text
    assert found["fix"] in text
    assert "1 finding\n" in text


# Each damage: a file, what is put there in place of what, what is said, and where if not in that file.
# The law cannot be read with the first, which hides what its checks would find.
UNREADABLE: list[tuple[str, ...]] = [
    ("groups.yaml", "groups:", "groups: [", "line"),
    ("fees.yaml", "", "", "cannot be read"),
    ("measures/s122.yaml", "title:", "titel:", "unknown key"),
    ("list_changes.yaml", "day: 2025-06-23", "day: 2025-06-24", "STEEL_DERIV is no list that changes on 2025-06-24"),
    ("list_changes.yaml", "lists: [STEEL_DERIV]", "lists: [STEEL_DERIVS]", "no product list 'STEEL_DERIVS'"),
    ("list_changes.yaml", "lists: [STEEL_DERIV]", "lists: [STEEL_DERIV, STEEL_DERIV]",
     "two items are of STEEL_DERIV on this day"),
    ("measures/s122.yaml", "proc_11012", "proc_11013", "no source 'proc_11013'"),
    ("sources.yaml", "documents:\n", "documents:\n  idle: {name: Proc 11012}\n", "idle has this name too"),
    ("measures/ieepa_reciprocal.yaml", "{by_origin: april}", "{by_origin: aprl}", "no columns by origin 'aprl'"),
    ("measures/s301_fl.yaml", "          - {by_origin: free, rate: 0%}\n", "", "no row takes the columns free"),
    ("measures/s301_fl.csv", "duty.rate", "duty.rates", "a column is origin"),
]  # fmt: skip
READABLE: list[tuple[str, ...]] = [
    ("groups.yaml", "groups:\n", "groups:\n  IDLE: {members: [CA]}\n", "IDLE is used nowhere"),
    ("lists/idle.csv", "", "code,from,to,scope,cite\n0101,,,,x\n", "IDLE is used nowhere"),
    ("measures/s301_fl.yaml", "row_sets:\n", "row_sets:\n  idle: []\n", "idle is used nowhere"),
    ("switches.yaml", "switches:\n", "switches:\n  idle: {default: a, values: [a]}\n", "idle decides nothing"),
    ("claims.yaml", "claims:\n", "claims:\n  idle: {type: bool}\n", "idle is read by no row"),
    ("references.yaml", "references:\n", "references:\n  idle: {variants: {settled: {rules: []}}}\n",
     "idle is the share of no claim"),
    ("measures/s301_other.yaml", "from: 2028-01-01T00:01-05:00", "from: 2027-01-01T00:01-05:00",
     "s301_ni_10 is never in force"),
    ("measures/s201.yaml", "        to: 2030-08-15T00:01-04:00", "        to: 2027-01-15T00:01-04:00",
     "s201_quartz_2027 begins after the period before it has ended"),
    ("measures/ieepa_other.yaml", "known_from: 2025-08-06", "known_from: 2026-08-06", "published 344 days after"),
    ("measures/s232_wood.yaml", "          - {use: partners_2025, with: {goods: S232_CABINETS}}\n",
     "          - {products: [S232_CABINETS], rate: 25%, heading: 9903.76.03}\n"
     "          - {use: partners_2025, with: {goods: S232_CABINETS}}\n",
     "of s232_cabinets_25 is never reached"),
    ("lists/s232_cabinets.csv", "9403", "9499", "of S232_CABINETS is not in the schedule"),
    ("measures/s232_wood.yaml", "products: [S232_SOFTWOOD]", "products: [S232_SOFTWOOD, 9903.76.01]",
     "99037601 is a heading of chapter 99"),
    ("measures/s122.yaml", "heading: 9903.03.01", "heading: 9903.76.03",
     "9903.76.03 of s122_surcharge is a heading under which another family charges"),
    ("measures/s232_wood.yaml", "set: {rate: {25%: 50%}}", "set: {rate: {25%: 5%}}",
     "of s232_cabinets is dearer than the general rate in some phase"),
    ("measures/s122.yaml", "2026-02-24T00:01-05:00", "2026-02-24T00:01-04:00",
     "2026-02-24T00:01-04:00 has not the offset of its clock"),
    ("measures/s122.yaml", "2026-02-24T00:01-05:00", "2026-02-24T12:01-05:00",
     "2026-02-24T12:01-05:00 is a minute after noon"),
    ("stacking.yaml", "    known_from: 2024-09-18\n", "", "one_china_301 does not say when it was published"),
    ("list_changes.yaml", "lists: [STEEL_DERIV]", "lists: []", "STEEL_DERIV on 2025-06-23 changes while in use",
     "lists"),
    ("measures/ieepa_fentanyl.yaml", "heading: 9903.01.04, known_from: 2025-03-06", "heading: 9903.01.04",
     "(9903.01.04) of fent_mx_25 begins after its period"),
    ("stacking.yaml", "s232.semis, s232.pharma]\n    when_not", "s232.semis]\n    when_not",
     "s232.pharma in fl301_off_232 is not settled"),
    ("authorities.yaml", "s338, s232, s201", "s338, s201", "s232_softwood has no place in the order of reporting",
     "measures/s232_wood.yaml"),
    ("retired.yaml", "codes:\n", "codes:\n  - \"9503.00.00.73\"\n",
     "9503000073 is in the schedule, or named nowhere"),
    ("lists/s232_cabinets.csv", "proc_10976", "proc_10967", "no source 'proc_10967'", "lists/s232_cabinets.csv"),
    ("sources.yaml", "documents:\n", "documents:\n  idle: {name: Idle}\n", "idle is cited nowhere"),
    ("sources.yaml", "d/2025-02832", "d/2025-10524", "the address of proc_10947 is that of other documents too"),
    ("sources.yaml", "d/2026-03824", "d/2026-03834", "the address of proc_11012 has the number of another document"),
    ("sources.yaml", "day: 2025-10-16", "day: 2025-10-18", "fr_90_48320 is of a Saturday"),
    ("sources.yaml", 'published: "85 FR 5281', 'published: "87 FR 5281',
     "proc_9980 is not of the year of its volume or number"),
    ("sources.yaml", 'published: "90 FR 15041', 'published: "91 FR 15041', "eo_14257 is not of the year of its volume"),
    ("measures/quotas.yaml", "known_from: 2026-08-26", "known_from: 2026-08-27",
     "beef_trimmings_7c_2026 is known later than what it cites, of 2026-08-26"),
    ("stacking.yaml", "id: br301_off_232\n    known_from: 2026-07-20", "id: br301_off_232\n    known_from: 2026-07-22",
     "br301_off_232 is known later than what it cites, of 2026-07-20"),
    ("measures/s122.yaml", "cite: [proc_11012]", "cite: [\"Proc 11012 cl. 1\"]",
     "'Proc 11012 cl. 1' writes out a document"),
    ("measures/s122.yaml", "authority: s122", "authority: s122.surcharge", "s122.surcharge is not among the names"),
]  # fmt: skip


def is_found(found: tuple[Finding, ...], file: str, old: str, new: str, message: str, *where: str) -> bool:
    places = where or ("lists" if file.startswith("lists/") else file,)
    return any(one.file == places[0] and message in one.message and one.fix for one in found)


def test_a_notice_of_january_may_have_a_number_of_december() -> None:
    notice = {"name": "90 FR 1001", "published": "FR 2024-31488", "day": "2025-01-03"}
    assert not list(source_faults({"january": notice}))
    assert list(source_faults({"february": notice | {"day": "2025-02-03"}}))


@pytest.mark.parametrize("row", UNREADABLE, ids=lambda row: row[3])
def test_damage_that_makes_the_law_unreadable_is_found(row: tuple[str, ...], folder: Path) -> None:
    damage(folder, *row)
    assert is_found(lint_law(str(folder)).findings, *row)


def test_each_damage_of_many_is_found_in_its_file(folder: Path) -> None:
    for row in READABLE:
        damage(folder, *row)
    found = lint_law(str(folder)).findings
    assert [row for row in READABLE if not is_found(found, *row)] == []


def test_a_new_family_of_section_232_gets_the_rules_that_must_name_it_as_a_checklist(folder: Path) -> None:
    """Stacking within Section 232, forced labor, Brazil, chapter 98, and its name for reports; other rules take all."""
    damage(folder, "measures/s232_robots.yaml", "", ROBOTS)
    about = {found.path for found in lint_law(str(folder)).findings}
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
