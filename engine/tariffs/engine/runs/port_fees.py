"""Compute fees on port calls and their cost per container and ton.

A fee is charged on a ship, not on goods: its cost per container (TEU) or ton depends on the ship's net tonnage, the
cargo it lands, and the number of calls of a voyage. No source gives these for all trade: law/data/port_calls.yaml holds
voyages from public sources, and a scenario or caller states others. Each answer lists every figure with its source;
docs/exports.md has worked examples. A fee is collected if its measure is in force.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from tariffs.engine.errors import InputError
from tariffs.engine.law.assumptions import PortCalls
from tariffs.engine.law.fee_tables import FIGURES, CitedFigure, PortFeeTable, SourcedVoyage
from tariffs.engine.law.law import IMPORT, Law
from tariffs.engine.law.markets import ExchangeRate
from tariffs.engine.law.notes import Note
from tariffs.engine.line_duty.entry_dates import entry_instant, read_known_on

ZERO, ONE = Decimal(0), Decimal(1)
STATED = "stated by the caller"
_CARGO = ("teu", "cargo_tons", "containers")


@dataclass(frozen=True, slots=True)
class Voyage:
    """Ship and cargo of a voyage.

    `teu` and `tons` are landed over all fee-paying calls of the voyage, `containers` in one call (for fees by
    container); `calls` are the fee-paying calls of the voyage, `calls_before` those paid earlier in the year.
    """

    net_tons: Decimal
    teu: Decimal = ZERO
    tons: Decimal = ZERO
    containers: Decimal = ZERO
    calls: int = 1
    calls_before: int = 0


@dataclass(frozen=True, slots=True)
class SourcedFigure:
    """Figure of a voyage; `conf` is the confidence of its source, empty if the caller stated it."""

    name: str
    value: Decimal
    source: str
    conf: str


@dataclass(frozen=True, slots=True)
class PortFee:
    """Fee of a voyage in US dollars: per paying call, in total, and per TEU and ton (None without such cargo).

    `suspended`: the measure is in force but not collected; every amount is then 0. `ship` is the sourced voyage that
    supplies defaults of the `figures`, empty if there is none. `teu_of_trade` and `ton_of_trade` spread the fee over
    all cargo of the trade, on paying ships and others; None without a figure for the share of cargo on paying ships.
    """

    measure: str
    kind: str
    suspended: bool
    paying_calls: int
    per_call: Decimal
    total: Decimal
    per_teu: Decimal | None
    per_ton: Decimal | None
    citations: tuple[str, ...]
    ship: str = ""
    figures: tuple[SourcedFigure, ...] = ()
    teu_of_trade: Decimal | None = None
    ton_of_trade: Decimal | None = None


def sourced_costs(law: Law, instant: datetime, known_on: date | None = None) -> list[PortFee]:
    """Compute every fee on every sourced voyage of the law, in the order of the law; see `port_cost`.

    A voyage stated by the law's scenario replaces the sourced ones of its fee and kind.
    """
    stated = law.assumptions.port_calls
    voyages: dict[tuple[str, str, str], PortCalls] = {}
    for voyage in law.port_calls:
        measure, kind = voyage.measure, voyage.kind
        if measure in stated and stated[measure].kind == kind:
            voyages[measure, kind, ""] = stated[measure]
        else:
            voyages[measure, kind, voyage.ship] = PortCalls(kind, voyage.ship)
    return [port_cost(law, measure, calls, instant, known_on) for (measure, _, _), calls in voyages.items()]


def fee_notes(law: Law, on: str, known_on: str = "") -> list[Note]:
    """Describe the cost per TEU and ton of fees on voyages that the law's scenario states, one note per fee.

    `known_on` is the day whose acts count, `entry` for that of the instant; empty is the law's as-of day.
    """
    instant = entry_instant(law, on)
    known = read_known_on(law, known_on, instant.astimezone(law.zones[IMPORT]).date())
    stated = law.assumptions.port_calls.items()
    costs = [port_cost(law, measure, calls, instant, known) for measure, calls in stated]
    return [Note("PORT_FEE", _describe_cost(cost)) for cost in costs]


def _describe_cost(fee: PortFee) -> str:
    ship = " ".join(filter(None, (fee.kind, fee.ship, "ships")))
    if not fee.paying_calls:
        why = "suspended" if fee.suspended else "not in force"
        return f"{fee.measure}, {ship}: the fee is {why} on this day and costs nothing."
    amounts = (
        (fee.per_teu, "per TEU"),
        (fee.per_ton, "per ton"),
        (fee.teu_of_trade, "per TEU over all cargo of the trade"),
        (fee.ton_of_trade, "per ton over all cargo of the trade"),
    )
    costs = [f"{amount:,.2f} USD {unit}" for amount, unit in amounts if amount is not None]
    figures = [f"{one.name} {one.value.normalize():,f} ({one.source})" for one in fee.figures]
    return (
        f"{fee.measure}, {ship}: {', '.join([f'{fee.total:,.0f} USD a voyage', *costs])}. It is not a duty and not "
        f"part of any amount of this result. Assumptions: {'; '.join(figures)}."
    )


def port_cost(
    law: Law, measure: str, calls: PortCalls, instant: datetime, known_on: date | None = None
) -> PortFee:
    """Compute the cost of a fee on a voyage, in US dollars per TEU and ton.

    Figures that are not stated come from the sourced voyage; its cargo belongs to its ship, so it is used only where
    neither net tonnage nor any cargo is stated. Without a figure a voyage has one call.

    Args:
        law, measure, instant, known_on: as of `port_fee`.
        calls: the kind of ship, and the stated figures of the voyage.

    Raises:
        InputError: PARAMETER_INVALID for an unknown fee, kind or voyage, a number below 0 or a share above 1, or if
            neither caller nor source gives the net tonnage or the rate of exchange.
    """
    fee = _fee(law, measure, calls.kind)
    sourced = _sourced(law, measure, calls)
    figures = _with_exchange(law, fee.currency, instant, _figures(calls, sourced))
    known = {figure.name: figure.value for figure in figures}
    share = known.get("share")
    if share is not None and not ZERO <= share <= ONE:
        raise _refused(f"The share is {share}", "a share from 0 to 1")
    if known.get("calls", ONE) % 1:
        raise _refused(f"The voyage has {known['calls']} calls", "a whole number of calls")
    if "net_tons" not in known:
        raise _refused(f"No net tonnage is known of {calls.kind} ships under {measure}", "net_tons")
    if fee.currency != "USD" and "usd_per_unit" not in known:
        raise _refused(f"No exchange rate is known from {fee.currency} to US dollars", "usd_per_unit")
    teu, tons, containers = (known.get(name, ZERO) for name in _CARGO)
    voyage = Voyage(known["net_tons"], teu, tons, containers, int(known.get("calls", ONE)))
    dollars = ONE if fee.currency == "USD" else known["usd_per_unit"]
    cost = port_fee(law, measure, calls.kind, voyage, instant, dollars=dollars, known_on=known_on)
    ship = sourced.ship if sourced and calls.net_tons is None else ""

    def of_trade(amount: Decimal | None) -> Decimal | None:
        return None if amount is None or share is None else amount * share

    per_teu, per_ton = of_trade(cost.per_teu), of_trade(cost.per_ton)
    return replace(cost, ship=ship, figures=figures, teu_of_trade=per_teu, ton_of_trade=per_ton)


def _with_exchange(
    law: Law, currency: str, instant: datetime, figures: tuple[SourcedFigure, ...]
) -> tuple[SourcedFigure, ...]:
    """Add the rate of exchange of the market with the currency of a fee, where no figure gives it."""
    if currency == "USD" or any(figure.name == "usd_per_unit" for figure in figures):
        return figures
    rates = (market.exchange_at(instant) for market in law.markets.values() if market.currency == currency)
    added = (_cited("usd_per_unit", one.dollars, one) for one in rates if one is not None)
    return (*figures, *added)


def _cited(name: str, value: Decimal, given: CitedFigure | ExchangeRate) -> SourcedFigure:
    return SourcedFigure(name, value, "; ".join(given.citations), given.conf)


def _sourced(law: Law, measure: str, calls: PortCalls) -> SourcedVoyage | None:
    """Find the sourced voyage that supplies defaults of a stated one, or None."""
    of_kind = [one for one in law.port_calls if (one.measure, one.kind) == (measure, calls.kind)]
    matching = [one for one in of_kind if calls.ship in {"", one.ship}]
    if calls.ship and not matching:
        wanted = ", ".join(one.ship for one in of_kind) or "your figures"
        raise _refused(
            f"There is no sourced voyage of {calls.kind} {calls.ship} ships under {measure}", wanted
        )
    return matching[0] if matching else None


def _figures(calls: PortCalls, sourced: SourcedVoyage | None) -> tuple[SourcedFigure, ...]:
    """Collect the figures of a voyage, each stated or sourced."""
    own_cargo = any(getattr(calls, name) is not None for name in ("net_tons", *_CARGO))
    figures = []
    cited = sourced.figures if sourced else {}
    for name in FIGURES:
        value = getattr(calls, name)
        if value is not None:
            figures.append(SourcedFigure(name, value, calls.source or STATED, ""))
        elif name in cited and not (own_cargo and name in _CARGO):
            figures.append(_cited(name, cited[name].value, cited[name]))
    return tuple(figures)


def port_fee(
    law: Law,
    measure: str,
    kind: str,
    voyage: Voyage,
    instant: datetime,
    *,
    dollars: Decimal = ONE,
    known_on: date | None = None,
) -> PortFee:
    """Compute the fee of a voyage at an instant.

    Args:
        law: the law, after any scenario.
        measure, kind: measure of the fee, and one of its kinds of ships.
        voyage, instant: ship and cargo, and the (aware) instant of the call.
        dollars: US dollars for one unit of the fee's currency.
        known_on: the day whose acts count; None is the law's as-of day.

    Raises:
        InputError: PARAMETER_INVALID for an unknown fee or kind, a number below 0, or a voyage without calls.
    """
    fee = _fee(law, measure, kind)
    numbers = voyage.net_tons, voyage.teu, voyage.tons, voyage.containers, dollars
    is_invalid = any(not number.is_finite() or number < 0 for number in numbers)
    if is_invalid or voyage.calls < 1 or voyage.calls_before < 0:
        wanted = "numbers of at least 0 and one call"
        raise _refused("A number of the voyage is below 0, or it has no call", wanted)
    state = law.state_of(law.measures[measure], instant, known_on or law.as_of)
    begun = [step for step in fee.kinds[kind] if step.start <= instant]
    paying, per_call = 0, ZERO
    if state is not None and not state.suspended and begun:
        paying = min(voyage.calls, max(0, fee.calls_a_year - voyage.calls_before))
        by_ton, by_container = begun[-1].per_net_ton, begun[-1].per_container
        per_call = max(by_ton * voyage.net_tons, by_container * voyage.containers) * dollars
    total = per_call * paying
    per_teu, per_ton = (total / amount if amount else None for amount in (voyage.teu, voyage.tons))
    is_suspended = state is not None and state.suspended
    return PortFee(measure, kind, is_suspended, paying, per_call, total, per_teu, per_ton, fee.citations)


def fee_on(law: Law, kind: str) -> str:
    """Find the measure of the fee on a kind of ship.

    Raises:
        InputError: PARAMETER_INVALID if there is none, with the kinds there are.
    """
    kinds = {name: fee.measure for fee in law.port_fees.values() for name in fee.kinds}
    if kind not in kinds:
        raise _refused(f"There is no port fee on ships of the kind {kind!r}", ", ".join(kinds))
    return kinds[kind]


def _fee(law: Law, measure: str, kind: str) -> PortFeeTable:
    fee = law.port_fees.get(measure)
    if fee is None or kind not in fee.kinds:
        known_names = [f"{one.measure} {name}" for one in law.port_fees.values() for name in one.kinds]
        raise _refused(f"There is no port fee {measure} on ships of the kind {kind}", ", ".join(known_names))
    return fee


def _refused(message: str, wanted: str) -> InputError:
    return InputError("PARAMETER_INVALID", f"{message}.", field="voyage", fix=f"Use: {wanted}.")
