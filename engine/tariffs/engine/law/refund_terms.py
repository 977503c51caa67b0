"""Terms of refunds, parsed once at load: procedures by liquidation state, time limits, rates of interest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from tariffs.engine.law.amendments import read_words
from tariffs.engine.law.raw_fields import Raw, check_keys, each, fault, keys, one_of, read, read_required
from tariffs.engine.law.values import read_day, read_rate

PROTEST, SUIT = "protest", "suit"
_CITED = frozenset({"cite", "conf"})


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """A time limit in days or in years after the day it runs from."""

    days: int = 0
    years: int = 0
    cite: tuple[str, ...] = ()

    def ends(self, start: date) -> date:
        """Last day of the limit that runs from a day; 29 February ends on 28 February."""
        year = start.year + self.years
        try:
            last = start.replace(year=year)
        except ValueError:
            last = start.replace(year=year, day=28)
        return last + timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class RefundRoute:
    """Refund of entries in one liquidation state; `within_days` after liquidation the state becomes `later`.

    `limits` names the time limits that bear on the state; `liquidated` is False for a state before liquidation.
    """

    start: str = ""
    route: str = ""
    within_days: int = 0
    later: str = ""
    limits: tuple[str, ...] = ()
    liquidated: bool = True


@dataclass(frozen=True, slots=True)
class InterestRates:
    """Yearly rates of interest on refunds by payer: (first day, rate), ascending; published for days before `end`."""

    by_payer: Mapping[str, tuple[tuple[date, Decimal], ...]] = field(default_factory=dict)
    end: date = date.min


@dataclass(frozen=True, slots=True)
class RefundTerms:
    """Refunds of duty that is assessed and not owed (refunds.yaml)."""

    authority: str = ""
    states: Mapping[str, RefundRoute] = field(default_factory=dict)
    limits: Mapping[str, TimeLimit] = field(default_factory=dict)
    interest: InterestRates = InterestRates()


def read_refunds(raw: Raw) -> RefundTerms:
    """Read refunds.yaml."""
    check_keys(raw, keys("authority program states limits interest"), "refunds")
    states, limits = raw.get("states", {}), raw.get("limits", {})

    def route(item: Raw, path: str) -> RefundRoute:
        check_keys(item, keys("from route within_days later limits liquidated") | _CITED, path)
        named = read_words(item.get("limits", []), f"{path}.limits")
        if not limits.keys() >= set(named):
            raise fault(f"{path}.limits", f"must be names of refunds.limits: {', '.join(limits)}")
        return RefundRoute(
            item.get("from", ""),
            item.get("route", ""),
            read(item, "within_days", int, 0, path),
            read(item, "later", one_of(*states), "", path),
            named,
            read(item, "liquidated", one_of("yes", "no"), "yes", path) == "yes",
        )

    return RefundTerms(
        raw.get("authority", ""),
        {name: route(item, f"refunds.states.{name}") for name, item in states.items()},
        {name: _read_limit(item, f"refunds.limits.{name}") for name, item in limits.items()},
        _read_interest(raw["interest"], "refunds.interest") if "interest" in raw else InterestRates(),
    )


def _read_limit(raw: Raw, path: str) -> TimeLimit:
    check_keys(raw, keys("days years") | _CITED, path)
    cite = read_words(raw.get("cite", []), f"{path}.cite")
    return TimeLimit(read(raw, "days", int, 0, path), read(raw, "years", int, 0, path), cite)


def _read_interest(raw: Raw, path: str) -> InterestRates:
    check_keys(raw, keys("cite to quarters"), path)

    def quarter(item: Raw, place: str) -> tuple[date, dict[str, Decimal]]:
        payers = item.keys() - _CITED - {"from"}
        rates = {payer: read_required(item, payer, read_rate, place) for payer in payers}
        return read_required(item, "from", read_day, place), rates

    quarters = each(raw.get("quarters", []), quarter, f"{path}.quarters")
    payers = {frozenset(rates) for _, rates in quarters}
    days = [day for day, _ in quarters]
    end = read_required(raw, "to", read_day, path)
    if len(payers) > 1 or sorted({*days, end}) != [*days, end]:
        raise fault(path, "quarters must ascend, end before `to`, and give the same payers")
    by_payer = {
        payer: tuple((day, rates[payer]) for day, rates in quarters)
        for payer in sorted(frozenset().union(*payers))
    }
    return InterestRates(by_payer, end)
