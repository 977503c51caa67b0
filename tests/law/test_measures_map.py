"""Every known act of US trade law since 2025 is in the law by name: as a measure, a period, a fee or an event."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

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


@pytest.mark.parametrize("entry", ENTRIES)
def test_entry_is_in_the_law(entry: str, names: set[str]) -> None:
    if entry in RELIEFS:
        texts = [path.read_text(encoding="utf-8") for path in (LAW / "measures").glob("ieepa_*.yaml")]
        assert any(RELIEFS[entry] in text for text in texts)
    else:
        assert entry in names


def test_entries_are_those_of_the_source() -> None:
    if not SOURCE.exists():
        pytest.skip("the source of the entries is not beside the checkout")
    source = load(SOURCE)["measures"]
    assert [m["id"] for m in source] == ENTRIES


def test_period_labels_are_one_measure_each(measures: list[Any]) -> None:
    labels = [p["id"] for m in measures for p in m.get("periods", [])]
    assert len(labels) == len(set(labels))


def test_what_is_not_modelled_says_what_it_could_touch(measures: list[Any]) -> None:
    silent = [
        m["id"]
        for m in measures
        if m.get("modelled") == "no" and m.get("direction", "import") == "import" and not m.get("touches")
    ]
    assert silent == []
