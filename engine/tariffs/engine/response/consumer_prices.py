"""Carry duties to consumer prices through input-output tables. See docs/models/consumer_prices.md.

The method is that of the Budget Lab at Yale: an imported good rises by its duty, a domestic good by the duty on its
imported inputs through all stages, and consumption by both in the proportions of 2017.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl

from tariffs.engine.base.array_utils import F64, I64, ratio, sums_of
from tariffs.engine.response.constants import DATA, constant, table
from tariffs.engine.response.exchange_rate import published_offset
from tariffs.engine.response.inputs import Floats, Range, invalid

DOLLAR, PERCENT = "dollar", "percent"
MARGINS = (DOLLAR, PERCENT)
"""Margins of trade and producers that stay constant: in dollars, or in percent of their cost."""
OFFSET_MULTIPLIER = 1.0 - published_offset()
"""Effect on prices that a rise of the dollar leaves."""
YALE_MULTIPLIER = round(OFFSET_MULTIPLIER + constant("domestic_pricing"), 12)
"""Multiplier of the Budget Lab at Yale: the dollar rises, and domestic producers follow by half."""
SOURCE = (
    "BEA input-output accounts (imports, domestic requirements, bridge to personal consumption); method of the Budget "
    "Lab at Yale, 2026-07"
)
REQUIREMENT_UNITS = 20_000
"""Units of the embedded requirements per dollar."""
DETAIL, SUMMARY = "2017", "2024"
ACCOUNTS = (DETAIL, SUMMARY)
"""Accounts by year: in full detail, or the latest, of some 70 industries."""
METHODS: Mapping[str, tuple[str, float, str]] = {
    "dollar": (DOLLAR, 1.0, DETAIL),
    "percent": (PERCENT, 1.0, DETAIL),
    "dollar_offset": (DOLLAR, OFFSET_MULTIPLIER, DETAIL),
    "percent_offset": (PERCENT, OFFSET_MULTIPLIER, DETAIL),
    "yale": (DOLLAR, YALE_MULTIPLIER, DETAIL),
    "dollar_2024": (DOLLAR, 1.0, SUMMARY),
    "percent_2024": (PERCENT, 1.0, SUMMARY),
}
"""Margins, multiplier and accounts by the name that selects them in a run."""
_INDUSTRIES = {DETAIL: ("industries.csv", "_2017"), SUMMARY: ("summary_industries.csv", "")}
_MULTIPLIER = Range(0.0)
_RATE = Range(-1.0, above=True)
# Noncomparable imports, scrap, used goods and the rest of the world are not priced by duties.
_UNPRICED = frozenset({"S00300", "S00401", "S00402", "S00900", "Other", "Used"})


@dataclass(frozen=True, slots=True)
class ConsumerPrices:
    """Change of consumer prices by duties, before any response of trade.

    Attributes:
        lines: line of the BEA's bridge to personal consumption.
        direct, indirect: rise of the cost of each line by imported consumer goods and by imported inputs, million USD
            at the spending of that year.
        spending: purchasers' value of each line in the year of the accounts, million USD.
        margins, multiplier: as asked for.
    """

    lines: tuple[str, ...]
    direct: Floats
    indirect: Floats
    spending: Floats
    margins: str
    multiplier: float

    @property
    def change(self) -> Floats:
        """Change of the price of each line, a fraction; 0 without spending."""
        rise = self.direct + self.indirect
        # Sales of used goods by households make the spending of some lines negative.
        return np.divide(rise, self.spending, out=np.zeros_like(rise), where=self.spending != 0.0)

    @property
    def total(self) -> float:
        """Change of the price of all personal consumption, a fraction."""
        return float((self.direct.sum() + self.indirect.sum()) / self.spending.sum())


@dataclass(frozen=True, slots=True)
class _Accounts:
    """Input-output accounts by place in `codes`; `inputs` and `requirements` are (rows, columns, values)."""

    codes: tuple[str, ...]
    import_share: F64
    output: F64
    cost: F64
    inputs: tuple[I64, I64, F64]
    requirements: tuple[I64, I64, F64]
    lines: tuple[str, ...]
    bridge: tuple[I64, I64, F64, F64]


def commodities(accounts: str = DETAIL) -> tuple[str, ...]:
    """List the BEA codes that `consumer_prices` takes rates of."""
    return _accounts(accounts).codes


def consumer_prices(
    rates: Floats, *, margins: str = DOLLAR, multiplier: float = 1.0, accounts: str = DETAIL
) -> ConsumerPrices:
    """Compute the change of consumer prices from added duties.

    Args:
        rates: added duty as a fraction of customs value, by commodity in the order of `commodities()`.
        margins: dollar or percent; what wholesale, retail and producers keep constant.
        multiplier: factor on every price change; 1 is costs alone, `YALE_MULTIPLIER` that of the Budget Lab at Yale.
        accounts: year of the accounts, 2017 in detail or 2024 in summary.

    Raises:
        InputError: PARAMETER_INVALID for rates of another length or out of range, margins, multiplier or accounts.
    """
    if accounts not in ACCOUNTS:
        raise invalid(
            "accounts", f"There are no accounts of {accounts!r}.", fix=f"Use {' or '.join(ACCOUNTS)}."
        )
    held = _accounts(accounts)
    tau = np.asarray(rates, dtype=np.float64)
    if tau.shape != (len(held.codes),) or _RATE.broken(tau).any():
        raise invalid("rates", "rates are not one fraction above -1 per commodity.")
    if margins not in MARGINS:
        raise invalid("margins", f"{margins!r} is not a margin.", fix=f"Use {' or '.join(MARGINS)}.")
    if _MULTIPLIER.broken(np.array([multiplier]))[0]:
        raise invalid("multiplier", f"multiplier is {multiplier:g}.", fix=f"It must be {_MULTIPLIER}.")
    direct = held.import_share * tau
    indirect = (1.0 - held.import_share) * _costs(held, tau, margins)
    line, commodity, producers, purchasers = held.bridge
    weight = producers if margins == DOLLAR else purchasers
    spending = sums_of(line, purchasers, len(held.lines))

    def rise(change: F64) -> F64:
        return multiplier * sums_of(line, change[commodity] * weight, len(held.lines))

    return ConsumerPrices(held.lines, rise(direct), rise(indirect), spending, margins, multiplier)


def _costs(accounts: _Accounts, tau: F64, margins: str) -> F64:
    """Compute the rise of the cost of domestic goods by imported inputs at all stages, by commodity."""
    count = len(accounts.codes)
    commodity, industry, value = accounts.inputs
    base = accounts.output if margins == DOLLAR else accounts.cost
    first_stage = ratio(sums_of(industry, value * tau[commodity], count), base, 0.0)
    good, maker, needed = accounts.requirements
    return sums_of(good, needed * first_stage[maker], count)


@cache
def _accounts(year: str) -> _Accounts:
    inputs = pl.read_parquet(DATA / f"import_use_{year}.parquet")
    needed = pl.read_parquet(DATA / f"requirements_{year}.parquet")
    bridge = pl.DataFrame(table(f"pce_bridge_{year}.csv"))
    name, suffix = _INDUSTRIES[year]
    industries = table(name)
    columns = (
        inputs["commodity"],
        inputs["industry"],
        needed["commodity"],
        needed["industry"],
        bridge["commodity"],
    )
    codes = sorted({row["industry"] for row in industries}.union(*columns))
    place = {code: index for index, code in enumerate(codes)}

    def places(names: Iterable[str], of: Mapping[str, int] = place) -> I64:
        return np.array([of[name] for name in names], dtype=np.int64)

    def column(title: str) -> F64:
        values: F64 = np.zeros(len(codes))
        for row in industries:
            values[place[row["industry"]]] = float(row[f"{title}{suffix}"] or 0.0)
        return values

    imports, sales = column("imports"), column("output") - column("exports")
    share = ratio(imports, imports + sales, 0.0)
    share[places(sorted(_UNPRICED & place.keys()))] = 0.0
    lines = sorted(set(bridge["line"]))
    of_line = {line: index for index, line in enumerate(lines)}
    producers, purchasers = (bridge[name].cast(pl.Float64).to_numpy() for name in ("producers", "purchasers"))
    requirements = needed["units"].to_numpy() / REQUIREMENT_UNITS
    return _Accounts(
        tuple(codes),
        share,
        column("redefined_output"),
        column("redefined_variable_cost"),
        (places(inputs["commodity"]), places(inputs["industry"]), inputs["musd"].to_numpy().astype(float)),
        (places(needed["commodity"]), places(needed["industry"]), requirements),
        tuple(lines),
        (places(bridge["line"], of_line), places(bridge["commodity"]), producers, purchasers),
    )
