"""Draw elasticities: distributions, random keys, and the parameters of one draw.

ln (sigma - 1) of product k in draw r is mu_k + s_k (0.6 z_r + 0.6 z_r,section + 0.53 z_r,k), as estimation errors are
largely common to all products. eta has one draw for all products, supply one for each section: the log pass-through
that it gives is between 0.8 and 1. Central values are medians over what all products have in common. What
products and sections have of their own averages out in a total: over it the mean of pass-through, and of the trade that
sigma leaves after a duty, is that of the central values. Keys contain the seed, the draw, the
parameter and the product code, never a scenario, row or thread: so scenarios are paired, and the draws of a product are
the same in every table. See docs/models/uncertainty.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tariffs.engine.response.constants import constant
from tariffs.engine.response.elasticities.adjustment_profile import PathParameters
from tariffs.engine.response.elasticities.parameters import (
    GREATEST_SIGMA,
    HORIZON_ETA,
    HORIZON_SUPPLY,
    LEAST_SIGMA,
    ProductParameters,
    sections_of,
)
from tariffs.engine.response.elasticities.sobol import sobol_points
from tariffs.engine.response.inputs import Floats, Ints, invalid

GENERATOR = "splitmix64 keys, Owen-scrambled Sobol, AS241; version 4"
REPLICATES = 8
"""Number of independent scramblings in a run; their spread gives the Monte-Carlo error."""
LEAST_DRAWS = 16
MOST_DRAWS = 16_384
GREATEST_SEED = 2**63 - 1

_COMMON = constant("draw_common")
_SECTION = constant("draw_section")
# So that the squares of the three weights sum to 1.
_OWN = math.sqrt(1.0 - _COMMON**2 - _SECTION**2)
_NOT_COMMON = math.sqrt(1.0 - _COMMON**2)
"""Weight of what sections and products have of their own: in sigma both together, in supply the section alone."""
_EXCESS = constant("draw_excess")
"""Standard deviation of ln (sigma - 1) over that of ln sigma, of long-run estimates."""
_DUTY = math.log1p(constant("draw_duty"))
"""Log power of the duty after which the trade of a variety is on average that of the central sigma."""
_LEAST_THETA = constant("theta_least")
"""Least log pass-through; published ones of 2018 to 2025 are from 0.80 to 1, see docs/models/parameters.md."""
_THETA_SPREAD = constant("theta_spread")
"""Standard deviation of the log odds of pass-through between its bounds."""
_SIGMA_COMMON, _ETA, _SUPPLY, _FIRST_SECTION = range(4)
_MIX, _PRODUCT, _SECTION_SUPPLY = 1, 2, 3
_NODES, _ROUNDS, _HALVINGS = 64, 40, 60
"""Nodes of a quadrature and steps of two searches, far beyond what double precision needs."""


@dataclass(frozen=True, slots=True)
class Spreads:
    """Spreads of the draws. At 0 a parameter is not drawn.

    Attributes:
        sigma: multiplies the standard deviation of ln (sigma - 1) of each product.
        eta: standard deviation of ln eta.
        supply: multiplies the standard deviation of the log odds of pass-through.
        claims: probability that a draw takes USMCA claim shares of another period than the run.
    """

    sigma: float = 1.0
    eta: float = constant("eta_spread")
    supply: float = 1.0
    claims: float = constant("claims_others")


DEFAULT_SPREADS = Spreads()


@dataclass(frozen=True, slots=True)
class Draws:
    """Number, seed and spreads of the draws.

    Raises:
        InputError: PARAMETER_INVALID unless `count` is a power of two from 16 to 16,384 and `seed` from 0 to 2^63 - 1.
    """

    count: int
    seed: int = 0
    spreads: Spreads = DEFAULT_SPREADS

    def __post_init__(self) -> None:
        if not LEAST_DRAWS <= self.count <= MOST_DRAWS or self.count & (self.count - 1):
            fix = (
                f"It must be a power of two from {LEAST_DRAWS} to {MOST_DRAWS:,}: 256 for a quick look, 1024 as a "
                "rule, 4096 for a report."
            )
            raise invalid("draws", f"draws is {self.count}.", fix=fix)
        if not 0 <= self.seed <= GREATEST_SEED:
            raise invalid(
                "seed", f"seed is {self.seed}.", fix="It must be a whole number from 0 to 2^63 - 1."
            )
        for name, most in (("sigma", 10), ("eta", 10), ("supply", 10), ("claims", 1)):
            value = getattr(self.spreads, name)
            if not 0.0 <= value <= most:
                raise invalid(name, f"the spread of {name} is {value}.", fix=f"It must be from 0 to {most}.")


@dataclass(frozen=True, slots=True)
class DrawnDeviations:
    """Deviations of one draw from the central parameters, in standard deviations.

    Attributes:
        sigma: of ln (sigma - 1) of each product.
        eta: of ln eta.
        supply: of the log odds of pass-through of each section.
        own: standard deviation of the part of sigma that a product and its section, and of supply that a section, have
            of their own; 0 where that is not drawn.
    """

    sigma: Floats
    eta: float
    supply: Floats
    own: float


@dataclass(frozen=True, slots=True)
class DrawnParameters:
    """Parameters of the draws of a list of products.

    Attributes:
        central: the central parameters.
        draws: number and spreads.
        names: the global dimensions: common sigma, eta, supply, then sigma of each section.
        normals: (draws, dimensions) normal quantiles of the global dimensions.
        section: section of each product, an index.
        products: the integer that stands for each product's code.
        claims: (draws,) uniforms that choose the period of claim shares.
        middles: by horizon of the path, else of the only one, of ln (sigma - 1) of each product, from that of the
            central value, where its own part is drawn.
    """

    central: ProductParameters
    draws: Draws
    names: tuple[str, ...]
    normals: Floats
    uniforms: Floats
    section: Ints
    products: NDArray[np.uint64]
    claims: Floats
    middles: tuple[Floats, ...]

    def draw(self, index: int) -> ProductParameters:
        """Compute the parameters of one draw, from 0."""
        return self.at(self.deviations(index))

    def moved(self, dimension: int, quantile: float) -> ProductParameters:
        """Move one global dimension to a quantile of its distribution, the others at their median."""
        normals = np.zeros(len(self.names))
        normals[dimension] = _normals(np.array([quantile]))[0]
        return self.at(self._deviations(normals, 0.0, np.zeros(len(self.names) - _FIRST_SECTION), 0.0))

    def deviations(self, index: int) -> DrawnDeviations:
        """Compute the deviations of one draw; the same for all parameters of the same products and draws."""
        seed = self.draws.seed
        own = _own_normals(seed, _PRODUCT, index, self.products) if self.draws.spreads.sigma else 0.0
        sections = np.arange(len(self.names) - _FIRST_SECTION, dtype=np.uint64)
        own_supply = _NOT_COMMON * _own_normals(seed, _SECTION_SUPPLY, index, sections)
        return self._deviations(self.normals[index], own, own_supply, _NOT_COMMON)

    def _deviations(
        self, normals: Floats, own: Floats | float, own_supply: Floats, spread_of_own: float
    ) -> DrawnDeviations:
        shared = _COMMON * normals[_SIGMA_COMMON] + _SECTION * normals[_FIRST_SECTION + self.section]
        supply = _COMMON * normals[_SUPPLY] + own_supply
        return DrawnDeviations(shared + _OWN * own, normals[_ETA], supply, spread_of_own)

    def at(self, deviations: DrawnDeviations) -> ProductParameters:
        """Compute the parameters at deviations from the central ones: on the path the same at every horizon."""
        stages = [
            self._at(central, middles, deviations)
            for central, middles in zip(_stages_of(self.central), self.middles, strict=True)
        ]
        if not isinstance(self.central, PathParameters):
            return stages[0]
        return PathParameters.of(stages, self.central.profile)

    def _at(self, p: ProductParameters, middles: Floats, deviations: DrawnDeviations) -> ProductParameters:
        spreads = self.draws.spreads
        sigma = self._sigma(p, np.where(deviations.own == 0.0, 0.0, middles), deviations.sigma)
        eta = p.eta * np.exp(spreads.eta * deviations.eta)
        if spreads.supply == 0.0:
            return replace(p, sigma=sigma, eta=eta)
        drawn = spreads.supply * deviations.supply, spreads.supply * deviations.own
        return replace(p, sigma=sigma, eta=eta, supply=self._supply(p, *drawn))

    def _sigma(self, p: ProductParameters, middle: Floats, deviation: Floats) -> Floats:
        """Draw sigma of each product; `deviation` is that of ln (sigma - 1) in standard deviations."""
        least = _least(p.sigma)
        spread = self.draws.spreads.sigma * _EXCESS * p.spread
        drawn = least + (p.sigma - least) * np.exp(middle + spread * deviation)
        # A central value outside the interval is kept.
        return np.clip(drawn, np.minimum(LEAST_SIGMA, p.sigma), np.maximum(GREATEST_SIGMA, p.sigma))

    def _supply(self, p: ProductParameters, deviation: Floats, spread_of_own: float) -> Floats:
        """Draw the supply of products with the horizon's default supply elasticity; others keep theirs."""
        central = HORIZON_SUPPLY[p.horizon]
        factor = _supply_factor(central, HORIZON_ETA[p.horizon], deviation, spread_of_own)
        drawn = (central * factor)[self.section]
        return np.where(p.supply == central, drawn, p.supply)


