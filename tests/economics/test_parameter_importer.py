"""The importer of the default elasticities, on a table of two rows."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tariffs.engine.response.elasticities import parameters
from tariffs.importers.parameters import main

SECTIONS = """section,chapters,gtap_esubm,protee,bw_hts10,sigma_sr,sigma_lr,lr_p90,ln_sd
II Vegetables,06-14,4.0,20.0,2.0,2.2,4.58,6.7,0.33
XXI Art,97-97,7.5,11.0,2.2,1.5,3.0,6.0,0.54
"""


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def built(tmp_path: Path) -> Path:
    path = tmp_path / "sections.csv"
    path.write_text(SECTIONS, encoding="utf-8")
    main([str(path), "--target", str(tmp_path / "data")])
    return tmp_path / "data"


def test_sections_take_capped_means(built: Path) -> None:
    found = {(row["section"], row["set"]): row for row in rows(built / "hs_sections.csv")}
    assert float(found["II", "high"]["sigma"]) == pytest.approx((4.0 * 12.0) ** 0.5, abs=5e-3)
    assert (
        found["II", "long"]["source"] == "geometric mean of GTAP ESUBM 4.0, ProTEE 20.0, Broda-Weinstein 2.0"
    )
    assert (found["II", "long"]["chapter_from"], found["II", "long"]["chapter_to"]) == ("06", "14")
    assert found["XXI", "high"]["sigma"] == "6.0"


def test_the_shipped_tables_have_the_importers_form(built: Path) -> None:
    shipped = Path(parameters.__file__).parents[1] / "data"
    for path in built.iterdir():
        assert list(rows(path)[0]) == list(rows(shipped / path.name)[0])
    assert rows(built / "product_exceptions.csv") == rows(shipped / "product_exceptions.csv")
