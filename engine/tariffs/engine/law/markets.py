"""Read the markets of the law (law/data/markets): clock, schedule, base, taxes and rates of each importing country.

The home market is that of imports; the others are destinations of exports. The duties themselves are measures.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tariffs.engine.errors import NOTES
from tariffs.engine.law.amendments import read_words
from tariffs.engine.law.fee_tables import read_codes
from tariffs.engine.law.raw_fields import Raw, check_keys, each, fault, keys, one_of, read, read_required
from tariffs.engine.law.values import read_instant, read_number, read_rate, read_yes
from tariffs.engine.schedule.codes import LENGTHS

SHARED_DIGITS = 6
"""Digits of a code that the schedules of both sides of a trade share."""
FREE_ON_BOARD, WITH_FREIGHT = "fob", "cif"
STATED, ESTIMATED = "stated", "estimated"
ONE, HUNDRED = Decimal(1), Decimal(100)
_KEYS = keys(
    "country title home clock digits base coverage tax taxes preference ordinary bases lines currency exchange cite"
    " conf"
)
_LINE_COLUMNS = ("code", "rate", "reduced", "weight", "basis")


class OrdinaryRate(NamedTuple):
    """Ordinary rate of a market on a code.

    `reduced` is the rate under the preference of the market, such as a tariff quota or free trade; None without one.
    A rate that is no fraction of the value, such as money per unit, is None with its text.
    """

    rate: Decimal | None
    reduced: Decimal | None
    citations: tuple[str, ...]
    conf: str
    text: str = ""
    reduced_text: str = ""

    @property
    def is_reduced(self) -> bool:
        """Test whether the preference of the market has a rate of its own."""
        return self.reduced is not None or bool(self.reduced_text)

    @property
    def preferred(self) -> tuple[Decimal | None, str]:
        """Rate under the preference of the market, with its text: without one the rate itself."""
        return (self.reduced, self.reduced_text) if self.is_reduced else (self.rate, self.text)


@dataclass(frozen=True, slots=True)
class CodeRate:
    """A rate on the goods of some codes."""

    codes: tuple[str, ...]
    rate: OrdinaryRate


@dataclass(frozen=True, slots=True)
class RateBasis:
    """Source of ordinary rates by line; `estimated` for a rate that no schedule states."""

    text: str
    citations: tuple[str, ...]
    conf: str
    estimated: bool


@dataclass(frozen=True, slots=True)
class Preference:
    """Claim under which the reduced rate applies to goods of some origins; undeclared, all goods have it.

    `note` is the reason of the note that says so.
    """

    claim: str
    origins: frozenset[str]
    text: str
    note: str

    @property
    def assumption(self) -> str:
        """Sentence that says that an undeclared claim was taken in full."""
        return f"{self.claim}: not declared; {self.text}."

    def is_open_to(self, origin: str) -> bool:
        """Test whether goods of an origin may have the reduced rate."""
        return not self.origins or origin in self.origins


class ExchangeRate(NamedTuple):
    """US dollars for one unit of a market's currency from an instant on, with its sources and its confidence."""

    start: datetime
    dollars: Decimal
    citations: tuple[str, ...]
    conf: str


@dataclass(frozen=True, slots=True)
class MarketLine:
    """Line of the schedule of a market; `weight` counts it among the lines of its subheading."""

    code: str
    rate: OrdinaryRate | None
    weight: Decimal
    basis: str


