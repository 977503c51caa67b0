"""The reference pages are those of the law data."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
import yaml

from tariffs.engine.law import load_law
from tariffs.engine.law.files import HERE
from tariffs.reference_pages.names import tables
from tariffs.reference_pages.pages import STACKS, pages

COMMENT = re.compile(r"\s+#.*$")


@pytest.fixture(scope="module")
def rendered() -> dict[str, str]:
    """The pages of the law as it is."""
    return pages(load_law())


def test_pages_are_as_committed(rendered: dict[str, str], root: Path) -> None:
    """After a change of the law data: python -m tariffs.reference_pages docs/law."""
    committed = {path.name: path.read_text(encoding="utf-8") for path in (root / "docs" / "law").iterdir()}
    assert committed.keys() == rendered.keys()
    assert [name for name in rendered if committed[name] != rendered[name]] == []


def test_names_of_the_client_are_those_of_the_law(root: Path) -> None:
    """After a new measure: python -m tariffs.reference_pages.names clients/python/tariffs/client/results/data."""
    folder = root / "clients/python/tariffs/client/results/data"
    assert {name: (folder / name).read_text(encoding="utf-8") for name in tables()} == tables()


def test_every_measure_and_switch_is_on_a_page_and_twelve_stacks_are_worked(rendered: dict[str, str]) -> None:
    law = load_law()
    text = "".join(rendered.values())
    assert all(f"### `{name}`:" in text for name in law.measures)
    assert all(f"| `{name}` |" in rendered["method.md"] for name in law.switches)
    assert rendered["stacks.md"].count("## ") == STACKS


def test_a_period_that_changes_rows_of_another_shows_all_of_them(rendered: dict[str, str]) -> None:
    step = rendered["s232.md"].split("Rows of `s232_cabinets_step`")[1].split("\n\n")[1].splitlines()[2:]
    assert [tuple(cell.strip() for cell in line.split("|")[1:3]) for line in step] == [
        ("", "free"), ("", "10%"), *[("", "up to 15% all-in")] * 4, ("new", "50%"),
    ]  # fmt: skip
    april = rendered["ieepa.md"].split("Rows of `recip_annexI_apr`")[1].split("Rows of")[0]
    assert "| by origin | all goods of 56 origins |" in april
    assert "LS 50% (9903.01.76)" in april
    assert "| the customs value less the US content, the rest under 9903.01.34 | less US content |" in april


def test_rules_name_the_headings_they_leave_out_and_the_entries_they_are_about(
    rendered: dict[str, str],
) -> None:
    lines = rendered["families.md"].splitlines()
    (forced_labor,) = (line for line in lines if line.startswith("| `s301.fl` | `s232.metals`, "))
    assert "; not under 9903.85.67, 9903.85.68 | whole |" in forced_labor
    assert not any("fl301_off_232" in line for line in lines if "(`s232.metals.russia`)" in line)
    wholly = [line for line in lines if "`ch98_wholly_" in line]
    assert len(wholly) == len(("steel", "aluminum", "copper"))
    assert all("if chapter98 in 9802.00.40 9802.00.50 9802.00.60 9802.00.80 and " in line for line in wholly)


def test_each_rule_stands_once_in_the_table_of_its_kind(rendered: dict[str, str]) -> None:
    force, several, switched, chapter98, ended, families = rendered["families.md"].split("\n## ")[2:]
    tables = (force, several, switched, chapter98, ended)
    ids = [[row.split(" | ")[-2] for row in table.splitlines()[4:] if row] for table in tables]
    rules = [f"`{rule.id}`" for rule in load_law().rules if rule.id != "ca_steel_off_surtax"]
    assert sorted(itertools.chain(*ids)) == sorted(rules)
    examples = "s338_off_232_dairy", "one_vehicle", "s338_off_232_all", "ch98_wholly_steel", "recip_off_232"
    assert all(f"`{name}`" in own for name, own in zip(examples, ids, strict=True))
    assert "is all (default dairy_only) |" in switched
    assert "`s338_off_232` | until 2026-09-15 00:01-04:00 |" in ended
    (vehicles,) = (line.split(" | ") for line in families.splitlines() if "(`s232.auto`)" in line)
    assert [("`one_vehicle`" in cell, "`semis_before_232`" in cell) for cell in vehicles[1:]] == [
        (False, True), (True, False),
    ]  # fmt: skip


def test_citations_are_links_to_documents_that_have_an_address(rendered: dict[str, str]) -> None:
    assert "[Proc 10976 (FR 2025-19482)](https://www.federalregister.gov/d/2025-19482)" in rendered["s232.md"]
    document = "| 2025-09-29 | Section 232 on timber, lumber and wood products | `proc_10976` |"
    assert document in rendered["sources.md"]


def test_the_proclamation_that_opens_law_data_is_the_laws_own_with_lines_left_out(root: Path) -> None:
    page = (root / "docs" / "law-data.md").read_text(encoding="utf-8")
    example = page.split("```yaml\n")[1].split("```")[0]
    law = (HERE / "measures/s232_wood.yaml").read_text(encoding="utf-8").splitlines()
    lines = [COMMENT.sub("", line) for line in example.splitlines()]
    place = -1
    for line in lines:
        place = law.index(line, place + 1)
    assert 35 <= len(lines) <= 45
    assert sum("#" in line for line in example.splitlines()) >= len(lines) * 2 // 3
    (measure,) = yaml.safe_load(example)["measures"]
    assert measure["id"] == "s232_cabinets"
