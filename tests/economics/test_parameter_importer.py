"""The importer of the default elasticities, on tables of two rows."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tariffs.engine.response import parameters
from tariffs.importers.parameters import main

SECTIONS = """section,chapters,gtap_esubm,protee,bw_hts10,sigma_sr,sigma_lr,lr_p90,ln_sd
II Vegetables,06-14,4.0,20.0,2.0,2.2,4.58,6.7,0.33
XXI Art,97-97,7.5,11.0,2.2,1.5,3.0,6.0,0.54
"""
SECTORS = """gtap,sigma_lr,ln_sd,sigma_sr,eta_sr,eta_lr,kappa_lr_esubd
pdr,10.1,0.45,3.43,1.5,2.0,5.05
"""
ESTIMATES = """gtap,esubd,esubm,protee_n,protee_median,bw_n,bw_median
pdr,5.05,10.1,4,7.37,,
"""


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def built(tmp_path: Path) -> Path:
    texts = {"sections.csv": SECTIONS, "sectors.csv": SECTORS, "estimates.csv": ESTIMATES}
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    main([*(str(tmp_path / name) for name in texts), "--target", str(tmp_path / "data")])
    return tmp_path / "data"


def test_sections_take_capped_means(built: Path) -> None:
    found = {(row["section"], row["set"]): row for row in rows(built / "hs_sections.csv")}
    assert float(found["II", "high"]["sigma"]) == pytest.approx((4.0 * 12.0) ** 0.5, abs=5e-3)
    assert (
        found["II", "long"]["source"] == "geometric mean of GTAP ESUBM 4.0, ProTEE 20.0, Broda-Weinstein 2.0"
    )
    assert (found["II", "long"]["chapter_from"], found["II", "long"]["chapter_to"]) == ("06", "14")
    assert found["XXI", "high"]["sigma"] == "6.0"


def test_sectors_leave_out_medians_over_few_codes(built: Path) -> None:
    found = {row["set"]: row for row in rows(built / "gtap_sectors.csv")}
    assert found["long"]["source"] == "geometric mean of GTAP ESUBM 10.1"
    assert (found["long"]["kappa"], found["short"]["kappa"]) == ("5.05", "1.19")


def test_the_shipped_tables_have_the_importers_form(built: Path) -> None:
    shipped = Path(parameters.__file__).parent / "data"
    for path in built.iterdir():
        assert list(rows(path)[0]) == list(rows(shipped / path.name)[0])
    assert rows(built / "product_exceptions.csv") == rows(shipped / "product_exceptions.csv")