@dataclass(frozen=True, eq=False)
class Market:
    """An importing country: see docs/law-data.md.

    Attributes:
        code: its ISO code.
        zone: its clock.
        digits: digits of a line of its schedule.
        with_freight: freight and insurance are part of the value that duty is charged on.
        coverage: days whose rates the data has, the first and the end of the last; None for those of the law.
        tax: name of the tax on value and duty.
        taxes: rates of the tax; the first that applies to a code holds.
        ordinary: ordinary rates that take precedence over those of its lines.
        preference: claim of the reduced rate; None without one.
        bases: sources of the rates of its lines.
        lines_text: its lines as CSV text; parsed when they are first needed.
        currency: currency that its acts may state amounts in; empty where none does.
        exchange: rates of the currency, the earliest first.
    """

    code: str
    zone: ZoneInfo
    digits: int
    with_freight: bool
    coverage: tuple[datetime, datetime] | None = None
    tax: str = ""
    taxes: tuple[CodeRate, ...] = ()
    ordinary: tuple[CodeRate, ...] = ()
    preference: Preference | None = None
    bases: Mapping[str, RateBasis] = field(default_factory=dict)
    lines_text: str = ""
    currency: str = ""
    exchange: tuple[ExchangeRate, ...] = ()

    def exchange_at(self, instant: datetime) -> ExchangeRate | None:
        """Find the rate of exchange at an instant; None before the first one."""
        return next((rate for rate in reversed(self.exchange) if rate.start <= instant), None)

    @cached_property
    def lines(self) -> Mapping[str, MarketLine]:
        """Lines of the schedule by code."""
        rows = csv.reader(self.lines_text.splitlines())
        if tuple(next(rows, _LINE_COLUMNS)) != _LINE_COLUMNS:
            raise fault(f"markets.{self.code.lower()}.lines", f"the columns are {', '.join(_LINE_COLUMNS)}")
        return {row[0]: self._line(*row) for row in rows}

    def _line(self, code: str, rate: str, reduced: str, weight: str, basis: str) -> MarketLine:
        source = self.bases[basis] if rate else None
        stated = None
        if source is not None:
            (general, text), (low, low_text) = _cell(rate), _cell(reduced)
            stated = OrdinaryRate(general, low, source.citations, source.conf, text, low_text)
        return MarketLine(code, stated, Decimal(weight) if weight else ONE, basis)

    @cached_property
    def odd_lines(self) -> frozenset[str]:
        """Lines of the schedule, if they have another number of digits than codes of the HTS."""
        return frozenset() if self.digits in LENGTHS else frozenset(self.lines)

    @cached_property
    def _of_subheading(self) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = {}
        for code in self.lines:
            found.setdefault(code[:SHARED_DIGITS], []).append(code)
        return found

    def parts_of(self, code: str) -> tuple[tuple[str, Decimal], ...]:
        """Lines of the schedule that a code covers, with weights that sum to 1; the code itself without any.

        A code of as many digits as the schedule has, and in it, is one line. Of any other, the shared digits count:
        digits beyond are those of another schedule.
        """
        if code in self.lines:
            return ((code, ONE),)
        shared = code[:SHARED_DIGITS]
        lines = [self.lines[one] for one in self._of_subheading.get(shared, ())]
        total = sum(line.weight for line in lines)
        if not total:
            return ((shared, ONE),)
        return tuple((line.code, line.weight / total) for line in lines if line.weight)

    def ordinary_rate(self, code: str) -> OrdinaryRate | None:
        """Ordinary rate of a code or line; None if the law data has none."""
        stated = _first(self.ordinary, code)
        if stated is not None:
            return stated
        line = self.lines.get(code)
        return line.rate if line else None

    def is_estimated(self, code: str) -> bool:
        """Test whether the ordinary rate of a line is an estimate."""
        line = self.lines.get(code)
        return bool(
            line and line.rate and self.bases[line.basis].estimated and _first(self.ordinary, code) is None
        )

    def tax_rate(self, code: str) -> Decimal:
        """Rate of the tax on value and duty."""
        rate = _first(self.taxes, code)
        return rate.rate if rate and rate.rate is not None else Decimal(0)


def _cell(text: str) -> tuple[Decimal | None, str]:
    """Rate of a cell in percent as a fraction, or None with the text of a rate that is no percentage."""
    try:
        return (Decimal(text) / HUNDRED if text else None), ""
    except InvalidOperation:
        return None, text


def _first(rates: Iterable[CodeRate], code: str) -> OrdinaryRate | None:
    """First rate that applies to a code; None if none does."""
    return next((rate.rate for rate in rates if code.startswith(rate.codes)), None)


