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
# 2026-02-24. Toys and shirts are on no list of exemptions.
RATES: dict[tuple[str, str], list[tuple[date, str, str]]] = {
    ("9503.00.0073", "CN"): [
        (date(2025, 2, 5), "0.10", "0"),
        (date(2025, 3, 5), "0.20", "0"),
        (date(2025, 4, 6), "0.20", "0.10"),
        (date(2025, 4, 10), "0.20", "1.25"),
        (date(2025, 5, 15), "0.20", "0.10"),
        (date(2025, 11, 11), "0.10", "0.10"),
    ],
    ("9503.00.0073", "VN"): [(date(2025, 4, 6), "0", "0.10"), (date(2025, 8, 8), "0", "0.20")],
    ("9503.00.0073", "BR"): [(date(2025, 4, 6), "0", "0.10")],
    ("9503.00.0073", "CA"): [(date(2025, 3, 8), "0.25", "0"), (date(2025, 8, 2), "0.35", "0")],
}
STOP = date(2026, 2, 24)
SAFE = [
    date(2025, 1, 15), date(2025, 2, 20), date(2025, 3, 20), date(2025, 4, 7), date(2025, 4, 20), date(2025, 6, 2),
    date(2025, 7, 20), date(2025, 9, 10), date(2025, 10, 20), date(2025, 12, 5), date(2026, 2, 10), date(2026, 3, 3),
]  # fmt: skip


def due(goods: str, origin: str, day: date) -> tuple[Decimal, Decimal]:
    """The two rates of a day, read off the table above."""
    found = (Decimal(0), Decimal(0))
    for first, fentanyl, reciprocal in RATES[goods, origin]:
        if first <= day < STOP:
            found = (Decimal(fentanyl), Decimal(reciprocal))
    return found


def yearly(percent: int) -> YearlyRates:
    return YearlyRates(((date.min, Decimal(percent) / 100),))


def one_entry(*, on: date | None = None, rate: str | None = None, **given: str) -> EntryRefund:
    """The refund of toys of China, 10,000 US dollars, entered on 2025-05-20."""
    line = RefundLine(EntryLine("9503.00.0073", "CN", 10000, "2025-05-20", entry_id="A"), **given)
    result = refunds(load_law(), [line], RefundOptions(paid_on=on, rate=rate))
    if result.refused:
        raise result.refused[0]
    return result.entries[0]


