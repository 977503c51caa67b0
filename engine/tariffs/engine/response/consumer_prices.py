"""Carry duties to consumer prices through input-output tables, and divide them over tenths of households.

See docs/models/consumer_prices.md and docs/models/households.md. The method is that of the Budget
Lab at Yale: an imported good rises by its duty, a domestic good by the duty on its imported inputs through all stages,
and consumption by both in the proportions of 2017. A line of consumption is spent by the tenths in the proportions in
which they spend on the item of the Consumer Expenditure Survey that stands for it, in dollars of 2023, its year.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

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


DECILE = "decile"
"""Key of the tenths of households among those of the groups of a run."""
TENTHS = 10
FACTS = {
    "shares": "BLS, Consumer Expenditure Surveys 2023, Table 1110 (deciles of income before taxes)",
    "ranked_by": "income before tax of consumer units",
    "incomes": "of the same table: before tax, after tax",
    "dollars": 2023,
}
"""Facts for the provenance."""
_NEAR, _PROXY = "near", "proxy"
_DOLLARS = 1e9


class _Lines(NamedTuple):
    """Lines of consumption of one year of accounts: place of each line, its category, item and fit."""

    place: dict[str, int]
    categories: tuple[str, ...]
    category: I64
    shares: F64
    fit: tuple[str, ...]


def household_costs(prices: pl.DataFrame, accounts: str) -> pl.DataFrame:
    """Divide the effect on the prices of lines over tenths of households and categories.

    Args:
        prices: `line`, `spending` in USD of the year of the accounts, and `change` of the price as a fraction; a row a
            line.
        accounts: year of the accounts, 2017 or 2024.

    Returns:
        A row for all households and all goods, then one for each category of goods, then the same for each tenth of
        households, the poorest first: `decile` (null: all), `category` (null: all), `cost` of the tenth in USD of 2023
        a year, `per_household` (USD), `of_income_before_tax`, `of_income_after_tax`, `change` of the price of what the
        tenth buys (fractions), and the shares of the cost in goods whose item is wider or a neighbour, `near_share`, or
        that no item fits, `proxy_share`.
    """
    held, incomes = _lines(accounts), _incomes()
    order = np.array([held.place[line] for line in prices["line"]], dtype=np.int64)
    spending = prices["spending"].to_numpy()
    spending = spending * (constant("consumption_2023") * _DOLLARS / float(spending.sum()))
    cost = spending * prices["change"].to_numpy()
    fit = np.array(held.fit)[order]
    # Shares of all households (the whole) and of each tenth, by line.
    shares = np.vstack([np.ones(len(order)), held.shares[:, order]])
    category, count = held.category[order], len(held.categories)

    def sums(amounts: F64) -> F64:
        """Sum amounts of lines by row of the result: all goods, then each category, of all and then of each tenth."""
        of_tenths = (sums_of(category, share * amounts, count) for share in shares)
        return np.concatenate([[each.sum(), *each] for each in of_tenths])

    total, units = sums(cost), np.repeat([incomes["units"].sum(), *incomes["units"]], 1 + count)
    per_household = total / units

    def of_income(name: str) -> F64:
        income = incomes[name]
        mean = (income * incomes["units"]).sum() / incomes["units"].sum()
        found: F64 = per_household / np.repeat([mean, *income], 1 + count)
        return found

    columns = {
        "cost": total,
        "per_household": per_household,
        "of_income_before_tax": of_income("income_before_tax"),
        "of_income_after_tax": of_income("income_after_tax"),
        "change": ratio(total, sums(spending)),
        "near_share": _part(sums(np.where(fit == _NEAR, cost, 0.0)), total),
        "proxy_share": _part(sums(np.where(fit == _PROXY, cost, 0.0)), total),
    }
    keys = {
        DECILE: pl.Series(np.repeat(np.arange(1 + TENTHS), 1 + count)).replace(0, None),
        "category": [None, *held.categories] * (1 + TENTHS),
    }
    numbers = {name: pl.Series(values, nan_to_null=True) for name, values in columns.items()}
    return pl.DataFrame({**keys, **numbers})


def fit_text(costs: pl.DataFrame) -> str:
    """Say what share of the cost is of goods that no item of the survey fits, and in which categories most of it is."""
    whole = costs.filter(pl.col(DECILE).is_null())
    total = whole.row(0, named=True)
    unfit = whole[1:].select("category", unfit=pl.col("cost") * pl.col("proxy_share"))
    largest = unfit.filter(pl.col("unfit") > 0.0).sort("unfit", descending=True).head(3)
    names = ", ".join(f"{name} {part / total['cost']:.1%}" for name, part in largest.iter_rows())
    return (
        f"{total['proxy_share'] or 0.0:.1%} of the cost is of goods without an item of spending by households that "
        f"fits ({names or 'none'}): all spending, or the nearest item, divides them; {total['near_share'] or 0.0:.1%} "
        "is by a wider or neighbouring item."
    )


def _part(part: F64, whole: F64) -> F64:
    """Divide where the whole is not 0; NaN elsewhere."""
    return np.divide(part, whole, out=np.full_like(whole, np.nan), where=whole != 0.0)


@cache
def _lines(year: str) -> _Lines:
    rows = [row for row in table("household_lines.csv") if row["accounts"] == year]
    items = {row.pop("item"): np.array([*map(float, row.values())]) for row in table("household_items.csv")}
    categories = tuple(sorted({row["category"] for row in rows}))
    # Published shares are rounded, and sum to 99.8 to 100.2 percent.
    shares = np.array([items[row["item"]] / items[row["item"]].sum() for row in rows]).T
    return _Lines(
        {row["line"]: place for place, row in enumerate(rows)},
        categories,
        np.array([categories.index(row["category"]) for row in rows], dtype=np.int64),
        shares,
        tuple(row["fit"] for row in rows),
    )


@cache
def _incomes() -> dict[str, F64]:
    """Read households, incomes and spending by tenth, in households and USD a year."""
    rows = table("household_incomes.csv")
    found = {name: np.array([float(row[name]) for row in rows]) for name in rows[0] if name != DECILE}
    return {**found, "units": 1e3 * found["units"]}
