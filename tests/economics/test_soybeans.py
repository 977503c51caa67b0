"""Soybeans to China in 2025 by month: the table is the reported one, the model that of the law, the chart both."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tariffs.client.cli.__main__ import run
from tariffs.client.results.shipments import MEAN, OBSERVED, shown_months
from tariffs.engine.law import load_law
from tariffs.engine.response.elasticities.parameters import HORIZON_SUPPLY, parameters_for
from tariffs.engine.validation import soybeans
from tariffs.engine.validation.soybeans import SoybeanComparison, SoybeanMonth, compare_soybeans
from tariffs.importers.soybeans import rows_of
from tests.economics.independent.armington import Demand, solve


@pytest.fixture(scope="module")
def compared() -> SoybeanComparison:
    return compare_soybeans()


def found(compared: SoybeanComparison, origin: str, first: int, last: int = 0) -> SoybeanMonth:
    span = (origin, first, last or first)
    return next(row for row in compared.rows if (row.origin, row.first, row.last) == span)


def test_the_months_reported_add_up_to_the_years() -> None:
    """Census Bureau: 27.06 and 7.56 million tons for 12.76 and 3.08 billion dollars."""
    rows = [row for row in soybeans.read_shipped() if row.origin == "US"]
    for year, tons, value in ((2024, 27.059, 12.761), (2025, 7.562, 3.079)):
        own = [row for row in rows if row.year == year]
        assert sum(row.tons for row in own) / 1e6 == pytest.approx(tons, abs=1e-3)
        assert sum(row.value for row in own) / 1e9 == pytest.approx(value, abs=1e-3)
        assert sorted(month for row in own for month in range(row.first, row.last + 1)) == [*range(1, 13)]


def test_the_year_is_beside_the_one_before(compared: SoybeanComparison) -> None:
    year = found(compared, "US", 1, 12)
    assert year.before == pytest.approx(27.06e6, rel=1e-3)
    assert year.observed == pytest.approx(7.56e6, rel=1e-3)
    assert year.observed is not None
    # The duty explains a part of the fall and not the most of it.
    assert 0.15 < (year.before - year.model) / (year.before - year.observed) < 0.35
    months = [row for row in compared.rows if row.origin == "US" and row.first == row.last]
    assert sum(row.model for row in months) == pytest.approx(year.model)


def test_duties_are_those_of_the_days_of_the_month(compared: SoybeanComparison) -> None:
    """Announcements 2, 4, 6, 7 and 10 of 2025, by days of their effect; noon decides."""
    march, april, may = (found(compared, "US", month).rate for month in (3, 4, 5))
    assert march == pytest.approx((9 * 0.03 + 22 * 0.13) / 31)
    assert april == pytest.approx((10 * 0.13 + 0.97 + 19 * 1.38) / 30)
    assert may == pytest.approx((14 * 1.38 + 17 * 0.23) / 31)
    assert [found(compared, origin, 6).rate for origin in ("BR", "AR")] == pytest.approx([0.03, 0.03])


def test_the_model_of_a_month_is_armington_by_hand(compared: SoybeanComparison) -> None:
    """June has one rate, 23 % against 3: nested demand with rising supply, by the slow solver."""
    p = parameters_for(["120190"], horizon="short", importers=["CN"])
    demand = Demand(float(p.sigma[0]), float(p.eta[0]), float(p.eta[0]))
    rows = [found(compared, origin, 6) for origin in ("US", "BR", "AR")]
    worth = [row.before * (row.price or 0) for row in rows]
    solved = solve(worth, [0.03] * 3, [0.23, 0.03, 0.03], HORIZON_SUPPLY["short"], 0.0, demand)
    hats = [row.model / row.before for row in rows]
    np.testing.assert_allclose(hats, solved.quantities, rtol=1e-6)


def test_the_importer_replaces_estimated_weights_and_keeps_what_was_weighed() -> None:
    names = "reporter_iso3 flow partner_iso3 hs6 period value_usd net_weight_kg net_weight_estimated"
    cells = [
        ("USA", "CHN", 120190.0, 202401, 100, 500_000.0, False),
        ("USA", "CHN", 120190.0, 202402, 300, 9e9, True),
        *(("USA", "W00", 120190.0, month, 500, 1.0, False) for month in (202401, 202402, 202403, 202501)),
        ("BRA", "CHN", 120110.0, 202401, 7, 7.0, False),
    ]
    months = pl.DataFrame([(one, "X", *rest) for one, *rest in cells], names.split(), orient="row")
    sums = [(2024, "120190", 800, 4e6), (2025, "120190", 50, 1e5)]
    years = pl.DataFrame(sums, ["year", "hs6", "fas_value_usd", "net_weight_kg"], orient="row")
    rows = {row[:2]: row[3:] for row in rows_of(months, years) if row[2] == "US"}
    spans = (("01", "01"), ("02", "02"), ("03", "03"), ("04", "12"))
    found_rows = [rows[f"2024-{first}", f"2024-{last}"] for first, last in spans]
    assert found_rows == [("100", "500"), ("300", "1500"), ("0", "0"), ("400", "2000")]
    assert rows["2025-02", "2025-12"] == ("50", "100")


def test_months_of_a_sum_show_its_mean(compared: SoybeanComparison) -> None:
    frame = shown_months([row for row in compared.to_dict()["rows"] if row["origin"] == "US"])
    mean = frame.filter(series=MEAN)
    assert mean["month"].to_list() == ["Aug", "Sep", "Oct", "Nov", "Dec"]
    assert float(mean["tons"].sum()) * 1e6 == pytest.approx(found(compared, "US", 8, 12).observed)
    assert frame.filter(year=OBSERVED)["sum"][-1] == pytest.approx(7.562, abs=1e-3)


def test_the_command_prints_draws_and_refuses(
    compared: SoybeanComparison, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "soybeans.svg"
    assert run(["validate", "soybeans", "-o", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(compared.to_dict()))
    assert path.read_text(encoding="utf-8").startswith("<svg")
    assert run(["validate", "soybeans"]) == 0
    assert "The model leaves out" in capsys.readouterr().out
    assert run(["validate", "soybeans", "-o", "soybeans.csv"]) == 2
    assert "Name a .svg or .png file" in capsys.readouterr().err


def test_the_page_has_the_figures_and_the_chart_of_today(compared: SoybeanComparison, root: Path) -> None:
    page = (root / "docs" / "exports.md").read_text(encoding="utf-8")
    names = ("January", "February", "March", "April", "May", "June", "July")
    spans = [*((name, month, month) for month, name in enumerate(names, 1))]
    for name, first, last in [*spans, ("August to December", 8, 12), ("year", 1, 12)]:
        row = found(compared, "US", first, last)
        assert row.observed is not None
        cells = (row.before, row.model, row.observed)
        assert f"| {name} | {' | '.join(f'{tons / 1e6:.2f}' for tons in cells)} |" in page
    for one in compared.left_out:
        assert one.text in " ".join(page.split())
    drawn = (root / "docs" / "soybeans.svg").read_text(encoding="utf-8")
    labels = re.findall(r"month: (\w+); million tons: ([\d.e-]+); year: model 2025", drawn)
    expected = shown_months([row for row in compared.to_dict()["rows"] if row["origin"] == "US"])
    tons = dict(expected.filter(year="model 2025").select("month", "tons").iter_rows())
    assert {month: float(text) for month, text in labels} == pytest.approx(tons)


def test_the_comparison_names_the_law(compared: SoybeanComparison) -> None:
    assert compared.provenance["law_version"] == load_law().version
    assert compare_soybeans(horizon="long").provenance["run_digest"] != compared.provenance["run_digest"]
