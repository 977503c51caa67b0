"""Refunds of a whole file against sums done by hand: rates from the orders, no engine."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

from tariffs.engine.errors import InputError
from tariffs.engine.law import load_law
from tariffs.engine.line_duty.quote import EntryLine
from tariffs.engine.runs.refunds.refund import EntryRefund, RefundLine, RefundOptions, refunds
from tariffs.engine.runs.refunds.refund_status import YearlyRates, interest, interest_rates

CENT = Decimal("0.01")
# Goods, origin, and by first day the IEEPA rates due (fentanyl, reciprocal); nothing before the first, nothing from
# 2026-02-24. Toys are on no list of exemptions.
TOYS = "9503.00.0073"
RATES: dict[str, list[tuple[date, str, str]]] = {
    "CN": [
        (date(2025, 2, 5), "0.10", "0"),
        (date(2025, 3, 5), "0.20", "0"),
        (date(2025, 4, 6), "0.20", "0.10"),
        (date(2025, 4, 10), "0.20", "1.25"),
        (date(2025, 5, 15), "0.20", "0.10"),
        (date(2025, 11, 11), "0.10", "0.10"),
    ],
    "VN": [(date(2025, 4, 6), "0", "0.10"), (date(2025, 8, 8), "0", "0.20")],
    "CA": [(date(2025, 3, 8), "0.25", "0"), (date(2025, 8, 2), "0.35", "0")],
}
STOP = date(2026, 2, 24)
SAFE = [
    date(2025, 1, 15), date(2025, 2, 20), date(2025, 3, 20), date(2025, 4, 7), date(2025, 4, 20), date(2025, 6, 2),
    date(2025, 7, 20), date(2025, 9, 10), date(2025, 10, 20), date(2025, 12, 5), date(2026, 2, 10), date(2026, 3, 3),
]  # fmt: skip
OF_CHINA = EntryLine(TOYS, "CN", 10000, "2025-05-20", entry_id="A")


def due(origin: str, day: date) -> tuple[Decimal, Decimal]:
    """The two rates of a day, read off the table above."""
    found = (Decimal(0), Decimal(0))
    for first, fentanyl, reciprocal in RATES[origin]:
        if first <= day < STOP:
            found = (Decimal(fentanyl), Decimal(reciprocal))
    return found


def cents(amount: Decimal) -> Decimal:
    """Half up to the cent."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def one_entry(
    goods: EntryLine = OF_CHINA,
    *,
    on: date | None = None,
    rate: str | None = None,
    authority: tuple[str, ...] = ("ieepa",),
    **given: Any,
) -> EntryRefund:
    """The refund of one entry: toys of China, 10,000 US dollars, entered on 2025-05-20, unless told otherwise."""
    line = RefundLine(goods, **given)
    result = refunds(load_law(), [line], RefundOptions(paid_on=on, rate=rate, authority=authority))
    if result.refused:
        raise result.refused[0]
    return result.entries[0]


def reasons(entry: EntryRefund) -> list[str]:
    return [note.reason for note in entry.notes]


def test_five_hundred_entries_equal_a_plain_sum() -> None:
    rng = random.Random(4)
    lines, plain, drawn = [], Decimal(0), Decimal(0)
    by_entry: dict[str, Decimal] = {}
    for number in range(500):
        for _ in range(rng.choice((1, 1, 2))):
            origin = rng.choice(list(RATES))
            day, value = rng.choice(SAFE), Decimal(rng.randint(100, 90_000_00)) / 100
            whole = value.quantize(Decimal(1), ROUND_HALF_UP)
            back = sum((cents(rate * whole) for rate in due(origin, day)), Decimal(0))
            drawback = cents(back / 4) if number % 7 == 0 else Decimal(0)
            claims = {"usmca_share": 0} if origin == "CA" else {}
            entry = EntryLine(TOYS, origin, value, day.isoformat(), claims, entry_id=f"E{number}")
            lines.append(RefundLine(entry, "unliquidated", drawback=drawback))
            by_entry[entry.entry_id] = by_entry.get(entry.entry_id, Decimal(0)) + back - drawback
            plain += back
            drawn += drawback
    found = refunds(load_law(), lines)
    assert not found.refused
    assert found.total["refundable"] == plain
    assert found.total["drawback"] == drawn
    assert found.total["refund"] == plain - drawn
    assert {entry.entry_id: entry.refund for entry in found.entries} == by_entry
    assert sum(heading.refundable for heading in found.headings) == plain
    assert plain > 1_000_000


