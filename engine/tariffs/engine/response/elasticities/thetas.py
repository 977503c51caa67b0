"""Trade elasticities (theta) of sectors by BEA industry, as published, and those of a user's file.

`data/thetas.csv` has the elasticities by sector of ISIC Rev. 3, `data/theta_industries.csv` the sector of an industry:
that of the longest prefix of its code. See docs/models/exact_hat.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

from tariffs.engine.response.constants import digest, longest_prefix, table, table_bytes
from tariffs.engine.response.elasticities.parameters import (
    CENTRAL,
    SETS,
    ProductParameters,
    numbered_sources,
    read_parameters,
)
from tariffs.engine.response.industries import NO_INDUSTRY, industries, industry_of
from tariffs.engine.response.inputs import Floats, invalid

THETAS = "caliendo_parro"
"""Name of the set of published thetas."""
LASTING = "long"
"""Horizon of a theta: trade has adjusted to a duty that lasts."""
_EVERY_SECTOR = "Aggregate"
"""Row of all sectors together, for goods without a sector of their own."""
_FILES = ("thetas.csv", "theta_industries.csv")


@dataclass(frozen=True, slots=True)
class ThetaParameters(ProductParameters):
    """Trade elasticities of products, each that of its sector.

    The other elasticities are those of the same demand by products: sigma = 1 + theta between origins, constant
    spending (eta = 1), flat supply. Limits on quantities, which hold products, take them.

    Attributes:
        theta: elasticity of imports over domestic sales to 1 + duty, > 0, per product.
    """

    theta: Floats

    @classmethod
    def of(
        cls, theta: Floats, domestic_ratio: Floats, cited: Sequence[str], name: str, digest: str
    ) -> ThetaParameters:
        """Make parameters of thetas and their citations, one per product; `name` is that of the set."""
        count, (sources, source) = len(theta), numbered_sources(cited)
        return cls(
            sigma=1.0 + theta,
            eta=np.ones(count),
            supply=np.full(count, np.inf),
            spread=np.zeros(count),
            kappa=np.full(count, np.nan),
            domestic_ratio=domestic_ratio,
            sources=sources,
            source=source,
            set=name,
            horizon=LASTING,
            digest=digest,
            notes=(),
            foreign=(),
            theta=theta,
        )

    def scaled(self, factors: Mapping[str, float]) -> ThetaParameters:
        """Multiply theta.

        Raises:
            InputError: PARAMETER_INVALID for another elasticity.
        """
        for name in factors.keys() - {"theta"}:
            why = f"The model by sectors has no {name}."
            raise invalid(f"elasticity.{name}", why, fix="Use elasticity.theta.")
        theta = self.theta * factors.get("theta", 1.0)
        return replace(self, theta=theta, sigma=1.0 + theta)


@dataclass(frozen=True, slots=True)
class SectorTheta:
    """Sector with its trade elasticity and the citation of it."""

    sector: str
    theta: float
    source: str


@cache
def sector_thetas() -> Mapping[str, SectorTheta]:
    """Read the published thetas by sector."""
    return {
        row["sector"]: SectorTheta(row["sector"], float(row["theta"]), row["source"])
        for row in table("thetas.csv")
    }


@cache
def theta_of_industry(industry: int) -> SectorTheta:
    """Look up the theta of an index into `Industries.codes`; goods without a sector have that of all together."""
    sectors = {row["industry"]: row["sector"] for row in table("theta_industries.csv")}
    code = "" if industry == NO_INDUSTRY else industries().codes[industry]
    prefix = longest_prefix(code, sectors)
    return sector_thetas()[_EVERY_SECTOR if prefix is None else sectors[prefix]]


def theta_parameters_for(hts: pl.Series | Sequence[str], *, set: str | Path | None = None) -> ThetaParameters:
    """Look up thetas of products by HTS code.

    Args:
        hts: codes of 2 to 10 digits without dots.
        set: a path for a user's CSV over the published thetas, None or central for those.

    Raises:
        InputError: PARAMETER_INVALID for another set or a bad file.
    """
    path = None if set is None or set == CENTRAL else Path(set)
    if set in SETS and path is not None:
        fix = "Leave it out for the published ones, or give a file with the columns hts and theta."
        raise invalid("set", f"The set {set} has no thetas.", fix=fix)
    codes = list(hts)
    overrides = {} if path is None else read_parameters(path)
    prefixes = [longest_prefix(code, overrides) or "" for code in codes]
    rows = [overrides.get(prefix, {}) for prefix in prefixes]
    found = [theta_of_industry(industry) for industry in industry_of(codes).tolist()]
    cited = [
        f"given for {prefix}" if "theta" in row else one.source
        for one, prefix, row in zip(found, prefixes, rows, strict=True)
    ]
    return ThetaParameters.of(
        np.array([row.get("theta", one.theta) for one, row in zip(found, rows, strict=True)]),
        np.array([row.get("domestic_ratio", 0.0) for row in rows]),
        cited,
        THETAS if path is None else path.name,
        digest(*map(table_bytes, _FILES), b"" if path is None else path.read_bytes()),
    )
