"""Find the uniform tariff that is best for a country, and the tariffs from which no player gains by departing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tariffs.engine.base.array_utils import F64
from tariffs.engine.base.minimum import least_between
from tariffs.engine.errors import InputError
from tariffs.engine.response.world.newton import CERTIFIED
from tariffs.engine.response.world.world_result import OneSectorWorld, SectorsWorld, WorldResult

World = OneSectorWorld | SectorsWorld
Rates = Callable[[F64], F64]
HIGHEST = 1.0
"""Highest rate that is tried, a fraction."""
_GRID, _WIDTH, _ROUNDS, _SETTLED = 11, 1e-6, 60, 1e-5


@dataclass(frozen=True)
class Game:
    """Tariffs that players choose, with the certificate that none gains by another uniform rate.

    Attributes:
        rates: rate of each player on the goods of all countries outside it, a fraction.
        result: the world under them.
        largest_gain: most that a player would gain in welfare, a fraction, by any rate that was tried last.
        tried: number of worlds solved.
    """

    rates: tuple[float, ...]
    result: WorldResult
    largest_gain: float
    tried: int


class _Play:
    """Welfare of players by their rates; solutions are found from the last one."""

    def __init__(self, world: World, players: Sequence[Sequence[str]], tariffs: F64, answer: Rates) -> None:
        self.world, self.players, self._tariffs, self._answer = world, players, tariffs, answer
        countries = world.table.countries
        for country in [country for player in players for country in player]:
            if country not in countries:
                raise InputError(
                    "PARAMETER_INVALID",
                    f"The table of the world has no country {country}.",
                    field="players",
                    fix="Use alpha-3 codes of its countries.",
                )
        self._places = [[countries.index(country) for country in player] for player in players]
        self.tried = 0
        self._near: WorldResult | None = None

    def run(self, rates: Sequence[float]) -> WorldResult:
        """Solve the world at rates of the players."""
        tariffs = self._tariffs.copy()
        for places, rate in zip(self._places, rates, strict=True):
            outside = np.setdiff1d(np.arange(tariffs.shape[-1]), places)
            for importer in places:
                tariffs[..., outside, importer] = rate
        self.tried += 1
        found = self.world.run(self._answer(tariffs), self._near)
        self._near = found
        return found

    def welfare(self, player: int, rates: Sequence[float]) -> float:
        """Welfare of a player, a fraction; a world without equilibrium is worse than any."""
        try:
            return self.run(rates).mean(self.players[player], "welfare")
        except InputError:
            return -np.inf

    def best(self, player: int, rates: Sequence[float], low: float, high: float) -> tuple[float, float]:
        """Find the best rate of a player between two, given those of the others, and the welfare at it."""

        def loss(rate: float) -> float:
            return -self.welfare(player, [*rates[:player], rate, *rates[player + 1 :]])

        grid = np.linspace(low, high, _GRID)
        found = [loss(rate) for rate in grid]
        top = int(np.argmin(found))
        ends = grid[max(top - 1, 0)], grid[min(top + 1, _GRID - 1)]
        least, rate = min((found[top], float(grid[top])), least_between(loss, *ends, _WIDTH))
        return float(rate), -float(least)


def best_tariff(
    world: World, countries: Sequence[str], tariffs: F64 | None = None, answer: Rates = lambda rates: rates
) -> Game:
    """Find the uniform tariff that is best for a country, or for several that choose together.

    Args:
        tariffs: tariffs of all others; default those of the world before.
        answer: what partners make of tariffs, such as reciprocal ones.

    Raises:
        InputError: PARAMETER_INVALID for an unknown country.
    """
    play = _Play(world, [countries], world.untaxed if tariffs is None else tariffs, answer)
    rate, welfare = play.best(0, [0.0], 0.0, HIGHEST)
    result = play.run([rate])
    return Game((rate,), result, max(welfare - result.mean(countries, "welfare"), 0.0), play.tried)


def nash(world: World, players: Sequence[Sequence[str]], tariffs: F64 | None = None) -> Game:
    """Find uniform tariffs of players of which each is the best answer to the others, by best responses in turn.

    Args:
        players: codes of the countries of each; a player counts its mean welfare, weighted by spending.
        tariffs: tariffs of all others, which stay; default those of the world before.

    Raises:
        InputError: PARAMETER_INVALID for an unknown country, NO_EQUILIBRIUM if responses do not settle.
    """
    play = _Play(world, players, world.untaxed if tariffs is None else tariffs, lambda rates: rates)
    rates, wide = [0.0 for _ in players], HIGHEST
    for _ in range(_ROUNDS):
        before = list(rates)
        for player in range(len(players)):
            low, high = max(rates[player] - wide, 0.0), min(rates[player] + wide, HIGHEST)
            rates[player] = play.best(player, rates, low, high)[0]
        moved = max(abs(one - other) for one, other in zip(rates, before, strict=True))
        wide = HIGHEST if moved > wide / 2.0 else max(2.0 * moved, 100.0 * _WIDTH)
        if moved < _SETTLED:
            break
    result = play.run(rates)
    gains = [
        play.best(player, rates, 0.0, HIGHEST)[1] - result.mean(countries, "welfare")
        for player, countries in enumerate(players)
    ]
    if max(gains) > CERTIFIED:
        raise InputError(
            "NO_EQUILIBRIUM",
            f"Best responses do not settle: a player would still gain {max(gains):.1e}.",
            fix="Name fewer players.",
        )
    return Game(tuple(rates), result, max(*gains, 0.0), play.tried)