def test_headings_have_windows_that_do_not_depend_on_the_words_of_reasons(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _ in range(2):
        entry = one_entry(liquidation="unliquidated")
        assert [(h.heading, h.start, h.end, h.refundable) for h in entry.headings] == [
            ("9903.01.24", "2025-03-04", "2025-11-10", Decimal("2000.00")),
            ("9903.01.25", "2025-05-14", "2026-02-24", Decimal("1000.00")),
        ]
        assert (entry.route, entry.route_from) == ("declaration file", "2026-04-20")
        monkeypatch.setattr("tariffs.engine.line_duty.rounding.why", lambda *_: {})


def test_only_the_authority_asked_for_counts() -> None:
    bolts = EntryLine("7318.15.8066", "CN", 10000, "2025-05-20")
    assert one_entry(bolts, liquidation="final").assessed == Decimal("2000.00")
    both = one_entry(bolts, liquidation="final", authority=("ieepa", "s301"))
    assert (both.assessed, both.refundable) == (Decimal("4500.00"), Decimal("2000.00"))
    with pytest.raises(InputError, match="no authority"):
        one_entry(bolts, liquidation="final", authority=("iepa",))


@pytest.mark.parametrize(
    ("hts", "origin", "entry", "claims", "authority", "back"),
    [
        # Aircraft of Taiwan from 2026-05-01, FR 2026-10571 of 05-28: a row added to an older period.
        ("7304.31.3000", "TW", "2026-05-10", {"civil_aircraft_share": 1}, "s232", "5000.00"),
        ("7304.31.3000", "TW", "2026-06-01", {"civil_aircraft_share": 1}, "s232", "0.00"),
        # EO 14289 of 2025-04-29: steel that pays the duty on Canada pays no metals duty from 2025-03-04.
        ("7207.12.0050", "CA", "2025-04-10", {"usmca_share": 0}, "s232", "2500.00"),
        ("7207.12.0050", "CA", "2025-05-10", {"usmca_share": 0}, "s232", "0.00"),
        # EO 14345 of 2025-09-04: the floor for Japan counts from 2025-08-07.
        ("6110.30.3059", "JP", "2025-09-03", {}, "ieepa", "1500.00"),
        ("6110.30.3059", "JP", "2025-09-05", {}, "ieepa", "0.00"),
    ],
)
def test_acts_give_back_from_their_effect_to_their_publication(
    hts: str, origin: str, entry: str, claims: dict[str, Any], authority: str, back: str
) -> None:
    found = one_entry(EntryLine(hts, origin, 10000, entry, claims), authority=(authority,))
    assert found.by_act == Decimal(back)


def test_what_a_retroactive_act_gave_back_stands_apart_and_bears_interest_too() -> None:
    robots = EntryLine("8479.50.0000", "CH", 10000, "2025-12-01")
    entry = one_entry(robots)
    # 39 % was deposited; the floor of 15 % over the ordinary 2.5 % leaves 12.5 %, back to 2025-11-14.
    assert (entry.deposited, entry.assessed) == (Decimal("3900.00"), Decimal("1250.00"))
    assert entry.by_act == Decimal("2650.00")
    assert entry.refundable == entry.assessed
    assert reasons(entry) == ["LIQUIDATION_UNKNOWN"]
    entry = one_entry(robots, liquidation="unliquidated", rate="7%", on=date(2026, 12, 1))
    # A yearly 7 % compounded daily is 7.2501 % after 365 days, on the 2,650 of the act and the 1,250 of the ruling.
    assert (entry.interest_by_act, entry.interest) == (Decimal("192.13"), Decimal("90.63"))


def test_what_other_authorities_gave_back_is_noted_and_counted_if_they_are_named() -> None:
    """FR 2025-18660: cars of the European Union owe 15 % in all from 2025-08-01, and 2.5 % and 25 % were deposited."""
    car = EntryLine("8703.23.0190", "DE", 10000, "2025-08-20")
    entry = one_entry(car, liquidation="unliquidated")
    assert entry.by_act == entry.refund == 0
    (note,) = [note for note in entry.notes if note.reason == "GIVEN_BACK_ELSEWHERE"]
    assert "1,250.00" in note.message
    named = one_entry(car, liquidation="unliquidated", authority=("ieepa", "s232"))
    assert (named.by_act, named.notes) == (Decimal("1250.00"), ())


@pytest.mark.parametrize(("days", "percent"), [(0, 7), (1, 7), (366, 8), (1000, 3)])
def test_interest_compounds_day_by_day_from_the_deposit(days: int, percent: int) -> None:
    """26 U.S.C. 6622: each day's interest is added to the balance that bears the next day's."""
    start, rates = date(2025, 6, 3), YearlyRates(((date.min, Decimal(percent) / 100),))
    end, growth = start + timedelta(days=days), (1 + Fraction(percent, 36_500)) ** days - 1
    found = interest(Decimal(123_456), rates, start, end)
    assert abs(Fraction(found) - 123_456 * growth) <= Fraction(1, 200)
    assert interest(Decimal(1000), rates, start, start - timedelta(days=1)) == 0
    # On 3,000 less the drawback.
    given: dict[str, Any] = {"liquidation": "unliquidated", "deposited_on": "2025-06-03", "drawback": 1000}
    entry = one_entry(**given, rate=f"{percent}%", on=end)
    assert abs(Fraction(entry.interest) - 2000 * growth) <= Fraction(1, 200)


def test_interest_takes_the_rate_of_each_quarter_for_its_payer() -> None:
    """By hand: 26 USC 6621(a)(1), 5 % for corporations in the second quarter of 2026, 6 % in those around it."""
    start, end = date(2026, 3, 1), date(2026, 8, 1)
    for payer, rates in (("corporate", (6, 5, 6)), ("other", (7, 6, 7))):
        balance = Fraction(3000)
        for days, percent in zip((31, 91, 31), rates, strict=True):
            balance *= (1 + Fraction(percent, 36_500)) ** days
        found = one_entry(liquidation="unliquidated", deposited_on=start.isoformat(), rate=payer, on=end)
        assert abs(Fraction(found.interest) - (balance - 3000)) <= Fraction(1, 200)


def test_interest_over_adjoining_spans_grows_as_over_the_whole() -> None:
    rates = interest_rates(load_law(), "corporate")
    assert rates is not None
    days = [date(2025, 1, 1) + timedelta(days=13 * n) for n in range(80)]
    whole, parts = rates.growth(days[0], days[-1]), Decimal(1)
    for start, end in pairwise(days):
        parts *= rates.growth(start, end)
    assert abs(whole - parts) < Decimal("1e-20")
    assert rates.growth(days[5], days[4]) == 1


def test_corporations_are_paid_a_point_less_than_others_in_every_quarter() -> None:
    """26 USC 6621(a)(1): the federal short-term rate and 2 points, or 3."""
    table = load_law().refunds.interest.by_payer
    gaps = {other - rate for (_, rate), (_, other) in zip(table["corporate"], table["other"], strict=True)}
    assert gaps == {Decimal("0.01")}


def test_interest_past_the_last_published_quarter_and_a_suit_too_late_are_noted() -> None:
    for on, told in ((date(2027, 1, 1), []), (date(2027, 1, 2), ["INTEREST_RATE_UNPUBLISHED"])):
        assert reasons(one_entry(on=on, rate="corporate", liquidation="unliquidated")) == told
        assert not one_entry(on=on, rate="7%", liquidation="unliquidated").notes
    for on, told in ((date(2027, 5, 20), []), (date(2027, 5, 21), ["SUIT_LATE"])):
        assert reasons(one_entry(on=on, liquidation="final")) == told


def test_interest_ends_at_the_reliquidation_and_says_if_it_ends_before_the_deposit() -> None:
    given: dict[str, Any] = {"liquidation": "unliquidated", "rate": "7%"}
    paid = one_entry(on=date(2026, 6, 3), **given)
    own = one_entry(on=date(2026, 11, 1), reliquidated_on="2026-06-03", **given)
    assert own.interest == paid.interest > 0
    for day, told in ((19, ["INTEREST_BEFORE_DEPOSIT"]), (20, []), (21, [])):
        entry = one_entry(on=date(2025, 5, day), **given)
        assert (entry.interest > 0) == (day > 20)
        assert reasons(entry) == told
    assert reasons(one_entry(liquidation="unliquidated", on=date(2025, 5, 19))) == []


@pytest.mark.parametrize(
    ("on", "state", "passed"),
    [
        ("2026-06-20", "liquidated", None),
        ("2026-06-21", "protestable", 80),
        ("2026-09-28", "protestable", 80),
        ("2026-09-29", "final", 180),
    ],
)
def test_a_liquidation_is_final_on_the_day_after_its_hundred_and_eightieth(
    on: str, state: str, passed: int | None
) -> None:
    # 2026-04-01 and 80 days is 2026-06-20: 29 days of April after the first, 31 of May, 20 of June; and 180 days is
    # 2026-09-28: 10 more of June, 31 of July, 31 of August, 28 of September (19 USC 1514(c)(3)).
    entry = one_entry(on=date.fromisoformat(on), liquidation="liquidated", liquidated_on="2026-04-01")
    assert entry.liquidation == state
    assert reasons(entry) == (["LIQUIDATION_LATE"] if passed else [])
    assert all(f"more than {passed} days before {on}" in note.message for note in entry.notes)
    assert entry.protest_by == (None if state == "final" else date(2026, 9, 28))
    assert entry.suit_by == (None if state == "liquidated" else date(2027, 5, 20))


@pytest.mark.parametrize(
    ("state", "route", "protest_by", "suit_by"),
    [
        ("unliquidated", "declaration file", False, False),
        ("liquidated", "declaration file", True, False),
        ("protestable", "protest", True, True),
        ("protested", "decision on the protest", False, False),
        ("reconciliation", "reconciliation phase", False, False),
        ("final", "reliquidation by court order", False, True),
    ],
)
def test_each_state_has_its_procedure_and_its_time_limits(
    state: str, route: str, protest_by: bool, suit_by: bool
) -> None:
    liquidated_on = "" if state == "unliquidated" else "2026-06-01"
    on = date(2026, 7, 1)
    entry = one_entry(on=on, liquidation=state, liquidated_on=liquidated_on, deposited_on="2025-06-03")
    assert (entry.liquidation, entry.route) == (state, route)
    assert entry.protest_by == (date(2026, 11, 28) if protest_by else None)
    assert entry.suit_by == (date(2027, 6, 3) if suit_by else None)
    assert entry.notes == ()
    told = reasons(one_entry(on=on, liquidation=state))
    assert told == (["LIQUIDATION_DAY_UNKNOWN"] if protest_by else [])


@pytest.mark.parametrize(
    ("given", "reason", "field"),
    [
        (("liquidated", "2025-05-19", ""), "LIQUIDATION_INVALID", "liquidation_date"),
        (("", "2025-05-19", ""), "LIQUIDATION_INVALID", "liquidation_date"),
        (("unliquidated", "2026-04-01", ""), "LIQUIDATION_INVALID", "liquidation_date"),
        (("unliquidated", "", "2025-05-19"), "LIQUIDATION_INVALID", "reliquidation_date"),
        (("liquidated", "2026-04-01", "2026-03-31"), "LIQUIDATION_INVALID", "reliquidation_date"),
        (("lost", "", ""), "LIQUIDATION_INVALID", "liquidation"),
    ],
)
def test_days_that_contradict_each_other_are_refused(
    given: tuple[str, str, str], reason: str, field: str
) -> None:
    state, liquidated_on, reliquidated_on = given
    with pytest.raises(InputError) as caught:
        one_entry(liquidation=state, liquidated_on=liquidated_on, reliquidated_on=reliquidated_on)
    assert (caught.value.reason, caught.value.field) == (reason, field)
    assert one_entry(liquidation="final", liquidated_on="2025-05-20").liquidation == "final"


@pytest.mark.parametrize(
    ("rate", "on", "reason", "field"),
    [
        *(
            (rate, None, "PARAMETER_INVALID", "interest_rate")
            for rate in ("corporation", "", "7", "corporate other")
        ),
        *(
            ("99%", on, "ENTRY_DATE_OUT_OF_COVERAGE", "paid_on")
            for on in (date(9999, 12, 31), date(1, 1, 1), date(2020, 1, 1))
        ),
    ],
)
def test_a_payer_or_a_day_of_payment_that_the_law_does_not_know_is_refused(
    rate: str, on: date | None, reason: str, field: str
) -> None:
    with pytest.raises(InputError) as caught:
        one_entry(rate=rate, on=on, liquidation="unliquidated")
    assert (caught.value.reason, caught.value.field) == (reason, field)


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "0001-01-01T00:30Z", "1990-01-01"])
def test_a_bad_line_costs_its_entry_only_itself(day: str) -> None:
    lines = [
        RefundLine(OF_CHINA, "liquidated", liquidated_on=day),
        RefundLine(OF_CHINA, "unliquidated", deposited_on=day),
        RefundLine(OF_CHINA._replace(origin="XX")),
        RefundLine(OF_CHINA, "unliquidated"),
    ]
    found = refunds(load_law(), lines, RefundOptions(rate="99%"))
    fields = {index: error.field for index, error in found.refused.items()}
    assert fields == {0: "liquidation_date", 1: "deposit_date", 2: "origin"}
    dates = {found.refused[index].reason.rsplit("_", 1)[0] for index in (0, 1)}
    assert dates <= {"ENTRY_DATE", "ENTRY_DATE_OUT_OF"}
    assert found.entries[0].refused == 3
    assert found.total["refund"] == Decimal("3000.00")


def test_more_drawback_than_comes_back_leaves_nothing() -> None:
    entry = one_entry(liquidation="final", drawback="3500")
    assert entry.refund == 0
    assert "DRAWBACK_EXCEEDS" in reasons(entry)
