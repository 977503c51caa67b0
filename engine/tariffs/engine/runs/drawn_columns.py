"""Result columns that have ranges over draws, computed from the sums of every draw."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tariffs.engine.base.array_utils import F64, I64, ratio, sums_of
from tariffs.engine.response.sector_market import SECTOR, DomesticGoods
from tariffs.engine.runs.grouping import without_noise
from tariffs.engine.runs.incidence import INCIDENCE_COLUMNS, incidence
from tariffs.engine.runs.limit_columns import LIMIT_COLUMNS, LIMIT_SUMS, RENTS, premium
from tariffs.engine.runs.response_sums import SUMS, DrawSums
from tariffs.engine.runs.table_run import TableRun

COLUMNS = (
    "value_after", "duty_after", "effective_rate_after", "landed_after", "value_change", "quantity_hat", "creation",
    "diversion", "buyer_surplus", "welfare",
)  # fmt: skip
"""Columns of every run."""
DRAWN_DOMESTIC = ("domestic_price_hat", "domestic_quantity_hat", "producer_surplus")
"""Columns of a market of sectors, but for shipments at the baseline, which no draw moves."""
FURTHER_COLUMNS = (*INCIDENCE_COLUMNS, *LIMIT_COLUMNS, *DRAWN_DOMESTIC)
"""Columns of incidence, of limits on quantities and of a market of sectors, in runs that have them."""
TOTAL_COLUMNS = tuple(name for name in COLUMNS if name != "diversion")
"""Columns of every run with ranges of the total: diversion sums to 0 over a product, so its total is rounding alone."""
DOMESTIC_SUMS = ("domestic_shipments", "domestic_price", "domestic_output", "producer_surplus")
"""Sums of domestic goods, USD: shipments at the baseline, these times price and times quantity hats, and surplus."""


def sums_of_run(run: TableRun) -> tuple[str, ...]:
    """List the names of the sums that each draw of a run has."""
    limits = LIMIT_SUMS if run.has_limits else ()
    return (*SUMS, *limits, *(DOMESTIC_SUMS if run.options.market == SECTOR else ()))


def all_sums(sums: DrawSums, names: Sequence[str], owner: I64 | None) -> tuple[F64, F64]:
    """Put the sums of a few draws side by side: by group (draws, groups, names) and in total (draws, 1, names).

    Args:
        sums: the sums.
        names: those of the run; what an outcome lacks, such as rents under a law without limits, is 0, and what the run
            does not report is left out.
        owner: group of each product; None where groups cut through products, whose domestic goods are then unknown.
    """
    draws, count = sums.groups.shape[:2]
    groups, total = (np.zeros((draws, rows, len(names))) for rows in (count, 1))
    groups[:, :, : len(SUMS)], total[:, :, : len(SUMS)] = sums.groups, sums.total
    if sums.rents is not None and LIMIT_SUMS[0] in names:
        place = names.index(LIMIT_SUMS[0])
        groups[:, :, place : place + len(LIMIT_SUMS)] = sums.rents
        total[:, 0, place : place + len(LIMIT_SUMS)] = sums.rents.sum(axis=0)
    for draw, goods in enumerate(sums.domestic):
        amounts = _amounts(goods)
        place = names.index(DOMESTIC_SUMS[0])
        own = slice(place, place + len(DOMESTIC_SUMS))
        total[draw, 0, own] = amounts.sum(axis=1)
        groups[draw, :, own] = np.nan
        if owner is not None:
            groups[draw, :, own] = np.column_stack([sums_of(owner, each, count) for each in amounts])
    return groups, total


def _amounts(goods: DomesticGoods) -> F64:
    """Amounts of domestic goods by product (4, products), as `DOMESTIC_SUMS`."""
    shipments = goods.shipments
    return np.stack([shipments, shipments * goods.price_hat, shipments * goods.quantity_hat, goods.surplus])


def drawn_columns(sums: F64, names: Sequence[str], value: F64) -> dict[str, F64]:
    """Compute the result columns (draws, groups) from sums, but for those of incidence.

    Args:
        sums: (draws, groups, names).
        names: names of the sums.
        value: customs value by group.
    """
    columns = _named(sums, names)
    shape = columns["quantity"].shape
    columns["effective_rate_after"] = ratio(columns["duty_after"], columns["value_after"])
    columns["quantity_hat"] = ratio(columns["quantity"], np.broadcast_to(value, shape))
    columns["diversion"] = without_noise(columns["diversion"], value)
    found = {name: columns[name] for name in COLUMNS}
    if RENTS[0] in columns:
        found |= premium(columns) | {name: columns[name] for name in RENTS}
    return found | (_domestic(columns) if DOMESTIC_SUMS[0] in columns else {})


def drawn_incidence(sums: F64, names: Sequence[str], base_duty: F64) -> dict[str, F64]:
    """Compute the columns of incidence (draws, groups) from sums (draws, groups, names).

    Args:
        sums: the sums.
        names: names of the sums.
        base_duty: duty of the baseline by group.
    """
    return incidence(_named(sums, names), base_duty)


def _named(sums: F64, names: Sequence[str]) -> dict[str, F64]:
    return {name: sums[:, :, place] for place, name in enumerate(names)}


def _domestic(columns: dict[str, F64]) -> dict[str, F64]:
    shipments = columns["domestic_shipments"]
    return {
        "domestic_price_hat": ratio(columns["domestic_price"], shipments),
        "domestic_quantity_hat": ratio(columns["domestic_output"], shipments),
        "producer_surplus": columns["producer_surplus"],
    }
