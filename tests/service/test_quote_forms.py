"""Quotes from memory, cached or computed from their plan, equal the messages built in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.errors import InputError
from tariffs.engine.law import Law, load_law
from tariffs.engine.line_duty import explain as explanation
from tariffs.engine.line_duty import quote_cache
from tariffs.engine.line_duty.entry_line import ResolvedLine, resolve_line
from tariffs.engine.line_duty.quote import price
from tariffs.engine.line_duty.quote_cache import QuotePlan, plan_of
from tariffs.engine.line_duty.rounding import UNDETERMINED
from tariffs.engine.schedule.lines import load_schedule
from tariffs.service.observability import answer_facts
from tariffs.service.observability.answer_facts import Encoded
from tariffs.service.rpc import duty, quotes, response_cache, shared
from tariffs.v1 import duty_service_pb2 as pb

MASK = ("assessed", "layers.measure", "layers.amount")
GOODS: Sequence[tuple[str, str, str, dict[str, float]]] = (
    ("9503.00.0073", "CN", "2025-05-20", {}),
    ("8471.30.0100", "CN", "2025-05-20", {}),
    ("7318.15.2065", "CN", "2025-10-01", {"steel_share": 0.5}),
    ("8708.99.8180", "MX", "2025-11-20", {"usmca_share": 0.4}),
    ("6110.20.2079", "VN", "2026-09-01", {}),
    ("2208.30.6065", "CA", "2026-10-15", {}),
    ("2206.00.1500", "CA", "2026-10-15", {"usmca_share": 1.0, "packaged_share": 0.4}),
)

BOLTS = ("7318.15.2065", "CN", "2025-10-01", dict[str, float]())


def request(
    goods: tuple[str, str, str, dict[str, float]], value: str = "12500.00", mask: Sequence[str] = ()
) -> pb.CalculateDutyRequest:
    hts, origin, entry, claims = goods
    line = pb.EntryLine(hts=hts, origin=origin, entry=entry, customs_value=value, freight="90.5")
    for name, share in claims.items():
        if name in pb.Claims.DESCRIPTOR.fields_by_name:
            setattr(line.claims, name, share)
        else:
            line.claims.others[name] = str(share)
    asked = pb.CalculateDutyRequest(line=line)
    asked.read_mask.paths.extend(mask)
    return asked


def message(answer: pb.CalculateDutyResponse | Encoded | None) -> pb.CalculateDutyResponse:
    assert answer is not None
    return pb.CalculateDutyResponse.FromString(answer.data) if isinstance(answer, Encoded) else answer


def data(answer: pb.CalculateDutyResponse | Encoded | None) -> bytes:
    return message(answer).SerializeToString(deterministic=True)


def unscaled(law: Law, line: ResolvedLine) -> QuotePlan:
    return replace(plan_of(law, line), linear_quote=None)


@pytest.mark.parametrize("goods", GOODS, ids=lambda goods: goods[0])
@pytest.mark.parametrize("explain", [False, True])
@pytest.mark.parametrize("mask", [(), MASK, ("landed", "notes"), ("layers",)])
def test_an_answer_from_memory_is_the_one_a_thread_builds_whole(
    monkeypatch: pytest.MonkeyPatch, goods: Any, explain: bool, mask: Sequence[str]
) -> None:
    for value in ("12500.00", "1", "3", "99999.49"):
        asked = request(goods, value, mask)
        asked.explain = explain
        first = data(duty.calculate_duty(asked))
        assert data(duty.duty_from_memory(asked)) == first
        with monkeypatch.context() as patched:
            patched.setattr(duty, "plan_of", unscaled)
            assert data(duty.calculate_duty(asked)) == first


def kept_anew(monkeypatch: pytest.MonkeyPatch, limit: int = 8) -> BoundedCache[Any, Any]:
    kept: BoundedCache[Any, Any] = BoundedCache(limit)
    monkeypatch.setattr(response_cache, "_RESPONSES", kept)
    return kept


def test_requests_that_differ_in_value_and_ids_alone_share_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = kept_anew(monkeypatch)
    for number, value in enumerate(("1", "12500.49", "12500.50", "999999999999999")):
        asked = request(GOODS[0], value)
        asked.line.line_id, asked.line.entry_id = f"line {number}", f"entry {number}"
        first = data(duty.calculate_duty(asked))
        assert data(response_cache.cached_response(asked)) == first
    assert len(kept) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"line": {"hts": "8471.30.0100"}},
        {"line": {"origin": "VN"}},
        {"line": {"entry": "2025-05-21T08:30"}},
        {"line": {"freight": "91"}},
        {"line": {"mode": "TRANSPORT_MODE_OCEAN"}},
        {"line": {"claims": {"usmca_share": 0.5}}},
        {"line": {"other_charges": [{"kind": "CHARGE_KIND_ADCVD", "label": "A-570", "rate": "0.0312"}]}},
        {"known_on": "2026-12-01"},
        {"scenario": {"name": "truce-extended"}},
        {"scenario": {"yaml": "id: x"}},
        {"switches": {"revive_displaced": "on"}},
        {"min_confidence": "A"},
        {"read_mask": "assessed"},
        {"explain": True},
        {"direction": "DIRECTION_EXPORT"},
    ],
    ids=lambda change: ".".join([*change, *map(str, *change.values())] if "line" in change else change),
)
def test_any_other_difference_needs_an_answer_of_its_own(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    kept_anew(monkeypatch)
    asked = request(GOODS[0])
    duty.calculate_duty(asked)
    assert response_cache.cached_response(asked) is not None
    asked.MergeFrom(ParseDict(change, pb.CalculateDutyRequest()))
    assert response_cache.cached_response(asked) is None


@pytest.mark.parametrize("goods", [GOODS[1], BOLTS], ids=["stands only in doubt", "stands, in doubt"])
@given(cents=st.integers(50, 10**12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_doubtful_layers_are_told_at_any_value_as_a_thread_tells_them(goods: Any, cents: int) -> None:
    law = load_law()
    asked = request(goods, f"{cents // 100}.{cents % 100:02d}")
    # What was not seen before is, by this.
    found = duty.duty_from_memory(asked) or duty.calculate_duty(asked)
    line = resolve_line(law, duty.read_line(asked.line), None, load_schedule())
    quote = price(law, line, replace(plan_of(law, line), linear_quote=None))
    whole = quotes.response_of(quote, shared.named_scenario("base", "scenario"), asked)
    assert any(layer.state == UNDETERMINED for layer in quote.layers)
    assert data(found) == data(whole)


def test_a_form_laid_out_anew_for_the_same_request_is_not_filled_into_the_old_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = kept_anew(monkeypatch)
    numbers = []
    for value in ("12500", "0.50", "12600", "0.51", "12700"):
        asked = request(GOODS[1], value)
        first = data(duty.calculate_duty(asked))
        assert data(duty.duty_from_memory(asked)) == first
        (form,) = kept._values.values()
        numbers.append(form.number)
    # A form may tell of other layers than the one before it, as many and with amounts as long.
    assert len(set(numbers)) == len(numbers)


def test_layers_too_small_to_be_told_are_left_to_their_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    kept_anew(monkeypatch)
    large, small = request(GOODS[1], "12500"), request(GOODS[1], "0.01")
    duty.calculate_duty(large)
    assert response_cache.cached_response(small) is None
    assert data(duty.calculate_duty(small)) != data(duty.calculate_duty(large))


@pytest.mark.parametrize("value", ["-1", "0", "", "1e3", "NaN", "1000000000000000.1"])
def test_values_that_are_wrong_or_out_of_reach_are_left_to_those_who_refuse_them(value: str) -> None:
    duty.calculate_duty(request(GOODS[0]))
    assert response_cache.cached_response(request(GOODS[0], value)) is None


def test_ids_that_are_too_long_are_refused_though_the_rest_is_known() -> None:
    asked = request(GOODS[0])
    duty.calculate_duty(asked)
    asked.line.entry_id = "x" * 201
    with pytest.raises(InputError, match="entry_id"):
        duty.duty_from_memory(asked)


def test_a_request_too_long_to_keep_is_answered_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = kept_anew(monkeypatch)
    monkeypatch.setattr(response_cache, "_KEY_LIMIT", 10)
    asked = request(GOODS[0])
    assert duty.calculate_duty(asked).assessed
    assert not len(kept)


def test_looking_for_an_answer_leaves_the_request_as_it_was() -> None:
    asked = request(GOODS[0])
    asked.line.line_id = "a"
    before = asked.SerializeToString(deterministic=True)
    duty.calculate_duty(asked)
    duty.duty_from_memory(asked)
    assert asked.SerializeToString(deterministic=True) == before


def test_an_answer_does_not_change_the_form_it_came_from() -> None:
    asked = request(GOODS[1])
    first = duty.calculate_duty(asked)
    wanted = data(first)
    first.layers[0].amount = "1"
    first.landed["total"] = "2"
    first.provenance.details["entry"] = "3"
    del first.layers[1:]
    assert data(duty.duty_from_memory(asked)) == wanted


def test_an_answer_of_bytes_tells_its_own_digest() -> None:
    asked = request(GOODS[2])
    duty.calculate_duty(asked)
    found = duty.duty_from_memory(asked)
    assert isinstance(found, Encoded)
    assert found.run_digest == message(found).provenance.run_digest == answer_facts.run_digest_of(found)
    assert answer_facts.refused_rows_of(found) == 0


def test_nothing_is_worked_out_on_the_way_from_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quote_cache, "_PLANS", BoundedCache(8))
    kept_anew(monkeypatch)
    monkeypatch.setattr(explanation, "_CONSIDERED", BoundedCache(8))
    asked = request(GOODS[0])
    assert duty.duty_from_memory(asked) is None
    duty.calculate_duty(asked)
    assert duty.duty_from_memory(asked) is not None
    asked.explain = True
    assert duty.duty_from_memory(asked) is None
    duty.calculate_duty(asked)
    assert duty.duty_from_memory(asked) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"scenario": {"name": "truce-extended"}},
        {"scenario": {"name": "no-such-scenario"}},
        {"scenario": {"yaml": "id: x"}},
        {"switches": {"revive_displaced": "on"}},
        {"min_confidence": "A"},
    ],
)
def test_a_law_that_is_not_in_memory_is_left_to_a_thread(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    monkeypatch.setattr(shared, "_LAWS", BoundedCache(8))
    kept_anew(monkeypatch)
    asked = request(GOODS[0])
    duty.calculate_duty(asked)
    assert duty.duty_from_memory(asked) is not None
    asked.MergeFrom(pb.CalculateDutyRequest(**change))
    assert duty.duty_from_memory(asked) is None


def test_what_hangs_on_a_quantity_is_left_to_a_thread() -> None:
    asked = request(("0402.10.5000", "DE", "2025-05-20", {}))
    asked.line.quantity, asked.line.unit = "100", "kg"
    duty.calculate_duty(asked)
    assert duty.duty_from_memory(asked) is None


@pytest.mark.parametrize("from_memory", [False, True])
def test_a_wrong_mask_or_line_is_refused_on_either_way(from_memory: bool) -> None:
    duty.calculate_duty(request(GOODS[0]))
    call = duty.duty_from_memory if from_memory else duty.calculate_duty
    with pytest.raises(InputError, match="no field"):
        call(request(GOODS[0], mask=["layers.nothing"]))
    with pytest.raises(InputError, match="customs_value"):
        call(request(GOODS[0], value="-"))


def test_answers_beyond_the_bound_are_forgotten_and_laid_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = kept_anew(monkeypatch, limit=3)
    asked = [request(goods) for goods in GOODS]
    first = [data(duty.calculate_duty(one)) for one in asked]
    assert len(kept) == 3
    assert [data(duty.calculate_duty(one)) for one in asked] == first


def _many(request: pb.CalculateDutyRequest, what: str) -> None:
    if what == "other_charges":
        for _ in range(101):
            request.line.other_charges.add(kind=pb.CHARGE_KIND_OTHER, amount="1")
    elif what == "read_mask":
        request.read_mask.paths.extend(["assessed"] * 101)
    else:
        many = request.switches if what == "switches" else request.line.claims.others
        for number in range(201):
            many[f"name_{number}"] = "1"


@pytest.mark.parametrize("what", ["other_charges", "read_mask", "switches", "claims"])
def test_more_of_a_thing_than_anybody_needs_does_not_hold_the_loop_up(what: str) -> None:
    asked = request(GOODS[0])
    duty.calculate_duty(asked)
    _many(asked, what)
    for call in (duty.duty_from_memory, duty.calculate_duty):
        with pytest.raises(InputError, match=f"{what} has [12]01 items"):
            call(asked)


@pytest.mark.parametrize("direction", [-1, 7])
def test_a_direction_that_is_none_is_refused_though_the_rest_is_known(direction: int) -> None:
    asked = request(GOODS[0])
    duty.calculate_duty(asked)
    asked.direction = direction  # type: ignore[assignment]
    assert duty.duty_from_memory(asked) is None
    with pytest.raises(InputError, match="direction"):
        duty.calculate_duty(asked)
