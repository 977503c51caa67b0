"""Traps of the calendar: each test shows the right answer, and the wrong one once its trap is in the law."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tariffs.engine.law import Law, load_law
from tests.law.traps.bench import TOYS, Raw, broken, event, measure, owed, paid, period, quote, usd

STEEL = "7318.15.8066"
PILLS = "3004.10.1010"


def void(raw: Raw) -> Raw:
    """The act that ends the IEEPA duties."""
    (found,) = (act for act in raw["events"] if act["op"] == "invalidate")
    assert isinstance(found, dict)
    return found


def test_trap_01_a_heading_that_stays_printed_is_not_in_force() -> None:
    line = (TOYS, "CN", "2026-11-24")
    assert paid(quote(load_law(), *line)) == usd(fl301="1250.00")
    printed = broken(lambda raw: raw["events"].remove(void(raw)))
    assert paid(quote(printed, *line)) == usd(fl301="1250.00", fent_cn="1000.00", recip_cn="3400.00")


def test_trap_02_a_suspension_that_ends_over_a_void_duty_brings_nothing_back() -> None:
    days = ("2026-11-09", "2026-11-11")
    for day in days:
        assert "recip_cn" not in paid(quote(load_law(), TOYS, "CN", day))

    def no_parent(raw: Raw) -> None:
        reached = [
            m["id"] for m in raw["measures"] if m["authority"].startswith("ieepa.") and m["id"] != "recip_cn"
        ]
        void(raw)["measures"] = {"id": reached}

    amounts = [paid(quote(broken(no_parent), TOYS, "CN", day))["recip_cn"] for day in days]
    assert amounts == [Decimal("1000.00"), Decimal("3400.00")]


def cars_as_printed(raw: Raw) -> None:
    period(raw, "s232_auto_2025").update({"from": "2025-03-12T00:01-04:00", "known_from": "2025-03-01"})


def copper_as_printed(raw: Raw) -> None:
    period(raw, "s232_copper_50").update({"from": "2025-07-01T00:01-04:00", "known_from": "2025-06-30"})
    raw["lists"]["COPPER"] = [(code, "2025-07-01", end) for code, _, end in raw["lists"]["COPPER"]]


def japan_from_publication(raw: Raw) -> None:
    period(raw, "recip_jp_floor")["from"] = "2025-09-16T00:01-04:00"
    (ends,) = (e for e in measure(raw, "recip_country")["events"] if e.get("measures") == {"origins": ["JP"]})
    ends["at"] = "2025-09-16T00:01-04:00"


# The day the heading was printed or published, taken for the day it took effect; days early or late as the law says.
PRINTED: dict[str, tuple[Callable[[Raw], object], tuple[Any, ...], str, str]] = {
    "cars 22 days early": (
        cars_as_printed,
        ("8703.23.0190", "JP", "2025-03-20"), "0.00", "2500.00",
    ),
    "copper 31 days early": (
        copper_as_printed,
        ("7407.10.1500", "CL", "2025-07-15"), "0.00", "5000.00",
    ),
    "heavy vehicles 26 days early": (
        lambda raw: period(raw, "s232_mhdv_2025").update({"from": "2025-10-06T00:01-04:00"}),
        ("8704.23.0100", "DE", "2025-10-20"), "0.00", "2500.00",
    ),
    "steel at 50 two days late": (
        lambda raw: period(raw, "s232_steel_50").update({"from": "2025-06-06T00:01-04:00"}),
        (STEEL, "VN", "2025-06-05"), "5000.00", "2500.00",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PRINTED)
def test_trap_03_a_day_of_publication_is_not_the_day_of_effect(name: str) -> None:
    change, line, right, wrong = PRINTED[name]

    def layers_232(law: Law) -> Decimal:
        answer = quote(law, *line)
        return sum((x.amount for x in answer.layers if x.authority.startswith("s232")), Decimal("0.00"))

    assert layers_232(load_law()) == Decimal(right)
    assert layers_232(broken(change)) == Decimal(wrong)


def test_trap_03_a_retroactive_floor_holds_from_its_effect() -> None:
    line = ("6110.30.3059", "JP", "2025-09-01")
    assert quote(load_law(), *line).assessed == Decimal("3200.00")
    assert quote(broken(japan_from_publication), *line).assessed == Decimal("4700.00")


@pytest.mark.parametrize("switch", ["14.0", "14.5"])
def test_trap_16_an_expired_safeguard_charges_nothing(switch: str) -> None:
    line = ("8541.43.0010", "VN", "2026-03-01")

    def no_end(raw: Raw) -> None:
        for part in measure(raw, "s201_solar")["periods"]:
            part.pop("to")

    settings = {"s201_solar_step": switch}
    assert "s201_solar" not in paid(quote(load_law().with_switches(settings), *line))
    wrong = paid(quote(broken(no_end).with_switches(settings), *line))
    assert wrong["s201_solar"] == Decimal(10000) * Decimal(switch) / 100


# What was announced as it would be charged: measure, rate, line.
ANNOUNCED = {
    "s122_15": ("15%", (TOYS, "CN", "2026-05-01")),
    "fent_mx_30": ("30%", (TOYS, "MX", "2025-09-01")),
    "in_18_deal": ("18%", (TOYS, "IN", "2026-02-15")),
    "s301_excess_cap": ("7.5%", (TOYS, "CN", "2026-11-24")),
    "s301_vn_ip": ("25%", (TOYS, "VN", "2026-11-24")),
    "s232_ca_autos_2027": ("50%", (TOYS, "CA", "2027-02-01")),
    "russia_secondary_2026": ("100%", (TOYS, "IN", "2026-11-24")),
}


@pytest.mark.parametrize("name", ANNOUNCED)
def test_trap_17_what_is_announced_is_not_in_force(name: str) -> None:
    rate, line = ANNOUNCED[name]

    def dated(raw: Raw) -> None:
        row = {"rate": rate, "heading": "9903.99.99"}
        start = {"id": f"{name}_dated", "from": "2025-07-12T00:01-04:00", "conf": "U", "rows": [row]}
        measure(raw, name)["periods"] = [start]

    def ordered(raw: Raw) -> None:
        dated(raw)
        measure(raw, name).pop("status")

    right = quote(load_law(), *line).assessed
    assert quote(broken(dated), *line).assessed == right
    assert paid(quote(broken(ordered), *line))[name] == Decimal(rate[:-1]) * 100
    assert quote(broken(ordered), *line).assessed > right


def test_trap_18_the_ruling_the_end_of_collection_and_what_is_owed_are_three_things() -> None:
    before, between = (TOYS, "CN", "2026-02-19"), (TOYS, "CN", "2026-02-22")
    for line in (before, between):
        answer = quote(load_law(), *line)
        assert (answer.assessed, answer.owed) == (Decimal("2000.00"), Decimal("0.00"))

    stopped_at_ruling = broken(lambda raw: void(raw).pop("collection_stop"))
    assert quote(stopped_at_ruling, *between).assessed == Decimal("0.00")

    not_from_beginning = broken(lambda raw: void(raw).pop("from_beginning"))
    assert quote(not_from_beginning, *before).owed == Decimal("2000.00")
    assert quote(not_from_beginning, *between).owed == Decimal("0.00")


# Scheduled duties: the line, a day before their date, and the wrong start with what it would charge.
SCHEDULED: dict[str, tuple[Any, ...]] = {
    "pharma of the named companies": (
        "s232_pharma_annexIII", "2026-04-02T00:01-04:00",
        (PILLS, "IN", "2026-07-30", {"patented_share": 1, "pharma_named_company_share": 1}), "s232_pharma", "10000.00",
    ),
    "pharma of all": (
        "s232_pharma_all", "2026-08-01T00:01-04:00",
        (PILLS, "IN", "2026-09-28", {"patented_share": 1}), "s232_pharma", "10000.00",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SCHEDULED)
def test_trap_21_a_scheduled_duty_waits_for_its_date(name: str) -> None:
    label, early, line, duty, wrong = SCHEDULED[name]
    assert duty not in paid(quote(load_law(), *line))
    day_after = "2026-07-31" if label.endswith("III") else "2026-09-29"
    assert paid(quote(load_law(), line[0], line[1], day_after, line[3]))[duty] == Decimal(wrong)
    operated = broken(lambda raw: period(raw, label).update({"from": early}))
    assert paid(quote(operated, *line))[duty] == Decimal(wrong)


def test_trap_21_a_step_that_was_put_off_waits_too() -> None:
    line = ("9401.61.4011", "VN", "2026-02-01")
    assert paid(quote(load_law(), *line))["s232_upholstered"] == Decimal("2500.00")
    assert paid(quote(load_law(), line[0], line[1], "2027-01-02"))["s232_upholstered"] == Decimal("3000.00")
    on_time = broken(
        lambda raw: measure(raw, "s232_upholstered")["events"].remove(event(raw, "s232_upholstered", "delay"))
    )
    assert paid(quote(on_time, *line))["s232_upholstered"] == Decimal("3000.00")


@pytest.mark.parametrize(
    ("instant", "right"),
    [
        ("2026-02-23T23:59-05:00", "2000.00"),
        ("2026-02-24T00:00-05:00", "0.00"),
        ("2026-02-24T00:00:59-05:00", "0.00"),
        ("2026-02-24T00:01-05:00", "1000.00"),
    ],
)
def test_trap_26_between_the_two_duties_is_one_minute_without_either(instant: str, right: str) -> None:
    assert quote(load_law(), TOYS, "CN", instant).assessed == Decimal(right)


@pytest.mark.parametrize(
    ("key", "moved", "wrong"),
    [("stop", "2026-02-24T00:01-05:00", "2000.00"), ("start", "2026-02-24T00:00-05:00", "1000.00")],
)
def test_trap_26_midnight_is_not_one_minute_past(key: str, moved: str, wrong: str) -> None:
    def mixed_up(raw: Raw) -> None:
        if key == "stop":
            void(raw)["collection_stop"] = moved
        else:
            period(raw, "s122_10")["from"] = moved

    assert quote(broken(mixed_up), TOYS, "CN", "2026-02-24T00:00:30-05:00").assessed == Decimal(wrong)


def test_trap_26_noon_is_not_one_minute_past_midnight() -> None:
    morning = "2026-07-24T09:00-04:00"
    assert paid(quote(load_law(), TOYS, "CN", morning)) == usd(fl301="1250.00")
    at_noon = broken(lambda raw: period(raw, "fl301_2026").update({"from": "2026-07-24T12:00-04:00"}))
    assert paid(quote(at_noon, TOYS, "CN", morning)) == {}


def test_trap_18_owed_is_by_layer() -> None:
    answer = quote(load_law(), "8541.10.0080", "CN", "2026-02-01")
    assert owed(answer) == usd(s301_n31_f="5000.00")
    assert answer.assessed - answer.owed == sum(
        x.amount for x in answer.layers if x.authority.startswith("ieepa")
    )
