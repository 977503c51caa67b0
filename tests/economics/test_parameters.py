"""Default elasticities, named sets and the user's own file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.response import (
    BOUNDS,
    parameters_for,
)
from tariffs.engine.response.elasticities.parameters import STAGES
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.scenario import library

CHAPTERS = [f"{chapter:02d}012345" for chapter in range(1, 100)]
TRUCKS, COFFEE, TOYS = "8704100000", "0901210010", "9503000073"


def file_of(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("horizon", STAGES)
@pytest.mark.parametrize("bound", [None, *BOUNDS])
def test_every_chapter_has_values(horizon: str, bound: str | None) -> None:
    found = parameters_for(CHAPTERS, horizon=horizon, set=bound)
    assert (found.sigma >= 1.05).all()
    assert (found.sigma <= 20.0).all()
    assert (found.eta > 0.0).all()
    assert (found.supply == {"impact": 20.0, "short": 36.0, "long": 10.0}[horizon]).all()
    assert (found.spread > 0.0).all()
    assert all(found.sources)


def test_values_are_those_of_the_section() -> None:
    long, short, impact = (
        parameters_for([TRUCKS, TOYS], horizon=each) for each in ("long", "short", "impact")
    )
    assert long.sigma.tolist() == [6.56, 4.58]
    assert short.sigma.tolist() == [2.76, 2.31]
    assert impact.sigma.tolist() == [1.3, 1.3]
    assert (long.eta[0], short.eta[0], impact.eta[0]) == (2.0, 1.5, 0.8)
    low, high = (parameters_for([TRUCKS], set=each) for each in BOUNDS)
    assert (low.sigma[0], low.eta[0]) == (2.0, 1.0)
    assert high.sigma[0] > long.sigma[0]


@pytest.mark.parametrize("horizon", ["impact", "short"])
def test_pass_through_within_two_years_is_that_of_the_published_estimates(horizon: str) -> None:
    """0.94 to 0.96 at the border: of a duty on all origins by eta, of one on an origin with a small share by sigma."""
    found = parameters_for([TRUCKS, TOYS], horizon=horizon)
    for demand in (found.eta, found.sigma):
        theta = found.supply / (found.supply + demand)
        assert ((theta > 0.925) & (theta < 0.965)).all()


def test_goods_not_grown_at_home_have_a_weaker_demand() -> None:
    found = parameters_for([COFFEE, "0803900025", "1801000000", "0902100000"], horizon="long")
    assert found.eta.tolist() == [0.8, 0.8, 0.8, 2.0]


def test_drugs_crude_oil_aircraft_and_gold_have_values_and_sources_of_their_own() -> None:
    codes = ["3004909291", "2709002090", "8802400080", "7108121013"]
    found = parameters_for(codes, horizon="long")
    assert found.sigma.tolist() == [3.43, 10.4, 7.5, 9.33]
    assert found.eta.tolist() == [0.4, 0.453, 3.7, 1.93]
    assert parameters_for(codes).eta.tolist() == [0.22, 0.061, 1.16, 1.06]
    cited = [found.sources[place] for place in found.source]
    for source, author in zip(cited, ("Joyce", "Cooper", "BEA", "BEA"), strict=True):
        assert author in source


def test_the_set_of_smart_is_that_of_wits() -> None:
    wits, short = (parameters_for([TRUCKS, COFFEE], set=name) for name in ("wits", "central"))
    assert wits.sigma.tolist() == [1.5, 1.5]
    assert np.isinf(wits.supply).all()
    assert wits.eta.tolist() == short.eta.tolist() == [1.5, 0.5]
    assert (wits.set, short.set) == ("wits", "short")
    assert "WITS" in wits.sources[0]


@pytest.mark.parametrize(("response", "name"), [("smart", "wits"), ("armington", "path"), ("gsim", "path")])
def test_a_model_has_its_own_set_unless_told(response: str, name: str) -> None:
    goods = pl.DataFrame({"hts": [TOYS], "origin": ["CN"], "customs_value": [60.0]})
    points = [Point(library()["base"], "2025-12-01")]
    for parameters, expected in (("", name), ("central", "path"), ("low", "low")):
        options = Options(baseline="2025-01-01", response=response, parameter_set=parameters)
        assert impact(goods, points, law=load_law(), options=options).provenance["parameters"] == expected


def test_values_follow_the_order_of_codes_and_a_series_may_be_given() -> None:
    one = parameters_for([TOYS, COFFEE, TOYS], horizon="long")
    other = parameters_for(pl.Series([TOYS, COFFEE, TOYS]), horizon="long")
    assert one.sigma.tolist() == other.sigma.tolist() == [4.58, 4.36, 4.58]
    assert one.digest == other.digest


def test_the_digest_tells_sets_apart(tmp_path: Path) -> None:
    path = file_of(tmp_path, "hts,sigma\n95,3\n")
    digests = {parameters_for([TOYS], horizon=each).digest for each in STAGES}
    digests |= {parameters_for([TOYS], set=each).digest for each in (*BOUNDS, path)}
    assert len(digests) == 6


def test_the_longest_prefix_of_the_users_file_wins(tmp_path: Path) -> None:
    path = file_of(tmp_path, "hts,sigma,eta,supply\n9503,9,,\n9503.00,4,1.1,inf\n87,,,2.5\n")
    found = parameters_for([TOYS, "9503990000", TRUCKS, COFFEE], horizon="long", set=path)
    assert found.sigma.tolist() == [4.0, 9.0, 6.56, 4.36]
    assert found.eta.tolist() == [1.1, 2.0, 2.0, 0.8]
    assert found.supply.tolist() == [np.inf, 10.0, 2.5, 10.0]
    assert found.sources[found.source[0]] == "given for 950300"
    assert found.set == "mine.csv"


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
def test_a_bad_file_is_refused_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        parameters_for([TOYS], set=file_of(tmp_path, text))
    assert caught.value.reason == "PARAMETER_INVALID"


def test_unknown_names_and_codes_are_refused(tmp_path: Path) -> None:
    for arguments, reason in (
        ({"horizon": "soon"}, "PARAMETER_INVALID"),
        ({"set": "middle"}, "PARAMETER_INVALID"),
        ({"set": tmp_path / "none.csv"}, "PARAMETER_INVALID"),
    ):
        with pytest.raises(InputError) as caught:
            parameters_for([TOYS], **arguments)
        assert caught.value.reason == reason
    with pytest.raises(InputError) as caught:
        parameters_for(["95.03"])
    assert caught.value.reason == "HTS_CODE_MALFORMED"
    with pytest.raises(InputError) as caught:
        parameters_for(["0012345678"])
    assert caught.value.reason == "HTS_CODE_UNKNOWN"


def test_coarse_codes_are_warned_about() -> None:
    assert not parameters_for([TOYS]).notes
    assert "coarser than HS6" in parameters_for([TOYS, "9503"]).notes[0]
