"""Fees on port calls, and what they add to a container or a ton.

A fee falls on a ship and not on goods: its cost per container (TEU) or ton hangs on the ship's net tonnage, on what it
lands, and on how many calls of a voyage share the cargo. These are the caller's, because no source gives them for
trade as a whole; docs/exports.md has worked examples. Whether a fee is collected is the standing of its measure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from tariffs.engine.errors import InputError
from tariffs.engine.law.law import Law
from tariffs.engine.law.text import read_instant

ZERO, ONE = Decimal(0), Decimal(1)


@dataclass(frozen=True, slots=True)
class Voyage:
    """A ship and its cargo.

    `teu` and `tons` are what it lands on the voyage over all its fee-paying calls, `containers` the boxes of one call
    (for fees by container); `calls` the fee-paying calls of a voyage; `calls_before` those the ship paid this year.
    """

    net_tons: Decimal
    teu: Decimal = ZERO
    tons: Decimal = ZERO
    containers: Decimal = ZERO
    calls: int = 1
    calls_before: int = 0


@dataclass(frozen=True, slots=True)
class PortFee:
    """The fee of a voyage in US dollars: per paying call, in all, and per TEU and ton (None if none is landed).

    `suspended` says that the measure stands and is not collected; every amount is then 0.
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
    """What a voyage pays under a fee at an instant.

    Args:
        law: the law, after any scenario.
        measure: the fee's measure.
        kind: the kind of ship, one of the fee's.
        voyage: the ship and its cargo.
        instant: the (aware) instant of the call.
        dollars: US dollars for one unit of the fee's currency.
        known_on: the day whose acts count; None is the law's as-of day.

    Raises:
        InputError: PARAMETER_INVALID for an unknown fee or kind, a number below 0, or a voyage without calls.
    """
    fee = next((one for one in law.port_fees if one["measure"] == measure), None)
    if fee is None or kind not in fee["kinds"]:
        known_names = [f"{one['measure']} {name}" for one in law.port_fees for name in one["kinds"]]
        raise _refused(f"There is no port fee {measure} on ships of the kind {kind}", ", ".join(known_names))
    _check(voyage, dollars)
    found = law.standing(law.measures[measure], instant, known_on or law.as_of)
    amounts = _amounts(law, measure, fee["kinds"][kind], instant)
    collected = found is not None and not found.suspended and amounts is not None
    left = max(0, int(fee["calls_a_year"]) - voyage.calls_before)
    paying = min(voyage.calls, left) if collected else 0
    per_call = _per_call(amounts, voyage) * dollars if collected and amounts else ZERO
    total = per_call * paying
    return PortFee(
        measure=measure,
        kind=kind,
        suspended=found is not None and found.suspended,
        paying_calls=paying,
        per_call=per_call,
        total=total,
        per_teu=total / voyage.teu if voyage.teu else None,
        per_ton=total / voyage.tons if voyage.tons else None,
        citations=tuple(fee["cite"]),
    )


def _amounts(
    law: Law, measure: str, steps: list[Mapping[str, Any]], instant: datetime
) -> Mapping[str, Any] | None:
    """The step in force: the last whose day has come."""
    zone = law.context(law.measures[measure].direction).zone
    begun = [step for step in steps if read_instant(step["from"], zone) <= instant]
    return begun[-1] if begun else None


def _per_call(amounts: Mapping[str, Any], voyage: Voyage) -> Decimal:
    """The higher of the fee by net ton and the fee by container, in the fee's currency."""
    by_ton = Decimal(amounts["per_net_ton"]) * voyage.net_tons
    return max(by_ton, Decimal(amounts.get("per_container", "0")) * voyage.containers)


def _check(voyage: Voyage, dollars: Decimal) -> None:
    numbers = (voyage.net_tons, voyage.teu, voyage.tons, voyage.containers, dollars)
    if (
        any(not number.is_finite() or number < 0 for number in numbers)
        or min(voyage.calls, voyage.calls_before + 1) < 1
    ):
        raise _refused(
            "A number of the voyage is below 0, or it has no call", "numbers of at least 0 and one call"
        )


def _refused(message: str, wanted: str) -> InputError:
    return InputError("PARAMETER_INVALID", f"{message}.", field="voyage", fix=f"Use: {wanted}.")