def cents(amount: Decimal) -> Decimal:
    """Half up to the cent."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def test_five_hundred_entries_equal_a_plain_sum() -> None:
    rng = random.Random(4)
    lines, plain, drawn = [], Decimal(0), Decimal(0)
    by_entry: dict[str, Decimal] = {}
    for number in range(500):
        for _ in range(rng.choice((1, 1, 2))):
            goods, origin = rng.choice([key for key in RATES if key[1] != "BR"])
            day, value = rng.choice(SAFE), Decimal(rng.randint(100, 90_000_00)) / 100
            whole = value.quantize(Decimal(1), ROUND_HALF_UP)
            back = sum((cents(rate * whole) for rate in due(goods, origin, day)), Decimal(0))
            drawback = cents(back / 4) if number % 7 == 0 else Decimal(0)
            entry = EntryLine(goods, origin, value, day.isoformat(), {"usmca_share": 0} if origin == "CA" else {},
                              entry_id=f"E{number}")  # fmt: skip
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


def test_headings_and_windows() -> None:
    line = RefundLine(EntryLine("9503.00.0073", "CN", 10000, "2025-05-20", entry_id="A"), "unliquidated")
    (entry,) = refunds(load_law(), [line]).entries
    told = [(h.heading, h.start, h.end, h.refundable) for h in entry.headings]
    assert told == [
        ("9903.01.24", "2025-03-04", "2025-11-10", Decimal("2000.00")),
        ("9903.01.25", "2025-05-14", "2026-02-24", Decimal("1000.00")),
    ]
    assert (entry.route, entry.route_from) == ("declaration file", "2026-04-20")


def test_only_the_authority_asked_for_counts() -> None:
    line = RefundLine(EntryLine("7318.15.8066", "CN", 10000, "2025-05-20"), "final")
    law = load_law()
    assert refunds(law, [line]).total["assessed"] == Decimal("2000.00")
    both = refunds(law, [line], RefundOptions(authority=("ieepa", "s301")))
    assert both.total["assessed"] == Decimal("4500.00")
    assert both.total["refundable"] == Decimal("2000.00")
    with pytest.raises(InputError, match="no authority"):
        refunds(law, [line], RefundOptions(authority=("iepa",)))


def test_what_a_retroactive_act_gave_back_stands_apart() -> None:
    line = RefundLine(EntryLine("8479.50.0000", "CH", 10000, "2025-12-01", entry_id="A"))
    (entry,) = refunds(load_law(), [line]).entries
    # 39 % was deposited; the floor of 15 % over the ordinary 2.5 % leaves 12.5 %, back to 2025-11-14.
    assert (entry.deposited, entry.assessed) == (Decimal("3900.00"), Decimal("1250.00"))
    assert entry.by_act == Decimal("2650.00")
    assert entry.refundable == entry.assessed
    assert [note.reason for note in entry.notes] == ["LIQUIDATION_UNKNOWN"]


@pytest.mark.parametrize(("days", "percent"), [(0, 7), (1, 7), (30, 7), (366, 8), (1000, 3)])
def test_interest_is_added_day_by_day(days: int, percent: int) -> None:
    """26 U.S.C. 6622: each day's interest is added to the balance that bears the next day's."""
    balance = Fraction(123_456)
    for _ in range(days):
        balance += balance * percent / 100 / 365
    start = date(2025, 5, 20)
    found = interest(Decimal(123_456), yearly(percent), start, start + timedelta(days=days))
    assert abs(Fraction(found) - (balance - 123_456)) <= Fraction(1, 200)


def test_interest_compounds_daily_from_the_deposit() -> None:
    # A yearly 7 % compounded daily is 7.2501 % after a year.
    assert interest(Decimal(1000), yearly(7), date(2025, 5, 20), date(2026, 5, 20)) == Decimal("72.50")
    assert interest(Decimal(1000), yearly(7), date(2026, 5, 20), date(2025, 5, 20)) == Decimal("0.00")
    line = RefundLine(
        EntryLine("9503.00.0073", "CN", 10000, "2025-05-20"),
        "unliquidated",
        deposited_on="2025-06-03",
        drawback=1000,
    )
    options = RefundOptions(rate=Decimal("0.07"), paid_on=date(2026, 6, 3))
    assert refunds(load_law(), [line], options).total["interest"] == Decimal("145.00")


@pytest.mark.parametrize(
    ("on", "state"),
    [
        ("2026-06-20", "liquidated"),
        ("2026-06-21", "protestable"),
        ("2026-09-28", "protestable"),
        ("2026-09-29", "final"),
    ],
)
def test_a_liquidation_is_final_on_the_day_after_its_hundred_and_eightieth(on: str, state: str) -> None:
    # 2026-04-01 and 80 days is 2026-06-20: 29 days of April after the first, 31 of May, 20 of June; and 180 days is
    # 2026-09-28: 10 more of June, 31 of July, 31 of August, 28 of September (19 USC 1514(c)(3)).
    entry = one_entry(on=date.fromisoformat(on), liquidation="liquidated", liquidated_on="2026-04-01")
    assert entry.liquidation == state
    assert [note.reason for note in entry.notes] == ([] if state == "liquidated" else ["LIQUIDATION_LATE"])
    assert entry.protest_by == (None if state == "final" else date(2026, 9, 28))
    assert entry.suit_by == (None if state == "liquidated" else date(2027, 5, 20))


def test_a_note_gives_the_days_that_have_passed_since_the_liquidation() -> None:
    for on, days in (("2026-07-01", 80), ("2026-11-01", 180)):
        (note,) = one_entry(
            on=date.fromisoformat(on), liquidation="liquidated", liquidated_on="2026-04-01"
        ).notes
        assert f"more than {days} days before {on}" in note.message


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
    reasons = [note.reason for note in one_entry(on=on, liquidation=state).notes]
    assert reasons == (["LIQUIDATION_DAY_UNKNOWN"] if protest_by else [])


def test_a_time_limit_that_has_passed_is_noted() -> None:
    for on, reasons in ((date(2027, 5, 20), []), (date(2027, 5, 21), ["SUIT_LATE"])):
        assert [note.reason for note in one_entry(on=on, liquidation="final").notes] == reasons


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"liquidation": "liquidated", "liquidated_on": "2025-05-19"}, "liquidation_date"),
        ({"liquidation": "", "liquidated_on": "2025-05-19"}, "liquidation_date"),
        ({"liquidation": "unliquidated", "liquidated_on": "2026-04-01"}, "liquidation_date"),
        ({"liquidation": "unliquidated", "reliquidated_on": "2025-05-19"}, "reliquidation_date"),
        (
            {"liquidation": "liquidated", "liquidated_on": "2026-04-01", "reliquidated_on": "2026-03-31"},
            "reliquidation_date",
        ),
    ],
)
def test_days_that_contradict_each_other_are_refused(given: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as caught:
        one_entry(**given)
    assert (caught.value.reason, caught.value.field) == ("LIQUIDATION_INVALID", field)


def test_a_liquidation_on_the_day_of_the_entry_is_none_that_contradicts_it() -> None:
    assert one_entry(liquidation="final", liquidated_on="2025-05-20").liquidation == "final"


def test_interest_takes_the_rate_of_each_quarter_for_its_payer() -> None:
    """By hand: 26 USC 6621(a)(1), 5 % for corporations in the second quarter of 2026, 6 % in those around it."""
    start, end = date(2026, 3, 1), date(2026, 8, 1)
    for payer, rates in (("corporate", (6, 5, 6)), ("other", (7, 6, 7))):
        balance = Fraction(3000)
        for days, percent in zip((31, 91, 31), rates, strict=True):
            balance *= (1 + Fraction(percent, 36_500)) ** days
        line = RefundLine(
            EntryLine("9503.00.0073", "CN", 10000, "2025-05-20"),
            "unliquidated",
            deposited_on=start.isoformat(),
        )
        options = RefundOptions(rate=payer, paid_on=end)
        found = refunds(load_law(), [line], options).total["interest"]
        assert abs(Fraction(found) - (balance - 3000)) <= Fraction(1, 200)


@pytest.mark.parametrize("payer", ["corporate", "other"])
def test_interest_over_adjoining_spans_grows_as_over_the_whole(payer: str) -> None:
    rates = interest_rates(load_law(), payer)
    assert rates is not None
    days = [date(2025, 1, 1) + timedelta(days=13 * n) for n in range(80)]
    whole = rates.growth(days[0], days[-1])
    parts = Decimal(1)
    for start, end in pairwise(days):
        parts *= rates.growth(start, end)
    assert abs(whole - parts) < Decimal("1e-20")
    assert rates.growth(days[5], days[4]) == 1


def test_corporations_are_paid_a_point_less_than_others_in_every_quarter() -> None:
    """26 USC 6621(a)(1): the federal short-term rate and 2 points, or 3."""
    table = load_law().refunds.interest.by_payer
    gaps = {other - rate for (_, rate), (_, other) in zip(table["corporate"], table["other"], strict=True)}
    assert gaps == {Decimal("0.01")}


def test_interest_past_the_last_published_quarter_is_noted() -> None:
    for on, reasons in ((date(2027, 1, 1), []), (date(2027, 1, 2), ["INTEREST_RATE_UNPUBLISHED"])):
        entry = one_entry(on=on, rate="corporate", liquidation="unliquidated")
        assert [note.reason for note in entry.notes] == reasons
        assert not one_entry(on=on, rate="7%", liquidation="unliquidated").notes


def test_interest_ends_at_the_reliquidation_of_the_entry() -> None:
    paid = one_entry(on=date(2026, 6, 3), rate="7%", liquidation="unliquidated")
    own = one_entry(on=date(2026, 11, 1), rate="7%", liquidation="unliquidated", reliquidated_on="2026-06-03")
    assert own.interest == paid.interest > 0


@pytest.mark.parametrize("given", ["corporation", "", "7", "corporate other"])
def test_a_payer_that_the_law_does_not_know_is_refused(given: str) -> None:
    with pytest.raises(InputError) as caught:
        one_entry(rate=given, liquidation="unliquidated")
    assert (caught.value.reason, caught.value.field) == ("PARAMETER_INVALID", "interest_rate")


def test_what_an_act_gave_back_bears_interest_too() -> None:
    line = RefundLine(EntryLine("8479.50.0000", "CH", 10000, "2025-12-01"), "unliquidated")
    options = RefundOptions(rate="7%", paid_on=date(2026, 12, 1))
    (entry,) = refunds(load_law(), [line], options).entries
    # A yearly 7 % compounded daily is 7.2501 % after 365 days, on the 2,650 of the act and the 1,250 of the ruling.
    assert (entry.interest_by_act, entry.interest) == (Decimal("192.13"), Decimal("90.63"))


def test_what_other_authorities_gave_back_is_noted_and_counted_if_they_are_named() -> None:
    """FR 2025-18660: cars of the European Union owe 15 % in all from 2025-08-01, and 2.5 % and 25 % were deposited."""
    line = RefundLine(EntryLine("8703.23.0190", "DE", 10000, "2025-08-20"), "unliquidated")
    (entry,) = refunds(load_law(), [line]).entries
    assert entry.by_act == entry.refund == 0
    (note,) = [note for note in entry.notes if note.reason == "GIVEN_BACK_ELSEWHERE"]
    assert "1,250.00" in note.message
    (named,) = refunds(load_law(), [line], RefundOptions(authority=("ieepa", "s232"))).entries
    assert named.by_act == Decimal("1250.00")
    assert named.notes == ()


def test_collection_windows_do_not_depend_on_the_words_of_reasons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tariffs.engine.line_duty.rounding.why", lambda *_: {})
    law = load_law()
    line = RefundLine(EntryLine("9503.00.0073", "CN", 10000, "2025-05-20", entry_id="A"), "unliquidated")
    (entry,) = refunds(law, [line]).entries
    assert [(h.heading, h.start, h.end) for h in entry.headings] == [
        ("9903.01.24", "2025-03-04", "2025-11-10"),
        ("9903.01.25", "2025-05-14", "2026-02-24"),
    ]


def test_a_bad_line_costs_its_entry_only_itself() -> None:
    good = EntryLine("9503.00.0073", "CN", 10000, "2025-05-20", entry_id="A")
    lines = [
        RefundLine(good, "unliquidated"),
        RefundLine(EntryLine("9503.00.0073", "XX", 10000, "2025-05-20", entry_id="A")),
        RefundLine(good, "lost"),
    ]
    found = refunds(load_law(), lines)
    assert {index: error.reason for index, error in found.refused.items()} == {
        1: "ORIGIN_UNKNOWN",
        2: "LIQUIDATION_INVALID",
    }
    assert found.entries[0].refused == 2
    assert found.total["refund"] == Decimal("3000.00")


def test_more_drawback_than_comes_back_leaves_nothing() -> None:
    line = RefundLine(EntryLine("9503.00.0073", "CN", 10000, "2025-05-20"), "final", drawback="3500")
    (entry,) = refunds(load_law(), [line]).entries
    assert entry.refund == 0
    assert "DRAWBACK_EXCEEDS" in {note.reason for note in entry.notes}


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "0001-01-01T00:30Z", "1990-01-01"])
def test_a_day_the_law_does_not_reach_costs_its_row_only(day: str) -> None:
    good = EntryLine("9503.00.0073", "CN", 10000, "2025-05-20")
    lines = [
        RefundLine(good, "liquidated", liquidated_on=day),
        RefundLine(good, "unliquidated", deposited_on=day),
        RefundLine(good, "unliquidated"),
    ]
    found = refunds(load_law(), lines, RefundOptions(rate="99%"))
    assert {index: error.field for index, error in found.refused.items()} == {
        0: "liquidation_date",
        1: "deposit_date",
    }
    assert {error.reason.rsplit("_", 1)[0] for error in found.refused.values()} <= {
        "ENTRY_DATE",
        "ENTRY_DATE_OUT_OF",
    }
    assert found.total["refund"] == Decimal("3000.00")


@pytest.mark.parametrize("paid_on", [date(9999, 12, 31), date(1, 1, 1), date(2020, 1, 1)])
def test_interest_runs_to_a_day_of_the_law_or_is_refused(paid_on: date) -> None:
    line = RefundLine(EntryLine("9503.00.0073", "CN", 10000, "2025-05-20"), "unliquidated")
    with pytest.raises(InputError) as caught:
        refunds(load_law(), [line], RefundOptions(rate="99%", paid_on=paid_on))
    assert (caught.value.reason, caught.value.field) == ("ENTRY_DATE_OUT_OF_COVERAGE", "paid_on")


def test_interest_that_ends_before_the_deposit_is_told() -> None:
    line = RefundLine(EntryLine("9503.00.0073", "CN", 10000, "2025-05-20"), "unliquidated")
    for paid_on, told in ((date(2025, 5, 19), True), (date(2025, 5, 20), False), (date(2025, 5, 21), False)):
        (entry,) = refunds(load_law(), [line], RefundOptions(rate="7%", paid_on=paid_on)).entries
        assert (entry.interest > 0) == (paid_on > date(2025, 5, 20))
        assert ("INTEREST_BEFORE_DEPOSIT" in {note.reason for note in entry.notes}) == told
    (entry,) = refunds(load_law(), [line], RefundOptions(paid_on=date(2025, 5, 19))).entries
    assert entry.notes == ()
