"""Default elasticities, named sets, the user's own file, sigmas of importers, and sources of every parameter."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.response import BOUNDS, parameters_for
from tariffs.engine.response.claims import claim_costs
from tariffs.engine.response.constants import DATA, constants
from tariffs.engine.response.elasticities.adjustment_profile import path_parameters_for
from tariffs.engine.response.elasticities.parameters import HORIZON_SUPPLY, SETS, STAGES
from tariffs.engine.response.sectors.sector_market import market_elasticities
from tariffs.engine.schedule.reference_data import reference_table
from tariffs.importers.importer_sigmas import rows_of
from tariffs.importers.parameters import build as import_parameters
from tests.economics.runs import COFFEE, TOYS, run_of, table_of

CHAPTERS = [f"{chapter:02d}012345" for chapter in range(1, 100)]
TRUCKS = "8704100000"
SUPPLIES = {"impact": 20.0, "short": 36.0, "long": 10.0}


def cells(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def own(tmp_path: Path) -> Any:
    """Write a file of the user's own."""

    def write(text: str) -> Path:
        path = tmp_path / "mine.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("horizon", STAGES)
@pytest.mark.parametrize("name", ["", *SETS])
def test_every_chapter_and_product_has_values_and_a_source_in_every_set(horizon: str, name: str) -> None:
    found = parameters_for(CHAPTERS, horizon=horizon, set=name or None)
    assert ((found.sigma >= 1.05) & (found.sigma <= 20.0) & (found.eta > 0.0) & (found.spread > 0.0)).all()
    if name in ("", *BOUNDS):
        assert (found.supply == SUPPLIES[horizon]).all()
    every = parameters_for(reference_table()["hts"].unique().to_list(), horizon=horizon, set=name or None)
    assert set(every.source) <= set(range(len(every.sources)))
    assert all(len(source) > 8 for source in (*found.sources, *every.sources))


def test_values_are_those_of_the_section_in_the_order_of_the_codes() -> None:
    long, short, impact = (parameters_for([TRUCKS, TOYS], horizon=each) for each in reversed(STAGES))
    assert [each.sigma.tolist() for each in (long, short, impact)] == [[6.56, 4.58], [2.76, 2.31], [1.3, 1.3]]
    assert (long.eta[0], short.eta[0], impact.eta[0]) == (2.0, 1.5, 0.8)
    low, high = (parameters_for([TRUCKS], set=each) for each in BOUNDS)
    assert (low.sigma[0], low.eta[0]) == (2.0, 1.0)
    assert high.sigma[0] > long.sigma[0]
    codes = [TOYS, COFFEE, TOYS]
    one, other = (parameters_for(given, horizon="long") for given in (codes, pl.Series(codes)))
    assert one.sigma.tolist() == other.sigma.tolist() == [4.58, 4.36, 4.58]
    assert one.digest == other.digest


@pytest.mark.parametrize("horizon", ["impact", "short"])
def test_pass_through_within_two_years_is_that_of_the_published_estimates(horizon: str) -> None:
    """0.94 to 0.96 at the border: of a duty on all origins by eta, of one on an origin with a small share by sigma."""
    found = parameters_for([TRUCKS, TOYS], horizon=horizon)
    for demand in (found.eta, found.sigma):
        theta = found.supply / (found.supply + demand)
        assert ((theta > 0.925) & (theta < 0.965)).all()


