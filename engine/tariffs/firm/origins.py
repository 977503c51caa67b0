"""Compare origins of a product by the landed cost of a unit. See docs/source.md.

Costs are those of `quote_line` for an entry of some units, divided by them; over a period they are means by days, under
a mixture expected values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import reduce
from typing import Any, NamedTuple

import polars as pl

from tariffs.engine.errors import InputError, TariffsError
from tariffs.engine.line_duty.entry_line import EntryLine
from tariffs.engine.line_duty.quote import quote_line
from tariffs.engine.runs.law_history.law_changes import read_window
from tariffs.engine.schedule.countries import origin_codes
from tariffs.engine.schedule.country_names import read_country
from tariffs.engine.schedule.reference_data import reference_table
from tariffs.firm.asking import LineAsked, Under, needed
from tariffs.firm.law_days import Days, Laws, days_of
from tariffs.questions import source as answers

ZERO = Decimal(0)
_ORIGINS_NAMED = 5
_PLACES = Decimal("0.0001")
_DEARER = Decimal(2)
"""Factor on the unit cost of the second quote, which gives the landed cost of one more dollar."""


class Offer(NamedTuple):
    """Price of a unit from an origin, USD: at the place of export, and its freight and insurance."""

    origin: str
    unit_cost: Decimal
    freight: Decimal = ZERO
    insurance: Decimal = ZERO


class Amounts(NamedTuple):
    """Amounts a unit, USD: duty assessed and owed, landed cost, and its range over facts that are not declared.

    `per_dollar` is what the landed cost rises by with a unit cost that is one dollar higher.
    """

    duty: Decimal = ZERO
    owed: Decimal = ZERO
    landed: Decimal = ZERO
    low: Decimal = ZERO
    high: Decimal = ZERO
    per_dollar: Decimal = ZERO

    def plus(self, other: Amounts, weight: Decimal) -> Amounts:
        """Add amounts with a weight."""
        return Amounts._make(mine + weight * theirs for mine, theirs in zip(self, other, strict=True))

    def rounded(self) -> Amounts:
        """Round to a hundredth of a cent."""
        return Amounts._make(map(_rounded, self))


@dataclass(frozen=True, slots=True)
class OriginCost:
    """Cost of a unit from one origin under one scenario.

    Attributes:
        offer: the price.
        amounts: amounts a unit; None if a quote is refused.
        rank: 1 for the lowest landed cost, the same for equal ones; None if goods cannot enter or be quoted.
        missing_claims: facts that are not declared and would move the duty.
        prohibited: measures that prohibit entry on some day.
        problem: why a quote is refused.
    """

    offer: Offer
    amounts: Amounts | None
    rank: int | None = None
    missing_claims: tuple[str, ...] = ()
    prohibited: tuple[str, ...] = ()
    problem: TariffsError | None = None

    @property
    def is_open(self) -> bool:
        """True if the goods can enter and be quoted."""
        return self.amounts is not None and not self.prohibited

    def premium(self, landed: Decimal) -> Decimal | None:
        """Compute how much dearer a unit may be for the same landed cost as another's, as a fraction of its cost."""
        if self.amounts is None or not self.amounts.per_dollar or not self.offer.unit_cost:
            return None
        gap = landed - self.amounts.landed
        return _rounded(gap / self.amounts.per_dollar / self.offer.unit_cost)


@dataclass(frozen=True, slots=True)
class Flip:
    """Day from which another origin has the lowest landed cost."""

    day: date
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Origins under one scenario, by rank, and the days on which the cheapest one changes."""

    origins: tuple[OriginCost, ...]
    flips: tuple[Flip, ...]

    @property
    def best(self) -> OriginCost | None:
        """The origin of the lowest landed cost."""
        return self.origins[0] if self.origins and self.origins[0].rank else None


def source(
    under: Under,
    *,
    line: LineAsked,
    start: str,
    end: str,
    origins: Sequence[str],
    offers: Sequence[Mapping[str, Any]],
    units: Decimal,
) -> answers.SourceResult:
    """Answer the question `source`: origins under each scenario, and how much each loses over all of them.

    Raises:
        InputError: an invalid line, offer or day; or no origin can be rated.
    """
    priced, entry, today = _offers(line, origins, offers)
    found: list[Comparison] = []
    for scenario in under.scenarios:
        laws = under.laws(scenario)
        days = _days(line, start, end, laws)
        compared = compare_origins(
            laws, entry, priced, days, units=units, known_on=under.known_on, cancelled=under.cancelled
        )
        found.append(compared)
    under.check()
    imports = imports_of(entry.hts)
    several = regrets(found) if len(found) > 1 else {}
    period = {name: text for name, text in (("start", start), ("end", end)) if text}
    return answers.SourceResult(
        tuple(
            _answer(scenario.id, one, today, imports)
            for scenario, one in zip(under.scenarios, found, strict=True)
        ),
        tuple(answers.OriginRegret(origin, loss) for origin, loss in several.items()),
        period if start else {"on": line.entry or str(under.base.as_of), **period},
    )


def _offers(
    line: LineAsked, origins: Sequence[str], offers: Sequence[Mapping[str, Any]]
) -> tuple[list[Offer], EntryLine, str]:
    """Read the prices by origin, one unit of the goods with the price of the first, and today's origin."""
    given = {
        one["origin"]: Offer(
            one["origin"], one["unit_cost"], one["freight"] or ZERO, one["insurance"] or ZERO
        )
        for one in offers
    }
    names = list(origins) or list(given) or sorted(origin_codes())
    today = read_country(line.origin)[0] if line.origin else ""
    names = list(dict.fromkeys([*names, *([today] if today else [])]))
    value = line.customs_value
    if not value:
        unpriced = [name for name in names if name not in given]
        if unpriced:
            of_origins = f" of {', '.join(unpriced[:_ORIGINS_NAMED])}"
            raise InputError(
                "CUSTOMS_VALUE_INVALID",
                f"The price of a unit is missing{of_origins if given else ''}.",
                field="customs_value",
                fix="Give a unit cost, or offers with the price of each origin.",
            )
        value = f"{given[names[0]].unit_cost:f}"
    entry = line.read(origin=names[0], customs_value=value)
    common = Offer("", _number(entry.value), _number(entry.freight), _number(entry.insurance))
    return [given.get(name) or common._replace(origin=name) for name in names], entry, today


