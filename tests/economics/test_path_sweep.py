"""Sweeps on the adjustment path: their sums are those of the slow version, scenario by scenario."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from tariffs.engine.response.elasticities.adjustment_profile import adjustment_profile
from tariffs.engine.response.lanes.adjustment import StageElasticities
from tariffs.engine.response.lanes.lane_rates import RatePaths
from tests.economics.independent import adjustment as slow
from tests.economics.sweeps_at_once import NamedSweep, SweepSums, SweepTrade

GROUPS = 3
NAMES = ("value", "duty", "charges", "quantity", "base_duty", "creation", "diversion")
YEARS = [6.0, 1.8, 1.0, 0.4, 0.0]
SIGMA, ETA, SUPPLY = (
    ([1.3, 2.5, 5.5], [1.3, 3.1, 8.0]),
    ([0.8, 1.5, 2.0], [0.6, 1.0, 2.2]),
    [20.0, 36.0, 10.0],
)
KINDS = len(SIGMA)


@dataclass(frozen=True)
class World:
    """Trade of some products, and the rate of each variety at the baseline and after each day by scenario."""

    trade: SweepTrade
    forms: RatePaths
    of_scenario: Any

    @property
    def elasticities(self) -> StageElasticities:
        stages = [
            [[sigma[stage] for sigma in SIGMA], [eta[stage] for eta in ETA], [1.0 / SUPPLY[stage]] * KINDS]
            for stage in range(3)
        ]
        return StageElasticities(np.array(stages), adjustment_profile())

    def sweep(self) -> NamedSweep:
        return NamedSweep(self.trade.swept(), self.forms, self.elasticities.at(YEARS))

    def rates_at(self, scenario: int) -> Any:
        """Rates of the varieties on each day under a scenario (varieties x 1 + days)."""
        rates = self.forms.rates.copy()
        rates[self.forms.moved] = self.of_scenario[:, scenario]
        path: Any = self.trade.rate_class
        return rates[self.forms.form[path]]


def world(seed: int, scenarios: int = 3, first: int = 2, top: float = 0.6) -> World:
    """Some products, of which a few move from day `first` on; forms are numbered at random."""
    random = np.random.default_rng(seed)
    paths, days = 12, len(YEARS)
    counts = random.integers(1, 9, 7)
    product = np.repeat(np.arange(7) * 2, counts)
    size = len(product)
    rates = np.concatenate([[0.0, 0.03, 0.25], random.uniform(0.0, top, 17)])
    moved = np.zeros(20, dtype=bool)
    moved[10:14] = True
    form = random.integers(0, 10, (paths, days + 1))
    # Some paths stay as they are on some days, and some move from a day on.
    for day in range(1, days + 1):
        stays = random.random(paths) < 0.5
        form[stays, day] = form[stays, day - 1]
    form[:5, first + 1 :] = random.integers(9, 15, (5, days - first))
    path = random.integers(0, paths, size)
    trade = SweepTrade(
        product=product,
        v0=random.uniform(0.0, 9.0, size) * (random.random(size) < 0.9),
        t0=rates[form[path, 0]],
        rate_class=path,
        group=random.integers(0, GROUPS, size),
        kind=random.integers(0, KINDS, 7),
        product_group=random.integers(0, 2, 7),
        charges=random.uniform(0.0, 0.5, size),
        kept=np.where(random.random(size) < 0.1, 0.0, 1.0),
        value_group=random.integers(0, 4, size),
    )
    return World(trade, RatePaths(YEARS, form, rates, moved), random.uniform(0.0, top, (4, scenarios)))


def expected(one: World, scenario: int) -> dict[str, Any]:
    """Sums of the slow version under one scenario."""
    trade: Any = one.trade
    found: dict[str, Any] = {name: np.zeros(GROUPS) for name in NAMES}
    found |= {"buyer_surplus": np.zeros(2), "welfare": np.zeros(2), "values": np.zeros(4)}
    rates = one.rates_at(scenario)
    for place, product in enumerate(np.unique(trade.product)):
        lines = np.flatnonzero(trade.product == product)
        v0, t0 = trade.v0[lines], trade.t0[lines]
        kind = trade.kind[place]
        stages = [
            slow.Elasticities(SIGMA[kind][stage], ETA[kind][stage], SUPPLY[stage]) for stage in range(3)
        ]
        steps = [
            (slow.elasticities_at(age, *stages), rates[lines, day + 1].tolist())
            for day, age in enumerate(YEARS)
        ]
        if not v0.sum():
            np.add.at(found["charges"], trade.group[lines], trade.charges[lines] * trade.kept[lines])
            continue
        market = slow.composed(v0.tolist(), t0.tolist(), steps)
        hat, kept, last = np.array(market.quantity), trade.kept[lines], rates[lines, -1]
        creation = np.array(slow.creation(market, v0.tolist()))
        columns = {
            "value": np.array(market.value) * kept,
            "duty": np.array(market.value) * kept * last,
            "charges": trade.charges[lines] * hat * kept,
            "quantity": v0 * hat * kept,
            "base_duty": v0 * hat * kept * t0,
            "creation": creation,
            "diversion": v0 * hat * kept - v0 - creation,
        }
        for name, column in columns.items():
            np.add.at(found[name], trade.group[lines], column)
        np.add.at(found["values"], trade.value_group[lines], columns["value"])
        owner = trade.product_group[place]
        found["buyer_surplus"][owner] += market.surplus
        # Nobody pays duty on what is not kept.
        change = float((columns["duty"] - v0 * t0).sum())
        found["welfare"][owner] += market.surplus + change
    return found


def same(found: SweepSums, lane: int, other: dict[str, Any], rtol: float) -> None:
    for name, values in other.items():
        np.testing.assert_allclose(getattr(found, name)[:, lane], values, rtol=rtol, atol=1e-11, err_msg=name)


@pytest.mark.parametrize("top", [0.6, 30.0])
@pytest.mark.parametrize("first", [0, 2, 4])
@pytest.mark.parametrize("seed", range(3))
def test_sums_are_those_of_the_slow_version_scenario_by_scenario(seed: int, first: int, top: float) -> None:
    """A difference of sums of weights would lose the digits of what a variety at a prohibitive rate leaves."""
    one = world(seed, first=first, top=top)
    if top > 1.0:
        later = np.setdiff1d(np.arange(10), one.forms.form[:, 0])
        one.forms.rates[later[:1]] = 1e6
    found = one.sweep()(one.of_scenario)
    for scenario in range(3):
        same(found, scenario, expected(one, scenario), 1e-9)


def test_scenarios_without_a_moved_rate_are_one_sum() -> None:
    one = world(1)
    still = replace(one.forms, moved=np.zeros(20, dtype=bool))
    found = NamedSweep(one.trade.swept(), still, one.elasticities.at(YEARS))(np.zeros((0, 2)))
    other = replace(one, forms=still, of_scenario=np.zeros((0, 1)))
    same(found, 1, expected(other, 0), 1e-9)