def read_markets(raw: Mapping[str, Raw]) -> tuple[dict[str, Market], str]:
    """Read the files of markets: the markets by ISO code, and the code of the home market (empty without one).

    Raises:
        LawError: LAW_INVALID.
    """
    markets, home = {}, ""
    for name, item in raw.items():
        market = _read_market(item, f"markets.{name}")
        markets[market.code] = market
        if read(item, "home", read_yes, False, f"markets.{name}"):
            home = market.code
    return markets, home


def _read_market(raw: Any, path: str) -> Market:
    check_keys(raw, _KEYS, path)
    zone = read_required(raw, "clock", _read_zone, path)
    exchange = each(
        raw.get("exchange", []), lambda item, at: _read_exchange(item, zone, at), f"{path}.exchange"
    )
    preference, coverage = raw.get("preference"), raw.get("coverage")
    return Market(
        code=read_required(raw, "country", str, path),
        zone=zone,
        digits=read_required(raw, "digits", int, path),
        with_freight=read_required(raw, "base", one_of(FREE_ON_BOARD, WITH_FREIGHT), path) == WITH_FREIGHT,
        coverage=_read_coverage(coverage, zone, f"{path}.coverage") if coverage else None,
        tax=read(raw, "tax", str, "", path),
        taxes=each(raw.get("taxes", []), _read_code_rate, f"{path}.taxes"),
        ordinary=each(raw.get("ordinary", []), _read_code_rate, f"{path}.ordinary"),
        preference=_read_preference(preference, f"{path}.preference") if preference else None,
        bases={
            name: _read_basis(item, f"{path}.bases.{name}") for name, item in raw.get("bases", {}).items()
        },
        lines_text=raw.get("lines", ""),
        currency=read(raw, "currency", str, "", path),
        exchange=tuple(sorted(exchange)),
    )


def _read_coverage(raw: Any, zone: ZoneInfo, path: str) -> tuple[datetime, datetime]:
    check_keys(raw, keys("from to"), path)
    first, end = (
        read_required(raw, key, lambda text: read_instant(text, zone), path) for key in ("from", "to")
    )
    return first.astimezone(zone), end.astimezone(zone)


def _read_exchange(raw: Any, zone: ZoneInfo, path: str) -> ExchangeRate:
    check_keys(raw, keys("from usd cite conf"), path)
    return ExchangeRate(
        read_required(raw, "from", lambda text: read_instant(text, zone), path),
        read_required(raw, "usd", read_number, path),
        read_words(raw.get("cite", []), f"{path}.cite"),
        raw.get("conf", "C"),
    )


def _read_zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except ZoneInfoNotFoundError:
        raise ValueError(f"{text!r} is not a time zone") from None


def _read_preference(raw: Any, path: str) -> Preference:
    check_keys(raw, keys("claim origins text note"), path)
    origins = frozenset(read_words(raw.get("origins", []), f"{path}.origins"))
    note = read_required(raw, "note", one_of(*NOTES), path)
    return Preference(
        read_required(raw, "claim", str, path), origins, read_required(raw, "text", str, path), note
    )


def _read_basis(raw: Any, path: str) -> RateBasis:
    check_keys(raw, keys("text kind cite conf"), path)
    return RateBasis(
        read_required(raw, "text", str, path),
        read_words(raw.get("cite", []), f"{path}.cite"),
        raw.get("conf", "C"),
        read(raw, "kind", one_of(STATED, ESTIMATED), STATED, path) == ESTIMATED,
    )


def _read_code_rate(raw: Any, path: str) -> CodeRate:
    check_keys(raw, keys("products rate reduced cite conf"), path)
    return CodeRate(
        read_codes(raw["products"], f"{path}.products"),
        OrdinaryRate(
            read_required(raw, "rate", read_rate, path),
            read(raw, "reduced", read_rate, None, path),
            read_words(raw.get("cite", []), f"{path}.cite"),
            raw.get("conf", "C"),
        ),
    )
