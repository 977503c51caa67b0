"""Traps of stacking: which duty takes what from which, and on what base."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tests.law.traps.bench import (
    Raw,
    broken,
    drop_rule,
    headings,
    paid,
    quote,
    rows,
    rule,
    spelled_out,
    usd,
)

SCREWS, CAR, CHAIR = "7318.15.8066", "8703.23.0190", "9401.61.4011"
HALF = {"steel_share": 0.5}


def test_trap_09_from_april_2026_metals_pay_on_the_full_value_and_leave_nothing_to_others() -> None:
    line = (SCREWS, "VN", "2026-11-24", HALF)
    assert paid(quote(load_law(), *line)) == usd(mfn_col1="850.00", s232_IA="5000.00")

    def by_content(raw: Raw) -> None:
        for row in rows(raw, "ia_last", "9903.82.02"):
            row["base"] = {"steel": "1"}
        rule(raw, "fl301_off_232")["take"] = "content"

    wrong = usd(mfn_col1="850.00", s232_IA="2500.00", fl301="625.00")
    assert paid(quote(broken(by_content), *line)) == wrong


def test_trap_09_from_june_2025_articles_of_chapter_73_pay_on_their_steel() -> None:
    line = (SCREWS, "VN", "2025-10-01", HALF)
    right = usd(mfn_col1="850.00", s232_steel="2500.00", recip_country="1000.00")
    assert paid(quote(load_law(), *line)) == right

    def in_full(raw: Raw) -> None:
        for row in rows(raw, "s232_steel_50", "9903.81.90"):
            row.pop("base")

    assert paid(quote(broken(in_full), *line)) == usd(mfn_col1="850.00", s232_steel="5000.00")


def test_trap_10_a_floor_is_on_the_rate_that_applies_to_these_goods() -> None:
    line = (CAR, "KR", "2026-06-01", {"fta_share": 1})
    assert paid(quote(load_law(), *line)) == usd(s232_auto="1500.00")

    def on_general_rate(raw: Raw) -> None:
        (row,) = rows(raw, "cars_kr", "9903.94.61")
        row.update({"kind": "add", "rate": "12.5%"})

    assert paid(quote(broken(on_general_rate), *line)) == usd(s232_auto="1250.00")
    assert quote(load_law(), *line[:3]).assessed == quote(broken(on_general_rate), *line[:3]).assessed


def test_trap_10_a_floor_over_a_specific_rate_needs_the_quantity() -> None:
    line = ("0409.00.0065", "DE", "2025-10-01")
    answer = quote(load_law(), *line, quantity=5000, unit="kg")
    assert paid(answer) == usd(mfn_col1="95.00", recip_eu="1405.00")
    with pytest.raises(InputError) as refused:
        quote(load_law(), *line)
    assert refused.value.reason == "QUANTITY_REQUIRED"

    def without_it(raw: Raw) -> None:
        for row in rows(raw, "recip_eu_floor", "9903.02.20"):
            row["kind"] = "add"

    wrong = quote(broken(without_it), *line, quantity=5000, unit="kg")
    assert paid(wrong) == usd(mfn_col1="95.00", recip_eu="1500.00")


# The row set or period, the heading, the kind that is wrong there; line, claims, right and wrong duty in all.
PARTNERS: dict[str, tuple[Any, ...]] = {
    "British cars in the quota": (
        "cars_gb", "9903.94.31", "topup_to", (CAR, "GB", "2026-06-01", {"in_quota_share": 1}), "1000.00", "750.00",
    ),
    "Japanese cars": ("cars_jp", "9903.94.41", "add", (CAR, "JP", "2026-06-01"), "1500.00", "1750.00"),
    "Japanese parts": ("parts_jp", "9903.94.43", "add", ("8708.30.5090", "JP", "2026-06-01"), "1500.00", "1750.00"),
}  # fmt: skip


@pytest.mark.parametrize("name", PARTNERS)
def test_trap_11_britain_is_additive_and_the_others_all_in(name: str) -> None:
    place, heading, kind, line, right, wrong = PARTNERS[name]

    def mixed_up(raw: Raw) -> None:
        for row in rows(raw, place, heading):
            row["kind"] = kind

    assert quote(load_law(), *line).assessed == Decimal(right)
    assert quote(broken(mixed_up), *line).assessed == Decimal(wrong)


def test_trap_11_british_furniture_pays_ten_on_top_of_any_ordinary_duty() -> None:
    """The listed furniture is free of ordinary duty; a dutiable good on the list shows the kind of the rate."""

    def dutiable(raw: Raw) -> None:
        raw["lists"]["S232_UPHOLSTERED"].append(("63026000", "", ""))

    def all_in(raw: Raw) -> None:
        dutiable(raw)
        for row in rows(raw, "s232_upholstered_tw", "9903.76.20"):
            row["kind"] = "topup_to"

    line = ("6302.60.0010", "GB", "2026-06-01")
    assert quote(load_law(), CHAIR, "GB", "2026-06-01").assessed == Decimal("1000.00")
    right = paid(quote(broken(dutiable, "S232_UPHOLSTERED"), *line))
    wrong = paid(quote(broken(all_in, "S232_UPHOLSTERED"), *line))
    assert right["s232_upholstered"] == Decimal("1000.00")
    assert wrong.get("s232_upholstered", Decimal(0)) == Decimal("1000.00") - wrong["mfn_col1"]


MAY, JUNE = (SCREWS, "CA", "2025-05-20", HALF), (SCREWS, "CA", "2025-06-20", HALF)
FENTANYL_FIRST = usd(mfn_col1="850.00", fent_ca="2500.00")
METALS_FIRST = usd(mfn_col1="850.00", fent_ca="1250.00", s232_steel="2500.00")


def test_trap_12_the_order_for_canada_and_mexico_was_reversed() -> None:
    assert paid(quote(load_law(), *MAY)) == FENTANYL_FIRST
    assert paid(quote(load_law(), *JUNE)) == METALS_FIRST

    def old_order_only(raw: Raw) -> None:
        rule(raw, "fentanyl_before_metals").pop("events")
        drop_rule(raw, "metals_before_fentanyl")

    def new_order_only(raw: Raw) -> None:
        rule(raw, "metals_before_fentanyl").pop("from")
        drop_rule(raw, "fentanyl_before_metals")

    assert paid(quote(broken(old_order_only), *JUNE)) == FENTANYL_FIRST
    assert paid(quote(broken(new_order_only), *MAY)) == usd(mfn_col1="850.00", s232_steel="2500.00")


@pytest.mark.parametrize(
    "line",
    [(SCREWS, "CN", "2025-10-01", HALF), (CAR, "CN", "2025-10-01"), ("4407.11.0001", "CN", "2025-12-01")],
    ids=["metals", "cars", "wood"],
)
def test_trap_13_the_duty_on_china_over_fentanyl_is_on_the_full_value_of_232_goods(
    line: tuple[str, str, str],
) -> None:
    full = paid(quote(load_law(), *line))["fent_cn"]
    assert full == (Decimal("2000.00") if line[2] < "2025-11-10" else Decimal("1000.00"))

    def outside(raw: Raw) -> None:
        after = raw["rules"].index(rule(raw, "vehicles_before_fentanyl")) + 1
        off = {
            "id": "cn_off_232",
            "when": ["s232"],
            "on": ["fent_cn"],
            "take": "content",
            "text": "",
            "cite": [],
        }
        raw["rules"].insert(after, {**off, "conf": "C"})

    assert paid(quote(broken(outside), *line)).get("fent_cn", Decimal(0)) < full


# What the USMCA does not free: the period, and a Canadian or Mexican line that claims it.
DUE: dict[str, tuple[Any, ...]] = {
    "metals": ("s232_IA_50", (SCREWS, "CA", "2026-11-24", {"usmca_share": 1}), "s232_IA", "5000.00"),
    "metals of 2025": ("s232_steel_25", (SCREWS, "CA", "2025-05-20", {"usmca_share": 1}), "s232_steel", "2500.00"),
    "dairy": ("s338_ca_dairy_50", ("0402.21.2500", "CA", "2026-11-24", {"usmca_share": 1}), "s338_ca_dairy", "5000.00"),
    "heavy vehicles": (
        "s232_mhdv_2025", ("8704.23.0100", "MX", "2026-11-24", {"usmca_share": 1, "us_content_share": 0.4}),
        "s232_mhdv", "1500.00",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DUE)
def test_trap_14_the_usmca_does_not_free_of_everything(name: str) -> None:
    label, line, duty, due = DUE[name]
    assert paid(quote(load_law(), *line, quantity=1000, unit="kg"))[duty] == Decimal(due)

    def freed(raw: Raw) -> None:
        spelled_out(raw, label).insert(0, {"if": ["usmca_share"], "rate": "0%", "heading": "9903.99.99"})

    assert duty not in paid(quote(broken(freed), *line, quantity=1000, unit="kg"))


def test_trap_15_the_four_year_review_replaces_the_lists() -> None:
    line = ("8541.10.0080", "CN", "2026-11-20")
    assert paid(quote(load_law(), *line)) == usd(s301_n31_f="5000.00")
    added = broken(lambda raw: drop_rule(raw, "one_china_301"))
    assert paid(quote(added, *line)) == usd(s301_n31_f="5000.00", s301_l3="2500.00")


def test_trap_15_the_heading_of_chassis_adds_to_list_3() -> None:
    line = ("8716.39.0090", "CN", "2025-11-09", {"chassis_share": 1})
    right = headings(quote(load_law(), *line))
    assert (right["9903.91.12"], right["9903.88.03"]) == (Decimal("10000.00"), Decimal("2500.00"))
    replaced = broken(lambda raw: rule(raw, "one_china_301")["one_of"].insert(0, "chassis_100"))
    assert "9903.88.03" not in headings(quote(replaced, *line))
