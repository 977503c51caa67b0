"""Every known act of US trade law since 2025 is in the law by name, and each measure charges some line."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tariffs.engine.law import load_law
from tariffs.engine.law.law import IMPORT
from tariffs.engine.table_duty.duties import Dated, duties_of
from tariffs.engine.tables.prepare import prepare_table
from tests.law.golden_lines import LINES, quote_of

HERE = Path(__file__).parent
LAW = HERE.parents[1] / "engine" / "tariffs" / "engine" / "law" / "data"
SOURCE = HERE.parents[2] / "shared" / "spec" / "measures.yaml"

# Acts that only free goods of other measures: the relief by the list it names.
RELIEFS = {
    "recip_exempt_electronics": "ANNEX_II_ELECTRONICS",
    "recip_exempt_sep": "ANNEX_II_2025_09_08",
    "recip_exempt_ag": "ANNEX_II_AG_2025_11_13",
}
ENTRIES = (HERE / "entries.txt").read_text(encoding="utf-8").split()


def load(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


@pytest.fixture(scope="module")
def measures() -> list[Any]:
    return [m for path in sorted((LAW / "measures").glob("*.yaml")) for m in load(path)["measures"]]


@pytest.fixture(scope="module")
def names(measures: list[Any]) -> set[str]:
    found = {m["id"] for m in measures} | {p["id"] for m in measures for p in m.get("periods", [])}
    fees = load(LAW / "fees.yaml")
    return found | {fee["id"] for fee in [*fees["mpf"], *fees["hmf"]]}


def test_every_entry_is_in_the_law(names: set[str]) -> None:
    texts = "".join(path.read_text(encoding="utf-8") for path in (LAW / "measures").glob("ieepa_*.yaml"))
    missing = [one for one in ENTRIES if one not in RELIEFS and one not in names]
    missing += [one for one, text in RELIEFS.items() if text not in texts]
    assert missing == []


def test_entries_are_those_of_the_source() -> None:
    if not SOURCE.exists():
        pytest.skip("the source of the entries is not beside the checkout")
    source = load(SOURCE)["measures"]
    assert [m["id"] for m in source] == ENTRIES


def test_period_labels_are_one_measure_each(measures: list[Any]) -> None:
    labels = [p["id"] for m in measures for p in m.get("periods", [])]
    assert len(labels) == len(set(labels))


def test_what_is_not_modelled_says_what_it_could_touch(measures: list[Any]) -> None:
    unmodelled = [
        m for m in measures if m.get("modelled") == "no" and m.get("direction", "import") == "import"
    ]
    assert [m["id"] for m in unmodelled if not m.get("touches")] == []


# -- each measure charges something --------------------------------------------------------------------------

EMBEDDED = load_law()
IMPORTS = [m for m in EMBEDDED.measures.values() if m.direction == IMPORT]
MODELLED = [m.id for m in IMPORTS if m.modelled and not m.announced]
DATES = (
    "2025-02-10", "2025-03-20", "2025-05-20", "2025-08-20", "2025-12-01", "2026-03-15", "2026-06-15", "2026-11-20",
    "2027-02-01",
)  # fmt: skip
NO_LIST = "which goods the notice reaches was not seen; a line says that it is one of them"
PROVISION = "no source says which goods entered under it; the sourced share of preferences holds them"
POLYSILICON = "reaches goods made of polysilicon, which no source tells apart from others of their codes"
CRANES = "no source tells ship-to-shore cranes apart from others of their code"
# Measures that are a layer of no line of the reference table, and why; what may be hit is in the notes of a result.
NOT_IN_THE_TABLE = {
    "agoa_apparel": PROVISION,
    "cbtpa_apparel": PROVISION,
    "hope_apparel": PROVISION,
    "beef_trimmings_7c": "the quantity of the quota was not seen, and no source says which goods entered within it",
    "recip_transship": "follows a finding of Customs on one entry",
    "s232_polysilicon": POLYSILICON,
    "s232_polysilicon_mip": POLYSILICON,
    "s301_l4b": "suspended from its first day, without an end",
    "s301_semi": NO_LIST,
    "s301_sts_cranes": CRANES,
    "sts_crane_100": CRANES,
}


@cache
def in_cases() -> set[str]:
    """Measures that are a layer of some worked entry."""
    return {layer.measure for line in LINES.values() for layer in quote_of(line).layers}


@cache
def in_table() -> frozenset[str]:
    """Measures that are a layer of some line of the reference table on one of the dates, with the sourced shares."""
    lines = prepare_table(None, EMBEDDED).lines
    met: set[str] = set()
    for day in DATES:
        dated = Dated([datetime.fromisoformat(f"{day}T12:00-05:00")], [EMBEDDED.as_of], None)
        met |= duties_of(EMBEDDED, lines, dated, lambda: None).measures
    return frozenset(met)


@pytest.mark.parametrize("name", MODELLED)
def test_a_worked_entry_and_a_line_of_the_reference_table_exercise_it(name: str) -> None:
    assert name in in_cases()
    assert (name in in_table()) != (name in NOT_IN_THE_TABLE)


def test_reasons_are_of_modelled_measures() -> None:
    assert NOT_IN_THE_TABLE.keys() <= set(MODELLED)
