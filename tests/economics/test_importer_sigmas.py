"""Sigma of the importing country: the table is made from its estimates, and exports respond with it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tariffs.engine.law import load_law
from tariffs.engine.response.constants import DATA
from tariffs.engine.response.elasticities.adjustment_profile import path_parameters_for
from tariffs.engine.response.elasticities.parameters import HORIZON_SUPPLY, SETS, STAGES, parameters_for
from tariffs.engine.runs.impact import impact
from tariffs.engine.runs.options import Options, Point
from tariffs.engine.scenario import library
from tariffs.importers.importer_sigmas import rows_of

SECTIONS = [
    {"section": "II Vegetables", "chapters": "06-14", "gtap_esubm": "4.0", "protee": "20.0"},
    {"section": "XIX Arms", "chapters": "93-93", "gtap_esubm": "7.0", "protee": "11.0"},
    {"section": "XXI Art", "chapters": "97-97", "gtap_esubm": "7.5", "protee": "11.0"},
]
CODES = ["120190", "840710", "300490", "270900"]


def estimates(**by_country: list[tuple[str, float]]) -> pl.DataFrame:
    rows = [(iso, code, sigma) for iso, found in by_country.items() for code, sigma in found]
    return pl.DataFrame(rows, {"iso3": pl.String, "hs0_3d": pl.String, "sigma": pl.Float64}, orient="row")


def test_the_table_is_made_of_capped_means_with_the_importers_own_median() -> None:
    own = [("060", 2.0), ("070", 3.0), ("100", 4.0), ("120", 9000.0), ("930", 500.0)]
    rows = list(rows_of(SECTIONS, estimates(CHN=own, USA=own, XXX=own), {"CHN": "CN", "USA": "US"}))
    assert [row[:2] for row in rows] == [("CN", "II"), ("CN", "XIX")]
    low, high = np.percentile([2.0, 3.0, 4.0, 9000.0, 500.0], [5, 95])
    median = float(np.median(np.clip([2.0, 3.0, 4.0, 9000.0], low, high)))
    long_run = (4.0 * 12.0 * median) ** (1 / 3)
    assert float(rows[0][3]) == pytest.approx(long_run, abs=5e-3)
    assert float(rows[0][2]) == pytest.approx(2.53 * (long_run / 5.5) ** 0.5, abs=5e-3)
    assert float(rows[1][3]) == pytest.approx((7.0 * 11.0 * 4.0) ** (1 / 3), abs=5e-3)
    assert rows[1][5].endswith("(median of the country)")


def test_the_shipped_table_has_every_importer_and_sections_with_sources() -> None:
    path = DATA / "importer_sigmas.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 72 * 20
    assert {"CN", "CA", "MX", "JP", "DE"} <= {row["importer"] for row in rows}
    assert "US" not in {row["importer"] for row in rows}
    assert all(1.05 < float(row["short"]) < float(row["long"]) <= 12 for row in rows)
    assert all("Broda-Weinstein" in row["source"] for row in rows)


def test_products_have_the_sigma_of_the_country_that_imports_them() -> None:
    for horizon in ("short", "long"):
        home, china, canada = (
            parameters_for(CODES, horizon=horizon, importers=[to] * 4 if to else ())
            for to in ("", "CN", "CA")
        )
        for place in (0, 1):
            assert len({home.sigma[place], china.sigma[place], canada.sigma[place]}) == 3
            assert china.sources[china.source[place]].startswith("CN: geometric mean")
        # Drugs and crude oil have estimates that are those of the goods, wherever they go.
        assert china.sigma[2:].tolist() == home.sigma[2:].tolist()
        assert china.eta.tolist() == home.eta.tolist()
        assert len({home.digest, china.digest}) == 2
    mixed = parameters_for(CODES[:1] * 2, horizon="long", importers=["CN", "CA"])
    assert mixed.sigma.tolist() == [
        parameters_for(CODES[:1], horizon="long", importers=[to]).sigma[0] for to in ("CN", "CA")
    ]


@pytest.mark.parametrize("name", [name for name in SETS if name != "central"])
def test_bounds_and_the_set_of_smart_are_those_of_no_importer(name: str) -> None:
    abroad = parameters_for(CODES, set=name, importers=["CN"] * 4)
    assert abroad.sigma.tolist() == parameters_for(CODES, set=name).sigma.tolist()


def test_a_users_value_takes_precedence_and_its_blanks_keep_the_importers(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("hts,sigma,eta\n1201,9,\n8407,,0.5\n", encoding="utf-8")
    found = parameters_for(CODES, horizon="long", set=path, importers=["CN"] * 4)
    own = parameters_for(CODES, horizon="long", importers=["CN"] * 4)
    assert found.sigma.tolist() == [9.0, *own.sigma[1:]]
    assert found.eta[1] == 0.5


def test_a_country_without_estimates_has_those_of_the_united_states_and_is_named() -> None:
    found = parameters_for(CODES, horizon="long", importers=["ZW"] * 4)
    assert found.sigma.tolist() == parameters_for(CODES, horizon="long").sigma.tolist()
    assert found.foreign == ("ZW",)
    assert parameters_for(CODES, horizon="long", importers=["CN"] * 4).foreign == ()


def test_the_path_ends_at_the_importers_long_run() -> None:
    path = path_parameters_for(CODES, importers=["CN"] * 4)
    ends = {stage: parameters_for(CODES, horizon=stage, importers=["CN"] * 4) for stage in STAGES}
    assert path.at(10.0).sigma.tolist() == ends["long"].sigma.tolist()
    assert path.at(0.0).sigma.tolist() == ends["impact"].sigma.tolist()


def test_exports_respond_with_the_sigma_of_their_destination() -> None:
    """Goods of a small share, alone under a duty: their price rises by all that suppliers do not bear."""
    table = pl.DataFrame(
        {
            "hts": ["720851"] * 4,
            "origin": ["US", "DE"] * 2,
            "customs_value": [1.0, 1e6] * 2,
            "destination": ["CN", "CN", "CA", "CA"],
        }
    )
    options = Options(by=("destination", "origin"), horizon="long", direction="export", baseline="2025-01-01")
    points = [Point(library()["base"], day) for day in ("2025-01-01", "2025-04-15")]
    before, after = (
        {row["destination"]: row for row in one.groups.filter(origin="US").to_dicts()}
        for one in impact(table, points, law=load_law(), options=options).scenarios
    )
    for to in ("CN", "CA"):
        sigma = parameters_for(["720851"], horizon="long", importers=[to]).sigma[0]
        wedge = np.log((1 + after[to]["effective_rate"]) / (1 + before[to]["effective_rate"]))
        supply = HORIZON_SUPPLY["long"]
        expected = -sigma * supply / (sigma + supply) * wedge
        assert wedge > 0.2
        assert np.log(after[to]["quantity_hat"]) == pytest.approx(expected, rel=1e-4)