def _number(value: object) -> Decimal:
    return Decimal(str(value).replace(",", ""))


def _days(line: LineAsked, start: str, end: str, laws: Laws) -> Days:
    """Entry days with their weights: one day, or the first day of each span of a period in which nothing changes."""
    if not start and not end:
        return [(line.entry or None, 1)]
    if line.entry:
        raise InputError(
            "REQUEST_INVALID",
            "A day and a period were given.",
            field="line.entry",
            fix="Give line.entry, or start and end.",
        )
    first = needed(start, "start", "Give the first day of the period.")
    return days_of(
        laws, read_window(first, needed(end, "end", "Give the last day of the period."), line.hts, "")
    )


def _answer(
    name: str, found: Comparison, today: str, imports: Mapping[str, float]
) -> answers.ScenarioOrigins:
    costs = {one.offer.origin: one for one in found.origins}
    reference = costs.get(today)
    landed = reference.amounts.landed if reference is not None and reference.amounts is not None else None
    return answers.ScenarioOrigins(
        name,
        tuple(_cost(one, landed, imports.get(one.offer.origin, 0.0)) for one in found.origins),
        tuple(answers.OriginFlip(str(flip.day), flip.before, flip.after) for flip in found.flips),
    )


def _cost(one: OriginCost, landed: Decimal | None, imports: float) -> answers.OriginCost:
    amounts = one.amounts
    return answers.OriginCost(
        one.offer.origin,
        one.offer.unit_cost,
        amounts and amounts.duty,
        amounts and amounts.owed,
        amounts and amounts.landed,
        amounts and amounts.low,
        amounts and amounts.high,
        one.rank,
        one.premium(landed) if landed is not None else None,
        one.missing_claims,
        one.prohibited,
        one.problem,
        imports,
    )


def imports_of(hts: str) -> dict[str, float]:
    """Sum US imports of a product by origin in the embedded table, USD; origins without any are left out."""
    table = reference_table().filter(pl.col("hts").str.starts_with("".join(filter(str.isdigit, hts))))
    sums = table.group_by("origin").agg(pl.col("customs_value").sum())
    return dict(zip(sums["origin"].to_list(), sums["customs_value"].to_list(), strict=True))


