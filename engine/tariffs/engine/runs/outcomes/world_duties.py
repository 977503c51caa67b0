"""Give the countries of a world the changes of mean duties that runs over embedded tables compute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64, ratio, sums_of
from tariffs.engine.response.elasticities.thetas import theta_of_industry
from tariffs.engine.response.industries import industry_of
from tariffs.engine.response.world import OneSectorTable, SectorTable
from tariffs.engine.response.world.one_sector import LEAST_RATE
from tariffs.engine.runs.sums import Sums
from tariffs.engine.schedule.countries import country_rows
from tariffs.engine.schedule.reference_data import exports_by_chapter

GOODS = "hts10"


def duty_changes(sums: Sums, baseline_duty: F64) -> pl.DataFrame:
    """Make a frame of value, duty and the change of duty since the baseline by keys, USD."""
    duty, value = sums.groups["duty"][0], sums.groups["customs_value"][0]
    return sums.keys.with_columns(
        pl.Series("value", value),
        pl.Series("duty", duty, nan_to_null=True),
        pl.Series("change", np.nan_to_num(duty - baseline_duty)),
    )


def exports_by_partner() -> Mapping[str, float]:
    """Sum the exports of the home country in the embedded table of chapters by partner, USD."""
    total: dict[str, float] = {}
    for partner, _, value in exports_by_chapter().iter_rows():
        total[partner] = total.get(partner, 0.0) + value
    return total


def rates_of(
    table: OneSectorTable | SectorTable, duties: pl.DataFrame, partner: str, total: Mapping[str, float]
) -> F64:
    """Divide changes of duty by value, or by total trade with a partner: fractions, [sector by] country of the table.

    Args:
        table: table of the world.
        duties: of `duty_changes` by partner, and by `GOODS` where the table has sectors.
        partner: the column of partners.
        total: total trade by partner, in one sector; sums are in the order of the groups.
    """
    is_one, code_of = isinstance(table, OneSectorTable), codes_of(table)
    place = {code: index for index, code in enumerate(table.countries)}
    row = np.array([place.get(code_of.get(code, ""), -1) for code in duties[partner]])
    sector, count = np.zeros_like(row), 1
    if isinstance(table, SectorTable):
        of_name = {name: index for index, name in enumerate(table.sectors)}
        sector, count = (
            np.array([of_name.get(name, -1) for name in sectors_of(list(duties[GOODS]))]),
            len(of_name),
        )
    kept = (row >= 0) & (sector >= 0)
    cell, cells = (sector * len(place) + row)[kept], count * len(place)
    change, value = (sums_of(cell, duties[name].to_numpy()[kept], cells) for name in ("change", "value"))
    if is_one:
        for code, amount in total.items():
            if (index := place.get(code_of.get(code, ""), -1)) >= 0:
                value[index] = amount
    rates = np.maximum(ratio(change, value, 0.0), LEAST_RATE).reshape(count, len(place))
    found: F64 = rates[0] if is_one else rates
    return found


def codes_of(table: OneSectorTable | SectorTable) -> Mapping[str, str]:
    """Country of a table of each origin: its own, or the only one that is no ISO code, the rest of the world."""
    alpha3 = {row["iso2"]: row["iso3"] for row in country_rows()}
    rest = [code for code in table.countries if code not in alpha3.values()]
    other = rest[0] if len(rest) == 1 else ""
    return {iso2: code if code in table.countries else other for iso2, code in alpha3.items()}


def sectors_of(codes: Sequence[str]) -> list[str]:
    """Find the sector of ISIC Rev. 3 of HTS codes, as named with the published thetas."""
    return [theta_of_industry(industry).sector for industry in industry_of(codes).tolist()]
