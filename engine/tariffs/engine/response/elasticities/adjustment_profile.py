"""Interpolate elasticities by the age of a change of duty, on published responses by year.

The profile is `data/adjustment.csv`: at each age the weights of the horizons impact, short and long, linear between its
rows. See docs/models/adjustment.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import sum_of
from tariffs.engine.response.constants import digest, table, table_bytes
from tariffs.engine.response.elasticities.parameters import PATH, STAGES, ProductParameters, parameters_for
from tariffs.engine.response.inputs import Floats, invalid

DAYS_A_YEAR = 365
"""Days of a year of age, so that ten calendar years are never less than ten years."""
PROHIBITION_YEARS = 1.0
"""Least age of a prohibition: goods that are not to be had are replaced at once, with the elasticities of `short`."""
BLENDED = ("sigma", "eta", "inverse_supply")
"""Parameters that move with the age, in the order of weights."""
_FILE = "adjustment.csv"


@dataclass(frozen=True)
class AdjustmentProfile:
    """Weights of the horizons by age.

    Attributes:
        years: ages by parameter, ascending from 0.
        weights: by parameter, of impact, short and long at each age (ages x 3); they sum to 1.
        digest: hex SHA-256 of the file.
    """

    years: Mapping[str, Floats]
    weights: Mapping[str, Floats]
    digest: str

    def at(self, years: float) -> Floats:
        """Compute the weights of impact, short and long by parameter (3 x 3) at an age.

        Raises:
            InputError: PARAMETER_INVALID for an age below 0.
        """
        if not years >= 0.0:
            raise invalid("years", f"years is {years:g}.", fix="It must be a number >= 0.")
        of_names = ((self.years[name], self.weights[name].T) for name in BLENDED)
        return np.array([[np.interp(years, ages, stage) for stage in stages] for ages, stages in of_names])


@cache
def adjustment_profile() -> AdjustmentProfile:
    """Read the embedded profile."""
    rows = table(_FILE)
    of_name = {name: [row for row in rows if row["parameter"] == name] for name in BLENDED}
    return AdjustmentProfile(
        {name: np.array([float(row["years"]) for row in found]) for name, found in of_name.items()},
        {
            name: np.array([[float(row[s]) for s in STAGES] for row in found])
            for name, found in of_name.items()
        },
        digest(table_bytes(_FILE)),
    )


def mixed(columns: Floats, weights: Floats) -> Floats:
    """Mix columns of the horizons (3 horizons x 3 parameters x any) by weights (3 parameters x 3 horizons x any).

    The order is that of the kernel that composes the steps of a plain run.
    """
    return sum_of([(1.0, columns[place] * weights[:, place]) for place in range(len(STAGES))])


@dataclass(frozen=True, slots=True)
class PathParameters(ProductParameters):
    """Elasticities of products at every age of a change of duty; its own columns are those of the first year.

    Attributes:
        stages: parameters of the horizons impact, short and long, with the same set or user's file.
        profile: the weights of the horizons by age.
    """

    stages: tuple[ProductParameters, ProductParameters, ProductParameters]
    profile: AdjustmentProfile

    @classmethod
    def of(cls, stages: Iterable[ProductParameters], profile: AdjustmentProfile) -> PathParameters:
        """Join the parameters of the horizons; the digest covers them all and the profile."""
        impact, short, long = stages
        own = {field.name: getattr(short, field.name) for field in fields(ProductParameters)}
        parts = (profile.digest, impact.digest, short.digest, long.digest)
        own |= {"horizon": PATH, "set": PATH if short.set == short.horizon else short.set}
        own |= {"digest": digest(*(part.encode() for part in parts))}
        return cls(**own, stages=(impact, short, long), profile=profile)

    def at(self, years: float) -> ProductParameters:
        """Compute the parameters at an age: those of `impact` at 0, of `long` from ten years on."""
        return self.with_weights(self.profile.at(years)[:, :, None])

    def with_weights(self, weights: Floats) -> ProductParameters:
        """Compute the parameters with weights of the horizons by parameter (3 x 3 x products, or x 1 for all)."""
        for place, parameters in enumerate(self.stages):
            if (weights[:, place] == 1.0).all():
                return parameters
        sigma, eta, inverse = mixed(self.columns, weights)
        with np.errstate(divide="ignore"):
            supply = 1.0 / inverse
        return replace(self.stages[1], sigma=sigma, eta=eta, supply=supply, horizon=PATH)

    def scaled(self, factors: Mapping[str, float]) -> PathParameters:
        """Multiply elasticities by name at every age."""
        return PathParameters.of((each.scaled(factors) for each in self.stages), self.profile)

    @property
    def columns(self) -> Floats:
        """Sigma, eta and inverse supply of the products by horizon (3 horizons x 3 x products)."""
        return np.array([[each.sigma, each.eta, 1.0 / each.supply] for each in self.stages])


def path_parameters_for(
    hts: pl.Series | Sequence[str], *, set: str | Path | None = None, importers: Sequence[str] = ()
) -> PathParameters:
    """Look up the elasticities of products at every age; arguments and errors as `parameters_for`."""
    stages = (parameters_for(hts, horizon=stage, set=set, importers=importers) for stage in STAGES)
    return PathParameters.of(stages, adjustment_profile())


def sigma_at(short: float, long: float, years: float) -> float:
    """Interpolate sigma after a number of years, at least one, on the profile of the adjustment path.

    Raises:
        InputError: PARAMETER_INVALID for less than a year.
    """
    if not years >= 1.0:
        raise invalid("years", f"years is {years:g}.", fix="It must be a number >= 1.")
    weights = adjustment_profile().at(years)[0]
    return float(short * (weights[0] + weights[1]) + long * weights[2])
