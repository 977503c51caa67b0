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

from tariffs.engine.response.constants import digest, table, table_bytes
from tariffs.engine.response.elasticities.parameters import (
    CENTRAL,
    SETS,
    Overrides,
    ProductParameters,
    longest_prefix,
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

    def scaled(self, factors: Mapping[str, float]) -> ThetaParameters:
        """Multiply theta.

        Raises:
            InputError: PARAMETER_INVALID for another elasticity.
        """
        for name in factors.keys() - {"theta"}:
            raise invalid(
                f"elasticity.{name}",
                f"The model by sectors has no {name}.",
                fix="Use elasticity.theta.",
            )
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
def _sector_of_prefix() -> Mapping[str, str]:
    return {row["industry"]: row["sector"] for row in table("theta_industries.csv")}


@cache
def theta_of_industry(industry: int) -> SectorTheta:
    """Look up the theta of an industry; goods without a sector have that of all sectors together.

    Args:
        industry: index into `Industries.codes`, or NO_INDUSTRY.
    """
    sectors = _sector_of_prefix()
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
        raise invalid(
            "set",
            f"The set {set} has no thetas.",
            fix="Leave it out for the published ones, or give a file with the columns hts and theta.",
        )
    codes = list(hts)
    overrides = {} if path is None else read_parameters(path)
    rows = _rows_of(codes, overrides)
    found = [theta_of_industry(industry) for industry in industry_of(codes).tolist()]
    theta = np.array([row.get("theta", one.theta) for one, (_, row) in zip(found, rows, strict=True)])
    cited = [
        f"given for {prefix}" if "theta" in row else one.source
        for one, (prefix, row) in zip(found, rows, strict=True)
    ]
    sources, source = numbered_sources(cited)
    ones = np.ones(len(codes))
    return ThetaParameters(
        sigma=1.0 + theta,
        eta=ones,
        supply=np.full(len(codes), np.inf),
        spread=np.zeros(len(codes)),
        kappa=np.full(len(codes), np.nan),
        domestic_ratio=np.array([row.get("domestic_ratio", 0.0) for _, row in rows]),
        sources=sources,
        source=source,
        set=THETAS if path is None else path.name,
        horizon=LASTING,
        digest=digest(*map(table_bytes, _FILES), b"" if path is None else path.read_bytes()),
        notes=(),
        foreign=(),
        theta=theta,
    )


def _rows_of(codes: Sequence[str], overrides: Mapping[str, Overrides]) -> list[tuple[str, Overrides]]:
    """Find the row of a user's file for each code: its prefix, the longest that fits, and its values."""
    lengths = sorted({len(prefix) for prefix in overrides}, reverse=True)
    prefixes = [next((code[:size] for size in lengths if code[:size] in overrides), "") for code in codes]
    return [(prefix, overrides.get(prefix, {})) for prefix in prefixes]