def test_goods_with_estimates_of_their_own_have_them() -> None:
    """Goods not grown at home, drugs, crude oil, aircraft and gold; the demand for the last two by import shares."""
    grown = parameters_for([COFFEE, "0803900025", "1801000000", "0902100000"], horizon="long")
    assert grown.eta.tolist() == [0.8, 0.8, 0.8, 2.0]
    codes = ["3004909291", "2709002090", "8802400080", "7108121013"]
    found, short = (parameters_for(codes, horizon=horizon) for horizon in ("long", "short"))
    assert found.sigma.tolist() == [3.43, 10.4, 7.5, 9.33]
    assert found.eta.tolist() == [0.4, 0.453, 3.7, 1.93]
    assert short.eta.tolist() == [0.22, 0.061, 1.16, 1.06]
    for place, author in zip(found.source, ("Joyce", "Cooper", "BEA", "BEA"), strict=True):
        assert author in found.sources[place]
    kappa, table = market_elasticities()["kappa"][0], cells(DATA / "industries.csv")
    for eta, industry in zip(short.eta[2:], ("336411", "331410"), strict=True):
        (row,) = (row for row in table if row["industry"] == industry)
        imports, sales = float(row["imports_2024"]), float(row["domestic_sales_2024"])
        share = round(imports / (imports + sales), 2)
        assert eta == pytest.approx(kappa * (1 - share) + share, abs=0.01)


def test_the_set_of_smart_is_that_of_wits() -> None:
    wits, short = (parameters_for([TRUCKS, COFFEE], set=name) for name in ("wits", "central"))
    assert wits.sigma.tolist() == [1.5, 1.5]
    assert np.isinf(wits.supply).all()
    assert wits.eta.tolist() == short.eta.tolist() == [1.5, 0.5]
    assert (wits.set, short.set) == ("wits", "short")
    assert "WITS" in wits.sources[0]


@pytest.mark.parametrize(("response", "name"), [("smart", "wits"), ("armington", "path"), ("gsim", "path")])
def test_a_model_has_its_own_set_unless_told(response: str, name: str) -> None:
    goods = table_of({TOYS: {"CN": 60.0}})
    for given, expected in (("", name), ("central", "path"), ("low", "low")):
        found = run_of(goods, on="2025-12-01", response=response, parameter_set=given)
        assert found.provenance["parameters"] == expected


