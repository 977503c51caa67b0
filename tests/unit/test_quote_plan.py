"""Plans of quotes: one serves every value to the cent, and what is kept in memory is bounded."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.errors import InputError
from tariffs.engine.law import Law, load_law
from tariffs.engine.law.law_at import LINES_KEPT
from tariffs.engine.law.matching import candidates
from tariffs.engine.line_duty import quote_cache
from tariffs.engine.line_duty.entry_line import OtherCharge, ResolvedLine, resolve_line
from tariffs.engine.line_duty.linear_quote import LARGEST_VALUE, LinearDuty, LinearQuote
from tariffs.engine.line_duty.quote import EntryLine, Quote, price
from tariffs.engine.line_duty.quote_cache import cached_plan, make_plan, plan_of
from tariffs.engine.line_duty.rounding import DutyLabel
from tariffs.engine.schedule.lines import load_schedule
from tests.unit.laws import at

LAPTOP: dict[str, Any] = {"hts": "8471.30.0100", "origin": "CN", "entry": "2025-05-20", "mode": "ocean"}
BOLTS: dict[str, Any] = {"hts": "7318.15.2065", "origin": "CN", "entry": "2025-10-01"}
PART: dict[str, Any] = {"hts": "8708.99.8180", "origin": "MX", "entry": "2025-11-20"}
FENCING: dict[str, Any] = {"hts": "7308.90.9590", "origin": "DE", "entry": "2026-03-10"}
SHIRT: dict[str, Any] = {"hts": "6110.20.2079", "origin": "VN", "entry": "2026-09-01"}
MILK: dict[str, Any] = {
    "hts": "0402.10.5000",
    "origin": "DE",
    "entry": "2025-05-20",
    "quantity": 100,
    "unit": "kg",
}
SHARES = st.sampled_from([0, 0.25, 0.4, "12.5%", "0.3333333333333333", 1])
CLAIMS = st.dictionaries(
    st.sampled_from(["usmca_share", "steel_share", "us_content_share", "civil_aircraft_share"]),
    SHARES,
    max_size=2,
)
CHARGES = st.lists(
    st.one_of(
        st.builds(lambda rate: OtherCharge("adcvd", rate=rate), st.decimals("0", "2", places=4)),
        st.builds(lambda usd: OtherCharge("other", amount=usd), st.decimals("0", "900", places=3)),
    ),
    max_size=2,
)
VALUES = st.one_of(
    st.integers(0, 2000), st.decimals("0", "9999999", places=2), st.integers(10**14, 10**15 - 1)
)


def read(law: Law, line: EntryLine) -> ResolvedLine:
    return resolve_line(law, line, None, load_schedule())


def quoted(line: EntryLine) -> Quote:
    """The answer by the plan kept for lines like this one."""
    law = load_law()
    reading = read(law, line)
    return price(law, reading, plan_of(law, reading))


def quoted_anew(line: EntryLine) -> Quote:
    """The answer by a plan of its own, settled for the line's value."""
    law = load_law()
    reading = read(law, line)
    return price(law, reading, replace(make_plan(law, reading), linear_quote=None))


def outcome(call: Callable[[EntryLine], Quote], line: EntryLine) -> Quote | tuple[str, str]:
    """The answer, or the reason and message of its refusal."""
    try:
        return call(line)
    except InputError as refused:
        return refused.reason, refused.message


@given(
    goods=st.sampled_from([LAPTOP, BOLTS, PART, FENCING, SHIRT, MILK]),
    value=VALUES,
    quantity=st.one_of(st.none(), st.integers(1, 10**6)),
    claims=CLAIMS,
    charges=CHARGES,
)
def test_a_shared_plan_answers_as_a_line_settled_by_itself(
    goods: dict[str, Any],
    value: Decimal,
    quantity: int | None,
    claims: dict[str, Any],
    charges: list[OtherCharge],
) -> None:
    line = EntryLine(
        **{**goods, "quantity": quantity or goods.get("quantity")},
        value=value,
        claims=claims,
        other_charges=charges,
        freight="12.345",
    )
    assert outcome(quoted, line) == outcome(quoted_anew, line)


@pytest.mark.parametrize("value", ["1", "2", "3", "50", "101", "12345.50", "999999999999999"])
def test_every_value_from_one_dollar_up_is_scaled_to_the_cent(value: str) -> None:
    for goods in (LAPTOP, BOLTS, PART, FENCING, SHIRT):
        line = EntryLine(**goods, value=value)
        reading = read(load_law(), line)
        assert plan_of(load_law(), reading).linear_for(reading.goods.value) is not None
        assert quoted(line) == quoted_anew(line)


def test_lines_that_differ_in_money_and_quantity_share_a_plan() -> None:
    law = load_law()
    plans = [
        plan_of(law, read(law, EntryLine(**LAPTOP, value=value, quantity=quantity, unit="no", freight=value)))
        for value, quantity in ((0, None), (1, 5), ("12345.67", 7), (10**15 - 1, 9))
    ]
    assert all(plan is plans[0] for plan in plans)