def _stages_of(central: ProductParameters) -> Sequence[ProductParameters]:
    return central.stages if isinstance(central, PathParameters) else (central,)


def drawn_parameters(central: ProductParameters, codes: Sequence[str], draws: Draws) -> DrawnParameters:
    """Prepare the draws of products with these codes, whose parameters are of a horizon or of the path.

    A draw moves all horizons of the path in the same direction.
    """
    sections, section = sections_of(codes)
    names = ("sigma", "eta", "supply", *(f"sigma, section {name}" for name in sections))
    every = _global_uniforms(draws, len(names) + 1)
    uniforms = every[:, :-1]
    return DrawnParameters(
        central,
        draws,
        names,
        _normals(uniforms),
        uniforms,
        section,
        np.array([int(f"1{code}") for code in codes], dtype=np.uint64),
        every[:, -1],
        tuple(
            _sigma_middles(p.sigma - _least(p.sigma), draws.spreads.sigma * _EXCESS * _NOT_COMMON * p.spread)
            for p in _stages_of(central)
        ),
    )


def _least(sigma: Floats) -> Floats:
    """Choose what sigma exceeds in draws: 1, or 0 where hardly anything would be left."""
    return np.where(sigma > LEAST_SIGMA, 1.0, 0.0)


def _sigma_middles(excess: Floats, spread: Floats) -> Floats:
    """Find the shift of normal ln (sigma - 1) at which a duty leaves, on average, the trade of the central sigma.

    A variety keeps `exp(-d (sigma - 1))` of its share of spending after a duty of log power `d`, if all others keep
    their prices. Halving an interval on the mean by Gauss-Hermite quadrature.

    `excess` is that of the central value, `spread` that of what the product and its section have of their own.
    """
    pairs, place = np.unique(np.column_stack([excess, spread]), axis=0, return_inverse=True)
    lost, spreads = _DUTY * pairs[:, :1], pairs[:, 1:]
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    # The mean of a concave function is below that of the mean, and no node is beyond the eleventh deviation.
    low, high = -0.5 * spreads**2, 16.0 * spreads
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        gone = -np.expm1(-lost * np.exp(middle + spreads * nodes))
        above = np.sum(weights * gone, axis=1, keepdims=True) > -np.expm1(-lost) * np.sum(weights)
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return (0.5 * (low + high)).ravel()[place.ravel()]


