"""Port fees by ship and date, and what they cost per container and ton on voyages, stated or of public sources."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.law.assumptions import PortCalls
from tariffs.engine.law.markets import ExchangeRate
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.runs.port_fees import STATED, PortFee, Voyage, fee_on, port_cost, port_fee, sourced_costs
from tariffs.engine.scenario import apply_scenario, library
from tests.unit.scenario_tables import TABLE, written

LAW = load_law()
RESUMED = apply_scenario(LAW, library()["port-fees-resume"])
COLLECTED = datetime.fromisoformat("2025-11-01T12:00-04:00")
SUSPENDED = datetime.fromisoformat("2026-11-24T12:00-05:00")
SHIP = Voyage(Decimal(60000), teu=Decimal(8000), containers=Decimal(2500), calls=2)


def fee(kind: str, instant: str, voyage: Voyage = SHIP) -> PortFee:
    return port_fee(RESUMED, "port_fees", kind, voyage, datetime.fromisoformat(instant))


def cost(calls: PortCalls, measure: str = "port_fees") -> PortFee:
    return port_cost(LAW, measure, calls, COLLECTED)


def figures(found: PortFee) -> dict[str, tuple[Decimal, str]]:
    return {one.name: (one.value, one.conf) for one in found.figures}


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


def test_cost_per_container_and_ton_of_the_five_calls_of_a_year_that_pay() -> None:
    day = "2025-11-01T12:00-04:00"
    found = fee("operated", day, Voyage(Decimal(60000), Decimal(8000), Decimal(80000), calls=2))
    assert [found.total, found.per_teu, found.per_ton] == [Decimal(6_000_000), Decimal(750), Decimal(75)]
    late = fee("operated", day, Voyage(Decimal(100), calls=3, calls_before=4))
    assert (late.paying_calls, late.per_teu) == (1, None)


def test_suspension_and_its_end_on_the_other_side() -> None:
    voyage = Voyage(Decimal(1000), tons=Decimal(1000))

    def charged(day: str) -> PortFee:
        instant = datetime.fromisoformat(f"{day}T12:00+08:00")
        return port_fee(LAW, "cn.port_fee", "linked", voyage, instant, dollars=Decimal("0.14"))

    assert charged("2025-10-20").per_ton == 56
    assert charged("2026-11-24").suspended
    assert charged("2026-11-24").total == 0
    assert charged("2027-01-11").per_ton == Decimal("89.6")


def test_every_sourced_figure_has_a_source_and_a_confidence() -> None:
    costs = sourced_costs(LAW, COLLECTED)
    kinds = {(fee.measure, kind) for fee in LAW.port_fees.values() for kind in fee.kinds}
    assert {(one.measure, one.kind) for one in costs} == kinds
    for one in costs:
        assert "net_tons" in figures(one)
        assert all(figure.source and figure.conf in {"A", "B", "C"} for figure in one.figures)


@pytest.mark.parametrize(
    ("kind", "ship", "measure", "per_teu", "per_ton"),
    [
        ("operated", "", "port_fees", "361.11", None),  # 65,000 net tons at USD 50 over 9,000 TEU
        ("operated", "bulk", "port_fees", None, "21.54"),  # 28,000 at 50 over 65,000 tons
        ("built", "container", "port_fees", "130.00", None),  # 65,000 at 18; 4,500 boxes at 120 are less
        ("linked", "", "cn.port_fee", None, "24.12"),  # 28,000 at CNY 400 at 0.14 over 65,000 tons
        ("linked", "container", "cn.port_fee", "262.57", None),
    ],
)
def test_sourced_voyages(
    kind: str, ship: str, measure: str, per_teu: str | None, per_ton: str | None
) -> None:
    found = cost(PortCalls(kind, ship), measure)
    assert fee_on(LAW, kind) == measure
    for amount, wanted in ((found.per_teu, per_teu), (found.per_ton, per_ton)):
        assert (amount is None) == (wanted is None)
        assert amount is None or round(amount, 2) == Decimal(wanted or 0)


def test_the_higher_fee_counts_and_a_share_spreads_it_over_all_cargo_of_the_trade() -> None:
    few, many = (cost(PortCalls("built", containers=Decimal(boxes))) for boxes in (9749, 9751))
    assert [few.per_call, many.per_call] == [65000 * 18, 9751 * 120]
    found = cost(PortCalls("built"))
    assert [found.per_teu, found.teu_of_trade] == [130, Decimal("0.21") * 130]
    assert cost(PortCalls("operated")).teu_of_trade is None
    assert cost(PortCalls("operated", share=Decimal(0))).teu_of_trade == 0


def test_a_sourced_cargo_goes_with_its_own_ship_and_what_is_stated_says_who_stated_it() -> None:
    own_ship = cost(PortCalls("operated", net_tons=Decimal(1000)))
    assert figures(own_ship) == {"net_tons": (Decimal(1000), ""), "calls": (Decimal(1), "B")}
    assert (own_ship.ship, own_ship.per_teu, own_ship.figures[0].source) == ("", None, STATED)
    told = cost(PortCalls("operated", net_tons=Decimal(1000), source="our fleet"))
    assert told.figures[0].source == "our fleet"
    own_cargo = cost(PortCalls("built", teu=Decimal(13000)))
    assert set(figures(own_cargo)) == {"net_tons", "teu", "calls", "share"}
    assert own_cargo.ship == "container"


@pytest.mark.parametrize(
    ("measure", "calls"),
    [
        ("port_fees", PortCalls("submarine")),
        ("fent_cn", PortCalls("operated")),
        ("port_fees", PortCalls("operated", "canoe")),
        ("port_fees", PortCalls("operated", net_tons=Decimal(-1))),
        ("port_fees", PortCalls("operated", calls=Decimal("1.5"))),
        ("port_fees", PortCalls("operated", calls=Decimal(0))),
        ("port_fees", PortCalls("operated", share=Decimal(2))),
    ],
)
def test_what_cannot_be_used_is_refused(measure: str, calls: PortCalls) -> None:
    with pytest.raises(InputError) as refused:
        cost(calls, measure)
    assert refused.value.reason == "PARAMETER_INVALID"


def test_without_a_source_the_ship_and_the_rate_of_exchange_are_the_callers() -> None:
    bare = replace(LAW, port_calls=(), markets={})
    for calls, name in (
        (PortCalls("linked"), "net_tons"),
        (PortCalls("linked", net_tons=Decimal(1)), "usd_per_unit"),
    ):
        with pytest.raises(InputError, match=r"No (net tonnage|exchange rate) is known") as refused:
            port_cost(bare, "cn.port_fee", calls, COLLECTED)
        assert name in refused.value.fix
    with pytest.raises(InputError, match="no port fee on ships of the kind"):
        fee_on(LAW, "submarine")


def test_a_voyage_of_the_scenario_takes_the_place_of_sourced_ones() -> None:
    head = "assumptions: {port_calls: {port_fees: {kind: operated, net_tons: 100, teu: 50}}}\n"
    law = apply_scenario(LAW, written(head=head))
    before, after = sourced_costs(LAW, COLLECTED), sourced_costs(law, COLLECTED)
    assert [one.per_teu for one in after if one.kind == "operated"] == [Decimal(100)]
    assert len(after) == len(before) - 1
    assert all(one.suspended and one.total == one.paying_calls == 0 for one in sourced_costs(LAW, SUSPENDED))


def test_a_run_tells_what_fees_cost_and_charges_nothing() -> None:
    parts = "{scenario: base, weight: 50%}, {scenario: port-fees-resume-per-container, weight: 50%}"
    resumed, stated = (library()[f"port-fees-resume{more}"] for more in ("", "-per-container"))
    mixed = written(head=f"mixture: [{parts}]\n")
    days = ((resumed, "2026-12-05"), (stated, "2026-12-05"), (stated, "2026-11-24"), (mixed, "2026-12-05"))
    points = [Point(scenario, day) for scenario, day in days]
    found = impact(TABLE, points, law=LAW, options=Options(response="none")).scenarios
    told = [[note.message for note in one.notes if note.reason == "PORT_FEE"] for one in found]
    assert [len(notes) for notes in told] == [0, 2, 2, 2]
    assert told[1][0].startswith(
        "port_fees, operated container ships: 5,200,000 USD a voyage, 577.78 USD per TEU."
    )
    assert "38.60 USD per ton" in told[1][1]
    assert "net_tons 65,000" in told[1][0]
    assert all("suspended on this day and costs nothing" in note for note in told[2])
    assert found[0].total["duty"] == found[1].total["duty"]


def test_a_fee_in_another_currency_takes_the_rate_of_its_market_on_the_day() -> None:
    market = LAW.markets["CN"]
    later = ExchangeRate(COLLECTED.replace(year=2027), Decimal("0.15"), ("a source",), "B")
    law = replace(LAW, markets={"CN": replace(market, exchange=(*market.exchange, later))})
    calls = PortCalls("linked", net_tons=Decimal(1000))
    own = replace(calls, usd_per_unit=Decimal("0.2"))
    for year, given, rate, conf in (
        (2025, calls, "0.14", "C"),
        (2027, calls, "0.15", "B"),
        (2025, own, "0.2", ""),
    ):
        found = figures(port_cost(law, "cn.port_fee", given, COLLECTED.replace(year=year)))["usd_per_unit"]
        assert found == (Decimal(rate), conf)
    assert market.exchange_at(COLLECTED.replace(year=2024)) is None
