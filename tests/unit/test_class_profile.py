"""Profiles of classes of goods by an index of scopes: one serves every line of its class to the cent."""

from __future__ import annotations

import gc
import random
import weakref
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tariffs.engine.errors import InputError
from tariffs.engine.law import Law, load_law
from tariffs.engine.law.law import IMPORT, InForce
from tariffs.engine.law.matching import Reach
from tariffs.engine.law.model import Scope
from tariffs.engine.line_duty import class_profile, scope_index
from tariffs.engine.line_duty import why_not as reasons
from tariffs.engine.line_duty.class_profile import cached_profile, compile_profile, profile_of
from tariffs.engine.line_duty.entry_line import OtherCharge, ResolvedLine, resolve_line
from tariffs.engine.line_duty.quote import EntryLine, Quote, price
from tariffs.engine.line_duty.scope_index import CodeSets, ScopeIndex
from tariffs.engine.line_duty.segment import LawSegment, segment_of
from tariffs.engine.line_duty.unapplied import NearRow
from tariffs.engine.line_duty.why_not import why_not
from tariffs.engine.schedule.lines import load_schedule
from tests.law.random_lines import pairs
from tests.unit.laws import at


def scope(*names: str) -> Scope:
    return Scope(products=(frozenset(names),))


def index_of(lists: dict[str, tuple[str, ...]], *scopes: Scope) -> ScopeIndex:
    return ScopeIndex(InForce((), (), (), {}, lists), scopes)


def found(index: ScopeIndex, reach: int) -> set[Scope]:
    return {one for one, bit in index.bits.items() if reach & bit}


def test_a_list_is_that_of_its_law_and_empty_ones_are_in_no_scope() -> None:
    of_list, of_code, nothing = scope("metals", "empty", "gone"), scope("7208"), scope("empty", "gone")
    scopes, empty = (of_list, of_code, nothing), {"empty": (), "gone": ()}
    first = index_of({"metals": ("7206", "720712"), **empty}, *scopes)
    second = index_of({"metals": ("7208",), **empty}, *scopes)
    for code, of_first, of_second in (
        ("7207120010", {of_list}, set[Scope]()),
        ("7208100000", {of_code}, {of_list, of_code}),
    ):
        assert found(first, first.of_code(code)) == of_first
        assert found(second, second.of_code(code)) == of_second


def test_too_many_sets_are_begun_anew_and_older_indexes_keep_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CodeSets, "_shared", None)
    monkeypatch.setattr(scope_index, "_SETS_AT_MOST", 2)
    indexes = [index_of({name: (f"72{place:02}",)}, scope(name)) for place, name in enumerate("abcdefg")]
    for place, (name, index) in enumerate(zip("abcdefg", indexes, strict=True)):
        assert found(index, index.of_code(f"72{place:02}100000")) == {scope(name)}


LAPTOP: dict[str, Any] = {"hts": "8471.30.0100", "origin": "CN", "entry": "2025-05-20", "mode": "ocean"}
BOLTS: dict[str, Any] = {"hts": "7318.15.2065", "origin": "CN", "entry": "2025-10-01"}
PART: dict[str, Any] = {"hts": "8708.99.8180", "origin": "MX", "entry": "2025-11-20"}
FENCING: dict[str, Any] = {"hts": "7308.90.9590", "origin": "DE", "entry": "2026-03-10"}
SHIRT: dict[str, Any] = {"hts": "6110.20.2079", "origin": "VN", "entry": "2026-09-01"}
MILK: dict[str, Any] = {"hts": "0402.10.5000", "origin": "DE", "entry": "2025-05-20", "unit": "kg"}
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
    """The answer by the cached profile of its class."""
    law = load_law()
    reading = read(law, line)
    return price(law, reading, profile_of(law, reading))


def quoted_anew(line: EntryLine) -> Quote:
    """The answer by a profile compiled for this line alone, from scopes matched one by one."""
    law = load_law()
    reading = read(law, line)
    article = reading.article
    segment = LawSegment(law, reading.entry, reading.known, IMPORT)
    reach = sum(
        bit
        for scope, bit in segment.index.bits.items()
        if Reach.of(scope, segment.in_force).fits(article.code, article.origin)
    )
    open_claims = frozenset(p.claim for p in law.programs.values() if article.origin in p.members)
    return price(law, reading, compile_profile(segment, reach, open_claims, reading.facts))


def outcome(call: Callable[[EntryLine], Quote], line: EntryLine) -> Any:
    """All that an answer says, or the reason and message of its refusal."""
    try:
        return told(call(line))
    except InputError as refused:
        return refused.reason, refused.message


def told(quote: Quote) -> Any:
    """All that an answer says, with the reasons of its layers."""
    layers = [
        (x.measure, x.heading, x.state, x.rate, x.base, x.amount, x.owed, x.min, x.max, x.citations, x.why)
        for x in quote.layers
    ]
    return quote._replace(layers=()), layers


@given(
    st.sampled_from([LAPTOP, BOLTS, PART, FENCING, SHIRT, MILK]),
    VALUES,
    st.one_of(st.none(), st.integers(1, 10**6)),
    CLAIMS,
    st.sampled_from([0, 40, 600]),
    CHARGES,
)
def test_a_shared_profile_answers_as_one_compiled_for_the_line(
    goods: dict[str, Any],
    value: Decimal,
    quantity: int | None,
    claims: dict[str, Any],
    processing: int,
    charges: list[OtherCharge],
) -> None:
    if processing:
        claims = claims | {"processing_value": processing, "chapter98": "9802.00.50"}
    quantity = quantity or (100 if goods is MILK else None)
    given: dict[str, Any] = {"value": value, "quantity": quantity, "claims": claims, "other_charges": charges}
    line = EntryLine(**goods, **given, freight="12.345")
    assert outcome(quoted, line) == outcome(quoted_anew, line)


