"""The reference pages are those of the law data."""

from __future__ import annotations

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


def test_each_family_says_what_it_gives_way_to_takes_from_and_adds_to(rendered: dict[str, str]) -> None:
    families = rendered["families.md"].split("\n## ")[1:]
    (forced_labor,) = (family for family in families if "(`s301.fl`)" in family)
    assert "- **Gives way** to `s232.metals`, `s232.auto`," in forced_labor
    adds = forced_labor.split("**Adds to** ")[1]
    assert all(f"`{node}`" in adds for node in ("s301.cn", "s338", "s232.uas"))
    assert "`s232.metals`" not in adds
    rules = [rule for rule in load_law().rules if rule.when or rule.on]
    assert [rule.id for rule in rules if f"`{rule.id}`" not in rendered["families.md"]] == [
        "ca_steel_off_surtax"
    ]


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
