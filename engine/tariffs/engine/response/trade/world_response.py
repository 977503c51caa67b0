"""Respond as the world of one sector does: goods of an origin follow trade with it in general equilibrium.

The home country's tariff on an origin is the change of the mean duty on its goods, at values of the baseline. See
docs/models/world.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64, Bools, ratio, sums_of
from tariffs.engine.response.constants import digest, table_bytes
from tariffs.engine.response.elasticities.parameters import ProductParameters
from tariffs.engine.response.elasticities.thetas import ThetaParameters
from tariffs.engine.response.trade.trade_response import Response, VolumeSolver
from tariffs.engine.response.trade.varieties import VarietyRates, VarietyVolume
from tariffs.engine.response.world.one_sector import LEAST_RATE, OneSectorParameters
from tariffs.engine.response.world.read_tables import EMBEDDED, baseline
from tariffs.engine.response.world.retaliation import answered
from tariffs.engine.response.world.world_result import OneSectorWorld, WorldResult
from tariffs.engine.schedule.countries import country_rows
from tariffs.engine.table_duty.duties import Duties

_SOURCE = "Ignatenko, Lashkaripour, Macedoni and Simonovska 2025: trade elasticity of one sector"
SET = "ignatenko"


def world_parameters(products: Sequence[str]) -> ThetaParameters:
    """Give every product the trade elasticity of the world of one sector."""
    count = len(products)
    theta = np.full(count, OneSectorParameters().elasticity)
    return ThetaParameters.of(
        theta, np.zeros(count), [_SOURCE] * count, SET, digest(*map(table_bytes, EMBEDDED))
    )


@dataclass(frozen=True)
class WorldResponse(Response):
    """Response of the world of one sector; all products have its trade elasticity.

    Attributes:
        retaliation: what partners charge on goods of the home country, as in `answered`.
        charged: changes of the duty that each country of the embedded table charges on these goods by its law.
    """

    retaliation: str = ""
    charged: tuple[float, ...] = ()

    def unbounded_loss(self, rates: VarietyRates) -> Bools:
        """Mark no product: the model gives no loss by product."""
        return np.zeros(len(self.parameters.sigma), dtype=bool)

    @cached_property
    def _countries(self) -> tuple[str, ...]:
        """Alpha-3 code of each origin of the table."""
        alpha3 = {row["iso2"]: row["iso3"] for row in country_rows()}
        return tuple(alpha3.get(origin, "") for origin in self.table.lines.origins)

    def added(self, rate: F64) -> F64:
        """Change of the mean duty on goods of each origin of the table, a fraction."""
        v, origin = self.varieties, self.table.lines.origin[self.varieties.line].astype(np.int64)
        count = len(self._countries)
        duty = sums_of(origin, v.value * (rate - self.base_rate), count)
        return np.maximum(ratio(duty, sums_of(origin, v.value, count), 0.0), LEAST_RATE)

    def solved(self, added: F64, parameters: ProductParameters) -> WorldResult:
        """Solve the world for changes of the mean duty by origin."""
        rates = tuple(zip(self._countries, added.tolist(), strict=True))
        return _solved(_elasticity(parameters), self.retaliation, rates, self.charged)

    def countries(self, duties: Duties) -> pl.DataFrame:
        """Changes by country under the duties of a law."""
        rate = self.responding_rate(self.rates_under(duties))
        return self.solved(self.added(rate), self.parameters).countries

    def duty_solver(self, rate: F64, rates: VarietyRates) -> VolumeSolver:
        """Make the solver of the world for the rate that varieties respond to."""
        v, unknown = self.varieties, np.full(self.varieties.count, np.nan)
        origin, added = self.table.lines.origin[v.line], self.added(rate)

        def run(p: ProductParameters) -> VarietyVolume:
            world, result = _world(_elasticity(p)), self.solved(added, p)
            value, price = world.imports_at_home(result, self._countries, added)
            none = np.full(len(p.sigma), np.nan)
            hat = (value / price)[origin]
            return VarietyVolume(v.value * value[origin], hat, unknown, unknown, none, none)

        return run


def _elasticity(parameters: ProductParameters) -> float:
    assert isinstance(parameters, ThetaParameters)
    return float(parameters.theta[0]) if len(parameters.theta) else OneSectorParameters().elasticity


@lru_cache(maxsize=2)
def _solved(
    elasticity: float, retaliation: str, added: tuple[tuple[str, float], ...], charged: tuple[float, ...]
) -> WorldResult:
    """Solve a world for the home country's added tariffs by country; the trade and its countries ask for one."""
    world = _world(elasticity)
    tariffs, place = world.untaxed, {code: index for index, code in enumerate(world.table.countries)}
    for code, rate in added:
        if code in place and code != world.table.home:
            tariffs[place[code], world.table.home_index] = rate
    if charged:
        tariffs[world.table.home_index] += charged
    return world.run(answered(world, tariffs, retaliation))


@lru_cache(maxsize=8)
def _world(elasticity: float) -> OneSectorWorld:
    """World of an elasticity, with what is computed once for it."""
    return OneSectorWorld(baseline(), OneSectorParameters(elasticity=elasticity))
