"""Tables beside the measures, parsed once at load: entry fees, port fees, voyages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from tariffs.engine.law.amendments import read_words
from tariffs.engine.law.raw_fields import Raw, check_keys, each, fault, keys, one_of, read, read_required
from tariffs.engine.law.values import digits, is_code, read_day, read_instant, read_number, read_rate

ZERO = Decimal(0)
ALWAYS = date.min.isoformat()
FIGURES = ("net_tons", "teu", "cargo_tons", "containers", "calls", "share", "usd_per_unit")
"""Figures of a voyage."""


@dataclass(frozen=True, slots=True)
class Span:
    """The days [start, end) on which a fee holds; an open end is None."""

    start: date
    end: date | None

    def holds(self, day: date) -> bool:
        """Test whether a day is in the span."""
        return self.start <= day and (self.end is None or day < self.end)


@dataclass(frozen=True, slots=True)
class ProcessingFee:
    """Merchandise processing fee, US dollars; informal entries pay as others do where `informal` is 0.

    19 CFR 24.23(b): ad valorem between a minimum and a maximum on formal entries, a fixed amount on informal ones.
    """

    span: Span
    rate: Decimal
    least: Decimal
    most: Decimal
    informal: Decimal


@dataclass(frozen=True, slots=True)
class HarborFee:
    """Harbor maintenance fee, ad valorem on goods that arrive by the modes (19 CFR 24.24)."""

    span: Span
    rate: Decimal
    modes: frozenset[str]


DatedFee = TypeVar("DatedFee", ProcessingFee, HarborFee)


def fee_on(fees: Iterable[DatedFee], day: date) -> DatedFee | None:
    """Find the fee that holds on a day; None if there is none."""
    for fee in fees:
        if fee.span.holds(day):
            return fee
    return None


@dataclass(frozen=True, slots=True)
class Chapter98Fee:
    """The base of the processing fee under provisions of chapter 98: the processing value, or none."""

    provisions: tuple[str, ...]
    on_processing: bool


@dataclass(frozen=True, slots=True)
class FeeExemption:
    """Goods free of the processing fee: those that claim one of the programs, or of the origins (codes or groups)."""

    span: Span
    programs: tuple[str, ...]
    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fees:
    """User fees of an entry (fees.yaml)."""

    informal_limit: Decimal = ZERO
    mpf: tuple[ProcessingFee, ...] = ()
    hmf: tuple[HarborFee, ...] = ()
    mpf_exempt: tuple[FeeExemption, ...] = ()
    mpf_chapter98: tuple[Chapter98Fee, ...] = ()


@dataclass(frozen=True, slots=True)
class PortFeeStep:
    """Amounts of a port fee from an instant on, in its currency; the higher of the two is charged."""

    start: datetime
    per_net_ton: Decimal
    per_container: Decimal


@dataclass(frozen=True, slots=True)
class PortFeeTable:
    """A fee on port calls by kind of ship; a ship pays it at most `calls_a_year` times a year."""

    measure: str
    currency: str
    calls_a_year: int
    kinds: Mapping[str, tuple[PortFeeStep, ...]]
    citations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CitedFigure:
    """A figure with its sources and its confidence."""

    value: Decimal
    citations: tuple[str, ...]
    conf: str


@dataclass(frozen=True, slots=True)
class SourcedVoyage:
    """A voyage under a port fee as public sources describe it."""

    measure: str
    kind: str
    ship: str
    figures: Mapping[str, CitedFigure]


def read_fees(raw: Raw) -> Fees:
    """Read fees.yaml."""
    check_keys(raw, keys("informal_limit mpf mpf_exempt mpf_chapter98 hmf"), "fees")
    return Fees(
        read(raw, "informal_limit", read_number, ZERO, "fees"),
        each(raw.get("mpf", []), _read_mpf, "fees.mpf"),
        each(raw.get("hmf", []), _read_hmf, "fees.hmf"),
        each(raw.get("mpf_exempt", []), _read_exemption, "fees.mpf_exempt"),
        each(raw.get("mpf_chapter98", []), _read_chapter98, "fees.mpf_chapter98"),
    )


def _read_mpf(raw: Raw, path: str) -> ProcessingFee:
    return ProcessingFee(
        _read_span(raw, path),
        read_required(raw, "rate", read_rate, path),
        read_required(raw, "min", read_number, path),
        read_required(raw, "max", read_number, path),
        read(raw, "informal", read_number, ZERO, path),
    )


def _read_hmf(raw: Raw, path: str) -> HarborFee:
    modes = frozenset(read_words(raw.get("modes", []), f"{path}.modes"))
    return HarborFee(_read_span(raw, path), read_required(raw, "rate", read_rate, path), modes)


def _read_exemption(raw: Raw, path: str) -> FeeExemption:
    check_keys(raw, keys("from to programs origins cite conf"), path)
    return FeeExemption(
        _read_span({"from": ALWAYS, **raw}, path),
        read_words(raw.get("programs", []), f"{path}.programs"),
        read_words(raw.get("origins", []), f"{path}.origins"),
    )


def _read_chapter98(raw: Raw, path: str) -> Chapter98Fee:
    base = read_required(raw, "base", one_of("processing", "none"), path)
    return Chapter98Fee(read_codes(raw["provisions"], f"{path}.provisions"), base == "processing")


def _read_span(raw: Raw, path: str) -> Span:
    def day(text: str) -> date:
        return read_day(text[: len("2025-01-01")])

    return Span(read_required(raw, "from", day, path), read(raw, "to", day, None, path))


def read_codes(raw: Any, path: str) -> tuple[str, ...]:
    """Read a list of codes, as digits; an empty code is every code."""
    codes = read_words(raw, path)
    for code in codes:
        if code and not is_code(code):
            raise fault(path, f"{code!r} is not a code of at most 10 digits")
    return tuple(map(digits, codes))


def read_port_fees(raw: Sequence[Raw], zone: ZoneInfo) -> dict[str, PortFeeTable]:
    """Read port_fees.yaml, by measure; an instant without an offset is in the zone."""

    def step(item: Raw, path: str) -> PortFeeStep:
        return PortFeeStep(
            read_required(item, "from", lambda text: read_instant(text, zone), path),
            read_required(item, "per_net_ton", read_number, path),
            read(item, "per_container", read_number, ZERO, path),
        )

    def table(item: Raw, path: str) -> PortFeeTable:
        return PortFeeTable(
            item["measure"],
            read_required(item, "currency", str, path),
            read_required(item, "calls_a_year", int, path),
            {kind: each(steps, step, f"{path}.kinds.{kind}") for kind, steps in item["kinds"].items()},
            read_words(item.get("cite", []), f"{path}.cite"),
        )

    return {fee.measure: fee for fee in each(raw, table, "port_fees")}


def read_port_calls(raw: Sequence[Raw]) -> tuple[SourcedVoyage, ...]:
    """Read port_calls.yaml."""
    return each(raw, _read_voyage, "port_calls")


def _read_voyage(raw: Raw, path: str) -> SourcedVoyage:
    check_keys(raw, frozenset({"measure", "kind", "ship", *FIGURES}), path)
    figures = {name: _read_figure(raw[name], f"{path}.{name}") for name in FIGURES if name in raw}
    return SourcedVoyage(raw["measure"], raw["kind"], raw["ship"], figures)


def _read_figure(raw: Raw, path: str) -> CitedFigure:
    sources = read_words(raw.get("cite", []), f"{path}.cite")
    return CitedFigure(read_required(raw, "value", read_number, path), sources, raw.get("conf", "C"))