def _supply_factor(supply: float, eta: float, deviation: Floats, spread_of_own: float) -> Floats:
    """Compute drawn supply elasticities over the central one.

    The log pass-through of a duty on all origins is theta = supply / (supply + eta). It is logit-normal between its
    bounds, with the central value as its mean over what sections have of their own.

    `eta` is that at which pass-through is drawn, `spread_of_own` that of the part of the deviation of a section's own.
    """
    central = supply / (supply + eta)
    place = (central - _LEAST_THETA) / (1.0 - _LEAST_THETA)
    middle = _middle(math.log(place / (1.0 - place)), _THETA_SPREAD * spread_of_own)
    odds = np.exp(middle + _THETA_SPREAD * deviation)
    theta = _LEAST_THETA + (1.0 - _LEAST_THETA) * odds / (1.0 + odds)
    factor: Floats = theta / (1.0 - theta) / (supply / eta)
    # Exactly 1 where nothing is drawn, so that a draw without deviation has the bits of the plain run.
    return np.where((deviation == 0.0) & (spread_of_own == 0.0), 1.0, factor)


@cache
def _middle(log_odds: float, spread: float) -> float:
    """Find the middle of normal log odds at which the mean of the share is that of the given log odds.

    Newton's steps on the mean by Gauss-Hermite quadrature, whose slope is the mean of share (1 - share).
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    share, middle = 1.0 / (1.0 + math.exp(-log_odds)), log_odds
    for _ in range(_ROUNDS):
        shares = 1.0 / (1.0 + np.exp(-(middle + spread * nodes)))
        mean = np.sum(weights * shares) / np.sum(weights)
        middle -= float((mean - share) / (np.sum(weights * shares * (1.0 - shares)) / np.sum(weights)))
    return middle


def _global_uniforms(draws: Draws, dimensions: int) -> Floats:
    each = draws.count // REPLICATES
    blocks = [
        sobol_points(each, [_hash(draws.seed, _MIX, replicate, dimension) for dimension in range(dimensions)])
        for replicate in range(REPLICATES)
    ]
    return np.concatenate(blocks)


def _hash(*words: int) -> int:
    from tariffs.engine.response.kernels.draws import mixed

    state = np.uint64(0)
    with np.errstate(over="ignore"):
        for word in words:
            state = np.uint64(mixed(state, np.uint64(word)))
    return int(state)


def _own_normals(seed: int, parameter: int, draw: int, keys: NDArray[np.uint64]) -> Floats:
    """Draw one normal for each key, such as a product, of a parameter."""
    from tariffs.engine.response.kernels.draws import product_normals

    out = np.empty(keys.size)
    product_normals(np.uint64(_hash(seed, parameter, draw)), keys, out)
    return out


def _normals(uniforms: Floats) -> Floats:
    from tariffs.engine.response.kernels.draws import normals

    out = np.empty(uniforms.size)
    normals(uniforms.ravel(), out)
    return out.reshape(uniforms.shape)
