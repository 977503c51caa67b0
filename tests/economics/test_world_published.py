"""World models: published figures to their last printed digit, and tables of many sectors from files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tariffs.client import Client
from tariffs.client.cli.app import run as run_command
from tariffs.client.errors import InvalidRequest
from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.response import world as models
from tariffs.engine.runs.world import WorldSpec, world
from tests.economics.worlds import F64, SHARED, USA_ON_CHINA, into, published, small_sectors

COLUMNS = {
    "welfare_pct": "welfare",
    "deficit_pct": "deficit",
    "exports_over_gdp_pct": "exports_to_gdp",
    "imports_over_gdp_pct": "imports_to_gdp",
    "employment_pct": "employment",
    "prices_pct": "prices",
}
WORLD = models.OneSectorWorld(models.baseline(), models.OneSectorParameters())
RATES = published("tariffs_2025_04_02")
TARIFFS = into(WORLD.table, dict(zip(RATES["country"], RATES["rate"], strict=True)))
GROUPS: dict[str, Sequence[str]] = {
    "USA": ["USA"],
    "CHN": ["CHN"],
    "EU": RATES.filter(pl.col("is_eu") == 1)["country"].to_list(),
    "non-US (average)": [name for name in WORLD.table.countries if name != WORLD.table.home],
}


def answer() -> F64:
    """Optimal retaliation of all importers on goods of the home country."""
    rates = np.zeros_like(TARIFFS)
    rates[WORLD.table.home_index] = models.optimal_retaliation(WORLD.model)
    return rates


@pytest.fixture(scope="module")
def cases() -> dict[str, models.WorldResult]:
    lump_sum = models.OneSectorWorld(WORLD.table, models.OneSectorParameters(rebate="lump_sum"))
    best, by_income = (
        into(WORLD.table, models.optimal_tariff(WORLD.model, name)) for name in ("spending", "income")
    )
    return {
        "table_1/1": WORLD.run(TARIFFS),
        "table_1/2": lump_sum.run(TARIFFS),
        "table_1/3": WORLD.run(best),
        "table_2/1": WORLD.run(TARIFFS + TARIFFS.T),
        "table_2/3": WORLD.run(TARIFFS + answer()),
        "table_2/4": WORLD.run(by_income + answer()),
    }


@pytest.mark.parametrize("table", ["table_1", "table_2"])
def test_published_tables_come_out_to_the_printed_digit(
    table: str, cases: dict[str, models.WorldResult]
) -> None:
    rows = published(table)
    for row in rows.iter_rows(named=True):
        result = cases[f"{table}/{row['case'][0]}"]
        for printed, column in COLUMNS.items():
            if printed in rows.columns:
                digits = 1 if printed != "welfare_pct" and printed != "employment_pct" else 2
                found = 100.0 * result.mean(GROUPS[row["country"]], column)
                assert found == pytest.approx(row[printed], abs=0.5001 * 10.0**-digits), (row, column)
    assert all(result.residual <= 1e-10 for result in cases.values())


def test_revenue_is_that_of_table_3(cases: dict[str, models.WorldResult]) -> None:
    of_gdp, of_budget = published("table_3").drop("measure").rows()
    names = ("table_1/1", "table_1/3", "table_2/3", "table_2/1")
    for name, gdp, budget in zip(names, of_gdp, of_budget, strict=True):
        found = 100.0 * cases[name].of("USA", "revenue_to_spending")
        assert (round(found, 2), round(found / 0.23, 2)) == pytest.approx((gdp, budget), abs=0.0051)


def test_every_country_of_the_first_case_agrees(cases: dict[str, models.WorldResult]) -> None:
    rows = published("case_1_by_country")
    found = cases["table_1/1"].countries
    assert found["country"].to_list() == rows["iso3"].to_list()
    for printed, column in COLUMNS.items():
        gap = 100.0 * found[column].to_numpy() - rows[printed].to_numpy()
        assert np.abs(gap).max() <= 1e-6 * max(1.0, np.abs(rows[printed].to_numpy()).max()), column


def test_formulas_of_tariffs_are_the_published_ones() -> None:
    best = (models.optimal_tariff(WORLD.model), models.optimal_tariff(WORLD.model, "income"))
    rates = [*best, float(models.optimal_retaliation(WORLD.model)[0])]
    assert [round(100.0 * rate, 2) for rate in rates] == [21.80, 18.54, 22.74]
    full = models.OneSectorWorld(
        WORLD.table, models.OneSectorParameters(destination_share=0.0, price_elasticity=1.0)
    )
    assert models.uniform_retaliation(full.model) == pytest.approx(0.25)


def test_nafta_is_that_of_caliendo_and_parro() -> None:
    if not SHARED.exists():
        pytest.skip("the table of Caliendo and Parro has no stated licence and is not shipped")
    table = models.sector_table({path.name: path.read_bytes() for path in SHARED.iterdir()})
    later = pl.read_parquet(SHARED / "cp_trade_tariffs.parquet")
    members = ("CAN", "MEX", "USA")
    tariffs, place = table.tariffs.copy(), {name: number for number, name in enumerate(table.countries)}
    columns = ("sector_no", "importer", "exporter", "tariff_2005_pct")
    for sector, importer, exporter, rate in later.select(columns).iter_rows():
        if importer in members and exporter in members:
            tariffs[sector - 1, place[exporter], place[importer]] = rate / 100.0
    result = models.SectorsWorld(table, "zero").run(tariffs)
    found = [round(100.0 * result.of(country, "welfare_first_order"), 2) for country in members]
    assert found == [-0.06, 1.31, 0.08]
    parts = ("terms_of_trade", "volume_of_trade", "real_wage")
    assert [round(100.0 * result.of("MEX", name), 2) for name in parts] == [-0.41, 1.72, 1.72]
    assert 100.0 * result.of("MEX", "welfare") == pytest.approx(0.007, abs=5e-4)
    bloc = [place["CAN"], place["USA"]]
    bought = [trade[:, bloc, place["MEX"]].sum() for trade in (result.trade_before, result.trade_after)]
    assert round(100.0 * (bought[1] / bought[0] - 1.0)) == 118
    assert result.residual <= 1e-10


def files_of(folder: Path) -> None:
    """Write a made-up table of many sectors in the documented form."""
    table, codes = small_sectors(21), np.array(["USA", "CHN", "ROW"])
    labels = [("country", place + 1, code, code, None) for place, code in enumerate(codes.tolist())]
    labels += [("sector", place + 1, "", f"S{place}", theta) for place, theta in enumerate(table.theta)]
    pl.DataFrame(labels, ["kind", "no", "code", "name", "theta"], orient="row").write_csv(
        folder / "labels.csv"
    )
    first, second, third = (axis.ravel() for axis in np.indices((3, 3, 3)))
    trade = {"sector_no": first + 1, "exporter": codes[second], "importer": codes[third]}
    amounts = {"trade_usd": table.flows.ravel(), "tariff_pct": 100.0 * table.tariffs.ravel()}
    pl.DataFrame({**trade, **amounts}).write_parquet(folder / "trade_tariffs.parquet")
    used = {"country": codes[first], "input_sector_no": second + 1, "using_sector_no": third + 1}
    pl.DataFrame({**used, "share_of_intermediates": table.inputs.ravel()}).write_csv(folder / "io.csv")
    made = {"country": codes.repeat(3), "sector_no": np.tile([1, 2, 3], 3)}
    sums = {"gross_output_usd": table.output.ravel(), "va_share": table.value_added.ravel()}
    pl.DataFrame({**made, **sums}).write_csv(folder / "sector_country.csv")


def test_a_table_of_many_sectors_comes_from_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files_of(tmp_path)
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    read, expected = models.sector_table(files), small_sectors(21)
    for name in ("theta", "flows", "tariffs", "output", "value_added", "inputs"):
        np.testing.assert_allclose(getattr(read, name), getattr(expected, name), rtol=1e-12)
    tariffs = tmp_path / "more" / "tariffs.csv"
    tariffs.parent.mkdir()
    tariffs.write_text("importer,exporter,rate,sector\nUSA,CHN,0.5,S1\n", encoding="utf-8")
    asked = ["--model", "sectors", "--trade", str(tmp_path), "--tariffs", str(tariffs), "--local", "--json"]
    assert run_command(["world", *asked]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["country"] for row in document["countries"]] == ["USA", "CHN", "ROW"]
    assert document["schema"] == "tariffs.world/v1"
    assert document["residual"] <= 1e-10
    assert document["countries"][1]["welfare"] < 0.0
    for broken in ("io.csv", "labels.csv"):
        with pytest.raises(InputError, match="one file"):
            models.sector_table({name: data for name, data in files.items() if name != broken})


def test_client_and_command_line_answer_as_the_engine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rates = pl.DataFrame({"importer": ["USA", "CHN"], "exporter": ["CHN", "USA"], "rate": [0.34, 0.1]})
    spec = WorldSpec(rebate="lump_sum", elasticity=5.0, pass_through=0.25)
    expected = world(load_law(), spec, tariffs=rates)
    with Client.local() as client:
        found = client.world(tariffs=rates, rebate="lump_sum", elasticity=5, pass_through=0.25)
        with pytest.raises(InvalidRequest, match="rebate"):
            client.world(tariffs=rates, rebate="none")
    assert found.countries.equals(expected.countries)
    assert (found.residual, found.iterations) == (expected.residual, expected.iterations)
    path = tmp_path / "tariffs.csv"
    rates.write_csv(path)
    options = "--rebate lump_sum --elasticity 4 --set elasticity=5 --pass-through 0.25 --local"
    asked = ["--tariffs", str(path), *options.split()]
    assert run_command(["world", *asked, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["countries"] == found.countries.to_dicts()
    assert document["provenance"]["details"]["world"]["elasticity"] == 5.0
    assert run_command(["world", *asked, "--top", "2"]) == 0
    assert "United States" in capsys.readouterr().out


ICIO = """V1,USA_A,USA_B_C,CHN_A,CHN_B_C,USA_HFCE,USA_GFCF,CHN_HFCE,CHN_GFCF,OUT
USA_A,10,20,1,2,50,5,4,1,93
USA_B_C,15,40,3,6,90,30,8,-2,190
CHN_A,2,3,12,18,4,1,60,10,110
CHN_B_C,4,9,20,50,12,6,70,40,211
TLS,1,2,1,2,3,1,4,2,
VA,61,116,73,133,,,,,
OUT,93,190,110,211,,,,,
"""


def test_the_layout_of_the_oecd_is_read() -> None:
    table = models.icio_table(ICIO.encode(), {"A": 5.0, "B_C": 4.0})
    assert (table.countries, table.sectors) == (("USA", "CHN"), ("A", "B_C"))
    np.testing.assert_allclose(table.flows[:, 0, 1], [8e6, 15e6])
    np.testing.assert_allclose(table.flows[:, 1, 0], [10e6, 31e6])
    np.testing.assert_allclose(table.output, [[93e6, 190e6], [110e6, 211e6]])
    np.testing.assert_allclose(table.value_added[0], [1 - 31 / 93, 1 - 72 / 190])
    np.testing.assert_allclose(table.used[0, :, 0], [12 / 93, 19 / 93])
    solved = models.SectorsWorld(table, "transfers")
    # Inputs, spending and value added agree with each other, so that the table is an equilibrium.
    np.testing.assert_allclose(solved.before.state.wage, 1.0, rtol=1e-10)
    rates = models.with_rates(table, table.tariffs, USA_ON_CHINA)
    result = solved.run(rates)
    assert result.residual <= 1e-10
    assert result.of("CHN", "welfare") < 0.0
    files = {"2022_ICIO.csv": ICIO.encode(), "thetas.csv": b"industry,theta\nA,5\nB_C,4\n"}
    answer = world(
        load_law(), WorldSpec(model="sectors", deficits="transfers"), tariffs=USA_ON_CHINA, files=files
    )
    np.testing.assert_array_equal(answer.countries["welfare"], result.countries["welfare"])
    for broken, words in (
        (ICIO.replace("OUT\n", "SUM\n", 1), "output"),
        (ICIO.replace("CHN_A,2", "CHN_D,2"), "rows"),
    ):
        with pytest.raises(InputError, match=words):
            models.icio_table(broken.encode(), {"A": 5.0, "B_C": 4.0, "D": 1.0})
    with pytest.raises(InputError, match="theta"):
        models.icio_table(ICIO.encode(), {"A": 5.0})
