"""Quotes priced on the event loop equal those computed in a thread, and what takes long is left to the thread."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict

from tariffs.engine.base.bounded_cache import BoundedCache
from tariffs.engine.errors import InputError, TariffsError
from tariffs.engine.law import load_law
from tariffs.engine.line_duty import class_profile, why_not
from tariffs.engine.line_duty.quote import Quote, quote_line
from tariffs.service.rpc import duty, shared
from tariffs.service.rpc.quotes import fill_quote
from tariffs.v1 import duty_service_pb2 as pb
from tests.compat.answers.draws import entry_days, entry_line

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


def data(answer: pb.CalculateDutyResponse | None) -> bytes:
    assert answer is not None
    return answer.SerializeToString(deterministic=True)


@pytest.mark.parametrize("goods", GOODS, ids=lambda goods: goods[0])
@pytest.mark.parametrize("explain", [False, True])
@pytest.mark.parametrize("mask", [(), MASK, ("landed", "notes"), ("layers",)])
def test_an_answer_from_memory_is_the_one_a_thread_builds_whole(
    goods: Any, explain: bool, mask: Sequence[str]
) -> None:
    for value in ("12500.00", "1", "3", "0", "99999.49"):
        asked = request(goods, value, mask)
        asked.explain = explain
        first = data(duty.calculate_duty(asked))
        assert data(duty.duty_from_memory(asked)) == first
        for cache in (class_profile._PROFILES, class_profile._ROWS, why_not._CLASSES, why_not._SENTENCES):
            cache.clear()
        assert data(duty.calculate_duty(asked)) == first


def test_reasons_are_sent_on_request_and_headings_always() -> None:
    asked = request(GOODS[0])
    bare = duty.calculate_duty(asked)
    asked.explain = True
    whole = duty.calculate_duty(asked)
    assert bare.headings
    assert not bare.considered
    assert not any(layer.why for layer in bare.layers)
    assert whole.considered
    assert all(layer.why["text"] for layer in whole.layers)
    for layer in whole.layers:
        layer.why.clear()
    whole.ClearField("considered")
    whole.provenance.run_digest = bare.provenance.run_digest
    assert data(whole) == data(bare)


def test_ids_that_are_too_long_are_refused_though_the_rest_is_known() -> None:
    asked = request(GOODS[0])
    duty.calculate_duty(asked)
    asked.line.entry_id = "x" * 201
    with pytest.raises(InputError, match="entry_id"):
        duty.duty_from_memory(asked)


def test_answering_leaves_the_request_as_it_was() -> None:
    asked = request(GOODS[0])
    asked.line.line_id = "a"
    before = asked.SerializeToString(deterministic=True)
    duty.calculate_duty(asked)
    duty.duty_from_memory(asked)
    assert asked.SerializeToString(deterministic=True) == before


def test_an_answer_that_is_changed_does_not_change_later_ones() -> None:
    asked = request(GOODS[1])
    asked.explain = True
    first = duty.calculate_duty(asked)
    wanted = data(first)
    first.layers[0].amount = "1"
    first.layers[0].citations.append("x")
    first.considered[0].text = "2"
    first.provenance.details["entry"] = "3"
    first.provenance.switches["x"] = "4"
    del first.layers[1:]
    assert data(duty.duty_from_memory(asked)) == wanted


def test_classes_of_goods_with_facts_are_left_to_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(class_profile, "_PROFILES", BoundedCache(8))
    monkeypatch.setattr(why_not, "_CLASSES", BoundedCache(8))
    asked = request(GOODS[2])
    duty.calculate_duty(request(BOLTS))
    assert duty.duty_from_memory(asked) is None
    duty.calculate_duty(asked)
    assert duty.duty_from_memory(asked) is not None
    asked.explain = True
    assert duty.duty_from_memory(asked) is None
    duty.calculate_duty(asked)
    assert duty.duty_from_memory(asked) is not None


@pytest.mark.parametrize("explain", [False, True])
def test_classes_of_goods_without_facts_are_compiled_at_once_and_told(explain: bool) -> None:
    asked, told = request(GOODS[0]), list[pb.CalculateDutyRequest]()
    asked.explain = explain
    wanted = data(duty.calculate_duty(asked))
    for cache in (class_profile._PROFILES, class_profile._ROWS, why_not._CLASSES, why_not._SENTENCES):
        cache.clear()
    assert [data(duty.duty_from_memory(asked, told.append)) for _ in range(2)] == [wanted] * 2
    assert told == [asked]


def test_the_first_reasons_of_a_day_are_left_to_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "_LAWS", BoundedCache(8))
    asked = request(GOODS[0])
    asked.switches["revive_displaced"] = "on"
    duty.calculate_duty(asked)
    asked.explain = True
    assert duty.duty_from_memory(asked) is None
    duty.calculate_duty(asked)
    assert duty.duty_from_memory(asked) is not None


def test_a_day_of_the_law_that_is_not_compiled_is_left_to_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "_LAWS", BoundedCache(8))
    asked = request(GOODS[0])
    asked.switches["revive_displaced"] = "on"
    duty.calculate_duty(asked)
    asked.line.entry = "2026-03-10"
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
    asked = request(GOODS[0])
    duty.calculate_duty(asked)
    assert duty.duty_from_memory(asked) is not None
    asked.MergeFrom(pb.CalculateDutyRequest(**change))
    assert duty.duty_from_memory(asked) is None


@pytest.mark.parametrize("from_memory", [False, True])
def test_a_wrong_mask_or_line_is_refused_on_either_way(from_memory: bool) -> None:
    duty.calculate_duty(request(GOODS[0]))
    call = duty.duty_from_memory if from_memory else duty.calculate_duty
    with pytest.raises(InputError, match="no field"):
        call(request(GOODS[0], mask=["layers.nothing"]))
    with pytest.raises(InputError, match="customs_value"):
        call(request(GOODS[0], value="-"))


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


def test_reasons_on_the_wire_are_those_of_the_engine_whatever_lines_came_before() -> None:
    dice, law = random.Random(8), load_law()
    bare: list[pb.EntryLine] = []
    for _ in range(40):
        days = entry_days(dice)
        for _ in range(10):
            line = ParseDict(entry_line(dice, days), pb.EntryLine())
            line.ClearField("claims")
            bare.append(line)
    conditional = 0
    for line in bare:
        try:
            asked = quote_line(law, duty.read_line(line))
        except TariffsError:
            continue
        conditional += check_reasons(asked)
        for name in asked.missing_claims:
            told = pb.EntryLine()
            told.CopyFrom(line)
            told.claims.others[name] = dice.choice(("0", "1"))
            check_reasons(quote_line(law, duty.read_line(told)))
    assert conditional > 5


def check_reasons(quote: Quote) -> bool:
    """Compare the reasons in the message of a quote; return True if one depends on facts not declared."""
    message = pb.CalculateDutyResponse()
    fill_quote(message, quote)
    assert [dict(one.why) for one in message.layers] == [layer.why for layer in quote.layers]
    return any(layer.otherwise is not None for layer in quote.layers)
