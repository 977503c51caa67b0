"""The world under laws: tariffs by partner, the response of tables, games, client and command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.client import Client
from tariffs.client.cli.app import run as run_command
from tariffs.client.errors import InvalidRequest
from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.response.world import (
    OneSectorParameters,
    OneSectorWorld,
    SectorsWorld,
    baseline,
    icio_table,
    optimal_retaliation,
    with_rates,
)
from tariffs.engine.response.world.read_tables import sector_table
from tariffs.engine.runs.impact import impact
from tariffs.engine.runs.options import Options, Point
from tariffs.engine.runs.outcomes.table_run import RunContext
from tariffs.engine.runs.sweeps.sweep import sweep
from tariffs.engine.runs.timeline import timeline
from tariffs.engine.runs.world import WorldSpec, answered, world, world_of
from tariffs.engine.runs.world_tariffs import LawTariffs
from tariffs.engine.scenario import library, parse_scenario
from tests.economics.worlds import ON, TABLE, USA_ON_CHINA, into, small_sectors

HOME = baseline().home_index
NAMES = baseline().countries
TEN = parse_scenario(
    "schema: tariffs.scenario/v1\nid: ten\ntitle: Ten more on China\nbasis: hypothesis\nchanges:\n"
    "- {op: add, measure: {id: ten, title: Ten, authority: ten, periods: [{id: ten_1, from: 2026-01-01T00:00, "
    "rows: [{origins: [CN], rate: 0.1}]}]}, cite: [test]}\n",
    "ten",
)


@pytest.fixture(scope="module")
def found() -> LawTariffs:
    return LawTariffs(load_law(), Options(), RunContext(None, None), baseline())


def test_tariffs_are_changes_of_the_mean_duty_by_partner(found: LawTariffs) -> None:
    base, more = found.imports(library()["base"], ON), found.imports(TEN, ON)
    gained = more - base
    assert [NAMES[place] for place in np.flatnonzero(np.abs(gained) > 1e-12)] == ["CHN"]
    assert gained[NAMES.index("CHN")] == pytest.approx(0.1, abs=0.005)
    before = found.imports(library()["base"], "2025-01-01")
    assert np.abs(before).max() < 1e-12
    assert base[NAMES.index("CHN")] > 0.05


def test_partners_charge_what_their_law_says_over_all_exports(found: LawTariffs) -> None:
    charged = found.exports(library()["base"], ON)
    assert {NAMES[place] for place in np.flatnonzero(charged)} == {"CAN", "CHN"}
    assert 0.0 < charged.max() < 0.2


def test_tariffs_by_sector_are_those_of_goods_in_it() -> None:
    labels = ("Agriculture", "Auto", "Services")
    table = small_sectors(1)
    table = type(table)(
        **{**vars_of(table), "countries": ("USA", "CHN", "ROW"), "sectors": labels, "home": "USA"}
    )
    law_tariffs = LawTariffs(load_law(), Options(), RunContext(None, None), table)
    rates = law_tariffs.imports(TEN, ON) - law_tariffs.imports(library()["base"], ON)
    assert rates.shape == (3, 3)
    assert rates[:2, 1] == pytest.approx(0.1, abs=0.02)
    assert np.abs(rates[:, [0, 2]]).max() < 1e-12
    assert rates[2].tolist() == [0.0, 0.0, 0.0]


def vars_of(table: Any) -> dict[str, Any]:
    return {name: getattr(table, name) for name in type(table).__dataclass_fields__}


def test_a_mixture_is_the_mean_of_its_components() -> None:
    law, spec = load_law(), WorldSpec()
    mixed = parse_scenario(
        "schema: tariffs.scenario/v1\nid: mixed\ntitle: Mixed\nbasis: hypothesis\n"
        "mixture: [{scenario: base, weight: 0.25}, {scenario: usmca-lapses, weight: 0.75}]\n",
        "mixed",
    )
    parts = [world(law, spec, library()[name], ON).countries["welfare"] for name in ("base", "usmca-lapses")]
    answer = world(law, spec, mixed, ON)
    expected = 0.25 * parts[0] + 0.75 * parts[1]
    np.testing.assert_allclose(answer.countries["welfare"], expected, atol=1e-12)
    assert len(answer.results) == 2
    (coverage,) = answer.notes
    assert coverage.reason == "WORLD_COVERAGE"
    assert "TW" in coverage.message


def test_answers_of_partners() -> None:
    spec = WorldSpec()
    solved = world_of(spec, {})
    assert isinstance(solved, OneSectorWorld)
    rates = into(solved.table, 0.2)
    reciprocal = answered(solved, rates, WorldSpec(retaliation="reciprocal"))
    np.testing.assert_array_equal(reciprocal, rates + rates.T)
    half = answered(solved, rates, WorldSpec(reaction=0.5))
    np.testing.assert_array_equal(half, rates + rates.T / 2.0)
    optimal = answered(solved, rates, WorldSpec(retaliation="optimal"))
    np.testing.assert_array_equal(optimal[HOME], optimal_retaliation(solved.model))
    one = answered(solved, rates, WorldSpec(retaliation_rate=0.25))
    assert set(np.delete(one[HOME], HOME)) == {0.25}
    assert one[HOME, HOME] == 0.0


def test_questions_without_an_answer_are_refused() -> None:
    law = load_law()
    with pytest.raises(InputError, match="one_sector"):
        WorldSpec(model="sectors", elasticity=5.0)
    with pytest.raises(InputError, match="No table of many sectors"):
        world(law, WorldSpec(model="sectors"), library()["base"])
    with pytest.raises(InputError, match="one of the two"):
        world(law, WorldSpec())
    with pytest.raises(InputError, match="law"):
        world(
            law,
            WorldSpec(retaliation="law"),
            tariffs=pl.DataFrame({"importer": [], "exporter": [], "rate": []}),
        )


def test_goods_of_an_origin_follow_its_trade_in_the_world() -> None:
    options = Options(baseline="2025-01-01", response="world", include_lines=True, by=("origin",))
    (block,) = impact(TABLE, [Point(library()["base"], ON)], law=load_law(), options=options).scenarios
    assert block.lines is not None
    rows = {(row["hts"], row["origin"]): row for row in block.lines.to_dicts()}
    for origin in ("CN", "VN", "TW"):
        assert 0.0 < rows["9503000073", origin]["quantity_hat"] < 1.0
    assert block.total["welfare"] is None
    assert block.total["value_after"] == pytest.approx(block.lines["value_after"].sum(), rel=1e-12)
    world_rates = np.zeros_like(baseline().trade)
    groups = {row["origin"]: row for row in block.groups.to_dicts()}
    base = (
        impact(
            TABLE,
            [Point(library()["base"], "2025-01-01")],
            law=load_law(),
            options=Options(response="none", by=("origin",)),
        )
        .scenarios[0]
        .groups
    )
    before = {row["origin"]: row["effective_rate"] for row in base.to_dicts()}
    for origin, code in (("CN", "CHN"), ("VN", "VNM"), ("CA", "CAN"), ("GB", "GBR")):
        world_rates[NAMES.index(code), HOME] = groups[origin]["effective_rate"] - before[origin]
    result = OneSectorWorld(baseline(), OneSectorParameters()).run(world_rates)
    for origin, code in (("CN", "CHN"), ("CA", "CAN")):
        place = NAMES.index(code), HOME
        hat = result.trade_after[place] / result.trade_before[place]
        value = {row["origin"]: row["value_after"] / row["customs_value"] for row in groups.values()}[origin]
        assert value == pytest.approx(hat, rel=1e-9)


def test_nothing_moves_without_a_change_and_runs_have_the_same_bits() -> None:
    law, options = load_law(), Options(baseline="2026-11-24", response="world")
    (still,) = impact(TABLE, [Point(library()["base"], ON)], law=law, options=options).scenarios
    assert still.total["quantity_hat"] == pytest.approx(1.0, abs=1e-12)
    options = Options(baseline="2025-01-01", response="world")
    scenario = library()["rates-by-country"]
    points = [{"cn": "0%"}, {"cn": "20%", "elasticity.theta": "x1.5"}, {"cn": "20%"}]
    swept = sweep(TABLE, scenario, points, on="2027-01-11", law=law, options=options).totals
    point = Point(scenario.with_parameters({"cn": "20%"}), "2027-01-11")
    (alone,) = impact(TABLE, [point], law=law, options=options).scenarios
    assert swept["value_after"][2] == alone.total["value_after"]
    assert swept["value_after"][1] < swept["value_after"][2] < swept["value_after"][0]
    series = timeline(TABLE, [library()["base"]], ON, ON, law=law, options=options).scenarios[0]
    (one,) = impact(TABLE, [Point(library()["base"], ON)], law=law, options=options).scenarios
    assert series.totals["value_after"][0] == one.total["value_after"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"horizon": "short"}, "no horizon short"),
        ({"draws": 16}, "tariffs world --draws"),
        ({"fx_offset": 0.2}, "no offset"),
        ({"parameter_set": "low"}, "one trade elasticity"),
        ({"direction": "export", "to": "cn"}, "United States"),
    ],
)
def test_options_that_the_world_has_no_place_for_are_refused(options: dict[str, Any], words: str) -> None:
    table = None if "direction" in options else TABLE
    with pytest.raises(InputError, match=words):
        impact(
            table,
            [Point(library()["base"], ON)],
            law=load_law(),
            options=Options(baseline="2025-01-01", response="world", **options),
        )


def files_of(folder: Path) -> None:
    """Write a made-up table of many sectors in the documented form."""
    table = small_sectors(21)
    codes, numbers = ("USA", "CHN", "ROW"), (1, 2, 3)
    labels = [("country", place + 1, code, code, None) for place, code in enumerate(codes)]
    labels += [
        ("sector", place, "", f"S{place}", theta) for place, theta in zip(numbers, table.theta, strict=True)
    ]
    columns = ["kind", "no", "code", "name", "theta"]
    pl.DataFrame(labels, schema=columns, orient="row").write_csv(folder / "labels.csv")
    cells = [(j, i, n) for j in range(3) for i in range(3) for n in range(3)]
    pl.DataFrame(
        {
            "sector_no": [j + 1 for j, _, _ in cells],
            "exporter": [codes[i] for _, i, _ in cells],
            "importer": [codes[n] for _, _, n in cells],
            "trade_usd": [table.flows[cell] for cell in cells],
            "tariff_pct": [100.0 * table.tariffs[cell] for cell in cells],
        }
    ).write_parquet(folder / "trade_tariffs.parquet")
    pairs = [(n, j) for n in range(3) for j in range(3)]
    pl.DataFrame(
        {
            "country": [codes[n] for n, _ in pairs],
            "sector_no": [j + 1 for _, j in pairs],
            "gross_output_usd": [table.output[pair] for pair in pairs],
            "va_share": [table.value_added[pair] for pair in pairs],
        }
    ).write_csv(folder / "sector_country.csv")
    pl.DataFrame(
        {
            "country": [codes[n] for n, _, _ in cells],
            "input_sector_no": [k + 1 for _, k, _ in cells],
            "using_sector_no": [j + 1 for _, _, j in cells],
            "share_of_intermediates": [table.inputs[cell] for cell in cells],
        }
    ).write_csv(folder / "io.csv")


def test_a_table_of_many_sectors_comes_from_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files_of(tmp_path)
    files = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    read, expected = sector_table(files), small_sectors(21)
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
            sector_table({name: data for name, data in files.items() if name != broken})


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
    asked = [
        "--tariffs",
        str(path),
        "--rebate",
        "lump_sum",
        "--elasticity",
        "5",
        "--pass-through",
        "0.25",
        "--local",
    ]
    assert run_command(["world", *asked, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["countries"] == found.countries.to_dicts()
    assert document["provenance"]["details"]["world"]["elasticity"] == 5.0
    assert run_command(["world", *asked, "--top", "2"]) == 0
    assert "USA" in capsys.readouterr().out


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
    table = icio_table(ICIO.encode(), {"A": 5.0, "B_C": 4.0})
    assert (table.countries, table.sectors) == (("USA", "CHN"), ("A", "B_C"))
    np.testing.assert_allclose(table.flows[:, 0, 1], [8e6, 15e6])
    np.testing.assert_allclose(table.flows[:, 1, 0], [10e6, 31e6])
    np.testing.assert_allclose(table.output, [[93e6, 190e6], [110e6, 211e6]])
    np.testing.assert_allclose(table.value_added[0], [1 - 31 / 93, 1 - 72 / 190])
    np.testing.assert_allclose(table.used[0, :, 0], [12 / 93, 19 / 93])
    solved = SectorsWorld(table, "transfers")
    # Inputs, spending and value added agree with each other, so that the table is an equilibrium.
    np.testing.assert_allclose(solved.before.state.wage, 1.0, rtol=1e-10)
    rates = with_rates(table, table.tariffs, USA_ON_CHINA)
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
            icio_table(broken.encode(), {"A": 5.0, "B_C": 4.0, "D": 1.0})
    with pytest.raises(InputError, match="theta"):
        icio_table(ICIO.encode(), {"A": 5.0})


def test_an_impact_has_countries_in_every_form(tmp_path: Path) -> None:
    law = load_law()
    with Client.local() as client:
        found = client.impact(TABLE, ["base"], on=ON, baseline="2025-01-01", response="world")
    options = Options(baseline="2025-01-01", response="world")
    (block,) = impact(TABLE, [Point(library()["base"], ON)], law=law, options=options).scenarios
    assert block.world is not None
    assert found.world is not None
    assert found.world.drop("scenario", "on").equals(block.world)
    document: Any = found.to_json_dict()
    assert len(document["scenarios"][0]["world"]) == len(NAMES)
    assert document["scenarios"][0]["total"]["welfare"] is None
    path = tmp_path / "report.html"
    found.report(path)
    page = path.read_text(encoding="utf-8")
    assert "The world in general equilibrium" in page
    bars = page.split('<table class="bars ">')[1].split("</table>")[0]
    largest = found.world.sort("gdp_before", descending=True).head(20).sort("welfare", descending=True)
    labels = [row.split("</th>")[0] for row in bars.split('<th scope="row">')[1:]]
    assert labels == [f"{country}, {found.world['scenario'][0]}" for country in largest["country"]]
