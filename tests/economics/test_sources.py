"""Every parameter of the response has a source: in its table, or as a constant with one."""

from __future__ import annotations

import ast
import csv
from pathlib import Path

import pytest

from tariffs.engine.response import constants as constants_module
from tariffs.engine.response.claims import claim_costs
from tariffs.engine.response.constants import constants
from tariffs.engine.response.elasticities.adjustment_profile import path_parameters_for
from tariffs.engine.response.elasticities.parameters import SETS, STAGES, parameters_for
from tariffs.engine.response.sectors.sector_market import market_elasticities
from tariffs.engine.schedule.reference_data import reference_table

ROOT = Path(__file__).parents[2]
RESPONSE = Path(constants_module.__file__).parent
TABLES = sorted((RESPONSE / "data").iterdir())
# Numbers of the computation, which say nothing about the economy: sizes of work and memory, units, tolerances.
TECHNICAL = {
    "DAYS_A_MONTH", "DAYS_A_YEAR", "GREATEST_SEED", "LEAST_DRAWS", "LEAST_LEFT", "LEAST_POWER", "LEAST_SUPPLY", "MOST",
    "MOST_DRAWS", "NOTHING", "NO_INDUSTRY", "REPLICATES", "REQUIREMENT_UNITS", "SAME", "SCENARIOS",
    "STEEP", "STEEPEST_PATH", "_BITS", "_NEAR", "_NODES", "_BUNDLE_CHUNKS", "_GEOMETRIC", "_LARGEST_PREMIUM",
    "_PART_NESTS", "_SAME", "_SECTION_BUNDLES", "TENTHS", "_MIDDLE_OF_YEAR", "_NAICS_DIGITS", "_DOLLARS", "FACTS",
}  # fmt: skip
SIZES = ("_BUNDLES", "_CHUNKS", "_KEPT", "_LINES", "_ROUNDS", "_VARIETIES")
"""Ends of names of sizes of work and memory."""


def cells(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.name)
def test_every_table_has_a_source_in_each_row_or_on_the_page_of_data(path: Path) -> None:
    rows = cells(path) if path.suffix == ".csv" else []
    if rows and "source" in rows[0]:
        assert [row for row in rows if len(row["source"].strip()) < 8] == []
        return
    page = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    (line,) = (line for line in page.splitlines() if f"`{path.name}`" in line)
    source = line.strip(" |").split(" | ")[-1]
    assert len(source) > 8


@pytest.mark.parametrize("name", ["", *SETS])
@pytest.mark.parametrize("horizon", STAGES)
def test_every_product_has_a_source_in_every_set(horizon: str, name: str) -> None:
    found = parameters_for(reference_table()["hts"].unique().to_list(), horizon=horizon, set=name or None)
    assert set(found.source) <= set(range(len(found.sources)))
    assert all(len(source) > 8 for source in found.sources)


def test_parameters_of_the_path_market_and_claims_have_sources() -> None:
    path = path_parameters_for(reference_table()["hts"].unique().to_list(), set=None)
    assert all(len(source) > 8 for source in path.sources)
    named = [source for _, source in market_elasticities().values()]
    named += [cost.source for cost in claim_costs().values()]
    named += [source for _, source in constants().values()]
    assert all(len(source) > 8 for source in named)


def is_telling(node: ast.AST | None) -> bool:
    """True for a literal number other than 0 and 1."""
    return isinstance(node, ast.Constant) and type(node.value) in {int, float} and node.value not in {0, 1}


def numbers_in(tree: ast.Module) -> set[str]:
    """Names that a module binds to a number other than 0 and 1, or to a collection that has one."""
    found = set()
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            targets = [node.target]
        value = getattr(node, "value", None)
        parts = (
            ast.walk(value)
            if isinstance(value, ast.Constant | ast.Dict | ast.List | ast.UnaryOp | ast.BinOp)
            else ()
        )
        if any(map(is_telling, parts)):
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def numbers_of_defaults(tree: ast.Module) -> set[str]:
    """Fields of classes whose default is a number other than 0 and 1."""
    return {
        f"{owner.name}.{node.target.id}"
        for owner in tree.body
        if isinstance(owner, ast.ClassDef)
        for node in owner.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
        if is_telling(node.value)
    }


@pytest.mark.parametrize("path", sorted(RESPONSE.glob("*.py")), ids=lambda path: path.name)
def test_no_constant_of_the_economy_is_in_code(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert {name for name in numbers_in(tree) - TECHNICAL if not name.endswith(SIZES)} == set()
    assert numbers_of_defaults(tree) == set()


def test_the_search_for_constants_finds_them() -> None:
    tree = ast.parse(
        "A = 1.2\nB: float = -3\nC = {'x': 2.0}\nD = 'x'\nE = f(2.0)\nclass S:\n    x: float = 0.35\n"
    )
    assert numbers_in(tree) == {"A", "B", "C"}
    assert numbers_of_defaults(tree) == {"S.x"}


def test_the_demand_for_aircraft_and_gold_is_derived_from_import_shares() -> None:
    industries = {row["industry"]: row for row in cells(RESPONSE / "data" / "industries.csv")}
    kappa = market_elasticities()["kappa"][0]
    for code, industry in (("8802400080", "336411"), ("7108121013", "331410")):
        imports, sales = (
            float(industries[industry][name]) for name in ("imports_2024", "domestic_sales_2024")
        )
        share = round(imports / (imports + sales), 2)
        assert parameters_for([code], horizon="short").eta[0] == pytest.approx(
            kappa * (1 - share) + share, abs=0.01
        )