def compare_origins(
    laws: Laws,
    line: EntryLine,
    offers: Sequence[Offer],
    days: Days,
    *,
    units: Decimal = Decimal(1),
    known_on: str | date | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Comparison:
    """Compare origins of a product by landed cost a unit.

    Args:
        laws: laws of the scenario.
        line: one unit of the goods, with its claims, quantity and mode; origin and value are those of the offers.
        offers: prices by origin.
        days: entry days with their weights.
        units: units of an entry: fees of an entry are divided over them.
        known_on: as in `quote_line`.
        cancelled: asked before each origin; True ends with what is compared.

    Raises:
        InputError: if no origin can be quoted, the reason of the first.
    """
    total = Decimal(sum(weight for _, weight in days))
    found, daily = [], []
    for offer in offers:
        if cancelled():
            break
        by_day = [_on_day(laws, _entry(line, offer, units), day, known_on, units) for day, _ in days]
        found.append(_mean(offer, by_day, [weight / total for _, weight in days]))
        daily.append(by_day)
    refused = [one.problem for one in found if one.problem is not None]
    if refused and len(refused) == len(found):
        raise refused[0]
    cheapest = [_cheapest(found, [by_day[place] for by_day in daily]) for place in range(len(days))]
    return Comparison(_ranked(found), _flips(days, cheapest))


def regrets(comparisons: Sequence[Comparison]) -> dict[str, Decimal]:
    """Compute the largest loss a unit of each origin over scenarios: its landed cost less that of the best origin, USD.

    Origins that cannot enter under a scenario have none; the least comes first.
    """
    losses: dict[str, list[Decimal]] = {}
    for comparison in comparisons:
        costs = [
            (one.offer.origin, one.amounts.landed) for one in comparison.origins if one.rank and one.amounts
        ]
        least = min((landed for _, landed in costs), default=Decimal(0))
        for origin, landed in costs:
            losses.setdefault(origin, []).append(landed - least)
    most = {origin: max(each) for origin, each in losses.items() if len(each) == len(comparisons)}
    return dict(sorted(most.items(), key=lambda item: (item[1], item[0])))


def _entry(line: EntryLine, offer: Offer, units: Decimal) -> EntryLine:
    """Make an entry of some units of an offer."""
    quantity = None if line.quantity is None else Decimal(str(line.quantity)) * units
    return line._replace(
        origin=offer.origin,
        value=offer.unit_cost * units,
        freight=offer.freight * units,
        insurance=offer.insurance * units,
        quantity=quantity,
    )


def _on_day(
    laws: Laws, line: EntryLine, day: date | str | None, known_on: str | date | None, units: Decimal
) -> OriginCost:
    """Quote an entry on a day; its amounts are not rounded."""
    offer, amounts = Offer(line.origin, ZERO), Amounts()
    missing: dict[str, None] = {}
    prohibited: dict[str, None] = {}
    value = Decimal(str(line.value))
    for weight, law in laws:
        try:
            quote = quote_line(law, line._replace(entry=day), known_on=known_on)
            dearer = quote_line(law, line._replace(entry=day, value=value * _DEARER), known_on=known_on)
        except InputError as error:
            return OriginCost(offer, None, problem=error)
        landed = quote.landed.total
        rise = (dearer.landed.total - landed) / (value * (_DEARER - 1)) if value else ZERO
        own = (quote.assessed, quote.owed, landed)
        span = (landed - quote.assessed + quote.min, landed - quote.assessed + quote.max)
        amounts = amounts.plus(Amounts._make([*(each / units for each in (*own, *span)), rise]), weight)
        missing |= dict.fromkeys(quote.missing_claims)
        prohibited |= dict.fromkeys(quote.prohibited)
    return OriginCost(offer, amounts, missing_claims=tuple(missing), prohibited=tuple(prohibited))


def _mean(offer: Offer, by_day: Sequence[OriginCost], weights: Sequence[Decimal]) -> OriginCost:
    """Average the costs of an origin over days."""
    problem = next((one.problem for one in by_day if one.problem is not None), None)
    if problem is not None:
        return OriginCost(offer, None, problem=problem)
    pairs = [(one.amounts or Amounts(), weight) for one, weight in zip(by_day, weights, strict=True)]
    mean = reduce(lambda total, pair: total.plus(*pair), pairs, Amounts())
    return OriginCost(
        offer,
        mean.rounded(),
        missing_claims=tuple(dict.fromkeys(name for one in by_day for name in one.missing_claims)),
        prohibited=tuple(dict.fromkeys(name for one in by_day for name in one.prohibited)),
    )


def _ranked(found: Iterable[OriginCost]) -> tuple[OriginCost, ...]:
    """Order origins by landed cost, those that cannot enter or be quoted last; equal costs share a rank."""
    ranks: dict[Decimal, int] = {}

    def ranked(place: int, one: OriginCost) -> OriginCost:
        assert one.amounts is not None
        return replace(one, rank=ranks.setdefault(one.amounts.landed, place))

    listed = list(found)
    open_ones = sorted((one for one in listed if one.is_open), key=_by_cost)
    closed = sorted((one for one in listed if not one.is_open), key=lambda one: one.offer.origin)
    return (*(ranked(place, one) for place, one in enumerate(open_ones, 1)), *closed)


def _by_cost(one: OriginCost) -> tuple[Decimal, str]:
    return (one.amounts.landed if one.amounts else ZERO), one.offer.origin


def _cheapest(found: Sequence[OriginCost], on_day: Sequence[OriginCost]) -> list[str]:
    """List the origins of the lowest landed cost on a day; none if no goods can enter."""
    costs = {
        whole.offer.origin: _rounded(one.amounts.landed)
        for whole, one in zip(found, on_day, strict=True)
        if one.amounts is not None and one.is_open
    }
    least = min(costs.values(), default=ZERO)
    return sorted(origin for origin, cost in costs.items() if cost == least)


def _flips(days: Days, cheapest: Sequence[Sequence[str]]) -> tuple[Flip, ...]:
    """List the days on which the cheapest origin is no longer among the cheapest."""
    flips: list[Flip] = []
    best = cheapest[0][0] if cheapest and cheapest[0] else ""
    for (day, _), origins in zip(days, cheapest, strict=True):
        if isinstance(day, date) and best not in origins:
            after = origins[0] if origins else ""
            flips.append(Flip(day, best, after))
            best = after
    return tuple(flips)


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(_PLACES, ROUND_HALF_UP)
