"""Goods of a table of several files that are computed together."""

from __future__ import annotations

from tariffs.engine.law.law import EXPORT
from tariffs.engine.law.loader import load_law
from tariffs.engine.response.industries import industry_of
from tariffs.engine.runs.joined_parts import goods_keys
from tariffs.engine.runs.options import Options
from tariffs.engine.scenario import Scenario, library
from tests.unit.scenario_tables import written

LIMIT = "{op: shock_quantity, from: 2026-02-01, limit: 1000, products: ['9503', '8471300100']}"
EACH = "{op: shock_quantity, from: 2026-02-01, share: 50%, products: ['64']}"


def keys(codes: list[str], scenario: Scenario, **options: str) -> list[str]:
    goods = goods_keys(load_law(), [scenario], Options(**options))  # type: ignore[arg-type]
    return [goods(code) for code in codes]


def test_goods_and_industries_of_a_joint_limit_have_one_key() -> None:
    # A code that is coarser than that of the limit may have goods under it.
    codes = ["9503000073", "8471300100", "8471", "8472", "6402190000"]
    first, second, third, *others = keys(codes, written(LIMIT, EACH))
    assert first == second == third
    assert others == ["8472", "640219"]
    # The limit is on toys and laptops; other computers are of an industry with these, and shirts are not.
    codes = ["9503000073", "8471300100", "8471410110", "6109100012"]
    assert industry_of(codes[1:2]) == industry_of(codes[2:3])
    toys, laptops, computers, shirts = keys(codes, written(LIMIT), market="sector", horizon="long")
    assert toys == laptops == computers != shirts


def test_a_list_of_codes_is_all_its_codes_of_any_day() -> None:
    name = next(name for name, one in load_law().lists.items() if one.boundaries)
    change = f"{{op: shock_quantity, from: 2026-02-01, floor: 1000, products: [{name}]}}"
    assert len(set(keys(list(load_law().lists[name].codes), written(change)))) == 1


def test_commitments_hold_exports_to_their_market_together() -> None:
    codes, base = ["120190", "100199", "950300"], library()["base"]
    soy, wheat, toys = keys(codes, base, direction=EXPORT, to="CN")
    assert soy == wheat != toys == "950300"
    assert keys(codes, base) == keys(codes, base, direction=EXPORT, to="CN", response="none") == codes
