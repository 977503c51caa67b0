"""Traps of the calendar and of method: each shows the right answer, and the wrong one once its trap is in the law."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from tariffs.engine.law import Law, load_law
from tariffs.engine.line_duty.quote import Quote
from tariffs.engine.runs.impact import Options, Point, impact
from tariffs.engine.scenario import library
from tariffs.engine.schedule.reference_data import reference_table
from tests.law.traps.bench import TOYS, Raw, Trap, broken, edit, measure, paid, period, quote

STEEL, PILLS, SOLAR, SOFA = "7318.15.8066", "3004.10.1010", "8541.43.0010", "9401.61.4011"
NAMED = {"patented_share": 1, "pharma_named_company_share": 1}
BEFORE, BETWEEN = (TOYS, "CN", "2026-02-19"), (TOYS, "CN", "2026-02-22")
IN_THE_MINUTE, MORNING = (TOYS, "CN", "2026-02-24T00:00:30-05:00"), (TOYS, "CN", "2026-07-24T09:00-04:00")


def void(raw: Raw) -> Raw:
    """The act that ends the IEEPA duties."""
    found: Raw = next(act for act in raw["events"] if act["op"] == "invalidate")
    return found


def no_parent(raw: Raw) -> None:
    under = [m["id"] for m in raw["measures"] if m["authority"].startswith("ieepa.")]
    void(raw)["measures"] = {"id": [name for name in under if name != "recip_cn"]}


def copper_as_printed(raw: Raw) -> None:
    period(raw, "s232_copper_50").update({"from": "2025-07-01T00:01-04:00", "known_from": "2025-06-30"})
    raw["lists"]["COPPER"] = [(code, "2025-07-01", end) for code, _, end in raw["lists"]["COPPER"]]


def japan_from_publication(raw: Raw) -> None:
    period(raw, "recip_jp_floor")["from"] = "2025-09-16T00:01-04:00"
    (ends,) = (e for e in measure(raw, "recip_country")["events"] if e.get("measures") == {"origins": ["JP"]})
    ends["at"] = "2025-09-16T00:01-04:00"


def no_end(raw: Raw) -> None:
    for part in measure(raw, "s201_solar")["periods"]:
        part.pop("to")


def on_time(raw: Raw) -> None:
    events = measure(raw, "s232_upholstered")["events"]
    events.remove(next(act for act in events if act["op"] == "delay"))


TRAPS = {
    "01 a heading that stays printed is not in force": Trap(
        (TOYS, "CN", "2026-11-24"), {"fl301": 1250, "assessed": 1250}, lambda raw: raw["events"].remove(void(raw)),
        {"fl301": 1250, "fent_cn": 1000, "recip_cn": 3400, "assessed": 5650},
    ),
    "02 suspended over a void duty": Trap((TOYS, "CN", "2026-11-09"), {"recip_cn": 0}, no_parent, {"recip_cn": 1000}),
    "02 nothing is brought back": Trap((TOYS, "CN", "2026-11-11"), {"recip_cn": 0}, no_parent, {"recip_cn": 3400}),
    # The day a heading was printed or published, taken for the day it took effect.
    "03 cars 22 days early": Trap(
        ("8703.23.0190", "JP", "2025-03-20"), {"s232_auto": 0},
        edit("s232_auto_2025", start="2025-03-12T00:01-04:00", known_from="2025-03-01"), {"s232_auto": 2500},
    ),
    "03 copper 31 days early": Trap(
        ("7407.10.1500", "CL", "2025-07-15"), {"s232_copper": 0}, copper_as_printed, {"s232_copper": 5000},
    ),
    "03 heavy vehicles 26 days early": Trap(
        ("8704.23.0100", "DE", "2025-10-20"), {"s232_mhdv": 0},
        edit("s232_mhdv_2025", start="2025-10-06T00:01-04:00"), {"s232_mhdv": 2500},
    ),
    "03 steel at 50 two days late": Trap(
        (STEEL, "VN", "2025-06-05"), {"s232_steel": 5000}, edit("s232_steel_50", start="2025-06-06T00:01-04:00"),
        {"s232_steel": 2500},
    ),
    "03 a retroactive floor holds from its effect": Trap(
        ("6110.30.3059", "JP", "2025-09-01"), {"assessed": 3200}, japan_from_publication, {"assessed": 4700},
    ),
    **{f"16 an expired safeguard at {step}": Trap(
        (SOLAR, "VN", "2026-03-01"), {"s201_solar": 0}, no_end, {"s201_solar": due}, (), {"s201_solar_step": step},
    ) for step, due in (("14.0", 1400), ("14.5", 1450))},
    # The ruling, the end of collection and what is owed are three things.
    "18 collected after the ruling": Trap(
        BETWEEN, {"assessed": 2000, "owed": 0}, lambda raw: void(raw).pop("collection_stop"), {"assessed": 0},
    ),
    "18 never owed": Trap(
        BEFORE, {"assessed": 2000, "owed": 0}, lambda raw: void(raw).pop("from_beginning"), {"owed": 2000},
    ),
    "18 not owed after it": Trap(BETWEEN, {"owed": 0}, lambda raw: void(raw).pop("from_beginning"), {"owed": 0}),
    "21 pharma of the named companies": Trap(
        (PILLS, "IN", "2026-07-30", NAMED), {"s232_pharma": 0},
        edit("s232_pharma_annexIII", start="2026-04-02T00:01-04:00"), {"s232_pharma": 10000},
    ),
    "21 on its date": Trap((PILLS, "IN", "2026-07-31", NAMED), {"s232_pharma": 10000}),
    "21 pharma of all": Trap(
        (PILLS, "IN", "2026-09-28", {"patented_share": 1}), {"s232_pharma": 0},
        edit("s232_pharma_all", start="2026-08-01T00:01-04:00"), {"s232_pharma": 10000},
    ),
    "21 on the date of all": Trap((PILLS, "IN", "2026-09-29", {"patented_share": 1}), {"s232_pharma": 10000}),
    "21 a step that was put off waits too": Trap(
        (SOFA, "VN", "2026-02-01"), {"s232_upholstered": 2500}, on_time, {"s232_upholstered": 3000},
    ),
    "21 until its new date": Trap((SOFA, "VN", "2027-01-02"), {"s232_upholstered": 3000}),
    "26 collection stops at midnight": Trap(
        IN_THE_MINUTE, {"assessed": 0}, lambda raw: void(raw).update(collection_stop="2026-02-24T00:01-05:00"),
        {"assessed": 2000},
    ),
    "26 the surcharge begins a minute later": Trap(
        IN_THE_MINUTE, {"assessed": 0}, edit("s122_10", start="2026-02-24T00:00-05:00"), {"assessed": 1000},
    ),
    "26 noon is not one minute past midnight": Trap(
        MORNING, {"fl301": 1250}, edit("fl301_2026", start="2026-07-24T12:00-04:00"), {"assessed": 0},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TRAPS)
def test_a_trap_of_the_calendar_is_not_in_the_law(name: str) -> None:
    TRAPS[name].springs()


# What was announced as it would be charged: measure, rate, origin, day.
ANNOUNCED = [
    ("s122_15", 15, "CN", "2026-05-01"),
    ("fent_mx_30", 30, "MX", "2025-09-01"),
    ("in_18_deal", 18, "IN", "2026-02-15"),
    ("s301_excess_cap", 7.5, "CN", "2026-11-24"),
    ("s301_vn_ip", 25, "VN", "2026-11-24"),
    ("s232_ca_autos_2027", 50, "CA", "2027-02-01"),
    ("russia_secondary_2026", 100, "IN", "2026-11-24"),
]


@pytest.mark.parametrize(("name", "rate", "origin", "day"), ANNOUNCED)
def test_trap_17_what_is_announced_is_not_in_force(name: str, rate: float, origin: str, day: str) -> None:
    rows = [{"rate": f"{rate}%", "heading": "9903.99.99"}]
    start = {"id": f"{name}_dated", "from": "2025-07-12T00:01-04:00", "conf": "U", "rows": rows}
    dated = broken(lambda raw: measure(raw, name).update(periods=[start]))
    ordered = broken(lambda raw: measure(raw, name).update(periods=[start], status=""))
    right, still, wrong = (quote(law, TOYS, origin, day) for law in (load_law(), dated, ordered))
    assert still.assessed == right.assessed < wrong.assessed
    assert paid(wrong)[name] == 100 * rate


def entry(law: Law, value: int, day: str = "2026-11-20") -> Quote:
    """Toys of China by sea: what an entry of this value costs."""
    return quote(law, TOYS, "CN", day, value=value, mode="ocean", freight=900, insurance=40)


@pytest.mark.parametrize(
    ("day", "value", "fee"),
    [
        ("2025-09-30", 2500, "2.62"),
        ("2025-09-30", 2501, "32.71"),
        ("2025-10-01", 2501, "33.58"),
        ("2026-09-30", 250_000, "651.50"),
        ("2026-10-01", 2500, "2.77"),
        ("2026-10-01", 6_000, "34.58"),
        ("2026-10-01", 12_000, "41.57"),
        ("2026-10-01", 250_000, "670.86"),
    ],
)
def test_trap_22_the_processing_fee_is_of_the_fiscal_year_and_of_the_entry(
    day: str, value: int, fee: str
) -> None:
    assert entry(load_law(), value, day).landed.mpf == Decimal(fee)


def test_trap_22_no_duty_on_freight() -> None:
    answer = entry(load_law(), 10_000)
    assert answer.assessed == Decimal("1250.00")
    assert answer.landed.total == 10_000 + 940 + answer.assessed + Decimal("34.64") + Decimal("12.50")


def test_trap_25_the_other_side_still_charges_its_ten_percent() -> None:
    def mirrored(raw: Raw) -> None:
        (void,) = (act for act in raw["events"] if act["op"] == "invalidate")
        raw["events"].append({**void, "measures": {"authority": "cn.recip"}})

    noon = datetime.fromisoformat("2026-11-24T12:00+08:00")
    right, wrong = (
        law.state_of(law.measures["cn.recip"], noon, law.as_of) for law in (load_law(), broken(mirrored))
    )
    assert right is not None
    assert [row.rate for row in right.rows] == [Decimal("0.1")]
    assert wrong is None


def test_trap_27_an_average_is_on_the_weights_of_the_base_period() -> None:
    table = reference_table().gather_every(40)
    point = Point(library()["base"], "2025-05-20")
    (found,) = impact(table, [point], law=load_law(), options=Options(baseline="2025-01-01")).scenarios
    total = {name: value for name, value in found.total.items() if value is not None}
    assert total["customs_value"] == pytest.approx(table["customs_value"].sum())
    assert total["effective_rate"] == pytest.approx(total["duty"] / total["customs_value"])
    on_weights_after = total["duty_after"] / total["value_after"]
    assert on_weights_after < total["effective_rate"] - 0.01
    assert total["effective_rate_after"] == pytest.approx(on_weights_after)
