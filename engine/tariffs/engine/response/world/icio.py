"""Read the inter-country input-output tables of the OECD in their CSV layout into a table of many sectors.

The first column names rows and the header columns, both `COUNTRY_INDUSTRY`; columns of final demand are
`COUNTRY_CATEGORY`, and output is the row or column `OUT` (`OUTPUT`). Amounts are million USD at basic prices.
"""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64
from tariffs.engine.response.world.read_tables import (
    Files,
    checked,
    digest_of,
    frame_in,
    home,
    invalid_table,
    sector_table,
)
from tariffs.engine.response.world.sectors import SectorTable

_MILLION = 1e6
_OUTPUT = ("OUT", "OUTPUT")


def any_sector_table(files: Files) -> SectorTable:
    """Read a table of many sectors: one of ICIO with `*thetas*` (`industry, theta`) beside it, else as `sector_table`.

    Raises:
        InputError: TABLE_UNREADABLE.
    """
    tables = [name for name in sorted(files) if "icio" in name.lower()]
    if not tables:
        return sector_table(files)
    thetas = frame_in(files, "thetas", ("industry", "theta"))
    by_industry = dict(zip(thetas["industry"], thetas["theta"].cast(pl.Float64), strict=True))
    return icio_table(files[tables[0]], by_industry, source=digest_of(files))


def icio_table(data: bytes, theta: Mapping[str, float], source: str = "OECD ICIO") -> SectorTable:
    """Read a table.

    Value added is what inputs leave of output, taxes on products with it. Base tariffs are 0: `with_rates` puts others
    in their place. Sales that changes of inventories make negative are taken as 0.

    Args:
        data: the CSV file.
        theta: trade elasticity of each industry, by its code.
        source: what the data are.

    Raises:
        InputError: TABLE_UNREADABLE.
    """
    try:
        frame = pl.read_csv(io.BytesIO(data), infer_schema_length=None)
    except pl.exceptions.PolarsError as error:
        raise invalid_table(f"The table cannot be read: {str(error).splitlines()[0]}") from error
    label = frame.columns[0]
    # Names such as `ARG_A01_02` have underscores after the first, rows of taxes, value added and output none.
    sellers = frame.filter(pl.col(label).cast(pl.String).str.contains("_"))
    names = [(name.partition("_")[0], name.partition("_")[2]) for name in map(str, sellers[label])]
    countries, sectors = (list(dict.fromkeys(name[place] for name in names)) for place in (0, 1))
    if len(names) != len(countries) * len(sectors):
        raise invalid_table(
            f"{len(names)} rows are no {len(countries)} countries of {len(sectors)} industries each."
        )
    missing = [sector for sector in sectors if sector not in theta]
    if missing:
        raise invalid_table(f"No theta is given for {', '.join(missing)}.")
    if (chosen := home()) not in countries:
        raise invalid_table(f"The table has no country {chosen}.")
    out = [name for name in _OUTPUT if name in frame.columns]
    buyers = [name for name in frame.columns[1:] if name.partition("_")[0] in countries]
    if not out or not buyers:
        raise invalid_table("The table has no column of output, or none of buyers.")
    shape = len(countries), len(sectors)
    seller = _places(names, countries, sectors)
    sold = np.zeros((*shape, len(buyers)))
    sold[seller] = sellers.select(buyers).cast(pl.Float64).to_numpy() * _MILLION
    output = np.zeros(shape)
    output[seller] = sellers[out[0]].cast(pl.Float64).to_numpy() * _MILLION
    importer = np.array([countries.index(name.partition("_")[0]) for name in buyers])
    flows = np.zeros((len(sectors), len(countries), len(countries)))
    inputs = np.zeros((len(countries), len(sectors), len(sectors)))
    for column, name in enumerate(buyers):
        flows[:, :, importer[column]] += sold[:, :, column].T
        industry = name.partition("_")[2]
        if industry in sectors:
            inputs[importer[column], :, sectors.index(industry)] += sold[:, :, column].sum(axis=0)
    flows[:, range(len(countries)), range(len(countries))] = 0.0
    return checked(
        SectorTable(
            countries=tuple(countries),
            sectors=tuple(sectors),
            home=chosen,
            theta=np.array([theta[sector] for sector in sectors]),
            flows=np.maximum(flows, 0.0),
            tariffs=np.zeros_like(flows),
            output=output,
            value_added=_added(inputs.sum(axis=1), output),
            inputs=inputs,
            source=source,
        )
    )


def _places(
    names: list[tuple[str, str]], countries: list[str], sectors: list[str]
) -> tuple[list[int], list[int]]:
    return [countries.index(name[0]) for name in names], [sectors.index(name[1]) for name in names]


def _added(inputs: F64, output: F64) -> F64:
    """Share of output that inputs leave; 1 where nothing is made."""
    used: F64 = np.divide(inputs, output, out=np.zeros_like(output), where=output > 0.0)
    return np.clip(1.0 - used, 0.0, 1.0)