def test_codes_of_trade_are_in_the_scopes_that_match_them_one_by_one(scale: int) -> None:
    segment = segment_of(load_law(), at("2025-10-01"), load_law().as_of)
    index, in_force = segment.index, segment.in_force
    dice = random.Random(1)
    for code, origin in dice.sample(pairs(), 40 * scale):
        reach, near = index.reach(code, origin), index.near_code(code)
        for scope, bit in index.bits.items():
            found = Reach.of(scope, in_force)
            assert bool(reach & bit) == found.fits(code, origin)
            of_code = replace(found, origins=(), not_origins=frozenset())
            assert not (near & bit and of_code.fits(code, origin))


def test_rows_near_a_code_exclude_it_or_list_a_sibling(scale: int) -> None:
    segment = segment_of(load_law(), at("2025-10-01"), load_law().as_of)
    dice = random.Random(2)
    for code, _ in dice.sample(pairs(), 40 * scale):
        parents = {code[:length] for length in (4, 6, 8)}
        near = segment.index.near_code(code)
        for active in segment.in_force.actives:
            for row in active.rows:
                wanted = [frozenset(segment.in_force.codes(names)) for names in row.scope.products]
                listed = [any(code.startswith(one) for one in codes) for codes in wanted]
                beside = [any(one[:-2] in parents for one in codes) for codes in wanted]
                taken = any(code.startswith(one) for one in segment.in_force.codes(row.scope.not_products))
                expected = all(a or b for a, b in zip(listed, beside, strict=True))
                expected &= taken or not all(listed)
                assert bool(near & segment.index.bits[row.scope]) == expected
                if expected:
                    text = NearRow(active, row).of_code(code, segment.in_force).text
                    assert f"{code[:4]}.{code[4:6]}" in text


def test_lines_that_differ_in_money_quantity_or_a_code_of_the_class_share_a_profile() -> None:
    law = load_law()

    def profile(of: Law = law, **changed: Any) -> Any:
        return profile_of(of, read(of, EntryLine(**{**LAPTOP, "value": 1, **changed})))

    for value, quantity in ((0, None), (1, 5), ("12345.67", 7), (10**15 - 1, 9)):
        assert profile(value=value, quantity=quantity, unit="no", freight=value) is profile()
    assert profile(hts="8471.30.01") is profile()
    # What may change more than money, or another law, has another profile.
    assert profile(origin="VN") is not profile()
    assert profile(hts="9503.00.0073") is not profile()
    assert profile(entry="2025-10-01") is not profile()
    assert profile(claims={"us_content_share": "20%"}) is not profile()
    assert profile(claims={"loading_date": "2025-04-04"}) is not profile()
    assert profile(law.with_switches({"revive_displaced": "on"})) is not profile()
    assert cached_profile(replace(law), read(law, EntryLine(**LAPTOP, value=1))) is None


def test_days_between_two_acts_share_a_profile_and_tell_their_own_day() -> None:
    # A law of its own: what is kept with a day of the shared one may be of a segment that its cache has dropped since.
    law = replace(load_law())
    lines = [EntryLine(**{**LAPTOP, "entry": day}, value=500) for day in ("2025-05-20", "2025-05-21T08:30")]
    one, two = (profile_of(law, read(law, line)) for line in lines)
    assert one is two
    told = [str(quoted(line).provenance["entry"])[:16] for line in lines]
    assert told == ["2025-05-20T12:00", "2025-05-21T08:30"]


def test_a_layer_that_stands_only_under_other_facts_is_told_from_the_first_cent() -> None:
    goods: dict[str, Any] = {"hts": "8473.30.1180", "origin": "TW", "entry": "2026-10-06"}
    small, large = (quoted(EntryLine(**goods, value=value)) for value in ("0.30", "500"))
    (doubtful,) = (layer for layer in large.layers if layer.state == "undetermined")
    assert doubtful.measure == "s232_semis"
    assert (doubtful.amount, doubtful.min, doubtful.max) == (Decimal(0), Decimal(0), Decimal(125))
    assert doubtful.why["text"].startswith("Not charged as the line is declared. If ")
    assert "s232_semis" not in {layer.measure for layer in small.layers}


def test_a_profile_keeps_no_law_alive() -> None:
    law = replace(load_law())
    reading = read(law, EntryLine(**LAPTOP, value=1))
    kept = profile_of(law, reading)
    assert why_not(law, reading, kept)
    gone, number = weakref.ref(law), segment_of(law, reading.entry, reading.known).number
    caches = class_profile._PROFILES, class_profile._ROWS, reasons._CLASSES, reasons._SENTENCES
    assert all(any(key[0] == number for key in cache._values) for cache in caches)
    gc.collect()
    gc.disable()
    try:
        del law
        # Freed without the garbage collector, which looks through a large heap rarely.
        assert gone() is None
    finally:
        gc.enable()
    assert kept.declared
    gc.collect()
    # What is cached of it goes too: a server sees laws of many scenarios, each for a moment.
    assert not any(key[0] == number for cache in caches for key in cache._values)
