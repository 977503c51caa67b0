"""The reference pages are those of the law data, and each layer cites the acts that made it what it is."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
import yaml

from tariffs.engine.errors import ScenarioError
from tariffs.engine.law import Law, load_law
from tariffs.engine.law.documents import spelled_out
from tariffs.engine.law.files import HERE
from tariffs.engine.line_duty.quote import EntryLine, quote_line
from tariffs.reference_pages.names import tables
from tariffs.reference_pages.pages import STACKS, pages
from tests.law.real_law import raw_law
from tests.unit.laws import at, changed, make_law, measure

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
    """After a new measure: python -m tariffs.reference_pages.names proto/tariffs/names/data."""
    folder = root / "proto/tariffs/names/data"
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
    assert "FR 2025-19482)](https://www.federalregister.gov/d/2025-19482)" in rendered["s232.md"]
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


AIRCRAFT = {"civil_aircraft_share": "1", "aluminum_share": "1"}


def test_aircraft_of_partners_cite_their_own_notice() -> None:
    """The three reliefs begin at one instant; the notices are those of the Federal Register."""
    headings = {"KR": "9903.02.81", "CH": "9903.02.85", "LI": "9903.02.90"}
    notices = {"KR": "FR 2025-21940", "CH": "FR 2025-23316", "LI": "FR 2025-23316"}
    for origin, notice in notices.items():
        line = EntryLine("7608100030", origin, "10000", "2025-12-20", claims=AIRCRAFT)
        (layer,) = (
            one for one in quote_line(load_law(), line).layers if one.measure in {"recip_kr", "recip_ch_li"}
        )
        assert layer.heading == headings[origin]
        assert {one for one in notices.values() if one in str(layer.citations)} == {notice}


def test_a_key_is_spelled_out_with_its_place_and_where_it_was_published() -> None:
    documents = {
        "eo_14257": {"name": "EO 14257", "published": "90 FR 15041"},
        "cfr_19_24_23": {"name": "19 CFR 24.23"},
    }
    for written, shown in {
        "eo_14257 sec. 3(b)": "EO 14257 sec. 3(b) (90 FR 15041)",
        "cfr_19_24_23(c)(1)": "19 CFR 24.23(c)(1)",
        "Reuters, 2026-09-10": "Reuters, 2026-09-10",
        "heading 9903.54.02": "heading 9903.54.02",
    }.items():
        assert spelled_out(written, documents, "cite") == shown
    with pytest.raises(ScenarioError, match="no source 'eo_14275'") as caught:
        spelled_out("eo_14275", documents, "cite")
    assert "eo_14257" in caught.value.fix
    assert spelled_out("a_law without_documents", {}, "cite") == "a_law without_documents"


def test_documents_of_the_law_have_day_title_and_address_where_they_are_public_acts() -> None:
    documents = raw_law()["sources"]
    kinds = ("eo_", "fr_", "csms_", "pub_l_", "proc_")
    acts = {key: one for key, one in documents.items() if key.startswith(kinds)}
    assert len(acts) > 150
    assert [key for key, one in acts.items() if not ("title" in one and "address" in one)] == []
    assert [key for key, one in acts.items() if key.startswith("eo_") and "day" not in one] == []


def test_rows_of_two_acts_of_one_verb_and_instant_cite_their_own() -> None:
    exempt = {"op": "exempt", "from": "2025-06-01", "conf": "B"}

    def cited(law: Law) -> dict[str, tuple[str, ...]]:
        (active,) = law.in_force(at("2025-07-01")).actives
        reliefs = [row for row in active.rows if row.relief]
        return {origin: active.citations(row) for row in reliefs for origin in row.scope.origins[0]}

    events = [{**exempt, "measures": {"origins": [x]}, "cite": [f"Notice on {x}"]} for x in ("AA", "BB")]
    law = make_law([measure("duty", [{"rate": "20%"}], events=events)])
    wanted = {"AA": ("Notice on AA",), "BB": ("Notice on BB",)}
    assert cited(law) == wanted
    law = changed(law, {"op": "exempt", "from": "2025-06-01", "measures": {"id": "duty", "origins": ["CC"]}})
    assert wanted.items() <= cited(law).items()