@pytest.mark.parametrize(
    "other",
    [
        {"origin": "VN"},
        {"hts": "8471.30.01"},
        {"entry": "2025-10-01"},
        {"claims": {"us_content_share": "20%"}},
        {"claims": {"loading_date": "2025-04-04"}},
    ],
)
def test_what_may_change_more_than_money_has_a_plan_of_its_own(other: dict[str, Any]) -> None:
    law = load_law()
    one, two = (
        plan_of(law, read(law, EntryLine(**{**LAPTOP, **changed}, value=1))) for changed in ({}, other)
    )
    assert one is not two


def test_days_between_two_acts_share_a_plan_and_tell_their_own_day() -> None:
    law = load_law()
    lines = [EntryLine(**{**LAPTOP, "entry": day}, value=500) for day in ("2025-05-20", "2025-05-21T08:30")]
    one, two = (plan_of(law, read(law, line)) for line in lines)
    assert one is two
    told = [str(quoted(line).provenance["entry"])[:16] for line in lines]
    assert told == ["2025-05-20T12:00", "2025-05-21T08:30"]


@pytest.mark.parametrize(
    "line",
    [
        EntryLine(**MILK, value=500),
        EntryLine(**LAPTOP, value=500, claims={"chapter98": "9802.00.50", "processing_value": 40}),
        EntryLine(**BOLTS, value=500, claims={"steel_share": "0.1234567890123"}),
    ],
    ids=["specific rate", "dollars declared", "decimals that round"],
)
def test_what_is_not_proportional_to_the_value_is_settled_each_time(line: EntryLine) -> None:
    law = load_law()
    assert plan_of(law, read(law, line)).linear_quote is None
    assert quoted(line) == quoted_anew(line)


def test_a_value_of_nothing_or_beyond_exact_arithmetic_is_settled_by_itself() -> None:
    law = load_law()
    plan = plan_of(law, read(law, EntryLine(**LAPTOP, value=1)))
    assert plan.linear_for(Decimal(LARGEST_VALUE - 1)) is plan.linear_quote
    assert plan.linear_for(Decimal(0)) is plan.linear_for(Decimal(LARGEST_VALUE)) is None


def test_a_layer_that_stands_only_under_other_facts_is_told_from_the_first_cent() -> None:
    face = DutyLabel("m", "top", "H.1", "undetermined", Decimal("0.001"), (), {})
    latent = LinearDuty(face, 0, 0, 0, possible=((), (0,)), latent=True)
    law = LinearQuote((1_000_000,), (), (latent,), ((), (0,)), ("top",))
    assert [len(law.at(value).layers) for value in (4, 5)] == [0, 1]
    found = law.at(100)
    wanted = (Decimal(0), Decimal(0), Decimal("0.10"))
    assert (found.assessed, found.min, found.max) == wanted
    assert [(layer.amount, layer.min, layer.max) for layer in found.layers] == [wanted]


def test_a_plan_is_of_one_law() -> None:
    law = load_law()
    other = law.with_switches({"revive_displaced": "on"})
    line = EntryLine(**LAPTOP, value=1)
    assert plan_of(law, read(law, line)) is not plan_of(other, read(other, line))
    assert cached_plan(replace(law), read(law, line)) is None


def test_a_plan_keeps_no_law_alive() -> None:
    law = replace(load_law())
    kept = plan_of(law, read(law, EntryLine(**LAPTOP, value=1)))
    gone = weakref.ref(law)
    del law
    gc.collect()
    assert gone() is None
    assert kept.linear_quote is not None


def test_plans_beyond_the_bound_are_forgotten_and_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: BoundedCache[Any, Any] = BoundedCache(4)
    monkeypatch.setattr(quote_cache, "_PLANS", kept)
    lines = [
        EntryLine(**{**SHIRT, "origin": origin}, value=777) for origin in ("VN", "DE", "JP", "KR", "IN", "BR")
    ]
    first = [quoted(line) for line in lines]
    assert len(kept) == 4
    assert [quoted(line) for line in lines] == first
    assert len(kept) == 4


def test_rows_of_lines_beyond_the_bound_are_forgotten_and_found_again() -> None:
    in_force = replace(load_law()).in_force(at("2025-05-20"))
    codes = load_schedule().children("84")[: LINES_KEPT + 40]
    first = [candidates(in_force, code, "CN") for code in codes]
    assert len(codes) > len(in_force.by_line) == LINES_KEPT
    assert [candidates(in_force, code, "CN") for code in codes] == first
    assert len(in_force.by_line) == LINES_KEPT


def test_what_was_used_least_recently_goes_first() -> None:
    kept: BoundedCache[str, int] = BoundedCache(2)
    kept.keep("a", 1)
    kept.keep("b", 2)
    assert kept.find("a") == 1
    kept.keep("c", 3)
    assert (kept.find("a"), kept.find("b"), kept.find("c")) == (1, None, 3)
    kept.clear()
    assert len(kept) == 0


def test_threads_that_share_plans_answer_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quote_cache, "_PLANS", BoundedCache(3))
    lines = [
        EntryLine(**{**BOLTS, "origin": origin}, value=1234) for origin in ("CN", "DE", "JP", "KR", "VN")
    ]
    wanted = [quoted(line) for line in lines]
    wrong: list[EntryLine] = []

    def work() -> None:
        for _ in range(10):
            wrong.extend(line for line, quote in zip(lines, wanted, strict=True) if quoted(line) != quote)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