def test_the_longest_prefix_of_the_users_file_wins_and_digests_tell_sets_apart(own: Any) -> None:
    path = own("hts,sigma,eta,supply\n9503,9,,\n9503.00,4,1.1,inf\n87,,,2.5\n")
    found = parameters_for([TOYS, "9503990000", TRUCKS, COFFEE], horizon="long", set=path)
    assert found.sigma.tolist() == [4.0, 9.0, 6.56, 4.36]
    assert found.eta.tolist() == [1.1, 2.0, 2.0, 0.8]
    assert found.supply.tolist() == [np.inf, 10.0, 2.5, 10.0]
    assert found.sources[found.source[0]] == "given for 950300"
    assert found.set == "mine.csv"
    digests = {parameters_for([TOYS], horizon=each).digest for each in STAGES}
    assert len(digests | {parameters_for([TOYS], set=each).digest for each in (*BOUNDS, path)}) == 6


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hts,sigma\n95,-1\n", "line 2: sigma is '-1'"),
        ("hts,sigma\n95,many\n", "line 2: sigma is 'many'"),
        ("hts,supply\n95,0\n", "line 2: supply is '0'"),
        ("hts,theta\n95,0\n", "line 2: theta is '0'"),
        ("hts,sigma\nx5,1\n", "line 2: 'x5' is not a prefix"),
        ("hts,sigma\n95,1\n95,2\n", "line 3: the prefix 95 is given twice"),
        ("code,sigma\n95,1\n", "has the columns code, sigma"),
        ("hts,sigma,tau\n95,1,1\n", "has the columns"),
        ("hts,sigma\n95,1,2\n", "line 2: more cells than columns"),
        ("", "has the columns none"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(own: Any, text: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        parameters_for([TOYS], set=own(text))
    assert caught.value.reason == "PARAMETER_INVALID"


@pytest.mark.parametrize(
    ("code", "options", "reason"),
    [
        (TOYS, {"horizon": "soon"}, "PARAMETER_INVALID"),
        (TOYS, {"set": "middle"}, "PARAMETER_INVALID"),
        (TOYS, {"set": Path("none.csv")}, "PARAMETER_INVALID"),
        ("95.03", {}, "HTS_CODE_MALFORMED"),
        ("0012345678", {}, "HTS_CODE_UNKNOWN"),
    ],
)
def test_unknown_names_and_codes_are_refused(code: str, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError) as caught:
        parameters_for([code], **options)
    assert caught.value.reason == reason


def test_coarse_codes_are_warned_about() -> None:
    assert not parameters_for([TOYS]).notes
    assert "coarser than HS6" in parameters_for([TOYS, "9503"]).notes[0]


SECTIONS = """section,chapters,gtap_esubm,protee,bw_hts10,sigma_sr,sigma_lr,lr_p90,ln_sd
II Vegetables,06-14,4.0,20.0,2.0,2.2,4.58,6.7,0.33
XXI Art,97-97,7.5,11.0,2.2,1.5,3.0,6.0,0.54
"""


def test_the_importer_takes_capped_means_and_the_shipped_tables_have_its_form(tmp_path: Path) -> None:
    path, built = tmp_path / "sections.csv", tmp_path / "data"
    path.write_text(SECTIONS, encoding="utf-8")
    import_parameters(path, built)
    found = {(row["section"], row["set"]): row for row in cells(built / "hs_sections.csv")}
    assert float(found["II", "high"]["sigma"]) == pytest.approx((4.0 * 12.0) ** 0.5, abs=5e-3)
    source = "geometric mean of GTAP ESUBM 4.0, ProTEE 20.0, Broda-Weinstein 2.0"
    assert found["II", "long"]["source"] == source
    assert (found["II", "long"]["chapter_from"], found["II", "long"]["chapter_to"]) == ("06", "14")
    assert found["XXI", "high"]["sigma"] == "6.0"
    for made in built.iterdir():
        assert list(cells(made)[0]) == list(cells(DATA / made.name)[0])
    assert cells(built / "product_exceptions.csv") == cells(DATA / "product_exceptions.csv")


CODES = ["120190", "840710", "300490", "270900"]
CHINA = ["CN"] * 4


def test_sigmas_of_importers_are_capped_means_with_their_own_median() -> None:
    sections = [
        {"section": "II Vegetables", "chapters": "06-14", "gtap_esubm": "4.0", "protee": "20.0"},
        {"section": "XIX Arms", "chapters": "93-93", "gtap_esubm": "7.0", "protee": "11.0"},
        {"section": "XXI Art", "chapters": "97-97", "gtap_esubm": "7.5", "protee": "11.0"},
    ]
    own = {"060": 2.0, "070": 3.0, "100": 4.0, "120": 9000.0, "930": 500.0}
    rows = [(iso, code, sigma) for iso in ("CHN", "USA", "XXX") for code, sigma in own.items()]
    estimates = pl.DataFrame(rows, ["iso3", "hs0_3d", "sigma"], orient="row")
    plants, arms = rows_of(sections, estimates, {"CHN": "CN", "USA": "US"})
    assert [plants[:2], arms[:2]] == [("CN", "II"), ("CN", "XIX")]
    low, high = np.percentile(list(own.values()), [5, 95])
    median = float(np.median(np.clip([2.0, 3.0, 4.0, 9000.0], low, high)))
    long_run = (4.0 * 12.0 * median) ** (1 / 3)
    assert float(plants[3]) == pytest.approx(long_run, abs=5e-3)
    assert float(plants[2]) == pytest.approx(2.53 * (long_run / 5.5) ** 0.5, abs=5e-3)
    assert float(arms[3]) == pytest.approx((7.0 * 11.0 * 4.0) ** (1 / 3), abs=5e-3)
    assert arms[5].endswith("(median of the country)")
    shipped = cells(DATA / "importer_sigmas.csv")
    assert len(shipped) == 72 * 20
    importers = {row["importer"] for row in shipped}
    assert {"CN", "CA", "MX", "JP", "DE"} <= importers - {"US"} == importers
    assert all(1.05 < float(row["short"]) < float(row["long"]) <= 12 for row in shipped)
    assert all("Broda-Weinstein" in row["source"] for row in shipped)


@pytest.mark.parametrize("horizon", ["short", "long"])
def test_products_have_the_sigma_of_the_country_that_imports_them(horizon: str) -> None:
    home = parameters_for(CODES, horizon=horizon)
    china, canada = (parameters_for(CODES, horizon=horizon, importers=[to] * 4) for to in ("CN", "CA"))
    for place in (0, 1):
        assert len({home.sigma[place], china.sigma[place], canada.sigma[place]}) == 3
        assert china.sources[china.source[place]].startswith("CN: geometric mean")
    # Drugs and crude oil have estimates that are those of the goods, wherever they go.
    assert china.sigma[2:].tolist() == home.sigma[2:].tolist()
    assert china.eta.tolist() == home.eta.tolist()
    assert home.digest != china.digest
    mixed = parameters_for(CODES[:1] * 2, horizon=horizon, importers=["CN", "CA"])
    assert mixed.sigma.tolist() == [china.sigma[0], canada.sigma[0]]
    # A country without estimates has those of the United States and is named.
    nowhere = parameters_for(CODES, horizon=horizon, importers=["ZW"] * 4)
    assert nowhere.sigma.tolist() == home.sigma.tolist()
    assert (nowhere.foreign, china.foreign) == (("ZW",), ())


@pytest.mark.parametrize("name", [name for name in SETS if name != "central"])
def test_bounds_and_the_set_of_smart_are_those_of_no_importer(name: str) -> None:
    abroad = parameters_for(CODES, set=name, importers=CHINA)
    assert abroad.sigma.tolist() == parameters_for(CODES, set=name).sigma.tolist()


def test_a_users_value_takes_precedence_and_the_path_ends_at_the_importers_long_run(own: Any) -> None:
    path = own("hts,sigma,eta\n1201,9,\n8407,,0.5\n")
    ends = {stage: parameters_for(CODES, horizon=stage, importers=CHINA) for stage in STAGES}
    found = parameters_for(CODES, horizon="long", set=path, importers=CHINA)
    assert found.sigma.tolist() == [9.0, *ends["long"].sigma[1:]]
    assert found.eta[1] == 0.5
    along = path_parameters_for(CODES, importers=CHINA)
    assert along.at(10.0).sigma.tolist() == ends["long"].sigma.tolist()
    assert along.at(0.0).sigma.tolist() == ends["impact"].sigma.tolist()


def test_exports_respond_with_the_sigma_of_their_destination() -> None:
    """Goods of a small share, alone under a duty: their price rises by all that suppliers do not bear."""
    goods = table_of({"720851": {"US": 1.0, "DE": 1e6}})
    each = pl.concat(goods.with_columns(destination=pl.lit(to)) for to in ("CN", "CA"))
    options: dict[str, Any] = {"by": ("destination", "origin"), "horizon": "long", "direction": "export"}
    before, after = (
        {row["destination"]: row for row in found.scenarios[0].groups.filter(origin="US").to_dicts()}
        for found in (run_of(each, on=day, **options) for day in ("2025-01-01", "2025-04-15"))
    )
    supply = HORIZON_SUPPLY["long"]
    for to in ("CN", "CA"):
        sigma = parameters_for(["720851"], horizon="long", importers=[to]).sigma[0]
        wedge = np.log((1 + after[to]["effective_rate"]) / (1 + before[to]["effective_rate"]))
        assert wedge > 0.2
        expected = -sigma * supply / (sigma + supply) * wedge
        assert np.log(after[to]["quantity_hat"]) == pytest.approx(expected, rel=1e-4)


def test_parameters_of_the_path_market_and_claims_have_sources() -> None:
    named = [source for _, source in (*market_elasticities().values(), *constants().values())]
    named += [cost.source for cost in claim_costs().values()]
    named += path_parameters_for(reference_table()["hts"].unique().to_list(), set=None).sources
    assert all(len(source) > 8 for source in named)


def test_the_tables_of_the_models_are_small() -> None:
    assert sum(path.stat().st_size for path in DATA.iterdir()) < 800_000
