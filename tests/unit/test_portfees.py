"""Port fees by ship and date."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.runs.port_fees import PortFee, Voyage, port_fee
from tariffs.engine.scenario import apply_scenario, library

LAW = load_law()
RESUMED = apply_scenario(LAW, library()["port-fees-resume"])
SHIP = Voyage(Decimal(60000), teu=Decimal(8000), containers=Decimal(2500), calls=2)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def fee(kind: str, instant: str, voyage: Voyage = SHIP) -> PortFee:
    return port_fee(RESUMED, "port_fees", kind, voyage, at(instant))


@pytest.mark.parametrize(
    ("instant", "per_call"),
    [
        ("2025-10-14T00:00-04:00", 0),
        ("2025-10-14T00:01-04:00", 3_000_000),
        ("2025-11-10T00:00-05:00", 3_000_000),
        ("2025-11-10T00:01-05:00", 0),
        ("2026-12-01T00:01-05:00", 4_800_000),
        ("2027-04-17T00:01-04:00", 6_600_000),
    ],
)
def test_fee_by_net_ton_through_time(instant: str, per_call: int) -> None:
    assert fee("operated", instant).per_call == per_call


def test_cost_per_container_and_ton() -> None:
    found = fee(
        "operated", "2025-11-01T12:00-04:00", Voyage(Decimal(60000), Decimal(8000), Decimal(80000), calls=2)
    )
    assert [found.total, found.per_teu, found.per_ton] == [Decimal(6_000_000), Decimal(750), Decimal(75)]


def test_built_ships_pay_the_higher_of_ton_and_container() -> None:
    small = Voyage(Decimal(1000), containers=Decimal(2500))
    assert fee("built", "2025-11-01T12:00-04:00").per_call == 18 * 60000
    assert fee("built", "2025-11-01T12:00-04:00", small).per_call == 120 * 2500


def test_a_ship_pays_five_times_a_year() -> None:
    found = fee("operated", "2025-11-01T12:00-04:00", Voyage(Decimal(100), calls=3, calls_before=4))
    assert found.paying_calls == 1
    assert found.per_teu is None


def test_suspension_and_its_end_on_the_other_side() -> None:
    voyage = Voyage(Decimal(1000), tons=Decimal(1000))

    def charged(instant: str) -> PortFee:
        return port_fee(LAW, "cn.port_fee", "linked", voyage, at(instant), dollars=Decimal("0.14"))

    assert charged("2025-10-20T12:00+08:00").per_ton == 56
    assert charged("2026-11-24T12:00+08:00").suspended
    assert charged("2026-11-24T12:00+08:00").total == 0
    assert charged("2027-01-11T12:00+08:00").per_ton == Decimal("89.6")


@pytest.mark.parametrize(
    ("measure", "kind", "voyage"),
    [
        ("fent_cn", "operated", SHIP),
        ("port_fees", "submarine", SHIP),
        ("port_fees", "operated", Voyage(Decimal(-1))),
        ("port_fees", "operated", Voyage(Decimal(1), calls=0)),
    ],
)
def test_unknown_fees_and_ships_are_refused(measure: str, kind: str, voyage: Voyage) -> None:
    with pytest.raises(InputError) as refused:
        port_fee(LAW, measure, kind, voyage, at("2025-11-01T12:00-04:00"))
    assert refused.value.reason == "PARAMETER_INVALID"
